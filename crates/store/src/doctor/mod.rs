//! Examines a store against what its tables promise each other: each check is described once, for every database.
//!
//! Enters a store as it was at one moment, leaves a [`Report`]. Rows are gone through in order of their keys, a page at a time, so that memory
//! and statements stay small however large the store is. Checks run in an order in which each stands on what the ones before it repaired.

mod check;
mod dialect;
mod list;
mod log;
mod member;
mod mention;
mod page;

use crate::{
    query::{Dialect, Query},
    read::Snapshot,
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

/// Where the work is: the step, and the messages looked at so far.
pub type Progress<'p> = &'p mut dyn FnMut(&str, u64);

/// A store that is examined.
pub(crate) trait Patient: Snapshot {
    /// Carries out a repair, and tells how many rows it changed. Never called with [`Repair::Nothing`].
    fn repair(&mut self, statement: &Query) -> impl Future<Output = Result<u64, Self::Error>> + Send;
}

/// Adds to the report what the rows tell.
pub(crate) async fn examine<P: Patient>(
    db: &mut P,
    repair: Repair,
    report: Report,
    progress: Progress<'_>,
) -> Result<Report, P::Error> {
    let (dialect, shards) = (db.dialect(), db.shards().into());
    let mut doctor = Doctor { db, dialect, shards, repair, report, progress };
    doctor.logs().await?;
    doctor.groups().await?;
    doctor.lists().await?;
    doctor.mentions().await?;
    Ok(doctor.report)
}

struct Doctor<'d, P> {
    db: &'d mut P,
    dialect: Dialect,
    shards: u64,
    repair: Repair,
    report: Report,
    progress: Progress<'d>,
}

impl Report {
    pub(crate) fn found(&mut self, finding: Finding) {
        self.found += 1;
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(finding);
        }
    }
}

impl<P: Patient> Doctor<'_, P> {
    fn found(&mut self, table: &str, key: String, wrong: String) {
        self.report.found(Finding { table: table.into(), key, wrong, derivable: false });
    }

    /// Notes one wrong row, and tells whether to repair it: see [`Self::put_right`].
    fn found_derivable(&mut self, table: &str, key: String, wrong: String) -> bool {
        self.report.found(Finding { table: table.into(), key, wrong, derivable: true });
        self.repair == Repair::Derivable
    }

    /// Repairs one wrong row. What another row stands in the way of is passed over, and stays found.
    async fn put_right(&mut self, statements: &[Query]) -> Result<(), P::Error> {
        let mut changed = 0;
        for statement in statements {
            changed += self.db.repair(statement).await?;
        }
        self.report.repaired += u64::from(changed > 0);
        Ok(())
    }

    /// The value of what is kept in one of several tables, by the shard of its owner.
    fn by_shard(&self, owner: &str, value: impl Fn(u64) -> String) -> String {
        let cases: String = (0..self.shards).map(|shard| format!(" WHEN {shard} THEN {}", value(shard))).collect();
        format!("CASE {owner} % {}{cases} END", self.shards)
    }
}
