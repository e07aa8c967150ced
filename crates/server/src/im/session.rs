//! The conversation list, and who is typing in it.

use std::sync::Arc;

use anser_proto::{
    ConversationId, UserId,
    v1::{self, server_frame::Body},
};
use anser_store::{MemberIds, Refusal};
use tokio::time::Instant;

use super::{
    Actor, Lane,
    deliver::{Audience, publish, publish_here},
    page_limit, people, wire,
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
