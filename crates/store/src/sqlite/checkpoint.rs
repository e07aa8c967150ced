//! Keeping the write-ahead log small without making anybody wait for it.
//!
//! A thread copies pages from the log into the database while the writer goes on, in rounds, until little is left. Only
//! then the writer itself copies the rest, between two commits, after which it writes the log from its start again.
//! A log that grows all the same, because copying is slower than writing, is bounded: the writer waits for the thread.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, atomic::Ordering::Relaxed},
    time::Duration,
};

use rusqlite::Connection;

use super::{columns::prepare, writer::Counters};

/// In pages of the log.
#[derive(Clone, Copy, Debug)]
pub struct CheckpointPages {
    /// From so many on that are only in the log they are copied.
    pub start: u64,
    /// So few may be left when the writer copies them itself.
    pub rest: u64,
    /// The log is never longer at the start of a transaction, except while a reader of another process sits on it.
    pub most: u64,
}

impl Default for CheckpointPages {
    /// 64 MiB, 2 MiB and 512 MiB.
    fn default() -> Self {
        Self { start: 16_384, rest: 512, most: 131_072 }
    }
}

const PAGE_BYTES: u64 = 4096;

/// How long the writer waits for readers that still need the log, which all read one page of something, and for the thread.
const READERS_WAIT: Duration = Duration::from_millis(100);
const THREAD_WAIT: Duration = Duration::from_secs(10);

pub(super) struct Checkpoints {
    pages: CheckpointPages,
    state: Mutex<State>,
    changed: Condvar,
    counters: Arc<Counters>,
}

struct State {
    phase: Phase,
    /// After an attempt that readers hindered: the length of the log at which to try again.
    again_at: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Idle,
    /// The thread copies.
    Copying,
    /// The rest is for the writer.
    Copied,
    Stopped,
}

/// Pages in the log, and how many of them from its start on are in the database too.
#[derive(Clone, Copy)]
struct Log {
    /// Somebody hindered the checkpoint: a reader who still needs the log, or another checkpoint, and then the numbers are 0.
    busy: bool,
    pages: u64,
    copied: u64,
}

impl Log {
    fn left(self) -> u64 {
        self.pages.saturating_sub(self.copied)
    }
}

impl State {
    /// The log is as long as it may be: the writer copies it, unless the thread still does, or nobody shall any more.
    fn take_over(&mut self) {
        if self.phase == Phase::Idle {
            self.phase = Phase::Copied;
        }
    }
}

impl Checkpoints {
    pub(super) fn new(pages: CheckpointPages, counters: Arc<Counters>) -> Self {
        let state = State { phase: Phase::Idle, again_at: 0 };
        Self { pages, state: Mutex::new(state), changed: Condvar::new(), counters }
    }

    /// To this length a log that had to grow is cut.
    pub(super) fn wal_bytes_max(&self) -> u64 {
        self.pages.most * PAGE_BYTES
    }

    /// For the writer, between two commits.
    pub(super) fn after_commit(&self, db: &Connection) {
        if let Err(error) = self.step(db) {
            tracing::warn!(%error, "the write-ahead log was not checkpointed");
        }
    }

    fn step(&self, db: &Connection) -> rusqlite::Result<()> {
        let log = checkpoint(db, "NOOP")?;
        let mut state = self.state();
        if log.pages >= self.pages.most && log.pages >= state.again_at {
            let copying = |state: &mut State| state.phase == Phase::Copying;
            let waited = self.changed.wait_timeout_while(state, THREAD_WAIT, copying);
            state = waited.unwrap_or_else(|poison| poison.into_inner()).0;
            state.take_over();
            if state.phase == Phase::Copying {
                tracing::warn!(pages = log.pages, "the disk is too slow for the write-ahead log, which grows");
                state.again_at = log.pages + self.pages.start;
            }
        }
        match state.phase {
            Phase::Copied => {
                state.phase = Phase::Idle;
                db.busy_timeout(READERS_WAIT)?;
                let outcome = checkpoint(db, "RESTART");
                db.busy_timeout(super::open::BUSY_TIMEOUT)?;
                let outcome = outcome?;
                let complete = !outcome.busy && outcome.left() == 0;
                state.again_at = if complete { 0 } else { log.pages + self.pages.start };
                self.counters.checkpoints.fetch_add(u64::from(complete), Relaxed);
            }
            Phase::Idle if log.left() >= self.pages.start && log.pages >= state.again_at => {
                state.phase = Phase::Copying;
                self.changed.notify_all();
            }
            _ => {}
        }
        Ok(())
    }

