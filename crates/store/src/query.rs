//! Small questions: statements that read, written once for every database, and the few words that databases have for different things.

use std::sync::Arc;

use anser_proto::{GroupId, UserId};
use bytes::Bytes;

use crate::rows::{Column as _, Only, Put, Row, columns_of};

/// A statement and its parameters, each a `?` in it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Query {
    pub(crate) sql: String,
    pub(crate) params: Vec<Value>,
    /// It reads nothing but messages.
    pub(crate) of_messages: bool,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Value {
    Number(u64),
    Text(Arc<str>),
    Bytes(Bytes),
    Null,
}

impl Query {
    pub(crate) fn new(sql: impl Into<String>, params: impl Into<Vec<Value>>) -> Self {
        Self { sql: sql.into(), params: params.into(), of_messages: false }
    }

    /// A row by its key, with the key.
    pub(crate) fn with_key<R: Row>(dialect: Dialect, key: &R::Key) -> Self {
        let mut at_key: Vec<_> = R::KEY.iter().map(|name| format!("{name} = ?")).collect();
        if R::ONLY == Only::Present {
            at_key.push(dialect.present().into());
        }
        let mut params = Vec::new();
        key.put(&mut params);
        let (table, at_key) = (R::TABLE, at_key.join(" AND "));
        Self::new(format!("SELECT {} FROM {table} WHERE {at_key}", columns_of::<R>(table)), params)
    }

    pub(crate) fn of_messages(sql: impl Into<String>, params: impl Into<Vec<Value>>) -> Self {
        Self { of_messages: true, ..Self::new(sql, params) }
    }
}

impl Value {
    pub(crate) fn put(&self, to: &mut dyn Put) {
        match self {
            Self::Number(number) => to.number(*number),
            Self::Text(text) => to.text(text),
            Self::Bytes(bytes) => to.bytes(bytes),
            Self::Null => to.null(),
        }
    }
}

impl Put for Vec<Value> {
    fn number(&mut self, number: u64) {
        self.push(Value::Number(number));
    }

    fn small(&mut self, number: i32) {
        self.push(Value::Number(i64::from(number).cast_unsigned()));
    }

    fn text(&mut self, text: &str) {
        self.push(Value::Text(text.into()));
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.push(Value::Bytes(Bytes::copy_from_slice(bytes)));
    }

    fn null(&mut self) {
        self.push(Value::Null);
    }
}

/// The bound of a range that somebody named: no id lies beyond the largest. Never to look an id up: a larger one would be
/// taken for the largest, whose user may exist.
pub(crate) fn bound(id: u64) -> Value {
    Value::Number(id.min(i64::MAX.cast_unsigned()))
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<UserId> for Value {
    fn from(user: UserId) -> Self {
        Self::Number(user.0)
    }
}

impl From<GroupId> for Value {
    fn from(group: GroupId) -> Self {
        Self::Number(group.0)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Dialect {
    Sqlite,
    Mysql,
}

impl Dialect {
    /// Of a stay: the user is a member now.
    pub(crate) fn present(self) -> &'static str {
        match self {
            Self::Sqlite => "left_at IS NULL",
            // A made column, since NULLs are no doubles in an index.
            Self::Mysql => "present = 1",
        }
    }

    /// The rows of both, merged in their order, each out of an index in this order.
    pub(crate) fn merge(self, [one, other]: [(String, &[Value]); 2], order: &str, limit: u64) -> Query {
        let limit = &[limit.into()][..];
        let (sql, params) = match self {
            Self::Sqlite => (format!("{} UNION ALL {} {order}", one.0, other.0), [one.1, other.1, limit].concat()),
            // Else it would read both to their ends.
            Self::Mysql => (
                format!("({} {order}) UNION ALL ({} {order}) {order}", one.0, other.0),
                [one.1, limit, other.1, limit, limit].concat(),
            ),
        };
        Query::of_messages(sql, params)
    }

    /// The start of a text, with so many characters or more. SQLite's `substr` of a text ends at a zero character, hence its bytes: so many
    /// characters fit into four times as many, whatever they are; and of no bytes it makes a null.
    pub(crate) fn start_of(self, column: &str, chars: usize) -> String {
        match self {
            Self::Sqlite => format!("substr(CAST({column} AS BLOB), 1, {})", 4 * chars),
            Self::Mysql => format!("LEFT({column}, {chars})"),
        }
    }

    /// Of a message: it is of a group's log. Takes the group.
    pub(crate) fn group_log(self) -> &'static str {
        match self {
            Self::Sqlite => "group_id = ?",
            Self::Mysql => "peer_id = 0 AND owner_id = ?",
        }
    }

    /// Of a copy: it was received from somebody. Takes the receiver, then the sender.
    pub(crate) fn received_log(self) -> &'static str {
        match self {
            Self::Sqlite => "to_id = ? AND from_id = ?",
            Self::Mysql => "owner_id = ? AND peer_id = ?",
        }
    }
}
