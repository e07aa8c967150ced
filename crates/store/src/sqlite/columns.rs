//! How the values of records are written in columns. Numbers are signed in SQLite; ids fit by [`anser_proto::ids`].

use anser_proto::{ConversationId, GroupId, UserId};
use rusqlite::{CachedStatement, Connection, Row};

use crate::Error;

/// Of a transaction that cannot go on. `Full` and `Failed` leave nothing behind.
impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Self::Full,
            _ => Self::Failed(error.to_string()),
        }
    }
}

/// Every statement comes from here: compiled once for each connection.
pub(super) fn prepare<'c>(db: &'c Connection, sql: &str) -> rusqlite::Result<CachedStatement<'c>> {
    #[cfg(test)]
    super::plans::note(db, sql);
    db.prepare_cached(sql)
}

/// A number as a column has it. A client's clock may say anything: what is beyond comes back the same from [`number`].
pub(super) fn int(number: u64) -> i64 {
    number.cast_signed()
}

/// A bound that somebody named: none is beyond the largest id.
pub(super) fn bound(id: u64) -> i64 {
    i64::try_from(id).unwrap_or(i64::MAX)
}

pub(super) fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    Ok(row.get::<_, i64>(column)?.cast_unsigned())
}

pub(super) fn user(row: &Row<'_>, column: usize) -> rusqlite::Result<UserId> {
    Ok(UserId(number(row, column)?))
}

/// `small_id` and `big_id` of a conversation.
pub(super) fn key(conversation: ConversationId) -> (i64, i64) {
    match conversation {
        ConversationId::Single { small, big } => (int(small.0), int(big.0)),
        ConversationId::Group(group) => (0, int(group.0)),
    }
}

pub(super) fn conversation(row: &Row<'_>, column: usize) -> rusqlite::Result<ConversationId> {
    let (small, big) = (number(row, column)?, number(row, column + 1)?);
    Ok(match small {
        0 => ConversationId::Group(GroupId(big)),
        _ => ConversationId::Single { small: UserId(small), big: UserId(big) },
    })
}
