//! What becomes of messages where they stand: how they are changed, and what they are then. Plain rows, as in `records`.

use std::sync::Arc;

use anser_proto::{ClientMsgId, UserId};

use crate::{Message, MessageType};

/// A message is changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MessageChange {
    pub target: Target,
    pub what: What,
}

/// Which message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    Place(u64),
    /// One of the sender's own.
    Own(ClientMsgId),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    Recall,
    /// Only if the message was last changed by this entry.
    Edit {
        if_changed: Option<u64>,
    },
    /// To the emojis that the content names, with a blank between each two.
    React,
    /// The entry is shown: see [`PIN_NOTICE`].
    Pin,
    Unpin,
}

/// The type of a notice that a user sends under an id of theirs: that they pinned a message. On the wire it is a notice as the others are.
pub const PIN_NOTICE: MessageType = 51;

/// What became of a message since it was stored.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Revision {
    /// The last entry of the log that changed it; 0: none did.
    pub changed: u64,
    pub recalled_by: Option<UserId>,
    pub edited_ms: u64,
    pub edits: u32,
    pub reactions: Reactions,
    /// The entry that pinned it; 0: it is not pinned.
    pub pinned: u64,
}

/// What stands below a message, in the order in which the emojis came.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Reactions(pub Vec<Reaction>);

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reaction {
    pub emoji: Arc<str>,
    pub count: u32,
    /// The first of them, in the order in which they reacted: see [`anser_proto::limits::REACTIONS_NAMED_MAX`].
    pub users: Vec<UserId>,
    /// Of a page: its reader is one of them.
    pub mine: bool,
}

/// Enough of a message to show what another one answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reference {
    pub server_msg_id: u64,
    pub from: UserId,
    pub nickname: Arc<str>,
    pub kind: MessageType,
    pub is_recalled: bool,
    /// At most [`anser_proto::limits::PREVIEW_CHARS_MAX`] characters.
    pub content: Arc<str>,
}

/// A message that is pinned in its conversation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pin {
    pub message: Message,
    pub pinned_by: UserId,
}

/// What a user put below a message, in the order in which it stands there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReactionsOfUser {
    pub user: UserId,
    pub emojis: Vec<Arc<str>>,
}
