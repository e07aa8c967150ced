//! Databases of every schema, as [`crate::fixtures`] keeps them.

use std::sync::atomic::AtomicBool;

use anser_proto::{GroupId, UserId};
use anser_store::{
    MembersAction, MembersChange, Stretch,
    mysql::{examine, renew_log_id},
};

use super::*;
use crate::{
    doctor, fixtures,
    talk::{group, send, sender, single, text},
};

async fn open_fixture(url: &str) -> Arc<MysqlStore> {
    try_open(MysqlOptions { common: fixtures::options(), ..options(url) }).await.expect("the store opens")
}

async fn connect(url: &str) -> Conn {
    Conn::new(Opts::from_url(url).expect("an address")).await.expect("it answers")
}

/// As text that creates it.
async fn dump(db: &mut Conn) -> String {
    let columns = "SELECT table_name, GROUP_CONCAT(column_name ORDER BY ordinal_position SEPARATOR ', '),
            GROUP_CONCAT(IF(data_type LIKE '%blob' OR data_type LIKE '%binary',
                CONCAT('IFNULL(CONCAT(''x'''''', HEX(', column_name, '), ''''''''), ''NULL'')'),
                CONCAT('QUOTE(', column_name, ')')) ORDER BY ordinal_position SEPARATOR ', ')
        FROM information_schema.columns WHERE table_schema = DATABASE() AND extra NOT LIKE '%GENERATED%'
        GROUP BY table_name ORDER BY table_name <> 'im_store', table_name";
    let tables: Vec<(String, String, String)> = db.query(columns).await.expect("sound SQL");
    let mut text = String::new();
    for (table, columns, values) in tables {
        let created: (String, String) =
            db.query_first(format!("SHOW CREATE TABLE {table}")).await.expect("sound SQL").expect("a table");
        text += &format!("{};\n", created.1);
        let rows: Vec<String> =
            db.query(format!("SELECT CONCAT_WS(', ', {values}) FROM {table}")).await.expect("sound SQL");
        for row in rows {
            text += &format!("INSERT INTO {table} ({columns}) VALUES ({row});\n");
        }
    }
    text
}

async fn create(url: &str, fixture: &str) {
    let mut db = connect(url).await;
    for statement in fixture.split_terminator(";\n") {
        db.query_drop(statement).await.expect("sound SQL");
    }
    db.disconnect().await.expect("it says goodbye");
}

#[tokio::test]
async fn a_database_of_every_schema_opens_and_goes_on() {
    let url = make_database(&SERVER.url(), &fresh_name()).await;
    let store = open_fixture(&url).await;
    doctor::village(&*store).await;
    store.close().await;
    let mut db = connect(&url).await;
    let present = db.query_first("SELECT schema_version FROM im_store").await.expect("sound SQL").expect("a store");
    let text = dump(&mut db).await;
    db.disconnect().await.expect("it says goodbye");
    for (at, fixture) in fixtures::fixtures("mysql", present, || text).iter().enumerate() {
        let url = make_database(&SERVER.url(), &fresh_name()).await;
        create(&url, fixture).await;
        for turn in 0..2 {
            let store = open_fixture(&url).await;
            fixtures::goes_on(&*store, turn).await;
            store.close().await;
            assert_eq!(examine(&url, &mut |_, _| ()).await.expect("a store").findings, []);
            // A migration that was cut off runs again from its beginning.
            let mut db = connect(&url).await;
            let cut_off = format!("UPDATE im_store SET schema_version = {}", at + 1);
            db.query_drop(cut_off).await.expect("sound SQL");
            db.disconnect().await.expect("it says goodbye");
        }
    }
}

#[tokio::test]
async fn a_restored_database_of_an_older_schema_is_renewed_and_can_be_examined() {
    let url = make_database(&SERVER.url(), &fresh_name()).await;
    let refused = examine(&url, &mut |_, _| ()).await.expect_err("it is refused");
    assert!(refused.to_string().contains("no store was made in it"), "{refused}");
    create(&url, include_str!("../../fixtures/mysql/schema-1.sql")).await;
    let refused = examine(&url, &mut |_, _| ()).await.expect_err("it is refused");
    assert!(matches!(refused, OpenError::Older { store: 1, .. }), "{refused}");
    let log_id = renew_log_id(&url).await.expect("a store");
    assert_eq!(examine(&url, &mut |_, _| ()).await.expect("a store").findings, []);
    assert_eq!(Store::log_id(&*open_fixture(&url).await), log_id);
}

/// As a later build does it that adds what others may pass over: this one was there before, and comes again.
#[tokio::test(flavor = "multi_thread")]
async fn nodes_go_on_while_the_schema_gains_columns_under_them() {
    let url = make_database(&SERVER.url(), &fresh_name()).await;
    let before = open(&url).await;
    doctor::village(&*before).await;
    let over = Arc::new(AtomicBool::new(false));
    let people = tokio::spawn(go_on_until(before.clone(), over.clone(), 1));
    let readers = tokio::spawn(read_until(before.clone(), over.clone()));
    let mut db = connect(&url).await;
    for more in [
        "ALTER TABLE im_user ADD COLUMN status TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE im_mailbox ADD COLUMN change_seq BIGINT UNSIGNED NOT NULL DEFAULT 0",
        "ALTER TABLE im_session ADD COLUMN of_tomorrow BOOLEAN",
        "ALTER TABLE im_conversation ADD COLUMN title TEXT, ADD KEY by_time (server_time_ms)",
        "ALTER TABLE im_group_member ADD COLUMN muted BOOLEAN NOT NULL DEFAULT 0",
        "ALTER TABLE im_message_send_1 ADD COLUMN starred BIGINT UNSIGNED NOT NULL DEFAULT 0",
        "ALTER TABLE im_message_recv_2 ADD COLUMN starred BIGINT UNSIGNED NOT NULL DEFAULT 0, ADD KEY starred (starred)",
        "CREATE TABLE im_more (user_id BIGINT UNSIGNED NOT NULL PRIMARY KEY)",
        "UPDATE im_store SET schema_version = schema_version + 1",
    ] {
        db.query_drop(more).await.expect("sound SQL");
    }
    db.disconnect().await.expect("it says goodbye");
    let after = open(&url).await;
    let written = go_on_until(after.clone(), Arc::new(AtomicBool::new(true)), 2).await;
    over.store(true, Ordering::Relaxed);
    assert!(people.await.expect("they go on") > 0 && written > 0 && readers.await.expect("they read") > 0);
    assert_eq!(examine(&url, &mut |_, _| ()).await.expect("a store").findings, []);
    for store in [before, after] {
        store.close().await;
    }
}

/// At least once. Tells how often.
async fn go_on_until(store: Arc<MysqlStore>, over: Arc<AtomicBool>, node: u32) -> u32 {
    let mut turns = 0;
    loop {
        for to in [single(1, 2), group(10)] {
            send(&*store, text(1, to, &format!("{to}-{node}-{turns}"))).await.expect("stored");
        }
        for action in [MembersAction::Invite(vec![UserId(5)]), MembersAction::Remove(vec![UserId(5)])] {
            let change = MembersChange { group: GroupId(10), operator: sender(1), action, login_version: 0 };
            store.change_members(change).await.expect("changed");
        }
        turns += 1;
        if over.load(Ordering::Relaxed) {
            return turns;
        }
    }
}

async fn read_until(store: Arc<MysqlStore>, over: Arc<AtomicBool>) -> u32 {
    let last = Stretch { after: None, before: 0, limit: 20, bytes_max: usize::MAX };
    let mut turns = 0;
    while !over.load(Ordering::Relaxed) {
        store.sessions(UserId(1), None, 50).await.expect("a page");
        store.read_log(UserId(2), single(1, 2), last).await.expect("a page");
        store.read_log(UserId(3), group(10), last).await.expect("a page");
        store.changes(UserId(2), 0, 50).await.expect("changes");
        turns += 1;
    }
    turns
}
