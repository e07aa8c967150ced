//! Members who go: by themselves, or removed.

use anser_proto::{ConversationId, GroupId, UserId, v1::notice::Kind};

use super::{
    change_members::{Done, Operation, group_row},
    joining::count_members,
};
use crate::{
    Role,
    facts::{Facts, Stop},
    questions,
    rows::{Place, Stay},
};

pub(super) fn leave(facts: &mut Facts<'_>, operation: &Operation<'_>) -> Result<Done, Stop> {
    let Operation { group, operator, ref stay } = *operation;
    let follows = match stay.role {
        Role::Owner => questions::rightful_owner(facts, group, Some(operator.user))?,
        _ => None,
    };
    let gone = &[operator.user];
    let notice = operation.tell(facts, Kind::Left, gone)?;
    let stamped = go(facts, group, gone, notice.place())?;
    let mut done = Done { notices: vec![notice], stamped, ..Done::default() };
    if let Some(heir) = follows {
        done.notices.push(operation.crown(facts, heir, Role::Member)?);
    }
    done.stamp(facts, group, follows)
}

pub(super) fn remove(facts: &mut Facts<'_>, operation: &Operation<'_>, users: &[UserId]) -> Result<Done, Stop> {
    Removal::of(facts, operation, users)?.carry_out(facts, operation)
}

/// Members whom the operator may remove.
pub(super) struct Removal {
    pub(super) members: Vec<UserId>,
    /// The operator, if the place of the owner is theirs by now.
    heir: Option<UserId>,
}

impl Removal {
    /// Those of the users who are members.
    pub(super) fn of(facts: &mut Facts<'_>, operation: &Operation<'_>, users: &[UserId]) -> Result<Self, Stop> {
        let heir = heir_to_come(facts, operation)?;
        let role = if heir.is_some() { Role::Owner } else { operation.stay.role };
        let members = operation.below(facts, role, users)?.into_iter().map(|(user, _)| user).collect();
        Ok(Self { members, heir })
    }

    pub(super) fn carry_out(&self, facts: &mut Facts<'_>, operation: &Operation<'_>) -> Result<Done, Stop> {
        let (group, mut done, mut concerned) = (operation.group, Done::default(), Vec::new());
        if self.members.is_empty() {
            return Ok(done);
        }
        if let Some(heir) = self.heir {
            concerned.extend([group_row(facts, group)?.owner_id, heir]);
            done.notices.push(operation.crown(facts, heir, Role::Member)?);
        }
        let notice = operation.tell(facts, Kind::Removed, &self.members)?;
        done.stamped = go(facts, group, &self.members, notice.place())?;
        done.notices.push(notice);
        done.stamp(facts, group, concerned)
    }
}

/// Who removes others without being owner, and may, since the place is theirs by now.
fn heir_to_come(facts: &mut Facts<'_>, operation: &Operation<'_>) -> Result<Option<UserId>, Stop> {
    let Operation { group, operator, ref stay } = *operation;
    if stay.role == Role::Owner {
        return Ok(None);
    }
    // All members are looked through only where it matters: anybody may ask, and others wait meanwhile.
    let owner = group_row(facts, group)?.owner_id;
    if !facts.user(owner)?.is_some_and(|owner| owner.disabled) {
        return Ok(None);
    }
    Ok(questions::rightful_owner(facts, group, None)?.filter(|heir| *heir == operator.user))
}

/// The users go with the message at this place, which is the last that they see.
fn go(facts: &mut Facts<'_>, group: GroupId, users: &[UserId], place: Place) -> Result<Vec<(UserId, u64)>, Stop> {
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
