//! Logs: appending to them, reading them, and who may see what of them.

use std::collections::BTreeSet;

use anser_proto::{ConversationId, UserId, limits::PREVIEW_CHARS_MAX, v1};

use super::{Membership, State, change::is_silent};
use crate::{
    Appended, Between, GroupNickname, LogPage, Message, NewMessage, Reference, Refusal, Role, Strangers, Stretch,
};

impl State {
    pub(super) fn append(&mut self, batch: Vec<NewMessage>) -> Vec<Result<Appended, Refusal>> {
        let stored_before = self.stats.appended;
        let answers = batch.into_iter().map(|message| self.append_one(message)).collect();
        self.stats.commits += u64::from(self.stats.appended > stored_before);
        answers
    }

    fn append_one(&mut self, new: NewMessage) -> Result<Appended, Refusal> {
        let (conversation, from) = (new.conversation, new.from.user);
        let identity = (conversation, from, new.client_msg_id.clone());
        if let Some((place, sent)) = self.places.get(&identity) {
            return first_place(&self.logs[&conversation][*place as usize - 1], sent, &new);
        }
        let members_version = self.entitle(from, conversation)?;
        self.must_be_logged_in(from, &new.from.device_id, new.login_version)?;
        if let Some(change) = new.change.clone() {
            return self.change(new, &change, members_version);
        }
        self.may_write(from, conversation)?;
        self.may_name_all(from, &new)?;
        if new.reply_to > 0 && self.said(from, conversation, new.reply_to)?.revision.recalled_by.is_some() {
            return Err(Refusal::Gone);
        }

        let stored = self.push(new.clone());
        let place = stored.server_msg_id;
        self.places.insert(identity, (place, new));
        self.stats.appended += 1;
        let hides_reads = self.users[&from].privacy.hides_reads;
        let row = self.sessions.entry((from, conversation)).or_default();
        let shown_read = if hides_reads { row.shown.0 } else { place };
        (row.read_mark, row.delivered_mark, row.shown) = (place, place, (shown_read, place));
        row.marked_unread = false;
        self.answer(from, conversation);
        Ok(self.appended(&stored, from, members_version))
    }

    /// Stamps the sessions of both parties.
    pub(super) fn appended(&mut self, stored: &Message, from: UserId, members_version: u64) -> Appended {
        let conversation = stored.conversation;
        let (sender_mailbox_seq, receiver_mailbox_seq) = match conversation.peer_of(from) {
            None => (0, 0),
            Some(peer) if peer == from => {
                let seq = self.stamp(from, conversation);
                (seq, seq)
            }
            Some(peer) => (self.stamp(from, conversation), self.stamp(peer, conversation)),
        };
        Appended {
            server_msg_id: stored.server_msg_id,
            server_time_ms: stored.server_time_ms,
            count: stored.count,
            duplicate: false,
            sender_mailbox_seq,
            receiver_mailbox_seq,
            members_version,
            changed: None,
        }
    }

    /// The version of the members at the end of the log, if the user has a part in it.
    fn entitle(&self, user: UserId, conversation: ConversationId) -> Result<u64, Refusal> {
        match conversation {
            ConversationId::Single { .. } => {
                let peer = conversation.peer_of(user).ok_or(Refusal::NotMember)?;
                self.user_row(user).and(self.user_row(peer)).map(|_| 0)
            }
            ConversationId::Group(group) => {
                let row = self.groups.get(&group).ok_or(Refusal::NotMember)?;
                row.present(user).map(|_| row.group.members_version).ok_or(Refusal::NotMember)
            }
        }
    }

    pub(super) fn may_write(&self, user: UserId, conversation: ConversationId) -> Result<(), Refusal> {
        if let ConversationId::Group(group) = conversation
            && let Some((row, own)) = self.groups.get(&group).and_then(|row| Some((row, row.present(user)?)))
        {
            let for_ms = own.muted_until_ms.saturating_sub((self.options.clock)());
            let is_muted = for_ms > 0 || (row.group.mute_all && own.role == Role::Member);
            return if is_muted { Err(Refusal::Muted { for_ms }) } else { Ok(()) };
        }
        let Some(peer) = conversation.peer_of(user).filter(|peer| *peer != user) else { return Ok(()) };
        let Between { refused, contact } = self.between(user, peer);
        let is_stranger = !contact && self.options.people.strangers == Strangers::Contacts;
        if refused || is_stranger { Err(Refusal::Forbidden) } else { Ok(()) }
    }

