//! Input that nobody meant: decoding never panics, and what decodes means the same in both encodings.

use std::fmt::Debug;

use anser_proto::{
    Format,
    codec::{Frame, Malformed},
    tcp,
    v1::{ClientFrame, ServerFrame},
};
use bytes::{Bytes, BytesMut};
use proptest::prelude::*;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::samples;

/// Decodes in both formats; what decodes survives both encodings.
fn check<F: Frame + PartialEq + Debug>(bytes: Bytes) {
    for format in [Format::Protobuf, Format::Json] {
        let Ok(frame) = format.decode::<F>(&bytes) else { continue };
        let again: F = Format::Protobuf.decode(&Format::Protobuf.encode(&frame)).expect("what we wrote");
        assert_eq!(again, frame);
        let again: F = Format::Json.decode(&Format::Json.encode(&frame)).expect("what we wrote");
        assert_eq!(again, frame);
    }
}

fn is_json(bytes: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(bytes).is_ok()
}

/// Whether bytes are JSON is for their grammar to say, and not for what is asked of their values.
fn check_grammar(bytes: &[u8]) {
    let told = Format::Json.decode::<ClientFrame>(&Bytes::copy_from_slice(bytes));
    assert!(is_json(bytes) || matches!(told, Err(Malformed::Frame(_))), "{told:?}");
    let unknown = [&br#"{"request_id":7,"unknown":"#[..], bytes, b"}"].concat();
    let told = Format::Json.decode::<ClientFrame>(&Bytes::from(unknown));
    assert!(!is_json(bytes) || std::str::from_utf8(bytes).is_err() || told.is_ok(), "{told:?}");
    // Only who could not decode a frame looks at all of its bytes.
    assert!(told.is_err() || std::str::from_utf8(bytes).is_ok(), "{bytes:?}");
}

fn encoded_samples() -> Vec<Bytes> {
    let formats = [Format::Protobuf, Format::Json];
    let client = samples::client_frames().into_iter().flat_map(|frame| formats.map(|format| format.encode(&frame)));
    let server = samples::server_frames().into_iter().flat_map(|frame| formats.map(|format| format.encode(&frame)));
    client.chain(server).collect()
}

/// Replaces every leaf by another one of its kind. Numbers in strings stay numbers, bytes stay base64.
fn scramble(json: &mut Value, number: u64, text: &str) {
    match json {
        Value::Object(fields) => {
            for (name, value) in fields {
                match name.as_str() {
                    "attachment" | "data" => *value = ["", "AA==", "AP8=", "3q2-7w=="][number as usize % 4].into(),
                    // Of a signal it is a text.
                    "type" if value.as_str().is_some_and(|name| name.contains('.')) => *value = text.into(),
                    "code" | "type" | "role" | "kind" | "platform" | "from_platform" => *value = (number as i32).into(),
                    _ => scramble(value, number, text),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| scramble(value, number, text)),
        Value::Bool(value) => *value = number % 2 == 1,
        Value::Number(value) => *value = (number as u32).into(),
        Value::String(value) if value.parse::<u64>().is_ok() => *value = number.to_string(),
        Value::String(value) => *value = text.to_owned(),
        Value::Null => {}
    }
}

fn check_scrambled<F: Frame + PartialEq + Debug>(frame: &F, number: u64, text: &str) {
    let mut json = serde_json::from_slice(&Format::Json.encode(frame)).expect("what we wrote");
    scramble(&mut json, number, text);
    let from_json: F = Format::Json.decode(&Bytes::from(json.to_string())).expect("every leaf is of its kind");
    let from_protobuf: F = Format::Protobuf.decode(&Format::Protobuf.encode(&from_json)).expect("what we wrote");
    assert_eq!(from_json, from_protobuf);
    let again: F = Format::Json.decode(&Format::Json.encode(&from_protobuf)).expect("what we wrote");
    assert_eq!(again, from_json);
}

/// A value of any kind in place of one of the leaves.
fn replace_leaf(json: &mut Value, leaf: &mut usize, by: &Value) {
    match json {
        Value::Object(fields) => fields.values_mut().for_each(|value| replace_leaf(value, leaf, by)),
        Value::Array(values) => values.iter_mut().for_each(|value| replace_leaf(value, leaf, by)),
        _ => {
            if *leaf == 0 {
                *json = by.clone();
            }
            *leaf = leaf.wrapping_sub(1);
        }
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        let fields = prop::collection::hash_map("[a-z_]{1,8}", inner.clone(), 0..3);
        prop_oneof![
            prop::collection::vec(inner, 0..3).prop_map(Value::from),
            fields.prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// How many bytes of a field stand before its value.
fn key_and_length(field: &[u8]) -> usize {
    let mut rest = field;
    prost::encoding::decode_key(&mut rest).expect("what we wrote");
    prost::encoding::decode_varint(&mut rest).expect("what we wrote");
    field.len() - rest.len()
}

/// Whatever stands in a request, its id is known: it is taken, or refused under that id.
fn check_is_answerable(format: Format, frame: Bytes, id: u32) {
    match format.decode::<ClientFrame>(&frame) {
        Ok(frame) => assert_eq!(frame.request_id, id),
        Err(Malformed::Field { request_id, message }) => {
            assert_eq!(request_id, id);
            assert!(message.len() < 300, "{message}");
        }
        Err(Malformed::Frame(error)) => panic!("{error}: {frame:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        check_grammar(&bytes);
        check::<ClientFrame>(bytes.clone().into());
        check::<ServerFrame>(bytes.into());
    }

    /// Whatever comes in whatever pieces: what is taken off is within the bound, and nothing is lost or made up.
    #[test]
    fn any_bytes_in_any_pieces_are_frames_or_too_long(
        bytes in prop::collection::vec(prop_oneof![3 => Just(0), 1 => any::<u8>()], 0..512),
        cuts in prop::collection::vec(1..64_usize, 1..64),
        max in 0..300_usize,
    ) {
        let (mut read, mut taken, mut rest) = (BytesMut::new(), BytesMut::new(), &bytes[..]);
        let refused = cuts.iter().cycle().find_map(|cut| {
            let (piece, behind) = rest.split_at(rest.len().min(*cut));
            rest = behind;
            read.extend_from_slice(piece);
            loop {
                match tcp::take_frame(&mut read, max) {
                    Ok(Some(frame)) => tcp::put_frame(&mut taken, &frame),
                    Ok(None) if rest.is_empty() => return Some(None),
                    Ok(None) => return None,
                    Err(too_long) => return Some(Some(too_long)),
                }
            }
        });
        prop_assert!(bytes.starts_with(&taken), "other bytes than those that came");
        prop_assert_eq!(taken.len() + read.len() + rest.len(), bytes.len());
        if let Some(too_long) = refused.flatten() {
            prop_assert!(too_long.length > max && too_long.max == max);
        } else {
            let announced = read.first_chunk().map_or(usize::MAX, |prefix| tcp::PREFIX_BYTES + u32::from_be_bytes(*prefix) as usize);
            prop_assert!(read.len() < announced, "a whole frame was left");
        }
    }

    #[test]
    fn a_damaged_frame_never_panics(
        sample in prop::sample::select(encoded_samples()),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        length in any::<prop::sample::Index>(),
    ) {
        let mut bytes = sample.to_vec();
        for (place, byte) in damage {
            if !bytes.is_empty() {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
        }
        bytes.truncate(length.index(sample.len() + 1));
        check_grammar(&bytes);
        check::<ClientFrame>(bytes.clone().into());
        check::<ServerFrame>(bytes.into());
    }

    #[test]
    fn both_encodings_carry_the_same_values(number in any::<u64>(), text in any::<String>()) {
        for frame in samples::client_frames() {
            check_scrambled(&frame, number, &text);
        }
        for frame in samples::server_frames() {
            check_scrambled(&frame, number, &text);
        }
    }

    #[test]
    fn a_wrong_value_costs_its_request_alone(
        sample in prop::sample::select(samples::client_frames()),
        leaf in any::<prop::sample::Index>(),
        by in any_value(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let id = sample.request_id;
        let mut json: Value = serde_json::from_slice(&Format::Json.encode(&sample)).expect("what we wrote");
        for (name, body) in json.as_object_mut().expect("a frame") {
            if name != "request_id" {
                replace_leaf(body, &mut leaf.index(8), &by);
            }
        }
        check_is_answerable(Format::Json, json.to_string().into(), id);

        // The body is damaged; its key and its length are not.
        let mut bytes = Format::Protobuf.encode(&sample).to_vec();
        let body = prost::Message::encoded_len(&ClientFrame { request_id: 0, ..sample });
        let head = bytes.len() - body;
        let head = head + key_and_length(&bytes[head..]);
        for (place, byte) in damage {
            if head < bytes.len() {
                let place = head + place.index(bytes.len() - head);
                bytes[place] = byte;
            }
        }
        check_is_answerable(Format::Protobuf, bytes.into(), id);
    }
}
