//! Records of the store as the wire shows them, and the wire's ids as the store wants them.

use anser_proto::{ConversationId, ErrorCode, GroupId, UserId, limits::MENTIONS_MAX, v1};
use anser_store::{
    Appended, Ban, Block, Change, Contact, Group, GroupNickname, History, JoinRequest, KnownDevice, Link, Member,
    Mentions, Message, MessageType, NewMessage, Now, PIN_NOTICE, Party, Pin, Preview, Privacy, Profile, Reaction,
    ReactionsOfUser, Reference, Revision, Role, Session, User, Who,
};
use prost::Message as _;

use super::check_named;
use crate::error::Error;

/// The conversation that is named. One-to-one, only its parties may name it: nobody else learns whether it is there.
pub fn conversation_of(text: &str, user: UserId) -> Result<ConversationId, Error> {
    let conversation: ConversationId = text.parse()?;
    if matches!(conversation, ConversationId::Single { .. }) && conversation.peer_of(user).is_none() {
        return Err(Error::new(ErrorCode::NotMember, "the user is no party of this conversation"));
    }
    Ok(conversation)
}

/// A group that is named, which may be there or not.
pub fn group_id(number: u64) -> Result<GroupId, Error> {
    Ok(GroupId(id("group_id", number)?))
}

/// A user who is named, who may be there or not.
pub fn user_id(number: u64) -> Result<UserId, Error> {
    Ok(UserId(id("user_id", number)?))
}

fn id(field: &'static str, number: u64) -> Result<u64, Error> {
    match i64::try_from(number) {
        Ok(1..) => Ok(number),
        _ => Err(Error::bad_field(format!("{field} is {number}: ids are 1 to 2^63 - 1"))),
    }
}

/// A position or time, which no store counts beyond a signed integer of 64 bits.
pub fn position(number: u64) -> u64 {
    number.min(i64::MAX as u64)
}

pub fn user(user: &User) -> v1::User {
    v1::User {
        user_id: user.user.0,
        account: user.account.to_string(),
        nickname: user.nickname.to_string(),
        avatar: user.avatar.to_string(),
        ..v1::User::default()
    }
}

pub fn profile(profile: &Profile) -> v1::User {
    v1::User {
        signature: profile.signature.to_string(),
        custom: profile.custom.to_string(),
        profile_version: profile.version,
        ..user(&profile.user)
    }
}

pub fn message(message: &Message) -> v1::Message {
    let kind = kind(message.kind);
    let is_notice = kind == i32::from(v1::message::Type::Notice);
    v1::Message {
        conversation_id: message.conversation.to_string(),
        server_msg_id: message.server_msg_id,
        client_msg_id: message.client_msg_id.to_string(),
        from_id: message.from.user.0,
        from_nickname: message.from.nickname.to_string(),
        from_platform: message.from.platform,
        from_device_id: message.from.device_id.to_string(),
        r#type: kind,
        content: message.content.to_string(),
        attachment: if is_notice { Default::default() } else { message.attachment.clone() },
        notice: if is_notice { v1::Notice::decode(message.attachment.clone()).ok() } else { None },
        client_time_ms: message.client_time_ms,
        server_time_ms: message.server_time_ms,
        count: message.count,
        settings: (!message.counted).then_some(v1::Settings { uncounted: true }),
        changed: message.revision.changed,
        state: state(message.revision.recalled_by.is_some()).into(),
        recalled_by: message.revision.recalled_by.map_or(0, |user| user.0),
        edited_ms: message.revision.edited_ms,
        edits: message.revision.edits,
        reply_to: message.reply_to,
        reactions: message.revision.reactions.0.iter().map(reaction).collect(),
        pinned: message.revision.pinned,
        mentions: mentions(&message.mentions),
    }
}

/// A notice is one whoever wrote it.
fn kind(kind: MessageType) -> i32 {
    if kind == PIN_NOTICE { v1::message::Type::Notice.into() } else { kind }
}

fn mentions(mentions: &Mentions) -> Option<v1::Mentions> {
    let user_ids = mentions.users().iter().map(|user| user.0).collect();
    (!mentions.is_empty()).then_some(v1::Mentions { user_ids, all: mentions.all() })
}

/// Whom a request names.
pub fn mentioned(mentions: Option<v1::Mentions>) -> Result<Mentions, Error> {
    let v1::Mentions { user_ids, all } = mentions.unwrap_or_default();
    check_named("users", user_ids.len(), MENTIONS_MAX)?;
    let users = user_ids.into_iter().filter(|id| i64::try_from(*id).is_ok()).map(UserId);
    Ok(Mentions::new(users.collect(), all))
}

