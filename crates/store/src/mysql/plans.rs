//! Tests that what a transaction wants is found by its key, however much it wants and however much there is. Where a plan gives up on so many
//! keys, the rows of everybody are read, and locked. And that no statement of those who only read walks through a table.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, LazyLock, Mutex},
};

use anser_proto::{ConversationId, GroupId, UserId};
use anser_services::{MariaDb, Place};
use async_trait::async_trait;
use mysql_async::{Conn, Row as MysqlRow, prelude::Queryable as _};

use super::{
    MysqlOptions,
    columns::Sql,
    open::{Database, Role},
    statement::{Lock, select},
};
use crate::{
    Options, Sequencer, Store,
    contract::{self, Subject},
    query::Query,
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

/// What was asked by those who only read: by statement, with the values of the first time.
static ASKED: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());
static SERVER: LazyLock<MariaDb> = LazyLock::new(|| MariaDb::start(Place::Tests).expect("MariaDB starts"));

pub(super) fn note(question: &Query) {
    let mut asked = ASKED.lock().expect("no test panics with it");
    asked.entry(question.sql.clone()).or_insert_with(|| {
        let mut sql = Sql::default();
        sql.query(question);
        sql.as_str().to_owned()
    });
}

struct Asked(String);

#[async_trait]
impl Subject for Asked {
    async fn open(&self, options: Options, sequencer: Arc<dyn Sequencer>) -> Arc<dyn Store> {
        SERVER.execute(&format!("CREATE DATABASE IF NOT EXISTS {}", self.0)).expect("it creates one");
        let options = MysqlOptions::new(options, format!("{}/{}", SERVER.url(), self.0));
        options.prepare().await.expect("it is fit").open(sequencer).expect("it opens")
    }
}

/// Rows of each table: more than the pages of the doctor, and so many that no plan would rather walk.
const CROWD: u64 = 5_000;
const SHARDS: u32 = 4;

/// Everybody writes to their neighbour and in a group of their own; a hundred messages a log.
async fn crowd(url: &str) -> Conn {
    MysqlOptions::new(Options::small(SHARDS), url.to_owned()).prepare().await.expect("it is fit");
    let mut db = Conn::new(mysql_async::Opts::from_url(url).expect("an address")).await.expect("it answers");
    let user = "user_id, account, nickname, avatar, disabled, mailbox_seq";
    fill(&mut db, CROWD, "im_user", user, "seq, CONCAT('user-', seq), '', '', 0, 0").await;
    fill(&mut db, CROWD, "im_mailbox", "user_id, mailbox_seq", "seq, 1").await;
    fill(&mut db, CROWD, "im_password", "user_id, argon2, scram", "seq, '', ''").await;
    fill(&mut db, CROWD, "im_device", "user_id, device_id, platform, name, last_seen_ms", "seq, 'd-1', 1, '', 1").await;
    let revoked = "user_id, device_id, not_before_s, login_version";
    fill(&mut db, CROWD, "im_revoked", revoked, "seq, 'd-2', 1, 0").await;
    let group =
        "group_id, creator_id, client_group_id, name, avatar, owner_id, member_count, created_ms, members_version";
    fill(&mut db, CROWD, "im_group", group, "seq, seq, 'g', '', '', seq, 1, 1, 1").await;
    fill(&mut db, CROWD, "im_group_member", "group_id, user_id, joined, role", "1 + seq DIV 10, seq, 1, 1").await;
    let head = "small_id, big_id, server_msg_id, count, server_time_ms";
    fill(&mut db, CROWD, "im_conversation", head, "IF(seq % 2, 0, seq), seq + 1, 1, 1, 1").await;
    let entry = "user_id, small_id, big_id, mailbox_seq, read_mark, read_count, delivered_mark";
    fill(&mut db, CROWD, "im_session", entry, "seq, IF(seq % 2, 0, seq), seq + 1, 1, 1, 1, 1").await;
    let mention = "user_id, small_id, big_id, server_msg_id, from_id";
    fill(&mut db, CROWD, "im_mention", mention, "seq, 0, 1 + seq DIV 10, 1 + seq % 100, 1").await;
    for shard in 0..SHARDS {
        let user = format!("{SHARDS} * (1 + seq DIV 100) + {shard}");
        let columns =
            "server_msg_id, client_msg_id, type, counted, count, client_time_ms, server_time_ms, from_nickname,
                       from_platform, from_device_id, content, attachment";
        let values = "1 + seq % 100, CONCAT('id-', seq), 1, 1, 1, 1, 1, '', 1, '', 'hello', ''";
        let (to, sent) = (format!("from_id, to_id, {columns}"), format!("{user}, {user} + 1, {values}"));
        fill(&mut db, CROWD, &format!("im_message_send_{shard}"), &to, &sent).await;
        let (to, is_group) = (format!("from_id, to_id, group_id, {columns}"), "seq DIV 100 % 2");
        let received = format!("{user} + 1, IF({is_group}, NULL, {user}), IF({is_group}, {user}, NULL), {values}");
        fill(&mut db, CROWD, &format!("im_message_recv_{shard}"), &to, &received).await;
    }
    db
}

#[tokio::test(flavor = "multi_thread")]
async fn every_statement_that_reads_finds_its_rows_by_an_index_and_sorts_no_log() {
    for (number, name) in contract::OF_EVERY_VERB.iter().enumerate() {
        static NUMBER: Mutex<usize> = Mutex::new(0);
        *NUMBER.lock().expect("no test panics with it") = number;
        let make = || -> Box<dyn Subject> {
            Box::new(Asked(format!("verbs_{}", NUMBER.lock().expect("no test panics with it"))))
        };
        contract::run(name, make).await;
    }
    SERVER.execute("CREATE DATABASE crowd").expect("it creates one");
    let url = format!("{}/crowd", SERVER.url());
    drop(crowd(&url).await);
    super::examine(&url, &mut |_, _| ()).await.expect("a store");

    let asked = ASKED.lock().expect("no test panics with it").clone();
    let (of_doctor, of_verbs): (Vec<_>, Vec<_>) = asked.iter().partition(|(sql, _)| sql.contains("AS here"));
    assert!(of_doctor.len() > 200 && of_verbs.len() > 30, "{} and {}", of_doctor.len(), of_verbs.len());
    let database = Database::new(&url).expect("an address");
    for (role, statements) in [(Role::Reader, of_verbs), (Role::Examiner, of_doctor)] {
        let mut db = database.connect(role).await.expect("it answers");
        for (_, sql) in statements {
            let steps: Vec<MysqlRow> = db.query(format!("EXPLAIN {sql}")).await.expect("it can be explained");
            for step in &steps {
                let column = |name: &str| step.get::<Option<String>, _>(name).flatten().unwrap_or_default();
                let (table, kind, extra) = (column("table"), column("type"), column("Extra"));
                // Of what both halves of a union found, there is no more than was asked for.
                if table.is_empty() || table.starts_with("<union") {
                    continue;
                }
                // Of an index in its order, as much as a page is read.
                let walks = kind == "ALL" || kind == "index" && column("rows").parse::<u64>().expect("a number") > 1000;
                assert!(!walks, "{table} {kind} {extra}: {sql}\n{steps:?}");
                let sorts = extra.contains("filesort") || extra.contains("temporary");
                assert!(!sorts || !sql.contains("im_message"), "{table} {kind} {extra}: {sql}");
            }
        }
        db.disconnect().await.expect("it says goodbye");
    }
}
