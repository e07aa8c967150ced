//! The rows that a transaction holds in memory, and what a write does to them: the same rules whichever the database.

use std::sync::Arc;

use anser_proto::{
    ConversationId, GroupId, UserId,
    v1::{self, notice::Kind},
};
use prost::Message as _;

use crate::{Appended, Error, Mark, MarkKind, Marked, NewMessage, Sender};

/// Where a log ends. Default: nothing was said.
#[derive(Clone, Copy, Default)]
pub(crate) struct Head {
    pub(crate) server_msg_id: u64,
    pub(crate) count: u64,
    pub(crate) server_time_ms: u64,
    /// Of a group.
    pub(crate) members_version: u64,
    /// `server_msg_id` of the row; 0 if there is none.
    pub(crate) stored: u64,
}

/// A message's place in a log: its id and its count.
#[derive(Clone, Copy, Default)]
pub(crate) struct Place {
    pub(crate) server_msg_id: u64,
    pub(crate) count: u64,
}

/// A user's entry in their conversation list.
#[derive(Clone, Copy, Default)]
pub(crate) struct Entry {
    pub(crate) mailbox_seq: u64,
    pub(crate) read_mark: u64,
    pub(crate) read_count: u64,
    pub(crate) delivered_mark: u64,
    /// Of a group: the user is a member now.
    pub(crate) member: bool,
    /// Others put them there, and they have not answered yet.
    pub(crate) unanswered: bool,
    /// They have now: the row of their membership is to say so.
    pub(crate) answers: bool,
    pub(crate) changed: bool,
}

impl Head {
    /// Moves to where the next message will be. The time of a conversation never goes back.
    pub(crate) fn advance(&mut self, now_ms: u64, counted: bool) {
        self.server_msg_id += 1;
        self.count += u64::from(counted);
        self.server_time_ms = self.server_time_ms.max(now_ms);
    }

    pub(crate) fn place(&self) -> Place {
        Place { server_msg_id: self.server_msg_id, count: self.count }
    }

    /// What the sender of the message at the head is told, before mailboxes are.
    pub(crate) fn appended(&self) -> Appended {
        Appended {
            server_msg_id: self.server_msg_id,
            server_time_ms: self.server_time_ms,
            count: self.count,
            duplicate: false,
            sender_mailbox_seq: 0,
            receiver_mailbox_seq: 0,
            members_version: self.members_version,
        }
    }

    /// Advances by a notice. The version of the list of members is where the last of them came or went. Nobody's message
    /// can be under its id already: ids of notices are apart.
    pub(crate) fn advance_by_notice(
        &mut self,
        now_ms: u64,
        group: GroupId,
        operator: &Sender,
        kind: Kind,
        users: &[UserId],
    ) -> NewMessage {
        self.advance(now_ms, false);
        if kind != Kind::OwnerChanged {
            self.members_version = self.server_msg_id;
        }
        let user_ids = users.iter().map(|user| user.0).collect();
        let notice = v1::Notice { kind: kind.into(), operator_id: operator.user.0, user_ids };
        NewMessage {
            conversation: ConversationId::Group(group),
            from: operator.clone(),
            client_msg_id: format!("notice-{}", self.server_msg_id).parse().expect("it is short and ASCII"),
            kind: v1::message::Type::Notice.into(),
            content: Arc::from(""),
            attachment: notice.encode_to_vec().into(),
            client_time_ms: self.server_time_ms,
            counted: false,
            login_version: 0,
        }
    }
}

impl Entry {
    /// The user comes with the message at this place, and their read mark starts there.
    pub(crate) fn join(&mut self, place: Place, unanswered: bool) {
        (self.member, self.unanswered, self.answers) = (true, unanswered, false);
        self.read_to(place);
    }

    pub(crate) fn go(&mut self) {
        (self.member, self.unanswered, self.answers) = (false, false, false);
    }

    /// The user did something in the group themselves.
    pub(crate) fn answer(&mut self) {
        self.answers |= self.unanswered;
        self.unanswered = false;
    }

