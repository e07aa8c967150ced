//! A disk without room: told as such, nothing half done, and all goes on once there is room.

#![cfg(target_os = "linux")]

use std::{env, fs, path::Path, process::Command};

use super::*;

/// Set for the process that has a small disk of its own.
const DISK: &str = "ANSER_TEST_SMALL_DISK";

/// Runs itself on a disk of a few MiB, in a namespace of its own. Where such are not allowed there is nothing to test on.
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
    if !unshare(mount).status().is_ok_and(|status| status.success()) {
        eprintln!("this machine does not let a test mount a small disk");
        return;
    }
    let script =
        format!("{mount} && exec \"$2\" --exact sqlite::full::a_full_disk_is_told_and_lost_nothing --nocapture");
    assert!(unshare(&script).status().expect("it ran").success());
}

async fn fill(disk: &Path) {
    let ballast = disk.join("ballast");
    fs::write(&ballast, vec![1; 2 << 20]).expect("room for it");
    let store = open(disk);
    settle(&*store, 2).await;
    let long = |n: u64| {
        let id = n.to_string();
        NewMessage { content: "x".repeat(20_000).into(), ..text(1, single(1, 2), &id) }
    };
    let mut stored = 0;
    let refusal = loop {
        match send(&*store, long(stored)).await {
            Ok(place) => stored = place.server_msg_id,
            Err(error) => break error,
        }
    };
    assert_eq!(refusal, Error::Full);
    assert!(stored > 10, "it was full after {stored}");
    // What is there can be read, and by many short steps nothing gets through by halves.
    assert_eq!(store.session(UserId(2), single(1, 2)).await.map(|session| session.head), Ok(stored));
    for _ in 0..5 {
        assert_eq!(send(&*store, long(stored)).await, Err(Error::Full));
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
