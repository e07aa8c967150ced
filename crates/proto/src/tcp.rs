//! Frames on a byte stream: a four-byte big-endian length, then the frame.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};

/// Bytes of the length before each frame.
pub const PREFIX_BYTES: usize = 4;

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a frame of {length} bytes was announced: at most {max} are allowed")]
pub struct TooLong {
    pub length: usize,
    pub max: usize,
}

/// Takes the next whole frame off the front of what was read; `None` when more bytes are needed.
///
/// Refuses a length above `max` as soon as it is announced: nothing is ever reserved for it.
pub fn take_frame(read: &mut BytesMut, max: usize) -> Result<Option<Bytes>, TooLong> {
    let Some(prefix) = read.first_chunk::<PREFIX_BYTES>() else { return Ok(None) };
    let length = u32::from_be_bytes(*prefix) as usize;
    if length > max {
        return Err(TooLong { length, max });
    }
    if read.len() < PREFIX_BYTES + length {
        return Ok(None);
    }
    read.advance(PREFIX_BYTES);
    Ok(Some(read.split_to(length).freeze()))
}

pub fn put_frame(out: &mut BytesMut, frame: &[u8]) {
    let length = u32::try_from(frame.len()).expect("frames are bounded far below 4 GiB");
    out.reserve(PREFIX_BYTES + frame.len());
    out.put_u32(length);
    out.put_slice(frame);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_out_as_they_went_in_however_the_stream_is_cut() {
        let mut stream = BytesMut::new();
        for frame in [&b"one"[..], b"", b"three"] {
            put_frame(&mut stream, frame);
        }
        let mut read = BytesMut::new();
        let mut frames = Vec::new();
        for byte in stream {
            read.put_u8(byte);
            while let Some(frame) = take_frame(&mut read, 5).expect("within the limit") {
                frames.push(frame);
            }
        }
        assert_eq!(frames, [&b"one"[..], b"", b"three"]);
        assert!(read.is_empty());
    }

    #[test]
    fn a_length_over_the_limit_is_refused_before_its_bytes_come() {
        let mut read = BytesMut::from(&[0xff, 0xff, 0xff, 0xff][..]);
        assert_eq!(take_frame(&mut read, 5), Err(TooLong { length: 0xffff_ffff, max: 5 }));
    }
}
