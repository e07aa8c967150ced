//! Messages: what is stored as an entry of a log, and pull.

use std::{collections::HashSet, sync::Arc};

use anser_proto::{
    Attachment, ClientMsgId, ConversationId, ErrorCode, SILENT_TYPES,
    limits::BODY_BYTES_MAX,
    v1::{self, ServerFrame, client_frame::Request, message::Type, server_frame::Body},
};
use anser_store::{Appended, Message, NewMessage, Stretch};
use tokio::time::Instant;

use super::{Actor, Caller, Lane, answer, append, change, check_request_id, cost, page_limit, wire};
use crate::{budget, ctx::Ctx, error::Error};

/// A request that becomes an entry of a log: those of one connection are stored in their order.
pub enum Entry {
    Send(v1::Send),
    Recall(v1::Recall),
    Edit(v1::Edit),
    React(v1::React),
    Pin(v1::PinMessage),
    Unpin(v1::UnpinMessage),
}

impl Entry {
    /// Whether the request is one.
    pub fn is(request: &Request) -> bool {
        matches!(
            request,
            Request::Send(_)
                | Request::Recall(_)
                | Request::Edit(_)
                | Request::React(_)
                | Request::PinMessage(_)
                | Request::UnpinMessage(_)
        )
    }

    /// Takes such a request, and leaves another one.
    pub fn take(request: &mut Option<Request>) -> Option<Self> {
        match request.take()? {
            Request::Send(send) => Some(Self::Send(send)),
            Request::Recall(recall) => Some(Self::Recall(recall)),
            Request::Edit(edit) => Some(Self::Edit(edit)),
            Request::React(react) => Some(Self::React(react)),
            Request::PinMessage(pin) => Some(Self::Pin(pin)),
            Request::UnpinMessage(unpin) => Some(Self::Unpin(unpin)),
            other => {
                *request = Some(other);
                None
            }
        }
    }

    /// Of what the user may do so much.
    fn limited(&self) -> budget::Kind {
        match self {
            Self::Send(_) | Self::Recall(_) => budget::Kind::Sends,
            Self::Edit(_) | Self::Pin(_) | Self::Unpin(_) => budget::Kind::Edits,
            Self::React(_) => budget::Kind::Reactions,
        }
    }

    fn body_bytes(&self) -> usize {
        match self {
            Self::Send(send) => send.content.len() + send.attachment.len(),
            Self::Edit(edit) => edit.content.len() + edit.attachment.len(),
            Self::Recall(_) | Self::React(_) | Self::Pin(_) | Self::Unpin(_) => 0,
        }
    }

    fn mentioned(&self) -> usize {
        let mentions = match self {
            Self::Send(send) => send.mentions.as_ref(),
            Self::Edit(edit) => edit.mentions.as_ref(),
            Self::Recall(_) | Self::React(_) | Self::Pin(_) | Self::Unpin(_) => None,
        };
        mentions.map_or(0, |mentions| mentions.user_ids.len())
    }

    fn check(self, actor: &Actor) -> Result<NewMessage, Error> {
        match self {
            Self::Send(send) => check_send(actor, send),
            Self::Recall(recall) => change::check_recall(actor, recall),
            Self::Edit(edit) => change::check_edit(actor, edit),
            Self::React(react) => change::check_react(actor, react),
            Self::Pin(pin) => change::check_pin(actor, pin),
            Self::Unpin(unpin) => change::check_unpin(actor, unpin),
        }
    }
}

/// One, as it was asked for.
pub struct Queued {
    pub request_id: u32,
    /// The name of the request, for the metrics.
    pub kind: &'static str,
    pub entry: Entry,
}

/// One that may go to the store, or why it does not.
struct Attempt {
    request_id: u32,
    kind: &'static str,
    /// What was charged for its body.
    paid: u32,
    /// Absent when it could not even be read.
    identity: Option<(ConversationId, ClientMsgId)>,
    outcome: Result<NewMessage, Error>,
}

/// Has entries stored in their order, and answers each.
pub async fn store(
    cx: &Arc<Ctx>,
    caller: &mut Caller,
    entries: Vec<Queued>,
    now: Instant,
    answers: &mut Vec<ServerFrame>,
) {
    if entries.is_empty() {
        return;
    }
    let Caller { actor, lane } = caller;
    let attempts = attempt(actor, lane, entries, now);
    let batch: Vec<_> = attempts.iter().filter_map(|attempt| attempt.outcome.as_ref().ok().cloned()).collect();
    let mut results = append::append(cx, lane.source(), batch).await.into_iter();

    for Attempt { request_id, kind, paid, identity, outcome } in attempts {
        let outcome = outcome.and_then(|_| Ok(results.next().expect("one result for each message of the batch")?));
        if let Ok(Appended { changed: Some(target), .. }) = &outcome {
            // It goes whole to every device of the conversation.
            lane.owe(cost::of_bodies(target.content.len() + target.attachment.len()).saturating_sub(paid), now);
        }
        if let Some((conversation, client_msg_id)) = &identity {
            let failed_for_now = outcome.as_ref().is_err_and(Error::is_transient);
            lane.fifo.settle(*conversation, client_msg_id, failed_for_now);
        }
        answers.push(answer(cx, kind, request_id, outcome.map(|appended| Body::Sent(sent(&appended)))));
    }
}

