//! The screen as a picture of the model: where each part stands, and what is drawn in it. The model enters and stays as it is.

mod list;
mod messages;
mod overlay;
#[cfg(test)]
mod tests;
mod wrap;

use anser_client::{Role, State};
use ratatui::{
    Frame,
    layout::{Position, Rect},
    style::{Color, Modifier, Style, Stylize as _},
    text::{Line, Span},
    widgets::Paragraph,
};

use super::{
    input::cells,
    model::{Focus, Model, Tone},
};
use wrap::{shorten, wrap};

/// Below this nothing sensible can be shown.
const SMALLEST: (u16, u16) = (20, 6);
/// A narrower window shows the list or the messages, not both.
const BOTH_PANES_COLUMNS: u16 = 60;
const INPUT_ROWS_MAX: u16 = 6;
const STATUS_ROWS_MAX: u16 = 3;
const PROMPT: &str = "> ";
const DIM: Style = Style::new().fg(Color::DarkGray);

/// Where each part stands. A part that is not shown has no area.
#[derive(Default)]
struct Panes {
    list: Rect,
    title: Rect,
    messages: Rect,
    hint: Rect,
    input: Rect,
    status: Rect,
}

/// The messages can be seen, not only the list.
pub fn shows_messages(model: &Model) -> bool {
    panes(model).messages.height > 0
}

/// Rows for messages, also while the list hides them; at least one.
pub fn messages_height(model: &Model) -> usize {
    usize::from(panes(model).messages.height.max(1))
}

/// Rows that all messages here would take.
pub fn rows_in_all(model: &Model) -> usize {
    messages::rows(model, usize::from(panes(model).messages.width)).len()
}

/// How far an overlay can be scrolled.
pub fn overlay_overflow(model: &Model) -> usize {
    overlay::overflow(model, model.size.0, model.size.1.saturating_sub(panes(model).status.height))
}

pub fn draw(model: &Model, frame: &mut Frame<'_>) {
    if model.size.0 < SMALLEST.0 || model.size.1 < SMALLEST.1 {
        frame.render_widget(Paragraph::new(model.text.too_small()), frame.area());
        return;
    }
    let panes = panes(model);
    list::draw(model, frame, panes.list);
    if panes.list.width > 0 && panes.title.width > 0 {
        let edge = Rect { x: panes.list.right(), width: 1, ..panes.list };
        let line = Line::styled("│", DIM);
        frame.render_widget(Paragraph::new(vec![line; usize::from(edge.height)]), edge);
    }
    draw_title(model, frame, panes.title);
    messages::draw(model, frame, panes.messages);
    draw_hint(model, frame, panes.hint);
    draw_input(model, frame, panes.input);
    frame.render_widget(Paragraph::new(status(model, usize::from(model.size.0))), panes.status);
    overlay::draw(model, frame, Rect { height: model.size.1 - panes.status.height, ..frame.area() });
}

fn panes(model: &Model) -> Panes {
    let (columns, rows) = model.size;
    let status_rows = rows_of(status(model, usize::from(columns)).len()).min(STATUS_ROWS_MAX);
    let height = rows.saturating_sub(status_rows);
    let status = Rect::new(0, height, columns, status_rows);
    if columns < BOTH_PANES_COLUMNS && model.focus == Focus::List {
        return Panes { list: Rect::new(0, 0, columns, height), status, ..Panes::default() };
    }
    let list_columns = if columns < BOTH_PANES_COLUMNS { 0 } else { (columns * 3 / 10).clamp(20, 36) };
    let x = if list_columns == 0 { 0 } else { list_columns + 1 };
    let width = columns.saturating_sub(x);
    let (input_lines, _) = model.input.wrapped(input_columns(width));
    let input_rows = rows_of(input_lines.len()).min(INPUT_ROWS_MAX).min(height.saturating_sub(3).max(1));
    let messages_rows = height.saturating_sub(2 + input_rows);
    Panes {
        list: Rect::new(0, 0, list_columns, height),
        title: Rect::new(x, 0, width, 1),
        messages: Rect::new(x, 1, width, messages_rows),
        hint: Rect::new(x, 1 + messages_rows, width, 1),
        input: Rect::new(x, 2 + messages_rows, width, input_rows),
        status,
    }
}

fn input_columns(width: u16) -> usize {
    usize::from(width).saturating_sub(cells(PROMPT)).max(2)
}

fn rows_of(lines: usize) -> u16 {
    u16::try_from(lines).unwrap_or(u16::MAX)
}

