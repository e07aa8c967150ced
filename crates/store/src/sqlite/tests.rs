//! What can only be seen from within: the connection on which the writer works.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use anser_proto::{ConversationId, GroupId, UserId};
use rusqlite::Connection;
use tempfile::TempDir;

use super::{Absent, Folder, OpenError, SqliteOptions, SqliteStore, migrate, spawn};
use crate::{
    Error, Failure, NewGroup, NewMessage, NewUser, Options, Sender, Store as _, fallen::Fallen,
    sequencer::HeadSequencer,
};

fn options() -> SqliteOptions {
    SqliteOptions::new(Options::small(2), Arc::new(HeadSequencer::new()))
}

fn home() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

/// User 1, who writes to themselves.
async fn settle(store: &SqliteStore) {
    let (account, nickname) = ("one".into(), "One".into());
    let new = NewUser { user: UserId(1), account, nickname, password: None };
    store.create_user(new).await.expect("a new user");
}

async fn send(store: &SqliteStore, n: u64) -> Result<u64, Error> {
    let message = NewMessage {
        conversation: ConversationId::single(UserId(1), UserId(1)),
        from: Sender { user: UserId(1), nickname: "One".into(), platform: 1, device_id: "a".into() },
        client_msg_id: n.to_string().parse().expect("visible ASCII"),
        kind: 1,
        content: "x".repeat(20_000).into(),
        attachment: bytes::Bytes::new(),
        client_time_ms: 1,
        counted: true,
        reply_to: 0,
        mentions: Default::default(),
        change: None,
        login_version: 0,
    };
    Ok(store.append(vec![message]).await?.remove(0)?.server_msg_id)
}

/// Ends the store, and looks at the connection with which it wrote last.
fn assert_syncs(store: &SqliteStore) {
    let threads = store.stop().expect("it was open");
    let db = threads.writer.join().expect("no panic").expect("a connection");
    threads.checkpoints.stop();
    threads.checkpointer.join().expect("no panic");
    let pragma = |name: &str| db.pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0));
    assert_eq!(pragma("synchronous"), Ok(2.into()));
    assert_eq!(pragma("journal_mode"), Ok("wal".to_owned().into()));
}

#[tokio::test]
async fn a_thread_that_ends_before_the_store_is_closed_is_told() {
    let home = home();
    let store = SqliteStore::open(home.path(), options()).expect("a new store");
    let threads = store.threads.lock().expect("no panic").take().expect("it is open");
    threads.checkpoints.stop();
    assert_eq!(&*store.broke().await, "`store-checkpoint` ended");
    *store.threads.lock().expect("no panic") = Some(threads);
    store.close().await;

    let fallen = Arc::<Fallen>::default();
    let panics = spawn("some", &fallen, || panic!("a fault")).expect("a thread");
    assert!(panics.join().is_err());
    assert_eq!(&*fallen.told().await, "`some` panicked");
}

/// What a sync names is mostly where it was: of that nothing is read but the head.
#[tokio::test]
async fn a_group_that_has_not_moved_is_not_read() {
    let home = home();
    let store = SqliteStore::open(home.path(), options()).expect("a new store");
    settle(&store).await;
    let creator = Sender { user: UserId(1), nickname: "One".into(), platform: 1, device_id: "a".into() };
    let (client_group_id, name, avatar) = ("g".into(), "a group".into(), "".into());
    let (group, members) = (GroupId(7), Vec::new());
    let new = NewGroup { group, creator, client_group_id, name, avatar, members, login_version: 0 };
    store.create_group(new).await.expect("a new group");
    let db = Connection::open(home.path().join("anser.db")).expect("a database");
    db.execute("DELETE FROM im_group", []).expect("sound SQL");
    assert_eq!(store.moved_groups(UserId(1), vec![(group, 1)]).await, Ok(Vec::new()));
    assert_eq!(store.stats().damaged, 0);
    assert_eq!(store.moved_groups(UserId(1), vec![(group, 0)]).await.map(|moved| moved.len()), Ok(1));
    assert_eq!(store.stats().damaged, 1);
    store.close().await;
}

