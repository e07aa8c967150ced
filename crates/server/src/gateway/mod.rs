//! Sockets live here and nowhere else: the ports, their limits, TLS, and the end of it all.

mod arrival;
mod conn;
mod door;
mod ending;
mod greeting;
mod io;
mod lines;
mod login;
pub mod operator;
mod proxies;
mod proxy_header;
mod refusals;
mod requests;
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
use hyper_util::{rt::TokioIo, rt::TokioTimer, service::TowerToHyperService};
use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream},
    net::{TcpListener, TcpStream, UnixListener},
    runtime::Handle,
    sync::Semaphore,
    time::{Instant, sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{
    sync::CancellationToken,
    task::{AbortOnDropHandle, TaskTracker},
};

use self::{
    arrival::Arrival,
    door::Door,
    io::Io,
    lines::Lines,
    proxies::{Proxies, Unsaid},
    socket::Socket,
    tls::Certificate,
};
use crate::{
    config::{Config, Port},
    ctx::Ctx,
    http::Routes,
    origin::host_of,
};

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
    /// What serves users, and what serves everybody until they are logged in: who floods the door has users wait for a core at most,
    /// and never in line behind a thousand strangers.
    users: Handle,
    strangers: Handle,
    door: Arc<Door>,
    proxies: Proxies,
    /// A place for each connection of operators, who must get in when users do not.
    operators: Arc<Semaphore>,
    certificate: Option<Arc<Certificate>>,
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
    pub async fn bind(config: &Config, strangers: &Handle) -> anyhow::Result<Self> {
        Ok(Self {
            http: strangers.spawn(bind("listen.http", config.listen.http)).await??,
            tcp: strangers.spawn(bind("listen.tcp", config.listen.tcp)).await??,
            operator: bind("listen.operator", config.listen.operator()).await?,
            owner: operator::bind(&config.store.dir)?,
        })
    }
}

async fn bind(key: &str, addr: SocketAddr) -> anyhow::Result<TcpListener> {
    let bound = TcpListener::bind(addr).await;
    bound.with_context(|| format!("cannot listen on {addr}: choose another address for {key}"))
}

impl Gateway {
    /// Users are served where this is called.
    pub fn new(cx: Arc<Ctx>, certificate: Option<Arc<Certificate>>, strangers: Handle) -> anyhow::Result<Arc<Self>> {
        let tls = certificate.as_ref().map(Certificate::acceptor).transpose()?;
        let door = Door::new(&cx.config.limits, &cx.metrics);
        let (proxies, operators) = (Proxies::new(&cx.config.listen), Arc::new(Semaphore::new(OPERATORS_MAX)));
        let (shutdown, tasks, users) = (CancellationToken::new(), TaskTracker::new(), Handle::current());
        Ok(Arc::new(Self { cx, shutdown, tasks, users, strangers, door, proxies, operators, certificate, tls }))
    }

    /// Whether the operator says that this server is called so: by `cluster.client_url`, or by its certificate.
    fn has_name(&self, name: &str) -> bool {
        let told = self.cx.config.cluster.client_url.as_deref().and_then(host_of);
        told.is_some_and(|told| told == name)
            || self.certificate.as_ref().is_some_and(|certificate| certificate.is_for(name))
    }

    /// Accepts on both ports until `stop`.
    pub async fn run(self: Arc<Self>, listeners: Listeners, stop: CancellationToken) {
        let Routes { public, operator, owner } = Routes::new(&self.cx);
        let routes = public
            .merge(Router::new().route("/v1/ws", axum::routing::get(upgrade::upgrade)).with_state(Arc::clone(&self)));
        let Listeners { http, tcp, operator: operators, owner: socket } = listeners;
        let mut accepting =
            AbortOnDropHandle::new(self.strangers.spawn(Arc::clone(&self).accept_strangers(http, tcp, routes)));
        let unready = Duration::from_millis(self.cx.config.listen.unready_ms);
        let stopping = async {
            stop.cancelled().await;
            self.cx.peers.set_draining();
            sleep(unready).await;
        };
        tokio::select! {
            () = stopping => {}
            ended = &mut accepting => ended.expect("the ports accept for ever"),
            () = self.accept_operators((&operators, &operator), (&socket, &owner)) => {}
        }
        // Then the ports are closed.
        accepting.abort();
        let _ = accepting.await;
    }

