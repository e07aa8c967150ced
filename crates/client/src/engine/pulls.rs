//! Fetching what is missing of conversations, and what is older than what is kept.
//!
//! Rules: one pull of a conversation at a time, four in all. First the conversation that the user looks at, then those
//! whose past somebody waits for, then the most recently spoken in. A conversation whose head is beyond what is kept is pulled until it is not.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use anser_proto::{ConversationId, codes::Retry, v1};

use super::{
    Body, CallError, CallId, Change, Effect, Engine, Request, Step, Timer,
    backoff::Backoff,
    conversation::{Placed, Stretch, StretchKind},
    requests::Asked,
};
use crate::view::Refusal;

const IN_FLIGHT_MAX: usize = 4;
/// Callers that wait for the past of one conversation.
const OLDER_MAX: usize = 64;

#[derive(Default)]
pub(super) struct Pulls {
    /// Conversations with something missing.
    wanting: BTreeSet<ConversationId>,
    in_flight: BTreeSet<ConversationId>,
    /// What the user looks at.
    open: Option<ConversationId>,
    /// Who waits for older messages, and how many.
    older: BTreeMap<ConversationId, Vec<(CallId, u32)>>,
    blocked_until: u64,
    backoff: Backoff,
}

impl Pulls {
    pub(super) fn open(&mut self, conversation: ConversationId) {
        self.open = Some(conversation);
    }

    /// Nothing new is missing; the past that somebody waits for is not counted.
    pub(super) fn is_settled(&self) -> bool {
        self.wanting.is_empty()
    }
}

impl Engine {
    /// After a login: everything is looked at once.
    pub(super) fn begin_pulling(&mut self) {
        self.pulls.wanting.clear();
        for id in self.conversations.keys().copied().collect::<Vec<_>>() {
            self.look_after(id);
            if self.conversations.get(&id).is_some_and(|conversation| conversation.count_is_unknown()) {
                self.mailbox.want_row(id);
            }
        }
    }

    /// Notes whether something of it is missing.
    pub(super) fn look_after(&mut self, id: ConversationId) {
        if self.conversations.get(&id).is_some_and(|conversation| conversation.is_behind()) {
            self.pulls.wanting.insert(id);
        } else {
            self.pulls.wanting.remove(&id);
        }
    }

    pub(super) fn load_older(&mut self, cx: &mut Step<'_>, id: ConversationId, limit: u32, call: CallId) {
        let at_beginning = self.is_at_beginning(id);
        let waiting = self.pulls.older.get(&id).map_or(0, Vec::len);
        let answer = match () {
            () if !self.link.is_live() => Err(CallError::Offline),
            () if at_beginning => Ok(Body::Done(v1::Done {})),
            () if waiting >= OLDER_MAX => Err(CallError::Busy),
            () => return self.pulls.older.entry(id).or_default().push((call, limit)),
        };
        cx.effect(Effect::Answer { call, answer });
    }

    /// There is nothing older than what is kept. Of what is not known here that is certain only once all is synced.
    fn is_at_beginning(&self, id: ConversationId) -> bool {
        match self.conversations.get(&id).map(|known| &known.kept) {
            Some(kept) if kept.low > 0 => kept.low == 1,
            Some(kept) if kept.session.head > 0 => false,
            _ => self.mailbox.is_settled(),
        }
    }

    pub(super) fn go_on_pulling(&mut self, cx: &mut Step<'_>) {
        if !self.pulls.older.is_empty() && self.mailbox.is_settled() {
            let waited_for = self.pulls.older.keys().copied().collect::<Vec<_>>();
            for id in waited_for {
                if self.is_at_beginning(id) {
                    self.answer_older(cx, id, StretchKind::Older);
                }
            }
        }
        while self.pulls.in_flight.len() < IN_FLIGHT_MAX && self.pulls.blocked_until <= cx.now {
            let Some((id, stretch)) = self.next_pull() else { return };
            self.pulls.in_flight.insert(id);
            let (after, before, limit) = (stretch.after, stretch.before, stretch.limit);
            let pull = v1::Pull { conversation_id: id.to_string(), after, before, limit };
            self.transmit(cx, Request::Pull(pull), Asked::Pull(id, stretch));
        }
    }

    fn next_pull(&self) -> Option<(ConversationId, Stretch)> {
        let open = self.pulls.open.into_iter();
        let mut first = open.chain(self.pulls.older.keys().copied()).filter(|id| !self.pulls.in_flight.contains(id));
        if let Some(found) = first.find_map(|id| Some((id, self.pull_of(id)?))) {
            return Some(found);
        }
        let idle = self.pulls.wanting.iter().copied().filter(|id| !self.pulls.in_flight.contains(id));
        let recent = idle.max_by_key(|id| {
            let known = self.conversations.get(id);
            known.and_then(|known| known.kept.session.last.as_ref()).map_or(0, |last| last.server_time_ms)
        })?;
        Some((recent, self.pull_of(recent)?))
    }

