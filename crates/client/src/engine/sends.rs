//! From a wish to a place in the log: saving, transmitting and acknowledging what the user says and changes.
//!
//! Rules: the table of error codes decides. `Retry::No`: failed for ever, those behind it go on. Otherwise it waits and goes
//! again with the same id (see `outgoing`). The acknowledged message takes its place in the conversation by the same rule as a
//! pushed one. An own message that shows up in the log counts as acknowledged,
//! unless it failed for now on this connection, or its answer is still to come: the server takes nothing behind a failed one
//! before it came again. A message can be cancelled while it is certain that the server does not have it, and given up at any
//! time. If the server waits for one that is given up, only a new connection lets those behind it go on. All of that holds for changes of
//! what was said too, but that what they changed is told by the server alone.

use std::{collections::VecDeque, sync::Arc};

use anser_proto::{ConversationId, ErrorCode, codes::Retry, limits::BODY_BYTES_MAX, v1};

use super::{
    Act, Body, CallId, Change, Effect, Engine, Fate, MessageKey, NotQueued, NotWithdrawn, Place, Queued, Request,
    Status, Step, Timer, Withdrawal, backoff::Backoff, requests::Asked,
};
use crate::view::Refusal;

/// Own messages of a conversation whose delivery is still told; of older ones the marks of the session tell.
const FOLLOWED_MAX: usize = 256;

/// Refused messages that are kept for the app to look at; beyond it the oldest is dropped.
const REFUSED_MAX: usize = 1_000;

/// An own message that the other party has not read yet.
pub(super) struct Followed {
    key: MessageKey,
    place: Place,
    delivered: bool,
}

pub(super) type FollowedOf = std::collections::BTreeMap<ConversationId, VecDeque<Followed>>;

impl Engine {
    pub(super) fn queue(&mut self, cx: &mut Step<'_>, queued: Queued, call: CallId) {
        let key = queued.key();
        let answer = self.queue_new(cx, queued);
        let is_new = answer == Ok(Status::Queued);
        cx.effect(Effect::Queued { call, key: key.clone(), answer });
        if is_new {
            cx.effect(Effect::Status { key, status: Status::Queued });
        }
    }

    fn queue_new(&mut self, cx: &mut Step<'_>, queued: Queued) -> Result<Status, NotQueued> {
        let (key, bytes) = (queued.key(), queued.act.body_bytes());
        if let Some(first) = self.outgoing.get(&key) {
            return match first.act.is_same(&queued.act) {
                true if self.outgoing.flies(&key) => Ok(Status::Sending),
                true => Ok(Status::Queued),
                false => Err(NotQueued::Conflict),
            };
        }
        if bytes > BODY_BYTES_MAX {
            return Err(NotQueued::BodyTooLarge(bytes));
        }
        if !self.outgoing.takes(bytes) {
            return Err(NotQueued::QueueFull);
        }
        self.forget_refused(cx, &key);
        let queued = Arc::new(queued);
        cx.keep(Change::Queue(queued.clone()));
        self.outgoing.push(queued);
        Ok(Status::Queued)
    }

    /// Forgets a message that was refused for ever. Tells whether it was.
    fn forget_refused(&mut self, cx: &mut Step<'_>, key: &MessageKey) -> bool {
        let Some(at) = self.refused.iter().position(|refused| refused == key) else { return false };
        self.refused.remove(at);
        cx.keep(Change::Unqueue(key.clone()));
        true
    }

    pub(super) fn withdraw(&mut self, cx: &mut Step<'_>, key: &MessageKey, how: Withdrawal, call: CallId) {
        let answer = match self.forget_refused(cx, key) {
            true => Ok(Fate::NotStored),
            false => self.withdraw_waiting(cx, key, how),
        };
        cx.effect(Effect::Withdrawn { call, answer });
    }

