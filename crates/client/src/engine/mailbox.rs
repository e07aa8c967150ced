//! What was missed: the user's mailbox and groups, compared by positions.
//!
//! Rules:
//! - An event with `mailbox_seq` one above the position moves it; at or below is old news; beyond is a hole, which has a moment
//!   to close by itself (events and answers may overtake each other), then a sync fills it.
//! - A sync goes on page by page until `caught_up`. In between the position is only where to go on from: a change that
//!   stamps a row anew takes the row's older changes along to a later page. So events meanwhile wait until the sync
//!   caught up; to count them at once would skip such a row. Groups have no stamps for messages: their heads are sent, and those
//!   that moved come back.
//! - Now and then, and when the server says that pushes may be missing, the digest of all groups is sent: their heads follow only
//!   if it is not the server's.
//! - A conversation's head is kept in the same transaction as the position that knows of it, so that a crash before its
//!   messages are pulled loses nothing.
//! - Positions under another `log_id` mean nothing: all is forgotten but the outgoing queue. So do positions beyond those of the server, which
//!   has lost the end of its log.

use std::collections::{BTreeMap, BTreeSet};

use anser_proto::{ConversationId, GroupId, UserId, digest::groups_digest, limits::PAGE_MAX, v1};

use super::{Change, Effect, Engine, Request, Step, Timer, backoff::Backoff, mentions::Blocks, requests::Asked};
use crate::view::Refusal;

/// How long a hole may take to close by itself, in milliseconds.
const HOLE_PATIENCE_MS: u64 = 300;
/// Numbers beyond a hole that are remembered.
const AHEAD_MAX: usize = 256;

#[derive(Default)]
pub(super) struct Mailbox {
    log_id: u64,
    seq: u64,
    /// Known changes beyond a hole.
    ahead: BTreeSet<u64>,
    /// The newest change of the profile that is known, if it lies beyond the position.
    profile_seq: u64,
    /// Something came of a conversation whose row is not here.
    doubt: bool,
    /// What is to be synced.
    wanted: bool,
    /// Whether groups moved is to be asked too.
    doubts_groups: bool,
    groups: Vec<v1::GroupPosition>,
    groups_wanted: bool,
    /// What is here of things that change seldom is not all, until it is caught up.
    resetting: bool,
    /// By the sync that is on its way.
    named: Vec<v1::GroupPosition>,
    /// Rows to be told again, and behind which stamp to look for each; 0: behind the known one.
    rows: BTreeMap<ConversationId, u64>,
    /// A sync is on its way.
    in_flight: bool,
    /// Refused for now: not before this time.
    blocked_until: u64,
    backoff: Backoff,
    check_at: u64,
}

impl Mailbox {
    pub(super) fn new(log_id: u64, seq: u64) -> Self {
        Self { log_id, seq, ..Self::default() }
    }

    /// `log_id` and `mailbox_seq`.
    pub(super) fn position(&self) -> (u64, u64) {
        (self.log_id, self.seq)
    }

    /// Whether a change of the profile is newer than what is known.
    pub(super) fn is_news_of_profile(&mut self, seq: u64) -> bool {
        let news = seq > self.seq.max(self.profile_seq);
        if news {
            self.profile_seq = seq;
        }
        news
    }

    /// Nothing is looked for, and no hole is known.
    pub(super) fn is_settled(&self) -> bool {
        let asks = self.in_flight || self.wanted || self.doubts_groups;
        let asks_groups = self.groups_wanted || !self.groups.is_empty();
        !asks && !asks_groups && self.rows.is_empty() && self.ahead.is_empty() && !self.doubt
    }

    /// Something may have been missed.
    pub(super) fn doubt_everything(&mut self) {
        self.wanted = true;
        self.doubts_groups = true;
    }

    pub(super) fn want_row(&mut self, conversation: ConversationId) {
        self.rows.entry(conversation).or_insert(0);
    }

    /// The time to close was given.
    pub(super) fn hole_stays(&mut self) {
        self.wanted |= self.doubt || (self.is_whole() && !self.ahead.is_empty());
        self.doubt = false;
    }

