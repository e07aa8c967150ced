//! Becoming contacts: asked by one, answered by the other, ended by either.

use std::sync::Arc;

use anser_proto::UserId;

use super::change_people::Pair;
use crate::{
    ASK_AGAIN, CONTACTS_OF_A_USER, ContactState, OPEN_REQUESTS_OF_A_USER, Refusal,
    facts::{Facts, Stop},
    questions,
    rows::{ContactRow, Standing},
};

pub(super) fn request(facts: &mut Facts<'_>, pair: &mut Pair, text: &Arc<str>) -> Result<(), Stop> {
    if pair.blocks {
        return Err(Refusal::Forbidden.into());
    }
    match (pair.own_state(), pair.their_state()) {
        (Some(ContactState::Contact), _) => Ok(()),
        // Both want it, in whichever order they said so.
        (Some(ContactState::Asking), _) | (_, Some(ContactState::Asked)) => become_contacts(facts, pair),
        _ => ask(facts, pair, text),
    }
}

/// Whether the peer receives it, the user cannot tell.
fn ask(facts: &mut Facts<'_>, pair: &mut Pair, text: &Arc<str>) -> Result<(), Stop> {
    let now_ms = facts.now_ms();
    let row = |state| Some(ContactRow::new(Standing::Shown(state), text, now_ms));
    let says_the_same =
        |row: &Option<ContactRow>, state| row.as_ref().is_some_and(|row| row.is(state) && row.text == *text);
    let was_told_no = pair.theirs.as_ref().is_some_and(|theirs| {
        theirs.state == Standing::Refused && now_ms < theirs.since_ms.saturating_add(ASK_AGAIN.as_millis() as u64)
    });
    let is_received = !pair.is_blocked && !was_told_no;
    if pair.own_state().is_none() {
        must_have_room(facts, pair.user, ContactState::Asked)?;
    }
    if is_received && pair.their_state().is_none() {
        must_have_room(facts, pair.peer, ContactState::Asking)?;
    }
    if !says_the_same(&pair.own, ContactState::Asked) {
        pair.set_own(facts, row(ContactState::Asked))?;
    }
    if is_received && !says_the_same(&pair.theirs, ContactState::Asking) {
        pair.set_theirs(facts, row(ContactState::Asking))?;
    }
    Ok(())
}

fn become_contacts(facts: &mut Facts<'_>, pair: &mut Pair) -> Result<(), Stop> {
    must_have_room(facts, pair.user, ContactState::Contact)?;
    must_have_room(facts, pair.peer, ContactState::Contact)?;
    let row = ContactRow::new(Standing::Shown(ContactState::Contact), &"".into(), facts.now_ms());
    pair.set_own(facts, Some(row.clone()))?;
    pair.set_theirs(facts, Some(row))
}

pub(super) fn accept(facts: &mut Facts<'_>, pair: &mut Pair) -> Result<(), Stop> {
    match pair.own_state() {
        Some(ContactState::Contact) => Ok(()),
        Some(ContactState::Asking) => become_contacts(facts, pair),
        _ => Err(Refusal::NotFound("request").into()),
    }
}

/// The peer is not told.
pub(super) fn reject(facts: &mut Facts<'_>, pair: &mut Pair) -> Result<(), Stop> {
    match pair.own_state() {
        Some(ContactState::Contact) => Ok(()),
        Some(ContactState::Asking) => {
            let row = ContactRow::new(Standing::Refused, &"".into(), facts.now_ms());
            pair.set_own(facts, Some(row))
        }
        _ => Err(Refusal::NotFound("request").into()),
    }
}

pub(super) fn set_remark(facts: &mut Facts<'_>, pair: &mut Pair, remark: &Arc<str>) -> Result<(), Stop> {
    match &pair.own {
        Some(row) if row.is(ContactState::Contact) => {
            let row = ContactRow { remark: Arc::clone(remark), ..row.clone() };
            pair.set_own(facts, Some(row))
        }
        _ => Err(Refusal::NotFound("contact").into()),
    }
}

pub(super) fn remove(facts: &mut Facts<'_>, pair: &mut Pair) -> Result<(), Stop> {
    match pair.own_state() {
        Some(ContactState::Contact) => {
            pair.set_own(facts, None)?;
            pair.set_theirs(facts, None)
        }
        Some(ContactState::Asked) => withdraw(facts, pair),
        _ => Err(Refusal::NotFound("contact").into()),
    }
}

/// The user's own request. That the peer said no to it is remembered.
pub(super) fn withdraw(facts: &mut Facts<'_>, pair: &mut Pair) -> Result<(), Stop> {
    pair.set_own(facts, None)?;
    match pair.their_state() {
        Some(ContactState::Asking) => pair.set_theirs(facts, None),
        _ => Ok(()),
    }
}

/// For one more of what they have in this state.
fn must_have_room(facts: &mut Facts<'_>, user: UserId, state: ContactState) -> Result<(), Stop> {
    let people = &facts.options.people;
    let (what, max) = match state {
        ContactState::Contact => (CONTACTS_OF_A_USER, people.contacts_max),
        ContactState::Asked | ContactState::Asking => (OPEN_REQUESTS_OF_A_USER, people.open_requests_max),
    };
    if questions::contacts_of(facts, user, state)? < max.into() {
        return Ok(());
    }
    Err(Refusal::Limit { what, max }.into())
}
