//! Between the wire's structures and the SDK's types: the one place where a field of the one becomes one of the other.

use anser_proto::{GroupId, UserId, v1};

use super::{
    Ban, Bans, Blocked, Contact, ContactState, Device, Group, GroupChange, GroupNickname, GroupPreview, HistoryShown,
    Join, JoinRequest, JoinRequests, Kind, Link, Member, Members, Message, MessageState, Notice, NoticeKind, Platform,
    Presence, PresenceState, Preview, Privacy, Reaction, Readers, Refusal, Role, Session, Signal, User, Waiting, Who,
};

#[doc(hidden)]
impl From<v1::Error> for Refusal {
    fn from(error: v1::Error) -> Self {
        let v1::Error { code, message, retry_after_ms } = error;
        Self { code, message, retry_after_ms }
    }
}

#[doc(hidden)]
impl From<Refusal> for v1::Error {
    fn from(refusal: Refusal) -> Self {
        let Refusal { code, message, retry_after_ms } = refusal;
        Self { code, message, retry_after_ms }
    }
}

impl Message {
    /// None if it is in no conversation.
    #[doc(hidden)]
    pub fn from_wire(message: v1::Message) -> Option<Self> {
        let (from_platform, kind) = (message.from_platform().into(), message.r#type().into());
        let state = message.state().into();
        let some = |id: u64| (id > 0).then_some(id);
        Some(Self {
            conversation_id: message.conversation_id.parse().ok()?,
            server_msg_id: message.server_msg_id,
            client_msg_id: message.client_msg_id,
            from_id: UserId(message.from_id),
            from_nickname: message.from_nickname,
            from_platform,
            from_device_id: message.from_device_id,
            kind,
            content: message.content,
            attachment: message.attachment,
            notice: message.notice.map(Notice::from),
            client_time_ms: message.client_time_ms,
            server_time_ms: message.server_time_ms,
            count: message.count,
            uncounted: message.settings.is_some_and(|settings| settings.uncounted),
            changed: message.changed,
            state,
            recalled_by: some(message.recalled_by).map(UserId),
            edited_ms: message.edited_ms,
            edits: message.edits,
            reply_to: some(message.reply_to),
            reactions: message.reactions.into_iter().map(Reaction::from).collect(),
            pinned: message.pinned,
            mentions: message.mentions.into(),
        })
    }
}

impl Session {
    /// None if it is about no conversation.
    #[doc(hidden)]
    pub fn from_wire(session: v1::Session) -> Option<Self> {
        let last = session.last.as_ref().map_or(0, |last| last.server_msg_id);
        Some(Self {
            conversation_id: session.conversation_id.parse().ok()?,
            head: session.head,
            unread: session.unread,
            mentions: session.mentions,
            mentioned_at: session.mentioned_at,
            read_mark: session.read_mark,
            delivered_mark: session.delivered_mark,
            peer_read_mark: session.peer_read_mark,
            peer_delivered_mark: session.peer_delivered_mark,
            first: session.first,
            last: session.last.map(Preview::from),
            peer: session.peer.map(User::from),
            group: session.group.map(Group::from),
            pinned: session.pinned,
            quiet_until_ms: session.quiet_until_ms,
            marked_unread: session.marked_unread,
            removed: session.removed_at > 0 && last <= session.removed_at,
        })
    }
}

#[doc(hidden)]
impl From<v1::ReadersOf> for Readers {
    fn from(wire: v1::ReadersOf) -> Self {
        let v1::ReadersOf { server_msg_id, read, unread } = wire;
        let users = |ids: Vec<u64>| ids.into_iter().map(UserId).collect();
        Self { server_msg_id, read: users(read), unread: users(unread) }
    }
}

#[doc(hidden)]
impl From<v1::Notice> for Notice {
    fn from(notice: v1::Notice) -> Self {
        let kind = notice.kind().into();
        let v1::Notice { operator_id, user_ids, change, muted_until_ms, server_msg_id, .. } = notice;
        let (operator_id, user_ids) = (UserId(operator_id), user_ids.into_iter().map(UserId).collect());
        Self { kind, operator_id, user_ids, change: change.map(GroupChange::from), muted_until_ms, server_msg_id }
    }
}

#[doc(hidden)]
impl From<v1::GroupChange> for GroupChange {
    fn from(change: v1::GroupChange) -> Self {
        let join = change.join.map(|_| change.join().into());
        let v1::GroupChange { name, avatar, announcement, mute_all, members_mention_all, history, .. } = change;
        let history = history.map(HistoryShown::from);
        Self { name, avatar, announcement, mute_all, join, members_mention_all, history }
    }
}

#[doc(hidden)]
impl From<v1::Preview> for Preview {
    fn from(preview: v1::Preview) -> Self {
        let (kind, state) = (preview.r#type().into(), preview.state().into());
        let v1::Preview { server_msg_id, from_id, from_nickname, content, server_time_ms, .. } = preview;
        Self { server_msg_id, from_id: UserId(from_id), from_nickname, kind, content, server_time_ms, state }
    }
}

#[doc(hidden)]
impl From<v1::message::State> for MessageState {
    fn from(wire: v1::message::State) -> Self {
        match wire {
            v1::message::State::Present => Self::Present,
            v1::message::State::Recalled => Self::Recalled,
        }
    }
}

#[doc(hidden)]
impl From<v1::Reaction> for Reaction {
    fn from(reaction: v1::Reaction) -> Self {
        let v1::Reaction { emoji, count, user_ids, mine } = reaction;
        Self { emoji, count, user_ids: user_ids.into_iter().map(UserId).collect(), mine }
    }
}

#[doc(hidden)]
impl From<v1::User> for User {
    fn from(user: v1::User) -> Self {
        let v1::User { user_id, account, nickname, avatar, signature, custom, profile_version } = user;
        Self { user_id: UserId(user_id), account, nickname, avatar, signature, custom, profile_version }
    }
}

impl Contact {
    /// None if it is none, or of a state that is newer than this client.
    pub(crate) fn from_wire(contact: v1::Contact) -> Option<Self> {
        let state = match contact.state() {
            v1::contact::State::None => return None,
            v1::contact::State::Contact => ContactState::Contact,
            v1::contact::State::Asked => ContactState::Asked,
            v1::contact::State::Asking => ContactState::Asking,
        };
        let v1::Contact { user, remark, text, since_ms, .. } = contact;
        Some(Self { user: user.unwrap_or_default().into(), state, remark, text, since_ms })
    }
}

#[doc(hidden)]
impl From<v1::Privacy> for Privacy {
    fn from(privacy: v1::Privacy) -> Self {
        let (invites, last_seen) = (privacy.invites().into(), privacy.last_seen().into());
        let v1::Privacy { hides_reads, invisible, .. } = privacy;
        Self { invites, hides_reads, last_seen, invisible }
    }
}

#[doc(hidden)]
impl From<v1::privacy::Who> for Who {
    fn from(wire: v1::privacy::Who) -> Self {
        match wire {
            v1::privacy::Who::Everybody | v1::privacy::Who::Unchanged => Self::Everybody,
            v1::privacy::Who::Contacts => Self::Contacts,
            v1::privacy::Who::Nobody => Self::Nobody,
        }
    }
}

#[doc(hidden)]
impl From<Who> for v1::privacy::Who {
    fn from(own: Who) -> Self {
        match own {
            Who::Everybody => Self::Everybody,
            Who::Contacts => Self::Contacts,
            Who::Nobody => Self::Nobody,
        }
    }
}

#[doc(hidden)]
impl From<v1::Blocked> for Blocked {
    fn from(blocked: v1::Blocked) -> Self {
        Self { user: blocked.user.unwrap_or_default().into(), since_ms: blocked.since_ms }
    }
}

#[doc(hidden)]
impl From<v1::Presence> for Presence {
    fn from(presence: v1::Presence) -> Self {
        let state = match presence.state() {
            v1::presence::State::Active => PresenceState::Active,
            v1::presence::State::Away => PresenceState::Away,
            v1::presence::State::Offline => PresenceState::Offline,
        };
        Self { user_id: UserId(presence.user_id), state, last_seen_ms: presence.last_seen_ms }
    }
}

impl Signal {
    /// None: of a conversation that this client does not know how to name.
    pub(crate) fn from_wire(signal: v1::SignalEvent) -> Option<Self> {
        let conversation = signal.conversation_id.parse().ok()?;
        let v1::SignalEvent { user_id, device_id, r#type: kind, data, .. } = signal;
        Some(Self { conversation, user: UserId(user_id), device_id, kind, data })
    }
}

#[doc(hidden)]
impl From<v1::KnownDevice> for Device {
    fn from(known: v1::KnownDevice) -> Self {
        let v1::KnownDevice { device, last_seen_ms, connected, current } = known;
        let device = device.unwrap_or_default();
        let platform = device.platform().into();
        Self { device_id: device.device_id, platform, name: device.name, last_seen_ms, connected, current }
    }
}

#[doc(hidden)]
impl From<v1::Group> for Group {
    fn from(group: v1::Group) -> Self {
        Self {
            group_id: GroupId(group.group_id),
            owner_id: UserId(group.owner_id),
            member_count: group.member_count,
            created_ms: group.created_ms,
            role: group.role().into(),
            announced: group.announced,
            mute_all: group.mute_all,
            join: group.join().into(),
            members_mention_all: group.members_mention_all,
            history: group.history.map(HistoryShown::from).unwrap_or_default(),
            muted_until_ms: group.muted_until_ms,
            dissolved_at: group.dissolved_at,
            name: group.name,
            avatar: group.avatar,
            announcement: group.announcement,
        }
    }
}

#[doc(hidden)]
impl From<v1::History> for HistoryShown {
    fn from(history: v1::History) -> Self {
        match history.kind() {
            v1::history::Kind::None => Self::None,
            v1::history::Kind::Last => Self::Last(history.last),
            v1::history::Kind::All => Self::All,
        }
    }
}

#[doc(hidden)]
impl From<HistoryShown> for v1::History {
    fn from(shown: HistoryShown) -> Self {
        let (kind, last) = match shown {
            HistoryShown::None => (v1::history::Kind::None, 0),
            HistoryShown::Last(last) => (v1::history::Kind::Last, last),
            HistoryShown::All => (v1::history::Kind::All, 0),
        };
        Self { kind: kind.into(), last }
    }
}

#[doc(hidden)]
impl From<v1::group::Join> for Join {
    fn from(wire: v1::group::Join) -> Self {
        match wire {
            v1::group::Join::Free => Self::Free,
            v1::group::Join::Approval => Self::Approval,
            v1::group::Join::Closed => Self::Closed,
        }
    }
}

#[doc(hidden)]
impl From<Join> for v1::group::Join {
    fn from(join: Join) -> Self {
        match join {
            Join::Free => Self::Free,
            Join::Approval => Self::Approval,
            Join::Closed => Self::Closed,
        }
    }
}

#[doc(hidden)]
impl From<v1::JoinRequests> for JoinRequests {
    fn from(requests: v1::JoinRequests) -> Self {
        let request = |request: v1::JoinRequest| JoinRequest {
            user: request.user.unwrap_or_default().into(),
            proposed_by: (request.proposed_by > 0).then_some(UserId(request.proposed_by)),
            text: request.text,
            since_ms: request.since_ms,
        };
        Self { requests: requests.requests.into_iter().map(request).collect(), more: requests.more }
    }
}

#[doc(hidden)]
impl From<v1::JoinRequestCount> for Waiting {
    fn from(count: v1::JoinRequestCount) -> Self {
        Self { group_id: GroupId(count.group_id), open: count.open }
    }
}

#[doc(hidden)]
impl From<v1::Link> for Link {
    fn from(link: v1::Link) -> Self {
        let v1::Link { link_id, created_by, created_ms, expires_ms, max_uses, uses, approval, token } = link;
        let created_by = UserId(created_by);
        Self { link_id, token, created_by, created_ms, expires_ms, max_uses, uses, approval }
    }
}

#[doc(hidden)]
impl From<v1::GroupPreview> for GroupPreview {
    fn from(preview: v1::GroupPreview) -> Self {
        let v1::GroupPreview { name, avatar, member_count, approval } = preview;
        Self { name, avatar, member_count, approval }
    }
}

#[doc(hidden)]
impl From<v1::GroupNickname> for GroupNickname {
    fn from(wire: v1::GroupNickname) -> Self {
        let v1::GroupNickname { user_id, nickname, changed } = wire;
        Self { user_id: UserId(user_id), nickname, changed }
    }
}

#[doc(hidden)]
impl From<v1::Bans> for Bans {
    fn from(bans: v1::Bans) -> Self {
        let ban = |ban: v1::Ban| Ban {
            user: ban.user.unwrap_or_default().into(),
            banned_by: UserId(ban.banned_by),
            since_ms: ban.since_ms,
        };
        Self { bans: bans.bans.into_iter().map(ban).collect(), more: bans.more }
    }
}

#[doc(hidden)]
impl From<v1::Members> for Members {
    fn from(members: v1::Members) -> Self {
        let member = |member: v1::Member| Member {
            role: member.role().into(),
            joined: member.joined,
            muted_until_ms: member.muted_until_ms,
            nickname: member.nickname,
            nickname_changed: member.nickname_changed,
            user: member.user.unwrap_or_default().into(),
        };
        Self { members: members.members.into_iter().map(member).collect(), more: members.more }
    }
}

#[doc(hidden)]
impl From<v1::message::Type> for Kind {
    fn from(wire: v1::message::Type) -> Self {
        match wire {
            v1::message::Type::Text => Self::Text,
            v1::message::Type::Image => Self::Image,
            v1::message::Type::Audio => Self::Audio,
            v1::message::Type::Video => Self::Video,
            v1::message::Type::File => Self::File,
            v1::message::Type::Location => Self::Location,
            v1::message::Type::Custom => Self::Custom,
            v1::message::Type::Notice => Self::Notice,
            // Entries of these types are never shown.
            v1::message::Type::Recall
            | v1::message::Type::Edit
            | v1::message::Type::Reaction
            | v1::message::Type::Unpin
            | v1::message::Type::Nickname => Self::Unknown,
            v1::message::Type::Unknown => Self::Unknown,
        }
    }
}

#[doc(hidden)]
impl From<Kind> for v1::message::Type {
    fn from(own: Kind) -> Self {
        match own {
            Kind::Text => Self::Text,
            Kind::Image => Self::Image,
            Kind::Audio => Self::Audio,
            Kind::Video => Self::Video,
            Kind::File => Self::File,
            Kind::Location => Self::Location,
            Kind::Custom => Self::Custom,
            Kind::Notice => Self::Notice,
            Kind::Unknown => Self::Unknown,
        }
    }
}

#[doc(hidden)]
impl From<v1::device::Platform> for Platform {
    fn from(wire: v1::device::Platform) -> Self {
        match wire {
            v1::device::Platform::Ios => Self::Ios,
            v1::device::Platform::Android => Self::Android,
            v1::device::Platform::Web => Self::Web,
            v1::device::Platform::Desktop => Self::Desktop,
            v1::device::Platform::Server => Self::Server,
            v1::device::Platform::Unknown => Self::Unknown,
        }
    }
}

#[doc(hidden)]
impl From<Platform> for v1::device::Platform {
    fn from(own: Platform) -> Self {
        match own {
            Platform::Ios => Self::Ios,
            Platform::Android => Self::Android,
            Platform::Web => Self::Web,
            Platform::Desktop => Self::Desktop,
            Platform::Server => Self::Server,
            Platform::Unknown => Self::Unknown,
        }
    }
}

#[doc(hidden)]
impl From<v1::notice::Kind> for NoticeKind {
    fn from(wire: v1::notice::Kind) -> Self {
        match wire {
            v1::notice::Kind::Created => Self::Created,
            v1::notice::Kind::Joined => Self::Joined,
            v1::notice::Kind::Left => Self::Left,
            v1::notice::Kind::Removed => Self::Removed,
            v1::notice::Kind::OwnerChanged => Self::OwnerChanged,
            v1::notice::Kind::Promoted => Self::Promoted,
            v1::notice::Kind::Demoted => Self::Demoted,
            v1::notice::Kind::GroupChanged => Self::GroupChanged,
            v1::notice::Kind::Muted => Self::Muted,
            v1::notice::Kind::Unmuted => Self::Unmuted,
            v1::notice::Kind::Dissolved => Self::Dissolved,
            v1::notice::Kind::Pinned => Self::Pinned,
            v1::notice::Kind::Unknown => Self::Unknown,
        }
    }
}

#[doc(hidden)]
impl From<v1::group::Role> for Role {
    fn from(wire: v1::group::Role) -> Self {
        match wire {
            v1::group::Role::None => Self::None,
            v1::group::Role::Member => Self::Member,
            v1::group::Role::Admin => Self::Admin,
            v1::group::Role::Owner => Self::Owner,
        }
    }
}

#[doc(hidden)]
impl From<NoticeKind> for v1::notice::Kind {
    fn from(own: NoticeKind) -> Self {
        match own {
            NoticeKind::Created => Self::Created,
            NoticeKind::Joined => Self::Joined,
            NoticeKind::Left => Self::Left,
            NoticeKind::Removed => Self::Removed,
            NoticeKind::OwnerChanged => Self::OwnerChanged,
            NoticeKind::Promoted => Self::Promoted,
            NoticeKind::Demoted => Self::Demoted,
            NoticeKind::GroupChanged => Self::GroupChanged,
            NoticeKind::Muted => Self::Muted,
            NoticeKind::Unmuted => Self::Unmuted,
            NoticeKind::Dissolved => Self::Dissolved,
            NoticeKind::Pinned => Self::Pinned,
            NoticeKind::Unknown => Self::Unknown,
        }
    }
}