    fn withdraw_waiting(&mut self, cx: &mut Step<'_>, key: &MessageKey, how: Withdrawal) -> Result<Fate, NotWithdrawn> {
        let fate = self.outgoing.fate(key).ok_or(NotWithdrawn::NotQueued)?;
        if (fate, how) == (Fate::Unknown, Withdrawal::Cancel) {
            return Err(NotWithdrawn::MaybeStored);
        }
        let is_awaited = self.outgoing.is_awaited(key);
        self.outgoing.remove(key);
        self.outgoing.unblock(key.conversation, cx.now);
        cx.keep(Change::Unqueue(key.clone()));
        cx.effect(Effect::Status { key: key.clone(), status: Status::Withdrawn(fate) });
        cx.effect(Effect::Unfollow(key.clone()));
        if is_awaited {
            self.start_over(cx);
        }
        Ok(fate)
    }

    /// The server waits for a message that will not come again: to a new connection it owes nothing.
    fn start_over(&mut self, cx: &mut Step<'_>) {
        if self.link.is_live() {
            self.lose(cx);
        }
    }

    /// The answer to an attempt at a message that was withdrawn meanwhile.
    pub(super) fn withdrawn_answered(&mut self, cx: &mut Step<'_>, id: ConversationId, answer: &Result<Body, Refusal>) {
        match answer {
            Ok(Body::Sent(sent)) => {
                // It is in the log, and is pulled from there as anybody's.
                self.conversation(id).log_reaches(sent.server_msg_id);
                self.look_after(id);
                self.note_change_of(cx, id, sent.mailbox_seq);
            }
            Err(refusal) if refusal.retry() == Retry::No => {}
            _ => self.start_over(cx),
        }
        self.outgoing.unblock(id, cx.now);
    }

    pub(super) fn go_on_sending(&mut self, cx: &mut Step<'_>) {
        while self.link.requests.has_room()
            && let Some(queued) = self.outgoing.next(self.link.requests.next_id(), cx.now)
        {
            let key = queued.key();
            cx.keep(Change::Transmitted(key.clone()));
            self.transmit(cx, queued.to_request(), Asked::Act(key.clone()));
            cx.effect(Effect::Status { key, status: Status::Sending });
        }
    }

    pub(super) fn sent(&mut self, cx: &mut Step<'_>, key: &MessageKey, sent: &v1::Sent) {
        let is_new = !self.outgoing.is_doubtful(key);
        self.outgoing.speed_up();
        let Some(queued) = self.outgoing.remove(key) else { return };
        let id = queued.conversation;
        let place = Place { server_msg_id: sent.server_msg_id, server_time_ms: sent.server_time_ms };
        self.acknowledge(cx, &queued, place);
        if let Request::Send(send) = queued.to_request() {
            let (message, me) = (self.own_message(send, sent), self.me());
            let placed = self.conversation(id).place(Arc::new(message), me);
            self.present(cx, id, placed);
        } else {
            // What became of its target is pushed, or pulled.
            self.change_stored(cx, id, sent.server_msg_id, is_new);
        }
        self.note_change_of(cx, id, sent.mailbox_seq);
    }

    /// As the log has it: what was said, by whom, and where the server put it.
    fn own_message(&self, send: v1::Send, sent: &v1::Sent) -> v1::Message {
        v1::Message {
            conversation_id: send.conversation_id,
            server_msg_id: sent.server_msg_id,
            client_msg_id: send.client_msg_id,
            from_id: self.me().0,
            from_nickname: self.user.as_ref().map(|user| user.nickname.clone()).unwrap_or_default(),
            from_platform: self.config.device.platform,
            from_device_id: self.config.device.device_id.clone(),
            r#type: send.r#type,
            content: send.content,
            attachment: send.attachment,
            client_time_ms: send.client_time_ms,
            server_time_ms: sent.server_time_ms,
            count: sent.count,
            settings: send.settings,
            reply_to: send.reply_to,
            mentions: send.mentions,
            ..v1::Message::default()
        }
    }

