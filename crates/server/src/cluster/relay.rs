//! What users on other nodes are to be told. Whoever tells does not wait for the directory: it is queued, and one task looks
//! up all that waits at once, so that under load one question serves many messages. Order is kept.

use std::{
    collections::{HashMap, HashSet},
    sync::Weak,
};

use anser_proto::{ConversationId, UserId};
use bytes::Bytes;

use super::{
    Cause, NodeId, Way,
    bounded::{Bounded, Waiting},
    counts::{Counts, Dropped},
    envelope::{Body, GroupPush, Kick, MembersVersion, Push, SessionChanged},
    losses::Concerned,
    peers::Peers,
};

/// What waits to be told, and its bytes, of pushes and of kicks each; what comes on top is dropped.
const WAITING_MAX: usize = 16_384;
const WAITING_BYTES_MAX: usize = 64 << 20;
/// What is looked up at once.
const TOLD_AT_ONCE: usize = 512;

pub enum Told {
    /// An event for those of these users who are connected elsewhere.
    Push(Push),
    /// The same of what is of no use later, such as who is typing: nobody has to find it by a sync.
    Passing(Push),
    /// An event for members of a group who are too many to be named: to every node.
    Group(GroupPush),
    /// A user's entry in their conversation list changed: their nodes read it, if they are there.
    Session { user: UserId, conversation: ConversationId },
    /// Every node may remember an older list.
    Members(MembersVersion),
    /// A device came to this node: where it was before it is no longer.
    Kick(Kick),
}

pub struct Relay {
    pushes: Bounded<Told>,
    /// Kicks do not wait behind pushes.
    kicks: Bounded<Told>,
}

impl Relay {
    /// What is put into the queues must be taken out by [`run`].
    pub fn new() -> (Self, [Waiting<Told>; 2]) {
        let [(pushes, of_pushes), (kicks, of_kicks)] = [(); 2].map(|()| Bounded::new(WAITING_MAX, WAITING_BYTES_MAX));
        (Self { pushes, kicks }, [of_pushes, of_kicks])
    }

    pub fn put(&self, told: Told, counts: &Counts) {
        let queue = if matches!(told, Told::Kick(_)) { &self.kicks } else { &self.pushes };
        let bytes = told.bytes();
        if let Err(told) = queue.put(told, bytes) {
            counts.dropped(Dropped::OutgoingFull);
            told.is_lost(counts);
        }
    }

    /// All that was put is sent.
    pub fn is_empty(&self) -> bool {
        self.pushes.is_empty() && self.kicks.is_empty()
    }
}

impl Told {
    /// What it holds in memory.
    fn bytes(&self) -> usize {
        let beside = match self {
            Self::Push(push) | Self::Passing(push) => push.event.len() + size_of_val(&*push.users),
            Self::Group(push) => push.event.len(),
            Self::Kick(kick) => kick.device_id.as_ref().map_or(0, |id| id.len()),
            Self::Session { .. } | Self::Members(_) => 0,
        };
        size_of::<Self>() + beside
    }

    /// No client finds by a sync what a kick or the version of a list says: a node asks for both by itself. What passes is over by then.
    fn is_lost(&self, counts: &Counts) {
        let concerned = match self {
            Self::Push(push) => Concerned::users(&push.users),
            Self::Session { user, .. } => Concerned::users(&[*user]),
            Self::Group(push) => Concerned::members(push.group, push.members_version),
            Self::Passing(_) | Self::Members(_) | Self::Kick(_) => return,
        };
        counts.losses.elsewhere.add(concerned);
    }

    /// Whose nodes must be known.
    fn users(&self) -> &[UserId] {
        match self {
            Self::Push(push) | Self::Passing(push) => &push.users,
            Self::Session { user, .. } => std::slice::from_ref(user),
            Self::Kick(kick) => std::slice::from_ref(&kick.user),
            Self::Group(_) | Self::Members(_) => &[],
        }
    }
}

/// Until nobody can tell anything any more. `task` is its name for who watches it.
pub async fn run(task: &'static str, peers: Weak<Peers>, mut waiting: Waiting<Told>) {
    let mut batch = Vec::with_capacity(TOLD_AT_ONCE);
    while waiting.recv_many(&mut batch, TOLD_AT_ONCE).await > 0 {
        let Some(peers) = peers.upgrade() else { return };
        let telling = async {
            let users: HashSet<UserId> = batch.iter().flat_map(|(told, _)| told.users()).copied().collect();
            let user_nodes = UserNodes::look_up(&peers, users.into_iter().collect()).await;
            for (told, _held) in batch.drain(..) {
                if !send(&peers, &user_nodes, &told) {
                    told.is_lost(&peers.counts);
                }
            }
        };
        if peers.counts.watch.piece(task, telling).await.is_none() {
            batch.clear();
            peers.counts.losses.elsewhere.add(Concerned::Everybody);
        }
    }
}

