//! Frames in and out of one connection, whichever its transport. Owned by one task.
//!
//! An idle connection has no buffer: what comes is read into one that belongs to the thread, and what goes is written from where
//! it was encoded.

use std::{
    cell::RefCell,
    future::poll_fn,
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Poll, ready},
    time::Duration,
};

use anser_proto::{
    CloseCode, Format,
    limits::{CLIENT_FRAME_BYTES_MAX, HELLO_FRAME_BYTES_MAX},
    tcp, v1,
};
use bytes::{Bytes, BytesMut};
use tokio::{
    io::{AsyncRead as _, AsyncReadExt as _, AsyncWrite as _, AsyncWriteExt as _, ReadBuf},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout, timeout_at},
};

use super::{
    io::{AllowanceSpent, Io},
    writing::Writing,
};
use crate::{
    framing::{Framing, Transport},
    websocket::{self, Item, Opcode, Violation},
};

/// What one read takes from a connection at most.
const READ_BYTES: usize = 16 * 1024;
/// What the transport may add to the first frame.
const HELLO_OVERHEAD_BYTES: usize = 64;
/// A frame that needs more than this needs a place among the large ones until it is whole.
const SMALL_FRAME_BYTES: usize = 16 * 1024;
/// Large frames that come at one time: together they hold no more than 57 MiB. Who finds no place is not read from meanwhile.
pub const LARGE_FRAMES_MAX: usize = 128;
/// By then a large frame is whole, from its beginning on: the largest one at 64 kbit/s.
const LARGE_FRAME_TIME_MAX: Duration = Duration::from_secs(60);
/// Slices of one vectored write.
const SLICES_MAX: usize = 64;

thread_local! {
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_BYTES].into());
}

pub struct Socket {
    io: Io,
    /// What came and was not taken yet. Without an allocation while the connection idles.
    read: BytesMut,
    decoder: Decoder,
    /// Before login a frame may only be small.
    frame_bytes_max: usize,
    /// While a large frame comes.
    large: Option<Box<Large>>,
    large_places: Arc<Semaphore>,
    /// To the newest ping; those before it need none (RFC 6455, 5.5.3).
    pong: Option<Bytes>,
}

enum Decoder {
    WebSocket {
        decoder: websocket::Decoder,
        format: Format,
    },
    /// The format is seen at the first frame.
    Tcp {
        format: Option<Format>,
    },
}

struct Large {
    _place: OwnedSemaphorePermit,
    whole_by: Instant,
}

/// What came.
#[derive(Debug)]
pub enum Received {
    Frame(Bytes),
    /// Of the transport alone: a ping, a pong, a fragment. It asks nothing of the domain and costs all the same.
    Control,
}

/// Why nothing more can be read.
#[derive(Debug)]
pub enum RecvError {
    /// The connection broke, or ended without a word.
    Gone,
    /// The peer closed a WebSocket, with this code.
    Closed(Option<u16>),
    TooLarge(String),
    /// A large frame did not become whole in time.
    TooSlow,
    NoFrame(&'static str),
    Violation(Violation),
}

impl Socket {
    pub fn web_socket(io: Io, already_read: &[u8], format: Format, large_places: Arc<Semaphore>) -> Self {
        Self::new(io, already_read, Decoder::WebSocket { decoder: websocket::Decoder::default(), format }, large_places)
    }

    pub fn tcp(io: Io, large_places: Arc<Semaphore>) -> Self {
        Self::new(io, &[], Decoder::Tcp { format: None }, large_places)
    }

    fn new(mut io: Io, already_read: &[u8], decoder: Decoder, large_places: Arc<Semaphore>) -> Self {
        io.allow(Some(HELLO_FRAME_BYTES_MAX + HELLO_OVERHEAD_BYTES));
        let read = BytesMut::from(already_read);
        Self { io, read, decoder, frame_bytes_max: HELLO_FRAME_BYTES_MAX, large: None, large_places, pong: None }
    }

    /// The user is known: frames may be as large as the protocol allows.
    pub fn trust(&mut self) {
        self.io.allow(None);
        self.frame_bytes_max = CLIENT_FRAME_BYTES_MAX;
    }

    /// On TCP known from the first frame on; before it protobuf is assumed.
    pub fn framing(&self) -> Framing {
        match self.decoder {
            Decoder::WebSocket { format, .. } => Framing { transport: Transport::WebSocket, format },
            Decoder::Tcp { format } => {
                Framing { transport: Transport::Tcp, format: format.unwrap_or(Format::Protobuf) }
            }
        }
    }

    /// The next that comes. Cancel-safe.
    pub async fn recv(&mut self) -> Result<Received, RecvError> {
        loop {
            if let Some(received) = self.take()? {
                return Ok(received);
            }
            match self.large.as_ref().map(|large| large.whole_by) {
                Some(whole_by) => timeout_at(whole_by, self.fill()).await.map_err(|_| RecvError::TooSlow)??,
                None if self.expected() <= SMALL_FRAME_BYTES => self.fill().await?,
                None => {
                    let place = Arc::clone(&self.large_places).acquire_owned().await.expect("never closed");
                    let whole_by = Instant::now() + LARGE_FRAME_TIME_MAX;
                    self.large = Some(Box::new(Large { _place: place, whole_by }));
                }
            }
        }
    }

