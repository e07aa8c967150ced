//! Why an attempt ended: the store's own errors, and what only this database brings about.

use mysql_async::Error as Mysql;

use crate::{Error, Failure, Refusal, facts::Stop, rows::Damage};

/// Of the server: https://mariadb.com/kb/en/mariadb-error-code-reference/
const DEADLOCK: u16 = 1213;
const LOCK_WAIT_TIMEOUT: u16 = 1205;
/// A snapshot from before a migration, asked for a table that it changed.
const TABLE_CHANGED: u16 = 1412;
const DUPLICATE_ENTRY: u16 = 1062;
/// What a guard does that does not hold: see [`super::statement`].
const GUARD: u16 = 1242;
const DISK_FULL: [u16; 2] = [1021, 1114];
/// "Got error 28": the operating system's ENOSPC.
const STORAGE_ENGINE: u16 = 1030;
/// The server is going down, or was told to end this connection. Or it has no more of them to give, as after its start, when
/// all come back. Or it may only be read: another one takes the writes now, perhaps under the same name.
const OF_NO_USE: [u16; 8] = [1053, 1077, 1927, 3169, 1040, 1203, 1290, 1836];

/// What the server refuses to everybody, whatever they ask for: rights (1044, 1045, 1142, 1143, 1130, 1049), limits of connections and of what an
/// account may do (1129, 1135, 1226), memory (1037, 1038, 1041, 1206), and statements that were ended from outside or took too long.
const OF_ALL: [u16; 17] =
    [1044, 1045, 1142, 1143, 1130, 1049, 1129, 1135, 1226, 1037, 1038, 1041, 1206, 1317, 1969, 3024, 3100];

#[derive(Debug)]
pub(super) enum Fault {
    /// Others were in the way. Nothing was changed, and another attempt may succeed.
    InTheWay(String),
    /// A row is there that nobody saw. Others wrote it meanwhile, and it is found the next time; or a head is behind its log.
    Taken(String),
    /// A message was stored before: the attempt must look first.
    Known,
    /// The connection broke before the commit. Nothing was changed.
    Lost(String),
    /// The connection broke during the commit, which may have been done or not.
    Unknown(String),
    /// One of the writes is to blame. Which one, the others show by succeeding without it.
    OfOne(String),
    /// A row that one of them needs is damaged.
    Damaged(Damage),
    /// A fault of the program, before the commit.
    Panicked,
    Store(Failure),
    /// Of a read.
    Refused(Refusal),
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Fault {
    pub(super) fn failed(why: impl Into<String>) -> Self {
        Self::Store(Failure::Failed(why.into()))
    }
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        Self::Store(failure)
    }
}

impl From<Damage> for Fault {
    fn from(damage: Damage) -> Self {
        Self::Damaged(damage)
    }
}

impl From<Stop> for Fault {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Failed(failure) => Self::Store(failure),
            Stop::Damaged(damage) => damage.into(),
            Stop::Refused(refusal) => refusal.into(),
            Stop::Missing => Self::OfOne("a write wants more and more".into()),
        }
    }
}

impl From<Mysql> for Fault {
    fn from(error: Mysql) -> Self {
        let Mysql::Server(server) = &error else {
            return match error {
                Mysql::Io(_) | Mysql::Driver(_) => Self::Lost(error.to_string()),
                _ => Self::failed(error.to_string()),
            };
        };
        match server.code {
            DEADLOCK | LOCK_WAIT_TIMEOUT | TABLE_CHANGED => Self::InTheWay(server.to_string()),
            DUPLICATE_ENTRY if server.message.ends_with("once'") => Self::Known,
            DUPLICATE_ENTRY => Self::Taken(server.to_string()),
            code if DISK_FULL.contains(&code) => Self::Store(Failure::Full),
            STORAGE_ENGINE if server.message.contains("error 28") => Self::Store(Failure::Full),
            code if OF_NO_USE.contains(&code) => Self::Lost(server.to_string()),
            code if OF_ALL.contains(&code) => Self::failed(server.to_string()),
            GUARD => Self::Damaged(Damage("a row is not as it was read, and it was locked".into())),
            // What else it finds wrong, it finds wrong with what one of them asked for.
            _ => Self::Damaged(Damage(server.to_string())),
        }
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Refused(refusal) => refusal.into(),
            fault => Failure::from(fault).into(),
        }
    }
}

/// When no further attempt is made.
impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Store(failure) => failure,
            Fault::OfOne(what) => Self::Failed(what),
            Fault::Damaged(Damage(what)) => Self::Damaged(what),
            Fault::Refused(refusal) => Self::Failed(format!("a refusal came too late: {refusal}")),
            Fault::Panicked => Self::Failed("the writer panicked".into()),
            Fault::Taken(why) | Fault::InTheWay(why) => Self::Failed(format!("others were in the way: {why}")),
            Fault::Known => Self::Failed("a message is known and not found".into()),
            Fault::Unknown(why) => Self::UnknownOutcome(why),
            Fault::Lost(why) => Self::Failed(format!("the connection to the database broke: {why}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use mysql_async::ServerError;

    use super::*;

    fn fault(code: u16) -> Fault {
        Mysql::Server(ServerError { code, message: "told".into(), state: "HY000".into() }).into()
    }

    #[test]
    fn what_is_refused_to_everybody_blames_no_row() {
        assert!(OF_ALL.into_iter().all(|code| matches!(fault(code), Fault::Store(Failure::Failed(_)))));
        assert!(matches!(fault(1366), Fault::Damaged(_)));
    }
}
