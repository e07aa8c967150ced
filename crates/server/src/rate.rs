//! How often somebody may do something: the generic cell rate algorithm (ITU-T I.371). Each deed costs a while; who owes too much
//! has to wait. All that must be remembered is when nothing will be owed, and time pays.

use std::time::Duration;

/// So many at once after a silence, and then so many a second.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// What one costs; 0: no bound.
    each_ns: u64,
    /// What may be owed.
    burst_ns: u64,
}

/// Rounded up: who comes back a moment before it is refused again.
pub fn whole_ms(wait: Duration) -> u64 {
    u64::try_from(wait.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

impl Rate {
    /// 0 a second: no bound.
    pub fn new(per_s: u32, burst: u32) -> Self {
        let each_ns = if per_s == 0 { 0 } else { 1_000_000_000 / u64::from(per_s) };
        Self { each_ns, burst_ns: each_ns * u64::from(burst) }
    }

    /// So many at once after a silence, and then one in each `interval`.
    pub fn every(interval: Duration, burst: u32) -> Self {
        let each_ns = u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX);
        Self { each_ns, burst_ns: each_ns.saturating_mul(burst.into()) }
    }

    /// So many at once after a silence, and then `count` in a `period`; 0: no bound.
    pub fn within(period: Duration, count: u32, burst: u32) -> Self {
        period.checked_div(count).map_or(Self { each_ns: 0, burst_ns: 0 }, |each| Self::every(each, burst))
    }

    pub fn is_unbounded(self) -> bool {
        self.each_ns == 0
    }

    /// What one costs.
    pub fn each(self) -> u64 {
        self.each_ns
    }

    /// What so many cost, and no more than may be owed: what costs more than the whole burst takes it whole.
    pub fn cost(self, count: u32) -> u64 {
        self.each_ns.saturating_mul(count.into()).min(self.burst_ns)
    }

    /// What is owed with this on top, or how long until that may be. All in nanoseconds.
    pub fn take(self, owed_ns: u64, cost_ns: u64) -> Result<u64, Duration> {
        let owed_ns = owed_ns.saturating_add(cost_ns);
        match owed_ns.checked_sub(self.burst_ns) {
            None | Some(0) => Ok(owed_ns),
            Some(too_much) => Err(Duration::from_nanos(too_much)),
        }
    }
}
