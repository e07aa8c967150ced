//! Frames over WebSocket or TCP, plain or with TLS. Knows bytes and sockets, and nothing of what the frames mean.

use std::{
    collections::VecDeque,
    io,
    path::Path,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
};

use anser_proto::{Format, limits::SERVER_FRAME_BYTES_MAX, tcp, v1};
use bytes::{Buf as _, BytesMut};
use futures_util::{Sink as _, Stream as _, future::BoxFuture};
use rand::RngExt as _;
use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error as WsError, Message, Utf8Bytes,
        client::IntoClientRequest as _,
        http::{HeaderValue, Uri, header::SEC_WEBSOCKET_PROTOCOL},
        protocol::WebSocketConfig,
    },
};

use crate::{trust::trust, unopened::Unopened};

/// A small buffer costs no speed and saves 120 KiB a connection.
const READ_BUFFER_BYTES: usize = 4 * 1024;

/// Opens connections. A seam: whoever wants to lose frames or cut connections wraps [`Network`].
pub trait Dial: Send + Sync {
    /// Opens one connection, handshakes included. May be dropped at any time; the engine bounds how long it may take.
    /// Where the error can be told from others it bears an [`Unopened`].
    fn dial(&self) -> BoxFuture<'_, io::Result<Box<dyn Transport>>>;
}

/// One connection that carries whole frames both ways, in order.
pub trait Transport: Send {
    /// Takes a frame to be sent. Does not wait; it goes out while [`Transport::receive`] or [`Transport::close`] is
    /// polled. The engine bounds how much is under way.
    fn send(&mut self, frame: v1::ClientFrame);

    /// The next frame, or why there is none any more; after that it is not called again. Sends meanwhile.
    /// Cancel-safe: nothing is lost when the future is dropped.
    fn receive(&mut self) -> BoxFuture<'_, Result<v1::ServerFrame, Closed>>;

    /// Bytes that came over it so far, of frames that are not whole yet too: a large frame on a slow line is a sign of life before it is whole.
    fn received(&self) -> u64;

    /// Sends what was taken and says goodbye. May wait as long as the network does; the caller bounds it.
    fn close(self: Box<Self>) -> BoxFuture<'static, ()>;
}

/// The end of a connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Closed {
    /// The WebSocket's close code, if the other side said one.
    pub code: Option<u16>,
    pub reason: String,
}

impl Closed {
    fn because(reason: impl ToString) -> Self {
        Self { code: None, reason: reason.to_string() }
    }
}

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BadUrl {
    #[error("`{0}` is no address of a server: write `ws://host:port`, `wss://…`, `tcp://…` or `tls://…`")]
    Malformed(String),
    #[error("cannot read certificates{}: {error}", .file.as_deref().map(|file| format!(" from {file}")).unwrap_or_default())]
    Certificates { file: Option<String>, error: String },
}

/// Real connections to one server, or to the nodes of one cluster in turn.
pub struct Network {
    addresses: Vec<Address>,
    format: Format,
    /// The one that was tried last.
    last: AtomicUsize,
}

struct Address {
    host: String,
    port: u16,
    tls: Option<TlsConnector>,
    /// The whole address, for a WebSocket's handshake; none: bare TCP.
    websocket: Option<Uri>,
}

impl Network {
    /// `urls`: one, or several with commas between them. `ca_file`: certificates (PEM) to trust instead of the system's; one that is
    /// the server's own, self-signed or not, is believed whatever its name and dates.
    pub fn new(urls: &str, format: Format, ca_file: Option<&Path>) -> Result<Self, BadUrl> {
        let addresses: Vec<_> =
            urls.split(',').map(|url| Address::new(url.trim(), ca_file)).collect::<Result<_, _>>()?;
        let last = AtomicUsize::new(rand::rng().random_range(0..addresses.len()));
        Ok(Self { addresses, format, last })
    }

