//! Members joining and going, and the notices that tell of it.

use std::{cmp::Reverse, collections::BTreeSet};

use anser_proto::{
    ConversationId, GroupId, UserId,
    limits::BANS_MAX,
    v1::{self, notice::Kind},
};
use prost::Message as _;

use super::{GroupRow, Membership, State, group::unchanged, message::first_place};
use crate::{
    Appended, BANS_OF_A_GROUP, JoinMode, MembersAction, MembersChange, MembersChanged, Message, NewMessage,
    NicknameChange, Refusal, Role, Sender,
};

impl State {
    pub(super) fn change_members(&mut self, change: MembersChange) -> Result<MembersChanged, Refusal> {
        let MembersChange { group, operator, action, login_version } = change;
        if action == MembersAction::Leave
            && let Some(row) = self.groups.get(&group).filter(|row| row.has_left(operator.user))
        {
            return Ok(unchanged(row, operator.user));
        }
        if action == MembersAction::Dissolve
            && let Some(row) = self.groups.get(&group).filter(|row| row.is_dissolved_by(operator.user))
        {
            return Ok(unchanged(row, operator.user));
        }
        self.as_member(operator.user, group)?;
        self.must_be_logged_in(operator.user, &operator.device_id, login_version)?;
        let (before, tells) = (self.before(group), !matches!(action, MembersAction::Mute(..)));
        let mut changed = self.act_on_members(group, &operator, action)?;
        changed.changes = self.tell_waiting(group, before);
        if tells {
            self.tell_risen(group, &mut changed);
        }
        Ok(changed)
    }

    fn act_on_members(
        &mut self,
        group: GroupId,
        operator: &Sender,
        action: MembersAction,
    ) -> Result<MembersChanged, Refusal> {
        match action {
            MembersAction::Invite(users) => self.invite(group, operator, users),
            MembersAction::Remove(users) => self.remove(group, operator, &users),
            MembersAction::Ban(users) => self.ban(group, operator, &users),
            MembersAction::Approve(users) => self.approve(group, operator, &users),
            MembersAction::Reject(users) => self.reject(group, operator.user, &users),
            MembersAction::Unban(users) => self.unban(group, operator.user, &users),
            MembersAction::Leave => self.leave(group, operator),
            MembersAction::SetRole(users, rank) => self.set_role(group, operator, users, rank.role()),
            MembersAction::Mute(users, until_ms) => self.mute(group, operator, users, until_ms),
            MembersAction::Dissolve => self.dissolve(group, operator),
            MembersAction::Transfer(heir) => self.transfer(group, operator, heir),
        }
    }

    fn invite(&mut self, group: GroupId, operator: &Sender, users: Vec<UserId>) -> Result<MembersChanged, Refusal> {
        let (row, own) = self.as_member(operator.user, group)?;
        if own.muted_until_ms > (self.options.clock)() {
            return Err(Refusal::Muted { for_ms: own.muted_until_ms - (self.options.clock)() });
        }
        if row.group.join_mode == JoinMode::Closed && own.role == Role::Member {
            return Err(Refusal::Forbidden);
        }
        for user in &users {
            self.user_row(*user)?;
        }
        let invited = users.into_iter().filter(|user| row.present(*user).is_none() && !row.is_banned(*user));
        let invited = invited.filter(|user| self.may_be_put(operator.user, *user)).collect();
        if row.group.join_mode == JoinMode::Approval && own.role == Role::Member {
            return self.propose(group, operator.user, &invited);
        }
        self.may_join(operator.user, &invited, row.members().count())?;
        if invited.is_empty() {
            return Ok(unchanged(row, operator.user));
        }
        let notice = self.push_notice(group, operator, told(Kind::Joined, &invited));
        self.join(group, operator.user, &invited, notice.server_msg_id);
        let row = self.groups.get_mut(&group).expect("the group was looked up");
        row.waiting.retain(|user, _| !invited.contains(user));
        self.answer(operator.user, ConversationId::Group(group));
        Ok(self.changed(group, operator.user, vec![notice], &invited))
    }

