//! Steps that look at what is pinned, and at who reacted, and what a store answers to them.

use anser_proto::{ConversationId, UserId};
use anser_store::Store;
use proptest::prelude::*;

use super::{limit, place, user};

#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Pinned before which entry, the limit, and the room.
    Pins(UserId, ConversationId, u64, u32, usize),
    /// To which message, behind whom, and the limit.
    Reactions(UserId, ConversationId, u64, UserId, u32),
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let bytes_max = prop_oneof![0..20_usize, Just(usize::MAX)];
    prop_oneof![
        (user(), place(), 0..12_u64, limit(), bytes_max).prop_map(|(user, place, before, limit, bytes)| Step::Pins(
            user,
            place.of(user),
            before,
            limit,
            bytes
        )),
        (user(), place(), 0..12_u64, prop_oneof![Just(UserId(0)), user()], limit())
            .prop_map(|(user, at, place, after, limit)| Step::Reactions(user, at.of(user), place, after, limit)),
    ]
}

pub(super) async fn take(store: &dyn Store, step: Step) -> String {
    match step {
        Step::Pins(reader, conversation, before, limit, bytes_max) => {
            format!("{:?}", store.pins(reader, conversation, before, limit, bytes_max).await)
        }
        Step::Reactions(reader, conversation, place, after, limit) => {
            format!("{:?}", store.reactions(reader, conversation, place, after, limit).await)
        }
    }
}
