//! Marks: how far a user has read, and how far their devices have everything.

use anser_proto::v1;
use anser_store::{Mark, MarkKind};

use super::{Actor, deliver, wire};
use crate::{accepted::ConnId, ctx::Ctx, error::Error};

pub async fn mark_read(cx: &Ctx, actor: &Actor, from: ConnId, mark: v1::MarkRead) -> Result<v1::Marked, Error> {
    move_mark(cx, actor, from, MarkKind::Read, &mark.conversation_id, mark.server_msg_id).await
}

pub async fn mark_delivered(
    cx: &Ctx,
    actor: &Actor,
    from: ConnId,
    mark: v1::MarkDelivered,
) -> Result<v1::Marked, Error> {
    move_mark(cx, actor, from, MarkKind::Delivered, &mark.conversation_id, mark.server_msg_id).await
}

async fn move_mark(
    cx: &Ctx,
    actor: &Actor,
    from: ConnId,
    kind: MarkKind,
    conversation_id: &str,
    server_msg_id: u64,
) -> Result<v1::Marked, Error> {
    let conversation = wire::conversation_of(conversation_id, actor.user)?;
    let (user, login_version, server_msg_id) = (actor.user, actor.login_version, wire::position(server_msg_id));
    let mark = Mark { user, conversation, kind, server_msg_id, login_version };
    let marked = cx.store.mark(mark).await?;
    if marked.moved {
        deliver::marked(cx, actor.user, from, conversation, &marked).await;
    }
    Ok(v1::Marked {
        read_mark: marked.read_mark,
        delivered_mark: marked.delivered_mark,
        unread: marked.unread,
        mailbox_seq: marked.mailbox_seq,
    })
}
