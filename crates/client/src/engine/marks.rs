//! Read and delivered marks: told to the server forward only, once for many messages.
//!
//! Rules: the mark that is kept and the one that the server is known to have are compared; where they differ one request is
//! on its way at a time, again after every reconnect. Delivered marks are told after the messages were kept, in
//! one-to-one conversations, at most once a second; a read mark takes the delivered mark along.

use std::collections::{BTreeMap, BTreeSet};

use anser_proto::{ConversationId, codes::Retry, v1};

use super::{Engine, Request, Step, Timer, backoff::Backoff, requests::Asked};
use crate::view::Refusal;

/// Between two delivered marks, and two signs of typing, of one conversation, in milliseconds.
const PACE_MS: u64 = 1_000;

#[derive(Default)]
pub(super) struct Marks {
    /// Conversations whose marks may have to be told.
    due: BTreeSet<ConversationId>,
    in_flight: BTreeSet<ConversationId>,
    /// When the last delivered mark was told.
    delivered_at: BTreeMap<ConversationId, u64>,
    typed_at: BTreeMap<ConversationId, u64>,
    backoff: Backoff,
}

impl Marks {
    pub(super) fn due(&mut self, conversation: ConversationId) {
        self.due.insert(conversation);
    }

    pub(super) fn ground(&mut self) {
        *self = Self::default();
    }
}

impl Engine {
    /// After a login: all marks are compared.
    pub(super) fn begin_marking(&mut self) {
        self.marks.due = self.conversations.keys().copied().collect();
    }

    pub(super) fn mark_read(&mut self, id: ConversationId, server_msg_id: u64, count: Option<u64>) {
        let Some(conversation) = self.conversations.get_mut(&id) else { return };
        if conversation.mark_read(server_msg_id, count) {
            self.touched.insert(id);
            self.marks.due(id);
        }
    }

    pub(super) fn go_on_marking(&mut self, cx: &mut Step<'_>) {
        while self.link.requests.has_room()
            && let Some(id) = self.marks.due.pop_first()
        {
            self.tell_marks(cx, id);
        }
    }

    fn tell_marks(&mut self, cx: &mut Step<'_>, id: ConversationId) {
        let Some(known) = self.conversations.get(&id).filter(|_| !self.marks.in_flight.contains(&id)) else { return };
        let (high, session) = (known.kept.high, &known.kept.session);
        let conversation_id = id.to_string();
        if session.read_mark > known.kept.read_told {
            let server_msg_id = session.read_mark;
            self.marks.in_flight.insert(id);
            let mark = v1::MarkRead { conversation_id, server_msg_id };
            return self.transmit(cx, Request::MarkRead(mark), Asked::MarkRead(id, server_msg_id));
        }
        let single = matches!(id, ConversationId::Single { .. });
        if !single || !self.config.policy.delivered_marks || high <= session.delivered_mark.max(session.read_mark) {
            return;
        }
        let next_at = self.marks.delivered_at.get(&id).map_or(0, |at| at + PACE_MS);
        if cx.now < next_at {
            self.timers.insert((next_at, Timer::Marks(id)));
            return;
        }
        self.marks.delivered_at.insert(id, cx.now);
        self.marks.in_flight.insert(id);
        let mark = v1::MarkDelivered { conversation_id, server_msg_id: high };
        self.transmit(cx, Request::MarkDelivered(mark), Asked::MarkDelivered(id, high));
    }

    pub(super) fn read_marked(&mut self, cx: &mut Step<'_>, id: ConversationId, asked: u64, marked: &v1::Marked) {
        self.conversation(id).read_mark_confirmed(asked.max(marked.read_mark));
        self.delivered_marked(cx, id, 0, marked);
    }

    /// `asked` may be more than the server took; it is not asked again.
    pub(super) fn delivered_marked(&mut self, cx: &mut Step<'_>, id: ConversationId, asked: u64, marked: &v1::Marked) {
        let session = &mut self.conversation(id).kept.session;
        session.delivered_mark = session.delivered_mark.max(marked.delivered_mark).max(asked);
        self.marks.in_flight.remove(&id);
        self.marks.backoff.reset();
        self.marks.due(id);
        self.note_change_of(cx, id, marked.mailbox_seq);
    }

    pub(super) fn mark_refused(&mut self, cx: &mut Step<'_>, id: ConversationId, asked: u64, error: &Refusal) {
        self.marks.in_flight.remove(&id);
        if error.retry() == Retry::No {
            let kept = &mut self.conversation(id).kept;
            kept.read_told = kept.read_told.max(asked);
            kept.session.delivered_mark = kept.session.delivered_mark.max(asked);
            self.marks.due(id);
        } else {
            let wait = self.marks.backoff.next_ms(&mut self.rng).max(error.retry_after_ms.into());
            self.timers.insert((cx.now + wait, Timer::Marks(id)));
        }
    }

    pub(super) fn type_in(&mut self, cx: &mut Step<'_>, id: ConversationId) {
        let paced = self.marks.typed_at.get(&id).is_none_or(|at| cx.now >= at + PACE_MS);
        if paced && self.link.is_live() && self.link.requests.has_room() {
            self.marks.typed_at.insert(id, cx.now);
            self.transmit(cx, Request::Typing(v1::Typing { conversation_id: id.to_string() }), Asked::Typing);
        }
    }
}
