//! The pane of messages: rows with times, names, days, notices and ticks, the newest at the bottom.

use anser_client::{Message, NoticeKind, Status};
use jiff::civil::Date;
use ratatui::{
    Frame,
    layout::Rect,
    style::{Color, Style},
    text::{Line, Span},
    widgets::Paragraph,
};

use super::{
    DIM,
    wrap::{shorten, wrap},
};
use crate::chat::{
    changes,
    command::is_about_message,
    input::cells,
    model::{Model, Outgoing, Tick},
    time,
    timeline::{Older, Timeline},
    wash,
};

/// `14:03 `, and the same room below it.
const INDENT: usize = 6;
const NAME_CELLS_MAX: usize = 16;
/// Names are told apart by colours that a light and a dark terminal can both show.
const NAME_COLORS: [Color; 5] = [Color::Cyan, Color::Magenta, Color::Yellow, Color::Blue, Color::LightRed];

pub fn draw(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let Some(timeline) = &model.open else {
        let lines: Vec<_> = wrap(model.text.nothing_open(), usize::from(area.width).saturating_sub(4), 0)
            .into_iter()
            .map(|line| Line::styled(line, DIM).centered())
            .collect();
        let top = area.height.saturating_sub(super::rows_of(lines.len())) / 2;
        frame.render_widget(Paragraph::new(lines), Rect { y: area.y + top, height: area.height - top, ..area });
        return;
    };
    let rows = rows(model, usize::from(area.width));
    let height = usize::from(area.height);
    let scroll = timeline.scroll.min(rows.len().saturating_sub(height));
    let end = rows.len() - scroll;
    let shown: Vec<Line<'_>> = rows[end.saturating_sub(height)..end].to_vec();
    // What is short stands at the bottom, next to the input.
    let top = area.height - super::rows_of(shown.len());
    frame.render_widget(Paragraph::new(shown), Rect { y: area.y + top, height: area.height - top, ..area });
}

/// All rows of the open conversation, one column free at either side.
pub fn rows(model: &Model, columns: usize) -> Vec<Line<'static>> {
    let Some(timeline) = &model.open else { return Vec::new() };
    let mut page = Page { model, width: columns.saturating_sub(2).max(INDENT + 4), rows: Vec::new(), day: None };
    page.beginning(timeline);
    let unread_line = timeline.unread_line();
    for message in timeline.messages.values() {
        page.heading(message.server_time_ms);
        if unread_line == Some(message.server_msg_id) {
            page.ruled(model.text.unread_from_here(), Style::new().fg(Color::Yellow).bold());
        }
        page.message(timeline, message);
    }
    for outgoing in model.outgoing_of(timeline.conversation) {
        page.heading(outgoing.client_time_ms);
        page.outgoing(timeline, outgoing);
    }
    page.rows
}

struct Page<'a> {
    model: &'a Model,
    width: usize,
    rows: Vec<Line<'static>>,
    day: Option<Date>,
}

/// One message's head and body.
struct Said<'a> {
    time_ms: u64,
    /// None while it has no place.
    number: Option<u64>,
    name: &'a str,
    name_style: Style,
    content: &'a str,
    tick: Option<Tick>,
}

