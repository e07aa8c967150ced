//! Commands as programs among others: pipes that nobody reads, full devices, folders in which nothing is.

use std::{
    fs::File,
    io::pipe,
    process::{Output, Stdio},
};

use crate::process::Machine;

fn run_into(machine: &Machine, words: &[&str], out: impl Into<Stdio>) -> (Option<i32>, String) {
    let mut command = machine.command(words);
    command.stdin(Stdio::null()).stdout(out).stderr(Stdio::piped());
    let Output { status, stderr, .. } = command.spawn().and_then(|child| child.wait_with_output()).expect("it ends");
    (status.code(), String::from_utf8_lossy(&stderr).into_owned())
}

#[test]
fn a_command_whose_output_nobody_reads_ends_quietly_and_one_that_cannot_write_says_so() {
    let mut machine = Machine::with_users(&["alice", "bob"]);
    let token = String::from_utf8(machine.run(&["token", "make", "alice"], "").stdout).expect("text");
    let check = |words: &[&str]| {
        let (reader, writer) = pipe().expect("a pipe");
        drop(reader);
        assert_eq!(run_into(&machine, words, writer), (Some(141), String::new()), "{words:?}");
        let full = File::options().write(true).open("/dev/full").expect("a full device");
        let (code, said) = run_into(&machine, words, full);
        assert_eq!((code, said.as_str()), (Some(1), NO_ROOM), "{words:?}");
    };
    check(&["user", "list"]);
    check(&["user", "disable", "bob"]);
    check(&["token", "make", "alice"]);
    check(&["token", "check", token.trim()]);
    assert!(machine.stop());
    let check = |words: &[&str]| {
        let full = File::options().write(true).open("/dev/full").expect("a full device");
        assert_eq!(run_into(&machine, words, full), (Some(1), NO_ROOM.into()), "{words:?}");
    };
    check(&["user", "list"]);
    check(&["doctor"]);
    check(&["doctor", "--json"]);
    // Who starts a server for another program is told that the addresses went nowhere.
    let full = File::options().write(true).open("/dev/full").expect("a full device");
    let (code, said) = run_into(&machine, &["serve", "--json", "--http", "127.0.0.1:0", "--tcp", "127.0.0.1:0"], full);
    assert!(code == Some(1) && said.ends_with(NO_ROOM), "{said}");
}

const NO_ROOM: &str = "anser: cannot write the output: No space left on device (os error 28)\n";

#[test]
fn a_command_without_any_place_to_speak_ends_as_usual() {
    let machine = Machine::with_users(&["alice"]);
    let full = || File::options().write(true).open("/dev/full").expect("a full device");
    for (words, code) in [(["user", "list"], 1), (["token", "check"], 2)] {
        let mut command = machine.command(&words);
        let status = command.stdin(Stdio::null()).stdout(full()).stderr(full()).status().expect("it ends");
        assert_eq!(status.code(), Some(code), "{words:?}");
    }
    let mut command = machine.command(&["user", "disable", "nobody"]);
    let status = command.stdin(Stdio::null()).stdout(full()).stderr(full()).status().expect("it ends");
    assert_eq!(status.code(), Some(1));
}

#[test]
fn commands_that_only_read_make_nothing() {
    for words in [
        &["user", "list"] as &[&str],
        &["user", "disable", "alice"],
        &["user", "enable", "alice"],
        &["user", "password", "alice"],
        &["token", "make", "alice"],
        &["token", "check", "a.b.c"],
        &["doctor"],
        &["doctor", "--repair"],
        &["chat", "--as", "alice", "--to", "bob"],
    ] {
        let machine = Machine::empty();
        let tried = machine.run(words, "goose\n");
        let said = String::from_utf8_lossy(&tried.stderr).into_owned();
        assert!(tried.status.code() == Some(1) && said.lines().count() == 1, "{words:?}: {said}");
        assert!(!machine.data().exists(), "{words:?} created a folder");
        std::fs::create_dir(machine.data()).expect("a folder");
        assert_eq!(machine.run(words, "goose\n").status.code(), Some(1));
        let left: Vec<_> = std::fs::read_dir(machine.data()).expect("it is there").collect();
        assert!(left.is_empty(), "{words:?} created {left:?}");
        assert!(!machine.home().exists(), "{words:?} created a folder for chats");
    }
}

