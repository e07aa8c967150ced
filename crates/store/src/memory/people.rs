//! What users are to each other.

use std::{ops::Bound, sync::Arc};

use anser_proto::{ConversationId, GroupId, UserId};

use super::{State, page};
use crate::{
    ASK_AGAIN, BLOCKS_OF_A_USER, Between, Block, CONTACTS_OF_A_USER, Change, Contact, ContactState, Now,
    OPEN_REQUESTS_OF_A_USER, Page, PeopleAction, PeopleChange, PeopleChanged, PrivacyChange, Refusal, Seen, Who,
};

#[derive(Clone, PartialEq)]
pub(super) struct ContactRow {
    /// None: said no at that time.
    state: Option<ContactState>,
    remark: Arc<str>,
    text: Arc<str>,
    since_ms: u64,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Thing {
    Contact(UserId),
    Block(UserId),
    Privacy,
    Hidden(ConversationId, u64),
    JoinRequests(GroupId),
    Devices,
}

impl State {
    pub(super) fn change_people(&mut self, change: PeopleChange) -> Result<PeopleChanged, Refusal> {
        let PeopleChange { user, peer, action, device_id, login_version } = change;
        self.must_be_logged_in(user, &device_id, login_version)?;
        self.user_row(peer)?;
        if user == peer {
            return Err(Refusal::Forbidden);
        }
        let before = self.seen_by(user, peer);
        self.act(user, peer, action)?;
        let after = self.seen_by(user, peer);
        // The order of the stamps: what the user did first, then what came of it.
        let mut changed = PeopleChanged::default();
        for (at, (of, with)) in [(0, (user, peer)), (1, (user, peer)), (2, (peer, user))] {
            if before[at] != after[at] {
                let thing = if at == 0 { Thing::Block(with) } else { Thing::Contact(with) };
                let mailbox_seq = self.stamp_thing(of, thing);
                let to = if at == 2 { &mut changed.peers } else { &mut changed.own };
                to.push(Change { mailbox_seq, now: after[at].clone() });
            }
        }
        self.stats.commits += u64::from(before != after);
        Ok(changed)
    }

    pub(super) fn stamp_thing(&mut self, user: UserId, thing: Thing) -> u64 {
        self.things.retain(|(whose, _), known| *whose != user || *known != thing);
        let mailbox_seq = self.next_seq(user);
        self.things.insert((user, mailbox_seq), thing);
        mailbox_seq
    }

    pub(super) fn update_privacy(&mut self, user: UserId, change: PrivacyChange) -> Result<Option<Change>, Refusal> {
        self.must_be_logged_in(user, &change.device_id, change.login_version)?;
        let before = self.user_row(user)?.privacy;
        let privacy = change.of(before);
        if privacy == before {
            return Ok(None);
        }
        self.users.get_mut(&user).expect("they are logged in").privacy = privacy;
        self.stats.commits += 1;
        let mailbox_seq = self.stamp_thing(user, Thing::Privacy);
        Ok(Some(Change { mailbox_seq, now: Now::Privacy(privacy) }))
    }

    /// The user's block, their contact, and the peer's.
    fn seen_by(&self, user: UserId, peer: UserId) -> [Now; 3] {
        [self.now(user, Thing::Block(peer)), self.now(user, Thing::Contact(peer)), self.now(peer, Thing::Contact(user))]
    }

    fn now(&self, user: UserId, thing: Thing) -> Now {
        match thing {
            Thing::Contact(peer) => Now::Contact(peer, self.contact(user, peer)),
            Thing::Block(peer) => Now::Block(peer, self.block(user, peer)),
            Thing::JoinRequests(group) => Now::JoinRequests(group, self.groups[&group].waiting_for(user)),
            Thing::Privacy => Now::Privacy(self.users[&user].privacy),
            Thing::Hidden(conversation, place) => Now::Hidden(conversation, place),
            Thing::Devices => Now::Devices(self.devices(user)),
        }
    }

    fn contact(&self, user: UserId, peer: UserId) -> Option<Contact> {
        let ContactRow { state, remark, text, since_ms } = self.contacts.get(&(user, peer))?.clone();
        Some(Contact { user: self.users[&peer].user.clone(), state: state?, remark, text, since_ms })
    }

