//! Conversation lists and mailboxes: stamps, marks, what changed.

use anser_proto::{
    ConversationId, GroupId, UserId,
    digest::groups_digest,
    limits::{MENTIONS_COUNTED_MAX, PREVIEW_CHARS_MAX},
};

use super::{State, UserRow, change::is_silent, page};
use crate::{Changes, Mark, MarkKind, Marked, Message, Page, Party, Positions, Preview, Refusal, Session};

impl State {
    /// The next number of the user's mailbox.
    pub(super) fn next_seq(&mut self, user: UserId) -> u64 {
        let row = self.users.get_mut(&user).expect("only users have mailboxes that change");
        row.mailbox_seq += 1;
        row.mailbox_seq
    }

    /// Stamps the user's session with the next number of their mailbox.
    pub(super) fn stamp(&mut self, user: UserId, conversation: ConversationId) -> u64 {
        let seq = self.next_seq(user);
        self.sessions.entry((user, conversation)).or_default().stamp = seq;
        seq
    }

    pub(super) fn mark(&mut self, mark: Mark) -> Result<Marked, Refusal> {
        let Mark { user, conversation, .. } = mark;
        let head = self.visible(user, conversation)?.last().map_or(0, |last| last.server_msg_id);
        if head > 0 {
            self.must_be_logged_in(user, &mark.device_id, mark.login_version)?;
        }
        let (read_before, delivered_before) = self.marks(user, conversation);
        let to = mark.server_msg_id.min(head);
        let (read_mark, delivered_mark) = match mark.kind {
            MarkKind::Read => (read_before.max(to), delivered_before.max(to)),
            MarkKind::Delivered => (read_before, delivered_before.max(to)),
        };
        let unread = unread(&self.kept(user, conversation)?, read_mark);
        let moved = (read_mark, delivered_mark) != (read_before, delivered_before);
        let (mut mailbox_seq, mut peer) = (0, None);
        if moved {
            let row = self.sessions.get_mut(&(user, conversation)).expect("a log has a session for each who sees it");
            (row.read_mark, row.delivered_mark) = (read_mark, delivered_mark);
            let is_alone = conversation.peer_of(user) == Some(user);
            if read_mark > read_before || is_alone {
                mailbox_seq = self.stamp(user, conversation);
                self.answer(user, conversation);
            }
            let hides_reads = self.users[&user].privacy.hides_reads;
            let is_frozen = conversation.peer_of(user).is_some_and(|peer| self.between(user, peer).refused);
            let row = self.sessions.get_mut(&(user, conversation)).expect("it was just changed");
            let before = row.shown;
            if !is_frozen {
                row.shown = (if hides_reads { before.0 } else { read_mark }, delivered_mark);
            }
            let after = row.shown;
            let told = conversation.peer_of(user).filter(|peer| {
                let sees_reads = !self.users[peer].privacy.hides_reads;
                !is_alone && (after.1 > before.1 || (sees_reads && after.0 > before.0))
            });
            peer = told.map(|peer| (peer, self.stamp(peer, conversation)));
            self.stats.commits += 1;
        }
        if mark.kind == MarkKind::Read
            && let Some(row) = self.sessions.get_mut(&(user, conversation))
            && std::mem::take(&mut row.marked_unread)
            && mailbox_seq == 0
        {
            mailbox_seq = self.stamp(user, conversation);
            self.stats.commits += 1;
        }
        let row = self.sessions.get(&(user, conversation)).filter(|_| conversation.peer_of(user).is_some());
        let shown = row.map_or((0, 0), |row| row.shown);
        Ok(Marked { read_mark, delivered_mark, unread, moved, mailbox_seq, peer, shown })
    }

    fn marks(&self, user: UserId, conversation: ConversationId) -> (u64, u64) {
        self.sessions.get(&(user, conversation)).map_or((0, 0), |row| (row.read_mark, row.delivered_mark))
    }

    pub(super) fn positions(&self, user: UserId) -> Result<Positions, Refusal> {
        let row = self.user_row(user)?;
        let own = self.groups.iter().filter(|(_, row)| row.present(user).is_some());
        let groups_digest = groups_digest(own.map(|(group, _)| (*group, self.head(ConversationId::Group(*group)))));
        Ok(Positions {
            mailbox_seq: row.mailbox_seq,
            groups_digest,
            login_version: row.login_version(),
            invisible: row.privacy.invisible,
        })
    }