    async fn open(&self) -> io::Result<Box<dyn Transport>> {
        // Any but the one that failed or ended. By chance: if all clients went on to the same next one, the nodes that are restarted one
        // by one would drive all of them before each other.
        let (last, count) = (self.last.load(Ordering::Relaxed), self.addresses.len());
        let step = if count > 1 { rand::rng().random_range(1..count) } else { 0 };
        let next = (last + step) % count;
        self.last.store(next, Ordering::Relaxed);
        self.addresses[next].open(self.format).await
    }
}

impl Address {
    fn new(url: &str, ca_file: Option<&Path>) -> Result<Self, BadUrl> {
        let malformed = || BadUrl::Malformed(url.to_owned());
        let uri = url.parse::<Uri>().map_err(|_| malformed())?;
        let (websocket, secure, default_port) = match uri.scheme_str() {
            Some("ws") => (true, false, Some(80)),
            Some("wss") => (true, true, Some(443)),
            Some("tcp") => (false, false, None),
            Some("tls") => (false, true, None),
            _ => return Err(malformed()),
        };
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(malformed)?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = uri.port_u16().or(default_port).ok_or_else(malformed)?;
        let tls = secure.then(|| trust(ca_file)).transpose()?;
        let websocket = websocket.then(|| with_path(uri)).transpose().map_err(|_| malformed())?;
        Ok(Self { host, port, tls, websocket })
    }

    async fn open(&self, format: Format) -> io::Result<Box<dyn Transport>> {
        let server = format!("{}:{}", self.host, self.port);
        let connected = TcpStream::connect((self.host.as_str(), self.port)).await;
        let socket = connected.map_err(|error| Unopened::connecting(&self.host, &server, error))?;
        socket.set_nodelay(true)?;
        let received = Arc::new(AtomicU64::new(0));
        let socket = Counted { socket, received: Arc::clone(&received) };
        let stream: Box<dyn Duplex> = match &self.tls {
            None => Box::new(socket),
            Some(tls) => {
                let name = ServerName::try_from(self.host.clone()).map_err(io::Error::other)?;
                let secured = tls.connect(name, socket).await;
                Box::new(secured.map_err(|error| Unopened::securing(&server, error))?)
            }
        };
        let Some(uri) = &self.websocket else { return Ok(Box::new(Tcp::new(stream, format, received))) };
        let mut request = uri.clone().into_client_request().map_err(io::Error::other)?;
        let subprotocol = HeaderValue::from_static(format.subprotocol());
        request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, subprotocol);
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .max_message_size(Some(SERVER_FRAME_BYTES_MAX))
            .max_frame_size(Some(SERVER_FRAME_BYTES_MAX));
        let opened = tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await;
        let (stream, _) = opened.map_err(|error| Unopened::upgrading(&uri.to_string(), error))?;
        Ok(Box::new(Ws { stream, format, waiting: VecDeque::new(), received }))
    }
}

impl Dial for Network {
    fn dial(&self) -> BoxFuture<'_, io::Result<Box<dyn Transport>>> {
        Box::pin(self.open())
    }
}

fn with_path(uri: Uri) -> Result<Uri, ()> {
    if uri.path() != "/" && !uri.path().is_empty() {
        return Ok(uri);
    }
    let mut parts = uri.into_parts();
    parts.path_and_query = Some("/v1/ws".parse().map_err(|_| ())?);
    Uri::from_parts(parts).map_err(|_| ())
}

trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Duplex for S {}

/// A socket that counts what comes.
struct Counted {
    socket: TcpStream,
    received: Arc<AtomicU64>,
}

