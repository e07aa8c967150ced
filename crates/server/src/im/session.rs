//! The conversation list, what a user puts away of it, and who is typing in it.

use std::sync::Arc;

use anser_proto::{
    ConversationId, ErrorCode, UserId,
    limits::HIDE_MAX,
    v1::{self, server_frame::Body},
};
use anser_store::{Flags, Hide, MemberIds, Refusal, SessionAction, SessionChange, SessionChanged};
use tokio::time::Instant;

use super::{
    Actor, Lane,
    deliver::{Audience, publish, publish_here},
    page_limit, people, read, wire,
};
use crate::{accepted::ConnId, cluster::relay::Told, ctx::Ctx, error::Error, event::Event, outbox::Wave};

/// In larger groups nobody is told who types: it would cost more than the messages.
const TYPING_MEMBERS_MAX: usize = 100;

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
    match cx.store.session(user, conversation).await {
        Ok(session) => {
            let changed = v1::SessionChanged { session: Some(wire::session(&session)) };
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
    let change = SessionChange { user, conversation, action, login_version: actor.login_version };
    let SessionChanged { mailbox_seq, marked } = cx.store.change_session(change).await?;
    if mailbox_seq > 0 {
        changed(cx, user, Some(from), conversation).await;
    }
    if let Some(marked) = marked {
        read::tell_peer(cx, user, conversation, &marked).await;
    }
    let session = cx.store.session(user, conversation).await?;
    Ok(v1::SessionChanged { session: Some(wire::session(&session)) })
}

/// The connection that asked is told too how the conversation stands in the list now: the answer says only what is hidden.
pub async fn hide(cx: &Ctx, actor: &Actor, from: ConnId, hide: v1::HideMessages) -> Result<v1::Changed, Error> {
    let named = hide.server_msg_ids.len();
    if named > HIDE_MAX {
        let message = format!("server_msg_ids has {named} ids: at most {HIDE_MAX} are hidden at once");
        return Err(Error::new(ErrorCode::PageTooLarge, message));
    }
    let (user, login_version) = (actor.user, actor.login_version);
    let conversation = wire::conversation_of(&hide.conversation_id, user)?;
    let places = hide.server_msg_ids.into_iter().map(wire::position).collect();
    let hidden = cx.store.hide_messages(Hide { user, conversation, places, login_version }).await?;
    let told = people::tell(cx, user, &hidden.changes, Some(from)).await;
    if hidden.mailbox_seq > 0 {
        changed(cx, user, None, conversation).await;
    }
    Ok(told)
}

/// Passes on that the user is typing, to whoever is connected. Of a group, waits for nothing: members who are not remembered
/// are read by a task beside, if there is a place for one.
pub async fn typing(
    cx: &Arc<Ctx>,
    actor: &Actor,
    lane: &mut Lane,
    typing: &v1::Typing,
    now: Instant,
) -> Result<(), Error> {
    let (user, conversation) = (actor.user, wire::conversation_of(&typing.conversation_id, actor.user)?);
    if !lane.may_tell_typing(conversation, now) {
        return Ok(());
    }
    let event =
        Event::new(Body::Typing(v1::TypingEvent { conversation_id: conversation.to_string(), user_id: user.0 }));
    match conversation {
        ConversationId::Single { .. } => {
            if let Some(peer) = conversation.peer_of(user)
                && people::is_told_hints(cx, user, peer).await?
            {
                publish(cx, &mut Wave::default(), Audience::Users(&[peer]), &event, Some(lane.conn)).await;
            }
        }
        ConversationId::Group(group) => {
            if let Some(list) = cx.members.whole(group) {
                tell_typing(cx, user, &list, &event).await?;
            } else if let Some(place) = cx.members.place_to_learn() {
                let cx = Arc::clone(cx);
                tokio::spawn(async move {
                    if cx.members.at_least(&cx, group, 0).await.is_ok()
                        && let Some(list) = cx.members.whole(group)
                    {
                        // Who asked was answered already.
                        let _ = tell_typing(&cx, user, &list, &event).await;
                    }
                    drop(place);
                });
            }
        }
    }
    Ok(())
}

async fn tell_typing(cx: &Ctx, user: UserId, list: &MemberIds, event: &Event) -> Result<(), Error> {
    let MemberIds { members, silence, .. } = list;
    if members.binary_search_by_key(&user, |(member, _)| *member).is_err() {
        return Err(Refusal::NotMember.into());
    }
    silence.check(user, (cx.clock)())?;
    if members.len() > TYPING_MEMBERS_MAX {
        return Ok(());
    }
    let others: Vec<UserId> = members.iter().map(|(member, _)| *member).filter(|member| *member != user).collect();
    publish(cx, &mut Wave::default(), Audience::Users(&others), event, None).await;
    Ok(())
}
