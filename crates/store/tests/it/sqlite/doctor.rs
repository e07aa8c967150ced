//! The doctor: each kind of damage, done by hand, is seen, and repaired where other rows tell how it was.

use std::path::Path;

use anser_proto::{GroupId, UserId};
use anser_store::{
    Mark, MarkKind, MembersAction, MembersChange, Store,
    sqlite::{
        OpenError,
        doctor::{Finding, Repair, examine, renew_log_id},
    },
};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use rusqlite::Connection;

use super::{strangers::strangers_go_on, *};

/// Users 1 to 6 and what they said: 1 and 2 to each other, 1 to themselves and to 3; in group 10 there are 1, 2 and
/// 3, of whom 2 left and came back. And two strangers, who write to each other and in group 20.
async fn village(folder: &Path) {
    let store = open(folder);
    settle(&*store, 12).await;
    found(&*store, 10, 1, &[2, 3]).await;
    found(&*store, 20, 8, &[12]).await;
    send(&*store, text(8, single(8, 12), "hello")).await.expect("stored");
    for n in 0..6 {
        for (from, to) in [(1 + n % 2, single(1, 2)), (1, single(1, 1)), (1, single(1, 3)), (1 + n % 3, group(10))] {
            send(&*store, text(from, to, &format!("{to}-{n}"))).await.expect("stored");
        }
    }
    for action in [MembersAction::Leave, MembersAction::Invite(vec![UserId(2)])] {
        let operator = sender(if action == MembersAction::Leave { 2 } else { 3 });
        store
            .change_members(MembersChange { group: GroupId(10), operator, action, login_version: 0 })
            .await
            .expect("changed");
    }
    let device = anser_store::Device { device_id: "a".into(), platform: 1, name: "".into() };
    store.touch_device(UserId(1), device).await.expect("known");
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

/// What the damage must be found as, and what becomes of it.
enum Then {
    /// Repaired to what it was before.
    Restored,
    /// Repaired to something sound.
    Repaired,
    /// Only seen.
    Told,
}

async fn check(damage: &str, table: &str, wrong: &str, then: Then) {
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path();
    village(folder).await;
    let healthy = contents(folder);
    assert_eq!(look(folder), []);
    run(folder, damage);
    let damaged = contents(folder);
    assert_ne!(healthy, damaged, "the damage is none: {damage}");

    let is_it = |finding: &Finding| finding.table.starts_with(table) && finding.wrong.contains(wrong);
    let findings = look(folder);
    let it = findings.iter().find(|finding| is_it(finding)).unwrap_or_else(|| panic!("not in {findings:#?}"));
    assert_eq!(it.derivable, !matches!(then, Then::Told), "{it:?}");
    assert_eq!(contents(folder), damaged, "looking changes nothing");
    strangers_go_on(folder, damage).await;

    let report = examine(folder, Repair::Derivable, &mut |_, _| ()).expect("a store");
    let left = look(folder);
    match then {
        Then::Told => assert!(left.iter().any(is_it)),
        Then::Repaired => assert_eq!((left, report.found), (vec![], report.repaired)),
        Then::Restored => {
            assert_eq!((left, report.found), (vec![], report.repaired));
            assert_eq!(contents(folder), healthy);
        }
    }
}

#[tokio::test]
async fn a_missing_copy_comes_from_the_other() {
    for damage in [
        "DELETE FROM im_message_recv_2 WHERE to_id = 2 AND server_msg_id = 3",
        "DELETE FROM im_message_send_2 WHERE from_id = 2 AND server_msg_id = 2",
        "DELETE FROM im_message_send_1 WHERE from_id = 1 AND to_id = 1 AND server_msg_id IN (2, 3)",
        "DELETE FROM im_message_recv_3",
    ] {
        check(damage, "im_message_", "the copy is missing", Then::Restored).await;
    }
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
async fn copies_that_differ_are_told() {
    for damage in ["content = 'forged'", "type = 7", "from_nickname = ''", "server_time_ms = server_time_ms + 1"] {
        let damage = format!("UPDATE im_message_recv_2 SET {damage} WHERE to_id = 2 AND server_msg_id = 3");
        check(&damage, "im_message_recv_2", "differs", Then::Told).await;
    }
}

#[tokio::test]
async fn holes_doubles_strays_and_older_messages_are_told() {
    let both = "DELETE FROM im_message_send_1 WHERE from_id = 1 AND to_id = 2 AND server_msg_id = 3;
                DELETE FROM im_message_recv_2 WHERE to_id = 2 AND server_msg_id = 3";
    let double = "UPDATE im_message_send_1 SET server_msg_id = 2 WHERE from_id = 1 AND to_id = 2 AND server_msg_id = 3;
                  UPDATE im_message_recv_2 SET server_msg_id = 2 WHERE to_id = 2 AND server_msg_id = 3";
    let stray = "INSERT INTO im_message_send_0 SELECT 1000 + id, from_id, to_id, server_msg_id, client_msg_id, type,
                     counted, count, client_time_ms, server_time_ms, from_nickname, from_platform, from_device_id,
                     content, attachment FROM im_message_send_1 LIMIT 1";
    for (damage, wrong) in [
        (both, "messages 3 to 3 are missing"),
        (
            "DELETE FROM im_message_recv_2 WHERE group_id = 10 AND server_msg_id IN (3, 4)",
            "messages 3 to 4 are missing",
        ),
        (double, "there twice"),
        (stray, "belongs into shard 1"),
        ("UPDATE im_message_recv_2 SET server_time_ms = 1 WHERE group_id = 10 AND server_msg_id = 4", "older"),
    ] {
        check(damage, "im_message", wrong, Then::Told).await;
    }
}

#[tokio::test]
async fn counts_follow_from_the_messages_before() {
    let both = "UPDATE im_message_send_1 SET count = 9 WHERE from_id = 1 AND to_id = 2 AND server_msg_id = 3;
                UPDATE im_message_recv_2 SET count = 9 WHERE to_id = 2 AND server_msg_id = 3";
    for (damage, wrong) in [
        (both, "count is 9, not 3"),
        ("UPDATE im_message_recv_2 SET count = 9 WHERE to_id = 2 AND server_msg_id = 3", "by the other copy 3"),
        ("UPDATE im_message_send_2 SET count = 9 WHERE to_id = 1 AND server_msg_id = 2", "by the other copy 2"),
        ("UPDATE im_message_recv_2 SET count = 9 WHERE group_id = 10 AND server_msg_id = 3", "count is 9, not 2"),
    ] {
        check(damage, "im_message", wrong, Then::Restored).await;
    }
}

#[tokio::test]
async fn heads_follow_from_the_logs() {
    for damage in [
        "DELETE FROM im_conversation WHERE big_id = 2",
        "UPDATE im_conversation SET server_msg_id = server_msg_id - 1 WHERE big_id = 10",
        "UPDATE im_conversation SET count = count - 1 WHERE big_id = 1",
        "UPDATE im_conversation SET server_time_ms = 5 WHERE big_id = 3",
    ] {
        check(damage, "im_conversation", "the head is not at", Then::Restored).await;
    }
    let nothing = "INSERT INTO im_conversation VALUES (4, 5, 1, 1, 1)";
    check(nothing, "im_conversation", "without messages", Then::Told).await;
}

/// Who wrote them last has their marks there.
#[tokio::test]
async fn messages_missing_at_the_end_are_told_and_nothing_is_moved_back() {
    for damage in [
        "DELETE FROM im_message_send_2 WHERE from_id = 2 AND server_msg_id = 6;
         DELETE FROM im_message_recv_1 WHERE from_id = 2 AND server_msg_id = 6;
         DELETE FROM im_message_send_1 WHERE to_id = 2 AND server_msg_id = 5;
         DELETE FROM im_message_recv_2 WHERE to_id = 2 AND server_msg_id = 5",
        "DELETE FROM im_message_recv_2 WHERE group_id = 10 AND server_msg_id > 4",
    ] {
        let home = tempfile::tempdir().expect("a folder");
        village(home.path()).await;
        run(home.path(), damage);
        strangers_go_on(home.path(), damage).await;
        let damaged = contents(home.path());
        let report = examine(home.path(), Repair::Derivable, &mut |_, _| ()).expect("a store");
        let [told] = &report.findings[..] else { panic!("{report:#?}") };
        assert_eq!((&*told.table, told.derivable, report.repaired), ("im_conversation", false, 0));
        assert!(["messages 5 to 6 are missing", "messages 5 to 9 are missing"].contains(&&*told.wrong), "{told:?}");
        assert_eq!(contents(home.path()), damaged);
    }
}

#[tokio::test]
async fn sessions_and_their_counts_follow_from_the_logs() {
    for (damage, wrong, then) in [
        ("UPDATE im_session SET read_count = 4 WHERE user_id = 2 AND small_id = 1", "read_count is 4", Then::Restored),
        ("UPDATE im_session SET read_count = 4 WHERE user_id = 3 AND small_id = 0", "read_count is 4", Then::Restored),
        ("UPDATE im_session SET read_mark = 99 WHERE user_id = 3 AND small_id = 1", "read_mark is 99", Then::Repaired),
        ("UPDATE im_session SET read_mark = 1 WHERE user_id = 2 AND small_id = 0", "read_mark is 1", Then::Restored),
        ("UPDATE im_session SET delivered_mark = 0 WHERE user_id = 2", "delivered_mark is 0", Then::Restored),
        ("DELETE FROM im_session WHERE user_id = 1", "the entry is missing", Then::Repaired),
        ("INSERT INTO im_session VALUES (4, 1, 2, 1, 0, 0, 0)", "no part", Then::Repaired),
        ("INSERT INTO im_session VALUES (4, 0, 10, 1, 0, 0, 0)", "no part", Then::Repaired),
        ("INSERT INTO im_session VALUES (4, 4, 5, 1, 0, 0, 0)", "no part", Then::Repaired),
    ] {
        check(damage, "im_session", wrong, then).await;
    }
}

#[tokio::test]
async fn mailboxes_hold_every_stamp_once() {
    for (damage, table, then) in [
        ("UPDATE im_mailbox SET mailbox_seq = 1 WHERE user_id = 1", "im_mailbox", Then::Restored),
        ("DELETE FROM im_mailbox WHERE user_id IN (1, 4)", "im_mailbox", Then::Restored),
        ("UPDATE im_session SET mailbox_seq = 3 WHERE user_id = 1", "im_session", Then::Repaired),
        ("UPDATE im_session SET mailbox_seq = 0 WHERE user_id = 2 AND small_id = 0", "im_session", Then::Repaired),
        ("UPDATE im_user SET mailbox_seq = 99 WHERE user_id = 2", "im_mailbox", Then::Repaired),
        ("INSERT INTO im_mailbox VALUES (77, 0, 0)", "im_mailbox", Then::Restored),
        ("INSERT INTO im_device VALUES (77, 'a', 1, '', 0)", "im_device", Then::Restored),
        ("INSERT INTO im_password VALUES (77, '', '')", "im_password", Then::Restored),
    ] {
        check(damage, table, "", then).await;
    }
    check("DELETE FROM im_user WHERE user_id = 3", "im_conversation", "there is no user", Then::Told).await;
}

#[tokio::test]
async fn groups_agree_with_their_members() {
    for (damage, table, wrong, then) in [
        ("UPDATE im_group SET member_count = 7 WHERE group_id = 10", "im_group", "member_count is 7", Then::Restored),
        (
            "UPDATE im_group SET members_version = 2 WHERE group_id = 10",
            "im_group",
            "members_version is 2",
            Then::Restored,
        ),
        (
            "UPDATE im_group SET owner_id = 2 WHERE group_id = 10",
            "im_group",
            "no member with the role of the owner",
            Then::Told,
        ),
        ("UPDATE im_group_member SET role = 3 WHERE user_id = 3", "im_group_member", "and is not", Then::Told),
        ("UPDATE im_group_member SET role = 9 WHERE user_id = 3", "im_group_member", "the role is none", Then::Told),
        ("UPDATE im_group_member SET left_at = 99 WHERE left_at > 0", "im_group_member", "outside", Then::Told),
        ("UPDATE im_group_member SET left_at = 9 WHERE left_at = 8", "im_group_member", "began before", Then::Told),
        ("UPDATE im_group_member SET left_at = 1 WHERE left_at = 8", "im_group_member", "left before", Then::Told),
        (
            "INSERT INTO im_group_member VALUES (11, 1, 1, NULL, 1, NULL)",
            "im_group_member",
            "no such group",
            Then::Told,
        ),
        (
            "INSERT INTO im_group_member VALUES (10, 77, 2, NULL, 1, NULL)",
            "im_group_member",
            "no such user",
            Then::Told,
        ),
        ("DELETE FROM im_group WHERE group_id = 10", "im_conversation", "there is no such group", Then::Told),
        (
            "DELETE FROM im_message_recv_2 WHERE group_id = 10; DELETE FROM im_conversation WHERE big_id = 10",
            "im_group",
            "its log is missing",
            Then::Told,
        ),
    ] {
        check(damage, table, wrong, then).await;
    }
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
        drop(store.mark(Mark { user: UserId(user), conversation: to, kind, server_msg_id, login_version: 0 }).await);
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

/// The log of its group lacks its notice, which is found; and the log_id is another one all the same.
#[tokio::test]
async fn a_restored_store_of_an_older_schema_is_renewed_and_can_be_examined() {
    let folder = tempfile::tempdir().expect("a folder");
    super::open::create_first_schema(folder.path());
    assert!(matches!(examine(folder.path(), Repair::Nothing, &mut |_, _| ()), Err(OpenError::Older { store: 1, .. })));
    let renewed = renew_log_id(folder.path()).expect("a store");
    let findings = look(folder.path());
    assert!(findings.iter().any(|finding| finding.wrong.contains("log without messages")), "{findings:#?}");
    let store = open(folder.path());
    assert_eq!(store.log_id(), renewed);
    assert_ne!(renewed, 77);
    store.close().await;
}
