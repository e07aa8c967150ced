//! The home of a conversation: the node that appends to it, so that a hot group commits in batches.
//!
//! Rendezvous hashing (Thaler, Ravishankar: "Using name-based mappings to increase hit rates", IEEE/ACM Transactions on
//! Networking, 1998): every node is given a score for the conversation, and the highest wins. All nodes that see the same
//! live nodes agree without a word, and a node that goes moves only what it was home to. Being wrong is safe: the head
//! disposes.

use anser_proto::ConversationId;

use super::{Node, NodeId};

/// None without nodes. Those that drain are home to nothing, unless all do.
pub fn home(conversation: ConversationId, nodes: &[Node]) -> Option<NodeId> {
    let staying = nodes.iter().filter(|node| !node.load.draining).map(|node| node.id);
    highest(conversation, staying).or_else(|| highest(conversation, nodes.iter().map(|node| node.id)))
}

fn highest(conversation: ConversationId, nodes: impl Iterator<Item = NodeId>) -> Option<NodeId> {
    let key = key(conversation);
    nodes.max_by_key(|node| (mix(key ^ mix(node.0)), *node))
}

/// The same in every build: nodes of two versions run together.
fn key(conversation: ConversationId) -> u64 {
    match conversation {
        ConversationId::Single { small, big } => mix(mix(mix(1) ^ small.0) ^ big.0),
        ConversationId::Group(group) => mix(mix(2) ^ group.0),
    }
}

/// The finalizer of SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014).
fn mix(seed: u64) -> u64 {
    let mut bits = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashMap};

    use anser_proto::{GroupId, UserId};
    use proptest::prelude::*;

    use super::*;
    use crate::cluster::Load;

    fn node(id: u64) -> Node {
        Node { id: NodeId(id), name: "".into(), client_url: "".into(), load: Load::default() }
    }

    fn conversations() -> impl Strategy<Value = ConversationId> {
        prop_oneof![
            any::<u64>().prop_map(|group| ConversationId::Group(GroupId(group))),
            any::<(u64, u64)>().prop_map(|(one, other)| ConversationId::single(UserId(one), UserId(other))),
        ]
    }

    fn some_nodes() -> impl Strategy<Value = Vec<Node>> {
        proptest::collection::btree_set(1..=u64::MAX, 2..12)
            .prop_map(|ids: BTreeSet<u64>| ids.into_iter().map(node).collect())
    }

    proptest! {
        #[test]
        fn a_node_that_goes_moves_only_its_own(conversation in conversations(), nodes in some_nodes(), gone: usize) {
            let before = home(conversation, &nodes).expect("there are nodes");
            let gone = nodes[gone % nodes.len()].id;
            let left: Vec<Node> = nodes.iter().filter(|node| node.id != gone).cloned().collect();
            let after = home(conversation, &left).expect("there are nodes left");
            prop_assert!(after == before || before == gone);
            // And so for who comes: everything goes back to where it was.
            prop_assert_eq!(home(conversation, &nodes), Some(before));
        }

        #[test]
        fn the_order_of_the_nodes_does_not_matter(conversation in conversations(), nodes in some_nodes()) {
            let turned: Vec<Node> = nodes.iter().rev().cloned().collect();
            prop_assert_eq!(home(conversation, &nodes), home(conversation, &turned));
        }

        /// Ids made one after the other are the worst case: a weak hash would put neighbours together.
        #[test]
        fn conversations_are_spread_evenly(nodes in some_nodes(), first in 1..1_u64 << 60, step in 1..1_u64 << 20) {
            const EACH: usize = 2_000;
            let mut homes: HashMap<NodeId, usize> = HashMap::new();
            for index in 0..(EACH * nodes.len()) as u64 {
                let conversation = ConversationId::Group(GroupId(first.wrapping_add(index * step)));
                *homes.entry(home(conversation, &nodes).expect("there are nodes")).or_default() += 1;
            }
            // Within six standard deviations of a fair share.
            let slack = 6.0 * (EACH as f64).sqrt();
            for node in &nodes {
                let share = homes.get(&node.id).copied().unwrap_or(0);
                prop_assert!((share as f64 - EACH as f64).abs() < slack, "{share} of {EACH}");
            }
        }
    }

    #[test]
    fn a_draining_node_is_home_to_nothing_unless_all_drain() {
        let mut nodes = [node(1), node(2)];
        let draining = Load { draining: true, ..Load::default() };
        nodes[0].load = draining;
        let groups = || (1..100).map(|group| ConversationId::Group(GroupId(group)));
        assert!(groups().all(|group| home(group, &nodes) == Some(NodeId(2))));
        nodes[1].load = draining;
        assert!(groups().any(|group| home(group, &nodes) == Some(NodeId(1))));
        assert_eq!(home(ConversationId::Group(GroupId(1)), &[]), None);
    }

    /// Nodes of another build must agree: these never change.
    #[test]
    fn the_homes_of_today_are_those_of_tomorrow() {
        let nodes = [node(1), node(2), node(3)];
        let one_to_one = (1..=8).map(|user| ConversationId::single(UserId(user), UserId(9)));
        let groups = (1..=8).map(|group| ConversationId::Group(GroupId(group)));
        let homes: Vec<u64> = one_to_one.chain(groups).map(|id| home(id, &nodes).expect("three nodes").0).collect();
        assert_eq!(homes, [1, 1, 2, 2, 3, 1, 1, 1, 2, 3, 2, 3, 2, 2, 3, 1]);
    }
}
