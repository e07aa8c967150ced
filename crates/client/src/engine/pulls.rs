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
    changes::is_pin,
    conversation::{Placed, Stretch, StretchKind},
    page::Page,
    requests::Asked,
};
use crate::view::Refusal;

const IN_FLIGHT_MAX: usize = 4;
/// Callers that wait for the past of one conversation.
const OLDER_MAX: usize = 64;
/// How long a push that follows an answer may take, in milliseconds.
const PUSH_PATIENCE_MS: u64 = 300;

#[derive(Default)]
pub(super) struct Pulls {
    /// Conversations with something missing.
    wanting: BTreeSet<ConversationId>,
    in_flight: BTreeSet<ConversationId>,
    /// What the user looks at.
    open: Option<ConversationId>,
    /// What an own change came to is about to be pushed: until when that is waited for, and with which head.
    awaited: BTreeMap<ConversationId, (u64, u64)>,
    /// Who waits for older messages, and how many.
    older: BTreeMap<ConversationId, Vec<(CallId, u32)>>,
    blocked_until: u64,
    backoff: Backoff,
}

impl Pulls {
    pub(super) fn open(&mut self, conversation: ConversationId) {
        self.open = Some(conversation);
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
            self.pulls.awaited.remove(&id);
        }
    }

    /// Nothing new is missing; the past that somebody waits for is not counted.
    pub(super) fn has_pulled_all(&self) -> bool {
        self.pulls.wanting.is_empty()
    }

    /// All that is missing are pushes that are on their way.
    pub(super) fn awaits_pushes_only(&self, now: u64) -> bool {
        self.pulls.wanting.iter().all(|id| self.awaits_push(*id, now))
    }

    /// An own change is stored at this place; `is_new`: only now, so that a push follows.
    pub(super) fn change_stored(&mut self, cx: &mut Step<'_>, id: ConversationId, at: u64, is_new: bool) {
        let conversation = self.conversation(id);
        let was_whole = !conversation.is_behind();
        conversation.log_reaches(at);
        self.look_after(id);
        if was_whole && is_new {
            let until = cx.now + PUSH_PATIENCE_MS;
            self.pulls.awaited.insert(id, (until, at));
            self.timers.insert((until, Timer::Pulls));
        }
    }

    /// All that is missing is an own change, and it has time to come by itself.
    fn awaits_push(&self, id: ConversationId, now: u64) -> bool {
        let head = self.conversations.get(&id).map_or(0, |known| known.kept.session.head);
        self.pulls.awaited.get(&id).is_some_and(|(until, at)| *at == head && now < *until)
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
            let Some((id, stretch)) = self.next_pull(cx.now) else { return };
            self.pulls.in_flight.insert(id);
            let (after, before, limit) = (stretch.after, stretch.before, stretch.limit);
            let pull = v1::Pull { conversation_id: id.to_string(), after, before, limit };
            self.transmit(cx, Request::Pull(pull), Asked::Pull(id, stretch));
        }
    }

    fn next_pull(&self, now: u64) -> Option<(ConversationId, Stretch)> {
        let open = self.pulls.open.into_iter();
        let mut first = open.chain(self.pulls.older.keys().copied()).filter(|id| !self.pulls.in_flight.contains(id));
        if let Some(found) = first.find_map(|id| Some((id, self.pull_of(id, now)?))) {
            return Some(found);
        }
        let is_idle = |id: &ConversationId| !self.pulls.in_flight.contains(id) && !self.awaits_push(*id, now);
        let idle = self.pulls.wanting.iter().copied().filter(is_idle);
        let recent = idle.max_by_key(|id| {
            let known = self.conversations.get(id);
            known.and_then(|known| known.kept.session.last.as_ref()).map_or(0, |last| last.server_time_ms)
        })?;
        Some((recent, self.pull_of(recent, now)?))
    }

    /// What is missing goes before what is older.
    fn pull_of(&self, id: ConversationId, now: u64) -> Option<Stretch> {
        let conversation = self.conversations.get(&id)?;
        let older = || conversation.older(self.pulls.older.get(&id)?.iter().map(|(_, limit)| *limit).max()?);
        let missing = conversation.missing(&self.config.policy).filter(|_| !self.awaits_push(id, now));
        missing.or_else(older)
    }

    pub(super) fn pulled(&mut self, cx: &mut Step<'_>, id: ConversationId, asked: Stretch, answer: v1::Messages) {
        if !answer.nicknames.is_empty() {
            cx.effect(Effect::Nicknames(id, answer.nicknames.clone()));
        }
        let page = Page::new(id, asked.after, asked.before, answer);
        let is_late = asked.kind == StretchKind::Older && self.conversation(id).is_late(&page);
        if page.is_stuck() || is_late {
            let what = if is_late { "is older than what was told" } else { "covers nothing and yet is not the last" };
            let refusal = Refusal::internal(format!("the answer to a pull {what}"));
            return self.pull_refused(cx, id, asked, refusal);
        }
        self.pulls.in_flight.remove(&id);
        self.pulls.backoff.reset();
        // An own message in the log counts as acknowledged.
        for message in &page.messages {
            self.seen_in_log(cx, message);
        }
        let me = self.me();
        if asked.kind == StretchKind::Older {
            if self.conversation(id).prepend(asked, &page, me) {
                cx.keep(Change::Messages(page.messages));
            }
        } else {
            let placed = self.conversation(id).fill(asked, page, me);
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
        if let Some(before) = placed.dropped_before {
            cx.keep(Change::DropMessages { conversation: id, before });
            cx.effect(Effect::Reset(id));
        }
        if !placed.shown.is_empty() {
            cx.keep(Change::Messages(placed.shown.clone()));
        }
        if !placed.changed.is_empty() {
            cx.keep(Change::Changed(placed.changed.clone()));
        }
        self.marks.due(id);
        let shown = placed.shown.into_iter().map(Effect::Show);
        let changed = placed.changed.into_iter().map(Effect::Changed);
        shown.chain(changed).for_each(|effect| cx.effect(effect));
        self.follow_receipts(cx, id);
        self.look_after(id);
    }

    pub(super) fn message_pushed(&mut self, cx: &mut Step<'_>, event: v1::MessageEvent) {
        let Some(message) = event.message.filter(|message| message.server_msg_id > 0) else { return };
        let Ok(id) = message.conversation_id.parse() else { return };
        self.seen_in_log(cx, &message);
        let (message, me) = (Arc::new(message), self.me());
        let placed = if is_pin(&message) {
            let is_ours = |changed: &v1::Message| changed.conversation_id == message.conversation_id;
            let changed = event.changed.into_iter().filter(is_ours).map(Arc::new).collect();
            self.conversation(id).place_pin(message, changed, me)
        } else {
            self.conversation(id).place(message, me)
        };
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
        self.pulls.awaited.clear();
        self.pulls.blocked_until = 0;
        for (call, _) in std::mem::take(&mut self.pulls.older).into_values().flatten() {
            cx.effect(Effect::Answer { call, answer: Err(CallError::Lost) });
        }
    }
}
