//! What was handed out: an id, for which conversation, and when. One line of text each, from process to process.

use std::{fmt, str::FromStr};

use anyhow::{Context as _, bail};
use rustix::time::{ClockId, clock_gettime};
use uuid::Uuid;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Id {
    Number(u64),
    Uuid(Uuid),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Record {
    pub(crate) conversation: u32,
    pub(crate) id: Id,
    /// Of the task, from 0.
    pub(crate) phase: usize,
    /// By [`monotonic_ns`]. It was asked for at the begin or later.
    pub(crate) begin_ns: u64,
    pub(crate) end_ns: u64,
}

/// All processes of a machine read the same clock, and nobody sets it.
pub(crate) fn monotonic_ns() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    u64::try_from(now.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(now.tv_nsec).unwrap_or(0)
}

impl Id {
    pub(crate) fn value(self) -> u128 {
        match self {
            Self::Number(number) => number.into(),
            Self::Uuid(uuid) => uuid.as_u128(),
        }
    }

    pub(crate) fn bytes(self) -> usize {
        match self {
            Self::Number(number) => size_of_val(&number),
            Self::Uuid(uuid) => uuid.as_bytes().len(),
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Uuid(uuid) => uuid.hyphenated().fmt(f),
        }
    }
}

impl FromStr for Id {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        Ok(if text.contains('-') { Self::Uuid(text.parse()?) } else { Self::Number(text.parse()?) })
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { conversation, id, phase, begin_ns, end_ns } = self;
        write!(f, "{conversation} {id} {phase} {begin_ns} {end_ns}")
    }
}

impl FromStr for Record {
    type Err = anyhow::Error;

    fn from_str(line: &str) -> anyhow::Result<Self> {
        let words: Vec<&str> = line.split(' ').collect();
        let [conversation, id, phase, begin_ns, end_ns] = words[..] else { bail!("{line:?} is no record") };
        let record = || -> anyhow::Result<Self> {
            Ok(Self {
                conversation: conversation.parse()?,
                id: id.parse()?,
                phase: phase.parse()?,
                begin_ns: begin_ns.parse()?,
                end_ns: end_ns.parse()?,
            })
        };
        record().with_context(|| format!("{line:?} is no record"))
    }
}
