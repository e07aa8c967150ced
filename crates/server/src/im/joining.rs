//! Who comes into a group, and who may not.

use std::sync::Arc;

use anser_proto::{GroupId, UserId, limits::REQUEST_TEXT_CHARS_MAX, v1};
use anser_store::{self as store, LinkPreview, LinkRevocation, LinkUse, MembersAction, NewLink, Refusal, TokenHash};

use super::{Actor, Lane, group, name::check_length, page_limit, wire};
use crate::{ctx::Ctx, error::Error, link::Token};

pub async fn unban(cx: &Ctx, actor: &Actor, unban: v1::UnbanMembers) -> Result<v1::Group, Error> {
    let action = MembersAction::Unban(group::user_ids(&unban.user_ids)?);
    let changed = group::change(cx, actor, unban.group_id, action).await?;
    Ok(wire::group(&changed.group, changed.role))
}

pub async fn list_bans(cx: &Ctx, actor: &Actor, lane: &mut Lane, list: v1::ListBans) -> Result<v1::Bans, Error> {
    let limit = lane.entries(page_limit(list.limit)?);
    let group = wire::group_id(list.group_id)?;
    let page = cx.store.bans(actor.user, group, UserId(wire::position(list.after)), limit).await?;
    Ok(v1::Bans { bans: page.rows.iter().map(wire::ban).collect(), more: page.more })
}

pub async fn list_requests(
    cx: &Ctx,
    actor: &Actor,
    lane: &mut Lane,
    list: v1::ListJoinRequests,
) -> Result<v1::JoinRequests, Error> {
    let limit = lane.entries(page_limit(list.limit)?);
    let group = wire::group_id(list.group_id)?;
    let page = cx.store.join_requests(actor.user, group, UserId(wire::position(list.after)), limit).await?;
    Ok(v1::JoinRequests { requests: page.rows.iter().map(wire::join_request).collect(), more: page.more })
}

pub async fn answer_requests(cx: &Ctx, actor: &Actor, answer: v1::AnswerJoinRequests) -> Result<v1::Joined, Error> {
    let users = group::user_ids(&answer.user_ids)?;
    let action =
        if answer.accept { MembersAction::Approve(users.clone()) } else { MembersAction::Reject(users.clone()) };
    let changed = group::change(cx, actor, answer.group_id, action).await?;
    let members = cx.members.at_least(cx, GroupId(answer.group_id), changed.group.members_version).await?;
    let is_member = |user: &UserId| members.binary_search_by_key(user, |(member, _)| *member).is_ok();
    let user_ids = users.iter().filter(|user| is_member(user)).map(|user| user.0).collect();
    Ok(v1::Joined { group: Some(wire::group(&changed.group, changed.role)), user_ids })
}

pub async fn create_link(cx: &Ctx, actor: &Actor, create: v1::CreateLink) -> Result<v1::Link, Error> {
    let token = cx.link_token();
    let mut new = NewLink {
        group: wire::group_id(create.group_id)?,
        creator: actor.user,
        link_id: cx.ids.create(),
        token_hash: token.hash(),
        expires_ms: wire::position(create.expires_ms),
        max_uses: create.max_uses,
        approval: create.approval,
        device_id: Arc::clone(&actor.device_id),
        login_version: actor.login_version(),
    };
    let link = loop {
        match cx.store.create_link(new.clone()).await {
            // Another node makes ids by the same number.
            Err(store::Error::Refused(Refusal::Conflict("link_id"))) => new.link_id = cx.ids.create(),
            created => break created?,
        }
    };
    Ok(v1::Link { token: token.text(), ..wire::link(&link) })
}

pub async fn revoke_link(cx: &Ctx, actor: &Actor, revoke: v1::RevokeLink) -> Result<(), Error> {
    let (group, link_id) = (wire::group_id(revoke.group_id)?, wire::position(revoke.link_id));
    let (user, login_version) = (actor.user, actor.login_version());
    Ok(cx
        .store
        .revoke_link(LinkRevocation { group, user, link_id, device_id: Arc::clone(&actor.device_id), login_version })
        .await?)
}

pub async fn list_links(cx: &Ctx, actor: &Actor, list: v1::ListLinks) -> Result<v1::Links, Error> {
    let links = cx.store.links(actor.user, wire::group_id(list.group_id)?).await?;
    Ok(v1::Links { links: links.iter().map(wire::link).collect() })
}

pub async fn preview_link(cx: &Ctx, actor: &Actor, preview: v1::PreviewLink) -> Result<v1::GroupPreview, Error> {
    let LinkPreview { name, avatar, member_count, approval } =
        cx.store.preview_link(actor.user, hash_of(&preview.token)?).await?;
    Ok(v1::GroupPreview { name: name.to_string(), avatar: avatar.to_string(), member_count, approval })
}

pub async fn join(cx: &Ctx, actor: &Actor, join: v1::JoinGroup) -> Result<v1::Joined, Error> {
    check_length("text", &join.text, REQUEST_TEXT_CHARS_MAX)?;
    let (token_hash, user, text) = (hash_of(&join.token)?, actor.sender(), join.text.into());
    let by = LinkUse { token_hash, user, text, login_version: actor.login_version() };
    let changed = cx.store.join_by_link(by).await?;
    group::tell(cx, &changed, &[]).await;
    // Who waits learns nothing of the group.
    let group = changed.role.is_some().then(|| wire::group(&changed.group, changed.role));
    Ok(v1::Joined { group, user_ids: Vec::new() })
}

/// A token that nobody has looks like one that is worth nothing any more.
fn hash_of(token: &str) -> Result<TokenHash, Error> {
    let token = Token::parse(token).ok_or(store::Error::from(Refusal::NotFound("link")))?;
    Ok(token.hash())
}
