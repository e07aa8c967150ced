//! The contract of [`Directory`], for nodes to whom nothing happens.

use anser_proto::UserId;
use anser_server::cluster::{
    Directory, Load, Node, NodeId,
    counts::Counts,
    local::LocalDirectory,
    memory::{MemoryNode, Network},
};
use async_trait::async_trait;

use crate::{ADA, BOB, CYD, eventually, node, within};

/// Where directories are made that know each other.
#[async_trait]
pub(crate) trait World {
    type Directory: Directory;
    async fn join(&self, node: Node) -> Self::Directory;
}

#[async_trait]
impl World for Network {
    type Directory = MemoryNode;

    async fn join(&self, node: Node) -> MemoryNode {
        Network::join(self, node, Counts::default()).0
    }
}

macro_rules! suite {
    ($($case:ident)*) => {
        mod memory {
            $(#[tokio::test]
            async fn $case() {
                super::$case(super::Network::default()).await;
            })*
        }

        #[cfg(feature = "cluster")]
        mod redis {
            $(#[tokio::test]
            async fn $case() {
                super::$case(crate::directory_faults::RedisWorld::start()).await;
            })*
        }
    };
}

suite! {
    a_user_is_found_where_they_are_attached
    users_of_several_nodes_are_found_each_at_their_own
    a_node_is_never_told_of_itself
    twice_attached_is_once_attached
    of_an_attach_and_a_detach_the_later_holds
    who_is_not_attached_is_passed_over
    a_crowd_is_found
    every_node_knows_who_lives
    the_load_of_a_node_is_seen
    who_left_is_gone_with_their_users
}

/// What a lookup says, in order.
pub(crate) async fn found(directory: &impl Directory, users: &[UserId]) -> Vec<(NodeId, Vec<UserId>)> {
    let mut found = directory.nodes_of(users).await;
    found.sort_unstable();
    found.iter_mut().for_each(|(_, users)| users.sort_unstable());
    found
}

/// Returns when this is what the node sees.
pub(crate) async fn sees(directory: &impl Directory, nodes: &[&Node]) {
    let mut wanted: Vec<Node> = nodes.iter().copied().cloned().collect();
    wanted.sort_by_key(|node| node.id);
    let mut seen = directory.nodes();
    let right = seen.wait_for(|nodes| **nodes == *wanted);
    within("all nodes are seen", right).await.expect("the directory lives");
}

async fn two<W: World>(world: &W) -> ((W::Directory, Node), (W::Directory, Node)) {
    let nodes = [node("one"), node("two")];
    let one = world.join(nodes[0].clone()).await;
    let two = world.join(nodes[1].clone()).await;
    sees(&one, &[&nodes[0], &nodes[1]]).await;
    sees(&two, &[&nodes[0], &nodes[1]]).await;
    let [first, second] = nodes;
    ((one, first), (two, second))
}

async fn a_user_is_found_where_they_are_attached(world: impl World) {
    let ((one, _), (two, second)) = two(&world).await;
    assert_eq!(found(&one, &[ADA]).await, []);
    two.attach(ADA);
    two.settled().await;
    assert_eq!(found(&one, &[ADA]).await, [(second.id, vec![ADA])]);
    assert_eq!(found(&one, &[BOB]).await, []);
    assert_eq!(found(&one, &[]).await, []);
    two.detach(ADA);
    two.settled().await;
    assert_eq!(found(&one, &[ADA]).await, []);
}

async fn users_of_several_nodes_are_found_each_at_their_own(world: impl World) {
    let ((one, _), (two, second)) = two(&world).await;
    let third = node("three");
    let three = world.join(third.clone()).await;
    two.attach(ADA);
    two.attach(BOB);
    three.attach(BOB);
    three.attach(CYD);
    two.settled().await;
    three.settled().await;
    let mut all = [(second.id, vec![BOB, ADA]), (third.id, vec![BOB, CYD])];
    all.sort_unstable();
    assert_eq!(found(&one, &[ADA, BOB, CYD, UserId(99)]).await, all);
    assert_eq!(found(&one, &[CYD]).await, [(third.id, vec![CYD])]);
}

