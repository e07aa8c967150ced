//! Groups and who is in them. Each coming and going is a notice in the group's log, in the same transaction.

use std::collections::{BTreeSet, HashMap};

use anser_proto::{ConversationId, GroupId, UserId, v1::notice::Kind};
use mysql_async::{Conn, Row, prelude::Queryable as _};

use super::{
    columns::{Sql, get, text, user as user_id},
    fault::Fault,
    message,
    txn::Txn,
    user::{self, cut},
    wants::Wants,
};
use crate::{
    Error, GROUPS_OF_A_USER, Group, MEMBERS_OF_A_GROUP, Member, MemberIds, MembersAction, MembersChange,
    MembersChanged, Message, NewGroup, Page, Role,
    rows::{Head, Rows as _},
};

/// A stretch of the log during which somebody was a member.
pub(super) struct Stay {
    /// None: still is.
    pub(super) left_at: Option<u64>,
}

pub(super) async fn last_stay(db: &mut Conn, group: GroupId, user: UserId) -> Result<Option<Stay>, Fault> {
    let sql = "SELECT left_at FROM im_group_member WHERE group_id = ? AND user_id = ? ORDER BY joined DESC LIMIT 1";
    let found: Option<(Option<u64>,)> = db.exec_first(sql, (group.0, user.0)).await?;
    Ok(found.map(|(left_at,)| Stay { left_at }))
}

/// None: they are no member now.
async fn role(db: &mut Conn, group: GroupId, user: UserId) -> Result<Option<Role>, Fault> {
    let sql = "SELECT role FROM im_group_member WHERE group_id = ? AND present = 1 AND user_id = ?";
    let found: Option<i32> = db.exec_first(sql, (group.0, user.0)).await?;
    found.map(role_of).transpose()
}

pub(super) fn role_of(column: i32) -> Result<Role, Fault> {
    match column {
        1 => Ok(Role::Member),
        2 => Ok(Role::Admin),
        3 => Ok(Role::Owner),
        other => Err(Fault::failed(format!("role {other} is unknown"))),
    }
}

const COLUMNS: &str = "group_id, name, avatar, owner_id, member_count, created_ms, members_version";

/// Of [`COLUMNS`] from `first` on.
pub(super) fn group_of(row: &mut Row, first: usize) -> Result<Group, Fault> {
    Ok(Group {
        group: GroupId(get(row, first)?),
        name: text(row, first + 1)?,
        avatar: text(row, first + 2)?,
        owner: user_id(row, first + 3)?,
        member_count: get(row, first + 4)?,
        created_ms: get(row, first + 5)?,
        members_version: get(row, first + 6)?,
    })
}

async fn load(db: &mut Conn, group: GroupId) -> Result<Option<Group>, Fault> {
    let row = db.exec_first(format!("SELECT {COLUMNS} FROM im_group WHERE group_id = ?"), (group.0,)).await?;
    row.map(|mut row| group_of(&mut row, 0)).transpose()
}

pub(super) async fn group(db: &mut Conn, asker: UserId, group: GroupId) -> Result<(Group, Role), Fault> {
    let role = role(db, group, asker).await?.ok_or(Error::NotMember)?;
    Ok((load(db, group).await?.ok_or(Error::NotMember)?, role))
}

pub(super) async fn members(
    db: &mut Conn,
    asker: UserId,
    group: GroupId,
    after: UserId,
    limit: u32,
) -> Result<Page<Member>, Fault> {
    role(db, group, asker).await?.ok_or(Error::NotMember)?;
    let sql = "SELECT user_id, account, nickname, avatar, disabled, role, joined
               FROM im_group_member JOIN im_user USING (user_id)
               WHERE group_id = ? AND present = 1 AND user_id > ? ORDER BY user_id LIMIT ?";
    let rows: Vec<Row> = db.exec(sql, (group.0, after.0, u64::from(limit) + 1)).await?;
    let member = |mut row: Row| {
        let user = user::user(&mut row, 0)?;
        Ok(Member { user, role: role_of(get(&mut row, 5)?)?, joined: get(&mut row, 6)? })
    };
    Ok(cut(rows.into_iter().map(member).collect::<Result<_, Fault>>()?, limit))
}

