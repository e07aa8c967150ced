//! Writes that wait for a transaction, in the order in which they came, bounded in number and bytes.

use std::{
    collections::{HashSet, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anser_proto::ConversationId;
use tokio::{
    sync::{Notify, futures::Notified},
    time::Instant,
};

use crate::{
    Failure,
    verb::{Company, Write},
};

/// How far behind the first a write is looked for that may go with it.
const LOOK_MAX: usize = 4_000;
/// Bytes of the writes of one transaction. Bodies are written twice, and bytes that are no text take two characters each.
const GROUP_BYTES_MAX: usize = 3 << 20;

pub(super) struct Queue {
    state: Mutex<State>,
    changed: Notify,
    writes_max: usize,
    bytes_max: usize,
    /// Weight of one transaction, in messages; a write that is larger goes alone.
    messages_max: usize,
}

struct Waiting {
    write: Box<dyn Write>,
    conversations: Vec<ConversationId>,
    bytes: usize,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Waiting>,
    bytes: usize,
    /// Conversations of transactions under way.
    busy: HashSet<ConversationId>,
    closed: bool,
}

/// What goes into one transaction, and the conversations that it keeps others out of.
pub(super) struct Group {
    pub(super) writes: Vec<Box<dyn Write>>,
    /// When the first of them came.
    pub(super) since: Instant,
    conversations: HashSet<ConversationId>,
}

impl Queue {
    pub(super) fn new(writes_max: usize, bytes_max: usize, messages_max: usize) -> Self {
        let (state, changed) = (Mutex::default(), Notify::new());
        Self { state, changed, writes_max, bytes_max, messages_max }
    }

    pub(super) fn push(&self, write: Box<dyn Write>) -> Result<(), Failure> {
        let (bytes, conversations) = (write.bytes(), write.conversations());
        let mut state = self.state();
        if state.closed {
            return Err(Failure::Closed);
        }
        if state.waiting.len() >= self.writes_max || state.bytes.saturating_add(bytes) > self.bytes_max {
            return Err(Failure::Overloaded);
        }
        state.bytes += bytes;
        state.waiting.push_back(Waiting { write, conversations, bytes });
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    /// Writes that may be done in one transaction now. None concerns a conversation with which a transaction is under way,
    /// or for which an earlier write still waits: so each conversation's writes are done in their order. None: nothing may.
    pub(super) fn take(&self) -> Option<Group> {
        let mut state = self.state();
        let mut group = Group { writes: Vec::new(), since: Instant::now(), conversations: HashSet::new() };
        let (mut passed, mut blocked, mut subjects) = (Vec::new(), HashSet::new(), HashSet::new());
        let (mut weight, mut bytes) = (0, 0);
        while passed.len() < LOOK_MAX
            && let Some(next) = state.waiting.pop_front()
        {
            let write = &next.write;
            if !write.is_wanted() {
                state.bytes -= next.bytes;
                next.write.settle(Some(&Failure::Overloaded));
                continue;
            }
            let is_first = group.writes.is_empty();
            let fits =
                is_first || (weight + write.weight() <= self.messages_max && bytes + next.bytes <= GROUP_BYTES_MAX);
            let company = write.company();
            let is_welcome = match &company {
                Company::Everybody => true,
                Company::AllBut(subject) => !subjects.contains(subject),
                Company::Nobody => is_first,
            };
            let free = |one: &ConversationId| !state.busy.contains(one) && !blocked.contains(one);
            if fits && is_welcome && next.conversations.iter().all(free) {
                weight += write.weight();
                bytes += next.bytes;
                group.since = group.since.min(next.write.since());
                group.conversations.extend(next.conversations);
                group.writes.push(next.write);
                match company {
                    Company::Everybody => {}
                    Company::AllBut(subject) => _ = subjects.insert(subject),
                    Company::Nobody => break,
                }
                continue;
            }
            blocked.extend(next.conversations.iter().copied());
            passed.push(next);
            if !fits {
                break;
            }
        }
        for next in passed.into_iter().rev() {
            state.waiting.push_front(next);
        }
        state.bytes -= bytes;
        state.busy.extend(&group.conversations);
        (!group.writes.is_empty()).then_some(group)
    }

    /// Takes out what has waited for so long.
    pub(super) fn give_up(&self, after: Duration) -> Vec<Box<dyn Write>> {
        let mut state = self.state();
        let fresh =
            state.waiting.iter().position(|next| next.write.since().elapsed() < after).unwrap_or(state.waiting.len());
        let overdue: Vec<Waiting> = state.waiting.drain(..fresh).collect();
        state.bytes -= overdue.iter().map(|next| next.bytes).sum::<usize>();
        overdue.into_iter().map(|next| next.write).collect()
    }

    /// The transaction of the group is over.
    pub(super) fn done(&self, group: &mut Group) {
        let conversations = std::mem::take(&mut group.conversations);
        self.state().busy.retain(|one| !conversations.contains(one));
        self.changed.notify_one();
    }

    /// Something came, or a transaction ended, or the queue was closed. To be made before it is looked at.
    pub(super) fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }

    /// A writer is free again.
    pub(super) fn wake(&self) {
        self.changed.notify_one();
    }

    pub(super) fn close(&self) {
        self.state().closed = true;
        self.changed.notify_one();
    }

    pub(super) fn is_over(&self) -> bool {
        let state = self.state();
        state.closed && state.waiting.is_empty() && state.busy.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.state().waiting.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.state().bytes
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
