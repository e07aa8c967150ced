//! The database's own numbers: one table for all conversations, a row for each id.

use anyhow::Context as _;
use async_trait::async_trait;
use mysql_async::{Conn, Opts, prelude::Queryable as _};

use super::{Caller, Source};
use crate::record::Id;

pub(super) const TABLES: &str =
    "CREATE TABLE auto_increment (id BIGINT UNSIGNED PRIMARY KEY AUTO_INCREMENT, conversation INT UNSIGNED NOT NULL)";

pub(super) struct AutoIncrement {
    pub(super) database: String,
}

#[async_trait]
impl Source for AutoIncrement {
    async fn caller(&self) -> anyhow::Result<Box<dyn Caller>> {
        Ok(Box::new(Connection(Conn::new(Opts::from_url(&self.database)?).await?)))
    }
}

struct Connection(Conn);

#[async_trait]
impl Caller for Connection {
    async fn make(&mut self, conversation: u32) -> anyhow::Result<Id> {
        self.0.query_drop(format!("INSERT INTO auto_increment (conversation) VALUES ({conversation})")).await?;
        self.0.last_insert_id().map(Id::Number).context("the row has an id")
    }
}
