//! A user who is connected: their connections to this node, and what other nodes answered of their devices there.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use anser_proto::CloseCode;
use anser_store::Logins;

use super::{Doomed, Newcomer, policy::Policy};
use crate::{
    accepted::{Accepted, ConnId},
    budget::Budget,
    cluster::{
        NodeId,
        envelope::{LoginsOver, Present, PresentDevice},
    },
    event::Event,
    framing::Framing,
    nickname::Nickname,
    outbox::{Outbox, Wave},
    presence::State,
};

pub struct Online {
    pub nickname: Arc<Nickname>,
    pub budget: Arc<Budget>,
    attached: Vec<Attached>,
    /// Logins that began under an earlier version are over, as far as this node was told.
    login_version: u64,
    /// The same of devices that were revoked while a login of theirs may have been under way.
    revoked: Vec<(Arc<str>, u64)>,
    /// They are shown as offline, as of this change of their mailbox.
    invisible: (u64, bool),
    /// The kick that told the other nodes of the device that came here last. They answer which ones they have.
    asked: u64,
    /// Their devices on other nodes, as those nodes answered.
    elsewhere: Vec<(NodeId, Vec<PresentDevice>)>,
}

struct Attached {
    accepted: Accepted,
    device_id: Arc<str>,
    platform: i32,
    framing: Framing,
    outbox: Arc<Outbox>,
    /// Connected, and not looking.
    away: bool,
    /// It is told when contacts come and go.
    watches: bool,
    /// None while the login is under way.
    login_version: Option<Arc<AtomicU64>>,
}

/// A user has more devices connected than they may.
#[derive(PartialEq, Eq, Debug, Default)]
pub struct Crowd {
    /// Connections that are older than this one must end.
    pub before: Option<Accepted>,
    /// And those of devices of a class of which there are too many.
    pub yielding: Vec<PresentDevice>,
}

/// Devices of a user that were revoked lately; of more the store says it.
const REVOKED_REMEMBERED: usize = 32;

impl Online {
    /// Without a connection yet.
    pub fn new(budget: Budget) -> Self {
        Self {
            nickname: Arc::default(),
            budget: Arc::new(budget),
            attached: Vec::new(),
            login_version: 0,
            revoked: Vec::new(),
            invisible: (0, false),
            asked: 0,
            elsewhere: Vec::new(),
        }
    }

    /// It takes nobody's place before it has logged in.
    pub fn attach(&mut self, newcomer: Newcomer) {
        let Newcomer { accepted, device_id, platform, framing, outbox, .. } = newcomer;
        let (away, watches, login_version) = (false, false, None);
        self.attached.push(Attached { accepted, device_id, platform, framing, outbox, away, watches, login_version });
    }

    /// Tells whether that was the last one.
    pub fn detach(&mut self, conn: ConnId) -> bool {
        self.attached.retain(|other| other.accepted.conn != conn);
        self.attached.is_empty()
    }

    /// See [`super::Connected::log_in`].
    pub fn log_in(
        &mut self,
        conn: ConnId,
        login_version: Arc<AtomicU64>,
        kick_id: u64,
        devices_max: usize,
        policy: &Policy,
    ) -> Result<(), CloseCode> {
        let here = self.at(conn).ok_or(CloseCode::Replaced)?;
        let version = login_version.load(Relaxed);
        if let Some(code) = self.is_over(&self.attached[here].device_id, version) {
            self.attached.remove(here).outbox.kick(code);
            return Err(code);
        }
        self.attached[here].login_version = Some(login_version);
        let devices: Vec<_> = once(self.devices()).into_values().collect();
        let yielding = policy.yielding(&devices);
        if yielding.iter().any(|device| device.accepted.conn == conn) {
            // Nobody makes way for who does not stay.
            self.attached.remove(here).outbox.kick(CloseCode::DeviceYielded);
            return Err(CloseCode::DeviceYielded);
        }
        self.asked = kick_id;
        self.elsewhere.clear();
        self.end(CloseCode::DeviceYielded, |attached| {
            yielding.iter().any(|device| device.accepted == attached.accepted)
        });
        self.make_way(devices_max);
        self.at(conn).map(|_| ()).ok_or(CloseCode::Replaced)
    }

