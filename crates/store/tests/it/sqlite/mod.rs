//! The store in SQLite: the contract, the model, and what only a store on a disk can go through.

mod bounds;
mod damage;
mod doctor;
mod fixtures;
mod full;
mod kill;
mod open;
mod strangers;
mod sync;
mod words;

use std::{path::Path, sync::Arc};

use anser_proto::{ConversationId, GroupId, UserId};
use anser_store::{
    Error, Failure, Options, Sequencer, Store,
    contract::Subject,
    doctor::{Finding, Repair},
    sequencer::HeadSequencer,
    sqlite::{SqliteOptions, SqliteStore, doctor::examine},
};
use async_trait::async_trait;
use tempfile::TempDir;

use crate::talk::{common, found, group, long, send, sender, settle, single, talk_until_refused, text};

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

fn options() -> SqliteOptions {
    SqliteOptions::new(common(), Arc::new(HeadSequencer::new()))
}

fn open(folder: &Path) -> Arc<SqliteStore> {
    SqliteStore::open(folder, options()).expect("the store opens")
}

fn look(folder: &Path) -> Vec<Finding> {
    examine(folder, Repair::Nothing, &mut |_, _| ()).expect("a store").findings
}
