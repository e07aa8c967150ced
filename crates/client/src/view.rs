//! What an app sees of messages, conversations and people: types of the SDK's own, so that a new field of the wire breaks nobody.
//! `wire` alone makes them from what the wire says.

mod attachment;
mod mentions;
mod pins;
mod wire;

pub use attachment::{Attachment, Audio, File, Image, Location, Video};

use anser_proto::{
    ConversationId, ErrorCode, GroupId, UserId,
    codes::{Retry, error_row},
    v1::server_frame::Body,
};
use bytes::Bytes;

pub use mentions::Mentions;
pub use pins::{Pin, Reactions, ReactionsOfUser};

/// A message as it stands in the log of its conversation.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Message {
    pub conversation_id: ConversationId,
    /// Order: 1, 2, 3, … in its conversation.
    pub server_msg_id: u64,
    /// Identity: made by the sender's client.
    pub client_msg_id: String,
    pub from_id: UserId,
    /// As it was when the message was sent.
    pub from_nickname: String,
    pub from_platform: Platform,
    pub from_device_id: String,
    pub kind: Kind,
    /// The text; for other kinds a plain-text fallback.
    pub content: String,
    /// What else the kind needs: see [`Message::parts`]; of [`Kind::Custom`] it is the app's own.
    pub attachment: Bytes,
    /// Of a [`Kind::Notice`].
    pub notice: Option<Notice>,
    /// As the sender's clock said; may be anything.
    pub client_time_ms: u64,
    /// When it was stored. Never goes back within a conversation.
    pub server_time_ms: u64,
    /// How many countable messages the conversation has, up to and with this one.
    pub count: u64,
    /// Does not count as unread.
    pub uncounted: bool,

    /// The id of the last entry of the log that changed this message, 0 if none did: of two states of it the one with the greater
    /// `changed` is the newer.
    pub changed: u64,
    pub state: MessageState,
    /// Who recalled it.
    pub recalled_by: Option<UserId>,
    /// When it was last edited, and how often. 0: never.
    pub edited_ms: u64,
    pub edits: u32,
    /// The message of the same conversation that this one answers: see [`crate::Client::message`].
    pub reply_to: Option<u64>,
    pub reactions: Vec<Reaction>,
    /// The notice by which it was pinned; 0: it is not pinned.
    pub pinned: u64,
    /// Whom it names, as it is now.
    pub mentions: Mentions,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum MessageState {
    Present,
    /// Its body is gone for everybody. The line stays, so that what others replied to is not lost.
    Recalled,
}

/// How often one emoji stands below a message.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Reaction {
    pub emoji: String,
    pub count: u32,
    /// Who, in the order in which they did: all of them as long as the message has no more than 20 reactions, else the first 5.
    pub user_ids: Vec<UserId>,
    /// The user is one of them. Where not all are named it is what this device knew last: the user's other devices may have changed it.
    pub mine: bool,
}

/// What a message is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
#[non_exhaustive]
pub enum Kind {
    #[default]
    Text,
    Image,
    Audio,
    Video,
    File,
    Location,
    Custom,
    /// Written by the server: somebody joined, left, …
    Notice,
    /// Newer than this client.
    Unknown,
}

/// What somebody did in a conversation, told in its log.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Notice {
    pub kind: NoticeKind,
    /// Who did it.
    pub operator_id: UserId,
    /// To whom.
    pub user_ids: Vec<UserId>,
    /// Of [`NoticeKind::GroupChanged`].
    pub change: Option<GroupChange>,
    /// Of [`NoticeKind::Muted`].
    pub muted_until_ms: u64,
    /// Of [`NoticeKind::Pinned`]: the message, which the user may not see.
    pub server_msg_id: u64,
}

/// What of a group is other than before; what is `None` is as it was.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
#[non_exhaustive]
pub struct GroupChange {
    pub name: Option<String>,
    pub avatar: Option<String>,
    /// There is another announcement: [`Client::group`](crate::Client::group) has it.
    pub announcement: bool,
    pub mute_all: Option<bool>,
    pub join: Option<Join>,
    pub members_mention_all: Option<bool>,
    pub history: Option<HistoryShown>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum NoticeKind {
    Created,
    Joined,
    Left,
    Removed,
    OwnerChanged,
    /// They are admins now.
    Promoted,
    /// They were admins, and are plain members now.
    Demoted,
    /// See [`Notice::change`].
    GroupChanged,
    /// They may not write until [`Notice::muted_until_ms`].
    Muted,
    /// They may write again.
    Unmuted,
    /// The last entry of the log: nobody is a member any more.
    Dissolved,
    /// A message was pinned: [`Notice::server_msg_id`].
    Pinned,
    /// Newer than this client.
    Unknown,
}

/// An entry of the conversation list.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Session {
    pub conversation_id: ConversationId,
    /// Last id of the conversation that the user may see.
    pub head: u64,
    /// How many countable messages lie behind the read mark.
    pub unread: u64,
    /// How many of them name the user, at most 100; and the first of them, 0: none does.
    pub mentions: u64,
    pub mentioned_at: u64,
    pub read_mark: u64,
    pub delivered_mark: u64,
    /// One-to-one: marks of the other party.
    pub peer_read_mark: u64,
    pub peer_delivered_mark: u64,
    /// First id that the user may see: where they joined a group, or behind what they cleared.
    pub first: u64,
    /// The last message that is shown to the user.
    pub last: Option<Preview>,
    /// One-to-one: the other party.
    pub peer: Option<User>,
    /// A group. With [`Role::None`] the user is no longer a member.
    pub group: Option<Group>,
    /// It stands above the others.
    pub pinned: bool,
    /// Until then the user wants to be told of nothing here; `unread` goes on counting.
    pub quiet_until_ms: u64,
    /// By the user, until they read or write here.
    pub marked_unread: bool,
    /// The user took it out of their list, where it is again once something is said.
    pub removed: bool,
}

