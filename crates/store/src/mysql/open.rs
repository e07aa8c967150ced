//! Connections, and what the database must be set to before anything is entrusted to it.

use std::{
    str::FromStr as _,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use mysql_async::{Conn, Opts, OptsBuilder, prelude::Queryable as _};
use tokio::time::{Instant, timeout};

use crate::{WRITER_VERSION, fallen::Fallen};

pub(super) const SILENT: &str = "the database does not answer";
/// From the first packet until the session is set.
const CONNECT_MAX: Duration = Duration::from_secs(5);
const KEEPALIVE: Duration = Duration::from_secs(10);
/// A connection that was not used for so long is made anew. The database ends a writer's a little later.
const UNUSED_MAX: Duration = Duration::from_secs(20);
/// However much it is used: it may go to a database from which the name has been taken.
const AGE_MAX: Duration = Duration::from_secs(60);
/// Statements that a connection remembers.
const STATEMENTS: usize = 128;
/// A transaction of the writer with the largest body that a client may send, many times over.
const PACKET_MIN: u64 = 16 << 20;

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("cluster.database is no address of a database: {0}; write mysql://user:password@host:3306/name")]
    Url(String),
    #[error("the database at {address} cannot be reached: {why}")]
    Unreachable { address: String, why: String },
    #[error(
        "the database does not keep the promise of the server; fix it, or name what you accept in cluster.accept:{0}"
    )]
    Settings(String),
    #[error("the database is not one of anser: {0}; name another one, which may be empty")]
    Foreign(String),
    #[error("another node has been migrating the store for {0} s: look at it, then start again")]
    Migrating(u32),
    #[error("the store has schema version {store}, this build knows up to {build}: run a newer build")]
    Newer { store: u32, build: u32 },
    #[error(
        "the store has schema version {store}, this build works on {build}: start a node of it once, which updates it"
    )]
    Older { store: u32, build: u32 },
    #[error("the database could not be examined to its end: {0}")]
    Unexamined(String),
    #[error(
        "the store was created with {store} shards and cannot change: set shards = {store} in the configuration (it has {asked})"
    )]
    Shards { store: u32, asked: u32 },
    #[error("the database: {0}")]
    Mysql(#[from] mysql_async::Error),
}

/// How connections are made.
#[derive(Clone)]
pub(super) struct Database {
    opts: Opts,
    /// How often one of them broke: those that were made before may go to a database that is none any more.
    breaks: Arc<AtomicU64>,
    store: Option<Expected>,
}

/// What a connection must find, and who is told when it does not.
#[derive(Clone)]
struct Expected {
    log_id: u64,
    fallen: Arc<Fallen>,
}

/// A connection that is kept from one use to the next.
pub(super) struct Line {
    pub(super) db: Conn,
    breaks: u64,
    made: Instant,
    used: Instant,
    /// It was not used yet.
    pub(super) is_new: bool,
}

/// What a connection is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Sees what was committed before each statement, and waits for locks a little.
    Writer,
    /// Sees one state of the store from the beginning of a transaction to its end, and of no database that was put out of
    /// office: one that may only be read lacks what is written elsewhere by now.
    Reader,
    /// Reads what may lag behind.
    Replica,
    /// Reads everything, for as long as it takes, in the dialect of [`crate::doctor`].
    Examiner,
}

impl Database {
    pub(super) fn new(url: &str) -> Result<Self, OpenError> {
        let opts = Opts::from_str(url).map_err(|error| OpenError::Url(error.to_string()))?;
        if opts.db_name().is_none() {
            return Err(OpenError::Url("it names no database".into()));
        }
        let opts = OptsBuilder::from_opts(opts)
            .prefer_socket(false)
            .tcp_keepalive(Some(KEEPALIVE))
            .stmt_cache_size(STATEMENTS);
        Ok(Self { opts: opts.into(), breaks: Arc::default(), store: None })
    }

    /// Every connection from now on leads to this store or to none: behind a name may be a database of an older history.
    pub(super) fn of_store(self, log_id: u64, fallen: Arc<Fallen>) -> Self {
        Self { store: Some(Expected { log_id, fallen }), ..self }
    }

    fn address(&self) -> String {
        let opts = &self.opts;
        format!("{}:{}/{}", opts.ip_or_hostname(), opts.tcp_port(), opts.db_name().unwrap_or_default())
    }

    pub(super) async fn connect(&self, role: Role) -> Result<Conn, mysql_async::Error> {
        let connect = async {
            let mut db = Conn::new(self.opts.clone()).await?;
            db.query_drop(role.session()).await?;
            if role == Role::Reader && db.query_first("SELECT @@GLOBAL.read_only").await? == Some(1) {
                let why = "the database is read_only: another one takes the writes";
                return Err(other(why));
            }
            if let Some(store) = &self.store {
                store.check(&mut db, role).await?;
            }
            Ok(db)
        };
        within(CONNECT_MAX, connect).await
    }

