//! Appending into MariaDB, beside the bare rate of the same two tables: rows in batches without heads, sessions, mailboxes or
//! dedup. `cargo bench -p anser-store --features cluster --bench cluster`; MariaDB's data lies on the disk.
//!
//! `ANSER_BENCH_DATABASE=mysql://…` is a server that is there already, on which only the bare rates are measured, for whoever
//! compares something else with them in the same run.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use anser_proto::{ConversationId, UserId};
use anser_services::{MariaDb, Place};
use anser_store::{
    NewMessage, NewUser, Options, Sender, Store,
    mysql::{MysqlOptions, MysqlStore},
    sequencer::HeadSequencer,
};
use mysql_async::{Conn, Opts, prelude::Queryable as _};

const USERS: u64 = 200;
const WARM_UP: Duration = Duration::from_secs(3);
const MEASURED: Duration = Duration::from_secs(10);
/// Callers of the store, each with one batch under way.
const CALLERS: u64 = 32;
const BATCH: u64 = 64;
/// Connections that insert bare rows, and rows of each table in one transaction.
const CONNECTIONS: u64 = 4;
const BARE_BATCH: u64 = 100;
const SHARDS: u64 = 4;

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    if let Ok(server) = std::env::var("ANSER_BENCH_DATABASE") {
        return runtime.block_on(bare_rates(&server));
    }
    runtime.block_on(async {
        let server = MariaDb::start(Place::Disk).expect("MariaDB starts");
        server.execute("CREATE DATABASE anser").expect("a database");
        let url = format!("{}/anser", server.url());
        let bare = measure(bare(&url).await).await;
        println!(
            "bare inserts into two tables, {CONNECTIONS} connections, batches of {BARE_BATCH}: {bare:.0} messages/s"
        );
        server.execute("DROP DATABASE anser; CREATE DATABASE anser").expect("a database");
        for nodes in [1, 2] {
            let rate = measure(append(&url, nodes).await).await;
            println!(
                "append, {nodes} node(s), {CALLERS} callers, batches of {BATCH}: {rate:.0} messages/s, {:.2} of bare",
                rate / bare
            );
        }
    });
}

/// One line of JSON.
async fn bare_rates(server: &str) {
    let mut db = Conn::new(Opts::from_url(server).expect("an address")).await.expect("a connection");
    let mut rates = Vec::new();
    for (name, one_by_one) in [("bare", false), ("one_by_one", true)] {
        db.query_drop("CREATE DATABASE anser_bench").await.expect("a database");
        let url = format!("{server}/anser_bench");
        let rate = measure(if one_by_one { one_a_commit(&url).await } else { bare(&url).await }).await;
        db.query_drop("DROP DATABASE anser_bench").await.expect("it is gone");
        rates.push(format!("\"{name}\":{rate:.0}"));
    }
    println!("{{{}}}", rates.join(","));
}

/// A message to one group and its head, in a transaction of its own: what a hot group can do without batches.
async fn one_a_commit(url: &str) -> (Arc<AtomicU64>, tokio::task::JoinSet<()>) {
    open(url).await.close().await;
    let (stored, mut tasks) = (Arc::new(AtomicU64::new(0)), tokio::task::JoinSet::new());
    let mut db = Conn::new(Opts::from_url(url).expect("an address")).await.expect("a connection");
    db.query_drop(
        "INSERT INTO im_conversation (small_id, big_id, server_msg_id, count, server_time_ms) VALUES (0, 1, 0, 0, 0)",
    )
    .await
    .expect("a head");
    let counted = stored.clone();
    tasks.spawn(async move {
        for id in 1.. {
            let sql = format!(
                "START TRANSACTION; UPDATE im_conversation SET server_msg_id = {id}, count = {id}, server_time_ms = {id}
                     WHERE small_id = 0 AND big_id = 1 AND server_msg_id = {id} - 1;
                 INSERT INTO im_message_recv_1 (from_id, group_id, server_msg_id, client_msg_id, type, counted, count,
                     client_time_ms, server_time_ms, from_nickname, from_platform, from_device_id, content, attachment)
                     VALUES (1, 1, {id}, '{}', 1, 1, {id}, 1, 1, 'bench', 0, 'bench', '{}', ''); COMMIT",
                uuid(id),
                "x".repeat(100)
            );
            db.query_drop(sql).await.expect("a row");
            counted.fetch_add(1, Ordering::Relaxed);
        }
    });
    (stored, tasks)
}

/// Counts what tasks add until they are dropped.
async fn measure((stored, tasks): (Arc<AtomicU64>, tokio::task::JoinSet<()>)) -> f64 {
    tokio::time::sleep(WARM_UP).await;
    let (before, begun) = (stored.load(Ordering::Relaxed), Instant::now());
    tokio::time::sleep(MEASURED).await;
    let rate = (stored.load(Ordering::Relaxed) - before) as f64 / begun.elapsed().as_secs_f64();
    drop(tasks);
    rate
}

