//! Stores of every schema, as [`crate::fixtures`] keeps them.

use anser_store::{
    doctor::Repair,
    sqlite::{OpenError, doctor::renew_log_id},
};

use super::*;
use crate::{doctor, fixtures};

fn open_fixture(folder: &Path) -> Arc<SqliteStore> {
    let options = SqliteOptions { common: fixtures::options(), ..options() };
    SqliteStore::open(folder, options).expect("the store opens")
}

fn present_schema(db: &rusqlite::Connection) -> u32 {
    db.query_row("SELECT schema_version FROM im_store", [], |row| row.get(0)).expect("a store")
}

/// As text that creates it.
fn dump(db: &rusqlite::Connection) -> String {
    let lines = |sql: &str| -> Vec<String> {
        let mut statement = db.prepare(sql).expect("sound SQL");
        statement.query_map([], |row| row.get(0)).expect("rows").map(|line| line.expect("a text")).collect()
    };
    let schema = lines("SELECT sql || ';' FROM sqlite_schema WHERE sql IS NOT NULL");
    let rows = lines(
        "SELECT 'SELECT ''INSERT INTO ' || tables.name || ' VALUES ('' || '
                || group_concat('quote(' || columns.name || ')', ' || '', '' || ' ORDER BY cid) || ' || '');'' FROM ' || tables.name
         FROM sqlite_schema AS tables, pragma_table_info(tables.name) AS columns WHERE tables.type = 'table' GROUP BY tables.name",
    );
    let rows = rows.iter().flat_map(|sql| lines(sql));
    let application: i32 = db.query_row("PRAGMA application_id", [], |row| row.get(0)).expect("a number");
    let first = format!("PRAGMA application_id = {application};");
    [first].into_iter().chain(schema).chain(rows).map(|line| line + "\n").collect()
}

fn create(folder: &Path, fixture: &str) {
    let db = rusqlite::Connection::open(folder.join("anser.db")).expect("a database");
    db.execute_batch(fixture).expect("sound SQL");
}

#[tokio::test]
async fn a_store_of_every_schema_opens_and_goes_on() {
    let home = tempfile::tempdir().expect("a folder");
    let store = open_fixture(home.path());
    doctor::village(&*store).await;
    store.close().await;
    let db = rusqlite::Connection::open(home.path().join("anser.db")).expect("a database");
    for fixture in fixtures::fixtures("sqlite", present_schema(&db), || dump(&db)) {
        let home = tempfile::tempdir().expect("a folder");
        create(home.path(), &fixture);
        for turn in 0..2 {
            let store = open_fixture(home.path());
            fixtures::goes_on(&*store, turn).await;
            store.close().await;
            assert_eq!(look(home.path()), []);
        }
    }
}

#[tokio::test]
async fn a_restored_store_of_an_older_schema_is_renewed_and_can_be_examined() {
    let home = tempfile::tempdir().expect("a folder");
    create(home.path(), include_str!("../../fixtures/sqlite/schema-1.sql"));
    assert!(matches!(examine(home.path(), Repair::Nothing, &mut |_, _| ()), Err(OpenError::Older { store: 1, .. })));
    let renewed = renew_log_id(home.path()).expect("a store");
    assert_eq!(look(home.path()), []);
    let store = open_fixture(home.path());
    assert_eq!(store.log_id(), renewed);
    store.close().await;
}
