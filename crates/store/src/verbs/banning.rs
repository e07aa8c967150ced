//! Users who may not come back into a group, and who may again.

use anser_proto::{ConversationId, UserId, limits::BANS_MAX};

use super::{
    change_members::{Done, Operation},
    leaving::Removal,
    mark::end_of_last_stay,
    requests::Requests,
};
use crate::{
    BANS_OF_A_GROUP, Refusal, Role,
    facts::{Facts, Stop, of_each},
    questions,
    rows::BanRow,
    steps::distinct,
};

pub(super) fn ban(facts: &mut Facts<'_>, operation: &Operation<'_>, users: &[UserId]) -> Result<Done, Stop> {
    let group = operation.group;
    let removal = Removal::of(facts, operation, users)?;
    let mut new = Vec::new();
    for user in distinct(users) {
        facts.must_exist(user)?;
        if facts.ban(group, user)?.is_none() {
            new.push(user);
        }
    }
    if !new.is_empty() && questions::bans_of(facts, group)? + new.len() as u64 > BANS_MAX.into() {
        return Err(Refusal::Limit { what: BANS_OF_A_GROUP, max: BANS_MAX }.into());
    }
    let mut requests = Requests::of(group);
    for user in &new {
        requests.close(facts, *user)?;
    }
    let mut done = removal.carry_out(facts, operation)?;
    let row = BanRow { banned_by: operation.operator.user, since_ms: facts.now_ms() };
    of_each(new, |user| {
        facts.tables.bans.set((group, user), Some(row.clone()));
        read_to_the_end(facts, operation, user, &mut done)
    })?;
    requests.tell(facts, &mut done)?;
    Ok(done)
}

/// They cannot move their marks any more.
fn read_to_the_end(
    facts: &mut Facts<'_>,
    operation: &Operation<'_>,
    user: UserId,
    done: &mut Done,
) -> Result<(), Stop> {
    let conversation = ConversationId::Group(operation.group);
    let Some(before) = facts.session(user, conversation)? else { return Ok(()) };
    let removed = done.notices.last().filter(|_| done.stamped.iter().any(|(stamped, _)| *stamped == user));
    let end = match removed {
        Some(notice) => notice.place(),
        None => end_of_last_stay(facts, user, operation.group)?,
    };
    let mut after = before;
    after.read_to(end);
    match removed {
        Some(_) => facts.tables.sessions.set((user, conversation), Some(after)),
        None if after == before => {}
        None => done.stamped.push((user, facts.stamp(user, conversation, |entry| *entry = after)?)),
    }
    Ok(())
}

pub(super) fn unban(facts: &mut Facts<'_>, operation: &Operation<'_>, users: &[UserId]) -> Result<Done, Stop> {
    if operation.stay.role == Role::Member {
        return Err(Refusal::Forbidden.into());
    }
    for user in distinct(users) {
        if facts.ban(operation.group, user)?.is_some() {
            facts.tables.bans.set((operation.group, user), None);
        }
    }
    Ok(Done::default())
}
