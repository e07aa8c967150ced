//! Who waits to be let into a group, and the links by which users come.

use anser_proto::{GroupId, UserId};

use super::group::{must_be_member, must_stand_above};
use crate::{
    JoinMode, JoinRequest, Link, LinkPreview, Page, Refusal, Role, TokenHash, User,
    query::{Query, Value, bound},
    questions,
    read::{Read, Snapshot, beside, cut, sound},
    rows::{BanRow, Column as _, GroupRow, JoinRequestRow, LinkRow, Row as _, Stay, UserRow, columns_of},
    verbs::may_create,
};

pub(crate) struct JoinRequestsOf {
    pub(crate) asker: UserId,
    pub(crate) group: GroupId,
    pub(crate) after: UserId,
    pub(crate) limit: u32,
}

impl Read for JoinRequestsOf {
    type Answer = Page<JoinRequest>;

    async fn read<D: Snapshot>(&self, db: &mut D) -> Result<Page<JoinRequest>, D::Error> {
        let Self { asker, group, after, limit } = *self;
        must_stand_above(db, asker, group).await?;
        let (request, user) = (columns_of::<JoinRequestRow>("im_join_request"), columns_of::<UserRow>("im_user"));
        let sql = format!(
            "SELECT {request}, {user} FROM im_join_request LEFT JOIN im_user USING (user_id)
             WHERE im_join_request.group_id = ? AND im_join_request.user_id > ? ORDER BY im_join_request.user_id LIMIT ?"
        );
        let question = Query::new(sql, [group.into(), bound(after.0), (u64::from(limit) + 1).into()]);
        let damaged = db.damaged();
        let requests = db.rows(vec![question], |row| {
            let (GroupId(_), user) = row.get()?;
            let Some(request) = sound::<JoinRequestRow>(row, &(group, user), &damaged) else { return Ok(None) };
            let user = beside(row, &user, &damaged).map_or(User::unreadable(user), |row: UserRow| row.user(user));
            Ok(Some(request.request(user)))
        });
        Ok(cut(requests.await?, limit).sound())
    }
}

/// Those that the asker may revoke.
pub(crate) struct LinksOf {
    pub(crate) asker: UserId,
    pub(crate) group: GroupId,
    pub(crate) now_ms: u64,
}

impl Read for LinksOf {
    type Answer = Vec<Link>;

    async fn read<D: Snapshot>(&self, db: &mut D) -> Result<Vec<Link>, D::Error> {
        let Self { asker, group, now_ms } = *self;
        let stay = must_be_member(db, asker, group).await?;
        let row = db.find::<GroupRow>(&group).await?.ok_or(Refusal::NotMember)?;
        may_create(&stay, &row, now_ms)?;
        let damaged = db.damaged();
        let links = db.rows(vec![questions::links_of(group)], |row| {
            let (GroupId(_), link_id) = row.get()?;
            Ok(sound::<LinkRow>(row, &(group, link_id), &damaged).map(|row| row.link(link_id)))
        });
        let mut links: Vec<_> = links.await?.into_iter().flatten().collect();
        links.retain(|link| stay.role > Role::Member || link.created_by == asker);
        Ok(links)
    }
}

/// Of which group it is.
pub(crate) struct LinkCalled(pub(crate) TokenHash);

pub(crate) struct Called {
    pub(crate) group: GroupId,
    pub(crate) link_id: u64,
    /// The owner and admins.
    pub(crate) overseers: Vec<UserId>,
}

impl Read for LinkCalled {
    type Answer = Called;

    async fn read<D: Snapshot>(&self, db: &mut D) -> Result<Called, D::Error> {
        let (group, link_id, _) = called(db, &self.0).await?;
        let overseers = db.rows(vec![questions::overseers(db.dialect(), group)], |row| row.get()).await?;
        Ok(Called { group, link_id, overseers })
    }
}

/// Who is told when somebody waits to be let into the group or does not wait any more: nobody, where nobody waits and
/// nobody will.
pub(crate) struct OverseersToTell(pub(crate) GroupId);

impl Read for OverseersToTell {
    type Answer = Vec<UserId>;

    async fn read<D: Snapshot>(&self, db: &mut D) -> Result<Vec<UserId>, D::Error> {
        let group = self.0;
        let waits = Query::new("SELECT user_id FROM im_join_request WHERE group_id = ? LIMIT 1", [group.into()]);
        let is_waited = db.row(waits, |row| row.get::<UserId>()).await?.is_some();
        let may_wait = db.find::<GroupRow>(&group).await?.is_some_and(|row| row.join_mode == JoinMode::Approval);
        if !is_waited && !may_wait {
            return Ok(Vec::new());
        }
        db.rows(vec![questions::overseers(db.dialect(), group)], |row| row.get()).await
    }
}

async fn called<D: Snapshot>(db: &mut D, hash: &TokenHash) -> Result<(GroupId, u64, LinkRow), D::Error> {
    let sql = format!("SELECT {} FROM im_link WHERE token_hash = ?", columns_of::<LinkRow>("im_link"));
    let mut params = Vec::<Value>::new();
    hash.put(&mut params);
    let found = db.row(Query::new(sql, params), |row| Ok((row.get()?, row.get()?, LinkRow::take(row)?))).await?;
    Ok(found.ok_or(Refusal::NotFound("link"))?)
}

pub(crate) struct PreviewOf {
    pub(crate) asker: UserId,
    pub(crate) token_hash: TokenHash,
    pub(crate) now_ms: u64,
}

impl Read for PreviewOf {
    type Answer = LinkPreview;

    async fn read<D: Snapshot>(&self, db: &mut D) -> Result<LinkPreview, D::Error> {
        let (group, _, link) = called(db, &self.token_hash).await?;
        let none = Refusal::NotFound("link");
        let row = db.find::<GroupRow>(&group).await?.filter(|row| row.dissolved_at.is_none()).ok_or(none.clone())?;
        let creator = db.find::<Stay>(&(group, link.created_by)).await?.ok_or(none.clone())?;
        let is_valid = creator.role > Role::Member || row.join_mode == JoinMode::Free;
        let is_banned = db.find::<BanRow>(&(group, self.asker)).await?.is_some();
        if is_banned || !is_valid || !link.lives(self.now_ms) {
            return Err(none.into());
        }
        let approval = link.approval || row.join_mode == JoinMode::Approval;
        let group = row.group(group);
        Ok(LinkPreview { name: group.name, avatar: group.avatar, member_count: group.member_count, approval })
    }
}
