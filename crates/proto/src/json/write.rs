//! Puts JSON together, without spaces.

use std::{fmt::Display, io::Write as _};

use super::{Enum, Fields, Value, text};

/// Most frames are smaller.
const FRAME_BYTES: usize = 512;

pub struct Writer {
    out: Vec<u8>,
}

impl Writer {
    /// Writes behind so many bytes of zero.
    pub(super) fn behind(room: usize) -> Self {
        let mut out = Vec::with_capacity(FRAME_BYTES);
        out.resize(room, 0);
        Self { out }
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    /// Left out at its default.
    pub fn field<T: Value>(&mut self, name: &'static str, value: &T) {
        if !value.is_default() {
            self.choice(name, value);
        }
    }

    /// The field of a `oneof` that is there, at its default too.
    pub fn choice<T: Value>(&mut self, name: &'static str, value: &T) {
        self.name(name);
        value.write(self);
    }

    /// By its name, or by its number where nobody knows it here.
    pub fn enumeration<E: Enum>(&mut self, name: &'static str, number: i32) {
        self.optional_enumeration::<E>(name, (number != 0).then_some(number));
    }

    pub fn optional_enumeration<E: Enum>(&mut self, name: &'static str, number: Option<i32>) {
        let Some(number) = number else { return };
        self.name(name);
        match E::try_from(number) {
            Ok(value) => self.text(value.name()),
            Err(_) => self.number(number),
        }
    }

    pub(super) fn message<M: Fields>(&mut self, message: &M) {
        self.out.push(b'{');
        message.write_fields(self);
        self.out.push(b'}');
    }

    pub(super) fn list<T: Value>(&mut self, values: &[T]) {
        self.out.push(b'[');
        for (place, value) in values.iter().enumerate() {
            if place > 0 {
                self.out.push(b',');
            }
            value.write(self);
        }
        self.out.push(b']');
    }

    pub(super) fn text(&mut self, text: &str) {
        self.out.push(b'"');
        let mut rest = text.as_bytes();
        loop {
            let (run, behind) = rest.split_at(text::plain(rest));
            self.out.extend_from_slice(run);
            let [special, behind @ ..] = behind else { break };
            rest = behind;
            match special {
                b'"' | b'\\' => self.out.extend([b'\\', *special]),
                b'\n' => self.raw(b"\\n"),
                b'\r' => self.raw(b"\\r"),
                b'\t' => self.raw(b"\\t"),
                8 => self.raw(b"\\b"),
                12 => self.raw(b"\\f"),
                control => write!(self.out, "\\u{control:04x}").expect("memory takes everything"),
            }
        }
        self.out.push(b'"');
    }

    pub(super) fn number(&mut self, number: impl Display) {
        write!(self.out, "{number}").expect("memory takes everything");
    }

    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    fn name(&mut self, name: &'static str) {
        // No value ends with an opening brace outside of a string.
        if self.out.last() != Some(&b'{') {
            self.out.push(b',');
        }
        self.out.push(b'"');
        self.raw(name.as_bytes());
        self.raw(b"\":");
    }
}
