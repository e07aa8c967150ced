//! The conversation list, and who is typing in it.

use std::sync::Arc;

use anser_proto::{ConversationId, v1};
use tokio::time::Instant;

use super::{Actor, Lane, deliver, page_limit, wire};
use crate::{ctx::Ctx, error::Error};

pub async fn list(cx: &Ctx, actor: &Actor, lane: &mut Lane, list: v1::ListSessions) -> Result<v1::Sessions, Error> {
    let after = if list.after.is_empty() { None } else { Some(list.after.parse::<ConversationId>()?) };
    let limit = lane.entries(page_limit(list.limit)?);
    let page = cx.store.sessions(actor.user, after, limit).await?;
    Ok(v1::Sessions { sessions: page.rows.iter().map(wire::session).collect(), more: page.more })
}

pub fn typing(cx: &Arc<Ctx>, actor: &Actor, lane: &mut Lane, typing: &v1::Typing, now: Instant) -> Result<(), Error> {
    let conversation = wire::conversation_of(&typing.conversation_id, actor.user)?;
    if lane.may_tell_typing(conversation, now) {
        deliver::typing(cx, actor.user, lane.conn, conversation);
    }
    Ok(())
}
