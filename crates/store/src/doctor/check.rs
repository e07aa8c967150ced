//! Checks that one statement makes of each page of a table.

use std::ops::ControlFlow;

use super::{
    Doctor, Finding, Patient, Repair,
    page::{PAGE_ROWS, Side, bounded},
};
use crate::{
    query::Query,
    rows::{Damage, Row, Take},
};

/// The rows that are gone through, which statements call `here`.
#[derive(Clone)]
pub(super) struct Over {
    pub(super) table: String,
    /// Columns by which pages are cut, of an index. Few rows have the same values in all of them.
    key: &'static [&'static str],
}

/// What must not be true of a row.
pub(super) struct Check {
    /// Whose row is wrong, if not that of `over`.
    pub(super) table: String,
    over: Over,
    /// The key of the wrong row, as expressions.
    key: Vec<String>,
    /// What is wrong, as an expression: a text.
    wrong: String,
    join: String,
    which: String,
    /// A statement of SQLite that puts all of them right: a database that nodes share is only examined. None: it cannot be known how.
    repair: Option<String>,
}

impl Over {
    pub(super) fn rows_of<R: Row>() -> Self {
        Self { table: R::TABLE.into(), key: R::KEY }
    }

    /// Of a table in which a user has few rows.
    pub(super) fn rows_of_users(table: &str) -> Self {
        Self { table: table.into(), key: &["user_id"] }
    }

    /// Of each user in order of the stamps.
    pub(super) fn changes() -> Self {
        Self { table: "im_change".into(), key: &["user_id", "mailbox_seq"] }
    }

    pub(super) fn messages(table: &str) -> Self {
        Self { table: table.into(), key: &["id"] }
    }

    fn columns(&self) -> Vec<String> {
        self.key.iter().map(|column| format!("here.{column}")).collect()
    }
}

impl Check {
    pub(super) fn of(over: Over, wrong: impl Into<String>, which: impl Into<String>) -> Self {
        let (table, key) = (over.table.clone(), over.columns());
        Self { table, over, key, wrong: wrong.into(), join: String::new(), which: which.into(), repair: None }
    }

    pub(super) fn told_as(self, table: &str, key: &[&str]) -> Self {
        Self { table: table.into(), key: key.iter().map(|column| (*column).to_owned()).collect(), ..self }
    }

    pub(super) fn beside(self, join: String) -> Self {
        Self { join, ..self }
    }

    pub(super) fn repaired_by(self, statement: String) -> Self {
        Self { repair: Some(statement), ..self }
    }

    pub(super) fn deleted(self) -> Self {
        let statement = format!("DELETE FROM {} AS here WHERE {}", self.over.table, self.which);
        self.repaired_by(statement)
    }

    pub(super) fn set(self, column: &str, right: &str) -> Self {
        let statement = format!("UPDATE {} AS here SET {column} = {right} WHERE {}", self.over.table, self.which);
        self.repaired_by(statement)
    }
}

impl<P: Patient> Doctor<'_, P> {
    pub(super) async fn check(&mut self, check: &Check) -> Result<(), P::Error> {
        (self.progress)(&check.table, self.report.messages);
        let (before, mut from) = (self.report.found, None);
        loop {
            let to = self.end_of_page(&check.over, from.as_deref()).await?;
            self.check_page(check, from.as_deref(), to.as_deref()).await?;
            if to.is_none() {
                break;
            }
            from = to;
        }
        if let Some(repair) = &check.repair
            && self.report.found > before
            && self.repair == Repair::Derivable
        {
            // What another row stands in the way of is passed over, and stays found.
            self.report.repaired += self.db.repair(&Query::new(repair.as_str(), [])).await?;
        }
        Ok(())
    }

    async fn check_page(&mut self, check: &Check, from: Option<&[u64]>, to: Option<&[u64]>) -> Result<(), P::Error> {
        let Check { table, over, key, wrong, join, which, repair } = check;
        let (page, params) = bounded(self.dialect, &over.columns(), [(Side::Behind, from), (Side::UpTo, to)]);
        // Of a number alone a text is created too.
        let key = key.join(" || ', ' || ");
        let sql = format!("SELECT '' || {key}, {wrong} FROM {} AS here {join} WHERE {page} AND ({which})", over.table);
        let report = &mut self.report;
        let each = &mut |_, row: &mut dyn Take| {
            let (key, wrong) = (text(row)?, text(row)?);
            report.found(Finding { table: table.clone(), key, wrong, derivable: repair.is_some() });
            Ok(ControlFlow::Continue(()))
        };
        self.db.ask(&[Query::new(sql, params)], each).await
    }

    /// The key of the last row of a full page.
    async fn end_of_page(&mut self, over: &Over, from: Option<&[u64]>) -> Result<Option<Vec<u64>>, P::Error> {
        let columns = over.columns();
        let (page, params) = bounded(self.dialect, &columns, [(Side::Behind, from)]);
        let (key, table, offset) = (columns.join(", "), &over.table, PAGE_ROWS - 1);
        let sql = format!("SELECT {key} FROM {table} AS here WHERE {page} ORDER BY {key} LIMIT 1 OFFSET {offset}");
        let numbers = move |row: &mut dyn Take| columns.iter().map(|_| row.number()).collect();
        self.db.row(Query::new(sql, params), numbers).await
    }
}

/// Text that is built from what the row lacks is nothing.
fn text(row: &mut dyn Take) -> Result<String, Damage> {
    if row.null() { Ok("a value is missing".into()) } else { Ok(row.text()?.to_string()) }
}
