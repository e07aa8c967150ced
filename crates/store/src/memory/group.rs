//! Groups: making them and looking at them.

use std::{collections::BTreeSet, sync::Arc};

use anser_proto::{ConversationId, GroupId, UserId, limits::ADMINS_MAX, v1::notice::Kind};

use super::{GroupRow, Membership, State, page};
use crate::{
    ADMINS_OF_A_GROUP, GROUPS_OF_A_USER, Group, MEMBERS_OF_A_GROUP, Member, MemberIds, MembersChanged, NewGroup, Page,
    Refusal, Role,
};

impl Membership {
    pub(super) fn covers(&self, server_msg_id: u64) -> bool {
        self.joined <= server_msg_id && self.left.is_none_or(|left| server_msg_id <= left)
    }
}

impl GroupRow {
    /// The user's membership, if they are a member now.
    pub(super) fn present(&self, user: UserId) -> Option<&Membership> {
        self.members().find(|one| one.user == user)
    }

    /// They were a member, and are none now.
    pub(super) fn has_left(&self, user: UserId) -> bool {
        self.present(user).is_none() && self.memberships.iter().any(|one| one.user == user)
    }

    pub(super) fn may_have_more_admins(&self, more: usize) -> Result<(), Refusal> {
        let admins = self.members().filter(|one| one.role == Role::Admin).count();
        if admins + more <= ADMINS_MAX as usize {
            return Ok(());
        }
        Err(Refusal::Limit { what: ADMINS_OF_A_GROUP, max: ADMINS_MAX })
    }

    pub(super) fn members(&self) -> impl Iterator<Item = &Membership> {
        self.memberships.iter().filter(|one| one.left.is_none())
    }

    pub(super) fn info(&self) -> Group {
        Group { member_count: self.members().count() as u32, ..self.group.clone() }
    }
}

impl State {
    pub(super) fn create_group(&mut self, new: NewGroup) -> Result<MembersChanged, Refusal> {
        let creator = new.creator.user;
        let same = |row: &&GroupRow| row.creator == creator && row.client_group_id == new.client_group_id;
        if let Some(row) = self.groups.values().find(same) {
            return Ok(unchanged(row, creator));
        }
        let mut members = BTreeSet::from_iter(new.members.iter().copied().chain([creator]));
        for user in &members {
            self.user_row(*user)?;
        }
        members.retain(|user| self.may_be_put(creator, *user));
        self.must_be_logged_in(creator, new.login_version)?;
        self.may_join(creator, &members, 0)?;
        if self.groups.contains_key(&new.group) {
            return Err(Refusal::Conflict("group_id"));
        }

        let notice = self.push_notice(new.group, &new.creator, Kind::Created, members.iter());
        let group = Group {
            group: new.group,
            name: new.name,
            avatar: new.avatar,
            owner: creator,
            member_count: 0,
            created_ms: notice.server_time_ms,
            members_version: 0,
        };
        let row = GroupRow { group, creator, client_group_id: new.client_group_id, memberships: Vec::new() };
        self.groups.insert(new.group, row);
        self.join(new.group, creator, &members, notice.server_msg_id);
        let row = self.groups.get_mut(&new.group).expect("it was just made");
        row.memberships.iter_mut().filter(|one| one.user == creator).for_each(|one| one.role = Role::Owner);
        Ok(self.changed(new.group, creator, vec![notice], &members))
    }

    /// Refuses users who do not exist, or who would be too many beside `present` members, or in too many groups.
    pub(super) fn may_join(&self, inviter: UserId, users: &BTreeSet<UserId>, present: usize) -> Result<(), Refusal> {
        for user in users {
            self.user_row(*user)?;
        }
        let (members_max, groups_max) = (self.options.group_members_max, self.options.groups_per_user_max);
        if present + users.len() > members_max as usize {
            return Err(Refusal::Limit { what: MEMBERS_OF_A_GROUP, max: members_max });
        }
        let groups = |user: &UserId| self.groups.values().filter(|row| row.present(*user).is_some()).count();
        if users.iter().any(|user| groups(user) >= groups_max as usize) {
            return Err(Refusal::Limit { what: GROUPS_OF_A_USER, max: groups_max });
        }
        for user in users.iter().filter(|user| **user != inviter) {
            let stays = self.groups.values().filter_map(|row| row.present(*user));
            let inviters: Vec<_> = stays.filter_map(|stay| stay.invited_by).collect();
            let of_inviter = inviters.iter().filter(|by| **by == inviter).count();
            self.options.check_unanswered_of_inviter(of_inviter as u64)?;
            if !self.has_written(*user, inviter) {
                self.options.check_unanswered(inviters.len() as u64)?;
            }
        }
        Ok(())
    }

