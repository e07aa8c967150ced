//! People who write to each other, for the tests of every store.

use std::{sync::Arc, time::SystemTime};

use anser_proto::{ConversationId, GroupId, UserId};
use anser_store::{Appended, Error, NewGroup, NewMessage, NewUser, Options, Sender, Store, Window};

pub fn common() -> Options {
    let clock = || SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_millis() as u64);
    Options {
        shards: 4,
        group_members_max: 100,
        groups_per_user_max: 100,
        unanswered_groups_per_user_max: 100,
        unanswered_groups_per_inviter_max: 100,
        devices_per_user_max: 3,
        people: anser_store::PeopleOptions::default(),
        recall: Window::ForEver,
        edit: Window::ForEver,
        clock: Arc::new(clock),
    }
}

/// Users 1 to `n`.
pub async fn settle(store: &dyn Store, n: u64) {
    for id in 1..=n {
        let account = format!("user-{id}").into();
        let new = NewUser { user: UserId(id), account, nickname: "Somebody".into(), password: None };
        store.create_user(new).await.expect("a new user");
    }
}

pub async fn found(store: &dyn Store, group: u64, creator: u64, members: &[u64]) {
    let new = NewGroup {
        group: GroupId(group),
        creator: sender(creator),
        client_group_id: format!("group-{group}").into(),
        name: "a group".into(),
        avatar: "".into(),
        members: members.iter().copied().map(UserId).collect(),
        login_version: 0,
    };
    store.create_group(new).await.expect("a new group");
}

pub fn sender(user: u64) -> Sender {
    Sender { user: UserId(user), nickname: "Somebody".into(), platform: 1, device_id: "a-device".into() }
}

pub fn single(one: u64, other: u64) -> ConversationId {
    ConversationId::single(UserId(one), UserId(other))
}

pub fn group(id: u64) -> ConversationId {
    ConversationId::Group(GroupId(id))
}

pub fn text(from: u64, conversation: ConversationId, client_msg_id: &str) -> NewMessage {
    NewMessage {
        conversation,
        from: sender(from),
        client_msg_id: client_msg_id.parse().expect("visible ASCII"),
        kind: 1,
        content: format!("text of {client_msg_id}").into(),
        attachment: bytes::Bytes::new(),
        client_time_ms: 1,
        counted: true,
        reply_to: 0,
        mentions: Default::default(),
        change: None,
        login_version: 0,
    }
}

pub async fn send(store: &dyn Store, message: NewMessage) -> Result<Appended, Error> {
    Ok(store.append(vec![message]).await?.pop().expect("one message, one answer")?)
}

/// A long message of user 1 to user 2.
pub fn long(n: u64) -> NewMessage {
    NewMessage { content: "x".repeat(20_000).into(), ..text(1, single(1, 2), &n.to_string()) }
}

/// Long messages until one is not stored: tells how many were, and why it was not.
pub async fn talk_until_refused(store: &dyn Store) -> (u64, Error) {
    let mut stored = 0;
    loop {
        match send(store, long(stored)).await {
            Ok(place) => stored = place.server_msg_id,
            Err(error) => return (stored, error),
        }
    }
}
