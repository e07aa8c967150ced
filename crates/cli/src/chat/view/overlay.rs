//! What is laid over the screen for a moment: the help, a group's members.

use anser_proto::v1;
use ratatui::{
    Frame,
    layout::Rect,
    style::Stylize as _,
    text::{Line, Span},
    widgets::{Block, Clear, Paragraph},
};

use super::{DIM, rows_of};
use crate::chat::{
    command,
    input::cells,
    model::{Model, Overlay, display_name},
};

pub fn draw(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let (title, rows) = match &model.overlay {
        None => return,
        Some(Overlay::Help) => (model.text.help_title().to_owned(), help(model)),
        Some(Overlay::Members { title, members, more }) => {
            let more = more.then(|| Line::styled(model.text.more_members(), DIM));
            (title.clone(), members.iter().map(|member| row_of(model, member)).chain(more).collect())
        }
    };
    let block = Block::bordered().title(format!(" {title} ")).title_bottom(format!(" {} ", model.text.close_overlay()));
    let widest = rows.iter().map(Line::width).max().unwrap_or(0).max(cells(model.text.close_overlay()) + 2);
    let width = rows_of(widest + 4).min(area.width);
    let height = rows_of(rows.len() + 2).min(area.height);
    let x = area.x + (area.width - width) / 2;
    let area = Rect { x, y: area.y + (area.height - height) / 2, width, height };
    frame.render_widget(Clear, area);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(1), ..inner };
    frame.render_widget(Paragraph::new(rows), inner);
}

fn help(model: &Model) -> Vec<Line<'static>> {
    let text = model.text;
    let commands = command::NAMES.map(|name| (text.usage(name), text.purpose(name)));
    let keys = text.keys();
    let widest = commands.iter().chain(&keys).map(|(left, _)| cells(left)).max().unwrap_or(0);
    let row = |(left, right): (&'static str, &'static str)| {
        let gap = " ".repeat(widest - cells(left) + 2);
        Line::from(vec![Span::raw(left).bold(), gap.into(), right.into()])
    };
    // In a low window the commands are the part that must be seen.
    if usize::from(model.size.1) < commands.len() + keys.len() + 5 {
        return commands.map(row).to_vec();
    }
    commands.map(row).into_iter().chain([Line::default()]).chain(keys.map(row)).collect()
}

fn row_of(model: &Model, member: &v1::Member) -> Line<'static> {
    let Some(user) = &member.user else { return Line::default() };
    let role = model.text.role(member.role());
    let account = Span::styled(format!("  {}", user.account), DIM);
    Line::from(vec![display_name(user).into(), account, Span::raw(format!("  {role}")).yellow()])
}
