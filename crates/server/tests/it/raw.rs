//! A client that says exactly what a test wants, over any transport, and a server to say it to.

use std::{collections::VecDeque, net::SocketAddr, sync::Arc, time::Duration};

use anser_proto::{
    CloseCode, ConversationId, ErrorCode, Format, GroupId, UserId, VERSION,
    limits::SERVER_FRAME_BYTES_MAX,
    tcp,
    v1::{self, client_frame::Request, hello::Credential, server_frame::Body},
};
use anser_server::{Column, OPERATOR_SOCKET, Server, config::Config, token::Tokens};
use anser_store::{Clock, Options, Store, memory::MemoryStore};
use bytes::{Bytes, BytesMut};
use futures_util::{SinkExt as _, StreamExt as _};
use tempfile::TempDir;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream, UnixStream},
    runtime::Handle,
    time::{Instant, timeout},
};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        Message,
        client::IntoClientRequest as _,
        protocol::{
            WebSocketConfig,
            frame::{
                Frame,
                coding::{Data, OpCode},
            },
        },
    },
};

use crate::received;

/// Long enough for a busy machine; a test that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server of the test's own on ports of the system's choice.
pub struct TestServer {
    pub server: Server,
    pub store: Arc<dyn Store>,
    pub tokens: Tokens,
    pub config: Config,
    _dir: TempDir,
}

pub fn clock() -> Clock {
    anser_server::system_clock()
}

/// The system's, which goes on as the runtime's does where a test lets time pass.
fn passing_clock() -> Clock {
    let (begun, begun_ms) = (Instant::now(), clock()());
    Arc::new(move || begun_ms + u64::try_from(begun.elapsed().as_millis()).expect("a short test"))
}

pub fn memory_store(config: &Config) -> Arc<dyn Store> {
    Arc::new(MemoryStore::new(common(config)))
}

pub fn common(config: &Config) -> Options {
    Options {
        shards: config.store.shards,
        group_members_max: config.limits.group_members,
        groups_per_user_max: config.limits.groups_per_user,
        unanswered_groups_per_user_max: config.limits.unanswered_groups_per_user,
        unanswered_groups_per_inviter_max: config.limits.unanswered_groups_per_inviter,
        devices_per_user_max: config.limits.devices_per_user,
        people: config.messages.people(),
        recall: config.messages.recall(),
        edit: config.messages.edit(),
        clock: clock(),
    }
}

impl TestServer {
    pub async fn start() -> Self {
        Self::start_with(|_| {}, memory_store).await
    }

    pub async fn start_with(change: impl FnOnce(&mut Config), store: impl FnOnce(&Config) -> Arc<dyn Store>) -> Self {
        let dir = tempfile::tempdir().expect("a folder for the test");
        let mut config = Config::default();
        config.listen.http = ([127, 0, 0, 1], 0).into();
        config.listen.tcp = ([127, 0, 0, 1], 0).into();
        config.store.dir = dir.path().into();
        config.limits = config.limits.without_rates();
        change(&mut config);
        let store = store(&config);
        Self::start_on(dir, config, Column::alone(store, passing_clock())).await
    }

    /// `dir` is that of the settings.
    pub async fn start_on(dir: TempDir, config: Config, column: Column) -> Self {
        Self::start_apart(dir, config, column, Handle::current()).await
    }

    /// With strangers on another runtime.
    pub async fn start_apart(dir: TempDir, config: Config, column: Column, strangers: Handle) -> Self {
        let store = Arc::clone(&column.store);
        let tokens = Tokens::load(&config.auth, dir.path()).expect("a new secret");
        let server = Server::start_apart(config.clone(), column, strangers).await.expect("a server that starts");
        Self { server, store, tokens, config, _dir: dir }
    }

    pub fn token(&self, account: &str) -> String {
        let now_s = clock()() / 1000;
        self.tokens.mint(account, now_s, now_s + 3600)
    }

    pub fn hello(&self, account: &str, device_id: &str) -> v1::Hello {
        v1::Hello {
            version: VERSION,
            credential: Some(Credential::Token(self.token(account))),
            device: Some(v1::Device { device_id: device_id.into(), ..Default::default() }),
            ..Default::default()
        }
    }

    /// Status line and body of an answer on the port of clients.
    pub async fn get(&self, path: &str) -> (String, String) {
        get(self.server.http, path).await
    }

    pub async fn metrics(&self) -> String {
        get(self.server.operator, "/metrics").await.1
    }

