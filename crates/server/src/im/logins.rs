//! Logins that are over: of users who were disabled, or have a new password. That rests on the store. Whoever ends logins tells the nodes,
//! and each node of a cluster asks the store by itself, so that connections end also when nobody could tell, or died before they did. With
//! them it asks now and then what users are called. In the embedded column nobody changes the store behind the server's back.

use std::{collections::HashMap, sync::Arc, time::Duration};

use anser_proto::{CloseCode, UserId};
use anser_store::{Error, Store, User};
use tokio::time::sleep;

use crate::{cluster::envelope::LoginsOver, ctx::Ctx};

/// How long a connection stays at most whose login is over, while the store answers.
pub const NOTICED_S: u64 = 10;
/// All who are connected are asked for once in this time: a round more, and the bound still holds.
const ROUND: Duration = Duration::from_secs(NOTICED_S / 2);
/// In each of so many rounds they are also asked for their names, of which a push was lost.
const NAMES_EVERY: u64 = 12;
/// Users who are asked for at once.
const ASKED_AT_ONCE: usize = 500;

/// Goes round, a part of the users at a time. Alone, only when it is not known whose logins an operator ended.
pub async fn watch(cx: Arc<Ctx>) {
    for round in 0_u64.. {
        if !cx.peers.in_cluster {
            cx.logins_unknown.notified().await;
        }
        let users = cx.hub.users();
        let parts = users.len().div_ceil(ASKED_AT_ONCE).max(1);
        let pause = ROUND / u32::try_from(parts).unwrap_or(u32::MAX);
        for some in users.chunks(ASKED_AT_ONCE) {
            if let Err(error) = look(&cx, some).await {
                tracing::warn!(%error, "it is not known whose logins are over");
                cx.logins_unknown.notify_one();
            }
            if round % NAMES_EVERY == 0
                && cx.peers.in_cluster
                && let Err(error) = rename(&cx, some).await
            {
                tracing::warn!(%error, "it is not known what users are called");
            }
            sleep(pause).await;
        }
        if users.is_empty() {
            sleep(pause).await;
        }
    }
}

async fn look(cx: &Ctx, users: &[UserId]) -> Result<(), Error> {
    for (user, login_version) in cx.store.login_versions(users.to_vec()).await? {
        if cx.hub.has_login_before(user, login_version) {
            match over(&*cx.store, user).await {
                Ok(over) => cx.hub.end_logins(&over),
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

/// A name that is known by now as of a later change stays.
async fn rename(cx: &Ctx, users: &[UserId]) -> Result<(), Error> {
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

/// Which logins of a user are over, as the store has it now.
pub async fn over(store: &dyn Store, user: UserId) -> Result<LoginsOver, Error> {
    let versions = store.login_versions(vec![user]).await?;
    let (_, login_version) = *versions.first().ok_or(Error::NotFound("user"))?;
    let users = store.users(vec![user], Vec::new()).await?;
    let is_disabled = users.first().is_some_and(|user| user.disabled);
    let code = if is_disabled { CloseCode::LoginRefused } else { CloseCode::TokenRanOut };
    Ok(LoginsOver { user, login_version, code })
}
