//! Changing how a conversation stands in a user's list, and where its log begins for them.

use anser_proto::{ConversationId, limits::PINNED_SESSIONS_MAX};

use super::mark::{count_at, move_mark, visible_head};
use crate::{
    Flags, Mark, MarkKind, PINNED_SESSIONS_OF_A_USER, Refusal, SessionAction, SessionChange, SessionChanged,
    facts::{Facts, Stop, Want},
    questions,
    rows::{Entry, Place},
    verb::{Company, Verb, Wants},
};

pub(crate) struct ChangeSession(pub(crate) SessionChange);

impl Verb for ChangeSession {
    type Answer = SessionChanged;

    fn wants(&self, wants: &mut Wants) {
        let SessionChange { user, conversation, .. } = self.0;
        wants.row(Want::Mailbox(user));
        wants.look_at_head(conversation);
        wants.row(Want::Session(user, conversation));
        if let ConversationId::Group(group) = conversation {
            wants.row(Want::Stay(group, user));
        }
        if let (SessionAction::Clear(_), Some(peer)) = (&self.0.action, conversation.peer_of(user)) {
            wants.row(Want::Mailbox(peer));
            wants.row(Want::Session(peer, conversation));
        }
    }

    fn decide(&self, facts: &mut Facts<'_>) -> Result<SessionChanged, Stop> {
        let SessionChange { user, conversation, ref device_id, login_version, .. } = self.0;
        let before = facts.listed_entry(user, conversation)?;
        if !matches!(self.0.action, SessionAction::Remove(_)) {
            facts.must_not_be_banned(user, conversation)?;
        }
        facts.must_be_logged_in(user, device_id, login_version)?;
        let mut after = before;
        match &self.0.action {
            SessionAction::Update(flags) => self.update(facts, flags, &mut after)?,
            SessionAction::Clear(through) => return self.clear(facts, before, *through),
            SessionAction::Remove(through) => {
                let head = visible_head(facts, user, conversation)?;
                after.removed_at = after.removed_at.max(head.server_msg_id.min(*through));
            }
        }
        let mailbox_seq = if after == before { 0 } else { facts.stamp(user, conversation, |entry| *entry = after)? };
        Ok(SessionChanged { mailbox_seq, marked: None })
    }

    /// How many are pinned is asked for.
    fn company(&self) -> Company {
        match self.0.action {
            SessionAction::Update(Flags { pinned: Some(true), .. }) => Company::Nobody,
            _ => Company::Everybody,
        }
    }

    fn conversations(&self) -> Vec<ConversationId> {
        vec![self.0.conversation]
    }
}

impl ChangeSession {
    fn update(&self, facts: &mut Facts<'_>, flags: &Flags, entry: &mut Entry) -> Result<(), Stop> {
        let pinned = flags.pinned.unwrap_or(entry.pinned);
        if pinned && !entry.pinned && questions::pinned_sessions_of(facts, self.0.user)? >= PINNED_SESSIONS_MAX.into() {
            return Err(Refusal::Limit { what: PINNED_SESSIONS_OF_A_USER, max: PINNED_SESSIONS_MAX }.into());
        }
        entry.pinned = pinned;
        entry.quiet_until_ms = flags.quiet_until_ms.unwrap_or(entry.quiet_until_ms);
        entry.marked_unread = flags.marked_unread.unwrap_or(entry.marked_unread);
        Ok(())
    }

    /// What is gone is read: the mark goes along as any other does, and whoever is shown it is told.
    fn clear(&self, facts: &mut Facts<'_>, before: Entry, through: u64) -> Result<SessionChanged, Stop> {
        let SessionChange { user, conversation, ref device_id, login_version, .. } = self.0;
        let head = visible_head(facts, user, conversation)?;
        let place = through.min(head.server_msg_id);
        if place <= before.cleared {
            return Ok(SessionChanged::default());
        }
        let mut after = Entry { cleared: place, marked_unread: false, ..before };
        if place <= before.read_mark {
            let mailbox_seq = facts.stamp(user, conversation, |entry| *entry = after)?;
            return Ok(SessionChanged { mailbox_seq, marked: None });
        }
        let count = count_at(facts, user, conversation, place, head)?;
        after.read_to(Place { server_msg_id: place, count });
        let (kind, device_id) = (MarkKind::Read, device_id.clone());
        let mark = Mark { user, conversation, kind, server_msg_id: place, device_id, login_version };
        let marked = move_mark(facts, &mark, before, after, head)?;
        Ok(SessionChanged { mailbox_seq: marked.mailbox_seq, marked: Some(marked) })
    }
}
