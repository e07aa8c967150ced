//! Who is there: said by connections, told to contacts, and asked for.

use std::{sync::Arc, time::Duration};

use anser_proto::{
    UserId,
    limits::PAGE_MAX,
    v1::{self, change::Now, presence::State as WireState, server_frame::Body},
};
use anser_store::Error as StoreError;
use tokio::time::{Instant, interval};

use super::{
    Actor, Lane, check_named,
    deliver::{Audience, publish},
    wire,
};
use crate::{
    accepted::ConnId,
    ctx::Ctx,
    error::Error,
    event::Event,
    outbox::Wave,
    presence::{REPEAT, Settled, State},
};

/// How often it is looked what changed.
const LOOK: Duration = Duration::from_millis(500);
/// Of whom it is written together that they were there.
const WRITTEN_AT_ONCE: usize = 500;
/// Contacts who are told at once: they are one message between nodes.
const TOLD_AT_ONCE: usize = 1_000;

/// Tells the other nodes how users are connected to this one, and contacts what is shown of that, for as long as the task lives.
pub async fn keep(cx: Arc<Ctx>) {
    let mut looks = interval(LOOK);
    let mut repeat_at = looks.tick().await;
    loop {
        let now = looks.tick().await;
        let users = if now < repeat_at {
            cx.hub.take_changed()
        } else {
            repeat_at = now + REPEAT;
            cx.hub.take_changed().into_iter().chain(cx.hub.users()).collect()
        };
        let users: Vec<_> = users.into_iter().map(|user| (user, cx.hub.presence(user))).collect();
        cx.presence.tell(cx.peers.me, &users, now);
        cx.peers.tell_presence(&users);
        let settled = cx.presence.settle(now);
        settle(&cx, settled, now).await;
    }
}

/// One node of those that know it tells, and writes.
async fn settle(cx: &Ctx, settled: Vec<Settled>, now: Instant) {
    let now_ms = (cx.clock)();
    let mut seen = Vec::new();
    for what in settled {
        match what {
            Settled::Shown(user, state) if cx.peers.is_mine(user) => {
                if let Err(error) = tell_contacts(cx, user, state).await {
                    tracing::warn!(%user, %error, "their contacts are not told whether they are there");
                }
            }
            Settled::Seen(user, at) if cx.peers.is_mine(user) => {
                let ago_ms = u64::try_from((now - at).as_millis()).unwrap_or(u64::MAX);
                seen.push((user, now_ms.saturating_sub(ago_ms)));
            }
            Settled::Shown(..) | Settled::Seen(..) => {}
        }
    }
    for some in seen.chunks(WRITTEN_AT_ONCE) {
        if let Err(error) = cx.store.see_users(some.to_vec()).await {
            tracing::warn!(%error, "it is not kept when users were last there");
        }
    }
}

async fn tell_contacts(cx: &Ctx, user: UserId, state: Option<State>) -> Result<(), StoreError> {
    let contacts = cx.store.contact_ids(user).await?;
    let presences = vec![of(user, state, 0)];
    let event = Event::new(Body::Presences(v1::Presences { presences }));
    for some in contacts.chunks(TOLD_AT_ONCE) {
        publish(cx, &mut Wave::default(), Audience::Users(some), &event, None).await;
    }
    Ok(())
}

fn of(user: UserId, state: Option<State>, last_seen_ms: u64) -> v1::Presence {
    let state = match state {
        Some(State::Active) => WireState::Active,
        Some(State::Away) => WireState::Away,
        None => WireState::Offline,
    };
    v1::Presence { user_id: user.0, state: state.into(), last_seen_ms }
}

/// Whether the user is shown may be another thing now.
pub fn follow(cx: &Ctx, user: UserId, changed: &v1::Changed) {
    for change in &changed.changes {
        if let Some(Now::Privacy(privacy)) = &change.now {
            cx.hub.set_invisible(user, privacy.invisible, change.mailbox_seq);
        }
    }
}

pub fn set(cx: &Ctx, actor: &Actor, from: ConnId, set: v1::SetPresence) -> Result<(), Error> {
    let is_away = match WireState::try_from(set.state) {
        Ok(WireState::Active) => false,
        Ok(WireState::Away) => true,
        _ => return Err(Error::bad_field(format!("state is {}: it is ACTIVE or AWAY", set.state))),
    };
    cx.hub.set_away(actor.user, from, is_away);
    Ok(())
}

/// The contacts who are there. What changes while they are looked up is told.
pub async fn watch(cx: &Ctx, actor: &Actor, from: ConnId) -> Result<v1::Presences, Error> {
    cx.hub.watch(actor.user, from);
    let contacts = cx.store.contact_ids(actor.user).await?;
    let there = contacts.into_iter().filter_map(|user| Some((user, cx.presence.of(user)?)));
    Ok(v1::Presences { presences: there.map(|(user, state)| of(user, Some(state), 0)).collect() })
}

pub async fn get(
    cx: &Ctx,
    actor: &Actor,
    lane: &mut Lane,
    get: v1::GetPresence,
    now: Instant,
) -> Result<v1::Presences, Error> {
    check_named("users", get.user_ids.len(), PAGE_MAX as usize)?;
    let users = get.user_ids.into_iter().map(wire::user_id).collect::<Result<Vec<_>, _>>()?;
    lane.may_get_presence(now)?;
    let seen = cx.store.seen_by(actor.user, users).await?;
    let presences = seen.into_iter().map(|seen| match cx.presence.of(seen.user).filter(|_| seen.presence) {
        Some(state) => of(seen.user, Some(state), 0),
        None => of(seen.user, None, seen.last_seen_ms),
    });
    Ok(v1::Presences { presences: presences.collect() })
}
