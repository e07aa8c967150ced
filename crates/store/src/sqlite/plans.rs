//! Tests that no statement walks through a table: each is explained when it is first compiled.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use rusqlite::Connection;

use super::{SqliteOptions, SqliteStore};
use crate::{
    Options, Sequencer, Store,
    contract::{self, Subject},
};

/// What SQLite says it will do, by statement.
static PLANS: Mutex<BTreeMap<String, Vec<String>>> = Mutex::new(BTreeMap::new());

pub(super) fn note(db: &Connection, sql: &str) {
    if PLANS.lock().expect("no test panics with it").contains_key(sql) {
        return;
    }
    let mut explain = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("it can be explained");
    let unbound = vec![rusqlite::types::Null; explain.parameter_count()];
    let steps = explain.query_map(rusqlite::params_from_iter(unbound), |row| row.get(3)).expect("steps");
    let steps = steps.map(|step| step.expect("a step")).collect();
    PLANS.lock().expect("no test panics with it").insert(sql.to_owned(), steps);
}

struct Folder(tempfile::TempDir);

#[async_trait]
impl Subject for Folder {
    async fn open(&self, options: Options, sequencer: Arc<dyn Sequencer>) -> Arc<dyn Store> {
        SqliteStore::open(self.0.path(), SqliteOptions::new(options, sequencer)).expect("a folder of its own")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_statement_finds_its_rows_by_an_index_and_sorts_no_log() {
    for name in contract::OF_EVERY_VERB {
        contract::run(name, || Box::new(Folder(tempfile::tempdir().expect("a folder")))).await;
    }
    let plans = PLANS.lock().expect("no test panics with it");
    assert!(plans.len() > 60, "only {} statements were seen", plans.len());
    for (sql, steps) in &*plans {
        for step in steps {
            let walks = step.starts_with("SCAN") && step != "SCAN CONSTANT ROW" && !step.contains("im_store");
            assert!(!walks, "{step}: {sql}");
            // Few rows of one user or group may be sorted; messages are many.
            assert!(!step.contains("TEMP B-TREE") || !sql.contains("im_message"), "{step}: {sql}");
        }
    }
}
