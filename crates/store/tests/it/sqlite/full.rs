//! A disk without room, or one that fails: told as such, nothing half done, and all goes on once it works again.

#![cfg(target_os = "linux")]

use std::{env, fs, path::Path, process::Command};

use super::*;

/// Set for the process that has a small disk of its own.
const DISK: &str = "ANSER_TEST_SMALL_DISK";

/// Runs itself on a disk of a few MiB, in a namespace of its own.
#[tokio::test]
async fn a_full_disk_is_told_and_lost_nothing() {
    if let Ok(disk) = env::var(DISK) {
        return fill(Path::new(&disk)).await;
    }
    let home = tempfile::tempdir().expect("a folder");
    let test = env::current_exe().expect("a path");
    let unshare = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"]).arg(home.path()).arg(&test);
        command.env(DISK, home.path());
        command
    };
    let mount = "mount -t tmpfs -o size=6m none \"$1\"";
    let status = unshare(mount).status().expect("unshare is needed: `apt-get install util-linux` brings it");
    assert!(status.success(), "{status}: this machine does not let a test mount a small disk");
    let script =
        format!("{mount} && exec \"$2\" --exact sqlite::full::a_full_disk_is_told_and_lost_nothing --nocapture");
    assert!(unshare(&script).status().expect("it ran").success());
}

async fn fill(disk: &Path) {
    let ballast = disk.join("ballast");
    fs::write(&ballast, vec![1; 2 << 20]).expect("room for it");
    let store = open(disk);
    settle(&*store, 2).await;
    let (stored, refusal) = talk_until_refused(&*store).await;
    assert_eq!(refusal, Error::Failed(Failure::Full));
    assert!(stored > 10, "it was full after {stored}");
    // What is there can be read, and by many short steps nothing gets through by halves.
    assert_eq!(store.session(UserId(2), single(1, 2)).await.map(|session| session.head), Ok(stored));
    for _ in 0..5 {
        assert_eq!(send(&*store, long(stored)).await, Err(Error::Failed(Failure::Full)));
    }

    fs::remove_file(&ballast).expect("it was there");
    for n in stored..stored + 10 {
        assert_eq!(
            send(&*store, long(n)).await.map(|place| (place.server_msg_id, place.duplicate)),
            Ok((n + 1, false))
        );
    }
    assert!(send(&*store, long(0)).await.is_ok_and(|place| place.duplicate && place.server_msg_id == 1));
    store.close().await;
    assert_eq!(look(disk), []);
}

/// Set for the process that may not write large files.
const SHORT: &str = "ANSER_TEST_SHORT_FILES";

/// A file that may not grow fails in the middle of a commit, with another error than a full disk.
#[tokio::test]
async fn after_a_commit_that_broke_its_messages_can_be_sent_again() {
    if let Ok(folder) = env::var(SHORT) {
        return break_a_commit(Path::new(&folder)).await;
    }
    let home = tempfile::tempdir().expect("a folder");
    let test = "sqlite::full::after_a_commit_that_broke_its_messages_can_be_sent_again";
    let script = format!("trap '' XFSZ; ulimit -S -f 2048; exec \"$1\" --exact {test} --nocapture");
    let mut command = Command::new("sh");
    command.args(["-c", &script, "sh"]).arg(env::current_exe().expect("a path")).env(SHORT, home.path());
    assert!(command.status().expect("it ran").success());
}

async fn break_a_commit(folder: &Path) {
    let store = open(folder);
    settle(&*store, 2).await;
    let (stored, error) = talk_until_refused(&*store).await;
    assert!(matches!(error, Error::Failed(Failure::UnknownOutcome(_))), "{error:?}");
    assert_eq!(store.session(UserId(2), single(1, 2)).await.map(|session| session.head), Ok(stored));

    let mut allow = Command::new("prlimit");
    allow.args(["--fsize=unlimited:", "--pid"]).arg(std::process::id().to_string());
    assert!(allow.status().expect("it ran").success());
    for n in 0..stored + 10 {
        let place = send(&*store, long(n)).await.expect("it works again");
        assert_eq!(place.server_msg_id, n + 1);
        assert!(place.duplicate == (n < stored) || n == stored);
    }
    store.close().await;
    assert_eq!(look(folder), []);
}