    /// A request of the operator.
    pub async fn operator(&self, method: &str, path: &str, body: &str) -> (String, String) {
        let socket = self.config.store.dir.join(OPERATOR_SOCKET);
        let stream = UnixStream::connect(socket).await.expect("the socket accepts");
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\n\r\n{body}"
        );
        exchange(stream, &request).await
    }

    pub async fn tcp(&self, format: Format) -> Raw {
        let stream = TcpStream::connect(self.server.tcp).await.expect("the port accepts");
        Raw::over_tcp(stream, format)
    }

    /// On Linux every address of 127.0.0.0/8 is this machine's.
    pub async fn tcp_from(&self, address: [u8; 4]) -> Raw {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind((address, 0).into()).expect("an address of this machine");
        let stream = socket.connect(self.server.tcp).await.expect("the port accepts");
        Raw::over_tcp(stream, Format::Protobuf)
    }

    pub async fn web_socket(&self, format: Format) -> Raw {
        let stream = TcpStream::connect(self.server.http).await.expect("the port accepts");
        Raw::over_web_socket(stream, format).await
    }

    /// A user who is logged in, over TCP with protobuf.
    pub async fn login(&self, account: &str) -> Raw {
        self.login_device(account, "phone").await
    }

    /// The same, which is told when the list of devices changes.
    pub async fn login_among_devices(&self, account: &str, device_id: &str) -> Raw {
        let mut raw = self.login_device(account, device_id).await;
        raw.sees_devices = true;
        raw
    }

    pub async fn login_device(&self, account: &str, device_id: &str) -> Raw {
        let mut raw = self.tcp(Format::Protobuf).await;
        raw.hello(self.hello(account, device_id)).await;
        raw
    }
}

pub async fn get(address: SocketAddr, path: &str) -> (String, String) {
    let stream = TcpStream::connect(address).await.expect("the port accepts");
    exchange(stream, &format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")).await
}

/// Status line and body of the answer to a request over HTTP, after which the connection ends or is a WebSocket.
pub async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin, request: &str) -> (String, String) {
    let (status, mut body) = (status(&mut stream, request).await, String::new());
    if !status.starts_with("HTTP/1.1 101") {
        stream.read_to_string(&mut body).await.expect("text");
    }
    (status, body)
}

/// The status line alone.
pub async fn status(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), request: &str) -> String {
    stream.write_all(request.as_bytes()).await.expect("it is taken");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("a head"));
    }
    String::from_utf8(head).expect("text").lines().next().unwrap_or_default().to_owned()
}

/// A request for a WebSocket with these headers beside its own.
pub fn upgrade(headers: &str) -> String {
    format!(
        "GET /v1/ws HTTP/1.1\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: anser.v1.json\r\n{headers}\r\n"
    )
}

enum Transport {
    Tcp(Box<dyn Stream>, BytesMut),
    WebSocket(Box<WebSocketStream<Box<dyn Stream>>>),
}

/// Plain or TLS.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

pub struct Raw {
    transport: Transport,
    pub format: Format,
    next_id: u32,
    /// Events that came while an answer was awaited.
    events: VecDeque<Body>,
    pub user: UserId,
    pub welcome: v1::Welcome,
    /// Most tests are about other things than that one more device came.
    pub sees_devices: bool,
}

/// What comes off a connection.
#[derive(Debug)]
pub enum Came {
    Frame(Box<v1::ServerFrame>),
    Closed(Option<u16>),
}

impl Raw {
    fn new(transport: Transport, format: Format) -> Self {
        Self {
            transport,
            format,
            next_id: 0,
            events: VecDeque::new(),
            user: UserId(0),
            welcome: v1::Welcome::default(),
            sees_devices: false,
        }
    }

    pub fn over_tcp(stream: impl Stream + 'static, format: Format) -> Self {
        Self::new(Transport::Tcp(Box::new(stream), BytesMut::new()), format)
    }

    pub async fn over_web_socket(stream: impl Stream + 'static, format: Format) -> Self {
        let mut request = "ws://localhost/v1/ws".into_client_request().expect("a request");
        request.headers_mut().insert("sec-websocket-protocol", format.subprotocol().parse().expect("a header"));
        let limits = WebSocketConfig::default().max_frame_size(Some(SERVER_FRAME_BYTES_MAX));
        let stream: Box<dyn Stream> = Box::new(stream);
        let (stream, _) = client_async_with_config(request, stream, Some(limits)).await.expect("a handshake");
        Self::new(Transport::WebSocket(Box::new(stream)), format)
    }

