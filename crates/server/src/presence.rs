//! Who is there, on all nodes together, as far as this one was told; and what is shown of it.
//!
//! Each node says how its users are connected, when that changes and every [`REPEAT`]. What is shown changes at most once in [`DAMPED`], to what is
//! true then, so that whoever comes and goes a thousand times a second is told of as often as one who does so twice a minute. All of it is
//! a hint: lost with the process, and made anew by what the nodes say next. The time is handed in.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use anser_proto::UserId;
use tokio::time::Instant;

use crate::cluster::NodeId;

/// What is shown of a user changes no more often.
const DAMPED: Duration = Duration::from_secs(10);
/// Who has no connection any more is shown as offline after so long: they may be on their way to another one.
const GRACE: Duration = Duration::from_secs(30);
/// How often a node says again who is there.
pub const REPEAT: Duration = Duration::from_secs(20);
/// Of whom a node said nothing for so long, it has them no more: it is dead, or what it said was lost three times.
const FORGOTTEN: Duration = Duration::from_secs(60);
/// Of who stays, it is remembered so often that they were there.
const REMEMBERED: Duration = Duration::from_secs(3600);
/// Users who are known at most. Beyond, who comes is shown as offline: some 200 bytes each.
const USERS_MAX: usize = 1 << 20;

/// The better one is greater.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum State {
    Away,
    Active,
}

#[derive(Default)]
pub struct Board {
    users: HashMap<UserId, Entry>,
    /// When something may be to do about whom.
    due: BTreeSet<(Instant, UserId)>,
}

struct Entry {
    /// What nodes said last, and when.
    told: Vec<(NodeId, State, Instant)>,
    /// None: offline.
    shown: Option<State>,
    /// Since when.
    shown_at: Option<Instant>,
    /// When a node had them last that has them no more.
    left_at: Instant,
    /// When it was remembered last that they are there.
    remembered_at: Instant,
    due: Instant,
}

/// What has to be told, or remembered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Settled {
    /// None: offline.
    Shown(UserId, Option<State>),
    /// They were there at that time.
    Seen(UserId, Instant),
}

/// What is shown of who is there, on all nodes together.
#[derive(Default)]
pub struct Shown(Mutex<Board>);

impl Shown {
    /// What another node says of its users, now.
    pub fn take(&self, from: NodeId, users: &[(UserId, Option<State>)]) {
        self.tell(from, users, Instant::now());
    }

    /// What a node says of its users; see [`Board::tell`].
    pub fn tell(&self, node: NodeId, users: &[(UserId, Option<State>)], now: Instant) {
        let mut board = self.board();
        users.iter().for_each(|(user, state)| board.tell(node, *user, *state, now));
    }

    /// None: offline.
    pub fn of(&self, user: UserId) -> Option<State> {
        self.board().shown(user)
    }

    /// See [`Board::settle`].
    pub fn settle(&self, now: Instant) -> Vec<Settled> {
        self.board().settle(now)
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        self.0.lock().expect("nothing panics while holding it")
    }
}

impl Board {
    /// What is shown of the user. None: offline.
    pub fn shown(&self, user: UserId) -> Option<State> {
        self.users.get(&user)?.shown
    }

    /// A node says how a user is connected to it now. None: not at all, or nobody is to know.
    pub fn tell(&mut self, node: NodeId, user: UserId, state: Option<State>, now: Instant) {
        if !self.users.contains_key(&user) && (state.is_none() || self.users.len() >= USERS_MAX) {
            return;
        }
        let entry = self.users.entry(user).or_insert_with(|| Entry::new(now));
        let before = entry.told.len();
        entry.told.retain(|(known, ..)| *known != node);
        match state {
            Some(state) => entry.told.push((node, state, now)),
            None if before > entry.told.len() => entry.left_at = now,
            None => {}
        }
        let due = entry.next(now);
        if due < entry.due {
            self.due.remove(&(entry.due, user));
            entry.due = due;
        }
        self.due.insert((entry.due, user));
    }

    /// What is to be shown otherwise, or remembered, by now.
    pub fn settle(&mut self, now: Instant) -> Vec<Settled> {
        let mut settled = Vec::new();
        while let Some((due, user)) = self.due.first().copied().filter(|(due, _)| *due <= now) {
            self.due.remove(&(due, user));
            let Some(entry) = self.users.get_mut(&user) else { continue };
            entry.settle(user, now, &mut settled);
            if entry.is_over(now) {
                self.users.remove(&user);
                continue;
            }
            entry.due = entry.next(now);
            self.due.insert((entry.due, user));
        }
        settled
    }
}

impl Entry {
    fn new(now: Instant) -> Self {
        Self { told: Vec::new(), shown: None, shown_at: None, left_at: now, remembered_at: now, due: now }
    }

    fn present(&self) -> Option<State> {
        self.told.iter().map(|(_, state, _)| *state).max()
    }

    /// When the next look is due.
    fn next(&self, now: Instant) -> Instant {
        let may_change = self.shown_at.map_or(now, |at| at + DAMPED);
        let look = match self.present() {
            None if self.shown.is_none() => may_change,
            None => may_change.max(self.left_at + GRACE),
            Some(_) => {
                let oldest = self.told.iter().map(|(.., at)| *at).min().unwrap_or(now) + FORGOTTEN;
                let quiet = oldest.min(self.remembered_at + REMEMBERED);
                if self.present() == self.shown { quiet } else { may_change.min(quiet) }
            }
        };
        look.max(now)
    }

    fn settle(&mut self, user: UserId, now: Instant, settled: &mut Vec<Settled>) {
        for (.., at) in self.told.extract_if(.., |(.., at)| *at + FORGOTTEN <= now) {
            self.left_at = self.left_at.max(at);
        }
        let present = self.present();
        let may_change = self.shown_at.is_none_or(|at| at + DAMPED <= now);
        let is_gone = present.is_none() && self.left_at + GRACE <= now;
        if present != self.shown && may_change && (present.is_some() || is_gone) {
            (self.shown, self.shown_at) = (present, Some(now));
            settled.push(Settled::Shown(user, present));
            if is_gone {
                settled.push(Settled::Seen(user, self.left_at));
            }
        }
        if present.is_some() && self.remembered_at + REMEMBERED <= now {
            self.remembered_at = now;
            settled.push(Settled::Seen(user, now));
        }
    }

    /// Nothing is to be known of them any more.
    fn is_over(&self, now: Instant) -> bool {
        self.told.is_empty() && self.shown.is_none() && self.shown_at.is_none_or(|at| at + DAMPED <= now)
    }
}

#[cfg(test)]
mod tests;
