//! The store in a MySQL-compatible database that many nodes share: transactions of this node beside those of others.
//!
//! The rooms are those of `sqlite/`, under the same names and with the same tables. What differs: nothing is remembered
//! between transactions, since others write too, and every round trip counts. Knows nothing of who asks.

mod clock;
mod columns;
mod fault;
mod group;
mod log;
mod message;
mod migrate;
mod open;
mod queue;
mod reader;
mod replica;
mod session;
mod txn;
mod user;
mod wants;
mod writer;

use std::{
    sync::{Arc, Mutex, PoisonError, atomic::Ordering::Relaxed},
    time::Duration,
};

use anser_proto::{ConversationId, GroupId, UserId};
use async_trait::async_trait;
use futures_util::FutureExt as _;
use mysql_async::prelude::Queryable as _;
use tokio::{task::JoinHandle, time::timeout};

pub use clock::clock;
pub use migrate::renew_log_id;
pub use open::OpenError;

use migrate::Identity;
use open::Database;
use queue::Queue;
use reader::{PATIENCE, Readers};
use replica::Replicas;
use txn::Rules;
use writer::{Counters, Writer};

use crate::{
    Appended, Changes, Clock, Device, Error, Group, LogPage, Mark, Marked, Member, MemberIds, MembersChange,
    MembersChanged, NewGroup, NewMessage, NewUser, Options, Page, PasswordHash, Positions, ProfileChange, Role,
    Sequencer, Session, Stats, Store, Stretch, User,
    fallen::Fallen,
    write::{Ticket, Write},
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
        let mut db = database.reach().await?;
        open::check_settings(&mut db, &self.accept).await?;
        let Identity { log_id, shards, .. } = migrate::migrate(&mut db, self.common.shards).await?;
        let long_ago = (self.common.clock)().saturating_sub(WRITER_GONE_MS);
        db.exec_drop("DELETE FROM im_writer WHERE at_ms < ?", (long_ago,)).await?;
        db.disconnect().await?;
        Ok(Prepared { log_id, shards, database, options: self })
    }
}

/// A store that this node shares with others.
pub struct MysqlStore {
    log_id: u64,
    shards: u32,
    clock: Clock,
    queue: Arc<Queue>,
    readers: Arc<Readers>,
    replicas: Replicas,
    counters: Arc<Counters>,
    fallen: Arc<Fallen>,
    writers: Mutex<Option<JoinHandle<()>>>,
}

/// A database that was found fit, and says which store it is: what else the cluster has is claimed in that name before this
/// node takes part.
pub struct Prepared {
    pub log_id: u64,
    shards: u32,
    database: Database,
    options: MysqlOptions,
}

impl Prepared {
    /// Must be called on a runtime.
    pub fn open(self, sequencer: Arc<dyn Sequencer>) -> Result<Arc<MysqlStore>, OpenError> {
        let Self { log_id, shards, database, options } = self;
        let counters = Arc::new(Counters::default());
        let queue = Queue::new(options.write_queue_max, options.write_queue_bytes_max, options.commit_messages_max);
        let queue = Arc::new(queue);
        let clock = options.common.clock.clone();
        let rules = Arc::new(Rules { common: options.common, sequencer, counters: counters.clone() });
        let mut writers = Vec::new();
        for _ in 0..options.writers.max(1) {
            let id = getrandom::u64().map_err(|error| OpenError::Foreign(error.to_string()))?;
            writers.push(Writer::new(database.clone(), rules.clone(), id));
        }
        let readers = Readers::new(database, open::Role::Reader, options.readers, options.read_queue_max, PATIENCE);
        let replicas = Replicas::new(&options.replicas, options.readers, options.read_queue_max)?;
        let fallen = Arc::<Fallen>::default();
        let (at_work, writing) = (fallen.at_work("store-write"), writer::run(queue.clone(), writers));
        let writers = tokio::spawn(async move {
            let _at_work = at_work;
            writing.await;
        });
        let writers = Mutex::new(Some(writers));
        Ok(Arc::new(MysqlStore { log_id, shards, clock, queue, readers, replicas, counters, fallen, writers }))
    }
}

impl MysqlStore {
    /// Nothing is awaited before the push: what is called (first polled) first is queued first, and committed first.
    async fn write<T>(&self, write: impl FnOnce(Ticket<T>) -> Write) -> Result<T, Error> {
        let (ticket, answered) = Ticket::new();
        self.queue.push(write(ticket))?;
        let answer = timeout(WRITE_MAX, answered).await;
        let answer = answer.map_err(|_| Error::UnknownOutcome(open::SILENT.into()))?;
        answer.map_err(|_| Error::UnknownOutcome("the writer is gone".into()))?
    }
}

/// The writers end when they have done what was taken.
impl Drop for MysqlStore {
    fn drop(&mut self) {
        self.fallen.let_end();
        self.queue.close();
    }
}