impl AsyncRead for Counted {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.socket).poll_read(cx, buf))?;
        self.received.fetch_add((buf.filled().len() - before) as u64, Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

/// One frame a WebSocket message.
struct Ws {
    stream: WebSocketStream<Box<dyn Duplex>>,
    format: Format,
    waiting: VecDeque<Message>,
    received: Arc<AtomicU64>,
}

impl Ws {
    /// Pending until everything is sent. The last poll's waker is woken when more can be sent.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsError>> {
        let mut stream = Pin::new(&mut self.stream);
        while !self.waiting.is_empty() {
            ready!(stream.as_mut().poll_ready(cx))?;
            if let Some(message) = self.waiting.pop_front() {
                stream.as_mut().start_send(message)?;
            }
        }
        stream.poll_flush(cx)
    }

    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Result<v1::ServerFrame, Closed>> {
        // An error in sending is found by reading too, perhaps behind a close frame that tells why.
        let _ = self.poll_send(cx);
        loop {
            let message = match ready!(Pin::new(&mut self.stream).poll_next(cx)) {
                Some(Ok(message)) => message,
                Some(Err(error)) => return Poll::Ready(Err(Closed::because(error))),
                None => return Poll::Ready(Err(Closed::because("the connection ended"))),
            };
            let bytes = match message {
                Message::Binary(bytes) => bytes,
                Message::Text(text) => text.into(),
                Message::Close(close) => {
                    return Poll::Ready(Err(match close {
                        Some(close) => Closed { code: Some(close.code.into()), reason: close.reason.to_string() },
                        None => Closed::because("the server closed the connection"),
                    }));
                }
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => continue,
            };
            return Poll::Ready(self.format.decode(&bytes).map_err(Closed::because));
        }
    }
}

impl Transport for Ws {
    fn send(&mut self, frame: v1::ClientFrame) {
        let bytes = self.format.encode(&frame);
        self.waiting.push_back(match self.format {
            Format::Protobuf => Message::Binary(bytes),
            Format::Json => Message::Text(Utf8Bytes::try_from(bytes).expect("JSON is UTF-8")),
        });
    }

    fn receive(&mut self) -> BoxFuture<'_, Result<v1::ServerFrame, Closed>> {
        Box::pin(std::future::poll_fn(|cx| self.poll_receive(cx)))
    }

    fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    fn close(mut self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            // The connection ends anyway; saying goodbye is a courtesy.
            let _ = std::future::poll_fn(|cx| self.poll_send(cx)).await;
            let _ = self.stream.close(None).await;
        })
    }
}

/// Frames behind their lengths.
struct Tcp {
    stream: Box<dyn Duplex>,
    format: Format,
    read: BytesMut,
    waiting: BytesMut,
    received: Arc<AtomicU64>,
}

impl Tcp {
    fn new(stream: Box<dyn Duplex>, format: Format, received: Arc<AtomicU64>) -> Self {
        Self { stream, format, read: BytesMut::new(), waiting: BytesMut::new(), received }
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.waiting.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.waiting))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.waiting.advance(written);
        }
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Result<v1::ServerFrame, Closed>> {
        // An error in sending is found by reading too.
        let _ = self.poll_send(cx);
        loop {
            if let Some(frame) = tcp::take_frame(&mut self.read, SERVER_FRAME_BYTES_MAX).map_err(Closed::because)? {
                return Poll::Ready(self.format.decode(&frame).map_err(Closed::because));
            }
            let mut buffer = [0; READ_BUFFER_BYTES];
            let mut buffer = ReadBuf::new(&mut buffer);
            ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer)).map_err(Closed::because)?;
            if buffer.filled().is_empty() {
                return Poll::Ready(Err(Closed::because("the connection ended")));
            }
            self.read.extend_from_slice(buffer.filled());
        }
    }
}

impl Transport for Tcp {
    fn send(&mut self, frame: v1::ClientFrame) {
        tcp::put_frame(&mut self.waiting, &self.format.encode(&frame));
    }

    fn receive(&mut self) -> BoxFuture<'_, Result<v1::ServerFrame, Closed>> {
        Box::pin(std::future::poll_fn(|cx| self.poll_receive(cx)))
    }

    fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    fn close(mut self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            // The connection ends anyway; saying goodbye is a courtesy.
            let _ = std::future::poll_fn(|cx| self.poll_send(cx)).await;
            let _ = std::future::poll_fn(|cx| Pin::new(&mut self.stream).poll_shutdown(cx)).await;
        })
    }
}
