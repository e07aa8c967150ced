//! Damaged rows that were met: each is counted whenever it is met, and told in the log once.

use std::{
    collections::HashSet,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use crate::rows::Damage;

/// Rows that the log names. What is met beyond is only counted.
const TOLD_MAX: usize = 1_000;

#[derive(Default)]
pub(crate) struct Damaged {
    met: AtomicU64,
    told: Mutex<HashSet<String>>,
}

impl Damaged {
    pub(crate) fn note(&self, damage: &Damage) {
        self.met.fetch_add(1, Relaxed);
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() < TOLD_MAX && told.insert(damage.0.clone()) {
            tracing::error!(row = %damage.0, "a row of the store is damaged: `anser doctor` tells more");
            if told.len() == TOLD_MAX {
                tracing::error!(rows = TOLD_MAX, "very many rows are damaged: no more of them are told");
            }
        }
    }

    pub(crate) fn met(&self) -> u64 {
        self.met.load(Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_counted_and_a_bounded_number_is_told() {
        let damaged = Damaged::default();
        for n in 0..TOLD_MAX + 5 {
            damaged.note(&Damage(n.to_string()));
            damaged.note(&Damage(n.to_string()));
        }
        assert_eq!(damaged.met(), 2 * (TOLD_MAX as u64 + 5));
        assert_eq!(damaged.told.lock().expect("no panic").len(), TOLD_MAX);
    }
}
