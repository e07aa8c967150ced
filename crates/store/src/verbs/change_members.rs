//! Members who come and go.

use anser_proto::{ConversationId, GroupId, UserId, v1::notice::Kind};

use super::joining::{changed, go, group_row, join, may_join};
use crate::{
    MEMBERS_OF_A_GROUP, MembersAction, MembersChange, MembersChanged, Refusal, Role,
    facts::{Facts, Stop, Want, of_each},
    questions,
    rows::GroupRow,
    steps::distinct,
    verb::{Verb, Wants},
};

pub(crate) struct ChangeMembers(pub(crate) MembersChange);

impl Verb for ChangeMembers {
    type Answer = MembersChanged;

    fn wants(&self, wants: &mut Wants) {
        let Self(MembersChange { group, operator, action, .. }) = self;
        let conversation = ConversationId::Group(*group);
        wants.row(Want::Head(conversation));
        wants.row(Want::Group(*group));
        for user in action.users().iter().chain([&operator.user]) {
            wants.row(Want::Mailbox(*user));
            wants.row(Want::Session(*user, conversation));
            wants.row(Want::Stay(*group, *user));
        }
        if let MembersAction::Invite(users) = action {
            for user in distinct(users) {
                wants.ask(questions::groups_of_user(wants.dialect, user, operator.user));
            }
        }
    }

    fn decide(&self, facts: &mut Facts<'_>) -> Result<MembersChanged, Stop> {
        let Self(MembersChange { group, operator, action, login_version }) = self;
        let (group, user) = (*group, operator.user);
        let own = facts.membership(group, user)?.ok_or(Refusal::NotMember)?.role;
        facts.must_be_logged_in(user, *login_version)?;
        let mut heir = None;
        let (kind, users) = match action {
            MembersAction::Invite(users) => (Kind::Joined, invited(facts, group, user, users)?),
            MembersAction::Remove(users) => {
                heir = heir_to_come(facts, group, user, own)?;
                (Kind::Removed, removed(facts, group, user, heir.map_or(own, |_| Role::Owner), users)?)
            }
            MembersAction::Leave => (Kind::Left, vec![user]),
        };
        if users.is_empty() {
            return changed(facts, group, user, Vec::new(), Vec::new());
        }
        let follows = match action {
            MembersAction::Leave if own == Role::Owner => questions::rightful_owner(facts, group, Some(user))?,
            _ => None,
        };
        let mut notices = Vec::new();
        if let Some(heir) = heir {
            crown(facts, group, heir)?;
            notices.push(facts.append_notice(group, operator, Kind::OwnerChanged, &[heir])?);
        }
        let notice = facts.append_notice(group, operator, kind, &users)?;
        let place = notice.place();
        notices.push(notice);
        let stamped = match kind {
            Kind::Joined => {
                facts.answer(user, group)?;
                join(facts, group, user, &users, place)?
            }
            _ => go(facts, group, &users, place)?,
        };
        if let Some(heir) = follows {
            crown(facts, group, heir)?;
            notices.push(facts.append_notice(group, operator, Kind::OwnerChanged, &[heir])?);
        }
        changed(facts, group, user, notices, stamped)
    }

    fn weight(&self) -> usize {
        1 + self.0.action.users().len()
    }

    fn bytes(&self) -> usize {
        size_of_val(self.0.action.users())
    }

    fn conversations(&self) -> Vec<ConversationId> {
        vec![ConversationId::Group(self.0.group)]
    }
}

/// Who removes others without being owner, and may, since the place is theirs by now.
fn heir_to_come(facts: &mut Facts<'_>, group: GroupId, operator: UserId, own: Role) -> Result<Option<UserId>, Stop> {
    if own == Role::Owner {
        return Ok(None);
    }
    // All members are looked through only where it matters: anybody may ask, and others wait meanwhile.
    let owner = group_row(facts, group)?.owner_id;
    if !facts.user(owner)?.is_some_and(|owner| owner.disabled) {
        return Ok(None);
    }
    Ok(questions::rightful_owner(facts, group, None)?.filter(|heir| *heir == operator))
}

/// Who of them is to join: those who are no members.
fn invited(facts: &mut Facts<'_>, group: GroupId, inviter: UserId, users: &[UserId]) -> Result<Vec<UserId>, Stop> {
    let mut new = Vec::new();
    for user in distinct(users) {
        facts.must_exist(user)?;
        if facts.membership(group, user)?.is_none() {
            new.push(user);
        }
    }
    let max = facts.options.group_members_max;
    if !new.is_empty() && group_row(facts, group)?.member_count + new.len() as u64 > max.into() {
        return Err(Refusal::Limit { what: MEMBERS_OF_A_GROUP, max }.into());
    }
    may_join(facts, inviter, &new)?;
    Ok(new)
}

/// Who of them is to go, if the operator may remove them all.
fn removed(
    facts: &mut Facts<'_>,
    group: GroupId,
    operator: UserId,
    own: Role,
    users: &[UserId],
) -> Result<Vec<UserId>, Stop> {
    if own == Role::Member || users.contains(&operator) {
        return Err(Refusal::Forbidden.into());
    }
    let mut present = Vec::new();
    for user in distinct(users) {
        match facts.membership(group, user)? {
            None => {}
            Some(stay) if own != Role::Owner && stay.role >= own => return Err(Refusal::Forbidden.into()),
            Some(_) => present.push(user),
        }
    }
    Ok(present)
}

/// Makes a member the owner; who was it before, and is still there, is a plain member.
fn crown(facts: &mut Facts<'_>, group: GroupId, heir: UserId) -> Result<(), Stop> {
    let row = group_row(facts, group)?;
    // Whoever changes a user's stay holds their mailbox: they may be answering in the group just now.
    of_each([row.owner_id, heir], |user| facts.must_exist(user))?;
    facts.set_role(group, row.owner_id, Role::Member)?;
    facts.set_role(group, heir, Role::Owner)?;
    facts.tables.groups.set(group, Some(GroupRow { owner_id: heir, ..row }));
    Ok(())
}
