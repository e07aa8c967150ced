//! The services that the ways ask: started, emptied, killed and started again. MariaDB's data lies on the disk, where a
//! commit costs what it costs.

use anser_services::{Kept, MariaDb, Place, Redis};

use crate::{
    record::{Id, Record},
    task::Addresses,
    ways::{self, Way},
};

/// The seed's five.
const STRIDE: usize = 5;

pub(crate) struct Servers {
    database: MariaDb,
    /// Keeps snapshots, as Redis does by itself.
    redis: Redis,
    /// Keeps a file of all commands, which it gives to the system before it answers.
    redis_appending: Redis,
    redis_stride: Vec<Redis>,
}

/// What a way rests on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    Database,
    Redis,
    RedisAppending,
    RedisStride,
}

impl Servers {
    pub(crate) fn start() -> anyhow::Result<Self> {
        let appending = ["--appendonly", "yes", "--appendfsync", "everysec"];
        Ok(Self {
            database: MariaDb::start(Place::Disk)?,
            redis: Redis::start(Place::Disk)?,
            redis_appending: Redis::start_with(Place::Disk, &appending)?,
            redis_stride: (0..STRIDE).map(|_| Redis::start(Place::Disk)).collect::<anyhow::Result<_>>()?,
        })
    }

    pub(crate) fn addresses(&self) -> Addresses {
        Addresses {
            database: format!("{}/ids", self.database.url()),
            redis: self.redis.url(),
            redis_appending: self.redis_appending.url(),
            redis_stride: self.redis_stride.iter().map(Redis::url).collect(),
        }
    }

    /// As if the way had never made an id.
    pub(crate) fn empty(&self, way: Way) -> anyhow::Result<()> {
        if way.needs().contains(&Need::Database) {
            self.execute(&format!("DROP DATABASE IF EXISTS ids; CREATE DATABASE ids; USE ids; {}", ways::tables()))?;
        }
        self.flush(way)
    }

    /// What the way counts with is gone, and whatever else there is stays.
    pub(crate) fn wipe_counter(&self, way: Way) -> anyhow::Result<()> {
        match way.counter_table() {
            Some(table) => self.execute(&format!("TRUNCATE ids.{table}")).map(drop),
            None => self.flush(way),
        }
    }

    /// What Redis would do by itself within the hour.
    pub(crate) fn save(&self, way: Way) -> anyhow::Result<()> {
        for redis in self.redis_of(way) {
            redis.command(&["SAVE"])?;
        }
        Ok(())
    }

    /// As `kill -9` does, one after the other.
    pub(crate) fn kill(&mut self, way: Way) {
        if way.needs().contains(&Need::Database) {
            self.database.kill();
        }
        self.redis_of_mut(way).for_each(Redis::kill);
    }

    /// With what they had written.
    pub(crate) fn start_again(&mut self, way: Way) -> anyhow::Result<()> {
        if way.needs().contains(&Need::Database) {
            self.database.start_again()?;
        }
        self.redis_of_mut(way).try_for_each(|redis| redis.start_again(Kept::Dump))
    }

    /// The messages that lie in the way's log, told to their senders or not.
    pub(crate) fn stored(&self, way: Way) -> anyhow::Result<Vec<Record>> {
        let Some(log) = way.log_table() else { return Ok(Vec::new()) };
        let rows = self.execute(&format!("SELECT conversation, id FROM ids.{log}"))?;
        let record = |row: &str| {
            let (conversation, id) = row.split_once('\t')?;
            let id = Id::Number(id.parse().ok()?);
            Some(Record { conversation: conversation.parse().ok()?, id, phase: 0, begin_ns: 0, end_ns: 0 })
        };
        Ok(rows.lines().filter_map(record).collect())
    }

    fn execute(&self, sql: &str) -> anyhow::Result<String> {
        self.database.execute(sql)
    }

    fn flush(&self, way: Way) -> anyhow::Result<()> {
        for redis in self.redis_of(way) {
            redis.command(&["FLUSHALL"])?;
        }
        Ok(())
    }

    fn redis_of(&self, way: Way) -> impl Iterator<Item = &Redis> {
        let all = [(Need::Redis, &self.redis), (Need::RedisAppending, &self.redis_appending)];
        let stride = self.redis_stride.iter().map(|redis| (Need::RedisStride, redis));
        all.into_iter().chain(stride).filter(move |(need, _)| way.needs().contains(need)).map(|(_, redis)| redis)
    }

    fn redis_of_mut(&mut self, way: Way) -> impl Iterator<Item = &mut Redis> {
        let all = [(Need::Redis, &mut self.redis), (Need::RedisAppending, &mut self.redis_appending)];
        let stride = self.redis_stride.iter_mut().map(|redis| (Need::RedisStride, redis));
        all.into_iter().chain(stride).filter(move |(need, _)| way.needs().contains(need)).map(|(_, redis)| redis)
    }
}
