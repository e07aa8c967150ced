//! RFC 6455, case by case, and whatever else a peer may say.

use proptest::prelude::*;

use super::*;

const MAX: usize = 1_000;
const FIN: u8 = 0x80;
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A frame as a client writes it, whatever is right.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        short @ 0..=125 => bytes.push(0x80 | short as u8),
        long => {
            bytes.push(0x80 | 126);
            bytes.extend((long as u16).to_be_bytes());
        }
    }
    bytes.extend(MASK);
    bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// All that the frames bring, and how it ends if it does.
fn decode(frames: &[Vec<u8>]) -> (Vec<Item>, Option<Violation>) {
    decode_in_pieces(&frames.concat(), usize::MAX)
}

fn decode_in_pieces(stream: &[u8], piece: usize) -> (Vec<Item>, Option<Violation>) {
    let (mut decoder, mut read, mut items) = (Decoder::default(), BytesMut::new(), Vec::new());
    for piece in stream.chunks(piece.min(stream.len().max(1))) {
        read.extend_from_slice(piece);
        loop {
            match decoder.decode(&mut read, MAX) {
                Ok(Some(item)) => items.push(item),
                Ok(None) => break,
                Err(violation) => return (items, Some(violation)),
            }
        }
    }
    (items, None)
}

fn text(payload: &'static str) -> Item {
    Item::Message { is_text: true, payload: payload.into() }
}

fn binary(payload: &'static [u8]) -> Item {
    Item::Message { is_text: false, payload: Bytes::from_static(payload) }
}

fn check(frames: &[Vec<u8>], expected: &[Item]) {
    assert_eq!(decode(frames), (expected.iter().map(copy).collect(), None));
}

fn copy(item: &Item) -> Item {
    match item {
        Item::Message { is_text, payload } => Item::Message { is_text: *is_text, payload: payload.clone() },
        Item::Fragment => Item::Fragment,
        Item::Ping(payload) => Item::Ping(payload.clone()),
        Item::Pong => Item::Pong,
        Item::Close(code) => Item::Close(*code),
    }
}

fn check_refused(frames: &[Vec<u8>], code: u16, word: &str) {
    let (_, violation) = decode(frames);
    let violation = violation.unwrap_or_else(|| panic!("{word}: {frames:x?} was taken"));
    assert_eq!(violation.close().0, code, "{violation}");
    assert!(violation.to_string().contains(word), "{violation}");
}

#[test]
fn the_examples_of_the_standard_are_read() {
    // 5.7: a masked "Hello"; the same in two fragments, masked; a masked pong of it.
    check(&[vec![0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]], &[text("Hello")]);
    check(&[frame(0x01, b"Hel"), frame(0x80, b"lo")], &[Item::Fragment, text("Hello")]);
    check(&[vec![0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]], &[Item::Pong]);
}

#[test]
fn frames_of_a_server_are_those_of_the_standard() {
    let start = |opcode, length| {
        let (header, bytes) = header(opcode, length);
        header[HEADER_BYTES_MAX - bytes..].to_vec()
    };
    assert_eq!(start(Opcode::Text, 5), [0x81, 0x05]);
    assert_eq!(start(Opcode::Binary, 125), [0x82, 0x7d]);
    assert_eq!(start(Opcode::Binary, 126), [0x82, 0x7e, 0, 126]);
    assert_eq!(start(Opcode::Binary, 256), [0x82, 0x7e, 0x01, 0x00]);
    assert_eq!(start(Opcode::Binary, 65_535), [0x82, 0x7e, 0xff, 0xff]);
    assert_eq!(start(Opcode::Binary, 65_536), [0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0]);
    assert_eq!(control(Opcode::Pong, b"Hello")[..], *b"\x8a\x05Hello");
    assert_eq!(close(1002, "no")[..], *b"\x88\x04\x03\xeano");
    assert_eq!(close(4001, &"ß".repeat(100)).len(), 2 + 2 + 122, "cut between characters");
}

#[test]
fn control_frames_may_stand_between_fragments() {
    check(
        &[frame(0x02, b"a"), frame(FIN | 9, b"hi"), frame(0x00, b""), frame(FIN | 10, b""), frame(FIN, b"b")],
        &[Item::Fragment, Item::Ping("hi".into()), Item::Fragment, Item::Pong, binary(b"ab")],
    );
}

#[test]
fn empty_messages_are_messages() {
    check(&[frame(FIN | 1, b""), frame(FIN | 2, b"")], &[text(""), binary(b"")]);
}

#[test]
fn a_character_may_lie_in_two_fragments() {
    check(&[frame(0x01, &[0xc3]), frame(FIN, &[0x9f])], &[Item::Fragment, text("ß")]);
}

#[test]
fn what_is_no_text_is_refused() {
    for bad in [&[0xff][..], &[0xc3], &[0xed, 0xa0, 0x80], &[0xf4, 0x90, 0x80, 0x80]] {
        assert_eq!(check_text(bad), Err(Violation::NotUtf8));
    }
    assert_eq!(check_text("ß".as_bytes()), Ok(()));
    check_refused(&[frame(FIN | 8, &[0x03, 0xe8, 0xff])], 1007, "UTF-8");
    check(&[frame(FIN | 2, &[0xff])], &[binary(&[0xff])]);
}

