//! Stores as each schema left them: today's build opens them, brings them up to date, reads what was there and goes on.
//!
//! A fixture is the village of [`crate::doctor`] as text, `tests/fixtures/DATABASE/schema-N.sql`. That of the present schema is written by the
//! test that misses it, so that a migration brings its own, and is never written again.

use std::{fs, path::PathBuf};

use anser_proto::{GroupId, UserId};
use anser_store::{Mark, MarkKind, MembersAction, MembersChange, Options, Store, Stretch};

use crate::talk::{common, found, group, send, sender, single, text};

/// Fewer than the default, so that the files stay small.
pub fn options() -> Options {
    Options { shards: 2, ..common() }
}

/// Of the schemas 1, 2, 3, … up to the present one. Where that is missing, `dump` says what it is.
pub fn fixtures(database: &str, present: u32, dump: impl FnOnce() -> String) -> Vec<String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(database);
    let file = |version: u32| folder.join(format!("schema-{version}.sql"));
    if !file(present).exists() {
        fs::write(file(present), dump()).expect("written");
        panic!("{} was missing and is written: commit it with the migration", file(present).display());
    }
    let kept = fs::read_dir(&folder).expect("a folder").count();
    assert_eq!(kept, present as usize, "a fixture for each schema in {}, and nothing else", folder.display());
    let read = |version| fs::read_to_string(file(version)).unwrap_or_else(|error| panic!("schema {version}: {error}"));
    (1..=present).map(read).collect()
}

/// The village is there, and its people go on.
pub async fn goes_on(store: &dyn Store, turn: u64) {
    let all = Stretch { after: Some(0), before: 0, limit: 100, bytes_max: usize::MAX };
    for (reader, to, said) in [(2, single(1, 2), 6), (1, single(1, 2), 6), (1, single(1, 1), 6), (3, group(10), 9)] {
        let page = store.read_log(UserId(reader), to, all).await.expect("a page");
        assert_eq!((page.head, page.messages.len() as u64), (said + turn, said + turn), "{to}");
    }
    let first = store.read_log(UserId(2), single(1, 2), all).await.expect("a page").messages.swap_remove(0);
    assert_eq!((first.from.user, &*first.content), (UserId(1), "text of single_1_2-0"));
    let unread = store.session(UserId(3), single(1, 3)).await.expect("an entry").unread;
    assert_eq!(unread, if turn == 0 { 6 } else { 0 });
    assert_eq!(store.group(UserId(2), GroupId(10)).await.expect("a member").0.member_count, 3);
    assert_eq!(store.devices(UserId(1)).await.expect("devices").len(), 1);
    let retry = send(store, text(1, single(1, 2), "single_1_2-0")).await.expect("stored");
    assert_eq!((retry.server_msg_id, retry.duplicate), (1, true));

    for to in [single(1, 2), single(1, 1), group(10)] {
        send(store, text(1, to, &format!("{to}-on-{turn}"))).await.expect("stored");
    }
    let mark = Mark {
        user: UserId(3),
        conversation: single(1, 3),
        kind: MarkKind::Read,
        server_msg_id: 6,
        device_id: "device".into(),
        login_version: 0,
    };
    assert_eq!(store.mark(mark).await.expect("moved").unread, 0);
    found(store, 30 + turn, 4, &[5]).await;
    let action = MembersAction::Invite(vec![UserId(6)]);
    let change = MembersChange { group: GroupId(30 + turn), operator: sender(4), action, login_version: 0 };
    store.change_members(change).await.expect("changed");
    store.set_disabled(UserId(12), true).await.expect("disabled");
    assert_eq!(store.login_versions(vec![UserId(12)]).await, Ok(vec![(UserId(12), 1 + turn)]));
}
