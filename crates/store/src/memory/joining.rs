//! Who waits to be let into a group, and links by which users come.

use std::{collections::BTreeSet, sync::Arc};

use anser_proto::{
    ConversationId, GroupId, UserId,
    limits::{JOIN_REQUESTS_MAX, LINKS_MAX},
    v1::notice::Kind,
};

use super::{GroupRow, State, group::unchanged, members::told, page, people::Thing};
use crate::{
    Change, JOIN_REQUESTS_OF_A_GROUP, JoinMode, JoinRequest, LINKS_OF_A_GROUP, Link, LinkPreview, LinkRevocation,
    LinkUse, MEMBERS_OF_A_GROUP, MembersChanged, NewLink, Page, Refusal, Role, Sender, TokenHash,
};

pub(super) struct Waiting {
    proposed_by: Option<UserId>,
    link_id: Option<u64>,
    text: Arc<str>,
    since_ms: u64,
}

pub(super) struct LinkRow {
    token_hash: TokenHash,
    link: Link,
}

/// How many wait, and who is told.
pub(super) struct Before(usize, Vec<UserId>);

const NO_LINK: Refusal = Refusal::NotFound("link");

impl GroupRow {
    fn overseers(&self) -> Vec<UserId> {
        let above = self.members().filter(|one| one.role > Role::Member && self.group.dissolved_at == 0);
        BTreeSet::from_iter(above.map(|one| one.user)).into_iter().collect()
    }

    pub(super) fn waiting_for(&self, user: UserId) -> u32 {
        if self.overseers().contains(&user) { self.waiting.len() as u32 } else { 0 }
    }

    fn may_create_links(&self, user: UserId, now_ms: u64) -> Result<Role, Refusal> {
        let own = self.present(user).ok_or(Refusal::NotMember)?;
        let is_free = self.group.join_mode == JoinMode::Free && own.muted_until_ms <= now_ms;
        if own.role > Role::Member || is_free { Ok(own.role) } else { Err(Refusal::Forbidden) }
    }

    fn lets_in(&self, link: &Link, user: UserId, now_ms: u64) -> bool {
        let may_create = self
            .present(link.created_by)
            .is_some_and(|creator| creator.role > Role::Member || self.group.join_mode == JoinMode::Free);
        may_create && lives(link, now_ms) && !self.is_banned(user)
    }
}

fn lives(link: &Link, now_ms: u64) -> bool {
    (link.expires_ms == 0 || now_ms < link.expires_ms) && (link.max_uses == 0 || link.uses < link.max_uses)
}

impl State {
    pub(super) fn before(&self, group: GroupId) -> Before {
        let row = &self.groups[&group];
        Before(row.waiting.len(), row.overseers())
    }

    pub(super) fn tell_waiting(&mut self, group: GroupId, Before(before, overseers): Before) -> Vec<(UserId, Change)> {
        match self.groups[&group].waiting.len() == before {
            true => Vec::new(),
            false => overseers.into_iter().map(|user| (user, self.told_waiting(group, user))).collect(),
        }
    }

    fn told_waiting(&mut self, group: GroupId, user: UserId) -> Change {
        let mailbox_seq = self.stamp_thing(user, Thing::JoinRequests(group));
        // As many as are told to whoever answers them, also if they do no more.
        let open = self.groups[&group].waiting.len() as u32;
        Change { mailbox_seq, now: crate::Now::JoinRequests(group, open) }
    }

    pub(super) fn tell_risen(&mut self, group: GroupId, changed: &mut MembersChanged) {
        let row = &self.groups[&group];
        let (overseers, is_waited) = (row.overseers(), !row.waiting.is_empty());
        let stamped: Vec<UserId> = changed.stamped.iter().map(|(user, _)| *user).collect();
        for user in stamped.into_iter().filter(|user| is_waited && overseers.contains(user)) {
            if changed.changes.iter().all(|(told, _)| *told != user) {
                changed.changes.push((user, self.told_waiting(group, user)));
            }
        }
    }

    fn must_have_room_for_requests(&self, group: GroupId, more: usize) -> Result<(), Refusal> {
        match self.groups[&group].waiting.len() + more <= JOIN_REQUESTS_MAX as usize {
            true => Ok(()),
            false => Err(Refusal::Limit { what: JOIN_REQUESTS_OF_A_GROUP, max: JOIN_REQUESTS_MAX }),
        }
    }

