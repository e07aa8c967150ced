//! The conformance suite of [`Store`]: a case for each sentence of the contract that shows without a fault, run on every
//! implementation. What takes a kill or a full disk is shown in the tests of the implementation.
//!
//! Enters a way to make stores; leaves nothing but a panic where a store breaks its word. Must not know any
//! implementation: whatever is asserted here stands in the comments of the trait.

mod append;
mod bans;
mod cases;
mod change;
mod changes;
mod crowd;
mod device;
mod dissolve;
mod group;
mod history;
mod life;
mod links;
mod lists;
mod log;
mod mark;
mod members;
mod mention;
mod nickname;
mod parts;
mod people;
mod pin;
mod receipt;
mod requests;
mod roles;
mod room;
mod session;
mod speech;
mod update;
mod user;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::future::LocalBoxFuture;

use crate::{Options, Sequencer, Store};

use room::Room;

/// One store to be tested, with the place where it keeps things: both go when this is dropped.
#[async_trait]
pub trait Subject: Send + Sync {
    /// The first call makes the store. A later one, after `close`, opens it again with what it kept.
    async fn open(&self, options: Options, sequencer: Arc<dyn Sequencer>) -> Arc<dyn Store>;
}

/// Makes a place in which nothing is kept yet.
pub type Make = fn() -> Box<dyn Subject>;

/// A name (`append::a_retry_gets_the_first_place_again`) and what it checks.
type Case = (&'static str, for<'a> fn(&'a mut Room) -> LocalBoxFuture<'a, ()>);

const CASES: &[Case] = crate::store_contract!(table);

/// A case takes a small part of it, on a slow disk too: whoever takes more hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// Between them they call every verb, with all that its statements differ by.
#[cfg(test)]
pub(crate) const OF_EVERY_VERB: [&str; 29] = [
    "life::everything_is_there_after_reopening",
    "lists::a_hidden_message_is_on_no_page",
    "lists::pinned_conversations_are_bounded",
    "lists::what_is_hidden_does_not_count_and_is_not_the_last",
    "pin::a_recall_unpins_and_an_edit_does_not",
    "pin::pages_of_pins_lead_through_all",
    "pin::pages_of_reactions_lead_through_all",
    "mention::a_recall_takes_the_mentions_back",
    "mention::whom_one_blocked_names_one_in_vain",
    "receipt::who_read_follows_from_the_marks",
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
    "device::the_device_longest_unseen_is_forgotten",
    "device::a_revoked_device_comes_back_by_what_was_issued_later",
    "people::pages_of_contacts_and_blocks_lead_through_all",
    "people::each_thing_that_changed_comes_once_as_it_is_now",
];

/// Runs one case of the suite on a store of its own. Most callers want a test for each: [`crate::store_contract`].
pub async fn run(name: &str, make: Make) {
    let (_, case) = CASES.iter().find(|(of, _)| *of == name).expect("the suite has a case of this name");
    let whole = async {
        let mut room = Room::new(make).await;
        case(&mut room).await;
        room.close().await;
    };
    tokio::time::timeout(PATIENCE, whole).await.expect("no verb waits for ever");
}
