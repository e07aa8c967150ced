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
    time::{Instant, timeout, timeout_at},
};

use super::{
    io::{AllowanceSpent, Io},
    writing::Writing,
};
use crate::{
    budget::{Budget, LargeFrame},
    framing::{Framing, Transport},
    websocket::{self, Item, Opcode, Violation},
};

/// What one read takes from a connection at most.
const READ_BYTES: usize = 16 * 1024;
/// What the transport may add to the first frame.
const HELLO_OVERHEAD_BYTES: usize = 64;
/// Of a frame of which as much has come the rest needs a place among the large ones, until it is whole.
pub const SMALL_FRAME_BYTES: usize = 16 * 1024;
/// By then a large frame is whole, from when it got its place: the largest one at 64 kbit/s.
pub const LARGE_FRAME_TIME_MAX: Duration = Duration::from_secs(60);
/// Slices of one vectored write.
const SLICES_MAX: usize = 64;

thread_local! {
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_BYTES].into());
}

pub struct Socket {
    pub(super) io: Io,
    /// What came and was not taken yet. Without an allocation while the connection idles.
    read: BytesMut,
    decoder: Decoder,
    /// Before login a frame may only be small.
    frame_bytes_max: usize,
    /// Of the user, once they are known: before it no frame is large.
    budget: Option<Arc<Budget>>,
    /// While a large frame comes.
    large: Option<Large>,
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

enum Large {
    /// Kept, so that whatever else happens to the connection its turn is not lost.
    Waits(Pin<Box<dyn Future<Output = LargeFrame> + Send>>),
    Comes {
        _place: Box<LargeFrame>,
        whole_by: Instant,
    },
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
    pub fn web_socket(io: Io, already_read: &[u8], format: Format) -> Self {
        Self::new(io, already_read, Decoder::WebSocket { decoder: websocket::Decoder::default(), format })
    }

    pub fn tcp(io: Io) -> Self {
        Self::new(io, &[], Decoder::Tcp { format: None })
    }

    fn new(mut io: Io, already_read: &[u8], decoder: Decoder) -> Self {
        io.allow(Some(HELLO_FRAME_BYTES_MAX + HELLO_OVERHEAD_BYTES));
        let read = BytesMut::from(already_read);
        Self { io, read, decoder, frame_bytes_max: HELLO_FRAME_BYTES_MAX, budget: None, large: None, pong: None }
    }

