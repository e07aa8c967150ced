//! How the values of records are written into the text of statements, and read out of rows.
//!
//! Many rows go in one statement, and many statements in one packet: a round trip each would cost more than the work.

use std::fmt::Write as _;

use mysql_async::{Row, prelude::FromValue};

use super::fault::Fault;
use crate::{
    query::{Query, Value},
    rows::Damage,
};

/// The text of statements, written piece by piece. Only [`Sql::text`] and [`Sql::blob`] take what users wrote.
#[derive(Default)]
pub(super) struct Sql(String);

/// What others that begin with a semicolon are put behind.
pub(super) const NOTHING: &str = "DO 0";

impl Sql {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(super) fn push(&mut self, text: &str) -> &mut Self {
        self.0.push_str(text);
        self
    }

    pub(super) fn number(&mut self, number: u64) -> &mut Self {
        // Writing into a string does not fail.
        let _ = write!(self.0, "{number}");
        self
    }

    /// `(1, 2, 3)`
    pub(super) fn numbers(&mut self, numbers: &[u64]) -> &mut Self {
        for (at, number) in numbers.iter().enumerate() {
            self.push(if at == 0 { "(" } else { ", " }).number(*number);
        }
        self.push(")")
    }

    pub(super) fn query(&mut self, query: &Query) -> &mut Self {
        let mut params = query.params.iter();
        for (at, piece) in query.sql.split('?').enumerate() {
            if at > 0 {
                match params.next().expect("a question has as many values as marks") {
                    Value::Number(number) => self.number(*number),
                    Value::Text(text) => self.text(text),
                    Value::Bytes(bytes) => self.blob(bytes),
                    Value::Null => self.push("NULL"),
                };
            }
            self.push(piece);
        }
        self
    }

    /// Takes back what comes behind so many bytes.
    pub(super) fn cut(&mut self, end: usize) {
        self.0.truncate(end);
    }

    /// `a, b, c`
    pub(super) fn names(&mut self, names: &[&str]) -> &mut Self {
        for (at, name) in names.iter().enumerate() {
            self.push(if at == 0 { "" } else { ", " }).push(name);
        }
        self
    }

    /// A literal. The escapes are those that the server reads in every mode but NO_BACKSLASH_ESCAPES, which no connection
    /// of ours has.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        self.0.reserve(text.len() + 2);
        self.0.push('\'');
        for char in text.chars() {
            match char {
                '\0' => self.0.push_str("\\0"),
                '\'' => self.0.push_str("\\'"),
                '\\' => self.0.push_str("\\\\"),
                char => self.0.push(char),
            }
        }
        self.0.push('\'');
        self
    }

    pub(super) fn blob(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.reserve(2 * bytes.len() + 3);
        self.0.push_str("x'");
        for byte in bytes {
            let _ = write!(self.0, "{byte:02x}");
        }
        self.0.push('\'');
        self
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The value of a column.
pub(super) fn get<T: FromValue>(row: &mut Row, column: usize) -> Result<T, Fault> {
    match row.take_opt(column) {
        Some(Ok(value)) => Ok(value),
        _ => Err(Damage(format!("column {column} of a row is not as the schema has it")).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_users_wrote_stays_inside_of_its_literal() {
        let mut sql = Sql::new("SELECT ");
        sql.text("it's \\ \0 \u{1f980} \"").push(", ").blob(&[0, 0x27, 0xff]).push(" ").numbers(&[1, 2]);
        assert_eq!(sql.as_str(), "SELECT 'it\\'s \\\\ \\0 \u{1f980} \"', x'0027ff' (1, 2)");
    }
}
