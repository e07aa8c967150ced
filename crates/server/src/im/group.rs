//! Groups: making them, and who is in them. Joins and leaves are entries of the group's log.

use std::collections::HashSet;

use anser_proto::{
    ConversationId, GroupId, UserId,
    ids::check_ascii_id,
    limits::{ANNOUNCEMENT_CHARS_MAX, AVATAR_BYTES_MAX, HISTORY_LAST_MAX, INVITE_MAX, NAME_CHARS_MAX},
    v1::{self, server_frame::Body},
};
use anser_store::{
    self as store, Appended, GroupChange, GroupUpdate, History, JoinMode, MembersAction, MembersChange, MembersChanged,
    NewGroup, NicknameChange, Rank, Refusal,
};

use super::{
    Actor, Lane, check_named,
    deliver::{Audience, LogPosition, PUSHED_AT_ONCE, members_to_tell, publish},
    message,
    name::{check_length, check_name},
    page_limit, people, session, stored,
    user::check_avatar,
    wire,
};
use crate::{
    cluster::{envelope::MembersVersion, relay::Told},
    ctx::Ctx,
    error::Error,
    event::Event,
    outbox::Wave,
};

pub async fn create(cx: &Ctx, actor: &Actor, create: v1::CreateGroup) -> Result<v1::Group, Error> {
    check_ascii_id("client_group_id", &create.client_group_id)?;
    check_name("name", &create.name, 1..=NAME_CHARS_MAX)?;
    check_avatar(&create.avatar, AVATAR_BYTES_MAX)?;
    let mut new = NewGroup {
        group: GroupId(cx.ids.create()),
        creator: actor.sender(),
        client_group_id: create.client_group_id.into(),
        name: create.name.into(),
        avatar: create.avatar.into(),
        members: user_ids(&create.user_ids)?,
        login_version: actor.login_version(),
    };
    let changed = loop {
        match cx.store.create_group(new.clone()).await {
            // Another node makes ids by the same number.
            Err(store::Error::Refused(Refusal::Conflict("group_id"))) => new.group = GroupId(cx.ids.create()),
            created => break created?,
        }
    };
    tell(cx, &changed, &[]).await;
    Ok(wire::group(&changed.group, changed.role))
}

pub async fn get(cx: &Ctx, actor: &Actor, get: v1::GetGroup) -> Result<v1::Group, Error> {
    let (group, role) = cx.store.group(actor.user, wire::group_id(get.group_id)?).await?;
    Ok(wire::group(&group, Some(role)))
}

pub async fn list_members(
    cx: &Ctx,
    actor: &Actor,
    lane: &mut Lane,
    list: v1::ListMembers,
) -> Result<v1::Members, Error> {
    let limit = lane.entries(page_limit(list.limit)?);
    let group = wire::group_id(list.group_id)?;
    let page = cx.store.members(actor.user, group, UserId(wire::position(list.after)), limit).await?;
    Ok(v1::Members { members: page.rows.iter().map(wire::member).collect(), more: page.more })
}

pub async fn invite(cx: &Ctx, actor: &Actor, invite: v1::InviteMembers) -> Result<v1::Group, Error> {
    let action = MembersAction::Invite(user_ids(&invite.user_ids)?);
    let changed = change(cx, actor, invite.group_id, action).await?;
    Ok(wire::group(&changed.group, changed.role))
}

pub async fn remove(cx: &Ctx, actor: &Actor, remove: v1::RemoveMembers) -> Result<v1::Group, Error> {
    let users = user_ids(&remove.user_ids)?;
    let action = if remove.ban { MembersAction::Ban(users) } else { MembersAction::Remove(users) };
    let changed = change(cx, actor, remove.group_id, action).await?;
    Ok(wire::group(&changed.group, changed.role))
}

pub async fn leave(cx: &Ctx, actor: &Actor, leave: v1::LeaveGroup) -> Result<(), Error> {
    change(cx, actor, leave.group_id, MembersAction::Leave).await?;
    Ok(())
}

