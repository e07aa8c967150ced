//! Members who come and go, and what they may do: what all such changes have in common.

use anser_proto::{ConversationId, GroupId, UserId, v1::notice::Kind};

use super::{joining, leaving, roles};
use crate::{
    MembersAction, MembersChange, MembersChanged, Message, Refusal, Role, Sender,
    facts::{Facts, Stop, Want, of_each},
    questions,
    rows::GroupRow,
    steps::distinct,
    verb::{Verb, Wants},
};

pub(crate) struct ChangeMembers(pub(crate) MembersChange);

/// A member who changes others, or themselves.
pub(super) struct Operation<'c> {
    pub(super) group: GroupId,
    pub(super) operator: &'c Sender,
    pub(super) own: Role,
}

/// What was appended, and whose sessions were stamped.
#[derive(Default)]
pub(super) struct Done {
    pub(super) notices: Vec<Message>,
    pub(super) stamped: Vec<(UserId, u64)>,
}

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
                joining::want_pair(wants, operator.user, user);
                wants.ask(questions::groups_of_user(wants.dialect, user, operator.user));
            }
        }
    }

    fn decide(&self, facts: &mut Facts<'_>) -> Result<MembersChanged, Stop> {
        let Self(MembersChange { group, operator, action, login_version }) = self;
        let (group, user) = (*group, operator.user);
        let Some(stay) = facts.membership(group, user)? else {
            let has_left = *action == MembersAction::Leave && questions::was_member(facts, group, user)?;
            return if has_left {
                changed(facts, group, user, Done::default())
            } else {
                Err(Refusal::NotMember.into())
            };
        };
        facts.must_be_logged_in(user, *login_version)?;
        let operation = Operation { group, operator, own: stay.role };
        let done = match action {
            MembersAction::Invite(users) => joining::invite(facts, &operation, users)?,
            MembersAction::Remove(users) => leaving::remove(facts, &operation, users)?,
            MembersAction::Leave => leaving::leave(facts, &operation)?,
            MembersAction::SetRole(users, rank) => roles::set(facts, &operation, users, rank.role())?,
            MembersAction::Transfer(heir) => roles::transfer(facts, &operation, *heir)?,
        };
        changed(facts, group, user, done)
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

impl Operation<'_> {
    /// Appends what happened to these users.
    pub(super) fn tell(&self, facts: &mut Facts<'_>, kind: Kind, users: &[UserId]) -> Result<Message, Stop> {
        facts.append_notice(self.group, self.operator, kind, users)
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

pub(super) fn group_row(facts: &mut Facts<'_>, group: GroupId) -> Result<GroupRow, Stop> {
    Ok(facts.group(group)?.ok_or(Refusal::NotFound("group"))?)
}

/// The group as it is now.
pub(super) fn changed(
    facts: &mut Facts<'_>,
    group: GroupId,
    operator: UserId,
    Done { notices, stamped }: Done,
) -> Result<MembersChanged, Stop> {
    let role = facts.membership(group, operator)?.map(|stay| stay.role);
    let group = group_row(facts, group)?.group(group);
    Ok(MembersChanged { group, role, notices, stamped })
}