    /// Who of them is a member, and whether the operator removes them as owner, who they may not be yet.
    fn removable(
        &self,
        group: GroupId,
        operator: UserId,
        users: &[UserId],
    ) -> Result<(BTreeSet<UserId>, bool), Refusal> {
        let (row, own) = self.as_member(operator, group)?;
        let removed: BTreeSet<UserId> = users.iter().copied().filter(|user| row.present(*user).is_some()).collect();
        let is_owner = own.role == Role::Owner || self.rightful_owner(row) == Some(operator);
        let above = |user: &UserId| is_owner || row.present(*user).is_none_or(|one| one.role < own.role);
        if users.contains(&operator) || !(is_owner || own.role == Role::Admin) || !removed.iter().all(above) {
            return Err(Refusal::Forbidden);
        }
        Ok((removed, is_owner))
    }

    fn remove(&mut self, group: GroupId, operator: &Sender, users: &[UserId]) -> Result<MembersChanged, Refusal> {
        let (removed, is_owner) = self.removable(group, operator.user, users)?;
        let (row, own) = self.as_member(operator.user, group)?;
        if removed.is_empty() {
            return Ok(unchanged(row, operator.user));
        }
        let (mut notices, mut concerned) = (Vec::new(), removed.clone());
        if is_owner && own.role != Role::Owner {
            concerned.extend([row.group.owner, operator.user]);
            self.crown(group, operator.user, Role::Member);
            notices.push(self.push_notice(group, operator, told(Kind::OwnerChanged, [&operator.user])));
        }
        notices.push(self.push_notice(group, operator, told(Kind::Removed, &removed)));
        self.depart(group, &removed, notices[notices.len() - 1].server_msg_id);
        Ok(self.changed(group, operator.user, notices, &concerned))
    }

    fn ban(&mut self, group: GroupId, operator: &Sender, users: &[UserId]) -> Result<MembersChanged, Refusal> {
        self.removable(group, operator.user, users)?;
        let row = &self.groups[&group];
        let new: BTreeSet<UserId> = users.iter().copied().filter(|user| !row.is_banned(*user)).collect();
        for user in users {
            self.user_row(*user)?;
        }
        if !new.is_empty() && row.bans.len() + new.len() > BANS_MAX as usize {
            return Err(Refusal::Limit { what: BANS_OF_A_GROUP, max: BANS_MAX });
        }
        let mut changed = self.remove(group, operator, users)?;
        self.groups.get_mut(&group).expect("it was looked up").waiting.retain(|user, _| !new.contains(user));
        let (conversation, now) = (ConversationId::Group(group), (self.options.clock)());
        for user in new {
            let end = self.visible(user, conversation).ok().and_then(|seen| seen.last().map(|last| last.server_msg_id));
            self.groups.get_mut(&group).expect("it was looked up").bans.insert(user, (operator.user, now));
            let (Some(end), Some(row)) = (end, self.sessions.get_mut(&(user, conversation))) else { continue };
            let moves = (row.read_mark, row.delivered_mark) != (end, end);
            (row.read_mark, row.delivered_mark) = (end, end);
            if moves && changed.stamped.iter().all(|(stamped, _)| *stamped != user) {
                changed.stamped.push((user, self.stamp(user, conversation)));
            }
        }
        Ok(changed)
    }

    fn unban(&mut self, group: GroupId, operator: UserId, users: &[UserId]) -> Result<MembersChanged, Refusal> {
        if self.as_member(operator, group)?.1.role == Role::Member {
            return Err(Refusal::Forbidden);
        }
        let row = self.groups.get_mut(&group).expect("it was looked up");
        row.bans.retain(|user, _| !users.contains(user));
        Ok(unchanged(row, operator))
    }

    fn leave(&mut self, group: GroupId, operator: &Sender) -> Result<MembersChanged, Refusal> {
        let (_, own) = self.as_member(operator.user, group)?;
        let (was_owner, gone) = (own.role == Role::Owner, BTreeSet::from([operator.user]));
        let mut notices = vec![self.push_notice(group, operator, told(Kind::Left, &gone))];
        self.depart(group, &gone, notices[0].server_msg_id);
        let mut concerned = gone;
        if was_owner && let Some(heir) = self.rightful_owner(&self.groups[&group]) {
            self.crown(group, heir, Role::Member);
            notices.push(self.push_notice(group, operator, told(Kind::OwnerChanged, [&heir])));
            concerned.insert(heir);
        }
        Ok(self.changed(group, operator.user, notices, &concerned))
    }

