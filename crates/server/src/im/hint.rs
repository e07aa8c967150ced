//! What is passed on to who is connected in a conversation, and never stored: who is typing, and what apps signal.

use std::{sync::Arc, time::Duration};

use anser_proto::{
    ConversationId, GroupId, UserId,
    ids::check_ascii_id,
    limits::SIGNAL_BYTES_MAX,
    v1::{self, server_frame::Body},
};
use anser_store::{MemberIds, Refusal, Role, Silence};
use tokio::time::{Instant, timeout};

use super::{
    Actor, Lane,
    deliver::{Audience, publish},
    people, wire,
};
use crate::{accepted::ConnId, ctx::Ctx, error::Error, event::Event, outbox::Wave};

/// In larger groups nobody is told who types, nor what is signalled: it would cost more than the messages.
const MEMBERS_MAX: usize = 100;
/// A hint is worth no longer wait: what comes behind it on its connection waits as well.
const PATIENCE: Duration = Duration::from_millis(100);

/// Whoever is shown as offline types unseen.
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
    let is_shown = !cx.hub.is_invisible(user);
    let told = || Body::Typing(v1::TypingEvent { conversation_id: conversation.to_string(), user_id: user.0 });
    pass_on(cx, actor, lane, conversation, is_shown.then(told)).await
}

/// Beyond the rate it is dropped.
pub async fn signal(cx: &Arc<Ctx>, actor: &Actor, lane: &Lane, signal: v1::Signal, now: Instant) -> Result<(), Error> {
    let conversation = wire::conversation_of(&signal.conversation_id, actor.user)?;
    check_ascii_id("type", &signal.r#type)?;
    if signal.data.len() > SIGNAL_BYTES_MAX {
        let message = format!("data has {} bytes: at most {SIGNAL_BYTES_MAX} are allowed", signal.data.len());
        return Err(Error::bad_field(message));
    }
    let told = || {
        Body::Signal(v1::SignalEvent {
            conversation_id: conversation.to_string(),
            user_id: actor.user.0,
            device_id: (*actor.device_id).to_owned(),
            r#type: signal.r#type,
            data: signal.data,
        })
    };
    let body = lane.may_signal(now).then(told);
    pass_on(cx, actor, lane, conversation, body).await
}

/// To the others who are there, if the user may write there. None: it is only seen to that they may. Of a group, waits for no list of members: those that
/// are not remembered are read by a task beside, if there is a place for one. While the store does not say whether they may, they are answered as if, and
/// nobody is told.
async fn pass_on(
    cx: &Arc<Ctx>,
    actor: &Actor,
    lane: &Lane,
    conversation: ConversationId,
    body: Option<Body>,
) -> Result<(), Error> {
    let user = actor.user;
    match conversation {
        ConversationId::Single { .. } => {
            if let Some(peer) = conversation.peer_of(user)
                && let Ok(is_told) = timeout(PATIENCE, people::is_told_hints(cx, user, peer)).await
                && is_told?
            {
                tell(cx, &[peer], body, lane.conn).await;
            }
        }
        ConversationId::Group(group) => match cx.members.whole(group) {
            Some(list) => tell(cx, &others(cx, user, &list)?, body, lane.conn).await,
            None => {
                let Ok(checked) = timeout(PATIENCE, check_in(cx, user, group)).await else { return Ok(()) };
                checked?;
                if let Some(place) = cx.members.place_to_learn() {
                    let (cx, conn) = (Arc::clone(cx), lane.conn);
                    tokio::spawn(async move {
                        if cx.members.at_least(&cx, group, 0).await.is_ok()
                            && let Some(list) = cx.members.whole(group)
                            // Who asked was answered already.
                            && let Ok(others) = others(&cx, user, &list)
                        {
                            tell(&cx, &others, body, conn).await;
                        }
                        drop(place);
                    });
                }
            }
        },
    }
    Ok(())
}

async fn tell(cx: &Ctx, users: &[UserId], body: Option<Body>, except: ConnId) {
    if let Some(body) = body
        && !users.is_empty()
    {
        publish(cx, &mut Wave::default(), Audience::Users(users), &Event::new(body), Some(except)).await;
    }
}

/// Whether the user may speak in a group whose members are not remembered: that is not waited for until they are.
async fn check_in(cx: &Ctx, user: UserId, group: GroupId) -> Result<(), Error> {
    let (group, role) = cx.store.group(user, group).await?;
    let above = if role > Role::Member { vec![user] } else { Vec::new() };
    let muted = vec![(user, group.muted_until_ms)];
    let silence = Silence { dissolved: false, mute_all: group.mute_all, above, muted };
    Ok(silence.check(user, (cx.clock)())?)
}

/// Those of a group whom a member tells, who may speak there.
fn others(cx: &Ctx, user: UserId, list: &MemberIds) -> Result<Vec<UserId>, Error> {
    let MemberIds { members, silence, .. } = list;
    if members.binary_search_by_key(&user, |(member, _)| *member).is_err() {
        return Err(Refusal::NotMember.into());
    }
    silence.check(user, (cx.clock)())?;
    if members.len() > MEMBERS_MAX {
        return Ok(Vec::new());
    }
    Ok(members.iter().map(|(member, _)| *member).filter(|member| *member != user).collect())
}
