//! Waiting for a future on a thread that has no runtime: the writer's, for the sequencer.

use std::{
    future::Future,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake},
    thread::{self, Thread},
    time::{Duration, Instant},
};

/// A sequencer that takes longer is done without.
const WAIT_MAX: Duration = Duration::from_secs(1);

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// None after a second. Everybody's messages wait meanwhile: hence the bound, behind which the future is dropped.
pub(super) fn wait<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let waker = Arc::new(Unpark(thread::current())).into();
    let mut deadline = None;
    loop {
        if let Poll::Ready(outcome) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Some(outcome);
        }
        let now = Instant::now();
        let left = deadline.get_or_insert(now + WAIT_MAX).saturating_duration_since(now);
        if left.is_zero() {
            return None;
        }
        thread::park_timeout(left);
    }
}
