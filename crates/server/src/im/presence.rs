//! Who is there: said by connections, told to contacts, and asked for.

use std::{sync::Arc, time::Duration};

use anser_proto::{
    UserId,
    limits::{CONTACTS_MAX, PAGE_MAX},
    v1::{self, change::Now, presence::State as WireState, server_frame::Body},
};
use anser_store::Error as StoreError;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

use super::{
    Actor, Lane, check_named,
    deliver::{Audience, publish_here},
    wire,
};
use crate::{
    accepted::ConnId,
    cluster::Node,
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
/// What an answer takes at most to say that a contact is there.
const PRESENCE_BYTES: usize = 64;

fn looks() -> Interval {
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    looks
}

/// Tells the other nodes how users are connected to this one, for as long as the task lives.
pub async fn tell(cx: Arc<Ctx>) {
    let (mut looks, mut known) = (looks(), cx.peers.nodes());
    let mut repeat_at = looks.tick().await;
    loop {
        let (now, nodes) = (looks.tick().await, cx.peers.nodes());
        let mut users = cx.hub.take_changed();
        let is_new = |node: &Node| known.iter().all(|known| known.id != node.id);
        if now >= repeat_at || nodes.iter().any(is_new) {
            repeat_at = now + REPEAT;
            users.extend(cx.hub.users());
        }
        known = nodes;
        let users: Vec<_> = users.into_iter().map(|user| (user, cx.hub.presence(user))).collect();
        cx.presence.tell(cx.peers.me, &users, now);
        cx.peers.tell_presence(&users);
    }
}

/// Tells contacts who are connected to this node what is shown of users, and keeps when those were there, for as long as the task lives. However long the
/// store takes, other nodes are told.
pub async fn settle(cx: Arc<Ctx>) {
    let mut looks = looks();
    loop {
        let now = looks.tick().await;
        let settled = cx.presence.settle(now);
        carry_out(&cx, settled, now).await;
    }
}

/// Each node tells its own: what is lost between nodes is made up for where it was. One node writes.
async fn carry_out(cx: &Ctx, settled: Vec<Settled>, now: Instant) {
    let now_ms = (cx.clock)();
    let mut seen = Vec::new();
    for what in settled {
        match what {
            Settled::Shown(user, state) => {
                if let Err(error) = tell_contacts(cx, user, state).await {
                    tracing::warn!(%user, %error, "their contacts are not told whether they are there");
                }
            }
            Settled::Seen(user, at) if cx.peers.is_mine(user) => {
                let ago_ms = u64::try_from((now - at).as_millis()).unwrap_or(u64::MAX);
                seen.push((user, now_ms.saturating_sub(ago_ms)));
            }
            Settled::Seen(..) => {}
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
    publish_here(cx, &mut Wave::default(), Audience::Users(&contacts), &event, None).await;
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
pub async fn watch(cx: &Ctx, actor: &Actor, lane: &mut Lane) -> Result<v1::Presences, Error> {
    lane.must_find_room(cx, CONTACTS_MAX as usize * PRESENCE_BYTES)?;
    cx.hub.watch(actor.user, lane.conn);
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