    pub(super) fn may_name_all(&self, user: UserId, new: &NewMessage) -> Result<(), Refusal> {
        let may = match new.conversation {
            _ if !new.mentions.all() => true,
            ConversationId::Single { .. } => false,
            ConversationId::Group(group) => {
                let row = &self.groups[&group];
                row.group.members_mention_all || row.present(user).is_some_and(|one| one.role != Role::Member)
            }
        };
        if may { Ok(()) } else { Err(Refusal::Forbidden) }
    }

    /// Writes the next entry of a log, whoever it is from.
    pub(super) fn push(&mut self, new: NewMessage) -> Message {
        let now = (self.options.clock)();
        let log = self.logs.entry(new.conversation).or_default();
        let (last_time, last_count) = log.last().map_or((0, 0), |last| (last.server_time_ms, last.count));
        let count = last_count + u64::from(new.counted);
        let message = new.stored(log.len() as u64 + 1, now.max(last_time), count);
        log.push(message.clone());
        message
    }

    pub(super) fn head(&self, conversation: ConversationId) -> u64 {
        self.logs.get(&conversation).map_or(0, |log| log.len() as u64)
    }

    /// Everything that the user may see of a log, ascending. `NotMember` if they never were a party or member, or may not come back.
    pub(super) fn visible(&self, user: UserId, conversation: ConversationId) -> Result<Vec<&Message>, Refusal> {
        match conversation {
            ConversationId::Group(group) if self.groups.get(&group).is_some_and(|row| row.is_banned(user)) => {
                Err(Refusal::NotMember)
            }
            _ => self.listed(user, conversation),
        }
    }

    /// The same as their conversation list has it.
    pub(super) fn listed(&self, user: UserId, conversation: ConversationId) -> Result<Vec<&Message>, Refusal> {
        let log = self.logs.get(&conversation).map_or(&[][..], Vec::as_slice);
        match conversation {
            ConversationId::Single { .. } => {
                conversation.peer_of(user).map(|_| log.iter().collect()).ok_or(Refusal::NotMember)
            }
            ConversationId::Group(group) => {
                let row = self.groups.get(&group).ok_or(Refusal::NotMember)?;
                let own: Vec<&Membership> = row.memberships.iter().filter(|one| one.user == user).collect();
                let seen = |message: &&Message| own.iter().any(|one| one.covers(message.server_msg_id));
                if own.is_empty() { Err(Refusal::NotMember) } else { Ok(log.iter().filter(seen).collect()) }
            }
        }
    }

