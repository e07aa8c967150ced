//! `anser replay` on a stretch of real chat: with faults and without, against its own server and another one.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::sieve;

const LOG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/ubuntu-2006-06-01.txt");
const KEYS: [&str; 21] = [
    "users",
    "devices",
    "sent",
    "acked",
    "delivered",
    "duplicates",
    "misordered",
    "missing",
    "ghosts",
    "unread_errors",
    "only_on_devices",
    "stale",
    "leaked",
    "returned",
    "unexplained",
    "restarts",
    "rate",
    "ack_p50_ms",
    "ack_p99_ms",
    "delivery_p50_ms",
    "delivery_p99_ms",
];

/// Those that count what must not be.
const FAULTS: std::ops::Range<usize> = 5..15;

fn command(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_anser"));
    command.arg("replay").args(words);
    command
}

fn replay(words: &[&str]) -> Output {
    command(words).output().expect("the binary starts")
}

/// Plays the log, expects that all is right, and gives the line of JSON.
fn check(words: &[&str]) -> serde_json::Value {
    let output = replay(&[&[LOG, "--json"], words].concat());
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{stdout}\n{stderr}");
    let summary: serde_json::Value = serde_json::from_str(&stdout).expect("one line of JSON");
    let keys: Vec<_> = summary.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(keys.len(), KEYS.len() + 3, "{keys:?}");
    assert_eq!(summary["faults"].is_object(), words.contains(&"--chaos"), "{stdout}");
    assert_eq!(summary["pushes"].is_object(), words.contains(&"--calm"), "{stdout}");
    // Whoever chose the seed knows it.
    assert_eq!(
        stderr.contains("the same again: anser replay") && stderr.contains("--seed"),
        !words.contains(&"--seed")
    );
    for key in KEYS {
        assert!(summary[key].is_number(), "{key}: {stdout}");
    }
    for key in &KEYS[FAULTS] {
        assert_eq!(summary[key], 0, "{key}: {stdout}\n{stderr}");
    }
    for act in ["edits", "recalls", "reactions", "hides", "clears", "mutes", "actions", "topics"] {
        assert!(summary["acts"][act].as_u64() > Some(0), "no {act}: {stdout}");
    }
    let number = |number: &serde_json::Value| number.as_u64().expect("a number");
    // All but those of who was muted just then.
    let (sent, unsaid) = (number(&summary["sent"]), number(&summary["acts"]["unsaid"]));
    assert_eq!((&summary["users"], sent + unsaid, &summary["acked"]), (&75.into(), 283, &summary["sent"]), "{summary}");
    summary
}

fn check_chaos(seed: &str) {
    let summary = check(&["--chaos", "--seed", seed, "--rate", "40"]);
    assert!(summary["restarts"].as_u64() > Some(0), "the server lived all the time: {summary}");
    let faults = summary["faults"].as_object().expect("faults by kind");
    assert_eq!(faults.len(), 13, "{summary}");
    assert!(faults.values().all(|count| count.as_u64() > Some(0)), "not everything happened: {summary}");
    assert!(summary["devices"].as_u64() > Some(75), "nobody got a second device: {summary}");
}

#[test]
fn real_chat_survives_chaos() {
    check_chaos("1");
}

#[test]
fn real_chat_survives_other_chaos() {
    check_chaos("2");
}

#[test]
fn real_chat_plays_on_several_devices_and_on_a_foreign_server() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let server = Server::start(folder.path());
    let secret = folder.path().join("hs256.secret");
    let secret = secret.to_str().expect("a name in Unicode");
    for scheme in ["ws", "tcp"] {
        let url = format!("{scheme}://{}", server.address(scheme));
        let devices = check(&["--server", &url, "--token-secret", secret, "--devices", "2"]);
        assert_eq!(devices["devices"], 149);
    }
}

#[test]
fn in_calm_weather_every_message_is_pushed() {
    let pushes = &check(&["--calm", "--rate", "60"])["pushes"];
    // 283 messages and 75 notices of those who come, to all who are there.
    assert!(pushes["came"].as_u64() > Some(5_000) && pushes["failed"] == 0, "{pushes}");
    assert!(pushes["untimed"].as_u64() < Some(500), "{pushes}");
}

