//! Peers of a later release: fields, requests and enum values that this build does not know.

use anser_proto::{
    Format,
    codec::Frame,
    v1::{
        ClientFrame, Message, MessageEvent, Send, ServerFrame, client_frame::Request, error, message,
        server_frame::Body,
    },
};
use bytes::Bytes;
use prost::Message as _;
use serde_json::{Value, json};

use crate::samples;

/// Field 999 as text of three bytes.
const UNKNOWN_FIELD: [u8; 6] = [0xba, 0x3e, 3, b'n', b'e', b'w'];

fn json<F: Frame>(text: &Value) -> F {
    Format::Json.decode(&Bytes::from(text.to_string())).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The same JSON with a field in every object that nobody knows.
fn with_unknown_fields(json: &mut Value) {
    match json {
        Value::Object(fields) => {
            fields.values_mut().for_each(with_unknown_fields);
            fields.insert("a_field_of_tomorrow".into(), json!({"deep": [1, "two", null]}));
        }
        Value::Array(values) => values.iter_mut().for_each(with_unknown_fields),
        _ => {}
    }
}

fn check_unknown_fields<F: Frame + PartialEq + std::fmt::Debug>(frame: &F) {
    let mut text = serde_json::from_slice(&Format::Json.encode(frame)).expect("what we wrote");
    with_unknown_fields(&mut text);
    assert_eq!(&json::<F>(&text), frame);

    let bytes = [&UNKNOWN_FIELD[..], &Format::Protobuf.encode(frame), &UNKNOWN_FIELD].concat();
    assert_eq!(&Format::Protobuf.decode::<F>(&Bytes::from(bytes)).expect("unknown fields are passed over"), frame);
}

#[test]
fn unknown_fields_are_passed_over() {
    samples::client_frames().iter().for_each(check_unknown_fields);
    samples::server_frames().iter().for_each(check_unknown_fields);
}

#[test]
fn unknown_fields_inside_a_request_are_passed_over() {
    let send = [&UNKNOWN_FIELD[..], &samples::send().encode_to_vec()].concat();
    // Field 10 of the frame, with its length.
    let mut frame = vec![0x52];
    prost::encoding::encode_varint(send.len() as u64, &mut frame);
    frame.extend(send);
    let decoded: ClientFrame = Format::Protobuf.decode(&Bytes::from(frame)).expect("the frame is well formed");
    assert_eq!(decoded.request, Some(Request::Send(samples::send())));
}

#[test]
fn an_unknown_request_or_event_is_a_frame_without_body() {
    let bytes = Bytes::from([&[0x08, 7][..], &UNKNOWN_FIELD].concat());
    let client: ClientFrame = Format::Protobuf.decode(&bytes).expect("the frame is well formed");
    assert_eq!(client, ClientFrame { request_id: 7, request: None });
    let server: ServerFrame = Format::Protobuf.decode(&bytes).expect("the frame is well formed");
    assert_eq!(server, ServerFrame { request_id: 7, body: None });

    let text = json!({"request_id": 7, "fly_south": {"flock": "3"}});
    assert_eq!(json::<ClientFrame>(&text), client);
    assert_eq!(json::<ServerFrame>(&text), server);
}

#[test]
fn an_unknown_enum_value_keeps_its_number_in_protobuf() {
    let sent = Send { r#type: 77, ..samples::send() };
    let frame = ClientFrame { request_id: 1, request: Some(Request::Send(sent)) };
    let decoded: ClientFrame = Format::Protobuf.decode(&Format::Protobuf.encode(&frame)).expect("well formed");
    assert_eq!(decoded, frame);
}

#[test]
fn an_unknown_enum_value_is_written_as_its_number_in_json() {
    let message = Message { r#type: 77, ..samples::text_message() };
    let event = MessageEvent { message: Some(message), mailbox_seq: 1, changed: vec![] };
    let frame = ServerFrame { request_id: 0, body: Some(Body::Message(event)) };
    let bytes = Format::Json.encode(&frame);
    let text: Value = serde_json::from_slice(&bytes).expect("what we wrote");
    assert_eq!(text["message"]["message"]["type"], 77);

    let decoded: ServerFrame = Format::Json.decode(&bytes).expect("a number is no reason to refuse");
    let Some(Body::Message(MessageEvent { message: Some(message), .. })) = decoded.body else { panic!("no message") };
    assert_eq!((message.r#type(), message.content.as_str()), (message::Type::Unknown, "hello 你好"));
}

#[test]
fn an_unknown_enum_name_is_the_unknown_value_in_json() {
    let frame: ClientFrame = json(&json!({"request_id": 1, "send": {"type": "HOLOGRAM", "content": "hi"}}));
    let Some(Request::Send(send)) = frame.request else { panic!("the request is still a send") };
    assert_eq!((send.r#type(), send.content.as_str()), (message::Type::Unknown, "hi"));

    let frame: ServerFrame = json(&json!({"error": {"code": "OUT_OF_FEATHERS", "retry_after_ms": 5}}));
    let Some(Body::Error(error)) = frame.body else { panic!("the body is still an error") };
    assert_eq!((error.code(), error.retry_after_ms), (error::Code::Unspecified, 5));
}
