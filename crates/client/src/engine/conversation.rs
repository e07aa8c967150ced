//! One conversation as this device has it: the stretch kept here, what came out of turn, marks and unread count.
//! Pure rules: messages go in, those to be shown come out.
//!
//! Rules:
//! - Everything that the user may see of `low..=high` is kept. A message with the id `high + 1` is next; one at or
//!   below `high` is old news; one beyond waits in a bounded window until the hole before it is pulled.
//! - The answer to a pull is authoritative for its stretch: an id which it leaves out is invisible to this user.
//! - The unread count is never counted up: it is count(last) - count(read mark), where every message carries its count.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use anser_proto::{
    ConversationId, UserId,
    limits::{PAGE_MAX, PREVIEW_CHARS_MAX},
    v1,
};

use super::terms::{FirstPage, Kept, Policy, Told};

/// Messages that wait for a hole before them.
const WINDOW_MAX: usize = 64;
/// Messages whose count is remembered, so that marks slightly behind need no question to the server.
const RECENT_MAX: usize = 64;

pub(super) struct Conversation {
    pub(super) kept: Kept,
    window: BTreeMap<u64, Arc<v1::Message>>,
    /// `(server_msg_id, count)` of what was shown last.
    recent: VecDeque<(u64, u64)>,
    /// The count at the read mark is not known and cannot be derived: the server must tell the row again.
    pub(super) row_wanted: bool,
}

/// What to pull next: the fields of [`v1::Pull`], and what may be concluded from the answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Stretch {
    pub(super) kind: StretchKind,
    pub(super) after: Option<u64>,
    pub(super) before: u64,
    pub(super) limit: u32,
    /// The head known when it was asked.
    pub(super) head: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum StretchKind {
    /// Continues what is kept.
    Forward,
    /// The newest page, in place of what is kept unless it continues it.
    Newest,
    /// In front of what is kept.
    Older,
}

/// What is new after messages came.
#[derive(Default)]
pub(super) struct Placed {
    /// In order, each the next of the conversation.
    pub(super) shown: Vec<Arc<v1::Message>>,
    /// What was kept before is to be dropped.
    pub(super) reset: bool,
}

impl Conversation {
    pub(super) fn new(id: ConversationId) -> Self {
        Self::restored(Kept {
            conversation: id,
            session: v1::Session { conversation_id: id.to_string(), ..v1::Session::default() },
            low: 0,
            high: 0,
            high_count: 0,
            read_count: None,
            read_told: 0,
            told: None,
            row_head: 0,
        })
    }

    pub(super) fn restored(kept: Kept) -> Self {
        let recent = VecDeque::from([(kept.high, kept.high_count)]);
        Self { kept, window: BTreeMap::new(), recent, row_wanted: false }
    }

    /// The server told a row of it, so the user's mailbox knows it.
    pub(super) fn is_listed(&self) -> bool {
        self.kept.session.peer.is_some() || self.kept.session.group.is_some()
    }

    /// A group whose member the user is: it belongs to the positions that are synced.
    pub(super) fn is_joined_group(&self) -> bool {
        self.kept.session.group.as_ref().is_some_and(|group| group.role() != v1::group::Role::None)
    }

    pub(super) fn is_behind(&self) -> bool {
        self.kept.high < self.kept.session.head
    }

    /// Nothing that is here tells what is unread.
    pub(super) fn count_is_unknown(&self) -> bool {
        let (kept, session) = (&self.kept, &self.kept.session);
        kept.read_count.is_none() && kept.told.is_none() && session.read_mark < session.head && self.is_listed()
    }

    fn is_fresh(&self) -> bool {
        self.kept.low == 0
    }

