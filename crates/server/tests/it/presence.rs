//! Who is told that somebody is there, and what is signalled and not stored.

use anser_proto::{
    ErrorCode, Format,
    v1::{self, client_frame::Request, presence::State, privacy::Who, server_frame::Body},
};
use prost::Message as _;

use crate::{
    permissions::{accept, block, request_contact},
    raw::{Raw, TestServer},
};

fn get(of: &[u64]) -> Request {
    Request::GetPresence(v1::GetPresence { user_ids: of.to_vec() })
}

async fn watch(raw: &mut Raw) -> Vec<(u64, State)> {
    told(raw.ask(Request::WatchPresence(v1::WatchPresence {})).await)
}

fn told(body: Body) -> Vec<(u64, State)> {
    match body {
        Body::Presences(told) => told.presences.iter().map(|one| (one.user_id, one.state())).collect(),
        other => panic!("no presences: {other:?}"),
    }
}

/// A connection of a viewer asks once in five seconds, so each question has one of its own.
async fn seen(server: &TestServer, viewer: &str, of: &[u64]) -> v1::Presences {
    let mut raw = server.login_device(viewer, "viewer").await;
    match raw.ask(get(of)).await {
        Body::Presences(presences) => presences,
        other => panic!("no presences: {other:?}"),
    }
}

async fn eventually_seen(server: &TestServer, viewer: &str, of: u64, state: State) {
    let mut raw = server.login_device(viewer, "waiting").await;
    let mut seen = watch(&mut raw).await;
    while !seen.contains(&(of, state)) {
        seen = match raw.event().await {
            presences @ Body::Presences(_) => told(presences),
            _ => Vec::new(),
        };
    }
}

fn settings(update: v1::UpdateSettings) -> Request {
    Request::UpdateSettings(update)
}

async fn befriend(one: &mut Raw, other: &mut Raw) {
    one.ask(request_contact(one.user.0, other.user.0)).await;
    other.ask(accept(other.user.0, one.user.0)).await;
    one.drop_events().await;
    other.drop_events().await;
}

#[tokio::test]
async fn contacts_that_want_to_know_are_told_who_is_there_and_nobody_else_is() {
    let server = TestServer::start().await;
    let (mut ada, mut bob, mut cyd) = (server.login("ada").await, server.login("bob").await, server.login("cyd").await);
    befriend(&mut ada, &mut bob).await;
    let b = bob.user.0;
    eventually_seen(&server, "ada", b, State::Active).await;
    ada.drop_events().await;
    assert_eq!(watch(&mut ada).await, [(b, State::Active)]);
    assert_eq!(watch(&mut cyd).await, []);
    // Away is told once ten seconds have passed since it was told last; here nothing was.
    let mut dan = server.login("dan").await;
    befriend(&mut ada, &mut dan).await;
    dan.ask(Request::SetPresence(v1::SetPresence { state: State::Away.into() })).await;
    let (d, mut found) = (dan.user.0, State::Offline);
    while found == State::Offline {
        let event = ada.event().await;
        found = told(event).into_iter().find(|(user, _)| *user == d).map_or(found, |(_, state)| state);
    }
    cyd.nothing_more().await;
    bob.nothing_more().await;
    for state in [State::Offline as i32, 7] {
        assert_eq!(dan.refused(Request::SetPresence(v1::SetPresence { state })).await, ErrorCode::BadField);
    }
}

#[tokio::test]
async fn a_connection_asks_who_is_there_once_in_five_seconds() {
    let server = TestServer::start().await;
    let mut ada = server.login("ada").await;
    assert_eq!(ada.refused(get(&[1; 201])).await, ErrorCode::PageTooLarge);
    assert_eq!(ada.refused(get(&[0])).await, ErrorCode::BadField);
    assert_eq!(told(ada.ask(get(&[5, 5])).await), [(5, State::Offline); 2], "they do not exist");
    let Body::Error(error) = ada.ask(get(&[5])).await else { panic!("not refused") };
    assert!(error.code() == ErrorCode::RateLimited && (1..=5_000).contains(&error.retry_after_ms), "{error:?}");
}

