//! One connection in the words of the protocol, and in any other bytes.

use std::{collections::VecDeque, io, time::Duration};

use anser_proto::{
    Format, UserId,
    limits::SERVER_FRAME_BYTES_MAX,
    tcp,
    v1::{self, client_frame::Request, server_frame::Body},
};
use bytes::{Bytes, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    time::{Instant, sleep_until, timeout, timeout_at},
};

use crate::{
    toll::Toll,
    web_socket::{self, BINARY, CLOSE, FIN, Frame, TEXT},
};

/// Long enough for a busy machine: who waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(30);
/// Read at once.
const READ_BYTES: usize = 16 * 1024;

/// Plain, TLS, or within the process.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// A connection. Nothing is read but by whoever waits for something.
pub struct Peer {
    pub stream: Box<dyn Stream>,
    read: BytesMut,
    transport: Transport,
    pub format: Format,
    next_id: u32,
    /// Nothing can be said any more.
    broken: bool,
    /// Over TCP a frame tells it, and then the stream ends.
    close_told: Option<u16>,
    /// Events that came while an answer was awaited.
    events: VecDeque<Body>,
    pub user: UserId,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Transport {
    Tcp,
    WebSocket,
}

/// What comes off a connection.
#[derive(Debug)]
pub enum Came {
    Frame(Box<v1::ServerFrame>),
    /// A ping or pong of the WebSocket: its first byte and its payload.
    Control(u8, Bytes),
    /// With the code of the close, if one was told.
    Closed(Option<u16>),
}

impl Peer {
    pub fn tcp(stream: impl Stream + 'static, format: Format) -> Self {
        Self::new(Box::new(stream), Transport::Tcp, format)
    }

    /// After the handshake. An answer other than 101 is an error that has its status line.
    pub async fn web_socket(stream: impl Stream + 'static, format: Format) -> io::Result<Self> {
        Self::web_socket_with(stream, format, "").await
    }

    /// With more headers, each with its line's end.
    pub async fn web_socket_with(stream: impl Stream + 'static, format: Format, headers: &str) -> io::Result<Self> {
        let mut peer = Self::new(Box::new(stream), Transport::WebSocket, format);
        peer.stream.write_all(upgrade(format, headers).as_bytes()).await?;
        let status = peer.http_head().await?;
        if status.starts_with("HTTP/1.1 101 ") { Ok(peer) } else { Err(io::Error::other(status)) }
    }

    fn new(stream: Box<dyn Stream>, transport: Transport, format: Format) -> Self {
        let (read, close_told, events) = (BytesMut::new(), None, VecDeque::new());
        Self { stream, read, transport, format, next_id: 0, broken: false, close_told, events, user: UserId(0) }
    }

    /// Reads the head of an answer over HTTP; tells its status line.
    async fn http_head(&mut self) -> io::Result<String> {
        let end = loop {
            if let Some(at) = self.read.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            if self.read_some().await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        };
        let head = self.read.split_to(end);
        Ok(String::from_utf8_lossy(&head).lines().next().unwrap_or_default().to_owned())
    }

    async fn read_some(&mut self) -> io::Result<usize> {
        self.read.reserve(READ_BYTES);
        timeout(PATIENCE, self.stream.read_buf(&mut self.read)).await.map_err(|_| io::ErrorKind::TimedOut)?
    }

    /// Logs in, or says what the server answered instead.
    pub async fn hello(&mut self, hello: v1::Hello) -> io::Result<v1::Welcome> {
        match self.ask(Request::Hello(hello)).await? {
            Body::Welcome(welcome) => {
                self.user = UserId(welcome.user.as_ref().map_or(0, |user| user.user_id));
                Ok(welcome)
            }
            other => Err(io::Error::other(format!("not welcome: {other:?}"))),
        }
    }

    /// The bytes of a request, with an id of its own, as they go over this connection.
    pub fn wire(&mut self, request: Request) -> (u32, Bytes) {
        self.next_id += 1;
        let frame = v1::ClientFrame { request_id: self.next_id, request: Some(request) };
        (self.next_id, self.wrap(&self.format.encode(&frame)))
    }

    /// A frame around any bytes.
    pub fn wrap(&self, payload: &[u8]) -> Bytes {
        match self.transport {
            Transport::WebSocket => Frame::new(FIN | opcode(self.format), payload).bytes(),
            Transport::Tcp => {
                let mut out = BytesMut::new();
                tcp::put_frame(&mut out, payload);
                out.freeze()
            }
        }
    }

    pub async fn say(&mut self, request: Request) -> io::Result<u32> {
        let (id, bytes) = self.wire(request);
        self.stream.write_all(&bytes).await?;
        Ok(id)
    }

