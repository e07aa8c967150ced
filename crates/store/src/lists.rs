//! Records of what is a user's own of a conversation: how its entry stands in their list, and what they put away of its log.

use std::sync::Arc;

use anser_proto::{ConversationId, UserId};

use crate::{Change, Group, Marked, MessageType, Role, User};

/// A user's entry in their conversation list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session {
    pub conversation: ConversationId,
    /// Last id that the user may see.
    pub head: u64,
    pub unread: u64,
    /// How many of these name the user, at most [`anser_proto::limits::MENTIONS_COUNTED_MAX`]; and the first of them, 0: none does. None are counted
    /// of whom the user blocked, nor of a group that they left.
    pub mentions: u64,
    pub mentioned_at: u64,
    pub read_mark: u64,
    pub delivered_mark: u64,
    pub peer_read_mark: u64,
    pub peer_delivered_mark: u64,
    /// First id that the user may see: where they first joined, 1 for one-to-one, or behind what they cleared.
    pub first: u64,
    /// The last message that is shown to them.
    pub last: Option<Preview>,
    pub party: Party,
    /// It stands above the others.
    pub pinned: bool,
    /// Until then nothing rings.
    pub quiet_until_ms: u64,
    pub marked_unread: bool,
    /// It is not in the list unless its last message lies behind this one.
    pub removed_at: u64,
    /// The last message that the user hid; 0: none.
    pub hidden_top: u64,
    /// The change of the user's mailbox that last touched this entry.
    pub mailbox_seq: u64,
}

/// With whom.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Party {
    Peer(User),
    /// Without a role: no longer a member.
    Group(Group, Option<Role>),
}

/// Enough of a message for a line in the conversation list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Preview {
    pub server_msg_id: u64,
    pub from: UserId,
    pub nickname: Arc<str>,
    pub kind: MessageType,
    /// At most [`anser_proto::limits::PREVIEW_CHARS_MAX`] characters.
    pub content: Arc<str>,
    pub server_time_ms: u64,
    pub is_recalled: bool,
}

/// What [`Refusal::Limit`](crate::Refusal::Limit) tells of.
pub const PINNED_SESSIONS_OF_A_USER: &str = "the pinned conversations of a user";

/// What [`Refusal::Limit`](crate::Refusal::Limit) tells of.
pub const READERS_OF_A_GROUP: &str = "the members of a group in which it is told who read a message";

/// Of the members who were there when a message was said, without its author. Ascending.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Readers {
    pub server_msg_id: u64,
    pub read: Vec<UserId>,
    pub unread: Vec<UserId>,
}

/// What a user wants of an entry of their list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SessionChange {
    pub user: UserId,
    pub conversation: ConversationId,
    pub action: SessionAction,
    /// By which of their devices.
    pub device_id: Arc<str>,
    /// Of the user's login.
    pub login_version: u64,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SessionAction {
    Update(Flags),
    /// They see nothing any more up to this message.
    Clear(u64),
    /// It is not in their list until a message behind this one is shown.
    Remove(u64),
}

/// What stays `None` is not changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Flags {
    /// Above the others.
    pub pinned: Option<bool>,
    /// Until then nothing rings.
    pub quiet_until_ms: Option<u64>,
    /// Until the user reads or writes there.
    pub marked_unread: Option<bool>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SessionChanged {
    /// The change in the user's mailbox; 0: nothing was changed.
    pub mailbox_seq: u64,
    /// The read mark that went along.
    pub marked: Option<Marked>,
}

/// Messages that a user wants to see no more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hide {
    pub user: UserId,
    pub conversation: ConversationId,
    pub places: Vec<u64>,
    /// By which of their devices.
    pub device_id: Arc<str>,
    /// Of the user's login.
    pub login_version: u64,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Hidden {
    /// Those that were not hidden before.
    pub changes: Vec<Change>,
    /// The change by which their unread count and last message may be others; 0: nothing was changed.
    pub mailbox_seq: u64,
}