#[test]
fn a_data_folder_with_a_long_path_is_as_good_as_any() {
    let mut machine = Machine::empty();
    machine.data_lies_in(&"a-folder-with-a-long-name/".repeat(6));
    assert!(machine.run(&["user", "add", "alice"], "").status.success());
    machine.start();
    // It is the server that answers: it has the store.
    assert!(machine.run(&["user", "add", "bob"], "").status.success());
    let listed = String::from_utf8(machine.run(&["user", "list"], "").stdout).expect("text");
    assert!(listed.contains("alice") && listed.contains("bob"), "{listed}");
    assert!(machine.data().join("operator.sock").exists());
    assert!(machine.stop());
}

#[test]
fn a_database_that_is_gone_is_not_taken_for_one_that_never_was() {
    let mut machine = Machine::with_users(&["alice"]);
    assert!(machine.stop());
    let database = machine.data().join("anser.db");
    let refused = |words: &[&str], why: &str| {
        let tried = machine.run(words, "");
        let said = String::from_utf8_lossy(&tried.stderr).into_owned();
        assert!(tried.status.code() == Some(1) && said.contains(why), "{words:?}: {said}");
    };
    let serve = ["serve", "--http", "127.0.0.1:0", "--tcp", "127.0.0.1:0"];
    std::fs::remove_file(&database).expect("it was there");
    refused(&serve, "serve --new-store");
    refused(&["user", "add", "bob"], "serve --new-store");
    refused(&["user", "list"], "there is no store in");
    assert!(!database.exists());
    File::create(&database).expect("an empty file");
    refused(&serve, "anser.db in");
    refused(&serve, "is empty, but");
    refused(&["user", "list"], "is empty");
    assert_eq!(std::fs::metadata(&database).expect("it is there").len(), 0);

    machine.start_anew();
    let listed = machine.run(&["user", "list"], "");
    assert!(listed.status.success() && listed.stdout.is_empty());
}

/// Set for the process that has a small disk of its own.
const DISK: &str = "ANSER_TEST_SMALL_DISK";

#[cfg(target_os = "linux")]
#[test]
fn a_server_on_a_full_disk_says_that_it_is_not_ready_until_there_is_room() {
    if let Ok(disk) = std::env::var(DISK) {
        return fill(std::path::Path::new(&disk));
    }
    let home = tempfile::tempdir().expect("a folder");
    let test = "manners::a_server_on_a_full_disk_says_that_it_is_not_ready_until_there_is_room";
    let script = "mount -t tmpfs -o size=12m none \"$1\" && exec \"$2\" --exact \"$3\" --nocapture";
    let ran = std::process::Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"])
        .arg(home.path())
        .arg(std::env::current_exe().expect("a path"))
        .arg(test)
        .env(DISK, home.path())
        .status();
    assert!(ran.expect("`unshare` is there").success());
}

fn fill(disk: &std::path::Path) {
    let mut machine = Machine::empty();
    machine.data_lies_in(disk.join("data").to_str().expect("text"));
    assert!(machine.run(&["user", "add", "alice"], "").status.success());
    machine.start();
    assert_eq!(machine.get("/readyz").0, 200);
    // A few pages are left, which a message of some size does not find enough.
    let ballast = disk.join("ballast");
    let mut file = File::create(&ballast).expect("room for a file");
    while std::io::Write::write_all(&mut file, &[1; 4096]).is_ok() {}
    file.set_len(file.metadata().expect("it is there").len() - 6 * 4096).expect("it gets shorter");
    drop(file);
    machine.becomes(503, "full");
    std::fs::remove_file(&ballast).expect("it was there");
    machine.becomes(200, "ok");
    assert!(!machine.data().join("anser.room").exists());
}
