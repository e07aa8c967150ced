//! Damage, as [`crate::damage`] tells it.

use rusqlite::Connection;

use super::*;
use crate::damage::{self, Hand};

#[async_trait]
impl Hand for Folder {
    async fn open(&self) -> Arc<dyn Store> {
        open(self.0.path())
    }

    async fn run(&self, sql: &str) {
        Connection::open(self.0.path().join("anser.db")).and_then(|db| db.execute_batch(sql)).expect("sound SQL");
    }

    async fn spoil(&self, table: &str, column: &str, which: &str) {
        self.run(&format!("UPDATE {table} SET {column} = CAST(x'ff' AS TEXT) WHERE {which}")).await;
    }
}

fn hand() -> Folder {
    Folder(tempfile::tempdir().expect("a folder"))
}

#[tokio::test]
async fn a_damaged_message_keeps_its_place() {
    damage::a_damaged_message_keeps_its_place(&hand()).await;
}

#[tokio::test]
async fn a_damaged_entry_of_a_list_keeps_its_place() {
    damage::a_damaged_entry_of_a_list_keeps_its_place(&hand()).await;
}
