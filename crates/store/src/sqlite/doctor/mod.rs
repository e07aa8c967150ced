//! Examines a closed store against what its tables promise each other, and repairs what can be derived.
//!
//! Enters a folder, leaves a [`Report`]. Rows are read in order of their keys, so memory stays small however large the
//! store is. Checks run in an order in which each stands on what the ones before it repaired.

mod list;
mod log;
mod member;

use std::path::Path;

use rusqlite::{Connection, ErrorCode, TransactionBehavior, types::ValueRef};

use super::{
    migrate,
    open::{self, Folder, OpenError},
};

/// What to do about what is found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Repair {
    Nothing,
    /// What follows from other rows. All repairs are one transaction.
    Derivable,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    pub table: String,
    /// The row, by the values of its key.
    pub key: String,
    pub wrong: String,
    /// Other rows tell how it should be.
    pub derivable: bool,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Report {
    /// The first [`FINDINGS_MAX`].
    pub findings: Vec<Finding>,
    pub found: u64,
    /// How many of those found were repaired, as the rows tell that changed.
    pub repaired: u64,
    /// Messages looked at, each once.
    pub messages: u64,
}

/// A report stays readable: behind so many findings they are only counted.
pub const FINDINGS_MAX: usize = 1000;

/// How often the caller hears of progress within a long step, in messages.
const PROGRESS_EVERY: u64 = 100_000;

/// Where the work is: the step, and the messages looked at so far.
pub type Progress<'p> = &'p mut dyn FnMut(&str, u64);

/// Gives a store that was restored from a backup another `log_id`, and tells it. Clients then start anew and keep
/// what they have not sent yet; without it they would take new messages for those they know under the same ids. Then brings a backup of an
/// older schema up to date, so that it can be examined.
pub fn renew_log_id(folder: &Path) -> Result<u64, OpenError> {
    let folder = Folder::take(folder)?;
    let mut db = folder.connect()?;
    let identity = migrate::writable_identity(&db)?;
    open::settle_writer(&db, CACHE_KIB, WAL_BYTES_MAX)?;
    let log_id = migrate::renew_log_id(&db)?;
    migrate::migrate(&mut db, identity.shards)?;
    Ok(log_id)
}

/// Takes the folder for itself while it works: the server must be stopped.
pub fn examine(folder: &Path, repair: Repair, progress: Progress<'_>) -> Result<Report, OpenError> {
    let folder = Folder::take(folder)?;
    let mut db = folder.connect()?;
    let identity = migrate::known_identity(&db)?;
    open::settle_writer(&db, CACHE_KIB, WAL_BYTES_MAX)?;
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut doctor = Doctor { db: &tx, shards: identity.shards.into(), repair, report: Report::default(), progress };
    if doctor.integrity()? {
        doctor.logs()?;
        doctor.groups()?;
        doctor.lists()?;
    }
    let report = doctor.report;
    if report.repaired > 0 {
        tx.commit()?;
    }
    Ok(report)
}

const CACHE_KIB: u32 = 64 << 10;
const WAL_BYTES_MAX: u64 = 64 << 20;

struct Doctor<'d> {
    db: &'d Connection,
    shards: u64,
    repair: Repair,
    report: Report,
    progress: Progress<'d>,
}

/// A statement that finds rows that are wrong.
struct Check {
    table: String,
    /// Gives for each wrong row its key and what is wrong.
    find: String,
    /// Puts all of them right. None: it cannot be known how.
    repair: Option<String>,
}

impl Doctor<'_> {
    /// Whether the file itself is sound: nothing else is worth a look if it is not.
    fn integrity(&mut self) -> rusqlite::Result<bool> {
        (self.progress)("the file", 0);
        let mut statement = self.db.prepare("PRAGMA integrity_check(100)")?;
        let mut rows = statement.query([])?;
        loop {
            let wrong: String = match rows.next() {
                Ok(Some(row)) => row.get(0)?,
                Ok(None) => break,
                // Where the damage is such that SQLite cannot go on, that is what it says.
                Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => {
                    self.found("anser.db", String::new(), error.to_string(), false);
                    break;
                }
                Err(error) => return Err(error),
            };
            if wrong != "ok" {
                self.found("anser.db", String::new(), wrong, false);
            }
        }
        Ok(self.report.found == 0)
    }

    fn check(&mut self, check: &Check) -> rusqlite::Result<()> {
        (self.progress)(&check.table, self.report.messages);
        let before = self.report.found;
        let mut statement = self.db.prepare(&check.find)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let key = match row.get_ref(0)? {
                ValueRef::Integer(id) => id.to_string(),
                key => key.as_str()?.to_owned(),
            };
            self.found(&check.table, key, row.get(1)?, check.repair.is_some());
        }
        if let Some(repair) = &check.repair
            && self.report.found > before
            && self.repair == Repair::Derivable
        {
            // What another row stands in the way of is passed over, and stays found.
            self.report.repaired += self.db.execute(repair, [])? as u64;
        }
        Ok(())
    }

    fn found(&mut self, table: &str, key: String, wrong: String, derivable: bool) {
        self.report.found += 1;
        if self.report.findings.len() < FINDINGS_MAX {
            self.report.findings.push(Finding { table: table.into(), key, wrong, derivable });
        }
    }

    /// Notes one wrong row, and tells whether to repair it; who does so says it to [`Self::repaired`].
    fn found_derivable(&mut self, table: &str, key: String, wrong: String) -> bool {
        self.found(table, key, wrong, true);
        self.repair == Repair::Derivable
    }

    /// One wrong row was put right, if its repair changed anything.
    fn repaired(&mut self, changed: usize) {
        self.report.repaired += u64::from(changed > 0);
    }
}
