//! What is said at the start when something is not as it must be.

use std::time::SystemTime;

use anser_services::{MariaDb, MariaDbOptions, Place};
use anser_store::{
    Store as _,
    mysql::{MysqlOptions, OpenError, clock, renew_log_id},
};
use futures_util::future::join_all;

use super::{fresh_name, make_database, open, options, try_open};
use crate::talk::{common, settle};

async fn refusal(options: MysqlOptions) -> String {
    try_open(options).await.err().expect("it is refused").to_string()
}

#[tokio::test]
async fn a_database_that_does_not_keep_the_promise_is_refused_with_its_mends() {
    let settings = ["sync_binlog=0", "innodb_flush_log_at_trx_commit=2", "max_allowed_packet=1M"];
    let settings = settings.map(str::to_owned).into();
    let server =
        MariaDb::start_with(Place::Tests, MariaDbOptions { settings, ..Default::default() }).expect("it starts");
    let url = make_database(&server.url(), "anser").await;
    let refused = refusal(options(&url)).await;
    let fixes = [
        "SET GLOBAL sync_binlog = 1",
        "SET GLOBAL innodb_flush_log_at_trx_commit = 1",
        "SET GLOBAL max_allowed_packet = 67108864",
    ];
    for fix in fixes {
        assert!(refused.contains(fix), "{fix} is not in {refused}");
    }
    let accept = ["sync_binlog", "innodb_flush_log_at_trx_commit"].map(str::to_owned).into();
    let refused = refusal(MysqlOptions { accept, ..options(&url) }).await;
    assert!(refused.contains("max_allowed_packet") && !refused.contains("sync_binlog"), "{refused}");

    // The fixes are what they say.
    server.execute(&format!("{};", fixes.join("; "))).expect("it takes them");
    open(&url).await;
}

#[tokio::test]
async fn a_database_that_the_binary_log_leaves_out_is_refused() {
    let settings = vec!["binlog-ignore-db=anser".to_owned()];
    let server =
        MariaDb::start_with(Place::Tests, MariaDbOptions { settings, ..Default::default() }).expect("it starts");
    let refused = refusal(options(&make_database(&server.url(), "anser").await)).await;
    assert!(refused.contains("binlog-ignore-db keeps this database out"), "{refused}");
    open(&make_database(&server.url(), "another").await).await;
}

#[tokio::test]
async fn a_database_without_a_binary_log_is_refused() {
    let settings = vec!["skip-log-bin".to_owned()];
    let server =
        MariaDb::start_with(Place::Tests, MariaDbOptions { settings, ..Default::default() }).expect("it starts");
    let url = make_database(&server.url(), "anser").await;
    let refused = refusal(options(&url)).await;
    assert!(refused.contains("log_bin") && refused.contains("a crash can still take back"), "{refused}");
}

#[tokio::test]
async fn all_nodes_have_the_databases_clock_whatever_their_own_say() {
    // Seen by a user who is not root, its clock stands an hour ahead.
    let settings = vec!["init-connect=SET timestamp = UNIX_TIMESTAMP() + 3600".to_owned()];
    let server =
        MariaDb::start_with(Place::Tests, MariaDbOptions { settings, ..Default::default() }).expect("it starts");
    let url = make_database(&server.url(), "anser").await;
    server.execute("CREATE USER somebody; GRANT ALL ON anser.* TO somebody").expect("a user who is not root");
    let mut asking = None;
    let spawn = |work| {
        let task = tokio::spawn(work);
        asking = Some(task.abort_handle());
        task
    };
    let (ours, ahead) = (clock(&url, spawn).await, clock(&url.replace("root", "somebody"), tokio::spawn).await);
    let (clock, ahead) = (ours.expect("it tells"), ahead.expect("it tells")());
    let ours = clock();
    let asking = asking.expect("it was spawned");
    assert!(!asking.is_finished(), "it asks for as long as somebody has the clock");
    drop(clock);
    while !asking.is_finished() {
        tokio::task::yield_now().await;
    }
    let hours = (ahead as f64 - ours as f64) / 3_600_000.0;
    assert!((0.99..1.01).contains(&hours), "{hours} hours");
    let machine = SystemTime::UNIX_EPOCH.elapsed().expect("it is later").as_millis() as u64;
    assert!(machine.abs_diff(ours) < 5_000, "{ours} on {machine}");
}

#[tokio::test]
async fn a_database_that_was_restored_gets_a_new_log_id() {
    let url = make_database(&super::SERVER.url(), &fresh_name()).await;
    let refused = renew_log_id(&url).await.expect_err("it is refused").to_string();
    assert!(refused.contains("no store was made in it"), "{refused}");
    let before = open(&url).await.log_id();
    let renewed = renew_log_id(&url).await.expect("it is renewed");
    let after = open(&url).await.log_id();
    assert!(after == renewed && after != before, "{before}, {renewed}, {after}");
}

#[tokio::test]
async fn what_is_no_address_or_no_server_is_named() {
    for (url, why) in [
        ("postgres://localhost/anser", "mysql://user:password@host:3306/name"),
        ("mysql://localhost:3306", "it names no database"),
        ("mysql://root@127.0.0.1:1/anser", "127.0.0.1:1/anser cannot be reached"),
    ] {
        let refused = refusal(options(url)).await;
        assert!(refused.contains(why), "{why} is not in {refused}");
    }
}

#[tokio::test]
async fn a_database_of_another_program_and_another_number_of_shards_are_refused() {
    let url = make_database(&super::SERVER.url(), &fresh_name()).await;
    super::SERVER
        .execute(&format!("CREATE TABLE {}.orders (id INT)", url.rsplit('/').next().expect("a name")))
        .expect("a table");
    assert!(refusal(options(&url)).await.contains("it has a table orders"));

    let url = make_database(&super::SERVER.url(), &fresh_name()).await;
    open(&url).await;
    let mut other = options(&url);
    other.common.shards = 5;
    assert!(matches!(try_open(other).await, Err(OpenError::Shards { store: 4, asked: 5 })));
}

#[tokio::test]
async fn nodes_that_start_together_make_one_store() {
    let url = make_database(&super::SERVER.url(), &fresh_name()).await;
    let stores = join_all((0..6).map(|_| try_open(options(&url)))).await;
    let ids: Vec<_> =
        stores.iter().map(|store| anser_store::Store::log_id(&**store.as_ref().expect("it opens"))).collect();
    assert!(ids.iter().all(|id| *id == ids[0] && *id != 0), "{ids:?}");
    settle(&**stores[0].as_ref().expect("it opens"), 2).await;
    assert_eq!(common().shards, 4);
}

#[tokio::test]
async fn a_migration_that_was_cut_off_is_done_again() {
    let url = make_database(&super::SERVER.url(), &fresh_name()).await;
    open(&url).await;
    let name = url.rsplit('/').next().expect("a name");
    let forget = format!("DELETE FROM {name}.im_store; DROP TABLE {name}.im_message_recv_3");
    super::SERVER.execute(&forget).expect("it forgets");
    settle(&*open(&url).await, 2).await;
}
