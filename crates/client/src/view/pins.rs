//! What is pinned in a conversation, and who reacted to a message.

use anser_proto::{UserId, v1};

use super::Message;

/// A message that is pinned in its conversation.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Pin {
    /// As it is now.
    pub message: Message,
    pub pinned_by: UserId,
}

/// What a user put below a message.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct ReactionsOfUser {
    pub user_id: UserId,
    pub emojis: Vec<String>,
}

/// A page of who reacted to a message, in order of their ids.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Reactions {
    pub users: Vec<ReactionsOfUser>,
    pub more: bool,
}

impl Pin {
    /// None if it is in no conversation.
    #[doc(hidden)]
    pub fn from_wire(pin: v1::Pin) -> Option<Self> {
        let message = Message::from_wire(pin.message?)?;
        Some(Self { message, pinned_by: UserId(pin.pinned_by) })
    }
}

#[doc(hidden)]
impl From<v1::Reactions> for Reactions {
    fn from(wire: v1::Reactions) -> Self {
        let of = |one: v1::ReactionsOfUser| ReactionsOfUser { user_id: UserId(one.user_id), emojis: one.emojis };
        Self { users: wire.users.into_iter().map(of).collect(), more: wire.more }
    }
}