fn state(is_recalled: bool) -> v1::message::State {
    if is_recalled { v1::message::State::Recalled } else { v1::message::State::Present }
}

fn reaction(reaction: &Reaction) -> v1::Reaction {
    v1::Reaction {
        emoji: reaction.emoji.to_string(),
        count: reaction.count,
        user_ids: reaction.users.iter().map(|user| user.0).collect(),
        mine: reaction.mine,
    }
}

pub fn pin(pin: &Pin) -> v1::Pin {
    v1::Pin { message: Some(message(&pin.message)), pinned_by: pin.pinned_by.0 }
}

pub fn reactions_of_user(reactions: &ReactionsOfUser) -> v1::ReactionsOfUser {
    let emojis = reactions.emojis.iter().map(|emoji| (**emoji).to_owned()).collect();
    v1::ReactionsOfUser { user_id: reactions.user.0, emojis }
}

pub fn reference(reference: &Reference) -> v1::Reference {
    v1::Reference {
        server_msg_id: reference.server_msg_id,
        from_id: reference.from.0,
        from_nickname: reference.nickname.to_string(),
        r#type: reference.kind,
        state: state(reference.is_recalled).into(),
        content: reference.content.to_string(),
    }
}

/// A message that was just stored.
pub fn new_message(new: &NewMessage, appended: &Appended) -> v1::Message {
    message(&Message {
        conversation: new.conversation,
        server_msg_id: appended.server_msg_id,
        client_msg_id: new.client_msg_id.clone(),
        from: new.from.clone(),
        kind: new.kind,
        content: new.content.clone(),
        attachment: new.attachment.clone(),
        client_time_ms: new.client_time_ms,
        server_time_ms: appended.server_time_ms,
        count: appended.count,
        counted: new.counted,
        reply_to: new.reply_to,
        mentions: new.mentions.clone(),
        revision: Revision::default(),
    })
}

pub fn session(session: &Session) -> v1::Session {
    let (peer, group) = match &session.party {
        Party::Peer(peer) => (Some(user(peer)), None),
        Party::Group(of, role) => (None, Some(group(of, *role))),
    };
    v1::Session {
        conversation_id: session.conversation.to_string(),
        head: session.head,
        unread: session.unread,
        mentions: session.mentions,
        mentioned_at: session.mentioned_at,
        read_mark: session.read_mark,
        delivered_mark: session.delivered_mark,
        peer_read_mark: session.peer_read_mark,
        peer_delivered_mark: session.peer_delivered_mark,
        first: session.first,
        last: session.last.as_ref().map(preview),
        peer,
        group,
        mailbox_seq: session.mailbox_seq,
        pinned: session.pinned,
        quiet_until_ms: session.quiet_until_ms,
        marked_unread: session.marked_unread,
        removed_at: session.removed_at,
        hidden_top: session.hidden_top,
    }
}

fn preview(preview: &Preview) -> v1::Preview {
    v1::Preview {
        server_msg_id: preview.server_msg_id,
        from_id: preview.from.0,
        from_nickname: preview.nickname.to_string(),
        r#type: kind(preview.kind),
        content: preview.content.to_string(),
        server_time_ms: preview.server_time_ms,
        state: state(preview.is_recalled).into(),
    }
}

/// `role` is that of the user who is told.
pub fn group(group: &Group, role: Option<Role>) -> v1::Group {
    v1::Group {
        group_id: group.group.0,
        name: group.name.to_string(),
        avatar: group.avatar.to_string(),
        owner_id: group.owner.0,
        member_count: group.member_count,
        created_ms: group.created_ms,
        role: role.map_or(0, |role| role as i32),
        announcement: group.announcement.as_deref().unwrap_or_default().to_owned(),
        announced: group.announced,
        mute_all: group.mute_all,
        join: group.join_mode as i32,
        members_mention_all: group.members_mention_all,
        muted_until_ms: group.muted_until_ms,
        dissolved_at: group.dissolved_at,
        history: Some(group.history).filter(|history| *history != History::None).map(Into::into),
    }
}

pub fn member(member: &Member) -> v1::Member {
    let Member { role, joined, muted_until_ms, .. } = *member;
    v1::Member {
        user: Some(user(&member.user)),
        role: role as i32,
        joined,
        muted_until_ms,
        nickname: member.nickname.nickname.to_string(),
        nickname_changed: member.nickname.changed,
    }
}

