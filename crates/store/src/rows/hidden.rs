//! That a user hid a message from themselves.

use anser_proto::{ConversationId, UserId};

use super::{Row, columns};

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct HiddenRow {
    /// It counted as unread before.
    pub(crate) counted: bool,
}

impl Row for HiddenRow {
    type Key = (UserId, (ConversationId, u64));

    const TABLE: &str = "im_hidden";
    const KEY: &[&str] = &["user_id", "small_id", "big_id", "server_msg_id"];

    columns!(counted);
}