    /// Why a login of this version, which is done now, has ended already.
    fn is_over(&self, device_id: &Arc<str>, version: u64) -> Option<CloseCode> {
        let is_revoked = |(id, from): &(Arc<str>, u64)| id == device_id && version < *from;
        match () {
            () if version < self.login_version => Some(CloseCode::TokenRanOut),
            () if self.revoked.iter().any(is_revoked) => Some(CloseCode::DeviceRevoked),
            () => None,
        }
    }

    fn at(&self, conn: ConnId) -> Option<usize> {
        self.attached.iter().position(|attached| attached.accepted.conn == conn)
    }

    /// One has just logged in. Of two connections of one device the older is kicked: it may be dead without knowing it, and two
    /// would take each other's place in the sender's order. That is the one which was accepted first, also when its login took
    /// longer than the younger one's: else a client that gave up waiting and came again would be thrown out by its own past.
    fn make_way(&mut self, devices_max: usize) {
        let last = once(self.devices());
        let mut ages: Vec<Accepted> = last.values().map(|device| device.accepted).collect();
        ages.sort_unstable();
        let oldest = ages[ages.len().saturating_sub(devices_max)];
        self.end(CloseCode::Replaced, |attached| {
            let is_newest = last.get(&attached.device_id).is_none_or(|newest| attached.accepted >= newest.accepted);
            !is_newest || (attached.login_version.is_some() && attached.accepted < oldest)
        });
    }

    pub fn push(&self, wave: &mut Wave, except: Option<ConnId>, event: &Event) -> usize {
        let is_for_all = !event.is_presence();
        let is_told = |attached: &&Attached| Some(attached.accepted.conn) != except && (is_for_all || attached.watches);
        let receivers = self.attached.iter().filter(is_told);
        receivers.map(|attached| wave.push(&attached.outbox, event.framed(attached.framing))).count()
    }

    /// As others are shown it, if they may be shown anything.
    pub fn presence(&self) -> Option<State> {
        let logged_in = self.attached.iter().filter(|attached| attached.login_version.is_some());
        let states = logged_in.map(|attached| if attached.away { State::Away } else { State::Active });
        states.max().filter(|_| !self.invisible.1)
    }

    /// As of a change of their mailbox.
    pub fn invisible(&self) -> (u64, bool) {
        self.invisible
    }

    /// What is known as of a later change stays.
    pub fn set_invisible(&mut self, is: bool, mailbox_seq: u64) {
        if mailbox_seq >= self.invisible.0 {
            self.invisible = (mailbox_seq, is);
        }
    }

    pub fn set_away(&mut self, conn: ConnId, is: bool) {
        self.attached.iter_mut().filter(|attached| attached.accepted.conn == conn).for_each(|here| here.away = is);
    }

    pub fn watch(&mut self, conn: ConnId) {
        self.attached.iter_mut().filter(|attached| attached.accepted.conn == conn).for_each(|here| here.watches = true);
    }

    pub fn lag(&self) {
        self.attached.iter().for_each(|attached| attached.outbox.lag());
    }

    pub fn has_other(&self, except: Option<ConnId>) -> bool {
        self.attached.iter().any(|attached| Some(attached.accepted.conn) != except)
    }

    pub fn kick(&mut self, doomed: &Doomed<'_>, code: CloseCode) {
        let Doomed { device_id, before, .. } = *doomed;
        self.end(code, |attached| attached.accepted < before && device_id.is_none_or(|id| id == &*attached.device_id));
    }

