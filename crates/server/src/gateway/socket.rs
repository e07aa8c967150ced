//! Frames in and out of one connection, whichever its transport. Owned by one task.

use std::{io, time::Duration};

use anser_proto::{
    CloseCode, Format,
    limits::{CLIENT_FRAME_BYTES_MAX, HELLO_FRAME_BYTES_MAX},
    tcp, v1,
};
use bytes::{Bytes, BytesMut};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        self, Message, Utf8Bytes,
        error::CapacityError,
        protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode as WsCloseCode},
    },
};

use super::io::{AllowanceSpent, Io};

/// The library's default of 128 KiB is kept by every connection that was ever read from; this is as fast.
const READ_BYTES: usize = 4 * 1024;
/// Frames are gathered up to here before a write.
const WRITE_BYTES: usize = 32 * 1024;
/// What the transport may add to the first frame.
const HELLO_OVERHEAD_BYTES: usize = 64;

pub enum Socket {
    WebSocket { stream: Box<WebSocketStream<Io>>, format: Format },
    Tcp(Box<Tcp>),
}

pub struct Tcp {
    io: Io,
    read: BytesMut,
    frame_bytes_max: usize,
    /// Seen at the first frame.
    format: Option<Format>,
}

/// Why nothing more can be read.
#[derive(Debug)]
pub enum RecvError {
    /// The peer closed, or the connection broke.
    Gone,
    TooLarge(String),
    NoFrame(String),
}

impl Socket {
    pub async fn web_socket(mut io: Io, already_read: Bytes, format: Format) -> Self {
        io.allow(Some(HELLO_FRAME_BYTES_MAX + HELLO_OVERHEAD_BYTES));
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BYTES)
            .write_buffer_size(WRITE_BYTES)
            .max_message_size(Some(CLIENT_FRAME_BYTES_MAX))
            .max_frame_size(Some(CLIENT_FRAME_BYTES_MAX));
        let stream = WebSocketStream::from_partially_read(io, already_read.into(), Role::Server, Some(config)).await;
        Self::WebSocket { stream: Box::new(stream), format }
    }

    pub fn tcp(mut io: Io) -> Self {
        io.allow(Some(HELLO_FRAME_BYTES_MAX + HELLO_OVERHEAD_BYTES));
        Self::Tcp(Box::new(Tcp { io, read: BytesMut::new(), frame_bytes_max: HELLO_FRAME_BYTES_MAX, format: None }))
    }

    /// The user is known: frames may be as large as the protocol allows.
    pub fn trust(&mut self) {
        match self {
            Self::WebSocket { stream, .. } => stream.get_mut().allow(None),
            Self::Tcp(tcp) => {
                tcp.io.allow(None);
                tcp.frame_bytes_max = CLIENT_FRAME_BYTES_MAX;
            }
        }
    }

    /// Known on TCP from the first frame on; before it protobuf is assumed.
    pub fn format(&self) -> Format {
        match self {
            Self::WebSocket { format, .. } => *format,
            Self::Tcp(tcp) => tcp.format.unwrap_or(Format::Protobuf),
        }
    }

    /// The next frame. Cancel-safe.
    pub async fn recv(&mut self) -> Result<Bytes, RecvError> {
        match self {
            Self::WebSocket { stream, format } => loop {
                let message = stream.next().await.ok_or(RecvError::Gone)?;
                match (message.map_err(ws_error)?, *format) {
                    (Message::Binary(bytes), Format::Protobuf) => return Ok(bytes),
                    (Message::Text(text), Format::Json) => return Ok(text.into()),
                    (Message::Binary(_), Format::Json) => {
                        return Err(RecvError::NoFrame("a binary message under anser.v1.json: send text".into()));
                    }
                    (Message::Text(_), Format::Protobuf) => {
                        return Err(RecvError::NoFrame("a text message under anser.v1.protobuf: send binary".into()));
                    }
                    (Message::Close(_), _) => return Err(RecvError::Gone),
                    // Answered by the library.
                    (Message::Ping(_) | Message::Pong(_) | Message::Frame(_), _) => {}
                }
            },
            Self::Tcp(tcp) => tcp.recv().await,
        }
    }

    /// Writes all frames, gathered into as few writes as may be.
    pub async fn send_many(&mut self, frames: &[Bytes]) -> io::Result<()> {
        match self {
            Self::WebSocket { stream, format } => {
                for frame in frames {
                    stream.feed(ws_message(frame, *format)).await.map_err(io::Error::other)?;
                }
                stream.flush().await.map_err(io::Error::other)
            }
            Self::Tcp(tcp) => {
                let mut out = BytesMut::new();
                for frame in frames {
                    tcp::put_frame(&mut out, frame);
                    if out.len() >= WRITE_BYTES {
                        tcp.io.write_all(&out).await?;
                        out.clear();
                    }
                }
                tcp.io.write_all(&out).await?;
                tcp.io.flush().await
            }
        }
    }

    /// Says why and ends the connection.
    pub async fn close(&mut self, code: CloseCode, reason: &str) -> io::Result<()> {
        match self {
            Self::WebSocket { stream, .. } => {
                let code = WsCloseCode::from(u16::try_from(code as i32).expect("a close code has 16 bits"));
                let reason = Utf8Bytes::from(cut(reason, CLOSE_REASON_BYTES_MAX));
                let close = CloseFrame { code, reason };
                WebSocketStream::close(stream, Some(close)).await.map_err(io::Error::other)?;
                linger(stream.get_mut()).await
            }
            Self::Tcp(tcp) => {
                let close = v1::Close { code: code.into(), reason: reason.to_owned() };
                let frame = v1::ServerFrame { request_id: 0, body: Some(v1::server_frame::Body::Close(close)) };
                let mut out = BytesMut::new();
                tcp::put_frame(&mut out, &tcp.format.unwrap_or(Format::Protobuf).encode(&frame));
                tcp.io.write_all(&out).await?;
                linger(&mut tcp.io).await
            }
        }
    }
}

