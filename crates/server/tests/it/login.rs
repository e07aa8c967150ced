//! The first frame, and who is let in.

use std::time::Duration;

use anser_proto::{
    CloseCode, ErrorCode, Format, GroupId, UserId, VERSION, digest::groups_digest, v1, v1::hello::Credential,
};
use anser_server::{password, token::Tokens};
use anser_store::NewUser;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::raw::{Raw, TestServer, clock};

fn with_token(token: String) -> v1::Hello {
    v1::Hello {
        version: VERSION,
        credential: Some(Credential::Token(token)),
        device: Some(v1::Device { device_id: "phone".into(), ..Default::default() }),
        ..Default::default()
    }
}

fn with_password(account: &str, password: &str) -> v1::Hello {
    let credential = v1::Password { account: account.into(), password: password.into() };
    v1::Hello { credential: Some(Credential::Password(credential)), ..with_token(String::new()) }
}

/// What becomes of a hello that is refused.
async fn refusal(server: &TestServer, hello: v1::Hello) -> (Option<ErrorCode>, Option<CloseCode>) {
    let mut raw = server.web_socket(Format::Protobuf).await;
    raw.say(v1::client_frame::Request::Hello(hello)).await;
    raw.end().await
}

#[tokio::test]
async fn a_token_lets_in_and_makes_the_user_once() {
    let server = TestServer::start().await;
    let first = server.login_device("ada", "phone").await;
    let again = server.login_device("ada", "laptop").await;
    assert_eq!(first.user, again.user);
    assert_eq!(first.welcome.user.expect("who one is").account, "ada");
    assert_eq!((first.welcome.mailbox_behind, first.welcome.groups_behind), (false, false));
    assert!(first.welcome.token.is_empty());
}

#[tokio::test]
async fn a_token_that_is_not_ours_is_refused() {
    let server = TestServer::start().await;
    let elsewhere = TestServer::start().await;
    let now_s = clock()() / 1000;
    let own = server.token("ada");
    let (head, rest) = own.split_once('.').expect("a token");
    let (claims, signature) = rest.split_once('.').expect("a token");
    // {"alg":"none"} and {"alg":"RS256","typ":"JWT"}
    let none = format!("eyJhbGciOiJub25lIn0.{claims}.");
    let rs256 = format!("eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.{claims}.{signature}");
    for token in [
        elsewhere.token("ada"),
        none,
        rs256,
        format!("{head}.{claims}."),
        "no token".into(),
        String::new(),
        server.tokens.mint("not ascii: é", 0, now_s + 60),
        server.tokens.mint("", 0, now_s + 60),
        other_claims(&server, |auth| auth.audience = "others".into()),
        other_claims(&server, |auth| auth.issuers = vec!["others".into()]),
    ] {
        let told = refusal(&server, with_token(token.clone())).await;
        assert_eq!(told, (Some(ErrorCode::BadToken), Some(CloseCode::LoginRefused)), "{token}");
    }
    let old = server.tokens.mint("ada", 0, now_s - 3600);
    assert_eq!(refusal(&server, with_token(old)).await.0, Some(ErrorCode::TokenExpired));
}

/// Signed with the server's secret, but with claims that it does not believe.
fn other_claims(server: &TestServer, change: impl FnOnce(&mut anser_server::config::Auth)) -> String {
    let mut auth = server.config.auth.clone();
    change(&mut auth);
    let tokens = Tokens::load(&auth, &server.config.store.dir).expect("the same secret");
    tokens.mint("ada", 0, clock()() / 1000 + 60)
}

#[tokio::test]
async fn a_token_signed_with_the_configured_ed25519_key_lets_in() {
    let (pem, token) = ed25519_token("ada", clock()() / 1000 + 60);
    let server = TestServer::start_with(
        |config| {
            let path = config.store.dir.join("eddsa.pem");
            std::fs::write(&path, pem).expect("a file for the test");
            config.auth.eddsa_public_key_file = Some(path);
        },
        crate::raw::memory_store,
    )
    .await;
    let mut raw = server.tcp(Format::Protobuf).await;
    raw.hello(with_token(token.clone())).await;
    assert_eq!(raw.welcome.user.expect("who one is").account, "ada");

    let without_key = TestServer::start().await;
    assert_eq!(refusal(&without_key, with_token(token)).await.0, Some(ErrorCode::BadToken));
}

