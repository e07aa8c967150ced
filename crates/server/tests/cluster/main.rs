//! The seams between nodes: one suite for each, a test for each sentence of its contract, run on every implementation;
//! and what the real services may do to them.

#[cfg(feature = "cluster")]
#[path = "../it/ask.rs"]
#[allow(dead_code, reason = "the tests of one server use more of it")]
mod ask;
mod bus;
mod directory;
#[cfg(feature = "cluster")]
mod directory_faults;
#[cfg(feature = "cluster")]
mod groups;
#[cfg(feature = "cluster")]
mod kicks;
#[cfg(feature = "cluster")]
#[path = "../it/permissions.rs"]
#[allow(dead_code, reason = "the tests of one server use more of it")]
mod permissions;
#[cfg(feature = "cluster")]
#[path = "../it/raw.rs"]
#[allow(dead_code, reason = "the tests of one server use more of it")]
mod raw;
#[cfg(feature = "cluster")]
#[path = "../it/received.rs"]
mod received;
mod sequencer;
#[cfg(feature = "cluster")]
mod servers;

use std::{future::Future, time::Duration};

use anser_proto::UserId;
use anser_server::cluster::{Load, Node, NodeId};

const LOOK_EVERY: Duration = Duration::from_millis(2);
/// Far above what anything here takes: it tells a test that hangs.
const PATIENCE: Duration = Duration::from_secs(30);

#[cfg(feature = "cluster")]
const NAME: &str = "test";
#[cfg(feature = "cluster")]
const LOG_ID: u64 = 77;

const ADA: UserId = UserId(7);
const BOB: UserId = UserId(2);
const CYD: UserId = UserId(i64::MAX as u64);

fn node(name: &str) -> Node {
    let client_url = format!("ws://{name}:7400").into();
    Node { id: NodeId::random(), name: name.into(), client_url, load: Load::default() }
}

/// Asks until it is so.
async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    // Who asks all the time takes the time of those they wait for.
    let mut looks = tokio::time::interval(LOOK_EVERY);
    let asking = async {
        while !is_so().await {
            looks.tick().await;
        }
    };
    within(what, asking).await;
}

async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("it never came to this: {what}"))
}
