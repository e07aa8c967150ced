//! Tests that what a transaction wants is found by its key, however much it wants and however much there is. Where a plan gives up on so many
//! keys, the rows of everybody are read, and locked.

use std::collections::BTreeSet;

use anser_proto::{ConversationId, GroupId, UserId};
use anser_services::{MariaDb, Place};
use mysql_async::{Conn, Row as MysqlRow, prelude::Queryable as _};

use super::{
    MysqlOptions,
    columns::Sql,
    statement::{Lock, select},
};
use crate::{
    Options,
    rows::{DeviceRow, Entry, GroupRow, Head, Mailbox, PasswordRow, Row, Stay, UserRow},
};

/// Of the kinds that are locked.
const MANY: u64 = 1_000_000;
const FEWER: u64 = 100_000;
/// A transaction takes up to 1 000 messages, each with two mailboxes and sessions.
const KEYS: u64 = 2_000;

pub(super) fn options(url: String) -> MysqlOptions {
    MysqlOptions::new(Options::small(1), url)
}

/// Of a row for each number in the table.
async fn fill(db: &mut Conn, rows: u64, table: &str, columns: &str, values: &str) {
    let sql = format!("INSERT INTO {table} ({columns}) SELECT {values} FROM seq_1_to_{rows}; ANALYZE TABLE {table}");
    db.query_drop(sql).await.expect("sound SQL");
}

async fn check<R: Row>(db: &mut Conn, lock: Lock, rows: u64, key: impl Fn(u64) -> R::Key) {
    let keys: BTreeSet<_> = (1..=KEYS).map(|n| key(n * (rows / KEYS))).collect();
    let mut sql = Sql::default();
    select::<R>(&keys, lock, &mut sql);
    let explain = format!("EXPLAIN {}", sql.as_str().trim_start_matches("; "));
    let steps: Vec<MysqlRow> = db.query(explain).await.expect("it can be explained");
    assert_eq!(steps.len(), 1, "{}: {steps:?}", R::TABLE);
    let column = |name: &str| steps[0].get::<Option<String>, _>(name).flatten().unwrap_or_default();
    let read: u64 = column("rows").parse().expect("a number");
    assert!(["range", "const"].contains(&&*column("type")) && read <= 2 * KEYS, "{}: {steps:?}", R::TABLE);
}

#[tokio::test]
async fn two_thousand_rows_among_a_million_are_found_by_their_keys() {
    let server = MariaDb::start(Place::Tests).expect("MariaDB starts");
    server.execute("CREATE DATABASE anser").expect("it creates one");
    let url = format!("{}/anser", server.url());
    options(url.clone()).prepare().await.expect("it is fit");
    let mut db = Conn::new(mysql_async::Opts::from_url(&url).expect("an address")).await.expect("it answers");
    db.query_drop("SET SESSION innodb_lock_wait_timeout = 1, unique_checks = 0").await.expect("sound SQL");
    fill(&mut db, MANY, "im_mailbox", "user_id, mailbox_seq", "seq, 1").await;
    fill(
        &mut db,
        MANY,
        "im_conversation",
        "small_id, big_id, server_msg_id, count, server_time_ms",
        "seq, seq + 1, 1, 1, 1",
    )
    .await;
    let entry = "user_id, small_id, big_id, mailbox_seq, read_mark, read_count, delivered_mark";
    fill(&mut db, MANY, "im_session", entry, "seq, seq, seq + 1, 1, 1, 1, 1").await;
    let user = "user_id, account, nickname, avatar, disabled, mailbox_seq";
    fill(&mut db, FEWER, "im_user", user, "seq, CONCAT('user-', seq), '', '', 0, 0").await;
    fill(&mut db, FEWER, "im_password", "user_id, argon2, scram", "seq, '', ''").await;
    fill(&mut db, FEWER, "im_device", "user_id, device_id, platform, name, last_seen_ms", "seq, 'd-1', 1, '', 1").await;
    let group =
        "group_id, creator_id, client_group_id, name, avatar, owner_id, member_count, created_ms, members_version";
    fill(&mut db, FEWER, "im_group", group, "seq, seq, 'g', '', '', seq, 1, 1, 1").await;
    fill(&mut db, FEWER, "im_group_member", "group_id, user_id, joined, role", "seq, seq, 1, 1").await;
    let pair = |n| ConversationId::single(UserId(n), UserId(n + 1));
    check::<Mailbox>(&mut db, Lock::Rows, MANY, UserId).await;
    check::<Head>(&mut db, Lock::Rows, MANY, pair).await;
    check::<Entry>(&mut db, Lock::Rows, MANY, |n| (UserId(n), pair(n))).await;
    check::<UserRow>(&mut db, Lock::None, FEWER, UserId).await;
    check::<PasswordRow>(&mut db, Lock::None, FEWER, UserId).await;
    check::<DeviceRow>(&mut db, Lock::None, FEWER, |n| (UserId(n), "d-1".into())).await;
    check::<GroupRow>(&mut db, Lock::None, FEWER, GroupId).await;
    check::<Stay>(&mut db, Lock::None, FEWER, |n| (GroupId(n), UserId(n))).await;
    db.disconnect().await.expect("it says goodbye");
}
