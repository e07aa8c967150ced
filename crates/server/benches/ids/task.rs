//! What a process is told to do. The bench runs itself again with a task as its only argument.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::SystemTime,
};

use serde::{Deserialize, Serialize};

use crate::ways::Way;

/// Few, so that processes meet in each of them.
pub(crate) const CONVERSATIONS: u32 = 100;
/// In each process. Each asks for one id at a time, for one conversation after the other.
pub(crate) const CALLERS: u32 = 16;

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Task {
    pub(crate) way: Way,
    pub(crate) addresses: Addresses,
    /// From 0, of so many that run at once.
    pub(crate) process: u32,
    pub(crate) processes: u32,
    /// One after the other.
    pub(crate) phases: Vec<Phase>,
    /// What a caller waits after each id.
    pub(crate) pace_ms: u64,
    pub(crate) told: Told,
    pub(crate) failures: Failures,
}

/// Ends with whatever comes first.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Phase {
    /// What the clock is set to when it begins.
    pub(crate) clock_ms: Option<u64>,
    pub(crate) ids_max: u64,
    pub(crate) ms_max: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Told {
    HowMany,
    AtTheEnd,
    /// A process that is killed has told all ids that a caller got.
    AtOnce,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Failures {
    EndTheRun,
    /// With a new connection.
    TriedAgain,
}

/// URLs.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Addresses {
    pub(crate) database: String,
    pub(crate) redis: String,
    pub(crate) redis_appending: String,
    pub(crate) redis_stride: Vec<String>,
}

/// The system's clock, until somebody sets it. In milliseconds since 1970.
#[derive(Default)]
pub(crate) struct Clock {
    ahead_ms: AtomicI64,
}

impl Clock {
    pub(crate) fn now_ms(&self) -> u64 {
        system_ms().saturating_add_signed(self.ahead_ms.load(Ordering::Relaxed))
    }

    pub(crate) fn set(&self, to_ms: u64) {
        self.ahead_ms.store(to_ms as i64 - system_ms() as i64, Ordering::Relaxed);
    }

    pub(crate) fn as_of_store(self: &Arc<Self>) -> anser_store::Clock {
        let clock = Arc::clone(self);
        Arc::new(move || clock.now_ms())
    }
}

pub(crate) fn system_ms() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_millis() as u64)
}
