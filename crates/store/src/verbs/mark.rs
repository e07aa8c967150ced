//! Moving marks: forward, never back.

use std::ops::ControlFlow;

use anser_proto::{ConversationId, GroupId, UserId};

use crate::{
    Mark, MarkKind, Marked, Refusal,
    facts::{Facts, Stop, Want},
    query::Query,
    questions,
    read::{Read, Snapshot, keyed},
    rows::{Entry, Head, Mailbox, Place, Stay, Take},
    verb::{Company, Verb, Wants},
};

pub(crate) struct MoveMark(pub(crate) Mark);

impl Verb for MoveMark {
    type Answer = Marked;

    fn wants(&self, wants: &mut Wants) {
        let Mark { user, conversation, .. } = self.0;
        wants.row(Want::Mailbox(user));
        wants.look_at_head(conversation);
        wants.row(Want::Session(user, conversation));
        if let ConversationId::Group(group) = conversation {
            wants.row(Want::Stay(group, user));
        }
        if let Some(peer) = conversation.peer_of(user) {
            wants.row(Want::Mailbox(peer));
            wants.row(Want::Session(peer, conversation));
        }
    }

    fn decide(&self, facts: &mut Facts<'_>) -> Result<Marked, Stop> {
        let Mark { user, conversation, kind, ref device_id, login_version, .. } = self.0;
        let is_party = conversation.peer_of(user).is_some();
        if matches!(conversation, ConversationId::Single { .. }) && !is_party {
            return Err(Refusal::NotMember.into());
        }
        let Some(before) = facts.session(user, conversation)?.filter(Entry::is_listed) else {
            let nothing = Marked {
                read_mark: 0,
                delivered_mark: 0,
                unread: 0,
                moved: false,
                mailbox_seq: 0,
                peer: None,
                shown: (0, 0),
            };
            return if is_party { Ok(nothing) } else { Err(Refusal::NotMember.into()) };
        };
        facts.must_not_be_banned(user, conversation)?;
        facts.must_be_logged_in(user, device_id, login_version)?;
        let head = visible_head(facts, user, conversation)?;
        let Some(place) = destination(&self.0, &before, head) else {
            let unseen = facts.unseen_behind(user, conversation, &before, head.server_msg_id)?;
            let marked = standing(conversation, &before, head, unseen);
            let mailbox_seq = match before.marked_unread && kind == MarkKind::Read {
                true => facts.stamp(user, conversation, |entry| entry.marked_unread = false)?,
                false => 0,
            };
            return Ok(Marked { mailbox_seq, ..marked });
        };
        let mut after = before;
        match kind {
            MarkKind::Delivered => after.delivered_mark = place,
            MarkKind::Read => {
                let count = count_at(facts, user, conversation, place, head)?;
                after.read_to(Place { server_msg_id: place, count });
            }
        }
        move_mark(facts, &self.0, before, after, head)
    }

    fn company(&self) -> Company {
        Company::Everybody
    }

    fn conversations(&self) -> Vec<ConversationId> {
        vec![self.0.conversation]
    }
}

pub(super) fn count_at(
    facts: &mut Facts<'_>,
    user: UserId,
    conversation: ConversationId,
    place: u64,
    head: Place,
) -> Result<u64, Stop> {
    if place == head.server_msg_id { Ok(head.count) } else { questions::count_at(facts, user, conversation, place) }
}

/// The last message that the user may see.
pub(super) fn visible_head(facts: &mut Facts<'_>, user: UserId, conversation: ConversationId) -> Result<Place, Stop> {
    if let ConversationId::Group(group) = conversation
        && facts.stay(group, user)?.is_none_or(|stay| stay.left_at.is_some())
    {
        return end_of_last_stay(facts, user, group);
    }
    Ok(facts.head(conversation)?.unwrap_or_default().place())
}

pub(super) fn end_of_last_stay(facts: &mut Facts<'_>, user: UserId, group: GroupId) -> Result<Place, Stop> {
    let Some(server_msg_id) = facts.ask(&questions::left_at(group, user), |row| row.get())?.pop().flatten() else {
        return Ok(Place::default());
    };
    let count = questions::count_at(facts, user, ConversationId::Group(group), server_msg_id)?;
    Ok(Place { server_msg_id, count })
}

/// Where the mark moves to, if it moves.
fn destination(mark: &Mark, before: &Entry, head: Place) -> Option<u64> {
    let place = mark.server_msg_id.min(head.server_msg_id);
    let present = match mark.kind {
        MarkKind::Delivered => before.delivered_mark,
        MarkKind::Read => before.read_mark,
    };
    (place > present).then_some(place)
}