#[tokio::test]
async fn who_is_invisible_or_blocks_somebody_cannot_be_told_from_who_is_offline() {
    let server = TestServer::start().await;
    let (mut ada, mut bob) = (server.login("ada").await, server.login("bob").await);
    let (a, b) = (ada.user.0, bob.user.0);
    befriend(&mut ada, &mut bob).await;
    // One who was there and left, one who was always invisible, and one who never came.
    let mut gone = server.login("gone").await;
    gone.ask(settings(v1::UpdateSettings { invisible: Some(true), ..Default::default() })).await;
    let g = gone.user.0;
    eventually_seen(&server, "bob", a, State::Active).await;
    let bytes = async |of: u64, viewer: &str| {
        let mut presences = seen(&server, viewer, &[of]).await;
        presences.presences[0].user_id = 1;
        presences.encode_to_vec()
    };
    let offline = v1::Presences { presences: vec![v1::Presence { user_id: 1, ..Default::default() }] }.encode_to_vec();
    assert_ne!(bytes(a, "bob").await, offline);
    for of in [g, 999_999] {
        assert_eq!(bytes(of, "bob").await, offline);
    }
    // A stranger sees her, as long as she likes.
    assert_ne!(bytes(a, "gone").await, offline);
    ada.ask(settings(v1::UpdateSettings { last_seen: Who::Contacts.into(), ..Default::default() })).await;
    assert_eq!(bytes(a, "gone").await, offline);
    assert_ne!(bytes(a, "bob").await, offline);
    ada.ask(block(a, b)).await;
    assert_eq!(bytes(a, "bob").await, offline);
    assert_eq!(bytes(b, "ada").await, offline);
    assert_eq!(watch(&mut bob).await, []);
}

#[tokio::test]
async fn who_is_invisible_types_unseen() {
    let server = TestServer::start().await;
    let (mut ada, mut bob) = (server.login("ada").await, server.login("bob").await);
    let conversation_id = ada.conversation_with(&bob);
    let typing = || Request::Typing(v1::Typing { conversation_id: conversation_id.clone() });
    ada.ask(settings(v1::UpdateSettings { invisible: Some(true), ..Default::default() })).await;
    assert!(matches!(ada.ask(typing()).await, Body::Done(_)));
    bob.nothing_more().await;
    let mut again = server.login_device("ada", "laptop").await;
    assert!(matches!(again.ask(typing()).await, Body::Done(_)));
    bob.nothing_more().await;
    again.ask(settings(v1::UpdateSettings { invisible: Some(false), ..Default::default() })).await;
    let mut third = server.login_device("ada", "tv").await;
    third.ask(typing()).await;
    assert!(matches!(bob.event().await, Body::Typing(_)));
}

fn signal(conversation_id: &str, kind: &str, bytes: usize) -> Request {
    let data = vec![7; bytes].into();
    Request::Signal(v1::Signal { conversation_id: conversation_id.into(), r#type: kind.into(), data })
}

#[tokio::test]
async fn what_is_signalled_reaches_who_is_there_and_is_never_stored() {
    let server = TestServer::start().await;
    let (mut ada, mut bob) = (server.login("ada").await, server.login("bob").await);
    let mut tablet = server.tcp(Format::Json).await;
    tablet.hello(server.hello("bob", "tablet")).await;
    bob.drop_events().await;
    let ours = ada.conversation_with(&bob);
    assert!(matches!(ada.ask(signal(&ours, "call.ring", 1_024)).await, Body::Done(_)));
    for raw in [&mut bob, &mut tablet] {
        let Body::Signal(event) = raw.event().await else { panic!("no signal") };
        assert_eq!((event.conversation_id.as_str(), event.user_id), (ours.as_str(), ada.user.0));
        assert_eq!((event.device_id.as_str(), event.r#type.as_str(), event.data.len()), ("phone", "call.ring", 1_024));
    }
    let group = ada.create_group(&[&bob]).await;
    bob.drop_events().await;
    ada.ask(signal(&group, "poll", 0)).await;
    assert!(matches!(bob.event().await, Body::Signal(event) if event.conversation_id == group));
    for wrong in [signal(&ours, "call.ring", 1_025), signal(&ours, "", 1), signal(&ours, "\u{e9}", 1)] {
        assert_eq!(ada.refused(wrong).await, ErrorCode::BadField);
    }
    // Beyond the user's rate it is dropped, whichever device it comes from, and nobody is told that.
    let mut laptop = server.login_device("ada", "laptop").await;
    for raw in [&mut ada, &mut laptop] {
        for _ in 0..20 {
            assert!(matches!(raw.ask(signal(&ours, "flood", 1)).await, Body::Done(_)));
        }
    }
    let passed = bob.told().await.len();
    assert!((5..=15).contains(&passed), "{passed} of 40");
    assert_eq!(bob.sync(0).await.sessions.len(), 1, "the group alone");
}