    pub(super) fn changes(&self, user: UserId, since: u64, limit: u32) -> Changes {
        let row = self.users.get(&user);
        let mailbox_seq = row.map_or(0, |row| row.mailbox_seq);
        let since = if since > mailbox_seq { 0 } else { since };
        let mut sessions = self.sessions(user, None, u32::MAX).rows;
        sessions.retain(|session| session.mailbox_seq > since);
        sessions.sort_by_key(|session| session.mailbox_seq);
        let things = self.things_since(user, since);
        let mut stamps: Vec<_> = sessions.iter().map(|session| session.mailbox_seq).collect();
        stamps.extend(things.iter().map(|thing| thing.mailbox_seq));
        stamps.sort_unstable();
        let last = stamps.get(limit as usize - 1).copied().unwrap_or(mailbox_seq);
        let caught_up = stamps.len() <= limit as usize;
        let profile = row.filter(|row| row.profile_stamp > since).map(UserRow::profile);
        let mailbox_seq = if caught_up { mailbox_seq } else { last };
        let sessions = sessions.into_iter().filter(|session| session.mailbox_seq <= mailbox_seq).collect();
        let things = things.into_iter().filter(|thing| thing.mailbox_seq <= mailbox_seq).collect();
        Changes { sessions, things, profile, mailbox_seq, caught_up, forgotten: false }
    }

    pub(super) fn moved_groups(&self, user: UserId, known: &[(GroupId, u64)]) -> Vec<Session> {
        let moved = |(group, head): &(GroupId, u64)| {
            let session = self.session(user, ConversationId::Group(*group))?;
            let is_member = matches!(session.party, Party::Group(_, Some(_)));
            (session.head != *head || !is_member).then_some(session)
        };
        known.iter().filter_map(moved).collect()
    }

    pub(super) fn sessions(&self, user: UserId, after: Option<ConversationId>, limit: u32) -> Page<Session> {
        let own = self.sessions.keys().filter(|(of, conversation)| *of == user && Some(*conversation) > after);
        page(own.filter_map(|(_, conversation)| self.session(user, *conversation)), limit)
    }

    pub(super) fn session(&self, user: UserId, conversation: ConversationId) -> Option<Session> {
        let row = self.sessions.get(&(user, conversation))?;
        let visible = self.listed(user, conversation).ok()?;
        let (first, last) = (visible.first()?, visible.last()?);
        let kept = self.without_put_away(user, conversation, visible.clone());
        let (party, (peer_read_mark, peer_delivered_mark)) = match conversation {
            ConversationId::Single { .. } => {
                let peer = conversation.peer_of(user)?;
                let shown = self.sessions.get(&(peer, conversation)).map_or((0, 0), |row| row.shown);
                let shown = if self.users[&user].privacy.hides_reads { (0, shown.1) } else { shown };
                (Party::Peer(self.user_row(peer).ok()?.user.clone()), shown)
            }
            ConversationId::Group(group) => {
                let group = self.groups.get(&group)?;
                (Party::Group(group.info_of(user), group.present(user).map(|one| one.role)), (0, 0))
            }
        };
        let naming = self.unread_naming(user, conversation, &kept, row.read_mark);
        Some(Session {
            conversation,
            head: last.server_msg_id,
            unread: unread(&kept, row.read_mark),
            mentions: (naming.len() as u64).min(MENTIONS_COUNTED_MAX),
            mentioned_at: naming.first().copied().unwrap_or(0),
            read_mark: row.read_mark,
            delivered_mark: row.delivered_mark,
            peer_read_mark,
            peer_delivered_mark,
            first: first.server_msg_id.max(row.cleared + 1),
            last: kept.iter().rfind(|message| !is_silent(message.kind)).map(|message| preview(message)),
            party,
            pinned: row.pinned,
            quiet_until_ms: row.quiet_until_ms,
            marked_unread: row.marked_unread,
            removed_at: row.removed_at,
            hidden_top: self.hidden_top(user, conversation),
            mailbox_seq: row.stamp,
        })
    }

    /// Unread messages that name the user, of whom they did not block; of a group, while they are in it, or were at its end.
    fn unread_naming(&self, user: UserId, conversation: ConversationId, kept: &[&Message], read_mark: u64) -> Vec<u64> {
        let is_there = match conversation {
            ConversationId::Single { .. } => true,
            ConversationId::Group(group) => self.groups[&group].members().any(|one| one.user == user),
        };
        let names = |message: &&&Message| {
            is_there
                && is_unread(message, read_mark)
                && message.from.user != user
                && (message.mentions.all() || message.mentions.users().contains(&user))
                && !self.blocks.contains_key(&(user, message.from.user))
        };
        kept.iter().filter(names).map(|message| message.server_msg_id).collect()
    }
}

fn unread(visible: &[&Message], read_mark: u64) -> u64 {
    visible.iter().filter(|message| is_unread(message, read_mark)).count() as u64
}

fn is_unread(message: &Message, read_mark: u64) -> bool {
    message.counted && message.server_msg_id > read_mark && message.revision.recalled_by.is_none()
}

fn preview(message: &Message) -> Preview {
    Preview {
        server_msg_id: message.server_msg_id,
        from: message.from.user,
        nickname: message.from.nickname.clone(),
        kind: message.kind,
        content: message.content.chars().take(PREVIEW_CHARS_MAX).collect::<String>().into(),
        server_time_ms: message.server_time_ms,
        is_recalled: message.revision.recalled_by.is_some(),
    }
}