    fn set_role(
        &mut self,
        group: GroupId,
        operator: &Sender,
        users: Vec<UserId>,
        role: Role,
    ) -> Result<MembersChanged, Refusal> {
        let (row, own) = self.as_member(operator.user, group)?;
        if own.role != Role::Owner || users.contains(&operator.user) {
            return Err(Refusal::Forbidden);
        }
        let is_other = |user: &UserId| row.present(*user).is_some_and(|one| one.role != role);
        let others: BTreeSet<UserId> = users.into_iter().filter(is_other).collect();
        if others.is_empty() {
            return Ok(unchanged(row, operator.user));
        }
        let kind = if role == Role::Admin { Kind::Promoted } else { Kind::Demoted };
        if role == Role::Admin {
            row.may_have_more_admins(others.len())?;
        }
        let notice = self.push_notice(group, operator, told(kind, &others));
        let row = self.groups.get_mut(&group).expect("the group was looked up");
        let present = row.memberships.iter_mut().filter(|one| one.left.is_none() && others.contains(&one.user));
        present.for_each(|one| one.role = role);
        Ok(self.changed(group, operator.user, vec![notice], &others))
    }

    fn transfer(&mut self, group: GroupId, operator: &Sender, heir: UserId) -> Result<MembersChanged, Refusal> {
        let (row, own) = self.as_member(operator.user, group)?;
        if row.group.owner == heir && row.present(heir).is_some() {
            return Ok(unchanged(row, operator.user));
        }
        if own.role != Role::Owner {
            return Err(Refusal::Forbidden);
        }
        if row.present(heir).ok_or(Refusal::NotFound("member"))?.role == Role::Member {
            row.may_have_more_admins(1)?;
        }
        self.crown(group, heir, Role::Admin);
        let notice = self.push_notice(group, operator, told(Kind::OwnerChanged, [&heir]));
        Ok(self.changed(group, operator.user, vec![notice], &BTreeSet::from([operator.user, heir])))
    }

    fn depart(&mut self, group: GroupId, users: &BTreeSet<UserId>, left: u64) {
        let row = self.groups.get_mut(&group).expect("the group was looked up");
        let going = row.memberships.iter_mut().filter(|one| one.left.is_none() && users.contains(&one.user));
        going.for_each(|one| one.left = Some(left));
    }

    /// The owner; while they are disabled or gone the longest-standing admin, else the longest-standing member, of those who are not disabled
    /// if there are any.
    fn rightful_owner(&self, row: &GroupRow) -> Option<UserId> {
        let is_disabled = |one: &Membership| self.users[&one.user].user.disabled;
        let first = row.members().min_by_key(|one| (is_disabled(one), Reverse(one.role), one.joined, one.user));
        first.map(|one| one.user)
    }

    /// Whoever was owner, and is still there, has the role `before`.
    fn crown(&mut self, group: GroupId, heir: UserId, before: Role) {
        let row = self.groups.get_mut(&group).expect("the group was looked up");
        row.group.owner = heir;
        for one in row.memberships.iter_mut().filter(|one| one.left.is_none()) {
            match one.role {
                _ if one.user == heir => (one.role, one.muted_until_ms) = (Role::Owner, 0),
                Role::Owner => one.role = before,
                Role::Admin | Role::Member => {}
            }
        }
    }