#[async_trait]
impl Store for MysqlStore {
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
        if self.replicas.is_empty() {
            return self.readers.read(move |db| log::read_log(db, shards, reader, conversation, stretch).boxed()).await;
        }
        let plan = self.readers.read(move |db| log::plan(db, shards, reader, conversation, stretch).boxed()).await?;
        let plan = Arc::new(plan);
        if let Some(page) = self.replicas.read(&plan, shards).await {
            return Ok(page);
        }
        self.readers
            .read(move |db| {
                let plan = Arc::clone(&plan);
                async move { plan.read(db, shards).await }.boxed()
            })
            .await
    }

    async fn mark(&self, mark: Mark) -> Result<Marked, Error> {
        self.write(|ticket| Write::Mark(mark, ticket)).await
    }

    async fn positions(&self, user: UserId) -> Result<Positions, Error> {
        self.readers.read(move |db| session::positions(db, user).boxed()).await
    }

    async fn changes(&self, user: UserId, since: u64, limit: u32) -> Result<Changes, Error> {
        let shards = self.shards;
        self.readers.read(move |db| session::changes(db, shards, user, since, limit).boxed()).await
    }

    async fn moved_groups(&self, user: UserId, known: Vec<(GroupId, u64)>) -> Result<Vec<Session>, Error> {
        let shards = self.shards;
        let known: Arc<[_]> = known.into();
        self.readers
            .read(move |db| {
                let known = Arc::clone(&known);
                async move { session::moved_groups(db, shards, user, &known).await }.boxed()
            })
            .await
    }

    async fn sessions(&self, user: UserId, after: Option<ConversationId>, limit: u32) -> Result<Page<Session>, Error> {
        let shards = self.shards;
        self.readers.read(move |db| session::sessions(db, shards, user, after, limit).boxed()).await
    }

    async fn session(&self, user: UserId, conversation: ConversationId) -> Result<Session, Error> {
        let shards = self.shards;
        self.readers.read(move |db| session::session(db, shards, user, conversation).boxed()).await
    }

    async fn create_group(&self, new: NewGroup) -> Result<MembersChanged, Error> {
        self.write(|ticket| Write::CreateGroup(new, ticket)).await
    }

    async fn change_members(&self, change: MembersChange) -> Result<MembersChanged, Error> {
        self.write(|ticket| Write::ChangeMembers(change, ticket)).await
    }

    async fn group(&self, asker: UserId, group: GroupId) -> Result<(Group, Role), Error> {
        self.readers.read(move |db| group::group(db, asker, group).boxed()).await
    }

    async fn members(&self, asker: UserId, group: GroupId, after: UserId, limit: u32) -> Result<Page<Member>, Error> {
        self.readers.read(move |db| group::members(db, asker, group, after, limit).boxed()).await
    }

    async fn member_ids(&self, group: GroupId) -> Result<MemberIds, Error> {
        self.readers.read(move |db| group::member_ids(db, group).boxed()).await
    }

    async fn create_user(&self, new: NewUser) -> Result<User, Error> {
        self.write(|ticket| Write::CreateUser(new, ticket)).await
    }

    async fn user_by_account(&self, account: &str) -> Result<User, Error> {
        let account: Arc<str> = account.into();
        self.readers
            .read(move |db| {
                let account = Arc::clone(&account);
                async move { user::user_by_account(db, &account).await }.boxed()
            })
            .await
    }

    async fn user_with_password(&self, account: &str) -> Result<(User, Option<PasswordHash>), Error> {
        let account: Arc<str> = account.into();
        self.readers
            .read(move |db| {
                let account = Arc::clone(&account);
                async move { user::user_with_password(db, &account).await }.boxed()
            })
            .await
    }

    async fn users(&self, ids: Vec<UserId>, accounts: Vec<Arc<str>>) -> Result<Vec<User>, Error> {
        let named: Arc<(Vec<_>, Vec<_>)> = Arc::new((ids, accounts));
        self.readers
            .read(move |db| {
                let named = Arc::clone(&named);
                async move { user::users(db, &named.0, &named.1).await }.boxed()
            })
            .await
    }

    async fn list_users(&self, after: UserId, limit: u32) -> Result<Page<User>, Error> {
        self.readers.read(move |db| user::list_users(db, after, limit).boxed()).await
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
        let users: Arc<[_]> = users.into();
        self.readers
            .read(move |db| {
                let users = Arc::clone(&users);
                async move { user::login_versions(db, &users).await }.boxed()
            })
            .await
    }

    async fn touch_device(&self, user: UserId, device: Device) -> Result<(), Error> {
        // All come back at once when a node ends, and hardly any brings news: those are not to hold up what is written.
        let (asked, now_ms) = (device.clone(), (self.clock)());
        let known = self.readers.read(move |db| {
            let asked = asked.clone();
            async move { user::has_device(db, user, &asked, now_ms).await }.boxed()
        });
        if known.await? {
            return Ok(());
        }
        self.write(|ticket| Write::TouchDevice(user, device, ticket)).await
    }

    async fn devices(&self, user: UserId) -> Result<Vec<Device>, Error> {
        self.readers.read(move |db| user::devices(db, user).boxed()).await
    }

    async fn probe(&self) -> Result<(), Error> {
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
            queued: self.queue.len() as u64,
            queued_bytes: self.queue.bytes() as u64,
            proposals_refused: self.counters.proposals_refused.load(Relaxed),
            checkpoints: 0,
            replica_behind: self.replicas.behind.load(Relaxed),
        }
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
