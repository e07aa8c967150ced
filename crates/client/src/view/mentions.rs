//! Whom a message names, as an app says it and is told it.

use anser_proto::{UserId, v1};

/// Whom a message names beside its text: at most 50 users, or all of a group. The text itself is opaque to the server.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Mentions {
    /// Ascending, each once: a retry names the same.
    user_ids: Vec<UserId>,
    all: bool,
}

impl Mentions {
    pub fn of(user_ids: impl IntoIterator<Item = UserId>) -> Self {
        let mut user_ids: Vec<_> = user_ids.into_iter().collect();
        user_ids.sort_unstable();
        user_ids.dedup();
        Self { user_ids, all: false }
    }

    /// All members of the group, which its owner and admins may name, and whoever is a member if it lets them. Others are refused with `FORBIDDEN`: then the
    /// message is among [`Client::unsent`](crate::Client::unsent) with all that was written.
    pub fn all() -> Self {
        Self { user_ids: Vec::new(), all: true }
    }

    /// Those and all.
    pub fn and_all(self) -> Self {
        Self { all: true, ..self }
    }

    pub fn user_ids(&self) -> &[UserId] {
        &self.user_ids
    }

    pub fn has_all(&self) -> bool {
        self.all
    }

    pub fn is_empty(&self) -> bool {
        self.user_ids.is_empty() && !self.all
    }

    /// The user is named, or is with all. Authors are not told of their own mentions.
    pub fn names(&self, user: UserId) -> bool {
        self.all || self.user_ids.contains(&user)
    }
}

#[doc(hidden)]
impl From<Option<v1::Mentions>> for Mentions {
    fn from(wire: Option<v1::Mentions>) -> Self {
        let v1::Mentions { user_ids, all } = wire.unwrap_or_default();
        Self { all, ..Self::of(user_ids.into_iter().map(UserId)) }
    }
}

#[doc(hidden)]
impl From<Mentions> for Option<v1::Mentions> {
    fn from(mentions: Mentions) -> Self {
        let user_ids = mentions.user_ids.iter().map(|user| user.0).collect();
        (!mentions.is_empty()).then_some(v1::Mentions { user_ids, all: mentions.all })
    }
}
