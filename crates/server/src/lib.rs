//! The Anser server. This file is its table of contents: what is made, in which order, and how it ends.

pub mod accepted;
mod bought;
pub mod budget;
pub mod cluster;
mod column;
pub mod config;
mod ctx;
mod debts;
pub mod error;
pub mod event;
pub mod framing;
mod gateway;
mod guesses;
mod hashing;
pub mod hub;
mod im;
mod link;
mod network;
pub mod nickname;
mod origin;
pub mod outbox;

pub mod http;
mod metrics;
pub mod password;
mod presence;
mod rate;
pub mod secrets;
pub mod snowflake;
pub mod token;
pub mod watch;
mod websocket;

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anser_store::Clock;
use anyhow::Context as _;
use tokio::{io::DuplexStream, runtime::Handle, sync::Semaphore, task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::{
    cluster::{Load, Node, NodeId, peers::Peers},
    config::Config,
    ctx::{Credentials, Ctx},
    gateway::{Gateway, Listeners, tls},
    im::peer::UNDER_WAY_BYTES_MAX,
    token::Keys,
    watch::Watch,
};
pub use crate::{
    column::{Begin, Column, Join, end_logins_on_nodes},
    gateway::operator::{OPERATOR_SOCKET, OperatorSocket},
    im::{logins::NOTICED_S as LOGINS_NOTICED_S, operator},
    metrics::Process,
};

/// How long a server that ends waits for what it does for other nodes.
const UNDER_WAY_PATIENCE: Duration = Duration::from_secs(5);

/// A server that listens.
pub struct Server {
    pub http: SocketAddr,
    pub tcp: SocketAddr,
    pub operator: SocketAddr,
    stop: CancellationToken,
    gateway: Arc<Gateway>,
    running: JoinHandle<()>,
    peers: Arc<Peers>,
    /// What goes on beside the gateway.
    beside: [JoinHandle<()>; 9],
    /// What is done for the other nodes.
    under_way: Arc<Semaphore>,
    cx: Arc<Ctx>,
    certificate: Option<Arc<tls::Certificate>>,
    watch: Watch,
}

impl Server {
    /// Binds the ports and serves until [`Server::stop`]. A port 0 is chosen by the system.
    pub async fn start(config: Config, column: Column) -> anyhow::Result<Self> {
        Self::start_apart(config, column, Handle::current()).await
    }

    /// With another runtime for those who are not logged in yet: for all that they cost but what the store does for them.
    pub async fn start_apart(config: Config, column: Column, strangers: Handle) -> anyhow::Result<Self> {
        let Column { store, clock, join } = column;
        let listeners = Listeners::bind(&config, &strangers).await?;
        let (http, tcp) = (listeners.http.local_addr()?, listeners.tcp.local_addr()?);
        let operator = listeners.operator.local_addr()?;
        // All that may be refused comes before the others learn of this node.
        let (credentials, certificate) = (Credentials::load(&config)?, tls::Certificate::load(&config.tls)?);
        let ways = join(this_node(&config, http)).await?;
        let (peers, arriving) = Peers::new(ways, store.log_id());
        let cx = Arc::new(Ctx::new(config, Arc::clone(&store), clock, credentials, Arc::clone(&peers)));
        let gateway = Gateway::new(Arc::clone(&cx), certificate.clone(), strangers)?;
        let (counted, under_way) = (Arc::clone(&cx), Arc::clone(&cx.under_way));
        let watch = peers.counts.watch.clone();
        let of_store = watch.clone();
        let beside = [
            peers.report_load(move || counted.metrics.connections()),
            watch.keep("heal", im::heal::heal(Arc::clone(&cx))),
            watch.keep("logins", im::logins::watch(Arc::clone(&cx))),
            watch.keep("names", im::logins::watch_names(Arc::clone(&cx))),
            watch.keep("presence", im::presence::tell(Arc::clone(&cx))),
            watch.keep("presence_shown", im::presence::settle(Arc::clone(&cx))),
            watch.keep("listen", im::peer::listen(Arc::clone(&cx), arriving.bus.pushes)),
            watch.keep("obey", im::peer::obey(Arc::clone(&cx), arriving.bus.answers, arriving.kicks)),
            tokio::spawn(async move { of_store.fell("store", &store.broke().await) }),
        ];
        let stop = CancellationToken::new();
        let running = watch.keep("gateway", Arc::clone(&gateway).run(listeners, stop.clone()));
        Ok(Self { http, tcp, operator, stop, gateway, running, peers, beside, under_way, cx, certificate, watch })
    }

    /// A connection within the process: frames as over TCP. None beyond the limit of strangers, and once the server stops.
    pub fn connect(&self) -> Option<DuplexStream> {
        self.gateway.connect()
    }

    /// Returns when something ended without which the server cannot do its work, and says what: time to stop it and start anew.
    pub async fn broke(&self) -> anyhow::Error {
        anyhow::anyhow!("{}", self.watch.falls().await)
    }

    /// Takes from these settings what can change while the server runs: the certificate, for connections that come; and whose tokens
    /// are believed, for logins. Takes all of it or, when something of it is broken, nothing.
    pub fn reload(&self, config: &Config) -> anyhow::Result<()> {
        let (certificate, keys) = (tls::read(&config.tls)?, Keys::load(&config.auth, &config.store.dir)?);
        match (&self.certificate, certificate) {
            (Some(certificate), Some(other)) => certificate.replace(other),
            (None, None) => {}
            _ => anyhow::bail!("tls.cert_file was added or taken away: that needs a restart"),
        }
        self.cx.credentials.tokens.replace(keys);
        Ok(())
    }

    /// What the process counts, to be told among the metrics.
    pub fn count(&self, process: Process) {
        self.cx.metrics.count(process);
    }

    /// Tells clients to come back later, ends their connections, then closes the store. What was acknowledged is kept.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.watch.stand_down();
        self.stop.cancel();
        let ended = self.running.await.context("the gateway broke");
        self.gateway.end().await;
        self.peers.leave().await;
        // What was begun for the others is stored, answered and told.
        let _ = timeout(UNDER_WAY_PATIENCE, self.under_way.acquire_many(UNDER_WAY_BYTES_MAX)).await;
        self.cx.store.close().await;
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