    async fn accept_strangers(self: Arc<Self>, http: TcpListener, tcp: TcpListener, routes: Router) {
        tokio::join!(
            self.accept(Port::Http, &http, move |gateway, arrival, io| {
                requests::serve(gateway, arrival, io, routes.clone())
            }),
            self.accept(Port::Tcp, &tcp, Self::serve_tcp),
        );
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

    /// Accepts for ever. `serve` gets each stream once what stands before its first byte is done.
    async fn accept<F>(
        self: &Arc<Self>,
        port: Port,
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
                    cannot_accept(&mut failures, &error).await;
                    continue;
                }
            };
            let address = peer.ip().to_canonical();
            // Who is turned away is closed at once: to say why would need the place that is missing.
            let Some(mut arrival) = self.arrive(address, self.proxies.charged(address)) else { continue };
            let gateway = Arc::clone(self);
            let serve = serve.clone();
            self.tasks.spawn(async move {
                let Some(io) = gateway.open(port, &mut arrival, stream).await else { return };
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
            deadline: self.deadline(),
        })
    }

    /// Of a login that begins now.
    fn deadline(&self) -> Instant {
        Instant::now() + Duration::from_millis(self.cx.config.limits.login_ms.into())
    }

    /// Takes what stands before the first byte: the header of a proxy, and the TLS handshake.
    async fn open(&self, port: Port, arrival: &mut Arrival, mut stream: TcpStream) -> Option<Io> {
        // Frames are gathered before they are written, so the kernel need not wait for more.
        stream.set_nodelay(true).ok()?;
        if self.proxies.must_head(arrival.address, port) {
            let come = match arrival.unanswered(proxy_header::read(&mut stream)).await? {
                Ok(Some(address)) => arrival.comes_from(address, &self.proxies),
                Ok(None) => Ok(()),
                Err(error) if error.kind() == ErrorKind::InvalidData => {
                    self.proxies.tell_silent(arrival.address, Unsaid::Header);
                    Err("proxy_protocol")
                }
                Err(_) => return None,
            };
            come.map_err(|reason| arrival.turn_away(reason)).ok()?;
        }
        let Some(tls) = &self.tls else { return Some(Io::plain(stream.into())) };
        match arrival.unanswered(tls.accept(stream.into())).await? {
            Ok(stream) => Some(Io::tls(stream)),
            Err(error) => {
                // Who just goes may have asked whether the port is open.
                if error.kind() == ErrorKind::InvalidData {
                    arrival.turn_away("tls");
                }
                None
            }
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
    async fn accept_operators(&self, port: (&TcpListener, &Router), socket: (&UnixListener, &Router)) {
        let mut failures = Lines::new(1, ACCEPT_TOLD);
        loop {
            let accepted = tokio::select! {
                accepted = port.0.accept() => accepted.map(|(stream, _)| self.serve_operator(stream, port.1)),
                accepted = socket.0.accept() => accepted.map(|(stream, _)| self.serve_operator(stream, socket.1)),
            };
            if let Err(error) = accepted {
                cannot_accept(&mut failures, &error).await;
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

    async fn serve_tcp(self: Arc<Self>, arrival: Arrival, io: Io) {
        self.greet(arrival, Socket::tcp(io)).await;
    }

    /// Whoever is let in goes over to where users are served.
    async fn greet(&self, arrival: Arrival, socket: Socket) {
        let greeted = Box::pin(greeting::greet(&self.cx, arrival, socket, &self.shutdown)).await;
        if let Some((socket, logged_in)) = greeted {
            let served = conn::run(Arc::clone(&self.cx), socket, logged_in, self.shutdown.clone());
            self.tasks.spawn_on(served, &self.users);
        }
    }
}

/// Tells the log, and waits for what is missing.
async fn cannot_accept(failures: &mut Lines, error: &std::io::Error) {
    if let Some(passed_over) = failures.admit(Instant::now()) {
        tracing::warn!(%error, passed_over, "cannot accept");
    }
    sleep(ACCEPT_PAUSE).await;
}

fn http1() -> hyper::server::conn::http1::Builder {
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEADERS_TIMEOUT).max_buf_size(HTTP_HEADERS_MAX);
    builder
}