/// A public key in PEM and a token that its private half signed.
fn ed25519_token(account: &str, exp: u64) -> (String, String) {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
    use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
    use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};

    let pkcs8 = Ed25519KeyPair::generate_pkcs8(&aws_lc_rs::rand::SystemRandom::new()).expect("randomness");
    let pair = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).expect("a key");
    // SubjectPublicKeyInfo of Ed25519 (RFC 8410) is this prefix and the 32 bytes of the key.
    let mut spki = vec![0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
    spki.extend_from_slice(pair.public_key().as_ref());
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", BASE64.encode(spki));
    let claims = serde_json::json!({ "iss": "anser", "aud": "anser", "sub": account, "exp": exp });
    let key = EncodingKey::from_ed_der(pkcs8.as_ref());
    (pem, encode(&Header::new(Algorithm::EdDSA), &claims, &key).expect("a token"))
}

#[tokio::test]
async fn a_password_lets_in_and_gives_a_token_for_the_next_time() {
    let server = TestServer::start().await;
    let password = password::create("correct horse").expect("a good password");
    let ada = NewUser { user: UserId(7), account: "ada".into(), nickname: "Ada".into(), password: Some(password) };
    server.store.create_user(ada).await.expect("a new user");

    let mut raw = server.tcp(Format::Protobuf).await;
    raw.hello(with_password("ada", "correct horse")).await;
    assert_eq!(raw.user, UserId(7));
    let token = raw.welcome.token.clone();
    assert!(token.len() < 64, "each device says it at every login: {token}");
    let mut forged = token.clone();
    forged.pop();
    assert_eq!(refusal(&server, with_token(forged)).await.0, Some(ErrorCode::BadToken));
    let mut again = server.tcp(Format::Protobuf).await;
    again.hello(with_token(token.clone())).await;
    assert_eq!(again.user, UserId(7));

    let other = password::create("correct horse").expect("a good password");
    server.store.set_password(UserId(7), other).await.expect("they are there");
    assert_eq!(
        refusal(&server, with_token(token)).await.0,
        Some(ErrorCode::TokenExpired),
        "the password is another one"
    );

    server.login("bob").await;
    for hello in [with_password("ada", "wrong"), with_password("nobody", "wrong"), with_password("bob", "")] {
        assert_eq!(refusal(&server, hello).await, (Some(ErrorCode::BadPassword), Some(CloseCode::LoginRefused)));
    }
}

/// A server on which one wrong password is as many as may be at once, and somebody who has one.
async fn with_a_password() -> TestServer {
    let server = TestServer::start_with(|config| config.limits.password_attempts = 1, crate::raw::memory_store).await;
    let password = Some(password::create("correct horse").expect("a good password"));
    let ada = NewUser { user: UserId(7), account: "ada".into(), nickname: "Ada".into(), password };
    server.store.create_user(ada).await.expect("a new user");
    server
}

/// From another address: None if it lets in.
async fn refusal_from(server: &TestServer, address: [u8; 4], account: &str, password: &str) -> Option<v1::Error> {
    let mut raw = server.tcp_from(address).await;
    match raw.ask(v1::client_frame::Request::Hello(with_password(account, password))).await {
        v1::server_frame::Body::Error(error) => Some(error),
        v1::server_frame::Body::Welcome(_) => None,
        other => panic!("neither in nor out: {other:?}"),
    }
}