    pub(super) fn check(&mut self, now: u64) {
        if now >= self.check_at {
            self.doubt_everything();
        }
    }

    /// A sync that was on its way is asked again, groups included: it is not known which of them were answered.
    pub(super) fn ground(&mut self) {
        *self = Self { log_id: self.log_id, seq: self.seq, ..Self::default() };
    }

    /// Everything up to the position is known, not only the rows up to there.
    fn is_whole(&self) -> bool {
        !self.in_flight && !self.wanted
    }

    /// Takes in those beyond the position that continue it.
    fn absorb(&mut self) {
        if !self.is_whole() {
            return;
        }
        while let Some(next) = self.ahead.first().copied().filter(|next| *next <= self.seq.saturating_add(1)) {
            self.ahead.remove(&next);
            self.seq = self.seq.max(next);
        }
    }
}

impl Engine {
    pub(super) fn begin_syncing(&mut self, cx: &mut Step<'_>, welcome: &v1::Welcome) {
        if welcome.log_id != self.mailbox.log_id || welcome.mailbox_seq < self.mailbox.seq {
            self.start_anew(cx, welcome.log_id);
        }
        self.mailbox.wanted = welcome.mailbox_behind || welcome.mailbox_seq != self.mailbox.seq;
        self.mailbox.groups_wanted = welcome.groups_behind;
        self.begin_pulling();
        self.plan_check(cx);
    }

    /// The positions that are known here mean nothing: the store has another history, or has lost the end of this one.
    fn start_anew(&mut self, cx: &mut Step<'_>, log_id: u64) {
        if !self.conversations.is_empty() {
            self.conversations.clear();
            self.touched.clear();
            self.unfollow_all(cx);
            cx.keep(Change::Forget);
            cx.effect(Effect::Forgotten);
        }
        cx.keep(Change::ForgetThings);
        self.blocks = Blocks::default();
        self.mailbox = Mailbox::new(log_id, 0);
        self.keep_position(cx);
    }

    fn plan_check(&mut self, cx: &Step<'_>) {
        self.timers.remove(&(self.mailbox.check_at, Timer::Sync));
        self.mailbox.check_at = cx.now + self.config.policy.check_every_ms;
        self.timers.insert((self.mailbox.check_at, Timer::Sync));
    }

    fn keep_position(&self, cx: &mut Step<'_>) {
        let (log_id, mailbox_seq) = self.mailbox.position();
        cx.keep(Change::Mailbox { log_id, mailbox_seq });
    }

    /// A change of the user's mailbox was told; 0: it did not touch it.
    pub(super) fn note_change(&mut self, cx: &mut Step<'_>, seq: u64) {
        if seq <= self.mailbox.seq {
            return;
        }
        self.mailbox.ahead.insert(seq);
        if self.mailbox.ahead.len() > AHEAD_MAX {
            self.mailbox.ahead.pop_first();
        }
        self.absorb(cx);
    }

    /// Moves the position over what is known, and gives a hole that remains its time.
    fn absorb(&mut self, cx: &mut Step<'_>) {
        let before = self.mailbox.seq;
        self.mailbox.absorb();
        if self.mailbox.seq != before {
            self.keep_position(cx);
        }
        if !self.mailbox.ahead.is_empty() {
            self.timers.insert((cx.now + HOLE_PATIENCE_MS, Timer::MailboxHole));
        }
    }

    /// A change that is about a conversation. Of one whose row is not here the position must not claim to know: the row
    /// says with whom it is.
    pub(super) fn note_change_of(&mut self, cx: &mut Step<'_>, conversation: ConversationId, seq: u64) {
        if self.conversations.get(&conversation).is_some_and(|conversation| conversation.is_listed()) {
            return self.note_change(cx, seq);
        }
        self.mailbox.doubt = true;
        self.timers.insert((cx.now + HOLE_PATIENCE_MS, Timer::MailboxHole));
    }

