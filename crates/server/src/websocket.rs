//! WebSocket frames (RFC 6455) as a server reads and writes them: bytes in, items out, no I/O.
//!
//! No extension is spoken. Nothing is reserved for what a header announces: memory grows with the bytes that came.

use anser_proto::Format;
use bytes::{Buf as _, Bytes, BytesMut};

/// Bytes of the longest header that a server writes.
pub const HEADER_BYTES_MAX: usize = 10;
/// Bytes of a control frame's payload, those of a close frame's reason included (RFC 6455, 5.5).
pub const CONTROL_BYTES_MAX: usize = 125;

/// RFC 6455, 5.2.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Opcode {
    Continuation = 0,
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

impl Opcode {
    fn from_bits(bits: u8) -> Option<Self> {
        use Opcode::*;
        [Continuation, Text, Binary, Close, Ping, Pong].into_iter().find(|opcode| *opcode as u8 == bits)
    }

    fn is_control(self) -> bool {
        self as u8 >= Self::Close as u8
    }

    /// That of messages whose frames are written so.
    pub fn of(format: Format) -> Self {
        match format {
            Format::Protobuf => Self::Binary,
            Format::Json => Self::Text,
        }
    }
}

/// The header of an unfragmented, unmasked frame: what a server writes before `length` bytes. The header stands at the end of
/// the array, so that one who has left room before the payload writes it there.
pub fn header(opcode: Opcode, length: usize) -> ([u8; HEADER_BYTES_MAX], usize) {
    let mut header = [0; HEADER_BYTES_MAX];
    let length = length as u64;
    let bytes = match length {
        0..=125 => 2,
        126..=0xffff => 4,
        _ => HEADER_BYTES_MAX,
    };
    let start = HEADER_BYTES_MAX - bytes;
    header[2..].copy_from_slice(&length.to_be_bytes());
    header[start] = 0x80 | opcode as u8;
    header[start + 1] = match bytes {
        2 => length.to_be_bytes()[7],
        4 => 126,
        _ => 127,
    };
    (header, bytes)
}

/// A whole frame with little in it.
pub fn control(opcode: Opcode, payload: &[u8]) -> Bytes {
    debug_assert!(opcode.is_control() && payload.len() <= CONTROL_BYTES_MAX, "{opcode:?} of {} bytes", payload.len());
    let (header, bytes) = header(opcode, payload.len());
    [&header[HEADER_BYTES_MAX - bytes..], payload].concat().into()
}

/// A close frame. The reason is cut to what fits.
pub fn close(code: u16, reason: &str) -> Bytes {
    let reason = &reason[..reason.floor_char_boundary(CONTROL_BYTES_MAX - 2)];
    control(Opcode::Close, &[&code.to_be_bytes(), reason.as_bytes()].concat())
}

/// What a frame of the peer brought.
#[derive(PartialEq, Eq, Debug)]
pub enum Item {
    /// A whole message. Whether text is UTF-8 is found by who reads it: see [`check_text`].
    Message {
        is_text: bool,
        payload: Bytes,
    },
    /// A part of a message that is not whole yet.
    Fragment,
    /// To be answered with a pong of the same bytes.
    Ping(Bytes),
    Pong,
    /// The peer says nothing more. The code that it gave, if any.
    Close(Option<u16>),
}

/// The peer does not keep to RFC 6455: the connection is to be failed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Violation {
    #[error("{0} (RFC 6455)")]
    Protocol(&'static str),
    #[error("text that is not UTF-8 (RFC 6455, 8.1)")]
    NotUtf8,
    #[error("a message of {length} bytes: at most {max} are allowed")]
    TooLarge { length: u64, max: usize },
}

impl Violation {
    /// The code and reason of the close frame that answers it (RFC 6455, 7.4.1).
    pub fn close(&self) -> (u16, &'static str) {
        match self {
            Self::Protocol(what) => (1002, what),
            Self::NotUtf8 => (1007, "text that is not UTF-8"),
            Self::TooLarge { .. } => (1009, "a message that is too large"),
        }
    }
}

/// Finds frames in what was read, and puts fragments together.
#[derive(Default)]
pub struct Decoder {
    /// The message of which some fragments came.
    begun: Option<Begun>,
}

struct Begun {
    is_text: bool,
    payload: BytesMut,
}

impl Decoder {
    /// Takes the next frame off the front of what was read; `None` when more bytes are needed. A message may have so many bytes
    /// in all of its fragments; more are refused as soon as they are announced.
    pub fn decode(&mut self, read: &mut BytesMut, message_bytes_max: usize) -> Result<Option<Item>, Violation> {
        let Some(head) = Head::parse(read)? else { return Ok(None) };
        self.check(&head, message_bytes_max)?;
        let length = usize::try_from(head.length).expect("within message_bytes_max");
        if read.len() < head.bytes + length {
            return Ok(None);
        }
        read.advance(head.bytes);
        let mut payload = read.split_to(length);
        unmask(&mut payload, head.mask);
        self.take(&head, payload).map(Some)
    }