    pub async fn hello(&mut self, hello: v1::Hello) {
        match self.ask(Request::Hello(hello)).await {
            Body::Welcome(welcome) => {
                self.user = UserId(welcome.user.as_ref().expect("who one is").user_id);
                self.welcome = welcome;
            }
            other => panic!("not welcome: {other:?}"),
        }
    }

    pub async fn say(&mut self, request: Request) -> u32 {
        let (id, bytes) = self.next_frame(request);
        self.say_bytes(bytes).await;
        id
    }

    pub fn next_frame(&mut self, request: Request) -> (u32, Bytes) {
        self.next_id += 1;
        let frame = v1::ClientFrame { request_id: self.next_id, request: Some(request) };
        (self.next_id, self.format.encode(&frame))
    }

    /// Written at once, on TCP; tells the ids.
    pub async fn say_all(&mut self, requests: Vec<Request>) -> Vec<u32> {
        let (mut out, mut ids) = (BytesMut::new(), Vec::new());
        for request in requests {
            let (id, bytes) = self.next_frame(request);
            ids.push(id);
            tcp::put_frame(&mut out, &bytes);
        }
        self.say_raw(&out).await;
        ids
    }

    /// One frame of any bytes.
    pub async fn say_bytes(&mut self, bytes: Bytes) {
        // A connection that the server has closed is found out by what is read from it.
        let _ = match &mut self.transport {
            Transport::Tcp(stream, _) => {
                let mut out = BytesMut::new();
                tcp::put_frame(&mut out, &bytes);
                stream.write_all(&out).await.map_err(|_| ())
            }
            Transport::WebSocket(stream) => {
                let kind = match self.format {
                    Format::Protobuf => Data::Binary,
                    Format::Json => Data::Text,
                };
                let frame = Frame::message(bytes, OpCode::Data(kind), true);
                stream.send(Message::Frame(frame)).await.map_err(|_| ())
            }
        };
    }

    /// Bytes that need be no frame, on TCP.
    pub async fn say_raw(&mut self, bytes: &[u8]) {
        let Transport::Tcp(stream, _) = &mut self.transport else { panic!("only on TCP") };
        stream.write_all(bytes).await.expect("the connection takes it");
    }

    pub async fn came(&mut self) -> Came {
        let came = timeout(PATIENCE, self.next()).await.expect("something comes");
        match &came {
            Came::Frame(frame) => received::frame(frame),
            Came::Closed(code) => code.iter().for_each(|code| received::close(*code)),
        }
        came
    }

    async fn next(&mut self) -> Came {
        let bytes = match &mut self.transport {
            Transport::Tcp(stream, read) => loop {
                if let Some(frame) = tcp::take_frame(read, SERVER_FRAME_BYTES_MAX).expect("within the limit") {
                    break frame;
                }
                if !matches!(stream.read_buf(read).await, Ok(1..)) {
                    return Came::Closed(None);
                }
            },
            Transport::WebSocket(stream) => loop {
                match stream.next().await {
                    Some(Ok(Message::Binary(bytes))) => break bytes,
                    Some(Ok(Message::Text(text))) => break text.into(),
                    Some(Ok(Message::Close(close))) => return Came::Closed(close.map(|close| close.code.into())),
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return Came::Closed(None),
                }
            },
        };
        Came::Frame(Box::new(self.format.decode(&bytes).expect("a frame")))
    }

    /// The answer to a request; events that come before it are kept.
    pub async fn answer(&mut self, request_id: u32) -> Body {
        loop {
            let frame = self.frame().await;
            match frame.body.expect("a body") {
                body if frame.request_id == request_id => return body,
                body if frame.request_id == 0 => self.events.extend(Some(body).filter(|body| self.is_seen(body))),
                other => panic!("not the answer to {request_id}: {other:?}"),
            }
        }
    }

    pub async fn ask(&mut self, request: Request) -> Body {
        let id = self.say(request).await;
        self.answer(id).await
    }

    pub async fn refused(&mut self, request: Request) -> ErrorCode {
        match self.ask(request).await {
            Body::Error(error) => error.code(),
            other => panic!("not refused: {other:?}"),
        }
    }

    pub async fn event(&mut self) -> Body {
        if let Some(event) = self.events.pop_front() {
            return event;
        }
        loop {
            let frame = self.frame().await;
            assert_eq!(frame.request_id, 0, "no event: {frame:?}");
            let body = frame.body.expect("a body");
            if self.is_seen(&body) {
                return body;
            }
        }
    }

