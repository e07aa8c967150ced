//! What a person may say to the client itself, with a slash before it. A line enters, a command or what is wrong leaves.

use super::entry::{self, Entry};

/// The commands, as they are typed. The help shows them in this order.
pub const NAMES: [&str; 53] = [
    "/to",
    "/reply",
    "/edit",
    "/recall",
    "/react",
    "/pin",
    "/unpin",
    "/pins",
    "/hide",
    "/read",
    "/top",
    "/snooze",
    "/unread",
    "/clear",
    "/close",
    "/group",
    "/invite",
    "/remove",
    "/promote",
    "/demote",
    "/transfer",
    "/rename",
    "/announce",
    "/mute",
    "/muteall",
    "/entry",
    "/history",
    "/ban",
    "/unban",
    "/waiting",
    "/approve",
    "/reject",
    "/link",
    "/unlink",
    "/join",
    "/alias",
    "/dissolve",
    "/leave",
    "/members",
    "/contacts",
    "/add",
    "/drop",
    "/block",
    "/unblock",
    "/devices",
    "/revoke",
    "/nick",
    "/about",
    "/whois",
    "/retry",
    "/discard",
    "/help",
    "/quit",
];
/// Those that are about a message, which may be named by its number: `#12`.
const ABOUT_MESSAGES: [&str; 6] = ["/reply", "/edit", "/recall", "/react", "/pin", "/unpin"];

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    To(String),
    Change(Change),
    /// The message with this number, or the newest.
    Hide(Option<u64>),
    /// Who has read it: that with this number, or the person's newest.
    WhoRead(Option<u64>),
    Pins,
    /// The conversation above the others.
    Top(bool),
    /// For so many minutes nothing here rings.
    Snooze(u64),
    MarkUnread,
    Clear,
    Close,
    Group {
        name: String,
        accounts: Vec<String>,
    },
    Invite(Vec<String>),
    Remove(Vec<String>),
    Promote(Vec<String>),
    Demote(Vec<String>),
    Transfer(String),
    Rename(String),
    /// None: show it.
    Announce(Option<String>),
    /// For so long.
    Mute {
        minutes: u64,
        accounts: Vec<String>,
    },
    /// The owner and admins alone write.
    MuteAll(bool),
    Entry(Entry),
    /// By a link, with words for who lets others in.
    Join {
        token: String,
        text: String,
    },
    Dissolve,
    Leave,
    Members,
    Contacts,
    /// Accepts whom the person is asked by.
    Add {
        account: String,
        text: String,
    },
    Drop(String),
    Block(String),
    Unblock(String),
    Devices,
    /// By its id, or what it begins with.
    Revoke(String),
    Nick(String),
    About(String),
    Whois(String),
    Retry,
    Discard,
    Help,
    Quit,
}

