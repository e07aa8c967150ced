//! Who is connected to this node: user -> connections. Pushing never waits.
//!
//! Events enter, each encoded once a framing; bytes leave into outboxes. It knows no sockets, which is why a push can be
//! measured by itself (`benches/fanout.rs`).

mod online;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
};

use anser_proto::{CloseCode, UserId};
use tokio::time::Instant;

use self::online::Online;
use crate::{
    accepted::{Accepted, ConnId},
    budget::{Budget, Budgets},
    cluster::{
        Directory, NodeId,
        envelope::{LoginsOver, Present, PresentDevice},
    },
    config::Limits,
    event::Event,
    framing::Framing,
    nickname::Nickname,
    outbox::{Outbox, Wave},
};

pub struct Hub {
    /// By user id: a push to one user does not wait for a push to another.
    shards: [Mutex<HashMap<UserId, Online>>; SHARDS],
    /// The youngest connection.
    last: Mutex<Accepted>,
    /// Users who are connected.
    online: AtomicUsize,
    /// Beyond it the oldest of a user's is kicked.
    devices_per_user_max: usize,
    /// Is told who comes and goes, in that order, so that other nodes know where they are.
    directory: Arc<dyn Directory>,
    budgets: Budgets,
}

const SHARDS: usize = 64;

/// A connection that wants to be told what concerns its user.
pub struct Newcomer {
    pub accepted: Accepted,
    pub user: UserId,
    pub device_id: Arc<str>,
    pub framing: Framing,
    pub outbox: Arc<Outbox>,
}

/// Connections of a user that shall end.
pub struct Doomed<'a> {
    pub user: UserId,
    /// None: of all devices.
    pub device_id: Option<&'a str>,
    /// This one and younger ones stay.
    pub before: Accepted,
}

impl Hub {
    pub fn new(limits: &Limits, directory: Arc<dyn Directory>) -> Self {
        let shards = std::array::from_fn(|_| Mutex::default());
        let first_conn = (u64::from(rand::random::<u32>()) << 31) + 1;
        let devices_per_user_max = limits.devices_per_user.max(1) as usize;
        let last = Mutex::new(Accepted { at_ms: 0, conn: ConnId(first_conn) });
        let budgets = Budgets::new(limits, Instant::now());
        Self { shards, last, online: AtomicUsize::new(0), devices_per_user_max, directory, budgets }
    }

    /// A connection was accepted now. It is younger than all before it, also when the clock goes back.
    pub fn accept(&self, now_ms: u64) -> Accepted {
        let mut last = self.last.lock().expect("nothing panics while holding it");
        *last = Accepted { at_ms: last.at_ms.max(now_ms), conn: ConnId(last.conn.0 + 1) };
        *last
    }

    /// From now on pushes to the user reach this outbox. It takes nobody's place before it has logged in, which may still fail.
    pub fn attach(self: &Arc<Self>, newcomer: Newcomer) -> Connected {
        let (user, conn) = (newcomer.user, newcomer.accepted.conn);
        let mut shard = self.shard(user);
        self.directory.attach(user);
        let online = shard.entry(user).or_insert_with(|| {
            self.online.fetch_add(1, Ordering::Relaxed);
            Online::new(self.budgets.of(user))
        });
        online.attach(newcomer);
        let (nickname, budget) = (Arc::clone(&online.nickname), Arc::clone(&online.budget));
        Connected { hub: Arc::clone(self), user, conn, nickname, budget, login_version: 0 }
    }

    /// Puts the event into the outboxes of all connections of the user but `except`; tells how many.
    pub fn push(&self, wave: &mut Wave, user: UserId, except: Option<ConnId>, event: &Event) -> usize {
        self.shard(user).get(&user).map_or(0, |online| online.push(wave, except, event))
    }

    /// Bytes that large answers hold now.
    pub fn large_answers(&self) -> usize {
        self.budgets.large_answers()
    }

    /// How many users are connected.
    pub fn online(&self) -> usize {
        self.online.load(Ordering::Relaxed)
    }

