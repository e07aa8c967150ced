//! A server on loopback around the model of the engine's tests: real sockets, frames and encodings, and no other promises than
//! the model's. A token is the number of its user, and so is the account of a
//! password.

use std::{
    collections::HashMap,
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex},
};

use anser_client::{ConversationId, Format};
use anser_proto::{codec::SUBPROTOCOLS, limits::CLIENT_FRAME_BYTES_MAX, tcp, v1};
use bytes::{Bytes, BytesMut};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpListener,
    sync::{mpsc, watch},
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::tungstenite::{
    Message,
    handshake::server::{Request as Handshake, Response},
};
use v1::{client_frame::Request, error::Code, hello::Credential, server_frame::Body};

use crate::server::{Asker, Push, Server};

/// Frames that wait for a connection.
const OUTBOX_MAX: usize = 1_000;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wire {
    WebSocket,
    Tcp,
}

/// Listens until it is dropped. Its log outlives it in [`Fake::log`].
pub(crate) struct Fake {
    pub(crate) address: SocketAddr,
    pub(crate) state: Arc<Mutex<State>>,
    /// Every change ends all connections.
    cut: watch::Sender<u32>,
    task: JoinHandle<()>,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) model: Server,
    outboxes: HashMap<u64, (u64, mpsc::Sender<v1::ServerFrame>)>,
    connections: u64,
    /// So many answers to sends and changes are lost with their connection.
    pub(crate) eaten: u32,
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.cut();
        self.task.abort();
    }
}

impl Fake {
    pub(crate) async fn start(wire: Wire) -> Self {
        Self::start_with(wire, "127.0.0.1:0".parse().expect("an address"), None).await
    }

    pub(crate) async fn start_with(wire: Wire, address: SocketAddr, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind(address).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(Mutex::new(State { model: Server::new(77), ..State::default() }));
        let (cut, cuts) = watch::channel(0);
        let shared = state.clone();
        let task = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (state, mut cuts, tls) = (shared.clone(), cuts.clone(), tls.clone());
                cuts.mark_unchanged();
                tokio::spawn(async move {
                    let serving = async {
                        match tls {
                            None => serve(socket, wire, state).await,
                            Some(tls) => {
                                // Who does not believe the certificate goes away.
                                let Ok(socket) = tls.accept(socket).await else { return };
                                serve(socket, wire, state).await;
                            }
                        }
                    };
                    tokio::select! {
                        () = serving => {}
                        _ = cuts.changed() => {}
                    }
                });
            }
        });
        Self { address, state, cut, task }
    }

    /// Ends all connections without a word.
    pub(crate) fn cut(&self) {
        self.cut.send_modify(|cuts| *cuts += 1);
    }

    /// `client_msg_id` and content of a conversation.
    pub(crate) fn log(&self, id: ConversationId) -> Vec<String> {
        let state = self.state.lock().expect("nobody panics with it");
        state.model.logs.get(&id).into_iter().flatten().map(|message| message.content.clone()).collect()
    }
}