    /// See [`super::Hub::end_logins`].
    pub fn end_logins(&mut self, over: &LoginsOver) -> bool {
        let version = over.login_version;
        match &over.device_id {
            None => {
                self.login_version = self.login_version.max(version);
                self.end(over.code, |attached| attached.is_before(version));
            }
            Some(device_id) => {
                if self.revoked.len() == REVOKED_REMEMBERED {
                    self.revoked.remove(0);
                }
                self.revoked.push((Arc::clone(device_id), version));
                self.end(over.code, |attached| attached.device_id == *device_id && attached.is_before(version));
                // Of the version before, nothing else has ended since.
                let known = self.attached.iter().filter_map(|attached| attached.login_version.as_ref());
                known
                    .filter(|known| known.load(Relaxed) + 1 == version)
                    .for_each(|known| known.store(version, Relaxed));
            }
        }
        self.has_login_before(version)
    }

    /// See [`super::Hub::settle_logins`].
    pub fn settle_logins(&mut self, logins: &Logins, code: CloseCode) {
        self.end(code, |attached| attached.is_before(logins.from));
        for (device_id, version) in &logins.revoked {
            let is_over = |attached: &Attached| attached.device_id == *device_id && attached.is_before(*version);
            self.end(CloseCode::DeviceRevoked, is_over);
        }
        for known in self.attached.iter().filter_map(|attached| attached.login_version.as_ref()) {
            known.fetch_max(logins.login_version, Relaxed);
        }
    }

    pub fn has_login_before(&self, login_version: u64) -> bool {
        self.attached.iter().any(|attached| attached.is_before(login_version))
    }

    /// Those that are logged in.
    pub fn devices(&self) -> Vec<PresentDevice> {
        let device = |attached: &Attached| PresentDevice {
            device_id: Arc::clone(&attached.device_id),
            accepted: attached.accepted,
            platform: attached.platform,
        };
        self.attached.iter().filter(|attached| attached.login_version.is_some()).map(device).collect()
    }

    /// See [`super::Hub::count_elsewhere`].
    pub fn count_elsewhere(&mut self, node: NodeId, present: Present, devices_max: usize, policy: &Policy) -> Crowd {
        if self.asked != present.kick_id {
            return Crowd::default();
        }
        self.elsewhere.retain(|(known, _)| *known != node);
        self.elsewhere.push((node, present.devices));
        let there = self.elsewhere.iter().flat_map(|(_, devices)| devices.iter().cloned());
        let mut all: Vec<_> = once(there.chain(self.devices())).into_values().collect();
        let yielding = policy.yielding(&all);
        all.retain(|device| !yielding.contains(device));
        let mut ages: Vec<_> = all.iter().map(|device| device.accepted).collect();
        ages.sort_unstable();
        let before = ages.len().checked_sub(devices_max).filter(|beyond| *beyond > 0).map(|beyond| ages[beyond]);
        self.elsewhere.iter_mut().for_each(|(_, devices)| {
            devices
                .retain(|device| before.is_none_or(|before| device.accepted >= before) && !yielding.contains(device));
        });
        Crowd { before, yielding }
    }

    fn end(&mut self, code: CloseCode, is_over: impl Fn(&Attached) -> bool) {
        for ended in self.attached.extract_if(.., |attached| is_over(attached)) {
            ended.outbox.kick(code);
        }
    }
}

/// Each device by its youngest connection: one that moves may be on two nodes for a moment, or here twice.
fn once(devices: impl IntoIterator<Item = PresentDevice>) -> HashMap<Arc<str>, PresentDevice> {
    let mut newest: HashMap<Arc<str>, PresentDevice> = HashMap::new();
    for device in devices {
        let last = newest.entry(Arc::clone(&device.device_id)).or_insert_with(|| device.clone());
        if device.accepted > last.accepted {
            *last = device;
        }
    }
    newest
}

impl Attached {
    /// Whether its login began under an earlier version.
    fn is_before(&self, login_version: u64) -> bool {
        self.login_version.as_ref().is_some_and(|of| of.load(Relaxed) < login_version)
    }
}
