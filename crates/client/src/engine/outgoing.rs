//! What this device wants to say and to change: a queue for each conversation, in the order in which it was sent (P4).
//! Knows no connection; the engine transmits what [`Outgoing::next`] hands out and tells what became of it.
//!
//! Rules:
//! - A message is saved before it is transmitted, and every attempt bears the same `client_msg_id`.
//! - Several are on their way at once, within windows. When one fails for now, it and everything behind it in its
//!   conversation waits until all of those on their way are answered and the time has come; then they go again, first to last.
//! - After a connection is lost, all that were not acknowledged go again, first to last.
//! - When the server says that the user is too fast, all conversations wait as long as it says. Then one message is on its way,
//!   and one more with each that is stored: what goes out too early costs as much as what is stored, and whoever goes on with it is
//!   cut off.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

use anser_proto::ConversationId;

use super::{
    act::{MessageKey, Queued},
    backoff::Backoff,
    terms::Fate,
};

/// Messages that may wait, and bytes of their bodies.
pub(super) const OUTGOING_MAX: usize = 10_000;
const OUTGOING_BYTES_MAX: usize = 64 * 1024 * 1024;
/// On their way at once: of one conversation, of all, and bytes of all.
const LANE_WINDOW: usize = 32;
const WINDOW: usize = 256;
const WINDOW_BYTES: usize = 1024 * 1024;

/// How much may be on its way, as far as the server lets it be known.
struct Pace {
    window: usize,
    /// Nothing is transmitted before this time.
    paused_until: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Self { window: WINDOW, paused_until: 0 }
    }
}

#[derive(Default)]
pub(super) struct Outgoing {
    lanes: BTreeMap<ConversationId, Lane>,
    /// What the lanes hold.
    known: HashMap<MessageKey, Arc<Queued>>,
    /// Lanes that may have something to transmit.
    ready: BTreeSet<ConversationId>,
    bytes: usize,
    flying: usize,
    flying_bytes: usize,
    pace: Pace,
}

#[derive(Default)]
struct Lane {
    entries: VecDeque<Entry>,
    flying: usize,
    /// Nothing is transmitted before this time, and before all that fly have landed.
    blocked_until: Option<u64>,
    backoff: Backoff,
}

struct Entry {
    queued: Arc<Queued>,
    /// The request that carries it now.
    request_id: Option<u32>,
    /// It failed for now on this connection: the server takes nothing behind it before it came again.
    failed: bool,
    /// Of an attempt before the present one it is not known whether it was stored.
    doubtful: bool,
}

impl Lane {
    fn take_off(&mut self, request_id: u32) -> Option<Arc<Queued>> {
        if self.blocked_until.is_some() || self.flying >= LANE_WINDOW {
            return None;
        }
        // In a lane that is not blocked those that fly are the first ones.
        let entry = self.entries.get_mut(self.flying)?;
        entry.request_id = Some(request_id);
        self.flying += 1;
        Some(entry.queued.clone())
    }
}

impl Outgoing {
    pub(super) fn get(&self, key: &MessageKey) -> Option<&Arc<Queued>> {
        self.known.get(key)
    }

    /// It is on its way: a request carries it.
    pub(super) fn flies(&self, key: &MessageKey) -> bool {
        self.entry(key).is_some_and(|entry| entry.request_id.is_some())
    }

    /// This request carries it.
    pub(super) fn is_carried_by(&self, key: &MessageKey, request_id: u32) -> bool {
        self.entry(key).is_some_and(|entry| entry.request_id == Some(request_id))
    }

    /// What is known of one that waits; none waits if there is no answer.
    pub(super) fn fate(&self, key: &MessageKey) -> Option<Fate> {
        let entry = self.entry(key)?;
        let is_certain = !entry.doubtful && entry.request_id.is_none();
        Some(if is_certain { Fate::NotStored } else { Fate::Unknown })
    }

    /// It may have been stored by an attempt before the present one.
    pub(super) fn is_doubtful(&self, key: &MessageKey) -> bool {
        self.entry(key).is_some_and(|entry| entry.doubtful)
    }

    /// The server takes nothing behind it on this connection before it came again.
    pub(super) fn is_awaited(&self, key: &MessageKey) -> bool {
        self.entry(key).is_some_and(|entry| entry.failed)
    }

    fn entry(&self, key: &MessageKey) -> Option<&Entry> {
        let lane = self.lanes.get(&key.conversation).filter(|_| self.known.contains_key(key))?;
        lane.entries.iter().find(|entry| entry.queued.client_msg_id == key.client_msg_id)
    }

    /// Room for one more.
    pub(super) fn takes(&self, body_bytes: usize) -> bool {
        self.known.len() < OUTGOING_MAX && self.bytes + body_bytes <= OUTGOING_BYTES_MAX
    }

