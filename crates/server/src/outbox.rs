//! What waits to be written to one connection. Others put into it and never wait; only its connection takes out.
//! It lies between the hub and the gateway and knows neither.

use std::sync::{Mutex, MutexGuard};

use anser_proto::CloseCode;
use bytes::Bytes;
use tokio::sync::Notify;

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

    /// Once something was dropped everything is, until the connection was told: a push behind a gap is of no use.
    pub fn push(&self, frame: Bytes) {
        let mut waiting = self.lock();
        if waiting.lagged {
            return;
        }
        if waiting.writing + waiting.bytes + frame.len() > self.bytes_max {
            waiting.lagged = true;
        } else {
            waiting.bytes += frame.len();
            waiting.frames.push(frame);
        }
        // The connection is only woken by what fills an empty outbox; until it has looked, one call is enough.
        let first = waiting.frames.len() <= 1 || waiting.lagged;
        drop(waiting);
        if first {
            self.filled.notify_one();
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_finds_no_room_is_dropped_with_all_behind_it_until_the_connection_was_told() {
        let outbox = Outbox::new(10);
        for frame in ["1234", "5678", "abc", "d"] {
            outbox.push(Bytes::from_static(frame.as_bytes()));
        }
        let waiting = outbox.take();
        assert_eq!(waiting.frames, ["1234", "5678"]);
        assert!(waiting.lagged);
        outbox.wrote();

        outbox.push(Bytes::from_static(b"e"));
        let waiting = outbox.take();
        assert_eq!(waiting.frames, ["e"]);
        assert!(!waiting.lagged);
    }

    #[test]
    fn what_is_being_written_takes_room_until_it_is_written() {
        let outbox = Outbox::new(10);
        outbox.push(Bytes::from_static(b"12345678"));
        assert_eq!(outbox.take().frames.len(), 1);
        outbox.push(Bytes::from_static(b"ab"));
        outbox.push(Bytes::from_static(b"c"));
        let waiting = outbox.take();
        assert!(waiting.frames == ["ab"] && waiting.lagged);
        outbox.wrote();
        outbox.push(Bytes::from_static(b"1234567890"));
        assert!(!outbox.take().lagged);
    }

    #[tokio::test]
    async fn a_connection_is_told_to_sync_without_anything_else_to_tell() {
        let outbox = Outbox::new(10);
        outbox.lag();
        outbox.filled().await;
        assert!(outbox.take().lagged && !outbox.take().lagged);
    }

    #[tokio::test]
    async fn the_connection_is_woken_by_a_push_and_by_a_kick() {
        let outbox = Outbox::new(10);
        outbox.push(Bytes::from_static(b"one"));
        outbox.filled().await;
        assert_eq!(outbox.take().frames.len(), 1);
        outbox.kick(CloseCode::Replaced);
        outbox.kick(CloseCode::ServerError);
        outbox.filled().await;
        assert_eq!(outbox.take().kicked, Some(CloseCode::Replaced));
    }
}
