//! What goes into the store and comes out of it: plain rows, in the words of the wire but without its encoding.

use std::sync::Arc;

use anser_proto::{ClientMsgId, ConversationId, GroupId, UserId};
use bytes::Bytes;

use crate::{
    Change, GroupNickname, History, Mentions, MessageChange, Profile, Reference, Refusal, Revision, Session,
    rows::Place,
};

/// Number of a message type as in `anser.v1.Message.Type`. The store only knows notices, which it writes itself, and silent entries.
pub type MessageType = i32;

/// Who acts, as the log shall show it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sender {
    pub user: UserId,
    pub nickname: Arc<str>,
    /// As in `anser.v1.Device.Platform`.
    pub platform: i32,
    pub device_id: Arc<str>,
}

/// A message that somebody wants stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewMessage {
    pub conversation: ConversationId,
    pub from: Sender,
    pub client_msg_id: ClientMsgId,
    pub kind: MessageType,
    pub content: Arc<str>,
    pub attachment: Bytes,
    pub client_time_ms: u64,
    /// Counts as unread.
    pub counted: bool,
    /// The message that it answers; 0: none.
    pub reply_to: u64,
    pub mentions: Mentions,
    /// What it does to another message, in place of saying something: then it is a silent entry, whose content and attachment go into that one.
    pub change: Option<MessageChange>,
    /// Of the sender's login.
    pub login_version: u64,
}

/// What a message holds in memory beside its body, its names and ids; and what each write does, its place in the queue and whoever waits
/// for its answer.
pub(crate) const BYTES_BESIDE: usize = 512;

impl NewMessage {
    /// The store writes it itself, and it has no identity of a user's.
    #[cfg(feature = "cluster")]
    pub(crate) fn is_notice(&self) -> bool {
        self.kind == MessageType::from(anser_proto::v1::message::Type::Notice)
    }

    /// What it holds in memory.
    pub fn bytes(&self) -> usize {
        self.content.len() + self.attachment.len() + self.mentions.bytes() + BYTES_BESIDE
    }

    pub(crate) fn stored(self, server_msg_id: u64, server_time_ms: u64, count: u64) -> Message {
        Message {
            conversation: self.conversation,
            server_msg_id,
            client_msg_id: self.client_msg_id,
            from: self.from,
            kind: self.kind,
            content: self.content,
            attachment: self.attachment,
            client_time_ms: self.client_time_ms,
            server_time_ms,
            count,
            counted: self.counted,
            reply_to: self.reply_to,
            mentions: self.mentions,
            revision: Revision::default(),
        }
    }
}

/// The place of a message in its log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Appended {
    pub server_msg_id: u64,
    pub server_time_ms: u64,
    /// Countable messages up to and with this one.
    pub count: u64,
    /// It had been stored before; this is its first place.
    pub duplicate: bool,
    /// What the message is called in the mailboxes; both 0 in a group and for a duplicate. Equal when a user
    /// writes to themselves.
    pub sender_mailbox_seq: u64,
    pub receiver_mailbox_seq: u64,
    /// Of the group at this place in its log; 0 for one-to-one and for a duplicate.
    pub members_version: u64,
    /// The message that a silent entry changed, as it is now; none for a duplicate.
    pub changed: Option<Arc<Message>>,
}

impl Appended {
    /// Where a message was stored before.
    pub(crate) fn first(server_msg_id: u64, server_time_ms: u64, count: u64) -> Self {
        Self {
            server_msg_id,
            server_time_ms,
            count,
            duplicate: true,
            sender_mailbox_seq: 0,
            receiver_mailbox_seq: 0,
            members_version: 0,
            changed: None,
        }
    }
}

/// A message as it stands in the log, now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    pub conversation: ConversationId,
    pub server_msg_id: u64,
    pub client_msg_id: ClientMsgId,
    pub from: Sender,
    pub kind: MessageType,
    pub content: Arc<str>,
    /// Of a notice: an encoded `anser.v1.Notice`.
    pub attachment: Bytes,
    pub client_time_ms: u64,
    pub server_time_ms: u64,
    pub count: u64,
    pub counted: bool,
    pub reply_to: u64,
    pub mentions: Mentions,
    pub revision: Revision,
}

impl Message {
    pub(crate) fn place(&self) -> Place {
        Place { server_msg_id: self.server_msg_id, count: self.count }
    }

    /// Without what is its reader's own.
    pub fn for_all(mut self) -> Self {
        self.revision.reactions.0.iter_mut().for_each(|reaction| reaction.mine = false);
        self
    }

    /// Bytes of the body, and of whom it names, where they are the most: in JSON, which makes six of a control character.
    pub fn body_bytes(&self) -> usize {
        let written = |byte| match byte {
            0..=0x1f => 6,
            b'"' | b'\\' => 2,
            _ => 1,
        };
        self.content.bytes().map(written).sum::<usize>() + self.attachment.len() + self.mentions.bytes()
    }
}

