//! Proxies before the server: who is believed when they say whom they pass on, and that limits count those.

use std::time::Duration;

use anser_proto::{CloseCode, ErrorCode, Format};
use anser_server::config::{Config, Port};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    door::{from, is_closed},
    ending::pass,
    raw::{self, Raw, TestServer, exchange, memory_store},
    tls,
};

/// The last byte of the proxy's address, and of somebody else's.
const PROXY: u8 = 9;
const OTHER: u8 = 10;

/// Behind a proxy at 127.0.0.9, and with room for two strangers of one address.
async fn server(change: impl FnOnce(&mut Config)) -> TestServer {
    let config = |config: &mut Config| {
        config.listen.trusted_proxies = vec!["127.0.0.9".to_owned().try_into().expect("an address")];
        config.limits.strangers_per_address = 2;
        change(config);
    };
    TestServer::start_with(config, memory_store).await
}

/// Asks for a WebSocket, and tells the status.
async fn upgrade(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), forwarded_for: &str) -> String {
    let request = raw::upgrade(&format!("host: test\r\nx-forwarded-for: {forwarded_for}\r\n"));
    raw::status(stream, &request).await.split(' ').nth(1).expect("a status").to_owned()
}

async fn http(last: u8, server: &TestServer) -> TcpStream {
    from(last, server.server.http).await
}

