//! Who may wait to be let in: strangers cost others nothing, and take no user's place.

use std::{net::SocketAddr, time::Duration};

use anser_proto::{CloseCode, ErrorCode, Format, v1::client_frame::Request};
use anser_server::config::Config;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
};

use crate::{
    ending::pass,
    raw::{Came, Raw, TestServer, memory_store},
};

async fn server(change: impl FnOnce(&mut Config)) -> TestServer {
    TestServer::start_with(change, memory_store).await
}

/// A connection from an address of this machine other than the usual one.
pub async fn from(last: u8, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(([127, 0, 0, last], 0).into()).expect("the whole of 127/8 is this machine");
    socket.connect(to).await.expect("the port accepts")
}

/// Whether the server has closed it, or does so at once; nothing is said.
pub async fn is_closed(stream: &mut TcpStream) -> bool {
    let mut byte = [0];
    tokio::time::timeout(Duration::from_millis(200), stream.read(&mut byte)).await.is_ok()
}

#[tokio::test]
async fn strangers_take_no_users_place_and_users_do_not_shut_each_other_in() {
    let server = server(|config| config.limits.connections = 2).await;
    let mut strangers = Vec::new();
    for _ in 0..20 {
        strangers.push(server.tcp(Format::Protobuf).await);
    }
    let (ada, _bob) = (server.login("ada").await, server.login("bob").await);

    let mut third = server.tcp(Format::Protobuf).await;
    third.say(Request::Hello(server.hello("cyd", "phone"))).await;
    assert_eq!(third.end().await, (Some(ErrorCode::Overloaded), Some(CloseCode::ServerBusy)));
    assert_eq!(server.get("/healthz").await.0, "HTTP/1.1 200 OK");
    assert_eq!(server.get("/readyz").await.0, "HTTP/1.1 200 OK");

    // A device comes back before the server has noticed that it was gone: the place is its own.
    let mut again = server.login("ada").await;
    again.nothing_more().await;
    drop((ada, again));
    // The place is free once the server has seen the end, of which nobody else is told.
    loop {
        let mut next = server.tcp(Format::Protobuf).await;
        next.say(Request::Hello(server.hello("cyd", "phone"))).await;
        if let Came::Frame(frame) = next.came().await
            && matches!(frame.body, Some(anser_proto::v1::server_frame::Body::Welcome(_)))
        {
            break;
        }
    }
}

#[tokio::test]
async fn who_holds_places_without_logging_in_gives_way_to_who_comes_to_log_in() {
    let server = server(|config| (config.limits.strangers, config.limits.strangers_per_address) = (6, 3)).await;
    let mut one_each = [from(2, server.server.tcp).await, from(3, server.server.tcp).await];
    let mut many =
        [from(4, server.server.tcp).await, from(4, server.server.tcp).await, from(4, server.server.tcp).await];
    // Of its own network, and only after a while.
    assert!(is_closed(&mut from(4, server.server.tcp).await).await);
    pass(Duration::from_secs(1)).await;
    let mut fourth = from(4, server.server.tcp).await;
    assert!(is_closed(&mut many[0]).await);
    assert!(!is_closed(&mut fourth).await && !is_closed(&mut many[1]).await);

    // Of all, that of the network that has most.
    let mut sixth = from(5, server.server.tcp).await;
    let mut ada = server.login("ada").await;
    assert!(is_closed(&mut many[1]).await);
    for stream in one_each.iter_mut().chain([&mut sixth, &mut fourth, &mut many[2]]) {
        assert!(!is_closed(stream).await);
    }
    ada.nothing_more().await;
    assert!(server.metrics().await.contains("anser_turned_away_total{reason=\"gave_way\"} 2"));
}

#[tokio::test]
async fn who_was_refused_holds_no_place_while_it_is_told_why() {
    let server = server(|config| config.limits.strangers_per_address = 1).await;
    // It does not close, so the server waits for it a while.
    let mut refused = from(2, server.server.tcp).await;
    refused.write_all(b"\0\0\0\x01\xff").await.expect("it is taken");
    let mut told = Vec::new();
    refused.read_to_end(&mut told).await.expect("it ends");
    assert!(!told.is_empty());
    assert!(!is_closed(&mut from(2, server.server.tcp).await).await);
}