#[test]
fn what_the_standard_forbids_is_refused() {
    for bit in [0x40, 0x20, 0x10] {
        check_refused(&[frame(FIN | bit | 1, b"")], 1002, "reserved bit");
    }
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        check_refused(&[frame(FIN | opcode, b"")], 1002, "opcode");
    }
    for opcode in [8, 9, 10] {
        check_refused(&[frame(opcode, b"")], 1002, "in fragments");
        check_refused(&[frame(FIN | opcode, &[b'x'; 126])], 1002, "125 bytes");
    }
    check_refused(&[vec![0x81, 0x01, b'x']], 1002, "mask");
    check_refused(&[frame(FIN, b"x")], 1002, "continuation of nothing");
    check_refused(&[frame(0x01, b"x"), frame(FIN | 1, b"y")], 1002, "within the fragments");
    check_refused(&[frame(0x01, b"x"), frame(0x02, b"y")], 1002, "within the fragments");
    check_refused(&[[&[0x82, 0xfe, 0, 125][..], &MASK, &[0; 125]].concat()], 1002, "fewest");
    check_refused(&[[&[0x82, 0xff][..], &0xffffu64.to_be_bytes(), &MASK].concat()], 1002, "fewest");
    check_refused(&[[&[0x82, 0xff][..], &(1u64 << 63).to_be_bytes(), &MASK].concat()], 1002, "fewest");
}

#[test]
fn close_frames_say_what_they_may() {
    check(&[frame(FIN | 8, b"")], &[Item::Close(None)]);
    for code in [1000, 1001, 1002, 1003, 1007, 1010, 1011, 1014, 3000, 3999, 4000, 4999u16] {
        check(&[frame(FIN | 8, &[&code.to_be_bytes()[..], b"why"].concat())], &[Item::Close(Some(code))]);
    }
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 1999, 2999, 5000, 65_535u16] {
        check_refused(&[frame(FIN | 8, &code.to_be_bytes())], 1002, "close code");
    }
    check_refused(&[frame(FIN | 8, &[3])], 1002, "one byte");
}

#[test]
fn what_is_too_large_is_refused_before_it_comes() {
    check_refused(&[[&[0x82, 0xfe][..], &1_001u16.to_be_bytes(), &MASK].concat()], 1009, "1001 bytes");
    check_refused(&[[&[0x82, 0xff][..], &(i64::MAX as u64).to_be_bytes(), &MASK].concat()], 1009, "bytes");
    let begun = frame(0x02, &[0; 600]);
    check_refused(&[begun, [&[0x00, 0xfe][..], &401u16.to_be_bytes(), &MASK].concat()], 1009, "1001 bytes");
}

#[test]
fn nothing_is_reserved_for_what_is_only_announced() {
    let (mut decoder, mut read) = (Decoder::default(), BytesMut::new());
    read.extend_from_slice(&[&[0x82, 0xfe][..], &1_000u16.to_be_bytes(), &MASK, b"x"].concat());
    assert_eq!(decoder.decode(&mut read, MAX), Ok(None));
    assert!(read.capacity() < 100, "{}", read.capacity());
}

proptest! {
    #[test]
    fn no_bytes_break_the_decoder(stream in proptest::collection::vec(any::<u8>(), 0..4_000)) {
        decode_in_pieces(&stream, usize::MAX);
    }

    #[test]
    fn frames_are_the_same_however_the_stream_is_cut(
        frames in proptest::collection::vec(
            (any::<u8>().prop_filter("mostly without reserved bits", |first| first & 0x70 == 0 || first % 32 == 7),
             proptest::collection::vec(any::<u8>(), 0..400)),
            0..20,
        ),
        piece in 1usize..50,
    ) {
        let stream = frames.iter().map(|(first, payload)| frame(*first, payload)).collect::<Vec<_>>().concat();
        prop_assert_eq!(decode_in_pieces(&stream, piece), decode_in_pieces(&stream, usize::MAX));
    }

    #[test]
    fn messages_come_out_as_they_went_in(
        messages in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..900), 0..8),
        fragment in 1usize..300,
    ) {
        let mut stream = Vec::new();
        for message in &messages {
            let fragments: Vec<_> = if message.is_empty() { vec![&[][..]] } else { message.chunks(fragment).collect() };
            for (index, payload) in fragments.iter().enumerate() {
                let opcode = if index == 0 { 2 } else { 0 };
                let fin = if index + 1 == fragments.len() { FIN } else { 0 };
                stream.extend(frame(fin | opcode, payload));
            }
        }
        let (items, violation) = decode(&[stream]);
        prop_assert_eq!(violation, None);
        let got: Vec<_> = items.into_iter().filter_map(|item| match item {
            Item::Message { payload, .. } => Some(payload.to_vec()),
            _ => None,
        }).collect();
        prop_assert_eq!(got, messages);
    }
}