    pub(super) fn go_on_syncing(&mut self, cx: &mut Step<'_>) {
        if self.mailbox.in_flight || cx.now < self.mailbox.blocked_until {
            return;
        }
        if std::mem::take(&mut self.mailbox.groups_wanted) {
            self.mailbox.groups = self.group_positions();
        }
        let asks_groups = self.mailbox.doubts_groups || !self.mailbox.groups.is_empty();
        if std::mem::take(&mut self.mailbox.wanted) || asks_groups {
            let rest = self.mailbox.groups.len().saturating_sub(PAGE_MAX as usize);
            let groups = self.mailbox.groups.split_off(rest);
            self.mailbox.named.clone_from(&groups);
            let doubts = groups.is_empty() && std::mem::take(&mut self.mailbox.doubts_groups);
            let groups_digest = doubts.then(|| self.groups_digest());
            let (mailbox_seq, resetting) = (self.mailbox.seq, self.mailbox.resetting);
            let sync = v1::Sync { mailbox_seq, groups, groups_digest, resetting };
            self.mailbox.in_flight = true;
            return self.transmit(cx, Request::Sync(sync), Asked::Sync);
        }
        if let Some((conversation, since)) = self.mailbox.rows.pop_first() {
            let stamp = self.conversations.get(&conversation).map_or(0, |known| known.kept.session.mailbox_seq);
            let sync = match conversation {
                // No group's head is 0, so its row comes back.
                ConversationId::Group(group) => {
                    let groups = vec![v1::GroupPosition { group_id: group.0, server_msg_id: 0 }];
                    v1::Sync { mailbox_seq: self.mailbox.seq, groups, ..v1::Sync::default() }
                }
                ConversationId::Single { .. } => {
                    v1::Sync { mailbox_seq: since.max(stamp.saturating_sub(1)), ..v1::Sync::default() }
                }
            };
            self.mailbox.in_flight = true;
            self.transmit(cx, Request::Sync(sync), Asked::Row(conversation));
        }
    }

    /// The groups whose member the user is, and their heads as they are known here.
    fn group_heads(&self) -> impl Iterator<Item = (GroupId, u64)> {
        let groups = self.conversations.values().filter(|conversation| conversation.is_joined_group());
        groups.filter_map(|known| match known.kept.conversation {
            ConversationId::Group(group) => Some((group, known.kept.session.head)),
            ConversationId::Single { .. } => None,
        })
    }

    pub(super) fn groups_digest(&self) -> u64 {
        groups_digest(self.group_heads())
    }

    fn group_positions(&self) -> Vec<v1::GroupPosition> {
        let position = |(group, head): (GroupId, u64)| v1::GroupPosition { group_id: group.0, server_msg_id: head };
        self.group_heads().map(position).collect()
    }

    pub(super) fn take_page(&mut self, cx: &mut Step<'_>, page: v1::SyncPage) {
        let mailbox = &mut self.mailbox;
        mailbox.in_flight = false;
        mailbox.backoff.reset();
        let named = std::mem::take(&mut mailbox.named);
        if page.sessions.iter().any(|row| is_behind(row, &named)) {
            // No log bears this id: at the next login it starts anew, with nothing on its way.
            mailbox.log_id = 0;
            self.keep_position(cx);
            return self.lose(cx);
        }
        let mailbox = &mut self.mailbox;
        mailbox.wanted |= !page.caught_up;
        mailbox.groups_wanted |= page.groups_behind;
        if page.reset {
            cx.keep(Change::ForgetThings);
            self.blocks = Blocks::default();
            cx.effect(Effect::People);
        }
        mailbox.resetting = !page.caught_up && (mailbox.resetting || page.reset);
        // It may go back: then the mailbox is shorter than this device thought.
        mailbox.seq = page.mailbox_seq;
        self.take_rows_of(cx, page);
        self.keep_position(cx);
        self.absorb(cx);
        self.plan_check(cx);
    }

    /// A row that was asked for beside the mailbox's order: it does not move the position. It may have moved on to a
    /// later page meanwhile.
    pub(super) fn take_rows(&mut self, cx: &mut Step<'_>, wanted: ConversationId, page: v1::SyncPage) {
        self.mailbox.in_flight = false;
        let name = wanted.to_string();
        if !page.caught_up && !page.sessions.iter().any(|row| row.conversation_id == name) {
            self.mailbox.rows.insert(wanted, page.mailbox_seq);
        }
        self.take_rows_of(cx, page);
        self.absorb(cx);
    }

