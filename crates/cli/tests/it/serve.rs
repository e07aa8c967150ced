//! The server as an operator meets it: starting, stopping, users, secrets, the doctor.

use std::os::unix::fs::PermissionsExt as _;

use crate::process::Machine;

fn said(output: &std::process::Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

#[test]
fn the_log_has_neither_tokens_nor_bodies_however_much_is_logged() {
    let machine = Machine::with_users(&["alice", "bob"]);
    let token = said(&machine.run(&["token", "make", "alice"], "")).0.trim().to_owned();
    let chat = ["chat", "--as", "alice", "--to", "bob", "--server", &machine.url(), "--token", &token];
    assert!(machine.run(&chat, "a-body-that-nobody-else-reads\n").status.success());
    let wrong = ["chat", "--as", "alice", "--to", "bob", "--server", &machine.url(), "--password"];
    assert!(!machine.run(&wrong, "a-password-that-is-wrong\n").status.success());

    let log = machine.log();
    assert!(log.contains("logged in"), "nothing was logged: {log}");
    let signature = token.rsplit('.').next().expect("a token");
    for secret in ["a-body-that-nobody-else-reads", "a-password-that-is-wrong", signature] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

#[test]
fn a_server_that_is_told_to_stop_ends_well_and_leaves_a_sound_store() {
    let mut machine = Machine::with_users(&["alice", "bob"]);
    let chat = ["chat", "--as", "alice", "--to", "bob", "--server", &machine.url()];
    assert!(machine.run(&chat, "one\ntwo\n").status.success());
    let (_, error) = said(&machine.run(&["doctor"], ""));
    assert!(error.contains("in use by another process"), "{error}");
    assert!(machine.stop());
    let examined = machine.run(&["doctor", "--json"], "");
    let report: serde_json::Value = serde_json::from_slice(&examined.stdout).expect("JSON");
    assert_eq!((&report["messages"], &report["found"]), (&2.into(), &0.into()));
}

#[test]
fn a_restored_store_gets_a_new_log_id_whatever_is_found_in_it() {
    let mut machine = Machine::with_users(&["alice"]);
    assert!(machine.stop());
    let file = machine.data().join("anser.db");
    let mut bytes = std::fs::read(&file).expect("the store");
    let has_alice = |page: &[u8]| page.windows(5).any(|word| word == b"alice");
    let page = bytes.chunks_mut(4096).rfind(|page| has_alice(page)).expect("alice is somewhere");
    page.fill(0xff);
    std::fs::write(&file, bytes).expect("written");
    let restored = machine.run(&["doctor", "--restored"], "");
    let (told, error) = said(&restored);
    assert!(told.contains("the store has a new log_id") && error.contains("not repaired"), "{told}{error}");
    assert!(!restored.status.success());
}

#[test]
fn secrets_and_database_are_for_their_owner_alone() {
    let machine = Machine::with_users(&[]);
    let mode =
        |name: &str| std::fs::metadata(machine.data().join(name)).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(""), 0o700);
    for file in ["hs256.secret", "anser.db", "anser.db-wal", "operator.sock"] {
        assert_eq!(mode(file), 0o600, "{file}");
    }
}

#[test]
fn users_are_kept_the_same_way_whether_the_server_runs_or_not() {
    let mut machine = Machine::with_users(&["alice"]);
    assert!(machine.run(&["user", "add", "bob", "--nickname", "Bob"], "").status.success());
    let taken = |machine: &Machine| {
        let (_, error) = said(&machine.run(&["user", "add", "bob"], ""));
        assert!(error.contains("there is a user bob already") && error.contains("user password bob"), "{error}");
    };
    let absent = |machine: &Machine| {
        let (_, error) = said(&machine.run(&["user", "disable", "bbo"], ""));
        assert!(error.contains("there is no user bbo: `anser user list`"), "{error}");
    };
    taken(&machine);
    absent(&machine);
    let running = said(&machine.run(&["user", "list"], "")).0;
    assert!(machine.stop());
    taken(&machine);
    absent(&machine);
    assert_eq!(said(&machine.run(&["user", "list"], "")).0, running);
    assert!(running.contains("alice") && running.contains("Bob"), "{running}");
    assert!(machine.run(&["user", "disable", "bob"], "").status.success());
    assert!(said(&machine.run(&["user", "list"], "")).0.contains("(cannot log in)"));
}

#[test]
fn an_account_of_any_characters_is_the_one_that_is_changed() {
    let machine = Machine::with_users(&["bob", "bob?x", "bob/../x", "z%41#"]);
    for account in ["bob?x", "bob/../x", "z%41#"] {
        assert!(machine.run(&["user", "disable", account], "").status.success());
        assert!(machine.run(&["user", "password", account], "goose\n").status.success());
    }
    let users = said(&machine.run(&["user", "list"], "")).0;
    assert_eq!(users.matches("(cannot log in)").count(), 3, "{users}");
    assert!(users.lines().any(|line| line.ends_with("  bob  bob")), "{users}");
}

#[test]
fn a_token_that_is_not_believed_is_explained() {
    let machine = Machine::with_users(&[]);
    let token = said(&machine.run(&["token", "make", "alice", "--hours", "1"], "")).0;
    let good = said(&machine.run(&["token", "check", token.trim()], "")).0;
    assert!(good.contains("good for account alice"), "{good}");
    let (_, bad) = said(&machine.run(&["token", "check", "e30.e30.x"], ""));
    assert!(bad.contains("bad token"), "{bad}");
}

#[test]
fn a_token_is_good_only_as_long_as_its_user_may_log_in() {
    let mut machine = Machine::with_users(&["alice"]);
    let make = |machine: &Machine, account: &str| said(&machine.run(&["token", "make", account], ""));
    let token = make(&machine, "alice").0.trim().to_owned();
    // Of a user who is not there yet.
    let (of_bob, told) = make(&machine, "bob");
    assert!(told.contains("there is no user bob yet"), "{told}");
    let check = |machine: &Machine, token: &str, good: &str, bad: &str| {
        let (told, wrong) = said(&machine.run(&["token", "check", token], ""));
        assert!(told.contains(good) && wrong.contains(bad), "{told}{wrong}");
        assert_eq!((told.is_empty(), wrong.is_empty()), (good.is_empty(), bad.is_empty()), "{told}{wrong}");
    };
    for runs in [true, false] {
        assert!(runs || machine.stop());
        assert_eq!(make(&machine, "alice").1, "");
        check(&machine, &token, "good for account alice", "");
        check(&machine, of_bob.trim(), "the first login with it creates the user", "");
        assert!(machine.run(&["user", "disable", "alice"], "").status.success());
        check(&machine, &token, "", "alice is disabled");
        assert!(make(&machine, "alice").1.contains("alice is disabled"));
        assert!(machine.run(&["user", "enable", "alice"], "").status.success());
    }
    std::fs::rename(machine.data().join("anser.db"), machine.data().join("elsewhere")).expect("it is there");
    check(&machine, &token, "good for account alice", "only the signature and the time");
}

#[test]
fn trying_it_out_makes_two_users_and_says_what_to_do_next() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let mut serve = std::process::Command::new(env!("CARGO_BIN_EXE_anser"))
        .args(["serve", "--dev", "--http", "0.0.0.0:0", "--tcp", "127.0.0.1:0", "--data"])
        .arg(folder.path().join("data"))
        .env("LC_ALL", "zh_CN.UTF-8")
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("the binary starts");
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(serve.stdout.take().expect("a pipe")));
    let mut told = String::new();
    while !told.contains("Ctrl-C") {
        told.push_str(&lines.next().expect("it says more").expect("text"));
        told.push('\n');
    }
    // As a newcomer does, who copies it.
    let line = told.lines().find(|line| line.contains("chat --as alice")).expect("a line to copy").trim();
    let chat = std::process::Command::new("sh")
        .args(["-c", line])
        .env("XDG_DATA_HOME", folder.path())
        .stdin(std::process::Stdio::null())
        .output()
        .expect("there is a shell");
    assert!(chat.status.success(), "{line}: {}", String::from_utf8_lossy(&chat.stderr));
    serve.kill().and_then(|()| serve.wait()).expect("it ends");
    for words in ["Anser 已就绪", "chat --as alice --to bob", "chat --as bob --to alice", "hs256.secret"] {
        assert!(told.contains(words), "{words:?} is not in {told}");
    }
}

