//! How frames lie in the bytes of a connection: their encoding, and what its transport puts before each.

use anser_proto::{Format, codec::Frame};
use bytes::Bytes;

use crate::websocket::{self, HEADER_BYTES_MAX, Opcode};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transport {
    WebSocket,
    Tcp,
}

/// Known of a connection from its first frame on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Framing {
    pub transport: Transport,
    pub format: Format,
}

impl Framing {
    /// How many there are; see [`Framing::index`].
    pub const COUNT: usize = 4;

    /// A number of its own for each, from 0 on.
    pub fn index(self) -> usize {
        usize::from(self.transport == Transport::Tcp) * 2 + usize::from(self.format == Format::Json)
    }

    /// The frame as it goes over the connection, in one piece.
    pub fn encode<F: Frame>(self, frame: &F) -> Bytes {
        // The length stands before what it measures, and JSON is only measured by writing it.
        self.put_header(self.format.encode_behind(HEADER_BYTES_MAX, frame))
    }

    /// The same of a frame that is encoded.
    pub fn frame(self, encoded: &[u8]) -> Bytes {
        let mut bytes = Vec::with_capacity(HEADER_BYTES_MAX + encoded.len());
        bytes.resize(HEADER_BYTES_MAX, 0);
        bytes.extend_from_slice(encoded);
        self.put_header(bytes)
    }

    /// Into the room that was left before the frame.
    fn put_header(self, mut bytes: Vec<u8>) -> Bytes {
        let length = bytes.len() - HEADER_BYTES_MAX;
        let (header, header_bytes) = self.header(length);
        bytes[..HEADER_BYTES_MAX].copy_from_slice(&header);
        Bytes::from(bytes).slice(HEADER_BYTES_MAX - header_bytes..)
    }

    /// At the end of the array, and how many bytes it has.
    fn header(self, length: usize) -> ([u8; HEADER_BYTES_MAX], usize) {
        match self.transport {
            Transport::WebSocket => websocket::header(Opcode::of(self.format), length),
            Transport::Tcp => {
                let prefix = u32::try_from(length).expect("frames are bounded far below 4 GiB").to_be_bytes();
                let mut header = [0; HEADER_BYTES_MAX];
                header[HEADER_BYTES_MAX - prefix.len()..].copy_from_slice(&prefix);
                (header, prefix.len())
            }
        }
    }
}
