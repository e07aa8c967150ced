//! Who is connected to this node: user -> connections. Pushing never waits.
//!
//! Events enter, each encoded once a framing; bytes leave into outboxes. It knows no sockets, which is why a push can be
//! measured by itself (`benches/fanout.rs`).

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
};

use anser_proto::{CloseCode, UserId};
use tokio::time::Instant;

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
    outbox::Outbox,
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

/// A user who is connected.
struct Online {
    nickname: Arc<Nickname>,
    budget: Arc<Budget>,
    attached: Vec<Attached>,
    /// Logins that began under an earlier version are over, as far as this node was told.
    login_version: u64,
    /// The kick that told the other nodes of the device that came here last. They answer which ones they have.
    asked: u64,
    /// Their devices on other nodes, as those nodes answered.
    elsewhere: Vec<(NodeId, Vec<PresentDevice>)>,
}

struct Attached {
    accepted: Accepted,
    device_id: Arc<str>,
    framing: Framing,
    outbox: Arc<Outbox>,
    /// None while the login is under way.
    login_version: Option<u64>,
}

impl Online {
    fn devices(&self) -> Vec<PresentDevice> {
        let device = |attached: &Attached| PresentDevice {
            device_id: Arc::clone(&attached.device_id),
            accepted: attached.accepted,
        };
        self.attached.iter().filter(|attached| attached.login_version.is_some()).map(device).collect()
    }

    /// One has just logged in. Of two connections of one device the older is kicked: it may be dead without knowing it, and two
    /// would take each other's place in the sender's order. That is the one which was accepted first, also when its login took
    /// longer than the younger one's: else a client that gave up waiting and came again would be thrown out by its own past.
    fn make_way(&mut self, devices_max: usize) {
        let mut last: HashMap<Arc<str>, Accepted> = HashMap::new();
        for PresentDevice { device_id, accepted } in self.devices() {
            let newest = last.entry(device_id).or_insert(accepted);
            *newest = accepted.max(*newest);
        }
        let mut ages: Vec<Accepted> = last.values().copied().collect();
        ages.sort_unstable();
        let oldest = ages[ages.len().saturating_sub(devices_max)];
        self.attached.retain(|attached| {
            let is_newest = last.get(&attached.device_id).is_none_or(|newest| attached.accepted >= *newest);
            let stays = is_newest && (attached.login_version.is_none() || attached.accepted >= oldest);
            if !stays {
                attached.outbox.kick(CloseCode::Replaced);
            }
            stays
        });
    }
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
    pub fn attach(self: &Arc<Self>, newcomer: Newcomer) -> Attachment {
        let Newcomer { accepted, user, device_id, framing, outbox } = newcomer;
        let mut shard = self.shard(user);
        self.directory.attach(user);
        let online = shard.entry(user).or_insert_with(|| {
            self.online.fetch_add(1, Ordering::Relaxed);
            let (attached, elsewhere) = (Vec::new(), Vec::new());
            let (nickname, budget) = (Arc::default(), Arc::new(self.budgets.of(user)));
            Online { nickname, budget, attached, login_version: 0, asked: 0, elsewhere }
        });
        online.attached.push(Attached { accepted, device_id, framing, outbox, login_version: None });
        let conn = accepted.conn;
        let (nickname, budget) = (Arc::clone(&online.nickname), Arc::clone(&online.budget));
        Attachment { hub: Arc::clone(self), user, conn, nickname, budget, login_version: 0 }
    }

    /// Puts the event into the outboxes of all connections of the user but `except`; tells how many.
    pub fn push(&self, user: UserId, except: Option<ConnId>, event: &Event) -> usize {
        let shard = self.shard(user);
        let Some(online) = shard.get(&user) else { return 0 };
        let receivers = online.attached.iter().filter(|attached| Some(attached.accepted.conn) != except);
        receivers.map(|attached| attached.outbox.push(event.framed(attached.framing))).count()
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
        let shard = self.shard(user);
        shard
            .get(&user)
            .is_some_and(|online| online.attached.iter().any(|attached| Some(attached.accepted.conn) != except))
    }