    fn is_seen(&self, event: &Body) -> bool {
        let is_of_devices = |change: &v1::Change| matches!(change.now, Some(v1::change::Now::Devices(_)));
        match event {
            Body::Changed(changed) => self.sees_devices || !changed.changes.iter().all(is_of_devices),
            _ => true,
        }
    }

    /// All that was pushed so far.
    pub async fn told(&mut self) -> Vec<Body> {
        let id = self.say(Request::Ping(v1::Ping {})).await;
        assert!(matches!(self.answer(id).await, Body::Pong(_)));
        self.events.drain(..).collect()
    }

    /// One that came before, if any did.
    pub fn next_event(&mut self) -> Option<Body> {
        self.events.pop_front()
    }

    pub async fn frame(&mut self) -> v1::ServerFrame {
        match self.came().await {
            Came::Frame(frame) => *frame,
            Came::Closed(code) => panic!("closed with {code:?} after {:?}", self.events),
        }
    }

    pub async fn message(&mut self) -> v1::MessageEvent {
        match self.event().await {
            Body::Message(event) => event,
            other => panic!("no message: {other:?}"),
        }
    }

    /// Proves that nothing more was under way: everything that was pushed before the answer to a ping comes before it.
    pub async fn nothing_more(&mut self) {
        let id = self.say(Request::Ping(v1::Ping {})).await;
        assert!(matches!(self.answer(id).await, Body::Pong(_)));
        // That they shall sync may be told at any time, for what happens between nodes.
        self.events.retain(|event| !matches!(event, Body::Lagged(_)));
        assert!(self.events.is_empty(), "there was more: {:?}", self.events);
    }

    /// Drops all that was pushed so far.
    pub async fn drop_events(&mut self) {
        self.told().await;
    }

    /// Reads to the end: the last error that was told, and the code of the close.
    pub async fn end(&mut self) -> (Option<ErrorCode>, Option<CloseCode>) {
        let (mut error, mut close) = (None, None);
        loop {
            let frame = match self.came().await {
                Came::Frame(frame) => frame,
                Came::Closed(code) => {
                    let told = code.and_then(|code| CloseCode::try_from(i32::from(code)).ok());
                    return (error, told.or(close));
                }
            };
            match frame.body {
                Some(Body::Error(told)) => error = Some(told.code()),
                Some(Body::Close(told)) => close = Some(told.code()),
                body => self.events.extend(body),
            }
        }
    }

    pub fn conversation_with(&self, other: &Self) -> String {
        ConversationId::single(self.user, other.user).to_string()
    }

    pub async fn send(&mut self, conversation_id: &str, client_msg_id: &str, content: &str) -> v1::Sent {
        match self.ask(send(conversation_id, client_msg_id, content)).await {
            Body::Sent(sent) => sent,
            other => panic!("not sent: {other:?}"),
        }
    }

    pub async fn pull(&mut self, pull: v1::Pull) -> v1::Messages {
        match self.ask(Request::Pull(pull)).await {
            Body::Messages(messages) => messages,
            other => panic!("no messages: {other:?}"),
        }
    }

    pub async fn sync(&mut self, mailbox_seq: u64) -> v1::SyncPage {
        match self.ask(Request::Sync(v1::Sync { mailbox_seq, ..Default::default() })).await {
            Body::SyncPage(page) => page,
            other => panic!("no page: {other:?}"),
        }
    }

    pub async fn create_group(&mut self, members: &[&Raw]) -> String {
        let create = v1::CreateGroup {
            client_group_id: "group".into(),
            name: "Geese".into(),
            user_ids: members.iter().map(|member| member.user.0).collect(),
            ..Default::default()
        };
        match self.ask(Request::CreateGroup(create)).await {
            Body::Group(group) => ConversationId::Group(GroupId(group.group_id)).to_string(),
            other => panic!("no group: {other:?}"),
        }
    }
}

pub fn send(conversation_id: &str, client_msg_id: &str, content: &str) -> Request {
    Request::Send(v1::Send {
        conversation_id: conversation_id.into(),
        client_msg_id: client_msg_id.into(),
        r#type: v1::message::Type::Text.into(),
        content: content.into(),
        ..Default::default()
    })
}

pub fn group_id(conversation_id: &str) -> u64 {
    conversation_id.strip_prefix("group_").and_then(|id| id.parse().ok()).expect("a group")
}
