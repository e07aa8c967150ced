//! The folder of a store: its files, its lock, and connections with their settings.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::Failure;

/// The database; SQLite puts `-wal` and `-shm` beside it, with the same mode.
pub(super) const DATABASE: &str = "anser.db";
const LOCK: &str = "anser.lock";
/// How long the folder's lock is asked for, and how often.
const LOCK_PATIENCE: Duration = Duration::from_secs(1);
const LOCK_RETRY: Duration = Duration::from_millis(10);

/// Nothing but a checkpoint that resets the log, or a crashed process being cleaned up after, ever holds a lock
/// against another connection.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("`{0}` is in use by another process: stop that one first, or choose another folder")]
    Locked(PathBuf),
    #[error("there is no store in `{0}`: name the folder that holds {DATABASE}")]
    Missing(PathBuf),
    #[error("{DATABASE} in `{0}` is empty")]
    Empty(PathBuf),
    #[error("{DATABASE} is no store of anser: {0}; name another folder, or restore it from a backup")]
    Foreign(String),
    #[error(
        "the store has schema version {store}, this build knows up to {build}: run a newer build, or restore the backup \
         made before the update"
    )]
    Newer { store: u32, build: u32 },
    #[error(
        "the store has schema version {store}, this build works on {build}: start the server once, which updates it"
    )]
    Older { store: u32, build: u32 },
    #[error(
        "the store was created with {store} shards and cannot change: set shards = {store} in the configuration (it has {asked})"
    )]
    Shards { store: u32, asked: u32 },
    #[error("{DATABASE} is locked by another program: end what has it open (`sqlite3`, a backup), and try again")]
    Busy,
    #[error("the folder of the store: {0}")]
    Io(#[from] std::io::Error),
    #[error("{DATABASE} could not be examined to its end: {0}")]
    Unexamined(String),
    #[error("{DATABASE}: {0}")]
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => Self::Foreign(error.to_string()),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            _ => Self::Sqlite(error),
        }
    }
}

/// A folder that this process alone uses, as long as this value lives.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Takes the folder, and makes it and the database's file when there are none. The mode of the file keeps others
    /// from reading messages; SQLite would follow the umask.
    pub(super) fn make(path: &Path) -> Result<Self, OpenError> {
        std::fs::create_dir_all(path)?;
        let folder = Self::lock(path)?;
        private(OpenOptions::new().write(true).create(true).truncate(false)).open(path.join(DATABASE))?;
        Ok(folder)
    }

    /// Takes the folder of a store that exists.
    pub(super) fn take(path: &Path) -> Result<Self, OpenError> {
        if !path.join(DATABASE).is_file() {
            return Err(OpenError::Missing(path.to_owned()));
        }
        Self::lock(path)
    }

    fn lock(path: &Path) -> Result<Self, OpenError> {
        let lock = private(OpenOptions::new().write(true).create(true).truncate(false)).open(path.join(LOCK))?;
        let until = Instant::now() + LOCK_PATIENCE;
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(Self { path: path.to_owned(), _lock: lock }),
                Err(TryLockError::Error(error)) => return Err(error.into()),
                Err(TryLockError::WouldBlock) if Instant::now() >= until => {
                    return Err(OpenError::Locked(path.to_owned()));
                }
                // A process that was killed a moment ago, or one that is just being made of this one, may hold it still.
                Err(TryLockError::WouldBlock) => thread::sleep(LOCK_RETRY),
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A connection that may write. Its file stays as it was: see [`settle_writer`].
    pub(super) fn connect(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(self.path.join(DATABASE), flags)?;
        db.busy_timeout(BUSY_TIMEOUT)?;
        Ok(db)
    }

    /// A connection that writes, ready to be used.
    pub(super) fn connect_writer(&self, cache_kib: u32, wal_bytes_max: u64) -> rusqlite::Result<Connection> {
        let db = self.connect()?;
        settle_writer(&db, cache_kib, wal_bytes_max)?;
        Ok(db)
    }

    /// A connection that only reads.
    pub(super) fn connect_reader(&self, cache_kib: u32) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(self.path.join(DATABASE), flags)?;
        db.busy_timeout(BUSY_TIMEOUT)?;
        settle(&db, cache_kib)?;
        Ok(db)
    }
}

/// For a message of the largest size in both copies, with what the tables need beside.
const ROOM_BYTES: usize = 512 << 10;
const ROOM: &str = "anser.room";

/// Writes so much into a file, which is taken away at once, so that hardly any of it reaches the disk. What a file system says that it
/// has may not be for everybody, or be set apart.
pub(super) fn look_for_room(folder: &Path) -> Result<(), Failure> {
    let path = folder.join(ROOM);
    let written = fill(&path);
    let _ = std::fs::remove_file(&path);
    written.map_err(|error| match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => Failure::Full,
        _ => Failure::Failed(format!("cannot write {}: {error}", path.display())),
    })
}

fn fill(path: &Path) -> std::io::Result<()> {
    // By chance: zeros may take no room.
    let mut bytes = vec![0; ROOM_BYTES / 8];
    getrandom::fill(&mut bytes).map_err(|error| std::io::Error::other(error.to_string()))?;
    let mut file = private(OpenOptions::new().write(true).create(true).truncate(true)).open(path)?;
    (0..8).try_for_each(|_| file.write_all(&bytes))
}

fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// Settings of every connection.
fn settle(db: &Connection, cache_kib: u32) -> rusqlite::Result<()> {
    // Negative: KiB rather than pages.
    db.pragma_update(None, "cache_size", -i64::from(cache_kib))?;
    // Sorts of one page of sessions need no file.
    db.pragma_update(None, "temp_store", "MEMORY")?;
    // A schema edited by hand shall not run functions with side effects.
    db.pragma_update(None, "trusted_schema", false)?;
    db.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    Ok(())
}

/// More than there are statements, with one of each kind for up to about twenty shards.
const STATEMENTS_KEPT: usize = 256;

/// Settings of the connection that writes.
pub(super) fn settle_writer(db: &Connection, cache_kib: u32, wal_bytes_max: u64) -> rusqlite::Result<()> {
    settle(db, cache_kib)?;
    // Readers and the writer do not wait for each other, and a commit is one append and one sync.
    db.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0))?;
    // A commit returns after the log was synced. NORMAL would acknowledge what a power cut takes back (P1).
    db.pragma_update(None, "synchronous", "FULL")?;
    // Checkpoints have a thread of their own: inside of a commit they would stall everybody.
    db.pragma_update(None, "wal_autocheckpoint", 0)?;
    // Once reset, a log that had to grow gives its room back.
    db.pragma_update_and_check(None, "journal_size_limit", wal_bytes_max.cast_signed(), |row| row.get::<_, i64>(0))?;
    // What is recalled is not to be found in the file: what is deleted or written over is filled with zeros.
    db.pragma_update_and_check(None, "secure_delete", "ON", |row| row.get::<_, i64>(0))?;
    // The build of SQLite turns it on; the schema has none, and a row's check would cost.
    db.pragma_update(None, "foreign_keys", false)?;
    Ok(())
}
