//! The threads that read, each with a connection of its own.
//!
//! What a reader sees is durable (P5): SQLite syncs the log before it tells other connections, in the index of the log,
//! that there is more of it, so a commit that a crash could take back is in nobody's snapshot. And it sees everything
//! acknowledged before: its snapshot is taken after the verb was called.

use std::{
    future::ready,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use futures_util::FutureExt as _;
use rusqlite::Connection;

use super::{columns::prepare, open::Folder, queue::Queue, statement::ask};
use crate::{
    Error, Failure,
    damaged::Damaged,
    facts::Stop,
    query::{Dialect, Query},
    read::{Each, Read, Snapshot},
};

/// What a thread shall do with its connection.
pub(super) type Task = Box<dyn FnOnce(&mut Connection) + Send>;

/// All that it reads is of one moment.
pub(super) fn in_snapshot<R: Read>(
    db: &mut Connection,
    shards: u32,
    damaged: &Arc<Damaged>,
    read: &R,
) -> Result<R::Answer, Error> {
    prepare(db, "BEGIN DEFERRED")?.execute([])?;
    let mut snapshot = OneMoment { db: &mut *db, shards, damaged };
    let answer =
        read.read(&mut snapshot).now_or_never().expect("nothing is waited for where questions are answered at once");
    prepare(db, "COMMIT")?.execute([])?;
    answer.map_err(|stop| match stop {
        Stop::Refused(refusal) => refusal.into(),
        Stop::Failed(failure) => failure.into(),
        Stop::Damaged(damage) => {
            damaged.note(&damage);
            Failure::Damaged(damage.0).into()
        }
        Stop::Missing => Failure::Failed("a read misses nothing".into()).into(),
    })
}

pub(super) struct OneMoment<'c> {
    pub(super) db: &'c mut Connection,
    pub(super) shards: u32,
    pub(super) damaged: &'c Arc<Damaged>,
}

impl Snapshot for OneMoment<'_> {
    type Error = Stop;

    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn shards(&self) -> u32 {
        self.shards
    }

    fn damaged(&self) -> Arc<Damaged> {
        self.damaged.clone()
    }

    fn ask(&mut self, questions: &[Query], each: Each<'_>) -> impl Future<Output = Result<(), Stop>> + Send {
        let mut questions = questions.iter().enumerate();
        ready(questions.try_for_each(|(at, question)| ask(self.db, question, &mut |row| each(at, row))))
    }
}

/// Works until the queue is closed and empty. A connection on which something panicked is replaced: it may be in the
/// middle of a transaction, whose snapshot would keep the log from being reset.
pub(super) fn run(queue: &Queue<Task>, folder: &Arc<Folder>, cache_kib: u32, mut db: Connection) {
    while let Some(task) = queue.pop() {
        if catch_unwind(AssertUnwindSafe(|| task(&mut db))).is_ok() && db.is_autocommit() {
            continue;
        }
        tracing::error!("a read broke off: its connection is replaced");
        match folder.connect_reader(cache_kib) {
            Ok(fresh) => db = fresh,
            Err(error) => tracing::error!(%error, "a reader keeps its broken connection"),
        }
    }
}
