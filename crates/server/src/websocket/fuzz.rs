//! Well-formed sequences of frames with something wrong in them, against the model: messages in fragments, control frames between
//! them, every encoding of a length, bits, masks, lies, and the stream cut anywhere. What was once of interest lies in `corpus.txt` and is
//! tried each time.

use proptest::{collection::vec, prelude::*, sample::Index};

use super::{model::Told, *};

const MAX: usize = 300;

#[derive(Clone, Copy, Debug)]
enum Width {
    Seven,
    Sixteen,
    SixtyFour,
}

#[derive(Clone, Debug)]
struct Frame {
    fin: bool,
    reserved: u8,
    opcode: u8,
    mask: Option<[u8; 4]>,
    width: Width,
    length: u64,
    payload: Vec<u8>,
}

impl Frame {
    fn new(fin: bool, opcode: u8, mask: [u8; 4], payload: &[u8]) -> Self {
        let width = match payload.len() {
            ..126 => Width::Seven,
            126..65_536 => Width::Sixteen,
            _ => Width::SixtyFour,
        };
        let length = payload.len() as u64;
        Self { fin, reserved: 0, opcode, mask: Some(mask), width, length, payload: payload.to_vec() }
    }

    /// A length that does not fit its width is cut.
    fn write(&self, stream: &mut Vec<u8>) {
        stream.push(u8::from(self.fin) << 7 | self.reserved << 4 | self.opcode);
        let masked = u8::from(self.mask.is_some()) << 7;
        match self.width {
            Width::Seven => stream.push(masked | (self.length % 126) as u8),
            Width::Sixteen => {
                stream.push(masked | 126);
                stream.extend((self.length as u16).to_be_bytes());
            }
            Width::SixtyFour => {
                stream.push(masked | 127);
                stream.extend(self.length.to_be_bytes());
            }
        }
        stream.extend(self.mask.iter().flatten());
        let mask = self.mask.unwrap_or_default();
        stream.extend(self.payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    }
}

#[derive(Clone, Debug)]
enum Change {
    Fin,
    Reserved(u8),
    Opcode(u8),
    NoMask,
    Width(Width),
    Length(u64),
    Payload(Vec<u8>),
    Lost,
    Doubled,
    Swapped,
}

impl Change {
    fn apply(self, frames: &mut Vec<Frame>, at: Index) {
        if frames.is_empty() {
            return;
        }
        let at = at.index(frames.len());
        let frame = &mut frames[at];
        match self {
            Self::Fin => frame.fin ^= true,
            Self::Reserved(bits) => frame.reserved = bits,
            Self::Opcode(opcode) => frame.opcode = opcode,
            Self::NoMask => frame.mask = None,
            Self::Width(width) => frame.width = width,
            Self::Length(length) => frame.length = length,
            Self::Payload(payload) => *frame = Frame { length: payload.len() as u64, payload, ..frame.clone() },
            Self::Lost => _ = frames.remove(at),
            Self::Doubled => frames.insert(at, frames[at].clone()),
            Self::Swapped => frames.swap(0, at),
        }
    }
}

fn width() -> impl Strategy<Value = Width> {
    prop_oneof![Just(Width::Seven), Just(Width::Sixteen), Just(Width::SixtyFour)]
}

/// Around each of the offsets at which something changes.
fn length() -> impl Strategy<Value = u64> {
    let near = |at: u64| at.saturating_sub(2)..=at.saturating_add(2);
    prop_oneof![near(0), near(126), near(MAX as u64), near(65_536), near(1 << 63), near(u64::MAX)]
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![8 => "[a-zß€😀]{0,20}", 1 => "[a-zß€😀]{30,80}"].prop_map(String::into_bytes)
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![8 => vec(any::<u8>(), 0..20), 1 => vec(any::<u8>(), 120..130), 1 => vec(any::<u8>(), 290..=MAX)]
}

fn close_payload() -> impl Strategy<Value = Vec<u8>> {
    let code = prop_oneof![995..1020u16, 2998..3002u16, 4995..5003u16, any::<u16>()];
    let whole = (code, prop_oneof![text(), bytes()]).prop_map(|(code, why)| [&code.to_be_bytes()[..], &why].concat());
    prop_oneof![6 => whole, 1 => bytes()]
}

fn control() -> impl Strategy<Value = Frame> {
    let bounded = |mut payload: Vec<u8>| {
        payload.truncate(CONTROL_BYTES_MAX);
        payload
    };
    let ping_or_pong = (9..=10u8, bytes().prop_map(bounded));
    let any_control = prop_oneof![15 => ping_or_pong, 1 => (Just(8), close_payload().prop_map(bounded))];
    (any_control, any::<[u8; 4]>()).prop_map(|((opcode, payload), mask)| Frame::new(true, opcode, mask, &payload))
}

/// A message in up to four fragments, with a control frame before some of them.
fn message() -> impl Strategy<Value = Vec<Frame>> {
    let said = prop_oneof![text().prop_map(|text| (1, text)), bytes().prop_map(|bytes| (2, bytes))];
    let between = vec(proptest::option::weighted(0.3, control()), 4);
    (said, vec(any::<Index>(), 0..4), between, any::<[u8; 4]>()).prop_map(|((opcode, payload), cuts, between, mask)| {
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(payload.len() + 1)).chain([0, payload.len()]).collect();
        cuts.sort_unstable();
        let last = cuts.len() - 2;
        let fragment = |index: usize| {
            let opcode = if index == 0 { opcode } else { 0 };
            Frame::new(index == last, opcode, mask, &payload[cuts[index]..cuts[index + 1]])
        };
        (0..=last).zip(between).flat_map(|(index, between)| between.into_iter().chain([fragment(index)])).collect()
    })
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        Just(Change::Fin),
        (1..8u8).prop_map(Change::Reserved),
        (0..16u8).prop_map(Change::Opcode),
        Just(Change::NoMask),
        width().prop_map(Change::Width),
        length().prop_map(Change::Length),
        prop_oneof![bytes(), close_payload()].prop_map(Change::Payload),
        Just(Change::Lost),
        Just(Change::Doubled),
        Just(Change::Swapped),
    ]
}

