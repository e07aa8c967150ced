//! The doctor beside nodes that write.

use std::sync::atomic::AtomicBool;

use anser_proto::UserId;
use anser_store::{MembersAction, MembersChange, Store as _, doctor::Report, mysql::examine};

use super::*;
use crate::{
    doctor::{self, Case},
    talk::{group, send, sender, single, text},
};

async fn look(url: &str) -> Report {
    examine(url, &mut |_, _| ()).await.expect("a store")
}

/// What the tables of a database held at one time, beside it.
struct Kept(Vec<[String; 3]>);

impl Kept {
    async fn of(db: &mut Conn, name: &str) -> Self {
        let columns = format!(
            "SELECT table_name, GROUP_CONCAT(column_name) FROM information_schema.columns
             WHERE table_schema = '{name}' AND extra NOT LIKE '%GENERATED%' GROUP BY table_name"
        );
        let tables: Vec<(String, String)> = db.query(columns).await.expect("sound SQL");
        let mut kept = Vec::new();
        for (table, columns) in tables {
            let copy = format!("{name}_kept.{table}");
            db.query_drop(format!("CREATE TABLE {copy} AS SELECT {columns} FROM {name}.{table}"))
                .await
                .expect("a copy");
            kept.push([format!("{name}.{table}"), copy, columns]);
        }
        Self(kept)
    }

    async fn restore(&self, db: &mut Conn) {
        for [table, copy, columns] in &self.0 {
            let sql = format!("DELETE FROM {table}; INSERT INTO {table} ({columns}) SELECT {columns} FROM {copy}");
            db.query_drop(sql).await.expect("sound SQL");
        }
    }
}

#[tokio::test]
async fn every_kind_of_damage_is_seen_while_the_store_is_open() {
    let name = fresh_name();
    make_database(&SERVER.url(), &format!("{name}_kept")).await;
    let url = make_database(&SERVER.url(), &name).await;
    let store = open(&url).await;
    doctor::village(&*store).await;
    let mut db = Conn::new(Opts::from_url(&url).expect("an address")).await.expect("it answers");
    let kept = Kept::of(&mut db, &name).await;
    assert_eq!(look(&url).await.findings, []);
    for topic in [
        doctor::COPIES,
        doctor::LOGS,
        doctor::COUNTS,
        doctor::HEADS,
        doctor::MENTIONS,
        doctor::ENTRIES,
        doctor::MAILBOXES,
        doctor::GROUPS,
    ] {
        for case @ Case(damage, ..) in topic {
            db.query_drop(*damage).await.expect("sound SQL");
            case.must_be_in(&look(&url).await);
            kept.restore(&mut db).await;
        }
    }
    assert_eq!(look(&url).await.findings, [], "all was restored");
    db.disconnect().await.expect("it says goodbye");
    store.close().await;
}

#[tokio::test]
async fn a_log_of_many_pages_is_examined_whole() {
    let url = make_database(&SERVER.url(), &fresh_name()).await;
    let store = open(&url).await;
    doctor::village(&*store).await;
    doctor::talk_for_pages(&*store).await;
    assert_eq!(look(&url).await.findings, []);
    let mut db = Conn::new(Opts::from_url(&url).expect("an address")).await.expect("it answers");
    db.query_drop(doctor::OF_PAGES).await.expect("sound SQL");
    doctor::are_of_pages(&look(&url).await);
    db.disconnect().await.expect("it says goodbye");
    store.close().await;
}

/// Of all that is half done at some moment it sees nothing, and who writes does not wait for it.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_found_while_two_nodes_write() {
    let url = make_database(&SERVER.url(), &fresh_name()).await;
    let nodes = [open(&url).await, open(&url).await];
    doctor::village(&*nodes[0]).await;
    let over = Arc::new(AtomicBool::new(false));
    let writers = nodes.clone().map(|store| {
        let over = over.clone();
        tokio::spawn(async move {
            let mut written = 0;
            while !over.load(Ordering::Relaxed) {
                let id = format!("{:p}-{written}", Arc::as_ptr(&store));
                send(&*store, text(1, single(1, 2), &id)).await.expect("stored");
                send(&*store, text(3, group(10), &id)).await.expect("stored");
                for action in [MembersAction::Remove(vec![UserId(5)]), MembersAction::Invite(vec![UserId(5)])] {
                    let change = MembersChange {
                        group: anser_proto::GroupId(10),
                        operator: sender(1),
                        action,
                        login_version: 0,
                    };
                    store.change_members(change).await.expect("changed");
                }
                written += 2;
            }
            written
        })
    });
    let mut seen = Vec::new();
    while seen.len() < 10 {
        let report = look(&url).await;
        assert_eq!(report.findings, []);
        seen.push(report.messages);
    }
    over.store(true, Ordering::Relaxed);
    let mut written = 0;
    for writer in writers {
        written += writer.await.expect("it writes to its end");
    }
    assert!(seen[9] > seen[0] && written > 20, "{seen:?} of {written}");
    for store in nodes {
        store.close().await;
    }
}