    fn has_written(&self, from: UserId, to: UserId) -> bool {
        let log = self.logs.get(&ConversationId::single(from, to));
        log.is_some_and(|log| log.iter().any(|message| message.from.user == from))
    }

    /// The user did something in the conversation themselves.
    pub(super) fn answer(&mut self, user: UserId, conversation: ConversationId) {
        let ConversationId::Group(group) = conversation else { return };
        let row = self.groups.get_mut(&group).expect("the group was looked up");
        let present = row.memberships.iter_mut().filter(|one| one.left.is_none() && one.user == user);
        present.for_each(|one| one.invited_by = None);
    }

    /// Makes them members from this place of the log on.
    pub(super) fn join(&mut self, group: GroupId, inviter: UserId, users: &BTreeSet<UserId>, joined: u64) {
        let row = self.groups.get_mut(&group).expect("the group was looked up");
        for user in users {
            let invited_by = Some(inviter).filter(|inviter| inviter != user);
            row.memberships.push(Membership { user: *user, role: Role::Member, invited_by, joined, left: None });
            let session = self.sessions.entry((*user, ConversationId::Group(group))).or_default();
            (session.read_mark, session.delivered_mark) = (joined, joined);
        }
    }

    /// Stamps those whose membership changed and tells of it.
    pub(super) fn changed(
        &mut self,
        group: GroupId,
        operator: UserId,
        notices: Vec<crate::Message>,
        users: &BTreeSet<UserId>,
    ) -> MembersChanged {
        let conversation = ConversationId::Group(group);
        let stamped = users.iter().map(|user| (*user, self.stamp(*user, conversation))).collect();
        self.stats.commits += 1;
        let row = self.groups.get_mut(&group).expect("the group was looked up");
        row.group.members_version += 1;
        MembersChanged { notices, stamped, ..unchanged(row, operator) }
    }

    pub(super) fn group(&self, asker: UserId, group: GroupId) -> Result<(Group, Role), Refusal> {
        let (row, own) = self.as_member(asker, group)?;
        Ok((row.info(), own.role))
    }

    pub(super) fn as_member(&self, user: UserId, group: GroupId) -> Result<(&GroupRow, &Membership), Refusal> {
        let row = self.groups.get(&group).ok_or(Refusal::NotMember)?;
        Ok((row, row.present(user).ok_or(Refusal::NotMember)?))
    }

    pub(super) fn members(
        &self,
        asker: UserId,
        group: GroupId,
        after: UserId,
        limit: u32,
    ) -> Result<Page<Member>, Refusal> {
        let (row, _) = self.as_member(asker, group)?;
        let mut present: Vec<&Membership> = row.members().filter(|one| one.user > after).collect();
        present.sort_by_key(|one| one.user);
        let shown = |one: &Membership| {
            let user = self.users[&one.user].user.clone();
            Member { user, role: one.role, joined: one.joined }
        };
        Ok(page(present.into_iter().map(shown), limit))
    }

    pub(super) fn member_ids(&self, group: GroupId) -> MemberIds {
        let row = self.groups.get(&group);
        row.map_or((0, Arc::new([])), |row| {
            let mut members: Vec<_> = row.members().map(|one| (one.user, one.joined)).collect();
            members.sort_unstable();
            (row.group.members_version, members.into())
        })
    }
}

/// A group as it is, in which nothing happened.
pub(super) fn unchanged(row: &GroupRow, operator: UserId) -> MembersChanged {
    let role = row.present(operator).map(|one| one.role);
    MembersChanged { group: row.info(), role, notices: Vec::new(), stamped: Vec::new() }
}
