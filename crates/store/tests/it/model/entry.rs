//! Entries of a log, and who writes them.

use anser_proto::{ConversationId, UserId, v1};
use anser_store::{Mentions, MessageChange, NewMessage, PIN_NOTICE, Sender, What};

/// A body, and whom it names.
pub(super) type Words = (&'static str, Mentions);

/// Where to, `client_msg_id`, body, counted.
pub(super) type Entry = (ConversationId, &'static str, Words, bool);

pub(super) fn change_of(
    user: UserId,
    conversation: ConversationId,
    id: &str,
    change: MessageChange,
    (becomes, mentions): Words,
) -> NewMessage {
    let kind = match change.what {
        What::Recall => v1::message::Type::Recall.into(),
        What::Edit { .. } => v1::message::Type::Edit.into(),
        What::React => v1::message::Type::Reaction.into(),
        What::Pin => PIN_NOTICE,
        What::Unpin => v1::message::Type::Unpin.into(),
    };
    let mentions = if matches!(change.what, What::Edit { .. }) { mentions } else { Mentions::default() };
    let words = (becomes, mentions);
    NewMessage { kind, change: Some(change), ..message(user, conversation, id, words, false) }
}

pub(super) fn sender(user: UserId) -> Sender {
    Sender { user, nickname: "as sent".into(), platform: 2, device_id: "device".into() }
}

pub(super) fn message(
    from: UserId,
    conversation: ConversationId,
    id: &str,
    (body, mentions): Words,
    counted: bool,
) -> NewMessage {
    NewMessage {
        conversation,
        from: sender(from),
        client_msg_id: id.parse().expect("the model uses good ids"),
        kind: v1::message::Type::Text.into(),
        content: body.into(),
        attachment: body.into(),
        client_time_ms: 5,
        counted,
        reply_to: 0,
        mentions,
        change: None,
        login_version: 0,
    }
}
