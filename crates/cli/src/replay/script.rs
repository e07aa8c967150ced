//! From logs to what is played: who the speakers are, and what each of them does, in one order. No I/O, no randomness.
//!
//! Several logs are played at the same time, as several talks in one room: their lines alternate in proportion to their
//! lengths. The same nick is the same user in all of them. A nick is compared without regard to case, as IRC does. Only
//! who speaks is a user; the comings and goings of others say nothing that could be lost.

use std::collections::{BTreeMap, HashMap, HashSet};

use anser_proto::limits::ID_BYTES_MAX;

use super::irc::Line;

/// Index into [`Script::speakers`].
pub type SpeakerId = usize;

#[derive(PartialEq, Eq, Debug)]
pub struct Speaker {
    pub account: String,
    /// At the start.
    pub nick: String,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Act {
    Join,
    Leave,
    Rename(String),
    /// Into the group, and to the one who is addressed.
    Say {
        text: String,
        to: Option<SpeakerId>,
    },
    /// `* nick text`, into the group.
    Emote(String),
    /// The group's announcement.
    Topic(String),
}

#[derive(Default, Debug)]
pub struct Script {
    pub speakers: Vec<Speaker>,
    pub acts: Vec<(SpeakerId, Act)>,
}

/// Makes the script of these logs. Nobody speaks, joins twice or leaves without having joined.
pub fn write(logs: &[Vec<Line>]) -> Script {
    let order = interleave(logs);
    let mut casting = Casting::default();
    for (log, line) in &order {
        casting.meet(*log, line);
    }
    casting.forget_aliases();
    let mut members = HashSet::new();
    let mut acts = Vec::new();
    for (log, line) in order {
        let Some((speaker, act)) = casting.act(log, line) else { continue };
        match act {
            Act::Join if !members.insert(speaker) => continue,
            Act::Leave if !members.remove(&speaker) => continue,
            Act::Say { .. } | Act::Emote(_) if members.insert(speaker) => acts.push((speaker, Act::Join)),
            _ => {}
        }
        acts.push((speaker, act));
    }
    Script { speakers: casting.speakers, acts }
}

/// Lines of all logs in the order of how much of its log lies before each.
fn interleave(logs: &[Vec<Line>]) -> Vec<(usize, &Line)> {
    let mut order: Vec<_> = logs
        .iter()
        .enumerate()
        .flat_map(|(log, lines)| {
            lines.iter().enumerate().map(move |(at, line)| (at as f64 / lines.len() as f64, log, line))
        })
        .collect();
    order.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
    order.into_iter().map(|(_, log, line)| (log, line)).collect()
}

/// Who is behind a nick.
#[derive(Default)]
struct Casting {
    speakers: Vec<Speaker>,
    by_account: HashMap<String, SpeakerId>,
    /// Nicks that somebody took during a log, and the account that they have from their first nick.
    aliases: BTreeMap<(usize, String), String>,
}

impl Casting {
    /// First reading: those who speak become speakers.
    fn meet(&mut self, log: usize, line: &Line) {
        match line {
            Line::Rename { from, to } => self.rename(log, from, to),
            Line::Message { nick, .. } | Line::Action { nick, .. } => {
                let account = self.account(log, nick);
                self.by_account.entry(account).or_insert_with_key(|account| {
                    self.speakers.push(Speaker { account: account.clone(), nick: nick.clone() });
                    self.speakers.len() - 1
                });
            }
            Line::Join { .. } | Line::Leave { .. } | Line::Topic { .. } | Line::Other => {}
        }
    }

    /// Before the second reading, which comes to each rename anew.
    fn forget_aliases(&mut self) {
        self.aliases.clear();
    }

    fn act(&mut self, log: usize, line: &Line) -> Option<(SpeakerId, Act)> {
        match line {
            Line::Message { nick, text } => {
                let speaker = self.speaker(log, nick)?;
                let to = addressed(text).and_then(|name| self.speaker(log, name)).filter(|to| *to != speaker);
                Some((speaker, Act::Say { text: text.clone(), to }))
            }
            Line::Action { nick, text } => Some((self.speaker(log, nick)?, Act::Emote(format!("* {nick} {text}")))),
            Line::Topic { nick, text } => Some((self.speaker(log, nick)?, Act::Topic(text.clone()))),
            Line::Join { nick } => Some((self.speaker(log, nick)?, Act::Join)),
            Line::Leave { nick } => Some((self.speaker(log, nick)?, Act::Leave)),
            Line::Rename { from, to } => {
                let speaker = self.speaker(log, from);
                self.rename(log, from, to);
                Some((speaker?, Act::Rename(to.clone())))
            }
            Line::Other => None,
        }
    }

