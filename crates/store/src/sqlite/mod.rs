//! The store in one SQLite database: one writer with group commit, readers on connections of their own.
//!
//! Enters verbs of [`Store`], leaves rows. The tables are those of `migrations/`, for an operator to read with the
//! `sqlite3` shell. Knows nothing of who asks.

mod checkpoint;
mod columns;
pub mod doctor;
mod message;
mod migrate;
mod open;
mod park;
#[cfg(test)]
mod plans;
mod queue;
mod reader;
mod source;
mod statement;
#[cfg(test)]
mod tests;
mod writer;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, atomic::Ordering::Relaxed},
    thread::{self, JoinHandle},
};

use rusqlite::Connection;
use tokio::sync::oneshot;

pub use checkpoint::CheckpointPages;
pub use open::OpenError;

use checkpoint::Checkpoints;
use migrate::Identity;
use open::Folder;
use queue::Queue;
use reader::Task;
use source::Kept;
use statement::Statements;
use writer::{Counters, Rules, Writer};

use crate::{
    Clock, Error, Failure, Options, Sequencer, Stats,
    damaged::Damaged,
    engine::Engine,
    fallen::Fallen,
    read::Read,
    stages::StageTimes,
    verb::{Verb, Waiting, Write},
};

/// What an operator may choose for SQLite. [`SqliteOptions::new`] has what suits a small machine.
#[derive(Clone)]
pub struct SqliteOptions {
    pub common: Options,
    pub sequencer: Arc<dyn Sequencer>,
    /// Threads that read.
    pub readers: usize,
    /// Reads that may wait.
    pub read_queue_max: usize,
    /// Writes that may wait, and the bytes that they hold.
    pub write_queue_max: usize,
    pub write_queue_bytes_max: usize,
    /// Messages, and users who join or go, of one transaction. A single write may be larger.
    pub commit_messages_max: usize,
    /// Pages kept in memory, in KiB.
    pub writer_cache_kib: u32,
    pub reader_cache_kib: u32,
    /// Conversations whose heads, sessions and mailboxes the writer remembers.
    pub conversations_kept: usize,
    pub checkpoint: CheckpointPages,
    pub absent: Absent,
}

/// What is done where there is no store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Absent {
    Make,
    /// [`OpenError::Missing`] or [`OpenError::Empty`]; nothing is made.
    Refuse,
}

impl SqliteOptions {
    pub fn new(common: Options, sequencer: Arc<dyn Sequencer>) -> Self {
        Self {
            common,
            sequencer,
            readers: 2,
            read_queue_max: 4096,
            write_queue_max: 16_384,
            write_queue_bytes_max: 64 << 20,
            commit_messages_max: 1000,
            writer_cache_kib: 256 << 10,
            reader_cache_kib: 32 << 10,
            conversations_kept: 100_000,
            checkpoint: CheckpointPages::default(),
            absent: Absent::Make,
        }
    }
}

/// An open store. Dropped without [`Store::close`], it ends its work all the same, on the thread that drops it.
pub struct SqliteStore {
    log_id: u64,
    shards: u32,
    writes: Arc<Queue<Box<dyn Write>>>,
    reads: Arc<Queue<Task>>,
    counters: Arc<Counters>,
    damaged: Arc<Damaged>,
    fallen: Arc<Fallen>,
    clock: Clock,
    path: PathBuf,
    threads: Mutex<Option<Threads>>,
}

struct Threads {
    readers: Vec<JoinHandle<()>>,
    writer: JoinHandle<Option<Connection>>,
    checkpointer: JoinHandle<()>,
    checkpoints: Arc<Checkpoints>,
    // Given back last: until then another process must not open the files.
    _folder: Arc<Folder>,
}

