//! What waits between nodes, bounded in count and in bytes. Nobody waits for room: what finds none is dropped by whoever has it, and they
//! are told.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use tokio::sync::mpsc;

/// Bytes that may be held at one time. A handle: clones hold out of the same.
#[derive(Clone)]
pub struct Room(Arc<Bytes>);

struct Bytes {
    held: AtomicUsize,
    max: usize,
}

/// Bytes of a room, until this is dropped.
pub struct Held {
    room: Room,
    bytes: usize,
}

impl Room {
    pub fn new(bytes_max: usize) -> Self {
        Self(Arc::new(Bytes { held: AtomicUsize::new(0), max: bytes_max }))
    }

    /// None when there is no room for so many.
    pub fn hold(&self, bytes: usize) -> Option<Held> {
        let with = |held: usize| held.checked_add(bytes).filter(|held| *held <= self.0.max);
        self.0.held.fetch_update(Relaxed, Relaxed, with).ok()?;
        Some(Held { room: self.clone(), bytes })
    }

    pub fn is_empty(&self) -> bool {
        self.0.held.load(Relaxed) == 0
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.room.0.held.fetch_sub(self.bytes, Relaxed);
    }
}

/// The end of a queue into which things are put.
pub struct Bounded<T> {
    queue: mpsc::Sender<(T, Held)>,
    room: Room,
}

/// The other end. A thing takes room until what comes out with it is dropped.
pub type Waiting<T> = mpsc::Receiver<(T, Held)>;

impl<T> Bounded<T> {
    pub fn new(count_max: usize, bytes_max: usize) -> (Self, Waiting<T>) {
        let (queue, waiting) = mpsc::channel(count_max);
        (Self { queue, room: Room::new(bytes_max) }, waiting)
    }

    /// Gives back what finds no room. Nothing weighs nothing.
    pub fn put(&self, thing: T, bytes: usize) -> Result<(), T> {
        match self.room.hold(bytes.max(1)) {
            Some(held) => self.queue.try_send((thing, held)).map_err(|full| full.into_inner().0),
            None => Err(thing),
        }
    }

    /// Whether all that was put is out, and done with.
    pub fn is_empty(&self) -> bool {
        self.room.is_empty()
    }

    /// Nobody will take anything out any more.
    #[cfg(feature = "cluster")]
    pub fn is_closed(&self) -> bool {
        self.queue.is_closed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_holds_so_many_bytes_and_gets_them_back() {
        let room = Room::new(10);
        let first = room.hold(6);
        assert!(first.is_some() && room.hold(5).is_none() && room.hold(usize::MAX).is_none());
        let clone = room.clone();
        let second = clone.hold(4);
        assert!(second.is_some() && room.hold(1).is_none());
        drop((first, second));
        assert!(room.is_empty() && room.hold(10).is_some());
    }

    #[tokio::test]
    async fn a_queue_takes_so_many_things_and_so_many_bytes_in_order() {
        let (queue, mut waiting) = Bounded::new(3, 10);
        assert_eq!(["a", "b", "c"].map(|thing| queue.put(thing, 5)), [Ok(()), Ok(()), Err("c")], "10 bytes");
        for thing in ["a", "b"] {
            assert!(queue.put("c", 6).is_err(), "nothing came out yet");
            assert_eq!(waiting.recv().await.expect("it waits").0, thing);
        }
        assert_eq!(
            ["d", "e", "f", "g"].map(|thing| queue.put(thing, 0)),
            [Ok(()), Ok(()), Ok(()), Err("g")],
            "3 things"
        );
        for thing in ["d", "e", "f"] {
            assert_eq!(waiting.recv().await.expect("it waits").0, thing);
        }
        assert!(queue.is_empty(), "what was dropped holds nothing");
    }

    #[tokio::test]
    async fn what_came_out_takes_room_until_it_is_done_with() {
        let (queue, mut waiting) = Bounded::new(3, 10);
        assert!(queue.put("a", 10).is_ok());
        let taken = waiting.recv().await;
        assert!(queue.put("b", 1).is_err() && !queue.is_empty());
        drop(taken);
        assert!(queue.is_empty() && queue.put("b", 1).is_ok());
    }

    #[test]
    fn what_is_put_where_nobody_takes_it_out_holds_nothing() {
        let (queue, waiting) = Bounded::new(3, 10);
        assert!(queue.put("a", 1).is_ok());
        drop(waiting);
        assert!(queue.put("b", 1).is_err() && queue.is_empty());
    }
}
