//! What a command of the person does.

use anser_client::{GroupUpdate, Message, Status};
use anser_proto::{ConversationId, GroupId, ids::check_ascii_id};

use super::{
    changes,
    command::Command,
    model::{Model, Overlay, Tick, Wish},
    timeline::Timeline,
    update::{Effect, MembersAct, OwnAct, PeopleAct, complain, say},
    wash,
};

pub fn obey(model: &mut Model, command: Command, effects: &mut Vec<Effect>) {
    match command {
        Command::To(word) => go_to(model, Wish::parse(&word)),
        Command::Change(change) => changes::change(model, change, effects),
        Command::Hide(number) => hide(model, number, effects),
        Command::WhoRead(number) => who_read(model, number, effects),
        Command::Pins => match model.open_id() {
            Some(conversation) => effects.push(Effect::ListPins(conversation)),
            None => complain(model, model.text.nowhere_to_send()),
        },
        Command::Top(top) => on_session(model, effects, |_| OwnAct::Top(top)),
        Command::Snooze(minutes) => {
            let until_ms = later(model, minutes);
            on_session(model, effects, |_| OwnAct::Snooze(until_ms));
        }
        Command::MarkUnread => on_session(model, effects, |_| OwnAct::MarkUnread),
        Command::Clear => on_session(model, effects, OwnAct::Clear),
        Command::Close => on_session(model, effects, OwnAct::Close),
        Command::Group { name, accounts } => effects.push(Effect::CreateGroup { name, accounts }),
        Command::Invite(accounts) => on_members(model, effects, accounts, MembersAct::Invite),
        Command::Remove(accounts) => on_members(model, effects, accounts, MembersAct::Remove),
        Command::Promote(accounts) => on_members(model, effects, accounts, MembersAct::Promote),
        Command::Demote(accounts) => on_members(model, effects, accounts, MembersAct::Demote),
        Command::Transfer(account) => on_members(model, effects, vec![account], MembersAct::Transfer),
        Command::Rename(name) => change_group(model, effects, |update| update.name = Some(name)),
        Command::Announce(Some(text)) => change_group(model, effects, |update| update.announcement = Some(text)),
        Command::Announce(None) => show_announcement(model),
        Command::Mute { minutes, accounts } => {
            let until_ms = later(model, minutes);
            on_members(model, effects, accounts, MembersAct::Mute(until_ms));
        }
        Command::MuteAll(quiet) => change_group(model, effects, |update| update.mute_all = Some(quiet)),
        Command::Entry(entry) => in_group(model, effects, |group| Effect::Enter { group, entry }),
        Command::Join { token, text } => effects.push(Effect::Join { token, text }),
        Command::Dissolve => in_group(model, effects, Effect::Dissolve),
        Command::Leave => in_group(model, effects, Effect::Leave),
        Command::Members => in_group(model, effects, Effect::ListMembers),
        Command::Contacts => effects.push(Effect::ListContacts),
        Command::Add { account, text } => effects.push(Effect::People { account, act: PeopleAct::Add(text) }),
        Command::Drop(account) => effects.push(Effect::People { account, act: PeopleAct::Drop }),
        Command::Block(account) => effects.push(Effect::People { account, act: PeopleAct::Block }),
        Command::Unblock(account) => effects.push(Effect::People { account, act: PeopleAct::Unblock }),
        Command::Devices => effects.push(Effect::ListDevices),
        Command::Revoke(device) => effects.push(Effect::Revoke(device)),
        Command::Nick(nickname) => effects.push(Effect::Rename(nickname)),
        Command::About(signature) => effects.push(Effect::Sign(signature)),
        Command::Whois(account) => effects.push(Effect::Show(account)),
        Command::Retry => retry(model, effects),
        Command::Discard => discard(model, effects),
        Command::Help => model.overlay = Some(Overlay::Help),
        Command::Quit => effects.push(Effect::Quit),
    }
}

fn go_to(model: &mut Model, wish: Wish) {
    if let Wish::Account(account) = &wish {
        if check_ascii_id("account", account).is_err() {
            return complain(model, model.text.no_account(account));
        }
        if !model.is_online() && model.conversation_with(account).is_none() {
            say(model, model.text.will_open(account));
        }
    }
    model.wish = Some(wish);
}

