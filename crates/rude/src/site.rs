//! Where to attack, and under which names.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use anser_proto::{
    Format, VERSION,
    v1::{self, hello::Credential},
};
use anyhow::Context as _;
use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream, UnixStream},
};
use tokio_rustls::TlsConnector;

use crate::{
    peer::{Peer, Stream},
    secure,
};

const TOKEN_S: u64 = 24 * 3600;
/// What a deaf peer's system takes for them: as little as it allows.
const DEAF_BYTES: u32 = 4096;

/// A server as the attacker sees it. Cloned freely.
#[derive(Clone)]
pub struct Site {
    pub http: SocketAddr,
    pub tcp: SocketAddr,
    pub tokens: Arc<Tokens>,
    /// The data folder, for what an operator does.
    pub data: PathBuf,
    /// Connections come from here: on Linux every address of 127.0.0.0/8 is this machine's.
    pub from: Ipv4Addr,
    /// Where its ports speak TLS.
    pub tls: Option<TlsConnector>,
}

impl Site {
    /// The same server, seen from another address.
    #[must_use]
    pub fn from(&self, from: [u8; 4]) -> Self {
        Self { from: from.into(), ..self.clone() }
    }

    pub fn hello(&self, account: &str, device_id: &str) -> v1::Hello {
        v1::Hello {
            version: VERSION,
            credential: Some(Credential::Token(self.tokens.mint(account))),
            device: Some(v1::Device { device_id: device_id.into(), ..Default::default() }),
            ..Default::default()
        }
    }

    pub async fn dial(&self, to: SocketAddr) -> io::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((self.from, 0).into())?;
        let stream = socket.connect(to).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// A socket for which the system keeps next to nothing: who does not read it is a burden to the server.
    pub async fn dial_deaf(&self, to: SocketAddr) -> io::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(DEAF_BYTES)?;
        socket.bind((self.from, 0).into())?;
        socket.connect(to).await
    }

    /// As users do: behind TLS, where the server has it.
    async fn connect(&self, to: SocketAddr) -> io::Result<Box<dyn Stream>> {
        let stream = self.dial(to).await?;
        Ok(match &self.tls {
            None => Box::new(stream),
            Some(tls) => Box::new(tls.connect(secure::name(), stream).await?),
        })
    }

    pub async fn web_socket(&self, format: Format) -> io::Result<Peer> {
        Peer::web_socket(self.connect(self.http).await?, format).await
    }

    pub async fn login(&self, account: &str, device_id: &str) -> io::Result<Peer> {
        self.login_as(Format::Protobuf, account, device_id).await
    }

    pub async fn login_as(&self, format: Format, account: &str, device_id: &str) -> io::Result<Peer> {
        let mut peer = self.web_socket(format).await?;
        peer.hello(self.hello(account, device_id)).await?;
        Ok(peer)
    }

    pub async fn login_tcp(&self, account: &str, device_id: &str) -> io::Result<Peer> {
        let mut peer = Peer::tcp(self.connect(self.tcp).await?, Format::Protobuf);
        peer.hello(self.hello(account, device_id)).await?;
        Ok(peer)
    }

    pub async fn login_deaf(&self, format: Format, account: &str, device_id: &str) -> io::Result<Peer> {
        let mut peer = Peer::web_socket(self.dial_deaf(self.http).await?, format).await?;
        peer.hello(self.hello(account, device_id)).await?;
        Ok(peer)
    }
}

impl Site {
    /// As an operator does: a user with a password.
    pub async fn add_user(&self, account: &str, password: &str) -> io::Result<()> {
        let mut operator = UnixStream::connect(self.data.join("operator.sock")).await?;
        let user = serde_json::json!({ "account": account, "password": password }).to_string();
        let head = "POST /v1/users HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json";
        operator.write_all(format!("{head}\r\ncontent-length: {}\r\n\r\n{user}", user.len()).as_bytes()).await?;
        let mut answer = String::new();
        operator.read_to_string(&mut answer).await?;
        if answer.starts_with("HTTP/1.1 200 ") { Ok(()) } else { Err(io::Error::other(answer)) }
    }
}

/// JSON Web Tokens as an app's server would sign them, of whoever one likes to be.
pub struct Tokens(hmac::Key);

impl Tokens {
    /// With the key that the server made in its data folder: the bytes of the file, as they are.
    pub fn load(data: &Path) -> anyhow::Result<Self> {
        let secret = std::fs::read(data.join("hs256.secret")).context("the server has created no key")?;
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &secret)))
    }

    pub fn mint(&self, account: &str) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
        let claims = serde_json::json!({ "iss": "anser", "aud": "anser", "sub": account, "exp": now + TOKEN_S });
        let signed =
            format!("{}.{}", BASE64.encode(r#"{"alg":"HS256","typ":"JWT"}"#), BASE64.encode(claims.to_string()));
        let signature = BASE64.encode(hmac::sign(&self.0, signed.as_bytes()));
        format!("{signed}.{signature}")
    }
}
