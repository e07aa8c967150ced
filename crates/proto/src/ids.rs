//! Ids as types, so that a user is never taken for a group.

use std::{fmt, str::FromStr};

use crate::limits::ID_BYTES_MAX;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct UserId(pub u64);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct GroupId(pub u64);

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A log that two users or a group share.
///
/// Ordered as the conversation list is: one-to-one by ids, then groups by id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ConversationId {
    /// `small <= big`; equal when a user writes to themselves. Made by [`ConversationId::single`].
    Single {
        small: UserId,
        big: UserId,
    },
    Group(GroupId),
}

impl ConversationId {
    pub fn single(one: UserId, other: UserId) -> Self {
        Self::Single { small: one.min(other), big: one.max(other) }
    }

    /// The other party of a one-to-one conversation (the user themselves in their own). None if the user is
    /// no party, or it is a group.
    pub fn peer_of(self, user: UserId) -> Option<UserId> {
        match self {
            Self::Single { small, big } if small == user => Some(big),
            Self::Single { small, big } if big == user => Some(small),
            _ => None,
        }
    }
}

/// The text form, which is also the key of the sequence in Redis behind the prefix `msg_id_`.
impl fmt::Display for ConversationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Single { small, big } => write!(f, "single_{small}_{big}"),
            Self::Group(group) => write!(f, "group_{group}"),
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadId {
    #[error(
        "`{0}` is no conversation id: write `single_{{small}}_{{big}}` (user ids, smaller first) or `group_{{group_id}}`"
    )]
    Conversation(String),
    #[error("{0} is empty: 1 to {ID_BYTES_MAX} visible ASCII characters are needed")]
    Empty(&'static str),
    #[error("{0} has {1} bytes: at most {ID_BYTES_MAX} are allowed")]
    TooLong(&'static str, usize),
    #[error("{0} has a character that is not visible ASCII")]
    NotVisible(&'static str),
}

impl FromStr for ConversationId {
    type Err = BadId;

    /// Accepts exactly what [`fmt::Display`] writes: one spelling for one conversation.
    fn from_str(text: &str) -> Result<Self, BadId> {
        let parsed = match text.split_once('_') {
            Some(("single", ids)) => ids.split_once('_').and_then(|(small, big)| {
                let (small, big) = (UserId(plain_id(small)?), UserId(plain_id(big)?));
                (small <= big).then_some(Self::Single { small, big })
            }),
            Some(("group", id)) => plain_id(id).map(|id| Self::Group(GroupId(id))),
            _ => None,
        };
        parsed.ok_or_else(|| BadId::Conversation(text.chars().take(ID_BYTES_MAX).collect()))
    }
}

/// Decimal, without sign or leading zeros, and within a signed 64-bit column.
fn plain_id(text: &str) -> Option<u64> {
    let id = text.parse::<u64>().ok().filter(|id| i64::try_from(*id).is_ok())?;
    (text.as_bytes()[0] != b'0' && text.as_bytes()[0] != b'+').then_some(id)
}

/// The identity of a message, made by its sender's client.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ClientMsgId(Box<str>);

impl ClientMsgId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ClientMsgId {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        check_ascii_id("client_msg_id", text)?;
        Ok(Self(text.into()))
    }
}

impl fmt::Display for ClientMsgId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The rule for ids that others choose: 1 to 64 visible ASCII characters. `field` names it in the error.
pub fn check_ascii_id(field: &'static str, text: &str) -> Result<(), BadId> {
    if text.is_empty() {
        return Err(BadId::Empty(field));
    }
    if text.len() > ID_BYTES_MAX {
        return Err(BadId::TooLong(field, text.len()));
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(BadId::NotVisible(field));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_has_one_spelling() {
        for text in ["single_1008_1009", "single_7_7", "group_3"] {
            assert_eq!(text.parse::<ConversationId>().map(|id| id.to_string()).as_deref(), Ok(text));
        }
        for text in [
            "",
            "group_",
            "group_0",
            "group_03",
            "group_+3",
            "group_-3",
            "single_2_1",
            "single_1",
            "single_1_2_3",
            "Group_3",
            "group_9223372036854775808",
            " group_3",
        ] {
            assert!(text.parse::<ConversationId>().is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn the_peer_is_the_other_party() {
        let conversation = ConversationId::single(UserId(9), UserId(4));
        assert_eq!(conversation.peer_of(UserId(4)), Some(UserId(9)));
        assert_eq!(conversation.peer_of(UserId(9)), Some(UserId(4)));
        assert_eq!(conversation.peer_of(UserId(5)), None);
        assert_eq!(ConversationId::single(UserId(4), UserId(4)).peer_of(UserId(4)), Some(UserId(4)));
    }

    #[test]
    fn a_client_msg_id_is_visible_ascii() {
        assert!("x".repeat(64).parse::<ClientMsgId>().is_ok());
        assert_eq!("".parse::<ClientMsgId>(), Err(BadId::Empty("client_msg_id")));
        assert_eq!("x".repeat(65).parse::<ClientMsgId>(), Err(BadId::TooLong("client_msg_id", 65)));
        for text in ["a b", "a\n", "é", "\u{7f}"] {
            assert_eq!(text.parse::<ClientMsgId>(), Err(BadId::NotVisible("client_msg_id")));
        }
    }
}
