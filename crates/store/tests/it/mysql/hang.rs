//! What is gone without a word: a machine that lost its power, a network that passes nothing on. Neither side hears that the
//! other is gone.

use anser_proto::UserId;
use anser_services::{MariaDb, Place};
use anser_store::{Error, Failure, Refusal, Store as _, mysql::MysqlOptions};
use futures_util::future::join_all;
use mysql_async::{Conn, Opts, prelude::Queryable as _};

use super::{
    SERVER, fresh_name, make_database, open, options, try_open,
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
    let hangs = tokio::spawn(async move {
        let outcome = send(&*node, text(1, single(1, 2), "id-2")).await;
        (node, outcome)
    });
    while wire.breaks_to_come() > 0 {
        tokio::task::yield_now().await;
    }
    let place = send(&*others, text(2, single(1, 2), "id-3")).await.expect("the database ends what says nothing");
    assert_eq!(place.server_msg_id, 2);
    // The node found out that its transaction came to nothing.
    let (node, outcome) = hangs.await.expect("no task panics");
    assert!(matches!(outcome, Err(Error::Failed(Failure::Failed(_)))), "{outcome:?}");
    let place = send(&*node, text(1, single(1, 2), "id-2")).await.expect("stored");
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
        store.user_by_account(&format!("user-{user}")).await.expect("they are there");
    }
    wire.freeze();
    let reads = (0..20).map(|_| store.positions(UserId(1)));
    for read in join_all(reads).await {
        read.expect("it is read on another connection");
    }
    send(&*store, text(1, single(1, 2), "id-1")).await.expect("it is stored on another connection");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_silent_database_ends_as_failed_with_the_first_of_it() {
    let name = fresh_name();
    make_database(&SERVER.url(), &name).await;
    let wire = Wire::start(Commit::Arrives);
    // One transaction for each of them, one after the other.
    let options = MysqlOptions { writers: 1, commit_messages_max: 1, ..options(&wire.url(&name)) };
    let store = try_open(options).await.expect("it opens");
    settle(&*store, 4).await;
    wire.freeze_all();
    let waiting = (0..10).map(|n| {
        let store = store.clone();
        tokio::spawn(async move { send(&*store, text(1, single(1, 1 + n % 4), &format!("id-{n}"))).await })
    });
    for outcome in join_all(waiting).await {
        let outcome = outcome.expect("no task panics");
        assert!(matches!(outcome, Err(Error::Failed(Failure::Failed(_)))), "{outcome:?}");
    }
    let others = open(&format!("{}/{name}", SERVER.url())).await;
    assert_eq!(others.session(UserId(1), single(1, 2)).await, Err(Error::Refused(Refusal::NotFound("conversation"))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_may_only_be_read_is_left_for_whoever_has_its_name_now() {
    let server = MariaDb::start(Place::Tests).expect("MariaDB starts");
    make_database(&server.url(), "anser").await;
    // The rights that the operator's pages name; whoever may do everything is not held up.
    let rights = "SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX";
    let account = format!("CREATE USER anser@'127.0.0.1'; GRANT {rights} ON anser.* TO anser@'127.0.0.1'");
    server.execute(&account).expect("an account");
    let store = open(&format!("mysql://anser@{}/anser", server.address())).await;
    settle(&*store, 2).await;
    let mut look = Conn::new(Opts::from_url(&server.url()).expect("an address")).await.expect("it answers");
    look.query_drop("SET GLOBAL read_only = 1").await.expect("root may");
    let before = connections(&mut look).await;
    let sending = {
        let store = store.clone();
        tokio::spawn(async move { send(&*store, text(1, single(1, 2), "id-1")).await })
    };
    while connections(&mut look).await < before + 3 && !sending.is_finished() {
        tokio::task::yield_now().await;
    }
    let reading = tokio::spawn(async move { store.user_by_account("user-1").await });
    let before = connections(&mut look).await;
    while connections(&mut look).await < before + 6 && !reading.is_finished() {
        tokio::task::yield_now().await;
    }
    assert!(!reading.is_finished(), "what is written elsewhere by now is not read here");
    look.query_drop("SET GLOBAL read_only = 0").await.expect("root may");
    reading.await.expect("no task panics").expect("they are there");
    look.disconnect().await.expect("it says goodbye");
    assert_eq!(sending.await.expect("no task panics").expect("stored").server_msg_id, 1);
}

/// How many were ever made.
async fn connections(db: &mut Conn) -> u64 {
    let counted: Option<(String, u64)> =
        db.query_first("SHOW GLOBAL STATUS LIKE 'Connections'").await.expect("it answers");
    counted.expect("it counts").1
}
