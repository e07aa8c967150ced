//! Walks over JSON (RFC 8259) and tells where its values are.

use std::borrow::Cow;

use super::{
    Enum, Fault, Fields, Value, number,
    text::{self, Text},
};

/// Objects and lists inside each other. Frames of this protocol have five.
const DEPTH_MAX: u32 = 100;

/// Bytes that are no JSON, or nested too deep.
#[derive(Debug, thiserror::Error)]
#[error("byte {at}: {what}")]
pub struct NoJson {
    at: usize,
    what: &'static str,
}

pub type Read<T = ()> = Result<T, NoJson>;

pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: u32,
    fault: Option<Fault>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, depth: 0, fault: None }
    }

    pub(super) fn into_fault(self) -> Option<Fault> {
        self.fault
    }

    /// One object, and nothing behind it.
    pub(super) fn document<M: Fields>(&mut self) -> Read<M> {
        let message = self.message()?;
        self.skip_spaces();
        if self.at < self.bytes.len() { Err(self.no_json("nothing may follow the object")) } else { Ok(message) }
    }

    /// The value of a field that comes once. `null` stands for its default, as if it were absent.
    pub fn field<T: Value>(&mut self, field: &mut T) -> Read {
        *field = if self.is_null()? { T::default() } else { T::read(self)? };
        Ok(())
    }

    /// The value of one field of a `oneof`.
    pub fn choice<T: Value, O>(&mut self, chosen: &mut Option<O>, choose: impl FnOnce(T) -> O) -> Read {
        if self.is_null()? {
            return Ok(());
        }
        if chosen.is_some() {
            self.note(|| "only one field of its kind may be there, and another one came before it");
        }
        *chosen = Some(choose(T::read(self)?));
        Ok(())
    }

    /// A value by its name or its number. Names that nobody knows here are as good as absent, numbers are kept.
    pub fn enumeration<E: Enum>(&mut self, field: &mut i32) -> Read {
        *field = match self.peek()? {
            b'n' => self.word(b"null").map(|()| 0)?,
            b'"' => self.string()?.and_then(|name| E::number(&name)).unwrap_or(0),
            _ => number::read(self)?,
        };
        Ok(())
    }

    /// The same where it may be absent.
    pub fn optional_enumeration<E: Enum>(&mut self, field: &mut Option<i32>) -> Read {
        *field = match self.peek()? {
            b'n' => self.word(b"null").map(|()| None)?,
            b'"' => self.string()?.and_then(|name| E::number(&name)),
            _ => Some(number::read(self)?),
        };
        Ok(())
    }

    /// Passes over the value of a field whose name nobody knows here.
    pub fn skip_field(&mut self, name: &[u8]) -> Read {
        if std::str::from_utf8(name).is_err() {
            self.note(|| text::NO_UTF8);
        }
        self.skip()
    }

    /// Passes a value over.
    fn skip(&mut self) -> Read {
        match self.peek()? {
            b'{' => self.members(|json, name| json.skip_field(name)),
            b'[' => self.elements(Self::skip),
            b'"' => {
                if !self.text()?.is_utf8() {
                    self.note(|| text::NO_UTF8);
                }
                Ok(())
            }
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'n' => self.word(b"null"),
            _ => self.number().map(drop),
        }
    }

    pub(super) fn message<M: Fields>(&mut self) -> Read<M> {
        let mut message = M::default();
        self.members(|json, name| {
            let was_sound = json.fault.is_none();
            message.read_field(name, json)?;
            if was_sound && let Some(fault) = &mut json.fault {
                fault.is_in(&String::from_utf8_lossy(name));
            }
            Ok(())
        })?;
        Ok(message)
    }

    pub(super) fn list<T: Value>(&mut self) -> Read<Vec<T>> {
        let mut list = Vec::new();
        self.elements(|json| {
            let was_sound = json.fault.is_none();
            let value = T::read(json)?;
            if was_sound && let Some(fault) = &mut json.fault {
                fault.is_in(&format!("[{}]", list.len()));
            }
            // What is behind a fault is only walked over, since nobody will have it.
            if json.fault.is_none() {
                list.push(value);
            }
            Ok(())
        })?;
        Ok(list)
    }

    fn members(&mut self, mut each: impl FnMut(&mut Self, &[u8]) -> Read) -> Read {
        self.open(b'{', "an object was expected")?;
        if !self.closes(b'}')? {
            loop {
                let name = self.text()?.bytes();
                self.take(b':', "a colon was expected")?;
                each(self, &name)?;
                if self.ends(b'}')? {
                    break;
                }
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn elements(&mut self, mut each: impl FnMut(&mut Self) -> Read) -> Read {
        self.open(b'[', "a list was expected")?;
        if !self.closes(b']')? {
            loop {
                each(self)?;
                if self.ends(b']')? {
                    break;
                }
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn open(&mut self, bracket: u8, otherwise: &'static str) -> Read {
        self.take(bracket, otherwise)?;
        self.depth += 1;
        if self.depth > DEPTH_MAX { Err(self.no_json("objects and lists are nested too deep")) } else { Ok(()) }
    }

    fn closes(&mut self, bracket: u8) -> Read<bool> {
        let closes = self.peek()? == bracket;
        self.at += usize::from(closes);
        Ok(closes)
    }

    /// Whether the bracket closes here, and not a comma leads on.
    fn ends(&mut self, bracket: u8) -> Read<bool> {
        if self.closes(bracket)? {
            Ok(true)
        } else {
            self.take(b',', "a comma or the end was expected").map(|()| false)
        }
    }

    fn take(&mut self, byte: u8, otherwise: &'static str) -> Read {
        if self.peek()? != byte {
            return Err(self.no_json(otherwise));
        }
        self.at += 1;
        Ok(())
    }

    /// The byte with which the next token begins.
    pub(super) fn peek(&mut self) -> Read<u8> {
        self.skip_spaces();
        self.bytes.get(self.at).copied().ok_or_else(|| self.no_json("it ends before it is whole"))
    }

    fn skip_spaces(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    fn is_null(&mut self) -> Read<bool> {
        let is_null = self.peek()? == b'n';
        if is_null {
            self.word(b"null")?;
        }
        Ok(is_null)
    }

    pub(super) fn word(&mut self, word: &'static [u8]) -> Read {
        if !self.bytes[self.at..].starts_with(word) {
            return Err(self.no_json("a value was expected"));
        }
        self.at += word.len();
        Ok(())
    }

    pub(super) fn number(&mut self) -> Read<&'a [u8]> {
        let number = number::prefix(&self.bytes[self.at..]).ok_or_else(|| self.no_json("a value was expected"))?;
        self.at += number.len();
        Ok(number)
    }

    /// A text, if it is one: what is escaped in it may be half a character, and its bytes may be no UTF-8.
    pub(super) fn string(&mut self) -> Read<Option<Cow<'a, str>>> {
        if self.peek()? != b'"' {
            self.wrong("a string")?;
            return Ok(None);
        }
        let text = self.text()?;
        Ok(text.unescape().map_err(|what| self.note(|| what)).ok())
    }

    pub(super) fn text(&mut self) -> Read<Text<'a>> {
        self.take(b'"', "a string was expected")?;
        let text = text::prefix(&self.bytes[self.at..]).map_err(|what| self.no_json(what))?;
        self.at += text.len_with_quote();
        Ok(text)
    }

    /// Notes that the value that comes next is of another kind, and passes it over.
    pub(super) fn wrong(&mut self, needed: &'static str) -> Read {
        let found = match self.peek()? {
            b'{' => "an object",
            b'[' => "a list",
            b'"' => "a string",
            b't' | b'f' => "a boolean",
            b'n' => "null",
            _ => "a number",
        };
        self.note(|| format!("{needed} is needed, not {found}"));
        self.skip()
    }

    /// Notes what is wrong with the value that is read now. Only the first fault is told, and put into words: there may be
    /// as many as there are bytes.
    pub(super) fn note<W: Into<Cow<'static, str>>>(&mut self, what: impl FnOnce() -> W) {
        if self.fault.is_none() {
            self.fault = Some(Fault::new(what().into()));
        }
    }

    fn no_json(&self, what: &'static str) -> NoJson {
        NoJson { at: self.at, what }
    }
}