#[tokio::test]
async fn whom_a_proxy_passes_on_has_limits_of_their_own() {
    let server = server(|_| {}).await;
    let mut held = Vec::new();
    for (address, status) in [
        ("198.51.100.1", "101"),
        ("1.1.1.1, 198.51.100.1", "101"),
        ("198.51.100.1", "429"),
        ("198.51.100.2", "101"),
        ("2001:db8::1", "101"),
        ("[2001:db8::2]:80", "101"),
        ("2001:db8::3", "429"),
        ("garbage", "400"),
    ] {
        let mut stream = http(PROXY, &server).await;
        assert_eq!(upgrade(&mut stream, address).await, status, "{address}");
        held.push(stream);
    }
    let text = server.metrics().await;
    for line in [
        "anser_turned_away_total{reason=\"strangers_per_address\"} 2",
        "anser_turned_away_total{reason=\"x_forwarded_for\"} 1",
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
}

#[tokio::test]
async fn a_proxy_itself_is_counted_among_all_and_in_no_address() {
    let server = server(|config| config.limits.attempts_per_s = 1).await;
    let mut own = Vec::new();
    for _ in 0..30 {
        own.push(http(PROXY, &server).await);
    }
    for stream in &mut own {
        let health = "GET /healthz HTTP/1.1\r\nhost: test\r\n\r\n";
        stream.write_all(health.as_bytes()).await.expect("it is taken");
        assert_eq!(stream.read_u8().await.expect("an answer"), b'H');
    }
}

#[tokio::test]
async fn requests_that_come_over_one_connection_of_a_proxy_are_told_apart() {
    let server = server(|config| config.limits.attempts_per_s = 1).await;
    let mut proxied = http(PROXY, &server).await;
    let mut ask = async |address: &str| {
        let request = format!("GET /v1/access HTTP/1.1\r\nhost: test\r\nx-forwarded-for: {address}\r\n\r\n");
        proxied.write_all(request.as_bytes()).await.expect("it is taken");
        let mut answer = [0; 4096];
        let read = proxied.read(&mut answer).await.expect("an answer");
        String::from_utf8_lossy(&answer[..read]).split(' ').nth(1).map(str::to_owned)
    };
    for _ in 0..10 {
        assert_eq!(ask("198.51.100.1").await.as_deref(), Some("200"));
    }
    assert_eq!(ask("198.51.100.2").await.as_deref(), Some("200"));
    assert_eq!(ask("198.51.100.1").await.as_deref(), Some("429"));
}

#[tokio::test]
async fn a_connection_of_a_proxy_lasts_as_long_as_its_last_request_may() {
    let server = server(|config| config.limits.login_ms = 1_000).await;
    let mut proxied = http(PROXY, &server).await;
    for _ in 0..3 {
        let request = "GET /healthz HTTP/1.1\r\nhost: test\r\nx-forwarded-for: 198.51.100.1\r\n\r\n";
        assert_eq!(raw::status(&mut proxied, request).await, "HTTP/1.1 200 OK");
        assert_eq!(proxied.read_exact(&mut [0; 3]).await.expect("a body"), 3);
        pass(Duration::from_millis(700)).await;
    }
}

#[tokio::test]
async fn whoever_is_no_proxy_is_not_believed() {
    let server = server(|config| config.listen.proxy_protocol = vec![Port::Tcp]).await;
    let mut held = Vec::new();
    for number in 0..2 {
        let mut stream = http(OTHER, &server).await;
        assert_eq!(upgrade(&mut stream, &format!("198.51.100.{number}")).await, "101");
        held.push(stream);
    }
    assert!(is_closed(&mut http(OTHER, &server).await).await, "it counts where it comes from");

    let mut stream = Raw::over_tcp(from(OTHER + 1, server.server.tcp).await, Format::Protobuf);
    stream.say_raw(b"PROXY TCP4 198.51.100.1 192.0.2.1 4711 7401\r\n").await;
    assert_eq!(stream.end().await, (Some(ErrorCode::FrameTooLarge), Some(CloseCode::FrameOverLimit)));
    // Nor need it say anything.
    Raw::over_tcp(from(OTHER + 2, server.server.tcp).await, Format::Protobuf).hello(server.hello("ada", "phone")).await;
}

#[tokio::test]
async fn where_it_is_configured_a_proxys_connection_begins_with_its_header() {
    let server = server(|config| config.listen.proxy_protocol = vec![Port::Tcp]).await;
    let begin = async |header: &str| {
        let mut stream = from(PROXY, server.server.tcp).await;
        stream.write_all(header.as_bytes()).await.expect("it is taken");
        stream
    };
    let mut held = Vec::new();
    for (header, is_refused) in [
        ("PROXY TCP4 198.51.100.1 192.0.2.1 4711 7401\r\n", false),
        ("PROXY TCP4 198.51.100.1 192.0.2.1 4712 7401\r\n", false),
        ("PROXY TCP4 198.51.100.1 192.0.2.1 4713 7401\r\n", true),
        ("PROXY TCP6 2001:db8::1 2001:db8::2 4711 7401\r\n", false),
        ("PROXY UNKNOWN\r\n", false),
        ("PROXY UNKNOWN\r\n", false),
        ("PROXY UNKNOWN\r\n", false),
        ("\0\0\0\x04\x08\x07\x1a\0", true),
    ] {
        let mut stream = begin(header).await;
        assert_eq!(is_closed(&mut stream).await, is_refused, "{header:?}");
        held.push(stream);
    }
    let proxied = begin("PROXY TCP4 198.51.100.9 192.0.2.1 4711 7401\r\n").await;
    Raw::over_tcp(proxied, Format::Protobuf).hello(server.hello("ada", "phone")).await;
    assert!(server.metrics().await.contains("anser_turned_away_total{reason=\"proxy_protocol\"} 1"));

    // The other port was not named.
    let health = "GET /healthz HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n";
    assert_eq!(exchange(http(PROXY, &server).await, health).await.0, "HTTP/1.1 200 OK");
}

#[tokio::test]
async fn the_header_stands_before_tls_and_may_name_a_proxy_that_speaks_http() {
    let secure = |config: &mut Config| {
        tls::secure(config);
        config.listen.proxy_protocol = vec![Port::Http];
        config.listen.trusted_proxies.push("198.51.100.0/24".to_owned().try_into().expect("a network"));
    };
    let server = server(secure).await;
    let mut held = Vec::new();
    for status in ["101", "101", "429"] {
        let mut stream = http(PROXY, &server).await;
        let header = [b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c", &[198, 51, 100, 1, 192, 0, 2, 1, 1, 2, 3, 4][..]].concat();
        stream.write_all(&header).await.expect("it is taken");
        let mut stream = tls::handshake(stream).await;
        assert_eq!(upgrade(&mut stream, "203.0.113.5").await, status);
        held.push(stream);
    }
}