    /// Forward only; the delivered mark is never behind.
    pub(crate) fn read_to(&mut self, place: Place) {
        if place.server_msg_id > self.read_mark {
            (self.read_mark, self.read_count) = (place.server_msg_id, place.count);
        }
        self.delivered_mark = self.delivered_mark.max(place.server_msg_id);
    }
}

/// Entries and mailboxes as a transaction has them.
pub(crate) trait Rows {
    fn session(&mut self, user: UserId, conversation: ConversationId) -> Result<Option<Entry>, Error>;

    fn put_session(&mut self, user: UserId, conversation: ConversationId, entry: Entry);

    /// Takes the next number of the user's mailbox, for a change that concerns them.
    fn next_change(&mut self, user: UserId) -> Result<u64, Error>;

    /// Changes the user's entry and stamps it with the next number of their mailbox.
    fn stamp(
        &mut self,
        user: UserId,
        conversation: ConversationId,
        change: impl FnOnce(&mut Entry),
    ) -> Result<u64, Error> {
        let mut entry = self.session(user, conversation)?.unwrap_or_default();
        change(&mut entry);
        entry.mailbox_seq = self.next_change(user)?;
        self.put_session(user, conversation, entry);
        Ok(entry.mailbox_seq)
    }

    /// Tells both mailboxes of the one-to-one message at the head, which its sender has read.
    fn stamp_single(
        &mut self,
        from: UserId,
        to: UserId,
        conversation: ConversationId,
        head: &Head,
    ) -> Result<Appended, Error> {
        let sender_mailbox_seq = self.stamp(from, conversation, |own| own.read_to(head.place()))?;
        let receiver_mailbox_seq = match to == from {
            true => sender_mailbox_seq,
            false => self.stamp(to, conversation, |_| {})?,
        };
        Ok(Appended { sender_mailbox_seq, receiver_mailbox_seq, ..head.appended() })
    }

    /// Changes and stamps the entries of users who come into a group, or go.
    fn stamp_each(
        &mut self,
        users: &[UserId],
        group: GroupId,
        change: impl Fn(UserId, &mut Entry),
    ) -> Result<Vec<(UserId, u64)>, Error> {
        let conversation = ConversationId::Group(group);
        let stamp = |user: &UserId| Ok((*user, self.stamp(*user, conversation, |entry| change(*user, entry))?));
        users.iter().map(stamp).collect()
    }

    /// The member did something in the group themselves.
    fn answer(&mut self, user: UserId, group: GroupId) -> Result<(), Error> {
        let conversation = ConversationId::Group(group);
        if let Some(mut entry) = self.session(user, conversation)?.filter(|entry| entry.unanswered) {
            entry.answer();
            self.put_session(user, conversation, entry);
        }
        Ok(())
    }

    /// Moves a mark from `before` to `after`. The read mark concerns the user; any mark concerns who sees it as a
    /// receipt.
    fn move_mark(&mut self, mark: &Mark, before: Entry, mut after: Entry, head: Place) -> Result<Marked, Error> {
        let Mark { user, conversation, kind, .. } = *mark;
        let moved = after.delivered_mark > before.delivered_mark || after.read_mark > before.read_mark;
        let mut marked = Marked {
            read_mark: after.read_mark,
            delivered_mark: after.delivered_mark,
            unread: head.count.saturating_sub(after.read_count),
            moved,
            mailbox_seq: 0,
            peer: None,
        };
        if !moved {
            return Ok(marked);
        }
        let peer = conversation.peer_of(user);
        if kind == MarkKind::Read {
            after.answer();
        }
        if kind == MarkKind::Read || peer == Some(user) {
            marked.mailbox_seq = self.stamp(user, conversation, |entry| *entry = after)?;
        } else {
            self.put_session(user, conversation, after);
        }
        if let Some(peer) = peer.filter(|peer| *peer != user) {
            marked.peer = Some((peer, self.stamp(peer, conversation, |_| {})?));
        }
        Ok(marked)
    }
}