#[test]
fn a_push_that_a_server_forgets_is_found_although_its_message_arrives() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let server = Server::start(folder.path());
    let log = folder.path().join("talk.txt");
    let talk =
        "[12:00] <ann> who is there\n[12:00] <bob> me\n[12:00] <cyd> and me\n[12:01] <ann> lost\n[12:01] <bob> well\n";
    std::fs::write(&log, talk).expect("a file");
    let (log, secret) = (log.to_str().expect("Unicode"), folder.path().join("hs256.secret"));
    let tcp = server.address("tcp").parse().expect("an address");
    for (forgotten, failed) in [("never said", 0), ("lost", 3)] {
        let url = format!("tcp://{}", sieve::start(tcp, forgotten));
        let secret = secret.to_str().expect("Unicode");
        let scratch = tempfile::tempdir().expect("a folder for what is left");
        // With these dice nobody changes anything of so short a talk.
        let words =
            [log, "--calm", "--json", "--seed", "1", "--rate", "10", "--server", &url, "--token-secret", secret];
        let output = command(&words).env("TMPDIR", scratch.path()).output().expect("the binary starts");
        let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let summary: serde_json::Value = serde_json::from_str(&stdout).expect("one line of JSON");
        assert_eq!((output.status.success(), &summary["missing"]), (failed == 0, &0.into()), "{stdout}\n{stderr}");
        assert_eq!(stderr.contains("every promise was kept"), failed == 0, "{stderr}");
        // To Bob, Cyd and the group's owner.
        assert_eq!(summary["pushes"]["failed"], failed, "{stdout}\n{stderr}");
        assert_eq!(stderr.matches("never came by itself").count(), failed, "{stderr}");
        let left: Vec<_> = std::fs::read_dir(scratch.path()).expect("it is there").flatten().collect();
        assert_eq!(left.len(), usize::from(failed > 0), "{left:?}");
        for folder in left.iter().map(std::fs::DirEntry::path) {
            assert!(stderr.contains(&format!("what it left is kept: {}", folder.display())), "{stderr}");
            let read = |name: &str| std::fs::read_to_string(folder.join(name)).expect("it was written");
            assert_eq!(read("found.txt").lines().count(), failed);
            assert!(read("again.sh").contains("anser replay --calm") && read("again.sh").contains("--seed"));
            assert!(read("said.txt").contains("lost") && read("server.txt").contains("lost"));
            assert_eq!(read("devices.txt").matches("DeviceRecord {").count(), 4);
        }
    }
}

#[test]
fn a_play_that_is_told_to_end_leaves_nothing() {
    let scratch = tempfile::tempdir().expect("a folder");
    let mut play = command(&[LOG, "--chaos", "--rate", "1"]);
    let mut play = play.env("TMPDIR", scratch.path()).stderr(Stdio::null()).spawn().expect("it starts");
    let entries = |folder: &Path| std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    // Devices have their stores there: it is in the middle.
    while !entries(scratch.path())
        .flat_map(|folder| entries(&folder))
        .any(|file| file.extension() == Some("db".as_ref()))
    {
        assert!(play.try_wait().expect("a child").is_none(), "it ended");
        std::thread::yield_now();
    }
    kill_process(Pid::from_child(&play), Signal::TERM).expect("it runs");
    assert_eq!(play.wait().expect("it ends").code(), Some(130));
    assert_eq!(entries(scratch.path()).count(), 0);
}

#[test]
fn a_file_without_talk_is_refused() {
    let output = replay(&[concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")]);
    assert!(!output.status.success());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("nobody says anything"), "{stderr}");
}

struct Server {
    child: Child,
    ready: serde_json::Value,
}

impl Server {
    fn start(data: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_anser"))
            .args(["serve", "--json", "--http", "127.0.0.1:0", "--tcp", "127.0.0.1:0", "--data"])
            .arg(data)
            .env("ANSER_LOG", "error")
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("it was piped")).read_line(&mut line).expect("a line");
        Self { child, ready: serde_json::from_str(&line).expect("its addresses") }
    }

    fn address(&self, scheme: &str) -> &str {
        self.ready[if scheme == "ws" { "http" } else { scheme }].as_str().expect("an address")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = (self.child.kill(), self.child.wait());
    }
}
