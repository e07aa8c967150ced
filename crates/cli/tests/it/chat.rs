//! `anser chat` line by line, against a real server that dies.

use std::time::{Duration, Instant};

use crate::process::{Machine, Talking};

fn chat(machine: &Machine, account: &str, to: &str) -> Talking {
    machine.talk(&["chat", "--as", account, "--to", to, "--server", &machine.url()])
}

/// Who said what, without the time.
fn said(line: &str) -> &str {
    let (time, said) = line.split_once(' ').expect("a time and what was said");
    assert!(time.ends_with("+00:00") && time.len() == "2026-11-23T16:30:00+00:00".len(), "{time}");
    said
}

fn received(talking: &Talking) -> String {
    said(&talking.line()).to_owned()
}

#[test]
fn what_two_people_write_arrives_once_though_the_server_is_killed_in_between() {
    let mut machine = Machine::with_users(&["alice", "bob"]);
    let (mut alice, mut bob) = (chat(&machine, "alice", "bob"), chat(&machine, "bob", "alice"));
    alice.say("one");
    assert_eq!(received(&bob), "alice: one");
    bob.say("two 你好");
    assert_eq!(received(&alice), "bob: two 你好");

    machine.kill();
    alice.say("three");
    alice.say("four");
    bob.say("five");
    machine.start();

    assert_eq!((received(&bob), received(&bob)), ("alice: three".into(), "alice: four".into()));
    assert_eq!(received(&alice), "bob: five");
    assert_eq!((alice.end(), bob.end()), ((vec![], true), (vec![], true)));
}

