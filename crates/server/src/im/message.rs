//! Messages: send and pull.

use std::{collections::HashSet, sync::Arc};

use anser_proto::{
    ClientMsgId, ConversationId, ErrorCode,
    limits::BODY_BYTES_MAX,
    v1::{self, ServerFrame, message::Type, server_frame::Body},
};
use anser_store::{Appended, NewMessage, Stretch};
use tokio::time::Instant;

use super::{
    Actor, Caller, Lane, answer, append, check_request_id, cost,
    page::{self, MESSAGE_BYTES},
    page_limit, wire,
};
use crate::{ctx::Ctx, error::Error};

/// A send that may go to the store, or why it does not.
struct Attempt {
    request_id: u32,
    /// Absent when it could not even be read.
    identity: Option<(ConversationId, ClientMsgId)>,
    outcome: Result<NewMessage, Error>,
}

/// Has messages stored in their order, and answers each.
pub async fn send(
    cx: &Arc<Ctx>,
    caller: &mut Caller,
    sends: Vec<(u32, v1::Send)>,
    now: Instant,
    answers: &mut Vec<ServerFrame>,
) {
    if sends.is_empty() {
        return;
    }
    let Caller { actor, lane } = caller;
    let attempts = attempt(actor, lane, sends, now);
    let batch: Vec<_> = attempts.iter().filter_map(|attempt| attempt.outcome.as_ref().ok().cloned()).collect();
    let mut results = append::append(cx, lane.source(), batch).await.into_iter();

    for Attempt { request_id, identity, outcome } in attempts {
        let outcome = outcome.and_then(|_| Ok(results.next().expect("one result for each message of the batch")?));
        if let Some((conversation, client_msg_id)) = &identity {
            let failed_for_now = outcome.as_ref().is_err_and(Error::is_transient);
            lane.fifo.settle(*conversation, client_msg_id, failed_for_now);
        }
        answers.push(answer(cx, "send", request_id, outcome.map(|appended| Body::Sent(sent(&appended)))));
    }
}

/// Checks each send by itself and against those before it.
fn attempt(actor: &Actor, lane: &mut Lane, sends: Vec<(u32, v1::Send)>, now: Instant) -> Vec<Attempt> {
    // Conversations in which one of these sends failed for now, and those whose first failure is retried by one.
    let mut held = HashSet::new();
    let mut retried = HashSet::new();
    let mut attempts = Vec::with_capacity(sends.len());
    for (request_id, send) in sends {
        let mut identity = None;
        let admitted = lane.admit(cost::of_send(&send), now);
        let outcome = check(actor, request_id, send).and_then(|new| {
            let (conversation, client_msg_id) = (new.conversation, new.client_msg_id.clone());
            let in_order = !held.contains(&conversation)
                && (retried.contains(&conversation) || lane.fifo.may_pass(conversation, &client_msg_id));
            identity = Some((conversation, client_msg_id));
            let passes = if in_order { admitted } else { Err(behind_failed()) };
            match passes {
                Ok(()) => retried.insert(conversation),
                Err(_) => held.insert(conversation),
            };
            passes.map(|()| new)
        });
        attempts.push(Attempt { request_id, identity, outcome });
    }
    attempts
}

fn behind_failed() -> Error {
    Error::new(ErrorCode::BehindFailed, "a message before this one failed: send that one again first")
}

/// What a message must be, whoever sends it; and the sender's part in a one-to-one conversation. Membership of a
/// group is for the store to say, since it knows it at the very position in the log.
fn check(actor: &Actor, request_id: u32, send: v1::Send) -> Result<NewMessage, Error> {
    check_request_id(request_id)?;
    let conversation = wire::conversation_of(&send.conversation_id, actor.user)?;
    let kind = send.r#type();
    if matches!(kind, Type::Unknown | Type::Notice) {
        let message = format!("type {} cannot be sent: send one that docs/protocol.md lists", send.r#type);
        return Err(Error::bad_field(message));
    }
    let body_bytes = send.content.len() + send.attachment.len();
    if body_bytes > BODY_BYTES_MAX {
        let message = format!("content and attachment have {body_bytes} bytes: at most {BODY_BYTES_MAX} are allowed");
        return Err(Error::new(ErrorCode::BodyTooLarge, message));
    }
    if body_bytes == 0 {
        return Err(Error::bad_field("content and attachment are both empty"));
    }
    Ok(NewMessage {
        conversation,
        from: actor.sender(),
        client_msg_id: send.client_msg_id.parse()?,
        kind: kind.into(),
        content: send.content.into(),
        attachment: send.attachment,
        client_time_ms: wire::position(send.client_time_ms),
        counted: !send.settings.unwrap_or_default().uncounted,
        login_version: actor.login_version,
    })
}

fn sent(appended: &Appended) -> v1::Sent {
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
    let (limit, bytes) = (page_limit(pull.limit)?, lane.page_size.next(now));
    let has_room = lane.find_room(bytes + limit as usize * MESSAGE_BYTES);
    if !has_room {
        cx.metrics.answers_cut.inc();
    }
    let stretch = Stretch {
        after: pull.after.map(wire::position),
        before: wire::position(pull.before),
        limit,
        bytes_max: if has_room { bytes } else { page::BYTES_MIN },
    };
    let page = cx.store.read_log(actor.user, conversation, stretch).await?;
    let bodies = page.messages.iter().map(|message| message.content.len() + message.attachment.len()).sum();
    lane.owe(cost::of_bodies(bodies), now);
    Ok(v1::Messages {
        conversation_id: pull.conversation_id,
        messages: page.messages.iter().map(wire::message).collect(),
        more: page.more,
        head: page.head,
    })
}
