//! The statements for each kind of row, written from its description: many rows go in one.

use std::{collections::BTreeSet, convert::Infallible, sync::Arc};

use bytes::Bytes;
use mysql_async::{Row as MysqlRow, Value, prelude::FromValue};

use super::columns::Sql;
use crate::{
    facts::{EachKind, Fact, Rows},
    query::Dialect,
    rows::{Column as _, Damage, Guard, Only, Put, Row, Take},
};

/// How the rows that are wanted are read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Lock {
    None,
    /// Until the end of the transaction, in the order of the keys, so that no two wait for each other in a circle.
    Rows,
}

/// A statement that reads these rows.
pub(super) fn select<R: Row>(keys: &BTreeSet<R::Key>, lock: Lock, sql: &mut Sql) {
    sql.push("; SELECT ").names(R::KEY).push(", ").names(R::COLUMNS).push(" FROM ").push(R::TABLE).push(" WHERE ");
    if R::ONLY == Only::Present {
        sql.push(Dialect::Mysql.present()).push(" AND (");
    }
    at_keys::<R>(keys.iter(), sql);
    if R::ONLY == Only::Present {
        sql.push(")");
    }
    if lock == Lock::Rows {
        sql.push(" ORDER BY ").names(R::KEY).push(" FOR UPDATE");
    }
}

/// `(…) OR (…)`, which the server takes for ranges of the key.
fn at_keys<'k, R: Row>(keys: impl Iterator<Item = &'k R::Key>, sql: &mut Sql)
where
    R::Key: 'k,
{
    for (at, one) in keys.enumerate() {
        sql.push(if at == 0 { "(" } else { " OR (" });
        one.put(&mut equals(sql, R::KEY));
        sql.push(")");
    }
}

/// Writes values one after the other, each behind what `prefix` writes.
struct Prefixed<'s, F> {
    sql: &'s mut Sql,
    prefix: F,
}

impl<F: FnMut(&mut Sql)> Prefixed<'_, F> {
    fn next(&mut self) -> &mut Sql {
        (self.prefix)(self.sql);
        self.sql
    }
}

impl<F: FnMut(&mut Sql)> Put for Prefixed<'_, F> {
    fn number(&mut self, number: u64) {
        self.next().number(number);
    }

    fn small(&mut self, number: i32) {
        self.next().push(&number.to_string());
    }

    fn text(&mut self, text: &str) {
        self.next().text(text);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.next().blob(bytes);
    }

    fn null(&mut self) {
        self.next().push("NULL");
    }
}

/// `a = 1 AND b = 2`
fn equals<'s>(sql: &'s mut Sql, names: &'static [&'static str]) -> Prefixed<'s, impl FnMut(&mut Sql)> {
    let mut names = names.iter();
    let prefix = move |sql: &mut Sql| {
        let and = if sql.as_str().ends_with('(') { "" } else { " AND " };
        sql.push(and).push(names.next().expect("a key has as many values as names")).push(" = ");
    };
    Prefixed { sql, prefix }
}

/// `a = 1, b = 2`, behind `SET `
pub(super) fn assignments<'s>(sql: &'s mut Sql, names: &'static [&'static str]) -> impl Put + use<'s> {
    let mut names = names.iter();
    let prefix = move |sql: &mut Sql| {
        let comma = if sql.as_str().ends_with("SET ") { "" } else { ", " };
        sql.push(comma).push(names.next().expect("a row has as many values as names")).push(" = ");
    };
    Prefixed { sql, prefix }
}

/// `1, 2`
fn values(sql: &mut Sql) -> Prefixed<'_, impl FnMut(&mut Sql)> {
    let prefix = |sql: &mut Sql| {
        let comma = if sql.as_str().ends_with('(') { "" } else { "," };
        sql.push(comma);
    };
    Prefixed { sql, prefix }
}

/// Puts what was changed of each kind into one packet.
pub(super) struct Write<'s>(pub(super) &'s mut Sql);

