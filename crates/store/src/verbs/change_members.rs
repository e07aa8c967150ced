//! Members who come and go, and what they may do: what all such changes have in common.

use anser_proto::{
    ConversationId, GroupId, UserId,
    v1::{self, notice::Kind},
};

use super::{banning, joining, leaving, muting, requests, roles};
use crate::{
    Change, MembersAction, MembersChange, MembersChanged, Message, Refusal, Role, Sender,
    facts::{Facts, Stop, Want, of_each},
    questions::{self, Counted},
    rows::{GroupRow, Stay, Thing},
    steps::distinct,
    verb::{Verb, Wants},
};

pub(crate) struct ChangeMembers {
    pub(crate) change: MembersChange,
    /// The owner and admins, as far as they are known: who of them is told of something is to be locked before the group's log is.
    pub(crate) overseers: Vec<UserId>,
}

/// A member who changes others, or themselves.
pub(super) struct Operation<'c> {
    pub(super) group: GroupId,
    pub(super) operator: &'c Sender,
    pub(super) stay: Stay,
}

/// What was appended, and whose sessions were stamped.
#[derive(Default)]
pub(super) struct Done {
    pub(super) notices: Vec<Message>,
    pub(super) stamped: Vec<(UserId, u64)>,
    /// What the owner and admins are told of who waits to be let in.
    pub(super) changes: Vec<(UserId, Change)>,
    /// How many do, if that was asked.
    pub(super) waiting: Option<u64>,
}

impl Verb for ChangeMembers {
    type Answer = MembersChanged;

    fn wants(&self, wants: &mut Wants) {
        let Self { change: MembersChange { group, operator, action, .. }, overseers } = self;
        let conversation = ConversationId::Group(*group);
        wants.row(Want::Head(conversation));
        wants.row(Want::Group(*group));
        for user in action.users().iter().chain([&operator.user]) {
            wants.row(Want::Mailbox(*user));
            wants.row(Want::Session(*user, conversation));
            wants.row(Want::Stay(*group, *user));
        }
        for overseer in overseers {
            wants.row(Want::Mailbox(*overseer));
            wants.row(Want::Change(*overseer, Thing::JoinRequests(*group)));
        }
        if let MembersAction::Invite(users) | MembersAction::Ban(users) | MembersAction::Unban(users) = action {
            users.iter().for_each(|user| wants.row(Want::Ban(*group, *user)));
        }
        if let MembersAction::Invite(users)
        | MembersAction::Ban(users)
        | MembersAction::Approve(users)
        | MembersAction::Reject(users) = action
        {
            users.iter().for_each(|user| wants.row(Want::JoinRequest(*group, *user)));
        }
        if let MembersAction::Invite(users) = action {
            for user in distinct(users) {
                joining::want_pair(wants, operator.user, user);
                wants.ask(questions::groups_of_user(wants.dialect, user, operator.user, Counted::All));
            }
        }
    }

    fn decide(&self, facts: &mut Facts<'_>) -> Result<MembersChanged, Stop> {
        let MembersChange { group, operator, action, login_version } = &self.change;
        let (group, user) = (*group, operator.user);
        let Some(stay) = facts.membership(group, user)? else {
            let is_done = match action {
                MembersAction::Leave => facts.ban(group, user)?.is_none() && questions::was_member(facts, group, user)?,
                MembersAction::Dissolve => is_dissolved_by(facts, group, user)?,
                _ => false,
            };
            return match is_done {
                true => changed(facts, group, user, Done::default()),
                false => Err(Refusal::NotMember.into()),
            };
        };
        facts.must_be_logged_in(user, &operator.device_id, *login_version)?;
        let operation = Operation { group, operator, stay };
        let mut done = match action {
            MembersAction::Invite(users) => joining::invite(facts, &operation, users)?,
            MembersAction::Remove(users) => leaving::remove(facts, &operation, users)?,
            MembersAction::Ban(users) => banning::ban(facts, &operation, users)?,
            MembersAction::Approve(users) => requests::approve(facts, &operation, users)?,
            MembersAction::Reject(users) => requests::reject(facts, &operation, users)?,
            MembersAction::Unban(users) => banning::unban(facts, &operation, users)?,
            MembersAction::Leave => leaving::leave(facts, &operation)?,
            MembersAction::SetRole(users, rank) => roles::set(facts, &operation, users, rank.role())?,
            MembersAction::Transfer(heir) => roles::transfer(facts, &operation, *heir)?,
            MembersAction::Mute(users, until_ms) => muting::mute(facts, &operation, users, *until_ms)?,
            MembersAction::Dissolve => dissolve(facts, &operation)?,
        };
        if !matches!(action, MembersAction::Mute(..)) {
            requests::tell_risen(facts, group, &mut done)?;
        }
        changed(facts, group, user, done)
    }

