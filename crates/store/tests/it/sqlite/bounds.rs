//! What is bounded: the queues, the write-ahead log, and what a panic takes with it.

use std::{
    env, fs,
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

use anser_proto::limits::BODY_BYTES_MAX;
use anser_store::{
    MembersAction, MembersChange, NewMessage,
    sqlite::{CheckpointPages, SqliteOptions, SqliteStore},
};
use futures_util::{FutureExt as _, future::join_all};
use tokio::sync::Semaphore;

use super::*;

/// Holds up the writer behind a commit.
struct Gate(Semaphore);

#[async_trait]
impl Sequencer for Gate {
    async fn reserve(&self, _: ConversationId, _: u32) -> Result<u64, Failure> {
        self.0.acquire().await.expect("never closed").forget();
        Ok(1)
    }

    async fn reset(&self, _: ConversationId, _: u64) -> Result<(), Failure> {
        Ok(())
    }
}

/// Opens a store with five users, and holds up its writer behind the first message of 1 to 2.
async fn held_up(home: &Path, options: SqliteOptions) -> (Arc<SqliteStore>, Arc<Gate>) {
    let gate = Arc::new(Gate(Semaphore::new(0)));
    let store = SqliteStore::open(home, SqliteOptions { sequencer: gate.clone(), ..options }).expect("a new store");
    settle(&*store, 5).await;
    send(&*store, text(1, single(1, 2), "first")).await.expect("stored");
    (store, gate)
}

#[tokio::test]
async fn what_finds_the_queue_full_is_told_at_once_and_not_stored() {
    let home = tempfile::tempdir().expect("a folder");
    let (store, gate) = held_up(home.path(), SqliteOptions { write_queue_max: 3, ..options() }).await;
    let mut waiting: Vec<_> = (0..5).map(|n| Box::pin(send(&*store, text(1, single(1, 1), &n.to_string())))).collect();
    let at_once: Vec<_> = waiting.iter_mut().map(|send| send.now_or_never()).collect();
    let overloaded = Some(Err(Failure::Overloaded.into()));
    assert_eq!(at_once, [None, None, None, overloaded.clone(), overloaded]);
    // Reading goes on.
    assert_eq!(store.users(vec![UserId(1)], vec![]).await.map(|users| users.len()), Ok(1));

    gate.0.add_permits(100);
    let places = join_all(waiting.into_iter().take(3)).await;
    assert_eq!(
        places.into_iter().map(|place| place.map(|at| at.server_msg_id)).collect::<Vec<_>>(),
        [Ok(1), Ok(2), Ok(3)]
    );
    assert_eq!(store.stats().appended, 4);
    store.close().await;
}

#[tokio::test]
async fn what_nobody_waits_for_any_more_is_not_begun() {
    let home = tempfile::tempdir().expect("a folder");
    let (store, gate) = held_up(home.path(), options()).await;
    let mut left = Box::pin(send(&*store, text(1, single(1, 1), "left")));
    assert!((&mut left).now_or_never().is_none());
    let mut stays = Box::pin(send(&*store, text(1, single(1, 1), "stays")));
    assert!((&mut stays).now_or_never().is_none());
    drop(left);
    gate.0.add_permits(100);
    assert_eq!(stays.await.map(|place| place.server_msg_id), Ok(1));
    store.close().await;
}

fn largest(n: usize) -> NewMessage {
    NewMessage { content: "x".repeat(BODY_BYTES_MAX).into(), ..text(1, single(1, 1), &n.to_string()) }
}

#[tokio::test]
async fn large_bodies_fill_the_queue_and_a_transaction_by_their_bytes() {
    const FIT: usize = 100;
    let home = tempfile::tempdir().expect("a folder");
    let options = SqliteOptions { write_queue_bytes_max: FIT * (BODY_BYTES_MAX + 1024), ..options() };
    let (store, gate) = held_up(home.path(), options).await;
    let mut waiting: Vec<_> = (0..FIT).map(|n| Box::pin(send(&*store, largest(n)))).collect();
    assert!(waiting.iter_mut().all(|send| send.now_or_never().is_none()));
    assert_eq!(send(&*store, text(1, single(1, 1), "small")).await, Err(Failure::Overloaded.into()));

    let before = store.stats().commits;
    gate.0.add_permits(100);
    assert!(join_all(waiting).await.iter().all(Result::is_ok));
    assert_eq!(store.stats().commits - before, 2, "4 MiB hold 63 of them");
    store.close().await;
}

/// Set for the process of its own in which memory is measured: its folder, whose name says what waits.
const ALONE: &str = "ANSER_TEST_QUEUE_ALONE";
const QUEUE_BYTES_MAX: usize = 16 << 20;
/// Of lists that have room for more, and of the allocator.
const SLACK: usize = 4 << 20;

#[tokio::test]
async fn what_waits_takes_no_more_memory_than_the_queue_may() {
    if let Some(folder) = env::var_os(ALONE) {
        return fill(Path::new(&folder)).await;
    }
    let home = tempfile::tempdir().expect("a folder");
    for shape in ["large", "empty"] {
        let mut child = Command::new(env::current_exe().expect("a path"))
            .args(["--exact", "sqlite::bounds::what_waits_takes_no_more_memory_than_the_queue_may", "--nocapture"])
            .env(ALONE, home.path().join(shape))
            .stdout(Stdio::piped())
            .spawn()
            .expect("this binary runs");
        let out = BufReader::new(child.stdout.take().expect("a pipe"));
        let taken = out.lines().map_while(Result::ok).find_map(|line| {
            let (grown, held) = line.strip_prefix("taken: ")?.split_once(' ')?;
            Some((grown.parse::<usize>().ok()?, held.parse::<usize>().ok()?))
        });
        child.kill().expect("it runs, or has ended");
        child.wait().expect("it ended");
        let (grown, held) = taken.expect("it was full");
        assert!(held <= QUEUE_BYTES_MAX && held + 2 * BODY_BYTES_MAX > QUEUE_BYTES_MAX, "{shape} writes hold {held}");
        assert!(grown <= QUEUE_BYTES_MAX + SLACK, "{shape} writes of {held} bytes take {grown}");
    }
}

/// Until it is killed.
async fn fill(folder: &Path) {
    let options = SqliteOptions { write_queue_max: usize::MAX, write_queue_bytes_max: QUEUE_BYTES_MAX, ..options() };
    let (store, _gate) = held_up(folder, options).await;
    let before = memory();
    let empty = NewMessage { content: "".into(), ..text(1, single(1, 1), "empty") };
    let mut waiting = Vec::new();
    let refused = loop {
        let n = waiting.len();
        let longest_id = format!("{n:064}").parse().expect("visible ASCII");
        let message = match folder.ends_with("large") {
            true => largest(n),
            false => NewMessage { client_msg_id: longest_id, ..empty.clone() },
        };
        let mut sending = store.append(vec![message]);
        match (&mut sending).now_or_never() {
            Some(answers) => break answers,
            None => waiting.push(sending),
        }
    };
    assert_eq!(refused, Err(Failure::Overloaded.into()));
    println!("\ntaken: {} {}", memory() - before, store.stats().queued_bytes);
    std::future::pending::<()>().await;
}

/// Of this process.
fn memory() -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it is told");
    line.trim().trim_end_matches(" kB").parse::<usize>().expect("a number") << 10
}

