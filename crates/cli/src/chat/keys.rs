//! What a key does. Keys, pastes and the terminal's size enter; the model changes.

use anser_client::Attention;
use anser_proto::limits::BODY_BYTES_MAX;
use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::{
    command::{self, message_of},
    input::Motion,
    model::{Focus, Model, Outgoing, Overlay},
    obey::obey,
    update::{Effect, complain, open},
    view,
};

/// Typing is passed on at most so often.
const TYPING_EVERY_MS: u64 = 1_500;

pub fn press(model: &mut Model, event: Event, effects: &mut Vec<Effect>) {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => press_key(model, key, effects),
        Event::Paste(text) => {
            model.focus = Focus::Input;
            model.input.insert(&text);
            tell_typing(model, effects);
        }
        Event::Resize(columns, rows) => model.size = (columns, rows),
        Event::FocusGained => {
            model.looking = true;
            effects.push(Effect::Attend(Attention::Foreground));
        }
        Event::FocusLost => {
            model.looking = false;
            effects.push(Effect::Attend(Attention::Background));
        }
        Event::Key(_) | Event::Mouse(_) => {}
    }
}

fn press_key(model: &mut Model, key: KeyEvent, effects: &mut Vec<Effect>) {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    let alt = key.modifiers.contains(KeyModifiers::ALT);
    match key.code {
        KeyCode::Char('c' | 'q') if control => effects.push(Effect::Quit),
        KeyCode::F(1) => {
            model.overlay = if model.overlay.is_some() { None } else { Some(Overlay::Help) };
        }
        KeyCode::Down if model.overlay.is_some() => model.overlay_top += 1,
        KeyCode::Up if model.overlay.is_some() => model.overlay_top = model.overlay_top.saturating_sub(1),
        // An overlay takes any other key, and goes.
        _ if model.overlay.is_some() => model.overlay = None,
        KeyCode::Up if alt => step(model, Step::Up, effects),
        KeyCode::Down if alt => step(model, Step::Down, effects),
        KeyCode::PageUp => scroll(model, Scroll::Page(Step::Up)),
        KeyCode::PageDown => scroll(model, Scroll::Page(Step::Down)),
        KeyCode::Home if control => scroll(model, Scroll::Oldest),
        KeyCode::End if control => scroll(model, Scroll::Newest),
        KeyCode::Tab | KeyCode::BackTab => {
            model.focus = if model.focus == Focus::List { Focus::Input } else { Focus::List };
        }
        KeyCode::Esc => escape(model),
        _ if model.focus == Focus::List => press_in_list(model, key, effects),
        _ => press_in_input(model, key, effects),
    }
}

/// Back by one step: from further up to the newest, from the input to the list, from the list to the input.
fn escape(model: &mut Model) {
    let scrolled = model.open.as_ref().is_some_and(|timeline| timeline.scroll > 0);
    match model.focus {
        Focus::Input if scrolled => scroll(model, Scroll::Newest),
        Focus::Input => model.focus = Focus::List,
        Focus::List if model.open.is_some() => model.focus = Focus::Input,
        Focus::List => {}
    }
}

fn press_in_list(model: &mut Model, key: KeyEvent, effects: &mut Vec<Effect>) {
    match key.code {
        KeyCode::Up => select(model, Step::Up),
        KeyCode::Down => select(model, Step::Down),
        KeyCode::Home => model.selected = model.list().first().map(|(id, _)| *id),
        KeyCode::End => model.selected = model.list().last().map(|(id, _)| *id),
        KeyCode::Enter | KeyCode::Right => {
            if let Some(conversation) = model.selected_or_first() {
                open(model, conversation, effects);
            }
        }
        KeyCode::Char('?') => model.overlay = Some(Overlay::Help),
        // Who types means to write.
        KeyCode::Char(_) if !key.modifiers.contains(KeyModifiers::CONTROL) => {
            model.focus = Focus::Input;
            press_in_input(model, key, effects);
        }
        _ => {}
    }
}