    /// The one that was kept, if it can be believed in, or a new one.
    pub(super) async fn line(&self, kept: Option<Line>, role: Role) -> Result<Line, mysql_async::Error> {
        let (breaks, now) = (self.breaks.load(Relaxed), Instant::now());
        let is_good = |line: &Line| line.breaks == breaks && now - line.used < UNUSED_MAX && now - line.made < AGE_MAX;
        match kept.filter(is_good) {
            Some(line) => Ok(line),
            None => Ok(Line { db: self.connect(role).await?, breaks, made: now, used: now, is_new: true }),
        }
    }

    /// A connection broke, or does not answer.
    pub(super) fn broke(&self) {
        self.breaks.fetch_add(1, Relaxed);
    }

    /// The first connection: says where it went when it fails.
    pub(super) async fn reach(&self, role: Role) -> Result<Conn, OpenError> {
        let unreachable =
            |error: mysql_async::Error| OpenError::Unreachable { address: self.address(), why: error.to_string() };
        self.connect(role).await.map_err(unreachable)
    }
}

impl Expected {
    async fn check(&self, db: &mut Conn, role: Role) -> Result<(), mysql_async::Error> {
        let log_id: Option<u64> = db.query_first("SELECT log_id FROM im_store").await?;
        // One that lags behind may lack the column, and is not written to.
        let min_writer_version: u32 = match role {
            Role::Replica => 0,
            _ => db.query_first("SELECT min_writer_version FROM im_store").await?.unwrap_or(0),
        };
        let why = if log_id != Some(self.log_id) {
            let found = log_id.map_or("none".to_owned(), |log_id| log_id.to_string());
            format!("the database has another history: log_id {found} and not {}; was it restored?", self.log_id)
        } else if min_writer_version > WRITER_VERSION {
            format!(
                "the database is written by rules of version {min_writer_version}, and this build knows {WRITER_VERSION}: \
                 run a newer build"
            )
        } else {
            return Ok(());
        };
        match role {
            Role::Replica | Role::Examiner => {}
            // This node goes, and whoever starts it anew has it open what is there now.
            Role::Writer | Role::Reader => _ = self.fallen.fell(why.as_str()),
        }
        Err(other(&why))
    }
}

fn other(why: &str) -> mysql_async::Error {
    mysql_async::Error::Io(std::io::Error::other(why).into())
}

impl Line {
    pub(super) fn used_now(self) -> Self {
        Self { used: Instant::now(), is_new: false, ..self }
    }
}

/// A connection that took too long is not fit for use any more.
pub(super) async fn within<T>(
    max: Duration,
    work: impl Future<Output = Result<T, mysql_async::Error>>,
) -> Result<T, mysql_async::Error> {
    let late = || std::io::Error::new(std::io::ErrorKind::TimedOut, SILENT);
    timeout(max, work).await.map_err(|_| mysql_async::Error::Io(late().into()))?
}

impl Role {
    /// A writer whose machine is gone, or hangs, keeps its locks from the others for as long as the database waits for it:
    /// MariaDB ends a transaction that says nothing, others the connection.
    fn session(self) -> &'static str {
        match self {
            Self::Writer => {
                "SET NAMES utf8mb4; SET SESSION sql_mode = 'STRICT_ALL_TABLES', innodb_lock_wait_timeout = 10,
                     wait_timeout = 30 /*M!100300 , idle_transaction_timeout = 10 */;
                 SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"
            }
            // What nobody waits for any more is not to go on.
            Self::Reader => {
                "SET NAMES utf8mb4; SET SESSION sql_mode = 'STRICT_ALL_TABLES'
                     /*M!100101 , max_statement_time = 20 */ /*!50708 , max_execution_time = 20000 */;
                 SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ"
            }
            Self::Replica => {
                "SET NAMES utf8mb4; SET SESSION sql_mode = 'STRICT_ALL_TABLES'
                     /*M!100101 , max_statement_time = 2 */ /*!50708 , max_execution_time = 2000 */;
                 SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ"
            }
            // Rows are looked for one by one: of a whole table in which a page of others is looked for nobody is to copy it.
            Self::Examiner => {
                "SET NAMES utf8mb4; SET SESSION sql_mode = 'STRICT_ALL_TABLES,PIPES_AS_CONCAT',
                     optimizer_switch = CONCAT('materialization=off' /*M!100030 , ',exists_to_in=off' */)
                     /*M!100101 , max_statement_time = 60 */ /*!50708 , max_execution_time = 60000 */;
                 SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ"
            }
        }
    }
}

/// A setting on which the promise rests.
struct Setting {
    name: &'static str,
    holds: fn(&str) -> bool,
    why: &'static str,
    fix: &'static str,
}

fn is_on(value: &str) -> bool {
    matches!(value, "1" | "ON")
}

