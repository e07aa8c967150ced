//! A bounded queue between tasks, which never wait for room, and the threads that own connections, which wait for work.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard},
};

use crate::Failure;

pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    arrived: Condvar,
    len_max: usize,
    bytes_max: usize,
}

struct State<T> {
    waiting: VecDeque<(T, usize)>,
    bytes: usize,
    closed: bool,
}

impl<T> Queue<T> {
    pub(super) fn new(len_max: usize, bytes_max: usize) -> Self {
        let state = State { waiting: VecDeque::new(), bytes: 0, closed: false };
        Self { state: Mutex::new(state), arrived: Condvar::new(), len_max, bytes_max }
    }

    /// `Overloaded` when there is no room. What is larger than the whole queue passes when nothing else waits.
    pub(super) fn push(&self, item: T, bytes: usize) -> Result<(), Failure> {
        let mut state = self.state();
        if state.closed {
            return Err(Failure::Closed);
        }
        let has_room = state.waiting.len() < self.len_max && state.bytes.saturating_add(bytes) <= self.bytes_max;
        if !has_room && !state.waiting.is_empty() {
            return Err(Failure::Overloaded);
        }
        state.bytes += bytes;
        state.waiting.push_back((item, bytes));
        self.arrived.notify_one();
        Ok(())
    }

    /// Waits for the next one; none after the queue was closed and emptied.
    pub(super) fn pop(&self) -> Option<T> {
        let waiting = |state: &mut State<T>| state.waiting.is_empty() && !state.closed;
        let mut state = self.arrived.wait_while(self.state(), waiting).unwrap_or_else(|poison| poison.into_inner());
        state.pop()
    }

    /// The next one if there is one, and it fits.
    pub(super) fn pop_if(&self, fits: impl FnOnce(&T) -> bool) -> Option<T> {
        let mut state = self.state();
        if state.waiting.front().is_some_and(|(next, _)| fits(next)) { state.pop() } else { None }
    }

    /// Nothing is taken any more; what waits is still given out.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.arrived.notify_all();
    }

    /// For the only one who takes from it: however that ends, also by a panic, nobody waits on it for ever.
    pub(super) fn closed_at_the_end(&self) -> CloseAtTheEnd<'_, T> {
        CloseAtTheEnd(self)
    }

    pub(super) fn len(&self) -> usize {
        self.state().waiting.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.state().bytes
    }

    /// No invariant is broken halfway in here, so a thread that panicked elsewhere with the lock leaves it sound.
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(|poison| poison.into_inner())
    }
}

pub(super) struct CloseAtTheEnd<'q, T>(&'q Queue<T>);

impl<T> Drop for CloseAtTheEnd<'_, T> {
    fn drop(&mut self) {
        self.0.close();
        while let Some(left) = self.0.pop_if(|_| true) {
            drop(left);
        }
    }
}

impl<T> State<T> {
    fn pop(&mut self) -> Option<T> {
        let (item, bytes) = self.waiting.pop_front()?;
        self.bytes -= bytes;
        Some(item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_queue_refuses_and_a_closed_one_empties() {
        let queue = Queue::new(2, 10);
        assert_eq!(queue.push('a', 100), Ok(()), "what is larger than the queue passes alone");
        assert_eq!(queue.push('b', 0), Err(Failure::Overloaded));
        assert_eq!(queue.pop(), Some('a'));
        assert_eq!((queue.push('b', 5), queue.push('c', 6)), (Ok(()), Err(Failure::Overloaded)));
        assert_eq!((queue.push('c', 5), queue.push('d', 0)), (Ok(()), Err(Failure::Overloaded)));
        queue.close();
        assert_eq!(queue.push('e', 0), Err(Failure::Closed));
        assert_eq!((queue.pop_if(|next| *next == 'c'), queue.pop_if(|next| *next == 'b')), (None, Some('b')));
        assert_eq!((queue.pop(), queue.pop_if(|_| true), queue.pop()), (Some('c'), None, None));
    }

    #[test]
    fn a_queue_whose_taker_is_gone_lets_go_of_what_waits() {
        let queue = Queue::new(2, 10);
        let (waiting, answered) = std::sync::mpsc::sync_channel::<()>(1);
        assert_eq!(queue.push(waiting, 0), Ok(()));
        drop(queue.closed_at_the_end());
        assert!(answered.recv().is_err());
        assert_eq!(queue.len(), 0);
        assert_eq!(queue.push(std::sync::mpsc::sync_channel(1).0, 0), Err(Failure::Closed));
    }
}
