//! Messages that a node asks another one to append, and what came of each, as an envelope bears them.

use anser_proto::{
    UserId,
    cluster::v1,
    limits::{EDITS_MAX, EMOJIS_MAX},
};
use anser_store::{
    Appended, EDITS_OF_A_MESSAGE, EMOJIS_OF_A_MESSAGE, Error, Failure, Mentions, MessageChange, NewMessage, Refusal,
    Sender, Target, What,
};

pub fn message_to_wire(message: NewMessage) -> v1::NewMessage {
    v1::NewMessage {
        conversation_id: message.conversation.to_string(),
        client_msg_id: message.client_msg_id.to_string(),
        from_id: message.from.user.0,
        from_nickname: message.from.nickname.to_string(),
        from_platform: message.from.platform,
        from_device_id: message.from.device_id.to_string(),
        r#type: message.kind,
        content: message.content.to_string(),
        attachment: message.attachment,
        client_time_ms: message.client_time_ms,
        counted: message.counted,
        login_version: message.login_version,
        reply_to: message.reply_to,
        change: message.change.map(change_to_wire),
        mentioned_ids: message.mentions.users().iter().map(|user| user.0).collect(),
        mentions_all: message.mentions.all(),
    }
}

fn change_to_wire(change: MessageChange) -> v1::Change {
    let target = match change.target {
        Target::Place(place) => v1::change::Target::ServerMsgId(place),
        Target::Own(id) => v1::change::Target::OwnClientMsgId(id.to_string()),
    };
    let (what, if_changed) = match change.what {
        What::Recall => (v1::change::What::Recall, None),
        What::Edit { if_changed } => (v1::change::What::Edit, if_changed),
        What::React => (v1::change::What::React, None),
        What::Pin => (v1::change::What::Pin, None),
        What::Unpin => (v1::change::What::Unpin, None),
    };
    v1::Change { target: Some(target), what: what.into(), if_changed }
}

fn change_from_wire(change: v1::Change) -> Option<MessageChange> {
    let target = match change.target? {
        v1::change::Target::ServerMsgId(place) => Target::Place(place),
        v1::change::Target::OwnClientMsgId(id) => Target::Own(id.parse().ok()?),
    };
    let what = match v1::change::What::try_from(change.what).ok()? {
        v1::change::What::Unknown => return None,
        v1::change::What::Recall => What::Recall,
        v1::change::What::Edit => What::Edit { if_changed: change.if_changed },
        v1::change::What::React => What::React,
        v1::change::What::Pin => What::Pin,
        v1::change::What::Unpin => What::Unpin,
    };
    Some(MessageChange { target, what })
}

pub fn message_from_wire(message: v1::NewMessage) -> Option<NewMessage> {
    let from = Sender {
        user: UserId(message.from_id),
        nickname: message.from_nickname.into(),
        platform: message.from_platform,
        device_id: message.from_device_id.into(),
    };
    Some(NewMessage {
        conversation: message.conversation_id.parse().ok()?,
        from,
        client_msg_id: message.client_msg_id.parse().ok()?,
        kind: message.r#type,
        content: message.content.into(),
        attachment: message.attachment,
        client_time_ms: message.client_time_ms,
        counted: message.counted,
        reply_to: message.reply_to,
        mentions: Mentions::new(message.mentioned_ids.into_iter().map(UserId).collect(), message.mentions_all),
        change: match message.change {
            Some(change) => Some(change_from_wire(change)?),
            None => None,
        },
        login_version: message.login_version,
    })
}

pub fn outcome_to_wire(outcome: Result<Appended, Error>) -> v1::Outcome {
    let outcome = match outcome {
        Ok(appended) => v1::outcome::Outcome::Appended(v1::Appended {
            server_msg_id: appended.server_msg_id,
            server_time_ms: appended.server_time_ms,
            count: appended.count,
            duplicate: appended.duplicate,
            sender_mailbox_seq: appended.sender_mailbox_seq,
            receiver_mailbox_seq: appended.receiver_mailbox_seq,
            members_version: appended.members_version,
        }),
        Err(error) => v1::outcome::Outcome::Failure(failure_to_wire(error)),
    };
    v1::Outcome { outcome: Some(outcome) }
}

