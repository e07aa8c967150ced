//! When a user was last there.

use anser_proto::UserId;

use super::{Row, columns};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct LastSeenRow {
    /// To the minute.
    pub(crate) last_seen_ms: u64,
}

impl Row for LastSeenRow {
    type Key = UserId;

    const TABLE: &str = "im_last_seen";
    const KEY: &[&str] = &["user_id"];

    columns!(last_seen_ms);
}
