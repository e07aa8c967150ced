//! The store in a MySQL-compatible database that many nodes share: transactions of this node beside those of others.
//!
//! The rooms are those of `sqlite/`, under the same names and with the same tables. What differs: nothing is remembered
//! between transactions, since others write too, and every round trip counts. Knows nothing of who asks.

#[cfg(test)]
mod breaks;
mod clock;
mod columns;
mod copies;
mod doctor;
mod fault;
mod message;
mod migrate;
mod open;
#[cfg(test)]
mod plans;
mod queue;
mod reader;
mod repeaters;
mod replica;
mod source;
mod statement;
mod txn;
mod writer;

use std::{
    sync::{Arc, Mutex, PoisonError, atomic::Ordering::Relaxed},
    time::Duration,
};

use mysql_async::prelude::Queryable as _;
use tokio::{task::JoinHandle, time::timeout};

pub use clock::clock;
pub use doctor::examine;
pub use migrate::renew_log_id;
pub use open::OpenError;

use migrate::Identity;
use open::{Database, Role};
use queue::Queue;
use reader::{PATIENCE, Readers};
use repeaters::Repeaters;
use replica::Replicas;
use txn::Rules;
use writer::{Counters, Writer};

use crate::{
    Clock, Error, Failure, LogPage, Options, Sequencer, Stats,
    damaged::Damaged,
    digest::Digests,
    engine::Engine,
    fallen::Fallen,
    read::Read,
    reads::{PlanLog, ReadLog},
    stages::StageTimes,
    verb::{Verb, Waiting},
};

/// How long a write is waited for. It may be done later all the same.
const WRITE_MAX: Duration = Duration::from_secs(40);
/// Rows of writers that were not heard of for so long are of nodes that are gone.
const WRITER_GONE_MS: u64 = 24 * 3600 * 1000;

/// What an operator may choose for a MySQL-compatible database. [`MysqlOptions::new`] has what suits a small cluster.
#[derive(Clone)]
pub struct MysqlOptions {
    pub common: Options,
    /// `mysql://user:password@host:3306/name`
    pub url: String,
    /// Databases that repeat it, and from which history may be read.
    pub replicas: Vec<String>,
    /// Settings of the database, by name, that break the promise and are accepted nevertheless.
    pub accept: Vec<String>,
    /// Connections that write: transactions of this node at one time.
    pub writers: usize,
    /// Connections that read.
    pub readers: usize,
    /// Reads that may wait.
    pub read_queue_max: usize,
    /// Writes that may wait, and the bytes that they hold.
    pub write_queue_max: usize,
    pub write_queue_bytes_max: usize,
    /// Messages, and users who join or go, of one transaction. A single write may be larger.
    pub commit_messages_max: usize,
}

impl MysqlOptions {
    pub fn new(common: Options, url: String) -> Self {
        Self {
            common,
            url,
            replicas: Vec::new(),
            accept: Vec::new(),
            writers: 2,
            readers: 8,
            read_queue_max: 4096,
            write_queue_max: 16_384,
            write_queue_bytes_max: 64 << 20,
            commit_messages_max: 1000,
        }
    }

    /// Looks at this database and makes the store in it; brings an older one up to date.
    pub async fn prepare(self) -> Result<Prepared, OpenError> {
        let database = Database::new(&self.url)?;
        let mut db = database.reach(Role::Writer).await?;
        open::check_settings(&mut db, &self.accept).await?;
        let Identity { log_id, shards, .. } = migrate::migrate(&mut db, self.common.shards).await?;
        let long_ago = (self.common.clock)().saturating_sub(WRITER_GONE_MS);
        db.exec_drop("DELETE FROM im_writer WHERE at_ms < ?", (long_ago,)).await?;
        let digests = migrate::digests(&mut db).await?;
        db.disconnect().await?;
        Ok(Prepared { log_id, shards, digests, database, options: self })
    }
}

/// A store that this node shares with others.
pub struct MysqlStore {
    log_id: u64,
    clock: Clock,
    queue: Arc<Queue>,
    readers: Arc<Readers>,
    replicas: Replicas,
    counters: Arc<Counters>,
    damaged: Arc<Damaged>,
    fallen: Arc<Fallen>,
    writers: Mutex<Option<JoinHandle<()>>>,
}