    /// What comes next; a connection that breaks is closed without a code.
    pub async fn came(&mut self) -> Came {
        loop {
            if let Some(came) = self.take() {
                return came;
            }
            if !matches!(self.read_some().await, Ok(1..)) {
                return Came::Closed(self.close_told.take());
            }
        }
    }

    /// What was read already.
    fn take(&mut self) -> Option<Came> {
        let payload = match self.transport {
            Transport::Tcp => tcp::take_frame(&mut self.read, SERVER_FRAME_BYTES_MAX).expect("within the limit")?,
            Transport::WebSocket => match web_socket::take_frame(&mut self.read)? {
                (first, payload) if first == FIN | CLOSE => {
                    let code = payload.first_chunk().map(|code| u16::from_be_bytes(*code));
                    return Some(Came::Closed(code));
                }
                (first, payload) if first == FIN | opcode(self.format) => payload,
                (first, payload) => return Some(Came::Control(first, payload)),
            },
        };
        let frame: v1::ServerFrame = self.format.decode(&payload).expect("what the server says is a frame");
        if let Some(Body::Close(close)) = &frame.body {
            self.close_told = u16::try_from(close.code).ok();
        }
        Some(Came::Frame(Box::new(frame)))
    }

    /// The answer to a request; events that come before it are kept.
    pub async fn answer(&mut self, request_id: u32) -> io::Result<Body> {
        loop {
            match self.came().await {
                Came::Frame(frame) if frame.request_id == request_id => {
                    return frame.body.ok_or_else(|| io::Error::other("an answer without a body"));
                }
                Came::Frame(frame) => self.events.extend(frame.body),
                Came::Control(..) => {}
                Came::Closed(code) => {
                    return Err(io::Error::other(format!("closed with {code:?} after {:?}", self.events)));
                }
            }
        }
    }

    pub async fn ask(&mut self, request: Request) -> io::Result<Body> {
        let id = self.say(request).await?;
        self.answer(id).await
    }

    pub async fn event(&mut self) -> io::Result<Body> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(event);
            }
            match self.came().await {
                Came::Frame(frame) => self.events.extend(frame.body.filter(|_| frame.request_id == 0)),
                Came::Control(..) => {}
                Came::Closed(code) => return Err(io::Error::other(format!("closed with {code:?}"))),
            }
        }
    }

    /// Reads to the end.
    pub async fn end(&mut self) -> Toll {
        let mut toll = Toll::default();
        loop {
            let came = self.came().await;
            toll.count(&came);
            if matches!(came, Came::Closed(_)) {
                return toll;
            }
        }
    }

    /// Says the same again and again, and reads and counts what comes back, until the server ends it or time is over.
    pub async fn flood(&mut self, bytes: &[u8], until: Instant) -> Toll {
        let mut toll = Toll::default();
        loop {
            let (more, ended) = self.say_and_read(bytes, until).await;
            toll = toll.and(more);
            if ended || Instant::now() >= until {
                return toll;
            }
        }
    }

    /// Says this and meanwhile reads and counts what comes; with nothing to say, reads. Tells whether the connection has ended.
    pub async fn say_and_read(&mut self, mut bytes: &[u8], until: Instant) -> (Toll, bool) {
        let mut toll = Toll::default();
        let only_read = bytes.is_empty();
        loop {
            while let Some(came) = self.take() {
                toll.count(&came);
                if matches!(came, Came::Closed(_)) {
                    return (toll, true);
                }
            }
            if bytes.is_empty() && !only_read {
                return (toll, false);
            }
            self.read.reserve(READ_BYTES);
            let (mut reading, mut writing) = tokio::io::split(&mut self.stream);
            tokio::select! {
                // Who writes first does not see in time that they were told to go.
                biased;
                read = reading.read_buf(&mut self.read) => if !matches!(read, Ok(1..)) {
                    toll.count(&Came::Closed(self.close_told.take()));
                    return (toll, true);
                },
                // When nobody takes it any more, what was said before is still read.
                wrote = writing.write(bytes), if !bytes.is_empty() && !self.broken => match wrote {
                    Ok(wrote) => bytes = &bytes[wrote..],
                    Err(_) => self.broken = true,
                },
                () = sleep_until(until) => return (toll, false),
            }
        }
    }

    /// Says the same again and again and reads nothing, until nobody takes it any more or time is over.
    pub async fn pour(&mut self, bytes: &[u8], until: Instant) {
        let pouring = async { while self.stream.write_all(bytes).await.is_ok() {} };
        let _ = timeout_at(until, pouring).await;
    }
}

fn opcode(format: Format) -> u8 {
    match format {
        Format::Protobuf => BINARY,
        Format::Json => TEXT,
    }
}

/// The request for a WebSocket.
pub fn upgrade(format: Format, headers: &str) -> String {
    let subprotocol = format.subprotocol();
    format!(
        "GET /v1/ws HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         sec-websocket-protocol: {subprotocol}\r\n{headers}\r\n"
    )
}
