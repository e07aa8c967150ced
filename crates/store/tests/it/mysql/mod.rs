//! The store in a MySQL-compatible database: the contract, the model, and what only a shared database can go through.

mod cut;
mod damage;
mod doctor;
mod fixtures;
mod full;
mod hang;
mod history;
mod kill;
mod nodes;
mod panic;
mod race;
mod replica;
mod settings;
mod wire;

use std::sync::{
    Arc, LazyLock,
    atomic::{AtomicU32, Ordering},
};

use anser_services::{MariaDb, Place};
use anser_store::{
    Options, Sequencer, Store,
    contract::Subject,
    mysql::{MysqlOptions, MysqlStore, OpenError},
    sequencer::HeadSequencer,
};
use async_trait::async_trait;
use mysql_async::{Conn, Opts, prelude::Queryable as _};

use crate::talk::common;

mod contract {
    anser_store::store_contract!(tests of crate::mysql::subject);
}

#[test]
fn mysql_answers_like_the_memory_store() {
    crate::model::check(subject, 20);
}

/// The server that most tests share. It ends with this process.
static SERVER: LazyLock<MariaDb> = LazyLock::new(|| MariaDb::start(Place::Tests).expect("MariaDB starts"));

fn subject() -> Box<dyn Subject> {
    Box::new(Database(fresh_name()))
}

/// A database of its own in the server that all tests share.
struct Database(String);

#[async_trait]
impl Subject for Database {
    async fn open(&self, options: Options, sequencer: Arc<dyn Sequencer>) -> Arc<dyn Store> {
        let url = make_database(&SERVER.url(), &self.0).await;
        open_with(MysqlOptions::new(options, url), sequencer).await.expect("the database is ours")
    }
}

fn fresh_name() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed))
}

/// Makes it where it is not there, and gives its address.
async fn make_database(server: &str, name: &str) -> String {
    let mut db = Conn::new(Opts::from_url(server).expect("an address")).await.expect("it answers");
    db.query_drop(format!("CREATE DATABASE IF NOT EXISTS {name}")).await.expect("it makes one");
    db.disconnect().await.expect("it says goodbye");
    format!("{server}/{name}")
}

fn options(url: &str) -> MysqlOptions {
    MysqlOptions::new(common(), url.to_owned())
}

async fn open(url: &str) -> Arc<MysqlStore> {
    try_open(options(url)).await.expect("the store opens")
}

async fn try_open(options: MysqlOptions) -> Result<Arc<MysqlStore>, OpenError> {
    open_with(options, Arc::new(HeadSequencer::new())).await
}

async fn open_with(options: MysqlOptions, sequencer: Arc<dyn Sequencer>) -> Result<Arc<MysqlStore>, OpenError> {
    options.prepare().await?.open(sequencer)
}
