//! The store in SQLite: the contract, the model, and what only a store on a disk can go through.

use std::sync::Arc;

use anser_store::{
    Options, Sequencer, Store,
    contract::Subject,
    sqlite::{SqliteOptions, SqliteStore},
};
use async_trait::async_trait;
use tempfile::TempDir;

mod contract {
    anser_store::store_contract!(tests of crate::sqlite::subject);
}

fn subject() -> Box<dyn Subject> {
    Box::new(Folder(tempfile::tempdir().expect("a folder for a test")))
}

struct Folder(TempDir);

#[async_trait]
impl Subject for Folder {
    async fn open(&self, options: Options, sequencer: Arc<dyn Sequencer>) -> Arc<dyn Store> {
        SqliteStore::open(self.0.path(), SqliteOptions::new(options, sequencer)).expect("the folder is ours")
    }
}

#[test]
fn sqlite_answers_like_the_memory_store() {
    crate::model::check(subject, 100);
}
