//! Damage, as [`crate::damage`] tells it.

use super::*;
use crate::{
    blame,
    damage::{self, Hand},
};

#[async_trait]
impl Hand for Database {
    async fn open_with(&self, common: Options, sequencer: Arc<dyn Sequencer>) -> Arc<dyn Store> {
        let url = make_database(&SERVER.url(), &self.0).await;
        let options = MysqlOptions { writers: 1, ..MysqlOptions::new(common, url) };
        open_with(options, sequencer).await.expect("the database is ours")
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

    async fn spoil_number(&self, table: &str, column: &str, which: &str) {
        self.spoil(table, column, which).await;
    }

    async fn jam(&self, user: u64) {
        self.run(&format!(
            "CREATE TRIGGER jam BEFORE UPDATE ON im_mailbox FOR EACH ROW
             BEGIN IF NEW.user_id = {user} THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'jammed'; END IF; END"
        ))
        .await;
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

#[tokio::test]
async fn a_damaged_row_of_a_list_is_left_out() {
    damage::a_damaged_row_of_a_list_is_left_out(&Database(fresh_name())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_row_fails_the_write_that_needs_it_and_no_other() {
    blame::a_damaged_row_fails_the_write_that_needs_it_and_no_other(&Database(fresh_name())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_behind_its_log_fails_who_writes_there_and_no_other() {
    blame::a_head_behind_its_log_fails_who_writes_there_and_no_other(&Database(fresh_name())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_database_refuses_to_write_fails_alone() {
    blame::what_the_database_refuses_to_write_fails_alone(&Database(fresh_name())).await;
}

/// The clock is asked once for each transaction, too.
#[tokio::test(flavor = "multi_thread")]
async fn a_panic_fails_the_write_that_it_was_at_and_no_other() {
    blame::a_panic_fails_the_write_that_it_was_at_and_no_other(&Database(fresh_name()), &|k| [2 + k, 2 + 3 * k]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_behind_the_commit_takes_back_no_answer() {
    blame::a_panic_behind_the_commit_takes_back_no_answer(&Database(fresh_name())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_that_comes_too_late_leaves_nothing_behind() {
    blame::a_refusal_that_comes_too_late_leaves_nothing_behind(&Database(fresh_name())).await;
}