pub(super) async fn member_ids(db: &mut Conn, group: GroupId) -> Result<MemberIds, Fault> {
    let version = load(db, group).await?.map_or(0, |group| group.members_version);
    let sql = "SELECT user_id, joined FROM im_group_member WHERE group_id = ? AND present = 1 ORDER BY user_id";
    let ids: Vec<(u64, u64)> = db.exec(sql, (group.0,)).await?;
    Ok((version, ids.into_iter().map(|(user, joined)| (UserId(user), joined)).collect()))
}

pub(super) fn want_new(wants: &mut Wants, new: &NewGroup) {
    wants.head(ConversationId::Group(new.group));
    for user in new.members.iter().chain([&new.creator.user]) {
        wants.session(*user, ConversationId::Group(new.group));
    }
}

pub(super) fn want_change(wants: &mut Wants, change: &MembersChange) {
    wants.head(ConversationId::Group(change.group));
    for user in change.action.users().iter().chain([&change.operator.user]) {
        wants.session(*user, ConversationId::Group(change.group));
    }
}

pub(super) async fn create_group(tx: &mut Txn<'_>, new: &NewGroup) -> Result<MembersChanged, Fault> {
    let creator = new.creator.user;
    let sql = "SELECT group_id FROM im_group WHERE creator_id = ? AND client_group_id = ?";
    if let Some(known) = tx.db.exec_first(sql, (creator.0, &*new.client_group_id)).await? {
        return outcome(tx, GroupId(known), creator, Vec::new(), Vec::new()).await;
    }
    let members: Vec<_> = distinct(std::iter::once(&creator).chain(&new.members)).into_iter().collect();
    for member in &members {
        tx.must_exist(*member)?;
    }
    tx.must_be_logged_in(creator, new.login_version)?;
    let max = tx.rules.common.group_members_max;
    if members.len() > max as usize {
        return Err(Error::Limit { what: MEMBERS_OF_A_GROUP, max }.into());
    }
    may_join(tx, creator, &members).await?;
    if load(tx.db, new.group).await?.is_some() {
        return Err(Error::Conflict("group_id").into());
    }

    let mut head = Head::default();
    let notice = message::append_notice(tx, new.group, &new.creator, Kind::Created, &members, &mut head).await;
    let sql = "INSERT INTO im_group
                   (group_id, creator_id, client_group_id, name, avatar, owner_id, member_count, created_ms, members_version)
               VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?)";
    let row = (
        new.group.0,
        creator.0,
        &*new.client_group_id,
        &*new.name,
        &*new.avatar,
        creator.0,
        notice.server_time_ms,
        notice.server_msg_id,
    );
    tx.db.exec_drop(sql, row).await.map_err(user::taken_meanwhile)?;
    let stamped = join(tx, new.group, creator, &members, &head).await?;
    set_role(tx.db, new.group, creator, Role::Owner).await?;
    outcome(tx, new.group, creator, vec![notice], stamped).await
}

pub(super) async fn change_members(tx: &mut Txn<'_>, change: &MembersChange) -> Result<MembersChanged, Fault> {
    let (group, operator) = (change.group, &change.operator);
    let own = role(tx.db, group, operator.user).await?.ok_or(Error::NotMember)?;
    tx.must_be_logged_in(operator.user, change.login_version)?;
    let heir = heir_to_come(tx.db, change, own).await?;
    let (kind, users) = match &change.action {
        MembersAction::Invite(users) => (Kind::Joined, invited(tx, group, operator.user, users).await?),
        MembersAction::Remove(users) => {
            let own = heir.map_or(own, |_| Role::Owner);
            (Kind::Removed, removed(tx, group, operator.user, own, users).await?)
        }
        MembersAction::Leave => (Kind::Left, vec![operator.user]),
    };
    if users.is_empty() {
        return outcome(tx, group, operator.user, Vec::new(), Vec::new()).await;
    }
    let mut head = tx.head(ConversationId::Group(group)).ok_or(Error::NotFound("group"))?;
    let mut notices = Vec::new();
    if let Some(heir) = heir {
        crown(tx.db, group, heir).await?;
        notices.push(message::append_notice(tx, group, operator, Kind::OwnerChanged, &[heir], &mut head).await);
    }
    notices.push(message::append_notice(tx, group, operator, kind, &users, &mut head).await);
    let stamped = match kind {
        Kind::Joined => join(tx, group, operator.user, &users, &head).await?,
        _ => go(tx, group, &users, &head).await?,
    };
    match kind {
        Kind::Joined => tx.answer(operator.user, group)?,
        Kind::Left if own == Role::Owner => {
            if let Some(heir) = rightful_owner(tx.db, group).await? {
                crown(tx.db, group, heir).await?;
                notices.push(message::append_notice(tx, group, operator, Kind::OwnerChanged, &[heir], &mut head).await);
            }
        }
        _ => {}
    }
    outcome(tx, group, operator.user, notices, stamped).await
}

