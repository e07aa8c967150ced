//! Frames to bytes and back, in either encoding.

use bytes::{Buf, Bytes};
use prost::{
    DecodeError,
    encoding::{self, DecodeContext},
};

use crate::{
    json,
    v1::{ClientFrame, ServerFrame},
};

/// How frames are written on a connection, chosen once when it is opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    Protobuf,
    /// The proto3 JSON mapping with the field names of the .proto files: 64-bit numbers as strings, bytes
    /// as base64, enum values by name.
    Json,
}

/// The subprotocols of a WebSocket, in the order in which the server prefers them.
pub const SUBPROTOCOLS: [(&str, Format); 2] =
    [("anser.v1.protobuf", Format::Protobuf), ("anser.v1.json", Format::Json)];

impl Format {
    pub fn subprotocol(self) -> &'static str {
        match self {
            Self::Protobuf => SUBPROTOCOLS[0].0,
            Self::Json => SUBPROTOCOLS[1].0,
        }
    }

    /// The format of a TCP connection is seen at its first frame: no protobuf message of this protocol
    /// begins with an opening brace, and every JSON one does.
    pub fn sniff(first_frame: &[u8]) -> Self {
        if first_frame.first() == Some(&b'{') { Self::Json } else { Self::Protobuf }
    }

    pub fn encode<F: Frame>(self, frame: &F) -> Bytes {
        self.encode_behind(0, frame).into()
    }

    /// The frame behind so many bytes of zero, in which the caller writes what its transport puts before it.
    pub fn encode_behind<F: Frame>(self, room: usize, frame: &F) -> Vec<u8> {
        match self {
            Self::Protobuf => {
                let mut bytes = Vec::with_capacity(room + frame.encoded_len());
                bytes.resize(room, 0);
                frame.encode(&mut bytes).expect("a vector grows");
                bytes
            }
            Self::Json => json::encode_behind(room, frame),
        }
    }

    /// Unknown fields and unknown enum values are passed over; an unknown request or event decodes to a
    /// frame without body. JSON that is a frame is UTF-8, also what was passed over in it.
    pub fn decode<F: Frame>(self, bytes: &Bytes) -> Result<F, Malformed> {
        match self {
            Self::Protobuf => F::decode(Unread::of(bytes)).map_err(|error| in_protobuf(bytes, &error.to_string())),
            Self::Json => match json::decode::<F>(bytes) {
                Ok((frame, None)) => Ok(frame),
                Ok((frame, Some(fault))) => Err(Malformed::new(frame.request_id(), fault.to_string())),
                Err(error) => Err(Malformed::Frame(error.to_string())),
            },
        }
    }
}

/// Why bytes are not taken for a frame.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Malformed {
    /// They are none, or nobody can tell which request they are.
    #[error("no frame: {0}")]
    Frame(String),
    /// They are one, but a field has a value that it cannot have. It concerns this request alone.
    #[error("{message}")]
    Field { request_id: u32, message: String },
}

impl Malformed {
    fn new(request_id: u32, message: String) -> Self {
        if request_id == 0 { Self::Frame(message) } else { Self::Field { request_id, message } }
    }
}

/// Whose fault it is that a protobuf frame cannot be read. Looks at the fields of the frame itself and at nothing inside
/// them: where one begins and ends needs no knowledge of what it means.
fn in_protobuf(bytes: &Bytes, error: &str) -> Malformed {
    // `Send.content: ClientFrame.request: …`, from the inside out. The outermost says nothing where there is another.
    let message =
        error.trim_start_matches("failed to decode Protobuf message: ").replace(": ClientFrame.request: ", ": ");
    Malformed::new(request_id(Unread::of(bytes)).unwrap_or(0), message)
}

fn request_id(mut frame: Unread<'_>) -> Result<u32, DecodeError> {
    let mut request_id = 0;
    while frame.has_remaining() {
        match encoding::decode_key(&mut frame)? {
            (1, kind) => encoding::uint32::merge(kind, &mut request_id, &mut frame, DecodeContext::default())?,
            (field, kind) => encoding::skip_field(kind, field, &mut frame, DecodeContext::default())?,
        }
    }
    Ok(request_id)
}

/// What is left of some bytes, which stay whole for a second look. A field of bytes shares them.
struct Unread<'a> {
    bytes: &'a Bytes,
    at: usize,
}

impl<'a> Unread<'a> {
    fn of(bytes: &'a Bytes) -> Self {
        Self { bytes, at: 0 }
    }
}

impl Buf for Unread<'_> {
    fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }

    fn chunk(&self) -> &[u8] {
        &self.bytes[self.at..]
    }

    fn advance(&mut self, count: usize) {
        assert!(count <= self.remaining(), "advanced beyond the end");
        self.at += count;
    }

    fn copy_to_bytes(&mut self, count: usize) -> Bytes {
        let from = self.at;
        self.advance(count);
        self.bytes.slice(from..self.at)
    }
}

/// One of the two envelopes.
pub trait Frame: prost::Message + Default + json::Fields {
    fn request_id(&self) -> u32;
}

impl Frame for ClientFrame {
    fn request_id(&self) -> u32 {
        self.request_id
    }
}

impl Frame for ServerFrame {
    fn request_id(&self) -> u32 {
        self.request_id
    }
}
