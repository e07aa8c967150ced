//! Marks: how far a user has read, how far their devices have everything, and who has read what in a group.

use std::sync::Arc;

use anser_proto::{
    ConversationId, UserId,
    limits::{RECEIPT_MEMBERS_MAX, RECEIPTS_MAX},
    v1::{self, server_frame::Body},
};
use anser_store::{Mark, MarkKind, Marked, Readers};

use super::{
    Actor, Lane, check_named,
    deliver::{Audience, publish},
    session, wire,
};
use crate::{accepted::ConnId, ctx::Ctx, error::Error, event::Event, outbox::Wave};

/// What an answer takes at most to name a user.
const USER_BYTES: usize = 24;

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

pub async fn who_read(cx: &Ctx, actor: &Actor, lane: &mut Lane, who: v1::WhoRead) -> Result<v1::Readers, Error> {
    check_named("messages", who.server_msg_ids.len(), RECEIPTS_MAX)?;
    lane.must_find_room(cx, who.server_msg_ids.len() * RECEIPT_MEMBERS_MAX as usize * USER_BYTES)?;
    let places = who.server_msg_ids.into_iter().map(wire::position).collect();
    let readers = cx.store.who_read(actor.user, wire::group_id(who.group_id)?, places).await?;
    let ids = |users: Vec<UserId>| users.into_iter().map(|user| user.0).collect();
    let of = |Readers { server_msg_id, read, unread }: Readers| {
        let (read, unread) = (ids(read), ids(unread));
        v1::ReadersOf { server_msg_id, read, unread }
    };
    Ok(v1::Readers { messages: readers.into_iter().map(of).collect() })
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
    let (user, login_version, server_msg_id) = (actor.user, actor.login_version(), wire::position(server_msg_id));
    let device_id = Arc::clone(&actor.device_id);
    let mark = Mark { user, conversation, kind, server_msg_id, device_id, login_version };
    let marked = cx.store.mark(mark).await?;
    tell(cx, actor.user, from, conversation, &marked).await;
    Ok(v1::Marked {
        read_mark: marked.read_mark,
        delivered_mark: marked.delivered_mark,
        unread: marked.unread,
        mailbox_seq: marked.mailbox_seq,
    })
}

/// Tells the user's other devices where the marks are now, and the peer of a one-to-one conversation.
async fn tell(cx: &Ctx, user: UserId, from: ConnId, conversation: ConversationId, marked: &Marked) {
    if marked.mailbox_seq != 0 {
        session::changed(cx, user, Some(from), conversation).await;
    }
    tell_peer(cx, user, conversation, marked).await;
}

pub async fn tell_peer(cx: &Ctx, user: UserId, conversation: ConversationId, marked: &Marked) {
    if let Some((peer, mailbox_seq)) = marked.peer.filter(|(peer, _)| *peer != user) {
        let receipt = v1::Receipt {
            conversation_id: conversation.to_string(),
            user_id: user.0,
            read_mark: marked.shown.0,
            delivered_mark: marked.shown.1,
            mailbox_seq,
        };
        publish(cx, &mut Wave::default(), Audience::Users(&[peer]), &Event::new(Body::Receipt(receipt)), None).await;
    }
}