pub fn group_nickname(nickname: &GroupNickname) -> v1::GroupNickname {
    let GroupNickname { user, nickname, changed } = nickname;
    v1::GroupNickname { user_id: user.0, nickname: nickname.to_string(), changed: *changed }
}

pub fn ban(ban: &Ban) -> v1::Ban {
    v1::Ban { user: Some(user(&ban.user)), banned_by: ban.banned_by.0, since_ms: ban.since_ms }
}

pub fn join_request(request: &JoinRequest) -> v1::JoinRequest {
    v1::JoinRequest {
        user: Some(user(&request.user)),
        proposed_by: request.proposed_by.map_or(0, |user| user.0),
        text: request.text.to_string(),
        since_ms: request.since_ms,
    }
}

/// Its token is not known any more.
pub fn link(link: &Link) -> v1::Link {
    let Link { link_id, created_by, created_ms, expires_ms, max_uses, uses, approval } = *link;
    let (created_by, token) = (created_by.0, String::new());
    v1::Link { link_id, created_by, created_ms, expires_ms, max_uses, uses, approval, token }
}

pub fn contact(contact: &Contact) -> v1::Contact {
    v1::Contact {
        user: Some(user(&contact.user)),
        state: contact.state as i32,
        remark: contact.remark.to_string(),
        text: contact.text.to_string(),
        since_ms: contact.since_ms,
    }
}

pub fn blocked(block: &Block) -> v1::Blocked {
    v1::Blocked { user: Some(user(&block.user)), since_ms: block.since_ms }
}

/// Of a thing that went, whose it was.
pub fn change(change: &Change) -> v1::Change {
    let id_alone = |peer: &UserId| Some(v1::User { user_id: peer.0, ..Default::default() });
    let now = match &change.now {
        Now::Contact(_, Some(now)) => v1::change::Now::Contact(contact(now)),
        Now::Contact(peer, None) => {
            v1::change::Now::Contact(v1::Contact { user: id_alone(peer), ..Default::default() })
        }
        Now::JoinRequests(group, open) => {
            v1::change::Now::JoinRequests(v1::JoinRequestCount { group_id: group.0, open: *open })
        }
        Now::Privacy(now) => v1::change::Now::Privacy(privacy(*now)),
        Now::Hidden(conversation, place) => {
            v1::change::Now::Hidden(v1::Hidden { conversation_id: conversation.to_string(), server_msg_id: *place })
        }
        Now::Devices(now) => v1::change::Now::Devices(devices(now)),
        Now::Block(_, Some(now)) => v1::change::Now::Blocked(blocked(now)),
        Now::Block(peer, None) => v1::change::Now::Blocked(v1::Blocked { user: id_alone(peer), since_ms: 0 }),
    };
    v1::Change { mailbox_seq: change.mailbox_seq, now: Some(now) }
}

pub fn devices(devices: &[KnownDevice]) -> v1::Devices {
    let known = |KnownDevice { device, last_seen_ms }: &KnownDevice| v1::KnownDevice {
        device: Some(v1::Device {
            device_id: (*device.device_id).to_owned(),
            platform: device.platform,
            name: (*device.name).to_owned(),
        }),
        last_seen_ms: *last_seen_ms,
        ..Default::default()
    };
    v1::Devices { devices: devices.iter().map(known).collect() }
}

pub fn privacy(privacy: Privacy) -> v1::Privacy {
    let Privacy { invites, hides_reads, last_seen, invisible } = privacy;
    let told = |who| match who {
        Who::Everybody => v1::privacy::Who::Everybody.into(),
        Who::Contacts => v1::privacy::Who::Contacts.into(),
        Who::Nobody => v1::privacy::Who::Nobody.into(),
    };
    v1::Privacy { invites: told(invites), hides_reads, last_seen: told(last_seen), invisible }
}

/// None: it stays as it is.
pub fn who(field: &'static str, number: i32) -> Result<Option<Who>, Error> {
    match v1::privacy::Who::try_from(number) {
        Ok(v1::privacy::Who::Unchanged) => Ok(None),
        Ok(v1::privacy::Who::Everybody) => Ok(Some(Who::Everybody)),
        Ok(v1::privacy::Who::Contacts) => Ok(Some(Who::Contacts)),
        Ok(v1::privacy::Who::Nobody) => Ok(Some(Who::Nobody)),
        Err(_) => Err(Error::bad_field(format!("{field} is {number}: it is one of EVERYBODY, CONTACTS, NOBODY"))),
    }
}
