//! What the log is told of those who are not let in: whence and why, never what they said, and not more than a few lines a second,
//! since an attacker must not fill the disk.

use std::{net::IpAddr, sync::Mutex, time::Duration};

use tokio::time::Instant;

/// Lines in one `WINDOW`.
const LINES_MAX: u32 = 10;
const WINDOW: Duration = Duration::from_secs(1);

#[derive(Default)]
pub struct Refusals(Mutex<Told>);

#[derive(Default)]
struct Told {
    since: Option<Instant>,
    lines: u32,
    /// Since the last line.
    passed_over: u64,
}

impl Refusals {
    /// `reason` is a code or a setting. None: within the process.
    pub fn tell(&self, from: Option<IpAddr>, reason: &'static str) {
        let Some(passed_over) = self.0.lock().expect("nothing panics while holding it").admit(Instant::now()) else {
            return;
        };
        let address = from.map_or_else(|| "this process".to_owned(), |from| from.to_string());
        tracing::info!(%address, reason, passed_over, "not let in");
    }
}

impl Told {
    /// May tell one more, and how many were passed over before it.
    fn admit(&mut self, now: Instant) -> Option<u64> {
        if self.since.is_none_or(|since| since + WINDOW <= now) {
            (self.since, self.lines) = (Some(now), 0);
        }
        if self.lines == LINES_MAX {
            self.passed_over += 1;
            return None;
        }
        self.lines += 1;
        Some(std::mem::take(&mut self.passed_over))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_refusals_is_counted_and_not_told_one_by_one() {
        let (mut told, start) = (Told::default(), Instant::now());
        assert_eq!((0..1_000).filter(|_| told.admit(start).is_some()).count(), LINES_MAX as usize);
        assert_eq!(told.admit(start + WINDOW), Some(1_000 - u64::from(LINES_MAX)));
        assert_eq!(told.admit(start + WINDOW), Some(0));
    }
}
