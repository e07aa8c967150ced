//! What two users are to each other: one transaction for both, whoever of them asks.

use anser_proto::{ConversationId, UserId};

use super::{block, contact};
use crate::{
    Change, ContactState, Now, PeopleAction, PeopleChange, PeopleChanged, Refusal,
    facts::{Facts, Stop, Want},
    rows::{BlockRow, ContactRow, Standing, Thing},
    verb::{Verb, Wants},
};

pub(crate) struct ChangePeople(pub(crate) PeopleChange);

impl Verb for ChangePeople {
    type Answer = PeopleChanged;

    fn wants(&self, wants: &mut Wants) {
        let PeopleChange { user, peer, .. } = self.0;
        let conversation = ConversationId::single(user, peer);
        for (one, other) in [(user, peer), (peer, user)] {
            wants.row(Want::Mailbox(one));
            wants.row(Want::Session(one, conversation));
            wants.row(Want::User(one));
            wants.row(Want::Contact(one, other));
            wants.row(Want::Block(one, other));
            wants.row(Want::Change(one, Thing::Contact(other)));
        }
        wants.row(Want::Change(user, Thing::Block(peer)));
    }

    fn decide(&self, facts: &mut Facts<'_>) -> Result<PeopleChanged, Stop> {
        let PeopleChange { user, peer, action, device_id, login_version } = &self.0;
        facts.must_be_logged_in(*user, device_id, *login_version)?;
        facts.must_exist(*peer)?;
        if user == peer {
            return Err(Refusal::Forbidden.into());
        }
        let mut pair = Pair::of(facts, *user, *peer)?;
        match action {
            PeopleAction::Request(text) => contact::request(facts, &mut pair, text)?,
            PeopleAction::Accept => contact::accept(facts, &mut pair)?,
            PeopleAction::Reject => contact::reject(facts, &mut pair)?,
            PeopleAction::Remark(remark) => contact::set_remark(facts, &mut pair, remark)?,
            PeopleAction::Remove => contact::remove(facts, &mut pair)?,
            PeopleAction::Block => block::block(facts, &mut pair)?,
            PeopleAction::Unblock => block::unblock(facts, &mut pair)?,
        }
        pair.tell_sessions(facts)?;
        Ok(pair.changed)
    }

    fn bytes(&self) -> usize {
        match &self.0.action {
            PeopleAction::Request(text) | PeopleAction::Remark(text) => text.len(),
            _ => 0,
        }
    }
}

/// What the two are to each other, as the verb finds it and then leaves it.
pub(super) struct Pair {
    pub(super) user: UserId,
    pub(super) peer: UserId,
    pub(super) own: Option<ContactRow>,
    pub(super) theirs: Option<ContactRow>,
    /// The user blocked the peer.
    pub(super) blocks: bool,
    /// The peer blocked the user.
    pub(super) is_blocked: bool,
    changed: PeopleChanged,
}

impl Pair {
    fn of(facts: &mut Facts<'_>, user: UserId, peer: UserId) -> Result<Self, Stop> {
        Ok(Self {
            user,
            peer,
            own: facts.contact(user, peer)?,
            theirs: facts.contact(peer, user)?,
            blocks: facts.block(user, peer)?.is_some(),
            is_blocked: facts.block(peer, user)?.is_some(),
            changed: PeopleChanged::default(),
        })
    }

    /// What the peer is to the user, as they are shown it.
    pub(super) fn own_state(&self) -> Option<ContactState> {
        shown(self.own.as_ref())
    }

    pub(super) fn their_state(&self) -> Option<ContactState> {
        shown(self.theirs.as_ref())
    }

    pub(super) fn set_own(&mut self, facts: &mut Facts<'_>, row: Option<ContactRow>) -> Result<(), Stop> {
        let change = set(facts, self.user, self.peer, &mut self.own, row)?;
        self.changed.own.extend(change);
        Ok(())
    }

    pub(super) fn set_theirs(&mut self, facts: &mut Facts<'_>, row: Option<ContactRow>) -> Result<(), Stop> {
        let change = set(facts, self.peer, self.user, &mut self.theirs, row)?;
        self.changed.peers.extend(change);
        Ok(())
    }

    /// Only the user is told whom they blocked.
    pub(super) fn set_block(&mut self, facts: &mut Facts<'_>, row: Option<BlockRow>) -> Result<(), Stop> {
        self.blocks = row.is_some();
        let mailbox_seq = facts.stamp_thing(self.user, Thing::Block(self.peer))?;
        let user = facts.user_of(self.peer)?;
        let now = Now::Block(self.peer, row.as_ref().map(|row| row.block(user)));
        facts.tables.blocks.set((self.user, self.peer), row);
        self.changed.own.push(Change { mailbox_seq, now });
        Ok(())
    }

    /// Whoever writes to the other one reads this in their own session.
    fn tell_sessions(&self, facts: &mut Facts<'_>) -> Result<(), Stop> {
        let conversation = ConversationId::single(self.user, self.peer);
        let (refused, contact) = (self.blocks || self.is_blocked, self.own_state() == Some(ContactState::Contact));
        for user in [self.user, self.peer] {
            let before = facts.session(user, conversation)?;
            let mut entry = before.unwrap_or_default();
            if refused && !entry.refused {
                entry.freeze();
            }
            (entry.refused, entry.contact) = (refused, contact);
            if before.unwrap_or_default() != entry {
                facts.tables.sessions.set((user, conversation), Some(entry));
            }
        }
        Ok(())
    }
}

fn shown(row: Option<&ContactRow>) -> Option<ContactState> {
    match row?.state {
        Standing::Shown(state) => Some(state),
        Standing::Refused => None,
    }
}

/// What nobody is shown is no change of a mailbox.
fn set(
    facts: &mut Facts<'_>,
    user: UserId,
    peer: UserId,
    present: &mut Option<ContactRow>,
    row: Option<ContactRow>,
) -> Result<Option<Change>, Stop> {
    if *present == row {
        return Ok(None);
    }
    let of = facts.user_of(peer)?;
    let contact = |row: &Option<ContactRow>| row.as_ref().and_then(|row| row.contact(of.clone()));
    let (before, now) = (contact(present), contact(&row));
    facts.tables.contacts.set((user, peer), row.clone());
    *present = row;
    if before == now {
        return Ok(None);
    }
    let mailbox_seq = facts.stamp_thing(user, Thing::Contact(peer))?;
    Ok(Some(Change { mailbox_seq, now: Now::Contact(peer, now) }))
}
