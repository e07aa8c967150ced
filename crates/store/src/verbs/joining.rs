//! Who may join a group, how they join and go, and what the operator is told: what founding a group and changing it have in common.

use anser_proto::{ConversationId, GroupId, UserId};

use crate::{
    GROUPS_OF_A_USER, MembersChanged, Message, Refusal, Role,
    facts::{Facts, Stop, of_each},
    questions,
    rows::{GroupRow, Place, Stay},
};

pub(super) fn may_join(facts: &mut Facts<'_>, inviter: UserId, users: &[UserId]) -> Result<(), Stop> {
    let max = facts.options.groups_per_user_max;
    of_each(users, |user| {
        let groups = questions::groups_of(facts, *user, inviter)?;
        if groups.all >= max.into() {
            return Err(Refusal::Limit { what: GROUPS_OF_A_USER, max }.into());
        }
        if *user == inviter {
            return Ok(());
        }
        facts.options.check_unanswered_of_inviter(groups.of_inviter)?;
        match facts.options.check_unanswered(groups.unanswered) {
            Err(limit) if !questions::has_written(facts, *user, inviter)? => Err(limit.into()),
            _ => Ok(()),
        }
    })
    .map(drop)
}

/// The users come with the message at this place, and their read marks start there.
pub(super) fn join(
    facts: &mut Facts<'_>,
    group: GroupId,
    inviter: UserId,
    users: &[UserId],
    place: Place,
) -> Result<Vec<(UserId, u64)>, Stop> {
    let conversation = ConversationId::Group(group);
    let mut stamped = Vec::with_capacity(users.len());
    for user in users {
        let invited_by = (*user != inviter).then_some(inviter);
        let stay = Stay { joined: place.server_msg_id, left_at: None, role: Role::Member, invited_by };
        facts.stay(group, *user)?;
        facts.tables.stays.set((group, *user), Some(stay));
        stamped.push((*user, facts.stamp(*user, conversation, |entry| entry.read_to(place))?));
    }
    count_members(facts, group, |count| count + users.len() as u64)?;
    Ok(stamped)
}

/// The users go with the message at this place, which is the last that they see.
pub(super) fn go(
    facts: &mut Facts<'_>,
    group: GroupId,
    users: &[UserId],
    place: Place,
) -> Result<Vec<(UserId, u64)>, Stop> {
    let conversation = ConversationId::Group(group);
    let mut stamped = Vec::with_capacity(users.len());
    for user in users {
        if let Some(stay) = facts.membership(group, *user)? {
            facts.tables.stays.set((group, *user), Some(Stay { left_at: Some(place.server_msg_id), ..stay }));
        }
        stamped.push((*user, facts.stamp(*user, conversation, |_| {})?));
    }
    count_members(facts, group, |count| count.saturating_sub(users.len() as u64))?;
    Ok(stamped)
}

fn count_members(facts: &mut Facts<'_>, group: GroupId, count: impl FnOnce(u64) -> u64) -> Result<(), Stop> {
    let row = group_row(facts, group)?;
    let member_count = count(row.member_count);
    facts.tables.groups.set(group, Some(GroupRow { member_count, ..row }));
    Ok(())
}

pub(super) fn group_row(facts: &mut Facts<'_>, group: GroupId) -> Result<GroupRow, Stop> {
    Ok(facts.group(group)?.ok_or(Refusal::NotFound("group"))?)
}

/// The group as it is now.
pub(super) fn changed(
    facts: &mut Facts<'_>,
    group: GroupId,
    operator: UserId,
    notices: Vec<Message>,
    stamped: Vec<(UserId, u64)>,
) -> Result<MembersChanged, Stop> {
    let role = facts.membership(group, operator)?.map(|stay| stay.role);
    let group = group_row(facts, group)?.group(group);
    Ok(MembersChanged { group, role, notices, stamped })
}