    /// The user is known: frames may be as large as the protocol allows.
    pub fn trust(&mut self, budget: Arc<Budget>) {
        self.io.allow(None);
        self.budget = Some(budget);
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

    /// Of a frame that could not be decoded: whether its peer does not keep to RFC 6455, and that is why.
    pub fn check_undecoded(&self, frame: &[u8]) -> Result<(), RecvError> {
        match self.decoder {
            Decoder::WebSocket { format: Format::Json, .. } => {
                websocket::check_text(frame).map_err(RecvError::Violation)
            }
            Decoder::WebSocket { .. } | Decoder::Tcp { .. } => Ok(()),
        }
    }

    /// The next that comes. Cancel-safe.
    pub async fn recv(&mut self) -> Result<Received, RecvError> {
        loop {
            if let Some(received) = self.take()? {
                return Ok(received);
            }
            match &mut self.large {
                Some(Large::Comes { whole_by, .. }) => {
                    let whole_by = *whole_by;
                    timeout_at(whole_by, self.fill()).await.map_err(|_| RecvError::TooSlow)??;
                }
                Some(Large::Waits(place)) => {
                    let (_place, whole_by) = (Box::new(place.await), Instant::now() + LARGE_FRAME_TIME_MAX);
                    self.large = Some(Large::Comes { _place, whole_by });
                }
                None => match &self.budget {
                    Some(budget) if self.held() >= SMALL_FRAME_BYTES => {
                        self.large = Some(Large::Waits(Box::pin(Arc::clone(budget).large_frame())));
                    }
                    _ => self.fill().await?,
                },
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
        let was_large = matches!(received, Received::Frame(_)) && self.large.take().is_some();
        if was_large || self.read.is_empty() {
            // Of its own: what is left would keep the whole piece.
            self.read = BytesMut::from(&self.read[..]);
        }
        Ok(Some(received))
    }

    /// How many bytes are here of the frame that comes.
    fn held(&self) -> usize {
        let begun = match &self.decoder {
            Decoder::WebSocket { decoder, .. } => decoder.begun(),
            Decoder::Tcp { .. } => 0,
        };
        begun + self.read.len()
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

    /// Writes some of it. Cancel-safe: what was written is gone from `writing`.
    pub async fn write_some(&mut self, writing: &mut Writing) -> io::Result<()> {
        let written = poll_fn(|cx| {
            let mut slices = [IoSlice::new(&[]); SLICES_MAX];
            let filled = writing.slices(&mut slices);
            Pin::new(&mut self.io).poll_write_vectored(cx, &slices[..filled])
        });
        let written = written.await?;
        writing.advance(written);
        if written == 0 { Err(io::ErrorKind::WriteZero.into()) } else { Ok(()) }
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

    /// Ends a WebSocket in WebSocket's own words: as the peer did, or because they did not keep to them.
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
        (true, Format::Protobuf) => {
            websocket::check_text(&payload).map_err(RecvError::Violation)?;
            Err(RecvError::NoFrame("a text message under anser.v1.protobuf: send binary"))
        }
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

#[cfg(test)]
mod tests {
    use anser_proto::UserId;
    use futures_util::FutureExt as _;
    use tokio::io::DuplexStream;

    use super::*;
    use crate::{budget::Budgets, config::Limits};

    const LARGE: usize = 300 * 1024;

    fn frame(length: usize) -> Vec<u8> {
        let mut frame = u32::try_from(length).expect("small").to_be_bytes().to_vec();
        frame.resize(tcp::PREFIX_BYTES + length, b'x');
        frame
    }

    /// A connection of a user whose budget this is, and the other end of it.
    fn connected(budget: &Arc<Budget>) -> (Socket, DuplexStream) {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        let mut socket = Socket::tcp(Io::plain(ours.into()));
        socket.trust(Arc::clone(budget));
        (socket, theirs)
    }

    fn budget() -> Arc<Budget> {
        Arc::new(Budgets::new(&Limits::default(), Instant::now()).of(UserId(7)))
    }

    #[tokio::test]
    async fn what_is_left_behind_a_large_frame_does_not_keep_its_memory() {
        let (mut socket, mut peer) = connected(&budget());
        peer.write_all(&[frame(LARGE), vec![0]].concat()).await.expect("there is room");
        assert!(matches!(socket.recv().await, Ok(Received::Frame(frame)) if frame.len() == LARGE));
        // The byte behind it may come with it or later.
        assert!(socket.recv().now_or_never().is_none());
        assert_eq!(&socket.read[..], [0]);
        assert!(socket.read.capacity() < 2 * READ_BYTES, "{} bytes are kept", socket.read.capacity());
    }

    #[tokio::test]
    async fn who_only_announces_large_frames_holds_up_nobody() {
        let budget = budget();
        let mut announced: Vec<_> = (0..8).map(|_| connected(&budget)).collect();
        for (socket, peer) in &mut announced {
            peer.write_all(&frame(LARGE)[..100]).await.expect("there is room");
            assert!(socket.recv().now_or_never().is_none());
        }
        let (mut socket, mut peer) = connected(&budget);
        peer.write_all(&frame(LARGE)).await.expect("there is room");
        let received = timeout(Duration::from_secs(5), socket.recv()).await.expect("it is not held up");
        assert!(matches!(received, Ok(Received::Frame(_))));
    }

    #[tokio::test]
    async fn a_user_sends_so_many_large_frames_at_a_time_and_those_who_wait_come_in_turn() {
        let budget = budget();
        let mut begun: Vec<_> = (0..5).map(|_| connected(&budget)).collect();
        for (socket, peer) in &mut begun {
            peer.write_all(&frame(LARGE)[..LARGE / 2]).await.expect("there is room");
            assert!(socket.recv().now_or_never().is_none());
        }
        let held: Vec<_> = begun.iter().map(|(socket, _)| socket.read.len() > LARGE / 3).collect();
        assert_eq!(held, [true, true, false, false, false]);
        // The first one ends; the fourth and fifth ask again before the third does, which came before them.
        drop(begun.remove(0));
        for at in [3, 2, 1] {
            assert!(begun[at].0.recv().now_or_never().is_none());
        }
        let held: Vec<_> = begun.iter().map(|(socket, _)| socket.read.len() > LARGE / 3).collect();
        assert_eq!(held, [true, true, false, false]);
    }
}
