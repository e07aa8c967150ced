//! Lines of an IRC log, as the data set of Kummerfeld et al. (ACL 2019) writes them. Bytes in, lines out; knows nothing of
//! users or of what is played.
//!
//! A message is `[HH:MM] <nick> text`, an action `[HH:MM]  * nick text` or, in older logs, `=== nick text`; the rest of what
//! begins with `===` is said by the network.

use anser_proto::limits::{ANNOUNCEMENT_CHARS_MAX, BODY_BYTES_MAX};

/// What may be added to a text so that it can be told from all others.
const MARK_BYTES_MAX: usize = 64;

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Line {
    Message {
        nick: String,
        text: String,
    },
    Action {
        nick: String,
        text: String,
    },
    Join {
        nick: String,
    },
    Leave {
        nick: String,
    },
    Rename {
        from: String,
        to: String,
    },
    Topic {
        nick: String,
        text: String,
    },
    /// Modes, and whatever is no line of a log.
    Other,
}

/// Bytes that are no UTF-8 become replacement characters, as in every IRC client. A text that no message can hold is
/// `Other`.
pub fn parse(bytes: &[u8]) -> Line {
    let text = String::from_utf8_lossy(bytes);
    let line = text.trim_end_matches(['\r', '\n']);
    let parsed = match line.strip_prefix("=== ") {
        Some(told) => parse_told(told),
        None => parse_said(line),
    };
    parsed.unwrap_or(Line::Other)
}

fn parse_said(line: &str) -> Option<Line> {
    let (time, said) = line.strip_prefix('[')?.split_once("] ")?;
    let (hours, minutes) = time.split_once(':')?;
    hours.parse::<u8>().ok()?;
    minutes.parse::<u8>().ok()?;
    if let Some(action) = said.strip_prefix(" * ") {
        let (nick, text) = split_nick(action)?;
        return Some(Line::Action { nick, text: sayable(text)? });
    }
    let (nick, text) = said.strip_prefix('<')?.split_once("> ")?;
    Some(Line::Message { nick: checked_nick(nick)?, text: sayable(text)? })
}

fn parse_told(told: &str) -> Option<Line> {
    if told.starts_with("mode/") {
        return None;
    }
    if let Some(change) = told.strip_prefix("..[") {
        let (nick, text) = change.strip_prefix("topic/")?.split_once("] : ")?;
        let (_, nick) = nick.rsplit_once(':')?;
        let fits = !text.is_empty() && text.chars().count() <= ANNOUNCEMENT_CHARS_MAX;
        return Some(Line::Topic { nick: checked_nick(nick)?, text: fits.then(|| text.to_owned())? });
    }
    let (nick, rest) = split_nick(told)?;
    if let Some(to) = rest.strip_prefix("is now known as ") {
        return Some(Line::Rename { from: nick, to: checked_nick(to.trim_end())? });
    }
    if rest.starts_with("was kicked off #") {
        return Some(Line::Leave { nick });
    }
    let Some(details) = rest.strip_prefix('[') else {
        return Some(Line::Action { nick, text: sayable(rest)? });
    };
    let (_, happened) = details.split_once("] ")?;
    match happened.trim_start() {
        joined if joined.starts_with("has joined #") => Some(Line::Join { nick }),
        left if left.starts_with("has left #") => Some(Line::Leave { nick }),
        _ => None,
    }
}

fn split_nick(text: &str) -> Option<(String, &str)> {
    let (nick, rest) = text.split_once(' ')?;
    Some((checked_nick(nick)?, rest))
}

/// A nick has no blanks, and fits a display name.
fn checked_nick(nick: &str) -> Option<String> {
    let fits = !nick.is_empty() && nick.len() <= anser_proto::limits::NAME_CHARS_MAX;
    (fits && !nick.contains(char::is_whitespace)).then(|| nick.to_owned())
}

fn sayable(text: &str) -> Option<String> {
    (!text.is_empty() && text.len() <= BODY_BYTES_MAX - MARK_BYTES_MAX).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: Line) {
        assert_eq!(parse(line.as_bytes()), expected, "{line}");
    }

    fn message(nick: &str, text: &str) -> Line {
        Line::Message { nick: nick.into(), text: text.into() }
    }

    fn action(nick: &str, text: &str) -> Line {
        Line::Action { nick: nick.into(), text: text.into() }
    }

    #[test]
    fn what_people_say_is_read_as_it_stands() {
        check("[11:22] <guzu> on 606", message("guzu", "on 606"));
        check("[04:53] <ubotu> ][AcHm2][: Aquí <b>no</b> \r\n", message("ubotu", "][AcHm2][: Aquí <b>no</b> "));
        check("[05:14]  * Pelo made that", action("Pelo", "made that"));
        check("=== mikey raises a glass", action("mikey", "raises a glass"));
    }

    #[test]
    fn what_the_network_says_is_told_from_it() {
        let join = Line::Join { nick: "LoPMX".into() };
        check("=== LoPMX [n=lopmx@dsl-out.exorigo.pl]  has joined #ubuntu", join.clone());
        check("=== LoPMX [n=lopmx@dsl-out.exorigo.pl]  has joined #Ubuntu", join);
        let leave = Line::Leave { nick: "trygvebw".into() };
        check("=== trygvebw [n=t@54.85-200-30.bkkb.no]  has left #ubuntu [\"GAAA] HHH!!!\"]", leave.clone());
        check("=== trygvebw was kicked off #ubuntu by Seveas (Seveas)", leave);
        let rename = Line::Rename { from: "ProfFrink".into(), to: "Prof_Frink".into() };
        check("=== ProfFrink is now known as Prof_Frink", rename);
        check("=== mode/#ubuntu [-oo rob mdz]  by ChanServ", Line::Other);
        let topic = Line::Topic { nick: "Seveas".into(), text: "Happy Dapper Day Everyone!".into() };
        check("=== ..[topic/#ubuntu:Seveas] : Happy Dapper Day Everyone!", topic);
        for odd in ["", "topic/#ubuntu:Seveas] : ", "topic/#ubuntu] : x", "mode/#ubuntu:Seveas] : x"] {
            check(&format!("=== ..[{odd}"), Line::Other);
        }
    }

    #[test]
    fn odd_lines_are_passed_over() {
        for line in
            ["", "[", "[11:22]", "[11:22] <a>", "[11:22] <a> ", "[noon] <a> b", "[11:22] <> b", "===", "=== ", "=== a"]
        {
            check(line, Line::Other);
        }
        assert_eq!(parse(b"[11:22] <a> \xff\xfe"), message("a", "\u{fffd}\u{fffd}"));
        assert_eq!(parse(format!("[11:22] <a> {}", "x".repeat(BODY_BYTES_MAX + 1)).as_bytes()), Line::Other);
    }
}
