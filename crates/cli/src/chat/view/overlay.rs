//! What is laid over the screen for a moment: the help, a group's members, contacts, devices.

use anser_client::{Device, Member, Message, User};
use jiff::tz::TimeZone;
use ratatui::{
    Frame,
    layout::Rect,
    style::Stylize as _,
    text::{Line, Span},
    widgets::{Block, Clear, Paragraph},
};

use super::{DIM, rows_of};
use crate::chat::{
    changes, command,
    input::cells,
    model::{Model, Overlay, display_name},
    time, wash,
};

pub fn draw(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let Some((title, rows)) = picture(model, area.width) else { return };
    let below = rows.len() > usize::from(area.height.saturating_sub(2)) + model.overlay_top;
    let close = if below { model.text.further_down() } else { model.text.close_overlay() };
    let block = Block::bordered().title(format!(" {title} ")).title_bottom(format!(" {close} "));
    let widest = rows.iter().map(Line::width).max().unwrap_or(0).max(cells(close) + 2);
    let width = rows_of(widest + 4).min(area.width);
    let height = rows_of(rows.len() + 2).min(area.height);
    let x = area.x + (area.width - width) / 2;
    let area = Rect { x, y: area.y + (area.height - height) / 2, width, height };
    frame.render_widget(Clear, area);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(1), ..inner };
    let shown: Vec<_> = rows.into_iter().skip(model.overlay_top).collect();
    frame.render_widget(Paragraph::new(shown), inner);
}

/// How many of its rows find no room.
pub fn overflow(model: &Model, columns: u16, rows: u16) -> usize {
    let all = picture(model, columns).map_or(0, |(_, rows)| rows.len());
    all.saturating_sub(usize::from(rows.saturating_sub(2)))
}

fn picture(model: &Model, columns: u16) -> Option<(String, Vec<Line<'static>>)> {
    match model.overlay.as_ref()? {
        Overlay::Help => {
            Some((model.text.help_title().to_owned(), help(model, usize::from(columns).saturating_sub(4))))
        }
        Overlay::Contacts { contacts, blocked } => {
            let text = model.text;
            let row = |user: &User, name: &str, state: &'static str| {
                let name = if name.is_empty() { display_name(user) } else { wash::line(name) };
                let account = Span::styled(format!("  {}", user.account), DIM);
                Line::from(vec![name.into(), account, Span::raw(format!("  {state}")).yellow()])
            };
            let contacts = contacts.iter().map(|one| row(&one.user, &one.remark, text.contact_state(one.state)));
            let blocked = blocked.iter().map(|one| row(&one.user, "", text.is_blocked()));
            let mut rows: Vec<_> = contacts.chain(blocked).collect();
            if rows.is_empty() {
                rows.push(Line::from(text.no_contacts()));
            }
            Some((text.contacts_title().to_owned(), rows))
        }
        Overlay::Devices(devices) => Some((
            model.text.devices_title().to_owned(),
            devices.iter().map(|device| device_row(model, device)).collect(),
        )),
        Overlay::Pins(pins) => {
            let mut rows: Vec<_> = pins.iter().map(|pin| pin_row(model, &pin.message)).collect();
            if rows.is_empty() {
                rows.push(Line::from(model.text.no_pins()));
            }
            Some((model.text.pins_title().to_owned(), rows))
        }
        Overlay::Members { title, members, more } => {
            let more = more.then(|| Line::styled(model.text.more_members(), DIM));
            Some((title.clone(), members.iter().map(|member| row_of(model, member)).chain(more).collect()))
        }
    }
}

fn help(model: &Model, columns: usize) -> Vec<Line<'static>> {
    let text = model.text;
    let commands = command::NAMES.map(|name| (text.usage(name), text.purpose(name)));
    let keys = text.keys();
    let widest = |side: fn(&(&'static str, &'static str)) -> &'static str| {
        commands.iter().chain(&keys).map(|row| cells(side(row))).max().unwrap_or(0)
    };
    let left = widest(|row| row.0) + 2;
    let beside = left + widest(|row| row.1) <= columns;
    let rows = |(usage, purpose): (&'static str, &'static str)| {
        let usage = Span::raw(usage).bold();
        let gap = left - usage.width();
        if beside {
            vec![Line::from(vec![usage, " ".repeat(gap).into(), purpose.into()])]
        } else {
            vec![usage.into(), Line::from(format!("  {purpose}"))]
        }
    };
    let said = [text.naming()].into_iter().flat_map(rows);
    let commands = commands.into_iter().flat_map(rows).chain(said);
    commands.chain([Line::default()]).chain(keys.into_iter().flat_map(rows)).collect()
}

/// As it is now.
fn pin_row(model: &Model, message: &Message) -> Line<'static> {
    let number = Span::styled(format!("#{}  ", message.server_msg_id), DIM);
    let mut name = wash::line(&message.from_nickname);
    if message.from_id == model.my_id() {
        name = model.text.you().to_owned();
    }
    let words = wash::line(&changes::words(model.text, message));
    Line::from(vec![number, Span::raw(name).bold(), Span::raw(format!("  {words}"))])
}

fn device_row(model: &Model, device: &Device) -> Line<'static> {
    let name = if device.name.is_empty() { String::new() } else { format!("{}  ", wash::line(&device.name)) };
    let day = time::day(&TimeZone::UTC, device.last_seen_ms);
    let state = model.text.device_state(device.current, device.connected);
    let id = Span::styled(device.device_id.clone(), DIM);
    Line::from(vec![name.into(), id, Span::raw(format!("  {day}  ")), Span::raw(state).yellow()])
}

fn row_of(model: &Model, member: &Member) -> Line<'static> {
    let user = &member.user;
    let role = model.text.role(member.role);
    let account = Span::styled(format!("  {}", user.account), DIM);
    let name = if member.nickname.is_empty() { display_name(user) } else { wash::line(&member.nickname) };
    Line::from(vec![name.into(), account, Span::raw(format!("  {role}")).yellow()])
}
