//! The real programs: they start, answer, survive, and do not outlive their owner.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    process::{Command, Stdio},
    time::Duration,
};

use anser_services::{Kept, MariaDb, MariaDbOptions, Nats, Place, Redis, Source};

const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn a_database_keeps_its_rows_over_a_kill() {
    let mut database = MariaDb::start(Place::Tests).expect("a database");
    let made = "CREATE DATABASE t; CREATE TABLE t.t (id INT PRIMARY KEY); INSERT INTO t.t VALUES (7), (8)";
    database.execute(made).expect("a table");
    let address = database.address();
    database.kill();
    assert!(database.execute("SELECT 1").is_err(), "it answers though it was killed");
    database.start_again().expect("the database again");
    assert_eq!(database.address(), address);
    assert_eq!(database.execute("SELECT id FROM t.t ORDER BY id").expect("rows"), "7\n8\n");
}

#[test]
fn a_database_has_the_settings_that_the_server_asks_for_unless_told_otherwise() {
    let asked = "SELECT @@log_bin, @@sync_binlog, @@innodb_flush_log_at_trx_commit, @@tx_isolation, @@binlog_format, \
                 @@max_allowed_packet, @@character_set_server";
    let database = MariaDb::start(Place::Tests).expect("a database");
    let settings = database.execute(asked).expect("settings");
    assert_eq!(settings, "1\t1\t1\tREAD-COMMITTED\tROW\t16777216\tutf8mb4\n");
    let settings = ["skip-log-bin", "sync_binlog=0", "innodb_flush_log_at_trx_commit=2"].map(str::to_owned).into();
    let options = MariaDbOptions { settings, ..MariaDbOptions::default() };
    let other = MariaDb::start_with(Place::Tests, options).expect("another database");
    assert!(other.execute(asked).expect("settings").starts_with("0\t0\t2\t"));
}

#[test]
fn a_replica_repeats_what_its_source_does_and_no_earlier_than_it_is_told() {
    let database = MariaDb::start(Place::Tests).expect("a database");
    let replica = |delay_s| {
        let replica_of = Some(Source { address: database.address(), delay_s });
        MariaDb::start_with(Place::Tests, MariaDbOptions { replica_of, ..MariaDbOptions::default() })
    };
    let (near, far) = (replica(0).expect("a replica"), replica(3_600).expect("a late replica"));
    database.execute("CREATE DATABASE t; CREATE TABLE t.t (id INT); INSERT INTO t.t VALUES (7)").expect("a table");
    let place = database.execute("SELECT @@gtid_binlog_pos").expect("the place in the log");
    let wait = format!("SELECT MASTER_GTID_WAIT('{}', {})", place.trim(), PATIENCE.as_secs());
    assert_eq!(near.execute(&wait).expect("the wait"), "0\n");
    assert_eq!(near.execute("SELECT id FROM t.t").expect("rows"), "7\n");
    assert!(far.execute("SELECT id FROM t.t").is_err(), "an hour went by");
}

#[test]
fn redis_starts_again_empty_or_from_its_dump() {
    let mut redis = Redis::start(Place::Tests).expect("redis");
    redis.command(&["SET", "key", "old"]).expect("set");
    redis.command(&["SAVE"]).expect("save");
    redis.command(&["SET", "key", "new"]).expect("set");
    redis.start_again(Kept::Dump).expect("redis from its dump");
    assert_eq!(redis.command(&["GET", "key"]).expect("get"), "old");
    redis.start_again(Kept::Nothing).expect("redis from nothing");
    assert_eq!(redis.command(&["GET", "key"]).expect("get"), "");
    assert!(redis.command(&["NONSENSE"]).is_err(), "nonsense was taken");
}

#[test]
fn nats_starts_again_on_its_port() {
    let mut nats = Nats::start(Place::Tests).expect("nats");
    assert!(first_words(nats.address()).starts_with("INFO "));
    nats.kill();
    assert!(TcpStream::connect(nats.address()).is_err(), "it listens though it was killed");
    nats.start_again().expect("nats again");
    assert!(first_words(nats.address()).starts_with("INFO "));
}

#[test]
fn what_is_paused_answers_when_it_goes_on() {
    let redis = Redis::start(Place::Tests).expect("redis");
    let mut stream = connect(redis.address());
    redis.pause();
    stream.set_read_timeout(Some(Duration::from_millis(200))).expect("a time limit");
    stream.write_all(b"PING\r\n").expect("a ping");
    let mut answer = [0; 5];
    assert!(stream.read_exact(&mut answer).is_err(), "it answers though it was paused");
    redis.resume();
    stream.set_read_timeout(Some(PATIENCE)).expect("a time limit");
    stream.read_exact(&mut answer).expect("an answer");
    assert_eq!(&answer, b"+PONG");
}

#[test]
fn a_setting_that_is_refused_is_told_with_the_words_of_the_log() {
    let options = MariaDbOptions { settings: vec!["no-such-setting=1".into()], ..MariaDbOptions::default() };
    let error = MariaDb::start_with(Place::Tests, options).err().expect("a refusal").to_string();
    assert!(error.contains("no-such-setting"), "{error}");
}

#[test]
fn nothing_outlives_an_owner_that_is_killed() {
    let mut owner = Command::new(env!("CARGO_BIN_EXE_anser-services"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the owner");
    let lines = BufReader::new(owner.stdout.take().expect("its output is piped")).lines();
    let addresses: Vec<SocketAddr> = lines.take(3).map(|line| address_in(&line.expect("a line"))).collect();
    let mut connections: Vec<TcpStream> = addresses.iter().map(|address| connect(*address)).collect();
    owner.kill().expect("the owner runs");
    owner.wait().expect("the owner ended");
    for connection in &mut connections {
        connection.set_read_timeout(Some(PATIENCE)).expect("a time limit");
        // Ends with the process: cleanly, or by a reset when something was left unread.
        if let Err(error) = connection.read_to_end(&mut Vec::new()) {
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
        }
    }
}

fn address_in(url: &str) -> SocketAddr {
    let place = url.rsplit(['/', '@']).next().expect("a url");
    place.parse().expect("an address")
}

fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).expect("it listens")
}

fn first_words(address: SocketAddr) -> String {
    let mut line = String::new();
    let stream = connect(address);
    stream.set_read_timeout(Some(PATIENCE)).expect("a time limit");
    BufReader::new(stream).read_line(&mut line).expect("a line");
    line
}
