//! Whom a message names beside its text: a plain record, as in `records`.

use anser_proto::UserId;

/// Who may not: see [`Store::append`](crate::Store::append).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Mentions {
    /// Ascending, each once.
    users: Vec<UserId>,
    all: bool,
}

impl Mentions {
    /// Nobody is called 0.
    pub fn new(mut users: Vec<UserId>, all: bool) -> Self {
        users.retain(|user| *user != UserId(0));
        users.sort_unstable();
        users.dedup();
        Self { users, all }
    }

    pub fn users(&self) -> &[UserId] {
        &self.users
    }

    /// Whoever is a member.
    pub fn all(&self) -> bool {
        self.all
    }

    pub fn is_empty(&self) -> bool {
        self.users.is_empty() && !self.all
    }

    /// What they hold in memory, and about as much on the wire.
    pub(crate) fn bytes(&self) -> usize {
        self.users.len() * 24
    }

    /// `all 1008 1009`
    pub(crate) fn packed(&self) -> Option<String> {
        let all = self.all.then(|| ALL.to_owned());
        let words: Vec<_> = all.into_iter().chain(self.users.iter().map(ToString::to_string)).collect();
        (!words.is_empty()).then(|| words.join(" "))
    }

    /// None: it is not packed so.
    pub(crate) fn unpacked(text: &str) -> Option<Self> {
        let (all, users) = match text.strip_prefix(ALL) {
            Some(users) => (true, users.trim_start_matches(' ')),
            None => (false, text),
        };
        let users = users.split_terminator(' ').map(|user| user.parse().ok().map(UserId)).collect::<Option<_>>()?;
        Some(Self { users, all })
    }
}

const ALL: &str = "all";

/// Unread messages that name a user and are looked at, of which those are counted that they are to see.
pub(crate) const MENTIONS_LOOKED_AT: u64 = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_packed_is_unpacked() {
        let ids = |users: &[u64]| users.iter().copied().map(UserId).collect::<Vec<_>>();
        assert_eq!(Mentions::default().packed(), None);
        for (mentions, text) in [
            (Mentions::new(ids(&[9, 8, 0, 9]), false), "8 9"),
            (Mentions::new(ids(&[]), true), "all"),
            (Mentions::new(ids(&[7]), true), "all 7"),
        ] {
            assert_eq!(mentions.packed().as_deref(), Some(text));
            assert_eq!(Mentions::unpacked(text), Some(mentions));
        }
        assert_eq!(Mentions::unpacked("all or nothing"), None);
    }
}
