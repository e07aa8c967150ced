//! Health, metrics, the WebSocket's handshake, TLS, and the operator's socket.

use std::sync::Arc;

use anser_proto::{
    CloseCode, ErrorCode, Format,
    v1::{self, client_frame::Request, hello::Credential, server_frame::Body},
};
use anser_server::OPERATOR_SOCKET;
use anser_store::Failure;
use tokio::net::TcpStream;

use crate::{
    faulty::Faulty,
    raw::{TestServer, memory_store, send},
};

#[tokio::test]
async fn a_server_is_alive_and_ready_until_its_store_fails() {
    let faulty = Faulty::new(memory_store(&Default::default()));
    let store = faulty.clone();
    let server = TestServer::start_with(|_| {}, |_| std::sync::Arc::new(store)).await;
    assert_eq!(server.get("/healthz").await, ("HTTP/1.1 200 OK".into(), "ok\n".into()));
    assert_eq!(server.get("/readyz").await.0, "HTTP/1.1 200 OK");
    faulty.fail_next(Failure::Full);
    assert_eq!(server.get("/readyz").await.0, "HTTP/1.1 200 OK", "a second probe within a second");
    crate::ending::pass(std::time::Duration::from_secs(1)).await;
    let (status, body) = server.get("/readyz").await;
    assert_eq!(status, "HTTP/1.1 503 Service Unavailable");
    assert!(body.contains("full"), "{body}");
    assert!(server.get("/").await.1.contains("/v1/ws"));
    assert_eq!(server.get("/nowhere").await.0, "HTTP/1.1 404 Not Found");
}

#[tokio::test]
async fn a_server_that_stops_says_so_for_a_while_before_it_closes_its_ports() {
    let server = TestServer::start_with(|config| config.listen.unready_ms = 3_000, memory_store).await;
    let mut ada = server.login("ada").await;
    let http = server.server.http;
    let stopping = tokio::spawn(server.server.stop());
    let ready = async || {
        let stream = TcpStream::connect(http).await.expect("the port is open");
        crate::raw::exchange(stream, "GET /readyz HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n").await
    };
    while ready().await != ("HTTP/1.1 503 Service Unavailable".into(), "draining\n".into()) {}
    let own = ada.conversation_with(&ada);
    ada.send(&own, "m-1", "as long as it lasts").await;
    assert!(matches!(ada.event().await, v1::server_frame::Body::Draining(_)));
    stopping.await.expect("no panic").expect("it ends");
    assert!(TcpStream::connect(http).await.is_err());
}

#[tokio::test]
async fn the_metrics_count_what_happened() {
    let server = TestServer::start().await;
    let mut ada = server.login("ada").await;
    let notes = ada.conversation_with(&ada);
    ada.send(&notes, "m-1", "text").await;
    ada.refused(crate::raw::send(&notes, "", "text")).await;
    let text = server.metrics().await;
    for line in [
        "anser_connections 1",
        "anser_logins_total 1",
        "anser_requests_total{request=\"send\",outcome=\"OK\"} 1",
        "anser_requests_total{request=\"send\",outcome=\"BAD_FIELD\"} 1",
        "anser_store_appended_total 1",
        "anser_fan_out_seconds_count 1",
        "anser_fan_out_seconds_bucket{le=\"+Inf\"} 1",
    ] {
        assert!(text.contains(line), "{line:?} is not in {text}");
    }
}

#[tokio::test]
async fn what_operators_ask_is_not_told_on_the_port_of_clients() {
    let server = TestServer::start().await;
    assert_eq!(server.get("/metrics").await.0, "HTTP/1.1 404 Not Found");
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(crate::raw::get(server.server.operator, path).await.0, "HTTP/1.1 200 OK", "{path}");
        assert_eq!(server.operator("GET", path, "").await.0, "HTTP/1.1 200 OK", "{path}");
    }
    // It tells, to whoever reaches it; what changes something is for the owner of the data folder.
    assert_eq!(crate::raw::get(server.server.operator, "/v1/users").await.0, "HTTP/1.1 404 Not Found");
    assert!(server.server.operator.ip().is_loopback());
}