    /// A message came from the log.
    pub(super) fn seen_in_log(&mut self, cx: &mut Step<'_>, message: &v1::Message) {
        if message.from_id != self.me().0 {
            return;
        }
        let (Ok(conversation), Ok(client_msg_id)) = (message.conversation_id.parse(), message.client_msg_id.parse())
        else {
            return;
        };
        let key = MessageKey { conversation, client_msg_id };
        if self.outgoing.get(&key).is_some_and(|queued| queued.is_in_log_as(message))
            && let Some(queued) = self.outgoing.remove_seen(&key)
        {
            let place = Place { server_msg_id: message.server_msg_id, server_time_ms: message.server_time_ms };
            self.acknowledge(cx, &queued, place);
        }
    }

    fn acknowledge(&mut self, cx: &mut Step<'_>, queued: &Queued, place: Place) {
        let key = queued.key();
        self.outgoing.unblock(queued.conversation, cx.now);
        cx.keep(Change::Unqueue(key.clone()));
        cx.effect(Effect::Status { key: key.clone(), status: Status::Sent(place) });
        if matches!((queued.conversation, &queued.act), (ConversationId::Single { .. }, Act::Send(_))) {
            let followed = self.followed.entry(queued.conversation).or_default();
            followed.push_back(Followed { key, place, delivered: false });
            if followed.len() > FOLLOWED_MAX {
                followed.pop_front().into_iter().for_each(|oldest| cx.effect(Effect::Unfollow(oldest.key)));
            }
        } else {
            // Nobody tells who of a group has it, or who saw a change.
            cx.effect(Effect::Unfollow(key));
        }
    }

    /// The other party's marks may have moved: tells of the own messages that they passed.
    pub(super) fn follow_receipts(&mut self, cx: &mut Step<'_>, id: ConversationId) {
        let (Some(known), Some(followed)) = (self.conversations.get(&id), self.followed.get_mut(&id)) else { return };
        let session = &known.kept.session;
        followed.retain_mut(|message| {
            let (place, key) = (message.place, message.key.clone());
            let read = place.server_msg_id <= session.peer_read_mark;
            if read {
                cx.effect(Effect::Status { key: key.clone(), status: Status::Read(place) });
                cx.effect(Effect::Unfollow(key));
            } else if !message.delivered && place.server_msg_id <= session.peer_delivered_mark {
                message.delivered = true;
                cx.effect(Effect::Status { key, status: Status::Delivered(place) });
            }
            !read
        });
        if followed.is_empty() {
            self.followed.remove(&id);
        }
    }

    /// The log that they are in is gone.
    pub(super) fn unfollow_all(&mut self, cx: &mut Step<'_>) {
        for followed in std::mem::take(&mut self.followed).into_values().flatten() {
            cx.effect(Effect::Unfollow(followed.key));
        }
    }

    pub(super) fn send_refused(&mut self, cx: &mut Step<'_>, key: &MessageKey, request_id: u32, error: Refusal) {
        let id = key.conversation;
        if error.retry() == Retry::No {
            let Some(queued) = self.outgoing.remove(key) else { return };
            let refused = Arc::new(Queued { refused: Some(error.clone()), ..Queued::clone(&queued) });
            cx.keep(Change::Queue(refused));
            self.refused.push_back(key.clone());
            if self.refused.len() > REFUSED_MAX {
                self.refused.pop_front().into_iter().for_each(|oldest| cx.keep(Change::Unqueue(oldest)));
            }
            cx.effect(Effect::Status { key: key.clone(), status: Status::Failed(error) });
            cx.effect(Effect::Unfollow(key.clone()));
        } else {
            if error.error_code() == Some(ErrorCode::RateLimited) {
                let until = cx.now + u64::from(error.retry_after_ms);
                self.outgoing.slow_down(until);
                self.timers.insert((until, Timer::Pace));
            }
            let (now, rng) = (cx.now, &mut self.rng);
            let wait = |backoff: &mut Backoff| now + backoff.next_ms(rng).max(error.retry_after_ms.into());
            let doubtful = error.retry() == Retry::SameId;
            if let Some(until) = self.outgoing.land(id, request_id, doubtful, wait) {
                self.timers.insert((until, Timer::Sends(id)));
            }
            cx.effect(Effect::Status { key: key.clone(), status: Status::Retrying(error) });
        }
        self.outgoing.unblock(id, cx.now);
    }
}