/// Who has read a message of a group: the members of now who were there when it was said, without its author.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Readers {
    pub server_msg_id: u64,
    pub read: Vec<UserId>,
    /// Those who hide their read marks are here.
    pub unread: Vec<UserId>,
}

/// The last message of a conversation, for the list.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Preview {
    pub server_msg_id: u64,
    pub from_id: UserId,
    pub from_nickname: String,
    pub kind: Kind,
    /// At most 128 characters.
    pub content: String,
    pub server_time_ms: u64,
    pub state: MessageState,
}

#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct User {
    pub user_id: UserId,
    /// The app's own id of the user: unique and for ever.
    pub account: String,
    /// For people; may change.
    pub nickname: String,
    pub avatar: String,
    /// A line about themself. This and what follows is there of who was looked up, and of the user themself.
    pub signature: String,
    /// The app's own: JSON, or empty.
    pub custom: String,
    /// How often the profile changed.
    pub profile_version: u64,
}

/// What another user is to this one.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Contact {
    pub user: User,
    pub state: ContactState,
    /// The user's own name for a contact.
    pub remark: String,
    /// What was said with an open request.
    pub text: String,
    pub since_ms: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum ContactState {
    Contact,
    /// The user asked them, and has no answer.
    Asked,
    /// They ask the user.
    Asking,
}

/// What the user lets others do and see.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
#[non_exhaustive]
pub struct Privacy {
    /// Who may put them into groups.
    pub invites: Who,
    /// Their read marks are shown to nobody in one-to-one conversations, and nobody's to them.
    pub hides_reads: bool,
    /// Who is told when they were last there; and who is no contact is told that they are there if this is everybody.
    pub last_seen: Who,
    /// They are shown as offline, and type unseen.
    pub invisible: bool,
}

/// Whether a user is there, as far as the one who asks may know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Presence {
    pub user_id: UserId,
    pub state: PresenceState,
    /// Of who is offline, to the minute; 0: not known.
    pub last_seen_ms: u64,
}

/// What an app passes on to who is connected in a conversation.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Signal {
    pub conversation: ConversationId,
    pub user: UserId,
    pub device_id: String,
    pub kind: String,
    pub data: Bytes,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum PresenceState {
    Offline,
    Active,
    /// Connected, and not looking.
    Away,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
#[non_exhaustive]
pub enum Who {
    #[default]
    Everybody,
    Contacts,
    Nobody,
}

/// A device of the user's.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Device {
    pub device_id: String,
    pub platform: Platform,
    /// As the user calls it, or it itself.
    pub name: String,
    /// Start of the last day on which it logged in, in UTC.
    pub last_seen_ms: u64,
    /// To the node to which this client is.
    pub connected: bool,
    /// It is this client's.
    pub current: bool,
}

/// Somebody whom the user blocked.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Blocked {
    pub user: User,
    pub since_ms: u64,
}

#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Group {
    pub group_id: GroupId,
    pub name: String,
    pub avatar: String,
    pub owner_id: UserId,
    pub member_count: u32,
    pub created_ms: u64,
    /// Of the user.
    pub role: Role,
    /// Told by [`Client::group`](crate::Client::group) and [`Client::update_group`](crate::Client::update_group), and empty elsewhere.
    pub announcement: String,
    /// Id of the notice that told of the announcement; 0: there was none.
    pub announced: u64,
    /// The owner and admins alone write.
    pub mute_all: bool,
    pub join: Join,
    pub members_mention_all: bool,
    pub history: HistoryShown,
    /// The user may not write until then.
    pub muted_until_ms: u64,
    /// Id of the last notice of a group that was dissolved; else 0.
    pub dissolved_at: u64,
}