/// With `name.pem` and `name.key` of this folder.
pub(crate) fn tls_acceptor(folder: &Path, name: &str) -> TlsAcceptor {
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
    let certificate = CertificateDer::from_pem_file(folder.join(format!("{name}.pem"))).expect("a certificate");
    let key = PrivateKeyDer::from_pem_file(folder.join(format!("{name}.key"))).expect("a key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a pair");
    TlsAcceptor::from(Arc::new(config))
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin + Send>(socket: S, wire: Wire, state: Arc<Mutex<State>>) {
    let (outbox, mut pushes) = mpsc::channel(OUTBOX_MAX);
    let mut connection = Connection { state, outbox, me: None };
    let mut framed = Framed::accept(socket, wire).await;
    loop {
        let answers = tokio::select! {
            frame = framed.read() => match frame {
                Some(frame) => connection.answer(frame),
                None => return,
            },
            push = pushes.recv() => push,
        };
        match answers {
            Some(frame) => framed.write(frame).await,
            None => return,
        }
    }
}

struct Connection {
    state: Arc<Mutex<State>>,
    outbox: mpsc::Sender<v1::ServerFrame>,
    me: Option<Asker>,
}

impl Connection {
    /// None: the answer is eaten and the connection ends.
    fn answer(&mut self, frame: v1::ClientFrame) -> Option<v1::ServerFrame> {
        let state = &mut *self.state.lock().expect("nobody panics with it");
        let request = frame.request.expect("a request");
        if let Request::Hello(hello) = &request {
            let number = match hello.credential.as_ref().expect("a credential") {
                Credential::Token(token) => token,
                Credential::Password(password) => &password.account,
            };
            let Ok(user) = number.parse() else {
                let error = v1::Error { code: Code::BadToken.into(), ..v1::Error::default() };
                return Some(v1::ServerFrame { request_id: frame.request_id, body: Some(Body::Error(error)) });
            };
            state.connections += 1;
            let device_id = hello.device.clone().unwrap_or_default().device_id;
            state.outboxes.insert(state.connections, (user, self.outbox.clone()));
            self.me = Some(Asker { connection: state.connections, user, device_id });
        }
        let me = self.me.as_ref().expect("hello came first");
        let account = match &request {
            Request::Hello(v1::Hello { credential: Some(Credential::Password(login)), .. }) => login.account.clone(),
            _ => String::new(),
        };
        let sends = matches!(
            request,
            Request::Send(_)
                | Request::Edit(_)
                | Request::Recall(_)
                | Request::React(_)
                | Request::PinMessage(_)
                | Request::UnpinMessage(_)
        );
        let (mut body, pushes) = state.model.answer(me, request);
        if let Some(Body::Welcome(welcome)) = &mut body {
            welcome.token = account;
        }
        push(state, me.connection, pushes);
        if sends && state.eaten > 0 {
            state.eaten -= 1;
            return None;
        }
        let body = body.or(Some(Body::Done(v1::Done {})));
        Some(v1::ServerFrame { request_id: frame.request_id, body })
    }
}

fn push(state: &State, except: u64, pushes: Vec<Push>) {
    for push in pushes {
        for (connection, (user, outbox)) in &state.outboxes {
            // A change is told to who made it, too.
            let is_told = *connection != except || matches!(push.body, Body::MessagesChanged(_));
            if *user == push.to && is_told {
                // A connection that ended receives nothing.
                let _ = outbox.try_send(v1::ServerFrame { request_id: 0, body: Some(push.body.clone()) });
            }
        }
    }
}

#[expect(clippy::large_enum_variant, reason = "one a connection")]
enum Framed<S> {
    WebSocket { stream: tokio_tungstenite::WebSocketStream<S>, format: Format },
    Tcp { stream: S, read: BytesMut, format: Option<Format> },
}

impl<S: AsyncRead + AsyncWrite + Unpin> Framed<S> {
    async fn accept(socket: S, wire: Wire) -> Self {
        if wire == Wire::Tcp {
            return Self::Tcp { stream: socket, read: BytesMut::new(), format: None };
        }
        let mut format = None;
        #[expect(clippy::result_large_err, reason = "the library's signature")]
        let choose = |request: &Handshake, mut response: Response| {
            assert_eq!(request.uri().path(), "/v1/ws");
            let offered = request.headers()["sec-websocket-protocol"].clone();
            format = SUBPROTOCOLS.iter().find(|(name, _)| offered == name).map(|(_, format)| *format);
            response.headers_mut().insert("sec-websocket-protocol", offered);
            Ok(response)
        };
        let stream = tokio_tungstenite::accept_hdr_async(socket, choose).await.expect("a handshake");
        Self::WebSocket { stream, format: format.expect("a known subprotocol") }
    }

    async fn read(&mut self) -> Option<v1::ClientFrame> {
        match self {
            Self::WebSocket { stream, format } => loop {
                let bytes: Bytes = match stream.next().await?.ok()? {
                    Message::Binary(bytes) => bytes,
                    Message::Text(text) => text.into(),
                    Message::Close(_) => return None,
                    _ => continue,
                };
                return Some(format.decode(&bytes).expect("a frame"));
            },
            Self::Tcp { stream, read, format } => loop {
                if let Some(frame) = tcp::take_frame(read, CLIENT_FRAME_BYTES_MAX).expect("a length") {
                    let format = *format.get_or_insert(Format::sniff(&frame));
                    return Some(format.decode(&frame).expect("a frame"));
                }
                if stream.read_buf(read).await.ok()? == 0 {
                    return None;
                }
            },
        }
    }

    /// A connection that ended is seen by the next read.
    async fn write(&mut self, frame: v1::ServerFrame) {
        match self {
            Self::WebSocket { stream, format } => {
                let bytes = format.encode(&frame);
                let text = || Message::Text(bytes.clone().try_into().expect("JSON is UTF-8"));
                let message = if *format == Format::Json { text() } else { Message::Binary(bytes.clone()) };
                let _ = stream.send(message).await;
            }
            Self::Tcp { stream, format, .. } => {
                let mut out = BytesMut::new();
                tcp::put_frame(&mut out, &format.expect("the client speaks first").encode(&frame));
                let _ = stream.write_all(&out).await;
            }
        }
    }
}
