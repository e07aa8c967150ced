//! What is written down while it is played, for the judge: what was handed to the SDK, what each device showed and keeps, and
//! what the server says. Plain data.

use std::{
    collections::{BTreeMap, HashMap},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    time::Instant,
};

use anser_client::Message;
use anser_proto::{ConversationId, UserId, v1};
use serde::{Deserialize, Serialize};

/// A message as a device showed it: where, and a fingerprint of what.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Seen {
    pub server_msg_id: u64,
    pub print: u64,
}

impl Seen {
    /// As the server's log has it.
    pub fn of(message: &v1::Message) -> Self {
        let notice = message.notice.as_ref().map(|notice| (notice.kind, notice.operator_id, notice.user_ids.clone()));
        let mut hasher = DefaultHasher::new();
        message.client_msg_id.hash(&mut hasher);
        (message.from_id, message.r#type, message.server_time_ms, message.count, notice).hash(&mut hasher);
        (&message.from_nickname, &message.from_device_id, &message.content).hash(&mut hasher);
        Self { server_msg_id: message.server_msg_id, print: hasher.finish() }
    }

    /// As the SDK shows it.
    pub fn shown(message: &Message) -> Self {
        let notice = message.notice.as_ref().map(|notice| {
            let user_ids = notice.user_ids.iter().map(|user| user.0).collect::<Vec<_>>();
            (v1::notice::Kind::from(notice.kind) as i32, notice.operator_id.0, user_ids)
        });
        let kind = v1::message::Type::from(message.kind) as i32;
        let mut hasher = DefaultHasher::new();
        message.client_msg_id.hash(&mut hasher);
        (message.from_id.0, kind, message.server_time_ms, message.count, notice).hash(&mut hasher);
        (&message.from_nickname, &message.from_device_id, &message.content).hash(&mut hasher);
        Self { server_msg_id: message.server_msg_id, print: hasher.finish() }
    }
}

/// What lies in a device's local store.
pub type Kept = BTreeMap<ConversationId, Vec<Seen>>;

/// From one start of an app to its end, or to where it had to read its store anew.
#[derive(Default, Debug)]
pub struct Run {
    /// What the app drew first.
    pub kept: Kept,
    /// What it was told then, in order.
    pub shown: Vec<(ConversationId, Seen)>,
}

/// What came to a device without being asked for. Written down in calm plays only.
#[derive(Clone, Default, Debug)]
pub struct Pushes {
    pub first: HashMap<(ConversationId, u64), Instant>,
    /// Ends of connections that the device did not want.
    pub lost: u64,
}

impl Pushes {
    pub fn take(&mut self, message: &v1::Message) {
        if let Ok(conversation) = message.conversation_id.parse() {
            self.first.entry((conversation, message.server_msg_id)).or_insert_with(Instant::now);
        }
    }
}

#[derive(Debug)]
pub struct DeviceRecord {
    /// `account/device_id`
    pub name: String,
    pub device_id: String,
    pub user: UserId,
    pub runs: Vec<Run>,
    /// At the end.
    pub kept: Kept,
    pub sessions: Vec<v1::Session>,
    pub pushes: Pushes,
}

/// A message that an app handed to the SDK, which took it.
#[derive(Clone, Debug)]
pub struct Handed {
    pub client_msg_id: String,
    pub user: UserId,
    pub device_id: String,
    pub conversation: ConversationId,
    pub content: String,
    /// Of the sender, as the log must show it.
    pub nickname: String,
    /// Where the server said that it stored it.
    pub acked: Option<u64>,
    pub acked_at: Option<Instant>,
}

/// A log from its beginning, as one user reads it from the server.
#[derive(Clone, Debug)]
pub struct View {
    pub reader: UserId,
    pub conversation: ConversationId,
    pub messages: Vec<v1::Message>,
}

/// What the server says when all is over.
#[derive(Default, Debug)]
pub struct Truth {
    /// The group as its owner reads it, who was there from its first entry; one-to-one logs as both parties do.
    pub views: Vec<View>,
    pub sessions: BTreeMap<UserId, BTreeMap<ConversationId, v1::Session>>,
}
