//! A brake on whoever does something too often, of whom there may be any number: what each owes, as far as it is remembered.
//! Time is monotonic, so no clock that is set opens or shuts a door.

use std::{
    hash::{BuildHasher as _, Hash, RandomState},
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use quick_cache::unsync::Cache;
use tokio::time::Instant;

use crate::rate::Rate;

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
    pub fn charge(&self, debtor: impl Hash, rate: Rate, now: Instant) -> Result<(), Duration> {
        let (debtor, mut free_at) = (self.names.hash_one(debtor), self.lock());
        let owed_ns = rate.take(owed_ns(&free_at, debtor, now), rate.each())?;
        free_at.insert(debtor, now + Duration::from_nanos(owed_ns));
        Ok(())
    }

    pub fn owes(&self, debtor: impl Hash, now: Instant) -> bool {
        owed_ns(&self.lock(), self.names.hash_one(debtor), now) > 0
    }

    /// Takes back what was charged for one deed.
    pub fn forgive(&self, debtor: impl Hash, rate: Rate, now: Instant) {
        let (debtor, mut free_at) = (self.names.hash_one(debtor), self.lock());
        let owed_ns = owed_ns(&free_at, debtor, now).saturating_sub(rate.each());
        free_at.insert(debtor, now + Duration::from_nanos(owed_ns));
    }

    fn lock(&self) -> MutexGuard<'_, Cache<u64, Instant>> {
        self.free_at.lock().expect("nothing panics while holding it")
    }
}

fn owed_ns(free_at: &Cache<u64, Instant>, debtor: u64, now: Instant) -> u64 {
    let owed = free_at.get(&debtor).map_or(Duration::ZERO, |free_at| free_at.saturating_duration_since(now));
    u64::try_from(owed.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_free_and_then_time_pays() {
        let (debts, start) = (Debts::new(100), Instant::now());
        let rate = Rate::new(10, 3);
        assert_eq!((0..5).filter(|_| debts.charge("ada", rate, start).is_ok()).count(), 3);
        assert_eq!(debts.charge("ada", rate, start), Err(Duration::from_millis(100)));
        assert_eq!(debts.charge("bob", rate, start), Ok(()));
        assert_eq!(debts.charge("ada", rate, start + Duration::from_millis(100)), Ok(()));
        debts.forgive("ada", rate, start + Duration::from_millis(100));
        assert_eq!(debts.charge("ada", rate, start + Duration::from_millis(100)), Ok(()));
        assert!(debts.charge("eve", Rate::new(10, 0), start).is_err());
    }
}