/// The answer where nothing moved. `unseen`: how many behind the read mark are recalled or hidden. In a group nobody is shown any marks.
fn standing(conversation: ConversationId, entry: &Entry, head: Place, unseen: u64) -> Marked {
    let is_single = matches!(conversation, ConversationId::Single { .. });
    Marked {
        read_mark: entry.read_mark,
        delivered_mark: entry.delivered_mark,
        unread: head.count.saturating_sub(entry.read_count + unseen),
        moved: false,
        mailbox_seq: 0,
        peer: None,
        shown: if is_single { entry.shown() } else { (0, 0) },
    }
}

/// The read mark concerns the user; any mark concerns who sees it as a receipt.
pub(super) fn move_mark(
    facts: &mut Facts<'_>,
    mark: &Mark,
    before: Entry,
    mut after: Entry,
    head: Place,
) -> Result<Marked, Stop> {
    let Mark { user, conversation, kind, .. } = *mark;
    let unseen = facts.unseen_behind(user, conversation, &after, head.server_msg_id)?;
    after.show(&before, facts.mailbox_of(user)?.privacy.hides_reads);
    let mut marked = Marked { moved: true, ..standing(conversation, &after, head, unseen) };
    let peer = match conversation.peer_of(user) {
        Some(peer) if peer != user => is_shown(facts, peer, &before, &after)?.then_some(peer),
        peer => peer,
    };
    if let (MarkKind::Read, ConversationId::Group(group)) = (kind, conversation) {
        facts.answer(user, group)?;
    }
    if kind == MarkKind::Read || peer == Some(user) {
        marked.mailbox_seq = facts.stamp(user, conversation, |entry| *entry = after)?;
    } else {
        facts.tables.sessions.set((user, conversation), Some(after));
    }
    if let Some(peer) = peer.filter(|peer| *peer != user) {
        marked.peer = Some((peer, facts.stamp(peer, conversation, |_| {})?));
    }
    Ok(marked)
}

/// What moved is a mark that the peer is shown.
fn is_shown(facts: &mut Facts<'_>, peer: UserId, before: &Entry, after: &Entry) -> Result<bool, Stop> {
    let ((read_before, delivered_before), (read, delivered)) = (before.shown(), after.shown());
    let sees_reads = !facts.mailbox_of(peer)?.privacy.hides_reads;
    Ok(delivered > delivered_before || (sees_reads && read > read_before))
}

/// The answer to a mark that moves nothing. None: it moves, or is refused, or that takes a closer look.
pub(crate) struct StandingMark(pub(crate) Mark);

impl Read for StandingMark {
    type Answer = Option<Marked>;

    async fn read<D: Snapshot>(&self, db: &mut D) -> Result<Option<Marked>, D::Error> {
        let Mark { user, conversation, login_version, .. } = self.0;
        let dialect = db.dialect();
        let mut questions = vec![
            Query::with_key::<Mailbox>(dialect, &user),
            Query::with_key::<Entry>(dialect, &(user, conversation)),
            Query::with_key::<Head>(dialect, &conversation),
        ];
        if let ConversationId::Group(group) = conversation {
            questions.push(Query::with_key::<Stay>(dialect, &(group, user)));
        }
        let (mut is_logged_in, mut entry, mut head) = (false, None, None);
        let mut sees_all = conversation.peer_of(user).is_some();
        let each = &mut |question, row: &mut dyn Take| {
            match question {
                0 => is_logged_in = keyed::<Mailbox>(row, &user)?.login_version == login_version,
                1 => entry = Some(keyed::<Entry>(row, &(user, conversation))?),
                2 => head = Some(keyed::<Head>(row, &conversation)?),
                _ => sees_all = true,
            }
            Ok(ControlFlow::Continue(()))
        };
        db.ask(&questions, each).await?;
        Ok(match (entry, head) {
            (Some(entry), Some(head))
                if is_logged_in && sees_all && head.recalled_top.max(entry.hidden_top) <= entry.read_mark =>
            {
                let ends_flag = entry.marked_unread && self.0.kind == MarkKind::Read;
                match destination(&self.0, &entry, head.place()) {
                    None if !ends_flag => Some(standing(conversation, &entry, head.place(), 0)),
                    _ => None,
                }
            }
            _ => None,
        })
    }
}
