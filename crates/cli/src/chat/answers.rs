//! What came of effects: pages of history, people found, groups made, and what went wrong.

use std::sync::Arc;

use anser_client::{
    Act, ClientMsgId, ConversationId, Error, Group, History, JoinRequest, Queued, Readers, User, UserId,
};

use super::{
    changes,
    model::{Asked, Model, Outgoing, Overlay, Wish, display_name},
    received::look_up_named,
    timeline::Older,
    update::{Answer, Deed, Effect, complain, open, read_group, say},
    wash,
};

pub fn take(model: &mut Model, answer: Answer, effects: &mut Vec<Effect>) {
    match answer {
        Answer::Sessions(sessions) => {
            // One that was opened before anything was said in it is known here alone.
            model.sessions.retain(|_, session| session.head == 0);
            sessions.into_iter().for_each(|session| model.take_session(Arc::new(session)));
        }
        Answer::Unsent(unsent) => {
            let is_message = |queued: &Queued| matches!(queued.act, Act::Send(_));
            let (messages, changes): (Vec<_>, Vec<_>) = unsent.into_iter().partition(is_message);
            model.outgoing = messages.into_iter().filter_map(Outgoing::of).collect();
            changes.iter().for_each(|queued| changes::take_unsent(model, queued, effects));
        }
        Answer::History { conversation, page } => take_history(model, conversation, page, effects),
        Answer::Found { account, user } => meet(model, account, user, effects),
        Answer::Users(users) => {
            for user in users {
                model.nicknames.insert(user.user_id, display_name(&user));
            }
        }
        Answer::NotSent { client_msg_id, error } => give_back(model, &client_msg_id, &error),
        Answer::GroupMade(group) => {
            let conversation = ConversationId::Group(group.group_id);
            model.list_new(conversation, None, Some(*group));
            open(model, conversation, effects);
        }
        Answer::Group(group) => take_group(model, group, effects),
        Answer::Members { group, members } => {
            let title = model.title(ConversationId::Group(group));
            model.overlay = Some(Overlay::Members { title, members: members.members, more: members.more });
        }
        Answer::Pins(pins) => model.overlay = Some(Overlay::Pins(pins)),
        Answer::Devices(devices) => model.overlay = Some(Overlay::Devices(devices)),
        Answer::NoDevice(begins) => complain(model, model.text.no_device(&wash::line(&begins))),
        Answer::Contacts { contacts, blocked } => model.overlay = Some(Overlay::Contacts { contacts, blocked }),
        Answer::Readers { id, readers, names } => {
            for user in names {
                model.nicknames.entry(user.user_id).or_insert_with(|| display_name(&user));
            }
            match readers {
                Some(Readers { read, unread, .. }) => {
                    let named = |users: Vec<UserId>| users.into_iter().map(|user| model.nickname(user)).collect();
                    let words = model.text.who_read(id, named(read), named(unread));
                    say(model, words);
                }
                None => complain(model, model.text.not_told_who_read()),
            }
        }
        Answer::Waiting(waiting) => {
            let named = |request: &JoinRequest| format!("{} ({})", display_name(&request.user), request.user.account);
            let named: Vec<_> = waiting.requests.iter().map(named).collect();
            say(model, model.text.who_waits(&wash::line(&named.join(", "))));
        }
        Answer::Requests(users) => take_requests(model, users),
        Answer::Done(deed) => done(model, deed),
        Answer::Nobody(accounts) => complain(model, model.text.nobody_is(&accounts.join(", "))),
        Answer::Failed(error) => complain(model, model.text.error(&error)),
    }
}

