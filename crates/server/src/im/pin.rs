//! What is pinned in a conversation, and who reacted to a message there.

use anser_proto::{UserId, v1};
use tokio::time::Instant;

use super::{Actor, Lane, page_limit, wire};
use crate::{ctx::Ctx, error::Error};

pub async fn list(
    cx: &Ctx,
    actor: &Actor,
    lane: &mut Lane,
    list: v1::ListPins,
    now: Instant,
) -> Result<v1::Pins, Error> {
    let conversation = wire::conversation_of(&list.conversation_id, actor.user)?;
    let limit = page_limit(list.limit)?;
    let bytes_max = lane.page_bytes(cx, limit, now);
    let page = cx.store.pins(actor.user, conversation, wire::position(list.before), limit, bytes_max).await?;
    lane.take_page(cx, page.rows.iter().map(|pin| pin.message.body_bytes()).sum(), now)?;
    let (pins, more) = (page.rows.iter().map(wire::pin).collect(), page.more);
    Ok(v1::Pins { conversation_id: list.conversation_id, pins, more })
}

pub async fn list_reactions(
    cx: &Ctx,
    actor: &Actor,
    lane: &mut Lane,
    list: v1::ListReactions,
) -> Result<v1::Reactions, Error> {
    let conversation = wire::conversation_of(&list.conversation_id, actor.user)?;
    let limit = lane.entries(page_limit(list.limit)?);
    let (place, after) = (wire::position(list.server_msg_id), UserId(wire::position(list.after)));
    let page = cx.store.reactions(actor.user, conversation, place, after, limit).await?;
    Ok(v1::Reactions { users: page.rows.iter().map(wire::reactions_of_user).collect(), more: page.more })
}