fn press_in_input(model: &mut Model, key: KeyEvent, effects: &mut Vec<Effect>) {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    let alt = key.modifiers.contains(KeyModifiers::ALT);
    let input = &mut model.input;
    match key.code {
        KeyCode::Enter if alt || key.modifiers.contains(KeyModifiers::SHIFT) => input.insert("\n"),
        KeyCode::Char('j') if control => input.insert("\n"),
        KeyCode::Enter => enter(model, effects),
        KeyCode::Left if control || alt => input.go(Motion::WordLeft),
        KeyCode::Right if control || alt => input.go(Motion::WordRight),
        KeyCode::Left => input.go(Motion::Left),
        KeyCode::Right => input.go(Motion::Right),
        KeyCode::Up if !input.up() => scroll(model, Scroll::Row(Step::Up)),
        KeyCode::Down if !input.down() => scroll(model, Scroll::Row(Step::Down)),
        KeyCode::Home if input.is_empty() => scroll(model, Scroll::Oldest),
        KeyCode::End if input.is_empty() => scroll(model, Scroll::Newest),
        KeyCode::Home => input.go(Motion::LineStart),
        KeyCode::End => input.go(Motion::LineEnd),
        KeyCode::Char('a') if control => input.go(Motion::LineStart),
        KeyCode::Char('e') if control => input.go(Motion::LineEnd),
        KeyCode::Char('w') if control => input.delete(Motion::WordLeft),
        KeyCode::Char('u') if control => input.delete(Motion::LineStart),
        KeyCode::Char('k') if control => input.delete(Motion::LineEnd),
        KeyCode::Backspace if control || alt => input.delete(Motion::WordLeft),
        KeyCode::Backspace => input.delete(Motion::Left),
        KeyCode::Delete => input.delete(Motion::Right),
        KeyCode::Char(char) if !control && !alt => {
            input.insert(char.encode_utf8(&mut [0; 4]));
            tell_typing(model, effects);
        }
        _ => {}
    }
}

fn enter(model: &mut Model, effects: &mut Vec<Effect>) {
    let line = model.input.text().trim_end();
    if line.trim().is_empty() {
        return;
    }
    // What was said about the line before is old now.
    model.note = None;
    if let Some(parsed) = command::parse(line) {
        match parsed {
            Ok(command) => {
                model.input.take();
                obey(model, command, effects);
            }
            // The line stays, so that it can be fixed.
            Err(wrong) => complain(model, model.text.wrong(&wrong)),
        }
        return;
    }
    let content = message_of(line).to_owned();
    if content.len() > BODY_BYTES_MAX {
        complain(model, model.text.too_long(content.len(), BODY_BYTES_MAX));
        return;
    }
    if model.open.is_none() {
        complain(model, model.text.nowhere_to_send());
        return;
    }
    model.input.take();
    send(model, content, None, effects);
}

/// Sends it into the conversation that is open, if one is, in answer to the message with this number.
pub fn send(model: &mut Model, content: String, reply_to: Option<u64>, effects: &mut Vec<Effect>) {
    let Some(timeline) = &mut model.open else { return };
    (timeline.scroll, timeline.new_below, timeline.unread_from) = (0, 0, None);
    let conversation = timeline.conversation;
    let client_msg_id = (model.next_id)();
    model.outgoing.push(Outgoing {
        conversation,
        client_msg_id: client_msg_id.clone(),
        content: content.clone(),
        reply_to,
        client_time_ms: model.now_ms,
        status: anser_client::Status::Queued,
    });
    effects.push(Effect::Send { conversation, client_msg_id, content, reply_to });
}

/// Commands are not for the other one.
fn tell_typing(model: &mut Model, effects: &mut Vec<Effect>) {
    let due = model.now_ms >= model.typing_told_ms + TYPING_EVERY_MS;
    if let Some(conversation) = model.open_id().filter(|_| due && !model.input.text().starts_with('/')) {
        model.typing_told_ms = model.now_ms;
        effects.push(Effect::Type(conversation));
    }
}

#[derive(Clone, Copy)]
enum Step {
    Up,
    Down,
}

enum Scroll {
    Row(Step),
    Page(Step),
    Oldest,
    Newest,
}

fn select(model: &mut Model, step: Step) {
    let list: Vec<_> = model.list().into_iter().map(|(id, _)| id).collect();
    let at = list.iter().position(|id| model.selected_or_first() == Some(*id)).unwrap_or(0);
    let next = match step {
        Step::Up => at.saturating_sub(1),
        Step::Down => (at + 1).min(list.len().saturating_sub(1)),
    };
    model.selected = list.get(next).copied();
}

/// To the conversation above or below the present one, without the way over the list.
fn step(model: &mut Model, step: Step, effects: &mut Vec<Effect>) {
    if model.open.is_some() {
        model.selected = model.open_id();
        select(model, step);
    }
    if let Some(conversation) = model.selected_or_first() {
        open(model, conversation, effects);
    }
}

/// A place beyond the ends is drawn back when the update settles.
fn scroll(model: &mut Model, scroll: Scroll) {
    let height = view::messages_height(model);
    let Some(timeline) = &mut model.open else { return };
    let page = height.saturating_sub(2).max(1);
    timeline.scroll = match scroll {
        Scroll::Row(Step::Up) => timeline.scroll + 1,
        Scroll::Row(Step::Down) => timeline.scroll.saturating_sub(1),
        Scroll::Page(Step::Up) => timeline.scroll + page,
        Scroll::Page(Step::Down) => timeline.scroll.saturating_sub(page),
        Scroll::Oldest => usize::MAX / 2,
        Scroll::Newest => 0,
    };
}
