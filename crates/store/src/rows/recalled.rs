//! That a message which counted is recalled, so that unread counts are known without a look at the messages.

use anser_proto::ConversationId;

use super::{Row, columns};

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct RecalledRow {
    /// The entry of the log that recalled it.
    pub(crate) entry: u64,
}

impl Row for RecalledRow {
    type Key = (ConversationId, u64);

    const TABLE: &str = "im_recalled";
    const KEY: &[&str] = &["small_id", "big_id", "server_msg_id"];

    columns!(entry);
}