#[test]
fn a_setting_that_is_wrong_is_named_with_its_fix() {
    let machine = Machine::with_users(&[]);
    let config = machine.data().join("anser.toml");
    for (text, named) in [
        ("[store]\nshards = 0\n", "store.shards = 0: choose 1 to 64"),
        ("[listen]\nport = 7400\n", "unknown field `port`"),
        ("[listen\n", "line 1"),
    ] {
        std::fs::write(&config, text).expect("a file for the test");
        let path = config.to_str().expect("text");
        let (_, error) = said(&machine.run(&["serve", "--config", path], ""));
        assert!(error.contains(named), "{error:?} does not name {named}");
    }
}

#[test]
fn a_second_server_is_told_at_once_all_that_it_must_change() {
    let machine = Machine::with_users(&["alice"]);
    let http = format!("127.0.0.1:{}", machine.port());
    let operator = machine.operator().to_string();
    let mut serve = machine.command(&["serve", "--http", &http, "--tcp", "127.0.0.1:0"]);
    let (_, error) = said(&serve.env("ANSER_LISTEN__OPERATOR", &operator).output().expect("it ends"));
    for words in ["--data or store.dir", "--http or listen.http", &http, "--operator or listen.operator", &operator] {
        assert!(error.contains(words), "{words} is not in {error}");
    }
    assert_eq!(error.lines().count(), 1, "{error}");
}

#[test]
fn only_what_is_taken_is_named() {
    let (machine, here) = (Machine::with_users(&[]), Machine::empty());
    let operator = machine.operator().to_string();
    let serve = ["serve", "--http", "127.0.0.1:0", "--tcp", "127.0.0.1:0", "--operator", &operator];
    let (_, error) = said(&here.run(&serve, ""));
    assert_eq!(
        error,
        format!("anser: {operator} is taken: choose another address with --operator or listen.operator\n")
    );
}

#[test]
fn the_port_of_operators_follows_the_public_one() {
    let here = Machine::empty();
    let http = format!("127.0.0.1:{}", here.port());
    let server = here.talk(&["serve", "--json", "--http", &http, "--tcp", "127.0.0.1:0"]);
    let ready: serde_json::Value = serde_json::from_str(&server.line()).expect("one line of JSON");
    assert_eq!(ready["operator"], format!("127.0.0.1:{}", here.port() + 2));
}
