//! Golden frames: what one release wrote, every later one reads and writes the same.
//!
//! A file that is there is never written again. `ANSER_GOLDEN=new cargo test -p anser-proto` writes those that
//! are missing, after a request or event was added.

use std::{collections::BTreeSet, fmt::Debug, fs, path::PathBuf};

use anser_proto::{
    Format,
    codec::Frame,
    v1::{ClientFrame, ServerFrame},
};
use bytes::Bytes;

use crate::{joining, pins, profile, samples};

/// The request or body of a frame, by its name in the .proto file.
pub(crate) fn variant(frame: &impl Frame) -> String {
    let json: serde_json::Value = serde_json::from_slice(&Format::Json.encode(frame)).expect("what we wrote");
    let fields = json.as_object().expect("a frame is an object");
    fields.keys().find(|name| *name != "request_id").expect("the frame has a body").clone()
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn check<F: Frame + PartialEq + Debug>(side: &str, name: &str, frame: &F) {
    for (format, ending) in [(Format::Protobuf, "bin"), (Format::Json, "json")] {
        let path = folder().join(format!("{side}.{name}.{ending}"));
        let encoded = format.encode(frame);
        if !path.exists() && std::env::var("ANSER_GOLDEN").as_deref() == Ok("new") {
            fs::write(&path, &encoded).expect("the folder can be written");
        }
        let golden = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(encoded, golden, "{} is not what is written now", path.display());
        assert_eq!(
            &format.decode::<F>(&Bytes::from(golden)).expect("golden frames decode"),
            frame,
            "{}",
            path.display()
        );
    }
}

#[test]
fn golden_frames_are_read_and_written_as_ever() {
    for frame in samples::client_frames() {
        check("client", &variant(&frame), &frame);
    }
    for frame in samples::server_frames() {
        check("server", &variant(&frame), &frame);
    }
    check("client", "hello-token", &samples::hello_with_token());
    let (sync, page) = samples::check();
    check("client", "sync-digest", &sync);
    check("server", "sync_page-behind", &page);
    let (sync, page) = samples::reset();
    check("client", "sync-resetting", &sync);
    check("server", "sync_page-reset", &page);
    check("client", "pull-beginning", &samples::pull_from_the_beginning());
    check("client", "send-reply", &samples::reply());
    check("server", "messages-changes", &samples::page_of_changes());
    check("server", "session_changed-recalled", &samples::recalled_preview());
    check("server", "group-whole", &samples::group_as_it_is());
    check("server", "message-group_changed", &samples::group_changed());
    check("server", "members-muted", &samples::members_muted());
    check("server", "session_changed-flags", &samples::session_with_flags());
    check("server", "changed-hidden", &samples::hidden());
    for (name, frame) in samples::mentions::requests() {
        check("client", name, &frame);
    }
    for (name, frame) in samples::mentions::events() {
        check("server", name, &frame);
    }
    for (name, request) in joining::newer_requests() {
        check("client", name, &ClientFrame { request_id: 1, request: Some(request) });
    }
    for (name, frame) in joining::newer_frames() {
        check("server", name, &frame);
    }
    for (name, request) in profile::newer_requests() {
        check("client", name, &ClientFrame { request_id: 1, request: Some(request) });
    }
    check("server", "users-profile", &profile::whole());
    check("server", "message-pinned", &pins::told());
    check("client", "nothing", &ClientFrame::default());
    check("server", "nothing", &ServerFrame::default());
}

#[test]
fn every_request_and_body_has_a_golden_frame() {
    let contract = concat!(env!("CARGO_MANIFEST_DIR"), "/../../proto/anser/v1/frame.proto");
    let contract = fs::read_to_string(contract).expect("the contract is there");
    let client: BTreeSet<String> = samples::client_frames().iter().map(variant).collect();
    let server: BTreeSet<String> = samples::server_frames().iter().map(variant).collect();
    assert_eq!(client, oneof_names(&contract, "oneof request {"));
    assert_eq!(server, oneof_names(&contract, "oneof body {"));
}

fn oneof_names(contract: &str, opening: &str) -> BTreeSet<String> {
    let (_, block) = contract.split_once(opening).expect("the oneof is there");
    let (block, _) = block.split_once('}').expect("and closed");
    // `Send send = 10;`
    let names = block.lines().filter_map(|line| line.split_once('=')?.0.split_whitespace().nth(1));
    names.map(str::to_owned).collect()
}
