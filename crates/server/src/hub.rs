//! Who is connected to this node: user -> connections. Pushing never waits.
//!
//! Events enter, each encoded once a framing; bytes leave into outboxes. It knows no sockets, which is why a push can be
//! measured by itself (`benches/fanout.rs`).

mod online;
mod policy;

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use anser_proto::{CloseCode, UserId};
use anser_store::Logins;
use tokio::time::Instant;

pub use self::online::Crowd;
use self::{online::Online, policy::Policy};
use crate::{
    accepted::{Accepted, ConnId},
    budget::{Budget, Budgets},
    cluster::{
        Directory, NodeId,
        envelope::{LoginsOver, Present, PresentDevice},
    },
    config::{Devices, Limits},
    event::Event,
    framing::Framing,
    nickname::Nickname,
    outbox::{Outbox, Wave},
    presence::State,
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
    policy: Policy,
    /// Users who may be there otherwise than it was told last.
    changed: Mutex<HashSet<UserId>>,
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
    /// As in `anser.v1.Device.Platform`.
    pub platform: i32,
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
    pub fn new(limits: &Limits, devices: &Devices, directory: Arc<dyn Directory>) -> Self {
        let shards = std::array::from_fn(|_| Mutex::default());
        let first_conn = (u64::from(rand::random::<u32>()) << 31) + 1;
        let devices_per_user_max = limits.devices_per_user.max(1) as usize;
        let last = Mutex::new(Accepted { at_ms: 0, conn: ConnId(first_conn) });
        let budgets = Budgets::new(limits, Instant::now());
        let (online, policy) = (AtomicUsize::new(0), Policy::new(devices));
        Self { shards, last, online, devices_per_user_max, policy, changed: Mutex::default(), directory, budgets }
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
        Connected { hub: Arc::clone(self), user, conn, nickname, budget, login_version: Arc::default() }
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

    /// Ends connections whose logins are over. Of a login that is under way it shows when it is done. Tells whether some are left that began
    /// under an earlier version, and of which it is not known that they hold.
    pub fn end_logins(&self, over: &LoginsOver) -> bool {
        self.shard(over.user).get_mut(&over.user).is_some_and(|online| online.end_logins(over))
    }

    /// The same, by what the store says of all logins of the user. `code` is for those of which it is not a device that was revoked.
    pub fn settle_logins(&self, user: UserId, logins: &Logins, code: CloseCode) {
        if let Some(online) = self.shard(user).get_mut(&user) {
            online.settle_logins(logins, code);
        }
    }

    /// Whether the user has a connection here whose login began under an earlier version.
    pub fn has_login_before(&self, user: UserId, login_version: u64) -> bool {
        self.shard(user).get(&user).is_some_and(|online| online.has_login_before(login_version))
    }

    /// Users who may be there otherwise than when this was asked last.
    pub fn take_changed(&self) -> HashSet<UserId> {
        std::mem::take(&mut *self.changed.lock().expect("nothing panics while holding it"))
    }

    /// How the user is connected to this node, as others are shown it. None: not at all, or that is not shown.
    pub fn presence(&self, user: UserId) -> Option<State> {
        self.shard(user).get(&user)?.presence()
    }

    /// Whether the user is shown as offline, as far as this node knows.
    pub fn is_invisible(&self, user: UserId) -> bool {
        self.invisible(user).is_some_and(|(_, is)| is)
    }

    /// The same, and as of which change of their mailbox. None: they are not connected to this node.
    pub fn invisible(&self, user: UserId) -> Option<(u64, bool)> {
        self.shard(user).get(&user).map(Online::invisible)
    }

    /// As of a change of the user's mailbox.
    pub fn set_invisible(&self, user: UserId, is: bool, mailbox_seq: u64) {
        self.change(user, |online| online.set_invisible(is, mailbox_seq));
    }

    pub fn set_away(&self, user: UserId, conn: ConnId, is: bool) {
        self.change(user, |online| online.set_away(conn, is));
    }

    /// From now on the connection is told when contacts come and go.
    pub fn watch(&self, user: UserId, conn: ConnId) {
        if let Some(online) = self.shard(user).get_mut(&user) {
            online.watch(conn);
        }
    }

    /// Changes how the user is there, if they are.
    fn change(&self, user: UserId, change: impl FnOnce(&mut Online)) {
        if let Some(online) = self.shard(user).get_mut(&user) {
            change(online);
        }
        self.has_changed(user);
    }

    fn has_changed(&self, user: UserId) {
        self.changed.lock().expect("nothing panics while holding it").insert(user);
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

    /// Another node answered which devices of the user it has: whether they have more on all nodes than they may. An answer to an earlier kick
    /// says nothing of what is now.
    pub fn count_elsewhere(&self, node: NodeId, present: Present) -> Crowd {
        let (user, max) = (present.user, self.devices_per_user_max);
        let mut shard = self.shard(user);
        shard.get_mut(&user).map(|online| online.count_elsewhere(node, present, max, &self.policy)).unwrap_or_default()
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
    /// Goes up when other devices of the user are revoked.
    pub login_version: Arc<AtomicU64>,
}

impl Connected {
    /// The login is done, and bears the version that was the user's when it began; older connections make way. Why not, when it is over
    /// already or has to make way itself. `kick_id` is that of the kick which tells the other nodes, who are asked anew.
    pub fn log_in(&mut self, login_version: u64, kick_id: u64) -> Result<(), CloseCode> {
        self.login_version.store(login_version, Ordering::Relaxed);
        let (version, max) = (Arc::clone(&self.login_version), self.hub.devices_per_user_max);
        let mut shard = self.hub.shard(self.user);
        let online = shard.get_mut(&self.user).ok_or(CloseCode::Replaced)?;
        let logged_in = online.log_in(self.conn, version, kick_id, max, &self.hub.policy);
        drop(shard);
        self.hub.has_changed(self.user);
        logged_in
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
        drop(shard);
        self.hub.has_changed(self.user);
    }
}

#[cfg(test)]
mod tests;