#[test]
fn what_was_written_while_the_other_was_away_is_shown_when_they_come() {
    let machine = Machine::with_users(&["alice", "bob"]);
    let written =
        machine.run(&["chat", "--as", "alice", "--to", "bob", "--server", &machine.url()], "one\n\ntwo\u{1b}[2J\n");
    assert!(written.status.success());
    let missed = || {
        let (lines, well) = chat(&machine, "bob", "alice").end();
        assert!(well);
        lines.iter().map(|line| said(line).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(missed(), ["alice: one", "alice: two[2J"]);
    assert_eq!(missed(), [""; 0], "what was shown once is not shown again");
}

#[test]
fn a_script_that_writes_faster_than_it_may_is_stored_whole_and_in_its_order() {
    let machine = Machine::with_users(&["alice", "bob"]);
    // A hundred at once, and then 20 a second.
    let lines: String = (0..150).map(|number| format!("{number}\n")).collect();
    let began = Instant::now();
    let written = machine.run(&["chat", "--as", "alice", "--to", "bob", "--server", &machine.url()], &lines);
    assert!(began.elapsed() > Duration::from_secs(2), "it was not held up");
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    let (shown, well) = chat(&machine, "bob", "alice").end();
    assert!(well);
    let expected: Vec<_> = (0..150).map(|number| format!("alice: {number}")).collect();
    assert_eq!(shown.iter().map(|line| said(line)).collect::<Vec<_>>(), expected);
}

#[test]
fn after_a_login_with_a_password_the_password_is_not_needed_again() {
    let mut machine = Machine::with_users(&["alice"]);
    assert!(machine.run(&["user", "add", "carol", "--password"], "goose\n").status.success());
    let mut alice = chat(&machine, "alice", "carol");
    let mut carol = machine.talk(&["chat", "--as", "carol", "--to", "alice", "--password", "--server", &machine.url()]);
    carol.say("goose");
    carol.say("hello");
    assert_eq!(received(&alice), "carol: hello");
    alice.say("hi");
    assert_eq!(received(&carol), "alice: hi");

    machine.kill();
    carol.say("still here");
    machine.start_with(&[("ANSER_LIMITS__PASSWORD_ATTEMPTS", "0")]);
    assert_eq!(received(&alice), "carol: still here");

    assert!(carol.end().1);
    let nowhere = ["--data", "/nonexistent", "--server", &machine.url()];
    let again = machine.run(&[&["chat", "--as", "carol", "--to", "alice"], &nowhere[..]].concat(), "and back\n");
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
    assert_eq!(received(&alice), "carol: and back");
}

#[test]
fn a_changed_password_ends_what_the_old_one_gave() {
    let machine = Machine::with_users(&["alice"]);
    assert!(machine.run(&["user", "add", "carol", "--password"], "goose\n").status.success());
    let mut carol = machine.talk(&["chat", "--as", "carol", "--to", "alice", "--password", "--server", &machine.url()]);
    carol.say("goose");
    let mut alice = chat(&machine, "alice", "carol");
    alice.say("hi");
    assert_eq!(received(&carol), "alice: hi");
    assert!(machine.run(&["user", "password", "carol"], "swan\n").status.success());
    let (_, well) = carol.outlast();
    assert!(!well, "she was let in with what the old password gave");
}

#[test]
fn who_cannot_log_in_is_told_how_they_can() {
    let machine = Machine::with_users(&[]);
    let url = machine.url();
    let check = |words: &[&str], input: &str, why: &str| {
        let tried = machine.run(&[&["chat", "--to", "bob"], words].concat(), input);
        let said = String::from_utf8_lossy(&tried.stderr);
        assert!(tried.status.code() == Some(1) && said.contains(why), "{said}");
    };
    check(&["--as", "alice", "--server", &url, "--password"], "wrong\n", "another password");
    check(&["--as", "alice", "--server", &url, "--token", "nonsense"], "", "no JSON Web Token");
    check(&["--as", "alice", "--server", "ws://im.example"], "", "Three ways");
    check(&["--as", "no body"], "", "not visible ASCII");

    check(&["--lang", "zh", "--as", "alice", "--server", &url, "--password"], "wrong\n", "密码错误");
    check(&["--lang", "zh", "--as", "alice", "--server", "ws://im.example"], "", "不在本机上。有三种方式");
    check(&["--lang", "zh", "--as", "no body"], "", "不是账号");
}

#[test]
fn a_script_that_is_killed_again_and_again_shows_everything_and_once_what_it_has_marked() {
    let machine = Machine::with_users(&["alice", "bob"]);
    let number = |line: &str| said(line).strip_prefix("alice: ").and_then(|text| text.parse::<u32>().ok());
    let mut alice = chat(&machine, "alice", "bob");
    let (mut written, mut last) = (0, 0);
    for run in 1..=6 {
        // Some come while it is away, some while it runs.
        let mut write = |count: u32| {
            for _ in 0..count {
                written += 1;
                alice.say(&written.to_string());
            }
        };
        write(3);
        let bob = chat(&machine, "bob", "alice");
        write(7);
        let mut shown = vec![bob.line()];
        shown.extend((1..run).map(|_| bob.line()));
        shown.extend(bob.kill());
        for (place, line) in shown.iter().enumerate() {
            let shown = number(line).expect("a number");
            let again = place == 0 && shown == last && last > 0;
            assert!(again || shown == last + 1, "{shown} follows {last} at place {place} of run {run}");
            last = shown;
        }
    }
    let (rest, well) = alice.end();
    assert!(well && rest.is_empty(), "{rest:?}");
    let (rest, well) = chat(&machine, "bob", "alice").end();
    assert!(well);
    let mut rest: Vec<_> = rest.iter().map(|line| number(line).expect("a number")).collect();
    if rest.first() == Some(&last) {
        rest.remove(0);
    }
    assert_eq!(rest, (last + 1..=written).collect::<Vec<_>>());
}

#[test]
fn who_is_made_by_a_login_is_told_so_once() {
    let machine = Machine::with_users(&["alice"]);
    let chat = || {
        let words = ["chat", "--as", "alcie", "--to", "alice", "--server", &machine.url()];
        let done = machine.run(&words, "hi\n");
        assert!(done.status.success());
        String::from_utf8_lossy(&done.stderr).into_owned()
    };
    let said = chat();
    assert!(said.contains("alcie is a new user"), "{said}");
    assert!(!chat().contains("new user"));
}

#[test]
fn certificates_for_a_connection_that_has_none_are_not_passed_over() {
    let machine = Machine::empty();
    let check = |server: &str, why: &str| {
        let tried = machine.run(&["chat", "--as", "a", "--to", "b", "--ca", "x.pem", "--server", server], "");
        let said = String::from_utf8_lossy(&tried.stderr).into_owned();
        assert!(tried.status.code() == Some(1) && said.contains(why), "{said}");
    };
    check("ws://127.0.0.1:7400", "leave out --ca");
    check("tcp://127.0.0.1:7401", "leave out --ca");
}

fn numbered(machine: &Machine, account: &str, to: &str) -> Talking {
    machine.talk(&["chat", "--numbers", "--as", account, "--to", to, "--server", &machine.url()])
}

/// The next line of a chat with numbers, without its time: `~` before it if it tells of a change.
fn told(talking: &Talking) -> String {
    let line = talking.line();
    match line.strip_prefix("~ ") {
        Some(changed) => format!("~ {}", said(changed)),
        None => said(&line).to_owned(),
    }
}

#[test]
fn what_was_said_is_answered_edited_reacted_to_and_recalled_by_its_number() {
    let machine = Machine::with_users(&["alice", "bob"]);
    let (mut alice, mut bob) = (numbered(&machine, "alice", "bob"), numbered(&machine, "bob", "alice"));
    let both =
        |alice: &Talking, bob: &Talking, line: &str| assert_eq!((told(alice), told(bob)), (line.into(), line.into()));
    alice.say("helo");
    both(&alice, &bob, "#1 alice: helo");
    // The last own one.
    alice.say("/edit hello");
    both(&alice, &bob, "~ #1 alice: hello (edited)");
    bob.say("/react #1 👍");
    assert_eq!(told(&alice), "~ #1 alice: hello (edited)  👍 1");
    assert_eq!(told(&bob), "~ #1 alice: hello (edited)  [👍 1]");
    bob.say("/reply hi there");
    both(&alice, &bob, "#4 bob: ↳ #1 hi there");
    alice.say("/recall #1");
    both(&alice, &bob, "~ #1 alice: (recalled)");
    bob.say("//recall is a command");
    both(&alice, &bob, "#6 bob: /recall is a command");
    alice.say("/pin #6");
    both(&alice, &bob, "~ #6 bob: /recall is a command (pinned)");
    bob.say("/unpin #6");
    both(&alice, &bob, "~ #6 bob: /recall is a command");
    assert_eq!((alice.end(), bob.end()), ((vec![], true), (vec![], true)));
}

#[test]
fn a_script_is_told_which_change_was_refused() {
    let machine = Machine::with_users(&["alice", "bob"]);
    let check = |lines: &str, why: &str| {
        let words = ["chat", "--numbers", "--as", "alice", "--to", "bob", "--server", &machine.url()];
        let done = machine.run(&words, lines);
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.code() == Some(1) && said.contains(why), "{said}");
    };
    check("/edit nothing was written yet\n", "no message that can be meant");
    check("/recall #99\n", "not sent");
    check("/edti slip\n", "do you mean /edit");
    check("a secret\n/recall\n/edit no secret\n", "recalled");
}

/// Without numbers nothing of a line is a command, and what was recalled before it was shown is not shown.
#[test]
fn a_script_without_numbers_sends_every_line_as_it_is() {
    let machine = Machine::with_users(&["alice", "bob"]);
    let words = ["chat", "--numbers", "--as", "alice", "--to", "bob", "--server", &machine.url()];
    assert!(machine.run(&words, "a secret\n/recall\nno secret\n").status.success());
    let mut alice = chat(&machine, "alice", "bob");
    alice.say("/recall");
    assert!(alice.end().1);
    let (lines, well) = chat(&machine, "bob", "alice").end();
    assert!(well);
    let lines: Vec<_> = lines.iter().map(|line| said(line)).collect();
    assert_eq!(lines, ["alice: no secret", "alice: /recall"]);
}
