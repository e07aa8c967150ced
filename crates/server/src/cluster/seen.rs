//! What was done lately, so that what comes by two ways is done once.

use std::collections::{HashSet, VecDeque};

/// Forgets the oldest: the second copy of a kick comes within seconds.
const SEEN_MAX: usize = 4_096;

#[derive(Default)]
pub struct Seen {
    ids: HashSet<u64>,
    order: VecDeque<u64>,
}

impl Seen {
    pub fn contains(&self, id: u64) -> bool {
        self.ids.contains(&id)
    }

    /// Whether this is the first time.
    pub fn first(&mut self, id: u64) -> bool {
        if !self.ids.insert(id) {
            return false;
        }
        self.order.push_back(id);
        if self.order.len() > SEEN_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_copy_is_told_from_the_first() {
        let mut seen = Seen::default();
        assert_eq!([7, 8, 7, 8, 9].map(|id| seen.first(id)), [true, true, false, false, true]);
    }

    #[test]
    fn no_more_than_so_many_are_remembered() {
        let mut seen = Seen::default();
        for id in 0..3 * SEEN_MAX as u64 {
            assert!(seen.first(id));
        }
        assert_eq!((seen.ids.len(), seen.order.len()), (SEEN_MAX, SEEN_MAX));
        assert!(!seen.first(3 * SEEN_MAX as u64 - 1));
    }
}
