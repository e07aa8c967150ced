//! How the values of records are written in columns. Numbers are signed in SQLite; ids fit by [`anser_proto::ids`].

use rusqlite::{CachedStatement, Connection, ErrorCode, Row};

use crate::{Error, Failure, facts::Stop, rows::Damage};

/// Nothing of the transaction stays.
impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            _ => Self::Failed(error.to_string()),
        }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// What the disk or the system does not do fails for all. What else SQLite finds wrong, it finds wrong with what one of them asked for.
impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(
                ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::OutOfMemory
                | ErrorCode::ReadOnly
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked,
            ) => Self::Failed(error.into()),
            _ => Self::Damaged(Damage(error.to_string())),
        }
    }
}

/// Every statement comes from here: compiled once for each connection.
pub(super) fn prepare<'c>(db: &'c Connection, sql: &str) -> rusqlite::Result<CachedStatement<'c>> {
    #[cfg(test)]
    {
        super::plans::note(db, sql);
        super::tests::break_at(db, sql);
    }
    db.prepare_cached(sql)
}

/// A number as a column has it. A client's clock may say anything: what is beyond comes back the same from [`number`]. An id
/// that is beyond is negative here, and found nowhere.
pub(super) fn int(number: u64) -> i64 {
    number.cast_signed()
}

pub(super) fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    Ok(row.get::<_, i64>(column)?.cast_unsigned())
}