    fn weight(&self) -> usize {
        1 + self.change.action.users().len()
    }

    fn bytes(&self) -> usize {
        size_of_val(self.change.action.users()) + size_of_val(&*self.overseers)
    }

    fn conversations(&self) -> Vec<ConversationId> {
        vec![ConversationId::Group(self.change.group)]
    }
}

impl Operation<'_> {
    /// Appends what happened to these users.
    pub(super) fn tell(&self, facts: &mut Facts<'_>, kind: Kind, users: &[UserId]) -> Result<Message, Stop> {
        facts.append_notice(self.group, self.operator, told(kind, users))
    }

    /// Those of them who are members, if an operator of this role is above them all.
    pub(super) fn below(
        &self,
        facts: &mut Facts<'_>,
        role: Role,
        users: &[UserId],
    ) -> Result<Vec<(UserId, Stay)>, Stop> {
        if role == Role::Member || users.contains(&self.operator.user) {
            return Err(Refusal::Forbidden.into());
        }
        let mut present = Vec::new();
        for user in distinct(users) {
            match facts.membership(self.group, user)? {
                Some(stay) if role != Role::Owner && stay.role >= role => return Err(Refusal::Forbidden.into()),
                Some(stay) => present.push((user, stay)),
                None => {}
            }
        }
        Ok(present)
    }

    /// Makes a member the owner. Who was it before, and is still there, has this role.
    pub(super) fn crown(&self, facts: &mut Facts<'_>, heir: UserId, before: Role) -> Result<Message, Stop> {
        let row = group_row(facts, self.group)?;
        // Whoever changes a user's stay holds their mailbox: they may be answering in the group just now.
        of_each([row.owner_id, heir], |user| facts.must_exist(user))?;
        facts.set_role(self.group, row.owner_id, before)?;
        facts.set_role(self.group, heir, Role::Owner)?;
        facts.tables.groups.set(self.group, Some(GroupRow { owner_id: heir, ..row }));
        self.tell(facts, Kind::OwnerChanged, &[heir])
    }
}

impl Done {
    /// Stamps the sessions of these, unless they are already.
    pub(super) fn stamp(
        mut self,
        facts: &mut Facts<'_>,
        group: GroupId,
        users: impl IntoIterator<Item = UserId>,
    ) -> Result<Self, Stop> {
        for user in users {
            if self.stamped.iter().all(|(stamped, _)| *stamped != user) {
                self.stamped.push((user, facts.stamp(user, ConversationId::Group(group), |_| {})?));
            }
        }
        Ok(self)
    }
}

/// What is left says itself who may see it: no row of a member is touched.
fn dissolve(facts: &mut Facts<'_>, operation: &Operation<'_>) -> Result<Done, Stop> {
    if operation.stay.role != Role::Owner {
        return Err(Refusal::Forbidden.into());
    }
    let notice = operation.tell(facts, Kind::Dissolved, &[])?;
    let (row, dissolved_at) = (group_row(facts, operation.group)?, Some(notice.server_msg_id));
    facts.tables.groups.set(operation.group, Some(GroupRow { dissolved_at, ..row }));
    Ok(Done { notices: vec![notice], ..Done::default() })
}

fn is_dissolved_by(facts: &mut Facts<'_>, group: GroupId, user: UserId) -> Result<bool, Stop> {
    Ok(facts.group(group)?.is_some_and(|row| row.dissolved_at.is_some() && row.owner_id == user))
}

pub(super) fn told(kind: Kind, users: &[UserId]) -> v1::Notice {
    let user_ids = users.iter().map(|user| user.0).collect();
    v1::Notice { kind: kind.into(), user_ids, ..v1::Notice::default() }
}

pub(super) fn group_row(facts: &mut Facts<'_>, group: GroupId) -> Result<GroupRow, Stop> {
    Ok(facts.group(group)?.ok_or(Refusal::NotFound("group"))?)
}

/// The group as it is now.
pub(super) fn changed(
    facts: &mut Facts<'_>,
    group: GroupId,
    operator: UserId,
    Done { notices, stamped, changes, .. }: Done,
) -> Result<MembersChanged, Stop> {
    let row = group_row(facts, group)?;
    let (group, role) = match facts.membership(group, operator)? {
        Some(stay) => (row.group_of(group, &stay), Some(stay.role)),
        None => (row.group(group), None),
    };
    Ok(MembersChanged { group, role, notices, stamped, changes })
}