pub async fn set_role(cx: &Ctx, actor: &Actor, set: v1::SetRole) -> Result<v1::Group, Error> {
    let rank = match set.role() {
        v1::group::Role::Member => Rank::Member,
        v1::group::Role::Admin => Rank::Admin,
        _ => {
            return Err(Error::bad_field(
                "role is neither ADMIN nor MEMBER: a group gets an owner by `transfer_group`",
            ));
        }
    };
    let action = MembersAction::SetRole(user_ids(&set.user_ids)?, rank);
    let changed = change(cx, actor, set.group_id, action).await?;
    Ok(wire::group(&changed.group, changed.role))
}

pub async fn transfer(cx: &Ctx, actor: &Actor, transfer: v1::TransferGroup) -> Result<v1::Group, Error> {
    let action = MembersAction::Transfer(wire::user_id(transfer.user_id)?);
    let changed = change(cx, actor, transfer.group_id, action).await?;
    Ok(wire::group(&changed.group, changed.role))
}

pub async fn mute(cx: &Ctx, actor: &Actor, mute: v1::MuteMembers) -> Result<v1::Group, Error> {
    let action = MembersAction::Mute(user_ids(&mute.user_ids)?, wire::position(mute.until_ms));
    let changed = change(cx, actor, mute.group_id, action).await?;
    Ok(wire::group(&changed.group, changed.role))
}

pub async fn dissolve(cx: &Ctx, actor: &Actor, dissolve: v1::DissolveGroup) -> Result<(), Error> {
    change(cx, actor, dissolve.group_id, MembersAction::Dissolve).await?;
    Ok(())
}

pub async fn update(cx: &Ctx, actor: &Actor, update: v1::UpdateGroup) -> Result<v1::Group, Error> {
    let group = wire::group_id(update.group_id)?;
    if let Some(name) = &update.name {
        check_name("name", name, 1..=NAME_CHARS_MAX)?;
    }
    if let Some(avatar) = &update.avatar {
        check_avatar(avatar, AVATAR_BYTES_MAX)?;
    }
    if let Some(announcement) = &update.announcement {
        check_length("announcement", announcement, ANNOUNCEMENT_CHARS_MAX)?;
    }
    let change = GroupChange {
        name: update.name.map(Into::into),
        avatar: update.avatar.map(Into::into),
        announcement: update.announcement.map(Into::into),
        mute_all: update.mute_all,
        join_mode: update.join.map(join_mode).transpose()?,
        members_mention_all: update.members_mention_all,
        history: update.history.map(history).transpose()?,
    };
    let update = GroupUpdate { group, operator: actor.sender(), change, login_version: actor.login_version() };
    let changed = cx.store.update_group(update).await?;
    tell(cx, &changed, &[]).await;
    Ok(wire::group(&changed.group, changed.role))
}

/// Told as a silent entry is: who is at the place before it moves on, and whoever is further behind finds it in a page.
pub async fn set_nickname(cx: &Ctx, actor: &Actor, set: v1::SetGroupNickname) -> Result<v1::Sent, Error> {
    check_name("nickname", &set.nickname, 0..=NAME_CHARS_MAX)?;
    let (group, nickname) = (wire::group_id(set.group_id)?, set.nickname);
    let change = NicknameChange {
        group,
        member: actor.sender(),
        client_msg_id: set.client_msg_id.parse()?,
        nickname: nickname.as_str().into(),
        client_time_ms: wire::position(set.client_time_ms),
        login_version: actor.login_version(),
    };
    let appended = cx.store.set_nickname(change).await?;
    if !appended.duplicate {
        tell_nickname(cx, group, actor.user, nickname, &appended).await;
    }
    Ok(message::sent(&appended))
}

async fn tell_nickname(cx: &Ctx, group: GroupId, user: UserId, nickname: String, entry: &Appended) {
    let (conversation, members_version) = (ConversationId::Group(group), entry.members_version);
    let wave = &mut Wave::default();
    let Some(members) = members_to_tell(cx, wave, group, members_version).await else { return };
    let server_msg_id = entry.server_msg_id;
    let event = Event::new(Body::MessagesChanged(v1::MessagesChanged {
        conversation_id: conversation.to_string(),
        after: server_msg_id - 1,
        through: server_msg_id,
        nicknames: vec![v1::GroupNickname { user_id: user.0, nickname, changed: server_msg_id }],
        ..v1::MessagesChanged::default()
    }));
    let position = LogPosition { group, members_version, server_msg_id, behind: 0 };
    publish(cx, wave, Audience::Members(position, &members), &event, None).await;
}