async fn a_node_is_never_told_of_itself(world: impl World) {
    let ((one, first), (two, _)) = two(&world).await;
    one.attach(ADA);
    one.settled().await;
    assert_eq!(found(&one, &[ADA]).await, []);
    assert_eq!(found(&two, &[ADA]).await, [(first.id, vec![ADA])]);
}

async fn twice_attached_is_once_attached(world: impl World) {
    let ((one, _), (two, _)) = two(&world).await;
    two.attach(ADA);
    two.attach(ADA);
    two.settled().await;
    two.detach(ADA);
    two.settled().await;
    assert_eq!(found(&one, &[ADA]).await, []);
}

async fn of_an_attach_and_a_detach_the_later_holds(world: impl World) {
    let ((one, _), (two, second)) = two(&world).await;
    for _ in 0..50 {
        two.attach(ADA);
        two.detach(BOB);
        // The writing task may get its turn in between.
        tokio::task::yield_now().await;
        two.detach(ADA);
        two.attach(BOB);
    }
    two.settled().await;
    assert_eq!(found(&one, &[ADA, BOB]).await, [(second.id, vec![BOB])]);
}

async fn who_is_not_attached_is_passed_over(world: impl World) {
    let ((one, _), (two, second)) = two(&world).await;
    two.attach(ADA);
    two.detach(BOB);
    two.settled().await;
    assert_eq!(found(&one, &[ADA, BOB]).await, [(second.id, vec![ADA])]);
}

async fn a_crowd_is_found(world: impl World) {
    let ((one, _), (two, second)) = two(&world).await;
    let crowd: Vec<UserId> = (1..=5_000).map(UserId).collect();
    crowd.iter().for_each(|user| two.attach(*user));
    two.settled().await;
    let strangers = (5_001..6_000).map(UserId);
    let asked: Vec<UserId> = crowd.iter().copied().chain(strangers).collect();
    assert_eq!(found(&one, &asked).await, [(second.id, crowd)]);
}

async fn every_node_knows_who_lives(world: impl World) {
    let ((one, first), (two, second)) = two(&world).await;
    let third = node("three");
    let three = world.join(third.clone()).await;
    for directory in [&one, &two, &three] {
        sees(directory, &[&first, &second, &third]).await;
    }
    let ids: Vec<NodeId> = one.nodes().borrow().iter().map(|node| node.id).collect();
    assert!(ids.is_sorted());
}

async fn the_load_of_a_node_is_seen(world: impl World) {
    let ((one, first), (two, second)) = two(&world).await;
    let load = Load { connections: 12, draining: true };
    two.set_load(load);
    for directory in [&one, &two] {
        sees(directory, &[&first, &Node { load, ..second.clone() }]).await;
    }
}

async fn who_left_is_gone_with_their_users(world: impl World) {
    let ((one, first), (two, _)) = two(&world).await;
    two.attach(ADA);
    two.settled().await;
    two.leave().await;
    sees(&one, &[&first]).await;
    assert_eq!(found(&one, &[ADA]).await, []);
    two.attach(BOB);
    within("a node that left is not waited for", two.settled()).await;
    assert_eq!(found(&one, &[BOB]).await, []);
}

#[tokio::test]
async fn alone_there_is_nobody_else() {
    let me = node("one");
    let alone = LocalDirectory::new(me.clone());
    alone.attach(ADA);
    alone.settled().await;
    assert_eq!(found(&alone, &[ADA, BOB]).await, []);
    sees(&alone, &[&me]).await;
    let load = Load { connections: 1, draining: false };
    alone.set_load(load);
    sees(&alone, &[&Node { load, ..me }]).await;
    alone.leave().await;
    eventually("nobody is there", async || found(&alone, &[ADA]).await.is_empty()).await;
}
