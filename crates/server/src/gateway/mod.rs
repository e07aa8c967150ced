//! Sockets live here and nowhere else: the two ports, their limits, TLS, and the end of it all.

mod conn;
mod io;
mod login;
pub mod operator;
mod socket;
pub mod tls;
mod upgrade;
mod writing;

use std::{io::ErrorKind, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context as _;
use axum::Router;
use hyper_util::{rt::TokioIo, rt::TokioTimer, service::TowerToHyperService};
use tokio::{
    io::DuplexStream,
    net::{TcpListener, TcpStream, UnixListener},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::{
    io::Io,
    socket::{LARGE_FRAMES_MAX, Socket},
};
use crate::{accepted::Accepted, config::Config, ctx::Ctx, http};

/// From the first byte to the end of the TLS handshake, and again of the HTTP headers.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// A connection that does not become a WebSocket by then is ended: whoever scrapes metrics connects again.
const HTTP_TIMEOUT: Duration = Duration::from_secs(60);
/// Bytes of HTTP headers.
const HTTP_HEADERS_MAX: usize = 16 * 1024;
/// A request of the operator that takes longer is given up.
const OPERATOR_TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes under way, each way, in a connection without a socket.
const PIPE_BYTES: usize = 64 * 1024;
/// How long no connection is accepted when the process has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The two ports and everything that was accepted on them.
pub struct Gateway {
    cx: Arc<Ctx>,
    /// Tells every connection that the server stops.
    shutdown: CancellationToken,
    tasks: TaskTracker,
    /// One for each connection.
    places: Arc<Semaphore>,
    /// One for each large frame that comes.
    large_places: Arc<Semaphore>,
    tls: Option<TlsAcceptor>,
}

/// Ports that are bound but do not accept yet.
pub struct Listeners {
    pub http: TcpListener,
    pub tcp: TcpListener,
    operator: UnixListener,
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
            operator: operator::bind(&config.store.dir)?,
        })
    }
}

impl Gateway {
    pub fn new(cx: Arc<Ctx>, tls: Option<TlsAcceptor>) -> Arc<Self> {
        let places = Arc::new(Semaphore::new(cx.config.limits.connections as usize));
        let large_places = Arc::new(Semaphore::new(LARGE_FRAMES_MAX));
        let (shutdown, tasks) = (CancellationToken::new(), TaskTracker::new());
        Arc::new(Self { cx, shutdown, tasks, places, large_places, tls })
    }

    /// Accepts on both ports until `stop`.
    pub async fn run(self: Arc<Self>, listeners: Listeners, stop: CancellationToken) {
        let routes = http::routes(Arc::clone(&self.cx))
            .merge(Router::new().route("/v1/ws", axum::routing::get(upgrade::upgrade)).with_state(Arc::clone(&self)));
        let unready = Duration::from_millis(self.cx.config.listen.unready_ms);
        let stopping = async {
            stop.cancelled().await;
            self.cx.peers.set_draining();
            sleep(unready).await;
        };
        tokio::select! {
            () = stopping => {}
            () = self.accept(&listeners.http, move |gateway, _, io| gateway.serve_http(io, routes.clone())) => {}
            () = self.accept(&listeners.tcp, Self::serve_tcp) => {}
            () = self.accept_operator(&listeners.operator) => {}
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
        serve: impl Fn(Arc<Self>, Accepted, Io) -> F + Clone + Send + 'static,
    ) where
        F: Future<Output = ()> + Send,
    {
        loop {
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => continue,
                Err(error) => {
                    tracing::warn!(%error, "cannot accept");
                    sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            // Beyond the limit a connection is closed at once: to say why would need the place that is missing.
            let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
                self.cx.metrics.turned_away.inc();
                continue;
            };
            let accepted = self.cx.hub.accept((self.cx.clock)());
            let gateway = Arc::clone(self);
            let serve = serve.clone();
            self.tasks.spawn(async move {
                let Ok(Some(io)) = timeout(HANDSHAKE_TIMEOUT, gateway.secure(stream, place)).await else {
                    return;
                };
                serve(gateway, accepted, io).await;
            });
        }
    }

    async fn secure(&self, stream: TcpStream, place: OwnedSemaphorePermit) -> Option<Io> {
        // Frames are gathered before they are written, so the kernel need not wait for more.
        stream.set_nodelay(true).ok()?;
        match &self.tls {
            None => Some(Io::plain(stream, place)),
            Some(tls) => Some(Io::tls(tls.accept(stream).await.ok()?, place)),
        }
    }

    /// A connection without a socket: frames as over TCP. None beyond the limit, and once the server stops.
    pub fn connect(self: &Arc<Self>) -> Option<DuplexStream> {
        if self.shutdown.is_cancelled() {
            return None;
        }
        let place = Arc::clone(&self.places).try_acquire_owned().ok()?;
        let (ours, theirs) = tokio::io::duplex(PIPE_BYTES);
        let accepted = self.cx.hub.accept((self.cx.clock)());
        self.tasks.spawn(Arc::clone(self).serve_tcp(accepted, Io::pipe(ours, place)));
        Some(theirs)
    }

    async fn accept_operator(&self, listener: &UnixListener) {
        let routes = http::operator_routes(Arc::clone(&self.cx));
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let service = TowerToHyperService::new(routes.clone());
                    self.tasks.spawn(async move {
                        let served = http1().serve_connection(TokioIo::new(stream), service);
                        let _ = timeout(OPERATOR_TIMEOUT, served).await;
                    });
                }
                Err(_) => sleep(ACCEPT_PAUSE).await,
            }
        }
    }

    async fn serve_http(self: Arc<Self>, io: Io, routes: Router) {
        let connection = http1().serve_connection(TokioIo::new(io), TowerToHyperService::new(routes)).with_upgrades();
        tokio::pin!(connection);
        tokio::select! {
            _ = &mut connection => {}
            () = sleep(HTTP_TIMEOUT) => {}
            () = self.shutdown.cancelled() => {
                connection.as_mut().graceful_shutdown();
                let _ = connection.await;
            }
        }
    }

    async fn serve_tcp(self: Arc<Self>, accepted: Accepted, io: Io) {
        let socket = Socket::tcp(io, Arc::clone(&self.large_places));
        conn::run(Arc::clone(&self.cx), accepted, socket, self.shutdown.clone()).await;
    }
}

fn http1() -> hyper::server::conn::http1::Builder {
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HANDSHAKE_TIMEOUT).max_buf_size(HTTP_HEADERS_MAX);
    builder
}