/// Which part of a log is wanted. Bounds are excluded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stretch {
    /// Oldest first from here, from the beginning if it is 0. None: the newest that lie before `before`.
    pub after: Option<u64>,
    /// 0: no bound.
    pub before: u64,
    /// At least 1.
    pub limit: u32,
    /// The page ends with the message that reaches this many bytes of bodies; see [`Message::body_bytes`].
    pub bytes_max: usize,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogPage {
    /// Ascending.
    pub messages: Vec<Message>,
    /// The reader may see more in the direction of the stretch.
    pub more: bool,
    /// Last id that the reader may see.
    pub head: u64,
    /// What the page covers: all that is shown to the reader behind `after` up to `through`.
    pub after: u64,
    pub through: u64,
    /// Of a page that goes forward: messages up to `after` that entries of the page changed, ascending.
    pub changed: Vec<Message>,
    /// What messages of the page answer, where it is not in the page and the reader may see it.
    pub references: Vec<Reference>,
    /// Of a page that goes forward: members whose own names in the group entries of the page changed, as they are now, in order of the users' ids.
    pub nicknames: Vec<GroupNickname>,
    /// How many entries of the log were looked at.
    pub looked_at: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MarkKind {
    Read,
    Delivered,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mark {
    pub user: UserId,
    pub conversation: ConversationId,
    pub kind: MarkKind,
    pub server_msg_id: u64,
    /// By which of their devices.
    pub device_id: Arc<str>,
    /// Of the user's login.
    pub login_version: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Marked {
    pub read_mark: u64,
    pub delivered_mark: u64,
    pub unread: u64,
    /// A mark went forward.
    pub moved: bool,
    /// The change in the user's mailbox; 0 if it did not touch it.
    pub mailbox_seq: u64,
    /// The other party of a one-to-one conversation and the change in their mailbox; none if nothing moved.
    pub peer: Option<(UserId, u64)>,
    /// The read and the delivered mark as the other party is shown them.
    pub shown: (u64, u64),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct User {
    pub user: UserId,
    pub account: Arc<str>,
    pub nickname: Arc<str>,
    pub avatar: Arc<str>,
    pub disabled: bool,
}

impl User {
    /// Without what cannot be read.
    pub(crate) fn unreadable(user: UserId) -> Self {
        Self { user, account: "".into(), nickname: "".into(), avatar: "".into(), disabled: false }
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewUser {
    pub user: UserId,
    pub account: Arc<str>,
    pub nickname: Arc<str>,
    pub password: Option<PasswordHash>,
}

/// What is kept of a password.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash {
    /// Argon2id in the PHC string format.
    pub argon2: String,
    /// SCRAM-SHA-256 in the form of RFC 5803: it cannot be derived from the other later.
    pub scram: String,
}

/// Never shows what it holds, so that no log does.
impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

/// As in `anser.v1.Group.Role`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Role {
    Member = 1,
    Admin = 2,
    Owner = 3,
}

/// A role that the owner gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rank {
    Member,
    Admin,
}

impl Rank {
    pub(crate) fn role(self) -> Role {
        match self {
            Self::Member => Role::Member,
            Self::Admin => Role::Admin,
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Group {
    pub group: GroupId,
    pub name: Arc<str>,
    pub avatar: Arc<str>,
    pub owner: UserId,
    pub member_count: u32,
    pub created_ms: u64,
    /// Goes up with every change of the members, of what they may do, and of whether they may speak.
    pub members_version: u64,
    /// None where it is not told.
    pub announcement: Option<Arc<str>>,
    /// Place of the notice that it is another one; 0: there was none.
    pub announced: u64,
    /// The owner and admins alone write.
    pub mute_all: bool,
    pub join_mode: JoinMode,
    /// Plain members too may mention all.
    pub members_mention_all: bool,
    /// What newcomers see.
    pub history: History,
    /// Of who is told: until then they may not speak.
    pub muted_until_ms: u64,
    /// Place of its last notice; 0: it was not dissolved.
    pub dissolved_at: u64,
}

/// Who lets others in. As in `anser.v1.Group.Join`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum JoinMode {
    /// Every member.
    #[default]
    Free = 0,
    /// Members propose, and whoever comes by a link asks: the owner and admins let them in.
    Approval = 1,
    /// The owner and admins.
    Closed = 2,
}

/// Somebody may speak in a group now.
pub(crate) fn check_mute(role: Role, muted_until_ms: u64, mute_all: bool, now_ms: u64) -> Result<(), Refusal> {
    match muted_until_ms.saturating_sub(now_ms) {
        0 if !mute_all || role > Role::Member => Ok(()),
        for_ms => Err(Refusal::Muted { for_ms }),
    }
}

impl Group {
    /// Without what cannot be read.
    pub(crate) fn unreadable(group: GroupId) -> Self {
        Self {
            group,
            name: "".into(),
            avatar: "".into(),
            owner: UserId(0),
            member_count: 0,
            created_ms: 0,
            members_version: 0,
            announcement: None,
            announced: 0,
            mute_all: false,
            join_mode: JoinMode::Free,
            members_mention_all: false,
            history: History::None,
            muted_until_ms: 0,
            dissolved_at: 0,
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    pub user: User,
    pub role: Role,
    /// The id of the notice of their coming.
    pub joined: u64,
    /// Until then they may not speak.
    pub muted_until_ms: u64,
    /// Of their own, in this group.
    pub nickname: GroupNickname,
}

/// Who is in a group.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MemberIds {
    /// Of the list.
    pub version: u64,
    /// The members, each with the id from which on they may see the log.
    pub members: Arc<[(UserId, u64)]>,
    pub silence: Arc<Silence>,
}

/// Who of a group's members may not speak.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Silence {
    pub dissolved: bool,
    pub mute_all: bool,
    /// The owner and admins.
    pub above: Vec<UserId>,
    /// Until when.
    pub muted: Vec<(UserId, u64)>,
}

impl Silence {
    pub(crate) fn add(&mut self, user: UserId, role: Role, muted_until_ms: u64) {
        if role > Role::Member {
            self.above.push(user);
        }
        if muted_until_ms > 0 {
            self.muted.push((user, muted_until_ms));
        }
    }

    /// A member may not speak now.
    pub fn check(&self, member: UserId, now_ms: u64) -> Result<(), Refusal> {
        if self.dissolved {
            return Err(Refusal::NotMember);
        }
        let muted_until_ms = self.muted.iter().find(|(user, _)| *user == member).map_or(0, |(_, until)| *until);
        let role = if self.above.contains(&member) { Role::Admin } else { Role::Member };
        check_mute(role, muted_until_ms, self.mute_all, now_ms)
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewGroup {
    pub group: GroupId,
    pub creator: Sender,
    /// Unique among the groups that the creator made.
    pub client_group_id: Arc<str>,
    pub name: Arc<str>,
    pub avatar: Arc<str>,
    /// Beside the creator.
    pub members: Vec<UserId>,
    /// Of the creator's login.
    pub login_version: u64,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MembersChange {
    pub group: GroupId,
    pub operator: Sender,
    pub action: MembersAction,
    /// Of the operator's login.
    pub login_version: u64,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MembersAction {
    Invite(Vec<UserId>),
    Remove(Vec<UserId>),
    /// They may not come back, whether they are members or not.
    Ban(Vec<UserId>),
    Unban(Vec<UserId>),
    /// Lets those in who wait for it.
    Approve(Vec<UserId>),
    Reject(Vec<UserId>),
    Leave,
    SetRole(Vec<UserId>, Rank),
    Transfer(UserId),
    /// Until when they may not speak; what is past: they may.
    Mute(Vec<UserId>, u64),
    Dissolve,
}

/// What stays `None` is not changed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct GroupChange {
    pub name: Option<Arc<str>>,
    pub avatar: Option<Arc<str>>,
    pub announcement: Option<Arc<str>>,
    pub mute_all: Option<bool>,
    pub join_mode: Option<JoinMode>,
    pub members_mention_all: Option<bool>,
    pub history: Option<History>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GroupUpdate {
    pub group: GroupId,
    pub operator: Sender,
    pub change: GroupChange,
    /// Of the operator's login.
    pub login_version: u64,
}

impl MembersAction {
    /// Those whom it names.
    pub fn users(&self) -> &[UserId] {
        match self {
            Self::Invite(users)
            | Self::Remove(users)
            | Self::Ban(users)
            | Self::Unban(users)
            | Self::Approve(users)
            | Self::Reject(users)
            | Self::SetRole(users, _)
            | Self::Mute(users, _) => users,
            Self::Transfer(user) => std::slice::from_ref(user),
            Self::Leave | Self::Dissolve => &[],
        }
    }
}

/// A group after a change of its members.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MembersChanged {
    pub group: Group,
    /// The operator's role now; none after they left.
    pub role: Option<Role>,
    /// What was appended to the log, in order. Empty if nothing changed.
    pub notices: Vec<Message>,
    /// Whose membership changed, with the change in their mailboxes.
    pub stamped: Vec<(UserId, u64)>,
    /// What the owner and admins are told of who waits to be let in.
    pub changes: Vec<(UserId, Change)>,
}

/// Where a user's mailbox and groups are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Positions {
    pub mailbox_seq: u64,
    /// See [`anser_proto::digest::groups_digest`], over the heads of the groups whose member the user is.
    pub groups_digest: u64,
    /// For a login that begins now.
    pub login_version: u64,
    /// The user is shown as offline.
    pub invisible: bool,
}

/// What changed in a mailbox.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Changes {
    /// In order of their stamps.
    pub sessions: Vec<Session>,
    /// What changes seldom, in order of the stamps, as it is now.
    pub things: Vec<Change>,
    /// The user themselves, if their profile changed.
    pub profile: Option<Profile>,
    /// What to ask from next.
    pub mailbox_seq: u64,
    /// There is nothing behind it.
    pub caught_up: bool,
    /// Things that went since are forgotten: only those of all changes, from 0 on, are known to be all.
    pub forgotten: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page<T> {
    pub rows: Vec<T>,
    pub more: bool,
}
