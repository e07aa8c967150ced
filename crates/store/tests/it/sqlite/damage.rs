//! Damage, as [`crate::damage`] tells it.

use rusqlite::Connection;

use super::*;
use crate::{
    blame,
    damage::{self, Hand},
};

#[async_trait]
impl Hand for Folder {
    async fn open_with(&self, options: Options, sequencer: Arc<dyn Sequencer>) -> Arc<dyn Store> {
        Subject::open(self, options, sequencer).await
    }

    async fn run(&self, sql: &str) {
        Connection::open(self.0.path().join("anser.db")).and_then(|db| db.execute_batch(sql)).expect("sound SQL");
    }

    async fn spoil(&self, table: &str, column: &str, which: &str) {
        self.run(&format!("UPDATE {table} SET {column} = CAST(x'ff' AS TEXT) WHERE {which}")).await;
    }

    async fn spoil_number(&self, table: &str, column: &str, which: &str) {
        self.run(&format!("UPDATE {table} SET {column} = -1 WHERE {which}")).await;
    }

    async fn jam(&self, user: u64) {
        self.run(&format!(
            "CREATE TRIGGER jam BEFORE UPDATE ON im_mailbox WHEN NEW.user_id = {user} BEGIN SELECT RAISE(ABORT, 'jammed'); END"
        ))
        .await;
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

#[tokio::test]
async fn a_damaged_row_of_a_list_is_left_out() {
    damage::a_damaged_row_of_a_list_is_left_out(&hand()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_row_fails_the_write_that_needs_it_and_no_other() {
    blame::a_damaged_row_fails_the_write_that_needs_it_and_no_other(&hand()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_behind_its_log_fails_who_writes_there_and_no_other() {
    blame::a_head_behind_its_log_fails_who_writes_there_and_no_other(&hand()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_database_refuses_to_write_fails_alone() {
    blame::what_the_database_refuses_to_write_fails_alone(&hand()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_fails_the_write_that_it_was_at_and_no_other() {
    blame::a_panic_fails_the_write_that_it_was_at_and_no_other(&hand(), &|k| [k, 2 * k]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_behind_the_commit_takes_back_no_answer() {
    blame::a_panic_behind_the_commit_takes_back_no_answer(&hand()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_that_comes_too_late_leaves_nothing_behind() {
    blame::a_refusal_that_comes_too_late_leaves_nothing_behind(&hand()).await;
}
