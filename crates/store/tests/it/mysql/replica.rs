//! History from a real replica that lags: nobody sees less for it.

use std::sync::Arc;

use anser_proto::{GroupId, UserId};
use anser_services::{MariaDb, MariaDbOptions, Place, Source};
use anser_store::{
    MembersAction, MembersChange, MessageChange, NewMessage, Store, Stretch, Target, What,
    mysql::{MysqlOptions, MysqlStore},
};

use super::{make_database, options, try_open};
use crate::talk::{found, group, send, sender, settle, single, text};

struct Pair {
    source: MariaDb,
    replica: MariaDb,
    store: Arc<MysqlStore>,
}

/// A source and a replica that repeats it so many seconds later.
async fn pair(delay_s: u32) -> Pair {
    let source = MariaDb::start(Place::Tests).expect("MariaDB starts");
    let url = make_database(&source.url(), "anser").await;
    let replica_of = Some(Source { address: source.address(), delay_s });
    let replica = MariaDb::start_with(Place::Tests, MariaDbOptions { replica_of, ..Default::default() });
    let replica = replica.expect("a replica starts");
    let replicas = vec![format!("{}/anser", replica.url())];
    let store = try_open(MysqlOptions { replicas, ..options(&url) }).await.expect("the store opens");
    settle(&*store, 3).await;
    found(&*store, 9, 1, &[2, 3]).await;
    Pair { source, replica, store }
}

/// Every stretch that two people may ask for, as a store without replicas has it.
async fn check(store: &dyn Store, truth: &dyn Store) {
    for conversation in [single(1, 2), group(9)] {
        for reader in [UserId(1), UserId(2)] {
            for (after, before) in [
                (None, 0),
                (None, 9),
                (Some(0), 0),
                (Some(0), 9),
                (Some(3), 0),
                (Some(4), 8),
                (None, 1),
                (Some(0), 1),
                (Some(100), 0),
            ] {
                for limit in [1, 5, 200] {
                    let stretch = Stretch { after, before, limit, bytes_max: 200 };
                    let page = store.read_log(reader, conversation, stretch).await.expect("they may");
                    assert_eq!(page, truth.read_log(reader, conversation, stretch).await.expect("they may"));
                }
            }
        }
    }
}

async fn talk(store: &dyn Store) {
    for n in 1..=12 {
        send(store, text(n % 2 + 1, single(1, 2), &n.to_string())).await.expect("stored");
        drop(send(store, text(n % 3 + 1, group(9), &n.to_string())).await);
        let action = match n {
            5 => MembersAction::Remove(vec![UserId(2)]),
            8 => MembersAction::Invite(vec![UserId(2)]),
            _ => continue,
        };
        let change = MembersChange { group: GroupId(9), operator: sender(1), action, login_version: 0 };
        store.change_members(change).await.expect("the owner may");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn from_a_replica_that_lags_nobody_sees_less_than_is_there() {
    let Pair { source, replica: _replica, store } = pair(3600).await;
    let truth = try_open(options(&format!("{}/anser", source.url()))).await.expect("the store opens");
    talk(&*store).await;
    check(&*store, &*truth).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_is_up_to_date_serves_pages_and_one_that_is_gone_is_passed_over() {
    let Pair { source, mut replica, store } = pair(0).await;
    let truth = try_open(options(&format!("{}/anser", source.url()))).await.expect("the store opens");
    talk(&*store).await;
    let position = source.execute("SELECT @@gtid_binlog_pos").expect("a position");
    let waited = replica.execute(&format!("SELECT MASTER_GTID_WAIT('{}', 30)", position.trim())).expect("it waits");
    assert_eq!(waited.trim(), "0");
    let before = store.stats().replica_behind;
    check(&*store, &*truth).await;
    assert_eq!(store.stats().replica_behind, before, "a replica that has all was not used");
    let asked = replica.execute("SHOW GLOBAL STATUS LIKE 'Com_select'").expect("a count");
    assert!(asked.split_whitespace().last().is_some_and(|n| n.parse().is_ok_and(|n: u64| n > 50)), "{asked}");

    replica.execute("STOP SLAVE SQL_THREAD").expect("it stands still");
    for conversation in [single(1, 2), group(9)] {
        let change = MessageChange { target: Target::Place(2), what: What::Recall };
        let recall = NewMessage {
            kind: 60,
            content: "".into(),
            counted: false,
            change: Some(change),
            ..text(1, conversation, "r")
        };
        send(&*store, recall).await.expect("its author may");
    }
    check(&*store, &*truth).await;
    assert!(store.stats().replica_behind > before, "it has the places, and not what became of them");

    replica.kill();
    check(&*store, &*truth).await;
}
