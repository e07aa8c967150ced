//! How long to wait before the next attempt. Knows no clock.

use rand::{RngExt as _, rngs::StdRng};

const FIRST_MS: u64 = 500;
const CAP_MS: u64 = 20_000;

/// Full jitter: a random time between 0 and a bound that doubles from half a second to 20 seconds.
///
/// Spreads a crowd that lost its server at the same moment best of all simple ways (Marc Brooker, "Exponential
/// Backoff and Jitter", AWS Architecture Blog, 2015).
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Backoff {
    attempts: u32,
}

impl Backoff {
    pub(super) fn next_ms(&mut self, rng: &mut StdRng) -> u64 {
        let bound = FIRST_MS.saturating_mul(1 << self.attempts.min(16)).min(CAP_MS);
        self.attempts += 1;
        rng.random_range(0..=bound)
    }

    pub(super) fn reset(&mut self) {
        self.attempts = 0;
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;

    #[test]
    fn waits_are_spread_below_a_bound_that_doubles() {
        let mut rng = StdRng::seed_from_u64(1);
        for (attempt, bound) in [500, 1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000].into_iter().enumerate() {
            let waits = (0..200).map(|_| Backoff { attempts: attempt as u32 }.next_ms(&mut rng));
            let (low, high) = waits.fold((u64::MAX, 0), |(low, high), wait| (low.min(wait), high.max(wait)));
            assert!(low < bound / 5 && high > bound * 4 / 5 && high <= bound, "{low}..{high} of {bound}");
        }
    }
}
