//! The store in one SQLite database: one writer with group commit, readers on connections of their own.
//!
//! Enters verbs of [`Store`], leaves rows. The tables are those of `migrations/`, for an operator to read with the
//! `sqlite3` shell. Knows nothing of who asks.

mod checkpoint;
mod columns;
pub mod doctor;
mod group;
mod log;
mod message;
mod migrate;
mod open;
mod park;
#[cfg(test)]
mod plans;
mod queue;
mod reader;
mod session;
#[cfg(test)]
mod tests;
mod txn;
mod user;
mod writer;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, atomic::Ordering::Relaxed},
    thread::{self, JoinHandle},
};

use anser_proto::{ConversationId, GroupId, UserId};
use async_trait::async_trait;
use rusqlite::Connection;
use tokio::sync::oneshot;

pub use checkpoint::CheckpointPages;
pub use open::OpenError;

use checkpoint::Checkpoints;
use migrate::Identity;
use open::Folder;
use queue::Queue;
use reader::Task;
use txn::{Kept, Rules};
use writer::{Counters, Writer};

use crate::{
    Appended, Changes, Device, Error, Group, LogPage, Mark, Marked, Member, MemberIds, MembersChange, MembersChanged,
    NewGroup, NewMessage, NewUser, Options, Page, PasswordHash, Positions, ProfileChange, Role, Sequencer, Session,
    Stats, Store, Stretch, User,
    fallen::Fallen,
    write::{Ticket, Write},
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
    writes: Arc<Queue<Write>>,
    reads: Arc<Queue<Task>>,
    counters: Arc<Counters>,
    fallen: Arc<Fallen>,
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
        let counters = Arc::new(Counters::default());
        let writes = Arc::new(Queue::new(options.write_queue_max, options.write_queue_bytes_max));
        let reads = Arc::new(Queue::new(options.read_queue_max, usize::MAX));
        let (fallen, path) = (Arc::<Fallen>::default(), folder.path().to_owned());
        let shared = Shared { counters: &counters, writes: &writes, reads: &reads, fallen: &fallen };
        let threads = Threads::start(Arc::new(folder), db, options, &shared)?;
        let threads = Mutex::new(Some(threads));
        let Identity { log_id, shards, .. } = identity;
        Ok(Arc::new(Self { log_id, shards, writes, reads, counters, fallen, path, threads }))
    }

    /// Nothing is awaited before the push: what is called (first polled) first is queued first, and committed first.
    async fn write<T>(&self, write: impl FnOnce(Ticket<T>) -> Write) -> Result<T, Error> {
        let (ticket, answered) = Ticket::new();
        let write = write(ticket);
        let bytes = write.bytes();
        self.writes.push(write, bytes)?;
        answered.await.map_err(|_| Error::UnknownOutcome("the writer is gone".into()))?
    }

    async fn read<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    {
        let (caller, answered) = oneshot::channel();
        let task = move |db: &Connection| {
            // Nobody waits for it any more.
            if !caller.is_closed() {
                drop(caller.send(reader::in_snapshot(db, work)));
            }
        };
        self.reads.push(Box::new(task), 0)?;
        answered.await.map_err(|_| Error::Failed("a read broke off".into()))?
    }
}

