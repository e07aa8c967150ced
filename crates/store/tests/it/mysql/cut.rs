//! Connections that break at the worst moment: at the commit, whose outcome is then unknown.

use anser_store::Store as _;

use super::{
    SERVER, fresh_name, make_database, open,
    wire::{Commit, Wire},
};
use crate::talk::{found, send, settle, single, text};

async fn check(commit: Commit) {
    let name = fresh_name();
    make_database(&SERVER.url(), &name).await;
    let wire = Wire::start(commit);
    let store = open(&wire.url(&name)).await;
    settle(&*store, 3).await;
    for n in 1..=5 {
        let times = if commit == Commit::IsLost { 3 } else { 1 };
        wire.break_at_commits(times);
        let id = format!("id-{n}");
        let place = send(&*store, text(1, single(1, 2), &id)).await.expect("it is stored all the same");
        assert_eq!(wire.breaks_to_come(), 0, "the wire did not break");
        assert_eq!((place.server_msg_id, place.count, place.duplicate), (n, n, false));
        assert_eq!((place.sender_mailbox_seq, place.receiver_mailbox_seq), (n, n));
        let again = send(&*store, text(1, single(1, 2), &id)).await.expect("it is known");
        assert_eq!((again.server_msg_id, again.duplicate), (n, true));
    }
    wire.break_at_commits(1);
    found(&*store, 9, 1, &[2, 3]).await;
    assert_eq!(store.member_ids(anser_proto::GroupId(9)).await.expect("a group").members.len(), 3);
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_is_looked_up() {
    check(Commit::Arrives).await;
}

#[tokio::test]
async fn a_commit_that_was_lost_is_done_again() {
    check(Commit::IsLost).await;
}