    /// Who is connected, one after the other; who comes or goes meanwhile may be among them or not.
    pub fn users(&self) -> Vec<UserId> {
        let mut users = Vec::with_capacity(self.online());
        for shard in &self.shards {
            users.extend(shard.lock().expect("nothing panics while holding it").keys());
        }
        users
    }

    /// Whether the user has a connection other than `except`, which may have ended meanwhile.
    pub fn has_other(&self, user: UserId, except: Option<ConnId>) -> bool {
        self.shard(user).get(&user).is_some_and(|online| online.has_other(except))
    }

    /// Ends connections of a user: from now on they are told nothing and counted no more.
    pub fn kick(&self, doomed: &Doomed<'_>, code: CloseCode) {
        if let Some(online) = self.shard(doomed.user).get_mut(&doomed.user) {
            online.kick(doomed, code);
        }
    }

    /// Ends connections whose logins are over. Of a login that is under way it shows when it is done.
    pub fn end_logins(&self, over: &LoginsOver) {
        if let Some(online) = self.shard(over.user).get_mut(&over.user) {
            online.end_logins(over);
        }
    }

    /// Whether the user has a connection here whose login began under an earlier version.
    pub fn has_login_before(&self, user: UserId, login_version: u64) -> bool {
        self.shard(user).get(&user).is_some_and(|online| online.has_login_before(login_version))
    }

    /// Has all connections of the user told to sync.
    pub fn lag(&self, user: UserId) {
        if let Some(online) = self.shard(user).get(&user) {
            online.lag();
        }
    }

    /// The user's devices that are connected to this node.
    pub fn devices(&self, user: UserId) -> Vec<PresentDevice> {
        self.shard(user).get(&user).map(Online::devices).unwrap_or_default()
    }

    /// Another node answered which devices of the user it has. If they have more on all nodes than they may: connections that are
    /// older than this one must end. An answer to an earlier kick says nothing of what is now.
    pub fn count_elsewhere(&self, node: NodeId, present: Present) -> Option<Accepted> {
        let user = present.user;
        self.shard(user).get_mut(&user)?.count_elsewhere(node, present, self.devices_per_user_max)
    }

    /// None if they are not connected to this node.
    pub fn nickname(&self, user: UserId) -> Option<Arc<Nickname>> {
        self.shard(user).get(&user).map(|online| Arc::clone(&online.nickname))
    }

    /// On all connections of the user; see [`Nickname::set`].
    pub fn rename(&self, user: UserId, nickname: &Arc<str>, mailbox_seq: u64) {
        if let Some(online) = self.shard(user).get(&user) {
            online.nickname.set(nickname, mailbox_seq);
        }
    }

    fn shard(&self, user: UserId) -> MutexGuard<'_, HashMap<UserId, Online>> {
        // The low bits of a Snowflake count on, so neighbours in time fall apart.
        let index = usize::try_from(user.0 % SHARDS as u64).expect("below the number of shards");
        self.shards[index].lock().expect("nothing panics while holding it")
    }
}

/// A connection that the hub knows, until this is dropped.
pub struct Connected {
    hub: Arc<Hub>,
    pub user: UserId,
    pub conn: ConnId,
    pub nickname: Arc<Nickname>,
    pub budget: Arc<Budget>,
    pub login_version: u64,
}

impl Connected {
    /// The login is done, and bears the version that was the user's when it began; older connections make way. False when it is over
    /// already or has to make way itself. `kick_id` is that of the kick which tells the other nodes, who are asked anew.
    pub fn log_in(&mut self, login_version: u64, kick_id: u64) -> bool {
        self.login_version = login_version;
        let (conn, devices_max) = (self.conn, self.hub.devices_per_user_max);
        let mut shard = self.hub.shard(self.user);
        shard.get_mut(&self.user).is_some_and(|online| online.log_in(conn, login_version, kick_id, devices_max))
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        let mut shard = self.hub.shard(self.user);
        if let Some(online) = shard.get_mut(&self.user)
            && online.detach(self.conn)
        {
            self.hub.budgets.remember(self.user, &online.budget);
            shard.remove(&self.user);
            self.hub.online.fetch_sub(1, Ordering::Relaxed);
            self.hub.directory.detach(self.user);
        }
    }
}

#[cfg(test)]
mod tests;