/// What the store and its threads have in common.
struct Shared<'s> {
    counters: &'s Arc<Counters>,
    writes: &'s Arc<Queue<Write>>,
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
        let Shared { counters, writes, reads, fallen } = *shared;
        let checkpoints = Arc::new(Checkpoints::new(options.checkpoint, counters.clone()));
        let rules = Rules {
            common: options.common.clone(),
            sequencer: options.sequencer.clone(),
            sql: message::MessageSql::new(options.common.shards),
            counters: counters.clone(),
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

#[async_trait]
impl Store for SqliteStore {
    fn log_id(&self) -> u64 {
        self.log_id
    }

    async fn append(&self, batch: Vec<NewMessage>) -> Vec<Result<Appended, Error>> {
        let len = batch.len();
        match self.write(|ticket| Write::Append(batch, ticket)).await {
            Ok(answers) => answers,
            Err(failure) => vec![Err(failure); len],
        }
    }

    async fn read_log(&self, reader: UserId, conversation: ConversationId, stretch: Stretch) -> Result<LogPage, Error> {
        let shards = self.shards;
        self.read(move |db| log::read_log(db, shards, reader, conversation, stretch)).await
    }

    async fn mark(&self, mark: Mark) -> Result<Marked, Error> {
        self.write(|ticket| Write::Mark(mark, ticket)).await
    }

    async fn positions(&self, user: UserId) -> Result<Positions, Error> {
        self.read(move |db| session::positions(db, user)).await
    }

    async fn changes(&self, user: UserId, since: u64, limit: u32) -> Result<Changes, Error> {
        let shards = self.shards;
        self.read(move |db| session::changes(db, shards, user, since, limit)).await
    }

    async fn moved_groups(&self, user: UserId, known: Vec<(GroupId, u64)>) -> Result<Vec<Session>, Error> {
        let shards = self.shards;
        self.read(move |db| session::moved_groups(db, shards, user, &known)).await
    }

    async fn sessions(&self, user: UserId, after: Option<ConversationId>, limit: u32) -> Result<Page<Session>, Error> {
        let shards = self.shards;
        self.read(move |db| session::sessions(db, shards, user, after, limit)).await
    }

    async fn session(&self, user: UserId, conversation: ConversationId) -> Result<Session, Error> {
        let shards = self.shards;
        self.read(move |db| session::session(db, shards, user, conversation)).await
    }

    async fn create_group(&self, new: NewGroup) -> Result<MembersChanged, Error> {
        self.write(|ticket| Write::CreateGroup(new, ticket)).await
    }

    async fn change_members(&self, change: MembersChange) -> Result<MembersChanged, Error> {
        self.write(|ticket| Write::ChangeMembers(change, ticket)).await
    }

    async fn group(&self, asker: UserId, group: GroupId) -> Result<(Group, Role), Error> {
        self.read(move |db| group::group(db, asker, group)).await
    }

    async fn members(&self, asker: UserId, group: GroupId, after: UserId, limit: u32) -> Result<Page<Member>, Error> {
        self.read(move |db| group::members(db, asker, group, after, limit)).await
    }

    async fn member_ids(&self, group: GroupId) -> Result<MemberIds, Error> {
        self.read(move |db| group::member_ids(db, group)).await
    }

    async fn create_user(&self, new: NewUser) -> Result<User, Error> {
        self.write(|ticket| Write::CreateUser(new, ticket)).await
    }

    async fn user_by_account(&self, account: &str) -> Result<User, Error> {
        let account = account.to_owned();
        self.read(move |db| user::user_by_account(db, &account)).await
    }

    async fn user_with_password(&self, account: &str) -> Result<(User, Option<PasswordHash>), Error> {
        let account = account.to_owned();
        self.read(move |db| user::user_with_password(db, &account)).await
    }

    async fn users(&self, ids: Vec<UserId>, accounts: Vec<Arc<str>>) -> Result<Vec<User>, Error> {
        self.read(move |db| user::users(db, &ids, &accounts)).await
    }

    async fn list_users(&self, after: UserId, limit: u32) -> Result<Page<User>, Error> {
        self.read(move |db| user::list_users(db, after, limit)).await
    }

    async fn update_profile(&self, user: UserId, change: ProfileChange) -> Result<(User, u64), Error> {
        self.write(|ticket| Write::UpdateProfile(user, change, ticket)).await
    }

    async fn set_password(&self, user: UserId, password: PasswordHash) -> Result<(), Error> {
        self.write(|ticket| Write::SetPassword(user, password, ticket)).await
    }

    async fn set_disabled(&self, user: UserId, disabled: bool) -> Result<(), Error> {
        self.write(|ticket| Write::SetDisabled(user, disabled, ticket)).await
    }

    async fn login_versions(&self, users: Vec<UserId>) -> Result<Vec<(UserId, u64)>, Error> {
        self.read(move |db| user::login_versions(db, &users)).await
    }

    async fn touch_device(&self, user: UserId, device: Device) -> Result<(), Error> {
        self.write(|ticket| Write::TouchDevice(user, device, ticket)).await
    }

    async fn devices(&self, user: UserId) -> Result<Vec<Device>, Error> {
        self.read(move |db| user::devices(db, user)).await
    }

    async fn probe(&self) -> Result<(), Error> {
        // Beside the writer, for whom everybody waits.
        let path = self.path.clone();
        let looked = tokio::task::spawn_blocking(move || open::look_for_room(&path)).await;
        looked.map_err(|error| Error::Failed(error.to_string()))??;
        self.write(Write::Probe).await
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
        }
    }

    async fn close(&self) {
        if let Some(threads) = self.stop() {
            // A caller that goes away does not stop it halfway.
            let ended = tokio::task::spawn_blocking(move || threads.end()).await;
            ended.unwrap_or_else(|error| tracing::error!(%error, "the store did not end as it should"));
        }
    }
}
