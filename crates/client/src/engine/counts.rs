//! What is unread in a conversation. Pure rules on what is kept of it.
//!
//! Rules: the count is never counted up. Every message carries `count`, and unread = count(last) - count(read mark) - messages behind the
//! read mark that counted and are recalled. What this device has not seen of the latter is part of `read_count`: the server's row tells what is unread
//! at its head, and what it counted is taken from there. So a message is noted as recalled only once for each: when it is
//! shown so, or when the entry that recalled it lies behind the position. What the user hid is known as `hidden_top` alone: with a read mark before it, or in a gap
//! before it, only the server's row tells.

use anser_proto::{ConversationId, v1};

use super::{conversation::Conversation, mentions::has_left, terms::Told};

/// Messages whose count is remembered, so that marks slightly behind need no question to the server.
const RECENT_MAX: usize = 64;
/// Recalled messages behind the read mark that are known one by one.
const RECALLED_MAX: usize = 256;

impl Conversation {
    /// Nothing that is here tells what is unread.
    pub(super) fn count_is_unknown(&self) -> bool {
        let (kept, session) = (&self.kept, &self.kept.session);
        kept.read_count.is_none() && kept.told.is_none() && session.read_mark < session.head && self.is_listed()
    }

    /// The next message is shown: its count is known, and with it that of everything just before it.
    pub(super) fn count_shown(&mut self, message: &v1::Message) {
        let (id, count) = (message.server_msg_id, message.count);
        let before = count.saturating_sub(u64::from(is_countable(message)));
        self.settle_below(id, before);
        self.kept.high_count = count;
        if self.recent.is_empty() {
            self.recent.push_back((id.saturating_sub(1), before));
        }
        self.recent.push_back((id, count));
        if self.recent.len() > RECENT_MAX {
            self.recent.pop_front();
        }
        if is_recalled(message) && id > self.kept.session.read_mark {
            self.kept.recalled.insert(id, message.changed);
        }
        self.settle_mark();
    }

    fn settle_mark(&mut self) {
        if self.kept.read_count.is_none() {
            self.mark_is_at(self.count_at(self.kept.session.read_mark));
        }
    }

    /// Everything up to the position is here: derives the count at the read mark from what the server told.
    pub(super) fn settle_counts(&mut self) {
        if let Some((shown, _)) = self.recent.back().copied() {
            if let Some(count) = self.count_at(self.kept.high.max(shown)) {
                self.settle_below(self.kept.high.saturating_add(1), count);
                self.settle_mark();
            }
        } else if let Some(count) = self.kept.read_count.filter(|_| self.unsure_up_to() < self.kept.high) {
            // Nothing was shown since the mark.
            self.kept.high_count = count;
            self.recent.push_back((self.kept.high, count));
        }
        self.bound_recalled();
    }

    /// `count` is that at every id from the position up to before `end`.
    fn settle_below(&mut self, end: u64, count: u64) {
        let Some(told) = self.kept.told.filter(|told| told.head < end) else { return };
        self.kept.told = None;
        if told.read_mark == self.kept.session.read_mark {
            self.settle_mentions(told);
            self.count_from(told, count);
        } else if self.kept.read_count.is_none() {
            self.row_wanted = true;
        }
    }

    /// `count` is that at the head of the row.
    fn count_from(&mut self, told: Told, count: u64) {
        let known = self.kept.recalled.values().filter(|entry| self.row_has(**entry, told.head)).count() as u64;
        self.kept.read_count = Some(count.saturating_sub(told.unread).saturating_sub(known));
    }

    /// Whether what the server counts as unread at this head is without what this entry recalled. Whoever left sees no entry behind their going, and messages as
    /// they are now.
    fn row_has(&self, entry: u64, head: u64) -> bool {
        entry <= head || has_left(&self.kept.session)
    }

    /// A message at or below the position is recalled, by an entry beyond it.
    pub(super) fn note_recalled(&mut self, message: &v1::Message) {
        let (id, entry) = (message.server_msg_id, message.changed);
        if is_recalled(message) && id > self.kept.session.read_mark && entry > self.kept.high {
            if id <= self.kept.session.hidden_top {
                // It may be one of those: then it is not unread already.
                self.row_wanted = true;
            } else {
                self.kept.recalled.insert(id, entry);
            }
        }
    }

    /// A message from before what `recalled` knows of: what is part of `read_count` is taken out of it.
    pub(super) fn note_older(&mut self, message: &v1::Message) {
        let (id, entry) = (message.server_msg_id, message.changed);
        let is_new = id > self.kept.session.read_mark && id <= self.kept.recalled_from;
        let is_counted = self.row_has(entry, self.kept.high);
        if is_new && is_recalled(message) && self.kept.recalled.insert(id, entry).is_none() && is_counted {
            self.kept.read_count = self.kept.read_count.map(|count| count.saturating_sub(1));
        }
    }

    /// What lies between the position and `after` is not looked at one by one; what lies behind it, up to `through`, may have recalled some of it.
    pub(super) fn skip_counts(&mut self, after: u64, through: u64) {
        let kept = &mut self.kept;
        let known_from = if kept.session.read_mark < after { through } else { after };
        kept.told = kept.told.filter(|told| told.head >= known_from);
        if kept.session.read_mark < after {
            kept.read_count = None;
            kept.recalled.retain(|id, _| *id > after);
            self.row_wanted |= kept.told.is_none();
        }
        kept.recalled_from = kept.recalled_from.max(after);
        self.skip_mentions(after);
    }

