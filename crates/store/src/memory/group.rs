//! Groups: making them and looking at them.

use std::collections::{BTreeMap, BTreeSet};

use anser_proto::{
    ConversationId, GroupId, UserId,
    limits::ADMINS_MAX,
    v1::{self, notice::Kind},
};

use super::{GroupRow, Membership, State, change::is_silent, members::told, page};
use crate::{
    ADMINS_OF_A_GROUP, Ban, GROUPS_OF_A_USER, Group, GroupNickname, GroupUpdate, HISTORY_LOOKED_AT, History,
    MEMBERS_OF_A_GROUP, Member, MemberIds, MembersChanged, NewGroup, Page, Refusal, Role, Silence,
};

impl Membership {
    pub(super) fn nickname(&self) -> GroupNickname {
        GroupNickname { user: self.user, nickname: self.nickname.0.clone(), changed: self.nickname.1 }
    }

    pub(super) fn covers(&self, server_msg_id: u64) -> bool {
        self.first_seen <= server_msg_id && self.left.is_none_or(|left| server_msg_id <= left)
    }
}

impl GroupRow {
    /// The user's membership, if they are a member now.
    pub(super) fn present(&self, user: UserId) -> Option<&Membership> {
        self.members().find(|one| one.user == user && self.group.dissolved_at == 0)
    }

    /// They were a member, and are none now.
    pub(super) fn has_left(&self, user: UserId) -> bool {
        !self.is_banned(user) && self.present(user).is_none() && self.memberships.iter().any(|one| one.user == user)
    }

    pub(super) fn is_banned(&self, user: UserId) -> bool {
        self.bans.contains_key(&user)
    }

    pub(super) fn is_dissolved_by(&self, user: UserId) -> bool {
        self.group.dissolved_at > 0 && self.group.owner == user
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
        Group { member_count: self.members().count() as u32, announcement: None, ..self.group.clone() }
    }

    /// As somebody sees it, who may be a member.
    pub(super) fn info_of(&self, user: UserId) -> Group {
        Group { muted_until_ms: self.present(user).map_or(0, |one| one.muted_until_ms), ..self.info() }
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
        self.must_be_logged_in(creator, &new.creator.device_id, new.login_version)?;
        self.may_join(creator, &members, 0)?;
        if self.groups.contains_key(&new.group) {
            return Err(Refusal::Conflict("group_id"));
        }

        let notice = self.push_notice(new.group, &new.creator, told(Kind::Created, &members));
        let group = Group {
            group: new.group,
            name: new.name,
            avatar: new.avatar,
            owner: creator,
            member_count: 0,
            created_ms: notice.server_time_ms,
            announcement: Some("".into()),
            ..Group::unreadable(new.group)
        };
        let row = GroupRow {
            group,
            creator,
            client_group_id: new.client_group_id,
            bans: BTreeMap::new(),
            waiting: BTreeMap::new(),
            links: BTreeMap::new(),
            memberships: Vec::new(),
        };
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
        let first_seen = self.first_seen(group, joined);
        let row = self.groups.get_mut(&group).expect("the group was looked up");
        for user in users {
            let invited_by = Some(inviter).filter(|inviter| inviter != user);
            row.memberships.push(Membership {
                user: *user,
                role: Role::Member,
                invited_by,
                joined,
                first_seen,
                left: None,
                muted_until_ms: 0,
                nickname: ("".into(), 0),
            });
            let session = self.sessions.entry((*user, ConversationId::Group(group))).or_default();
            (session.read_mark, session.delivered_mark) = (joined, joined);
            session.marked_unread = false;
        }
    }

    /// What whoever joins here sees first.
    fn first_seen(&self, group: GroupId, joined: u64) -> u64 {
        let last = match self.groups[&group].group.history {
            History::None => return joined,
            History::All => return 1,
            History::Last(last) => last as usize,
        };
        let near = |id: u64| id < joined && id + HISTORY_LOOKED_AT >= joined;
        let log = self.logs[&ConversationId::Group(group)].iter().rev();
        let shown = log.filter(|message| near(message.server_msg_id) && !is_silent(message.kind));
        shown.take(last).last().map_or(joined, |message| message.server_msg_id)
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
        Ok((Group { announcement: row.group.announcement.clone(), ..row.info_of(asker) }, own.role))
    }

