//! Others who are at the same rows at the same moment, step by step.

use std::sync::Arc;

use anser_proto::{GroupId, UserId};
use anser_store::{
    Error, Failure, Mark, MarkKind, Marked, MembersAction, MembersChange, Refusal, Store as _, Stretch,
    mysql::MysqlOptions,
};
use futures_util::FutureExt as _;
use mysql_async::{Conn, Opts, prelude::Queryable as _};

use super::{SERVER, fresh_name, make_database, open, options, try_open};
use crate::talk::{found, group, send, sender, settle, single, text};

#[tokio::test]
async fn a_head_that_is_not_where_it_was_read_moves_nowhere() {
    let url = make_database(&SERVER.url(), &fresh_name()).await;
    let store = open(&url).await;
    settle(&*store, 2).await;
    send(&*store, text(1, single(1, 2), "id-1")).await.expect("stored");
    // The locks keep everybody out but the transaction itself.
    let mut db = Conn::new(Opts::from_url(&url).expect("an address")).await.expect("it answers");
    let meddle = "CREATE TRIGGER meddle AFTER INSERT ON im_message_send_1 FOR EACH ROW
                  UPDATE im_conversation SET server_msg_id = server_msg_id + 5";
    db.query_drop(meddle).await.expect("a trigger");
    let refused = send(&*store, text(1, single(1, 2), "id-2")).await;
    assert!(matches!(refused, Err(Error::Failed(Failure::Damaged(_)))), "{refused:?}");
    db.query_drop("DROP TRIGGER meddle").await.expect("it is there");
    db.disconnect().await.expect("it says goodbye");
    let all = Stretch { after: None, before: 0, limit: 10, bytes_max: usize::MAX };
    let page = store.read_log(UserId(2), single(1, 2), all).await.expect("a party");
    assert_eq!((page.messages.len(), page.head), (1, 1));
    let place = send(&*store, text(1, single(1, 2), "id-2")).await.expect("stored");
    assert_eq!((place.server_msg_id, place.duplicate), (2, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_that_waited_tells_the_members_as_they_are_then() {
    let url = make_database(&SERVER.url(), &fresh_name()).await;
    let store = open(&url).await;
    settle(&*store, 2).await;
    found(&*store, 8, 1, &[2]).await;
    found(&*store, 9, 1, &[2]).await;
    // Somebody is about to change the members of the second group.
    let mut other = Conn::new(Opts::from_url(&url).expect("an address")).await.expect("it answers");
    let head = "START TRANSACTION; SELECT * FROM im_conversation WHERE small_id = 0 AND big_id = 9 FOR UPDATE";
    other.query_drop(head).await.expect("a lock");
    let batch = vec![text(1, group(8), "id-1"), text(1, group(9), "id-1")];
    let appending = {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.append(batch).await })
    };
    until_somebody_waits(&url, "im_conversation").await;
    other.query_drop("UPDATE im_group SET members_version = 77 WHERE group_id = 9; COMMIT").await.expect("changed");
    let places = appending.await.expect("no task panics").expect("the store works");
    let versions: Vec<u64> = places.into_iter().map(|place| place.expect("stored").members_version).collect();
    assert_eq!(versions, [1, 77]);
    other.disconnect().await.expect("it says goodbye");
}

/// Who scrolls through what they have read waits for nobody who writes; a mark that moves does.
#[tokio::test(flavor = "multi_thread")]
async fn a_mark_that_moves_nothing_waits_for_nobodys_locks() {
    let url = make_database(&SERVER.url(), &fresh_name()).await;
    let store = open(&url).await;
    settle(&*store, 2).await;
    found(&*store, 9, 1, &[2]).await;
    let mark = |conversation, kind, server_msg_id| Mark {
        user: UserId(2),
        conversation,
        kind,
        server_msg_id,
        device_id: "device".into(),
        login_version: 0,
    };
    for to in [single(1, 2), group(9)] {
        for n in 0..3 {
            send(&*store, text(1, to, &format!("id-{n}"))).await.expect("stored");
        }
        store.mark(mark(to, MarkKind::Read, 2)).await.expect("moved");
        store.mark(mark(to, MarkKind::Delivered, 99)).await.expect("moved");
    }
    let mut other = Conn::new(Opts::from_url(&url).expect("an address")).await.expect("it answers");
    let all = "START TRANSACTION; SELECT * FROM im_mailbox FOR UPDATE; SELECT * FROM im_conversation FOR UPDATE;
               SELECT * FROM im_session FOR UPDATE; SELECT * FROM im_group_member FOR UPDATE";
    other.query_drop(all).await.expect("locks");
    for (to, unread, last) in [(single(1, 2), 1, 3), (group(9), 2, 4)] {
        for (kind, server_msg_id) in
            [(MarkKind::Read, 0), (MarkKind::Read, 2), (MarkKind::Delivered, last), (MarkKind::Delivered, u64::MAX)]
        {
            let marked = store.mark(mark(to, kind, server_msg_id)).await.expect("it is answered");
            let standing = Marked {
                read_mark: 2,
                delivered_mark: last,
                unread,
                moved: false,
                mailbox_seq: 0,
                peer: None,
                shown: if to == group(9) { (0, 0) } else { (2, last) },
            };
            assert_eq!(marked, standing);
        }
    }
    let moves = tokio::spawn({
        let (store, mark) = (Arc::clone(&store), mark(single(1, 2), MarkKind::Read, 3));
        async move { store.mark(mark).await }
    });
    until_somebody_waits(&url, "im_mailbox").await;
    other.query_drop("ROLLBACK").await.expect("unlocked");
    assert!(moves.await.expect("no task panics").expect("it is answered").moved);
    // Whose login is over, or who is no member, is told so all the same.
    store.set_disabled(UserId(2), true).await.expect("disabled");
    let over = store.mark(mark(group(9), MarkKind::Read, 2)).await;
    assert_eq!(over, Err(Refusal::LoginOver.into()));
    let stranger = Mark { user: UserId(3), ..mark(group(9), MarkKind::Read, 2) };
    assert_eq!(store.mark(stranger).await, Err(Refusal::NotMember.into()));
    other.disconnect().await.expect("it says goodbye");
}

/// For a lock on rows of this table.
async fn until_somebody_waits(url: &str, table: &str) {
    let waits = format!(
        "SELECT COUNT(*) FROM information_schema.processlist
         WHERE db = DATABASE() AND info LIKE '%{table}%FOR UPDATE' AND time_ms > 200"
    );
    let mut look = Conn::new(Opts::from_url(url).expect("an address")).await.expect("it answers");
    while look.query_first::<u64, _>(&waits).await.expect("a number") != Some(1) {
        tokio::task::yield_now().await;
    }
    look.disconnect().await.expect("it says goodbye");
}

/// Who answers in the group at the moment when the owner leaves holds their own mailbox, and nothing of the group.
#[tokio::test(flavor = "multi_thread")]
async fn who_becomes_owner_has_answered_if_they_did_just_now() {
    let url = make_database(&SERVER.url(), &fresh_name()).await;
    let store = open(&url).await;
    settle(&*store, 2).await;
    found(&*store, 9, 1, &[2]).await;
    let mut other = Conn::new(Opts::from_url(&url).expect("an address")).await.expect("it answers");
    let answer = "START TRANSACTION; SELECT * FROM im_mailbox WHERE user_id = 2 FOR UPDATE;
                  UPDATE im_group_member SET invited_by = NULL WHERE user_id = 2";
    other.query_drop(answer).await.expect("a lock");
    let leaving = {
        let store = Arc::clone(&store);
        let leave =
            MembersChange { group: GroupId(9), operator: sender(1), action: MembersAction::Leave, login_version: 0 };
        tokio::spawn(async move { store.change_members(leave).await })
    };
    until_somebody_waits(&url, "im_mailbox").await;
    other.query_drop("COMMIT").await.expect("committed");
    leaving.await.expect("no task panics").expect("they left");
    let heir: Option<(i32, Option<u64>)> =
        other.query_first("SELECT role, invited_by FROM im_group_member WHERE user_id = 2").await.expect("a row");
    assert_eq!(heir, Some((3, None)));
    other.disconnect().await.expect("it says goodbye");
}

/// The number of the last transaction that was committed; each attempt takes one.
async fn transactions(db: &mut Conn) -> u64 {
    let last = db.query_first("SELECT CAST(MAX(transaction_no) AS UNSIGNED) FROM im_writer").await.expect("a number");
    last.expect("it wrote")
}

#[tokio::test]
async fn who_sent_again_before_costs_no_second_run() {
    let url = make_database(&SERVER.url(), &fresh_name()).await;
    let store = try_open(MysqlOptions { writers: 1, ..options(&url) }).await.expect("the store opens");
    settle(&*store, 2).await;
    let again = async || send(&*store, text(1, single(1, 2), "id-1")).await.expect("stored").duplicate;
    let mut db = Conn::new(Opts::from_url(&url).expect("an address")).await.expect("it answers");
    assert!(!again().await);
    let before = transactions(&mut db).await;
    // Found out by the unique key, and looked for then. Nothing is committed, so the next write shows the number.
    assert!(again().await);
    send(&*store, text(2, single(1, 2), "id-2")).await.expect("stored");
    assert_eq!(transactions(&mut db).await - before, 2 + 1);
    assert!(again().await);
    send(&*store, text(2, single(1, 2), "id-3")).await.expect("stored");
    assert_eq!(transactions(&mut db).await - before, 3 + 1 + 1);
    db.disconnect().await.expect("it says goodbye");
}

/// A database that stalls is followed by what people still wait for, and not by what they have given up or sent elsewhere.
#[tokio::test]
async fn what_nobody_waits_for_any_more_is_not_begun() {
    let url = make_database(&SERVER.url(), &fresh_name()).await;
    let store = try_open(MysqlOptions { writers: 1, ..options(&url) }).await.expect("the store opens");
    settle(&*store, 2).await;
    let mut other = Conn::new(Opts::from_url(&url).expect("an address")).await.expect("it answers");
    other.query_drop("START TRANSACTION; SELECT * FROM im_mailbox FOR UPDATE").await.expect("locks");
    let mut begun = Box::pin(send(&*store, text(1, single(1, 1), "begun")));
    assert!((&mut begun).now_or_never().is_none());
    while store.stats().queued > 0 {
        tokio::task::yield_now().await;
    }
    let mut left = Box::pin(send(&*store, text(2, single(2, 2), "left")));
    assert!((&mut left).now_or_never().is_none());
    let mut stays = Box::pin(send(&*store, text(2, single(2, 2), "stays")));
    assert!((&mut stays).now_or_never().is_none());
    drop(left);
    other.query_drop("COMMIT").await.expect("committed");
    assert!(begun.await.is_ok());
    assert_eq!(stays.await.map(|place| place.server_msg_id), Ok(1));
    other.disconnect().await.expect("it says goodbye");
}
