//! Links by which users come into a group: creating and revoking them, and coming by one.

use std::sync::Arc;

use anser_proto::{ConversationId, GroupId, UserId, limits::LINKS_MAX};

use super::{
    change_members::{Done, changed, group_row},
    joining::{Comer, let_in},
    requests::Requests,
};
use crate::{
    JoinMode, LINKS_OF_A_GROUP, Link, LinkRevocation, LinkUse, MembersChanged, NewLink, Refusal, Role,
    facts::{Facts, Stop, Want},
    questions::{self, Counted},
    rows::{GroupRow, JoinRequestRow, LinkRow, Stay, Thing},
    verb::{Verb, Wants},
};

pub(crate) struct CreateLink(pub(crate) NewLink);

impl Verb for CreateLink {
    type Answer = Link;

    fn wants(&self, wants: &mut Wants) {
        let NewLink { group, creator, link_id, .. } = self.0;
        want_member(wants, group, creator);
        wants.row(Want::Link(group, link_id));
        wants.ask(questions::links_of(group));
    }

    fn decide(&self, facts: &mut Facts<'_>) -> Result<Link, Stop> {
        let NewLink { group, creator, link_id, token_hash, expires_ms, max_uses, approval, .. } = self.0;
        let (stay, row) = member(facts, group, creator, (&self.0.device_id, self.0.login_version))?;
        may_create(&stay, &row, facts.now_ms())?;
        let created_ms = facts.now_ms();
        let (live, dead): (Vec<_>, Vec<_>) =
            facts.links_of(group)?.into_iter().partition(|(_, link)| link.lives(created_ms));
        if live.len() >= LINKS_MAX {
            return Err(Refusal::Limit { what: LINKS_OF_A_GROUP, max: LINKS_MAX as u32 }.into());
        }
        if facts.link(group, link_id)?.is_some() {
            return Err(Refusal::Conflict("link_id").into());
        }
        for (dead, _) in dead {
            facts.tables.links.set((group, dead), None);
        }
        let link = LinkRow { token_hash, created_by: creator, created_ms, expires_ms, max_uses, uses: 0, approval };
        let created = link.link(link_id);
        facts.tables.links.set((group, link_id), Some(link));
        Ok(created)
    }

    fn conversations(&self) -> Vec<ConversationId> {
        vec![ConversationId::Group(self.0.group)]
    }
}

pub(crate) struct RevokeLink(pub(crate) LinkRevocation);

impl Verb for RevokeLink {
    type Answer = ();

    fn wants(&self, wants: &mut Wants) {
        let LinkRevocation { group, user, link_id, .. } = self.0;
        want_member(wants, group, user);
        wants.row(Want::Link(group, link_id));
    }

