//! Groups and who is in them.

use anser_proto::{GroupId, UserId};

use crate::{
    Group, Member, MemberIds, Page, Refusal, Role,
    query::{Query, bound},
    read::{Read, Snapshot, cut},
    rows::{GroupRow, Row as _, Stay, UserRow, columns_of},
};

pub(crate) struct GroupAsMember(pub(crate) UserId, pub(crate) GroupId);

impl Read for GroupAsMember {
    type Answer = (Group, Role);

    async fn read<D: Snapshot>(&self, db: &mut D) -> Result<(Group, Role), D::Error> {
        let Self(asker, group) = *self;
        let stay = db.find::<Stay>(&(group, asker)).await?.ok_or(Refusal::NotMember)?;
        let row = db.find::<GroupRow>(&group).await?.ok_or(Refusal::NotMember)?;
        Ok((row.group(group), stay.role))
    }
}

pub(crate) struct MembersOf {
    pub(crate) asker: UserId,
    pub(crate) group: GroupId,
    pub(crate) after: UserId,
    pub(crate) limit: u32,
}

impl Read for MembersOf {
    type Answer = Page<Member>;

    async fn read<D: Snapshot>(&self, db: &mut D) -> Result<Page<Member>, D::Error> {
        let Self { asker, group, after, limit } = *self;
        db.find::<Stay>(&(group, asker)).await?.ok_or(Refusal::NotMember)?;
        let (user, present) = (columns_of::<UserRow>("im_user"), db.dialect().present());
        let sql = format!(
            "SELECT {user}, role, joined FROM im_group_member JOIN im_user USING (user_id)
             WHERE group_id = ? AND {present} AND user_id > ? ORDER BY user_id LIMIT ?"
        );
        let question = Query::new(sql, [group.into(), bound(after.0), (u64::from(limit) + 1).into()]);
        let members = db.rows(vec![question], |row| {
            let user = row.get()?;
            Ok(Member { user: UserRow::take(row)?.user(user), role: row.get()?, joined: row.get()? })
        });
        Ok(cut(members.await?, limit))
    }
}

pub(crate) struct MemberIdsOf(pub(crate) GroupId);

impl Read for MemberIdsOf {
    type Answer = MemberIds;

    async fn read<D: Snapshot>(&self, db: &mut D) -> Result<MemberIds, D::Error> {
        let group = self.0;
        let version = db.find::<GroupRow>(&group).await?.map_or(0, |row| row.members_version);
        let present = db.dialect().present();
        let sql =
            format!("SELECT user_id, joined FROM im_group_member WHERE group_id = ? AND {present} ORDER BY user_id");
        let question = Query::new(sql, [group.into()]);
        let ids = db.rows(vec![question], |row| row.get()).await?;
        Ok((version, ids.into()))
    }
}
