//! Groups and who is in them.

use anser_proto::{GroupId, UserId};

use crate::{
    Group, Member, MemberIds, Page, Refusal, Role, User,
    damaged::Damaged,
    query::{Query, bound},
    read::{Read, Snapshot, beside, cut},
    rows::{GroupRow, Stay, Take, UserRow, columns_of},
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
            "SELECT im_group_member.user_id, joined, role, {user} FROM im_group_member LEFT JOIN im_user USING (user_id)
             WHERE group_id = ? AND {present} AND im_group_member.user_id > ? ORDER BY im_group_member.user_id LIMIT ?"
        );
        let question = Query::new(sql, [group.into(), bound(after.0), (u64::from(limit) + 1).into()]);
        let damaged = db.damaged();
        let members = db.rows(vec![question], |row| {
            let (user, joined) = row.get()?;
            let role = listed_role(row, group, user, &damaged);
            let user = beside(row, &user, &damaged).map_or(User::unreadable(user), |row: UserRow| row.user(user));
            Ok(Member { user, role: role.unwrap_or(Role::Member), joined })
        });
        Ok(cut(members.await?, limit))
    }
}

/// None: they are no member now. One that cannot be read has no rights.
pub(super) fn listed_role(row: &mut dyn Take, group: GroupId, user: UserId, damaged: &Damaged) -> Option<Role> {
    let role = row.get::<Option<Role>>().map_err(|damage| damaged.note(&damage.of::<Stay>(&(group, user))));
    role.unwrap_or(Some(Role::Member))
}

pub(crate) struct MemberIdsOf(pub(crate) GroupId);

impl Read for MemberIdsOf {
    type Answer = MemberIds;

    async fn read<D: Snapshot>(&self, db: &mut D) -> Result<MemberIds, D::Error> {
        let group = self.0;
        let version = Query::new("SELECT members_version FROM im_group WHERE group_id = ?", [group.into()]);
        let version = db.row(version, |row| row.get()).await?.unwrap_or(0);
        let present = db.dialect().present();
        let sql =
            format!("SELECT user_id, joined FROM im_group_member WHERE group_id = ? AND {present} ORDER BY user_id");
        let question = Query::new(sql, [group.into()]);
        let ids = db.rows(vec![question], |row| row.get()).await?;
        Ok((version, ids.into()))
    }
}
