//! Examines a closed store, and repairs what can be derived: [`crate::doctor`] on a folder that this process takes for itself.

use std::{path::Path, sync::Arc};

use futures_util::FutureExt as _;
use rusqlite::{Connection, ErrorCode};

use super::{
    columns::prepare,
    migrate,
    open::{self, Folder, OpenError},
    reader::OneMoment,
    statement::Bind,
};
use crate::{
    damaged::Damaged,
    doctor::{self, Finding, Patient, Progress, Repair, Report},
    facts::Stop,
    query::Query,
};

const CACHE_KIB: u32 = 64 << 10;
const WAL_BYTES_MAX: u64 = 64 << 20;

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
    db.execute_batch("BEGIN IMMEDIATE")?;
    let mut report = Report::default();
    progress("the file", 0);
    integrity(&db, &mut report)?;
    // Nothing else is worth a look if the file itself is not sound.
    if report.found > 0 {
        return Ok(report);
    }
    let mut patient = OneMoment { db: &mut db, shards: identity.shards, damaged: &Arc::<Damaged>::default() };
    let examined = doctor::examine(&mut patient, repair, report, progress).now_or_never();
    let report = examined.expect("nothing is waited for where questions are answered at once").map_err(unexamined)?;
    db.execute_batch(if report.repaired > 0 { "COMMIT" } else { "ROLLBACK" })?;
    Ok(report)
}

fn unexamined(stop: Stop) -> OpenError {
    OpenError::Unexamined(match stop {
        Stop::Damaged(damage) => damage.0,
        Stop::Failed(failure) => failure.to_string(),
        Stop::Refused(refusal) => refusal.to_string(),
        Stop::Missing => "a question misses something".into(),
    })
}

fn integrity(db: &Connection, report: &mut Report) -> rusqlite::Result<()> {
    let mut found = |wrong| {
        report.found(Finding { table: open::DATABASE.into(), key: String::new(), wrong, derivable: false });
    };
    let mut statement = db.prepare("PRAGMA integrity_check(100)")?;
    let mut rows = statement.query([])?;
    loop {
        let wrong: String = match rows.next() {
            Ok(Some(row)) => row.get(0)?,
            Ok(None) => return Ok(()),
            // Where the damage is such that SQLite cannot go on, that is what it says.
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => {
                found(error.to_string());
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        if wrong != "ok" {
            found(wrong);
        }
    }
}

impl Patient for OneMoment<'_> {
    async fn repair(&mut self, statement: &Query) -> Result<u64, Stop> {
        let mut prepared = prepare(self.db, &statement.sql)?;
        let mut bind = Bind::to(&mut prepared);
        for param in &statement.params {
            param.put(&mut bind);
        }
        bind.done()?;
        Ok(prepared.raw_execute()? as u64)
    }
}