/// Ends the stream and passes over what still comes, within bounds: the system resets a stream that is closed with
/// bytes unread, and a reset takes with it what the peer has not read yet, the reason among it.
async fn linger(io: &mut Io) -> io::Result<()> {
    io.allow(Some(LINGER_BYTES_MAX));
    io.shutdown().await?;
    let mut scratch = [0; 1024];
    let drain = async {
        while io.read(&mut scratch).await? > 0 {}
        Ok(())
    };
    timeout(LINGER_TIME_MAX, drain).await.unwrap_or(Ok(()))
}

/// What a peer that was told to go may still have under way.
const LINGER_BYTES_MAX: usize = 1024 * 1024;
const LINGER_TIME_MAX: Duration = Duration::from_secs(1);

/// A close frame has 125 bytes, two of them the code.
const CLOSE_REASON_BYTES_MAX: usize = 123;

fn cut(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

fn ws_message(frame: &Bytes, format: Format) -> Message {
    match format {
        Format::Protobuf => Message::Binary(frame.clone()),
        Format::Json => Message::Text(Utf8Bytes::try_from(frame.clone()).expect("JSON is UTF-8")),
    }
}

fn ws_error(error: tungstenite::Error) -> RecvError {
    match error {
        tungstenite::Error::Capacity(CapacityError::MessageTooLong { size, max_size }) => {
            RecvError::TooLarge(format!("a frame of {size} bytes: at most {max_size} are allowed"))
        }
        tungstenite::Error::Io(error) => io_error(&error),
        tungstenite::Error::Utf8(_) | tungstenite::Error::Capacity(_) => RecvError::NoFrame(error.to_string()),
        // A peer that vanishes without a closing handshake is no bad frame.
        tungstenite::Error::Protocol(tungstenite::error::ProtocolError::ResetWithoutClosingHandshake) => {
            RecvError::Gone
        }
        tungstenite::Error::Protocol(error) => RecvError::NoFrame(error.to_string()),
        _ => RecvError::Gone,
    }
}

fn io_error(error: &io::Error) -> RecvError {
    if error.get_ref().is_some_and(|inner| inner.is::<AllowanceSpent>()) {
        RecvError::TooLarge(format!("a first frame of more than {HELLO_FRAME_BYTES_MAX} bytes"))
    } else {
        RecvError::Gone
    }
}

impl Tcp {
    async fn recv(&mut self) -> Result<Bytes, RecvError> {
        loop {
            let frame = tcp::take_frame(&mut self.read, self.frame_bytes_max)
                .map_err(|error| RecvError::TooLarge(error.to_string()))?;
            if let Some(frame) = frame {
                // What one large frame made room for is not kept while the connection idles.
                if self.read.is_empty() {
                    self.read = BytesMut::new();
                }
                self.format.get_or_insert_with(|| Format::sniff(&frame));
                return Ok(frame);
            }
            self.read.reserve(READ_BYTES);
            match self.io.read_buf(&mut self.read).await {
                Ok(0) => return Err(RecvError::Gone),
                Ok(_) => {}
                Err(error) => return Err(io_error(&error)),
            }
        }
    }
}
