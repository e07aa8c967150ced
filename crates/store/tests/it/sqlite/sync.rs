//! The log is synced between its last write and the answer, as the system sees it (P1).

#![cfg(target_os = "linux")]

use std::{env, fs, path::Path, process::Command};

use super::*;

/// Set for the process that is watched: its folder.
const FOLDER: &str = "ANSER_TEST_SYNC_FOLDER";
const ANSWERS: usize = 20;

/// Runs itself under `strace`.
#[tokio::test]
async fn the_log_is_synced_before_each_answer() {
    if let Ok(folder) = env::var(FOLDER) {
        return answer(Path::new(&folder)).await;
    }
    let home = tempfile::tempdir().expect("a folder");
    let trace = home.path().join("trace");
    let mut watched = Command::new("strace");
    watched.args(["-f", "-y", "-e", "trace=pwrite64,fdatasync,fsync,write", "-o"]).arg(&trace);
    watched.arg(env::current_exe().expect("a path")).env(FOLDER, home.path());
    watched.args(["--exact", "sqlite::sync::the_log_is_synced_before_each_answer", "--nocapture"]);
    let status = watched.status().expect("strace is needed: `apt-get install strace` brings it");
    assert!(status.success(), "{status}: the test failed, or this machine does not let a test watch a process");

    let (mut writes, mut synced, mut answers) = (0, true, 0);
    for line in fs::read_to_string(&trace).expect("a trace").lines() {
        if line.contains("pwrite64(") && line.contains("anser.db-wal") {
            (writes, synced) = (writes + 1, false);
        } else if line.contains("sync") && line.ends_with("= 0") {
            // Of the log: nothing else is synced while the first checkpoint is far.
            synced = true;
        } else if line.contains("write(") && line.contains("answered ") {
            assert!(synced, "answer {answers} came before the sync");
            answers += 1;
        }
    }
    assert!(answers == ANSWERS && writes >= ANSWERS, "{answers} answers, {writes} writes");
}

async fn answer(folder: &Path) {
    let store = open(folder);
    settle(&*store, 2).await;
    for n in 0..ANSWERS {
        send(&*store, text(1, single(1, 2), &n.to_string())).await.expect("stored");
        println!("answered {n}");
    }
    store.close().await;
}
