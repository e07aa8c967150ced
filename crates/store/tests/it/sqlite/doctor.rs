//! The doctor: each kind of damage, done by hand, is seen, and repaired where other rows tell how it was.

use std::path::Path;

use anser_proto::{GroupId, UserId};
use anser_store::{
    Mark, MarkKind, MembersAction, MembersChange, Store,
    doctor::Repair,
    sqlite::doctor::{examine, renew_log_id},
};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use rusqlite::Connection;

use super::{strangers::strangers_go_on, *};
use crate::doctor::{self, Case, Then};

async fn village(folder: &Path) {
    let store = open(folder);
    doctor::village(&*store).await;
    store.close().await;
}

fn run(folder: &Path, sql: &str) {
    Connection::open(folder.join("anser.db")).and_then(|db| db.execute_batch(sql)).expect("sound SQL");
}

/// All that the store holds, but for the order in which rows arrived.
fn contents(folder: &Path) -> Vec<String> {
    let db = Connection::open(folder.join("anser.db")).expect("a database");
    let list = "SELECT group_concat(name, ', ') FROM pragma_table_info(?1) WHERE name <> 'id'";
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    let mut tables = db.prepare(tables).expect("sound SQL");
    let tables: Vec<String> = tables.query_map([], |row| row.get(0)).expect("names").map(Result::unwrap).collect();
    let mut all = Vec::new();
    for table in tables {
        let columns: String = db.query_row(list, [&table], |row| row.get(0)).expect("columns");
        let mut rows = db.prepare(&format!("SELECT {columns} FROM {table}")).expect("sound SQL");
        let count = rows.column_count();
        let row = |row: &rusqlite::Row<'_>| {
            let values = (0..count).map(|column| format!("{:?}", row.get_ref(column).expect("a column")));
            Ok(format!("{table}: {}", values.collect::<Vec<_>>().join(", ")))
        };
        all.extend(rows.query_map([], row).expect("rows").map(Result::unwrap));
    }
    all.sort();
    all
}

async fn check(cases: &[Case]) {
    for case in cases {
        check_case(case).await;
    }
}

async fn check_case(case: &Case) {
    let Case(damage, _, _, then) = case;
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path();
    village(folder).await;
    let healthy = contents(folder);
    assert_eq!(look(folder), []);
    run(folder, damage);
    let damaged = contents(folder);
    assert_ne!(healthy, damaged, "the damage is none: {damage}");

    case.must_be_in(&examine(folder, Repair::Nothing, &mut |_, _| ()).expect("a store"));
    assert_eq!(contents(folder), damaged, "looking changes nothing");
    strangers_go_on(folder, damage).await;

    let report = examine(folder, Repair::Derivable, &mut |_, _| ()).expect("a store");
    let left = look(folder);
    match then {
        Then::Told => assert!(left.iter().any(|finding| case.is_in(finding))),
        Then::Repaired => assert_eq!((left, report.found), (vec![], report.repaired), "{case:?}"),
        Then::Restored => {
            assert_eq!((left, report.found), (vec![], report.repaired), "{case:?}");
            assert_eq!(contents(folder), healthy);
        }
    }
}

#[tokio::test]
async fn copies_are_there_and_equal() {
    check(doctor::COPIES).await;
}

/// The sender's copy of message 3 became one of message 9: under its `client_msg_id` there is no room for another.
#[tokio::test]
async fn what_could_not_be_put_right_is_not_counted_as_repaired() {
    let home = tempfile::tempdir().expect("a folder");
    village(home.path()).await;
    run(home.path(), "UPDATE im_message_send_1 SET server_msg_id = 9 WHERE to_id = 2 AND server_msg_id = 3");
    let report = examine(home.path(), Repair::Derivable, &mut |_, _| ()).expect("a store");
    let derivable = report.findings.iter().filter(|finding| finding.derivable).count() as u64;
    assert_eq!(report.repaired, derivable - 1, "{report:#?}");
    assert!(look(home.path()).iter().any(|finding| finding.key == "1, 2, 3" && finding.wrong.contains("missing")));
}

#[tokio::test]
async fn holes_doubles_strays_and_older_messages_are_told() {
    check(doctor::LOGS).await;
}

#[tokio::test]
async fn counts_follow_from_the_messages_before() {
    check(doctor::COUNTS).await;
}

#[tokio::test]
async fn mentions_are_found_by_whom_they_name() {
    check(doctor::MENTIONS).await;
}

#[tokio::test]
async fn heads_follow_from_the_logs() {
    check(doctor::HEADS).await;
}

#[tokio::test]
async fn messages_missing_at_the_end_are_told_and_nothing_is_moved_back() {
    for Case(damage, ..) in doctor::HEADS.iter().filter(|case| case.2.contains("are missing")) {
        let home = tempfile::tempdir().expect("a folder");
        village(home.path()).await;
        run(home.path(), damage);
        let damaged = contents(home.path());
        let report = examine(home.path(), Repair::Derivable, &mut |_, _| ()).expect("a store");
        assert_eq!((report.findings.len(), report.repaired), (1, 0), "{report:#?}");
        assert_eq!(contents(home.path()), damaged);
    }
}

