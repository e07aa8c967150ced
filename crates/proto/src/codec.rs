//! Frames to bytes and back, in either encoding.

use bytes::Bytes;
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
            Self::Protobuf => F::decode(bytes).map_err(|error| Malformed(error.to_string())),
            Self::Json => serde_json::from_slice(&bytes).map_err(|error| Malformed(error.to_string())),
        }
    }
}

/// Bytes that are no frame.
#[derive(Debug, thiserror::Error)]
#[error("malformed frame: {0}")]
pub struct Malformed(String);

/// One of the two envelopes.
pub trait Frame: prost::Message + Default + Serialize + DeserializeOwned {}

impl Frame for ClientFrame {}
impl Frame for ServerFrame {}
