//! Logins that are over: of users who were disabled, or have a new password, and of devices that were revoked. That rests on the store. Whoever ends logins tells the nodes,
//! and each node of a cluster asks the store by itself, so that connections end also when nobody could tell, or died before they did. With
//! them it asks now and then what users are called, and who is shown as offline. In the embedded column nobody changes the store behind the server's back.

use std::{collections::HashMap, future::pending, sync::Arc, time::Duration};

use anser_proto::{CloseCode, UserId};
use anser_store::{Error, Refusal, Store, User};
use tokio::time::{Interval, interval};

use crate::{cluster::envelope::LoginsOver, ctx::Ctx};

/// How long a connection stays at most whose login is over, while the store answers.
pub const NOTICED_S: u64 = 10;
/// All who are connected are asked for once in this time: whoever comes first in one round and last in the next is so within the bound, and
/// something is left for a store that is slow.
const ROUND: Duration = Duration::from_secs(NOTICED_S * 2 / 5);
/// All are asked for their names once in this time: of one of them a push was lost.
const NAMES_ROUND: Duration = Duration::from_secs(60);
/// Users who are asked for at once.
const ASKED_AT_ONCE: usize = 500;

/// Ends logins that are over. Alone, only when it is not known whose logins an operator ended.
pub async fn watch(cx: Arc<Ctx>) {
    loop {
        if !cx.peers.in_cluster {
            cx.logins_unknown.notified().await;
        }
        let users = cx.hub.users();
        let mut pace = pace(&users, ROUND).await;
        for some in users.chunks(ASKED_AT_ONCE) {
            if let Err(error) = look(&cx, some).await {
                tracing::warn!(%error, "it is not known whose logins are over");
                cx.logins_unknown.notify_one();
            }
            pace.tick().await;
        }
    }
}

/// Keeps the names that connections bear, and who is shown as offline. Alone no push is lost, and nothing is to be done.
pub async fn watch_names(cx: Arc<Ctx>) {
    if !cx.peers.in_cluster {
        pending::<()>().await;
    }
    loop {
        let users = cx.hub.users();
        let mut pace = pace(&users, NAMES_ROUND).await;
        for some in users.chunks(ASKED_AT_ONCE) {
            if let Err(error) = rename(&cx, some).await {
                tracing::warn!(%error, "it is not known what users are called");
            }
            pace.tick().await;
        }
    }
}

/// Ends each part of a round: a part that takes long takes it from the pauses behind it.
async fn pace(users: &[UserId], round: Duration) -> Interval {
    let parts = users.len().div_ceil(ASKED_AT_ONCE).max(1);
    let mut pace = interval(round / u32::try_from(parts).unwrap_or(u32::MAX));
    pace.tick().await;
    if users.is_empty() {
        pace.tick().await;
    }
    pace
}

async fn look(cx: &Ctx, users: &[UserId]) -> Result<(), Error> {
    for (user, login_version) in cx.store.login_versions(users.to_vec()).await? {
        if cx.hub.has_login_before(user, login_version) {
            match settle(cx, user).await {
                Ok(()) => {}
                // The others need not wait for this one.
                Err(error) => {
                    tracing::warn!(%user, %error, "it is not known why a login is over");
                    cx.logins_unknown.notify_one();
                }
            }
        }
    }
    Ok(())
}

/// What is known by now as of a later change stays.
async fn rename(cx: &Ctx, users: &[UserId]) -> Result<(), Error> {
    let shown: Vec<_> = users.iter().filter_map(|user| Some((*user, cx.hub.invisible(*user)?))).collect();
    let invisible = cx.store.invisible(users.to_vec()).await?;
    for (user, (mailbox_seq, was)) in shown {
        let is = invisible.binary_search(&user).is_ok();
        if is != was {
            cx.hub.set_invisible(user, is, mailbox_seq);
        }
    }
    let known = users.iter().filter_map(|user| {
        let known = cx.hub.nickname(*user)?;
        Some((*user, (known.mailbox_seq(), known)))
    });
    let known: HashMap<_, _> = known.collect();
    for User { user, nickname, .. } in cx.store.users(users.to_vec(), Vec::new()).await? {
        if let Some((mailbox_seq, known)) = known.get(&user) {
            known.set(&nickname, *mailbox_seq);
        }
    }
    Ok(())
}

/// Ends logins here and on the other nodes. None: it is not known whose, and each node finds out by itself.
pub fn end(cx: &Ctx, over: Option<LoginsOver>) {
    match over {
        Some(over) => {
            if cx.hub.end_logins(&over) {
                cx.logins_unknown.notify_one();
            }
            cx.peers.end_logins(over);
        }
        None => cx.logins_unknown.notify_one(),
    }
}

/// Which logins of a user are over, as the store has it now.
pub async fn over(store: &dyn Store, user: UserId) -> Result<LoginsOver, Error> {
    let versions = store.login_versions(vec![user]).await?;
    let (_, login_version) = *versions.first().ok_or(Refusal::NotFound("user"))?;
    let users = store.users(vec![user], Vec::new()).await?;
    Ok(LoginsOver { user, login_version, code: why(&users), device_id: None })
}

fn why(users: &[User]) -> CloseCode {
    let is_disabled = users.first().is_some_and(|user| user.disabled);
    if is_disabled { CloseCode::LoginRefused } else { CloseCode::TokenRanOut }
}

/// Ends the logins of the user that are over, by what the store has now.
async fn settle(cx: &Ctx, user: UserId) -> Result<(), Error> {
    let logins = cx.store.logins(user).await?;
    let code = why(&cx.store.users(vec![user], Vec::new()).await?);
    cx.hub.settle_logins(user, &logins, code);
    Ok(())
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, advance};

    use super::*;

    /// How long a round of so many users takes, of which each part is asked for so long.
    async fn check(users: u64, asking_ms: u64, expected_ms: u128) {
        let users: Vec<_> = (0..users).map(UserId).collect();
        let begun = Instant::now();
        let mut pace = pace(&users, Duration::from_secs(4)).await;
        for _ in users.chunks(ASKED_AT_ONCE) {
            advance(Duration::from_millis(asking_ms)).await;
            pace.tick().await;
        }
        assert_eq!(begun.elapsed().as_millis(), expected_ms);
    }

    #[tokio::test(start_paused = true)]
    async fn a_round_takes_no_longer_because_the_store_is_slow() {
        check(0, 0, 4_000).await;
        check(1, 500, 4_000).await;
        check(2_000, 0, 4_000).await;
        check(2_000, 999, 4_000).await;
        check(2_000, 1_500, 6_000).await;
    }
}
