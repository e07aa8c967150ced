//! This node among the others: what the domain says to them, and asks them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anser_proto::{ConversationId, UserId};
use anser_store::{Appended, Error, NewMessage};
use bytes::Bytes;
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{interval, sleep, timeout},
};

use super::{
    Bus, Cause, Directory, Inbox, Inboxes, Kicks, Load, NodeId, Nodes, Way,
    calls::{ANSWER_MAX_MS, Answer, Calls},
    counts::Counts,
    envelope::{Body, Envelope, Kick, LoginsOver, Present},
    home::home,
    local::{LocalBus, LocalDirectory},
    losses::Concerned,
    relay::{self, Relay, Told},
};
use crate::presence::State;

/// How often the others are told how busy this node is.
const LOAD_EVERY: Duration = Duration::from_secs(1);
/// Users of one message: ten bytes each at most.
const PRESENCE_TOLD_AT_ONCE: usize = 4_000;
/// How long the end of this node waits for what it has to tell.
const FLUSH_MAX: Duration = Duration::from_secs(1);
const LOOK_EVERY: Duration = Duration::from_millis(5);

pub struct Peers {
    pub me: NodeId,
    pub counts: Counts,
    pub(super) directory: Arc<dyn Directory>,
    pub(super) bus: Arc<dyn Bus>,
    pub(super) kicks: Option<Arc<dyn Kicks>>,
    nodes: watch::Receiver<Nodes>,
    log_id: u64,
    relay: Relay,
    pub calls: Calls,
    draining: AtomicBool,
    /// Others may be there. Who came a moment ago is not in the list of nodes yet.
    pub in_cluster: bool,
}

/// What a node is to be made of that has others beside it, or none.
pub struct Ways {
    pub me: NodeId,
    pub directory: Arc<dyn Directory>,
    pub bus: Arc<dyn Bus>,
    pub kicks: Option<Arc<dyn Kicks>>,
    pub counts: Counts,
    pub arriving: Arriving,
    /// False: nobody else exists.
    pub in_cluster: bool,
}

/// A node, its question, and by which way it expects the answer.
#[derive(Clone, Copy)]
pub struct Asker {
    pub node: NodeId,
    pub call: u64,
    pub way: Way,
}

/// What others say to this node: over the bus, and by the second way of kicks.
pub struct Arriving {
    pub bus: Inboxes,
    pub kicks: Inbox,
}

impl Ways {
    /// The column in which nobody else exists.
    pub fn alone(node: super::Node) -> Self {
        let me = node.id;
        let (bus, inboxes) = LocalBus::open();
        Self {
            me,
            directory: Arc::new(LocalDirectory::new(node)),
            bus: Arc::new(bus),
            kicks: None,
            counts: Counts::default(),
            arriving: Arriving { bus: inboxes, kicks: Inbox::silent() },
            in_cluster: false,
        }
    }
}

impl Peers {
    /// `log_id` is the store's. Must be called on a runtime.
    pub fn new(ways: Ways, log_id: u64) -> (Arc<Self>, Arriving) {
        let Ways { me, directory, bus, kicks, counts, arriving, in_cluster } = ways;
        let (relay, queues) = Relay::new();
        let nodes = directory.nodes();
        let (calls, draining) = (Calls::new(counts.clone()), AtomicBool::new(false));
        let peers = Self { me, counts, directory, bus, kicks, nodes, log_id, relay, calls, draining, in_cluster };
        let peers = Arc::new(peers);
        for (task, queue) in ["relay", "relay_kicks"].into_iter().zip(queues) {
            peers.counts.watch.keep(task, relay::run(task, Arc::downgrade(&peers), queue));
        }
        (peers, arriving)
    }

    /// This one among them.
    pub fn nodes(&self) -> Nodes {
        Arc::clone(&self.nodes.borrow())
    }

    pub fn directory(&self) -> Arc<dyn Directory> {
        Arc::clone(&self.directory)
    }

    /// Users on other nodes, as soon as their nodes are known. Returns at once; what is told first arrives first.
    pub fn tell(&self, told: Told) {
        if self.in_cluster {
            self.relay.put(told, &self.counts);
        }
    }

    /// Every node ends these connections within a second, if it can be reached by either way.
    pub fn end_logins(&self, over: LoginsOver) {
        let over = self.sealed(Body::LoginsOver(over));
        self.bus.broadcast(Way::Answers, over.clone());
        if let Some(kicks) = &self.kicks {
            kicks.add(over, Cause::Ordered);
        }
    }

    /// The other node that shall append to this conversation. None: this one.
    pub fn home_elsewhere(&self, conversation: ConversationId) -> Option<NodeId> {
        let nodes = self.nodes.borrow();
        if nodes.len() == 1 {
            return None;
        }
        home(conversation, &nodes).filter(|home| *home != self.me && !self.calls.is_suspect(*home))
    }

