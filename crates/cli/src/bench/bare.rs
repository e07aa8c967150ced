//! The bare store on the rows that the direct scenario writes: the limit that sockets and delivery are measured against.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anser_proto::{ConversationId, UserId, v1::message::Type};
use anser_server::{Begin, Column, config::Config};
use anser_store::{NewMessage, NewUser, Sender, Store};
use anyhow::Context as _;

/// Callers of the store, each with one batch under way: enough that every commit is a full one.
const CALLERS: usize = 32;
const BATCH: usize = 64;

/// Messages a second that a fresh store takes from callers in its own process.
pub async fn append_rate(users: usize, size: usize, warm_up: Duration, measured: Duration) -> anyhow::Result<f64> {
    let dir = tempfile::Builder::new().prefix("anser-").tempdir().context("no temporary folder")?;
    let mut config = Config::default();
    config.store.dir = dir.path().join("data");
    let store = Column::open(&config, Begin::Anew).await?.store;
    for user in 1..=users as u64 {
        let account: Arc<str> = format!("bench-{user}").into();
        store
            .create_user(NewUser { user: UserId(user), nickname: Arc::clone(&account), account, password: None })
            .await?;
    }
    let stored = Arc::new(AtomicU64::new(0));
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| tokio::spawn(append_for_ever(Arc::clone(&store), Arc::clone(&stored), caller, users, size)))
        .collect();
    tokio::time::sleep(warm_up).await;
    let (before, begun) = (stored.load(Ordering::Relaxed), Instant::now());
    tokio::time::sleep(measured).await;
    let rate = (stored.load(Ordering::Relaxed) - before) as f64 / begun.elapsed().as_secs_f64();
    for caller in callers {
        caller.abort();
        let _ = caller.await;
    }
    store.close().await;
    Ok(rate)
}

async fn append_for_ever(store: Arc<dyn Store>, stored: Arc<AtomicU64>, caller: usize, users: usize, size: usize) {
    let content: Arc<str> = "x".repeat(size).into();
    for turn in 0.. {
        // The users take turns, so that all pairs write as much as each other.
        let from = ((caller + turn * CALLERS) % users) as u64 + 1;
        let to = ((from - 1) ^ 1) + 1;
        let batch = (0..BATCH).map(|_| NewMessage {
            conversation: ConversationId::single(UserId(from), UserId(to)),
            from: Sender { user: UserId(from), nickname: "bench".into(), platform: 0, device_id: "bench".into() },
            client_msg_id: uuid::Uuid::now_v7().to_string().parse().expect("visible ASCII"),
            kind: Type::Text.into(),
            content: Arc::clone(&content),
            attachment: Default::default(),
            client_time_ms: 0,
            counted: true,
            reply_to: 0,
            mentions: Default::default(),
            change: None,
            login_version: 0,
        });
        let outcomes = store.append(batch.collect()).await.unwrap_or_default();
        stored.fetch_add(outcomes.iter().filter(|outcome| outcome.is_ok()).count() as u64, Ordering::Relaxed);
    }
}
