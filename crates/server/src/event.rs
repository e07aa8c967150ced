//! What is pushed, in the bytes of each framing.

use std::sync::OnceLock;

use anser_proto::{Format, v1};
use bytes::Bytes;

use crate::framing::Framing;

/// An event on its way to many: encoded once for each framing that a receiver has, and not at all without one.
pub struct Event {
    frame: v1::ServerFrame,
    /// As nodes tell it to each other.
    protobuf: OnceLock<Bytes>,
    framed: [OnceLock<Bytes>; Framing::COUNT],
}

impl Event {
    pub fn new(body: v1::server_frame::Body) -> Self {
        let frame = v1::ServerFrame { request_id: 0, body: Some(body) };
        Self { frame, protobuf: OnceLock::new(), framed: Default::default() }
    }

    /// One that another node made, from its protobuf. None if it is no frame.
    pub fn received(protobuf: Bytes) -> Option<Self> {
        let frame = Format::Protobuf.decode(&protobuf).ok()?;
        Some(Self { frame, protobuf: protobuf.into(), framed: Default::default() })
    }

    pub fn body(&self) -> Option<&v1::server_frame::Body> {
        self.frame.body.as_ref()
    }

    /// Of no use later: nobody need find it who was not told.
    pub fn is_passing(&self) -> bool {
        use v1::server_frame::Body;
        matches!(self.body(), Some(Body::Typing(_) | Body::Signal(_) | Body::Presences(_)))
    }

    /// Only for who wants to know.
    pub fn is_presence(&self) -> bool {
        matches!(self.body(), Some(v1::server_frame::Body::Presences(_)))
    }

    pub fn protobuf(&self) -> Bytes {
        self.protobuf.get_or_init(|| Format::Protobuf.encode(&self.frame)).clone()
    }

    /// In bytes of its own: what came from another node is part of a large pack, which must not live as long as the event waits
    /// for a slow receiver.
    pub fn framed(&self, framing: Framing) -> Bytes {
        let encode = || match (framing.format, self.protobuf.get()) {
            // Fields that only newer nodes know go on to clients that may know them.
            (Format::Protobuf, Some(protobuf)) => framing.frame(protobuf),
            _ => framing.encode(&self.frame),
        };
        self.framed[framing.index()].get_or_init(encode).clone()
    }
}