/// In so many minutes; 0 for none.
fn later(model: &Model, minutes: u64) -> u64 {
    if minutes == 0 { 0 } else { model.now_ms.saturating_add(minutes.saturating_mul(60_000)) }
}

/// What `act` makes of the last message that is here.
fn on_session(model: &mut Model, effects: &mut Vec<Effect>, act: impl FnOnce(u64) -> OwnAct) {
    match model.open_id().and_then(|open| model.sessions.get(&open)).filter(|session| session.head > 0) {
        Some(session) => effects.push(Effect::Own { conversation: session.conversation_id, act: act(session.head) }),
        None => complain(model, model.text.nothing_here()),
    }
}

fn hide(model: &mut Model, number: Option<u64>, effects: &mut Vec<Effect>) {
    let shown = |timeline: &Timeline| match number {
        Some(number) => timeline.messages.contains_key(&number).then_some(number),
        None => timeline.last(),
    };
    match model.open.as_ref().and_then(|timeline| Some((timeline.conversation, shown(timeline)?))) {
        Some((conversation, id)) => effects.push(Effect::Own { conversation, act: OwnAct::Hide(id) }),
        None => complain(model, model.text.no_such_message(number)),
    }
}

fn who_read(model: &mut Model, number: Option<u64>, effects: &mut Vec<Effect>) {
    let me = model.my_id();
    let own = |timeline: &Timeline| {
        let is_own = |message: &&std::sync::Arc<Message>| message.from_id == me && message.notice.is_none();
        timeline.messages.values().rev().find(is_own).map(|message| message.server_msg_id)
    };
    match model.open.as_ref().and_then(|timeline| number.or_else(|| own(timeline))) {
        Some(id) => in_group(model, effects, |group| Effect::WhoRead { group, id }),
        None => complain(model, model.text.no_such_message(None)),
    }
}

fn in_group(model: &mut Model, effects: &mut Vec<Effect>, effect: impl FnOnce(GroupId) -> Effect) {
    match model.open_id() {
        Some(ConversationId::Group(group)) => effects.push(effect(group)),
        _ => complain(model, model.text.only_in_group()),
    }
}

fn on_members(model: &mut Model, effects: &mut Vec<Effect>, accounts: Vec<String>, act: MembersAct) {
    in_group(model, effects, |group| Effect::Members { group, accounts, act });
}

fn change_group(model: &mut Model, effects: &mut Vec<Effect>, name: impl FnOnce(&mut GroupUpdate)) {
    let mut update = GroupUpdate::default();
    name(&mut update);
    in_group(model, effects, |group| Effect::ChangeGroup { group, update });
}

fn show_announcement(model: &mut Model) {
    let session = model.open_id().and_then(|open| model.sessions.get(&open));
    match session.and_then(|session| session.group.as_ref()).map(|group| wash::line(&group.announcement)) {
        Some(text) if text.is_empty() => say(model, model.text.nothing_announced()),
        Some(text) => say(model, text),
        None => complain(model, model.text.only_in_group()),
    }
}

/// Once more, with the same id: what was stored after all is not stored again.
fn retry(model: &mut Model, effects: &mut Vec<Effect>) {
    let Some(open) = model.open_id() else { return };
    let mut tried = 0;
    for outgoing in &mut model.outgoing {
        if outgoing.conversation == open && outgoing.tick() == Tick::Failed {
            outgoing.status = Status::Queued;
            let (client_msg_id, content) = (outgoing.client_msg_id.clone(), outgoing.content.clone());
            let reply_to = outgoing.reply_to;
            effects.push(Effect::Send { conversation: open, client_msg_id, content, reply_to });
            tried += 1;
        }
    }
    if tried == 0 {
        say(model, model.text.nothing_failed());
    }
}

fn discard(model: &mut Model, effects: &mut Vec<Effect>) {
    let Some(open) = model.open_id() else { return };
    let (failed, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut model.outgoing)
        .into_iter()
        .partition(|outgoing| outgoing.conversation == open && outgoing.tick() == Tick::Failed);
    model.outgoing = rest;
    if failed.is_empty() {
        say(model, model.text.nothing_failed());
    }
    let forgotten = failed
        .into_iter()
        .map(|outgoing| Effect::Discard { conversation: open, client_msg_id: outgoing.client_msg_id });
    effects.extend(forgotten);
}