    fn decide(&self, facts: &mut Facts<'_>) -> Result<(), Stop> {
        let LinkRevocation { group, user, link_id, .. } = self.0;
        let (stay, row) = member(facts, group, user, (&self.0.device_id, self.0.login_version))?;
        may_create(&stay, &row, facts.now_ms())?;
        match facts.link(group, link_id)? {
            Some(link) if stay.role == Role::Member && link.created_by != user => Err(Refusal::Forbidden.into()),
            Some(_) => {
                facts.tables.links.set((group, link_id), None);
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn conversations(&self) -> Vec<ConversationId> {
        vec![ConversationId::Group(self.0.group)]
    }
}

/// The owner and admins; and where every member invites, they of their own.
pub(crate) fn may_create(stay: &Stay, row: &GroupRow, now_ms: u64) -> Result<(), Refusal> {
    let is_free = row.join_mode == JoinMode::Free && stay.muted_until_ms <= now_ms;
    if stay.role > Role::Member || is_free { Ok(()) } else { Err(Refusal::Forbidden) }
}

fn want_member(wants: &mut Wants, group: GroupId, user: UserId) {
    wants.row(Want::Mailbox(user));
    wants.row(Want::Head(ConversationId::Group(group)));
    wants.row(Want::Group(group));
    wants.row(Want::Stay(group, user));
}

fn member(
    facts: &mut Facts<'_>,
    group: GroupId,
    user: UserId,
    (device_id, login_version): (&Arc<str>, u64),
) -> Result<(Stay, GroupRow), Stop> {
    let stay = facts.membership(group, user)?.ok_or(Refusal::NotMember)?;
    facts.must_be_logged_in(user, device_id, login_version)?;
    Ok((stay, group_row(facts, group)?))
}

/// A user comes by a link, which was found by its token before.
pub(crate) struct JoinByLink {
    pub(crate) group: GroupId,
    pub(crate) link_id: u64,
    pub(crate) by: LinkUse,
    /// Who will be told if they are to wait, as far as that is known.
    pub(crate) overseers: Vec<UserId>,
}

impl Verb for JoinByLink {
    type Answer = MembersChanged;

    fn wants(&self, wants: &mut Wants) {
        let Self { group, link_id, by, overseers } = self;
        let user = by.user.user;
        want_member(wants, *group, user);
        wants.row(Want::Session(user, ConversationId::Group(*group)));
        wants.row(Want::Ban(*group, user));
        wants.row(Want::JoinRequest(*group, user));
        wants.row(Want::Link(*group, *link_id));
        wants.ask(questions::groups_of_user(wants.dialect, user, user, Counted::All));
        for overseer in overseers {
            wants.row(Want::Mailbox(*overseer));
            wants.row(Want::Change(*overseer, Thing::JoinRequests(*group)));
        }
    }

    fn decide(&self, facts: &mut Facts<'_>) -> Result<MembersChanged, Stop> {
        let Self { group, link_id, by, .. } = self;
        let (group, user) = (*group, by.user.user);
        let link = facts.link(group, *link_id)?.ok_or(Refusal::NotFound("link"))?;
        if facts.membership(group, user)?.is_some() {
            return changed(facts, group, user, Done::default());
        }
        if !lets_in(facts, group, &link, user)? {
            return Err(Refusal::NotFound("link").into());
        }
        facts.must_be_logged_in(user, &by.user.device_id, by.login_version)?;
        let (mut done, mut requests) = (Done::default(), Requests::of(group));
        if link.approval || group_row(facts, group)?.join_mode == JoinMode::Approval {
            self.ask(facts, &mut requests)?;
        } else {
            done = let_in(facts, group, &by.user, &[Comer { user, invited_by: None }])?;
            count_use(facts, group, *link_id)?;
            requests.close(facts, user)?;
        }
        requests.tell(facts, &mut done)?;
        changed(facts, group, user, done)
    }

    fn bytes(&self) -> usize {
        self.by.text.len() + size_of_val(&*self.overseers)
    }

    fn conversations(&self) -> Vec<ConversationId> {
        vec![ConversationId::Group(self.group)]
    }
}

impl JoinByLink {
    /// Who asks again says it with other words, and is not told twice.
    fn ask(&self, facts: &mut Facts<'_>, requests: &mut Requests) -> Result<(), Stop> {
        let (user, text, link_id) = (self.by.user.user, self.by.text.clone(), Some(self.link_id));
        let row = |since_ms| JoinRequestRow { proposed_by: None, link_id, text, since_ms };
        match facts.join_request(self.group, user)? {
            Some(open) => {
                facts.tables.join_requests.set((self.group, user), Some(row(open.since_ms)));
                Ok(())
            }
            None => {
                requests.must_have_room(facts, 1)?;
                let row = row(facts.now_ms());
                requests.open(facts, user, row)
            }
        }
    }
}

/// What is dead, used up, or of no use to the user looks alike. A link lets in as long as whoever created it may create one.
fn lets_in(facts: &mut Facts<'_>, group: GroupId, link: &LinkRow, user: UserId) -> Result<bool, Stop> {
    let Some(creator) = facts.membership(group, link.created_by)? else { return Ok(false) };
    let is_valid = creator.role > Role::Member || group_row(facts, group)?.join_mode == JoinMode::Free;
    Ok(is_valid && link.lives(facts.now_ms()) && facts.ban(group, user)?.is_none())
}

/// Somebody joins by it, if it is still there.
pub(super) fn count_use(facts: &mut Facts<'_>, group: GroupId, link_id: u64) -> Result<(), Stop> {
    let now_ms = facts.now_ms();
    if let Some(link) = facts.link(group, link_id)?.filter(|link| link.lives(now_ms)) {
        facts.tables.links.set((group, link_id), Some(LinkRow { uses: link.uses + 1, ..link }));
    }
    Ok(())
}

impl Facts<'_> {
    fn links_of(&mut self, group: GroupId) -> Result<Vec<(u64, LinkRow)>, Stop> {
        use crate::rows::Row as _;
        let found = self.ask(&questions::links_of(group), |row| {
            let (GroupId(_), link_id) = row.get()?;
            Ok((link_id, LinkRow::take(row)?))
        })?;
        for (link_id, row) in &found {
            self.tables.links.learn((group, *link_id), Some(row.clone()));
        }
        Ok(found)
    }
}
