//! What may happen between nodes, by the dice of a seed: messages lost, late, doubled and out of order, nodes that do not see
//! each other, and a directory that forgets or lies.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use anser_proto::UserId;
use anser_server::cluster::{Bus, Directory, Load, NodeId, Nodes, Way, memory::MemoryNode};
use async_trait::async_trait;
use bytes::Bytes;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until},
};

const LOST: f64 = 0.15;
const DOUBLED: f64 = 0.1;
const LATE: f64 = 0.3;
/// Far beyond what anybody waits for an answer.
pub const LATE_MAX_MS: u64 = 4_000;
const WRITTEN_LATE: f64 = 0.5;
/// Until the directory has what it is told.
const WRITE_MAX_MS: u64 = 300;
/// The directory knows nobody, or everybody.
const FORGOTTEN: f64 = 0.1;
const UNSURE: f64 = 0.2;

#[derive(Clone, Copy, PartialEq, PartialOrd)]
pub enum Sky {
    Clear,
    /// What is said arrives: late, twice and out of order.
    Slow,
    /// Or not at all.
    Storm,
}

pub struct Weather {
    dice: Mutex<StdRng>,
    sky: Mutex<Sky>,
    /// Nodes from which nobody receives anything, and which receive nothing.
    cut_off: watch::Sender<HashSet<NodeId>>,
}

impl Weather {
    pub fn new(seed: u64) -> Arc<Self> {
        let dice = Mutex::new(StdRng::seed_from_u64(seed));
        Arc::new(Self { dice, sky: Mutex::new(Sky::Clear), cut_off: watch::Sender::default() })
    }

    pub fn turn(&self, sky: Sky) {
        *self.sky.lock().expect("no panic") = sky;
        if sky < Sky::Storm {
            self.cut_off.send_replace(HashSet::new());
        }
    }

    pub fn cut_off(&self, nodes: HashSet<NodeId>) {
        self.cut_off.send_replace(nodes);
    }

    /// Whether it comes to this, of which there is a chance under this sky and worse ones.
    pub fn roll(&self, from: Sky, chance: f64) -> bool {
        *self.sky.lock().expect("no panic") >= from && self.dice.lock().expect("no panic").random_bool(chance)
    }

    pub fn below(&self, bound: u64) -> u64 {
        self.dice.lock().expect("no panic").random_range(0..bound)
    }

    fn is_cut(&self, one: NodeId, other: NodeId) -> bool {
        let cut_off = self.cut_off.borrow();
        cut_off.contains(&one) != cut_off.contains(&other)
    }

    /// How often, and after how long each time, a message arrives.
    fn fates(&self, from: NodeId, to: NodeId) -> Vec<Duration> {
        if self.is_cut(from, to) || self.roll(Sky::Storm, LOST) {
            return Vec::new();
        }
        let copies = if self.roll(Sky::Slow, DOUBLED) { 2 } else { 1 };
        let fate = |_| Duration::from_millis(if self.roll(Sky::Slow, LATE) { self.below(LATE_MAX_MS) } else { 0 });
        (0..copies).map(fate).collect()
    }
}

/// A node's bus in this weather.
pub struct FoulBus {
    pub me: NodeId,
    pub below: MemoryNode,
    pub weather: Arc<Weather>,
}

#[async_trait]
impl Bus for FoulBus {
    fn send(&self, to: NodeId, way: Way, message: Bytes) -> bool {
        for fate in self.weather.fates(self.me, to) {
            let (below, message) = (self.below.clone(), message.clone());
            if fate.is_zero() {
                below.send(to, way, message);
            } else {
                tokio::spawn(async move {
                    sleep(fate).await;
                    below.send(to, way, message);
                });
            }
        }
        true
    }

    fn broadcast(&self, way: Way, message: Bytes) -> bool {
        let nodes: Nodes = Arc::clone(&self.below.nodes().borrow());
        for node in nodes.iter().filter(|node| node.id != self.me) {
            self.send(node.id, way, message.clone());
        }
        true
    }

    fn is_connected(&self) -> bool {
        true
    }

    async fn flush(&self) {}
}

/// A node's directory in this weather.
pub struct FoulDirectory {
    me: NodeId,
    below: MemoryNode,
    weather: Arc<Weather>,
    nodes: watch::Receiver<Nodes>,
    /// When the last change is, or was.
    written: Mutex<Instant>,
}

impl FoulDirectory {
    /// Who is cut off sees those beside them alone: two parts of a cluster each take themselves for all of it.
    pub fn new(me: NodeId, below: MemoryNode, weather: Arc<Weather>) -> Self {
        let seen = move |below: &MemoryNode, weather: &Weather| -> Nodes {
            below.nodes().borrow().iter().filter(|node| !weather.is_cut(me, node.id)).cloned().collect()
        };
        let (tx, nodes) = watch::channel(seen(&below, &weather));
        let (watched, other) = (Arc::clone(&weather), below.clone());
        tokio::spawn(async move {
            let (mut all, mut cuts) = (other.nodes(), watched.cut_off.subscribe());
            while !tx.is_closed() {
                tx.send_replace(seen(&other, &watched));
                tokio::select! {
                    changed = all.changed() => if changed.is_err() { return },
                    changed = cuts.changed() => if changed.is_err() { return },
                }
            }
        });
        Self { me, below, weather, nodes, written: Mutex::new(Instant::now()) }
    }

    /// Soon, and behind what is written before it.
    fn write(&self, change: impl FnOnce(&MemoryNode) + Send + 'static) {
        let slow = if self.weather.roll(Sky::Slow, WRITTEN_LATE) { self.weather.below(WRITE_MAX_MS) } else { 0 };
        let mut last = self.written.lock().expect("no panic");
        let at = (Instant::now() + Duration::from_millis(slow)).max(*last + Duration::from_millis(1));
        *last = at;
        let below = self.below.clone();
        tokio::spawn(async move {
            sleep_until(at).await;
            change(&below);
        });
    }
}

#[async_trait]
impl Directory for FoulDirectory {
    fn attach(&self, user: UserId) {
        self.write(move |below| below.attach(user));
    }

    fn detach(&self, user: UserId) {
        self.write(move |below| below.detach(user));
    }

    async fn settled(&self) {
        let last = *self.written.lock().expect("no panic");
        sleep_until(last).await;
    }

    async fn nodes_of(&self, users: &[UserId]) -> Vec<(NodeId, Vec<UserId>)> {
        if self.weather.roll(Sky::Storm, FORGOTTEN) {
            return Vec::new();
        }
        if self.weather.roll(Sky::Slow, UNSURE) {
            let nodes = self.nodes.borrow();
            return nodes.iter().filter(|node| node.id != self.me).map(|node| (node.id, users.to_vec())).collect();
        }
        self.below.nodes_of(users).await
    }

    fn nodes(&self) -> watch::Receiver<Nodes> {
        self.nodes.clone()
    }

    fn set_load(&self, load: Load) {
        self.below.set_load(load);
    }

    async fn leave(&self) {
        self.below.leave().await;
    }
}