#[tokio::test]
async fn sessions_and_their_counts_follow_from_the_logs() {
    check(doctor::ENTRIES).await;
}

#[tokio::test]
async fn mailboxes_hold_every_stamp_once() {
    check(doctor::MAILBOXES).await;
}

#[tokio::test]
async fn groups_agree_with_their_members() {
    check(doctor::GROUPS).await;
}

#[tokio::test]
async fn a_log_of_many_pages_is_examined_whole() {
    let home = tempfile::tempdir().expect("a folder");
    village(home.path()).await;
    let store = open(home.path());
    doctor::talk_for_pages(&*store).await;
    store.close().await;
    assert_eq!(look(home.path()), []);
    run(home.path(), doctor::OF_PAGES);
    doctor::are_of_pages(&examine(home.path(), Repair::Nothing, &mut |_, _| ()).expect("a store"));
}

#[tokio::test]
async fn a_damaged_file_is_told_and_not_touched() {
    let home = tempfile::tempdir().expect("a folder");
    village(home.path()).await;
    let file = home.path().join("anser.db");
    let mut bytes = std::fs::read(&file).expect("a file");
    let root = "SELECT rootpage FROM sqlite_schema WHERE name = 'im_message_recv_2'";
    let page: u32 = Connection::open(&file).and_then(|db| db.query_row(root, [], |row| row.get(0))).expect("a page");
    let end = page as usize * 4096;
    bytes[end - 4096..end].fill(0xff);
    std::fs::write(&file, &bytes).expect("written");
    strangers_go_on(home.path(), "a page of the file is overwritten").await;
    let report = examine(home.path(), Repair::Derivable, &mut |_, _| ()).expect("a store");
    assert!(report.found > 0 && report.repaired == 0, "{report:?}");
    assert!(report.findings.iter().all(|finding| finding.table == "anser.db" && !finding.derivable));
    assert_eq!(std::fs::read(&file).expect("a file"), bytes);
}

/// Some thousand messages at random, with marks, comings and goings.
#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_store_has_no_finding() {
    let home = tempfile::tempdir().expect("a folder");
    let store = open(home.path());
    settle(&*store, 20).await;
    for id in 1..=4 {
        found(&*store, id, id, &[5, 6, 7, 8]).await;
    }
    let mut rng = StdRng::seed_from_u64(1);
    let mut notices = 4;
    for n in 0..1000 {
        let (user, group_id) = (rng.random_range(1..=20), rng.random_range(1..=4));
        let to = if rng.random() { group(group_id) } else { single(user, rng.random_range(1..=20)) };
        let (kind, server_msg_id) =
            (if rng.random() { MarkKind::Read } else { MarkKind::Delivered }, rng.random_range(1..50));
        let batch = (0..4).map(|m| text(user, to, &format!("{}", n + m * rng.random_range(0..2)))).collect();
        store.append(batch).await.expect("the store works");
        drop(
            store
                .mark(Mark {
                    user: UserId(user),
                    conversation: to,
                    kind,
                    server_msg_id,
                    device_id: "device".into(),
                    login_version: 0,
                })
                .await,
        );
        let others = vec![UserId(rng.random_range(1..=20))];
        let action = match rng.random_range(0..8) {
            0 => MembersAction::Leave,
            1 => MembersAction::Remove(others),
            2 => MembersAction::Invite(others),
            _ => continue,
        };
        let change = MembersChange { group: GroupId(group_id), operator: sender(user), action, login_version: 0 };
        notices += store.change_members(change).await.map_or(0, |changed| changed.notices.len() as u64);
    }
    let appended = store.stats().appended;
    store.close().await;
    let mut steps = Vec::new();
    let report = examine(home.path(), Repair::Nothing, &mut |step, _| steps.push(step.to_owned())).expect("a store");
    assert_eq!((report.findings, report.messages), (vec![], appended + notices));
    assert!(appended > 1000 && steps.iter().any(|step| step == "stamps"));
}

#[tokio::test]
async fn a_restored_store_gets_another_log_id_and_keeps_the_rest() {
    let folder = tempfile::tempdir().expect("a folder");
    village(folder.path()).await;
    let before = contents(folder.path());
    let old = open(folder.path()).log_id();
    let renewed = renew_log_id(folder.path()).expect("a store");
    let store = open(folder.path());
    assert_eq!(store.log_id(), renewed);
    assert_ne!(renewed, old);
    store.close().await;
    let changed: Vec<_> = contents(folder.path()).into_iter().filter(|row| !before.contains(row)).collect();
    assert!(changed.len() == 1 && changed[0].starts_with("im_store"), "{changed:?}");
}