    pub(super) fn propose(
        &mut self,
        group: GroupId,
        proposer: UserId,
        users: &BTreeSet<UserId>,
    ) -> Result<MembersChanged, Refusal> {
        let known = &self.groups[&group].waiting;
        let new: Vec<UserId> = users.iter().copied().filter(|user| !known.contains_key(user)).collect();
        if !new.is_empty() {
            self.must_have_room_for_requests(group, new.len())?;
            self.answer(proposer, ConversationId::Group(group));
        }
        let since_ms = (self.options.clock)();
        let row = self.groups.get_mut(&group).expect("the group was looked up");
        for user in new {
            let waiting = Waiting { proposed_by: Some(proposer), link_id: None, text: "".into(), since_ms };
            row.waiting.insert(user, waiting);
        }
        Ok(unchanged(row, proposer))
    }

    pub(super) fn approve(
        &mut self,
        group: GroupId,
        operator: &Sender,
        users: &[UserId],
    ) -> Result<MembersChanged, Refusal> {
        let (row, own) = self.as_member(operator.user, group)?;
        if own.role == Role::Member {
            return Err(Refusal::Forbidden);
        }
        let named: BTreeSet<UserId> = users.iter().copied().filter(|user| row.waiting.contains_key(user)).collect();
        let inviter = |user: &UserId| row.waiting[user].proposed_by.unwrap_or(*user);
        let comers: Vec<(UserId, UserId)> =
            named.iter().map(|user| (*user, inviter(user))).filter(|(user, by)| self.may_be_put(*by, *user)).collect();
        let (present, max) = (row.members().count(), self.options.group_members_max);
        if !comers.is_empty() && present + comers.len() > max as usize {
            return Err(Refusal::Limit { what: MEMBERS_OF_A_GROUP, max });
        }
        for (user, by) in &comers {
            self.may_join(*by, &BTreeSet::from([*user]), present)?;
        }
        let joining: BTreeSet<UserId> = comers.iter().map(|(user, _)| *user).collect();
        let mut changed = unchanged(row, operator.user);
        if !joining.is_empty() {
            let notice = self.push_notice(group, operator, told(Kind::Joined, &joining));
            for (user, by) in comers {
                self.join(group, by, &BTreeSet::from([user]), notice.server_msg_id);
            }
            changed = self.changed(group, operator.user, vec![notice], &joining);
        }
        let now_ms = (self.options.clock)();
        let row = self.groups.get_mut(&group).expect("the group was looked up");
        for user in named {
            let waiting = row.waiting.remove(&user).expect("they wait");
            if let Some(by) = waiting.link_id.filter(|_| joining.contains(&user))
                && let Some(used) = row.links.get_mut(&by).filter(|used| lives(&used.link, now_ms))
            {
                used.link.uses += 1;
            }
        }
        Ok(changed)
    }

    pub(super) fn reject(
        &mut self,
        group: GroupId,
        operator: UserId,
        users: &[UserId],
    ) -> Result<MembersChanged, Refusal> {
        if self.as_member(operator, group)?.1.role == Role::Member {
            return Err(Refusal::Forbidden);
        }
        let row = self.groups.get_mut(&group).expect("it was looked up");
        row.waiting.retain(|user, _| !users.contains(user));
        Ok(unchanged(row, operator))
    }

    pub(super) fn join_requests(
        &self,
        asker: UserId,
        group: GroupId,
        after: UserId,
        limit: u32,
    ) -> Result<Page<JoinRequest>, Refusal> {
        let (row, own) = self.as_member(asker, group)?;
        if own.role == Role::Member {
            return Err(Refusal::Forbidden);
        }
        let shown = |(user, waiting): (&UserId, &Waiting)| {
            let Waiting { proposed_by, text, since_ms, .. } = waiting;
            let (user, text) = (self.users[user].user.clone(), text.clone());
            JoinRequest { user, proposed_by: *proposed_by, text, since_ms: *since_ms }
        };
        Ok(page(row.waiting.iter().filter(|(user, _)| **user > after).map(shown), limit))
    }

