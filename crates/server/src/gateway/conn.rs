//! One connection: the one task that owns its socket, and the closed list of what can happen to it.

use std::{future::pending, sync::Arc, time::Duration};

use anser_proto::{
    CloseCode, ErrorCode,
    codec::Malformed,
    codes::{close_row, error_row},
    limits::REQUEST_BYTES_MAX,
    v1::{self, client_frame::Request, server_frame::Body},
};
use anser_store::Clock;
use bytes::Bytes;
use futures_util::FutureExt as _;
use tokio::{
    sync::OwnedSemaphorePermit,
    task::{JoinError, JoinHandle},
    time::{Instant, sleep, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{
    ending::{CLOSE_PATIENCE, End, closing_code, end, last_words, recv_error, unwritten},
    login::LoggedIn,
    socket::{Received, RecvError, Socket},
    writing::write_all,
};
use crate::{
    budget::{LargeAnswer, SMALL_ANSWER_BYTES},
    ctx::Ctx,
    error::Error,
    framing::Framing,
    hub::Connected,
    im::{self, Caller},
    outbox::{Outbox, Waiting},
};

/// Requests that are taken up together. They wait for one commit instead of one each.
const TURN_FRAMES_MAX: usize = 64;
/// A turn that has as many bytes takes up nothing more.
const TURN_BYTES_MAX: usize = 512 * 1024;
/// How long a token may outlive a wall clock that was set.
const TOKEN_LOOK: Duration = Duration::from_secs(300);
/// Draining spreads the clients' return over so many milliseconds.
const RECONNECT_SPREAD_MS: u32 = 5_000;

/// Everything that can happen to a connection that is logged in.
enum Event {
    Shutdown,
    /// Something waits in the outbox: pushes, or a kick.
    Outbox,
    /// The requests taken up last are done.
    Answers(Result<(Box<Caller>, Vec<v1::ServerFrame>), JoinError>),
    /// The client said something. Not listened to while a turn is under way: that is the back pressure.
    Frame(Result<Received, RecvError>),
    /// Nothing came for too long, or the token ran out.
    Deadline,
}

/// A task of its own, which is carried to its end whatever becomes of the connection: it tells others of what it stored, and
/// they must not wait for this one's socket.
type Turn = JoinHandle<(Box<Caller>, Vec<v1::ServerFrame>)>;

struct Conn {
    cx: Arc<Ctx>,
    socket: Socket,
    framing: Framing,
    connected: Connected,
    /// Among the users' connections.
    _place: OwnedSemaphorePermit,
    outbox: Arc<Outbox>,
    /// Absent while a turn has it.
    caller: Option<Box<Caller>>,
    turn: Option<Turn>,
    /// When something came last.
    received_at: Instant,
    silence: Duration,
    /// By the wall clock, which can be set: so it is looked at again and again.
    token_expires_ms: Option<u64>,
    /// What was read behind the frames of the turn and is no frame. Told once they are answered.
    broken: Option<RecvError>,
    shutdown: CancellationToken,
}

/// Serves a connection that was let in and ends it. Returns when nothing of it is left.
///
/// What is only needed for a while is boxed: the future of an idle connection has room for nothing else, and there are
/// many of them.
pub async fn run(cx: Arc<Ctx>, mut socket: Socket, logged_in: LoggedIn, shutdown: CancellationToken) {
    if socket.io.move_here().is_err() {
        return;
    }
    let (mut conn, welcome) = Conn::new(cx, socket, logged_in, shutdown);
    let _counted = conn.cx.metrics.connection();
    let end = match Box::pin(conn.write(vec![welcome])).await {
        Ok(()) => conn.serve().await,
        Err(end) => end,
    };
    Box::pin(conn.finish(end)).await;
}

impl Conn {
    /// The connection, and what to say to it first.
    fn new(cx: Arc<Ctx>, mut socket: Socket, logged_in: LoggedIn, shutdown: CancellationToken) -> (Self, Bytes) {
        let LoggedIn { caller, connected, place, outbox, welcome, token_expires_ms } = logged_in;
        socket.trust(Arc::clone(&connected.budget));
        let conn = Self {
            silence: Duration::from_millis(u64::from(cx.config.limits.heartbeat_max_ms) * 3 / 2),
            cx,
            framing: socket.framing(),
            socket,
            connected,
            _place: place,
            outbox,
            caller: Some(caller),
            turn: None,
            received_at: Instant::now(),
            token_expires_ms,
            broken: None,
            shutdown,
        };
        (conn, welcome)
    }

    /// Handles what happens until the connection ends.
    async fn serve(&mut self) -> End {
        let deadline = sleep_until(self.deadline());
        tokio::pin!(deadline);
        loop {
            let event = tokio::select! {
                () = self.shutdown.cancelled() => Event::Shutdown,
                () = self.outbox.filled() => Event::Outbox,
                done = poll_turn(&mut self.turn) => Event::Answers(done),
                frame = self.socket.recv(), if self.turn.is_none() => Event::Frame(frame),
                () = &mut deadline => Event::Deadline,
            };
            let step = match event {
                Event::Shutdown => Box::pin(self.drain()).await,
                Event::Outbox => Box::pin(self.flush(Vec::new())).await,
                Event::Answers(Ok((caller, frames))) => Box::pin(self.answer(caller, frames)).await,
                Event::Answers(Err(_)) => return end(CloseCode::ServerError),
                Event::Frame(Ok(Received::Frame(frame))) => self.take_up(frame),
                Event::Frame(Ok(Received::Control)) => Box::pin(self.take_control()).await,
                Event::Frame(Err(error)) => Box::pin(self.refuse(error)).await,
                Event::Deadline => {
                    deadline.as_mut().reset(self.deadline());
                    self.check_deadlines()
                }
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    fn deadline(&self) -> Instant {
        let silent = self.received_at + self.silence;
        silent.min(Instant::now() + token_left(&self.cx.clock, self.token_expires_ms).min(TOKEN_LOOK))
    }

    fn check_deadlines(&self) -> Result<(), End> {
        let now = Instant::now();
        if token_left(&self.cx.clock, self.token_expires_ms).is_zero() {
            return Err(end(CloseCode::TokenRanOut));
        }
        if self.received_at + self.silence <= now {
            return Err(end(CloseCode::Silent));
        }
        Ok(())
    }

    /// Takes up this frame and those that came with it and become entries of a log as well, which wait for one commit together. Any other request ends the
    /// turn: its answer may be large, and there is never more than one of those in memory. A frame with a value that it cannot
    /// have takes its place in the turn, to be refused there.
    fn take_up(&mut self, first: Bytes) -> Result<(), End> {
        self.received_at = Instant::now();
        let mut next = Some(Ok(Received::Frame(first)));
        let (mut frames, mut taken, mut turn_bytes) = (Vec::new(), 0, 0);
        let mut malformed = None;
        while let Some(received) = next.take() {
            taken += 1;
            let is_short = match received {
                Ok(Received::Control) => {
                    self.count_control();
                    true
                }
                Ok(Received::Frame(bytes)) => {
                    turn_bytes += bytes.len();
                    let decoded = self.framing.format.decode::<v1::ClientFrame>(&bytes);
                    let frame = match decoded.map_err(|error| (error, self.socket.check_undecoded(&bytes))) {
                        Ok(v1::ClientFrame { request_id, request }) => check_size(request.as_ref(), bytes.len())
                            .map(|()| v1::ClientFrame { request_id, request })
                            .map_err(|error| (request_id, error)),
                        Err((_, Err(violation))) => {
                            self.broken = Some(violation);
                            break;
                        }
                        Err((Malformed::Field { request_id, message }, Ok(()))) => {
                            Err((request_id, Error::bad_field(message)))
                        }
                        Err((error, Ok(()))) => {
                            malformed = Some(Error::new(ErrorCode::BadFrame, error.to_string()));
                            break;
                        }
                    };
                    let is_short = match &frame {
                        Ok(v1::ClientFrame { request, .. }) => request.as_ref().is_some_and(im::Entry::is),
                        Err(_) => true,
                    };
                    frames.push(frame);
                    is_short
                }
                Err(error) => {
                    self.broken = Some(error);
                    break;
                }
            };
            if is_short && taken < TURN_FRAMES_MAX && turn_bytes < TURN_BYTES_MAX {
                next = self.socket.recv().now_or_never();
            }
        }
        let caller = self.caller.take().expect("no turn is under way while frames are listened to");
        let (cx, now) = (Arc::clone(&self.cx), self.received_at);
        self.turn = Some(tokio::spawn(async move {
            let (caller, mut answers) = im::turn(&cx, caller, frames, now).await;
            // What came before the malformed frame is answered before the connection ends.
            answers.extend(malformed.map(|error| answer(0, Body::Error(error.to_wire()))));
            (caller, answers)
        }));
        Ok(())
    }

    /// Frames of the transport show that the peer is there, and cost them as much as a request.
    fn count_control(&mut self) {
        self.received_at = Instant::now();
        if let Some(caller) = &mut self.caller {
            // Too many are not refused, since they are answered all the same; who does not stop is closed.
            let _ = caller.lane.admit(1, self.received_at);
        }
    }

    async fn take_control(&mut self) -> Result<(), End> {
        self.count_control();
        self.flush(Vec::new()).await?;
        self.check_ending()
    }

    fn check_ending(&self) -> Result<(), End> {
        self.caller.as_ref().and_then(|caller| caller.lane.ending()).map_or(Ok(()), |code| Err(end(code)))
    }

    async fn answer(&mut self, mut caller: Box<Caller>, answers: Vec<v1::ServerFrame>) -> Result<(), End> {
        let (said_bye, room) = (caller.lane.said_bye, caller.lane.room.take());
        self.caller = Some(caller);
        let closing = answers.iter().find_map(closing_code);
        self.flush_large(answers, room).await?;
        if let Some(code) = closing {
            return Err(end(code));
        }
        self.check_ending()?;
        match self.broken.take() {
            _ if said_bye => Err(end(CloseCode::Normal)),
            None => Ok(()),
            Some(error) => self.refuse(error).await,
        }
    }

    async fn flush(&mut self, answers: Vec<v1::ServerFrame>) -> Result<(), End> {
        self.flush_large(answers, None).await
    }

    /// Writes what waits in the outbox, a pong that is due, and then the answers, in one go. Room that was found for them is kept until then.
    async fn flush_large(&mut self, answers: Vec<v1::ServerFrame>, mut room: Option<LargeAnswer>) -> Result<(), End> {
        let Waiting { mut frames, lagged, kicked, .. } = self.outbox.take();
        if lagged {
            self.cx.metrics.lagged.inc();
            frames.push(self.framing.encode(&answer(0, Body::Lagged(v1::Lagged {}))));
        }
        frames.extend(self.socket.take_pong());
        // Each is let go once it is encoded: a page is not kept twice while it is being written.
        let pushes = frames.len();
        frames.extend(answers.into_iter().map(|frame| self.encode(frame, &mut room)));
        if frames[pushes..].iter().all(|frame| frame.len() <= SMALL_ANSWER_BYTES) {
            room = None;
        }
        if let Some(code) = kicked {
            let kicked = v1::Kicked { code: code.into(), reason: close_row(code).meaning.to_owned() };
            frames.push(self.framing.encode(&answer(0, Body::Kicked(kicked))));
        }
        self.write(frames).await?;
        drop(room);
        kicked.map_or(Ok(()), |code| Err(end(code)))
    }

    /// An answer, or that there is no room for one that is as large.
    fn encode(&self, frame: v1::ServerFrame, room: &mut Option<LargeAnswer>) -> Bytes {
        let encoded = self.framing.encode(&frame);
        if self.connected.budget.find_room(room, encoded.len()) {
            return encoded;
        }
        self.cx.metrics.answers_cut.inc();
        self.framing.encode(&answer(frame.request_id, Body::Error(Error::no_room().to_wire())))
    }

    async fn write(&mut self, frames: Vec<Bytes>) -> Result<(), End> {
        if frames.is_empty() {
            return Ok(());
        }
        self.cx.metrics.frames_out.inc_by(frames.len() as u64);
        let began = Instant::now();
        // Who is kicked, whose token ran out, or who meets the server's end, is not waited for as long as who is just slow.
        let expires = token_over(&self.cx.clock, self.token_expires_ms);
        let cut_short = async {
            tokio::select! {
                () = self.shutdown.cancelled() => {}
                () = self.outbox.kicked() => {}
                () = expires => {}
            }
            sleep(CLOSE_PATIENCE).await;
        };
        let written = tokio::select! {
            biased;
            written = write_all(&mut self.socket, frames) => written.map_err(unwritten),
            () = cut_short => Err(End::Gone),
        };
        self.outbox.wrote();
        // Nobody was listened to meanwhile.
        self.received_at += began.elapsed();
        written
    }

    async fn refuse(&mut self, error: RecvError) -> Result<(), End> {
        let error = recv_error(error)?;
        let code = error_row(error.code).closes.unwrap_or(CloseCode::BadFrames);
        let reason = error.message.to_string();
        self.flush(vec![answer(0, Body::Error(error.to_wire()))]).await?;
        Err(End::Closed { code, reason })
    }

    async fn drain(&mut self) -> Result<(), End> {
        // What was taken up is finished and answered first.
        if let Some(turn) = self.turn.take()
            && let Ok((mut caller, answers)) = turn.await
        {
            let room = caller.lane.room.take();
            self.caller = Some(caller);
            self.flush_large(answers, room).await?;
        }
        let reconnect_after_ms = rand::random_range(0..RECONNECT_SPREAD_MS);
        self.flush(vec![answer(0, Body::Draining(v1::Draining { reconnect_after_ms }))]).await?;
        Err(end(CloseCode::Draining))
    }

    async fn finish(mut self, end: End) {
        drop(self.connected);
        if let End::Closed { code, .. } = end {
            self.cx.metrics.closed(code);
        }
        last_words(&mut self.socket, end).await;
        // The server does not end before what was taken up is stored and told.
        let caller = match self.turn.take() {
            Some(turn) => turn.await.ok().map(|(caller, _)| caller),
            None => self.caller,
        };
        if let Some(caller) = caller {
            caller.lane.telling.done().await;
        }
    }
}

/// How long a token is good yet, by the wall clock.
fn token_left(clock: &Clock, expires_ms: Option<u64>) -> Duration {
    expires_ms.map_or(Duration::MAX, |expires_ms| Duration::from_millis(expires_ms.saturating_sub(clock())))
}

async fn token_over(clock: &Clock, expires_ms: Option<u64>) {
    loop {
        let left = token_left(clock, expires_ms);
        if left.is_zero() {
            return;
        }
        sleep(left.min(TOKEN_LOOK)).await;
    }
}

/// Pending for ever without a turn. Cancel-safe.
async fn poll_turn(turn: &mut Option<Turn>) -> Result<(Box<Caller>, Vec<v1::ServerFrame>), JoinError> {
    match turn {
        Some(running) => {
            let done = running.await;
            *turn = None;
            done
        }
        None => pending().await,
    }
}

fn answer(request_id: u32, body: Body) -> v1::ServerFrame {
    v1::ServerFrame { request_id, body: Some(body) }
}
/// What a large frame says is held while it waits for its turn, many times as large: only messages are.
fn check_size(request: Option<&Request>, bytes: usize) -> Result<(), Error> {
    if bytes <= REQUEST_BYTES_MAX || request.is_some_and(im::Entry::is) {
        return Ok(());
    }
    let message = format!("the frame has {bytes} bytes: at most {REQUEST_BYTES_MAX} without a message in it");
    Err(Error::bad_field(message))
}
