//! What was lost between nodes is found by clients that sync. They would do so at their next message or after minutes; told to,
//! they do it within seconds.
//!
//! Rules: what may have been lost on its way here concerns who is connected here, or those of them whom it would have told, if that is
//! known; what was lost on its way out the other nodes are told of, with whom it concerns. No more than so many are told a second, and while losses go on, each round waits longer than the last.

use std::{collections::HashSet, iter, sync::Arc, time::Duration};

use anser_proto::UserId;
use tokio::time::{MissedTickBehavior, interval};

use crate::{cluster::losses::Concerned, ctx::Ctx};

/// How often losses are looked for, and how many users are told in one of these.
const TURN: Duration = Duration::from_millis(100);
const USERS_A_TURN: usize = 200;
/// From one round to the next while losses go on: doubles each time.
const PAUSE_MIN: Duration = Duration::from_secs(5);
const PAUSE_MAX: Duration = Duration::from_secs(60);

pub async fn heal(cx: Arc<Ctx>) {
    let mut turns = interval(TURN);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut pause, mut next_round) = (PAUSE_MIN, turns.tick().await);
    let mut waiting = Vec::new();
    loop {
        let now = turns.tick().await;
        cx.peers.tell_missed();
        if waiting.is_empty() && now >= next_round {
            // Long enough without a loss, and the next one is the first again.
            if now >= next_round + 2 * PAUSE_MAX {
                pause = PAUSE_MIN;
            }
            if let Some(concerned) = cx.peers.take_lost() {
                let unknown;
                (waiting, unknown) = connected(&cx, concerned).await;
                if !waiting.is_empty() {
                    next_round = now + pause;
                    pause = (2 * pause).min(PAUSE_MAX);
                    cx.peers.counts.healed.inc();
                } else if unknown.is_some() {
                    // Nobody was told: that others wait for longer is not due.
                    next_round = now + PAUSE_MIN;
                }
                // When the store tells who they are.
                unknown.into_iter().for_each(|concerned| cx.peers.counts.losses.here.add(concerned));
            }
        }
        let rest = waiting.len().saturating_sub(USERS_A_TURN);
        waiting.drain(rest..).for_each(|user| cx.hub.lag(user));
    }
}

/// Those of them who are connected here, and those groups of which the store does not tell the members now.
async fn connected(cx: &Ctx, concerned: Concerned) -> (Vec<UserId>, Option<Concerned>) {
    let Concerned::Named { mut users, groups } = concerned else { return (cx.hub.users(), None) };
    users.retain(|user| cx.hub.has_other(*user, None));
    let mut groups = groups.into_iter();
    let mut unknown = None;
    while let Some((group, version)) = groups.next() {
        match cx.members.at_least(cx, group, version).await {
            Ok(members) => {
                users.extend(members.iter().map(|(member, _)| *member).filter(|user| cx.hub.has_other(*user, None)));
            }
            Err(error) => {
                tracing::warn!(%group, %error, "members unknown: they are told to sync later");
                let groups = iter::once((group, version)).chain(groups.by_ref()).collect();
                unknown = Some(Concerned::Named { users: HashSet::new(), groups });
            }
        }
    }
    (users.into_iter().collect(), unknown)
}
