//! What one user put below a message: all of it in one row, since a set is replaced whole.

use std::sync::Arc;

use anser_proto::{ConversationId, UserId};

use super::{Row, columns};

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ReactionRow {
    /// `🪿 12 👍 17`: each with the entry of the log by which it was put there, the order in which users are named.
    pub(crate) emojis: Arc<str>,
}

impl Row for ReactionRow {
    type Key = ((ConversationId, u64), UserId);

    const TABLE: &str = "im_reaction";
    const KEY: &[&str] = &["small_id", "big_id", "server_msg_id", "user_id"];

    columns!(emojis);
}

impl ReactionRow {
    /// None: there is nothing to keep.
    pub(crate) fn of<'e>(emojis: impl IntoIterator<Item = (&'e str, u64)>) -> Option<Self> {
        let emojis: Vec<_> = emojis.into_iter().map(|(emoji, since)| format!("{emoji} {since}")).collect();
        (!emojis.is_empty()).then(|| Self { emojis: emojis.join(" ").into() })
    }

    pub(crate) fn emojis(&self) -> impl Iterator<Item = (&str, u64)> {
        let mut words = self.emojis.split(' ');
        std::iter::from_fn(move || Some((words.next()?, words.next()?.parse().unwrap_or(0))))
    }
}
