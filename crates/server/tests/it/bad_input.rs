//! What must not be said: each has its code, and harms nobody else.

use anser_proto::{
    CloseCode, ErrorCode, Format,
    limits::{BODY_BYTES_MAX, CLIENT_FRAME_BYTES_MAX, HELLO_FRAME_BYTES_MAX},
    tcp,
    v1::{self, client_frame::Request, server_frame::Body},
};
use anser_server::config::Limits;
use bytes::{Bytes, BytesMut};

use crate::raw::{Came, TestServer, memory_store, send};

#[tokio::test]
async fn bytes_that_are_no_frame_end_the_connection_after_what_came_before_was_answered() {
    let server = TestServer::start().await;
    for (format, garbage) in [
        (Format::Protobuf, &b"\xff\xff\xff\xff\xff\xff\xff\xff"[..]),
        (Format::Json, b"{\"request_id\": 1, "),
        (Format::Json, b"[]"),
        (Format::Json, b"{\"request_id\": \"one\", \"ping\": {}}"),
        (Format::Json, b"{\"send\": {\"content\": 5}}"),
        (Format::Json, b"{\"request_id\": 0, \"send\": {\"content\": 5}}"),
        (Format::Json, b"{\"request_id\": 1, \"send\": {\"content\": 5}"),
        // Whose request it is cannot be told: none, 0, and one of a wrong wire type.
        (Format::Protobuf, b"\x52\x03\x22\x01\xff"),
        (Format::Protobuf, b"\x08\x00\x52\x03\x22\x01\xff"),
        (Format::Protobuf, b"\x0a\x01\x01\x52\x03\x22\x01\xff"),
        // A field that ends behind the frame.
        (Format::Protobuf, b"\x08\x01\x52\x7f\x22"),
    ] {
        for web_socket in [true, false] {
            let mut raw = if web_socket { server.web_socket(format).await } else { server.tcp(format).await };
            raw.hello(server.hello("ada", "phone")).await;
            let ping = raw.say(Request::Ping(v1::Ping {})).await;
            raw.say_bytes(Bytes::from_static(garbage)).await;
            assert!(matches!(raw.answer(ping).await, Body::Pong(_)));
            assert_eq!(raw.end().await, (Some(ErrorCode::BadFrame), Some(CloseCode::BadFrames)), "{garbage:?}");
        }
    }
}

/// The golden frames of the protocol.
fn requests() -> Vec<Request> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../proto/tests/golden");
    let files = std::fs::read_dir(folder).expect("the golden frames").map(|file| file.expect("a file").path());
    let of_clients = |path: &std::path::PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
        name.starts_with("client.") && name.ends_with(".bin")
    };
    let frames = files.filter(of_clients).map(|path| {
        let bytes = Bytes::from(std::fs::read(path).expect("a frame"));
        Format::Protobuf.decode::<v1::ClientFrame>(&bytes).expect("golden frames decode")
    });
    frames.filter_map(|frame| frame.request).collect()
}

#[tokio::test]
async fn every_request_of_the_protocol_is_known() {
    let server = TestServer::start().await;
    let mut raw = server.login("ada").await;
    let requests = requests();
    assert!(requests.len() > 50, "{}", requests.len());
    for request in requests.into_iter().filter(|request| !matches!(request, Request::Bye(_))) {
        let name = format!("{request:?}");
        if let Body::Error(error) = raw.ask(request).await {
            assert_ne!(error.code(), ErrorCode::UnknownRequest, "{name}");
        }
    }
}