    fn bound_recalled(&mut self) {
        while self.kept.recalled.len() > RECALLED_MAX
            && let Some((id, entry)) = self.kept.recalled.pop_first()
        {
            let is_counted = self.row_has(entry, self.kept.high);
            let kept = &mut self.kept;
            kept.recalled_from = kept.recalled_from.max(id);
            kept.read_count = kept.read_count.filter(|_| is_counted).map(|count| count + 1);
            self.row_wanted |= kept.read_count.is_none();
        }
    }

    /// `count` is that at the read mark, as the log has it.
    fn mark_is_at(&mut self, count: Option<u64>) {
        let kept = &mut self.kept;
        let read_mark = kept.session.read_mark;
        kept.recalled.retain(|id, _| *id > read_mark);
        kept.read_count = count.filter(|_| read_mark >= kept.recalled_from.max(kept.session.hidden_top));
        self.mentions_are_read();
    }

    /// A message of the user's own, on whichever device, moves their marks.
    pub(super) fn own_marks_reach(&mut self, id: u64, count: u64) {
        let session = &mut self.kept.session;
        session.marked_unread &= id <= session.read_mark;
        session.delivered_mark = session.delivered_mark.max(id);
        self.kept.read_told = self.kept.read_told.max(id);
        if id >= session.read_mark {
            session.read_mark = id;
            self.mark_is_at(Some(count));
        }
    }

    /// The user has seen everything up to `id`. Tells whether the server is to be told.
    pub(super) fn mark_read(&mut self, id: u64, count: Option<u64>) -> bool {
        let id = id.min(self.kept.session.head);
        if id == 0 {
            return false;
        }
        let was_marked_unread = std::mem::take(&mut self.kept.session.marked_unread);
        if id <= self.kept.session.read_mark {
            if was_marked_unread {
                // It is told again where the mark is.
                self.kept.read_told = 0;
            }
            return was_marked_unread;
        }
        self.kept.session.read_mark = id;
        self.mark_is_at(self.count_at(id).or(count));
        true
    }

    /// The server has this read mark now; without the count at it, only the server's row can tell what is unread.
    pub(super) fn read_mark_confirmed(&mut self, read_mark: u64) {
        self.kept.read_told = self.kept.read_told.max(read_mark);
        self.kept.session.marked_unread = false;
        let read_mark = self.kept.session.read_mark;
        let is_unknown = self.kept.read_count.is_none() || self.mentions_are_unknown();
        self.row_wanted |= is_unknown && read_mark <= self.kept.high;
    }

    /// The server's row told this; `read_mark` was the mark before.
    pub(super) fn take_told(&mut self, told: Told, read_mark: u64) {
        if told.read_mark < read_mark {
            // The user marked further meanwhile; what the server counted is for a mark of the past.
            return;
        }
        self.row_wanted = false;
        self.kept.recalled.retain(|id, _| *id > told.read_mark);
        let at_head = self.count_at(told.head);
        if let Some(count) = at_head {
            self.count_from(told, count);
        } else if told.read_mark > read_mark || self.kept.read_count.is_none() {
            self.mark_is_at(self.count_at(told.read_mark));
            self.row_wanted = self.kept.read_count.is_none() && told.head < self.kept.high;
        }
        self.kept.told = (at_head.is_none() && told.head >= self.kept.high).then_some(told);
        if self.kept.told.is_none() {
            self.settle_mentions(told);
        }
    }

    /// Of what is behind the read mark some may be hidden, and the server has not told how many of it are unread.
    pub(super) fn doubt_count(&mut self) {
        let kept = &mut self.kept;
        if kept.session.hidden_top > kept.session.read_mark {
            kept.read_count = None;
            self.row_wanted |= kept.read_told >= kept.session.read_mark;
        }
    }

    /// Of every place from the first that is remembered up to the position, if it is known.
    fn count_at(&self, id: u64) -> Option<u64> {
        let behind = self.recent.partition_point(|(shown, _)| *shown <= id);
        let (shown, count) = self.recent.get(behind.checked_sub(1)?)?;
        let is_known = *shown == id || *shown >= self.unsure_up_to();
        (id <= self.kept.high && is_known).then_some(*count)
    }

    /// Up to here messages may be left out that count: the user hid or cleared them.
    fn unsure_up_to(&self) -> u64 {
        let session = &self.kept.session;
        session.hidden_top.max(session.first.saturating_sub(1))
    }

    /// Brings the entry's unread count up to date with everything that is known.
    pub(super) fn recount(&mut self) {
        let (kept, session) = (&self.kept, &self.kept.session);
        let unread = match (kept.told, kept.read_count) {
            _ if session.read_mark >= session.head => 0,
            (Some(told), _) if told.read_mark == session.read_mark => told.unread,
            (_, Some(read_count)) => {
                kept.high_count.saturating_sub(read_count).saturating_sub(kept.recalled.len() as u64)
            }
            _ => session.unread,
        };
        self.kept.session.unread = unread;
        if matches!(self.kept.conversation, ConversationId::Single { small, big } if small == big) {
            // Who writes to themselves is the other party, too.
            self.peer_marks_reach(self.kept.session.read_mark, self.kept.session.delivered_mark);
        }
    }
}

pub(super) fn is_countable(message: &v1::Message) -> bool {
    message.r#type() != v1::message::Type::Notice && !message.settings.is_some_and(|settings| settings.uncounted)
}

pub(super) fn is_there(message: &v1::Message) -> bool {
    message.state() == v1::message::State::Present
}

fn is_recalled(message: &v1::Message) -> bool {
    message.state() == v1::message::State::Recalled && is_countable(message)
}