async fn bare(url: &str) -> (Arc<AtomicU64>, tokio::task::JoinSet<()>) {
    let store = open(url).await;
    store.close().await;
    let (stored, mut tasks) = (Arc::new(AtomicU64::new(0)), tokio::task::JoinSet::new());
    for connection in 0..CONNECTIONS {
        let mut db = Conn::new(Opts::from_url(url).expect("an address")).await.expect("a connection");
        let stored = stored.clone();
        tasks.spawn(async move {
            let mut id = connection << 48;
            loop {
                let rows = |owner: &str| {
                    let row = |n: u64| {
                        let from = (id + n) % USERS + 1;
                        format!(
                            "({from},{},{},'{}',1,1,1,1,1,'bench',0,'bench','{}','')",
                            ((from - 1) ^ 1) + 1,
                            id + n,
                            uuid(id + n),
                            "x".repeat(100)
                        )
                    };
                    let rows: Vec<_> = (0..BARE_BATCH).map(row).collect();
                    let shard = id / BARE_BATCH % SHARDS;
                    format!(
                        "INSERT INTO im_message_{owner}_{shard} (from_id, to_id, server_msg_id, client_msg_id, type, counted,
                             count, client_time_ms, server_time_ms, from_nickname, from_platform, from_device_id, content,
                             attachment) VALUES {}",
                        rows.join(",")
                    )
                };
                let sql = format!("START TRANSACTION; {}; {}; COMMIT", rows("send"), rows("recv"));
                db.query_drop(sql).await.expect("rows");
                id += BARE_BATCH;
                stored.fetch_add(BARE_BATCH, Ordering::Relaxed);
            }
        });
    }
    (stored, tasks)
}

async fn append(url: &str, nodes: u64) -> (Arc<AtomicU64>, tokio::task::JoinSet<()>) {
    let (stored, mut tasks) = (Arc::new(AtomicU64::new(0)), tokio::task::JoinSet::new());
    let mut stores = Vec::new();
    for _ in 0..nodes {
        stores.push(open(url).await);
    }
    for user in 1..=USERS {
        let account: Arc<str> = format!("bench-{user}").into();
        let new = NewUser { user: UserId(user), nickname: account.clone(), account, password: None };
        // The users of the first run are there in the second.
        drop(stores[0].create_user(new).await);
    }
    for caller in 0..CALLERS {
        let (store, stored) = (stores[(caller % nodes) as usize].clone(), stored.clone());
        tasks.spawn(async move {
            for turn in 0.. {
                let from = (caller + turn * CALLERS) % USERS + 1;
                let batch = (0..BATCH).map(|n| message(from, uuid(((nodes * 100 + caller) << 48) + turn * BATCH + n)));
                let answers = store.append(batch.collect()).await;
                for answer in answers.expect("the store works") {
                    answer.expect("stored");
                }
                stored.fetch_add(BATCH, Ordering::Relaxed);
            }
        });
    }
    (stored, tasks)
}

fn message(from: u64, client_msg_id: String) -> NewMessage {
    NewMessage {
        conversation: ConversationId::single(UserId(from), UserId(((from - 1) ^ 1) + 1)),
        from: Sender { user: UserId(from), nickname: "bench".into(), platform: 0, device_id: "bench".into() },
        client_msg_id: client_msg_id.parse().expect("visible ASCII"),
        kind: 1,
        content: "x".repeat(100).into(),
        attachment: bytes::Bytes::new(),
        client_time_ms: 0,
        counted: true,
        reply_to: 0,
        mentions: Default::default(),
        change: None,
        login_version: 0,
    }
}

/// As long as a UUIDv7, and in order of time as they are.
fn uuid(number: u64) -> String {
    let ms = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_millis() as u64);
    format!(
        "{:08x}-{:04x}-7{:03x}-8000-{:012x}",
        ms >> 16,
        ms & 0xffff,
        number >> 48 & 0xfff,
        number & 0xffff_ffff_ffff
    )
}

async fn open(url: &str) -> Arc<MysqlStore> {
    let clock = || SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_millis() as u64);
    let common = Options {
        shards: SHARDS as u32,
        group_members_max: 5_000,
        groups_per_user_max: 1_000,
        unanswered_groups_per_user_max: 1_000,
        unanswered_groups_per_inviter_max: 1_000,
        devices_per_user_max: 32,
        people: anser_store::PeopleOptions::default(),
        recall: anser_store::Window::ForEver,
        edit: anser_store::Window::ForEver,
        clock: Arc::new(clock),
    };
    let prepared = MysqlOptions::new(common, url.to_owned()).prepare().await.expect("a store");
    prepared.open(Arc::new(HeadSequencer::new())).expect("a store")
}
