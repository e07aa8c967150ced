//! Ids of users and groups: Snowflake (Twitter, 2010), where identity and rough order of time are needed and
//! nothing else.
//!
//! 41 bits of milliseconds since 2024, 10 bits of node, 12 bits of a counter. Two things differ from the
//! original. The counter runs on instead of starting at 0 in each millisecond: ids made at leisure would else all
//! end in 0 and fall into one shard. And time never goes back: while the clock is behind the last id, ids borrow
//! from the future.

use std::sync::Mutex;

use anser_store::Clock;

/// 2024-01-01T00:00:00Z.
const EPOCH_MS: u64 = 1_704_067_200_000;
const NODE_BITS: u32 = 10;
const COUNTER_BITS: u32 = 12;

pub struct Snowflake {
    node: u64,
    clock: Clock,
    /// Milliseconds and counter of the last id, as one number that only grows.
    last: Mutex<Last>,
}

struct Last {
    ms: u64,
    counter: u64,
    /// Ids made in `ms`.
    made: u64,
}

/// When an id was made, in milliseconds since 1970.
pub fn made_at_ms(id: u64) -> u64 {
    EPOCH_MS + (id >> (NODE_BITS + COUNTER_BITS))
}

impl Snowflake {
    /// A node number by chance, another one at each start. Two nodes that draw the same make an id twice only in the same
    /// millisecond and at the same count, and the store refuses the second.
    pub fn any_node(clock: Clock) -> Self {
        Self::new(rand::random_range(0..1 << NODE_BITS), clock)
    }

    /// `node` is unique among the nodes that run, and below 1024.
    pub fn new(node: u16, clock: Clock) -> Self {
        assert!(u64::from(node) < 1 << NODE_BITS, "a node number has 10 bits");
        let counter = rand::random_range(0..1 << COUNTER_BITS);
        Self { node: node.into(), clock, last: Mutex::new(Last { ms: 0, counter, made: 0 }) }
    }

    pub fn create(&self) -> u64 {
        let now = (self.clock)().saturating_sub(EPOCH_MS);
        let mut last = self.last.lock().expect("nothing panics while holding it");
        if now > last.ms {
            last.ms = now;
            last.made = 0;
        } else if last.made == 1 << COUNTER_BITS {
            last.ms += 1;
            last.made = 0;
        }
        last.made += 1;
        last.counter = (last.counter + 1) % (1 << COUNTER_BITS);
        (last.ms << (NODE_BITS + COUNTER_BITS)) | (self.node << COUNTER_BITS) | last.counter
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::HashSet,
        sync::{
            Arc,
            atomic::{AtomicU64, Ordering},
        },
    };

    use super::*;

    #[test]
    fn ids_differ_whatever_the_clock_does() {
        let now = Arc::new(AtomicU64::new(EPOCH_MS + 1_000_000));
        let clock = Arc::clone(&now);
        let ids = Snowflake::new(3, Arc::new(move || clock.load(Ordering::Relaxed)));
        let mut seen = HashSet::new();
        for step in [0_i64, 1, -500_000, 3, 0, 900_000] {
            now.store(now.load(Ordering::Relaxed).wrapping_add_signed(step), Ordering::Relaxed);
            for _ in 0..10_000 {
                let id = ids.create();
                assert!(seen.insert(id), "{id} was created twice");
                assert!(i64::try_from(id).is_ok());
            }
        }
    }

    #[test]
    fn ids_made_at_leisure_fall_into_all_shards() {
        let now = Arc::new(AtomicU64::new(EPOCH_MS));
        let ids = Snowflake::new(0, Arc::new(move || now.fetch_add(5, Ordering::Relaxed)));
        let shards: HashSet<u64> = (0..8).map(|_| ids.create() % 4).collect();
        assert_eq!(shards.len(), 4);
    }
}
