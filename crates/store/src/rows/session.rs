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
    /// One of the two blocked the other.
    pub(crate) refused: bool,
    /// The two are contacts.
    pub(crate) contact: bool,
    /// The marks as the peer is shown them, where those are not the marks.
    pub(crate) shown_read_mark: Option<u64>,
    pub(crate) shown_delivered_mark: Option<u64>,
    pub(crate) pinned: bool,
    pub(crate) quiet_until_ms: u64,
    pub(crate) marked_unread: bool,
    /// It is not in the list until something behind this place is shown.
    pub(crate) removed_at: u64,
    /// The user sees nothing up to here.
    pub(crate) cleared: u64,
    /// The last message that the user hid; 0: none.
    pub(crate) hidden_top: u64,
}

impl Row for Entry {
    type Key = (UserId, ConversationId);

    const TABLE: &str = "im_session";
    const KEY: &[&str] = &["user_id", "small_id", "big_id"];

    columns!(
        mailbox_seq,
        read_mark,
        read_count,
        delivered_mark,
        refused,
        contact,
        shown_read_mark,
        shown_delivered_mark,
        pinned,
        quiet_until_ms,
        marked_unread,
        removed_at,
        cleared,
        hidden_top
    );
}

impl Entry {
    /// Something was said, or a group was joined. Until then the row only says who may write.
    pub(crate) fn is_listed(&self) -> bool {
        self.mailbox_seq > 0
    }

    /// The peer is shown the marks as they are now, whatever becomes of them.
    pub(crate) fn freeze(&mut self) {
        self.shown_read_mark.get_or_insert(self.read_mark);
        self.shown_delivered_mark.get_or_insert(self.delivered_mark);
    }

    /// The peer is shown the marks that moved from where they were before, unless they are not to.
    pub(crate) fn show(&mut self, before: &Self, hides_reads: bool) {
        if self.refused {
            return;
        }
        self.shown_read_mark = hides_reads.then_some(before.shown().0);
        self.shown_delivered_mark = None;
    }

    /// The read and the delivered mark as the peer is shown them.
    pub(crate) fn shown(&self) -> (u64, u64) {
        (self.shown_read_mark.unwrap_or(self.read_mark), self.shown_delivered_mark.unwrap_or(self.delivered_mark))
    }

    /// Forward only; the delivered mark is never behind.
    pub(crate) fn read_to(&mut self, place: Place) {
        if place.server_msg_id > self.read_mark {
            (self.read_mark, self.read_count) = (place.server_msg_id, place.count);
        }
        self.delivered_mark = self.delivered_mark.max(place.server_msg_id);
        self.marked_unread = false;
    }
}
