//! The words of checks that databases have for different things. Of what is joined with `||` both create a text.

use crate::query::Dialect;

impl Dialect {
    pub(super) fn larger(self, one: &str, other: &str) -> String {
        match self {
            Self::Sqlite => format!("max({one}, {other})"),
            Self::Mysql => format!("GREATEST({one}, {other})"),
        }
    }

    pub(super) fn smaller(self, one: &str, other: &str) -> String {
        match self {
            Self::Sqlite => format!("min({one}, {other})"),
            Self::Mysql => format!("LEAST({one}, {other})"),
        }
    }

    /// The column is not the same `here` and `there`.
    pub(super) fn differs(self, column: &str) -> String {
        match self {
            Self::Sqlite => format!("here.{column} IS NOT there.{column}"),
            // Bytes: to a comparison of texts, blanks at the end are nothing.
            Self::Mysql => format!("NOT (BINARY here.{column} <=> BINARY there.{column})"),
        }
    }

    /// A join that begins with the first table.
    pub(super) fn joined_behind(self) -> &'static str {
        match self {
            Self::Sqlite => "CROSS JOIN",
            Self::Mysql => "STRAIGHT_JOIN",
        }
    }

    /// Behind a table of messages: its rows come in the order of the index of logs. Of a page of a small table it would rather sort all.
    pub(super) fn by_logs(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Mysql => "FORCE INDEX (log)",
        }
    }

    /// By which columns the index of received messages leads to a one-to-one log.
    pub(super) fn receiver_and_sender(self) -> [&'static str; 2] {
        match self {
            Self::Sqlite => ["to_id", "from_id"],
            Self::Mysql => ["owner_id", "peer_id"],
        }
    }

    /// Of a message: it is of any group's log; the column of the group; and the order in which an index has them.
    pub(super) fn of_any_group(self) -> [&'static str; 3] {
        match self {
            Self::Sqlite => ["here.group_id IS NOT NULL", "group_id", "here.group_id, here.server_msg_id"],
            Self::Mysql => ["here.peer_id = 0", "owner_id", "here.owner_id, here.peer_id, here.server_msg_id"],
        }
    }
}
