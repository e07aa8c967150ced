//! Frames to bytes and back, in either encoding.

use bytes::{Buf as _, Bytes};
use prost::{
    DecodeError,
    encoding::{self, DecodeContext},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::v1::{ClientFrame, ServerFrame};

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
        match self {
            Self::Protobuf => frame.encode_to_vec().into(),
            Self::Json => serde_json::to_vec(frame)
                .expect("frames have no maps, and enum values of any number are written")
                .into(),
        }
    }

    /// Unknown fields and unknown enum values are passed over; an unknown request or event decodes to a
    /// frame without body.
    pub fn decode<F: Frame>(self, bytes: Bytes) -> Result<F, Malformed> {
        match self {
            Self::Protobuf => F::decode(bytes.clone()).map_err(|error| in_protobuf(bytes, &error.to_string())),
            Self::Json => serde_json::from_slice(&bytes).map_err(|error| Malformed::Frame(error.to_string())),
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

/// Whose fault it is that a protobuf frame cannot be read. Looks at the fields of the frame itself and at nothing inside
/// them: where one begins and ends needs no knowledge of what it means.
fn in_protobuf(mut bytes: Bytes, error: &str) -> Malformed {
    let message = error.strip_prefix("failed to decode Protobuf message: ").unwrap_or(error).to_owned();
    match request_id(&mut bytes) {
        Ok(request_id @ 1..) => Malformed::Field { request_id, message },
        _ => Malformed::Frame(message),
    }
}

fn request_id(bytes: &mut Bytes) -> Result<u32, DecodeError> {
    let mut request_id = 0;
    while bytes.has_remaining() {
        match encoding::decode_key(bytes)? {
            (1, kind) => encoding::uint32::merge(kind, &mut request_id, bytes, DecodeContext::default())?,
            (field, kind) => encoding::skip_field(kind, field, bytes, DecodeContext::default())?,
        }
    }
    Ok(request_id)
}

/// One of the two envelopes.
pub trait Frame: prost::Message + Default + Serialize + DeserializeOwned {}

impl Frame for ClientFrame {}
impl Frame for ServerFrame {}
