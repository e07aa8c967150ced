//! The ways, each small in a file of its own, and what differs between them beside the ids: what they rest on, where they
//! count. What they are worth is not said here, but found out.

mod auto_increment;
mod head;
mod redis;
mod segment;
mod snowflake;
mod stride;
mod uuid;

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{
    record::Id,
    servers::Need,
    task::{Clock, Task},
};

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Way {
    AutoIncrement,
    UuidRandom,
    UuidOfTime,
    Redis,
    RedisAppending,
    RedisStride,
    SnowflakePlain,
    Snowflake,
    SegmentOfProcess,
    SegmentOfOwner,
    Head,
    RedisAndHead,
}

/// A way in one process.
#[async_trait]
pub(crate) trait Source: Send + Sync {
    /// With connections of its own.
    async fn caller(&self) -> anyhow::Result<Box<dyn Caller>>;
}

#[async_trait]
pub(crate) trait Caller: Send {
    async fn make(&mut self, conversation: u32) -> anyhow::Result<Id>;
}

pub(crate) async fn open(task: &Task, clock: Arc<Clock>) -> anyhow::Result<Arc<dyn Source>> {
    let database = || task.addresses.database.clone();
    let redis = || task.addresses.redis.clone();
    Ok(match task.way {
        Way::AutoIncrement => Arc::new(auto_increment::AutoIncrement { database: database() }),
        Way::UuidRandom => Arc::new(uuid::Random),
        Way::UuidOfTime => Arc::new(uuid::OfTime::new(clock)),
        Way::Redis => Arc::new(redis::Counter { url: redis() }),
        Way::RedisAppending => Arc::new(redis::Counter { url: task.addresses.redis_appending.clone() }),
        Way::RedisStride => Arc::new(stride::Stride { urls: task.addresses.redis_stride.clone() }),
        Way::SnowflakePlain => Arc::new(snowflake::Plain::new(task.process, clock)),
        Way::Snowflake => Arc::new(snowflake::Ours::new(&clock)),
        Way::SegmentOfProcess => Arc::new(segment::Segments::open(database())),
        Way::SegmentOfOwner => Arc::new(segment::Owners::open(database(), task.process, task.processes).await?),
        Way::Head => Arc::new(head::Head { database: database(), redis: None }),
        Way::RedisAndHead => Arc::new(head::Head { database: database(), redis: Some(redis()) }),
    })
}

/// What makes the tables of all ways.
pub(crate) fn tables() -> String {
    [auto_increment::TABLES, segment::TABLES, head::TABLES].join(";")
}

impl Way {
    pub(crate) const ALL: [Self; 12] = [
        Self::AutoIncrement,
        Self::UuidRandom,
        Self::UuidOfTime,
        Self::Redis,
        Self::RedisAppending,
        Self::RedisStride,
        Self::SnowflakePlain,
        Self::Snowflake,
        Self::SegmentOfProcess,
        Self::SegmentOfOwner,
        Self::Head,
        Self::RedisAndHead,
    ];

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::AutoIncrement => "database auto-increment",
            Self::UuidRandom => "UUIDv4",
            Self::UuidOfTime => "UUIDv7",
            Self::Redis => "Redis `INCR`, snapshots",
            Self::RedisAppending => "Redis `INCR`, append-only file",
            Self::RedisStride => "five Redis, stride 5",
            Self::SnowflakePlain => "Snowflake without a guard",
            Self::Snowflake => "Snowflake, Anser's",
            Self::SegmentOfProcess => "segments of 10 000, each process its own",
            Self::SegmentOfOwner => "segments of 10 000, one owner (WeChat)",
            Self::Head => "`head`, with the message",
            Self::RedisAndHead => "`redis` proposes, `head` disposes, with the message",
        }
    }

    pub(crate) fn needs(self) -> &'static [Need] {
        match self {
            Self::UuidRandom | Self::UuidOfTime | Self::SnowflakePlain | Self::Snowflake => &[],
            Self::AutoIncrement | Self::SegmentOfProcess | Self::SegmentOfOwner | Self::Head => &[Need::Database],
            Self::Redis => &[Need::Redis],
            Self::RedisAppending => &[Need::RedisAppending],
            Self::RedisStride => &[Need::RedisStride],
            Self::RedisAndHead => &[Need::Database, Need::Redis],
        }
    }

    /// None if it counts in Redis, or only in its own memory.
    pub(crate) fn counter_table(self) -> Option<&'static str> {
        match self {
            Self::AutoIncrement => Some("auto_increment"),
            Self::SegmentOfProcess | Self::SegmentOfOwner => Some("segment"),
            Self::Head => Some("head"),
            _ => None,
        }
    }

    /// Where messages are stored in the same transaction in which they get their ids.
    pub(crate) fn log_table(self) -> Option<&'static str> {
        matches!(self, Self::Head | Self::RedisAndHead).then_some("message")
    }
}
