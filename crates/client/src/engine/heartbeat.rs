//! How long this network leaves a silent connection alive: found by trying, remembered per network. Reads no clock.
//!
//! The idea is that of WeChat's "smart heartbeat" (Mars, `smart_heartbeat`): start short, lengthen after a few
//! successes, fall back after a loss, and keep a little below what is known to fail. It learns in the background only: in
//! the foreground the shortest interval is used, whose survival proves nothing about a longer one.
//!
//! Rules:
//! - A loss speaks against an interval only if the silence was that long: after a longer one the device slept. Whether the
//!   network was there at all is for `link` to judge.
//! - A loss at the shortest interval teaches nothing, since nothing shorter may be used.
//! - What failed is believed for a day, and then tried again.

/// Successes at one interval before a longer one is tried.
const PROOFS: u32 = 3;
/// By how much an interval grows.
const STEP_MS: u64 = 30_000;
/// Losses in a row at a proven interval before it is doubted: one may be chance.
const LOSSES: u32 = 2;
/// By how much a silence may be longer than planned.
pub(super) const SLACK_MS: u64 = 5_000;
/// How long a failure is believed: networks change, and a try costs one connection.
const BELIEVED_MS: u64 = 24 * 3600 * 1000;

/// What is known of one network, kept over restarts.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Learned {
    /// The longest silence that it survived; 0: nothing is known.
    pub proven_ms: u64,
    /// The shortest silence that it did not survive; 0: none known.
    pub failing_ms: u64,
    /// When it did not, in the clock of the steps.
    pub failed_at_ms: u64,
}

/// The interval in use. Between the server's bounds, always.
#[derive(Clone, Debug)]
pub(super) struct Heartbeat {
    min_ms: u64,
    max_ms: u64,
    learned: Learned,
    interval_ms: u64,
    proofs: u32,
    losses: u32,
}

impl Heartbeat {
    /// Of use once the server's bounds are set.
    pub(super) fn new(learned: Learned) -> Self {
        Self { min_ms: 1, max_ms: 1, learned, interval_ms: learned.proven_ms, proofs: 0, losses: 0 }
    }

    /// Goes on within these bounds.
    pub(super) fn set_bounds(&mut self, min_ms: u64, max_ms: u64) {
        self.min_ms = min_ms.max(1);
        self.max_ms = max_ms.max(self.min_ms);
        self.interval_ms = self.bounded(self.interval_ms.max(self.learned.proven_ms));
    }

    /// The longest allowed silence in the background; in the foreground a broken connection must be noticed soon.
    pub(super) fn interval_ms(&self, foreground: bool) -> u64 {
        if foreground { self.min_ms } else { self.interval_ms }
    }

    pub(super) fn learned(&self) -> Learned {
        self.learned
    }

    /// The connection was silent for `silence_ms` and lived.
    pub(super) fn survived(&mut self, now: u64, silence_ms: u64) {
        if silence_ms < self.interval_ms {
            return;
        }
        self.losses = 0;
        self.proofs += 1;
        if self.proofs < PROOFS {
            return;
        }
        self.proofs = 0;
        self.learned.proven_ms = self.learned.proven_ms.max(self.interval_ms);
        if self.learned.proven_ms >= self.learned.failing_ms || !self.is_believed(now) {
            (self.learned.failing_ms, self.learned.failed_at_ms) = (0, 0);
        }
        let longer = self.bounded(self.interval_ms + STEP_MS);
        if self.learned.failing_ms == 0 || longer < self.learned.failing_ms {
            self.interval_ms = longer;
        }
    }

    /// The connection was found dead after `silence_ms` of silence, and nothing else explains it.
    pub(super) fn lost(&mut self, now: u64, silence_ms: u64) {
        let interval_ms = self.interval_ms;
        let is_meant = (interval_ms..=interval_ms + SLACK_MS).contains(&silence_ms);
        if !is_meant || interval_ms == self.min_ms {
            return;
        }
        self.proofs = 0;
        self.losses += 1;
        let is_proven = interval_ms <= self.learned.proven_ms;
        if is_proven && self.losses < LOSSES {
            return;
        }
        self.losses = 0;
        self.learned.failing_ms = interval_ms;
        self.learned.failed_at_ms = now;
        if is_proven {
            self.learned.proven_ms = interval_ms.saturating_sub(STEP_MS);
        }
        self.interval_ms = self.bounded(self.learned.proven_ms);
    }