#[tokio::test]
async fn who_guesses_is_slowed_down_and_not_the_owner() {
    let server = with_a_password().await;
    let (mallory, owner) = ([127, 0, 0, 66], [127, 0, 0, 7]);
    for account in ["ada", "nobody"] {
        let wrong = refusal_from(&server, mallory, account, "wrong").await.expect("a refusal");
        assert_eq!(wrong.code(), ErrorCode::BadPassword, "{account}");
        let slowed = refusal_from(&server, mallory, account, "correct horse").await.expect("a refusal");
        assert_eq!(slowed.code(), ErrorCode::TooManyAttempts, "{account}");
        assert!((1..=60_000).contains(&slowed.retry_after_ms), "{account}: {}", slowed.retry_after_ms);
    }
    assert_eq!(refusal_from(&server, owner, "ada", "correct horse").await, None);
    let told = refusal(&server, with_password("nobody", "wrong")).await;
    assert_eq!(told, (Some(ErrorCode::BadPassword), Some(CloseCode::LoginRefused)));
    let told = refusal(&server, with_password("nobody", "wrong")).await;
    assert_eq!(told, (Some(ErrorCode::TooManyAttempts), Some(CloseCode::ServerBusy)));
}

#[tokio::test]
async fn guesses_from_everywhere_do_not_shut_out_who_came_from_there_before() {
    let server = with_a_password().await;
    // One logged in with the password, the other with the token that was given for it.
    let (phone, laptop) = ([127, 0, 0, 7], [127, 0, 0, 8]);
    let mut raw = server.tcp_from(phone).await;
    raw.hello(with_password("ada", "correct horse")).await;
    let token = raw.welcome.token.clone();
    server.tcp_from(laptop).await.hello(with_token(token)).await;

    let mut is_slowed = false;
    for number in 0..100 {
        let told = refusal_from(&server, [127, 66, 0, number % 20], "ada", "wrong").await.expect("a refusal");
        is_slowed |= told.code() == ErrorCode::TooManyAttempts;
    }
    assert!(is_slowed, "one account is guessed at as often as one likes");
    assert_eq!(refusal_from(&server, phone, "ada", "correct horse").await, None);
    assert_eq!(refusal_from(&server, laptop, "ada", "correct horse").await, None);
    assert_eq!(refusal_from(&server, [127, 0, 0, 9], "ada", "correct horse").await, None, "on a new network");
}

/// As the SDK does it. What is counted are frames, without what a transport adds.
#[tokio::test]
async fn to_come_again_to_200_conversations_with_nothing_new_takes_less_than_200_bytes_both_ways() {
    let server = TestServer::start().await;
    let password = Some(password::create("correct horse").expect("a good password"));
    let alice = NewUser { user: UserId(7), account: "alice".into(), nickname: "Alice".into(), password };
    server.store.create_user(alice).await.expect("a new user");
    let mut raw = server.tcp(Format::Protobuf).await;
    raw.hello(with_password("alice", "correct horse")).await;
    let device = v1::Device { device_id: "d-5b1f0c".into(), name: "Alice's laptop".into(), ..Default::default() };
    let hello =
        v1::Hello { device: Some(device), client: "anser-rust/0.1.0".into(), ..with_token(raw.welcome.token.clone()) };
    server.tcp(Format::Protobuf).await.hello(hello.clone()).await;
    for number in 0..100 {
        let mut other = server.login(&format!("other-{number}")).await;
        other.send(&other.conversation_with(&raw), "m-1", "hello").await;
        let (client_group_id, user_ids) = (format!("g-{number}"), vec![other.user.0]);
        let create = v1::CreateGroup { client_group_id, name: "Geese".into(), user_ids, ..Default::default() };
        raw.ask(v1::client_frame::Request::CreateGroup(create)).await;
    }
    let (mut known, mut sessions) = (0, Vec::new());
    while sessions.len() < 200 {
        let page = raw.sync(known).await;
        assert!(page.mailbox_seq > known, "it goes on");
        known = page.mailbox_seq;
        sessions.extend(page.sessions);
    }
    let group = |session: &v1::Session| Some((GroupId(session.group.as_ref()?.group_id), session.head));
    let groups_digest = groups_digest(sessions.iter().filter_map(group));
    let positions = v1::Positions { log_id: server.store.log_id(), mailbox_seq: known, groups_digest };
    let hello = v1::Hello { positions: Some(positions), ..hello };
    let mut again = server.tcp(Format::Protobuf).await;
    let (id, frame) = again.next_frame(v1::client_frame::Request::Hello(hello));
    let bytes = frame.len();
    again.say_bytes(frame).await;
    let welcome = v1::ServerFrame { request_id: id, body: Some(again.answer(id).await) };
    let Some(v1::server_frame::Body::Welcome(told)) = &welcome.body else { panic!("{welcome:?}") };
    assert!(!told.mailbox_behind && !told.groups_behind, "nothing is new");
    let bytes = bytes + Format::Protobuf.encode(&welcome).len();
    // As docs/performance.md says; a number of the store's own, which is drawn, may take some bytes more or less.
    assert!((170..=192).contains(&bytes), "{bytes} bytes");
}

