//! The pane of conversations: name, time, the last words and how many are unread; `@` before them if any of these names the user.

use anser_client::{ConversationId, Kind, MessageState, Session};
use ratatui::{
    Frame,
    layout::Rect,
    style::{Color, Style, Stylize as _},
    text::{Line, Span},
    widgets::Paragraph,
};

use super::{
    DIM,
    wrap::{shorten, wrap},
};
use crate::chat::{
    input::cells,
    model::{Focus, Model, Tick},
    time, wash,
};

/// Rows of an entry.
const ENTRY_ROWS: usize = 2;

pub fn draw(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    if area.width == 0 {
        return;
    }
    let width = usize::from(area.width);
    let mut rows = vec![head(model, width)];
    let list = model.list();
    let here = if model.focus == Focus::List { model.selected_or_first() } else { model.open_id() };
    let fit = (usize::from(area.height).saturating_sub(1) / ENTRY_ROWS).max(1);
    let at = list.iter().position(|(id, _)| Some(*id) == here).unwrap_or(0);
    // The chosen one stays in sight.
    let skip = (at + 1).saturating_sub(fit);
    for (id, session) in list.iter().skip(skip).take(fit) {
        let chosen = Some(*id) == here;
        let style = match (chosen, model.focus) {
            (true, Focus::List) => Style::new().reversed(),
            (true, Focus::Input) => Style::new().bold(),
            (false, _) => Style::new(),
        };
        let mark = match (chosen, model.focus) {
            (true, Focus::List) => "›",
            _ if model.open_id() == Some(*id) => "▌",
            _ => " ",
        };
        rows.extend(entry(model, *id, session, mark, width).map(|row| row.patch_style(style)));
    }
    if list.is_empty() {
        let words = wrap(model.text.no_conversations(), width.saturating_sub(2), 0);
        rows.extend(words.into_iter().map(|row| Line::styled(format!(" {row}"), DIM)));
    }
    frame.render_widget(Paragraph::new(rows), area);
}

fn head(model: &Model, width: usize) -> Line<'static> {
    let unread = model.unread();
    let count = if unread > 0 { format!("{unread} ") } else { String::new() };
    let words = Span::raw(format!(" {}", model.text.conversations())).bold();
    let gap = width.saturating_sub(words.width() + cells(&count));
    Line::from(vec![words, " ".repeat(gap).into(), Span::raw(count).yellow().bold()])
}

fn entry(
    model: &Model,
    id: ConversationId,
    session: &Session,
    mark: &'static str,
    width: usize,
) -> [Line<'static>; ENTRY_ROWS] {
    let failed = model.outgoing_of(id).any(|outgoing| outgoing.tick() == Tick::Failed);
    let when = session
        .last
        .as_ref()
        .map_or_else(String::new, |last| time::short(model.text.0, &model.zone, model.now_ms, last.server_time_ms));
    let badge = match (failed, session.unread) {
        (true, _) => "! ".to_owned(),
        (false, 0) if session.marked_unread => "(•)".to_owned(),
        (false, 0) => String::new(),
        (false, unread) if unread > 999 => "(999+)".to_owned(),
        (false, unread) => format!("({unread})"),
    };
    let badge = if session.mentions > 0 { format!("@{badge}") } else { badge };
    let is_quiet = session.quiet_until_ms > model.now_ms;
    let badge_style = match (failed, is_quiet) {
        (true, _) => Style::new().fg(Color::Red).bold(),
        (false, true) => DIM,
        (false, false) => Style::new().fg(Color::Yellow).bold(),
    };
    let signs = [(session.pinned, "↑ "), (is_quiet, "☾ ")].map(|(is_so, sign)| if is_so { sign } else { "" });
    let name = Span::raw(signs.concat() + &model.title(id));
    let name = if session.unread > 0 || session.marked_unread { name.bold() } else { name };
    [
        spread(mark, name, Span::styled(when, DIM), width),
        spread(mark, preview(model, id, session), Span::styled(badge, badge_style), width),
    ]
}

/// The last words, or who is writing now.
fn preview(model: &Model, id: ConversationId, session: &Session) -> Span<'static> {
    let writers = model.writers(id);
    if !writers.is_empty() {
        return Span::styled(model.text.writing(&writers), Style::new().fg(Color::Cyan).italic());
    }
    let Some(last) = &session.last else { return Span::default() };
    if last.kind == Kind::Notice {
        let of_group = session.group.is_some();
        return Span::styled(if of_group { model.text.group_changed() } else { model.text.something_pinned() }, DIM);
    }
    let is_recalled = last.state == MessageState::Recalled;
    let words = if is_recalled { model.text.recalled().to_owned() } else { wash::line(&last.content) };
    let kind = if is_recalled { "" } else { model.text.kind(last.kind) };
    let who = if last.from_id == model.my_id() {
        format!("{}: ", model.text.you())
    } else if session.group.is_some() {
        format!("{}: ", wash::line(&last.from_nickname))
    } else {
        String::new()
    };
    Span::styled(format!("{who}{kind}{words}"), DIM)
}

/// One thing at the left, shortened, and one at the right.
fn spread(mark: &'static str, left: Span<'static>, right: Span<'static>, width: usize) -> Line<'static> {
    let room = width.saturating_sub(cells(mark) + right.width() + 2);
    let left = Span::styled(shorten(&left.content, room), left.style);
    let gap = width.saturating_sub(cells(mark) + left.width() + right.width() + 1);
    Line::from(vec![Span::styled(mark, Color::Green), left, " ".repeat(gap).into(), right, " ".into()])
}