    /// The thread: copies when it is asked to, until it is stopped.
    pub(super) fn run(&self, db: &Connection) {
        loop {
            let idle = |state: &mut State| matches!(state.phase, Phase::Idle | Phase::Copied);
            let state = self.changed.wait_while(self.state(), idle).unwrap_or_else(|poison| poison.into_inner());
            if state.phase == Phase::Stopped {
                return;
            }
            drop(state);
            let copied = self.copy(db).unwrap_or_else(|error| {
                tracing::warn!(%error, "a checkpoint failed");
                Err(0)
            });
            let mut state = self.state();
            if state.phase == Phase::Copying {
                state.phase = if copied.is_ok() { Phase::Copied } else { Phase::Idle };
                state.again_at = copied.err().unwrap_or(state.again_at);
            }
            self.changed.notify_all();
        }
    }

    /// Each round copies what was written during the one before, which is less. Where a reader hinders it, tells at what
    /// length of the log to try again.
    fn copy(&self, db: &Connection) -> rusqlite::Result<Result<(), u64>> {
        let mut before = 0;
        loop {
            let log = checkpoint(db, "PASSIVE")?;
            if log.busy {
                return Ok(Err(checkpoint(db, "NOOP")?.pages + self.pages.start));
            }
            if log.left() <= self.pages.rest {
                return Ok(Ok(()));
            }
            if log.copied <= before || self.state().phase == Phase::Stopped {
                return Ok(Err(log.pages + self.pages.rest));
            }
            before = log.copied;
        }
    }

    pub(super) fn stop(&self) {
        self.state().phase = Phase::Stopped;
        self.changed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poison| poison.into_inner())
    }
}

fn checkpoint(db: &Connection, mode: &str) -> rusqlite::Result<Log> {
    prepare(db, &format!("PRAGMA wal_checkpoint({mode})"))?.query_row([], |row| {
        // -1 where there is no log.
        let pages = |column| row.get(column).map(|pages: i64| u64::try_from(pages).unwrap_or(0));
        Ok(Log { busy: row.get(0)?, pages: pages(1)?, copied: pages(2)? })
    })
}

/// At the end, when nobody else reads or writes: the database holds everything and the log is empty. False if another
/// process was at it all the same.
pub(super) fn truncate(db: &Connection) -> rusqlite::Result<bool> {
    Ok(!checkpoint(db, "TRUNCATE")?.busy)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGES: CheckpointPages = CheckpointPages { start: 4, rest: 1, most: 8 };

    fn checkpoints(phase: Phase) -> Checkpoints {
        let checkpoints = Checkpoints::new(PAGES, Arc::default());
        checkpoints.state().phase = phase;
        checkpoints
    }

    /// A writer and a reader of one database, whose log is longer than it may be.
    fn long_log(home: &tempfile::TempDir) -> (Connection, Connection) {
        let open = || Connection::open(home.path().join("a.db")).expect("a database");
        let (writer, reader) = (open(), open());
        let fill = "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE t (b BLOB);
                    INSERT INTO t VALUES (zeroblob(100000));";
        writer.execute_batch(fill).expect("sound SQL");
        (writer, reader)
    }

    #[test]
    fn the_writer_takes_over_only_when_nobody_copies_and_nothing_is_stopped() {
        for (before, after) in [
            (Phase::Idle, Phase::Copied),
            (Phase::Copying, Phase::Copying),
            (Phase::Copied, Phase::Copied),
            (Phase::Stopped, Phase::Stopped),
        ] {
            let mut state = State { phase: before, again_at: 0 };
            state.take_over();
            assert!(state.phase == after);
        }
    }

    #[test]
    fn what_was_stopped_stays_stopped_however_long_the_log_is() {
        let home = tempfile::tempdir().expect("a folder");
        let (writer, _) = long_log(&home);
        let checkpoints = checkpoints(Phase::Stopped);
        checkpoints.step(&writer).expect("it works");
        assert!(checkpoints.state().phase == Phase::Stopped);
    }

    #[test]
    fn a_checkpoint_that_a_reader_hinders_is_not_counted_and_put_off() {
        let home = tempfile::tempdir().expect("a folder");
        let (writer, reader) = long_log(&home);
        reader.execute_batch("BEGIN; SELECT count(*) FROM t").expect("sound SQL");
        let checkpoints = checkpoints(Phase::Copied);
        let pages = checkpoint(&writer, "NOOP").expect("it works").pages;
        checkpoints.step(&writer).expect("it works");
        assert_eq!(checkpoints.counters.checkpoints.load(Relaxed), 0);
        assert_eq!(checkpoints.state().again_at, pages + PAGES.start);

        reader.execute_batch("COMMIT").expect("sound SQL");
        checkpoints.state().phase = Phase::Copied;
        checkpoints.step(&writer).expect("it works");
        assert_eq!((checkpoints.counters.checkpoints.load(Relaxed), checkpoints.state().again_at), (1, 0));
    }
}
