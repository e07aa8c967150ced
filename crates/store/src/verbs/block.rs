//! Blocking somebody: one-sided, and nobody is told.

use super::{change_people::Pair, contact::withdraw};
use crate::{
    BLOCKS_OF_A_USER, ContactState, Refusal,
    facts::{Facts, Stop},
    questions,
    rows::BlockRow,
};

/// Ends the contact and open requests. Who asked the user still sees that they did.
pub(super) fn block(facts: &mut Facts<'_>, pair: &mut Pair) -> Result<(), Stop> {
    if pair.blocks {
        return Ok(());
    }
    let max = facts.options.people.blocks_max;
    if questions::blocks_of(facts, pair.user)? >= max.into() {
        return Err(Refusal::Limit { what: BLOCKS_OF_A_USER, max }.into());
    }
    let since_ms = facts.now_ms();
    pair.set_block(facts, Some(BlockRow { since_ms }))?;
    match pair.own_state() {
        Some(ContactState::Contact) => {
            pair.set_own(facts, None)?;
            pair.set_theirs(facts, None)
        }
        Some(ContactState::Asked) => withdraw(facts, pair),
        Some(ContactState::Asking) => pair.set_own(facts, None),
        None => Ok(()),
    }
}

pub(super) fn unblock(facts: &mut Facts<'_>, pair: &mut Pair) -> Result<(), Stop> {
    if pair.blocks { pair.set_block(facts, None) } else { Ok(()) }
}