#[tokio::test]
async fn operators_ask_under_names_that_no_page_of_others_can_take() {
    let server =
        TestServer::start_with(|config| config.listen.operator_hosts = vec!["node-1".into()], memory_store).await;
    let ask = async |hosts: &str| {
        let stream = TcpStream::connect(server.server.operator).await.expect("the port accepts");
        crate::raw::exchange(stream, &format!("GET /metrics HTTP/1.1\r\n{hosts}connection: close\r\n\r\n")).await
    };
    for hosts in ["host: 127.0.0.1:7402\r\n", "host: localhost\r\n", "host: node-1:7402\r\n", ""] {
        let (status, body) = ask(hosts).await;
        assert_eq!((status.as_str(), body.contains("anser_")), ("HTTP/1.1 200 OK", true), "{hosts}");
    }
    for hosts in ["host: evil.example:7402\r\n", "host: \r\n", "host: localhost\r\nhost: evil.example\r\n"] {
        let (status, body) = ask(hosts).await;
        assert_eq!(status, "HTTP/1.1 421 Misdirected Request", "{hosts}");
        assert!(body.contains("listen.operator_hosts") && !body.contains("anser_"), "{body}");
    }
}

#[tokio::test]
async fn a_handshake_that_is_none_is_told_what_it_lacks() {
    let server = TestServer::start().await;
    assert_eq!(server.get("/v1/ws").await.0, "HTTP/1.1 426 Upgrade Required");
    let upgrade = "GET /v1/ws HTTP/1.1\r\nhost: test\r\nconnection: upgrade, close\r\nupgrade: websocket\r\n";
    for (headers, named) in [
        ("sec-websocket-version: 8\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "Sec-WebSocket-Version"),
        ("sec-websocket-version: 13\r\n", "Sec-WebSocket-Key"),
        ("sec-websocket-version: 13\r\nsec-websocket-key: a2V5\r\n", "16 bytes"),
        ("sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "Sec-WebSocket-Protocol"),
        (
            "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: mqtt\r\n",
            "Sec-WebSocket-Protocol",
        ),
    ] {
        let stream = TcpStream::connect(server.server.http).await.expect("the port accepts");
        let (status, body) = crate::raw::exchange(stream, &format!("{upgrade}{headers}\r\n")).await;
        assert_eq!(status, "HTTP/1.1 400 Bad Request");
        assert!(body.contains(named), "{body:?} does not name {named}");
    }
}

#[tokio::test]
async fn a_list_in_a_handshake_may_be_spread_over_lines() {
    let server = TestServer::start().await;
    let stream = TcpStream::connect(server.server.http).await.expect("the port accepts");
    let headers = "host: test\r\nconnection: keep-alive\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
                   sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: mqtt\r\n\
                   sec-websocket-protocol: anser.v1.json\r\n";
    let (status, _) = crate::raw::exchange(stream, &format!("GET /v1/ws HTTP/1.1\r\n{headers}\r\n")).await;
    assert_eq!(status, "HTTP/1.1 101 Switching Protocols");
}

#[tokio::test]
async fn pages_of_other_origins_may_not_connect() {
    let listed =
        |origins: &[&str]| origins.iter().map(|text| text.to_string().try_into().expect("an origin")).collect();
    for (origins, host, origin, status) in [
        (&[][..], "test:7400", "", "101 Switching Protocols"),
        (&[], "localhost:7400", "origin: http://localhost:7400\r\n", "101 Switching Protocols"),
        // Their name server leads there.
        (&[], "evil.example:7400", "origin: http://evil.example:7400\r\n", "403 Forbidden"),
        // Its TLS is a proxy's.
        (&[], "chat.example.com", "origin: https://chat.example.com\r\n", "101 Switching Protocols"),
        (&[], "test:7400", "origin: http://evil.example\r\n", "403 Forbidden"),
        (&[], "localhost:7400", "origin: http://localhost:3000\r\n", "403 Forbidden"),
        (&[], "test:7400", "origin: null\r\n", "403 Forbidden"),
        (&[], "localhost:7400", "origin: http://localhost:7400\r\norigin: http://evil.example\r\n", "403 Forbidden"),
        (&["https://app.example.com"], "test:7400", "origin: https://app.example.com\r\n", "101 Switching Protocols"),
        (&["https://app.example.com"], "localhost:7400", "origin: http://localhost:7400\r\n", "403 Forbidden"),
        (&["https://app.example.com"], "test:7400", "", "101 Switching Protocols"),
        (&["*"], "test:7400", "origin: http://evil.example\r\n", "101 Switching Protocols"),
    ] {
        let server = TestServer::start_with(
            |config| {
                config.listen.origins = listed(origins);
                config.cluster.client_url = Some("wss://chat.example.com".into());
            },
            memory_store,
        )
        .await;
        let stream = TcpStream::connect(server.server.http).await.expect("the port accepts");
        let request = crate::raw::upgrade(&format!("host: {host}\r\n{origin}"));
        let (told, body) = crate::raw::exchange(stream, &request).await;
        assert_eq!(told, format!("HTTP/1.1 {status}"), "{origins:?}, {host}, {origin:?}");
        if status.starts_with("403") {
            assert!(body.contains("listen.origins"), "{body:?} does not name the setting");
            assert!(server.metrics().await.contains("anser_turned_away_total{reason=\"origins\"} 1"));
        }
    }
}

#[tokio::test]
async fn an_operator_makes_users_and_shuts_them_out_at_once() {
    let server = TestServer::start().await;
    let made = r#"{"account": "ada", "nickname": "Ada", "password": "correct horse"}"#;
    assert_eq!(server.operator("POST", "/v1/users", made).await.0, "HTTP/1.1 200 OK");
    let (status, body) = server.operator("POST", "/v1/users", made).await;
    assert_eq!(status, "HTTP/1.1 409 Conflict");
    assert!(body.contains("account"), "{body}");
    assert!(server.operator("GET", "/v1/users", "").await.1.contains("\"Ada\""));

    let mut ada = server.login("ada").await;
    assert_eq!(
        server.operator("POST", "/v1/users/change", r#"{"account": "ada", "password": "battery"}"#).await.0,
        "HTTP/1.1 200 OK"
    );
    assert_eq!(ada.end().await.1, Some(CloseCode::TokenRanOut));

    let mut ada = server.login("ada").await;
    assert_eq!(
        server.operator("POST", "/v1/users/change", r#"{"account": "ada", "disabled": true}"#).await.0,
        "HTTP/1.1 200 OK"
    );
    assert_eq!(ada.end().await.1, Some(CloseCode::LoginRefused));
    let mut again = server.tcp(anser_proto::Format::Protobuf).await;
    again.say(v1::client_frame::Request::Hello(server.hello("ada", "phone"))).await;
    assert_eq!(again.end().await.0, Some(ErrorCode::UserDisabled));

    for (path, body, status) in [
        ("/v1/users/change", r#"{"account": "nobody", "disabled": true}"#, "HTTP/1.1 404 Not Found"),
        ("/v1/users", r#"{"account": ""}"#, "HTTP/1.1 400 Bad Request"),
        ("/v1/users", r#"{"acount": "ada"}"#, "HTTP/1.1 422 Unprocessable Entity"),
        ("/v1/users", "{", "HTTP/1.1 400 Bad Request"),
    ] {
        assert_eq!(server.operator("POST", path, body).await.0, status, "{path} {body}");
    }
}

#[tokio::test]
async fn an_operator_is_told_what_becomes_of_a_login_with_a_token() {
    let server = TestServer::start().await;
    let made = r#"{"account": "ada", "password": "correct horse"}"#;
    assert_eq!(server.operator("POST", "/v1/users", made).await.0, "HTTP/1.1 200 OK");
    let mut raw = server.tcp(Format::Protobuf).await;
    let (account, password) = ("ada".into(), "correct horse".into());
    let credential = Some(Credential::Password(v1::Password { account, password }));
    raw.hello(v1::Hello { credential, ..server.hello("ada", "phone") }).await;
    let bought = raw.welcome.token.clone();
    let standing = async |token: &str, told: &str| {
        let (status, body) = server.operator("POST", "/v1/tokens/check", &format!("{{\"token\": \"{token}\"}}")).await;
        assert!(body.contains(told), "{told} is not in {status} {body}");
    };
    for token in [&bought, &server.token("ada")] {
        standing(token, "let_in").await;
    }
    standing(&server.token("nobody"), "created").await;
    standing("wrong", "401").await;
    server.operator("POST", "/v1/users/change", r#"{"account": "ada", "password": "battery staple"}"#).await;
    standing(&bought, "other_password").await;
    standing(&server.token("ada"), "let_in").await;
    server.operator("POST", "/v1/users/change", r#"{"account": "ada", "disabled": true}"#).await;
    for token in [&bought, &server.token("ada")] {
        standing(token, "disabled").await;
    }
}

#[tokio::test]
async fn connections_end_also_when_it_is_not_known_whether_their_user_was_disabled() {
    let faulty = Faulty::new(memory_store(&Default::default()));
    let store = faulty.clone();
    let server = TestServer::start_with(|_| {}, |_| Arc::new(store)).await;
    let mut ada = server.login("ada").await;
    faulty.fail_next(Failure::UnknownOutcome("cut".into()));
    let disable = r#"{"account": "ada", "disabled": true}"#;
    let begun = std::time::Instant::now();
    assert_eq!(server.operator("POST", "/v1/users/change", disable).await.0, "HTTP/1.1 500 Internal Server Error");
    assert_eq!(ada.end().await.1, Some(CloseCode::LoginRefused));
    assert!(begun.elapsed().as_secs() < 2, "after {:?}", begun.elapsed());
}

#[tokio::test]
async fn connections_end_also_when_the_store_does_not_tell_at_once_whose_logins_are_over() {
    let faulty = Faulty::new(memory_store(&Default::default()));
    let store = faulty.clone();
    let server = TestServer::start_with(|_| {}, |_| Arc::new(store)).await;
    let mut ada = server.login("ada").await;
    // The change is done, and the question behind it has no answer.
    faulty.fail([None, Some(Failure::Overloaded)]);
    let disable = r#"{"account": "ada", "disabled": true}"#;
    assert_eq!(server.operator("POST", "/v1/users/change", disable).await.0, "HTTP/1.1 200 OK");
    assert_eq!(ada.end().await.1, Some(CloseCode::LoginRefused));
}

/// Nobody told, which cannot happen here; between nodes see `tests/cluster/servers.rs`.
#[tokio::test]
async fn a_login_that_is_over_stores_nothing_and_its_connection_ends() {
    let server = TestServer::start().await;
    let mut ada = server.login("ada").await;
    let notes = ada.conversation_with(&ada);
    ada.send(&notes, "m-1", "before").await;
    server.store.set_disabled(ada.user, true).await.expect("they are there");
    // What was asked for together is answered, and then the connection ends, whatever stands last.
    let asked = vec![send(&notes, "m-1", "before"), send(&notes, "m-2", "after"), Request::Ping(v1::Ping {})];
    let ids = ada.say_all(asked).await;
    let retried = ada.answer(ids[0]).await;
    assert!(matches!(retried, Body::Sent(sent) if sent.server_msg_id == 1), "a retry gets the first place");
    assert_eq!(ada.end().await, (Some(ErrorCode::LoginOver), Some(CloseCode::TokenRanOut)));
}

#[cfg(unix)]
#[tokio::test]
async fn the_operators_socket_is_for_the_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let server = TestServer::start().await;
    let socket = server.config.store.dir.join(OPERATOR_SOCKET);
    let mode = std::fs::metadata(socket).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
