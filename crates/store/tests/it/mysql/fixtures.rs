//! Databases of every schema, as [`crate::fixtures`] keeps them.

use anser_store::mysql::{examine, renew_log_id};

use super::*;
use crate::{doctor, fixtures};

async fn open_fixture(url: &str) -> Arc<MysqlStore> {
    try_open(MysqlOptions { common: fixtures::options(), ..options(url) }).await.expect("the store opens")
}

async fn connect(url: &str) -> Conn {
    Conn::new(Opts::from_url(url).expect("an address")).await.expect("it answers")
}

/// As text that creates it.
async fn dump(db: &mut Conn) -> String {
    let columns = "SELECT table_name, GROUP_CONCAT(column_name ORDER BY ordinal_position SEPARATOR ', '),
            GROUP_CONCAT(IF(data_type LIKE '%blob', CONCAT('CONCAT(''x'''''', HEX(', column_name, '), '''''''')'),
                CONCAT('QUOTE(', column_name, ')')) ORDER BY ordinal_position SEPARATOR ', ')
        FROM information_schema.columns WHERE table_schema = DATABASE() AND extra NOT LIKE '%GENERATED%'
        GROUP BY table_name ORDER BY table_name <> 'im_store', table_name";
    let tables: Vec<(String, String, String)> = db.query(columns).await.expect("sound SQL");
    let mut text = String::new();
    for (table, columns, values) in tables {
        let created: (String, String) =
            db.query_first(format!("SHOW CREATE TABLE {table}")).await.expect("sound SQL").expect("a table");
        text += &format!("{};\n", created.1);
        let rows: Vec<String> =
            db.query(format!("SELECT CONCAT_WS(', ', {values}) FROM {table}")).await.expect("sound SQL");
        for row in rows {
            text += &format!("INSERT INTO {table} ({columns}) VALUES ({row});\n");
        }
    }
    text
}

async fn create(url: &str, fixture: &str) {
    let mut db = connect(url).await;
    for statement in fixture.split_terminator(";\n") {
        db.query_drop(statement).await.expect("sound SQL");
    }
    db.disconnect().await.expect("it says goodbye");
}

#[tokio::test]
async fn a_database_of_every_schema_opens_and_goes_on() {
    let url = make_database(&SERVER.url(), &fresh_name()).await;
    let store = open_fixture(&url).await;
    doctor::village(&*store).await;
    store.close().await;
    let mut db = connect(&url).await;
    let present = db.query_first("SELECT schema_version FROM im_store").await.expect("sound SQL").expect("a store");
    let text = dump(&mut db).await;
    db.disconnect().await.expect("it says goodbye");
    for (at, fixture) in fixtures::fixtures("mysql", present, || text).iter().enumerate() {
        let url = make_database(&SERVER.url(), &fresh_name()).await;
        create(&url, fixture).await;
        for turn in 0..2 {
            let store = open_fixture(&url).await;
            fixtures::goes_on(&*store, turn).await;
            store.close().await;
            assert_eq!(examine(&url, &mut |_, _| ()).await.expect("a store").findings, []);
            // A migration that was cut off runs again from its beginning.
            let mut db = connect(&url).await;
            let cut_off = format!("UPDATE im_store SET schema_version = {}", at + 1);
            db.query_drop(cut_off).await.expect("sound SQL");
            db.disconnect().await.expect("it says goodbye");
        }
    }
}

#[tokio::test]
async fn a_restored_database_of_an_older_schema_is_renewed_and_can_be_examined() {
    let url = make_database(&SERVER.url(), &fresh_name()).await;
    let refused = examine(&url, &mut |_, _| ()).await.expect_err("it is refused");
    assert!(refused.to_string().contains("no store was made in it"), "{refused}");
    create(&url, include_str!("../../fixtures/mysql/schema-1.sql")).await;
    let refused = examine(&url, &mut |_, _| ()).await.expect_err("it is refused");
    assert!(matches!(refused, OpenError::Older { store: 1, .. }), "{refused}");
    let log_id = renew_log_id(&url).await.expect("a store");
    assert_eq!(examine(&url, &mut |_, _| ()).await.expect("a store").findings, []);
    assert_eq!(Store::log_id(&*open_fixture(&url).await), log_id);
}
