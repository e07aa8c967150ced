//! What is a user's own of a conversation: how it stands in their list, and what they put away of its log.

use std::collections::BTreeSet;

use anser_proto::{
    ConversationId, GroupId, UserId,
    limits::{PINNED_SESSIONS_MAX, RECEIPT_MEMBERS_MAX},
};

use super::{
    State,
    change::{is_notice, is_silent},
    people::Thing,
};
use crate::{
    Change, Flags, Hidden, Hide, Mark, MarkKind, Message, Now, PINNED_SESSIONS_OF_A_USER, READERS_OF_A_GROUP, Readers,
    Refusal, Role, SessionAction, SessionChange, SessionChanged,
};

impl State {
    /// Everything that the user sees of a log and did not put away, silent entries too.
    pub(super) fn kept(&self, user: UserId, conversation: ConversationId) -> Result<Vec<&Message>, Refusal> {
        Ok(self.without_put_away(user, conversation, self.visible(user, conversation)?))
    }

    pub(super) fn without_put_away<'m>(
        &self,
        user: UserId,
        conversation: ConversationId,
        mut seen: Vec<&'m Message>,
    ) -> Vec<&'m Message> {
        seen.retain(|message| !self.is_put_away(user, conversation, message.server_msg_id));
        seen
    }

    pub(super) fn is_put_away(&self, user: UserId, conversation: ConversationId, place: u64) -> bool {
        place <= self.cleared(user, conversation) || self.hidden.contains(&(user, conversation, place))
    }

    pub(super) fn cleared(&self, user: UserId, conversation: ConversationId) -> u64 {
        self.sessions.get(&(user, conversation)).map_or(0, |row| row.cleared)
    }

    pub(super) fn hidden_top(&self, user: UserId, conversation: ConversationId) -> u64 {
        let own = self.hidden.range((user, conversation, 0)..=(user, conversation, u64::MAX));
        own.map(|(_, _, place)| *place).max().unwrap_or(0)
    }

    pub(super) fn change_session(&mut self, change: SessionChange) -> Result<SessionChanged, Refusal> {
        let SessionChange { user, conversation, action, device_id, login_version } = change;
        let mut end = self.listed(user, conversation)?.last().map_or(0, |last| last.server_msg_id);
        if !matches!(action, SessionAction::Remove(_)) || end == 0 {
            end = self.must_be_listed(user, conversation)?;
        }
        self.must_be_logged_in(user, &device_id, login_version)?;
        let row = &self.sessions[&(user, conversation)];
        let mut after = row.clone();
        match action {
            SessionAction::Update(Flags { pinned, quiet_until_ms, marked_unread }) => {
                let pinned_before = self.sessions.iter().filter(|((of, _), row)| *of == user && row.pinned).count();
                if pinned == Some(true) && !row.pinned && pinned_before >= PINNED_SESSIONS_MAX as usize {
                    return Err(Refusal::Limit { what: PINNED_SESSIONS_OF_A_USER, max: PINNED_SESSIONS_MAX });
                }
                after.pinned = pinned.unwrap_or(row.pinned);
                after.quiet_until_ms = quiet_until_ms.unwrap_or(row.quiet_until_ms);
                after.marked_unread = marked_unread.unwrap_or(row.marked_unread);
            }
            SessionAction::Remove(through) => after.removed_at = row.removed_at.max(through.min(end)),
            SessionAction::Clear(through) => {
                after.cleared = row.cleared.max(through.min(end));
                after.marked_unread &= after.cleared == row.cleared;
                if after.cleared > row.cleared && after.cleared > row.read_mark {
                    let (kind, server_msg_id) = (MarkKind::Read, after.cleared);
                    let mark = Mark { user, conversation, kind, server_msg_id, device_id, login_version };
                    self.sessions.insert((user, conversation), after);
                    let marked = self.mark(mark)?;
                    return Ok(SessionChanged { mailbox_seq: marked.mailbox_seq, marked: Some(marked) });
                }
            }
        }
        if after == *row {
            return Ok(SessionChanged::default());
        }
        self.sessions.insert((user, conversation), after);
        self.stats.commits += 1;
        Ok(SessionChanged { mailbox_seq: self.stamp(user, conversation), marked: None })
    }

    /// The last that the user may see.
    fn must_be_listed(&self, user: UserId, conversation: ConversationId) -> Result<u64, Refusal> {
        let none = Refusal::NotFound("conversation");
        let visible = self.visible(user, conversation)?;
        visible.last().map(|last| last.server_msg_id).ok_or(none)
    }

    pub(super) fn hide_messages(&mut self, hide: Hide) -> Result<Hidden, Refusal> {
        let Hide { user, conversation, places, device_id, login_version } = hide;
        self.must_be_listed(user, conversation)?;
        self.must_be_logged_in(user, &device_id, login_version)?;
        let mut hidden = Hidden::default();
        for place in BTreeSet::from_iter(places) {
            let kept = self.kept(user, conversation)?;
            if !kept.iter().any(|message| message.server_msg_id == place && !is_silent(message.kind)) {
                continue;
            }
            self.hidden.insert((user, conversation, place));
            let mailbox_seq = self.stamp_thing(user, Thing::Hidden(conversation, place));
            hidden.changes.push(Change { mailbox_seq, now: Now::Hidden(conversation, place) });
        }
        if !hidden.changes.is_empty() {
            hidden.mailbox_seq = self.stamp(user, conversation);
            self.stats.commits += 1;
        }
        Ok(hidden)
    }

    pub(super) fn who_read(&self, asker: UserId, group: GroupId, places: &[u64]) -> Result<Vec<Readers>, Refusal> {
        let (row, own) = self.as_member(asker, group)?;
        if row.members().count() > RECEIPT_MEMBERS_MAX as usize {
            return Err(Refusal::Limit { what: READERS_OF_A_GROUP, max: RECEIPT_MEMBERS_MAX });
        }
        let conversation = ConversationId::Group(group);
        let hides = |user: UserId| self.users[&user].privacy.hides_reads;
        let has_read = |user: UserId, place: u64| {
            let shown = self.sessions.get(&(user, conversation)).map_or(0, |row| row.shown.0);
            !hides(asker) && !hides(user) && shown >= place
        };
        let mut told = Vec::new();
        for message in self.kept(asker, conversation)? {
            let (place, author) = (message.server_msg_id, message.from.user);
            let is_said = !is_silent(message.kind) && !is_notice(message.kind);
            if !places.contains(&place) || !is_said || (author != asker && own.role == Role::Member) {
                continue;
            }
            let audience = row.members().filter(|one| one.joined <= place && one.user != author);
            let audience: BTreeSet<UserId> = audience.map(|one| one.user).collect();
            let (read, unread) = audience.into_iter().partition(|user| has_read(*user, place));
            told.push(Readers { server_msg_id: place, read, unread });
        }
        Ok(told)
    }
}
