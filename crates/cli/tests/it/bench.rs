//! The load generator beside settings that are meant for another server, and against a server with settings of its own.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    os::unix::fs::PermissionsExt as _,
    process::Stdio,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::process::Machine;

/// As short as it can be: what comes out is no measurement.
const SHORTLY: [&str; 10] =
    ["bench", "direct", "--connections", "2", "--warm-up", "0", "--seconds", "1", "--no-store", "--json"];

fn check_messages_were_acked(output: &std::process::Output) {
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one line of JSON");
    assert!(report["rate"].as_u64() > Some(0), "{report}\n{told}");
}

#[test]
fn a_server_of_its_own_has_nothing_of_the_settings_around_it() {
    let machine = Machine::with_users(&[]);
    let mut bench = machine.command(&SHORTLY);
    bench.env("ANSER_TLS__CERT_FILE", "/none.pem").env("ANSER_TLS__KEY_FILE", "/none.key");
    check_messages_were_acked(&bench.env("ANSER_AUTH__ISSUERS", "[\"my-app\"]").output().expect("it runs"));
}

#[test]
fn a_running_server_is_measured_with_tokens_that_it_believes() {
    let mut machine = Machine::with_users(&[]);
    assert!(machine.stop());
    let folder = tempfile::tempdir().expect("a folder for the test");
    let (secret, config) = (folder.path().join("secret"), folder.path().join("anser.toml"));
    fs::write(&secret, [7; 32]).expect("a secret");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).expect("for its owner alone");
    let auth = format!("[auth]\nissuers = [\"my-app\"]\naudience = \"my-chat\"\nhs256_secret_file = {secret:?}\n");
    fs::write(&config, format!("{auth}[limits]\nrequests_per_s = 0\nsends_per_s = 0\nconversation_sends_per_s = 0\n"))
        .expect("settings");
    let config = config.to_str().expect("text");

    let server =
        machine.talk(&["serve", "--json", "--config", config, "--http", "127.0.0.1:0", "--tcp", "127.0.0.1:0"]);
    let ready: serde_json::Value = serde_json::from_str(&server.line()).expect("one line of JSON");
    let url = format!("ws://{}", ready["http"].as_str().expect("an address"));
    let to_server = [&SHORTLY[..], &["--server", &url, "--config", config]].concat();
    check_messages_were_acked(&machine.run(&to_server, ""));

    let empty = folder.path().join("empty");
    fs::create_dir(&empty).expect("a folder");
    let blind = [&SHORTLY[..], &["--server", &url, "--data", empty.to_str().expect("text")]].concat();
    let told = machine.run(&blind, "");
    assert!(String::from_utf8_lossy(&told.stderr).contains("hs256.secret is not there"), "{told:?}");
    assert_eq!(fs::read_dir(&empty).expect("the folder").count(), 0, "a secret was created that nobody believes");
}

#[test]
fn idle_connections_are_measured_behind_tls_and_after_they_read_their_history() {
    let machine = Machine::with_users(&[]);
    let output = machine.run(&["bench", "idle", "--connections", "20", "--tls", "--after-history", "--json"], "");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one line of JSON");
    assert!(report["server_bytes"].as_u64() > Some(0), "{report}\n{told}");
}

#[test]
fn a_bench_that_is_interrupted_leaves_no_folder() {
    let machine = Machine::empty();
    let folder = tempfile::tempdir().expect("a folder");
    let mut bench = machine.command(&["bench", "direct", "--connections", "2", "--seconds", "600", "--no-store"]);
    let mut bench = bench.env("TMPDIR", folder.path()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut lines = BufReader::new(bench.stderr.take().expect("a pipe")).lines();
    let logged_in = |line: std::io::Result<String>| line.expect("text").contains("2 of 2 logged in");
    assert!(lines.any(logged_in), "it ended");
    let left = || fs::read_dir(folder.path()).expect("it is there").count();
    assert_eq!(left(), 1);
    kill_process(Pid::from_child(&bench), Signal::INT).expect("it runs");
    assert_eq!((bench.wait().expect("it ends").code(), left()), (Some(130), 0));
}

#[test]
fn a_bench_that_is_killed_leaves_no_server() {
    let machine = Machine::empty();
    let folder = tempfile::tempdir().expect("a folder");
    let mut bench = machine.command(&["bench", "direct", "--connections", "2", "--seconds", "600", "--no-store"]);
    let mut bench = bench.env("TMPDIR", folder.path()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut lines = BufReader::new(bench.stderr.take().expect("a pipe")).lines();
    assert!(lines.any(|line| line.expect("text").contains("2 of 2 logged in")), "it ended");
    let id = bench.id().to_string();
    let children = fs::read_dir("/proc").expect("Linux").flatten().map(|entry| entry.path());
    let is_server = |process: &std::path::PathBuf| {
        let words = fs::read_to_string(process.join("cmdline")).unwrap_or_default();
        words.split('\0').skip_while(|word| *word != "--owner").nth(1) == Some(&id)
    };
    let server = children.into_iter().find(is_server).expect("a server");
    bench.kill().and_then(|()| bench.wait()).expect("it ends");
    let start = Instant::now();
    while is_server(&server) {
        assert!(start.elapsed() < Duration::from_secs(20), "the server lives on");
        std::thread::yield_now();
    }
}

#[test]
fn what_a_bench_cannot_do_is_said_in_words() {
    let machine = Machine::with_users(&[]);
    let refused = |words: &[&str]| {
        let output = machine.run(words, "");
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(refused(&["bench", "direct", "--seconds", "0"]).contains("0 is not in 1.."));
    let (url, data) = (machine.url(), machine.data().display().to_string());
    let fast = ["--in-flight", "2000", "--server", &url, "--data", &data];
    let told = refused(&[&SHORTLY[..], &fast].concat());
    assert!(told.contains("RATE_LIMITED") && told.contains("more than limits.sends_per_s: raise limits."), "{told}");
    assert!(!told.contains("Error {"), "{told}");
}