/// Groups of 5 with a notice each, two to a transaction of 12, and lists of users that are more than the queue's bytes.
#[tokio::test]
async fn those_who_join_take_room_in_the_queue_and_in_a_transaction() {
    let home = tempfile::tempdir().expect("a folder");
    let options = SqliteOptions {
        commit_messages_max: 12,
        write_queue_bytes_max: 4 * (512 + 5 * size_of::<UserId>()),
        ..options()
    };
    let (store, gate) = held_up(home.path(), options).await;
    let mut waiting: Vec<_> = (2..6).map(|id| Box::pin(found(&*store, id, 1, &[1, 2, 3, 4, 5]))).collect();
    assert!(waiting.iter_mut().all(|found| found.now_or_never().is_none()));
    let one = MembersAction::Invite(vec![UserId(2)]);
    let change = MembersChange { group: GroupId(1), operator: sender(1), action: one, login_version: 0 };
    assert_eq!(store.change_members(change).await, Err(Failure::Overloaded.into()));

    let before = store.stats().commits;
    gate.0.add_permits(100);
    join_all(waiting).await;
    assert_eq!(store.stats().commits - before, 2);
    store.close().await;
}

#[tokio::test]
async fn each_stage_of_each_transaction_is_timed() {
    let home = tempfile::tempdir().expect("a folder");
    let store = SqliteStore::open(home.path(), options()).expect("a new store");
    settle(&*store, 2).await;
    let before = store.stages().expect("it has some");
    send(&*store, text(1, single(1, 2), "m")).await.expect("stored");
    store.close().await;
    for ((stage, before), (_, after)) in before.into_iter().zip(store.stages().expect("it has some")) {
        let counted = after.buckets.iter().sum::<u64>() - before.buckets.iter().sum::<u64>();
        // What follows a commit may have been counted behind the answer that came before.
        assert!(counted == 1 || (stage == "checkpoint" && counted == 2), "{stage}: {counted}");
    }
}

