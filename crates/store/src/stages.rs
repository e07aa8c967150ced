//! How long the stages of a write take, for whoever looks for the place where the time goes.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// The first bucket holds what took up to a quarter of a millisecond, each next one twice as much, the last one everything else.
pub const FIRST_BUCKET: Duration = Duration::from_micros(250);
pub const BUCKETS: usize = 15;

/// Of one stage, counted since the store was opened.
#[derive(Default, Debug)]
pub struct Timing {
    buckets: [AtomicU64; BUCKETS],
    sum_us: AtomicU64,
}

/// The same at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Times {
    pub buckets: [u64; BUCKETS],
    pub sum_us: u64,
}

impl Timing {
    pub fn note(&self, took: Duration) {
        let bucket = (0..BUCKETS - 1).find(|n| took <= FIRST_BUCKET * (1 << n)).unwrap_or(BUCKETS - 1);
        self.buckets[bucket].fetch_add(1, Relaxed);
        self.sum_us.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Relaxed);
    }

    pub fn times(&self) -> Times {
        Times { buckets: std::array::from_fn(|n| self.buckets[n].load(Relaxed)), sum_us: self.sum_us.load(Relaxed) }
    }
}

/// Of each transaction.
#[derive(Default, Debug)]
pub(crate) struct Stages {
    /// Until it begins, of the write that waited longest.
    pub(crate) queue: Timing,
    /// From its beginning until all is decided and, in SQLite, written.
    pub(crate) transaction: Timing,
    /// Its commit, with the sync; in MySQL what is written too.
    pub(crate) commit: Timing,
    /// What the writer does between two commits to keep the write-ahead log short.
    pub(crate) checkpoint: Timing,
}

/// With the names that an operator knows.
pub type StageTimes = [(&'static str, Times); 4];

impl Stages {
    pub(crate) fn times(&self) -> StageTimes {
        [
            ("queue", self.queue.times()),
            ("transaction", self.transaction.times()),
            ("commit", self.commit.times()),
            ("checkpoint", self.checkpoint.times()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_counted_in_the_first_bucket_that_holds_it() {
        let timing = Timing::default();
        for micros in [0, 250, 251, 500, 1_000, 1_001, 3_600_000_000] {
            timing.note(Duration::from_micros(micros));
        }
        let Times { buckets, sum_us } = timing.times();
        assert_eq!(buckets, [2, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!(sum_us, 3_600_003_002);
    }
}
