//! Sockets live here and nowhere else: the ports, their limits, TLS, and the end of it all.

mod arrival;
mod conn;
mod door;
mod io;
mod lines;
mod login;
pub mod operator;
mod refusals;
mod socket;
pub mod tls;
mod upgrade;
mod writing;

use std::{
    io::ErrorKind,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use axum::Router;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{rt::TokioIo, rt::TokioTimer, service::TowerToHyperService};
use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream},
    net::{TcpListener, TcpStream, UnixListener},
    sync::Semaphore,
    time::{Instant, sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt as _;

use self::{arrival::Arrival, door::Door, io::Io, lines::Lines, socket::Socket};
use crate::{config::Config, ctx::Ctx, http::Routes};

/// Of one request. A login as a whole has a limit of its own.
const HEADERS_TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes of HTTP headers.
const HTTP_HEADERS_MAX: usize = 16 * 1024;
/// Connections of operators at one time, on the port and the socket together. Further ones are closed at once.
const OPERATORS_MAX: usize = 64;
/// A connection of an operator that takes longer is ended; whoever scrapes metrics connects again.
const OPERATOR_TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes under way, each way, in a connection without a socket.
const PIPE_BYTES: usize = 64 * 1024;
/// How long no connection is accepted when the process has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// It is told once in so long.
const ACCEPT_TOLD: Duration = Duration::from_secs(60);

/// The ports and everything that was accepted on them.
pub struct Gateway {
    cx: Arc<Ctx>,
    /// Tells every connection that the server stops.
    shutdown: CancellationToken,
    tasks: TaskTracker,
    door: Arc<Door>,
    /// A place for each connection of operators, who must get in when users do not.
    operators: Arc<Semaphore>,
    tls: Option<TlsAcceptor>,
}

/// Ports that are bound but do not accept yet.
pub struct Listeners {
    pub http: TcpListener,
    pub tcp: TcpListener,
    pub operator: TcpListener,
    owner: UnixListener,
}

impl Listeners {
    pub async fn bind(config: &Config) -> anyhow::Result<Self> {
        let bind = async |key, addr: SocketAddr| {
            TcpListener::bind(addr)
                .await
                .with_context(|| format!("cannot listen on {addr}: choose another address for {key}"))
        };
        Ok(Self {
            http: bind("listen.http", config.listen.http).await?,
            tcp: bind("listen.tcp", config.listen.tcp).await?,
            operator: bind("listen.operator", config.listen.operator()).await?,
            owner: operator::bind(&config.store.dir)?,
        })
    }
}

impl Gateway {
    pub fn new(cx: Arc<Ctx>, tls: Option<TlsAcceptor>) -> Arc<Self> {
        let door = Door::new(&cx.config.limits, &cx.metrics);
        let operators = Arc::new(Semaphore::new(OPERATORS_MAX));
        let (shutdown, tasks) = (CancellationToken::new(), TaskTracker::new());
        Arc::new(Self { cx, shutdown, tasks, door, operators, tls })
    }

    /// Accepts on both ports until `stop`.
    pub async fn run(self: Arc<Self>, listeners: Listeners, stop: CancellationToken) {
        let Routes { public, operator, owner } = Routes::new(&self.cx);
        let routes = public
            .merge(Router::new().route("/v1/ws", axum::routing::get(upgrade::upgrade)).with_state(Arc::clone(&self)));
        let unready = Duration::from_millis(self.cx.config.listen.unready_ms);
        let stopping = async {
            stop.cancelled().await;
            self.cx.peers.set_draining();
            sleep(unready).await;
        };
        tokio::select! {
            () = stopping => {}
            () = self.accept(&listeners.http, move |gateway, arrival, io| gateway.serve_http(arrival, io, routes.clone())) => {}
            () = self.accept(&listeners.tcp, Self::serve_tcp) => {}
            () = self.accept_operators(&listeners, &operator, &owner) => {}
        }
    }

    /// Lets every connection end and waits for them, within bounds.
    pub async fn end(&self) {
        self.shutdown.cancel();
        self.tasks.close();
        let patience = Duration::from_millis(self.cx.config.listen.drain_ms);
        if timeout(patience, self.tasks.wait()).await.is_err() {
            tracing::warn!(left = self.tasks.len(), "connections did not end in time");
        }
    }

    /// Accepts for ever. `serve` gets each stream once its TLS handshake, if any, is done.
    async fn accept<F>(
        self: &Arc<Self>,
        listener: &TcpListener,
        serve: impl Fn(Arc<Self>, Arrival, Io) -> F + Clone + Send + 'static,
    ) where
        F: Future<Output = ()> + Send,
    {
        let mut failures = Lines::new(1, ACCEPT_TOLD);
        loop {
            let (stream, peer) = match listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => continue,
                Err(error) => {
                    if let Some(passed_over) = failures.admit(Instant::now()) {
                        tracing::warn!(%error, passed_over, "cannot accept");
                    }
                    sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            // Who is turned away is closed at once: to say why would need the place that is missing.
            let address = peer.ip().to_canonical();
            let Some(arrival) = self.arrive(address, Some(address)) else { continue };
            let gateway = Arc::clone(self);
            let serve = serve.clone();
            self.tasks.spawn(async move {
                let Ok(Some(io)) = arrival.within(gateway.secure(stream)).await else { return };
                serve(gateway, arrival, io).await;
            });
        }
    }

    /// None when there is no room for one more that counts there.
    fn arrive(&self, address: IpAddr, charged: Option<IpAddr>) -> Option<Arrival> {
        let stranger = self.door.enter(charged).map_err(|reason| self.door.turn_away(address, reason)).ok()?;
        Some(Arrival {
            stranger: Arc::new(stranger),
            accepted: self.cx.hub.accept((self.cx.clock)()),
            address,
            deadline: Instant::now() + Duration::from_millis(self.cx.config.limits.login_ms.into()),
        })
    }

    async fn secure(&self, stream: TcpStream) -> Option<Io> {
        // Frames are gathered before they are written, so the kernel need not wait for more.
        stream.set_nodelay(true).ok()?;
        match &self.tls {
            None => Some(Io::plain(stream.into())),
            Some(tls) => Some(Io::tls(tls.accept(stream.into()).await.ok()?)),
        }
    }

    /// A connection without a socket: frames as over TCP. None beyond the limit of strangers, and once the server stops.
    pub fn connect(self: &Arc<Self>) -> Option<DuplexStream> {
        if self.shutdown.is_cancelled() {
            return None;
        }
        let arrival = self.arrive(Ipv4Addr::LOCALHOST.into(), None)?;
        let (ours, theirs) = tokio::io::duplex(PIPE_BYTES);
        self.tasks.spawn(Arc::clone(self).serve_tcp(arrival, Io::plain(ours.into())));
        Some(theirs)
    }

    /// Accepts for ever.
    async fn accept_operators(&self, listeners: &Listeners, operator: &Router, owner: &Router) {
        loop {
            let accepted = tokio::select! {
                accepted = listeners.operator.accept() => accepted.map(|(stream, _)| self.serve_operator(stream, operator)),
                accepted = listeners.owner.accept() => accepted.map(|(stream, _)| self.serve_operator(stream, owner)),
            };
            if accepted.is_err() {
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }

    fn serve_operator(&self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, routes: &Router) {
        let Ok(place) = Arc::clone(&self.operators).try_acquire_owned() else { return };
        let served = http1().serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes.clone()));
        self.tasks.spawn(async move {
            let _ = timeout(OPERATOR_TIMEOUT, served).await;
            drop(place);
        });
    }

    /// Whoever does not become a WebSocket is a stranger until the end: what asks for health connects again.
    async fn serve_http(self: Arc<Self>, arrival: Arrival, io: Io, routes: Router) {
        let of_this = arrival.clone();
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(of_this.clone());
            routes.clone().oneshot(request)
        });
        let connection = http1().serve_connection(TokioIo::new(io), service).with_upgrades();
        tokio::pin!(connection);
        tokio::select! {
            _ = arrival.within(&mut connection) => {}
            () = self.shutdown.cancelled() => {
                connection.as_mut().graceful_shutdown();
                let _ = connection.await;
            }
        }
    }

    async fn serve_tcp(self: Arc<Self>, arrival: Arrival, io: Io) {
        conn::run(Arc::clone(&self.cx), arrival, Socket::tcp(io), self.shutdown.clone()).await;
    }
}

fn http1() -> hyper::server::conn::http1::Builder {
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEADERS_TIMEOUT).max_buf_size(HTTP_HEADERS_MAX);
    builder
}
