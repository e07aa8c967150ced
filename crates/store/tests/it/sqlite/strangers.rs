//! Two people beside damage that does not concern them.

use anser_store::{Mark, MarkKind, Stretch};
use futures_util::future::join_all;

use super::*;

/// Those whom the damage concerns write, mark and sync, which may fail them. The strangers do so at the same time, and notice nothing.
pub(super) async fn strangers_go_on(folder: &Path, damage: &str) {
    let copy = tempfile::tempdir().expect("a folder");
    std::fs::copy(folder.join("anser.db"), copy.path().join("anser.db")).expect("a file");
    let store = open(copy.path());
    let concerned = [single(1, 2), single(1, 1), single(1, 3), group(10)].map(|to| {
        let store = &store;
        async move {
            for from in 1..=3 {
                drop(send(&**store, text(from, to, &format!("{to}-on-{from}"))).await);
                let mark = Mark {
                    user: UserId(from),
                    conversation: to,
                    kind: MarkKind::Read,
                    server_msg_id: 5,
                    device_id: "device".into(),
                    login_version: 0,
                };
                drop(store.mark(mark).await);
                drop(store.read_log(UserId(from), to, ALL).await);
            }
        }
    });
    let strangers = [(8, single(8, 12)), (12, single(8, 12)), (8, group(20)), (12, group(20))].map(|(from, to)| {
        let store = &store;
        async move {
            for n in 0..6 {
                let place = send(&**store, text(from, to, &format!("on-{n}"))).await;
                let place = place.unwrap_or_else(|error| panic!("{damage}: {error}"));
                let page = store.read_log(UserId(20 - from), to, ALL).await.expect("a page");
                assert!(page.messages.iter().any(|message| message.server_msg_id == place.server_msg_id), "{damage}");
            }
            assert_eq!(
                store.changes(UserId(from), 0, 10).await.map(|changes| changes.sessions.len()),
                Ok(2),
                "{damage}"
            );
        }
    });
    tokio::join!(join_all(concerned), join_all(strangers));
    for user in 1..=6 {
        match store.changes(UserId(user), 0, 100).await {
            Ok(changes) => assert!(changes.caught_up),
            // Where a page of the file is damaged, who has rows there waits for its repair.
            Err(error) => {
                let is_of_file = error.to_string().contains("malformed");
                assert!(is_of_file || matches!(error, Error::Refused(_)), "{damage}: a sync ends with {error}");
            }
        }
    }
    store.close().await;
}

const ALL: Stretch = Stretch { after: Some(0), before: 0, limit: 100, bytes_max: 1 << 20 };
