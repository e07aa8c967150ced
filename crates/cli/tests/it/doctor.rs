//! The doctor of a database that nodes share, as an operator calls it.

use std::{fs, sync::Arc};

use anser_services::{MariaDb, Place};
use anser_store::{Options, Store as _, mysql::MysqlOptions, sequencer::HeadSequencer};

use crate::process::Machine;

#[test]
fn a_shared_database_is_examined_while_it_is_open() {
    let server = MariaDb::start(Place::Tests).expect("MariaDB starts");
    server.execute("CREATE DATABASE anser").expect("it creates one");
    let url = format!("{}/anser", server.url());
    let machine = Machine::empty();
    let config = machine.home().with_extension("toml");
    let settings = format!("[auth]\nhs256_secret_file = \"nowhere\"\n\n[cluster]\ndatabase = \"{url}\"\n");
    fs::write(&config, settings).expect("written");
    let doctor = |words: &[&str]| {
        let config = config.display().to_string();
        let output = machine.run(&[&["doctor", "--config", &config], words].concat(), "");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, _, error) = doctor(&[]);
    assert!(code == Some(1) && error.contains("no store was made in it"), "{error}");

    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let _inside = runtime.enter();
    let common = Options {
        shards: 4,
        group_members_max: 10,
        groups_per_user_max: 10,
        unanswered_groups_per_user_max: 10,
        unanswered_groups_per_inviter_max: 10,
        devices_per_user_max: 3,
        people: anser_store::PeopleOptions::default(),
        recall: anser_store::Window::ForEver,
        edit: anser_store::Window::ForEver,
        clock: Arc::new(|| 1),
    };
    let options = MysqlOptions::new(common, url);
    let prepared = runtime.block_on(options.prepare()).expect("it is fit");
    let store = prepared.open(Arc::new(HeadSequencer::new())).expect("it opens");
    let (code, said, _) = doctor(&[]);
    assert_eq!((code, said.trim()), (Some(0), "0 messages looked at, 0 findings, 0 repaired"));
    server.execute("INSERT INTO anser.im_mailbox (user_id, mailbox_seq) VALUES (77, 0)").expect("sound SQL");
    let (code, said, _) = doctor(&[]);
    assert!(code == Some(1) && said.contains("im_mailbox [77]: there is no such user (follows"), "{said}");
    assert!(!said.contains("--repair"), "{said}");
    let (code, said, error) = doctor(&["--repair"]);
    assert!(code == Some(1) && said.is_empty() && error.contains("only examined"), "{said}{error}");
    runtime.block_on(store.close());
    let (code, said, _) = doctor(&["--restored"]);
    assert!(code == Some(1) && said.contains("new log_id") && said.contains("im_mailbox [77]"), "{said}");
}