fn draw_title(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let Some(conversation) = model.open_id() else { return };
    let session = model.sessions.get(&conversation);
    let aside = match (session.and_then(|session| session.group.as_ref()), model.peer_of(conversation)) {
        (Some(group), _) if group.role == Role::None && session.is_some_and(|session| session.head > 0) => {
            model.text.no_member().to_owned()
        }
        (Some(group), _) => model.text.members(group.member_count),
        (None, Some(peer)) => peer.account.clone(),
        (None, None) => String::new(),
    };
    let room = usize::from(area.width).saturating_sub(cells(&aside) + 3);
    let title = shorten(&model.title(conversation), room.max(4));
    frame.render_widget(Line::from(vec![" ".into(), title.bold(), "  ".into(), Span::styled(aside, DIM)]), area);
}

/// The row between messages and input: who writes, and what lies further down.
fn draw_hint(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let Some(timeline) = &model.open else { return };
    let writers = model.writers(timeline.conversation);
    let words = if timeline.new_below > 0 {
        Span::styled(model.text.new_below(timeline.new_below), Style::new().fg(Color::Yellow).bold())
    } else if !writers.is_empty() {
        Span::styled(model.text.writing(&writers), Style::new().fg(Color::Cyan).italic())
    } else if timeline.scroll > 0 {
        Span::styled(model.text.further_up(), DIM)
    } else {
        Span::default()
    };
    let mut line = vec![Span::styled("─", DIM)];
    if !words.content.is_empty() {
        line.extend([" ".into(), words, " ".into()]);
    }
    let used: usize = line.iter().map(Span::width).sum();
    line.push(Span::styled("─".repeat(usize::from(area.width).saturating_sub(used)), DIM));
    frame.render_widget(Line::from(line), area);
}

fn draw_input(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    if area.width == 0 {
        return;
    }
    let (lines, (column, row)) = model.input.wrapped(input_columns(area.width));
    let height = usize::from(area.height);
    let skip = (row + 1).saturating_sub(height);
    let prompt = if model.focus == Focus::Input { Style::new().fg(Color::Green).bold() } else { DIM };
    let rows = lines.into_iter().enumerate().skip(skip).take(height).map(|(at, line)| {
        let before = if at == 0 { Span::styled(PROMPT, prompt) } else { "  ".into() };
        let words = if model.input.is_empty() { Span::styled(model.text.write_here(), DIM) } else { line.into() };
        Line::from(vec![before, words])
    });
    frame.render_widget(Paragraph::new(rows.collect::<Vec<_>>()), area);
    if model.focus == Focus::Input && model.overlay.is_none() {
        let x = area.x + rows_of(cells(PROMPT) + column).min(area.width - 1);
        frame.set_cursor_position(Position::new(x, area.y + rows_of(row - skip)));
    }
}

/// Who this is, how the connection stands, and what there is to say.
fn status(model: &Model, width: usize) -> Vec<Line<'static>> {
    let (sign, color) = match model.link {
        State::CaughtUp => ("●", Color::Green),
        State::Offline { .. } => ("○", Color::Yellow),
        State::Stopped(_) => ("×", Color::Red),
        _ => ("◌", Color::Yellow),
    };
    let note = model.note.as_ref();
    let link = || model.text.link(&model.link, model.store.as_deref(), model.now_ms);
    let words = note.map_or_else(link, |note| note.words.clone());
    let style = match note.map(|note| note.tone) {
        Some(Tone::Trouble) => Style::new().fg(Color::Red).add_modifier(Modifier::BOLD),
        Some(Tone::Plain) => Style::new().fg(Color::Cyan),
        None if matches!(model.link, State::Stopped(_)) => Style::new().fg(Color::Red),
        None => Style::new(),
    };
    let head = format!(" {} · ", model.account);
    let indent = 1 + cells(&head);
    let mut lines: Vec<Line<'static>> = Vec::new();
    for (at, row) in wrap(&words, width.saturating_sub(indent + 1).max(8), 0).into_iter().enumerate() {
        let before = if at == 0 {
            vec![Span::styled(sign, color), Span::raw(head.clone())]
        } else {
            vec![Span::raw(" ".repeat(indent))]
        };
        lines.push(before.into_iter().chain([Span::styled(row, style)]).collect());
    }
    let hints = model.text.hints();
    if let [only] = lines.as_mut_slice()
        && only.width() + cells(hints) + 3 <= width
    {
        let gap = width - only.width() - cells(hints) - 1;
        only.push_span(" ".repeat(gap));
        only.push_span(Span::styled(hints, DIM));
    }
    lines.truncate(usize::from(STATUS_ROWS_MAX));
    lines
}