/// Who removes others without being owner, and may, since the place is theirs by now.
async fn heir_to_come(db: &mut Conn, change: &MembersChange, own: Role) -> Result<Option<UserId>, Fault> {
    if own == Role::Owner || !matches!(change.action, MembersAction::Remove(_)) {
        return Ok(None);
    }
    // All members are looked through only where it matters: anybody may ask, and the group's head is locked meanwhile.
    let sql = "SELECT disabled FROM im_group JOIN im_user ON user_id = owner_id WHERE group_id = ?";
    let is_disabled: Option<bool> = db.exec_first(sql, (change.group.0,)).await?;
    if is_disabled != Some(true) {
        return Ok(None);
    }
    Ok(rightful_owner(db, change.group).await?.filter(|heir| *heir == change.operator.user))
}

/// Who of them is to join: those who are no members.
async fn invited(tx: &mut Txn<'_>, group: GroupId, inviter: UserId, users: &[UserId]) -> Result<Vec<UserId>, Fault> {
    let mut new = Vec::new();
    for user in distinct(users) {
        tx.must_exist(user)?;
        if !tx.is_member(group, user) {
            new.push(user);
        }
    }
    let max = tx.rules.common.group_members_max;
    let present = load(tx.db, group).await?.map_or(0, |group| group.member_count as usize);
    if !new.is_empty() && present + new.len() > max as usize {
        return Err(Error::Limit { what: MEMBERS_OF_A_GROUP, max }.into());
    }
    may_join(tx, inviter, &new).await?;
    Ok(new)
}

/// Who of them is to go, if the operator may remove them all.
async fn removed(
    tx: &mut Txn<'_>,
    group: GroupId,
    operator: UserId,
    own: Role,
    users: &[UserId],
) -> Result<Vec<UserId>, Fault> {
    if own == Role::Member || users.contains(&operator) {
        return Err(Error::Forbidden.into());
    }
    let mut present = Vec::new();
    for user in distinct(users) {
        match role(tx.db, group, user).await? {
            None => {}
            Some(role) if own != Role::Owner && role >= own => return Err(Error::Forbidden.into()),
            Some(_) => present.push(user),
        }
    }
    Ok(present)
}

async fn may_join(tx: &mut Txn<'_>, inviter: UserId, users: &[UserId]) -> Result<(), Fault> {
    let max = tx.rules.common.groups_per_user_max;
    if users.is_empty() {
        return Ok(());
    }
    let mut sql = Sql::new("SELECT user_id FROM im_group_member WHERE present = 1 AND user_id IN ");
    sql.numbers(&users.iter().map(|user| user.0).collect::<Vec<_>>());
    sql.push(" GROUP BY user_id HAVING COUNT(*) >= ").number(max.into()).push(" LIMIT 1");
    if tx.db.query_first::<u64, _>(sql.as_str()).await?.is_some() {
        return Err(Error::Limit { what: GROUPS_OF_A_USER, max }.into());
    }
    let mut sql = Sql::new("SELECT user_id, COUNT(*), CAST(SUM(invited_by = ");
    sql.number(inviter.0).push(") AS UNSIGNED) FROM im_group_member WHERE present = 1 AND invited_by IS NOT NULL");
    sql.push(" AND user_id <> ").number(inviter.0).push(" AND user_id IN ");
    sql.numbers(&users.iter().map(|user| user.0).collect::<Vec<_>>()).push(" GROUP BY user_id");
    let counted = tx.db.query::<(u64, u64, u64), _>(sql.as_str()).await?;
    let counted: HashMap<_, _> = counted.into_iter().map(|(user, all, of_inviter)| (user, (all, of_inviter))).collect();
    for user in users.iter().filter(|user| **user != inviter) {
        // Who has none has no row.
        let (all, of_inviter) = counted.get(&user.0).copied().unwrap_or_default();
        tx.rules.common.check_unanswered_of_inviter(of_inviter)?;
        if let Err(limit) = tx.rules.common.check_unanswered(all)
            && !message::has_written(tx, *user, inviter).await?
        {
            return Err(limit.into());
        }
    }
    Ok(())
}

