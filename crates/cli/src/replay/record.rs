//! What is written down while it is played, for the judge: what was handed to the SDK, what each device showed and keeps, and
//! what the server says. Plain data.

use std::{
    collections::{BTreeMap, HashMap},
    hash::{DefaultHasher, Hash, Hasher as _},
    path::PathBuf,
    time::Instant,
};

use anser_client::{Kind, Message, MessageState, Reaction};
use anser_proto::{ConversationId, UserId, v1};
use serde::{Deserialize, Serialize};

/// A message as a device showed it: where, a fingerprint of what never changes, and one of what does.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Seen {
    pub server_msg_id: u64,
    pub print: u64,
    /// The entry that changed it last.
    pub changed: u64,
    /// Of the body, and of what was done to it.
    pub state: u64,
}

impl Seen {
    /// As the server's log has it.
    pub fn of(message: &v1::Message) -> Self {
        let notice = message.notice.as_ref().map(|notice| (notice.kind, notice.operator_id, notice.user_ids.clone()));
        let constant = (message.from_id, message.r#type, message.server_time_ms, message.count, notice);
        let names = (&*message.client_msg_id, &*message.from_nickname, &*message.from_device_id);
        let reactions = message.reactions.iter().map(|of| (&*of.emoji, of.count, of.user_ids.clone())).collect();
        let is_recalled = message.state() == v1::message::State::Recalled;
        Self {
            server_msg_id: message.server_msg_id,
            print: hash(&(constant, names)),
            changed: message.changed,
            state: hash(&State {
                content: &message.content,
                attachment: &message.attachment,
                recalled_by: is_recalled.then_some(message.recalled_by),
                edits: (message.edits, message.edited_ms),
                reply_to: message.reply_to,
                reactions,
            }),
        }
    }

    /// As the SDK shows it.
    pub fn shown(message: &Message) -> Self {
        let notice = message.notice.as_ref().map(|notice| {
            let user_ids = notice.user_ids.iter().map(|user| user.0).collect::<Vec<_>>();
            (v1::notice::Kind::from(notice.kind) as i32, notice.operator_id.0, user_ids)
        });
        let kind = v1::message::Type::from(message.kind) as i32;
        let constant = (message.from_id.0, kind, message.server_time_ms, message.count, notice);
        let names = (&*message.client_msg_id, &*message.from_nickname, &*message.from_device_id);
        let users = |of: &Reaction| of.user_ids.iter().map(|user| user.0).collect();
        let reactions = message.reactions.iter().map(|of| (&*of.emoji, of.count, users(of))).collect();
        let is_recalled = message.state == MessageState::Recalled;
        Self {
            server_msg_id: message.server_msg_id,
            print: hash(&(constant, names)),
            changed: message.changed,
            state: hash(&State {
                content: &message.content,
                attachment: &message.attachment,
                recalled_by: is_recalled.then(|| message.recalled_by.map_or(0, |user| user.0)),
                edits: (message.edits, message.edited_ms),
                reply_to: message.reply_to.unwrap_or(0),
                reactions,
            }),
        }
    }
}

#[derive(Hash)]
struct State<'a> {
    content: &'a str,
    attachment: &'a [u8],
    recalled_by: Option<u64>,
    edits: (u32, u64),
    reply_to: u64,
    reactions: Vec<(&'a str, u32, Vec<u64>)>,
}

fn hash(of: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
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
    /// What of that, or of what was drawn, it was told to show otherwise, in order.
    pub changed: Vec<(ConversationId, Seen)>,
    /// What it was told to show no more, and how much of `shown` it had been told by then.
    pub hidden: Vec<(ConversationId, u64, usize)>,
}

/// What came to a device without being asked for. Written down in calm plays only.
#[derive(Clone, Default, Debug)]
pub struct Pushes {
    pub first: HashMap<(ConversationId, u64), Instant>,
    /// Stretches of a log that changed what was said before: behind this entry, up to that one.
    pub changes: Vec<(ConversationId, std::ops::RangeInclusive<u64>, Instant)>,
    /// Ends of connections that the device did not want.
    pub lost: u64,
}

impl Pushes {
    pub fn take(&mut self, message: &v1::Message) {
        if let Ok(conversation) = message.conversation_id.parse() {
            self.first.entry((conversation, message.server_msg_id)).or_insert_with(Instant::now);
        }
    }