fn done(model: &mut Model, deed: Deed) {
    match deed {
        Deed::Invited => say(model, model.text.invited()),
        Deed::Removed => say(model, model.text.removed()),
        Deed::Told => {}
        Deed::Left => say(model, model.text.left()),
        Deed::Asked => say(model, model.text.asked()),
        Deed::Dropped => say(model, model.text.dropped()),
        Deed::Blocked => say(model, model.text.blocked()),
        Deed::Revoked => say(model, model.text.revoked()),
        Deed::Unblocked => say(model, model.text.unblocked()),
        Deed::Banned => say(model, model.text.banned()),
        Deed::Unbanned => say(model, model.text.unbanned()),
        Deed::Answered => say(model, model.text.answered()),
        Deed::Linked(token) => say(model, model.text.linked(&token)),
        Deed::Unlinked => say(model, model.text.unlinked()),
        Deed::Waits => say(model, model.text.waits()),
        Deed::Own(act) => say(model, model.text.own(act)),
        Deed::Signed => say(model, model.text.signed()),
        Deed::Shown(user) => {
            let [nickname, account, signature] =
                [&user.nickname, &user.account, &user.signature].map(|text| wash::line(text));
            say(model, model.text.shown(&nickname, &account, &signature));
        }
        Deed::Renamed(nickname) => say(model, model.text.renamed(&wash::line(&nickname))),
    }
}

fn take_history(
    model: &mut Model,
    conversation: ConversationId,
    page: Result<History, Error>,
    effects: &mut Vec<Effect>,
) {
    let me = model.my_id();
    let Some(timeline) = model.open.as_mut().filter(|timeline| timeline.conversation == conversation) else { return };
    match page {
        Ok(page) => {
            let messages = page.messages.clone();
            timeline.take_page(page, me);
            for message in &messages {
                model.learn_name(message.from_id, &message.from_nickname);
            }
            look_up_named(model, &messages, effects);
        }
        Err(Error::Offline | Error::Lost | Error::Busy) => timeline.older = Older::Missing,
        // Nothing was said in it yet, and the server knows no such log.
        Err(_) if timeline.messages.is_empty() => {
            timeline.take_page(History::default(), me);
        }
        Err(error) => {
            timeline.older = Older::Missing;
            complain(model, model.text.error(&error));
        }
    }
}

/// Says who is new among those who ask.
fn take_requests(model: &mut Model, users: Vec<User>) {
    let known = std::mem::take(&mut model.requests);
    model.requests = users.iter().map(|user| user.user_id).collect();
    if let Some(user) = users.into_iter().rfind(|user| !known.contains(&user.user_id)) {
        say(model, model.text.asks(&wash::line(&display_name(&user)), &user.account));
    }
}

fn take_group(model: &mut Model, group: Option<Box<Group>>, effects: &mut Vec<Effect>) {
    if let Some(group) = group
        && let Some(session) = model.sessions.get_mut(&ConversationId::Group(group.group_id))
    {
        Arc::make_mut(session).group = Some(*group);
    }
    if std::mem::replace(&mut model.group_asked, Asked::No) == Asked::Again {
        read_group(model, effects);
    }
}

fn meet(model: &mut Model, account: String, user: Result<Option<User>, Error>, effects: &mut Vec<Effect>) {
    match user {
        Ok(Some(peer)) => {
            let conversation = ConversationId::single(model.my_id(), peer.user_id);
            model.list_new(conversation, Some(peer), None);
            open(model, conversation, effects);
        }
        Ok(None) => complain(model, model.text.nobody_is(&account)),
        Err(Error::Offline | Error::Lost | Error::Busy) => model.wish = Some(Wish::Account(account)),
        Err(error) => complain(model, model.text.error(&error)),
    }
}

/// What could not even be queued goes back into the input, if nothing else stands there by now.
fn give_back(model: &mut Model, client_msg_id: &ClientMsgId, error: &Error) {
    let Some(at) = model.outgoing.iter().position(|outgoing| outgoing.client_msg_id == *client_msg_id) else { return };
    let outgoing = model.outgoing.remove(at);
    if model.input.is_empty() && model.open_id() == Some(outgoing.conversation) {
        model.input.insert(&outgoing.content);
    }
    complain(model, model.text.error(error));
}