    /// What to pull so that nothing is missing; none if nothing is.
    pub(super) fn missing(&self, policy: &Policy) -> Option<Stretch> {
        if !self.is_behind() {
            return None;
        }
        let (high, head) = (self.kept.high, self.kept.session.head);
        let newest = |limit: u32| {
            let limit = limit.clamp(1, PAGE_MAX);
            Stretch { kind: StretchKind::Newest, after: None, before: 0, limit, head }
        };
        let before = self.window.first_key_value().map_or(0, |(id, _)| *id);
        let forward = Stretch { kind: StretchKind::Forward, after: Some(high), before, limit: PAGE_MAX, head };
        Some(match policy.first_page {
            FirstPage::Newest(limit) if self.is_fresh() => newest(limit),
            FirstPage::Newest(limit) if head - high > policy.gap_max => newest(limit),
            FirstPage::All if high > 0 && head - high > policy.gap_max => newest(PAGE_MAX),
            _ => forward,
        })
    }

    /// What to pull to have more of the past; none at the beginning, or as long as nothing is kept.
    pub(super) fn older(&self, limit: u32) -> Option<Stretch> {
        let (low, head) = (self.kept.low, self.kept.session.head);
        let limit = limit.clamp(1, PAGE_MAX);
        (low > 1).then_some(Stretch { kind: StretchKind::Older, after: None, before: low, limit, head })
    }

    /// A message was pushed, or an own one acknowledged.
    pub(super) fn place(&mut self, message: Arc<v1::Message>, me: UserId) -> Placed {
        let id = message.server_msg_id;
        let mut placed = Placed::default();
        self.kept.session.head = self.kept.session.head.max(id);
        if self.is_fresh() && id == 1 {
            self.kept.low = 1;
        }
        self.marks_follow(&message, me);
        self.window.insert(id, message);
        if !self.is_fresh() {
            self.drain_window(me, &mut placed);
        }
        if self.window.len() > WINDOW_MAX {
            // The nearest are worth most: the head is noted, so the far ones are pulled when it is their turn.
            self.window.pop_last();
        }
        placed
    }

    /// The answer to a pull of [`Conversation::missing`] came: only messages that were asked for, and at least one if there
    /// are more.
    pub(super) fn fill(&mut self, asked: Stretch, answer: &mut v1::Messages, me: UserId) -> Placed {
        let mut placed = Placed::default();
        let messages = std::mem::take(&mut answer.messages);
        let last = messages.last().map(|message| message.server_msg_id);
        let head = &mut self.kept.session.head;
        *head = (*head).max(last.unwrap_or(0));
        let covered = match asked.kind {
            StretchKind::Forward if asked.before != 0 && !answer.more => asked.before - 1,
            _ => last.or(asked.after).unwrap_or(0),
        };
        if messages.is_empty() && !answer.more && asked.before == 0 && *head == asked.head {
            // Nothing was pushed since either: the user may see no more than they have.
            *head = self.kept.high;
        }
        let first = messages.first().map_or(0, |message| message.server_msg_id);
        if asked.kind == StretchKind::Newest
            && answer.more
            && (self.is_fresh() || first > self.kept.high.saturating_add(1))
        {
            placed.reset = !self.is_fresh();
            self.kept.low = first;
            self.kept.high = first.saturating_sub(1);
            self.recent.clear();
        } else if self.is_fresh() {
            self.kept.low = 1;
        }
        for message in messages {
            if message.server_msg_id > self.kept.high {
                self.show(Arc::new(message), me, &mut placed);
            }
        }
        self.kept.high = self.kept.high.max(covered);
        self.drain_window(me, &mut placed);
        placed
    }

    /// The answer to a pull of [`Conversation::older`] came: tells whether it still fits what is kept.
    pub(super) fn prepend(&mut self, asked: Stretch, answer: &v1::Messages) -> bool {
        let fits = asked.before == self.kept.low;
        if fits {
            let first = answer.messages.first().map(|message| message.server_msg_id);
            self.kept.low = first.filter(|_| answer.more).unwrap_or(1);
        }
        fits
    }

    /// The server shows nothing beyond what is here.
    pub(super) fn give_up(&mut self) {
        self.kept.session.head = self.kept.high;
        self.window.clear();
    }