    fn block(&self, user: UserId, peer: UserId) -> Option<Block> {
        let since_ms = *self.blocks.get(&(user, peer))?;
        Some(Block { user: self.users[&peer].user.clone(), since_ms })
    }

    fn state_of(&self, user: UserId, peer: UserId) -> Option<ContactState> {
        self.contacts.get(&(user, peer))?.state
    }

    fn act(&mut self, user: UserId, peer: UserId, action: PeopleAction) -> Result<(), Refusal> {
        let state = self.state_of(user, peer);
        match (action, state) {
            (PeopleAction::Request(_), _) if self.blocks.contains_key(&(user, peer)) => Err(Refusal::Forbidden),
            (PeopleAction::Request(_) | PeopleAction::Accept | PeopleAction::Reject, Some(ContactState::Contact)) => {
                Ok(())
            }
            (PeopleAction::Request(_) | PeopleAction::Accept, Some(ContactState::Asking)) => {
                self.join_contacts(user, peer)
            }
            (PeopleAction::Request(text), _) => match self.state_of(peer, user) {
                Some(ContactState::Asked) => self.join_contacts(user, peer),
                _ => self.ask(user, peer, &text),
            },
            (PeopleAction::Reject, Some(ContactState::Asking)) => {
                self.set_contact(user, peer, None, &"".into());
                Ok(())
            }
            (PeopleAction::Accept | PeopleAction::Reject, _) => Err(Refusal::NotFound("request")),
            (PeopleAction::Remark(remark), Some(ContactState::Contact)) => {
                self.contacts.get_mut(&(user, peer)).expect("it has a state").remark = remark;
                Ok(())
            }
            (PeopleAction::Remove, Some(ContactState::Contact | ContactState::Asked)) => {
                self.end(user, peer);
                Ok(())
            }
            (PeopleAction::Remark(_) | PeopleAction::Remove, _) => Err(Refusal::NotFound("contact")),
            (PeopleAction::Block, _) => self.put_block(user, peer),
            (PeopleAction::Unblock, _) => {
                self.blocks.remove(&(user, peer));
                Ok(())
            }
        }
    }

    fn ask(&mut self, user: UserId, peer: UserId, text: &Arc<str>) -> Result<(), Refusal> {
        let now = (self.options.clock)();
        let said_no = self.contacts.get(&(peer, user)).filter(|row| row.state.is_none());
        let waits = said_no.is_some_and(|row| now < row.since_ms + ASK_AGAIN.as_millis() as u64);
        let is_received = !waits && !self.blocks.contains_key(&(peer, user));
        if self.state_of(user, peer).is_none() {
            self.must_have_room(user, ContactState::Asked)?;
        }
        if is_received && self.state_of(peer, user).is_none() {
            self.must_have_room(peer, ContactState::Asking)?;
        }
        self.set_words(user, peer, ContactState::Asked, text);
        if is_received {
            self.set_words(peer, user, ContactState::Asking, text);
        }
        Ok(())
    }

    fn set_words(&mut self, user: UserId, peer: UserId, state: ContactState, text: &Arc<str>) {
        let same = self.contacts.get(&(user, peer)).is_some_and(|row| row.state == Some(state) && row.text == *text);
        if !same {
            self.set_contact(user, peer, Some(state), text);
        }
    }

    fn set_contact(&mut self, user: UserId, peer: UserId, state: Option<ContactState>, text: &Arc<str>) {
        let since_ms = (self.options.clock)();
        self.contacts.insert((user, peer), ContactRow { state, remark: "".into(), text: text.clone(), since_ms });
    }

    fn join_contacts(&mut self, user: UserId, peer: UserId) -> Result<(), Refusal> {
        self.must_have_room(user, ContactState::Contact)?;
        self.must_have_room(peer, ContactState::Contact)?;
        for (one, other) in [(user, peer), (peer, user)] {
            self.set_contact(one, other, Some(ContactState::Contact), &"".into());
        }
        Ok(())
    }

    fn must_have_room(&self, user: UserId, state: ContactState) -> Result<(), Refusal> {
        let people = &self.options.people;
        let (what, max) = match state {
            ContactState::Contact => (CONTACTS_OF_A_USER, people.contacts_max),
            _ => (OPEN_REQUESTS_OF_A_USER, people.open_requests_max),
        };
        let own = self.contacts.iter().filter(|((of, _), row)| *of == user && row.state == Some(state));
        if own.count() < max as usize { Ok(()) } else { Err(Refusal::Limit { what, max }) }
    }

