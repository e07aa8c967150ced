//! The one thread that writes, and its group commit.
//!
//! It takes all that waits, up to a bound, runs it in one transaction, and answers after the commit was synced. What comes
//! meanwhile goes into the next one: nothing waits for company, and the busier it is the more a sync carries.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use rusqlite::Connection;
use tokio::time::Instant;

use super::{
    checkpoint::Checkpoints,
    columns::prepare,
    message::MessageSql,
    open::Folder,
    park,
    queue::Queue,
    source::{Database, Kept},
    statement::Statements,
};
use crate::{
    Failure, Options, Sequencer,
    damaged::Damaged,
    digest::Digests,
    facts::{Facts, Stop, Tables},
    proposals::{Moved, keep_up},
    rows::Damage,
    stages::Stages,
    verb::Write,
};

/// Bytes of the writes of one transaction; a write that is larger goes alone.
const GROUP_BYTES_MAX: usize = 4 << 20;

/// What every transaction needs and none changes.
pub(super) struct Rules {
    pub(super) common: Options,
    pub(super) sequencer: Arc<dyn Sequencer>,
    pub(super) statements: Statements,
    pub(super) messages: MessageSql,
    pub(super) counters: Arc<Counters>,
    pub(super) damaged: Arc<Damaged>,
    pub(super) digests: Digests,
}

#[derive(Default)]
pub(super) struct Counters {
    pub(super) commits: AtomicU64,
    pub(super) appended: AtomicU64,
    pub(super) full: AtomicU64,
    pub(super) proposals_refused: AtomicU64,
    pub(super) checkpoints: AtomicU64,
    pub(super) stages: Stages,
}

pub(super) struct Writer {
    pub(super) folder: Arc<Folder>,
    pub(super) rules: Rules,
    pub(super) kept: Kept,
    /// Weight of one transaction, in messages; a write that is larger goes alone.
    pub(super) messages_max: usize,
    pub(super) cache_kib: u32,
    pub(super) checkpoints: Arc<Checkpoints>,
    /// None after a failure, until it could be opened anew.
    pub(super) db: Option<Connection>,
}

type Group = Vec<Box<dyn Write>>;

/// Why a transaction came to nothing.
enum Fault {
    OfAll(Failure),
    /// One of the writes is to blame. Which one, the others show by succeeding without it.
    OfOne(String),
    /// A row that one of them needs is damaged.
    Damaged(Damage),
}

impl From<Stop> for Fault {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Failed(failure) => Self::OfAll(failure),
            Stop::Damaged(damage) => Self::Damaged(damage),
            Stop::Refused(refusal) => Self::OfOne(format!("a refusal came too late: {refusal}")),
            Stop::Missing => Self::OfOne("a fact was missing that can be read at once".into()),
        }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::OfAll(failure) => failure,
            Fault::OfOne(what) => Self::Failed(what),
            Fault::Damaged(Damage(what)) => Self::Damaged(what),
        }
    }
}

impl Writer {
    /// Works until the queue is closed and empty, and gives the connection back.
    pub(super) fn run(mut self, queue: &Queue<Box<dyn Write>>) -> Option<Connection> {
        let _end = queue.closed_at_the_end();
        let mut group = Group::new();
        while let Some(first) = queue.pop() {
            if !first.is_wanted() {
                first.settle(Some(&Failure::Overloaded));
                continue;
            }
            let (mut messages, mut bytes) = (first.weight(), first.bytes());
            group.push(first);
            let fits = |messages, bytes| messages <= self.messages_max && bytes <= GROUP_BYTES_MAX;
            while let Some(next) = queue.pop_if(|next| fits(messages + next.weight(), bytes + next.bytes())) {
                if !next.is_wanted() {
                    next.settle(Some(&Failure::Overloaded));
                    continue;
                }
                messages += next.weight();
                bytes += next.bytes();
                group.push(next);
            }
            self.write(&mut group);
            if let Some(db) = &self.db {
                let begun = Instant::now();
                self.checkpoints.after_commit(db);
                self.rules.counters.stages.checkpoint.note(begun.elapsed());
            }
        }
        self.db
    }