/// What newcomers of a group see of what was said before they come. It is fixed for each when they join.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash, Debug)]
#[non_exhaustive]
pub enum HistoryShown {
    #[default]
    None,
    /// So many messages and notices, 1 to 200.
    Last(u32),
    All,
}

/// Who lets others into a group.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash, Debug)]
#[non_exhaustive]
pub enum Join {
    /// Every member invites.
    #[default]
    Free,
    /// Members propose, and who comes by a link asks: the owner and admins let them in.
    Approval,
    /// The owner and admins invite.
    Closed,
}

/// Somebody who waits to be let into a group.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct JoinRequest {
    pub user: User,
    /// None: they asked themselves, by a link.
    pub proposed_by: Option<UserId>,
    pub text: String,
    pub since_ms: u64,
}

/// A page of them.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct JoinRequests {
    pub requests: Vec<JoinRequest>,
    pub more: bool,
}

/// How many wait to be let into a group of the user's, who may answer them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Waiting {
    pub group_id: GroupId,
    pub open: u32,
}

/// A link to be created.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct NewLink {
    /// 0: any number.
    pub max_uses: u32,
    /// By the server's clock; 0: never.
    pub expires_ms: u64,
    /// Who uses it waits to be let in.
    pub approval: bool,
}

/// By which users come into a group.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Link {
    pub link_id: u64,
    /// Told to whoever created it, once; empty elsewhere.
    pub token: String,
    pub created_by: UserId,
    pub created_ms: u64,
    pub expires_ms: u64,
    pub max_uses: u32,
    /// How many joined by it.
    pub uses: u32,
    pub approval: bool,
}

/// Where a link leads.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct GroupPreview {
    pub name: String,
    pub avatar: String,
    pub member_count: u32,
    /// Who joins waits to be let in.
    pub approval: bool,
}

/// Somebody who may not come back into a group.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Ban {
    pub user: User,
    pub banned_by: UserId,
    pub since_ms: u64,
}

/// A page of them.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Bans {
    pub bans: Vec<Ban>,
    pub more: bool,
}

/// In ascending order of what one may do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum Role {
    /// No member.
    None,
    Member,
    Admin,
    Owner,
}

#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Member {
    pub user: User,
    pub role: Role,
    /// The id of the notice of their coming.
    pub joined: u64,
    /// They may not write until then.
    pub muted_until_ms: u64,
    /// Their own name in this group; empty: none. A contact's remark goes before it, and it goes before their nickname.
    pub nickname: String,
    /// The entry of the log that changed it last; 0: none did.
    pub nickname_changed: u64,
}

/// A member's own name in a group.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct GroupNickname {
    pub user_id: UserId,
    /// Empty: none.
    pub nickname: String,
    /// Of two states the one with the greater is the newer.
    pub changed: u64,
}

/// A page of a group's members.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Members {
    pub members: Vec<Member>,
    pub more: bool,
}

/// What a device is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Platform {
    Ios,
    Android,
    Web,
    Desktop,
    Server,
    Unknown,
}

/// What the server said no with.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{message} (code {code})")]
#[non_exhaustive]
pub struct Refusal {
    /// A number of the public table of codes, perhaps one that is newer than this client: see [`Refusal::error_code`].
    pub code: i32,
    /// For the developer. English; not for users as it is.
    pub message: String,
    /// When to try again at the earliest. 0: as the client sees fit.
    pub retry_after_ms: u32,
}

impl Session {
    /// Of a conversation in which nothing was said yet.
    pub fn empty(conversation_id: ConversationId) -> Self {
        Self {
            conversation_id,
            head: 0,
            unread: 0,
            mentions: 0,
            mentioned_at: 0,
            read_mark: 0,
            delivered_mark: 0,
            peer_read_mark: 0,
            peer_delivered_mark: 0,
            first: 0,
            last: None,
            peer: None,
            group: None,
            pinned: false,
            quiet_until_ms: 0,
            marked_unread: false,
            removed: false,
        }
    }
}

impl Refusal {
    /// A fault of the server, which ought to be tried again.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self { code: ErrorCode::Internal.into(), message: message.into(), retry_after_ms: 0 }
    }

    /// An answer of another kind than was asked for.
    pub(crate) fn unexpected(body: &Body) -> Self {
        let kind = format!("{body:?}");
        Self::internal(format!("answered with `{}`", kind.split('(').next().unwrap_or_default()))
    }

    /// None if this client does not know the code.
    pub fn error_code(&self) -> Option<ErrorCode> {
        ErrorCode::try_from(self.code).ok()
    }

    /// What the table of codes says to do; a code that this version does not know follows the ranges of the table.
    pub(crate) fn retry(&self) -> Retry {
        match (self.error_code(), self.code) {
            (Some(code), _) => error_row(code).retry,
            (None, 300..400) => Retry::Later,
            (None, 400..500) => Retry::SameId,
            (None, _) => Retry::No,
        }
    }
}
