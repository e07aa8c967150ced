//! A brake on whoever does something too often: each deed costs a while, and while too much is owed the next one has to wait.
//!
//! This is the generic cell rate algorithm (ITU-T I.371), which remembers one moment for each debtor: when he will owe nothing.
//! Time is monotonic, so no clock that is set opens or shuts a door.

use std::{
    hash::{BuildHasher as _, Hash, RandomState},
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use quick_cache::unsync::Cache;
use tokio::time::Instant;

/// `burst` deeds at once, and then one each `every`.
#[derive(Clone, Copy, Debug)]
pub struct Price {
    pub every: Duration,
    pub burst: u32,
}

impl Price {
    /// 0 a second: none.
    pub fn per_s(rate: u32, burst: u32) -> Self {
        Self { every: Duration::from_secs(1).checked_div(rate).unwrap_or(Duration::MAX), burst }
    }
}

/// Debtors are named by a keyed hash, so that a name costs 8 bytes and nobody can choose it.
pub struct Debts {
    free_at: Mutex<Cache<u64, Instant>>,
    names: RandomState,
}

impl Debts {
    /// Whoever makes up names in order to be forgotten makes others be forgotten who did little, rather than those who did much.
    pub fn new(remembered: usize) -> Self {
        Self { free_at: Mutex::new(Cache::new(remembered)), names: RandomState::new() }
    }

    /// Charges for one deed, or tells how long until it may be done.
    pub fn charge(&self, debtor: impl Hash, price: Price, now: Instant) -> Result<(), Duration> {
        let (debtor, mut free_at) = (self.names.hash_one(debtor), self.lock());
        let owed = owed(&free_at, debtor, now);
        let most = price.every.saturating_mul(price.burst.saturating_sub(1));
        if owed > most || price.burst == 0 {
            return Err(owed.saturating_sub(most).max(Duration::from_millis(1)));
        }
        free_at.insert(debtor, now + owed + price.every);
        Ok(())
    }

    /// Takes back what was charged for one deed.
    pub fn forgive(&self, debtor: impl Hash, price: Price, now: Instant) {
        let (debtor, mut free_at) = (self.names.hash_one(debtor), self.lock());
        let owed = owed(&free_at, debtor, now);
        free_at.insert(debtor, now + owed.saturating_sub(price.every));
    }

    fn lock(&self) -> MutexGuard<'_, Cache<u64, Instant>> {
        self.free_at.lock().expect("nothing panics while holding it")
    }
}

fn owed(free_at: &Cache<u64, Instant>, debtor: u64, now: Instant) -> Duration {
    free_at.get(&debtor).map_or(Duration::ZERO, |free_at| free_at.saturating_duration_since(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_free_and_then_time_pays() {
        let (debts, start) = (Debts::new(100), Instant::now());
        let price = Price::per_s(10, 3);
        assert_eq!((0..5).filter(|_| debts.charge("ada", price, start).is_ok()).count(), 3);
        assert_eq!(debts.charge("ada", price, start), Err(Duration::from_millis(100)));
        assert_eq!(debts.charge("bob", price, start), Ok(()));
        assert_eq!(debts.charge("ada", price, start + Duration::from_millis(100)), Ok(()));
        debts.forgive("ada", price, start + Duration::from_millis(100));
        assert_eq!(debts.charge("ada", price, start + Duration::from_millis(100)), Ok(()));
        assert!(debts.charge("eve", Price::per_s(10, 0), start).is_err());
    }
}