    /// Has another node append, which then tells whom it concerns.
    pub async fn append_at(&self, home: NodeId, from_conn: u64, now_ms: u64, messages: Vec<NewMessage>) -> Answer {
        let (asked, until_ms) = (messages.len(), now_ms.saturating_add(ANSWER_MAX_MS));
        let bytes = messages.iter().map(NewMessage::bytes).sum();
        let ask = |call| {
            let append = Body::Append { call, from_conn, until_ms, answer: Way::Answers, messages };
            self.bus.send(home, Way::Pushes, self.sealed(append))
        };
        let answer = self.calls.ask(home, bytes, ask).await;
        match &answer {
            Answer::Given(outcomes) if outcomes.len() == asked => _ = self.counts.forwarded.inc(),
            Answer::NotAsked => {}
            Answer::Given(_) | Answer::Silence => {
                self.counts.unanswered("home");
                return Answer::Silence;
            }
        }
        answer
    }

    /// The connection to that node of a device that came here later.
    pub fn kick_at(&self, node: NodeId, kick: Kick) {
        let kick = self.sealed(Body::Kick(kick));
        self.bus.send(node, Way::Answers, kick.clone());
        // To all: it ends nothing but what is older.
        if let Some(kicks) = &self.kicks {
            kicks.add(kick, Cause::Replaced);
        }
    }

    /// How users are connected to this node, to all others.
    pub fn tell_presence(&self, users: &[(UserId, Option<State>)]) {
        if self.in_cluster {
            for some in users.chunks(PRESENCE_TOLD_AT_ONCE) {
                self.bus.broadcast(Way::Pushes, self.sealed(Body::Presence(some.to_vec())));
            }
        }
    }

    /// Whether it is for this node, of those that see the same live ones, to do what is done once for the user.
    pub fn is_mine(&self, user: UserId) -> bool {
        home(ConversationId::single(user, user), &self.nodes.borrow()).is_none_or(|home| home == self.me)
    }

    /// What is left of a user here, to the node to which one of their devices went.
    pub fn tell_present(&self, to: NodeId, present: Present) {
        self.bus.send(to, Way::Answers, self.sealed(Body::Present(present)));
    }

    pub fn answer_append(&self, Asker { node, call, way }: Asker, outcomes: Vec<Result<Appended, Error>>) {
        self.bus.send(node, way, self.sealed(Body::AppendAnswer { call, outcomes }));
    }

    /// Tells the others, as soon as that is possible, if something that this node had to tell them was lost.
    pub fn tell_missed(&self) {
        let owed = &self.counts.losses.elsewhere;
        if self.bus.is_connected()
            && let Some(concerned) = owed.take()
            && !self.bus.broadcast(Way::Pushes, self.sealed(Body::Missed(concerned.clone())))
        {
            owed.add(concerned);
        }
    }

    /// Whom it concerns that something may have been lost on its way here since the last time. As long as nothing can come, that is everybody.
    pub fn take_lost(&self) -> Option<Concerned> {
        let lost = self.counts.losses.here.take();
        if self.nodes.borrow().len() > 1 && !self.bus.is_connected() { Some(Concerned::Everybody) } else { lost }
    }

    pub(super) fn sealed(&self, body: Body) -> Bytes {
        Envelope { from: self.me, body }.encode(self.log_id)
    }

    /// What another node said. Counts what says nothing to this one.
    pub fn unsealed(&self, bytes: Bytes) -> Option<Envelope> {
        match Envelope::decode(bytes, self.log_id) {
            Ok(envelope) => Some(envelope).filter(|envelope| envelope.from != self.me),
            Err(reason) => {
                self.counts.dropped(reason);
                None
            }
        }
    }

    /// Clients are sent elsewhere from now on, and conversations find other homes.
    pub fn set_draining(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Tells how busy this node is, for as long as the task lives.
    pub fn report_load(self: &Arc<Self>, connections: impl Fn() -> u32 + Send + 'static) -> JoinHandle<()> {
        let peers = Arc::clone(self);
        self.counts.watch.keep("load", async move {
            let mut turns = interval(LOAD_EVERY);
            loop {
                turns.tick().await;
                peers.directory.set_load(Load { connections: connections(), draining: peers.is_draining() });
            }
        })
    }

    /// What was told and answered last has left this node when this returns, or could not within a bounded time.
    pub async fn flush(&self) {
        let told = async {
            while !self.relay.is_empty() {
                sleep(LOOK_EVERY).await;
            }
        };
        let _ = timeout(FLUSH_MAX, told).await;
        self.bus.flush().await;
    }

    /// Nobody counts on this node any more.
    pub async fn leave(&self) {
        self.bus.broadcast(Way::Pushes, self.sealed(Body::Leaving));
        self.directory.leave().await;
    }
}
