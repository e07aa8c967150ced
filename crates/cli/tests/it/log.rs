//! The log of a server when nobody takes it: pipes and a full device, on the real binary.

use std::{
    fs::File,
    io::{Read as _, Write as _, pipe},
    net::TcpStream,
    time::{Duration, Instant},
};

use crate::process::{FILES_MAX, Machine};

/// Does what a server logs about.
fn busy(machine: &Machine) {
    let chat = ["chat", "--as", "alice", "--to", "bob", "--memory", "--server", &machine.url()];
    let lines = "a line\n".repeat(500);
    assert!(machine.run(&chat, &lines).status.success());
}

fn assert_well(machine: &Machine) {
    assert_eq!(machine.get("/healthz").0, 200);
    assert_eq!(machine.get("/readyz"), (200, "ok\n".into()));
}

fn lost(machine: &Machine) -> u64 {
    let metrics = machine.get("/metrics").1;
    let line =
        metrics.lines().find_map(|line| line.strip_prefix("anser_log_lines_lost_total ")).expect("it is counted");
    line.parse().expect("a number")
}

#[test]
fn a_server_whose_log_goes_to_a_full_device_starts_and_works() {
    let mut machine = Machine::with_users(&["alice", "bob"]);
    assert!(machine.stop());
    let full = File::options().write(true).open("/dev/full").expect("a full device");
    machine.start_logging_to(full, &[]);
    busy(&machine);
    assert_well(&machine);
    assert!(lost(&machine) > 0);
    assert!(machine.stop());
}

#[test]
fn a_server_outlives_whoever_read_its_log() {
    let mut machine = Machine::with_users(&["alice", "bob"]);
    assert!(machine.stop());
    let (reader, writer) = pipe().expect("a pipe");
    machine.start_logging_to(writer, &[]);
    drop(reader);
    busy(&machine);
    assert_well(&machine);
    assert!(lost(&machine) > 0);
    assert!(machine.stop());
}

#[test]
fn a_log_that_nobody_reads_holds_nobody_up() {
    let mut machine = Machine::with_users(&["alice", "bob"]);
    assert!(machine.stop());
    let (mut reader, mut writer) = pipe().expect("a pipe");
    // As much as it holds: the server's first line finds no room.
    let filling = [b'\n'; PIPE_BYTES];
    writer.write_all(&filling).expect("room for it");
    machine.start_logging_to(writer, &[]);
    busy(&machine);
    assert_well(&machine);
    let reading = std::thread::spawn(move || {
        let mut log = String::new();
        reader.read_to_string(&mut log).map(|_| log)
    });
    assert!(machine.stop());
    let log = reading.join().expect("no panic").expect("the server has ended");
    let lines = log.lines().filter(|line| !line.is_empty());
    assert!(
        lines.into_iter().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()),
        "a torn line: {log}"
    );
    assert!(log.contains("\"ready\"") && log.contains("\"stopped\""), "what waited is there: {log}");
}

/// What Linux gives a pipe.
const PIPE_BYTES: usize = 64 << 10;

fn upgrade(headers: &str) -> String {
    format!(
        "GET /v1/ws HTTP/1.1\r\nhost: test\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: anser.v1.json\r\n{headers}\r\n"
    )
}

#[test]
fn who_is_not_let_in_is_told_with_the_address_that_a_trusted_proxy_has_seen() {
    let mut machine = Machine::empty();
    machine.start_with(&[("ANSER_LISTEN__TRUSTED_PROXIES", "[\"127.0.0.1\"]")]);
    let mut proxy = TcpStream::connect(("127.0.0.1", machine.port())).expect("the port accepts");
    let upgrade = upgrade("x-forwarded-for: 203.0.113.5, 198.51.100.77\r\n");
    let hello = r#"{"request_id":1,"hello":{"version":1,"token":"wrong","device":{"device_id":"d"}}}"#;
    proxy.write_all(upgrade.as_bytes()).expect("it is taken");
    // A text frame, masked with zeros.
    let length = u8::try_from(hello.len()).expect("short");
    proxy.write_all(&[&[0x81, 0x80 | length, 0, 0, 0, 0], hello.as_bytes()].concat()).expect("it is taken");
    machine.awaits_log("not let in", 1);
    let log = machine.log();
    let line = log.lines().find(|line| line.contains("not let in")).expect("it was awaited");
    assert!(line.contains("198.51.100.77") && line.contains("BAD_TOKEN"), "{line}");
}

#[test]
fn a_proxy_that_does_not_say_whom_it_passes_on_is_told_once_with_what_helps() {
    let trusted = ("ANSER_LISTEN__TRUSTED_PROXIES", "[\"127.0.0.1\"]");
    let mut machine = Machine::empty();
    machine.start_with(&[trusted]);
    let say = |machine: &Machine, words: &str| {
        let mut proxy = TcpStream::connect(("127.0.0.1", machine.port())).expect("the port accepts");
        proxy.write_all(words.as_bytes()).expect("it is taken");
        let mut answer = [0; 16];
        // One that is closed answers nothing.
        let _ = proxy.read(&mut answer);
    };
    let health = "GET /healthz HTTP/1.1\r\nhost: test\r\n\r\n";
    say(&machine, health);
    say(&machine, &upgrade("x-forwarded-for: 198.51.100.77\r\n"));
    assert!(!machine.log().contains("listen.trusted_proxies"), "{}", machine.log());
    for _ in 0..3 {
        say(&machine, &upgrade(""));
    }
    machine.awaits_log("without X-Forwarded-For from a proxy of listen.trusted_proxies", 1);
    assert!(machine.stop());
    machine.start_with(&[trusted, ("ANSER_LISTEN__PROXY_PROTOCOL", "[\"http\"]")]);
    for _ in 0..3 {
        say(&machine, health);
    }
    machine.awaits_log("take the port off listen.proxy_protocol", 1);
    assert!(machine.stop());
    let log = machine.log();
    let told = log.lines().filter(|line| line.contains("listen.trusted_proxies"));
    let told: Vec<_> = told.map(|line| (line.contains("WARN"), line.contains("127.0.0.1"))).collect();
    assert_eq!(told, [(true, true); 2], "{log}");
}

#[test]
fn that_there_is_no_file_left_is_told_and_not_again_and_again() {
    let mut machine = Machine::empty();
    machine.start();
    machine.has_files(0);
    let mut waiting = TcpStream::connect(("127.0.0.1", machine.port())).expect("the system takes it");
    machine.awaits_log("cannot accept", 1);
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(1) {
        assert_eq!(machine.log().matches("cannot accept").count(), 1);
        std::thread::yield_now();
    }
    machine.has_files(FILES_MAX);
    waiting.write_all(b"GET /healthz HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n").expect("it is taken");
    let mut answer = String::new();
    waiting.read_to_string(&mut answer).expect("it is accepted at last");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}
