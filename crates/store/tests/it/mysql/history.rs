//! A database that is not, or not any more, the one to which a node came.

use std::time::Duration;

use anser_store::{
    Store as _,
    mysql::{MysqlStore, OpenError},
};
use tokio::time::timeout;

use super::*;
use crate::talk::{send, settle, single, text};

async fn another(url: &str) -> Conn {
    Conn::new(Opts::from_url(url).expect("an address")).await.expect("it answers")
}

/// Changes the database while nobody looks, and breaks all other connections to it, as a restore does.
async fn restore(url: &str, change: &str) {
    let mut db = another(url).await;
    db.query_drop(change).await.expect("sound SQL");
    let others = "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()";
    for id in db.query::<u64, _>(others).await.expect("ids") {
        // It may have gone by itself.
        let _ = db.query_drop(format!("KILL {id}")).await;
    }
    db.disconnect().await.expect("it says goodbye");
}

async fn why_it_broke(store: &MysqlStore) -> Arc<str> {
    let nobody = send(store, text(1, single(1, 2), "after")).await;
    assert!(nobody.is_err(), "{nobody:?}");
    timeout(Duration::from_secs(5), store.broke()).await.expect("it was noticed")
}

async fn talked() -> (String, Arc<MysqlStore>) {
    let url = make_database(&SERVER.url(), &fresh_name()).await;
    let store = open(&url).await;
    settle(&*store, 2).await;
    send(&*store, text(1, single(1, 2), "before")).await.expect("stored");
    (url, store)
}

#[tokio::test]
async fn a_node_that_survived_a_restore_stores_nothing_more() {
    let (url, store) = talked().await;
    restore(&url, "UPDATE im_store SET log_id = 5").await;
    let why = why_it_broke(&store).await;
    assert!(why.contains("another history: log_id 5"), "{why}");
}

#[tokio::test]
async fn a_node_of_older_rules_stores_nothing_more() {
    let (url, store) = talked().await;
    restore(&url, "UPDATE im_store SET min_writer_version = 99").await;
    let why = why_it_broke(&store).await;
    assert!(why.contains("rules of version 99"), "{why}");
    restore(&url, "UPDATE im_store SET schema_version = 99").await;
    assert!(matches!(try_open(options(&url)).await, Err(OpenError::Newer { store: 99, .. })));
}

#[tokio::test]
async fn what_a_database_lost_is_noticed_by_who_wrote_it() {
    let (url, store) = talked().await;
    restore(&url, "DO 0").await;
    send(&*store, text(1, single(1, 2), "again")).await.expect("stored");
    assert_eq!(store.stats().commits_lost, 0);
    restore(&url, "UPDATE im_writer SET transaction_no = transaction_no - 1").await;
    for n in 0..4 {
        send(&*store, text(1, single(1, 2), &n.to_string())).await.expect("stored");
    }
    assert!(store.stats().commits_lost > 0);
}

/// As a node of a later build leaves it that added to the schema what others may pass over.
#[tokio::test]
async fn nodes_run_on_and_come_back_while_a_later_build_adds_columns() {
    let (url, store) = talked().await;
    let mut db = another(&url).await;
    for table in db.query::<String, _>("SHOW TABLES").await.expect("names") {
        let add = format!("ALTER TABLE {table} ADD COLUMN later INT NOT NULL DEFAULT 0");
        db.query_drop(add).await.expect("sound SQL");
        send(&*store, text(1, single(1, 2), &table)).await.expect("stored");
    }
    db.query_drop("UPDATE im_store SET schema_version = 99").await.expect("sound SQL");
    db.disconnect().await.expect("it says goodbye");
    let other = open(&url).await;
    for (n, store) in [&store, &other].into_iter().enumerate() {
        send(&**store, text(2, single(1, 2), &n.to_string())).await.expect("stored");
        store.close().await;
    }
}

#[tokio::test]
async fn tables_of_others_are_refused_whatever_they_are_called() {
    let url = make_database(&SERVER.url(), &fresh_name()).await;
    let mut db = another(&url).await;
    db.query_drop("CREATE TABLE im_user (id INT)").await.expect("sound SQL");
    db.disconnect().await.expect("it says goodbye");
    let refused = try_open(options(&url)).await.err().expect("it is refused");
    assert!(matches!(&refused, OpenError::Foreign(why) if why.contains("im_user")), "{refused}");
}
