//! The threads that read, each with a connection of its own.
//!
//! What a reader sees is durable (P5): SQLite syncs the log before it tells other connections, in the index of the log,
//! that there is more of it, so a commit that a crash could take back is in nobody's snapshot. And it sees everything
//! acknowledged before: its snapshot is taken after the verb was called.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use rusqlite::Connection;

use super::{columns::prepare, open::Folder, queue::Queue};
use crate::Error;

/// What a thread shall do with its connection.
pub(super) type Task = Box<dyn FnOnce(&Connection) + Send>;

/// All that `work` reads is of one moment.
pub(super) fn in_snapshot<T>(db: &Connection, work: impl FnOnce(&Connection) -> Result<T, Error>) -> Result<T, Error> {
    prepare(db, "BEGIN DEFERRED")?.execute([])?;
    let outcome = work(db);
    prepare(db, "COMMIT")?.execute([])?;
    outcome
}

/// Works until the queue is closed and empty. A connection on which something panicked is replaced: it may be in the
/// middle of a transaction, whose snapshot would keep the log from being reset.
pub(super) fn run(queue: &Queue<Task>, folder: &Arc<Folder>, cache_kib: u32, mut db: Connection) {
    while let Some(task) = queue.pop() {
        if catch_unwind(AssertUnwindSafe(|| task(&db))).is_ok() && db.is_autocommit() {
            continue;
        }
        tracing::error!("a read broke off: its connection is replaced");
        match folder.connect_reader(cache_kib) {
            Ok(fresh) => db = fresh,
            Err(error) => tracing::error!(%error, "a reader keeps its broken connection"),
        }
    }
}
