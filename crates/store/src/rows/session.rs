//! A user's entry in their conversation list.

use anser_proto::{ConversationId, UserId};

use super::{Place, Row, columns};

/// Default: as the first message in the conversation finds it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Entry {
    /// Stamp: the change of the user's mailbox that last touched it.
    pub(crate) mailbox_seq: u64,
    pub(crate) read_mark: u64,
    /// Count of the message at the read mark: unread = count(head) - read_count.
    pub(crate) read_count: u64,
    pub(crate) delivered_mark: u64,
}

impl Row for Entry {
    type Key = (UserId, ConversationId);

    const TABLE: &str = "im_session";
    const KEY: &[&str] = &["user_id", "small_id", "big_id"];

    columns!(mailbox_seq, read_mark, read_count, delivered_mark);
}

impl Entry {
    /// Forward only; the delivered mark is never behind.
    pub(crate) fn read_to(&mut self, place: Place) {
        if place.server_msg_id > self.read_mark {
            (self.read_mark, self.read_count) = (place.server_msg_id, place.count);
        }
        self.delivered_mark = self.delivered_mark.max(place.server_msg_id);
    }
}
