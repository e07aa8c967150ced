//! What is bounded: the queues, and the write-ahead log.

use std::fs;

use anser_store::sqlite::{CheckpointPages, SqliteOptions, SqliteStore};
use futures_util::{FutureExt as _, future::join_all};
use tokio::sync::Semaphore;

use super::*;

/// Holds up the writer in the middle of a transaction.
struct Gate(Semaphore);

#[async_trait]
impl Sequencer for Gate {
    async fn reserve(&self, _: ConversationId, _: u32) -> Result<u64, Error> {
        self.0.acquire().await.expect("never closed").forget();
        Ok(1)
    }

    async fn reset(&self, _: ConversationId, _: u64) -> Result<(), Error> {
        Ok(())
    }
}

#[tokio::test]
async fn what_finds_the_queue_full_is_told_at_once_and_not_stored() {
    let home = tempfile::tempdir().expect("a folder");
    let gate = Arc::new(Gate(Semaphore::new(0)));
    let options = SqliteOptions { sequencer: gate.clone(), write_queue_max: 3, ..options() };
    let store = SqliteStore::open(home.path(), options).expect("a new store");
    settle(&*store, 2).await;

    let mut first = Box::pin(send(&*store, text(1, single(1, 2), "first")));
    assert!(first.as_mut().now_or_never().is_none());
    while store.stats().queued > 0 {
        tokio::task::yield_now().await;
    }
    let mut waiting: Vec<_> = (0..5).map(|n| Box::pin(send(&*store, text(1, single(1, 1), &n.to_string())))).collect();
    let at_once: Vec<_> = waiting.iter_mut().map(|send| send.now_or_never()).collect();
    assert_eq!(at_once, [None, None, None, Some(Err(Error::Overloaded)), Some(Err(Error::Overloaded))]);
    // Reading goes on.
    assert_eq!(store.users(vec![UserId(1)], vec![]).await.map(|users| users.len()), Ok(1));

    gate.0.add_permits(100);
    assert!(first.await.is_ok());
    let places = join_all(waiting.into_iter().take(3)).await;
    assert_eq!(
        places.into_iter().map(|place| place.map(|at| at.server_msg_id)).collect::<Vec<_>>(),
        [Ok(1), Ok(2), Ok(3)]
    );
    assert_eq!(store.stats().appended, 4);
    store.close().await;
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