    /// Also not when the clock went back behind it.
    fn is_believed(&self, now: u64) -> bool {
        now.checked_sub(self.learned.failed_at_ms).is_some_and(|age| age < BELIEVED_MS)
    }

    fn bounded(&self, interval_ms: u64) -> u64 {
        interval_ms.clamp(self.min_ms, self.max_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_000_000_000_000;

    fn heartbeat(learned: Learned) -> Heartbeat {
        let mut heartbeat = Heartbeat::new(learned);
        heartbeat.set_bounds(30_000, 600_000);
        heartbeat
    }

    fn proven(proven_ms: u64) -> Learned {
        Learned { proven_ms, ..Learned::default() }
    }

    /// Lives on a network that cuts a connection after `cut_ms` of silence; every loss is followed by a new connection.
    fn live(heartbeat: &mut Heartbeat, now: u64, cut_ms: u64, beats: u32) {
        for _ in 0..beats {
            let silence = heartbeat.interval_ms(false);
            if silence < cut_ms {
                heartbeat.survived(now, silence);
            } else {
                heartbeat.lost(now, silence);
                heartbeat.set_bounds(30_000, 600_000);
            }
        }
    }

    #[test]
    fn the_longest_interval_that_lives_is_found_and_kept() {
        let mut found = heartbeat(Learned::default());
        live(&mut found, NOW, 200_000, 100);
        assert_eq!(found.learned(), Learned { failing_ms: 210_000, failed_at_ms: NOW, ..proven(180_000) });
        let again = heartbeat(found.learned());
        assert_eq!(again.interval_ms(false), 180_000);
        assert_eq!(again.interval_ms(true), 30_000);
    }

    #[test]
    fn a_network_that_grew_worse_is_followed() {
        let mut heartbeat = heartbeat(proven(300_000));
        live(&mut heartbeat, NOW, 100_000, 100);
        assert_eq!(heartbeat.interval_ms(false), 90_000);
    }

    #[test]
    fn a_network_that_grew_better_is_tried_again_after_a_day() {
        let mut heartbeat = heartbeat(Learned { failing_ms: 90_000, failed_at_ms: NOW, ..proven(60_000) });
        live(&mut heartbeat, NOW + BELIEVED_MS - 1, 300_000, 100);
        assert_eq!(heartbeat.interval_ms(false), 60_000);
        live(&mut heartbeat, NOW + BELIEVED_MS, 300_000, 100);
        assert_eq!(heartbeat.interval_ms(false), 270_000);
    }

    #[test]
    fn a_clock_that_went_back_does_not_make_a_failure_last() {
        let mut heartbeat = heartbeat(Learned { failing_ms: 90_000, failed_at_ms: NOW, ..proven(60_000) });
        live(&mut heartbeat, NOW - 1, 300_000, 100);
        assert_eq!(heartbeat.interval_ms(false), 270_000);
    }

    #[test]
    fn a_loss_at_the_shortest_interval_pins_nothing() {
        let mut heartbeat = heartbeat(Learned::default());
        for _ in 0..10 {
            heartbeat.lost(NOW, 30_000);
        }
        live(&mut heartbeat, NOW, 200_000, 100);
        assert_eq!(heartbeat.interval_ms(false), 180_000);
    }

    #[test]
    fn one_loss_at_a_proven_interval_is_taken_for_chance() {
        let mut heartbeat = heartbeat(Learned { failing_ms: 330_000, failed_at_ms: NOW, ..proven(300_000) });
        heartbeat.lost(NOW, 300_000);
        assert_eq!(heartbeat.interval_ms(false), 300_000);
    }

    #[test]
    fn a_device_that_slept_learns_nothing_from_it() {
        let mut heartbeat = heartbeat(Learned::default());
        live(&mut heartbeat, NOW, 1_000_000, 6);
        assert_eq!(heartbeat.interval_ms(false), 90_000);
        heartbeat.lost(NOW, 90_000 + SLACK_MS + 1);
        assert_eq!((heartbeat.interval_ms(false), heartbeat.learned()), (90_000, proven(60_000)));
    }

    #[test]
    fn the_servers_bounds_hold_whatever_was_learned() {
        let bounded = |learned| {
            let mut heartbeat = Heartbeat::new(learned);
            heartbeat.set_bounds(10_000, 60_000);
            heartbeat
        };
        assert_eq!(bounded(proven(900_000)).interval_ms(false), 60_000);
        let mut short = bounded(Learned::default());
        live(&mut short, NOW, 1_000, 20);
        assert_eq!(short.interval_ms(false), 30_000);
    }
}
