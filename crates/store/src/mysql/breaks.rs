//! Tests of panics at the stages of a transaction that only show from within.

use std::sync::{Arc, Mutex, PoisonError};

use anser_proto::{ConversationId, UserId};
use anser_services::{MariaDb, Place};

use super::{MysqlOptions, MysqlStore, plans};
use crate::{Appended, Error, Failure, NewMessage, NewUser, Sender, Store as _, sequencer::HeadSequencer};

/// Where the next transaction panics.
static NEXT: Mutex<Option<&str>> = Mutex::new(None);

pub(super) fn at(stage: &str) {
    let breaks = NEXT.lock().unwrap_or_else(PoisonError::into_inner).take_if(|next| *next == stage);
    assert!(breaks.is_none(), "broken {stage}");
}

async fn send(store: &MysqlStore, n: u64) -> Result<Appended, Error> {
    let message = NewMessage {
        conversation: ConversationId::single(UserId(1), UserId(1)),
        from: Sender { user: UserId(1), nickname: "One".into(), platform: 1, device_id: "a".into() },
        client_msg_id: n.to_string().parse().expect("visible ASCII"),
        kind: 1,
        content: "text".into(),
        attachment: bytes::Bytes::new(),
        client_time_ms: 1,
        counted: true,
        reply_to: 0,
        mentions: Default::default(),
        change: None,
        login_version: 0,
    };
    Ok(store.append(vec![message]).await?.remove(0)?)
}

#[tokio::test]
async fn a_panic_fails_the_write_before_the_commit_and_is_asked_about_behind_it() {
    let server = MariaDb::start(Place::Tests).expect("MariaDB starts");
    server.execute("CREATE DATABASE anser").expect("it creates one");
    let options = MysqlOptions { writers: 1, ..plans::options(format!("{}/anser", server.url())) };
    let prepared = options.prepare().await.expect("it is fit");
    let store = prepared.open(Arc::new(HeadSequencer::new())).expect("it opens");
    let (account, nickname) = ("one".into(), "One".into());
    store.create_user(NewUser { user: UserId(1), account, nickname, password: None }).await.expect("a new user");

    let panicked = Err(Error::Failed(Failure::Failed("the writer panicked".into())));
    let stages = [("when all is decided", false), ("before the commit", true), ("behind the commit", true)];
    for (n, (stage, is_stored)) in (1..).zip(stages) {
        *NEXT.lock().expect("no panic with it") = Some(stage);
        let answer = send(&store, n).await;
        assert_eq!(*NEXT.lock().expect("no panic with it"), None, "nothing broke {stage}");
        match is_stored {
            true => assert!(answer.is_ok_and(|place| place.server_msg_id == n && !place.duplicate), "{stage}"),
            false => assert_eq!(answer, panicked, "{stage}"),
        }
        let again = send(&store, n).await.expect("stored");
        assert_eq!((again.server_msg_id, again.duplicate), (n, is_stored), "{stage}");
    }
    store.close().await;
}