/// What is done with a message: the one with this number, or the newest of its kind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    pub number: Option<u64>,
    pub how: How,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum How {
    Reply(String),
    Edit(String),
    Recall,
    /// All emojis of the person below it; none: taken back.
    React(Vec<String>),
    Pin,
    Unpin,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wrong {
    /// No command has this name; perhaps this one was meant.
    Unknown { typed: String, near: Option<&'static str> },
    /// This command needs something behind its name.
    Needs(&'static str),
}

/// None if the line is a message. `//text` is the message `/text`, and what only begins like a path is one too.
pub fn parse(line: &str) -> Option<Result<Command, Wrong>> {
    let rest = line.strip_prefix('/')?;
    if let Some(change) = change(line) {
        return Some(change.map(Command::Change));
    }
    if rest.starts_with('/') || line.contains('\n') {
        return None;
    }
    let mut words = words(line).into_iter();
    let name = words.next()?;
    let words: Vec<String> = words.collect();
    Some(match name.as_str() {
        "/to" => one(words, "/to").map(Command::To),
        "/hide" => numbered(&words, "/hide").map(Command::Hide),
        "/read" => numbered(&words, "/read").map(Command::WhoRead),
        "/pins" => Ok(Command::Pins),
        "/top" => is_on(&words, "/top").map(Command::Top),
        "/snooze" => {
            words.first().and_then(|word| word.parse().ok()).map(Command::Snooze).ok_or(Wrong::Needs("/snooze"))
        }
        "/unread" => Ok(Command::MarkUnread),
        "/clear" => Ok(Command::Clear),
        "/close" => Ok(Command::Close),
        "/group" => match words.split_first() {
            Some((name, accounts)) => Ok(Command::Group { name: name.clone(), accounts: accounts.to_vec() }),
            None => Err(Wrong::Needs("/group")),
        },
        "/invite" => some(words, "/invite").map(Command::Invite),
        "/remove" => some(words, "/remove").map(Command::Remove),
        "/promote" => some(words, "/promote").map(Command::Promote),
        "/demote" => some(words, "/demote").map(Command::Demote),
        "/transfer" => one(words, "/transfer").map(Command::Transfer),
        "/rename" => some(words, "/rename").map(|words| Command::Rename(words.join(" "))),
        "/announce" => Ok(Command::Announce((!words.is_empty()).then(|| words.join(" ")))),
        "/mute" => match words.split_first().map(|(first, accounts)| (first.parse(), accounts)) {
            Some((Ok(minutes), [_, ..])) => Ok(Command::Mute { minutes, accounts: words[1..].to_vec() }),
            _ => Err(Wrong::Needs("/mute")),
        },
        "/muteall" => is_on(&words, "/muteall").map(Command::MuteAll),
        "/dissolve" => Ok(Command::Dissolve),
        "/leave" => Ok(Command::Leave),
        "/members" => Ok(Command::Members),
        "/contacts" => Ok(Command::Contacts),
        "/add" => match words.split_first() {
            Some((account, text)) => Ok(Command::Add { account: account.clone(), text: text.join(" ") }),
            None => Err(Wrong::Needs("/add")),
        },
        "/drop" => one(words, "/drop").map(Command::Drop),
        "/block" => one(words, "/block").map(Command::Block),
        "/unblock" => one(words, "/unblock").map(Command::Unblock),
        "/devices" => Ok(Command::Devices),
        "/revoke" => one(words, "/revoke").map(Command::Revoke),
        "/nick" => some(words, "/nick").map(|words| Command::Nick(words.join(" "))),
        "/about" => Ok(Command::About(words.join(" "))),
        "/whois" => one(words, "/whois").map(Command::Whois),
        "/retry" => Ok(Command::Retry),
        "/discard" => Ok(Command::Discard),
        "/help" => Ok(Command::Help),
        "/quit" => Ok(Command::Quit),
        "/join" => match words.split_first() {
            Some((token, text)) => Ok(Command::Join { token: token.clone(), text: text.join(" ") }),
            None => Err(Wrong::Needs("/join")),
        },
        _ if let Some(entry) = entry::parse(&name, &words) => entry.map(Command::Entry),
        _ => Err(Wrong::Unknown { near: nearest(&name), typed: name }),
    })
}

/// The line, as far as it is written, is about a message: the person may want to see their numbers.
pub fn is_about_message(line: &str) -> bool {
    let name = line.split(char::is_whitespace).next();
    name.is_some_and(|name| ["/hide", "/read"].contains(&name) || ABOUT_MESSAGES.contains(&name))
}

/// What stands behind the number is a text as it is, which may have several lines.
fn change(line: &str) -> Option<Result<Change, Wrong>> {
    let name = ABOUT_MESSAGES.into_iter().find(|name| line.split(char::is_whitespace).next() == Some(name))?;
    let rest = line[name.len()..].trim();
    let (first, behind) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let number = first.strip_prefix('#').and_then(|number| number.parse().ok());
    let text = if number.is_some() { behind.trim() } else { rest };
    let how = match name {
        "/recall" if text.is_empty() => How::Recall,
        "/pin" if text.is_empty() => How::Pin,
        "/unpin" if text.is_empty() => How::Unpin,
        "/react" => How::React(text.split_whitespace().map(str::to_owned).collect()),
        "/reply" if !text.is_empty() => How::Reply(text.to_owned()),
        "/edit" if !text.is_empty() => How::Edit(text.to_owned()),
        _ => return Some(Err(Wrong::Needs(name))),
    };
    Some(Ok(Change { number, how }))
}

/// What is sent for a line that is no command.
pub fn message_of(line: &str) -> &str {
    if line.starts_with("//") { &line[1..] } else { line }
}

/// Divided at spaces, except between quotation marks.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quoted = false;
    for char in line.chars() {
        match char {
            '"' | '“' | '”' => quoted = !quoted,
            space if space.is_whitespace() && !quoted => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            other => word.push(other),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// `#12`, or nothing.
fn numbered(words: &[String], name: &'static str) -> Result<Option<u64>, Wrong> {
    let Some(word) = words.first() else { return Ok(None) };
    let number = word.strip_prefix('#').and_then(|number| number.parse().ok());
    number.map(Some).ok_or(Wrong::Needs(name))
}

fn is_on(words: &[String], name: &'static str) -> Result<bool, Wrong> {
    match words.first().map(String::as_str) {
        Some("on") => Ok(true),
        Some("off") => Ok(false),
        _ => Err(Wrong::Needs(name)),
    }
}

fn one(words: Vec<String>, name: &'static str) -> Result<String, Wrong> {
    words.into_iter().next().ok_or(Wrong::Needs(name))
}

fn some(words: Vec<String>, name: &'static str) -> Result<Vec<String>, Wrong> {
    if words.is_empty() { Err(Wrong::Needs(name)) } else { Ok(words) }
}

/// The command with which the typed one shares the longest beginning, two letters at least.
fn nearest(typed: &str) -> Option<&'static str> {
    let shared = |name: &&str| name.chars().zip(typed.chars()).take_while(|(one, other)| one == other).count();
    NAMES.into_iter().filter(|name| shared(name) >= 3).max_by_key(shared)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_understood() {
        let check = |line: &str, command: Command| assert_eq!(parse(line), Some(Ok(command)));
        check("/to bob", Command::To("bob".into()));
        check(
            "/group \"The old 街坊\" bob carol",
            Command::Group { name: "The old 街坊".into(), accounts: vec!["bob".into(), "carol".into()] },
        );
        check("/about On  the road", Command::About("On the road".into()));
        check("/about", Command::About(String::new()));
        check("/whois bob", Command::Whois("bob".into()));
        check("/nick Alice  of Wonderland", Command::Nick("Alice of Wonderland".into()));
        check("/add bob it is me", Command::Add { account: "bob".into(), text: "it is me".into() });
        check("/drop bob", Command::Drop("bob".into()));
        check("/devices", Command::Devices);
        check("/revoke d-5b", Command::Revoke("d-5b".into()));
        check("/mute 60 bob", Command::Mute { minutes: 60, accounts: vec!["bob".into()] });
        check("/muteall on", Command::MuteAll(true));
        check("/top off", Command::Top(false));
        check("/pins", Command::Pins);
        check("/snooze 60", Command::Snooze(60));
        check("/hide", Command::Hide(None));
        check("/hide #7", Command::Hide(Some(7)));
        check("/announce", Command::Announce(None));
        check("/quit", Command::Quit);
    }

    #[test]
    fn a_message_is_named_by_its_number_or_not_at_all() {
        let check = |line: &str, number: Option<u64>, how: How| {
            assert_eq!(parse(line), Some(Ok(Command::Change(Change { number, how }))), "{line}");
        };
        check("/reply #12 yes,  I am", Some(12), How::Reply("yes,  I am".into()));
        check("/edit one\ntwo", None, How::Edit("one\ntwo".into()));
        check("/edit #tag is no number", None, How::Edit("#tag is no number".into()));
        check("/recall", None, How::Recall);
        check("/recall #7", Some(7), How::Recall);
        check("/react #7 👍 🎉", Some(7), How::React(vec!["👍".into(), "🎉".into()]));
        check("/react #7", Some(7), How::React(Vec::new()));
        check("/pin", None, How::Pin);
        check("/unpin #7", Some(7), How::Unpin);
        for needs in ["/reply", "/reply #3", "/edit", "/recall the last one", "/pin on"] {
            assert!(matches!(parse(needs), Some(Err(Wrong::Needs(_)))), "{needs}");
        }
        assert!(is_about_message("/edit") && is_about_message("/react #1") && !is_about_message("/recalled"));
    }

    #[test]
    fn a_slip_gets_a_hint() {
        let check = |line: &str, wrong: Wrong| assert_eq!(parse(line), Some(Err(wrong)));
        check("/invit bob", Wrong::Unknown { typed: "/invit".into(), near: Some("/invite") });
        check("/xyz", Wrong::Unknown { typed: "/xyz".into(), near: None });
        check("/to", Wrong::Needs("/to"));
        check("/group", Wrong::Needs("/group"));
        check("/mute bob", Wrong::Needs("/mute"));
        check("/muteall", Wrong::Needs("/muteall"));
        check("/hide 7", Wrong::Needs("/hide"));
        check("/snooze on", Wrong::Needs("/snooze"));
    }

    #[test]
    fn a_message_may_begin_with_a_slash() {
        assert_eq!(parse("hello /to"), None);
        assert_eq!(parse("//to is a command"), None);
        assert_eq!(message_of("//to is a command"), "/to is a command");
        assert_eq!(parse("/etc\nis a folder"), None);
    }
}