    /// Whatever the user has of the peer goes. The peer's goes too, unless it is the peer's own request, or that they said no.
    fn end(&mut self, user: UserId, peer: UserId) {
        self.contacts.remove(&(user, peer));
        if matches!(self.state_of(peer, user), Some(ContactState::Contact | ContactState::Asking)) {
            self.contacts.remove(&(peer, user));
        }
    }

    fn put_block(&mut self, user: UserId, peer: UserId) -> Result<(), Refusal> {
        if self.blocks.contains_key(&(user, peer)) {
            return Ok(());
        }
        let max = self.options.people.blocks_max;
        if self.blocks.keys().filter(|(of, _)| *of == user).count() >= max as usize {
            return Err(Refusal::Limit { what: BLOCKS_OF_A_USER, max });
        }
        self.blocks.insert((user, peer), (self.options.clock)());
        if self.state_of(user, peer).is_some() {
            self.end(user, peer);
        }
        Ok(())
    }

    pub(super) fn between(&self, user: UserId, peer: UserId) -> Between {
        Between {
            refused: self.blocks.contains_key(&(user, peer)) || self.blocks.contains_key(&(peer, user)),
            contact: self.state_of(user, peer) == Some(ContactState::Contact),
        }
    }

    pub(super) fn contact_ids(&self, user: UserId) -> Vec<UserId> {
        let is_contact = |peer: &UserId| self.state_of(user, *peer) == Some(ContactState::Contact);
        self.users.keys().copied().filter(is_contact).collect()
    }

    pub(super) fn invisible(&self, users: &[UserId]) -> Vec<UserId> {
        let rows = self.users.iter().filter(|(user, row)| users.contains(user) && row.privacy.invisible);
        rows.map(|(user, _)| *user).collect()
    }

    pub(super) fn see_users(&mut self, seen: &[(UserId, u64)]) {
        let before = self.last_seen.clone();
        for (user, seen_ms) in seen {
            let known = self.last_seen.entry(*user).or_default();
            *known = (seen_ms - seen_ms % 60_000).max(*known);
        }
        self.stats.commits += u64::from(before != self.last_seen);
    }

    pub(super) fn seen(&self, viewer: UserId, user: UserId) -> Seen {
        let Between { refused, contact } = self.between(viewer, user);
        let Some(theirs) = self.users.get(&user).filter(|_| !refused || viewer == user) else {
            return Seen::nothing(user);
        };
        let is_told = |who: Who| viewer == user || who == Who::Everybody || (who == Who::Contacts && contact);
        let presence = viewer == user || contact || theirs.privacy.last_seen == Who::Everybody;
        let both = [theirs.privacy.last_seen, self.users[&viewer].privacy.last_seen];
        let last_seen_ms = self.last_seen.get(&user).filter(|_| both.into_iter().all(is_told)).copied();
        Seen { user, presence, last_seen_ms: last_seen_ms.unwrap_or(0) }
    }

    pub(super) fn may_be_put(&self, inviter: UserId, user: UserId) -> bool {
        let Between { refused, contact } = self.between(inviter, user);
        let may = match self.users[&user].privacy.invites {
            Who::Everybody => true,
            Who::Contacts => contact,
            Who::Nobody => false,
        };
        user == inviter || (may && !refused)
    }

    pub(super) fn contacts(&self, user: UserId, after: UserId, limit: u32) -> Page<Contact> {
        let own = self.contacts.range((Bound::Excluded((user, after)), Bound::Included((user, UserId(u64::MAX)))));
        page(own.filter_map(|((_, peer), _)| self.contact(user, *peer)), limit)
    }

    pub(super) fn blocks(&self, user: UserId, after: UserId, limit: u32) -> Page<Block> {
        let own = self.blocks.range((Bound::Excluded((user, after)), Bound::Included((user, UserId(u64::MAX)))));
        page(own.filter_map(|((_, peer), _)| self.block(user, *peer)), limit)
    }

    /// In order of their stamps, as they are now.
    pub(super) fn things_since(&self, user: UserId, since: u64) -> Vec<Change> {
        let stamped = self.things.range((user, since + 1)..=(user, u64::MAX));
        stamped.map(|((_, seq), thing)| Change { mailbox_seq: *seq, now: self.now(user, *thing) }).collect()
    }
}