#[tokio::test]
async fn a_token_of_an_earlier_password_throws_nobody_out() {
    let server = TestServer::start().await;
    let of = |text: &str| password::create(text).expect("a good password");
    let ada =
        NewUser { user: UserId(7), account: "ada".into(), nickname: "Ada".into(), password: Some(of("correct horse")) };
    server.store.create_user(ada).await.expect("a new user");
    let mut raw = server.tcp(Format::Protobuf).await;
    raw.hello(with_password("ada", "correct horse")).await;
    let stolen = raw.welcome.token.clone();
    drop(raw);

    server.store.set_password(UserId(7), of("battery staple")).await.expect("they are there");
    let mut owner = server.tcp(Format::Protobuf).await;
    owner.hello(with_password("ada", "battery staple")).await;
    assert_eq!(refusal(&server, with_token(stolen)).await.0, Some(ErrorCode::TokenExpired));
    owner.nothing_more().await;
    assert_eq!(server.store.devices(UserId(7)).await.expect("they are there").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_logs_in_again_and_again_has_to_wait() {
    let server = TestServer::start().await;
    let log_in = async |account: &str| {
        let line = server.server.connect().expect("there is room");
        let mut raw = Raw::over_tcp(line, Format::Protobuf);
        raw.ask(v1::client_frame::Request::Hello(server.hello(account, "phone"))).await
    };
    let mut times = 0;
    let told = loop {
        match log_in("ada").await {
            v1::server_frame::Body::Welcome(_) => times += 1,
            v1::server_frame::Body::Error(error) => break error,
            other => panic!("neither in nor out: {other:?}"),
        }
        assert!(times < 1_000, "nothing stops it");
    };
    assert!(times >= 4 * server.config.limits.devices_per_user, "refused after {times}");
    assert_eq!(told.code(), ErrorCode::RateLimited);
    assert!((1..=100).contains(&told.retry_after_ms), "{} ms", told.retry_after_ms);
    assert!(matches!(log_in("bob").await, v1::server_frame::Body::Welcome(_)));
    tokio::time::advance(Duration::from_millis(told.retry_after_ms.into())).await;
    assert!(matches!(log_in("ada").await, v1::server_frame::Body::Welcome(_)));
}

#[tokio::test]
async fn a_disabled_user_is_not_let_in() {
    let server = TestServer::start().await;
    let ada = server.login("ada").await;
    server.store.set_disabled(ada.user, true).await.expect("they are there");
    let told = refusal(&server, server.hello("ada", "laptop")).await;
    assert_eq!(told, (Some(ErrorCode::UserDisabled), Some(CloseCode::LoginRefused)));
}

#[tokio::test]
async fn a_hello_must_be_the_first_frame_and_the_only_one() {
    let server = TestServer::start().await;
    let mut raw = server.web_socket(Format::Json).await;
    raw.say(v1::client_frame::Request::Ping(v1::Ping {})).await;
    assert_eq!(raw.end().await, (Some(ErrorCode::LoginRequired), Some(CloseCode::LoginRefused)));

    let mut ada = server.login("ada").await;
    let again = v1::client_frame::Request::Hello(server.hello("ada", "phone"));
    assert_eq!(ada.refused(again).await, ErrorCode::AlreadyLoggedIn);
}

#[tokio::test]
async fn another_version_is_refused_by_name() {
    let server = TestServer::start().await;
    let hello = v1::Hello { version: 99, ..server.hello("ada", "phone") };
    let told = refusal(&server, hello).await;
    assert_eq!(told, (Some(ErrorCode::UnsupportedVersion), Some(CloseCode::VersionRefused)));
}

#[tokio::test]
async fn a_device_must_have_a_name_that_others_can_bear() {
    let server = TestServer::start().await;
    for device in [
        None,
        Some(v1::Device { device_id: "x".repeat(65), ..Default::default() }),
        Some(v1::Device { device_id: "phone".into(), name: "line\nbreak".into(), ..Default::default() }),
    ] {
        let told = refusal(&server, v1::Hello { device, ..server.hello("ada", "phone") }).await;
        assert_eq!(told, (Some(ErrorCode::BadField), Some(CloseCode::LoginRefused)));
    }
}

#[tokio::test]
async fn the_same_device_replaces_its_older_connection() {
    let server = TestServer::start().await;
    let mut old = server.web_socket(Format::Protobuf).await;
    old.hello(server.hello("ada", "phone")).await;
    let mut other = server.login_device("ada", "laptop").await;
    old.drop_events().await;
    let mut new = server.login_device("ada", "phone").await;
    let v1::server_frame::Body::Kicked(kicked) = old.event().await else { panic!("not kicked") };
    assert_eq!(kicked.code(), CloseCode::Replaced);
    assert_eq!(old.end().await.1, Some(CloseCode::Replaced));
    other.nothing_more().await;
    new.nothing_more().await;
}

#[tokio::test]
async fn a_web_socket_on_an_old_connection_of_a_proxy_is_as_young_as_its_handshake() {
    let server = TestServer::start().await;
    let mut stream = TcpStream::connect(server.server.http).await.expect("the port accepts");
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: test\r\n\r\n").await.expect("it is taken");
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\nok\n") {
        assert_ne!(stream.read_buf(&mut answer).await.expect("an answer"), 0, "{answer:?}");
    }
    let mut old = server.login("ada").await;
    let mut new = Raw::over_web_socket(stream, Format::Protobuf).await;
    new.hello(server.hello("ada", "phone")).await;
    assert_eq!(old.end().await.1, Some(CloseCode::Replaced));
    new.nothing_more().await;
}

#[tokio::test]
async fn a_login_that_meets_a_failing_store_may_come_again() {
    let faulty = crate::faulty::Faulty::new(crate::raw::memory_store(&Default::default()));
    let store = faulty.clone();
    let server = TestServer::start_with(|_| {}, |_| std::sync::Arc::new(store)).await;
    faulty.fail_next(anser_store::Failure::Failed("torn".into()));
    let told = refusal(&server, server.hello("ada", "phone")).await;
    assert_eq!(told, (Some(ErrorCode::Internal), Some(CloseCode::ServerError)));
    server.login("ada").await;
}

#[tokio::test]
async fn a_login_that_fails_ends_no_other_connection() {
    let faulty = crate::faulty::Faulty::new(crate::raw::memory_store(&Default::default()));
    let store = faulty.clone();
    // The second time there is no place but that of the older connection.
    for connections in [8, 1] {
        let store = store.clone();
        let settings = |config: &mut anser_server::config::Config| {
            config.limits.connections = connections;
            config.limits.devices_per_user = 1;
        };
        let server = TestServer::start_with(settings, |_| std::sync::Arc::new(store)).await;
        let mut old = server.login_device("ada", "phone").await;
        for device in ["phone", "laptop"] {
            let hello = server.hello("ada", device);
            if device == "phone" || connections > 1 {
                faulty.fail_next(anser_store::Failure::Failed("torn".into()));
                assert_eq!(refusal(&server, hello).await.0, Some(ErrorCode::Internal), "{device}, {connections}");
            } else {
                assert_eq!(refusal(&server, hello).await.0, Some(ErrorCode::Overloaded));
            }
            // What is left of such a login is a device that was seen.
            let told: Vec<_> = old.told().await;
            assert!(told.iter().all(|event| matches!(event, v1::server_frame::Body::Changed(_))), "{told:?}");
        }
        server.login_device("ada", "phone").await;
        assert_eq!(old.end().await.1, Some(CloseCode::Replaced));
    }
}
