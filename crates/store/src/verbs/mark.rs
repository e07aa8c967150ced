//! Moving marks: forward, never back.

use anser_proto::{ConversationId, GroupId, UserId};

use crate::{
    Mark, MarkKind, Marked, Refusal,
    facts::{Facts, Stop, Want},
    questions,
    rows::{Entry, Place},
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
        let Mark { user, conversation, kind, server_msg_id, login_version } = self.0;
        let is_party = conversation.peer_of(user).is_some();
        if matches!(conversation, ConversationId::Single { .. }) && !is_party {
            return Err(Refusal::NotMember.into());
        }
        let Some(before) = facts.session(user, conversation)? else {
            let nothing =
                Marked { read_mark: 0, delivered_mark: 0, unread: 0, moved: false, mailbox_seq: 0, peer: None };
            return if is_party { Ok(nothing) } else { Err(Refusal::NotMember.into()) };
        };
        facts.must_be_logged_in(user, login_version)?;
        let head = visible_head(facts, user, conversation)?;
        let place = server_msg_id.min(head.server_msg_id);
        let mut after = before;
        match kind {
            MarkKind::Delivered => after.delivered_mark = after.delivered_mark.max(place),
            MarkKind::Read if place > before.read_mark => {
                let count = match place == head.server_msg_id {
                    true => head.count,
                    false => questions::count_at(facts, user, conversation, place)?,
                };
                after.read_to(Place { server_msg_id: place, count });
            }
            MarkKind::Read => {}
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

/// The last message that the user may see.
fn visible_head(facts: &mut Facts<'_>, user: UserId, conversation: ConversationId) -> Result<Place, Stop> {
    if let ConversationId::Group(group) = conversation
        && facts.membership(group, user)?.is_none()
    {
        return end_of_last_stay(facts, user, group);
    }
    Ok(facts.head(conversation)?.unwrap_or_default().place())
}

fn end_of_last_stay(facts: &mut Facts<'_>, user: UserId, group: GroupId) -> Result<Place, Stop> {
    let Some(server_msg_id) = facts.ask(&questions::left_at(group, user), |row| row.get())?.pop().flatten() else {
        return Ok(Place::default());
    };
    let count = questions::count_at(facts, user, ConversationId::Group(group), server_msg_id)?;
    Ok(Place { server_msg_id, count })
}

/// The read mark concerns the user; any mark concerns who sees it as a receipt.
fn move_mark(facts: &mut Facts<'_>, mark: &Mark, before: Entry, after: Entry, head: Place) -> Result<Marked, Stop> {
    let Mark { user, conversation, kind, .. } = *mark;
    let moved = after.delivered_mark > before.delivered_mark || after.read_mark > before.read_mark;
    let mut marked = Marked {
        read_mark: after.read_mark,
        delivered_mark: after.delivered_mark,
        unread: head.count.saturating_sub(after.read_count),
        moved,
        mailbox_seq: 0,
        peer: None,
    };
    if !moved {
        return Ok(marked);
    }
    let peer = conversation.peer_of(user);
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