    /// All of them in one transaction. When one is to blame for its failure, the others are not to suffer for it: each gets its own then.
    fn write(&mut self, group: &mut Group) {
        let outcome = self.commit(group);
        if let Err(Fault::OfOne(error) | Fault::Damaged(Damage(error))) = &outcome
            && group.len() > 1
        {
            tracing::error!(%error, writes = group.len(), "a transaction failed: its writes are done singly");
            for write in group.drain(..) {
                self.write(&mut vec![write]);
            }
            return;
        }
        if let Err(Fault::Damaged(damage)) = &outcome {
            self.rules.damaged.note(damage);
        }
        let (moved, failure) = match outcome {
            Ok(moved) => (moved, None),
            Err(fault) => (Vec::new(), Some(Failure::from(fault))),
        };
        if let Some(error) = &failure {
            tracing::error!(%error, writes = group.len(), "a transaction failed");
            self.rules.counters.full.fetch_add(u64::from(*error == Failure::Full), Relaxed);
        }
        for write in group.drain(..) {
            write.settle(failure.as_ref());
        }
        self.keep_up(moved);
    }

    /// Whatever becomes of it: what was stored is stored, and was told.
    fn keep_up(&self, moved: Vec<Moved>) {
        let sequencer = &*self.rules.sequencer;
        let kept_up = AssertUnwindSafe(|| park::wait(keep_up(sequencer, moved)));
        let refused = catch_unwind(kept_up).ok().flatten().unwrap_or(0);
        self.rules.counters.proposals_refused.fetch_add(refused, Relaxed);
    }

    /// After a failure nothing that was remembered is trusted, and unless the disk was merely full, neither is the connection.
    fn commit(&mut self, group: &mut Group) -> Result<Vec<Moved>, Fault> {
        let db = match self.db.take() {
            Some(db) => db,
            None => {
                let opened = self.folder.connect_writer(self.cache_kib, self.checkpoints.wal_bytes_max());
                opened.map_err(|error| Fault::OfAll(error.into()))?
            }
        };
        let attempt = AssertUnwindSafe(|| transact(&db, &self.rules, &mut self.kept, group));
        let outcome = catch_unwind(attempt).unwrap_or_else(|_| Err(panicked(&db)));
        let is_full = matches!(outcome, Err(Fault::OfAll(Failure::Full)));
        if outcome.is_err() {
            self.kept.clear();
        }
        let is_sound = outcome.is_ok() || (is_full && (db.is_autocommit() || db.execute_batch("ROLLBACK").is_ok()));
        if is_sound {
            self.db = Some(db);
        }
        outcome
    }
}

/// With no transaction open the panic came behind the commit, or before the beginning.
fn panicked(db: &Connection) -> Fault {
    let why = "the writer panicked".to_owned();
    if db.is_autocommit() { Fault::OfAll(Failure::UnknownOutcome(why)) } else { Fault::OfOne(why) }
}

fn transact(db: &Connection, rules: &Rules, kept: &mut Kept, group: &mut Group) -> Result<Vec<Moved>, Fault> {
    let stages = &rules.counters.stages;
    let (before, begun) = (db.total_changes(), Instant::now());
    if let Some(first) = group.first() {
        stages.queue.note(begun - first.since());
    }
    let mut tables = Tables::default();
    let mut source = Database::new(db, &rules.statements, &rules.messages, rules.common.shards, kept);
    begin(db)?;
    let (options, damaged) = (&rules.common, &*rules.damaged);
    let (tables_now, source_now) = (&mut tables, &mut source);
    let mut facts = Facts {
        options,
        damaged,
        digests: &rules.digests,
        tables: tables_now,
        source: source_now,
        appended: 0,
        must_write: false,
    };
    for write in group {
        write.decide(&mut facts)?;
    }
    let Facts { appended, must_write, .. } = facts;
    source.write(&mut tables)?;
    if must_write {
        touch(db)?;
    }
    let decided = Instant::now();
    stages.transaction.note(decided - begun);
    commit(db)?;
    stages.commit.note(decided.elapsed());
    source.kept.keep(&mut tables);
    rules.counters.commits.fetch_add(u64::from(db.total_changes() != before), Relaxed);
    rules.counters.appended.fetch_add(appended, Relaxed);
    Ok(source.moved)
}

fn begin(db: &Connection) -> Result<(), Stop> {
    prepare(db, "BEGIN IMMEDIATE")?.execute([])?;
    Ok(())
}

/// Writes a page, with what it had.
fn touch(db: &Connection) -> Result<(), Stop> {
    prepare(db, "UPDATE im_store SET schema_version = schema_version")?.execute([])?;
    Ok(())
}

/// An error in here comes after frames were written, perhaps all of them: only a full disk is known to have cut them off.
fn commit(db: &Connection) -> Result<(), Stop> {
    match prepare(db, "COMMIT")?.execute([]) {
        Ok(_) => Ok(()),
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull) => Err(Failure::Full.into()),
        Err(error) => Err(Failure::UnknownOutcome(error.to_string()).into()),
    }
}
