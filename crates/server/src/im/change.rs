//! Changes of a message that stands in its log: recall, edit, react, pin. Each is an entry of the log too, a silent one but for a pin; others are told the
//! message as it is now.

use std::collections::HashSet;

use anser_proto::{
    ClientMsgId, ConversationId, UserId,
    limits::{EMOJI_BYTES_MAX, EMOJIS_OF_A_USER_MAX},
    v1::{self, edit, message::Type, recall, server_frame::Body},
};
use anser_store::{Appended, Message, MessageChange, MessageType, NewMessage, PIN_NOTICE, Target, What};
use prost::Message as _;

use super::{
    Actor, check_named,
    deliver::{Audience, LogPosition, members_to_tell, publish},
    message::check_body,
    wire,
};
use crate::{ctx::Ctx, error::Error, event::Event, outbox::Wave};

/// Makes emojis of characters that may be text, and is left out: with it and without it they are the same.
const VARIATION_SELECTOR_16: char = '\u{fe0f}';

pub fn check_recall(actor: &Actor, recall: v1::Recall) -> Result<NewMessage, Error> {
    let target = match recall.target {
        Some(recall::Target::ServerMsgId(place)) => Target::Place(place),
        Some(recall::Target::OwnClientMsgId(id)) => Target::Own(own(&id)?),
        None => return Err(no_target()),
    };
    let change = MessageChange { target, what: What::Recall };
    entry(actor, &recall.conversation_id, &recall.client_msg_id, recall.client_time_ms, (Type::Recall.into(), change))
}

pub fn check_edit(actor: &Actor, edit: v1::Edit) -> Result<NewMessage, Error> {
    check_body(edit.content.len() + edit.attachment.len())?;
    let target = match edit.target {
        Some(edit::Target::ServerMsgId(place)) => Target::Place(place),
        Some(edit::Target::OwnClientMsgId(id)) => Target::Own(own(&id)?),
        None => return Err(no_target()),
    };
    let change = MessageChange { target, what: What::Edit { if_changed: edit.if_changed } };
    let (time, change) = (edit.client_time_ms, (Type::Edit.into(), change));
    let entry = entry(actor, &edit.conversation_id, &edit.client_msg_id, time, change)?;
    let mentions = wire::mentioned(edit.mentions)?;
    Ok(NewMessage { content: edit.content.into(), attachment: edit.attachment, mentions, ..entry })
}

pub fn check_react(actor: &Actor, react: v1::React) -> Result<NewMessage, Error> {
    let emojis = react.emojis.iter().map(|emoji| check_emoji(emoji)).collect::<Result<Vec<_>, _>>()?;
    check_named("emojis", emojis.len(), EMOJIS_OF_A_USER_MAX)?;
    if emojis.iter().collect::<HashSet<_>>().len() < emojis.len() {
        return Err(Error::bad_field("emojis names one of them twice"));
    }
    let change = MessageChange { target: Target::Place(react.server_msg_id), what: What::React };
    let (time, change) = (react.client_time_ms, (Type::Reaction.into(), change));
    let entry = entry(actor, &react.conversation_id, &react.client_msg_id, time, change)?;
    Ok(NewMessage { content: emojis.join(" ").into(), ..entry })
}

/// The notice is what its sender says, under an id of theirs.
pub fn check_pin(actor: &Actor, pin: v1::PinMessage) -> Result<NewMessage, Error> {
    let server_msg_id = wire::position(pin.server_msg_id);
    let change = MessageChange { target: Target::Place(server_msg_id), what: What::Pin };
    let (kind, operator_id) = (v1::notice::Kind::Pinned.into(), actor.user.0);
    let notice = v1::Notice { kind, operator_id, server_msg_id, ..v1::Notice::default() };
    let (time, change) = (pin.client_time_ms, (PIN_NOTICE, change));
    let entry = entry(actor, &pin.conversation_id, &pin.client_msg_id, time, change)?;
    Ok(NewMessage { attachment: notice.encode_to_vec().into(), ..entry })
}