    /// Ends connections of a user: from now on they are told nothing and counted no more.
    pub fn kick(&self, doomed: &Doomed<'_>, code: CloseCode) {
        let Doomed { user, device_id, before } = *doomed;
        let mut shard = self.shard(user);
        let Some(online) = shard.get_mut(&user) else { return };
        online.attached.retain(|attached| {
            let stays = attached.accepted >= before || device_id.is_some_and(|id| id != &*attached.device_id);
            if !stays {
                attached.outbox.kick(code);
            }
            stays
        });
    }

    /// Ends connections whose logins are over. Of a login that is under way it shows when it is done.
    pub fn end_logins(&self, over: &LoginsOver) {
        let LoginsOver { user, login_version, code } = *over;
        let mut shard = self.shard(user);
        let Some(online) = shard.get_mut(&user) else { return };
        online.login_version = online.login_version.max(login_version);
        online.attached.retain(|attached| {
            let is_over = attached.login_version.is_some_and(|of| of < login_version);
            if is_over {
                attached.outbox.kick(code);
            }
            !is_over
        });
    }

    /// Whether the user has a connection here whose login began under an earlier version.
    pub fn has_login_before(&self, user: UserId, login_version: u64) -> bool {
        let is_before = |attached: &Attached| attached.login_version.is_some_and(|of| of < login_version);
        self.shard(user).get(&user).is_some_and(|online| online.attached.iter().any(is_before))
    }

    /// Has all connections of the user told to sync.
    pub fn lag(&self, user: UserId) {
        if let Some(online) = self.shard(user).get(&user) {
            online.attached.iter().for_each(|attached| attached.outbox.lag());
        }
    }

    /// The user's devices that are connected to this node.
    pub fn devices(&self, user: UserId) -> Vec<PresentDevice> {
        self.shard(user).get(&user).map(Online::devices).unwrap_or_default()
    }

