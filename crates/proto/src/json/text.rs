//! Strings of JSON.

use std::borrow::Cow;

const HALF: &str = "an escaped surrogate stands without its other half";
pub(super) const NO_UTF8: &str = "its bytes are no UTF-8";

/// What stands between two quotes, with its escapes.
#[derive(Clone, Copy)]
pub(super) struct Text<'a> {
    raw: &'a [u8],
    has_escapes: bool,
}

/// The string whose first quote stands before these bytes.
pub(super) fn prefix(bytes: &[u8]) -> Result<Text<'_>, &'static str> {
    let (mut at, mut has_escapes) = (0, false);
    loop {
        at += plain(&bytes[at..]);
        match &bytes[at..] {
            [b'"', ..] => return Ok(Text { raw: &bytes[..at], has_escapes }),
            [b'\\', b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => at += 2,
            [b'\\', b'u', hex @ ..] if unit(hex).is_some() => at += 6,
            [b'\\', ..] => return Err("a string has an escape that does not exist"),
            [_, ..] => return Err("a string has a control character that is not escaped"),
            [] => return Err("a string does not end"),
        }
        has_escapes = true;
    }
}

/// How many bytes at the start of these stand for themselves in a string.
pub(super) fn plain(bytes: &[u8]) -> usize {
    const STRIDE: usize = 16;
    let is_plain = |byte: &u8| *byte >= b' ' && *byte != b'"' && *byte != b'\\';
    // Without an early way out the compiler looks at all bytes of a stride at once.
    let is_all_plain = |stride: &&[u8; STRIDE]| stride.iter().fold(true, |all, byte| all & is_plain(byte));
    let known = STRIDE * bytes.as_chunks().0.iter().take_while(is_all_plain).count();
    known + bytes[known..].iter().take_while(|byte| is_plain(byte)).count()
}

/// The UTF-16 unit that four hexadecimal digits name.
fn unit(hex: &[u8]) -> Option<u32> {
    let digits = hex.get(..4)?;
    digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)?))
}

impl<'a> Text<'a> {
    pub(super) fn len_with_quote(self) -> usize {
        self.raw.len() + 1
    }

    /// Escapes are, whatever they say.
    pub(super) fn is_utf8(self) -> bool {
        std::str::from_utf8(self.raw).is_ok()
    }

    /// What it says as bytes; as it stands, if that is nothing.
    pub(super) fn bytes(self) -> Cow<'a, [u8]> {
        if !self.has_escapes {
            return Cow::Borrowed(self.raw);
        }
        self.unescape().map_or(Cow::Borrowed(self.raw), |said| Cow::Owned(said.into_owned().into_bytes()))
    }

    /// What it says, or why that is nothing.
    pub(super) fn unescape(self) -> Result<Cow<'a, str>, &'static str> {
        if !self.has_escapes {
            return std::str::from_utf8(self.raw).map(Cow::Borrowed).map_err(|_| NO_UTF8);
        }
        let mut said = String::with_capacity(self.raw.len());
        let mut rest = self.raw;
        while !rest.is_empty() {
            let (run, behind) = rest.split_at(plain(rest));
            said.push_str(std::str::from_utf8(run).map_err(|_| NO_UTF8)?);
            rest = behind;
            if let [b'\\', escape, behind @ ..] = rest {
                rest = behind;
                said.push(match escape {
                    b'b' => '\u{8}',
                    b'f' => '\u{c}',
                    b'n' => '\n',
                    b'r' => '\r',
                    b't' => '\t',
                    b'u' => character(&mut rest).ok_or(HALF)?,
                    itself => char::from(*itself),
                });
            }
        }
        Ok(said.into())
    }
}

/// The character that one escape names, or two that are the halves of a surrogate pair; the first `\u` is taken already.
fn character(rest: &mut &[u8]) -> Option<char> {
    let first = unit(rest)?;
    *rest = &rest[4..];
    if !(0xd800..0xdc00).contains(&first) {
        return char::from_u32(first);
    }
    let second = unit(rest.strip_prefix(b"\\u")?).filter(|second| (0xdc00..0xe000).contains(second))?;
    *rest = &rest[6..];
    char::from_u32(0x1_0000 + ((first - 0xd800) << 10 | (second - 0xdc00)))
}