#[tokio::test]
async fn one_address_that_tries_in_a_loop_is_braked_and_users_behind_it_are_not() {
    let server = server(|config| config.limits.attempts_per_s = 1).await;
    // Any number of logins that succeed.
    for _ in 0..30 {
        server.login("ada").await;
    }
    let mut looped = Vec::new();
    for _ in 0..12 {
        looped.push(from(2, server.server.tcp).await);
    }
    assert!(!is_closed(&mut looped[0]).await && !is_closed(&mut looped[9]).await);
    assert!(is_closed(&mut looped[11]).await);
    server.login("bob").await;
    drop(looped);
    pass(Duration::from_secs(1)).await;
    let mut later = Raw::over_tcp(from(2, server.server.tcp).await, Format::Protobuf);
    later.hello(server.hello("cyd", "phone")).await;
}

#[tokio::test]
async fn each_further_request_of_a_stranger_is_an_attempt() {
    let server = server(|config| config.limits.attempts_per_s = 1).await;
    let mut stranger = from(2, server.server.http).await;
    let requests = "GET /v1/access HTTP/1.1\r\nhost: test\r\n\r\n".repeat(100);
    stranger.write_all(requests.as_bytes()).await.expect("it is taken");
    let mut told = String::new();
    stranger.read_to_string(&mut told).await.expect("it ends");
    let answers: Vec<_> = told.split("HTTP/1.1 ").skip(1).map(|answer| &answer[..3]).collect();
    // As many as are free at once, and what time gives meanwhile.
    assert!((10..20).contains(&(answers.len() - 1)), "{answers:?}");
    assert_eq!((answers[9], answers[answers.len() - 1]), ("200", "429"));
    assert!(server.metrics().await.contains("anser_turned_away_total{reason=\"attempts_per_s\"} 1"));
}

#[tokio::test]
async fn who_never_says_a_thing_is_counted_while_they_wait_and_when_they_go() {
    let server = server(|config| config.limits.login_ms = 1_000).await;
    let mut silent = from(2, server.server.http).await;
    let mut asked = from(2, server.server.http).await;
    asked.write_all(b"GET /healthz HTTP/1.1\r\nhost: test\r\n\r\n").await.expect("it is taken");
    while !server.metrics().await.contains("anser_strangers 2") {}
    pass(Duration::from_secs(1)).await;
    assert_eq!(silent.read(&mut [0]).await.expect("it ends"), 0);
    asked.read_to_end(&mut Vec::new()).await.expect("it ends");
    let text = server.metrics().await;
    assert!(text.contains("anser_turned_away_total{reason=\"login_ms\"} 1"), "{text}");
    while !server.metrics().await.contains("anser_strangers 0") {}
}

#[tokio::test]
async fn a_login_has_one_deadline_however_it_is_stretched() {
    let server = server(|config| config.limits.login_ms = 10_000).await;
    let upgrade = "GET /v1/ws HTTP/1.1\r\nhost: test\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
                   sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: anser.v1.json\r\n";
    let mut stream = TcpStream::connect(server.server.http).await.expect("the port accepts");
    stream.write_all(upgrade.as_bytes()).await.expect("it is taken");
    pass(Duration::from_secs(4)).await;
    stream.write_all(b"\r\n").await.expect("it is taken");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        assert_ne!(stream.read_buf(&mut head).await.expect("an answer"), 0);
    }
    assert!(head.starts_with(b"HTTP/1.1 101"));
    pass(Duration::from_secs(4)).await;
    // Half a frame.
    stream.write_all(&[0x81, 0x85, 0, 0, 0, 0, b'{']).await.expect("it is taken");
    assert!(!is_closed(&mut stream).await);
    pass(Duration::from_secs(2)).await;
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.expect("it ends");
    assert!(String::from_utf8_lossy(&rest).contains("LOGIN_TIMEOUT"));

    // A stranger on HTTP, who asks for one thing after the other.
    let mut http = TcpStream::connect(server.server.http).await.expect("the port accepts");
    for _ in 0..4 {
        http.write_all(b"GET /healthz HTTP/1.1\r\nhost: test\r\n\r\n").await.expect("it is taken");
        pass(Duration::from_secs(2)).await;
    }
    pass(Duration::from_secs(3)).await;
    http.read_to_end(&mut rest).await.expect("it ends");
}
