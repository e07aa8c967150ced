//! What RFC 6455 says of a client's bytes, read the slow way from the whole stream: what the decoder is compared with. It shares nothing
//! with the decoder but the type of what comes out.

use super::Item;

/// All that a stream says, up to its end, a close frame or what is wrong.
#[derive(Default, Debug)]
pub struct Told {
    /// With the bytes of the stream that end in it.
    pub items: Vec<(usize, Item)>,
    /// Close codes of what is wrong with the frame behind them, and the bytes of the stream in which it shows. Which of several is
    /// answered is not laid down.
    pub wrong: Vec<(usize, u16)>,
    /// The bytes of the stream in which the header of that frame is whole, or all of it if its payload is what is wrong.
    pub wrong_by: usize,
}

const PROTOCOL: u16 = 1002;
const NOT_UTF8: u16 = 1007;
const TOO_LARGE: u16 = 1009;

/// The opcode that a message began with, and its bytes.
type Begun = Option<(u8, Vec<u8>)>;

pub fn read(stream: &[u8], message_bytes_max: usize) -> Told {
    let (mut told, mut begun, mut at) = (Told::default(), None, 0);
    while let Some(first) = stream.get(at) {
        let rest = &stream[at..];
        let (fin, opcode) = (*first >= 128, first % 16);
        let head = head(rest, &begun, message_bytes_max);
        told.wrong.extend(head.wrong.iter().map(|(bytes, code)| (at + bytes, *code)));
        told.wrong_by = at.saturating_add(head.bytes);
        let Some(frame) = head.frame_bytes.filter(|bytes| told.wrong.is_empty() && rest.len() >= *bytes) else { break };
        let payload = unmasked(&rest[head.bytes - 4..head.bytes], &rest[head.bytes..frame]);
        at += frame;
        match take(fin, opcode, payload, &mut begun) {
            Ok(Item::Close(code)) => {
                told.items.push((at, Item::Close(code)));
                break;
            }
            Ok(item) => told.items.push((at, item)),
            Err(codes) => {
                told.wrong = codes.into_iter().map(|code| (at, code)).collect();
                told.wrong_by = at;
                break;
            }
        }
    }
    told
}

struct Head {
    wrong: Vec<(usize, u16)>,
    /// Until more came, as many as there can be.
    bytes: usize,
    frame_bytes: Option<usize>,
}

/// 5.2, 5.4 and 5.5. `rest` is not empty.
fn head(rest: &[u8], begun: &Begun, message_bytes_max: usize) -> Head {
    let (fin, reserved, opcode) = (rest[0] >= 128, rest[0] / 16 % 8, rest[0] % 16);
    let mut head = Head { wrong: Vec::new(), bytes: usize::MAX, frame_bytes: None };
    let is_control = opcode >= 8;
    let stands_wrong = match opcode {
        0 => begun.is_none(),
        1 | 2 => begun.is_some(),
        8..=10 => !fin,
        _ => true,
    };
    if reserved != 0 || stands_wrong {
        head.wrong.push((1, PROTOCOL));
    }
    let Some(second) = rest.get(1) else { return head };
    let (masked, short) = (*second >= 128, usize::from(*second % 128));
    if !masked || (is_control && short > 125) {
        head.wrong.push((2, PROTOCOL));
    }
    let (width, least) = match short {
        126 => (2, 126),
        127 => (8, 65_536),
        _ => (0, 0),
    };
    head.bytes = 2 + width + 4;
    let Some(long) = rest.get(2..2 + width) else { return head };
    let length =
        if width == 0 { short as u128 } else { long.iter().fold(0, |sum, byte| sum * 256 + u128::from(*byte)) };
    if length < least || length >= 1 << 63 {
        head.wrong.push((2 + width, PROTOCOL));
    }
    let before = begun.as_ref().map_or(0, |(_, bytes)| bytes.len());
    if !is_control && before as u128 + length > message_bytes_max as u128 {
        head.wrong.push((2 + width, TOO_LARGE));
    }
    head.frame_bytes = usize::try_from(length).ok().and_then(|length| length.checked_add(head.bytes));
    head
}

/// 5.3
fn unmasked(mask: &[u8], payload: &[u8]) -> Vec<u8> {
    (0..payload.len()).map(|at| payload[at] ^ mask[at % 4]).collect()
}

/// 5.4 to 5.6: what a frame means whose header is right; or the codes of what is wrong.
fn take(fin: bool, opcode: u8, payload: Vec<u8>, begun: &mut Begun) -> Result<Item, Vec<u16>> {
    match opcode {
        8 => return close(&payload).map(Item::Close),
        9 => return Ok(Item::Ping(payload.into())),
        10 => return Ok(Item::Pong),
        _ => begun.get_or_insert((opcode, Vec::new())).1.extend(payload),
    }
    let Some((opcode, payload)) = begun.take_if(|_| fin) else { return Ok(Item::Fragment) };
    let is_text = opcode == 1;
    if is_text && String::from_utf8(payload.clone()).is_err() {
        return Err(vec![NOT_UTF8]);
    }
    Ok(Item::Message { is_text, payload: payload.into() })
}

/// 5.5.1, 7.4.2, and the codes that were registered later: 1012, 1013 and 1014.
fn close(payload: &[u8]) -> Result<Option<u16>, Vec<u16>> {
    let (code, reason) = match payload {
        [] => return Ok(None),
        [_] => return Err(vec![PROTOCOL]),
        [high, low, reason @ ..] => (u16::from(*high) * 256 + u16::from(*low), reason),
    };
    let may_be_sent = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014].contains(&code)
        || (3000..5000).contains(&code);
    let mut wrong = Vec::new();
    wrong.extend((!may_be_sent).then_some(PROTOCOL));
    wrong.extend(String::from_utf8(reason.to_vec()).is_err().then_some(NOT_UTF8));
    if wrong.is_empty() { Ok(Some(code)) } else { Err(wrong) }
}
