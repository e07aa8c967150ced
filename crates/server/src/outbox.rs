//! What waits to be written to one connection. Others put into it and never wait; only its connection takes out.
//! It lies between the hub and the gateway and knows neither.

use std::sync::{Arc, Mutex, MutexGuard};

use anser_proto::CloseCode;
use bytes::Bytes;
use tokio::{
    sync::Notify,
    time::{Duration, Instant},
};

/// Bounded by bytes, with what is being written: a frame that finds no room is dropped and the connection told that it lags, since every push
/// can be had again by a sync.
pub struct Outbox {
    waiting: Mutex<Waiting>,
    filled: Notify,
    kicked: Notify,
    bytes_max: usize,
}

/// What a connection finds in its outbox.
#[derive(Default)]
pub struct Waiting {
    /// Encoded in the connection's framing, in order.
    pub frames: Vec<Bytes>,
    bytes: usize,
    /// Of frames that were taken and are not written yet.
    writing: usize,
    /// Something behind these frames was dropped.
    pub lagged: bool,
    /// The connection shall end.
    pub kicked: Option<CloseCode>,
}

impl Outbox {
    pub fn new(bytes_max: usize) -> Self {
        Self { waiting: Mutex::default(), filled: Notify::new(), kicked: Notify::new(), bytes_max }
    }

    /// Tells whether the connection is to be woken. Once something was dropped everything is, until it was told: a push behind a gap is of no use.
    fn put(&self, frame: Bytes) -> bool {
        let mut waiting = self.lock();
        if waiting.lagged {
            return false;
        }
        if waiting.writing + waiting.bytes + frame.len() > self.bytes_max {
            waiting.lagged = true;
        } else {
            waiting.bytes += frame.len();
            waiting.frames.push(frame);
        }
        // The connection is only woken by what fills an empty outbox; until it has looked, one call is enough.
        waiting.frames.len() <= 1 || waiting.lagged
    }

    /// Something may be missing that never came here: the connection shall tell its client to sync.
    pub fn lag(&self) {
        self.lock().lagged = true;
        self.filled.notify_one();
    }

    pub fn kick(&self, code: CloseCode) {
        self.lock().kicked.get_or_insert(code);
        self.filled.notify_one();
        self.kicked.notify_one();
    }

    /// Takes all that waits now, which may be nothing, to write it.
    pub fn take(&self) -> Waiting {
        let mut waiting = self.lock();
        let writing = waiting.writing + waiting.bytes;
        std::mem::replace(&mut *waiting, Waiting { writing, ..Waiting::default() })
    }

    /// What was taken is written.
    pub fn wrote(&self) {
        self.lock().writing = 0;
    }

    /// Returns when there may be something to take. Cancel-safe.
    pub async fn filled(&self) {
        self.filled.notified().await;
    }

    /// Returns when the connection was kicked: for who is in the middle of a write. Cancel-safe.
    pub async fn kicked(&self) {
        self.kicked.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().expect("nothing panics while holding it")
    }
}

/// Pushes that belong together. Connections are woken behind them, so that what one batch brings to a connection is written at once; none is
/// kept waiting for anything but pushes.
#[derive(Default)]
pub struct Wave {
    filled: Vec<Arc<Outbox>>,
    /// When the first of them was filled.
    since: Option<Instant>,
}

/// About as long as it takes to push to 10 000.
const WAVE_MAX: Duration = Duration::from_millis(1);

impl Wave {
    pub fn push(&mut self, outbox: &Arc<Outbox>, frame: Bytes) {
        if outbox.put(frame) {
            self.since.get_or_insert_with(Instant::now);
            self.filled.push(Arc::clone(outbox));
        }
    }

    /// Before others get their turn: a connection waits for theirs once at most, also for what they push to it themselves.
    pub fn wake_if_old(&mut self) {
        if self.since.is_some_and(|since| since.elapsed() >= WAVE_MAX) {
            self.wake();
        }
    }

    /// Before anything is waited for.
    pub fn wake(&mut self) {
        self.since = None;
        for outbox in self.filled.drain(..) {
            outbox.filled.notify_one();
        }
    }
}

impl Drop for Wave {
    fn drop(&mut self) {
        self.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(outbox: &Arc<Outbox>, frame: Bytes) {
        Wave::default().push(outbox, frame);
    }

    fn outbox_of(bytes_max: usize) -> Arc<Outbox> {
        Arc::new(Outbox::new(bytes_max))
    }

    #[tokio::test]
    async fn a_connection_is_woken_once_for_all_that_a_wave_brings() {
        let (outbox, mut wave) = (outbox_of(10), Wave::default());
        let mut woken = Box::pin(outbox.filled());
        for frame in ["one", "two"] {
            wave.push(&outbox, Bytes::from_static(frame.as_bytes()));
            assert!(futures_util::poll!(&mut woken).is_pending());
        }
        drop(wave);
        woken.await;
        assert_eq!(outbox.take().frames, ["one", "two"]);
        assert!(futures_util::poll!(Box::pin(outbox.filled())).is_pending());
    }

    #[tokio::test(start_paused = true)]
    async fn a_wave_that_has_lasted_wakes_before_others_get_their_turn() {
        let (outbox, mut wave) = (outbox_of(10), Wave::default());
        let mut woken = Box::pin(outbox.filled());
        wave.push(&outbox, Bytes::from_static(b"one"));
        wave.wake_if_old();
        assert!(futures_util::poll!(&mut woken).is_pending());
        tokio::time::advance(WAVE_MAX).await;
        wave.wake_if_old();
        woken.await;
    }

    #[test]
    fn what_finds_no_room_is_dropped_with_all_behind_it_until_the_connection_was_told() {
        let outbox = outbox_of(10);
        for frame in ["1234", "5678", "abc", "d"] {
            push(&outbox, Bytes::from_static(frame.as_bytes()));
        }
        let waiting = outbox.take();
        assert_eq!(waiting.frames, ["1234", "5678"]);
        assert!(waiting.lagged);
        outbox.wrote();

        push(&outbox, Bytes::from_static(b"e"));
        let waiting = outbox.take();
        assert_eq!(waiting.frames, ["e"]);
        assert!(!waiting.lagged);
    }

    #[test]
    fn what_is_being_written_takes_room_until_it_is_written() {
        let outbox = outbox_of(10);
        push(&outbox, Bytes::from_static(b"12345678"));
        assert_eq!(outbox.take().frames.len(), 1);
        push(&outbox, Bytes::from_static(b"ab"));
        push(&outbox, Bytes::from_static(b"c"));
        let waiting = outbox.take();
        assert!(waiting.frames == ["ab"] && waiting.lagged);
        outbox.wrote();
        push(&outbox, Bytes::from_static(b"1234567890"));
        assert!(!outbox.take().lagged);
    }

    #[tokio::test]
    async fn a_connection_is_told_to_sync_without_anything_else_to_tell() {
        let outbox = outbox_of(10);
        outbox.lag();
        outbox.filled().await;
        assert!(outbox.take().lagged && !outbox.take().lagged);
    }

    #[tokio::test]
    async fn the_connection_is_woken_by_a_push_and_by_a_kick() {
        let outbox = outbox_of(10);
        push(&outbox, Bytes::from_static(b"one"));
        outbox.filled().await;
        assert_eq!(outbox.take().frames.len(), 1);
        outbox.kick(CloseCode::Replaced);
        outbox.kick(CloseCode::ServerError);
        outbox.filled().await;
        assert_eq!(outbox.take().kicked, Some(CloseCode::Replaced));
    }
}
