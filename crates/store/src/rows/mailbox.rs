//! Where a user's mailbox is, and which of their logins hold. There is one for every user.

use anser_proto::UserId;

use super::{Guard, Row, columns};

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Mailbox {
    /// The number of its last change.
    pub(crate) mailbox_seq: u64,
    pub(crate) login_version: u64,
}

impl Row for Mailbox {
    type Key = UserId;

    const TABLE: &str = "im_mailbox";
    const KEY: &[&str] = &["user_id"];
    const GUARD: Option<Guard<Self>> = Some(Guard("mailbox_seq", |mailbox| mailbox.mailbox_seq));

    columns!(mailbox_seq, login_version);
}