    pub fn take_changes(&mut self, event: &v1::MessagesChanged) {
        if let Ok(conversation) = event.conversation_id.parse() {
            self.changes.push((conversation, event.after + 1..=event.through, Instant::now()));
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
    /// Its local store, if it is one.
    pub file: Option<PathBuf>,
}

/// What an app handed to the SDK, which took it.
#[derive(Clone, Debug)]
pub struct Handed {
    pub client_msg_id: String,
    pub user: UserId,
    pub device_id: String,
    pub conversation: ConversationId,
    pub act: Act,
    /// Of the user, as the log must show it.
    pub nickname: String,
    /// Where the server said that it stored it.
    pub acked: Option<u64>,
    pub acked_at: Option<Instant>,
    /// What the server refused it with for good.
    pub refused: Option<i32>,
}

/// A message, or a change of one.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub enum Act {
    Say {
        content: String,
        manner: Manner,
    },
    /// Of the device's own message.
    Edit {
        target: String,
        content: String,
    },
    Recall {
        target: String,
    },
    React {
        place: u64,
        emojis: Vec<String>,
    },
}

/// How something is said.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub enum Manner {
    Talk,
    /// `* nick waves`: a type of the app's own, whose text is for those who do not know it.
    Action,
}

impl Manner {
    pub fn kind(self) -> Kind {
        match self {
            Self::Talk => Kind::Text,
            Self::Action => Kind::Custom,
        }
    }

    /// What the type needs beside its text.
    pub fn attachment(self) -> &'static [u8] {
        match self {
            Self::Talk => b"",
            Self::Action => b"replay.action",
        }
    }
}

impl Act {
    /// Words that it puts into the log.
    pub fn content(&self) -> Option<&str> {
        match self {
            Self::Say { content, .. } | Self::Edit { content, .. } => Some(content),
            Self::Recall { .. } | Self::React { .. } => None,
        }
    }
}

impl Handed {
    /// A message, and no change of one.
    pub fn is_message(&self) -> bool {
        matches!(self.act, Act::Say { .. })
    }

    /// The type of a message.
    pub fn kind(&self) -> Option<v1::message::Type> {
        let Act::Say { manner, .. } = self.act else { return None };
        Some(manner.kind().into())
    }

    /// For good. What was asked for once more after that may be stored all the same.
    pub fn is_refused(&self) -> bool {
        self.refused.is_some() && self.acked.is_none()
    }

    /// Nobody was told what became of it.
    pub fn is_open(&self) -> bool {
        self.refused.is_none() && self.acked.is_none()
    }
}

/// What a user put away of a conversation, on all of their devices and for good: a message, or all up to one.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub enum Away {
    Hide(u64),
    Clear(u64),
}

/// A log from its beginning, as one user reads it from the server.
#[derive(Clone, Debug)]
pub struct View {
    pub reader: UserId,
    pub conversation: ConversationId,
    /// Each as it is now.
    pub messages: Vec<v1::Message>,
    /// The last entry of it that they may see, shown or not.
    pub head: u64,
}

/// What the server says when all is over.
#[derive(Default, Debug)]
pub struct Truth {
    /// The group as its owner reads it, who was there from its first entry, and as those do who put something away there; one-to-one
    /// logs as both parties do.
    pub views: Vec<View>,
    pub away: Vec<(UserId, ConversationId, Away)>,
    /// With what every `client_msg_id` of the play begins: in one-to-one logs there may be others, of earlier plays.
    pub play: String,
    pub sessions: BTreeMap<UserId, BTreeMap<ConversationId, v1::Session>>,
}

impl Truth {
    /// Of the group, as its owner reads it.
    pub fn notices(&self) -> impl Iterator<Item = &v1::Notice> {
        let whole = self.views.iter().filter(|view| matches!(view.conversation, ConversationId::Group(_)));
        let whole = whole.max_by_key(|view| view.messages.len());
        whole.into_iter().flat_map(|view| &view.messages).filter_map(|message| message.notice.as_ref())
    }
}
