//! The Anser server. This file is its table of contents: what is made, in which order, and how it ends.

pub mod cluster;
pub mod config;
mod ctx;
pub mod error;
mod gateway;
pub mod hub;
mod im;
pub mod outbox;

pub mod http;
mod metrics;
pub mod password;
pub mod secrets;
pub mod snowflake;
pub mod token;

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use anser_store::{Clock, Store};
use anyhow::Context as _;
use tokio_util::sync::CancellationToken;

pub use crate::gateway::OPERATOR_SOCKET;
use crate::{
    config::Config,
    ctx::Ctx,
    gateway::{Gateway, Listeners},
};

/// A server that listens.
pub struct Server {
    pub http: SocketAddr,
    pub tcp: SocketAddr,
    stop: CancellationToken,
    gateway: tokio::task::JoinHandle<()>,
    store: Arc<dyn Store>,
}

impl Server {
    /// Binds the ports and serves until [`Server::stop`]. A port 0 is chosen by the system.
    pub async fn start(config: Config, store: Arc<dyn Store>, clock: Clock) -> anyhow::Result<Self> {
        let listeners = Listeners::bind(&config).await?;
        let (http, tcp) = (listeners.http.local_addr()?, listeners.tcp.local_addr()?);
        let cx = Arc::new(Ctx::new(config, Arc::clone(&store), clock)?);
        let gateway = Gateway::new(cx)?;
        let stop = CancellationToken::new();
        let gateway = tokio::spawn(gateway.run(listeners, stop.clone()));
        Ok(Self { http, tcp, stop, gateway, store })
    }

    /// Returns when the server ended without being told to, which is a fault.
    pub async fn broke(&mut self) -> anyhow::Error {
        match (&mut self.gateway).await {
            Ok(()) => anyhow::anyhow!("the gateway ended by itself"),
            Err(error) => anyhow::Error::new(error).context("the gateway broke"),
        }
    }

    /// Tells clients to come back later, ends their connections, then closes the store. What was acknowledged is kept.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.stop.cancel();
        let ended = self.gateway.await.context("the gateway broke");
        self.store.close().await;
        ended
    }
}

/// The system's time.
pub fn system_clock() -> Clock {
    Arc::new(|| {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX)
    })
}