    /// Out of what was read.
    fn take(&mut self) -> Result<Option<Received>, RecvError> {
        let received = match &mut self.decoder {
            Decoder::WebSocket { decoder, format } => {
                let item = decoder.decode(&mut self.read, self.frame_bytes_max).map_err(violation)?;
                let Some(item) = item else { return Ok(None) };
                match item {
                    Item::Message { is_text, payload } => frame_of(is_text, *format, payload)?,
                    Item::Ping(payload) => {
                        self.pong = Some(websocket::control(Opcode::Pong, &payload));
                        Received::Control
                    }
                    Item::Pong | Item::Fragment => Received::Control,
                    Item::Close(code) => return Err(RecvError::Closed(code)),
                }
            }
            Decoder::Tcp { format } => {
                let frame = tcp::take_frame(&mut self.read, self.frame_bytes_max)
                    .map_err(|error| RecvError::TooLarge(error.to_string()))?;
                let Some(frame) = frame else { return Ok(None) };
                format.get_or_insert_with(|| Format::sniff(&frame));
                Received::Frame(frame)
            }
        };
        if matches!(received, Received::Frame(_)) {
            self.large = None;
        }
        if self.read.is_empty() {
            self.read = BytesMut::new();
        }
        Ok(Some(received))
    }

    /// How many bytes are held until the frame that comes is whole.
    fn expected(&self) -> usize {
        match &self.decoder {
            Decoder::WebSocket { decoder, .. } => decoder.expected(&self.read),
            Decoder::Tcp { .. } => tcp::expected(&self.read),
        }
    }

    /// Reads what has come, at least something.
    async fn fill(&mut self) -> Result<(), RecvError> {
        let Self { io, read, .. } = self;
        let came = poll_fn(|cx| {
            SCRATCH.with_borrow_mut(|scratch| {
                let mut buf = ReadBuf::new(scratch);
                ready!(Pin::new(&mut *io).poll_read(cx, &mut buf))?;
                read.extend_from_slice(buf.filled());
                Poll::Ready(Ok(buf.filled().len()))
            })
        });
        match came.await {
            Ok(0) => Err(RecvError::Gone),
            Ok(_) => Ok(()),
            Err(error) => Err(io_error(&error)),
        }
    }

    /// What must be written because of what was read.
    pub fn take_pong(&mut self) -> Option<Bytes> {
        self.pong.take()
    }

    /// Writes some of it, and tells how many bytes the peer's side took. Cancel-safe: what was written is gone from `writing`.
    pub async fn write_some(&mut self, writing: &mut Writing) -> io::Result<usize> {
        let written = poll_fn(|cx| {
            let mut slices = [IoSlice::new(&[]); SLICES_MAX];
            let filled = writing.slices(&mut slices);
            Pin::new(&mut self.io).poll_write_vectored(cx, &slices[..filled])
        });
        let written = written.await?;
        writing.advance(written);
        if written == 0 { Err(io::ErrorKind::WriteZero.into()) } else { Ok(written) }
    }

    /// What was written leaves the buffers, where there are some. Cancel-safe.
    pub async fn flush(&mut self) -> io::Result<()> {
        self.io.flush().await
    }

    /// Says why and ends the connection.
    pub async fn close(&mut self, code: CloseCode, reason: &str) -> io::Result<()> {
        let bytes = match self.decoder {
            Decoder::WebSocket { .. } => {
                websocket::close(u16::try_from(code as i32).expect("a close code has 16 bits"), reason)
            }
            Decoder::Tcp { .. } => {
                let close = v1::Close { code: code.into(), reason: reason.to_owned() };
                let frame = v1::ServerFrame { request_id: 0, body: Some(v1::server_frame::Body::Close(close)) };
                self.framing().encode(&frame)
            }
        };
        self.end(&bytes).await
    }

    /// Ends a WebSocket in WebSocket's own words: as the peer did, or because he did not keep to them.
    pub async fn close_web_socket(&mut self, code: Option<u16>, reason: &str) -> io::Result<()> {
        let bytes = code.map_or_else(|| websocket::control(Opcode::Close, &[]), |code| websocket::close(code, reason));
        self.end(&bytes).await
    }

    /// Writes the last bytes and passes over what still comes, within bounds: the system resets a stream that is closed with
    /// bytes unread, and a reset takes with it what the peer has not read yet, the reason among it.
    async fn end(&mut self, last: &[u8]) -> io::Result<()> {
        let io = &mut self.io;
        io.write_all(last).await?;
        io.allow(Some(LINGER_BYTES_MAX));
        io.shutdown().await?;
        let mut scratch = [0; 1024];
        let drain = async {
            while io.read(&mut scratch).await? > 0 {}
            Ok(())
        };
        timeout(LINGER_TIME_MAX, drain).await.unwrap_or(Ok(()))
    }
}

/// What a peer that was told to go may still have under way.
const LINGER_BYTES_MAX: usize = 1024 * 1024;
const LINGER_TIME_MAX: Duration = Duration::from_secs(1);

fn frame_of(is_text: bool, format: Format, payload: Bytes) -> Result<Received, RecvError> {
    match (is_text, format) {
        (false, Format::Protobuf) | (true, Format::Json) => Ok(Received::Frame(payload)),
        (false, Format::Json) => Err(RecvError::NoFrame("a binary message under anser.v1.json: send text")),
        (true, Format::Protobuf) => Err(RecvError::NoFrame("a text message under anser.v1.protobuf: send binary")),
    }
}

fn violation(violation: Violation) -> RecvError {
    match violation {
        Violation::TooLarge { .. } => RecvError::TooLarge(violation.to_string()),
        _ => RecvError::Violation(violation),
    }
}

fn io_error(error: &io::Error) -> RecvError {
    if error.get_ref().is_some_and(|inner| inner.is::<AllowanceSpent>()) {
        RecvError::TooLarge(format!("a first frame of more than {HELLO_FRAME_BYTES_MAX} bytes"))
    } else {
        RecvError::Gone
    }
}
