//! Anser's own: a row for each conversation, which moves by compare-and-set in the transaction that stores the message. The
//! number comes from that row, or is proposed by Redis and refused unless it is the row's next. Messages go one by one here,
//! and not in batches as in Anser.

use anyhow::{Context as _, ensure};
use async_trait::async_trait;
use mysql_async::{Conn, Opts, prelude::Queryable as _};
use redis::aio::MultiplexedConnection;

use super::{Caller, Source, redis as counter};
use crate::record::Id;

pub(super) const TABLES: &str =
    "CREATE TABLE head (conversation INT UNSIGNED PRIMARY KEY, last BIGINT UNSIGNED NOT NULL);
     CREATE TABLE message (conversation INT UNSIGNED, id BIGINT UNSIGNED, PRIMARY KEY (conversation, id))";

pub(super) struct Head {
    pub(super) database: String,
    /// Who proposes, if it is not the head.
    pub(super) redis: Option<String>,
}

#[async_trait]
impl Source for Head {
    async fn caller(&self) -> anyhow::Result<Box<dyn Caller>> {
        let redis = match &self.redis {
            Some(url) => Some(counter::connect(url).await?),
            None => None,
        };
        Ok(Box::new(Connections { database: Conn::new(Opts::from_url(&self.database)?).await?, redis }))
    }
}

struct Connections {
    database: Conn,
    redis: Option<MultiplexedConnection>,
}

#[async_trait]
impl Caller for Connections {
    async fn make(&mut self, conversation: u32) -> anyhow::Result<Id> {
        let last = self.lock(conversation).await?;
        let id = last + 1;
        if let Some(redis) = &mut self.redis
            && counter::increment(redis, conversation, 1).await? != id
        {
            // The proposal is refused, and the counter goes on from the head.
            redis::cmd("SET").arg(counter::key(conversation)).arg(id).exec_async(redis).await?;
        }
        let moving = format!(
            "UPDATE head SET last = {id} WHERE conversation = {conversation} AND last = {last};
             INSERT INTO message VALUES ({conversation}, {id}); COMMIT"
        );
        let moving = self.database.query_iter(moving).await?;
        let moved = moving.affected_rows();
        moving.drop_result().await?;
        ensure!(moved == 1, "the head moved while it was locked");
        Ok(Id::Number(id))
    }
}

impl Connections {
    /// Begins a transaction and returns where the log ends.
    async fn lock(&mut self, conversation: u32) -> anyhow::Result<u64> {
        let locking =
            format!("START TRANSACTION; SELECT last FROM head WHERE conversation = {conversation} FOR UPDATE");
        if let Some(last) = self.ask(&locking).await? {
            return Ok(last);
        }
        // A head that is not there is made from its log.
        let making = format!(
            "ROLLBACK; INSERT IGNORE INTO head
                 SELECT {conversation}, COALESCE(MAX(id), 0) FROM message WHERE conversation = {conversation}"
        );
        self.database.query_drop(making).await?;
        self.ask(&locking).await?.context("the head was just made")
    }

    async fn ask(&mut self, locking: &str) -> anyhow::Result<Option<u64>> {
        let mut answers = self.database.query_iter(locking).await?;
        // The first is that to `START TRANSACTION`.
        answers.collect::<u64>().await?;
        let last = answers.collect::<u64>().await?;
        answers.drop_result().await?;
        Ok(last.first().copied())
    }
}
