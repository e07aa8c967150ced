//! That a message is pinned in its conversation.

use anser_proto::{ConversationId, UserId};

use super::{Row, columns};

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct PinRow {
    /// The entry of the log that pinned it.
    pub(crate) entry: u64,
    /// Who did.
    pub(crate) user_id: UserId,
}

impl Row for PinRow {
    type Key = (ConversationId, u64);

    const TABLE: &str = "im_pin";
    const KEY: &[&str] = &["small_id", "big_id", "server_msg_id"];

    columns!(entry, user_id);
}
