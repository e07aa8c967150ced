//! Who may join a group and how they join, whichever way they come.

use anser_proto::{ConversationId, GroupId, UserId, v1::notice::Kind};

use super::{
    change_members::{Done, Operation, group_row, told},
    requests::{Requests, propose},
};
use crate::{
    GROUPS_OF_A_USER, History, JoinMode, MEMBERS_OF_A_GROUP, Refusal, Role, Sender, UNANSWERED_GROUPS_OF_A_USER, Who,
    check_mute,
    facts::{Facts, Stop, Want, of_each},
    questions::{self, Counted, Groups},
    rows::{GroupRow, Place, Stay},
    steps::distinct,
    verb::Wants,
};

pub(super) fn invite(facts: &mut Facts<'_>, operation: &Operation<'_>, users: &[UserId]) -> Result<Done, Stop> {
    let Operation { group, operator, ref stay } = *operation;
    check_mute(stay.role, stay.muted_until_ms, false, facts.now_ms())?;
    if stay.role == Role::Member && group_row(facts, group)?.join_mode == JoinMode::Closed {
        return Err(Refusal::Forbidden.into());
    }
    let new = invited(facts, group, operator.user, users)?;
    if new.is_empty() {
        return Ok(Done::default());
    }
    if stay.role == Role::Member && group_row(facts, group)?.join_mode == JoinMode::Approval {
        return propose(facts, operation, &new);
    }
    let comers: Vec<_> = new.iter().map(|user| Comer::put_by(operator.user, *user)).collect();
    let mut done = let_in(facts, group, operator, &comers)?;
    facts.answer(operator.user, group)?;
    let mut requests = Requests::of(group);
    for user in new {
        requests.close(facts, user)?;
    }
    requests.tell(facts, &mut done)?;
    Ok(done)
}

/// Somebody who is to join.
#[derive(Clone, Copy)]
pub(super) struct Comer {
    pub(super) user: UserId,
    /// Who puts them there, until they answer.
    pub(super) invited_by: Option<UserId>,
}

impl Comer {
    pub(super) fn put_by(inviter: UserId, user: UserId) -> Self {
        Self { user, invited_by: (user != inviter).then_some(inviter) }
    }
}

/// They join with one notice, if there is room for them.
pub(super) fn let_in(facts: &mut Facts<'_>, group: GroupId, operator: &Sender, comers: &[Comer]) -> Result<Done, Stop> {
    let max = facts.options.group_members_max;
    if group_row(facts, group)?.member_count + comers.len() as u64 > max.into() {
        return Err(Refusal::Limit { what: MEMBERS_OF_A_GROUP, max }.into());
    }
    may_join(facts, comers)?;
    let users: Vec<_> = comers.iter().map(|comer| comer.user).collect();
    let notice = facts.append_notice(group, operator, told(Kind::Joined, &users))?;
    let stamped = join(facts, group, comers, notice.place())?;
    Ok(Done { notices: vec![notice], stamped, ..Done::default() })
}

/// Who of them is to join: those who are no members. Who may not come back is left out without a word.
fn invited(facts: &mut Facts<'_>, group: GroupId, inviter: UserId, users: &[UserId]) -> Result<Vec<UserId>, Stop> {
    let mut new = Vec::new();
    for user in distinct(users) {
        facts.must_exist(user)?;
        let may_come = facts.membership(group, user)?.is_none() && facts.ban(group, user)?.is_none();
        if may_come && may_be_put(facts, inviter, user)? {
            new.push(user);
        }
    }
    Ok(new)
}

/// What says whether somebody may be put into a group.
pub(super) fn want_pair(wants: &mut Wants, inviter: UserId, user: UserId) {
    wants.row(Want::Session(inviter, ConversationId::single(inviter, user)));
}

/// Neither blocked the other one, and they let the inviter. Who may not be put into a group is left out, and nobody is told.
pub(super) fn may_be_put(facts: &mut Facts<'_>, inviter: UserId, user: UserId) -> Result<bool, Stop> {
    let pair = facts.session(inviter, ConversationId::single(inviter, user))?;
    let pair = pair.unwrap_or_default();
    let may = match facts.mailbox_of(user)?.privacy.invites {
        Who::Everybody => true,
        Who::Contacts => pair.contact,
        Who::Nobody => false,
    };
    Ok(user == inviter || (may && !pair.refused))
}

pub(super) fn may_join(facts: &mut Facts<'_>, comers: &[Comer]) -> Result<(), Stop> {
    of_each(comers, |Comer { user, invited_by }| {
        let inviter = invited_by.unwrap_or(*user);
        // Most have room, also if those count that were dissolved.
        let groups = questions::groups_of(facts, *user, inviter, Counted::All)?;
        if check_room(facts, *user, inviter, &groups).is_ok() {
            return Ok(());
        }
        let groups = questions::groups_of(facts, *user, inviter, Counted::Living)?;
        match check_room(facts, *user, inviter, &groups) {
            Err(Refusal::Limit { what: UNANSWERED_GROUPS_OF_A_USER, .. })
                if questions::has_written(facts, *user, inviter)? =>
            {
                Ok(())
            }
            checked => Ok(checked?),
        }
    })
    .map(drop)
}

/// As far as the inviter is a stranger to them.
fn check_room(facts: &Facts<'_>, user: UserId, inviter: UserId, groups: &Groups) -> Result<(), Refusal> {
    let max = facts.options.groups_per_user_max;
    if groups.all >= max.into() {
        return Err(Refusal::Limit { what: GROUPS_OF_A_USER, max });
    }
    if user == inviter {
        return Ok(());
    }
    facts.options.check_unanswered_of_inviter(groups.of_inviter)?;
    facts.options.check_unanswered(groups.unanswered)
}

/// The users come with the message at this place, and their read marks start there.
pub(super) fn join(
    facts: &mut Facts<'_>,
    group: GroupId,
    comers: &[Comer],
    place: Place,
) -> Result<Vec<(UserId, u64)>, Stop> {
    let conversation = ConversationId::Group(group);
    let visible_from = visible_from(facts, group, place.server_msg_id)?;
    let mut stamped = Vec::with_capacity(comers.len());
    for Comer { user, invited_by } in comers {
        let stay = Stay {
            joined: place.server_msg_id,
            left_at: None,
            role: Role::Member,
            invited_by: *invited_by,
            muted_until_ms: 0,
            visible_from,
            nickname: None,
            nickname_changed: 0,
        };
        facts.stay(group, *user)?;
        facts.tables.stays.set((group, *user), Some(stay));
        stamped.push((*user, facts.stamp(*user, conversation, |entry| entry.read_to(place))?));
    }
    count_members(facts, group, |count| count + comers.len() as u64)?;
    Ok(stamped)
}

/// The first id that whoever joins here sees, where it is one of before.
fn visible_from(facts: &mut Facts<'_>, group: GroupId, joined: u64) -> Result<Option<u64>, Stop> {
    match group_row(facts, group)?.history {
        History::None => Ok(None),
        History::All => Ok(Some(1)),
        History::Last(last) => {
            let query = questions::shown_before(facts.source.dialect(), facts.options.shards, group, joined, last);
            Ok(facts.ask(&query, |row| row.get())?.pop())
        }
    }
}

pub(super) fn count_members(facts: &mut Facts<'_>, group: GroupId, count: impl FnOnce(u64) -> u64) -> Result<(), Stop> {
    let row = group_row(facts, group)?;
    let member_count = count(row.member_count);
    facts.tables.groups.set(group, Some(GroupRow { member_count, ..row }));
    Ok(())
}