    /// How many bytes came of a message in fragments.
    pub fn begun(&self) -> usize {
        self.begun.as_ref().map_or(0, |begun| begun.payload.len())
    }

    fn check(&self, head: &Head, message_bytes_max: usize) -> Result<(), Violation> {
        if head.opcode.is_control() {
            return match (head.fin, head.length) {
                (false, _) => Err(Violation::Protocol("a control frame in fragments")),
                (true, ..=125) => Ok(()),
                (true, _) => Err(Violation::Protocol("a control frame of more than 125 bytes")),
            };
        }
        match (head.opcode, &self.begun) {
            (Opcode::Continuation, None) => return Err(Violation::Protocol("a continuation of nothing")),
            (Opcode::Text | Opcode::Binary, Some(_)) => {
                return Err(Violation::Protocol("a message within the fragments of another"));
            }
            _ => {}
        }
        let length = (self.begun() as u64).saturating_add(head.length);
        if length > message_bytes_max as u64 {
            return Err(Violation::TooLarge { length, max: message_bytes_max });
        }
        Ok(())
    }

    fn take(&mut self, head: &Head, payload: BytesMut) -> Result<Item, Violation> {
        match head.opcode {
            Opcode::Ping => return Ok(Item::Ping(payload.freeze())),
            Opcode::Pong => return Ok(Item::Pong),
            Opcode::Close => return close_code(&payload).map(Item::Close),
            Opcode::Continuation | Opcode::Text | Opcode::Binary => {}
        }
        let whole = match self.begun.take() {
            None => Begun { is_text: head.opcode == Opcode::Text, payload },
            Some(mut begun) => {
                begun.payload.extend_from_slice(&payload);
                begun
            }
        };
        if !head.fin {
            // Of its own: what was read is one large piece, which a small first fragment would keep.
            let payload = BytesMut::from(&whole.payload[..]);
            self.begun = Some(if head.opcode == Opcode::Continuation { whole } else { Begun { payload, ..whole } });
            return Ok(Item::Fragment);
        }
        Ok(Item::Message { is_text: whole.is_text, payload: whole.payload.freeze() })
    }
}

/// The header of a frame of the peer.
struct Head {
    fin: bool,
    opcode: Opcode,
    mask: [u8; 4],
    /// Of the payload.
    length: u64,
    /// Of the header itself.
    bytes: usize,
}

impl Head {
    /// None when more bytes are needed. Refuses what can be refused already.
    fn parse(read: &[u8]) -> Result<Option<Self>, Violation> {
        let Some([first, second]) = read.first_chunk() else { return Ok(None) };
        if first & 0x70 != 0 {
            return Err(Violation::Protocol("a reserved bit is set, and no extension is spoken"));
        }
        let opcode = Opcode::from_bits(first & 0x0f).ok_or(Violation::Protocol("an opcode that is reserved"))?;
        if second & 0x80 == 0 {
            return Err(Violation::Protocol("a client's frame without a mask"));
        }
        let Some((length, at)) = Self::length(second & 0x7f, read)? else { return Ok(None) };
        let Some(mask) = read.get(at..).and_then(|rest| rest.first_chunk()) else { return Ok(None) };
        Ok(Some(Self { fin: first & 0x80 != 0, opcode, mask: *mask, length, bytes: at + mask.len() }))
    }

    /// The length of the payload, and where it ends.
    fn length(short: u8, read: &[u8]) -> Result<Option<(u64, usize)>, Violation> {
        let (length, at, least) = match short {
            126 => match read[2..].first_chunk() {
                Some(bytes) => (u16::from_be_bytes(*bytes).into(), 4, 126),
                None => return Ok(None),
            },
            127 => match read[2..].first_chunk() {
                Some(bytes) => (u64::from_be_bytes(*bytes), 10, 0x1_0000),
                None => return Ok(None),
            },
            _ => (short.into(), 2, 0),
        };
        if length < least || length > i64::MAX as u64 {
            return Err(Violation::Protocol("a length that is not written in the fewest bytes"));
        }
        Ok(Some((length, at)))
    }
}

/// RFC 6455, 5.3. Eight bytes at a time, which the compiler turns into more.
fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    let [a, b, c, d] = mask;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (eights, rest) = payload.as_chunks_mut::<8>();
    for eight in eights {
        *eight = (u64::from_ne_bytes(*eight) ^ wide).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
}

/// RFC 6455, 8.1. What could be decoded is UTF-8, so only what could not needs this look.
pub fn check_text(payload: &[u8]) -> Result<(), Violation> {
    std::str::from_utf8(payload).map(drop).map_err(|_| Violation::NotUtf8)
}

/// RFC 6455, 5.5.1 and 7.4.
fn close_code(payload: &[u8]) -> Result<Option<u16>, Violation> {
    let Some((code, reason)) = payload.split_first_chunk() else {
        return if payload.is_empty() { Ok(None) } else { Err(Violation::Protocol("a close code of one byte")) };
    };
    let code = u16::from_be_bytes(*code);
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(Violation::Protocol("a close code that may not be sent"));
    }
    check_text(reason)?;
    Ok(Some(code))
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
