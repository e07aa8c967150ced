//! That a message which counts names a user, so that what is unread of these is found without a look at the messages.

use anser_proto::{ConversationId, UserId};

use super::{Row, columns};

/// Whoever is a member, in place of a user: one row, however many they are.
pub(crate) const EVERYBODY: UserId = UserId(0);

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct MentionRow {
    /// The author of the message.
    pub(crate) from_id: UserId,
}

impl Row for MentionRow {
    type Key = (UserId, (ConversationId, u64));

    const TABLE: &str = "im_mention";
    const KEY: &[&str] = &["user_id", "small_id", "big_id", "server_msg_id"];

    columns!(from_id);
}
