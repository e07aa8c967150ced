//! Opening: who may, what it makes, and what it refuses.

use std::{fs, path::Path};

use anser_proto::UserId;
use anser_store::{
    Store as _,
    sqlite::{OpenError, SqliteOptions, SqliteStore},
};
use rusqlite::Connection;

use super::*;

fn refused(folder: &Path, options: SqliteOptions) -> OpenError {
    SqliteStore::open(folder, options).err().expect("it is refused")
}

async fn made() -> tempfile::TempDir {
    let home = tempfile::tempdir().expect("a folder");
    open(home.path()).close().await;
    home
}

#[tokio::test]
async fn a_second_store_in_the_folder_is_refused_until_the_first_is_closed() {
    let home = tempfile::tempdir().expect("a folder");
    let first = open(home.path());
    assert!(matches!(refused(home.path(), options()), OpenError::Locked(folder) if folder == home.path()));
    assert!(matches!(examine(home.path(), Repair::Nothing, &mut |_, _| ()), Err(OpenError::Locked(_))));
    first.close().await;
    drop(open(home.path()));
    // Without being closed it gives the folder back all the same.
    drop(open(home.path()));
}

#[tokio::test]
async fn a_newer_store_is_refused_and_left_as_it_is() {
    let home = made().await;
    let db = Connection::open(home.path().join("anser.db")).expect("a database");
    db.execute("UPDATE im_store SET schema_version = 99, min_writer_version = 99", []).expect("sound SQL");
    drop(db);
    let before = fs::read(home.path().join("anser.db")).expect("a file");
    let error = refused(home.path(), options());
    assert!(matches!(error, OpenError::Newer { store: 99, build: 14 }));
    assert!(error.to_string().contains("99") && error.to_string().contains("newer build"), "{error}");
    assert_eq!(fs::read(home.path().join("anser.db")).expect("a file"), before);
}

/// As a later build leaves it that added to the schema what others may pass over.
#[tokio::test]
async fn a_store_that_only_has_more_in_it_is_used() {
    let home = made().await;
    let db = Connection::open(home.path().join("anser.db")).expect("a database");
    let more = "ALTER TABLE im_user ADD COLUMN status TEXT NOT NULL DEFAULT ''; ALTER TABLE im_session ADD COLUMN of_tomorrow INTEGER;
                ALTER TABLE im_message_send_1 ADD COLUMN starred INTEGER; UPDATE im_store SET schema_version = 50";
    db.execute_batch(more).expect("sound SQL");
    drop(db);
    let store = open(home.path());
    settle(&*store, 2).await;
    send(&*store, text(1, single(1, 2), "m")).await.expect("stored");
    store.close().await;
}

#[tokio::test]
async fn another_number_of_shards_is_refused() {
    let home = made().await;
    let mut other = options();
    other.common.shards = 8;
    let error = refused(home.path(), other);
    assert!(matches!(error, OpenError::Shards { store: 4, asked: 8 }), "{error}");
}

#[tokio::test]
async fn a_file_that_is_no_store_is_refused_and_left_as_it_is() {
    let home = tempfile::tempdir().expect("a folder");
    let file = home.path().join("anser.db");
    let foreign = "CREATE TABLE recipes (name TEXT)";
    Connection::open(&file).and_then(|db| db.execute_batch(foreign)).expect("a database");
    let database = fs::read(&file).expect("a file");
    for bytes in [database, b"this is not a database at all, only some text that somebody left here".repeat(20)] {
        fs::write(&file, &bytes).expect("written");
        assert!(matches!(refused(home.path(), options()), OpenError::Foreign(_)));
        assert_eq!(fs::read(&file).expect("a file"), bytes);
    }
}

#[test]
fn the_doctor_makes_no_store() {
    let home = tempfile::tempdir().expect("a folder");
    let examined = examine(&home.path().join("nothing"), Repair::Derivable, &mut |_, _| ());
    assert!(matches!(examined, Err(OpenError::Missing(_))));
    assert_eq!(fs::read_dir(home.path()).expect("a folder").count(), 0);
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_may_read_the_files() {
    use std::os::unix::fs::PermissionsExt as _;

    let home = tempfile::tempdir().expect("a folder");
    let store = open(home.path());
    settle(&*store, 1).await;
    for entry in fs::read_dir(home.path()).expect("a folder") {
        let entry = entry.expect("a file");
        let mode = entry.metadata().expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{:?}", entry.file_name());
    }
    store.close().await;
}

#[tokio::test]
async fn a_closed_store_is_one_file_and_its_lock() {
    let home = tempfile::tempdir().expect("a folder");
    let store = open(home.path());
    settle(&*store, 3).await;
    store.close().await;
    let mut names: Vec<_> =
        fs::read_dir(home.path()).expect("a folder").map(|entry| entry.expect("a file").file_name()).collect();
    names.sort();
    assert_eq!(names, ["anser.db", "anser.lock"]);
    assert_eq!(open(home.path()).users(vec![UserId(3)], vec![]).await.map(|users| users.len()), Ok(1));
}
