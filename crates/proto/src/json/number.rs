//! Numbers of JSON. All of this protocol are integers, which may be written with a fraction or an exponent as long as they
//! are whole. No floating point comes in between, so that none loses a digit.

use std::borrow::Cow;

use super::read::{Read, Reader};

/// Bytes of a number that are repeated to whoever wrote it.
const SHOWN_MAX: usize = 32;
/// No integer of 64 bits has more digits.
const DIGITS_MAX: usize = 20;
/// Beyond it an exponent is out of every range, whatever stands before it.
const EXPONENT_MAX: i64 = 1 << 40;

/// An integer, written as a number or as a string.
pub(super) fn read<T: TryFrom<i128> + Default>(json: &mut Reader<'_>) -> Read<T> {
    let written = match json.peek()? {
        b'"' => json.text()?.bytes(),
        b'-' | b'0'..=b'9' => Cow::Borrowed(json.number()?),
        _ => return json.wrong("an integer").map(|()| T::default()),
    };
    let number = integer(&written).and_then(|number| T::try_from(number).map_err(|_| "is out of range"));
    Ok(number.unwrap_or_else(|what| {
        json.note(|| format!("`{}` {what}", String::from_utf8_lossy(&written[..written.len().min(SHOWN_MAX)])));
        T::default()
    }))
}

/// The number with which these bytes begin.
pub(super) fn prefix(bytes: &[u8]) -> Option<&[u8]> {
    let digits = |at: usize| bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let is_at = |at: usize, any: &[u8]| usize::from(bytes.get(at).is_some_and(|byte| any.contains(byte)));
    let whole = is_at(0, b"-");
    let mut end = whole + digits(whole);
    if end == whole || (end > whole + 1 && bytes[whole] == b'0') {
        return None;
    }
    if is_at(end, b".") == 1 {
        let fraction = end + 1;
        end = fraction + digits(fraction);
        if end == fraction {
            return None;
        }
    }
    if is_at(end, b"eE") == 1 {
        let exponent = end + 1 + is_at(end + 1, b"+-");
        end = exponent + digits(exponent);
        if end == exponent {
            return None;
        }
    }
    Some(&bytes[..end])
}

/// What was written, if it is a whole number.
fn integer(written: &[u8]) -> Result<i128, &'static str> {
    if prefix(written) != Some(written) {
        return Err("is no number");
    }
    let (sign, size) = written.strip_prefix(b"-").map_or((1, written), |size| (-1, size));
    if size.len() < DIGITS_MAX && size.iter().all(u8::is_ascii_digit) {
        return Ok(sign * value(size));
    }
    let (mantissa, exponent) = split(size, b"eE");
    let (whole, fraction) = split(mantissa, b".");
    let digits = [whole, fraction].concat();
    let Some(first) = digits.iter().position(|digit| *digit != b'0') else { return Ok(0) };
    let behind = digits.iter().rposition(|digit| *digit != b'0').map_or(first, |last| last + 1);
    // Places from the last digit that is no zero to the point.
    let zeros = digits.len() as i64 - behind as i64 - fraction.len() as i64 + self::exponent(exponent);
    if zeros < 0 {
        return Err("is no whole number");
    }
    let significant = &digits[first..behind];
    if significant.len() as i64 + zeros > DIGITS_MAX as i64 {
        return Err("is out of range");
    }
    Ok(sign * value(significant) * 10_i128.pow(zeros as u32))
}

/// What stands before and behind the first of these marks.
fn split<'a>(text: &'a [u8], marks: &[u8]) -> (&'a [u8], &'a [u8]) {
    match text.iter().position(|byte| marks.contains(byte)) {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, &[]),
    }
}

fn exponent(written: &[u8]) -> i64 {
    let (is_negative, digits) = match written {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    let size = digits.iter().fold(0, |size: i64, digit| (size * 10 + i64::from(digit - b'0')).min(EXPONENT_MAX));
    if is_negative { -size } else { size }
}

/// Of at most as many digits as fit.
fn value(digits: &[u8]) -> i128 {
    digits.iter().fold(0, |value, digit| value * 10 + i128::from(digit - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_whole_however_it_is_written() {
        for (written, number) in [
            ("0", 0),
            ("-0", 0),
            ("7", 7),
            ("-7", -7),
            ("5.0", 5),
            ("0.0", 0),
            ("1e3", 1_000),
            ("1E+3", 1_000),
            ("1200e-2", 12),
            ("0.5e1", 5),
            ("0.00000000000000000000000000000001e32", 1),
            ("4.294967295e9", 4_294_967_295),
            ("0e999999999999999999999", 0),
            ("18446744073709551615", i128::from(u64::MAX)),
            ("18446744073709551615.000", i128::from(u64::MAX)),
            ("-9.223372036854775808e18", i128::from(i64::MIN)),
            // A digit more than a floating-point number keeps.
            ("9007199254740993.0", 9_007_199_254_740_993),
        ] {
            assert_eq!(integer(written.as_bytes()), Ok(number), "{written}");
        }
    }

    #[test]
    fn what_is_no_whole_number_is_told_so() {
        for written in
            ["", "-", "+1", "01", "-01", "1.", ".5", "1e", "1e+", " 1", "1 ", "12abc", "0x10", "1_000", "NaN"]
        {
            assert_eq!(integer(written.as_bytes()), Err("is no number"), "{written}");
        }
        for written in ["0.5", "1e-1", "10.01", "1e-99999999999999999999"] {
            assert_eq!(integer(written.as_bytes()), Err("is no whole number"), "{written}");
        }
        for written in ["1e20", "100000000000000000000", "1e99999999999999999999", "-1e536870000"] {
            assert_eq!(integer(written.as_bytes()), Err("is out of range"), "{written}");
        }
    }
}
