//! What the connection tells: each event of the SDK and what it changes.

use std::sync::Arc;

use anser_client::{ConversationId, Event, Message, State, Status, UserId};

use super::{
    changes,
    model::{Model, Outgoing, display_name},
    timeline::{Older, Timeline, Unread},
    update::{Effect, complain, read_group},
};

/// Typing is told about once a second while it lasts.
const TYPING_MS: u64 = 3_000;

pub fn receive(model: &mut Model, event: Event, effects: &mut Vec<Effect>) {
    match event {
        Event::State(state) => change_state(model, state, effects),
        Event::Message(message) => take_message(model, message, effects),
        Event::Changed(message) => {
            let timeline = model.open.as_mut().filter(|timeline| timeline.conversation == message.conversation_id);
            timeline.into_iter().for_each(|timeline| timeline.change_message(message.clone()));
        }
        Event::Reset(conversation) if model.open_id() == Some(conversation) => read_anew(model, effects),
        Event::Hidden { conversation, server_msg_id } => {
            let timeline = model.open.as_mut().filter(|timeline| timeline.conversation == conversation);
            timeline.into_iter().for_each(|timeline| timeline.hide_message(server_msg_id));
        }
        Event::Status { conversation, client_msg_id, status }
            if !changes::follow(model, conversation, &client_msg_id, &status, effects) =>
        {
            change_status(model, conversation, client_msg_id.as_str(), status);
        }
        Event::Session(session) => model.take_session(session),
        Event::Forgotten => {
            model.sessions.clear();
            read_anew(model, effects);
        }
        Event::People => effects.push(Effect::ReadRequests),
        Event::Profile(user) => model.me = Some(user),
        Event::ContactProfile(user) => {
            model.nicknames.insert(user.user_id, display_name(&user));
        }
        Event::Typing { conversation, user } => {
            model.typing.insert((conversation, user), model.now_ms + TYPING_MS);
            look_up(model, &[user], effects);
        }
        Event::Lagged(_) => {
            effects.extend([Effect::ReadSessions, Effect::ReadUnsent]);
            read_anew(model, effects);
        }
        // Of another conversation, or newer than this chat.
        _ => {}
    }
}

/// Asks for the names of those whom the notices of these messages speak of.
pub fn look_up_named(model: &mut Model, messages: &[Arc<Message>], effects: &mut Vec<Effect>) {
    let notices = messages.iter().filter_map(|message| message.notice.as_ref());
    let named: Vec<UserId> =
        notices.flat_map(|notice| notice.user_ids.iter().copied().chain([notice.operator_id])).collect();
    look_up(model, &named, effects);
}

fn look_up(model: &mut Model, users: &[UserId], effects: &mut Vec<Effect>) {
    let me = model.my_id();
    let strangers: Vec<UserId> = users
        .iter()
        .copied()
        .filter(|user| *user != me && !model.nicknames.contains_key(user) && model.asked.insert(*user))
        .collect();
    effects.extend(strangers.chunks(200).map(|some| Effect::LookUp(some.to_vec())));
}

fn change_state(model: &mut Model, state: State, effects: &mut Vec<Effect>) {
    model.link = state;
    if model.link == State::CaughtUp {
        if model.is_new_here() {
            model.began_ms = u64::MAX;
            let words = model.text.new_here(&model.account);
            complain(model, words);
        }
        // What could not be had before may be had now.
        model.asked.clear();
        if model.open.as_ref().is_some_and(|timeline| timeline.older == Older::Missing) {
            read_anew(model, effects);
        }
        read_group(model, effects);
    }
}

fn read_anew(model: &mut Model, effects: &mut Vec<Effect>) {
    let Some(timeline) = &mut model.open else { return };
    let conversation = timeline.conversation;
    let read_mark = model.sessions.get(&conversation).map_or(0, |session| session.read_mark);
    *timeline = Timeline::new(conversation, read_mark.max(timeline.marked));
    effects.push(Effect::ReadHistory { conversation, before: None });
}

fn take_message(model: &mut Model, message: Arc<Message>, effects: &mut Vec<Effect>) {
    let conversation = message.conversation_id;
    let me = model.my_id();
    let mine = message.from_id == me;
    if mine {
        model.outgoing.retain(|outgoing| outgoing.client_msg_id.as_str() != message.client_msg_id);
    }
    model.typing.remove(&(conversation, message.from_id));
    model.learn_name(message.from_id, &message.from_nickname);
    if model.open_id() != Some(conversation) {
        return;
    }
    look_up_named(model, std::slice::from_ref(&message), effects);
    if message.notice.is_some() {
        read_group(model, effects);
    }
    let looking = model.looking;
    let Some(timeline) = &mut model.open else { return };
    let unread = Unread { read_mark: timeline.marked, me }.counts(&message);
    let unseen = unread && (timeline.scroll > 0 || !looking);
    if unseen {
        timeline.unread_from.get_or_insert(message.server_msg_id);
        timeline.new_below += usize::from(timeline.scroll > 0);
    }
    timeline.take_message(message);
}

/// A message is shown from the log as soon as it is there, until then from the queue.
fn change_status(model: &mut Model, conversation: ConversationId, client_msg_id: &str, status: Status) {
    let is_meant =
        |outgoing: &Outgoing| outgoing.conversation == conversation && outgoing.client_msg_id.as_str() == client_msg_id;
    let Some(at) = model.outgoing.iter().position(is_meant) else { return };
    let stored = matches!(status, Status::Sent(_) | Status::Delivered(_) | Status::Read(_));
    let timeline = model.open.as_ref().filter(|timeline| timeline.conversation == conversation);
    if stored && timeline.is_none_or(|timeline| timeline.has_client_msg_id(client_msg_id)) {
        model.outgoing.remove(at);
        return;
    }
    if let Status::Failed(error) = &status {
        let words = model.text.failed_in(&model.title(conversation), &model.text.refusal(error));
        complain(model, words);
    }
    model.outgoing[at].status = status;
}