/// Where users are connected.
struct UserNodes(HashMap<UserId, Vec<NodeId>>);

impl UserNodes {
    async fn look_up(peers: &Peers, users: Vec<UserId>) -> Self {
        let mut user_nodes: HashMap<UserId, Vec<NodeId>> = HashMap::new();
        if !users.is_empty() {
            for (node, users) in peers.directory.nodes_of(&users).await {
                for user in users {
                    user_nodes.entry(user).or_default().push(node);
                }
            }
        }
        Self(user_nodes)
    }

    fn of(&self, user: UserId) -> &[NodeId] {
        self.0.get(&user).map_or(&[], Vec::as_slice)
    }

    /// One message for each node, with the users that it has.
    fn by_node(&self, users: &[UserId]) -> HashMap<NodeId, Vec<UserId>> {
        let mut nodes: HashMap<NodeId, Vec<UserId>> = HashMap::new();
        for user in users {
            for node in self.of(*user) {
                nodes.entry(*node).or_default().push(*user);
            }
        }
        nodes
    }
}

/// Whether all of it is on its way.
fn send(peers: &Peers, user_nodes: &UserNodes, told: &Told) -> bool {
    let to_each = |way, user, body: Body| {
        let nodes = user_nodes.of(user);
        if nodes.is_empty() {
            return (false, true);
        }
        let message: Bytes = peers.sealed(body);
        (true, nodes.iter().filter(|node| !peers.bus.send(**node, way, message.clone())).count() == 0)
    };
    match told {
        Told::Push(Push { users, except, event }) | Told::Passing(Push { users, except, event }) => {
            user_nodes.by_node(users).into_iter().fold(true, |sent, (node, users)| {
                let push = Push { users, except: *except, event: event.clone() };
                peers.bus.send(node, Way::Pushes, peers.sealed(Body::Push(push))) && sent
            })
        }
        Told::Session { user, conversation } => {
            let changed = SessionChanged { user: *user, conversation: *conversation };
            to_each(Way::Pushes, *user, Body::SessionChanged(changed)).1
        }
        Told::Group(push) => peers.bus.broadcast(Way::Pushes, peers.sealed(Body::GroupPush(push.clone()))),
        Told::Members(version) => peers.bus.broadcast(Way::Pushes, peers.sealed(Body::MembersChanged(*version))),
        Told::Kick(kick) => {
            // The second way is for when the first is broken; who was nowhere else need not be looked for.
            if to_each(Way::Answers, kick.user, Body::Kick(kick.clone())).0
                && let Some(kicks) = &peers.kicks
            {
                kicks.add(peers.sealed(Body::Kick(kick.clone())), Cause::Replaced);
            }
            true
        }
    }
}

#[cfg(test)]
mod tests {
    use anser_proto::GroupId;

    use super::*;

    #[tokio::test]
    async fn what_finds_no_room_concerns_those_whom_it_would_have_told() {
        let (relay, _waiting) = Relay::new();
        let counts = Counts::default();
        let members = || Told::Members(MembersVersion { group: GroupId(3), version: 4 });
        (0..WAITING_MAX).for_each(|_| relay.put(members(), &counts));
        let lost = |told| {
            relay.put(told, &counts);
            counts.losses.elsewhere.take()
        };
        let (ada, bob) = (UserId(7), UserId(8));
        let event = Bytes::new();
        let push = Push { users: vec![ada, bob], except: None, event: event.clone() };
        assert_eq!(lost(Told::Push(push)), Some(Concerned::users(&[ada, bob])));
        let typing = Push { users: vec![ada], except: None, event: event.clone() };
        assert_eq!(lost(Told::Passing(typing)), None);
        let conversation = ConversationId::single(ada, bob);
        assert_eq!(lost(Told::Session { user: ada, conversation }), Some(Concerned::users(&[ada])));
        let group =
            GroupPush { group: GroupId(3), members_version: 4, server_msg_id: 5, behind: 0, except: None, event };
        assert_eq!(lost(Told::Group(group)), Some(Concerned::members(GroupId(3), 4)));
        assert_eq!(lost(members()), None);
        assert_eq!(counts.dropped_for(Dropped::OutgoingFull), 5);
    }
}
