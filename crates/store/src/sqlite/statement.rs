//! The statements for each kind of row, written once from its description, and the values that are bound to them.

use std::{collections::HashMap, ops::ControlFlow, sync::Arc};

use bytes::Bytes;
use rusqlite::{CachedStatement, Connection, Row as SqliteRow, types::ValueRef};

use super::columns::{int, prepare};
use crate::{
    facts::{EachKind, Fact, Rows, Stop, Tables},
    query::{Dialect, Query},
    rows::{Column as _, Damage, Guard, Only, Put, Row, Take},
};

/// By the names of their tables.
pub(super) struct Statements(HashMap<&'static str, OfKind>);

struct OfKind {
    find: String,
    insert: String,
    update: String,
    delete: String,
}

impl Statements {
    pub(super) fn new() -> Self {
        let mut statements = Self(HashMap::new());
        let Ok(()) = Tables::default().each_with_a_table(&mut statements);
        statements
    }

    fn of<R: Row>(&self) -> &OfKind {
        &self.0[R::TABLE]
    }

    pub(super) fn find<R: Row>(&self, db: &Connection, key: &R::Key) -> Result<Option<R>, Stop> {
        let mut statement = prepare(db, &self.of::<R>().find)?;
        let mut bind = Bind::to(&mut statement);
        key.put(&mut bind);
        bind.done()?;
        let mut rows = statement.raw_query();
        let found = rows.next()?.map(|row| R::take(&mut Columns::of(row))).transpose();
        Ok(found.map_err(|damage| damage.of::<R>(key))?)
    }
}

impl EachKind for Statements {
    type Error = std::convert::Infallible;

    fn visit<R: Row>(&mut self, _: &mut Rows<R>) -> Result<(), Self::Error> {
        let names = |names: &[&str], between: &str| {
            names.iter().map(|name| format!("{name} = ?")).collect::<Vec<_>>().join(between)
        };
        let mut at_key = names(R::KEY, " AND ");
        if R::ONLY == Only::Present {
            at_key = format!("{at_key} AND {}", Dialect::Sqlite.present());
        }
        let guarded = R::GUARD.map_or(String::new(), |Guard(name, _)| format!(" AND {name} = ?"));
        let (name, columns, all) = (R::TABLE, R::COLUMNS, [R::KEY, R::COLUMNS].concat());
        let marks = vec!["?"; all.len()].join(", ");
        let of_kind = OfKind {
            find: format!("SELECT {} FROM {name} WHERE {at_key}", columns.join(", ")),
            insert: format!("INSERT INTO {name} ({}) VALUES ({marks})", all.join(", ")),
            update: format!("UPDATE {name} SET {} WHERE {at_key}{guarded}", names(columns, ", ")),
            delete: format!("DELETE FROM {name} WHERE {at_key}"),
        };
        self.0.insert(name, of_kind);
        Ok(())
    }
}

/// Writes what was changed of each kind.
pub(super) struct Write<'w> {
    pub(super) db: &'w Connection,
    pub(super) statements: &'w Statements,
}

impl EachKind for Write<'_> {
    type Error = Stop;

    fn visit<R: Row>(&mut self, rows: &mut Rows<R>) -> Result<(), Stop> {
        let changed = rows.changed();
        if changed.is_empty() {
            return Ok(());
        }
        let of_kind = self.statements.of::<R>();
        let mut insert = prepare(self.db, &of_kind.insert)?;
        let mut update = prepare(self.db, &of_kind.update)?;
        for (key, Fact { stored, now }) in changed {
            let changed = match (stored, now) {
                (None, Some(row)) => execute(&mut insert, |to| {
                    key.put(to);
                    row.put(to);
                }),
                (Some(before), Some(row)) => execute(&mut update, |to| {
                    row.put(to);
                    key.put(to);
                    if let Some(Guard(_, value)) = R::GUARD {
                        to.number(value(before));
                    }
                }),
                (_, None) => execute(&mut prepare(self.db, &of_kind.delete)?, |to| key.put(to)),
            };
            if changed? != 1 {
                return Err(Damage(format!("{} {key:?} is not as it was read", R::TABLE)).into());
            }
        }
        rows.written();
        Ok(())
    }
}

