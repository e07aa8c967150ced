//! Snowflake twice: as it is found in many places, and Anser's own. Each process is a node: the first by its number, Anser's by chance.

use std::sync::{Arc, Mutex, PoisonError};

use anser_server::snowflake::Snowflake;
use async_trait::async_trait;

use super::{Caller, Source};
use crate::{record::Id, task::Clock};

/// 2010-11-04T01:42:54.657Z, Twitter's.
const EPOCH_MS: u64 = 1_288_834_974_657;
const COUNTER_BITS: u32 = 12;
const NODE_BITS: u32 = 10;

/// It begins to count anew whenever the clock shows another millisecond, be it an earlier one. Twitter's refuses to make ids
/// while the clock is behind; what was written after it often does not.
#[derive(Clone)]
pub(super) struct Plain {
    node: u64,
    clock: Arc<Clock>,
    /// Milliseconds of the last id, and its counter.
    last: Arc<Mutex<(u64, u64)>>,
}

impl Plain {
    pub(super) fn new(node: u32, clock: Arc<Clock>) -> Self {
        Self { node: node.into(), clock, last: Arc::default() }
    }
}

#[async_trait]
impl Source for Plain {
    async fn caller(&self) -> anyhow::Result<Box<dyn Caller>> {
        Ok(Box::new(self.clone()))
    }
}

#[async_trait]
impl Caller for Plain {
    async fn make(&mut self, _conversation: u32) -> anyhow::Result<Id> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let mut now = self.clock.now_ms();
        let mut counter = 0;
        if now == last.0 {
            counter = (last.1 + 1) % (1 << COUNTER_BITS);
            while counter == 0 && now == last.0 {
                now = self.clock.now_ms();
            }
        }
        *last = (now, counter);
        Ok(Id::Number((now - EPOCH_MS) << (NODE_BITS + COUNTER_BITS) | self.node << COUNTER_BITS | counter))
    }
}

#[derive(Clone)]
pub(super) struct Ours(Arc<Snowflake>);

impl Ours {
    /// As the server does it.
    pub(super) fn new(clock: &Arc<Clock>) -> Self {
        Self(Arc::new(Snowflake::any_node(clock.as_of_store())))
    }
}

#[async_trait]
impl Source for Ours {
    async fn caller(&self) -> anyhow::Result<Box<dyn Caller>> {
        Ok(Box::new(self.clone()))
    }
}

#[async_trait]
impl Caller for Ours {
    async fn make(&mut self, _conversation: u32) -> anyhow::Result<Id> {
        Ok(Id::Number(self.0.create()))
    }
}