impl SqliteStore {
    /// Opens the store in this folder, or makes one if it may; brings an older one up to date.
    pub fn open(folder: &Path, options: SqliteOptions) -> Result<Arc<Self>, OpenError> {
        let folder = match options.absent {
            Absent::Make => Folder::make(folder)?,
            Absent::Refuse => Folder::take(folder)?,
        };
        let mut db = folder.connect()?;
        let wal_bytes_max = Checkpoints::new(options.checkpoint, Arc::default()).wal_bytes_max();
        // Before anything is set, so that a file that is no store stays as it is.
        if migrate::identity(&db)?.is_none() && options.absent == Absent::Refuse {
            return Err(OpenError::Empty(folder.path().to_owned()));
        }
        open::settle_writer(&db, options.writer_cache_kib, wal_bytes_max)?;
        let identity = migrate::migrate(&mut db, options.common.shards)?;
        Self::start(folder, db, identity, &options)
    }

    fn start(
        folder: Folder,
        db: Connection,
        identity: Identity,
        options: &SqliteOptions,
    ) -> Result<Arc<Self>, OpenError> {
        let (counters, damaged) = (Arc::new(Counters::default()), Arc::<Damaged>::default());
        let writes = Arc::new(Queue::new(options.write_queue_max, options.write_queue_bytes_max));
        let reads = Arc::new(Queue::new(options.read_queue_max, usize::MAX));
        let (fallen, path) = (Arc::<Fallen>::default(), folder.path().to_owned());
        let shared = Shared { counters: &counters, damaged: &damaged, writes: &writes, reads: &reads, fallen: &fallen };
        let threads = Threads::start(Arc::new(folder), db, options, &shared)?;
        let threads = Mutex::new(Some(threads));
        let Identity { log_id, shards, .. } = identity;
        let clock = options.common.clock.clone();
        Ok(Arc::new(Self { log_id, shards, writes, reads, counters, damaged, fallen, clock, path, threads }))
    }
}

/// What the store and its threads have in common.
struct Shared<'s> {
    counters: &'s Arc<Counters>,
    damaged: &'s Arc<Damaged>,
    writes: &'s Arc<Queue<Box<dyn Write>>>,
    reads: &'s Arc<Queue<Task>>,
    fallen: &'s Arc<Fallen>,
}

impl Threads {
    fn start(
        folder: Arc<Folder>,
        db: Connection,
        options: &SqliteOptions,
        shared: &Shared<'_>,
    ) -> Result<Self, OpenError> {
        let Shared { counters, damaged, writes, reads, fallen } = *shared;
        let checkpoints = Arc::new(Checkpoints::new(options.checkpoint, counters.clone()));
        let rules = Rules {
            common: options.common.clone(),
            sequencer: options.sequencer.clone(),
            statements: Statements::new(),
            messages: message::MessageSql::new(options.common.shards),
            counters: counters.clone(),
            damaged: damaged.clone(),
            digests: migrate::digests(&db)?,
        };
        let writer = Writer {
            folder: folder.clone(),
            rules,
            kept: Kept::new(options.conversations_kept),
            messages_max: options.commit_messages_max,
            cache_kib: options.writer_cache_kib,
            checkpoints: checkpoints.clone(),
            db: Some(db),
        };
        let mut readers = Vec::new();
        for _ in 0..options.readers.max(1) {
            let (folder, reads, cache_kib) = (folder.clone(), reads.clone(), options.reader_cache_kib);
            let db = folder.connect_reader(cache_kib)?;
            readers.push(spawn("store-read", fallen, move || reader::run(&reads, &folder, cache_kib, db))?);
        }
        let (db, of_thread) = (folder.connect_writer(0, checkpoints.wal_bytes_max())?, checkpoints.clone());
        let checkpointer = spawn("store-checkpoint", fallen, move || of_thread.run(&db))?;
        let writes = writes.clone();
        let writer = spawn("store-write", fallen, move || writer.run(&writes))?;
        Ok(Self { readers, writer, checkpointer, checkpoints, _folder: folder })
    }