/// Checks each by itself and against those before it.
fn attempt(actor: &Actor, lane: &mut Lane, entries: Vec<Queued>, now: Instant) -> Vec<Attempt> {
    // Conversations in which one of these failed for now, and those whose first failure is retried by one.
    let mut held = HashSet::new();
    let mut retried = HashSet::new();
    let mut attempts = Vec::with_capacity(entries.len());
    for Queued { request_id, kind, entry } in entries {
        let (mut identity, paid, limited) = (None, cost::of_bodies(entry.body_bytes()), entry.limited());
        let admitted = lane.admit(1 + paid + cost::of_mentions(entry.mentioned()), now);
        let checked = check_request_id(request_id).and_then(|()| entry.check(actor));
        let outcome = checked.and_then(|new| {
            let (conversation, client_msg_id) = (new.conversation, new.client_msg_id.clone());
            let in_order = !held.contains(&conversation)
                && (retried.contains(&conversation) || lane.fifo.may_pass(conversation, &client_msg_id));
            identity = Some((conversation, client_msg_id));
            let passes =
                if in_order { admitted.and_then(|()| lane.admit_kind(limited, 1, now)) } else { Err(behind_failed()) };
            match passes {
                Ok(()) => retried.insert(conversation),
                Err(_) => held.insert(conversation),
            };
            passes.map(|()| new)
        });
        attempts.push(Attempt { request_id, kind, paid, identity, outcome });
    }
    attempts
}

fn behind_failed() -> Error {
    Error::new(ErrorCode::BehindFailed, "a message before this one failed: send that one again first")
}

/// What a message must be, whoever sends it; and the sender's part in a one-to-one conversation. Membership of a
/// group is for the store to say, since it knows it at the very position in the log.
fn check_send(actor: &Actor, send: v1::Send) -> Result<NewMessage, Error> {
    let conversation = wire::conversation_of(&send.conversation_id, actor.user)?;
    let kind = send.r#type();
    if matches!(kind, Type::Unknown | Type::Notice) || SILENT_TYPES.contains(&kind.into()) {
        let message = format!("type {} cannot be sent: send one that docs/protocol.md lists", send.r#type);
        return Err(Error::bad_field(message));
    }
    check_body(send.content.len() + send.attachment.len())?;
    Attachment::parse(kind, &send.attachment)?;
    Ok(NewMessage {
        conversation,
        from: actor.sender(),
        client_msg_id: send.client_msg_id.parse()?,
        kind: kind.into(),
        content: send.content.into(),
        attachment: send.attachment,
        client_time_ms: wire::position(send.client_time_ms),
        counted: !send.settings.unwrap_or_default().uncounted,
        reply_to: send.reply_to,
        mentions: wire::mentioned(send.mentions)?,
        change: None,
        login_version: actor.login_version(),
    })
}

pub fn check_body(bytes: usize) -> Result<(), Error> {
    match bytes {
        0 => Err(Error::bad_field("content and attachment are both empty")),
        1..=BODY_BYTES_MAX => Ok(()),
        _ => {
            let message = format!("content and attachment have {bytes} bytes: at most {BODY_BYTES_MAX} are allowed");
            Err(Error::new(ErrorCode::BodyTooLarge, message))
        }
    }
}

pub fn sent(appended: &Appended) -> v1::Sent {
    v1::Sent {
        server_msg_id: appended.server_msg_id,
        server_time_ms: appended.server_time_ms,
        count: appended.count,
        mailbox_seq: appended.sender_mailbox_seq,
    }
}

pub async fn pull(
    cx: &Ctx,
    actor: &Actor,
    lane: &mut Lane,
    pull: v1::Pull,
    now: Instant,
) -> Result<v1::Messages, Error> {
    let conversation = wire::conversation_of(&pull.conversation_id, actor.user)?;
    let limit = page_limit(pull.limit)?;
    let stretch = Stretch {
        after: pull.after.map(wire::position),
        before: wire::position(pull.before),
        limit,
        bytes_max: lane.page_bytes(cx, limit, now),
    };
    let page = cx.store.read_log(actor.user, conversation, stretch).await?;
    let bodies = page.messages.iter().chain(&page.changed).map(Message::body_bytes).sum();
    lane.owe(cost::of_entries(page.looked_at), now);
    lane.take_page(cx, bodies, now)?;
    Ok(v1::Messages {
        conversation_id: pull.conversation_id,
        messages: page.messages.iter().map(wire::message).collect(),
        more: page.more,
        head: page.head,
        after: page.after,
        through: page.through,
        changed: page.changed.iter().map(wire::message).collect(),
        references: page.references.iter().map(wire::reference).collect(),
        nicknames: page.nicknames.iter().map(wire::group_nickname).collect(),
    })
}