/// A database that was found fit, and says which store it is: what else the cluster has is claimed in that name before this
/// node takes part.
pub struct Prepared {
    pub log_id: u64,
    shards: u32,
    digests: Digests,
    database: Database,
    options: MysqlOptions,
}

impl Prepared {
    /// Must be called on a runtime.
    pub fn open(self, sequencer: Arc<dyn Sequencer>) -> Result<Arc<MysqlStore>, OpenError> {
        let Self { log_id, shards, digests, database, options } = self;
        let (counters, damaged) = (Arc::new(Counters::default()), Arc::<Damaged>::default());
        let queue = Queue::new(options.write_queue_max, options.write_queue_bytes_max, options.commit_messages_max);
        let queue = Arc::new(queue);
        let clock = options.common.clock.clone();
        let rules = Arc::new(Rules {
            common: options.common.clone(),
            sequencer,
            counters: counters.clone(),
            damaged: damaged.clone(),
            digests,
            repeaters: Repeaters::new(),
        });
        let fallen = Arc::<Fallen>::default();
        let of_store = |database: Database| database.of_store(log_id, Arc::clone(&fallen));
        let database = of_store(database);
        let mut writers = Vec::new();
        for _ in 0..options.writers.max(1) {
            let id = getrandom::u64().map_err(|error| OpenError::Foreign(error.to_string()))?;
            writers.push(Writer::new(database.clone(), rules.clone(), id));
        }
        let (role, damage) = (Role::Reader, damaged.clone());
        let readers = Readers::new(database, role, options.readers, options.read_queue_max, PATIENCE, shards, damage);
        let replicas = Replicas::new(&options, shards, &damaged, of_store)?;
        let (at_work, writing) = (fallen.at_work("store-write"), writer::run(queue.clone(), writers));
        let writers = tokio::spawn(async move {
            let _at_work = at_work;
            writing.await;
        });
        let writers = Mutex::new(Some(writers));
        Ok(Arc::new(MysqlStore { log_id, clock, queue, readers, replicas, counters, damaged, fallen, writers }))
    }
}

/// The writers end when they have done what was taken.
impl Drop for MysqlStore {
    fn drop(&mut self) {
        self.fallen.let_end();
        self.queue.close();
    }
}

impl Engine for MysqlStore {
    const LOCKS_ROWS: bool = true;

    fn log_id(&self) -> u64 {
        self.log_id
    }

    fn now_ms(&self) -> u64 {
        (self.clock)()
    }

    async fn write<V: Verb>(&self, verb: V) -> Result<V::Answer, Error> {
        let (write, answered) = Waiting::of(verb);
        self.queue.push(write)?;
        let answer = timeout(WRITE_MAX, answered).await;
        let answer = answer.map_err(|_| Failure::UnknownOutcome(open::SILENT.into()))?;
        answer.map_err(|_| Failure::UnknownOutcome("the writer is gone".into()))?
    }

    async fn read<R: Read>(&self, read: R) -> Result<R::Answer, Error> {
        self.readers.read(read).await
    }

    async fn read_log(&self, read: ReadLog) -> Result<LogPage, Error> {
        if self.replicas.is_empty() {
            return self.readers.read(read).await;
        }
        let plan = self.readers.read(PlanLog(read)).await?;
        match self.replicas.read(&plan).await {
            Some(page) => Ok(page),
            None => self.readers.read(plan).await,
        }
    }

    async fn broke(&self) -> Arc<str> {
        self.fallen.told().await
    }

    fn stats(&self) -> Stats {
        Stats {
            commits: self.counters.commits.load(Relaxed),
            appended: self.counters.appended.load(Relaxed),
            full: self.counters.full.load(Relaxed),
            queued: self.queue.len() as u64,
            queued_bytes: self.queue.bytes() as u64,
            proposals_refused: self.counters.proposals_refused.load(Relaxed),
            checkpoints: 0,
            commits_lost: self.counters.commits_lost.load(Relaxed),
            damaged: self.damaged.met(),
            replica_behind: self.replicas.behind.load(Relaxed),
        }
    }

    fn stages(&self) -> StageTimes {
        self.counters.stages.times()
    }

    async fn close(&self) {
        self.fallen.let_end();
        self.queue.close();
        let writers = self.writers.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writers) = writers {
            // A caller that goes away does not stop it halfway.
            writers.await.unwrap_or_else(|error| tracing::error!(%error, "the store did not end as it should"));
        }
        self.readers.close().await;
        self.replicas.close().await;
    }
}
