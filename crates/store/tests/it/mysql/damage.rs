//! Damage, as [`crate::damage`] tells it.

use super::*;
use crate::damage::{self, Hand};

#[async_trait]
impl Hand for Database {
    async fn open(&self) -> Arc<dyn Store> {
        open(&make_database(&SERVER.url(), &self.0).await).await
    }

    async fn run(&self, sql: &str) {
        let mut db = Conn::new(Opts::from_url(&format!("{}/{}", SERVER.url(), self.0)).expect("an address"))
            .await
            .expect("it answers");
        db.query_drop(sql).await.expect("sound SQL");
        db.disconnect().await.expect("it says goodbye");
    }

    async fn spoil(&self, table: &str, column: &str, which: &str) {
        self.run(&format!("ALTER TABLE {table} MODIFY {column} TEXT NULL")).await;
        self.run(&format!("UPDATE {table} SET {column} = NULL WHERE {which}")).await;
    }
}

#[tokio::test]
async fn a_damaged_message_keeps_its_place() {
    damage::a_damaged_message_keeps_its_place(&Database(fresh_name())).await;
}

#[tokio::test]
async fn a_damaged_entry_of_a_list_keeps_its_place() {
    damage::a_damaged_entry_of_a_list_keeps_its_place(&Database(fresh_name())).await;
}
