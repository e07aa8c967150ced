//! What is pushed, in the bytes of each format.

use std::sync::OnceLock;

use anser_proto::{Format, v1};
use bytes::Bytes;

/// An event on its way to many: encoded once for each format that a receiver wants, and not at all without one.
pub struct Event {
    frame: v1::ServerFrame,
    protobuf: OnceLock<Bytes>,
    json: OnceLock<Bytes>,
}

impl Event {
    pub fn new(body: v1::server_frame::Body) -> Self {
        let frame = v1::ServerFrame { request_id: 0, body: Some(body) };
        Self { frame, protobuf: OnceLock::new(), json: OnceLock::new() }
    }

    /// One that another node made, from its protobuf. None if it is no frame.
    pub fn received(protobuf: &[u8]) -> Option<Self> {
        // Its own bytes: what came is part of a large pack, which would live as long as the event waits for a slow receiver.
        let protobuf = Bytes::copy_from_slice(protobuf);
        let frame = Format::Protobuf.decode(protobuf.clone()).ok()?;
        Some(Self { frame, protobuf: protobuf.into(), json: OnceLock::new() })
    }

    pub fn body(&self) -> Option<&v1::server_frame::Body> {
        self.frame.body.as_ref()
    }

    pub fn encoded(&self, format: Format) -> Bytes {
        let encoded = match format {
            Format::Protobuf => &self.protobuf,
            Format::Json => &self.json,
        };
        encoded.get_or_init(|| format.encode(&self.frame)).clone()
    }
}
