//! The rule for names that people read: of users, groups and devices, whoever gives one.
//!
//! A name stands in the middle of other text. So it can be seen, it does not reach beyond its ends, and what is invisible in it
//! does what Unicode made it for. The rule begins with what a `FreeformClass` may hold (RFC 8264), which forbids what is
//! ignorable, and lets in again what emoji, Persian and the scripts of India are written with (UTS #51, UAX #31).
//!
//! Names identify nobody, the account does, and that is ASCII: that two names look alike (UTS #39) is nothing to be refused.

use std::ops::RangeInclusive;

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};

use crate::error::Error;

/// Marks above or below one letter (UTS #39, 5.4): more of them reach into the lines around it.
const MARKS_MAX: usize = 4;

/// Refuses what is no name of so many characters. Of none, where that is allowed, there is nothing to look at.
pub fn check_name(field: &'static str, name: &str, chars: RangeInclusive<usize>) -> Result<(), Error> {
    let count = name.chars().count();
    if !chars.contains(&count) {
        let message = format!("{field} has {count} characters: {} to {} are allowed", chars.start(), chars.end());
        return Err(Error::bad_field(message));
    }
    if count == 0 {
        return Ok(());
    }
    check_chars(name).map_err(|why| Error::bad_field(format!("{field} {why}")))
}

/// Refuses a text of more characters.
pub fn check_length(field: &'static str, text: &str, max: usize) -> Result<(), Error> {
    let chars = text.chars().count();
    if chars <= max {
        return Ok(());
    }
    Err(Error::bad_field(format!("{field} has {chars} characters: at most {max} are allowed")))
}

/// What a character does in a name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Visible,
    /// Leaves a gap.
    Blank,
    /// Is drawn with the character before it.
    Mark,
    /// Chooses the form of the character before it (emoji or text, variants of ideographs).
    Selector,
    /// Joins the characters on its sides, or keeps them apart (ZWJ, ZWNJ).
    Joiner,
    /// Spells out which flag the black flag before it is (UTS #51).
    Tag,
}

fn check_chars(name: &str) -> Result<(), &'static str> {
    let (mut before, mut last) = (Part::Blank, ' ');
    let (mut is_seen, mut marks) = (false, 0);
    for char in name.chars() {
        let part = part(char)?;
        let follows = match part {
            Part::Visible | Part::Blank => true,
            Part::Mark => before != Part::Blank,
            Part::Selector => matches!(before, Part::Visible | Part::Mark),
            Part::Joiner => matches!(before, Part::Visible | Part::Mark | Part::Selector),
            Part::Tag => last == BLACK_FLAG || before == Part::Tag,
        };
        match part {
            Part::Mark if !follows => return Err("has a combining mark behind no character"),
            _ if !follows => return Err("has an invisible character where it does nothing"),
            Part::Visible | Part::Blank => marks = 0,
            Part::Mark => marks += usize::from(char.general_category() != GeneralCategory::SpacingMark),
            Part::Selector | Part::Joiner | Part::Tag => {}
        }
        if marks > MARKS_MAX {
            return Err("has more than 4 marks on one character");
        }
        is_seen |= part == Part::Visible;
        (before, last) = (part, char);
    }
    if is_seen { Ok(()) } else { Err("has no visible character") }
}

const BLACK_FLAG: char = '\u{1f3f4}';

fn part(char: char) -> Result<Part, &'static str> {
    match char {
        '\u{200c}' | '\u{200d}' => Ok(Part::Joiner),
        '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' | '\u{180b}'..='\u{180d}' | '\u{180f}' => {
            Ok(Part::Selector)
        }
        '\u{e0020}'..='\u{e007f}' => Ok(Part::Tag),
        // Bidi_Control (UAX #9).
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            Err("has a character that turns the direction of text")
        }
        char if is_ignorable(char) => Err("has an invisible character"),
        // The braille pattern and the note without dots and head.
        '\u{2800}' | '\u{1d159}' => Ok(Part::Blank),
        char => match char.general_category() {
            GeneralCategory::SpaceSeparator => Ok(Part::Blank),
            GeneralCategory::NonspacingMark | GeneralCategory::SpacingMark | GeneralCategory::EnclosingMark => {
                Ok(Part::Mark)
            }
            GeneralCategory::Control | GeneralCategory::LineSeparator | GeneralCategory::ParagraphSeparator => {
                Err("has a control character or a line break")
            }
            GeneralCategory::PrivateUse => Err("has a character of private use"),
            // Next year's emoji are older on phones than here.
            GeneralCategory::Unassigned if !('\u{1f000}'..='\u{1faff}').contains(&char) => {
                Err("has a character that Unicode does not have")
            }
            _ => Ok(Part::Visible),
        },
    }
}

