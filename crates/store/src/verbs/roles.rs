//! Who may do more in a group: admins, and the owner.

use anser_proto::{UserId, limits::ADMINS_MAX, v1::notice::Kind};

use super::change_members::{Done, Operation};
use crate::{
    ADMINS_OF_A_GROUP, Refusal, Role,
    facts::{Facts, Stop},
    questions,
    steps::distinct,
};

/// Gives members a role that is not the owner's.
pub(super) fn set(
    facts: &mut Facts<'_>,
    operation: &Operation<'_>,
    users: &[UserId],
    role: Role,
) -> Result<Done, Stop> {
    let Operation { group, operator, ref stay } = *operation;
    if stay.role != Role::Owner || users.contains(&operator.user) {
        return Err(Refusal::Forbidden.into());
    }
    let mut others = Vec::new();
    for user in distinct(users) {
        if facts.membership(group, user)?.is_some_and(|stay| stay.role != role) {
            others.push(user);
        }
    }
    if others.is_empty() {
        return Ok(Done::default());
    }
    let kind = if role == Role::Admin { Kind::Promoted } else { Kind::Demoted };
    if role == Role::Admin {
        may_promote(facts, operation, others.len() as u64)?;
    }
    let notice = operation.tell(facts, kind, &others)?;
    for user in &others {
        facts.set_role(group, *user, role)?;
    }
    Done { notices: vec![notice], ..Done::default() }.stamp(facts, group, others)
}

pub(super) fn transfer(facts: &mut Facts<'_>, operation: &Operation<'_>, heir: UserId) -> Result<Done, Stop> {
    let Operation { group, operator, stay: ref own } = *operation;
    let stay = facts.membership(group, heir)?;
    if stay.as_ref().is_some_and(|stay| stay.role == Role::Owner) {
        return Ok(Done::default());
    }
    if own.role != Role::Owner {
        return Err(Refusal::Forbidden.into());
    }
    // An admin who becomes owner leaves a place.
    if stay.ok_or(Refusal::NotFound("member"))?.role == Role::Member {
        may_promote(facts, operation, 1)?;
    }
    let notices = vec![operation.crown(facts, heir, Role::Admin)?];
    Done { notices, ..Done::default() }.stamp(facts, group, [operator.user, heir])
}

fn may_promote(facts: &mut Facts<'_>, operation: &Operation<'_>, more: u64) -> Result<(), Stop> {
    let admins = questions::admins_of(facts, operation.group)?;
    match admins + more <= ADMINS_MAX.into() {
        true => Ok(()),
        false => Err(Refusal::Limit { what: ADMINS_OF_A_GROUP, max: ADMINS_MAX }.into()),
    }
}
