//! docs/protocol.md says what is true: its examples are frames, its test vectors are right.

use std::fs;

use anser_proto::{
    Format, GroupId,
    codec::Frame,
    digest::groups_digest,
    tcp,
    v1::{ClientFrame, Ping, ServerFrame, client_frame::Request, message::Type},
};
use bytes::{Bytes, BytesMut};
use serde_json::Value;

use crate::{golden::variant, samples};

fn page() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/protocol.md");
    fs::read_to_string(path).expect("docs/protocol.md is there")
}

/// The content of all blocks with these words behind their fence.
fn blocks(page: &str, words: &str) -> Vec<String> {
    let opening = format!("```{words}\n");
    let blocks = page.split(&opening).skip(1).filter_map(|rest| Some(rest.split_once("```")?.0.to_owned()));
    let blocks: Vec<_> = blocks.collect();
    assert!(!blocks.is_empty(), "docs/protocol.md has no block `{words}`");
    blocks
}

/// Decodes the example, and finds in its encoding all that was written: no field was misspelt and passed over.
fn check<F: Frame>(example: &str) {
    let written: Value = serde_json::from_str(example).unwrap_or_else(|error| panic!("{error}: {example}"));
    let frame: F = Format::Json
        .decode(&Bytes::copy_from_slice(example.as_bytes()))
        .unwrap_or_else(|error| panic!("{error}: {example}"));
    let encoded: Value = serde_json::from_slice(&Format::Json.encode(&frame)).expect("what we wrote");
    assert_eq!(encoded, written);
}

#[test]
fn the_json_examples_are_frames() {
    let page = page();
    blocks(&page, "json client").iter().for_each(|example| check::<ClientFrame>(example));
    blocks(&page, "json server").iter().for_each(|example| check::<ServerFrame>(example));
}

#[test]
fn every_request_and_body_is_named() {
    let page = page();
    let requests = samples::client_frames().iter().map(variant).collect::<Vec<_>>();
    let bodies = samples::server_frames().iter().map(variant).collect::<Vec<_>>();
    for name in requests.iter().chain(&bodies) {
        assert!(page.contains(&format!("`{name}`")), "docs/protocol.md does not name `{name}`");
    }
}

#[test]
fn every_type_of_a_message_is_named() {
    let (page, types) = (page(), (1..100).filter_map(|number| Type::try_from(number).ok()));
    let missing: Vec<_> =
        types.map(|kind| kind.as_str_name()).filter(|name| !page.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "docs/protocol.md does not name {missing:?}");
}

#[test]
fn the_hex_examples_are_framed_pings() {
    let page = page();
    let ping = ClientFrame { request_id: 7, request: Some(Request::Ping(Ping {})) };
    for (words, format) in [("hex protobuf", Format::Protobuf), ("hex json", Format::Json)] {
        for example in blocks(&page, words) {
            let bytes = example.split_whitespace().map(|hex| u8::from_str_radix(hex, 16).expect("hexadecimal"));
            let mut read: BytesMut = bytes.collect();
            let frame = tcp::take_frame(&mut read, 64).expect("short enough").expect("whole");
            assert!(read.is_empty(), "{words}: bytes lie behind the frame");
            assert_eq!(Format::sniff(&frame), format);
            assert_eq!(format.decode::<ClientFrame>(&frame).expect("a frame"), ping);
            assert_eq!(format.encode(&ping).len() + tcp::PREFIX_BYTES, example.split_whitespace().count());
        }
    }
}

#[test]
fn the_digests_are_right() {
    let page = page();
    let (_, table) = page.split_once("| groups as (group_id, head) | digest |").expect("the table is there");
    let rows: Vec<_> = table.lines().skip(2).take_while(|line| line.starts_with('|')).collect();
    assert!(rows.len() >= 4, "the table lost its rows");
    for row in rows {
        let numbers = row.split(|letter: char| !letter.is_ascii_digit()).filter_map(|number| number.parse().ok());
        let mut numbers: Vec<u64> = numbers.collect();
        let digest = numbers.pop().expect("a row ends with the digest");
        let positions = numbers.chunks_exact(2).map(|pair| (GroupId(pair[0]), pair[1]));
        assert_eq!(groups_digest(positions), digest, "{row}");
    }
}