impl Page<'_> {
    fn beginning(&mut self, timeline: &Timeline) {
        let text = self.model.text;
        let empty = timeline.messages.is_empty() && self.model.outgoing_of(timeline.conversation).next().is_none();
        match timeline.older {
            Older::Loading => self.centered(text.loading()),
            Older::Nothing if empty => self.centered(text.nothing_said()),
            Older::Nothing => self.centered(text.beginning()),
            Older::Missing => self.centered(text.older_missing()),
            Older::More => {}
        }
    }

    fn heading(&mut self, time_ms: u64) {
        let day = time::day(&self.model.zone, time_ms);
        if self.day.replace(day) != Some(day) {
            let words = time::heading(self.model.text.0, &self.model.zone, self.model.now_ms, day);
            self.ruled(&words, DIM);
        }
    }

    fn message(&mut self, timeline: &Timeline, message: &Message) {
        if let Some(notice) = &message.notice {
            let me = self.model.my_id();
            let whom = notice.user_ids.iter().filter(|user| **user != notice.operator_id).map(|user| match *user {
                user if user == me => self.model.text.you_whom().to_owned(),
                other => self.model.nickname(other),
            });
            let whom: Vec<String> = whom.collect();
            let who = self.model.nickname(notice.operator_id);
            let told = match &notice.change {
                None if notice.kind == NoticeKind::Pinned => {
                    let pinned = timeline.messages.get(&notice.server_msg_id);
                    let words = pinned.map(|message| wash::line(&changes::words(self.model.text, message)));
                    let told = self.model.text.pinned_by(&who, words.as_deref());
                    return self.centered(&shorten(&told, self.width));
                }
                Some(change) => wash::line(&self.model.text.group_change(&who, change)),
                None => self.model.text.notice(notice.kind, &who, &whom),
            };
            return self.centered(&told);
        }
        let mine = message.from_id == self.model.my_id();
        let nickname = wash::line(&message.from_nickname);
        let (name, name_style) = if mine {
            (self.model.text.you(), Style::new().fg(Color::Green).bold())
        } else {
            let color = NAME_COLORS[(message.from_id.0 % NAME_COLORS.len() as u64) as usize];
            (nickname.as_str(), Style::new().fg(color).bold())
        };
        self.answered(timeline, message.reply_to);
        let content = changes::body(self.model.text, message);
        let tick = mine.then(|| self.model.tick_of(timeline.conversation, message.server_msg_id));
        let number = Some(message.server_msg_id);
        self.said(&Said { time_ms: message.server_time_ms, number, name, name_style, content: &content, tick });
        let reactions = changes::reactions(message, self.model.my_id());
        if !reactions.is_empty() {
            self.indented(&reactions, DIM);
        }
    }

    /// What the message below answers, on one row.
    fn answered(&mut self, timeline: &Timeline, reply_to: Option<u64>) {
        let Some(id) = reply_to else { return };
        let words = match timeline.messages.get(&id) {
            Some(message) => {
                let name = if message.from_id == self.model.my_id() {
                    self.model.text.you().to_owned()
                } else {
                    wash::line(&message.from_nickname)
                };
                format!("{name}: {}", wash::line(&changes::body(self.model.text, message)))
            }
            None => format!("#{id}"),
        };
        let row = shorten(&format!("↳ {words}"), self.width - INDENT);
        self.row(vec![" ".repeat(INDENT).into(), Span::styled(row, DIM)]);
    }

    fn indented(&mut self, words: &str, style: Style) {
        for row in wrap(words, self.width - INDENT, 0) {
            self.row(vec![" ".repeat(INDENT).into(), Span::styled(row, style)]);
        }
    }

    fn outgoing(&mut self, timeline: &Timeline, outgoing: &Outgoing) {
        self.answered(timeline, outgoing.reply_to);
        self.said(&Said {
            time_ms: outgoing.client_time_ms,
            number: None,
            name: self.model.text.you(),
            name_style: Style::new().fg(Color::Green).bold(),
            content: &wash::lines(&outgoing.content),
            tick: Some(outgoing.tick()),
        });
        if let Status::Failed(error) = &outgoing.status {
            let fix = self.model.text.fix_failed(&self.model.text.refusal(error));
            self.indented(&fix, Style::new().fg(Color::Red));
        }
    }

    fn said(&mut self, said: &Said<'_>) {
        let name = shorten(said.name, NAME_CELLS_MAX);
        let name_cells = cells(&name) + 2;
        let mut body = wrap(said.content, self.width - INDENT, name_cells).into_iter();
        let first = body.next().unwrap_or_default();
        // Who writes about a message sees its number in place of its time.
        let number = said.number.filter(|_| is_about_message(self.model.input.text()));
        let before = match number {
            Some(number) => format!("{:<INDENT$}", format!("#{number} ")),
            None => format!("{} ", time::clock(&self.model.zone, said.time_ms)),
        };
        self.row(vec![Span::styled(before, DIM), Span::styled(name, said.name_style), "  ".into(), first.into()]);
        for row in body {
            self.row(vec![" ".repeat(INDENT).into(), row.into()]);
        }
        if let Some(tick) = said.tick {
            self.tick(tick);
        }
    }

    /// At the right edge of the last row, or below it where there is no room.
    fn tick(&mut self, tick: Tick) {
        let text = self.model.text;
        let sign = match tick {
            Tick::Waiting => Span::styled(format!("◷ {}", text.waiting()), Color::Yellow),
            Tick::Sent => Span::styled("✓", DIM),
            Tick::Delivered => Span::styled("✓✓", DIM),
            Tick::Read => Span::styled(format!("✓✓ {}", text.read()), Color::Cyan),
            Tick::Failed => Span::styled(format!("! {}", text.not_sent()), Style::new().fg(Color::Red).bold()),
        };
        let edge = self.width + 1;
        let used = self.rows.last().map_or(0, Line::width);
        if used + 1 + sign.width() > edge {
            self.rows.push(Line::default());
        }
        let row = self.rows.last_mut().expect("a message has rows");
        row.push_span(" ".repeat(edge.saturating_sub(row.width() + sign.width())));
        row.push_span(sign);
    }

    fn row(&mut self, spans: Vec<Span<'static>>) {
        self.rows.push([Span::raw(" ")].into_iter().chain(spans).collect());
    }

    fn centered(&mut self, words: &str) {
        for row in wrap(words, self.width, 0) {
            self.rows.push(Line::styled(row, DIM).centered());
        }
    }

    /// Words within a line across the pane.
    fn ruled(&mut self, words: &str, style: Style) {
        let rest = self.width.saturating_sub(cells(words) + 2);
        let (left, right) = ("─".repeat(rest / 2), "─".repeat(rest - rest / 2));
        self.row(vec![Span::styled(format!("{left} {words} {right}"), style)]);
    }
}
