//! WebSocket frames by hand (RFC 6455, section 5): any header, whether it is allowed or not.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};

pub const FIN: u8 = 0x80;
pub const CONTINUATION: u8 = 0x0;
pub const TEXT: u8 = 0x1;
pub const BINARY: u8 = 0x2;
pub const CLOSE: u8 = 0x8;
pub const PING: u8 = 0x9;
pub const PONG: u8 = 0xA;

const MASKED: u8 = 0x80;
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A frame of a client, as it goes out. [`Frame::new`] makes a good one; every field may then be made wrong.
pub struct Frame<'f> {
    /// FIN, the three reserved bits and the opcode.
    pub first: u8,
    /// None: not masked, which a client's frame must be.
    pub mask: Option<[u8; 4]>,
    /// The length that the header tells.
    pub length: u64,
    pub form: Form,
    pub payload: &'f [u8],
}

/// How a length is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As the RFC demands.
    Shortest,
    /// In 16 bits, which is wrong below 126.
    Short,
    /// In 64 bits, which is wrong below 65 536.
    Long,
}

impl<'f> Frame<'f> {
    pub fn new(first: u8, payload: &'f [u8]) -> Self {
        Self { first, mask: Some(MASK), length: payload.len() as u64, form: Form::Shortest, payload }
    }

    pub fn bytes(&self) -> Bytes {
        let mut out = BytesMut::with_capacity(14 + self.payload.len());
        out.put_u8(self.first);
        let masked = if self.mask.is_some() { MASKED } else { 0 };
        match (self.form, self.length) {
            (Form::Shortest, 0..=125) => out.put_u8(masked | self.length as u8),
            (Form::Shortest, 126..=0xffff) | (Form::Short, _) => {
                out.put_u8(masked | 126);
                out.put_u16(self.length as u16);
            }
            (Form::Shortest, _) | (Form::Long, _) => {
                out.put_u8(masked | 127);
                out.put_u64(self.length);
            }
        }
        let mask = self.mask.unwrap_or_default();
        out.put_slice(self.mask.as_ref().map_or(&[], |mask| &mask[..]));
        out.extend(self.payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        out.freeze()
    }
}

/// Takes the server's next frame off what was read: its first byte and its payload. None when more bytes are needed.
///
/// # Panics
/// When the server says what RFC 6455 forbids it: masks, reserved bits, a length in a longer form than it needs.
pub fn take_frame(read: &mut BytesMut) -> Option<(u8, Bytes)> {
    let (first, second) = (*read.first()?, *read.get(1)?);
    assert!(first & 0x70 == 0 && second & MASKED == 0, "a frame that a server must not send: {first:#x} {second:#x}");
    let (header, length) = match second {
        126 => (4, u64::from(u16::from_be_bytes(*read.get(2..)?.first_chunk()?))),
        127 => (10, u64::from_be_bytes(*read.get(2..)?.first_chunk()?)),
        length => (2, u64::from(length)),
    };
    let shortest = match length {
        0..=125 => 2,
        126..=0xffff => 4,
        _ => 10,
    };
    assert_eq!(header, shortest, "a length of {length} in a longer form than it needs");
    let length = usize::try_from(length).expect("a frame that fits into memory");
    if read.len() < header + length {
        return None;
    }
    read.advance(header);
    Some((first, read.split_to(length).freeze()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 6455, section 5.7.
    #[test]
    fn frames_are_those_of_the_rfc() {
        let hello = Frame::new(FIN | TEXT, b"Hello").bytes();
        assert_eq!(&hello[..], [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]);
        assert_eq!(Frame { mask: None, ..Frame::new(TEXT, b"Hel") }.bytes(), &[0x01, 0x03, 0x48, 0x65, 0x6c][..]);
        let long = Frame { mask: None, ..Frame::new(FIN | BINARY, &[7; 256]) }.bytes();
        assert_eq!(&long[..4], [0x82, 0x7E, 0x01, 0x00]);
        let longer = Frame { mask: None, ..Frame::new(FIN | BINARY, &[7; 65536]) }.bytes();
        assert_eq!(&longer[..10], [0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0]);
        for payload in [0, 125, 126, 65_535, 65_536].map(|length| vec![7; length]) {
            let mut read = BytesMut::from(&Frame { mask: None, ..Frame::new(FIN | BINARY, &payload) }.bytes()[..]);
            assert_eq!(take_frame(&mut read), Some((FIN | BINARY, payload.into())));
            assert!(read.is_empty() && take_frame(&mut read).is_none());
        }
    }
}
