//! From a wish to a place in the log: saving, transmitting and acknowledging what the user says.
//!
//! Rules: the table of error codes decides. `Retry::No`: failed for ever, those behind it go on. Otherwise it waits and goes
//! again with the same id (see `outgoing`). The acknowledged message takes its place in the conversation by the same rule as a
//! pushed one. An own message that shows up in the log counts as acknowledged,
//! unless it failed for now on this connection: then the server takes nothing behind it before it came again.

use std::{collections::VecDeque, sync::Arc};

use anser_proto::{ClientMsgId, ConversationId, codes::Retry, limits::BODY_BYTES_MAX, v1};

use super::{
    Change, Effect, Engine, NotQueued, Place, Queued, Request, Status, Step, Timer,
    backoff::Backoff,
    outgoing::body_bytes,
    requests::{Asked, retry_of},
};

/// Own messages of a conversation whose delivery is still told; of older ones the marks of the session tell.
const FOLLOWED_MAX: usize = 256;

/// Refused messages that are kept for the app to look at; beyond it the oldest is dropped.
const REFUSED_MAX: usize = 1_000;

/// An own message that the other party has not read yet.
pub(super) struct Followed {
    client_msg_id: ClientMsgId,
    place: Place,
    delivered: bool,
}

pub(super) type FollowedOf = std::collections::BTreeMap<ConversationId, VecDeque<Followed>>;

impl Engine {
    pub(super) fn queue(&mut self, cx: &mut Step<'_>, queued: Queued) {
        let client_msg_id = queued.client_msg_id.clone();
        let bytes = body_bytes(&queued);
        let why = match () {
            () if bytes > BODY_BYTES_MAX => Some(NotQueued::BodyTooLarge(bytes)),
            () if !self.outgoing.takes(bytes) => Some(NotQueued::QueueFull),
            () => None,
        };
        if let Some(why) = why {
            return cx.effect(Effect::NotQueued { client_msg_id, why });
        }
        if !self.outgoing.contains(&client_msg_id) {
            self.discard(cx, client_msg_id.clone());
            let queued = Arc::new(queued);
            cx.keep(Change::Queue(queued.clone()));
            self.outgoing.push(queued);
        }
        cx.effect(Effect::Status { client_msg_id, status: Status::Queued });
    }

    pub(super) fn discard(&mut self, cx: &mut Step<'_>, client_msg_id: ClientMsgId) {
        if let Some(at) = self.refused.iter().position(|refused| *refused == client_msg_id) {
            self.refused.remove(at);
            cx.keep(Change::Unqueue(client_msg_id));
        }
    }

    pub(super) fn go_on_sending(&mut self, cx: &mut Step<'_>) {
        while self.link.requests.has_room()
            && let Some(queued) = self.outgoing.next(self.link.requests.next_id())
        {
            let client_msg_id = queued.client_msg_id.clone();
            self.transmit(cx, Request::Send(queued.to_send()), Asked::Send(client_msg_id.clone()));
            cx.effect(Effect::Status { client_msg_id, status: Status::Sending });
        }
    }

    pub(super) fn sent(&mut self, cx: &mut Step<'_>, client_msg_id: &ClientMsgId, sent: &v1::Sent) {
        let Some(queued) = self.outgoing.remove(client_msg_id) else {
            // It was seen in the log before. Its change of the mailbox is told here all the same.
            return self.note_change(cx, sent.mailbox_seq);
        };
        let id = queued.conversation;
        let place = Place { server_msg_id: sent.server_msg_id, server_time_ms: sent.server_time_ms };
        self.acknowledge(cx, &queued, place);
        let message = self.own_message(&queued, sent);
        let me = self.me();
        let placed = self.conversation(id).place(Arc::new(message), me);
        self.present(cx, id, placed);
        self.note_change_of(cx, id, sent.mailbox_seq);
    }

    /// As the log has it: what was said, by whom, and where the server put it.
    fn own_message(&self, queued: &Queued, sent: &v1::Sent) -> v1::Message {
        let send = queued.to_send();
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
            notice: None,
            client_time_ms: send.client_time_ms,
            server_time_ms: sent.server_time_ms,
            count: sent.count,
            settings: send.settings,
        }
    }

    /// A message came from the log.
    pub(super) fn seen_in_log(&mut self, cx: &mut Step<'_>, message: &v1::Message) {
        if message.from_id != self.me().0 {
            return;
        }
        let Ok(client_msg_id) = message.client_msg_id.parse::<ClientMsgId>() else { return };
        if let Some(queued) = self.outgoing.remove_seen(&client_msg_id) {
            let place = Place { server_msg_id: message.server_msg_id, server_time_ms: message.server_time_ms };
            self.acknowledge(cx, &queued, place);
        }
    }

    fn acknowledge(&mut self, cx: &mut Step<'_>, queued: &Queued, place: Place) {
        let client_msg_id = queued.client_msg_id.clone();
        self.outgoing.unblock(queued.conversation, cx.now);
        cx.keep(Change::Unqueue(client_msg_id.clone()));
        cx.effect(Effect::Status { client_msg_id: client_msg_id.clone(), status: Status::Sent(place) });
        if matches!(queued.conversation, ConversationId::Single { .. }) {
            let followed = self.followed.entry(queued.conversation).or_default();
            followed.push_back(Followed { client_msg_id, place, delivered: false });
            if followed.len() > FOLLOWED_MAX {
                followed.pop_front();
            }
        }
    }

    /// The other party's marks may have moved: tells of the own messages that they passed.
    pub(super) fn follow_receipts(&mut self, cx: &mut Step<'_>, id: ConversationId) {
        let (Some(known), Some(followed)) = (self.conversations.get(&id), self.followed.get_mut(&id)) else { return };
        let session = &known.kept.session;
        followed.retain_mut(|message| {
            let (place, client_msg_id) = (message.place, message.client_msg_id.clone());
            let read = place.server_msg_id <= session.peer_read_mark;
            if read {
                cx.effect(Effect::Status { client_msg_id, status: Status::Read(place) });
            } else if !message.delivered && place.server_msg_id <= session.peer_delivered_mark {
                message.delivered = true;
                cx.effect(Effect::Status { client_msg_id, status: Status::Delivered(place) });
            }
            !read
        });
        if followed.is_empty() {
            self.followed.remove(&id);
        }
    }

    pub(super) fn send_refused(
        &mut self,
        cx: &mut Step<'_>,
        client_msg_id: &ClientMsgId,
        request_id: u32,
        error: v1::Error,
    ) {
        let Some(id) = self.outgoing.conversation_of(client_msg_id) else { return };
        if retry_of(&error) == Retry::No {
            let Some(queued) = self.outgoing.remove(client_msg_id) else { return };
            let refused = Arc::new(Queued { refused: Some(error.clone()), ..Queued::clone(&queued) });
            cx.keep(Change::Queue(refused));
            self.refused.push_back(client_msg_id.clone());
            if self.refused.len() > REFUSED_MAX {
                self.refused.pop_front().into_iter().for_each(|oldest| cx.keep(Change::Unqueue(oldest)));
            }
            cx.effect(Effect::Status { client_msg_id: client_msg_id.clone(), status: Status::Failed(error) });
        } else {
            let (now, rng) = (cx.now, &mut self.rng);
            let wait = |backoff: &mut Backoff| now + backoff.next_ms(rng).max(error.retry_after_ms.into());
            if let Some(until) = self.outgoing.land(client_msg_id, request_id, wait) {
                self.timers.insert((until, Timer::Sends(id)));
            }
        }
        self.outgoing.unblock(id, cx.now);
    }
}