    fn speaker(&self, log: usize, nick: &str) -> Option<SpeakerId> {
        self.by_account.get(&self.account(log, nick)).copied()
    }

    fn account(&self, log: usize, nick: &str) -> String {
        self.aliases.get(&(log, nick.to_ascii_lowercase())).cloned().unwrap_or_else(|| account_of(nick))
    }

    fn rename(&mut self, log: usize, from: &str, to: &str) {
        let account = self.account(log, from);
        self.aliases.insert((log, to.to_ascii_lowercase()), account);
    }
}

/// The name at which a message begins: `nick: …` or `nick, …`.
fn addressed(text: &str) -> Option<&str> {
    let (name, _) = text.split_once([':', ','])?;
    (!name.is_empty() && !name.contains(char::is_whitespace)).then_some(name)
}

/// Nobody who is a user of the server already: a play speaks as users of its own.
const OURS: &str = "replay-";

/// The nick in lower case; bytes outside visible ASCII are written as `%` and two digits. Cut to what an account may have.
fn account_of(nick: &str) -> String {
    let mut account = OURS.to_owned();
    for byte in nick.to_ascii_lowercase().bytes() {
        let piece = match byte {
            b'!'..=b'~' => char::from(byte).to_string(),
            _ => format!("%{byte:02x}"),
        };
        if account.len() + piece.len() <= ID_BYTES_MAX {
            account.push_str(&piece);
        }
    }
    account
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::irc::parse;

    fn check(logs: &[&str], expected: &[(&str, Act)]) {
        let logs: Vec<_> = logs.iter().map(|log| log.lines().map(|line| parse(line.as_bytes())).collect()).collect();
        let script = write(&logs);
        let acts: Vec<_> =
            script.acts.iter().map(|(speaker, act)| (script.speakers[*speaker].account.clone(), act.clone())).collect();
        let expected: Vec<_> = expected.iter().map(|(nick, act)| (format!("replay-{nick}"), act.clone())).collect();
        assert_eq!(acts, expected);
    }

    fn say(text: &str, to: Option<SpeakerId>) -> Act {
        Act::Say { text: text.into(), to }
    }

    #[test]
    fn who_speaks_without_having_joined_joins_first() {
        let log = "=== Lurker [x]  has joined #u\n[1:0] <Ann> hi\n=== ann [x]  has joined #u\n=== ann [x]  has left #u []\n[1:1] <ann> re";
        check(
            &[log],
            &[
                ("ann", Act::Join),
                ("ann", say("hi", None)),
                ("ann", Act::Leave),
                ("ann", Act::Join),
                ("ann", say("re", None)),
            ],
        );
    }

    #[test]
    fn a_line_that_begins_with_a_name_goes_there_too() {
        let log = "[1:0] <ann> Bob: hi\n[1:0] <bob> ann, hi\n[1:0] <ann> ann: me\n[1:0] <bob> http://x\n=== ann waves";
        check(
            &[log],
            &[
                ("ann", Act::Join),
                ("ann", say("Bob: hi", Some(1))),
                ("bob", Act::Join),
                ("bob", say("ann, hi", Some(0))),
                ("ann", say("ann: me", None)),
                ("bob", say("http://x", None)),
                ("ann", Act::Emote("* ann waves".into())),
            ],
        );
    }

    #[test]
    fn a_topic_is_set_by_who_speaks() {
        check(
            &["=== ..[topic/#u:ann] : first\n=== ..[topic/#u:lurker] : second\n[1:0] <ann> hi"],
            &[("ann", Act::Topic("first".into())), ("ann", Act::Join), ("ann", say("hi", None))],
        );
    }

    #[test]
    fn a_new_nick_is_the_same_user() {
        check(
            &["[1:0] <ann> a\n=== ann is now known as ann|away\n[1:1] <ann|away> b"],
            &[
                ("ann", Act::Join),
                ("ann", say("a", None)),
                ("ann", Act::Rename("ann|away".into())),
                ("ann", say("b", None)),
            ],
        );
    }

    #[test]
    fn several_logs_alternate_and_share_their_speakers() {
        check(
            &["[1:0] <ann> 1\n[1:0] <ann> 3", "[9:0] <ann> 2\n[9:0] <bob> 4"],
            &[
                ("ann", Act::Join),
                ("ann", say("1", None)),
                ("ann", say("2", None)),
                ("ann", say("3", None)),
                ("bob", Act::Join),
                ("bob", say("4", None)),
            ],
        );
    }

    #[test]
    fn an_account_is_visible_ascii() {
        assert_eq!(account_of("Zoë|X"), "replay-zo%c3%ab|x");
        assert_eq!(account_of(&"é".repeat(40)).len(), 64);
    }
}
