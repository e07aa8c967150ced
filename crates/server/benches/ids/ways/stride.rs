//! Several Redis: each counts from another start in steps as large as their number, and callers take turns among them.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use redis::aio::MultiplexedConnection;

use super::{Caller, Source, redis as one};
use crate::record::Id;

pub(super) struct Stride {
    pub(super) urls: Vec<String>,
}

/// Callers do not begin with the same.
static FIRST: AtomicUsize = AtomicUsize::new(0);

#[async_trait]
impl Source for Stride {
    async fn caller(&self) -> anyhow::Result<Box<dyn Caller>> {
        let mut connections = Vec::new();
        for url in &self.urls {
            connections.push(one::connect(url).await?);
        }
        Ok(Box::new(Connections { connections, next: FIRST.fetch_add(1, Ordering::Relaxed) }))
    }
}

struct Connections {
    connections: Vec<MultiplexedConnection>,
    next: usize,
}

#[async_trait]
impl Caller for Connections {
    async fn make(&mut self, conversation: u32) -> anyhow::Result<Id> {
        let stride = self.connections.len();
        let start = self.next % stride;
        self.next += 1;
        // The first has 1, 6, 11, …, the second 2, 7, 12, …
        let last = one::increment(&mut self.connections[start], conversation, stride as u64).await?;
        Ok(Id::Number(last - stride as u64 + 1 + start as u64))
    }
}