    pub(super) fn create_link(&mut self, new: NewLink) -> Result<Link, Refusal> {
        let NewLink { group, creator, link_id, token_hash, expires_ms, max_uses, approval, device_id, login_version } =
            new;
        let now_ms = (self.options.clock)();
        self.as_member(creator, group)?;
        self.must_be_logged_in(creator, &device_id, login_version)?;
        let row = self.groups.get_mut(&group).expect("it was looked up");
        row.may_create_links(creator, now_ms)?;
        if row.links.values().filter(|known| lives(&known.link, now_ms)).count() >= LINKS_MAX {
            return Err(Refusal::Limit { what: LINKS_OF_A_GROUP, max: LINKS_MAX as u32 });
        }
        if row.links.contains_key(&link_id) {
            return Err(Refusal::Conflict("link_id"));
        }
        let link = Link { link_id, created_by: creator, created_ms: now_ms, expires_ms, max_uses, uses: 0, approval };
        row.links.retain(|_, known| lives(&known.link, now_ms));
        row.links.insert(link_id, LinkRow { token_hash, link: link.clone() });
        Ok(link)
    }

    pub(super) fn revoke_link(&mut self, revocation: LinkRevocation) -> Result<(), Refusal> {
        let LinkRevocation { group, user, link_id, device_id, login_version } = revocation;
        let now_ms = (self.options.clock)();
        self.as_member(user, group)?;
        self.must_be_logged_in(user, &device_id, login_version)?;
        let row = self.groups.get_mut(&group).expect("it was looked up");
        let role = row.may_create_links(user, now_ms)?;
        let is_foreign = row.links.get(&link_id).is_some_and(|known| known.link.created_by != user);
        if is_foreign && role == Role::Member {
            return Err(Refusal::Forbidden);
        }
        row.links.remove(&link_id);
        Ok(())
    }

    pub(super) fn links(&self, asker: UserId, group: GroupId) -> Result<Vec<Link>, Refusal> {
        let (row, _) = self.as_member(asker, group)?;
        let role = row.may_create_links(asker, (self.options.clock)())?;
        let own = row.links.values().filter(|known| role > Role::Member || known.link.created_by == asker);
        Ok(own.map(|known| known.link.clone()).collect())
    }

    fn link_called(&self, token_hash: TokenHash) -> Result<(GroupId, u64), Refusal> {
        let mut all = self.groups.iter().flat_map(|(group, row)| row.links.values().map(|known| (*group, known)));
        let found = all.find(|(_, known)| known.token_hash == token_hash).ok_or(NO_LINK)?;
        Ok((found.0, found.1.link.link_id))
    }

    pub(super) fn preview_link(&self, asker: UserId, token_hash: TokenHash) -> Result<LinkPreview, Refusal> {
        let (group, link_id) = self.link_called(token_hash)?;
        let row = &self.groups[&group];
        let link = &row.links[&link_id].link;
        if !row.lets_in(link, asker, (self.options.clock)()) {
            return Err(NO_LINK);
        }
        let info = row.info();
        let approval = link.approval || info.join_mode == JoinMode::Approval;
        Ok(LinkPreview { name: info.name, avatar: info.avatar, member_count: info.member_count, approval })
    }

    pub(super) fn join_by_link(&mut self, by: LinkUse) -> Result<MembersChanged, Refusal> {
        let (group, link_id) = self.link_called(by.token_hash)?;
        let (user, now_ms) = (by.user.user, (self.options.clock)());
        let row = &self.groups[&group];
        if row.present(user).is_some() {
            return Ok(unchanged(row, user));
        }
        let link = &row.links[&link_id].link;
        if !row.lets_in(link, user, now_ms) {
            return Err(NO_LINK);
        }
        self.must_be_logged_in(user, &by.user.device_id, by.login_version)?;
        let before = self.before(group);
        let mut changed = if link.approval || row.group.join_mode == JoinMode::Approval {
            let known = row.waiting.get(&user).map(|known| known.since_ms);
            if known.is_none() {
                self.must_have_room_for_requests(group, 1)?;
            }
            let since_ms = known.unwrap_or(now_ms);
            let waiting = Waiting { proposed_by: None, link_id: Some(link_id), text: by.text, since_ms };
            let row = self.groups.get_mut(&group).expect("it was looked up");
            row.waiting.insert(user, waiting);
            unchanged(row, user)
        } else {
            let own = BTreeSet::from([user]);
            self.may_join(user, &own, row.members().count())?;
            let notice = self.push_notice(group, &by.user, told(Kind::Joined, &own));
            self.join(group, user, &own, notice.server_msg_id);
            let row = self.groups.get_mut(&group).expect("it was looked up");
            row.links.get_mut(&link_id).expect("it was found").link.uses += 1;
            row.waiting.remove(&user);
            self.changed(group, user, vec![notice], &own)
        };
        changed.changes = self.tell_waiting(group, before);
        Ok(changed)
    }
}