/// Default_Ignorable_Code_Point of Unicode's DerivedCoreProperties.txt, and the annotations of lines, which it leaves out.
fn is_ignorable(char: char) -> bool {
    matches!(char,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_people_write_them_pass() {
        for name in [
            "Ada",
            "O'Neill-Ångström, Jr.",
            "李小龙",
            "山田\u{3000}太郎",
            "葛\u{e0100}城",
            "Åsa in parts: A\u{30a}sa",
            "محمد رضا",
            "نمی\u{200c}خواهم",
            "יוסף",
            "क\u{94d}\u{200d}ष",
            "ന\u{d4d}\u{200d}",
            "ශ\u{dca}\u{200d}ර\u{dd3}",
            "ཧ\u{f71}\u{f74}\u{f83}",
            "🪿",
            "❤\u{fe0f}\u{200d}🔥",
            "👩🏽\u{200d}🚀 Mae",
            "👨\u{200d}👩\u{200d}👧\u{200d}👦",
            "1\u{fe0f}\u{20e3}",
            "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
            "🇪🇺",
            "\u{1fae0}\u{1faff}",
            ".",
            "#1",
        ] {
            assert!(check_name("nickname", name, 1..=64).is_ok(), "{name:?}: {:?}", check_chars(name));
        }
        assert!(check_name("device.name", "", 0..=64).is_ok());
    }

    #[test]
    fn what_cannot_be_seen_or_reaches_beyond_its_ends_is_refused() {
        for (name, why) in [
            ("", "0 characters"),
            (" ", "no visible"),
            ("\u{a0}\u{3000}", "no visible"),
            ("\u{2800}", "no visible"),
            ("\u{3164}", "invisible"),
            ("\u{200b}", "invisible"),
            ("\u{200d}", "invisible"),
            ("\u{feff}Ada", "invisible"),
            ("A\u{ad}da", "invisible"),
            ("A\u{200d}\u{200d}da", "does nothing"),
            ("A \u{200c}da", "does nothing"),
            ("A\u{fe0f}\u{fe0f}", "does nothing"),
            ("A\u{e0067}", "does nothing"),
            ("\u{e0001}A", "invisible"),
            ("Ada\u{202e}", "direction"),
            ("\u{2067}Ada\u{2069}", "direction"),
            ("Ada\u{200f}", "direction"),
            ("\u{61c}Ada", "direction"),
            ("\u{301}Ada", "combining"),
            ("A \u{301}", "combining"),
            ("A\u{301}\u{301}\u{301}\u{301}\u{301}", "more than 4"),
            ("A\u{301}\u{301}\u{200d}\u{301}\u{301}\u{301}", "more than 4"),
            ("A\nda", "control"),
            ("A\u{7}da", "control"),
            ("A\u{2028}da", "line break"),
            ("A\u{e000}da", "private use"),
            ("A\u{10fffd}da", "private use"),
            ("A\u{378}da", "does not have"),
            ("A\u{fdd0}da", "does not have"),
            ("A\u{1fffe}da", "does not have"),
            ("A\u{ffff}da", "does not have"),
        ] {
            let refused = check_name("nickname", name, 1..=64).expect_err(name);
            assert!(refused.message.contains(why), "{name:?}: {} instead of {why}", refused.message);
        }
        assert!(check_name("device.name", " ", 0..=64).is_err());
    }
}