impl EachKind for Write<'_> {
    type Error = Infallible;

    fn visit<R: Row>(&mut self, rows: &mut Rows<R>) -> Result<(), Infallible> {
        let changed = rows.changed();
        let inserts = changed.iter().filter(|(_, fact)| fact.stored.is_none());
        insert(self.0, inserts.filter_map(|(key, fact)| Some((*key, fact.now.as_ref()?))), "");
        let updates = changed.iter().filter_map(|(key, fact)| match fact {
            Fact { stored: Some(before), now: Some(now) } => Some((*key, before, now)),
            _ => None,
        });
        match R::GUARD {
            Some(guard) => update_guarded::<R>(self.0, updates.collect(), &guard),
            None => {
                let set: Vec<_> = R::COLUMNS.iter().map(|name| format!("{name} = VALUES({name})")).collect();
                let behind = format!(" ON DUPLICATE KEY UPDATE {}", set.join(", "));
                insert(self.0, updates.map(|(key, _, now)| (key, now)), &behind);
            }
        }
        let mut gone = changed.iter().filter(|(_, fact)| fact.now.is_none()).peekable();
        if gone.peek().is_some() {
            self.0.push("; DELETE FROM ").push(R::TABLE).push(" WHERE ");
            at_keys::<R>(gone.map(|(key, _)| *key), self.0);
        }
        Ok(())
    }
}

/// A row that others inserted meanwhile ends the transaction.
fn insert<'r, R: Row + 'r>(sql: &mut Sql, rows: impl Iterator<Item = (&'r R::Key, &'r R)>, behind: &str) {
    let mut any = false;
    for (at, row) in rows {
        if any {
            sql.push(",(");
        } else {
            sql.push("; INSERT INTO ")
                .push(R::TABLE)
                .push(" (")
                .names(R::KEY)
                .push(", ")
                .names(R::COLUMNS)
                .push(") VALUES (");
        }
        any = true;
        at.put(&mut values(sql));
        row.put(&mut values(sql));
        sql.push(")");
    }
    if any {
        sql.push(behind);
    }
}

/// Changes the rows whose guards are as they were read, and ends the transaction unless those are all.
fn update_guarded<R: Row>(sql: &mut Sql, updates: Vec<(&R::Key, &R, &R)>, guard: &Guard<R>) {
    let all = [R::KEY, R::COLUMNS].concat();
    if updates.is_empty() {
        return;
    }
    sql.push("; UPDATE (");
    for (at, (key, before, now)) in updates.iter().enumerate() {
        sql.push(if at == 0 { "SELECT * FROM (SELECT 0 AS guard" } else { "" });
        if at == 0 {
            for column in &all {
                sql.push(", 0 AS ").push(column);
            }
            sql.push(") AS none WHERE FALSE");
        }
        sql.push(" UNION ALL SELECT ").number((guard.1)(before));
        key.put(&mut values(sql));
        now.put(&mut values(sql));
    }
    sql.push(") AS changed STRAIGHT_JOIN ").push(R::TABLE).push(" AS present ON ");
    for (at, column) in R::KEY.iter().enumerate() {
        sql.push(if at == 0 { "" } else { " AND " });
        sql.push("present.").push(column).push(" = changed.").push(column);
    }
    for (at, column) in R::COLUMNS.iter().enumerate() {
        sql.push(if at == 0 { " SET " } else { ", " });
        sql.push("present.").push(column).push(" = changed.").push(column);
    }
    sql.push(" WHERE present.").push(guard.0).push(" = changed.guard");
    // More than one row where one is allowed is an error, which ends the packet. (MariaDB's DO forgets errors.)
    sql.push("; SET @changed = IF(ROW_COUNT() = ").number(updates.len() as u64);
    sql.push(", 1, (SELECT 1 UNION ALL SELECT 2))");
}

/// Reads the columns of a row, in their order.
pub(super) struct Columns<'r> {
    row: &'r MysqlRow,
    at: usize,
}

impl<'r> Columns<'r> {
    pub(super) fn of(row: &'r MysqlRow) -> Self {
        Self { row, at: 0 }
    }

    fn next<T: FromValue>(&mut self) -> Result<T, Damage> {
        let at = self.at;
        self.at += 1;
        let damage = || {
            let name = self.row.columns_ref().get(at).map_or("?".into(), |column| column.name_str());
            Damage(format!("column {name} is not as the schema has it"))
        };
        match self.row.get_opt(at) {
            Some(Ok(value)) => Ok(value),
            _ => Err(damage()),
        }
    }
}

impl Take for Columns<'_> {
    fn number(&mut self) -> Result<u64, Damage> {
        self.next()
    }

    fn small(&mut self) -> Result<i32, Damage> {
        self.next()
    }

    fn text(&mut self) -> Result<Arc<str>, Damage> {
        Ok(self.next::<String>()?.into())
    }

    fn bytes(&mut self) -> Result<Bytes, Damage> {
        Ok(self.next::<Vec<u8>>()?.into())
    }

    fn null(&mut self) -> bool {
        let is_null = self.row.as_ref(self.at) == Some(&Value::NULL);
        self.at += usize::from(is_null);
        is_null
    }

    fn skip(&mut self, columns: usize) {
        self.at += columns;
    }
}