    pub(super) fn update_group(&mut self, update: GroupUpdate) -> Result<MembersChanged, Refusal> {
        let GroupUpdate { group, operator, change, login_version } = update;
        let (row, own) = self.as_member(operator.user, group)?;
        self.must_be_logged_in(operator.user, &operator.device_id, login_version)?;
        if own.role == Role::Member {
            return Err(Refusal::Forbidden);
        }
        let of = &row.group;
        let name = change.name.filter(|name| *name != of.name);
        let avatar = change.avatar.filter(|avatar| *avatar != of.avatar);
        let announcement = change.announcement.filter(|text| Some(text) != of.announcement.as_ref());
        let mute_all = change.mute_all.filter(|all| *all != of.mute_all);
        let join_mode = change.join_mode.filter(|mode| *mode != of.join_mode);
        let members_mention_all = change.members_mention_all.filter(|may| *may != of.members_mention_all);
        let history = change.history.filter(|history| *history != of.history);
        let changed = v1::GroupChange {
            name: name.as_deref().map(Into::into),
            avatar: avatar.as_deref().map(Into::into),
            announcement: announcement.is_some(),
            mute_all,
            join: join_mode.map(|mode| mode as i32),
            members_mention_all,
            history: history.map(Into::into),
        };
        let mut answer = unchanged(row, operator.user);
        if changed != v1::GroupChange::default() {
            let notice = v1::Notice { change: Some(changed), ..told(Kind::GroupChanged, []) };
            let notice = self.push_notice(group, &operator, notice);
            let of = &mut self.groups.get_mut(&group).expect("the group was looked up").group;
            of.name = name.unwrap_or_else(|| of.name.clone());
            of.avatar = avatar.unwrap_or_else(|| of.avatar.clone());
            if announcement.is_some() {
                (of.announcement, of.announced) = (announcement, notice.server_msg_id);
            }
            of.mute_all = mute_all.unwrap_or(of.mute_all);
            of.join_mode = join_mode.unwrap_or(of.join_mode);
            of.members_mention_all = members_mention_all.unwrap_or(of.members_mention_all);
            of.history = history.unwrap_or(of.history);
            answer = self.changed(group, operator.user, vec![notice], &BTreeSet::new());
        }
        answer.group.announcement.clone_from(&self.groups[&group].group.announcement);
        Ok(answer)
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
            Member {
                user,
                role: one.role,
                joined: one.joined,
                muted_until_ms: one.muted_until_ms,
                nickname: one.nickname(),
            }
        };
        Ok(page(present.into_iter().map(shown), limit))
    }

    pub(super) fn bans(&self, asker: UserId, group: GroupId, after: UserId, limit: u32) -> Result<Page<Ban>, Refusal> {
        let (row, own) = self.as_member(asker, group)?;
        if own.role == Role::Member {
            return Err(Refusal::Forbidden);
        }
        let shown = |(user, (banned_by, since_ms)): (&UserId, &(UserId, u64))| {
            let user = self.users[user].user.clone();
            Ban { user, banned_by: *banned_by, since_ms: *since_ms }
        };
        Ok(page(row.bans.iter().filter(|(user, _)| **user > after).map(shown), limit))
    }

    pub(super) fn member_ids(&self, group: GroupId) -> MemberIds {
        let Some(row) = self.groups.get(&group) else { return MemberIds::default() };
        let mut members: Vec<_> = row.members().map(|one| (one.user, one.first_seen)).collect();
        members.sort_unstable();
        let of = |is: fn(&&Membership) -> bool| row.members().filter(is).map(|one| (one.user, one.muted_until_ms));
        let (mut above, mut muted): (Vec<_>, Vec<_>) = (
            of(|one| one.role > Role::Member).map(|(user, _)| user).collect(),
            of(|one| one.muted_until_ms > 0).collect(),
        );
        above.sort_unstable();
        muted.sort_unstable();
        let silence = Silence { dissolved: row.group.dissolved_at > 0, mute_all: row.group.mute_all, above, muted };
        MemberIds { version: row.group.members_version, members: members.into(), silence: silence.into() }
    }
}

/// A group as it is, in which nothing happened.
pub(super) fn unchanged(row: &GroupRow, operator: UserId) -> MembersChanged {
    let role = row.present(operator).map(|one| one.role);
    MembersChanged { group: row.info_of(operator), role, notices: Vec::new(), stamped: Vec::new(), changes: Vec::new() }
}
