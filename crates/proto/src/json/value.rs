//! How a value of each kind is read and written.

use base64::{
    Engine as _,
    alphabet::{STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use bytes::Bytes;

use super::{Fields, Read, Reader, Value, Writer, number};

/// With or without padding, and whatever the bits say that are no byte any more.
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const BASE64: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT);
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LENIENT);

impl Value for bool {
    fn read(json: &mut Reader<'_>) -> Read<Self> {
        match json.peek()? {
            b't' => json.word(b"true").map(|()| true),
            b'f' => json.word(b"false").map(|()| false),
            _ => json.wrong("a boolean").map(|()| false),
        }
    }

    fn write(&self, json: &mut Writer) {
        json.raw(if *self { b"true" } else { b"false" });
    }

    fn is_default(&self) -> bool {
        !self
    }
}

impl Value for u32 {
    fn read(json: &mut Reader<'_>) -> Read<Self> {
        number::read(json)
    }

    fn write(&self, json: &mut Writer) {
        json.number(*self);
    }

    fn is_default(&self) -> bool {
        *self == 0
    }
}

/// Written as a string: JavaScript loses numbers above 2^53.
impl Value for u64 {
    fn read(json: &mut Reader<'_>) -> Read<Self> {
        number::read(json)
    }

    fn write(&self, json: &mut Writer) {
        json.raw(b"\"");
        json.number(*self);
        json.raw(b"\"");
    }

    fn is_default(&self) -> bool {
        *self == 0
    }
}

impl Value for String {
    fn read(json: &mut Reader<'_>) -> Read<Self> {
        Ok(json.string()?.unwrap_or_default().into_owned())
    }

    fn write(&self, json: &mut Writer) {
        json.text(self);
    }

    fn is_default(&self) -> bool {
        self.is_empty()
    }
}

impl Value for Bytes {
    fn read(json: &mut Reader<'_>) -> Read<Self> {
        let Some(text) = json.string()? else { return Ok(Self::new()) };
        let is_url_safe = text.contains(['-', '_']);
        let bytes = if is_url_safe { BASE64_URL.decode(&*text) } else { BASE64.decode(&*text) };
        if bytes.is_err() {
            json.note(|| "base64 is needed");
        }
        Ok(bytes.unwrap_or_default().into())
    }

    fn write(&self, json: &mut Writer) {
        json.text(&BASE64.encode(self));
    }

    fn is_default(&self) -> bool {
        self.is_empty()
    }
}

impl<M: Fields> Value for M {
    fn read(json: &mut Reader<'_>) -> Read<Self> {
        if json.peek()? == b'{' { json.message() } else { json.wrong("an object").map(|()| M::default()) }
    }

    fn write(&self, json: &mut Writer) {
        json.message(self);
    }

    /// One that is there is written, also if nothing is in it.
    fn is_default(&self) -> bool {
        false
    }
}

impl<T: Value> Value for Option<T> {
    fn read(json: &mut Reader<'_>) -> Read<Self> {
        T::read(json).map(Some)
    }

    fn write(&self, json: &mut Writer) {
        if let Some(value) = self {
            value.write(json);
        }
    }

    fn is_default(&self) -> bool {
        self.is_none()
    }
}

impl<T: Value> Value for Vec<T> {
    fn read(json: &mut Reader<'_>) -> Read<Self> {
        if json.peek()? == b'[' { json.list() } else { json.wrong("a list").map(|()| Self::new()) }
    }

    fn write(&self, json: &mut Writer) {
        json.list(self);
    }

    fn is_default(&self) -> bool {
        self.is_empty()
    }
}