/// Panics when it is told that a number which it reserved was given back, which is after the commit.
struct Fragile(AtomicBool);

#[async_trait]
impl Sequencer for Fragile {
    async fn reserve(&self, _: ConversationId, _: u32) -> Result<u64, Failure> {
        Ok(1)
    }

    async fn reset(&self, _: ConversationId, _: u64) -> Result<(), Failure> {
        assert!(!self.0.swap(false, Relaxed), "the sequencer broke");
        Ok(())
    }
}

#[tokio::test]
async fn a_sequencer_that_panics_behind_the_commit_costs_nobody_anything() {
    let home = tempfile::tempdir().expect("a folder");
    let options = SqliteOptions { sequencer: Arc::new(Fragile(AtomicBool::new(true))), ..options() };
    let store = SqliteStore::open(home.path(), options).expect("a new store");
    settle(&*store, 2).await;
    let twice = vec![text(1, single(1, 2), "a"), text(1, single(1, 2), "a")];
    let answers = store.append(twice).await.expect("it is stored");
    assert_eq!(
        answers.iter().map(|answer| answer.as_ref().map(|place| place.duplicate)).collect::<Vec<_>>(),
        [Ok(false), Ok(true)]
    );
    let again = send(&*store, text(1, single(1, 2), "a")).await;
    assert!(again.is_ok_and(|place| place.server_msg_id == 1 && place.duplicate));
    store.close().await;
}

#[tokio::test]
async fn a_panic_in_the_writer_fails_what_it_was_at_and_nothing_else() {
    let home = tempfile::tempdir().expect("a folder");
    let broken = Arc::new(AtomicBool::new(false));
    let (mut options, clock) = (options(), broken.clone());
    options.common.clock = Arc::new(move || if clock.swap(false, Relaxed) { panic!("the clock broke") } else { 5 });
    let store = SqliteStore::open(home.path(), options).expect("a new store");
    settle(&*store, 2).await;
    send(&*store, text(1, single(1, 2), "before")).await.expect("stored");
    broken.store(true, Relaxed);
    let failed = send(&*store, text(1, single(1, 2), "within")).await;
    assert!(matches!(failed, Err(Error::Failed(Failure::Failed(_)))), "{failed:?}");
    let again = send(&*store, text(1, single(1, 2), "within")).await;
    assert!(again.is_ok_and(|place| place.server_msg_id == 2 && !place.duplicate));
    store.close().await;
    assert_eq!(look(home.path()), []);
}

/// The log is not longer than `most` when a transaction starts, so never longer than that and one transaction.
#[tokio::test(flavor = "multi_thread")]
async fn the_write_ahead_log_stays_short_while_many_write_and_read() {
    const MOST: u64 = 256;
    const OF_ONE_TRANSACTION: u64 = 300;
    const FRAME_BYTES: u64 = 4096 + 24;

    let home = tempfile::tempdir().expect("a folder");
    let checkpoint = CheckpointPages { start: 64, rest: 16, most: MOST };
    let options = SqliteOptions { checkpoint, commit_messages_max: 20, ..options() };
    let store = SqliteStore::open(home.path(), options).expect("a new store");
    settle(&*store, 40).await;
    for round in 0..100 {
        let writes = (1..=40).map(|user| {
            let to = single(user, (user * 7 + round) % 40 + 1);
            send(&*store, text(user, to, &format!("{user}-{round}")))
        });
        let reads = (1..=40).map(|user| store.sessions(UserId(user), None, 50));
        let (stored, read) = tokio::join!(join_all(writes), join_all(reads));
        assert!(stored.iter().all(Result::is_ok) && read.iter().all(Result::is_ok));
        let bytes = fs::metadata(home.path().join("anser.db-wal")).expect("a log").len();
        assert!(bytes <= (MOST + OF_ONE_TRANSACTION) * FRAME_BYTES, "the log has {bytes} bytes in round {round}");
    }
    assert!(store.stats().checkpoints > 1, "{:?}", store.stats());
    store.close().await;
}
