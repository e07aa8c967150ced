//! A user who is connected: their connections to this node, and what other nodes answered of their devices there.

use std::{collections::HashMap, sync::Arc};

use anser_proto::CloseCode;

use super::{Doomed, Newcomer};
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
};

pub struct Online {
    pub nickname: Arc<Nickname>,
    pub budget: Arc<Budget>,
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
    /// Without a connection yet.
    pub fn new(budget: Budget) -> Self {
        let (attached, elsewhere) = (Vec::new(), Vec::new());
        Self { nickname: Arc::default(), budget: Arc::new(budget), attached, login_version: 0, asked: 0, elsewhere }
    }

    /// It takes nobody's place before it has logged in.
    pub fn attach(&mut self, newcomer: Newcomer) {
        let Newcomer { accepted, device_id, framing, outbox, .. } = newcomer;
        self.attached.push(Attached { accepted, device_id, framing, outbox, login_version: None });
    }

    /// Tells whether that was the last one.
    pub fn detach(&mut self, conn: ConnId) -> bool {
        self.attached.retain(|other| other.accepted.conn != conn);
        self.attached.is_empty()
    }

    /// See [`super::Connected::log_in`].
    pub fn log_in(&mut self, conn: ConnId, login_version: u64, kick_id: u64, devices_max: usize) -> bool {
        let Some(here) = self.at(conn) else { return false };
        if login_version < self.login_version {
            self.attached.remove(here).outbox.kick(CloseCode::TokenRanOut);
            return false;
        }
        self.attached[here].login_version = Some(login_version);
        self.asked = kick_id;
        self.elsewhere.clear();
        self.make_way(devices_max);
        self.at(conn).is_some()
    }

    fn at(&self, conn: ConnId) -> Option<usize> {
        self.attached.iter().position(|attached| attached.accepted.conn == conn)
    }

    /// One has just logged in. Of two connections of one device the older is kicked: it may be dead without knowing it, and two
    /// would take each other's place in the sender's order. That is the one which was accepted first, also when its login took
    /// longer than the younger one's: else a client that gave up waiting and came again would be thrown out by its own past.
    fn make_way(&mut self, devices_max: usize) {
        let last = newest(self.devices());
        let mut ages: Vec<Accepted> = last.values().copied().collect();
        ages.sort_unstable();
        let oldest = ages[ages.len().saturating_sub(devices_max)];
        self.end(CloseCode::Replaced, |attached| {
            let is_newest = last.get(&attached.device_id).is_none_or(|newest| attached.accepted >= *newest);
            !is_newest || (attached.login_version.is_some() && attached.accepted < oldest)
        });
    }

    pub fn push(&self, wave: &mut Wave, except: Option<ConnId>, event: &Event) -> usize {
        let receivers = self.attached.iter().filter(|attached| Some(attached.accepted.conn) != except);
        receivers.map(|attached| wave.push(&attached.outbox, event.framed(attached.framing))).count()
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

    /// Of a login that is under way it shows when it is done.
    pub fn end_logins(&mut self, over: &LoginsOver) {
        self.login_version = self.login_version.max(over.login_version);
        self.end(over.code, |attached| attached.is_before(over.login_version));
    }

    pub fn has_login_before(&self, login_version: u64) -> bool {
        self.attached.iter().any(|attached| attached.is_before(login_version))
    }

    /// Those that are logged in.
    pub fn devices(&self) -> Vec<PresentDevice> {
        let device = |attached: &Attached| PresentDevice {
            device_id: Arc::clone(&attached.device_id),
            accepted: attached.accepted,
        };
        self.attached.iter().filter(|attached| attached.login_version.is_some()).map(device).collect()
    }

    /// See [`super::Hub::count_elsewhere`].
    pub fn count_elsewhere(&mut self, node: NodeId, present: Present, devices_max: usize) -> Option<Accepted> {
        if self.asked != present.kick_id {
            return None;
        }
        self.elsewhere.retain(|(known, _)| *known != node);
        self.elsewhere.push((node, present.devices));
        let there = self.elsewhere.iter().flat_map(|(_, devices)| devices.iter().cloned());
        let mut all: Vec<Accepted> = newest(there.chain(self.devices())).into_values().collect();
        let beyond = all.len().checked_sub(devices_max).filter(|beyond| *beyond > 0)?;
        all.sort_unstable();
        let before = all[beyond];
        self.elsewhere.iter_mut().for_each(|(_, devices)| devices.retain(|device| device.accepted >= before));
        Some(before)
    }

    fn end(&mut self, code: CloseCode, is_over: impl Fn(&Attached) -> bool) {
        for ended in self.attached.extract_if(.., |attached| is_over(attached)) {
            ended.outbox.kick(code);
        }
    }
}

/// When each device was accepted last: one that moves may be on two nodes for a moment, or here twice.
fn newest(devices: impl IntoIterator<Item = PresentDevice>) -> HashMap<Arc<str>, Accepted> {
    let mut newest = HashMap::new();
    for PresentDevice { device_id, accepted } in devices {
        let last = newest.entry(device_id).or_insert(accepted);
        *last = accepted.max(*last);
    }
    newest
}

impl Attached {
    /// Whether its login began under an earlier version.
    fn is_before(&self, login_version: u64) -> bool {
        self.login_version.is_some_and(|of| of < login_version)
    }
}