    /// Waits for the work that was taken, and leaves the folder tidy.
    fn end(self) {
        let panicked = |_| tracing::error!("a thread of the store panicked");
        for reader in self.readers {
            reader.join().unwrap_or_else(panicked);
        }
        // The writer may wait for the checkpointer, which therefore ends after it.
        let writer = self.writer.join();
        self.checkpoints.stop();
        self.checkpointer.join().unwrap_or_else(panicked);
        let Ok(Some(db)) = writer else { return };
        match checkpoint::truncate(&db) {
            Ok(true) => {}
            Ok(false) => tracing::warn!("another process keeps the write-ahead log: it is read at the next start"),
            Err(error) => tracing::warn!(%error, "the write-ahead log was left as it is: it is read at the next start"),
        }
    }
}

fn spawn<T: Send + 'static>(
    name: &'static str,
    fallen: &Arc<Fallen>,
    work: impl FnOnce() -> T + Send + 'static,
) -> std::io::Result<JoinHandle<T>> {
    let at_work = fallen.at_work(name);
    thread::Builder::new().name(name.into()).spawn(move || {
        let _at_work = at_work;
        work()
    })
}

impl SqliteStore {
    fn stop(&self) -> Option<Threads> {
        self.fallen.let_end();
        self.writes.close();
        self.reads.close();
        self.threads.lock().unwrap_or_else(|poison| poison.into_inner()).take()
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        if let Some(threads) = self.stop() {
            threads.end();
        }
    }
}

impl Engine for SqliteStore {
    const LOCKS_ROWS: bool = false;

    fn log_id(&self) -> u64 {
        self.log_id
    }

    fn now_ms(&self) -> u64 {
        (self.clock)()
    }

    async fn write<V: Verb>(&self, verb: V) -> Result<V::Answer, Error> {
        let (write, answered) = Waiting::of(verb);
        let bytes = write.bytes();
        self.writes.push(write, bytes)?;
        answered.await.map_err(|_| Failure::UnknownOutcome("the writer is gone".into()))?
    }

    async fn read<R: Read>(&self, read: R) -> Result<R::Answer, Error> {
        let (caller, answered) = oneshot::channel();
        let (shards, damaged) = (self.shards, self.damaged.clone());
        let task = move |db: &mut Connection| {
            // Nobody waits for it any more.
            if !caller.is_closed() {
                drop(caller.send(reader::in_snapshot(db, shards, &damaged, &read)));
            }
        };
        self.reads.push(Box::new(task), 0)?;
        answered.await.map_err(|_| Failure::Failed("a read broke off".into()))?
    }

    /// Beside the writer, for whom everybody waits.
    async fn look_for_room(&self) -> Result<(), Error> {
        let path = self.path.clone();
        let looked = tokio::task::spawn_blocking(move || open::look_for_room(&path)).await;
        Ok(looked.map_err(|error| Failure::Failed(error.to_string()))??)
    }

    async fn broke(&self) -> Arc<str> {
        self.fallen.told().await
    }

    fn stats(&self) -> Stats {
        Stats {
            commits: self.counters.commits.load(Relaxed),
            appended: self.counters.appended.load(Relaxed),
            full: self.counters.full.load(Relaxed),
            queued: self.writes.len() as u64,
            queued_bytes: self.writes.bytes() as u64,
            proposals_refused: self.counters.proposals_refused.load(Relaxed),
            checkpoints: self.counters.checkpoints.load(Relaxed),
            replica_behind: 0,
            commits_lost: 0,
            damaged: self.damaged.met(),
        }
    }

    fn stages(&self) -> StageTimes {
        self.counters.stages.times()
    }

    async fn close(&self) {
        if let Some(threads) = self.stop() {
            // A caller that goes away does not stop it halfway.
            let ended = tokio::task::spawn_blocking(move || threads.end()).await;
            ended.unwrap_or_else(|error| tracing::error!(%error, "the store did not end as it should"));
        }
    }
}