    fn take_rows_of(&mut self, cx: &mut Step<'_>, page: v1::SyncPage) {
        for row in page.sessions {
            self.take_row(cx, row);
        }
        if let Some(profile) = page.profile {
            self.take_profile(cx, profile);
        }
        self.keep_things(cx, page.changes);
    }

    /// Behind the position it is old news.
    pub(super) fn take_changed(&mut self, cx: &mut Step<'_>, changed: v1::Changed) {
        let seq = self.mailbox.seq;
        let news: Vec<_> = changed.changes.into_iter().filter(|change| change.mailbox_seq > seq).collect();
        let seqs: Vec<_> = news.iter().map(|change| change.mailbox_seq).collect();
        self.keep_things(cx, news);
        for seq in seqs {
            self.note_change(cx, seq);
        }
    }

    fn take_row(&mut self, cx: &mut Step<'_>, row: v1::Session) {
        let Ok(id) = row.conversation_id.parse() else { return };
        let before = row.first;
        if self.conversation(id).take_row(row) {
            cx.keep(Change::DropMessages { conversation: id, before });
            cx.effect(Effect::Reset(id));
        }
        self.follow_receipts(cx, id);
        self.look_after(id);
    }

    fn keep_things(&mut self, cx: &mut Step<'_>, changes: Vec<v1::Change>) {
        for change in changes {
            match &change.now {
                Some(v1::change::Now::Hidden(hidden)) => {
                    let Ok(conversation) = hidden.conversation_id.parse() else { continue };
                    let server_msg_id = hidden.server_msg_id;
                    self.conversation(conversation).hide(server_msg_id);
                    cx.effect(Effect::Hidden { conversation, server_msg_id });
                }
                Some(v1::change::Now::Blocked(blocked)) => {
                    if self.blocks.take(change.mailbox_seq, blocked) {
                        self.recount_all_mentions();
                    }
                    cx.effect(Effect::People);
                }
                _ => cx.effect(Effect::People),
            }
            cx.keep(Change::Thing(change));
        }
    }

    fn recount_all_mentions(&mut self) {
        for (id, conversation) in &mut self.conversations {
            if conversation.doubt_mentions() {
                self.touched.insert(*id);
            }
        }
    }

    pub(super) fn session_changed(&mut self, cx: &mut Step<'_>, event: v1::SessionChanged) {
        let Some(row) = event.session else { return };
        let seq = row.mailbox_seq;
        self.take_row(cx, row);
        self.note_change(cx, seq);
    }

    pub(super) fn take_receipt(&mut self, cx: &mut Step<'_>, receipt: &v1::Receipt) {
        let Ok(id) = receipt.conversation_id.parse::<ConversationId>() else { return };
        if id.peer_of(self.me()) == Some(UserId(receipt.user_id)) {
            self.conversation(id).peer_marks_reach(receipt.read_mark, receipt.delivered_mark);
            self.follow_receipts(cx, id);
        }
        self.note_change_of(cx, id, receipt.mailbox_seq);
    }

    pub(super) fn sync_refused(&mut self, cx: &mut Step<'_>, error: &Refusal) {
        let wait = self.mailbox.backoff.next_ms(&mut self.rng).max(error.retry_after_ms.into());
        self.mailbox.in_flight = false;
        // It is not known which of the groups were answered.
        self.mailbox.doubt_everything();
        self.mailbox.blocked_until = cx.now + wait;
        self.mailbox.check_at = cx.now + wait;
        self.timers.insert((cx.now + wait, Timer::Sync));
    }
}

/// The row's head lies before the one that was named: what was there is gone.
fn is_behind(row: &v1::Session, named: &[v1::GroupPosition]) -> bool {
    let Ok(ConversationId::Group(group)) = row.conversation_id.parse() else { return false };
    named.iter().any(|known| known.group_id == group.0 && row.head < known.server_msg_id)
}