pub fn check_unpin(actor: &Actor, unpin: v1::UnpinMessage) -> Result<NewMessage, Error> {
    let change = MessageChange { target: Target::Place(unpin.server_msg_id), what: What::Unpin };
    let (time, change) = (unpin.client_time_ms, (Type::Unpin.into(), change));
    entry(actor, &unpin.conversation_id, &unpin.client_msg_id, time, change)
}

fn check_emoji(emoji: &str) -> Result<String, Error> {
    let plain = emoji.replace(VARIATION_SELECTOR_16, "");
    let is_bad = |char: char| char.is_whitespace() || char.is_control();
    if plain.is_empty() || emoji.len() > EMOJI_BYTES_MAX || emoji.contains(is_bad) {
        let message = format!("emojis has {emoji:?}: each is 1 to {EMOJI_BYTES_MAX} bytes without blanks");
        return Err(Error::bad_field(message));
    }
    Ok(plain)
}

fn own(client_msg_id: &str) -> Result<ClientMsgId, Error> {
    Ok(client_msg_id.parse()?)
}

fn no_target() -> Error {
    Error::bad_field("no message is named: set server_msg_id, or own_client_msg_id")
}

fn entry(
    actor: &Actor,
    conversation_id: &str,
    client_msg_id: &str,
    client_time_ms: u64,
    (kind, change): (MessageType, MessageChange),
) -> Result<NewMessage, Error> {
    Ok(NewMessage {
        conversation: wire::conversation_of(conversation_id, actor.user)?,
        from: actor.sender(),
        client_msg_id: client_msg_id.parse()?,
        kind,
        content: "".into(),
        attachment: Default::default(),
        client_time_ms: wire::position(client_time_ms),
        counted: false,
        reply_to: 0,
        mentions: Default::default(),
        change: Some(change),
        login_version: actor.login_version(),
    })
}

/// Tells all devices of the parties, or of the members, the one that asked for it too: its answer says no more than the place. `entry` is the
/// place of the entry that `sender` made, `shown` the entry itself if it is no silent one, `target` the message as it is now.
pub async fn tell(
    cx: &Ctx,
    wave: &mut Wave,
    sender: UserId,
    entry: &Appended,
    shown: Option<v1::Message>,
    target: &Message,
) {
    let (conversation, place) = (target.conversation, entry.server_msg_id);
    let event = |changed: Vec<v1::Message>, mailbox_seq| match &shown {
        Some(message) => {
            Event::new(Body::Message(v1::MessageEvent { message: Some(message.clone()), mailbox_seq, changed }))
        }
        None => {
            let conversation_id = conversation.to_string();
            let (after, nicknames) = (place - 1, Vec::new());
            let changed =
                v1::MessagesChanged { conversation_id, after, through: place, changed, mailbox_seq, nicknames };
            Event::new(Body::MessagesChanged(changed))
        }
    };
    match conversation {
        ConversationId::Single { .. } => {
            let peer = conversation.peer_of(sender).filter(|peer| *peer != sender);
            let parties = [(Some(sender), entry.sender_mailbox_seq), (peer, entry.receiver_mailbox_seq)];
            for (user, mailbox_seq) in parties {
                let Some(user) = user.filter(|user| cx.peers.in_cluster || cx.hub.has_other(*user, None)) else {
                    continue;
                };
                let event = event(vec![wire::message(target)], mailbox_seq);
                publish(cx, wave, Audience::Users(&[user]), &event, None).await;
            }
        }
        ConversationId::Group(group) => {
            let members_version = entry.members_version;
            let Some(members) = members_to_tell(cx, wave, group, members_version).await else { return };
            let seen = LogPosition { group, members_version, server_msg_id: target.server_msg_id, behind: 0 };
            let whole = event(vec![wire::message(target)], 0);
            publish(cx, wave, Audience::Members(seen, &members), &whole, None).await;
            // Who joined behind it is told that there was something, and not what.
            let unseen = LogPosition { server_msg_id: place, behind: target.server_msg_id, ..seen };
            if unseen.entitled(&members).next().is_some() {
                publish(cx, wave, Audience::Members(unseen, &members), &event(Vec::new(), 0), None).await;
            }
        }
    }
}
