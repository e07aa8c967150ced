//! A database without room: told as such, nothing half done, nothing that was acknowledged lost.

use anser_proto::UserId;
use anser_services::{MariaDb, MariaDbOptions, Place};
use anser_store::{Error, Failure, Store as _, Stretch};

use super::{make_database, open};
use crate::talk::{long, send, settle, single, talk_until_refused};

#[tokio::test]
async fn a_full_database_is_told_and_lost_nothing() {
    // All tables lie in one file that may not grow further, which is what a full disk is to the engine.
    let settings = ["innodb_file_per_table=0", "innodb_data_file_path=ibdata1:12M:autoextend:max:28M"];
    let settings = settings.map(str::to_owned).into();
    let server =
        MariaDb::start_with(Place::Tests, MariaDbOptions { settings, ..Default::default() }).expect("it starts");
    let store = open(&make_database(&server.url(), "anser").await).await;
    settle(&*store, 2).await;
    let (stored, refusal) = talk_until_refused(&*store).await;
    assert_eq!(refusal, Error::Failed(Failure::Full));
    assert!(stored > 10, "it was full after {stored}");
    for _ in 0..3 {
        assert_eq!(send(&*store, long(stored)).await, Err(Error::Failed(Failure::Full)));
    }
    // Everything that was acknowledged is there for both, and nothing else is.
    for reader in [1, 2] {
        let all = Stretch { after: None, before: 0, limit: 10_000, bytes_max: usize::MAX };
        let page = store.read_log(UserId(reader), single(1, 2), all).await.expect("it can be read");
        assert_eq!((page.messages.len() as u64, page.head), (stored, stored));
    }
    assert!(send(&*store, long(0)).await.is_ok_and(|place| place.duplicate && place.server_msg_id == 1));
    store.close().await;
}
