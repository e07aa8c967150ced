//! What a frame costs to write and to read: the request and the event of which a busy server sees most; and to refuse.

use std::hint::black_box;

use anser_proto::{
    Format,
    codec::{Frame, Malformed},
    limits::CLIENT_FRAME_BYTES_MAX,
    v1::{ClientFrame, Message, MessageEvent, Send, ServerFrame, client_frame::Request, message, server_frame::Body},
};
use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const TEXT: &str = "the geese are flying south again, 鸿雁南飞";
const CLIENT_MSG_ID: &str = "0190c2f0-5f4e-7cc3-98c4-dc0c0c07398f";

fn send() -> ClientFrame {
    let send = Send {
        conversation_id: "single_1008_1009".into(),
        client_msg_id: CLIENT_MSG_ID.into(),
        r#type: message::Type::Text.into(),
        content: TEXT.into(),
        client_time_ms: 1_149_161_520_123,
        ..Send::default()
    };
    ClientFrame { request_id: 70_000, request: Some(Request::Send(send)) }
}

fn message_event() -> ServerFrame {
    let message = Message {
        conversation_id: "single_1008_1009".into(),
        server_msg_id: 123_456,
        client_msg_id: CLIENT_MSG_ID.into(),
        from_id: 1008,
        from_nickname: "Ada".into(),
        from_device_id: "laptop-1".into(),
        r#type: message::Type::Text.into(),
        content: TEXT.into(),
        client_time_ms: 1_149_161_520_123,
        server_time_ms: 1_149_161_520_124,
        count: 123_400,
        ..Message::default()
    };
    let event = MessageEvent { message: Some(message), mailbox_seq: 345_678, changed: Vec::new() };
    ServerFrame { request_id: 0, body: Some(Body::Message(event)) }
}

fn measure<F: Frame>(criterion: &mut Criterion, name: &str, frame: &F) {
    let mut group = criterion.benchmark_group(name);
    for format in [Format::Protobuf, Format::Json] {
        let bytes = format.encode(frame);
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(format!("encode/{format:?}"), |bencher| bencher.iter(|| format.encode(black_box(frame))));
        group.bench_function(format!("decode/{format:?}"), |bencher| {
            bencher.iter(|| format.decode::<F>(black_box(&bytes)).expect("what we wrote"));
        });
    }
    group.finish();
}

/// Frames as large as they may be, which are refused. By the byte none may cost more than a few times what a good one does.
fn measure_refusals(criterion: &mut Criterion) {
    let many = |count: usize, one: &str| one.repeat(count / one.len());
    let room = CLIENT_FRAME_BYTES_MAX - 100;
    let mut group = criterion.benchmark_group("refused");
    for (name, frame) in [
        ("halves", format!(r#"{{"request_id":1,"send":{{"content":"{}"}}}}"#, many(room, r"\u0001") + r"\ud83d")),
        ("values", format!(r#"{{"request_id":1,"get_users":{{"user_ids":[{}1]}}}}"#, many(room, "-1,"))),
        ("fields", format!(r#"{{"request_id":1,"send":{{{}"content":1}}}}"#, many(room, r#""type":[],"#))),
        ("digits", format!(r#"{{"request_id":1,"pull":{{"limit":{}}}}}"#, many(room, "9"))),
        ("unknown", format!(r#"{{"x":[{}1],"request_id":1,"ping":1}}"#, many(room, "[{},[]],"))),
    ] {
        group.throughput(Throughput::Bytes(frame.len() as u64));
        let bytes = Bytes::from(frame);
        assert!(matches!(Format::Json.decode::<ClientFrame>(&bytes), Err(Malformed::Field { .. })), "{name}");
        group.bench_function(name, |bencher| {
            bencher.iter(|| Format::Json.decode::<ClientFrame>(black_box(&bytes)).is_err());
        });
    }
    group.finish();
}

fn codec(criterion: &mut Criterion) {
    measure(criterion, "send", &send());
    measure(criterion, "message_event", &message_event());
    measure_refusals(criterion);
}

criterion_group!(benches, codec);
criterion_main!(benches);