/// Takes a row, and may want no more.
type Each<'e> = &'e mut dyn FnMut(&mut dyn Take) -> Result<ControlFlow<()>, Damage>;

/// Gives each row of the answer to `each`, until that wants no more.
pub(super) fn ask(db: &Connection, query: &Query, each: Each<'_>) -> Result<(), Stop> {
    let mut statement = prepare(db, &query.sql)?;
    let mut bind = Bind::to(&mut statement);
    for param in &query.params {
        param.put(&mut bind);
    }
    bind.done()?;
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        if each(&mut Columns::of(row))?.is_break() {
            break;
        }
    }
    Ok(())
}

pub(super) fn execute(
    statement: &mut CachedStatement<'_>,
    put: impl FnOnce(&mut Bind<'_, '_>),
) -> rusqlite::Result<usize> {
    let mut bind = Bind::to(statement);
    put(&mut bind);
    bind.done()?;
    statement.raw_execute()
}

/// Binds the parameters of a statement, in their order.
pub(super) struct Bind<'b, 's> {
    statement: &'b mut CachedStatement<'s>,
    at: usize,
    outcome: rusqlite::Result<()>,
}

impl<'b, 's> Bind<'b, 's> {
    pub(super) fn to(statement: &'b mut CachedStatement<'s>) -> Self {
        Self { statement, at: 0, outcome: Ok(()) }
    }

    fn next(&mut self, value: impl rusqlite::ToSql) {
        self.at += 1;
        if self.outcome.is_ok() {
            self.outcome = self.statement.raw_bind_parameter(self.at, value);
        }
    }

    pub(super) fn done(self) -> rusqlite::Result<()> {
        self.outcome
    }
}

impl Put for Bind<'_, '_> {
    fn number(&mut self, number: u64) {
        self.next(int(number));
    }

    fn small(&mut self, number: i32) {
        self.next(number);
    }

    fn text(&mut self, text: &str) {
        self.next(text);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.next(bytes);
    }

    fn null(&mut self) {
        self.next(rusqlite::types::Null);
    }
}

/// Reads the columns of a row, in their order.
pub(super) struct Columns<'r> {
    row: &'r SqliteRow<'r>,
    at: usize,
}

impl<'r> Columns<'r> {
    pub(super) fn of(row: &'r SqliteRow<'r>) -> Self {
        Self { row, at: 0 }
    }

    fn next(&mut self) -> Result<ValueRef<'r>, Damage> {
        self.at += 1;
        self.row.get_ref(self.at - 1).map_err(|error| Damage(error.to_string()))
    }

    fn damage(&self) -> Damage {
        let name = self.row.as_ref().column_name(self.at - 1).unwrap_or("?");
        Damage(format!("column {name} is not as the schema has it"))
    }
}

impl Take for Columns<'_> {
    fn number(&mut self) -> Result<u64, Damage> {
        let number = self.next()?.as_i64().map(i64::cast_unsigned);
        number.map_err(|_| self.damage())
    }

    fn small(&mut self) -> Result<i32, Damage> {
        self.next()?.as_i64().ok().and_then(|number| number.try_into().ok()).ok_or_else(|| self.damage())
    }

    fn text(&mut self) -> Result<Arc<str>, Damage> {
        self.next()?.as_str().map(Into::into).map_err(|_| self.damage())
    }

    fn bytes(&mut self) -> Result<Bytes, Damage> {
        self.next()?
            .as_bytes_or_null()
            .map(|bytes| Bytes::copy_from_slice(bytes.unwrap_or_default()))
            .map_err(|_| self.damage())
    }

    fn null(&mut self) -> bool {
        let is_null = matches!(self.row.get_ref(self.at), Ok(ValueRef::Null));
        self.at += usize::from(is_null);
        is_null
    }

    fn skip(&mut self, columns: usize) {
        self.at += columns;
    }
}
