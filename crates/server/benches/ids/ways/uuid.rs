//! 122 random bits (version 4), or 48 bits of milliseconds, a counter and the rest random (version 7): RFC 9562.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use uuid::{Builder, ContextV7, Timestamp, Uuid};

use super::{Caller, Source};
use crate::{record::Id, task::Clock};

#[derive(Clone)]
pub(super) struct Random;

#[async_trait]
impl Source for Random {
    async fn caller(&self) -> anyhow::Result<Box<dyn Caller>> {
        Ok(Box::new(self.clone()))
    }
}

#[async_trait]
impl Caller for Random {
    async fn make(&mut self, _conversation: u32) -> anyhow::Result<Id> {
        Ok(Id::Uuid(Builder::from_random_bytes(rand::random()).into_uuid()))
    }
}

#[derive(Clone)]
pub(super) struct OfTime {
    clock: Arc<Clock>,
    /// Counts within a millisecond, for all callers, as that of `Uuid::now_v7` does.
    context: Arc<Mutex<ContextV7>>,
}

impl OfTime {
    pub(super) fn new(clock: Arc<Clock>) -> Self {
        Self { clock, context: Arc::default() }
    }
}

#[async_trait]
impl Source for OfTime {
    async fn caller(&self) -> anyhow::Result<Box<dyn Caller>> {
        Ok(Box::new(self.clone()))
    }
}

#[async_trait]
impl Caller for OfTime {
    async fn make(&mut self, _conversation: u32) -> anyhow::Result<Id> {
        let ms = self.clock.now_ms();
        let nanos = (ms % 1_000) as u32 * 1_000_000;
        Ok(Id::Uuid(Uuid::new_v7(Timestamp::from_unix(&*self.context, ms / 1_000, nanos))))
    }
}
