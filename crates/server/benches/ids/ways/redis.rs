//! One Redis: a counter for each conversation. This is the seed's choice, taken at its word.

use async_trait::async_trait;
use redis::{Client, aio::MultiplexedConnection};

use super::{Caller, Source};
use crate::record::Id;

pub(super) struct Counter {
    pub(super) url: String,
}

#[async_trait]
impl Source for Counter {
    async fn caller(&self) -> anyhow::Result<Box<dyn Caller>> {
        Ok(Box::new(Connection(connect(&self.url).await?)))
    }
}

struct Connection(MultiplexedConnection);

#[async_trait]
impl Caller for Connection {
    async fn make(&mut self, conversation: u32) -> anyhow::Result<Id> {
        Ok(Id::Number(increment(&mut self.0, conversation, 1).await?))
    }
}

pub(super) async fn connect(url: &str) -> anyhow::Result<MultiplexedConnection> {
    Ok(Client::open(url)?.get_multiplexed_async_connection().await?)
}

pub(super) fn key(conversation: u32) -> String {
    format!("msg_id_group_{conversation}")
}

/// Returns what the counter then is.
pub(super) async fn increment(
    connection: &mut MultiplexedConnection,
    conversation: u32,
    by: u64,
) -> anyhow::Result<u64> {
    Ok(redis::cmd("INCRBY").arg(key(conversation)).arg(by).query_async(connection).await?)
}
