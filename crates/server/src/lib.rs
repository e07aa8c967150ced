//! The Anser server. This file is its table of contents: what is made, in which order, and how it ends.

pub mod accepted;
pub mod cluster;
mod column;
pub mod config;
mod ctx;
pub mod error;
pub mod event;
pub mod framing;
mod gateway;
pub mod hub;
mod im;
pub mod nickname;
pub mod outbox;

pub mod http;
mod metrics;
pub mod password;
pub mod secrets;
pub mod snowflake;
pub mod token;
mod websocket;

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anser_store::{Clock, Store};
use anyhow::Context as _;
use tokio::{io::DuplexStream, sync::Semaphore, task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::{
    cluster::{Load, Node, NodeId, peers::Peers},
    config::Config,
    ctx::{Credentials, Ctx},
    gateway::{Gateway, Listeners, tls},
    im::peer::UNDER_WAY_MAX,
};
pub use crate::{
    column::{Column, Join, end_logins_on_nodes},
    gateway::OPERATOR_SOCKET,
    im::{logins::NOTICED_S as LOGINS_NOTICED_S, make_user},
};

/// How long a server that ends waits for what it does for other nodes.
const UNDER_WAY_PATIENCE: Duration = Duration::from_secs(5);

/// A server that listens.
pub struct Server {
    pub http: SocketAddr,
    pub tcp: SocketAddr,
    stop: CancellationToken,
    gateway: Arc<Gateway>,
    running: JoinHandle<()>,
    peers: Arc<Peers>,
    /// What goes on beside the gateway, for the other nodes.
    beside: [JoinHandle<()>; 4],
    /// What is done for the other nodes.
    under_way: Arc<Semaphore>,
    store: Arc<dyn Store>,
}

impl Server {
    /// Binds the ports and serves until [`Server::stop`]. A port 0 is chosen by the system.
    pub async fn start(config: Config, column: Column) -> anyhow::Result<Self> {
        let Column { store, clock, join } = column;
        let listeners = Listeners::bind(&config).await?;
        let (http, tcp) = (listeners.http.local_addr()?, listeners.tcp.local_addr()?);
        // All that may be refused comes before the others hear of this node.
        let (credentials, tls) = (Credentials::load(&config, &clock)?, tls::acceptor(&config.tls)?);
        let ways = join(this_node(&config, http)).await?;
        let (peers, arriving) = Peers::new(ways, store.log_id());
        let cx = Arc::new(Ctx::new(config, Arc::clone(&store), clock, credentials, Arc::clone(&peers)));
        let gateway = Gateway::new(Arc::clone(&cx), tls);
        let (counted, under_way) = (Arc::clone(&cx), Arc::clone(&cx.under_way));
        let beside = [
            peers.report_load(move || counted.metrics.connections()),
            tokio::spawn(im::heal::heal(Arc::clone(&cx))),
            tokio::spawn(im::logins::watch(Arc::clone(&cx))),
            tokio::spawn(im::peer::listen(cx, arriving)),
        ];
        let stop = CancellationToken::new();
        let running = tokio::spawn(Arc::clone(&gateway).run(listeners, stop.clone()));
        Ok(Self { http, tcp, stop, gateway, running, peers, beside, under_way, store })
    }

    /// A connection within the process: frames as over TCP. None beyond the limit of connections, and once the server stops.
    pub fn connect(&self) -> Option<DuplexStream> {
        self.gateway.connect()
    }

    /// Returns when the server ended without being told to, which is a fault.
    pub async fn broke(&mut self) -> anyhow::Error {
        match (&mut self.running).await {
            Ok(()) => anyhow::anyhow!("the gateway ended by itself"),
            Err(error) => anyhow::Error::new(error).context("the gateway broke"),
        }
    }

    /// Tells clients to come back later, ends their connections, then closes the store. What was acknowledged is kept.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.stop.cancel();
        let ended = self.running.await.context("the gateway broke");
        self.peers.leave().await;
        // What was begun for the others is stored, answered and told.
        let _ = timeout(UNDER_WAY_PATIENCE, self.under_way.acquire_many(UNDER_WAY_MAX)).await;
        self.store.close().await;
        self.peers.flush().await;
        self.beside.iter().for_each(JoinHandle::abort);
        ended
    }
}

/// As the others see it.
fn this_node(config: &Config, http: SocketAddr) -> Node {
    let scheme = if config.tls.cert_file.is_some() { "wss" } else { "ws" };
    let client_url = config.cluster.client_url.clone().unwrap_or_else(|| format!("{scheme}://{http}"));
    let name = config.cluster.node.clone().unwrap_or_else(|| client_url.clone());
    Node { id: NodeId::random(), name: name.into(), client_url: client_url.into(), load: Load::default() }
}

/// The system's time.
pub fn system_clock() -> Clock {
    Arc::new(|| {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX)
    })
}
