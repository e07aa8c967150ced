//! The conversation list, and what a user puts away of it.

use std::sync::Arc;

use anser_proto::{
    ConversationId, UserId,
    limits::HIDE_MAX,
    v1::{self, server_frame::Body},
};
use anser_store::{Error as StoreError, Flags, Hide, Session, SessionAction, SessionChange, SessionChanged};

use super::{
    Actor, Lane, check_named,
    deliver::{Audience, publish_here},
    page_limit, people, read, wire,
};
use crate::{accepted::ConnId, cluster::relay::Told, ctx::Ctx, error::Error, event::Event, outbox::Wave};

pub async fn list(cx: &Ctx, actor: &Actor, lane: &mut Lane, list: v1::ListSessions) -> Result<v1::Sessions, Error> {
    let after = if list.after.is_empty() { None } else { Some(list.after.parse::<ConversationId>()?) };
    let limit = lane.entries(page_limit(list.limit)?);
    let page = cx.store.sessions(actor.user, after, limit).await?;
    Ok(v1::Sessions { sessions: page.rows.iter().map(wire::session).collect(), more: page.more })
}

/// Tells the user's devices, on whichever node, that an entry of their conversation list is another now.
pub async fn changed(cx: &Ctx, user: UserId, except: Option<ConnId>, conversation: ConversationId) {
    cx.peers.tell(Told::Session { user, conversation });
    changed_here(cx, user, except, conversation).await;
}

pub async fn changed_here(cx: &Ctx, user: UserId, except: Option<ConnId>, conversation: ConversationId) {
    if !cx.hub.has_other(user, except) {
        return;
    }
    let session = cx.store.session(user, conversation).await;
    tell_here(cx, user, except, conversation, &session).await;
}

async fn tell_here(
    cx: &Ctx,
    user: UserId,
    except: Option<ConnId>,
    conversation: ConversationId,
    session: &Result<Session, StoreError>,
) {
    match session {
        Ok(session) => {
            let changed = v1::SessionChanged { session: Some(wire::session(session)) };
            let event = Event::new(Body::SessionChanged(changed));
            publish_here(cx, &mut Wave::default(), Audience::Users(&[user]), &event, except).await;
        }
        Err(error) => {
            tracing::warn!(%user, %conversation, %error, "session unknown: the user is told to sync");
            cx.hub.lag(user);
        }
    }
}

pub async fn update(
    cx: &Ctx,
    actor: &Actor,
    from: ConnId,
    update: v1::UpdateSession,
) -> Result<v1::SessionChanged, Error> {
    let v1::UpdateSession { conversation_id, pinned, quiet_until_ms, marked_unread } = update;
    let quiet_until_ms = quiet_until_ms.map(wire::position);
    change(cx, actor, from, &conversation_id, SessionAction::Update(Flags { pinned, quiet_until_ms, marked_unread }))
        .await
}

pub async fn clear(
    cx: &Ctx,
    actor: &Actor,
    from: ConnId,
    clear: v1::ClearSession,
) -> Result<v1::SessionChanged, Error> {
    let through = wire::position(clear.server_msg_id);
    change(cx, actor, from, &clear.conversation_id, SessionAction::Clear(through)).await
}

pub async fn remove(
    cx: &Ctx,
    actor: &Actor,
    from: ConnId,
    remove: v1::RemoveSession,
) -> Result<v1::SessionChanged, Error> {
    let through = wire::position(remove.server_msg_id);
    change(cx, actor, from, &remove.conversation_id, SessionAction::Remove(through)).await
}

async fn change(
    cx: &Ctx,
    actor: &Actor,
    from: ConnId,
    conversation_id: &str,
    action: SessionAction,
) -> Result<v1::SessionChanged, Error> {
    let (user, conversation) = (actor.user, wire::conversation_of(conversation_id, actor.user)?);
    let (device_id, login_version) = (Arc::clone(&actor.device_id), actor.login_version());
    let change = SessionChange { user, conversation, action, device_id, login_version };
    let SessionChanged { mailbox_seq, marked } = cx.store.change_session(change).await?;
    let session = cx.store.session(user, conversation).await;
    if mailbox_seq > 0 {
        cx.peers.tell(Told::Session { user, conversation });
        tell_here(cx, user, Some(from), conversation, &session).await;
    }
    if let Some(marked) = marked {
        read::tell_peer(cx, user, conversation, &marked).await;
    }
    Ok(v1::SessionChanged { session: Some(wire::session(&session?)) })
}

/// The connection that asked is told too how the conversation stands in the list now: the answer says only what is hidden.
pub async fn hide(cx: &Ctx, actor: &Actor, from: ConnId, hide: v1::HideMessages) -> Result<v1::Changed, Error> {
    check_named("messages", hide.server_msg_ids.len(), HIDE_MAX)?;
    let (user, login_version) = (actor.user, actor.login_version());
    let conversation = wire::conversation_of(&hide.conversation_id, user)?;
    let places = hide.server_msg_ids.into_iter().map(wire::position).collect();
    let hidden = cx
        .store
        .hide_messages(Hide { user, conversation, places, device_id: Arc::clone(&actor.device_id), login_version })
        .await?;
    let told = people::tell(cx, user, &hidden.changes, Some(from)).await;
    if hidden.mailbox_seq > 0 {
        changed(cx, user, None, conversation).await;
    }
    Ok(told)
}