    fn mute(
        &mut self,
        group: GroupId,
        operator: &Sender,
        users: Vec<UserId>,
        until_ms: u64,
    ) -> Result<MembersChanged, Refusal> {
        let (row, own) = self.as_member(operator.user, group)?;
        let (now, named) = ((self.options.clock)(), BTreeSet::from_iter(users));
        let is_below = |user: &UserId| row.present(*user).is_none_or(|one| one.role < own.role);
        if own.role == Role::Member || named.contains(&operator.user) || !named.iter().all(is_below) {
            return Err(Refusal::Forbidden);
        }
        let until_ms = if until_ms > now { until_ms } else { 0 };
        let is_other = |one: &&Membership| match one.muted_until_ms > now {
            true => one.muted_until_ms != until_ms,
            false => until_ms > 0,
        };
        let present = named.iter().filter_map(|user| row.present(*user));
        let others: BTreeSet<UserId> = present.filter(is_other).map(|one| one.user).collect();
        if others.is_empty() {
            return Ok(unchanged(row, operator.user));
        }
        let kind = if until_ms > 0 { Kind::Muted } else { Kind::Unmuted };
        let notice = v1::Notice { muted_until_ms: until_ms, ..told(kind, &others) };
        let notice = self.push_notice(group, operator, notice);
        let row = self.groups.get_mut(&group).expect("the group was looked up");
        let present = row.memberships.iter_mut().filter(|one| one.left.is_none() && others.contains(&one.user));
        present.for_each(|one| one.muted_until_ms = until_ms);
        Ok(self.changed(group, operator.user, vec![notice], &others))
    }

    fn dissolve(&mut self, group: GroupId, operator: &Sender) -> Result<MembersChanged, Refusal> {
        if self.as_member(operator.user, group)?.1.role != Role::Owner {
            return Err(Refusal::Forbidden);
        }
        let notice = self.push_notice(group, operator, told(Kind::Dissolved, []));
        let row = self.groups.get_mut(&group).expect("the group was looked up");
        row.group.dissolved_at = notice.server_msg_id;
        Ok(self.changed(group, operator.user, vec![notice], &BTreeSet::new()))
    }

    pub(super) fn set_nickname(&mut self, change: NicknameChange) -> Result<Appended, Refusal> {
        let (group, user, nickname, login) =
            (change.group, change.member.user, change.nickname.clone(), change.login_version);
        let entry = change.entry();
        let identity = (entry.conversation, user, entry.client_msg_id.clone());
        if let Some((place, sent)) = self.places.get(&identity) {
            return first_place(&self.logs[&entry.conversation][*place as usize - 1], sent, &entry);
        }
        let (row, own) = self.as_member(user, group)?;
        let (members_version, before) = (row.group.members_version, own.nickname.0.clone());
        let is_muted = own.muted_until_ms > (self.options.clock)();
        self.must_be_logged_in(user, &entry.from.device_id, login)?;
        if is_muted {
            return Err(Refusal::Forbidden);
        }
        if nickname == before {
            let last = self.logs[&entry.conversation].last().expect("it was created");
            return Ok(Appended::first(last.server_msg_id, last.server_time_ms, last.count));
        }
        let stored = self.push(NewMessage { content: "".into(), ..entry.clone() });
        self.places.insert(identity, (stored.server_msg_id, entry));
        let row = self.groups.get_mut(&group).expect("the group was looked up");
        let present = row.memberships.iter_mut().filter(|one| one.left.is_none() && one.user == user);
        present.for_each(|one| one.nickname = (nickname.clone(), stored.server_msg_id));
        Ok(self.appended(&stored, user, members_version))
    }

    /// Tells of a change in the group's log. Its `client_msg_id` is not among the `places`: it takes none from a user.
    pub(super) fn push_notice(&mut self, group: GroupId, operator: &Sender, told: v1::Notice) -> Message {
        let conversation = ConversationId::Group(group);
        let notice = v1::Notice { operator_id: operator.user.0, ..told };
        self.push(NewMessage {
            conversation,
            from: operator.clone(),
            client_msg_id: format!("notice-{}", self.head(conversation) + 1).parse().expect("it is short and visible"),
            kind: v1::message::Type::Notice.into(),
            content: "".into(),
            attachment: notice.encode_to_vec().into(),
            client_time_ms: (self.options.clock)(),
            counted: false,
            reply_to: 0,
            mentions: Default::default(),
            change: None,
            login_version: 0,
        })
    }
}

pub(super) fn told<'a>(kind: Kind, users: impl IntoIterator<Item = &'a UserId>) -> v1::Notice {
    let user_ids = users.into_iter().map(|user| user.0).collect();
    v1::Notice { kind: kind.into(), user_ids, ..v1::Notice::default() }
}
