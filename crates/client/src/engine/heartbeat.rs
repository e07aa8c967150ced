//! How long this network leaves a silent connection alive: found by trying, remembered per network. Knows no clock.
//!
//! The idea is that of WeChat's "smart heartbeat" (Mars, `smart_heartbeat`): start short, lengthen after a few
//! successes, fall back after a loss, and keep a little below what is known to fail. It learns in the background only: in
//! the foreground the shortest interval is used, whose survival proves nothing about a longer one.

/// Successes at one interval before a longer one is tried.
const PROOFS: u32 = 3;
/// By how much an interval grows.
const STEP_MS: u64 = 30_000;
/// Losses at a proven interval before it is doubted: one may be chance.
const LOSSES: u32 = 2;

/// What is known of one network, kept over restarts.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Learned {
    /// The longest silence that it survived; 0: nothing is known.
    pub proven_ms: u64,
    /// The shortest silence that it did not survive; 0: none known.
    pub failing_ms: u64,
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
    pub(super) fn new(min_ms: u64, max_ms: u64, learned: Learned) -> Self {
        let min_ms = min_ms.max(1);
        let mut heartbeat =
            Self { min_ms, max_ms: max_ms.max(min_ms), learned, interval_ms: min_ms, proofs: 0, losses: 0 };
        heartbeat.interval_ms = heartbeat.bounded(learned.proven_ms);
        heartbeat
    }

    /// The longest allowed silence in the background; in the foreground a broken connection must be noticed soon.
    pub(super) fn interval_ms(&self, foreground: bool) -> u64 {
        if foreground { self.min_ms } else { self.interval_ms }
    }

    pub(super) fn learned(&self) -> Learned {
        self.learned
    }

    /// The connection was silent for `silence_ms` and lived.
    pub(super) fn survived(&mut self, silence_ms: u64) {
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
        let longer = self.bounded(self.interval_ms + STEP_MS);
        if self.learned.failing_ms == 0 || longer < self.learned.failing_ms {
            self.interval_ms = longer;
        }
    }

    /// The connection was found dead after `silence_ms` of silence.
    pub(super) fn lost(&mut self, silence_ms: u64) {
        if silence_ms < self.interval_ms {
            return;
        }
        self.proofs = 0;
        if self.interval_ms > self.learned.proven_ms {
            self.learned.failing_ms = self.interval_ms;
        } else {
            self.losses += 1;
            if self.losses < LOSSES {
                return;
            }
            self.losses = 0;
            self.learned.failing_ms = self.interval_ms;
            self.learned.proven_ms = self.interval_ms.saturating_sub(STEP_MS);
        }
        self.interval_ms = self.bounded(self.learned.proven_ms);
    }

    fn bounded(&self, interval_ms: u64) -> u64 {
        interval_ms.clamp(self.min_ms, self.max_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lives on a network that cuts a connection after `cut_ms` of silence.
    fn live(heartbeat: &mut Heartbeat, cut_ms: u64, beats: u32) {
        for _ in 0..beats {
            let silence = heartbeat.interval_ms(false);
            if silence < cut_ms { heartbeat.survived(silence) } else { heartbeat.lost(silence) }
        }
    }

    #[test]
    fn the_longest_interval_that_lives_is_found_and_kept() {
        let mut heartbeat = Heartbeat::new(30_000, 600_000, Learned::default());
        live(&mut heartbeat, 200_000, 100);
        assert_eq!(heartbeat.learned(), Learned { proven_ms: 180_000, failing_ms: 210_000 });
        let again = Heartbeat::new(30_000, 600_000, heartbeat.learned());
        assert_eq!(again.interval_ms(false), 180_000);
        assert_eq!(again.interval_ms(true), 30_000);
    }

    #[test]
    fn a_network_that_grew_worse_is_followed() {
        let mut heartbeat = Heartbeat::new(30_000, 600_000, Learned { proven_ms: 300_000, failing_ms: 0 });
        live(&mut heartbeat, 100_000, 100);
        assert_eq!(heartbeat.interval_ms(false), 90_000);
    }

    #[test]
    fn one_loss_at_a_proven_interval_is_taken_for_chance() {
        let mut heartbeat = Heartbeat::new(30_000, 600_000, Learned { proven_ms: 300_000, failing_ms: 330_000 });
        heartbeat.lost(300_000);
        assert_eq!(heartbeat.interval_ms(false), 300_000);
    }

    #[test]
    fn the_servers_bounds_hold_whatever_was_learned() {
        let learned = Learned { proven_ms: 900_000, failing_ms: 0 };
        assert_eq!(Heartbeat::new(10_000, 60_000, learned).interval_ms(false), 60_000);
        let mut heartbeat = Heartbeat::new(10_000, 60_000, Learned::default());
        live(&mut heartbeat, 1_000, 20);
        assert_eq!(heartbeat.interval_ms(false), 10_000);
    }
}
