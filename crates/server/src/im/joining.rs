//! Who comes into a group, and who may not.

use anser_proto::{UserId, v1};
use anser_store::MembersAction;

use super::{Actor, Lane, group, page_limit, wire};
use crate::{ctx::Ctx, error::Error};

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
