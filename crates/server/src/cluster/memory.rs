//! A cluster in one process, for tests: the reference of what the directory and the bus do when nothing fails.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, Mutex, MutexGuard},
};

use anser_proto::UserId;
use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::watch;

use super::{
    Arrivals, Bus, Directory, Inbox, Inboxes, Load, MESSAGE_BYTES_MAX, Node, NodeId, Nodes, Way, counts::Counts,
    counts::Dropped,
};

/// What the nodes share.
#[derive(Clone, Default)]
pub struct Network(Arc<Mutex<Members>>);

type Members = BTreeMap<NodeId, Member>;

struct Member {
    node: Node,
    users: HashSet<UserId>,
    pushes: Arrivals,
    answers: Arrivals,
    nodes: watch::Sender<Nodes>,
    counts: Counts,
}

/// One node in the network: its directory and its bus.
#[derive(Clone)]
pub struct MemoryNode {
    me: NodeId,
    network: Network,
    nodes: watch::Receiver<Nodes>,
}

impl Network {
    pub fn join(&self, node: Node, counts: Counts) -> (MemoryNode, Inboxes) {
        let ((pushes_tx, pushes), (answers_tx, answers)) = (Inbox::new(), Inbox::new());
        let (nodes_tx, nodes) = watch::channel([node.clone()].into());
        let me = node.id;
        let users = HashSet::new();
        let member = Member { node, users, pushes: pushes_tx, answers: answers_tx, nodes: nodes_tx, counts };
        let mut members = self.lock();
        members.insert(me, member);
        tell(&members);
        drop(members);
        (MemoryNode { me, network: self.clone(), nodes }, Inboxes { pushes, answers })
    }

    fn lock(&self) -> MutexGuard<'_, Members> {
        self.0.lock().expect("nothing panics while holding it")
    }
}

fn tell(members: &Members) {
    let nodes: Nodes = members.values().map(|member| member.node.clone()).collect();
    for member in members.values() {
        member.nodes.send_replace(Arc::clone(&nodes));
    }
}

impl MemoryNode {
    fn change(&self, change: impl FnOnce(&mut Member)) {
        if let Some(member) = self.network.lock().get_mut(&self.me) {
            change(member);
        }
    }

    fn deliver(&self, is_receiver: impl Fn(NodeId) -> bool, way: Way, message: &Bytes) -> bool {
        let members = self.network.lock();
        let Some(sender) = members.get(&self.me) else { return false };
        if message.len() > MESSAGE_BYTES_MAX {
            sender.counts.dropped(Dropped::TooLarge);
            return false;
        }
        for (_, receiver) in members.iter().filter(|(id, _)| **id != self.me && is_receiver(**id)) {
            let inbox = match way {
                Way::Pushes => &receiver.pushes,
                Way::Answers => &receiver.answers,
            };
            inbox.put(message.clone(), &receiver.counts);
        }
        true
    }
}

#[async_trait]
impl Directory for MemoryNode {
    fn attach(&self, user: UserId) {
        self.change(|member| {
            member.users.insert(user);
        });
    }

    fn detach(&self, user: UserId) {
        self.change(|member| {
            member.users.remove(&user);
        });
    }

    async fn settled(&self) {}

    async fn nodes_of(&self, users: &[UserId]) -> Vec<(NodeId, Vec<UserId>)> {
        let members = self.network.lock();
        let others = members.iter().filter(|(id, _)| **id != self.me);
        let having = others.map(|(id, other)| {
            (*id, users.iter().copied().filter(|user| other.users.contains(user)).collect::<Vec<_>>())
        });
        having.filter(|(_, users)| !users.is_empty()).collect()
    }

    fn nodes(&self) -> watch::Receiver<Nodes> {
        self.nodes.clone()
    }

    fn set_load(&self, load: Load) {
        let mut members = self.network.lock();
        if let Some(member) = members.get_mut(&self.me) {
            member.node.load = load;
            tell(&members);
        }
    }

    async fn leave(&self) {
        let mut members = self.network.lock();
        if let Some(mut left) = members.remove(&self.me) {
            // Whoever still asks a node that left finds it alone.
            left.users.clear();
            left.nodes.send_replace([left.node.clone()].into());
        }
        tell(&members);
    }
}

#[async_trait]
impl Bus for MemoryNode {
    fn send(&self, to: NodeId, way: Way, message: Bytes) -> bool {
        self.deliver(|id| id == to, way, &message)
    }

    fn broadcast(&self, way: Way, message: Bytes) -> bool {
        self.deliver(|_| true, way, &message)
    }

    fn is_connected(&self) -> bool {
        true
    }

    async fn flush(&self) {}
}
