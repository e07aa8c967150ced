//! The conversation list, and who is typing in it.

use std::sync::Arc;

use anser_proto::{ConversationId, v1};
use tokio::time::Instant;

use super::{Caller, deliver, page_limit, wire};
use crate::{ctx::Ctx, error::Error};

pub async fn list(cx: &Ctx, who: &mut Caller, list: v1::ListSessions) -> Result<v1::Sessions, Error> {
    let after = if list.after.is_empty() { None } else { Some(list.after.parse::<ConversationId>()?) };
    let limit = who.entries(page_limit(list.limit)?);
    let page = cx.store.sessions(who.user, after, limit).await?;
    Ok(v1::Sessions { sessions: page.rows.iter().map(wire::session).collect(), more: page.more })
}

pub fn typing(cx: &Arc<Ctx>, caller: &mut Caller, typing: &v1::Typing, now: Instant) -> Result<(), Error> {
    let conversation = wire::conversation_of(&typing.conversation_id, caller.user)?;
    if caller.may_tell_typing(conversation, now) {
        deliver::typing(cx, caller.user, caller.conn, conversation);
    }
    Ok(())
}
