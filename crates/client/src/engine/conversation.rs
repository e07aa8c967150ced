//! One conversation as this device has it: the stretch kept here, what came out of turn, marks and unread count.
//! Pure rules: messages go in, those to be shown come out.
//!
//! Rules:
//! - Everything that the user may see of `low..=high` is kept. A message with the id `high + 1` is next; one at or
//!   below `high` is old news; one beyond waits in a bounded window until the hole before it is pulled.
//! - The answer to a pull is authoritative for its stretch: an id which it leaves out has nothing to show to this user.
//! - Who jumps to the newest page drops what is kept from before it: nothing tells what of it was changed meanwhile.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use anser_proto::{
    ConversationId, UserId,
    limits::{PAGE_MAX, PREVIEW_CHARS_MAX},
    v1,
};

use super::{
    mentions::Mentioned,
    page::{Page, is_silent},
    terms::{FirstPage, Kept, Policy, Told},
};

/// Messages that wait for a hole before them.
const WINDOW_MAX: usize = 64;

pub(super) struct Conversation {
    pub(super) kept: Kept,
    pub(super) window: BTreeMap<u64, Arc<v1::Message>>,
    /// `(server_msg_id, count)` of what was shown last; none while the count at `high` is not known.
    pub(super) recent: VecDeque<(u64, u64)>,
    /// The newest change that was told of a message from before `low`.
    pub(super) changed_before: u64,
    /// Messages beyond the position that the user hid: a page of the server leaves them out, and a push may not.
    hidden: BTreeSet<u64>,
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
    /// Newer states of messages that were shown.
    pub(super) changed: Vec<Arc<v1::Message>>,
    /// What is kept from before this id is to be dropped.
    pub(super) dropped_before: Option<u64>,
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
            recalled: BTreeMap::new(),
            recalled_from: 0,
            last_changed: 0,
            read_told: 0,
            told: None,
            has_left: false,
            row_head: 0,
            mentioned: Mentioned::default(),
        })
    }

    pub(super) fn restored(kept: Kept) -> Self {
        let is_known = kept.told.is_none_or(|told| told.head > kept.high);
        let recent = is_known.then_some((kept.high, kept.high_count)).into_iter().collect();
        Self { kept, window: BTreeMap::new(), recent, changed_before: 0, hidden: BTreeSet::new(), row_wanted: false }
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

    pub(super) fn is_fresh(&self) -> bool {
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
        if is_silent(&message) {
            // What it changed is not told with it: that is pulled.
            return placed;
        }
        if id < self.kept.session.first {
            // The user cleared it before this device knew of it.
            return placed;
        }
        if self.is_fresh() && id == 1 {
            self.kept.low = 1;
        }
        self.marks_follow(&message, me);
        let waiting = self.window.entry(id).or_insert_with(|| message.clone());
        if waiting.changed < message.changed {
            *waiting = message;
        }
        if !self.is_fresh() {
            self.drain_window(me, &mut placed);
        }
        if self.window.len() > WINDOW_MAX {
            // The nearest are worth most: the head is noted, so the far ones are pulled when it is their turn.
            self.window.pop_last();
        }
        placed
    }

    /// The answer to a pull of [`Conversation::missing`] came.
    pub(super) fn fill(&mut self, asked: Stretch, page: Page, me: UserId) -> Placed {
        let mut placed = Placed::default();
        let Page { after, through, messages, changed, more, .. } = page;
        let head = &mut self.kept.session.head;
        *head = (*head).max(through);
        if messages.is_empty() && !more && asked.before == 0 && *head == asked.head {
            // Nothing was pushed since either: the user may see no more than they have.
            *head = self.kept.high.max(through);
        }
        let high = if self.is_fresh() { 0 } else { self.kept.high };
        let (known, new): (Vec<_>, Vec<_>) = messages.into_iter().partition(|message| message.server_msg_id <= high);
        self.take_changed(changed, me, &mut placed);
        self.take_changed(known, me, &mut placed);
        if asked.kind == StretchKind::Newest {
            self.jump(after, through, &mut placed);
        } else if self.is_fresh() {
            self.kept.low = 1;
        }
        for message in new {
            self.show(message, me, &mut placed);
        }
        self.reach(through, me, &mut placed);
        placed
    }

    /// The newest page covers what is behind `after` up to `through`.
    fn jump(&mut self, after: u64, through: u64, placed: &mut Placed) {
        let is_hole = self.is_fresh() || after > self.kept.high;
        if !is_hole && (through <= self.kept.high || after < self.kept.low) {
            return;
        }
        placed.dropped_before = (!self.is_fresh()).then_some(after.saturating_add(1));
        placed.changed.retain(|message| message.server_msg_id > after);
        self.skip_counts(after, through);
        self.kept.low = after.saturating_add(1);
        if is_hole && after > 0 {
            self.kept.high = after;
            self.recent.clear();
        }
    }

    /// Everything up to `through` is here.
    pub(super) fn reach(&mut self, through: u64, me: UserId, placed: &mut Placed) {
        self.kept.high = self.kept.high.max(through);
        self.drain_window(me, placed);
    }

    /// The answer to a pull of [`Conversation::older`] came: tells whether it still fits what is kept.
    pub(super) fn prepend(&mut self, asked: Stretch, page: &Page, me: UserId) -> bool {
        let fits = asked.before == self.kept.low;
        if fits {
            page.messages.iter().for_each(|message| self.note_older(message));
            self.note_older_mentions(page.messages.iter().map(|message| &**message), page.after, me);
            let mut notices = page.messages.iter().filter_map(|message| message.notice.as_ref());
            self.kept.has_left |= notices.any(|notice| leaves(notice, me));
            self.kept.recalled_from = self.kept.recalled_from.min(page.after);
            self.kept.low = page.after.saturating_add(1);
        }
        fits
    }

    /// What is kept of a page of older messages would be out of date: it was read before one of them was changed.
    pub(super) fn is_late(&self, page: &Page) -> bool {
        page.head < self.changed_before
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
        self.settle_counts();
    }

    fn show(&mut self, message: Arc<v1::Message>, me: UserId, placed: &mut Placed) {
        let (id, count) = (message.server_msg_id, message.count);
        self.kept.high = id;
        if self.hidden.remove(&id) {
            self.row_wanted = true;
            return self.count_shown(&message);
        }
        self.kept.session.last = Some(preview(&message));
        self.kept.last_changed = message.changed;
        self.marks_follow(&message, me);
        if let Some(notice) = &message.notice {
            self.note_stay(notice, id, me, placed);
            self.follow_notice(notice, id, count, me);
        }
        self.note_mentions(&message, me);
        self.count_shown(&message);
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

    /// The log has this place, whatever is there.
    pub(super) fn log_reaches(&mut self, id: u64) {
        self.kept.session.head = self.kept.session.head.max(id);
    }

    /// What was changed while the user was away from the group is told by nobody: who comes back drops what they keep from before the
    /// present page.
    fn note_stay(&mut self, notice: &v1::Notice, id: u64, me: UserId, placed: &mut Placed) {
        if leaves(notice, me) {
            self.kept.has_left = true;
        } else if names(notice, me) && notice.kind() == v1::notice::Kind::Joined && self.kept.has_left {
            let from = placed.shown.first().map_or(id, |first| first.server_msg_id);
            self.kept.has_left = from < id;
            placed.dropped_before = placed.dropped_before.max(Some(from));
            placed.changed.retain(|message| message.server_msg_id >= from);
            self.kept.low = self.kept.low.max(from);
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
            Kind::Muted if names_me => group.muted_until_ms = notice.muted_until_ms,
            Kind::Unmuted if names_me => group.muted_until_ms = 0,
            Kind::Dissolved => {
                group.set_role(Role::None);
                group.dissolved_at = id;
            }
            Kind::GroupChanged => follow_change(group, notice.change.as_ref(), id),
            _ => {}
        }
    }

    /// The server's row of this conversation. An older row than the known one is passed over. Tells whether what is kept from before its
    /// first message is to be dropped, since the user cleared it.
    pub(super) fn take_row(&mut self, row: v1::Session) -> bool {
        let old = &self.kept.session;
        if row.mailbox_seq < old.mailbox_seq {
            return false;
        }
        let is_cleared = row.first > old.first.max(1) && !self.is_fresh();
        if is_cleared {
            self.skip(row.first.saturating_sub(1));
        }
        let old = &self.kept.session;
        let told = Told { head: row.head, unread: row.unread, read_mark: row.read_mark };
        let of_row = (row.mentions, row.mentioned_at);
        let (read_mark, last) = (old.read_mark, old.last.clone());
        let known = last.as_ref().map_or(0, |last| last.server_msg_id).max(self.kept.last_changed);
        let is_news = row.head >= known;
        if is_news {
            // As it was at that place, or later.
            self.kept.last_changed = row.head;
        }
        self.kept.row_head = row.head;
        self.kept.read_told = self.kept.read_told.max(row.read_mark);
        self.kept.session = v1::Session {
            head: row.head.max(old.head),
            read_mark: row.read_mark.max(read_mark),
            delivered_mark: row.delivered_mark.max(old.delivered_mark),
            peer_read_mark: row.peer_read_mark.max(old.peer_read_mark),
            peer_delivered_mark: row.peer_delivered_mark.max(old.peer_delivered_mark),
            last: if is_news { row.last } else { last },
            // What the user read or wrote since ended it.
            marked_unread: row.marked_unread && row.read_mark >= read_mark,
            ..row
        };
        if told.read_mark >= read_mark {
            self.mentions_are_told(of_row);
        }
        self.take_told(told, read_mark);
        if told.read_mark < read_mark {
            self.doubt_count();
        }
        is_cleared
    }

    /// Nothing is shown up to this id, wherever it is.
    fn skip(&mut self, through: u64) {
        if through > self.kept.high {
            self.skip_counts(through, through);
            self.kept.high = through;
            self.recent.clear();
        }
        self.window.retain(|id, _| *id > through);
    }

    /// The user does not see this message any more. How many of those are not read, the server's row says.
    pub(super) fn hide(&mut self, id: u64) {
        self.window.remove(&id);
        self.forget_mentions(id);
        let high = self.kept.high;
        // A page that left them out was put behind the position since.
        self.hidden.retain(|hidden| *hidden > high);
        if id > high && self.hidden.len() < WINDOW_MAX {
            self.hidden.insert(id);
        }
        let top = &mut self.kept.session.hidden_top;
        *top = (*top).max(id);
    }

    /// The other party's marks moved.
    pub(super) fn peer_marks_reach(&mut self, read_mark: u64, delivered_mark: u64) {
        let session = &mut self.kept.session;
        session.peer_read_mark = session.peer_read_mark.max(read_mark);
        session.peer_delivered_mark = session.peer_delivered_mark.max(delivered_mark).max(session.peer_read_mark);
    }
}

fn names(notice: &v1::Notice, user: UserId) -> bool {
    notice.user_ids.contains(&user.0)
}

fn leaves(notice: &v1::Notice, user: UserId) -> bool {
    matches!(notice.kind(), v1::notice::Kind::Left | v1::notice::Kind::Removed) && names(notice, user)
}

fn follow_change(group: &mut v1::Group, change: Option<&v1::GroupChange>, id: u64) {
    let Some(change) = change.cloned() else { return };
    if change.announcement {
        group.announced = id;
    }
    group.name = change.name.unwrap_or_else(|| std::mem::take(&mut group.name));
    group.avatar = change.avatar.unwrap_or_else(|| std::mem::take(&mut group.avatar));
    group.mute_all = change.mute_all.unwrap_or(group.mute_all);
    group.join = change.join.unwrap_or(group.join);
    group.members_mention_all = change.members_mention_all.unwrap_or(group.members_mention_all);
}

pub(super) fn preview(message: &v1::Message) -> v1::Preview {
    v1::Preview {
        server_msg_id: message.server_msg_id,
        from_id: message.from_id,
        from_nickname: message.from_nickname.clone(),
        r#type: message.r#type,
        content: message.content.chars().take(PREVIEW_CHARS_MAX).collect(),
        server_time_ms: message.server_time_ms,
        state: message.state,
    }
}
