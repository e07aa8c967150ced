//! Groups and who is in them.

use std::ops::ControlFlow;

use anser_proto::{GroupId, UserId};

use crate::{
    Ban, Group, GroupNickname, Member, MemberIds, Page, Refusal, Role, Silence, User,
    damaged::Damaged,
    query::{Query, bound},
    read::{Read, Snapshot, beside, cut, sound},
    rows::{AnnouncementRow, BanRow, FIRST_SEEN, GroupRow, Stay, Take, UserRow, columns_of},
};

pub(crate) struct GroupAsMember(pub(crate) UserId, pub(crate) GroupId);

impl Read for GroupAsMember {
    type Answer = (Group, Role);

    async fn read<D: Snapshot>(&self, db: &mut D) -> Result<(Group, Role), D::Error> {
        let Self(asker, group) = *self;
        let stay = db.find::<Stay>(&(group, asker)).await?.ok_or(Refusal::NotMember)?;
        let row = db.find::<GroupRow>(&group).await?.filter(|row| row.dissolved_at.is_none());
        let row = row.ok_or(Refusal::NotMember)?;
        let announcement = db.find::<AnnouncementRow>(&group).await?.map_or("".into(), |row| row.text);
        Ok((Group { announcement: Some(announcement), ..row.group_of(group, &stay) }, stay.role))
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
        must_be_member(db, asker, group).await?;
        let (user, present) = (columns_of::<UserRow>("im_user"), db.dialect().present());
        let sql = format!(
            "SELECT im_group_member.user_id, joined, muted_until_ms, im_group_member.nickname, nickname_changed, role, {user} FROM im_group_member LEFT JOIN im_user USING (user_id)
             WHERE group_id = ? AND {present} AND im_group_member.user_id > ? ORDER BY im_group_member.user_id LIMIT ?"
        );
        let question = Query::new(sql, [group.into(), bound(after.0), (u64::from(limit) + 1).into()]);
        let damaged = db.damaged();
        let members = db.rows(vec![question], |row| {
            let (user, (joined, muted_until_ms)) = row.get()?;
            let (nickname, changed): (Option<_>, _) = row.get()?;
            let nickname = GroupNickname { user, nickname: nickname.unwrap_or_else(|| "".into()), changed };
            let role = listed_role(row, group, user, &damaged);
            let user = beside(row, &user, &damaged).map_or(User::unreadable(user), |row: UserRow| row.user(user));
            Ok(Member { user, role: role.unwrap_or(Role::Member), joined, muted_until_ms, nickname })
        });
        Ok(cut(members.await?, limit))
    }
}

pub(crate) struct BansOf {
    pub(crate) asker: UserId,
    pub(crate) group: GroupId,
    pub(crate) after: UserId,
    pub(crate) limit: u32,
}

impl Read for BansOf {
    type Answer = Page<Ban>;

    async fn read<D: Snapshot>(&self, db: &mut D) -> Result<Page<Ban>, D::Error> {
        let Self { asker, group, after, limit } = *self;
        must_stand_above(db, asker, group).await?;
        let (ban, user) = (columns_of::<BanRow>("im_ban"), columns_of::<UserRow>("im_user"));
        let sql = format!(
            "SELECT {ban}, {user} FROM im_ban LEFT JOIN im_user USING (user_id)
             WHERE im_ban.group_id = ? AND im_ban.user_id > ? ORDER BY im_ban.user_id LIMIT ?"
        );
        let question = Query::new(sql, [group.into(), bound(after.0), (u64::from(limit) + 1).into()]);
        let damaged = db.damaged();
        let bans = db.rows(vec![question], |row| {
            let (GroupId(_), user) = row.get()?;
            let Some(ban) = sound::<BanRow>(row, &(group, user), &damaged) else { return Ok(None) };
            let user = beside(row, &user, &damaged).map_or(User::unreadable(user), |row: UserRow| row.user(user));
            Ok(Some(ban.ban(user)))
        });
        Ok(cut(bans.await?, limit).sound())
    }
}

/// The asker's stay in a group that was not dissolved.
pub(super) async fn must_be_member<D: Snapshot>(db: &mut D, asker: UserId, group: GroupId) -> Result<Stay, D::Error> {
    let stay = db.find::<Stay>(&(group, asker)).await?.ok_or(Refusal::NotMember)?;
    let dissolved = Query::new("SELECT 1 FROM im_group WHERE group_id = ? AND dissolved_at > 0", [group.into()]);
    match db.row(dissolved, |row| row.number()).await? {
        Some(_) => Err(Refusal::NotMember.into()),
        None => Ok(stay),
    }
}

/// The owner, or an admin.
pub(super) async fn must_stand_above<D: Snapshot>(db: &mut D, asker: UserId, group: GroupId) -> Result<(), D::Error> {
    match must_be_member(db, asker, group).await?.role {
        Role::Member => Err(Refusal::Forbidden.into()),
        Role::Admin | Role::Owner => Ok(()),
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
        let sql = "SELECT members_version, mute_all, dissolved_at FROM im_group WHERE group_id = ?";
        let of_group =
            db.row(Query::new(sql, [group.into()]), |row| Ok((row.get()?, (row.get()?, row.get()?)))).await?;
        let (version, (mute_all, dissolved_at)): (_, (_, Option<u64>)) = of_group.unwrap_or_default();
        let mut silence = Silence { dissolved: dissolved_at.is_some(), mute_all, ..Silence::default() };
        let present = db.dialect().present();
        let sql = format!(
            "SELECT user_id, {FIRST_SEEN}, muted_until_ms, role FROM im_group_member WHERE group_id = ? AND {present} ORDER BY user_id"
        );
        let (mut members, damaged) = (Vec::new(), db.damaged());
        let each = &mut |_, row: &mut dyn Take| {
            let (user, (first_seen, muted_until_ms)) = row.get()?;
            members.push((user, first_seen));
            silence.add(user, listed_role(row, group, user, &damaged).unwrap_or(Role::Member), muted_until_ms);
            Ok(ControlFlow::Continue(()))
        };
        db.ask(&[Query::new(sql, [group.into()])], each).await?;
        Ok(MemberIds { version, members: members.into(), silence: silence.into() })
    }
}
