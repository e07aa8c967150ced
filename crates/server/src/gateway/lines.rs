//! How often the log is told the same: so many lines in a while, and how many were passed over.

use std::time::Duration;

use tokio::time::Instant;

pub struct Lines {
    max: u32,
    window: Duration,
    since: Option<Instant>,
    told: u32,
    /// Since the last line.
    passed_over: u64,
}

impl Lines {
    pub fn new(max: u32, window: Duration) -> Self {
        Self { max, window, since: None, told: 0, passed_over: 0 }
    }

    /// May tell one more, and how many were passed over before it.
    pub fn admit(&mut self, now: Instant) -> Option<u64> {
        if self.since.is_none_or(|since| since + self.window <= now) {
            (self.since, self.told) = (Some(now), 0);
        }
        if self.told == self.max {
            self.passed_over += 1;
            return None;
        }
        self.told += 1;
        Some(std::mem::take(&mut self.passed_over))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_all_the_time_is_counted_and_not_told_one_by_one() {
        let window = Duration::from_secs(1);
        let (mut lines, start) = (Lines::new(10, window), Instant::now());
        assert_eq!((0..1_000).filter(|_| lines.admit(start).is_some()).count(), 10);
        assert_eq!(lines.admit(start + window), Some(990));
        assert_eq!(lines.admit(start + window), Some(0));
    }
}
