//! What is gone without a word: a machine that lost its power, a network that passes nothing on. Neither side hears that the
//! other is gone.

use anser_proto::UserId;
use anser_store::Store as _;

use super::{
    SERVER, fresh_name, make_database, open,
    wire::{Commit, Wire},
};
use crate::talk::{send, settle, single, text};

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_hangs_does_not_keep_its_locks_from_the_others() {
    let name = fresh_name();
    let others = open(&make_database(&SERVER.url(), &name).await).await;
    settle(&*others, 2).await;
    let wire = Wire::start(Commit::Hangs);
    let node = open(&wire.url(&name)).await;
    send(&*node, text(1, single(1, 2), "id-1")).await.expect("stored");
    wire.break_at_commits(1);
    let hangs = tokio::spawn(async move { send(&*node, text(1, single(1, 2), "id-2")).await });
    while wire.breaks_to_come() > 0 {
        tokio::task::yield_now().await;
    }
    let place = send(&*others, text(2, single(1, 2), "id-3")).await.expect("the database ends what says nothing");
    assert_eq!(place.server_msg_id, 2);
    // Nor is the message lost of which the node heard nothing.
    let place = hangs.await.expect("no task panics").expect("it is stored when the node can be heard again");
    assert_eq!((place.server_msg_id, place.duplicate), (3, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_say_nothing_any_more_are_given_up() {
    let name = fresh_name();
    make_database(&SERVER.url(), &name).await;
    let wire = Wire::start(Commit::Arrives);
    let store = open(&wire.url(&name)).await;
    settle(&*store, 2).await;
    for user in [1, 2] {
        store.user_by_account(&format!("user-{user}")).await.expect("he is there");
    }
    wire.freeze();
    let reads = (0..20).map(|_| store.positions(UserId(1)));
    for read in futures_util::future::join_all(reads).await {
        read.expect("it is read on another connection");
    }
    send(&*store, text(1, single(1, 2), "id-1")).await.expect("it is stored on another connection");
}
