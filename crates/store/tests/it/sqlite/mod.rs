//! The store in SQLite: the contract, the model, and what only a store on a disk can go through.

mod bounds;
mod doctor;
mod full;
mod kill;
mod open;
mod sync;

use std::{path::Path, sync::Arc, time::SystemTime};

use anser_proto::{ConversationId, GroupId, UserId};
use anser_store::{
    Appended, Error, NewGroup, NewMessage, NewUser, Options, Sender, Sequencer, Store,
    contract::Subject,
    sequencer::HeadSequencer,
    sqlite::{
        SqliteOptions, SqliteStore,
        doctor::{Finding, Repair, examine},
    },
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

fn options() -> SqliteOptions {
    let clock = || SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_millis() as u64);
    let common = Options {
        shards: 4,
        group_members_max: 100,
        groups_per_user_max: 100,
        devices_per_user_max: 3,
        clock: Arc::new(clock),
    };
    SqliteOptions::new(common, Arc::new(HeadSequencer::new()))
}

fn open(folder: &Path) -> Arc<SqliteStore> {
    SqliteStore::open(folder, options()).expect("the store opens")
}

/// Users 1 to `n`.
async fn settle(store: &dyn Store, n: u64) {
    for id in 1..=n {
        let account = format!("user-{id}").into();
        let new = NewUser { user: UserId(id), account, nickname: "Somebody".into(), password: None };
        store.create_user(new).await.expect("a new user");
    }
}

async fn found(store: &dyn Store, group: u64, creator: u64, members: &[u64]) {
    let new = NewGroup {
        group: GroupId(group),
        creator: sender(creator),
        client_group_id: format!("group-{group}").into(),
        name: "a group".into(),
        avatar: "".into(),
        members: members.iter().copied().map(UserId).collect(),
    };
    store.create_group(new).await.expect("a new group");
}

fn sender(user: u64) -> Sender {
    Sender { user: UserId(user), nickname: "Somebody".into(), platform: 1, device_id: "a-device".into() }
}

fn single(one: u64, other: u64) -> ConversationId {
    ConversationId::single(UserId(one), UserId(other))
}

fn group(id: u64) -> ConversationId {
    ConversationId::Group(GroupId(id))
}

fn text(from: u64, conversation: ConversationId, client_msg_id: &str) -> NewMessage {
    NewMessage {
        conversation,
        from: sender(from),
        client_msg_id: client_msg_id.parse().expect("visible ASCII"),
        kind: 1,
        content: format!("text of {client_msg_id}").into(),
        attachment: bytes::Bytes::new(),
        client_time_ms: 1,
        counted: true,
    }
}

async fn send(store: &dyn Store, message: NewMessage) -> Result<Appended, Error> {
    store.append(vec![message]).await.pop().expect("one message, one answer")
}

fn look(folder: &Path) -> Vec<Finding> {
    examine(folder, Repair::Nothing, &mut |_, _| ()).expect("a store").findings
}