    pub(super) fn read_log(
        &self,
        reader: UserId,
        conversation: ConversationId,
        stretch: Stretch,
    ) -> Result<LogPage, Refusal> {
        let mut within = self.visible(reader, conversation)?;
        let head = within.last().map_or(0, |last| last.server_msg_id);
        let cleared = self.cleared(reader, conversation);
        within.retain(|message| {
            let id = message.server_msg_id;
            id > cleared && id > stretch.after.unwrap_or(0) && (stretch.before == 0 || id < stretch.before)
        });
        let oldest_first = stretch.after.is_some();
        if !oldest_first {
            within.reverse();
        }
        let (mut page, mut targets, mut bytes) = (Vec::<Message>::new(), Vec::<(u64, u64)>::new(), 0);
        let (mut reached, mut more, mut looked_at, mut renamed) = (None, false, 0, BTreeSet::new());
        for message in &within {
            let entries = page.len() + targets.len() + renamed.len();
            more = entries >= stretch.limit as usize || (bytes >= stretch.bytes_max && entries > 0);
            if more {
                break;
            }
            (reached, looked_at) = (Some(message.server_msg_id), looked_at + 1);
            if message.kind == v1::message::Type::Nickname as i32 {
                renamed.extend(oldest_first.then_some(message.from.user));
            } else if !is_silent(message.kind) && !self.is_put_away(reader, conversation, message.server_msg_id) {
                page.push((*message).clone());
                bytes += message.body_bytes();
            }
            let target = self.target(message);
            let is_known = target == 0 || targets.iter().any(|(known, _)| *known == target);
            if !is_known && stretch.after.is_some_and(|after| target <= after) {
                targets.push((target, message.server_msg_id));
            }
        }
        if !oldest_first {
            page.reverse();
        }
        let mut after = stretch.after.unwrap_or(0);
        let mut through = stretch.before.wrapping_sub(1).min(head).max(after);
        if more && oldest_first {
            through = reached.unwrap_or(after);
        } else if more {
            after = reached.map_or(through, |reached| reached - 1);
        }
        let seen = self.kept(reader, conversation)?;
        let (mut changed, end) = changed_by(targets, &seen, &page, stretch.bytes_max.saturating_sub(bytes));
        if let Some(end) = end {
            (through, more) = (end, true);
            page.retain(|message| message.server_msg_id <= end);
        }
        let references = self.references(&seen, &page);
        page.iter_mut().chain(&mut changed).for_each(|message| self.mark_own(reader, message));
        Ok(LogPage {
            messages: page,
            more,
            head,
            after,
            through,
            changed,
            references,
            nicknames: self.nicknames(conversation, &renamed),
            looked_at,
        })
    }

    /// As they are now, in order of the users' ids.
    fn nicknames(&self, conversation: ConversationId, users: &BTreeSet<UserId>) -> Vec<GroupNickname> {
        let ConversationId::Group(group) = conversation else { return Vec::new() };
        let named = self.groups[&group].members().filter(|one| users.contains(&one.user));
        let mut now: Vec<_> = named.map(Membership::nickname).collect();
        now.sort_by_key(|one| one.user);
        now
    }

    fn references(&self, seen: &[&Message], page: &[Message]) -> Vec<Reference> {
        let is_here = |id: u64| page.iter().any(|message| message.server_msg_id == id);
        let wanted: BTreeSet<_> =
            page.iter().map(|message| message.reply_to).filter(|id| *id > 0 && !is_here(*id)).collect();
        let answered = seen.iter().filter(|message| wanted.contains(&message.server_msg_id));
        let reference = |message: &&Message| Reference {
            server_msg_id: message.server_msg_id,
            from: message.from.user,
            nickname: message.from.nickname.clone(),
            kind: message.kind,
            is_recalled: message.revision.recalled_by.is_some(),
            content: message.content.chars().take(PREVIEW_CHARS_MAX).collect::<String>().into(),
        };
        answered.map(reference).collect()
    }
}

/// The targets as they are now, each with the entry that changed it first; and where the page ends, if there is no room for all of them.
fn changed_by(
    targets: Vec<(u64, u64)>,
    seen: &[&Message],
    page: &[Message],
    bytes_max: usize,
) -> (Vec<Message>, Option<u64>) {
    let (mut changed, mut end, mut bytes) = (Vec::<Message>::new(), None, 0);
    for (target, entry) in targets {
        let Some(row) = seen.iter().find(|one| one.server_msg_id == target) else { continue };
        bytes += row.body_bytes();
        let is_first = changed.is_empty() && page.iter().all(|message| message.server_msg_id >= entry);
        if bytes > bytes_max && !is_first {
            end = Some(entry - 1);
            break;
        }
        changed.push((*row).clone());
    }
    changed.sort_by_key(|row| row.server_msg_id);
    (changed, end)
}

/// What a retry is told.
pub(super) fn first_place(stored: &Message, sent: &NewMessage, retry: &NewMessage) -> Result<Appended, Refusal> {
    let is_same = sent.kind == retry.kind
        && sent.content == retry.content
        && sent.attachment == retry.attachment
        && sent.reply_to == retry.reply_to
        && sent.mentions == retry.mentions
        && sent.change == retry.change;
    if !is_same {
        return Err(Refusal::Conflict("client_msg_id"));
    }
    Ok(Appended::first(stored.server_msg_id, stored.server_time_ms, stored.count))
}
