//! What several verbs do: the rules of mailboxes, sessions, memberships and notices, each once.

use std::{collections::BTreeSet, sync::Arc};

use anser_proto::{ConversationId, GroupId, UserId, v1};

use crate::{
    Message, Refusal, Role, Sender, User,
    facts::{Facts, Stop, of_each},
    questions,
    rows::{ChangeRow, Entry, Head, Mailbox, MessageRow, StandingMessage, Stay, Thing, is_notice, is_silent},
};

impl Facts<'_> {
    /// Every user has one.
    pub(crate) fn mailbox_of(&mut self, user: UserId) -> Result<Mailbox, Stop> {
        Ok(self.mailbox(user)?.ok_or(Refusal::NotFound("user"))?)
    }

    pub(crate) fn must_exist(&mut self, user: UserId) -> Result<(), Stop> {
        self.mailbox_of(user).map(drop)
    }

    /// Looks at the device only where one was revoked since the login.
    pub(crate) fn must_be_logged_in(
        &mut self,
        user: UserId,
        device_id: &Arc<str>,
        login_version: u64,
    ) -> Result<(), Stop> {
        let mailbox = self.mailbox_of(user)?;
        if login_version == mailbox.login_version {
            return Ok(());
        }
        if (mailbox.logins_from()..mailbox.login_version).contains(&login_version) {
            let revoked = self.revoked(user, device_id.clone())?;
            if revoked.is_none_or(|revoked| revoked.login_version <= login_version) {
                return Ok(());
            }
        }
        Err(Refusal::LoginOver.into())
    }

    /// Nobody who logged in before is logged in any more.
    pub(crate) fn end_logins(&mut self, user: UserId) -> Result<(), Stop> {
        let mailbox = self.mailbox_of(user)?;
        let ended = Mailbox { login_version: mailbox.login_version + 1, revocations: 0, ..mailbox };
        self.tables.mailboxes.set(user, Some(ended));
        Ok(())
    }

    /// Takes the next number of the user's mailbox, for a change that concerns them.
    pub(crate) fn next_change(&mut self, user: UserId) -> Result<u64, Stop> {
        let mailbox = self.mailbox_of(user)?;
        let mailbox_seq = mailbox.mailbox_seq + 1;
        self.tables.mailboxes.set(user, Some(Mailbox { mailbox_seq, ..mailbox }));
        Ok(mailbox_seq)
    }

    /// Changes the user's entry and stamps it with the next number of their mailbox.
    pub(crate) fn stamp(
        &mut self,
        user: UserId,
        conversation: ConversationId,
        change: impl FnOnce(&mut Entry),
    ) -> Result<u64, Stop> {
        let mut entry = self.session(user, conversation)?.unwrap_or_default();
        change(&mut entry);
        entry.mailbox_seq = self.next_change(user)?;
        self.tables.sessions.set((user, conversation), Some(entry));
        Ok(entry.mailbox_seq)
    }

    /// Stamps a thing of the user's that changes seldom.
    pub(crate) fn stamp_thing(&mut self, user: UserId, thing: Thing) -> Result<u64, Stop> {
        self.change(user, thing.clone())?;
        let mailbox_seq = self.next_change(user)?;
        self.tables.changes.set((user, thing), Some(ChangeRow { mailbox_seq }));
        Ok(mailbox_seq)
    }

    pub(crate) fn user_of(&mut self, user: UserId) -> Result<User, Stop> {
        Ok(self.user(user)?.ok_or(Refusal::NotFound("user"))?.user(user))
    }

    /// The member did something in the group themselves.
    pub(crate) fn answer(&mut self, user: UserId, group: GroupId) -> Result<(), Stop> {
        if let Some(stay) = self.stay(group, user)?.filter(|stay| stay.invited_by.is_some()) {
            self.tables.stays.set((group, user), Some(Stay { invited_by: None, ..stay }));
        }
        Ok(())
    }

    /// The user's present stay; none: they are no member now.
    pub(crate) fn membership(&mut self, group: GroupId, user: UserId) -> Result<Option<Stay>, Stop> {
        let stay = self.stay(group, user)?.filter(|stay| stay.left_at.is_none());
        match stay {
            Some(_) if self.group(group)?.is_some_and(|row| row.dissolved_at.is_some()) => Ok(None),
            stay => Ok(stay),
        }
    }

    /// Nobody could let an owner speak again.
    pub(crate) fn set_role(&mut self, group: GroupId, user: UserId, role: Role) -> Result<(), Stop> {
        if let Some(stay) = self.membership(group, user)? {
            let muted_until_ms = if role == Role::Owner { 0 } else { stay.muted_until_ms };
            self.tables.stays.set((group, user), Some(Stay { role, muted_until_ms, ..stay }));
        }
        Ok(())
    }

    /// Appends a notice to a group's log. The version of the list of members is where the last of them came or went, or what they may do
    /// was changed.
    pub(crate) fn append_notice(
        &mut self,
        group: GroupId,
        operator: &Sender,
        told: v1::Notice,
    ) -> Result<Message, Stop> {
        let conversation = ConversationId::Group(group);
        let is_of_members = told.change.as_ref().is_none_or(|change| change.mute_all.is_some());
        let mut head = self.head(conversation)?.unwrap_or_default();
        head.advance(self.now_ms(), false);
        let notice = head.notice(group, operator, told);
        // All that may be damaged is read before anything is stored.
        let row = self.group(group)?;
        if self.source.store(MessageRow { message: &notice, head: &head, changing: None })?.is_some() {
            return Err(
                crate::Failure::Failed(format!("notice {} of {conversation} is known", head.server_msg_id)).into()
            );
        }
        self.move_head(conversation, head);
        if is_of_members && let Some(mut row) = row {
            row.members_version = head.server_msg_id;
            self.tables.groups.set(group, Some(row));
        }
        Ok(notice.stored(head.server_msg_id, head.server_time_ms, head.count))
    }

    /// A message that the user may see now; notices and silent entries are none.
    pub(crate) fn standing_seen_by(
        &mut self,
        user: UserId,
        conversation: ConversationId,
        place: u64,
    ) -> Result<StandingMessage, Stop> {
        let none = Refusal::NotFound("message");
        if let ConversationId::Group(group) = conversation {
            let stay = self.membership(group, user)?.ok_or(Refusal::NotMember)?;
            if stay.first_seen() > place && !questions::was_member_at(self, group, user, place)? {
                return Err(none.into());
            }
        }
        let own = self.session(user, conversation)?.unwrap_or_default();
        if self.put_away(user, conversation, &own, place)? {
            return Err(none.into());
        }
        let standing = self.standing(conversation, place)?.ok_or(none.clone())?;
        let kind = standing.message.kind;
        let is_said = !is_silent(kind) && !is_notice(kind);
        if is_said { Ok(standing) } else { Err(none.into()) }
    }

    /// The user's entry in their list, of a conversation in which they have a part.
    pub(crate) fn listed_entry(&mut self, user: UserId, conversation: ConversationId) -> Result<Entry, Stop> {
        let entry = self.session(user, conversation)?.filter(Entry::is_listed);
        let none = match conversation.peer_of(user) {
            Some(_) => Refusal::NotFound("conversation"),
            None => Refusal::NotMember,
        };
        Ok(entry.ok_or(none)?)
    }

    /// Who may not come back into a group sees nothing of it.
    pub(crate) fn must_not_be_banned(&mut self, user: UserId, conversation: ConversationId) -> Result<(), Stop> {
        match conversation {
            ConversationId::Group(group)
                if self.stay(group, user)?.is_none_or(|stay| stay.left_at.is_some())
                    && self.ban(group, user)?.is_some() =>
            {
                Err(Refusal::NotMember.into())
            }
            _ => Ok(()),
        }
    }

    /// The user hid what is at this place, or cleared the log up to there.
    pub(crate) fn put_away(
        &mut self,
        user: UserId,
        conversation: ConversationId,
        entry: &Entry,
        place: u64,
    ) -> Result<bool, Stop> {
        let may_be_hidden = place <= entry.hidden_top;
        Ok(place <= entry.cleared || (may_be_hidden && self.hidden(user, conversation, place)?.is_some()))
    }

    /// The user was in the conversation at this place of its log.
    pub(crate) fn was_there(&mut self, user: UserId, conversation: ConversationId, place: u64) -> Result<bool, Stop> {
        match conversation {
            ConversationId::Single { .. } => Ok(true),
            ConversationId::Group(group) => Ok(self.stay(group, user)?.is_some_and(|stay| stay.first_seen() <= place)
                || questions::was_member_at(self, group, user, place)?),
        }
    }

    /// How many counted messages behind the read mark, up to the end, the user does not see any more: recalled for all, or hidden by them.
    pub(crate) fn unseen_behind(
        &mut self,
        user: UserId,
        conversation: ConversationId,
        entry: &Entry,
        end: u64,
    ) -> Result<u64, Stop> {
        let recalled = self.recalled_behind(conversation, entry.read_mark, end)?;
        if entry.hidden_top <= entry.read_mark {
            return Ok(recalled);
        }
        let hidden = questions::hidden_behind(user, conversation, entry.read_mark, end);
        let stored = self.ask(&hidden, |row| row.number())?.pop().unwrap_or(0);
        // What this transaction hid, and which of those that were hidden before it recalled.
        let is_behind = |of: &ConversationId, at: &u64| *of == conversation && *at > entry.read_mark && *at <= end;
        let added = self.tables.hidden.added().filter(|(of, (to, at))| *of == user && is_behind(to, at));
        let added: BTreeSet<u64> = added.map(|(_, (_, place))| *place).collect();
        let recalled_now = self.tables.recalled.added().filter(|(of, at)| is_behind(of, at) && !added.contains(at));
        let recalled_now: Vec<u64> = recalled_now.map(|(_, place)| *place).collect();
        let hides_counted =
            |facts: &mut Self, place| Ok(facts.hidden(user, conversation, place)?.is_some_and(|row| row.counted));
        let more =
            of_each(added, |place| Ok(hides_counted(self, place)? && self.recalled(conversation, place)?.is_none()))?;
        let less = of_each(recalled_now, |place| hides_counted(self, place))?;
        let count = |of: Vec<bool>| of.into_iter().filter(|is_so| *is_so).count() as u64;
        Ok(recalled + stored + count(more) - count(less))
    }

    /// How many counted messages behind this place, up to the end, are recalled.
    fn recalled_behind(&mut self, conversation: ConversationId, place: u64, end: u64) -> Result<u64, Stop> {
        if self.head(conversation)?.is_none_or(|head| head.recalled_top <= place) {
            return Ok(0);
        }
        let stored = self.ask(&questions::recalled_behind(conversation, place, end), |row| row.number())?.pop();
        let is_behind = |(of, at): &&(ConversationId, u64)| *of == conversation && *at > place && *at <= end;
        let added = self.tables.recalled.added().filter(is_behind).count();
        Ok(stored.unwrap_or(0) + added as u64)
    }

    /// A message took its place: the head is there now.
    pub(crate) fn move_head(&mut self, conversation: ConversationId, head: Head) {
        self.tables.standing.forget_absence(&(conversation, head.server_msg_id));
        self.tables.heads.set(conversation, Some(head));
    }
}

pub(crate) fn distinct<'i, T: Copy + Ord + 'i>(items: impl IntoIterator<Item = &'i T>) -> BTreeSet<T> {
    items.into_iter().copied().collect()
}