    /// Another node answered which devices of the user it has. If they have more on all nodes than they may: connections that are
    /// older than this one must end. An answer to an earlier kick says nothing of what is now.
    pub fn count_elsewhere(&self, node: NodeId, present: Present) -> Option<Accepted> {
        let Present { kick_id, user, devices } = present;
        let mut shard = self.shard(user);
        let online = shard.get_mut(&user).filter(|online| online.asked == kick_id)?;
        online.elsewhere.retain(|(known, _)| *known != node);
        online.elsewhere.push((node, devices));
        // A device that moves may be on two nodes for a moment.
        let here = online.devices();
        let mut last: HashMap<&str, Accepted> = HashMap::new();
        for device in online.elsewhere.iter().flat_map(|(_, devices)| devices).chain(&here) {
            let accepted = last.entry(&device.device_id).or_insert(device.accepted);
            *accepted = device.accepted.max(*accepted);
        }
        let mut all: Vec<Accepted> = last.into_values().collect();
        let beyond = all.len().checked_sub(self.devices_per_user_max).filter(|beyond| *beyond > 0)?;
        all.sort_unstable();
        let before = all[beyond];
        online.elsewhere.iter_mut().for_each(|(_, devices)| devices.retain(|device| device.accepted >= before));
        Some(before)
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

/// A connection's place in the hub, which it leaves when this is dropped.
pub struct Attachment {
    hub: Arc<Hub>,
    pub user: UserId,
    pub conn: ConnId,
    pub nickname: Arc<Nickname>,
    pub budget: Arc<Budget>,
    pub login_version: u64,
}

impl Attachment {
    /// The login is done, and bears the version that was the user's when it began; older connections make way. False when it is over
    /// already or has to make way itself. `kick_id` is that of the kick which tells the other nodes, who are asked anew.
    pub fn log_in(&mut self, login_version: u64, kick_id: u64) -> bool {
        self.login_version = login_version;
        let mut shard = self.hub.shard(self.user);
        let Some(online) = shard.get_mut(&self.user) else { return false };
        let at = |online: &Online| online.attached.iter().position(|other| other.accepted.conn == self.conn);
        let Some(here) = at(online) else { return false };
        if login_version < online.login_version {
            online.attached.remove(here).outbox.kick(CloseCode::TokenRanOut);
            return false;
        }
        online.attached[here].login_version = Some(login_version);
        online.asked = kick_id;
        online.elsewhere.clear();
        online.make_way(self.hub.devices_per_user_max);
        at(online).is_some()
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        let mut shard = self.hub.shard(self.user);
        if let Some(online) = shard.get_mut(&self.user) {
            online.attached.retain(|other| other.accepted.conn != self.conn);
            if online.attached.is_empty() {
                self.hub.budgets.remember(self.user, &online.budget);
                shard.remove(&self.user);
                self.hub.online.fetch_sub(1, Ordering::Relaxed);
                self.hub.directory.detach(self.user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use anser_proto::v1;

    use anser_proto::Format;

    use super::*;
    use crate::{
        cluster::{Load, Node, local::LocalDirectory},
        framing::Transport,
    };

    const ADA: UserId = UserId(7);
    const NOW_MS: u64 = 5;
    const KICK: u64 = 8;

    fn attach(hub: &Arc<Hub>, device_id: &str) -> (Attachment, Arc<Outbox>) {
        let outbox = Arc::new(Outbox::new(1_000));
        (attach_as(hub, hub.accept(NOW_MS), device_id, &outbox), outbox)
    }

    fn attach_as(hub: &Arc<Hub>, accepted: Accepted, device_id: &str, outbox: &Arc<Outbox>) -> Attachment {
        let mut attachment = begin(hub, accepted, device_id, outbox);
        attachment.log_in(0, KICK);
        attachment
    }

    /// Its login is under way.
    fn begin(hub: &Arc<Hub>, accepted: Accepted, device_id: &str, outbox: &Arc<Outbox>) -> Attachment {
        let (device_id, outbox) = (device_id.into(), Arc::clone(outbox));
        let framing = Framing { transport: Transport::WebSocket, format: Format::Protobuf };
        hub.attach(Newcomer { accepted, user: ADA, device_id, framing, outbox })
    }

    fn new_hub(devices_per_user: u32) -> Arc<Hub> {
        let node = Node { id: NodeId(1), name: "".into(), client_url: "".into(), load: Load::default() };
        let limits = Limits { devices_per_user, ..Limits::default() };
        Arc::new(Hub::new(&limits, Arc::new(LocalDirectory::new(node))))
    }

    #[test]
    fn a_kick_that_comes_late_spares_who_came_after_it() {
        let hub = new_hub(8);
        let (_phone, phone_outbox) = attach(&hub, "phone");
        let (_laptop, laptop_outbox) = attach(&hub, "laptop");
        let doomed = |device_id, before| Doomed { user: ADA, device_id, before };
        let phone = hub.devices(ADA)[0].accepted;
        for spared in [phone, Accepted::at(NOW_MS)] {
            hub.kick(&doomed(Some("phone"), spared), CloseCode::Replaced);
            assert_eq!(phone_outbox.take().kicked, None);
        }
        // One that was accepted in the same millisecond, and behind it.
        hub.kick(&doomed(Some("phone"), hub.accept(NOW_MS)), CloseCode::Replaced);
        assert_eq!(phone_outbox.take().kicked, Some(CloseCode::Replaced));
        assert_eq!(laptop_outbox.take().kicked, None);
        hub.kick(&doomed(None, Accepted::at(NOW_MS + 1)), CloseCode::LoginRefused);
        assert_eq!(laptop_outbox.take().kicked, Some(CloseCode::LoginRefused));
    }

    fn lagged() -> Event {
        Event::new(v1::server_frame::Body::Lagged(v1::Lagged {}))
    }

    #[test]
    fn a_push_reaches_every_device_but_the_one_it_came_from() {
        let hub = new_hub(8);
        let (phone, phone_outbox) = attach(&hub, "phone");
        let (_laptop, laptop_outbox) = attach(&hub, "laptop");
        assert_eq!(hub.push(ADA, Some(phone.conn), &lagged()), 1);
        assert_eq!(hub.push(UserId(8), None, &lagged()), 0);
        assert!(phone_outbox.take().frames.is_empty());
        assert_eq!(laptop_outbox.take().frames.len(), 1);
    }

    #[test]
    fn the_same_device_replaces_itself_and_its_late_end_harms_nobody() {
        let hub = new_hub(8);
        let (old, old_outbox) = attach(&hub, "phone");
        let (_new, new_outbox) = attach(&hub, "phone");
        assert_eq!(old_outbox.take().kicked, Some(CloseCode::Replaced));
        drop(old);
        assert_eq!(hub.push(ADA, None, &lagged()), 1);
        assert_eq!(new_outbox.take().frames.len(), 1);
    }

    #[test]
    fn a_connection_whose_login_took_long_does_not_replace_a_younger_one() {
        let hub = new_hub(8);
        let slow = hub.accept(NOW_MS);
        let (_new, new_outbox) = attach(&hub, "phone");
        let slow_outbox = Arc::new(Outbox::new(1_000));
        drop(attach_as(&hub, slow, "phone", &slow_outbox));
        assert_eq!(slow_outbox.take().kicked, Some(CloseCode::Replaced));
        assert_eq!(new_outbox.take().kicked, None);
        assert_eq!(hub.push(ADA, None, &lagged()), 1);
    }

    #[test]
    fn who_has_only_begun_to_log_in_is_told_what_comes_and_takes_nobodys_place() {
        let hub = new_hub(2);
        let (_phone, phone_outbox) = attach(&hub, "phone");
        let (_laptop, laptop_outbox) = attach(&hub, "laptop");
        let outboxes = [(); 2].map(|()| Arc::new(Outbox::new(1_000)));
        let [mut phone, mut watch] = [("phone", &outboxes[0]), ("watch", &outboxes[1])]
            .map(|(device, outbox)| begin(&hub, hub.accept(NOW_MS), device, outbox));
        assert_eq!(hub.push(ADA, None, &lagged()), 4);
        let kicked = |outbox: &Outbox| outbox.take().kicked;
        assert_eq!((kicked(&phone_outbox), kicked(&laptop_outbox), hub.devices(ADA).len()), (None, None, 2));
        assert!(phone.log_in(0, KICK));
        assert_eq!((kicked(&phone_outbox), kicked(&laptop_outbox)), (Some(CloseCode::Replaced), None));
        assert!(watch.log_in(0, KICK));
        assert_eq!((kicked(&laptop_outbox), kicked(&outboxes[0])), (Some(CloseCode::Replaced), None));
        assert_eq!(hub.devices(ADA).len(), 2);
    }

    #[test]
    fn the_other_devices_are_told_also_when_the_one_it_came_from_has_left() {
        let hub = new_hub(8);
        let (phone, _) = attach(&hub, "phone");
        let (_laptop, laptop_outbox) = attach(&hub, "laptop");
        let from = phone.conn;
        drop(phone);
        assert!(hub.has_other(ADA, Some(from)));
        assert_eq!(hub.push(ADA, Some(from), &lagged()), 1);
        assert_eq!(laptop_outbox.take().frames.len(), 1);
    }

    #[test]
    fn beyond_the_number_of_a_users_connections_the_oldest_goes() {
        let hub = new_hub(2);
        let attached: Vec<_> = ["one", "two", "three"].map(|device| attach(&hub, device)).into();
        assert_eq!(attached[0].1.take().kicked, Some(CloseCode::Replaced));
        assert_eq!(hub.push(ADA, None, &lagged()), 2);
    }

    #[test]
    fn the_oldest_goes_also_when_it_was_the_last_to_log_in() {
        let hub = new_hub(2);
        let slow = hub.accept(NOW_MS);
        let attached = ["one", "two"].map(|device| attach(&hub, device));
        let slow_outbox = Arc::new(Outbox::new(1_000));
        let _slow = attach_as(&hub, slow, "three", &slow_outbox);
        assert_eq!(slow_outbox.take().kicked, Some(CloseCode::Replaced));
        assert!(attached.iter().all(|(_, outbox)| outbox.take().kicked.is_none()));
    }

    #[test]
    fn who_comes_later_is_younger_whatever_the_clock_does() {
        let hub = new_hub(2);
        let accepted = [7, 7, 3, 8].map(|now_ms| hub.accept(now_ms));
        assert!(accepted.is_sorted() && accepted.windows(2).all(|two| two[0] != two[1]), "{accepted:?}");
    }

    #[test]
    fn logins_of_an_earlier_version_end_and_others_stay() {
        let hub = new_hub(8);
        let ended = |outbox: &Outbox| outbox.take().kicked;
        let over =
            |login_version| hub.end_logins(&LoginsOver { user: ADA, login_version, code: CloseCode::LoginRefused });
        let (mut old, old_outbox) = attach(&hub, "old");
        let (mut new, new_outbox) = attach(&hub, "new");
        let slow_outbox = Arc::new(Outbox::new(1_000));
        let mut slow = begin(&hub, hub.accept(NOW_MS), "slow", &slow_outbox);
        assert!(old.log_in(1, KICK) && new.log_in(2, KICK));
        over(1);
        assert!(!hub.has_login_before(ADA, 1) && hub.has_login_before(ADA, 2));
        assert_eq!(ended(&old_outbox), None);
        over(2);
        over(2);
        assert!(!hub.has_login_before(ADA, 2));
        let all = [&old_outbox, &new_outbox, &slow_outbox].map(|outbox| ended(outbox));
        assert_eq!(all, [Some(CloseCode::LoginRefused), None, None]);
        // Its login had begun before.
        assert!(!slow.log_in(1, KICK));
        assert_eq!(ended(&slow_outbox), Some(CloseCode::TokenRanOut));
        assert_eq!(hub.devices(ADA).len(), 1);
    }

    #[test]
    fn devices_on_other_nodes_count_too() {
        let hub = new_hub(3);
        let _attached = ["one", "two"].map(|device| attach(&hub, device));
        let here: Vec<Accepted> = hub.devices(ADA).iter().map(|device| device.accepted).collect();
        let told = |user, node, kick_id, devices: &[(&str, u64)]| {
            let devices = devices
                .iter()
                .map(|(id, at_ms)| PresentDevice { device_id: (*id).into(), accepted: Accepted::at(*at_ms) });
            hub.count_elsewhere(NodeId(node), Present { kick_id, user, devices: devices.collect() })
        };
        assert_eq!(told(ADA, 2, KICK, &[("three", 1)]), None);
        assert_eq!(told(ADA, 3, KICK - 1, &[("four", 3), ("five", 9)]), None, "that was before");
        assert_eq!(told(ADA, 3, KICK, &[("four", 3), ("five", 9)]), Some(here[0]), "the two oldest of five end");
        assert_eq!(told(ADA, 3, KICK, &[("five", 9)]), None, "they have ended");
        assert_eq!(told(ADA, 3, KICK, &[("five", 9), ("one", 10)]), None, "a device that moves is no other one");
        let six = [("five", 9), ("six", 10)];
        assert_eq!(told(ADA, 3, KICK, &six), Some(here[1]), "one of those of one millisecond");
        let four = [("a", 1), ("b", 2), ("c", 3), ("d", 4)];
        assert_eq!(told(UserId(8), 3, KICK, &four), None, "who is not here is not counted here");
    }

    #[test]
    fn who_left_leaves_nothing_behind() {
        let hub = new_hub(8);
        drop(attach(&hub, "phone"));
        assert!(hub.shards.iter().all(|shard| shard.lock().expect("no panic").is_empty()));
    }
}