#[tokio::test]
async fn a_store_that_may_not_be_made_is_not() {
    let home = home();
    let refuse = || SqliteOptions { absent: Absent::Refuse, ..options() };
    let folder = home.path().join("data");
    let refused = |folder: &Path| SqliteStore::open(folder, refuse()).err().expect("it is refused");
    assert!(matches!(refused(&folder), OpenError::Missing(_)));
    assert!(!folder.exists());
    std::fs::create_dir(&folder).expect("a folder");
    std::fs::write(folder.join("anser.db"), "").expect("an empty file");
    assert!(matches!(refused(&folder), OpenError::Empty(_)));
    SqliteStore::open(&folder, options()).expect("a new store").close().await;
    SqliteStore::open(&folder, refuse()).expect("the same store").close().await;
}

#[tokio::test]
async fn the_writer_syncs_each_commit() {
    let home = home();
    let store = SqliteStore::open(home.path(), options()).expect("a new store");
    settle(&store).await;
    assert_syncs(&store);
}

#[tokio::test]
async fn the_writer_syncs_each_commit_after_a_failure_too() {
    let (home, mut options, broken) = (home(), options(), Arc::new(AtomicBool::new(true)));
    options.common.clock = Arc::new(move || if broken.swap(false, Relaxed) { panic!("the clock broke") } else { 5 });
    let store = SqliteStore::open(home.path(), options).expect("a new store");
    settle(&store).await;
    assert!(matches!(send(&store, 1).await, Err(Error::Failed(Failure::Failed(_)))));
    assert_eq!(send(&store, 1).await, Ok(1));
    assert_syncs(&store);
}

/// In which database a statement with such a beginning panics, once.
static BREAKS: Mutex<Option<(PathBuf, &str)>> = Mutex::new(None);

pub(super) fn break_at(db: &Connection, sql: &str) {
    let mut breaks = BREAKS.lock().unwrap_or_else(PoisonError::into_inner);
    if breaks.take_if(|(path, begin)| db.path().map(Path::new) == Some(path) && sql.starts_with(*begin)).is_some() {
        drop(breaks);
        panic!("`{sql}` broke");
    }
}

#[tokio::test]
async fn a_panic_before_the_commit_leaves_nothing_behind() {
    let home = home();
    let store = SqliteStore::open(home.path(), options()).expect("a new store");
    settle(&store).await;
    let begins = ["INSERT INTO im_message_send_1", "INSERT INTO im_message_recv_1", "UPDATE im_mailbox", "COMMIT"];
    for (n, begin) in (1..).zip(begins) {
        *BREAKS.lock().expect("no panic") = Some((home.path().join("anser.db"), begin));
        let failed = send(&store, n).await;
        assert_eq!(failed, Err(Error::Failed(Failure::Failed("the writer panicked".into()))), "{begin}");
        assert_eq!(send(&store, n).await, Ok(n));
    }
    assert_syncs(&store);
}

#[tokio::test]
async fn a_full_database_is_told_and_lost_nothing() {
    let home = home();
    SqliteStore::open(home.path(), options()).expect("a new store").close().await;
    let folder = Folder::make(home.path()).expect("it is ours");
    let db = folder.connect_writer(1000, 1 << 20).expect("a database");
    db.pragma_update_and_check(None, "max_page_count", 300, |_| Ok(())).expect("sound SQL");
    let identity = migrate::known_identity(&db).expect("a store");
    let store = SqliteStore::start(folder, db, identity, &options()).expect("a store");
    settle(&store).await;
    let mut stored = 0;
    let refusal = loop {
        match send(&store, stored).await {
            Ok(place) => stored = place,
            Err(error) => break error,
        }
    };
    assert!(stored > 3, "it was full after {stored}");
    for again in [refusal, send(&store, stored).await.expect_err("it is full")] {
        assert_eq!(again, Error::Failed(Failure::Full));
    }
    let own = ConversationId::single(UserId(1), UserId(1));
    assert_eq!(store.session(UserId(1), own).await.map(|session| session.head), Ok(stored));
    store.close().await;

    let store = SqliteStore::open(home.path(), options()).expect("a store");
    assert_eq!((send(&store, 0).await, send(&store, stored).await), (Ok(1), Ok(stored + 1)));
    store.close().await;
}