/// What a client says that does nothing wrong, and then has up to so many changes.
fn stream(changes_max: usize) -> impl Strategy<Value = Vec<u8>> {
    (vec(message(), 0..6), vec((change(), any::<Index>()), 0..=changes_max)).prop_map(|(messages, changes)| {
        let mut frames = messages.concat();
        changes.into_iter().for_each(|(change, at)| change.apply(&mut frames, at));
        let mut stream = Vec::new();
        frames.iter().for_each(|frame| frame.write(&mut stream));
        stream
    })
}

/// The decoder is given the stream up to each of these offsets in turn, and says at each what the model says of it.
fn compare(stream: &[u8], max: usize, cuts: impl IntoIterator<Item = usize>) -> Result<Told, TestCaseError> {
    let told = model::read(stream, max);
    let (mut decoder, mut read, mut items, mut fed) = (Decoder::default(), BytesMut::new(), 0, 0);
    for cut in cuts.into_iter().chain([stream.len()]) {
        read.extend_from_slice(&stream[fed..cut]);
        fed = cut;
        loop {
            match decoder.decode(&mut read, max).and_then(check_item) {
                Ok(None) => break,
                Ok(Some(item)) => {
                    prop_assert_eq!(told.items.get(items), Some(&(fed - read.len(), item)));
                    items += 1;
                    if matches!(told.items[items - 1].1, Item::Close(_)) {
                        return Ok(told);
                    }
                }
                Err(violation) => {
                    let is_wrong = |(at, code): &(usize, u16)| *at <= fed && *code == violation.close().0;
                    prop_assert!(told.wrong.iter().any(is_wrong), "{violation} after {fed} bytes: {told:?}");
                    prop_assert_eq!(items, told.items.len());
                    return Ok(told);
                }
            }
        }
        prop_assert_eq!(items, told.items.iter().filter(|(at, _)| *at <= fed).count(), "after {} bytes", fed);
        prop_assert!(told.wrong.is_empty() || fed < told.wrong_by, "after {fed} bytes nothing is wrong: {told:?}");
        prop_assert!(decoder.begun() <= max);
    }
    Ok(told)
}