fn distinct<'u>(users: impl IntoIterator<Item = &'u UserId>) -> BTreeSet<UserId> {
    users.into_iter().copied().collect()
}

/// The users come with the message at the head, and their read marks start there.
async fn join(
    tx: &mut Txn<'_>,
    group: GroupId,
    inviter: UserId,
    users: &[UserId],
    head: &Head,
) -> Result<Vec<(UserId, u64)>, Fault> {
    let stamped = tx.stamp_each(users, group, |user, entry| entry.join(head.place(), user != inviter))?;
    let mut sql = Sql::new("INSERT INTO im_group_member (group_id, user_id, joined, role, invited_by) VALUES ");
    for (at, user) in users.iter().enumerate() {
        sql.push(if at == 0 { "(" } else { ", (" }).number(group.0).push(", ").number(user.0).push(", ");
        sql.number(head.server_msg_id).push(", ").number(Role::Member as u64).push(", NULLIF(").number(inviter.0);
        sql.push(", ").number(user.0).push("))");
    }
    tx.db.query_drop(sql.as_str()).await?;
    count_members(tx.db, group, users.len() as i64, head).await?;
    Ok(stamped)
}

/// The users go with the message at the head, which is the last that they see.
async fn go(tx: &mut Txn<'_>, group: GroupId, users: &[UserId], head: &Head) -> Result<Vec<(UserId, u64)>, Fault> {
    let stamped = tx.stamp_each(users, group, |_, entry| entry.go())?;
    let mut sql = Sql::new("UPDATE im_group_member SET left_at = ");
    sql.number(head.server_msg_id).push(" WHERE group_id = ").number(group.0).push(" AND present = 1 AND user_id IN ");
    sql.numbers(&users.iter().map(|user| user.0).collect::<Vec<_>>());
    tx.db.query_drop(sql.as_str()).await?;
    count_members(tx.db, group, -(users.len() as i64), head).await?;
    Ok(stamped)
}

async fn count_members(db: &mut Conn, group: GroupId, difference: i64, head: &Head) -> Result<(), Fault> {
    let sql =
        "UPDATE im_group SET member_count = CAST(member_count AS SIGNED) + ?, members_version = ? WHERE group_id = ?";
    Ok(db.exec_drop(sql, (difference, head.members_version, group.0)).await?)
}

async fn set_role(db: &mut Conn, group: GroupId, user: UserId, role: Role) -> Result<(), Fault> {
    let sql = "UPDATE im_group_member SET role = ? WHERE group_id = ? AND present = 1 AND user_id = ?";
    Ok(db.exec_drop(sql, (role as u32, group.0, user.0)).await?)
}

/// Makes a member the owner; who was it before, and is still there, is a plain member.
async fn crown(db: &mut Conn, group: GroupId, heir: UserId) -> Result<(), Fault> {
    let owner = "SELECT owner_id FROM im_group WHERE group_id = ?";
    if let Some(before) = db.exec_first(owner, (group.0,)).await?.map(UserId) {
        set_role(db, group, before, Role::Member).await?;
    }
    set_role(db, group, heir, Role::Owner).await?;
    Ok(db.exec_drop("UPDATE im_group SET owner_id = ? WHERE group_id = ?", (heir.0, group.0)).await?)
}

/// The owner; while they are disabled or gone the longest-standing member, of those who are not disabled if there are any.
async fn rightful_owner(db: &mut Conn, group: GroupId) -> Result<Option<UserId>, Fault> {
    let sql = "SELECT user_id FROM im_group_member JOIN im_user USING (user_id)
               WHERE group_id = ? AND present = 1 ORDER BY disabled, role <> 3, joined, user_id LIMIT 1";
    Ok(db.exec_first(sql, (group.0,)).await?.map(UserId))
}

async fn outcome(
    tx: &mut Txn<'_>,
    group: GroupId,
    operator: UserId,
    notices: Vec<Message>,
    stamped: Vec<(UserId, u64)>,
) -> Result<MembersChanged, Fault> {
    let role = role(tx.db, group, operator).await?;
    let group = load(tx.db, group).await?.ok_or(Error::NotFound("group"))?;
    Ok(MembersChanged { group, role, notices, stamped })
}
