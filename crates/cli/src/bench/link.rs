//! One connection of the load generator: a WebSocket with protobuf, and nothing that costs more than it must.

use anser_proto::{
    Format, VERSION,
    v1::{self, ClientFrame, ServerFrame, client_frame::Request, hello::Credential, server_frame::Body},
};
use anyhow::{Context as _, bail};
use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _};
use rustls_pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{Message, client::IntoClientRequest as _, protocol::WebSocketConfig},
};

/// Plain, or TLS.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

pub struct Link {
    stream: WebSocketStream<Box<dyn Stream>>,
    pub user_id: u64,
}

impl Link {
    /// `tls` is needed for `wss` alone.
    pub async fn open(url: &str, token: String, tls: Option<&TlsConnector>) -> anyhow::Result<Self> {
        let mut request = url.into_client_request().context("a URL as ws://host:port is needed")?;
        request.headers_mut().insert("sec-websocket-protocol", Format::Protobuf.subprotocol().parse()?);
        let authority = request.uri().authority().context("the URL names no host")?.to_string();
        let stream = TcpStream::connect(&authority).await.with_context(|| format!("cannot reach {authority}"))?;
        stream.set_nodelay(true)?;
        let stream: Box<dyn Stream> = match tls {
            None => Box::new(stream),
            Some(tls) => {
                let host = request.uri().host().context("the URL names no host")?.to_owned();
                Box::new(tls.connect(ServerName::try_from(host)?, stream).await.context("no TLS")?)
            }
        };
        let config = WebSocketConfig::default().read_buffer_size(4096).write_buffer_size(32 * 1024);
        let (stream, _) = client_async_with_config(request, stream, Some(config)).await.context("no WebSocket")?;
        let mut link = Self { stream, user_id: 0 };
        let hello = v1::Hello {
            version: VERSION,
            credential: Some(Credential::Token(token)),
            device: Some(v1::Device { device_id: "bench".into(), ..Default::default() }),
            ..Default::default()
        };
        match link.ask(Request::Hello(hello)).await? {
            Body::Welcome(welcome) => link.user_id = welcome.user.context("no user")?.user_id,
            other => bail!("not welcome: {other:?}"),
        }
        Ok(link)
    }

    /// Puts a request among those that the next flush writes.
    pub async fn feed(&mut self, request_id: u32, request: Request) -> anyhow::Result<()> {
        let frame = Format::Protobuf.encode(&ClientFrame { request_id, request: Some(request) });
        Ok(self.stream.feed(Message::Binary(frame)).await?)
    }

    pub async fn flush(&mut self) -> anyhow::Result<()> {
        Ok(self.stream.flush().await?)
    }

    /// The next frame, and all that came with it. Cancel-safe.
    pub async fn read(&mut self) -> anyhow::Result<Vec<ServerFrame>> {
        let mut frames = Vec::new();
        let mut next = self.stream.next().await;
        loop {
            match next.context("the server closed the connection")?? {
                Message::Binary(bytes) => frames.push(Format::Protobuf.decode(&bytes)?),
                Message::Close(close) => bail!("the server closed the connection: {close:?}"),
                _ => {}
            }
            match self.stream.next().now_or_never() {
                Some(more) => next = more,
                None => return Ok(frames),
            }
        }
    }

    /// One request and its answer, events passed over.
    pub async fn ask(&mut self, request: Request) -> anyhow::Result<Body> {
        const ALONE: u32 = u32::MAX;
        self.feed(ALONE, request).await?;
        self.flush().await?;
        loop {
            for frame in self.read().await? {
                if frame.request_id == ALONE {
                    return frame.body.context("an answer without a body");
                }
            }
        }
    }
}