/// As whoever reads a text does.
fn check_item(item: Option<Item>) -> Result<Option<Item>, Violation> {
    if let Some(Item::Message { is_text: true, payload }) = &item {
        check_text(payload)?;
    }
    Ok(item)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn what_a_client_rightly_says_is_understood_as_the_model_does(stream in stream(0)) {
        let told = compare(&stream, MAX, 0..stream.len())?;
        // Close frames alone may have anything in them here.
        prop_assert!(told.wrong.iter().all(|(_, code)| [1002, 1007].contains(code)), "{told:?}");
    }

    #[test]
    fn what_is_wrong_with_it_is_found_as_the_model_does(stream in stream(3)) {
        compare(&stream, MAX, 0..stream.len())?;
    }

    #[test]
    fn bytes_that_change_on_their_way_are_understood_as_the_model_does(
        mut stream in stream(1),
        changes in vec((any::<Index>(), any::<u8>()), 1..4),
    ) {
        for (at, byte) in changes.iter().filter(|_| !stream.is_empty()).collect::<Vec<_>>() {
            let at = at.index(stream.len());
            stream[at] = *byte;
        }
        compare(&stream, MAX, 0..stream.len())?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 50, ..ProptestConfig::default() })]

    #[test]
    fn large_messages_are_understood_as_the_model_does(
        lengths in vec(65_530..65_545usize, 1..3),
        mask in any::<[u8; 4]>(),
        changes in vec((change(), any::<Index>()), 0..=1),
        cuts in vec(any::<Index>(), 0..20),
    ) {
        let mut frames: Vec<_> = lengths.iter().map(|length| Frame::new(true, 2, mask, &vec![b'x'; *length])).collect();
        changes.into_iter().for_each(|(change, at)| change.apply(&mut frames, at));
        let mut stream = Vec::new();
        frames.iter().for_each(|frame| frame.write(&mut stream));
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        cuts.sort_unstable();
        compare(&stream, 65_540, cuts)?;
    }
}

/// Each line: what it is, the bytes, and what they say. `61*300` is a byte so many times.
const CORPUS: &str = include_str!("corpus.txt");

#[test]
fn the_corpus_is_understood_as_it_says() {
    let lines = CORPUS.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    for line in lines {
        let (name, rest) = line.split_once(": ").expect("a name");
        let (bytes, said) = rest.split_once(" -> ").expect("what it says");
        let stream: Vec<u8> = bytes.split(' ').flat_map(some_bytes).collect();
        let told = compare(&stream, MAX, 0..stream.len()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(in_words(&told), said, "{name}");
    }
}

fn some_bytes(word: &str) -> Vec<u8> {
    let (byte, times) = word.split_once('*').unwrap_or((word, "1"));
    vec![u8::from_str_radix(byte, 16).expect("a byte"); times.parse().expect("a number")]
}

fn in_words(told: &Told) -> String {
    let items = told.items.iter().map(|(_, item)| match item {
        Item::Message { is_text: true, payload } => {
            format!("text({})", String::from_utf8_lossy(payload).escape_debug())
        }
        Item::Message { payload, .. } => format!("binary({})", payload.len()),
        Item::Fragment => "fragment".to_owned(),
        Item::Ping(payload) => format!("ping({})", payload.len()),
        Item::Pong => "pong".to_owned(),
        Item::Close(code) => format!("close({})", code.map_or_else(String::new, |code| code.to_string())),
    });
    let wrong = told.wrong.iter().map(|(_, code)| format!("wrong({code})"));
    items.chain(wrong).collect::<Vec<_>>().join(" ")
}