    fn drain_window(&mut self, me: UserId, placed: &mut Placed) {
        while let Some(entry) =
            self.window.first_entry().filter(|entry| *entry.key() <= self.kept.high.saturating_add(1))
        {
            let message = entry.remove();
            if message.server_msg_id > self.kept.high {
                self.show(message, me, placed);
            }
        }
    }

    fn show(&mut self, message: Arc<v1::Message>, me: UserId, placed: &mut Placed) {
        let (id, count) = (message.server_msg_id, message.count);
        self.kept.high = id;
        self.kept.high_count = count;
        self.recent.push_back((id, count));
        if self.recent.len() > RECENT_MAX {
            self.recent.pop_front();
        }
        self.kept.session.last = Some(preview(&message));
        self.marks_follow(&message, me);
        if let Some(notice) = &message.notice {
            self.follow_notice(notice, id, count, me);
        }
        self.settle_counts(id, count);
        placed.shown.push(message);
    }

    /// Whoever speaks has read: a message moves its sender's marks at once, even before it is its turn to be shown.
    fn marks_follow(&mut self, message: &v1::Message, me: UserId) {
        let (id, single) = (message.server_msg_id, matches!(self.kept.conversation, ConversationId::Single { .. }));
        match message.r#type() {
            v1::message::Type::Notice => {}
            _ if message.from_id == me.0 => self.own_marks_reach(id, message.count),
            _ if single => self.peer_marks_reach(id, id),
            _ => {}
        }
    }

    /// An own message, which is not here, has this place.
    pub(super) fn own_is_at(&mut self, id: u64, count: u64) {
        self.kept.session.head = self.kept.session.head.max(id);
        self.own_marks_reach(id, count);
    }

    /// A message of the user's own, on whichever device, moves their marks.
    fn own_marks_reach(&mut self, id: u64, count: u64) {
        let session = &mut self.kept.session;
        session.delivered_mark = session.delivered_mark.max(id);
        self.kept.read_told = self.kept.read_told.max(id);
        if id >= session.read_mark {
            session.read_mark = id;
            self.kept.read_count = Some(count);
        }
    }

    /// What a notice says of the group, and of the user in it. Their read mark starts where they join.
    fn follow_notice(&mut self, notice: &v1::Notice, id: u64, count: u64, me: UserId) {
        use v1::{group::Role, notice::Kind};
        let (kind, names_me) = (notice.kind(), notice.user_ids.contains(&me.0));
        if names_me && matches!(kind, Kind::Created | Kind::Joined) {
            self.own_marks_reach(id, count);
        }
        // A row of the server knows all notices up to its head, and the role better than they do.
        let Some(group) = self.kept.session.group.as_mut().filter(|_| id > self.kept.row_head) else { return };
        match kind {
            Kind::Created | Kind::Joined | Kind::Demoted if names_me => group.set_role(Role::Member),
            Kind::Left | Kind::Removed if names_me => group.set_role(Role::None),
            Kind::Promoted if names_me => group.set_role(Role::Admin),
            Kind::OwnerChanged => {
                group.owner_id = notice.user_ids.first().copied().unwrap_or(group.owner_id);
                if names_me {
                    group.set_role(Role::Owner);
                }
            }
            _ => {}
        }
    }

    /// The count at `id` is known now: derive that at the read mark from it.
    fn settle_counts(&mut self, id: u64, count: u64) {
        let read_mark = self.kept.session.read_mark;
        if id == read_mark {
            self.kept.read_count = Some(count);
        }
        let Some(told) = self.kept.told.filter(|told| told.head <= id) else { return };
        self.kept.told = None;
        if self.kept.read_count.is_none() {
            if told.head == id && told.read_mark == read_mark {
                self.kept.read_count = Some(count.saturating_sub(told.unread));
            } else {
                self.row_wanted = true;
            }
        }
    }

    fn count_at(&self, id: u64) -> Option<u64> {
        if id == self.kept.high {
            return Some(self.kept.high_count);
        }
        let found = self.recent.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        self.recent.get(found).map(|(_, count)| *count)
    }

    /// The server's row of this conversation. An older row than the known one is passed over.
    pub(super) fn take_row(&mut self, row: v1::Session) {
        let old = &self.kept.session;
        if row.mailbox_seq < old.mailbox_seq {
            return;
        }
        let told = Told { head: row.head, unread: row.unread, read_mark: row.read_mark };
        let (read_mark, last) = (old.read_mark, old.last.clone());
        let last_known = last.as_ref().map_or(0, |last| last.server_msg_id);
        self.kept.row_head = row.head;
        self.kept.read_told = self.kept.read_told.max(row.read_mark);
        self.kept.session = v1::Session {
            head: row.head.max(old.head),
            read_mark: row.read_mark.max(read_mark),
            delivered_mark: row.delivered_mark.max(old.delivered_mark),
            peer_read_mark: row.peer_read_mark.max(old.peer_read_mark),
            peer_delivered_mark: row.peer_delivered_mark.max(old.peer_delivered_mark),
            last: if row.head >= last_known { row.last } else { last },
            ..row
        };
        if told.read_mark < read_mark {
            // The user marked further meanwhile; what the server counted is for a mark of the past.
            return;
        }
        self.row_wanted = false;
        if told.read_mark > read_mark || self.kept.read_count.is_none() {
            let at_head = self.count_at(told.head).map(|count| count.saturating_sub(told.unread));
            self.kept.read_count = at_head.or_else(|| self.count_at(told.read_mark));
            self.row_wanted = self.kept.read_count.is_none() && told.head < self.kept.high;
        }
        self.kept.told = (told.head > self.kept.high).then_some(told);
    }

    /// The user has seen everything up to `id`. Tells whether the mark moved.
    pub(super) fn mark_read(&mut self, id: u64, count: Option<u64>) -> bool {
        let id = id.min(self.kept.session.head);
        if id <= self.kept.session.read_mark {
            return false;
        }
        self.kept.session.read_mark = id;
        self.kept.read_count = self.count_at(id).or(count);
        true
    }

    /// The server has this read mark now; without the count at it, only the server's row can tell what is unread.
    pub(super) fn read_mark_confirmed(&mut self, read_mark: u64) {
        self.kept.read_told = self.kept.read_told.max(read_mark);
        let read_mark = self.kept.session.read_mark;
        self.row_wanted |= self.kept.read_count.is_none() && read_mark <= self.kept.high;
    }

    /// The other party's marks moved.
    pub(super) fn peer_marks_reach(&mut self, read_mark: u64, delivered_mark: u64) {
        let session = &mut self.kept.session;
        session.peer_read_mark = session.peer_read_mark.max(read_mark);
        session.peer_delivered_mark = session.peer_delivered_mark.max(delivered_mark).max(session.peer_read_mark);
    }

    /// Brings the entry's unread count up to date with everything that is known.
    pub(super) fn recount(&mut self) {
        let (kept, session) = (&self.kept, &self.kept.session);
        let unread = match (kept.told, kept.read_count) {
            _ if session.read_mark >= session.head => 0,
            (Some(told), _) if told.read_mark == session.read_mark => told.unread,
            (_, Some(read_count)) => kept.high_count.saturating_sub(read_count),
            _ => session.unread,
        };
        self.kept.session.unread = unread;
        if matches!(self.kept.conversation, ConversationId::Single { small, big } if small == big) {
            // Who writes to themselves is the other party, too.
            self.peer_marks_reach(self.kept.session.read_mark, self.kept.session.delivered_mark);
        }
    }
}

fn preview(message: &v1::Message) -> v1::Preview {
    v1::Preview {
        server_msg_id: message.server_msg_id,
        from_id: message.from_id,
        from_nickname: message.from_nickname.clone(),
        r#type: message.r#type,
        content: message.content.chars().take(PREVIEW_CHARS_MAX).collect(),
        server_time_ms: message.server_time_ms,
    }
}
