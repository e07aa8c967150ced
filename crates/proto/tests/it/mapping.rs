//! The JSON mapping of proto3 on our messages: what its published conformance rules say of fields of our kinds, in our words.
//! Each frame is read twice, bare and amid fields that nobody knows.

use anser_proto::{
    Format,
    codec::{Frame, Malformed},
    v1::{
        ClientFrame, GetGroup, GroupPosition, Message, Ping, ServerFrame, Settings, UpdateProfile,
        client_frame::Request, device, hello::Credential, message, server_frame::Body,
    },
};
use bytes::Bytes;

fn decode<F: Frame>(json: &str) -> Result<F, Malformed> {
    Format::Json.decode(&Bytes::copy_from_slice(json.as_bytes()))
}

/// The request of a frame that has these fields, whatever unknown ones stand around it.
fn request(fields: &str) -> Request {
    let amid = format!(r#"{{"x":[{{"y":null}},-1e5],"request_id":7,{fields},"z":"\ud83d"}}"#);
    let [bare, amid] = [format!(r#"{{"request_id":7,{fields}}}"#), amid].map(|json| {
        let frame: ClientFrame = decode(&json).unwrap_or_else(|error| panic!("{error}: {json}"));
        assert_eq!(frame.request_id, 7);
        frame.request.unwrap_or_else(|| panic!("no request: {json}"))
    });
    assert_eq!(bare, amid);
    bare
}

/// Refused under its id, with the path of its field, wherever the id stands.
fn check_wrong(fields: &str, path: &str) {
    let unknown = r#""x":{"y":[1]}"#;
    for json in [
        format!(r#"{{"request_id":7,{fields}}}"#),
        format!(r#"{{{fields},"request_id":7}}"#),
        format!(r#"{{{unknown},"request_id":7,{fields},{unknown}}}"#),
    ] {
        match decode::<ClientFrame>(&json) {
            Err(Malformed::Field { request_id: 7, message }) => {
                assert!(message.starts_with(&format!("{path}: ")), "{json}: {message:?} does not name {path}");
                assert!(message.len() < 160, "{json}: the refusal is long: {message}");
            }
            other => panic!("{json}: {other:?}"),
        }
    }
}

fn check_no_frame(json: &str) {
    for text in [json.to_owned(), format!(" {json}\n")] {
        let told = decode::<ClientFrame>(&text);
        assert!(matches!(told, Err(Malformed::Frame(_))), "{text}: {told:?}");
    }
}

fn group(id: &str) -> u64 {
    let Request::GetGroup(GetGroup { group_id }) = request(&format!(r#""get_group":{{"group_id":{id}}}"#)) else {
        panic!("no get_group")
    };
    group_id
}

fn limit(limit: &str) -> u32 {
    let Request::Pull(pull) = request(&format!(r#""pull":{{"limit":{limit}}}"#)) else { panic!("no pull") };
    pull.limit
}

fn send(fields: &str) -> anser_proto::v1::Send {
    let Request::Send(send) = request(&format!(r#""send":{{{fields}}}"#)) else { panic!("no send") };
    send
}

#[test]
fn an_integer_is_a_number_or_a_string_in_any_notation_that_is_whole() {
    for written in ["5", "5.0", "5.000", "5e0", "0.5e1", "50e-1", "0.05E+2", "500.0e-2"] {
        for value in [written.to_owned(), format!("\"{written}\"")] {
            assert_eq!((limit(&value), group(&value)), (5, 5), "{value}");
        }
    }
    assert_eq!((limit("\"\\u0035\""), group("-0"), group("0e999999999")), (5, 0, 0));
    assert_eq!((limit("4294967295"), limit("\"4.294967295e9\""), limit("1e5")), (u32::MAX, u32::MAX, 100_000));
    // A floating-point number loses the last digits of these.
    assert_eq!((group("9007199254740993"), group("18446744073709551615")), (9_007_199_254_740_993, u64::MAX));
    assert_eq!((group("\"18446744073709551615\""), group("18446744073709551615.0")), (u64::MAX, u64::MAX));
}

#[test]
fn an_integer_out_of_range_or_of_another_kind_is_a_wrong_value() {
    for value in ["-1", "4294967296", "1e10", "0.5", "1e-1", "1e536870000", "true", "{}", "[]", "[5]"] {
        check_wrong(&format!(r#""pull":{{"limit":{value}}}"#), "pull.limit");
    }
    for value in ["-1", "18446744073709551616", "1e20", "0.5", "false", "{\"low\":1,\"high\":0}"] {
        check_wrong(&format!(r#""get_group":{{"group_id":{value}}}"#), "get_group.group_id");
    }
    for text in [
        "",
        " 1",
        "1 ",
        "+1",
        "01",
        "1.",
        ".5",
        "12abc",
        "12 34",
        "12,34",
        "12谷歌34",
        "3x3",
        "0x10",
        "1_000",
        "NaN",
        "Infinity",
        "-1",
        "0.5",
    ] {
        check_wrong(&format!(r#""pull":{{"limit":"{text}"}}"#), "pull.limit");
        check_wrong(&format!(r#""getGroup":{{"groupId":"{text}"}}"#), "getGroup.groupId");
    }
    check_wrong(&format!(r#""pull":{{"limit":{}}}"#, "9".repeat(100_000)), "pull.limit");
    check_wrong(&format!(r#""pull":{{"limit":"{}"}}"#, "9".repeat(100_000)), "pull.limit");
}

#[test]
fn a_boolean_is_true_or_false() {
    let uncounted = |value: &str| send(&format!(r#""settings":{{"uncounted":{value}}}"#)).settings;
    assert_eq!(uncounted("true"), Some(Settings { uncounted: true }));
    assert_eq!(uncounted("false"), Some(Settings { uncounted: false }));
    for value in ["0", "1", "\"true\"", "\"false\"", "{}", "[]"] {
        check_wrong(&format!(r#""send":{{"settings":{{"uncounted":{value}}}}}"#), "send.settings.uncounted");
    }
}

#[test]
fn a_string_has_all_characters_and_no_halves_of_one() {
    for (written, said) in [
        (r#""""#, ""),
        (r#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"),
        (r#""\u0000\u007f\u8C37\u6b4C""#, "\0\u{7f}谷歌"),
        (r#""谷歌 🪿""#, "谷歌 🪿"),
        (r#""\ud83e\udebf\uD83E\uDEBF""#, "🪿🪿"),
        (
            r#""a long text without any escape, and then one: \u00e9""#,
            "a long text without any escape, and then one: é",
        ),
    ] {
        assert_eq!(send(&format!(r#""content":{written}"#)).content, said, "{written}");
    }
    for halves in [r"\ud83d", r"\uDC00", r"\ude01\ud83d", r"\ud83d\ud83d", r"\ud83dx", r"\ud83d\n", r"a \ud83d"] {
        check_wrong(&format!(r#""send":{{"content":"{halves}"}}"#), "send.content");
    }
    for value in ["12345", "true", "{}", "[]", r#"["text"]"#] {
        check_wrong(&format!(r#""send":{{"content":{value}}}"#), "send.content");
    }
    for (invalid, path) in
        [(&b"\xff"[..], "send.content"), (b"\xed\xa0\xbd", "send.content"), (b"\xc3", "send.content")]
    {
        let json = [&br#"{"request_id":7,"send":{"content":""#[..], invalid, br#""}}"#].concat();
        let Err(Malformed::Field { request_id: 7, message }) = Format::Json.decode::<ClientFrame>(&Bytes::from(json))
        else {
            panic!("{invalid:?} was taken")
        };
        assert!(message.starts_with(path), "{message}");
    }
}

#[test]
fn bytes_are_base64_of_either_alphabet_with_or_without_padding() {
    for (written, bytes) in [
        ("", &[][..]),
        ("AQI=", &[1, 2]),
        ("AQI", &[1, 2]),
        ("+/+/", &[0xfb, 0xff, 0xbf]),
        ("-_-_", &[0xfb, 0xff, 0xbf]),
        // The bits behind the last byte say nothing.
        ("-_", &[0xfb]),
        ("-_==", &[0xfb]),
        ("+/", &[0xfb]),
    ] {
        assert_eq!(send(&format!(r#""attachment":"{written}""#)).attachment, bytes, "{written}");
    }
    for written in ["A", "AQI=x", "AQI==", "A===", "AQ I", "AQ\\nI", "!!!!", "+_", "ä", "="] {
        check_wrong(&format!(r#""send":{{"attachment":"{written}"}}"#), "send.attachment");
    }
    check_wrong(r#""send":{"attachment":[1,2]}"#, "send.attachment");
}

#[test]
fn an_enum_is_a_name_or_a_number() {
    let kind = |value: &str| send(&format!(r#""type":{value}"#)).r#type;
    assert_eq!((kind("\"IMAGE\""), kind("2"), kind("2.0"), kind("\"\\u0049MAGE\"")), (2, 2, 2, 2));
    assert_eq!((kind("\"UNKNOWN\""), kind("0"), kind("null")), (0, 0, 0));
    // Of a newer peer: a number is kept, a name is as good as absent.
    assert_eq!((kind("77"), kind("-1"), kind("2147483647")), (77, -1, i32::MAX));
    assert_eq!((kind("\"HOLOGRAM\""), kind("\"image\""), kind("\"\"")), (0, 0, 0));
    for value in ["2147483648", "-2147483649", "0.5", "true", "{}", "[\"IMAGE\"]"] {
        check_wrong(&format!(r#""send":{{"type":{value}}}"#), "send.type");
    }
    check_wrong(r#""hello":{"device":{"platform":"\ud800"}}"#, "hello.device.platform");
}

#[test]
fn fields_go_by_their_names_in_proto_or_in_camel_case() {
    let expected = Request::MarkRead(anser_proto::v1::MarkRead { conversation_id: "group_3".into(), server_msg_id: 8 });
    for fields in [
        r#""mark_read":{"conversation_id":"group_3","server_msg_id":8}"#,
        r#""markRead":{"conversationId":"group_3","serverMsgId":8}"#,
        r#""markRead":{"conversation_id":"group_3","serverMsgId":8}"#,
        r#""mark\u005fread":{"conversation\u0049d":"group_3","server_msg_id":8}"#,
        " \"mark_read\"\n:\t{ \"conversation_id\" : \"group_3\" ,\r\n\"server_msg_id\" : 8 } ",
    ] {
        assert_eq!(request(fields), expected, "{fields}");
    }
    let frame: ClientFrame = decode(r#"{"requestId":7,"ping":{}}"#).expect("a frame");
    assert_eq!(frame, ClientFrame { request_id: 7, request: Some(Request::Ping(Ping {})) });
    // Other spellings are other names.
    let Request::MarkRead(mark) = request(r#""mark_read":{"ServerMsgId":8,"server_msgId":8,"SERVER_MSG_ID":8}"#) else {
        panic!("no mark_read")
    };
    assert_eq!(mark.server_msg_id, 0);
}

#[test]
fn null_is_as_good_as_absent_but_for_an_element_of_a_list() {
    let nulls = r#""conversation_id":null,"client_msg_id":null,"type":null,"content":null,"attachment":null,
                   "client_time_ms":null,"settings":null"#;
    assert_eq!(send(nulls), anser_proto::v1::Send::default());
    assert_eq!(send(r#""settings":{"uncounted":null}"#).settings, Some(Settings::default()));
    let nothing = UpdateProfile { nickname: None, avatar: None, ..Default::default() };
    assert_eq!(request(r#""update_profile":{"nickname":null,"avatar":null}"#), Request::UpdateProfile(nothing));
    let Request::Sync(sync) = request(r#""sync":{"groups":null,"mailbox_seq":null}"#) else { panic!("no sync") };
    assert_eq!((sync.groups.len(), sync.mailbox_seq), (0, 0));
    let frame: ClientFrame = decode(r#"{"request_id":7,"ping":null,"send":null}"#).expect("a frame");
    assert_eq!(frame, ClientFrame { request_id: 7, request: None });

    check_wrong(r#""get_users":{"user_ids":[1,null,2]}"#, "get_users.user_ids[1]");
    check_wrong(r#""get_users":{"accounts":[null]}"#, "get_users.accounts[0]");
    check_wrong(r#""sync":{"groups":[{"group_id":1},null]}"#, "sync.groups[1]");
}

#[test]
fn a_list_is_a_list_of_values_of_its_kind() {
    let Request::GetUsers(users) = request(r#""get_users":{"user_ids":[1,"2",3.0,"4e0"],"accounts":["a","b"]}"#) else {
        panic!("no get_users")
    };
    assert_eq!((users.user_ids, users.accounts), (vec![1, 2, 3, 4], vec!["a".to_owned(), "b".to_owned()]));
    let Request::Sync(sync) = request(r#""sync":{"groups":[{"group_id":1},{}]}"#) else { panic!("no sync") };
    assert_eq!(sync.groups, [GroupPosition { group_id: 1, server_msg_id: 0 }, GroupPosition::default()]);

    for (list, place) in [("[1,false,3]", 1), ("[1,2,\"name\"]", 2), ("[{\"a\":4}]", 0), ("[[1]]", 0), ("[-1,-2]", 0)] {
        check_wrong(&format!(r#""get_users":{{"user_ids":{list}}}"#), &format!("get_users.user_ids[{place}]"));
    }
    for (list, place) in [("[\"1\",2]", 1), ("[true]", 0), ("[\"1\",{\"a\":4}]", 1)] {
        check_wrong(&format!(r#""get_users":{{"accounts":{list}}}"#), &format!("get_users.accounts[{place}]"));
    }
    for (list, place) in [("[{},2]", 1), ("[false]", 0), ("[{},\"2\"]", 1), ("[[]]", 0)] {
        check_wrong(&format!(r#""sync":{{"groups":{list}}}"#), &format!("sync.groups[{place}]"));
    }
    check_wrong(r#""sync":{"groups":[{},{"group_id":1},{"group_id":-1}]}"#, "sync.groups[2].group_id");
    // One value is no list, also if it is of the right kind.
    check_wrong(r#""get_users":{"user_ids":1}"#, "get_users.user_ids");
    check_wrong(r#""sync":{"groups":{"group_id":1}}"#, "sync.groups");
}

#[test]
fn a_message_is_an_object() {
    assert_eq!(request(r#""ping":{}"#), Request::Ping(Ping {}));
    for value in ["1", "true", "\"{}\"", "[]", "\"\""] {
        check_wrong(&format!(r#""ping":{value}"#), "ping");
        check_wrong(&format!(r#""send":{{"settings":{value}}}"#), "send.settings");
    }
}

#[test]
fn of_a_oneof_there_is_one_field_and_null_is_none() {
    for fields in [r#""hello":{"token":"t","password":null}"#, r#""hello":{"password":null,"token":"t"}"#] {
        let Request::Hello(hello) = request(fields) else { panic!("no hello") };
        assert_eq!(hello.credential, Some(Credential::Token("t".into())));
    }
    // At its default it is there all the same.
    let Request::Hello(hello) = request(r#""hello":{"token":""}"#) else { panic!("no hello") };
    assert_eq!(hello.credential, Some(Credential::Token(String::new())));
    check_wrong(r#""hello":{"token":"t","password":{}}"#, "hello.password");
    check_wrong(r#""hello":{"password":{},"token":"t"}"#, "hello.token");
    check_wrong(r#""ping":{},"bye":{}"#, "bye");
    check_wrong(r#""ping":{},"ping":{}"#, "ping");
}

#[test]
fn of_a_field_that_comes_twice_the_last_counts() {
    assert_eq!(send(r#""content":"a","content":"b""#).content, "b");
    assert_eq!(send(r#""client_msg_id":"a","clientMsgId":"b""#).client_msg_id, "b");
    assert_eq!(send(r#""clientMsgId":"a","client_msg_id":"b""#).client_msg_id, "b");
    assert_eq!(send(r#""settings":{"uncounted":true},"settings":{}"#).settings, Some(Settings::default()));
    let Request::GetUsers(users) = request(r#""get_users":{"user_ids":[1],"user_ids":[2]}"#) else {
        panic!("no users")
    };
    assert_eq!(users.user_ids, [2]);
    // A wrong value is wrong, also if a right one follows.
    check_wrong(r#""send":{"content":1,"content":"b"}"#, "send.content");
}

#[test]
fn the_first_wrong_value_is_named() {
    check_wrong(r#""send":{"type":true,"content":5},"x":1"#, "send.type");
    check_wrong(r#""hello":{"device":{"device_id":5},"positions":{"log_id":-1}}"#, "hello.device.device_id");
    check_wrong(r#""send":{"settings":{"x":{},"uncounted":1},"content":5}"#, "send.settings.uncounted");
}

#[test]
fn what_is_no_json_is_no_frame() {
    for json in [
        "",
        "null",
        "true",
        "7",
        "\"text\"",
        "[]",
        "[{}]",
        "{",
        "{}}",
        "{}{}",
        "{} x",
        "nul",
        r#"{"request_id":7,}"#,
        r#"{"request_id":7 ,}"#,
        r#"{"request_id":7 , }"#,
        "{\"request_id\":7,\n}",
        "{,}",
        r#"{request_id:7}"#,
        r#"{'request_id':7}"#,
        r#"{"request_id":7 "ping":{}}"#,
        r#"{"request_id" 7}"#,
        r#"{"request_id"}"#,
        "{\n// a comment\n\"request_id\":7}",
        "{/**/}",
        "\u{feff}{}",
        r#"{"request_id":7,"send":{"content":'text'}}"#,
        r#"{"request_id":7,"send":{"content":"abc\"#,
        r#"{"request_id":7,"send":{"content":"\uXXXX"}}"#,
        r#"{"request_id":7,"send":{"content":"\u8C3"}}"#,
        r#"{"request_id":7,"send":{"content":"\U8c37"}}"#,
        r#"{"request_id":7,"send":{"content":"\x41"}}"#,
        "{\"request_id\":7,\"send\":{\"content\":\"a\nb\"}}",
        "{\"request_id\":7,\"send\":{\"content\":\"a\tb\"}}",
        r#"{"request_id":7,"pull":{"limit":+1}}"#,
        r#"{"request_id":7,"pull":{"limit":01}}"#,
        r#"{"request_id":7,"pull":{"limit":-01}}"#,
        r#"{"request_id":7,"pull":{"limit":1.}}"#,
        r#"{"request_id":7,"pull":{"limit":.5}}"#,
        r#"{"request_id":7,"pull":{"limit":1e}}"#,
        r#"{"request_id":7,"pull":{"limit":0x10}}"#,
        r#"{"request_id":7,"pull":{"limit":NaN}}"#,
        r#"{"request_id":7,"pull":{"limit":-Infinity}}"#,
        r#"{"request_id":7,"x":True}"#,
        r#"{"request_id":7,"x":FALSE}"#,
        r#"{"request_id":7,"get_users":{"user_ids":[1,2,]}}"#,
        r#"{"request_id":7,"get_users":{"user_ids":[1,2 , ]}}"#,
        r#"{"request_id":7,"get_users":{"user_ids":[,1]}}"#,
        r#"{"request_id":7,"get_users":{"user_ids":[1 2]}}"#,
        r#"{"request_id":7,"get_users":{"user_ids":[1}}"#,
        r#"{"request_id":7,"x":{]}"#,
        // A wrong value before it makes it no better.
        r#"{"request_id":7,"send":{"content":5},"#,
        r#"{"request_id":7,"send":{"content":5}"#,
    ] {
        check_no_frame(json);
    }
}

#[test]
fn a_wrong_value_without_a_request_to_refuse_is_no_frame() {
    for id in [
        "",
        "\"request_id\":0,",
        "\"request_id\":null,",
        "\"request_id\":\"one\",",
        "\"request_id\":-1,",
        "\"request_id\":1e10,",
    ] {
        check_no_frame(&format!(r#"{{{id}"send":{{"content":5}}}}"#));
    }
    check_no_frame(r#"{"request_id":"one","ping":{}}"#);
    // Without a wrong value it is one, which the server refuses by itself.
    assert_eq!(decode::<ClientFrame>("{}"), Ok(ClientFrame::default()));
}

#[test]
fn what_is_nested_too_deep_is_no_frame() {
    let nested =
        |depth: usize| format!(r#"{{"request_id":7,"ping":{{}},"x":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
    assert!(decode::<ClientFrame>(&nested(99)).is_ok());
    check_no_frame(&nested(100));
    check_no_frame(&nested(200_000));
    check_no_frame(&format!(r#"{{"x":{}"#, "{\"x\":".repeat(200_000)));
}

#[test]
fn frames_are_written_as_the_mapping_says() {
    let message = Message {
        server_msg_id: u64::MAX,
        from_platform: device::Platform::Ios.into(),
        r#type: 77,
        content: "\"\\/\u{8}\u{c}\n\r\t\u{1}\u{7f}é🪿".into(),
        attachment: vec![0xfb, 0xff].into(),
        settings: Some(Settings::default()),
        ..Message::default()
    };
    let event = anser_proto::v1::MessageEvent { message: Some(message.clone()), mailbox_seq: 0, changed: vec![] };
    let frame = ServerFrame { request_id: 0, body: Some(Body::Message(event)) };
    // 64 bits as a string, an unknown enum value as its number, what is at its default left out, what is there and empty
    // written.
    let json = r#"{"message":{"message":{"server_msg_id":"18446744073709551615","from_platform":"IOS","type":77,"content":"\"\\/\b\f\n\r\t\u0001é🪿","attachment":"+/8=","settings":{}}}}"#;
    let json = json.replace("\\u0001", "\\u0001\u{7f}");
    assert_eq!(Format::Json.encode(&frame), json);
    let Some(Body::Message(read)) = decode::<ServerFrame>(&json).expect("what we wrote").body else {
        panic!("no message")
    };
    assert_eq!(read.message, Some(Message { r#type: 77, ..message }));
    assert_eq!(message::Type::try_from(77).ok(), None);

    let frame =
        ServerFrame { request_id: 5, body: Some(Body::Draining(anser_proto::v1::Draining { reconnect_after_ms: 5 })) };
    assert_eq!(Format::Json.encode(&frame), r#"{"request_id":5,"draining":{"reconnect_after_ms":5}}"#);
}

#[test]
fn an_enum_that_may_be_absent_is_told_from_its_default() {
    let join = |fields: &str| {
        let Request::UpdateGroup(update) = request(&format!(r#""update_group":{{{fields}}}"#)) else {
            panic!("no update")
        };
        update.join
    };
    for (fields, expected) in [
        ("", None),
        (r#""join":null"#, None),
        (r#""join":"FREE""#, Some(0)),
        (r#""join":0"#, Some(0)),
        (r#""join":"CLOSED""#, Some(2)),
        (r#""join":7"#, Some(7)),
        (r#""join":"NEWER""#, None),
    ] {
        assert_eq!(join(fields), expected, "{fields}");
    }
    check_wrong(r#""update_group":{"join":true}"#, "update_group.join");
}
