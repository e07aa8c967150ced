//! A command and its server behind TLS: what is wrong is told at once; certificates and keys change while the server runs.

use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use crate::process::Machine;

/// Longer than a machine under load takes, and shorter than anybody waits for what is wrong for good.
const AT_ONCE: Duration = Duration::from_secs(15);

/// Made for tests alone: `server` is issued by `ca` for `localhost`, `own` is self-signed for nobody.
fn file(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "../client/tests/it/tls", name].iter().collect()
}

/// A server behind TLS, with copies of its files that may change.
fn behind_tls(machine: &mut Machine, certificate: &str) -> [PathBuf; 2] {
    let files = ["pem", "key"].map(|end| machine.data().join(format!("tls.{end}")));
    put(&files, certificate);
    let [cert_file, key_file] = files.each_ref().map(|path| path.to_str().expect("text"));
    machine.start_with(&[("ANSER_TLS__CERT_FILE", cert_file), ("ANSER_TLS__KEY_FILE", key_file)]);
    files
}

fn put(files: &[PathBuf; 2], certificate: &str) {
    for (path, end) in files.iter().zip(["pem", "key"]) {
        fs::copy(file(&format!("{certificate}.{end}")), path).expect("it is copied");
    }
}

/// Says something as alice, trusting `ca` where there is TLS. None: it was sent.
fn refusal(machine: &Machine, url: &str, ca: &str) -> Option<String> {
    let (begun, ca) = (Instant::now(), file(ca));
    let ca = ca.to_str().expect("text");
    let chat = ["chat", "--as", "alice", "--to", "bob", "--memory", "--server", url, "--ca", ca];
    let words = if url.starts_with("wss") { &chat[..] } else { &chat[..chat.len() - 2] };
    let tried = machine.run(words, "hello\n");
    assert!(begun.elapsed() < AT_ONCE, "{url} was tried for {:?}", begun.elapsed());
    let said = String::from_utf8_lossy(&tried.stderr).into_owned();
    assert_eq!(tried.status.success(), said.is_empty(), "{said}");
    (!tried.status.success()).then_some(said)
}

#[test]
fn what_is_wrong_with_an_address_or_a_certificate_is_told_at_once() {
    let mut machine = Machine::with_users(&["alice", "bob"]);
    let plain = machine.port();
    let check = |machine: &Machine, url: String, ca: &str, why: &str| {
        let said = refusal(machine, &url, ca).expect("it is refused");
        assert!(said.contains(why), "{url}: {said}");
    };
    check(&machine, format!("ws://localhost:{plain}/nowhere"), "ca.pem", "answered 404");
    check(&machine, format!("wss://localhost:{plain}"), "ca.pem", "does not speak TLS");
    assert!(machine.stop());
    check(&machine, format!("ws://localhost:{plain}"), "ca.pem", "nothing listens on");

    behind_tls(&mut machine, "own");
    let url = format!("wss://127.0.0.1:{}", machine.port());
    assert_eq!(refusal(&machine, &url, "own.pem"), None);
    check(&machine, url, "ca.pem", "name its file with --ca");
    check(&machine, format!("ws://localhost:{}", machine.port()), "ca.pem", "does not answer as a WebSocket");
}

#[test]
fn a_certificate_is_changed_while_the_server_runs_and_a_broken_one_changes_nothing() {
    let mut machine = Machine::with_users(&["alice", "bob"]);
    assert!(machine.stop());
    let files = behind_tls(&mut machine, "server");
    let url = format!("wss://localhost:{}", machine.port());
    let mut alice = machine.talk(&[
        "chat",
        "--as",
        "alice",
        "--to",
        "bob",
        "--memory",
        "--server",
        &url,
        "--ca",
        file("ca.pem").to_str().expect("text"),
    ]);
    assert_eq!(refusal(&machine, &url, "ca.pem"), None);

    put(&files, "own");
    machine.hang_up();
    machine.awaits_log("\"reloaded", 1);
    assert_eq!(refusal(&machine, &url, "own.pem"), None);
    assert!(refusal(&machine, &url, "ca.pem").is_some_and(|said| said.contains("not believed")));

    fs::write(&files[1], "no key").expect("it is written");
    machine.hang_up();
    machine.awaits_log("not reloaded", 1);
    assert_eq!(refusal(&machine, &url, "own.pem"), None);
    // Connections of before stay.
    alice.say("still here");
    assert_eq!(alice.end(), (vec![], true));
    assert!(machine.stop());
}

#[test]
fn a_key_of_tokens_is_changed_while_the_server_runs() {
    let machine = Machine::with_users(&["alice", "bob"]);
    let make = || String::from_utf8(machine.run(&["token", "make", "alice"], "").stdout).expect("text");
    let says = |token: &str| {
        let (url, token) = (machine.url(), token.trim());
        let chat = ["chat", "--as", "alice", "--to", "bob", "--memory", "--server", &url, "--token", token];
        machine.run(&chat, "hello\n").status.success()
    };
    let old = make();
    assert!(says(&old));
    fs::write(machine.data().join("hs256.secret"), [7; 32]).expect("it is written");
    let new = make();
    assert!(!says(&new));
    machine.hang_up();
    machine.awaits_log("\"reloaded", 1);
    assert!(says(&new));
    assert!(!says(&old));
}