/// Frames of request 70, each with a value that its field cannot have, and what the refusal names.
const WRONG_VALUES: &[(Format, &[u8], &str)] = &[
    // `send.content` that is no UTF-8, `send` as a number, `send` that ends in the middle of a field.
    (Format::Protobuf, b"\x08\x46\x52\x03\x22\x01\xff", "Send.content: invalid string"),
    (Format::Protobuf, b"\x08\x46\x50\x05", "request"),
    (Format::Protobuf, b"\x08\x46\x52\x02\x22\x05", "content"),
    // Also where the id stands behind it.
    (Format::Protobuf, b"\x52\x03\x22\x01\xff\x08\x46", "Send.content"),
    // What browsers make of a character that was cut in two.
    (Format::Json, br#"{"request_id": 70, "send": {"content": "\ud83d"}}"#, "send.content"),
    (Format::Json, br#"{"send": {"content": "\ud83d"}, "request_id": 70}"#, "send.content"),
    (Format::Json, br#"{"request_id": 70, "send": {"content": 5}}"#, "send.content"),
    (Format::Json, br#"{"request_id": 70, "send": {"attachment": "!"}}"#, "send.attachment"),
    (Format::Json, br#"{"request_id": 70, "send": {"type": 1e10}}"#, "send.type"),
    (Format::Json, br#"{"request_id": 70, "send": []}"#, "send"),
    (Format::Json, br#"{"request_id": 70, "pull": {"limit": -1}}"#, "pull.limit"),
    (Format::Json, br#"{"request_id": 70, "pull": {"limit": 0.5}}"#, "pull.limit"),
    (
        Format::Json,
        br#"{"request_id": 70, "mark_read": {"server_msg_id": "18446744073709551616"}}"#,
        "mark_read.server_msg_id",
    ),
    (Format::Json, br#"{"request_id": 70, "get_users": {"user_ids": [1, null]}}"#, "get_users.user_ids[1]"),
    (Format::Json, br#"{"request_id": 70, "hello": {"device": "phone"}}"#, "hello.device"),
    (Format::Json, br#"{"request_id": 70, "ping": {}, "bye": {}}"#, "bye"),
];

#[tokio::test]
async fn a_wrong_value_is_refused_in_its_place_and_what_is_around_it_goes_on() {
    let server = TestServer::start().await;
    for (format, wrong, named) in WRONG_VALUES {
        let mut ada = server.tcp(*format).await;
        ada.hello(server.hello("ada", "phone")).await;
        let notes = ada.conversation_with(&ada);
        let [before, behind] = ["before", "behind"].map(|id| send(&notes, id, "text"));
        let (mut out, mut ids) = (BytesMut::new(), Vec::new());
        for request in [before, behind, Request::Ping(v1::Ping {})] {
            let (id, bytes) = ada.next_frame(request);
            tcp::put_frame(&mut out, &bytes);
            tcp::put_frame(&mut out, wrong);
            ids.push(id);
        }
        ada.say_raw(&out).await;
        for id in ids {
            assert!(!matches!(ada.answer(id).await, Body::Error(_)), "{wrong:?}");
            let Body::Error(error) = ada.answer(70).await else { panic!("{wrong:?} was not refused") };
            assert_eq!(error.code(), ErrorCode::BadField);
            assert!(error.message.contains(named), "{:?} does not name {named}", error.message);
        }
        ada.nothing_more().await;
    }
}

#[tokio::test]
async fn a_client_that_sends_again_in_order_gets_past_its_own_wrong_message() {
    let server = TestServer::start().await;
    let mut ada = server.web_socket(Format::Json).await;
    ada.hello(server.hello("ada", "phone")).await;
    let notes = ada.conversation_with(&ada);
    let message = |id: u32, content: &str| {
        Bytes::from(format!(
            r#"{{"request_id": {id}, "send": {{"conversation_id": "{notes}", "client_msg_id": "m-{id}", "type": "TEXT", "content": "{content}"}}}}"#
        ))
    };
    for _ in 0..2 {
        for (id, content) in [(1, "cut in two: \\ud83d"), (2, "whole: \\ud83e\\udebf")] {
            ada.say_bytes(message(id, content)).await;
        }
        let Body::Error(error) = ada.answer(1).await else { panic!("not refused") };
        assert_eq!(error.code(), ErrorCode::BadField);
        assert!(matches!(ada.answer(2).await, Body::Sent(v1::Sent { server_msg_id: 1, .. })));
    }
}

#[tokio::test]
async fn json_is_read_as_proto3_maps_it() {
    let server = TestServer::start().await;
    let mut ada = server.web_socket(Format::Json).await;
    ada.hello(server.hello("ada", "phone")).await;
    let notes = ada.conversation_with(&ada);
    ada.send(&notes, "m-1", "text").await;
    for limit in ["5", "5.0", "5e0", "\"5\"", "\"0.5e1\"", "null"] {
        let pull =
            format!(r#"{{"requestId": 9, "pull": {{"conversationId": "{notes}", "limit": {limit}, "before": null}}}}"#);
        ada.say_bytes(pull.into()).await;
        let Body::Messages(page) = ada.answer(9).await else { panic!("{limit} was refused") };
        assert_eq!(page.messages.len(), 1);
    }
}

#[tokio::test]
async fn a_wrong_value_in_hello_refuses_the_login() {
    let server = TestServer::start().await;
    for (format, wrong, _) in WRONG_VALUES {
        let mut stranger = server.web_socket(*format).await;
        stranger.say_bytes(Bytes::from_static(wrong)).await;
        let Body::Error(error) = stranger.answer(70).await else { panic!("{wrong:?} was not refused") };
        assert_eq!(error.code(), ErrorCode::BadField);
        assert_eq!(stranger.end().await.1, Some(CloseCode::LoginRefused));
    }
}

#[tokio::test]
async fn who_sends_nothing_but_wrong_values_is_cut_off() {
    let server = limited_server().await;
    let mut ada = server.login("ada").await;
    for _ in 0..8_000 {
        ada.say_bytes(Bytes::from_static(WRONG_VALUES[0].1)).await;
    }
    assert_eq!(ada.end().await.1, Some(CloseCode::Flooding));
}

#[tokio::test]
async fn garbage_before_login_is_told_so() {
    let server = TestServer::start().await;
    let mut raw = server.tcp(Format::Protobuf).await;
    raw.say_bytes(Bytes::from_static(b"\xff\xff")).await;
    assert_eq!(raw.end().await, (Some(ErrorCode::BadFrame), Some(CloseCode::BadFrames)));
}

#[tokio::test]
async fn a_message_of_the_wrong_kind_is_no_frame() {
    let server = TestServer::start().await;
    let mut raw = server.web_socket(Format::Json).await;
    raw.hello(server.hello("ada", "phone")).await;
    // Also behind a frame that is answered first.
    let notes = raw.conversation_with(&raw);
    let sent = raw.say(send(&notes, "m-1", "text")).await;
    raw.format = Format::Protobuf;
    raw.say_bytes(Bytes::from_static(b"{}")).await;
    raw.format = Format::Json;
    assert!(matches!(raw.answer(sent).await, Body::Sent(_)));
    assert_eq!(raw.end().await, (Some(ErrorCode::BadFrame), Some(CloseCode::BadFrames)));
}

#[tokio::test]
async fn text_that_is_no_utf8_ends_a_web_socket_wherever_it_is_after_what_came_before_was_answered() {
    let server = TestServer::start().await;
    for no_text in [
        &b"{\"request_id\": 70, \"send\": {\"content\": \"\xff\"}}"[..],
        b"{\"request_id\": 70, \"ping\": {}, \"unknown\": [{\"field\": \"\xc3\"}]}",
        b"{\"request_id\": 70, \"ping\": {}, \"\xed\xa0\x80\": 1}",
        b"{\"request_id\": 70, \xff}",
        b"\xff",
    ] {
        let mut ada = server.web_socket(Format::Json).await;
        ada.hello(server.hello("ada", "phone")).await;
        let notes = ada.conversation_with(&ada);
        let sent = ada.say(send(&notes, "m-1", "text")).await;
        ada.say_bytes(Bytes::from_static(no_text)).await;
        assert!(matches!(ada.answer(sent).await, Body::Sent(_)));
        assert!(matches!(ada.came().await, Came::Closed(Some(1007))), "{no_text:?}");

        let mut stranger = server.web_socket(Format::Json).await;
        stranger.say_bytes(Bytes::from_static(no_text)).await;
        assert!(matches!(stranger.came().await, Came::Closed(Some(1007))), "{no_text:?}");
    }
    let mut ada = server.web_socket(Format::Protobuf).await;
    ada.hello(server.hello("ada", "phone")).await;
    ada.format = Format::Json;
    ada.say_bytes(Bytes::from_static(b"\xff")).await;
    assert!(matches!(ada.came().await, Came::Closed(Some(1007))));
}

#[tokio::test]
async fn a_frame_over_the_limit_is_refused() {
    let server = TestServer::start().await;
    let told = (Some(ErrorCode::FrameTooLarge), Some(CloseCode::FrameOverLimit));
    for format in [Format::Protobuf, Format::Json] {
        let mut raw = server.web_socket(format).await;
        raw.hello(server.hello("ada", "phone")).await;
        let notes = raw.conversation_with(&raw);
        let sent = raw.say(send(&notes, &format!("{format:?}"), "text")).await;
        raw.say_bytes(vec![b' '; CLIENT_FRAME_BYTES_MAX + 1].into()).await;
        assert!(matches!(raw.answer(sent).await, Body::Sent(_)));
        assert_eq!(raw.end().await, told);

        let mut stranger = server.web_socket(format).await;
        stranger.say_bytes(vec![b' '; 2 * HELLO_FRAME_BYTES_MAX].into()).await;
        assert_eq!(stranger.end().await, told);
    }
    let mut raw = server.login("bob").await;
    let accounts = vec![String::new(); 40_000];
    let many = Request::GetUsers(v1::GetUsers { accounts, ..Default::default() });
    assert_eq!(raw.refused(many).await, ErrorCode::BadField, "only messages are so large");
    raw.say_raw(&u32::MAX.to_be_bytes()).await;
    assert_eq!(raw.end().await, told);
    let mut stranger = server.tcp(Format::Protobuf).await;
    stranger.say_raw(&(HELLO_FRAME_BYTES_MAX as u32 + 1).to_be_bytes()).await;
    assert_eq!(stranger.end().await, told);
}

#[tokio::test]
async fn half_a_frame_harms_nobody() {
    let server = TestServer::start().await;
    let mut half = server.login("ada").await;
    half.say_raw(&[0, 0, 1, 0, b'x']).await;
    drop(half);
    let mut ada = server.login("ada").await;
    ada.nothing_more().await;
}

#[tokio::test]
async fn the_largest_body_passes_in_both_formats_and_one_byte_more_does_not() {
    let server = TestServer::start().await;
    for format in [Format::Protobuf, Format::Json] {
        let mut raw = server.web_socket(format).await;
        raw.hello(server.hello("ada", "phone")).await;
        let notes = raw.conversation_with(&raw);
        // A control character is the worst that JSON can be asked to bear.
        let body = "\u{1}".repeat(BODY_BYTES_MAX);
        raw.send(&notes, &format!("{format:?}"), &body).await;
        assert_eq!(raw.refused(send(&notes, "more", &format!("{body}x"))).await, ErrorCode::BodyTooLarge);
        let page = raw.pull(v1::Pull { conversation_id: notes, limit: 1, ..Default::default() }).await;
        assert_eq!(page.messages[0].content, body);
    }
}

#[tokio::test]
async fn a_request_that_nobody_knows_is_told_so_and_the_connection_goes_on() {
    let server = TestServer::start().await;
    let mut json = server.web_socket(Format::Json).await;
    json.hello(server.hello("ada", "phone")).await;
    json.say_bytes(Bytes::from_static(br#"{"request_id": 77, "dance": {"style": "tango"}}"#)).await;
    let Body::Error(error) = json.answer(77).await else { panic!("not refused") };
    assert_eq!(error.code(), ErrorCode::UnknownRequest);
    json.say_bytes(Bytes::from_static(br#"{"request_id": 78, "ping": {}, "mood": "good"}"#)).await;
    assert!(matches!(json.answer(78).await, Body::Pong(_)));

    let mut protobuf = server.login("ada").await;
    // Field 999, a message of one byte.
    protobuf.say_bytes(Bytes::from_static(b"\x08\x4d\xba\x3e\x01\x00")).await;
    let Body::Error(error) = protobuf.answer(77).await else { panic!("not refused") };
    assert_eq!(error.code(), ErrorCode::UnknownRequest);
}

#[tokio::test]
async fn fields_out_of_their_range_are_named() {
    let server = TestServer::start().await;
    let (mut ada, bob) = (server.login("ada").await, server.login("bob").await);
    let conversation = ada.conversation_with(&bob);
    let typed = |kind: i32| {
        let Request::Send(mut typed) = send(&conversation, "typed", "text") else { panic!("a send") };
        typed.r#type = kind;
        Request::Send(typed)
    };
    let named = |nickname| {
        Request::UpdateProfile(v1::UpdateProfile { nickname: Some(nickname), ..v1::UpdateProfile::default() })
    };
    let group = |name: &str| {
        let (client_group_id, name) = ("g".into(), name.into());
        Request::CreateGroup(v1::CreateGroup { client_group_id, name, ..v1::CreateGroup::default() })
    };
    let avatar = v1::UpdateProfile { avatar: Some("x".repeat(513)), ..v1::UpdateProfile::default() };
    for (request, named) in [
        (send("", "m-1", "text"), "conversation id"),
        (send("single_2_1", "m-1", "text"), "conversation id"),
        (send(&conversation, "", "text"), "client_msg_id is empty"),
        (send(&conversation, &"x".repeat(65), "text"), "65 bytes"),
        (send(&conversation, "sp ace", "text"), "visible ASCII"),
        (send(&conversation, "m-1", ""), "both empty"),
        (typed(0), "type 0"),
        (typed(50), "type 50"),
        (typed(999), "type 999"),
        (Request::GetGroup(v1::GetGroup { group_id: 0 }), "group_id is 0"),
        (Request::GetGroup(v1::GetGroup { group_id: u64::MAX }), "group_id"),
        (Request::GetUsers(v1::GetUsers { user_ids: vec![u64::MAX], ..Default::default() }), "user_id"),
        (Request::GetUsers(v1::GetUsers { accounts: vec![String::new()], ..Default::default() }), "account"),
        (Request::ListSessions(v1::ListSessions { after: "nowhere".into(), limit: 0 }), "conversation id"),
        (Request::CreateGroup(v1::CreateGroup::default()), "client_group_id"),
        (
            Request::CreateGroup(v1::CreateGroup { client_group_id: "g".into(), ..Default::default() }),
            "name has 0 characters",
        ),
        (named("x".repeat(65)), "nickname has 65 characters"),
        (named("a\u{7}".into()), "control"),
        (named("\u{3164}".into()), "invisible"),
        (group("admins\u{202e}"), "direction"),
        (Request::UpdateProfile(avatar), "avatar"),
    ] {
        let Body::Error(error) = ada.ask(request).await else { panic!("not refused: {named}") };
        assert_eq!(error.code(), ErrorCode::BadField, "{named}");
        assert!(error.message.contains(named), "{:?} does not name {named}", error.message);
    }
}

#[tokio::test]
async fn a_request_without_an_id_is_refused() {
    let server = TestServer::start().await;
    let mut ada = server.login("ada").await;
    for request in [Request::Ping(v1::Ping {}), send("group_1", "m-1", "text")] {
        ada.say_bytes(Format::Protobuf.encode(&v1::ClientFrame { request_id: 0, request: Some(request) })).await;
        let Body::Error(error) = ada.event().await else { panic!("not refused") };
        assert_eq!(error.code(), ErrorCode::BadField);
    }
}

#[tokio::test]
async fn others_conversations_are_closed_to_whoever_names_them() {
    let server = TestServer::start().await;
    let (mut ada, mut bob, mut eve) = (server.login("ada").await, server.login("bob").await, server.login("eve").await);
    let (single, group) = (ada.conversation_with(&bob), ada.create_group(&[&bob]).await);
    ada.send(&single, "m-1", "private").await;
    bob.sync(0).await;
    for conversation_id in [single, group, "group_12345".to_owned()] {
        let id = || conversation_id.clone();
        for request in [
            send(&conversation_id, "m-1", "let me in"),
            Request::Pull(v1::Pull { conversation_id: id(), ..Default::default() }),
            Request::MarkRead(v1::MarkRead { conversation_id: id(), server_msg_id: 1 }),
            Request::MarkDelivered(v1::MarkDelivered { conversation_id: id(), server_msg_id: 1 }),
        ] {
            // What is not there cannot be told from what is not hers.
            assert_eq!(eve.refused(request).await, ErrorCode::NotMember, "{conversation_id}");
        }
    }
    let nobody = format!("single_1_{}", eve.user);
    assert_eq!(eve.refused(send(&nobody, "m-1", "anyone?")).await, ErrorCode::NotFound);
}

#[tokio::test]
async fn a_page_of_a_billion_is_refused() {
    let server = TestServer::start().await;
    let mut ada = server.login("ada").await;
    let conversation_id = ada.conversation_with(&ada);
    let limit = 1_000_000_000;
    for request in [
        Request::Pull(v1::Pull { conversation_id, limit, ..Default::default() }),
        Request::ListSessions(v1::ListSessions { after: String::new(), limit }),
        Request::ListMembers(v1::ListMembers { group_id: 1, after: 0, limit }),
        Request::GetUsers(v1::GetUsers { user_ids: vec![1; 201], ..Default::default() }),
    ] {
        assert_eq!(ada.refused(request).await, ErrorCode::PageTooLarge);
    }
}

async fn slow_server(requests_burst: u32) -> TestServer {
    TestServer::start_with(
        |config| (config.limits.requests_per_s, config.limits.requests_burst) = (1, requests_burst),
        memory_store,
    )
    .await
}

#[tokio::test]
async fn who_asks_faster_than_they_may_is_told_when_and_loses_no_order() {
    let server = slow_server(2).await;
    let mut ada = server.login("ada").await;
    let notes = ada.conversation_with(&ada);
    // In one go, and so at one time.
    let ids = ada.say_all(["m-1", "m-2", "m-3", "m-4"].map(|id| send(&notes, id, id)).into()).await;
    assert!(matches!(ada.answer(ids[0]).await, Body::Sent(_)));
    assert!(matches!(ada.answer(ids[1]).await, Body::Sent(_)));
    let Body::Error(error) = ada.answer(ids[2]).await else { panic!("not refused") };
    assert_eq!(error.code(), ErrorCode::RateLimited);
    assert!((1..=1_000).contains(&error.retry_after_ms));
    let Body::Error(error) = ada.answer(ids[3]).await else { panic!("not refused") };
    assert_eq!(error.code(), ErrorCode::BehindFailed);
    // Heartbeats are not refused: that would end the connection.
    ada.nothing_more().await;
}

/// With the limits as they are, for whoever asks as fast as a client can.
async fn limited_server() -> TestServer {
    TestServer::start_with(|config| config.limits = Limits::default(), memory_store).await
}

#[tokio::test]
async fn who_does_not_listen_to_refusals_is_cut_off() {
    let server = limited_server().await;
    for request in [
        Request::GetUsers(v1::GetUsers { user_ids: vec![1], ..Default::default() }),
        send("not even a conversation", "m-1", "text"),
        Request::Ping(v1::Ping {}),
    ] {
        let mut ada = server.web_socket(Format::Protobuf).await;
        ada.hello(server.hello("ada", "phone")).await;
        for _ in 0..8_000 {
            ada.say(request.clone()).await;
        }
        assert_eq!(ada.end().await.1, Some(CloseCode::Flooding), "{request:?}");
    }
}

#[tokio::test]
async fn coming_back_refills_nothing_and_another_device_has_no_budget_of_its_own() {
    let server = slow_server(5).await;
    let (mut phone, mut bob) = (server.login("ada").await, server.login("bob").await);
    let get = || Request::GetUsers(v1::GetUsers { user_ids: vec![1], ..Default::default() });
    for _ in 0..5 {
        assert!(matches!(phone.ask(get()).await, Body::Users(_)));
    }
    let mut laptop = server.login_device("ada", "laptop").await;
    assert_eq!(laptop.refused(get()).await, ErrorCode::RateLimited);
    drop((phone, laptop));
    let mut phone = server.login("ada").await;
    assert_eq!(phone.refused(get()).await, ErrorCode::RateLimited);
    assert!(matches!(bob.ask(get()).await, Body::Users(_)), "others have their own");
}

#[tokio::test]
async fn a_request_costs_what_it_names() {
    let server = slow_server(600).await;
    let mut ada = server.login("ada").await;
    let group = |named| {
        let user_ids = (1..=named).collect();
        Request::CreateGroup(v1::CreateGroup {
            client_group_id: "g".into(),
            name: "g".into(),
            user_ids,
            ..Default::default()
        })
    };
    assert_eq!(ada.refused(group(500)).await, ErrorCode::NotFound);
    let Body::Error(error) = ada.ask(group(500)).await else { panic!("not refused") };
    assert_eq!(error.code(), ErrorCode::RateLimited);
    assert!((395_000..=402_000).contains(&error.retry_after_ms), "{}", error.retry_after_ms);
    assert_eq!(ada.refused(group(50)).await, ErrorCode::NotFound, "for less there is enough");
}