fn join_mode(join: i32) -> Result<JoinMode, Error> {
    match v1::group::Join::try_from(join) {
        Ok(v1::group::Join::Free) => Ok(JoinMode::Free),
        Ok(v1::group::Join::Approval) => Ok(JoinMode::Approval),
        Ok(v1::group::Join::Closed) => Ok(JoinMode::Closed),
        Err(_) => Err(Error::bad_field(format!("join is {join}: choose FREE, APPROVAL or CLOSED"))),
    }
}

fn history(asked: v1::History) -> Result<History, Error> {
    match (v1::history::Kind::try_from(asked.kind), asked.last) {
        (Ok(v1::history::Kind::None), _) => Ok(History::None),
        (Ok(v1::history::Kind::All), _) => Ok(History::All),
        (Ok(v1::history::Kind::Last), 1..=HISTORY_LAST_MAX) => Ok(History::Last(asked.last)),
        (Ok(v1::history::Kind::Last), last) => {
            Err(Error::bad_field(format!("history.last is {last}: it is 1 to {HISTORY_LAST_MAX}")))
        }
        (Err(_), _) => Err(Error::bad_field(format!("history.kind is {}: it is one of NONE, LAST, ALL", asked.kind))),
    }
}

pub async fn change(cx: &Ctx, actor: &Actor, group_id: u64, action: MembersAction) -> Result<MembersChanged, Error> {
    let login_version = actor.login_version();
    let group = wire::group_id(group_id)?;
    let older = cx.members.known(group, 0);
    let change = MembersChange { group, operator: actor.sender(), action, login_version };
    let changed = cx.store.change_members(change).await?;
    tell(cx, &changed, older.as_deref().unwrap_or_default()).await;
    Ok(changed)
}

/// Tells a group of a change of its members, and those whom it concerns of their own session. `older`: who was there before, as far
/// as that was remembered.
pub async fn tell(cx: &Ctx, changed: &MembersChanged, older: &[(UserId, u64)]) {
    for (user, change) in &changed.changes {
        people::tell(cx, *user, std::slice::from_ref(change), None).await;
    }
    let (group, members_version) = (changed.group.group, changed.group.members_version);
    let conversation = ConversationId::Group(group);
    cx.peers.tell(Told::Members(MembersVersion { group, version: members_version }));
    let wave = &mut Wave::default();
    let Some(members) = members_to_tell(cx, wave, group, members_version).await else { return };
    let present: HashSet<UserId> = members.iter().map(|(member, _)| *member).collect();
    let mut told = Vec::new();
    for notice in &changed.notices {
        let message = wire::message(notice);
        let named = message.notice.as_ref().map_or(Vec::new(), |notice| notice.user_ids.clone());
        let event = stored::event(message, 0);
        let position = LogPosition { group, members_version, server_msg_id: notice.server_msg_id, behind: 0 };
        publish(cx, wave, Audience::Members(position, &members), &event, None).await;
        // Who went sees that they did, and nothing behind it.
        for left in named.iter().copied().map(UserId).filter(|user| !present.contains(user)) {
            publish(cx, wave, Audience::Users(&[left]), &event, None).await;
        }
        told.extend(named);
    }
    wave.wake();
    if let [first, .., last] | [first @ last] = &changed.notices[..] {
        let ids = first.server_msg_id..=last.server_msg_id;
        stored::tell_gone(cx, group, ids, older, &members, &told).await;
    }
    for some in changed.stamped.chunks(PUSHED_AT_ONCE) {
        for (user, _) in some {
            session::changed(cx, *user, None, conversation).await;
        }
        tokio::task::yield_now().await;
    }
}

pub fn user_ids(ids: &[u64]) -> Result<Vec<UserId>, Error> {
    check_named("users", ids.len(), INVITE_MAX)?;
    ids.iter().map(|id| wire::user_id(*id)).collect()
}
