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
    // Between them they call every verb.
    for name in [
        "life::everything_is_there_after_reopening",
        "append::a_retry_after_leaving_gets_the_first_place_again",
        "append::another_body_under_a_known_client_msg_id_is_refused",
        "log::every_stretch_of_a_group_is_the_one_asked_for",
        "log::every_stretch_of_a_one_to_one_conversation_is_the_one_asked_for",
        "mark::unread_is_exact_through_leaving_and_joining_again",
        "changes::changes_are_the_sessions_stamped_behind_since_in_order",
        "changes::groups_with_another_head_have_moved",
        "changes::positions_tell_the_digest_of_the_groups_and_their_heads",
        "members::when_the_owner_leaves_the_longest_standing_member_takes_his_place",
        "group::pages_of_members_lead_through_all",
        "group::whom_a_user_has_written_to_finds_a_place_whatever_strangers_do",
        "session::pages_of_sessions_lead_through_the_list",
        "user::pages_of_users_lead_through_all",
        "user::an_account_or_id_is_not_given_twice",
        "user::a_new_password_and_each_disabling_end_the_logins",
        "user::the_device_longest_unseen_is_forgotten",
    ] {
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