    /// What is missing goes before what is older.
    fn pull_of(&self, id: ConversationId) -> Option<Stretch> {
        let conversation = self.conversations.get(&id)?;
        let older = || conversation.older(self.pulls.older.get(&id)?.iter().map(|(_, limit)| *limit).max()?);
        conversation.missing(&self.config.policy).or_else(older)
    }

    pub(super) fn pulled(&mut self, cx: &mut Step<'_>, id: ConversationId, asked: Stretch, mut answer: v1::Messages) {
        keep_what_was_asked(id, asked, &mut answer);
        if answer.messages.is_empty() && answer.more {
            // There are more than none: following such an answer would lead nowhere, and at once again.
            let refusal = Refusal::internal("the answer to a pull is empty and yet not the last");
            return self.pull_refused(cx, id, asked, refusal);
        }
        self.pulls.in_flight.remove(&id);
        self.pulls.backoff.reset();
        // An own message in the log counts as acknowledged.
        for message in &answer.messages {
            self.seen_in_log(cx, message);
        }
        let me = self.me();
        if asked.kind == StretchKind::Older {
            if self.conversation(id).prepend(asked, &answer) {
                let older = answer.messages.into_iter().map(Arc::new).collect();
                cx.keep(Change::Messages(older));
            }
        } else {
            let placed = self.conversation(id).fill(asked, &mut answer, me);
            self.present(cx, id, placed);
        }
        self.answer_older(cx, id, asked.kind);
    }

    /// Those who wait for the past get it with any answer that brought it, and at the beginning there is none.
    fn answer_older(&mut self, cx: &mut Step<'_>, id: ConversationId, kind: StretchKind) {
        let at_beginning = self.conversations.get(&id).is_none_or(|known| known.kept.low == 1);
        if kind == StretchKind::Forward && !at_beginning {
            return;
        }
        for (call, _) in self.pulls.older.remove(&id).unwrap_or_default() {
            cx.effect(Effect::Answer { call, answer: Ok(Body::Done(v1::Done {})) });
        }
    }

    /// Keeps and shows what is new of a conversation.
    pub(super) fn present(&mut self, cx: &mut Step<'_>, id: ConversationId, placed: Placed) {
        if placed.reset {
            cx.keep(Change::DropMessages(id));
            cx.effect(Effect::Reset(id));
        }
        if !placed.shown.is_empty() {
            cx.keep(Change::Messages(placed.shown.clone()));
            self.marks.due(id);
        }
        for message in placed.shown {
            cx.effect(Effect::Show(message));
        }
        self.follow_receipts(cx, id);
        self.look_after(id);
    }

    pub(super) fn message_pushed(&mut self, cx: &mut Step<'_>, event: v1::MessageEvent) {
        let Some(message) = event.message.filter(|message| message.server_msg_id > 0) else { return };
        let Ok(id) = message.conversation_id.parse() else { return };
        self.seen_in_log(cx, &message);
        let me = self.me();
        let placed = self.conversation(id).place(Arc::new(message), me);
        self.present(cx, id, placed);
        self.note_change_of(cx, id, event.mailbox_seq);
    }

    pub(super) fn pull_refused(&mut self, cx: &mut Step<'_>, id: ConversationId, asked: Stretch, error: Refusal) {
        self.pulls.in_flight.remove(&id);
        if error.retry() != Retry::No {
            let wait = self.pulls.backoff.next_ms(&mut self.rng).max(error.retry_after_ms.into());
            self.pulls.blocked_until = cx.now + wait;
            self.timers.insert((cx.now + wait, Timer::Pulls));
            return;
        }
        // Nothing of it may be seen: what is kept stays, and what was told of its head is not waited for.
        if asked.kind != StretchKind::Older {
            self.conversation(id).give_up();
            self.look_after(id);
        }
        for (call, _) in self.pulls.older.remove(&id).unwrap_or_default() {
            cx.effect(Effect::Answer { call, answer: Err(CallError::Refused(error.clone())) });
        }
    }

    pub(super) fn ground_pulls(&mut self, cx: &mut Step<'_>) {
        self.pulls.in_flight.clear();
        self.pulls.blocked_until = 0;
        for (call, _) in std::mem::take(&mut self.pulls.older).into_values().flatten() {
            cx.effect(Effect::Answer { call, answer: Err(CallError::Lost) });
        }
    }
}

/// Drops what was not asked for, whatever made the server send it.
fn keep_what_was_asked(id: ConversationId, asked: Stretch, answer: &mut v1::Messages) {
    let name = id.to_string();
    let is_asked = |at: u64| at > asked.after.unwrap_or(0) && (asked.before == 0 || at < asked.before);
    answer.messages.retain(|message| is_asked(message.server_msg_id) && message.conversation_id == name);
}