pub fn outcome_from_wire(outcome: v1::Outcome) -> Option<Result<Appended, Error>> {
    Some(match outcome.outcome? {
        v1::outcome::Outcome::Appended(appended) => Ok(Appended {
            server_msg_id: appended.server_msg_id,
            server_time_ms: appended.server_time_ms,
            count: appended.count,
            duplicate: appended.duplicate,
            sender_mailbox_seq: appended.sender_mailbox_seq,
            receiver_mailbox_seq: appended.receiver_mailbox_seq,
            members_version: appended.members_version,
            changed: None,
        }),
        v1::outcome::Outcome::Failure(failure) => Err(failure_from_wire(failure)?),
    })
}

fn failure_to_wire(error: Error) -> v1::Failure {
    use v1::failure::Kind;
    let (kind, what) = match error {
        Error::Refused(Refusal::NotFound(what)) => (Kind::NotFound, what.to_owned()),
        Error::Refused(Refusal::NotMember) => (Kind::NotMember, String::new()),
        Error::Refused(Refusal::Forbidden) => (Kind::Forbidden, String::new()),
        Error::Refused(Refusal::Conflict(what)) => (Kind::Conflict, what.to_owned()),
        Error::Refused(Refusal::LoginOver) => (Kind::LoginOver, String::new()),
        Error::Refused(Refusal::Muted { for_ms }) => (Kind::Muted, for_ms.to_string()),
        Error::Refused(Refusal::BadAttachment(why)) => (Kind::BadAttachment, why),
        Error::Refused(Refusal::Gone) => (Kind::Gone, String::new()),
        Error::Refused(Refusal::TooLate) => (Kind::TooLate, String::new()),
        Error::Refused(Refusal::Outdated) => (Kind::Outdated, String::new()),
        Error::Refused(Refusal::Limit { what, .. }) => (Kind::Limit, what.to_owned()),
        Error::Failed(Failure::Overloaded) => (Kind::Overloaded, String::new()),
        Error::Failed(Failure::RateLimited { for_ms }) => (Kind::RateLimited, for_ms.to_string()),
        Error::Failed(Failure::Full) => (Kind::Full, String::new()),
        Error::Failed(Failure::Closed) => (Kind::Closed, String::new()),
        Error::Failed(Failure::UnknownOutcome(why)) => (Kind::UnknownOutcome, why),
        Error::Failed(Failure::Damaged(why) | Failure::Failed(why)) => (Kind::Failed, why),
    };
    v1::Failure { kind: kind.into(), what }
}

/// None for one that a newer node made: then the asking node finds out by itself.
fn failure_from_wire(failure: v1::Failure) -> Option<Error> {
    use v1::failure::Kind;
    Some(match Kind::try_from(failure.kind).ok()? {
        Kind::Unknown => return None,
        Kind::NotFound => Refusal::NotFound(known_word(&failure.what)?).into(),
        Kind::NotMember => Refusal::NotMember.into(),
        Kind::Forbidden => Refusal::Forbidden.into(),
        Kind::Conflict => Refusal::Conflict(known_word(&failure.what)?).into(),
        Kind::LoginOver => Refusal::LoginOver.into(),
        Kind::Muted => Refusal::Muted { for_ms: failure.what.parse().ok()? }.into(),
        Kind::BadAttachment => Refusal::BadAttachment(failure.what).into(),
        Kind::Gone => Refusal::Gone.into(),
        Kind::TooLate => Refusal::TooLate.into(),
        Kind::Outdated => Refusal::Outdated.into(),
        Kind::Limit => known_limit(&failure.what)?.into(),
        Kind::Overloaded => Failure::Overloaded.into(),
        Kind::RateLimited => Failure::RateLimited { for_ms: failure.what.parse().ok()? }.into(),
        Kind::Full => Failure::Full.into(),
        Kind::Closed => Failure::Closed.into(),
        Kind::UnknownOutcome => Failure::UnknownOutcome(failure.what).into(),
        Kind::Failed => Failure::Failed(failure.what).into(),
    })
}

/// What an append does not find, or finds in conflict.
fn known_word(what: &str) -> Option<&'static str> {
    ["user", "message", "client_msg_id"].into_iter().find(|word| *word == what)
}

/// What an append finds to be too many.
fn known_limit(what: &str) -> Option<Refusal> {
    let known = [(EDITS_OF_A_MESSAGE, EDITS_MAX), (EMOJIS_OF_A_MESSAGE, EMOJIS_MAX as u32)];
    let (what, max) = known.into_iter().find(|(word, _)| *word == what)?;
    Some(Refusal::Limit { what, max })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_of_a_newer_node_is_not_taken_for_another_one() {
        for (kind, what) in [(99, ""), (0, ""), (1, "pigeon"), (14, "pigeons")] {
            assert_eq!(failure_from_wire(v1::Failure { kind, what: what.into() }), None);
        }
    }
}
