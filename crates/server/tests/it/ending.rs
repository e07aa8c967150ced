//! How connections end, and what the server does when it stops. Where a wait is what is tested, the clock is the test's.

use std::time::Duration;

use anser_proto::{
    CloseCode, ErrorCode, Format,
    v1::{self, client_frame::Request, hello::Credential, server_frame::Body},
};
use anser_server::config::Limits;
use tokio::time::{advance, pause, resume};

use crate::raw::{Came, TestServer, clock, memory_store, send};

#[tokio::test]
async fn a_hello_that_does_not_come_in_time_is_not_waited_for() {
    let server = TestServer::start().await;
    for mut raw in [server.web_socket(Format::Protobuf).await, server.tcp(Format::Protobuf).await] {
        pass(Duration::from_secs(10)).await;
        assert_eq!(raw.end().await, (Some(ErrorCode::LoginTimeout), Some(CloseCode::LoginTimedOut)));
    }
}

#[tokio::test]
async fn silence_beyond_one_and_a_half_heartbeats_ends_the_connection_and_a_ping_does_not() {
    let server = TestServer::start().await;
    let mut ada = server.login("ada").await;
    let heartbeat = Duration::from_millis(u64::from(ada.welcome.heartbeat_max_ms));
    for _ in 0..3 {
        pass(heartbeat).await;
        ada.nothing_more().await;
    }
    pass(heartbeat * 3 / 2).await;
    assert_eq!(ada.end().await.1, Some(CloseCode::Silent));
}

#[tokio::test]
async fn a_connection_ends_when_its_token_runs_out() {
    let server = TestServer::start().await;
    let mut ada = server.web_socket(Format::Json).await;
    let token = server.tokens.mint("ada", 0, clock()() / 1000 + 60);
    ada.hello(v1::Hello { credential: Some(Credential::Token(token)), ..server.hello("ada", "phone") }).await;
    pass(Duration::from_secs(58)).await;
    ada.nothing_more().await;
    // The clocks' allowed difference of 10 s is waited for too.
    pass(Duration::from_secs(13)).await;
    assert_eq!(ada.end().await.1, Some(CloseCode::TokenRanOut));
}

#[tokio::test]
async fn a_bye_is_answered_and_ends_the_connection() {
    let server = TestServer::start().await;
    let mut ada = server.web_socket(Format::Protobuf).await;
    ada.hello(server.hello("ada", "phone")).await;
    assert!(matches!(ada.ask(Request::Bye(v1::Bye {})).await, Body::Done(_)));
    assert_eq!(ada.end().await, (None, Some(CloseCode::Normal)));
}

#[tokio::test]
async fn who_does_not_read_is_told_that_they_lag_and_gets_all_by_a_sync() {
    let small = |limits: &mut Limits| (limits.outbox_bytes, limits.requests_per_s) = (16 * 1024, 0);
    let server = TestServer::start_with(|config| small(&mut config.limits), memory_store).await;
    let (mut ada, mut bob) = (server.login("ada").await, server.login("bob").await);
    let conversation = ada.conversation_with(&bob);
    // More than the outbox and the buffers of the system hold.
    let body = "x".repeat(60_000);
    for number in 1..=300 {
        ada.send(&conversation, &format!("m-{number}"), &body).await;
    }
    let mut came = 0;
    loop {
        match bob.event().await {
            Body::Message(_) => came += 1,
            Body::Lagged(_) => break,
            other => panic!("unexpected: {other:?}"),
        }
    }
    assert!(came < 300, "nothing was dropped");
    assert_eq!(bob.sync(0).await.sessions[0].head, 300);
}

#[tokio::test]
async fn who_takes_nothing_for_half_a_minute_is_given_up() {
    let server = TestServer::start_with(|config| config.limits.requests_per_s = 0, memory_store).await;
    let (mut ada, bob) = (server.login("ada").await, server.login("bob").await);
    let conversation = ada.conversation_with(&bob);
    let body = "x".repeat(60_000);
    // 24 MB: more than the system's buffers and the outbox hold, so that the server's write to them is stuck.
    for number in 0..400 {
        ada.send(&conversation, &format!("m-{number}"), &body).await;
    }
    pass(Duration::from_secs(31)).await;
    let closed = format!("code=\"{}\"", CloseCode::Lagging.as_str_name());
    for _ in 0..100 {
        if metric(&server, &closed).await.ends_with(" 1") {
            break;
        }
        ada.nothing_more().await;
    }
    assert!(metric(&server, &closed).await.ends_with(" 1"), "the one who takes nothing was kept");
    drop(bob);
}

/// The first line of the metrics that has this in it.
async fn metric(server: &TestServer, name: &str) -> String {
    let text = server.metrics().await;
    text.lines().find(|line| !line.starts_with('#') && line.contains(name)).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_stopping_server_answers_what_it_took_up_and_says_when_to_come_back() {
    let server = TestServer::start().await;
    let mut ada = server.web_socket(Format::Protobuf).await;
    ada.hello(server.hello("ada", "phone")).await;
    let mut bob = server.login("bob").await;
    let conversation = ada.conversation_with(&bob);
    ada.send(&conversation, "m-1", "last words").await;
    bob.message().await;
    let stranger = server.tcp(Format::Protobuf).await;

    let store = server.store.clone();
    server.server.stop().await.expect("it stops");
    drop(stranger);
    for device in [&mut ada, &mut bob] {
        let Body::Draining(draining) = device.event().await else { panic!("not told") };
        assert!(draining.reconnect_after_ms < 5_000);
        assert_eq!(device.end().await.1, Some(CloseCode::Draining));
    }
    assert_eq!(store.probe().await, Err(anser_store::Failure::Closed.into()));
}

#[tokio::test]
async fn a_send_that_meets_a_closed_store_is_told_that_nothing_was_stored() {
    let server = TestServer::start().await;
    let mut ada = server.login("ada").await;
    let notes = ada.conversation_with(&ada);
    server.store.close().await;
    assert_eq!(ada.refused(send(&notes, "m-1", "too late")).await, ErrorCode::ShuttingDown);
}

#[tokio::test]
async fn a_peer_that_vanishes_leaves_the_hub() {
    let server = TestServer::start().await;
    let ada = server.login("ada").await;
    drop(ada);
    let mut again = server.login("ada").await;
    again.nothing_more().await;
    assert!(matches!(again.ask(Request::Bye(v1::Bye {})).await, Body::Done(_)));
    while !matches!(again.came().await, Came::Closed(_)) {}
    while !metric(&server, "anser_connections").await.ends_with(" 0") {}
}

/// Lets time pass at once, as far as timers are concerned.
pub async fn pass(time: Duration) {
    pause();
    advance(time).await;
    resume();
}