    pub(super) fn push(&mut self, queued: Arc<Queued>) {
        let conversation = queued.conversation;
        self.bytes += queued.act.body_bytes();
        self.known.insert(queued.key(), queued.clone());
        let doubtful = queued.transmitted;
        let entry = Entry { queued, request_id: None, failed: false, doubtful };
        self.lanes.entry(conversation).or_default().entries.push_back(entry);
        self.ready.insert(conversation);
    }

    /// The next message that may be transmitted; it flies with `request_id` from now on.
    pub(super) fn next(&mut self, request_id: u32, now: u64) -> Option<Arc<Queued>> {
        if now < self.pace.paused_until || self.flying >= self.pace.window || self.flying_bytes >= WINDOW_BYTES {
            return None;
        }
        while let Some(conversation) = self.ready.first().copied() {
            if let Some(queued) = self.lanes.get_mut(&conversation).and_then(|lane| lane.take_off(request_id)) {
                self.flying += 1;
                self.flying_bytes += queued.act.body_bytes();
                return Some(queued);
            }
            self.ready.remove(&conversation);
        }
        None
    }

    /// The user is too fast for the server, until then.
    pub(super) fn slow_down(&mut self, until: u64) {
        self.pace = Pace { window: 1, paused_until: self.pace.paused_until.max(until) };
    }

    /// One more was stored.
    pub(super) fn speed_up(&mut self) {
        self.pace.window = WINDOW.min(self.pace.window + 1);
    }

    /// It is stored, or refused for ever: takes it out of the queue.
    pub(super) fn remove(&mut self, key: &MessageKey) -> Option<Arc<Queued>> {
        self.known.remove(key)?;
        let conversation = key.conversation;
        let lane = self.lanes.get_mut(&conversation)?;
        let at = lane.entries.iter().position(|entry| entry.queued.client_msg_id == key.client_msg_id)?;
        let entry = lane.entries.remove(at)?;
        let bytes = entry.queued.act.body_bytes();
        self.bytes -= bytes;
        if entry.request_id.is_some() {
            lane.flying -= 1;
            self.flying -= 1;
            self.flying_bytes -= bytes;
        }
        lane.backoff.reset();
        if lane.entries.is_empty() && lane.blocked_until.is_none() {
            self.lanes.remove(&conversation);
        } else {
            self.ready.insert(conversation);
        }
        Some(entry.queued)
    }

    /// It was seen in the log: as good as acknowledged, unless the server waits for it to come again, or may say so in the
    /// answer that is on its way. Taken out of the queue, it could not come again, and all behind it would be refused.
    pub(super) fn remove_seen(&mut self, key: &MessageKey) -> Option<Arc<Queued>> {
        let entry = self.entry(key)?;
        let awaited = entry.failed || entry.request_id.is_some();
        if awaited { None } else { self.remove(key) }
    }

    /// It failed for now, `doubtful` if it may be stored all the same. Tells the wait of this lane when it is the first failure: `wait` draws it.
    pub(super) fn land(
        &mut self,
        conversation: ConversationId,
        request_id: u32,
        doubtful: bool,
        wait: impl FnOnce(&mut Backoff) -> u64,
    ) -> Option<u64> {
        let lane = self.lanes.get_mut(&conversation)?;
        let entry = lane.entries.iter_mut().find(|entry| entry.request_id == Some(request_id))?;
        entry.request_id = None;
        entry.failed = true;
        entry.doubtful |= doubtful;
        lane.flying -= 1;
        self.flying -= 1;
        self.flying_bytes -= entry.queued.act.body_bytes();
        let first = lane.blocked_until.is_none();
        let until = first.then(|| wait(&mut lane.backoff));
        lane.blocked_until = until.or(lane.blocked_until);
        until
    }

    /// Lets a lane go on whose time has come, once nothing of it flies.
    pub(super) fn unblock(&mut self, conversation: ConversationId, now: u64) {
        let Some(lane) = self.lanes.get_mut(&conversation) else { return };
        if lane.flying == 0 && lane.blocked_until.is_some_and(|until| until <= now) {
            lane.blocked_until = None;
            self.ready.insert(conversation);
            if lane.entries.is_empty() {
                self.lanes.remove(&conversation);
            }
        }
    }

    /// The connection is lost: nothing flies any more, and lanes whose time has come wait for nothing else.
    pub(super) fn ground(&mut self, now: u64) {
        for (conversation, lane) in &mut self.lanes {
            lane.flying = 0;
            lane.blocked_until = lane.blocked_until.filter(|until| *until > now);
            for entry in &mut lane.entries {
                entry.doubtful |= entry.request_id.take().is_some();
                entry.failed = false;
            }
            self.ready.insert(*conversation);
        }
        (self.flying, self.flying_bytes) = (0, 0);
    }
}