/// Without the first three a reader sees commits that a crash takes back (docs/decisions/006).
const SETTINGS: [Setting; 6] = [
    Setting {
        name: "innodb_flush_log_at_trx_commit",
        holds: |value| value == "1",
        why: "a commit would not be on the disk when it is answered",
        fix: "SET GLOBAL innodb_flush_log_at_trx_commit = 1;",
    },
    Setting {
        name: "log_bin",
        holds: is_on,
        why: "others would see commits that a crash can still take back",
        fix: "log_bin = ON in the server's configuration, then restart it",
    },
    Setting {
        name: "sync_binlog",
        holds: |value| value == "1",
        why: "others would see commits that a crash can still take back",
        fix: "SET GLOBAL sync_binlog = 1;",
    },
    Setting {
        name: "binlog_format",
        holds: |value| !value.eq_ignore_ascii_case("STATEMENT"),
        why: "READ COMMITTED cannot be logged by statements",
        fix: "SET GLOBAL binlog_format = 'ROW';",
    },
    Setting {
        name: "innodb_doublewrite",
        // DETECT_ONLY tells of a broken page and cannot restore it.
        holds: |value| !matches!(value, "0" | "OFF" | "DETECT_ONLY"),
        why: "a crash in the middle of a page would destroy it",
        fix: "innodb_doublewrite = ON in the server's configuration, then restart it",
    },
    Setting {
        name: "max_allowed_packet",
        holds: |value| value.parse::<u64>().is_ok_and(|bytes| bytes >= PACKET_MIN),
        why: "a transaction would not fit into a packet (16 MiB)",
        fix: "SET GLOBAL max_allowed_packet = 67108864;",
    },
];

/// Refuses a database that does not keep the promise, and names every fix; what is `accepted` by name is passed over.
pub(super) async fn check_settings(db: &mut Conn, accepted: &[String]) -> Result<(), OpenError> {
    let mut wrong = String::new();
    for Setting { name, holds, why, fix } in SETTINGS {
        let value: Option<String> = db.query_first(format!("SELECT CONCAT(@@GLOBAL.{name}, '')")).await?;
        let value = value.unwrap_or_default();
        if holds(&value) {
            continue;
        }
        if accepted.iter().any(|accepted| accepted == name) {
            tracing::warn!(name, value, why, "the database's setting is accepted by cluster.accept");
            continue;
        }
        wrong += &format!("\n  {name} is {value}: {why}. Fix: {fix}");
    }
    let innodb: Option<String> =
        db.query_first("SELECT support FROM information_schema.engines WHERE engine = 'InnoDB'").await?;
    if !matches!(innodb.as_deref(), Some("DEFAULT" | "YES")) {
        wrong += "\n  InnoDB is off: transactions need it. Fix: take skip-innodb out of the server's configuration";
    }
    // Galera checks at the commit what was locked, and its readers lag behind. A server that does not know the variable has no Galera.
    if db
        .query_first::<String, _>("SELECT CONCAT(@@GLOBAL.wsrep_on, '')")
        .await
        .is_ok_and(|on| is_on(&on.unwrap_or_default()))
    {
        wrong += "\n  wsrep_on is ON: the nodes of a Galera cluster do not see each other's locks. Fix: a primary with replicas";
    }
    if let Some(filter) = binlog_filter(db, accepted).await? {
        wrong += &filter;
    }
    if wrong.is_empty() { Ok(()) } else { Err(OpenError::Settings(wrong)) }
}

/// A binary log that leaves this database out holds nothing that a crash or a replica could be restored from.
async fn binlog_filter(db: &mut Conn, accepted: &[String]) -> Result<Option<String>, OpenError> {
    const NAME: &str = "binlog_filter";
    let name: Option<String> = db.query_first("SELECT DATABASE()").await?;
    // MySQL calls it so since 8.2, and no longer as MariaDB does.
    let mut found = db.query_first::<mysql_async::Row, _>("SHOW MASTER STATUS").await;
    if found.is_err() {
        found = db.query_first("SHOW BINARY LOG STATUS").await;
    }
    let row = match found {
        Ok(row) => row,
        Err(error) => {
            tracing::warn!(%error, "whether the binary log leaves this database out could not be looked at");
            return Ok(None);
        }
    };
    let listed = |column: &str| row.as_ref().and_then(|row| row.get::<String, _>(column)).unwrap_or_default();
    let names = |list: &str| list.split(',').any(|one| Some(one) == name.as_deref());
    let (only, without) = (listed("Binlog_Do_DB"), listed("Binlog_Ignore_DB"));
    let holds = (only.is_empty() || names(&only)) && !names(&without);
    if holds || accepted.iter().any(|accepted| accepted == NAME) {
        return Ok(None);
    }
    Ok(Some(format!(
        "\n  {NAME}: binlog-do-db or binlog-ignore-db keeps this database out of the binary log. Fix: take it out of the server's configuration"
    )))
}
