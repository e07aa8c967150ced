//! Groups and who is in them. Each coming and going is a notice in the group's log, in the same transaction.

use std::{collections::BTreeSet, sync::Arc};

use anser_proto::{ConversationId, GroupId, UserId, v1::notice::Kind};
use rusqlite::{Connection, OptionalExtension as _, Row, types::Type as ColumnType};

use super::{
    columns::{bound, int, number, prepare, user as user_id},
    message,
    txn::Txn,
    user::cut,
};
use crate::{
    Error, GROUPS_OF_A_USER, Group, MEMBERS_OF_A_GROUP, Member, MemberIds, MembersAction, MembersChange,
    MembersChanged, Message, NewGroup, Page, Role, User,
    rows::{Head, Rows as _},
};

/// A stretch of the log during which somebody was a member.
pub(super) struct Stay {
    /// None: still is.
    pub(super) left_at: Option<u64>,
}

pub(super) fn last_stay(db: &Connection, group: GroupId, user: UserId) -> rusqlite::Result<Option<Stay>> {
    let sql = "SELECT left_at FROM im_group_member WHERE group_id = ?1 AND user_id = ?2 ORDER BY joined DESC LIMIT 1";
    let read = |row: &Row<'_>| Ok(Stay { left_at: row.get::<_, Option<i64>>(0)?.map(i64::cast_unsigned) });
    prepare(db, sql)?.query_row((int(group.0), int(user.0)), read).optional()
}

/// First id of the log that the user may see.
pub(super) fn first_seen(db: &Connection, group: GroupId, user: UserId) -> rusqlite::Result<u64> {
    let sql = "SELECT joined FROM im_group_member WHERE group_id = ?1 AND user_id = ?2 ORDER BY joined LIMIT 1";
    prepare(db, sql)?.query_row((int(group.0), int(user.0)), |row| number(row, 0))
}

/// None: they are no member now.
pub(super) fn role(db: &Connection, group: GroupId, user: UserId) -> rusqlite::Result<Option<Role>> {
    let sql = "SELECT role FROM im_group_member WHERE group_id = ?1 AND user_id = ?2 AND left_at IS NULL";
    prepare(db, sql)?.query_row((int(group.0), int(user.0)), |row| role_column(row, 0)).optional()
}

fn role_column(row: &Row<'_>, column: usize) -> rusqlite::Result<Role> {
    match row.get(column)? {
        1 => Ok(Role::Member),
        2 => Ok(Role::Admin),
        3 => Ok(Role::Owner),
        other => {
            let unknown = format!("role {other} is unknown").into();
            Err(rusqlite::Error::FromSqlConversionFailure(column, ColumnType::Integer, unknown))
        }
    }
}

pub(super) fn load(db: &Connection, group: GroupId) -> rusqlite::Result<Option<Group>> {
    let sql =
        "SELECT name, avatar, owner_id, member_count, created_ms, members_version FROM im_group WHERE group_id = ?1";
    let read = |row: &Row<'_>| {
        Ok(Group {
            group,
            name: Arc::from(row.get_ref(0)?.as_str()?),
            avatar: Arc::from(row.get_ref(1)?.as_str()?),
            owner: user_id(row, 2)?,
            member_count: row.get(3)?,
            created_ms: number(row, 4)?,
            members_version: number(row, 5)?,
        })
    };
    prepare(db, sql)?.query_row([int(group.0)], read).optional()
}

pub(super) fn group(db: &Connection, asker: UserId, group: GroupId) -> Result<(Group, Role), Error> {
    let role = role(db, group, asker)?.ok_or(Error::NotMember)?;
    Ok((load(db, group)?.ok_or(Error::NotMember)?, role))
}

pub(super) fn members(
    db: &Connection,
    asker: UserId,
    group: GroupId,
    after: UserId,
    limit: u32,
) -> Result<Page<Member>, Error> {
    role(db, group, asker)?.ok_or(Error::NotMember)?;
    let sql = "SELECT user_id, account, nickname, avatar, disabled, role, joined
               FROM im_group_member JOIN im_user USING (user_id)
               WHERE group_id = ?1 AND left_at IS NULL AND user_id > ?2 ORDER BY user_id LIMIT ?3";
    let mut statement = prepare(db, sql)?;
    let rows = statement.query_map((int(group.0), bound(after.0), i64::from(limit) + 1), |row| {
        let user = User {
            user: user_id(row, 0)?,
            account: Arc::from(row.get_ref(1)?.as_str()?),
            nickname: Arc::from(row.get_ref(2)?.as_str()?),
            avatar: Arc::from(row.get_ref(3)?.as_str()?),
            disabled: row.get(4)?,
        };
        Ok(Member { user, role: role_column(row, 5)?, joined: number(row, 6)? })
    })?;
    Ok(cut(rows.collect::<Result<_, _>>()?, limit))
}

pub(super) fn member_ids(db: &Connection, group: GroupId) -> Result<MemberIds, Error> {
    let version = load(db, group)?.map_or(0, |group| group.members_version);
    let sql = "SELECT user_id, joined FROM im_group_member WHERE group_id = ?1 AND left_at IS NULL ORDER BY user_id";
    let mut statement = prepare(db, sql)?;
    let ids = statement.query_map([int(group.0)], |row| Ok((user_id(row, 0)?, number(row, 1)?)))?;
    Ok((version, ids.collect::<Result<_, _>>()?))
}

pub(super) fn create_group(tx: &mut Txn<'_>, new: &NewGroup) -> Result<MembersChanged, Error> {
    let creator = new.creator.user;
    let sql = "SELECT group_id FROM im_group WHERE creator_id = ?1 AND client_group_id = ?2";
    let known = prepare(tx.db, sql)?.query_row((int(creator.0), &*new.client_group_id), |row| number(row, 0));
    if let Some(known) = known.optional()? {
        return outcome(tx, GroupId(known), creator, Vec::new(), Vec::new());
    }
    let members: Vec<_> = distinct(std::iter::once(&creator).chain(&new.members)).into_iter().collect();
    for member in &members {
        tx.must_exist(*member)?;
    }
    tx.must_be_logged_in(creator, new.login_version)?;
    let max = tx.rules.common.group_members_max;
    if members.len() > max as usize {
        return Err(Error::Limit { what: MEMBERS_OF_A_GROUP, max });
    }
    may_join(tx, creator, &members)?;
    if load(tx.db, new.group)?.is_some() {
        return Err(Error::Conflict("group_id"));
    }

    let mut head = Head::default();
    let notice = message::append_notice(tx, new.group, &new.creator, Kind::Created, &members, &mut head)?;
    let sql = "INSERT INTO im_group
                   (group_id, creator_id, client_group_id, name, avatar, owner_id, member_count, created_ms, members_version)
               VALUES (?1, ?2, ?3, ?4, ?5, ?2, 0, ?6, ?7)";
    let (id, place) = (int(new.group.0), int(notice.server_msg_id));
    let row = (id, int(creator.0), &*new.client_group_id, &*new.name, &*new.avatar, int(notice.server_time_ms), place);
    prepare(tx.db, sql)?.execute(row)?;
    let stamped = join(tx, new.group, creator, &members, &head)?;
    set_role(tx.db, new.group, creator, Role::Owner)?;
    outcome(tx, new.group, creator, vec![notice], stamped)
}

pub(super) fn change_members(tx: &mut Txn<'_>, change: &MembersChange) -> Result<MembersChanged, Error> {
    let (group, operator) = (change.group, &change.operator);
    let own = role(tx.db, group, operator.user)?.ok_or(Error::NotMember)?;
    tx.must_be_logged_in(operator.user, change.login_version)?;
    let heir = heir_to_come(tx.db, change, own)?;
    let (kind, users) = match &change.action {
        MembersAction::Invite(users) => (Kind::Joined, invited(tx, group, operator.user, users)?),
        MembersAction::Remove(users) => {
            let own = heir.map_or(own, |_| Role::Owner);
            (Kind::Removed, removed(tx, group, operator.user, own, users)?)
        }
        MembersAction::Leave => (Kind::Left, vec![operator.user]),
    };
    if users.is_empty() {
        return outcome(tx, group, operator.user, Vec::new(), Vec::new());
    }
    let mut head = tx.head(ConversationId::Group(group))?.ok_or(Error::NotFound("group"))?;
    let mut notices = Vec::new();
    if let Some(heir) = heir {
        crown(tx.db, group, heir)?;
        notices.push(message::append_notice(tx, group, operator, Kind::OwnerChanged, &[heir], &mut head)?);
    }
    notices.push(message::append_notice(tx, group, operator, kind, &users, &mut head)?);
    let stamped = match kind {
        Kind::Joined => join(tx, group, operator.user, &users, &head)?,
        _ => go(tx, group, &users, &head)?,
    };
    match kind {
        Kind::Joined => tx.answer(operator.user, group)?,
        Kind::Left if own == Role::Owner => {
            if let Some(heir) = rightful_owner(tx.db, group)? {
                crown(tx.db, group, heir)?;
                notices.push(message::append_notice(tx, group, operator, Kind::OwnerChanged, &[heir], &mut head)?);
            }
        }
        _ => {}
    }
    outcome(tx, group, operator.user, notices, stamped)
}

/// Who removes others without being owner, and may, since the place is theirs by now.
fn heir_to_come(db: &Connection, change: &MembersChange, own: Role) -> Result<Option<UserId>, Error> {
    if own == Role::Owner || !matches!(change.action, MembersAction::Remove(_)) {
        return Ok(None);
    }
    // All members are looked through only where it matters: anybody may ask, and this is the one thread that writes.
    let sql = "SELECT disabled FROM im_group JOIN im_user ON user_id = owner_id WHERE group_id = ?1";
    let is_disabled: Option<bool> = prepare(db, sql)?.query_row([int(change.group.0)], |row| row.get(0)).optional()?;
    if is_disabled != Some(true) {
        return Ok(None);
    }
    Ok(rightful_owner(db, change.group)?.filter(|heir| *heir == change.operator.user))
}

/// Who of them is to join: those who are no members.
fn invited(tx: &mut Txn<'_>, group: GroupId, inviter: UserId, users: &[UserId]) -> Result<Vec<UserId>, Error> {
    let mut new = Vec::new();
    for user in distinct(users) {
        tx.must_exist(user)?;
        if role(tx.db, group, user)?.is_none() {
            new.push(user);
        }
    }
    let max = tx.rules.common.group_members_max;
    let present = load(tx.db, group)?.map_or(0, |group| group.member_count as usize);
    if !new.is_empty() && present + new.len() > max as usize {
        return Err(Error::Limit { what: MEMBERS_OF_A_GROUP, max });
    }
    may_join(tx, inviter, &new)?;
    Ok(new)
}

/// Who of them is to go, if the operator may remove them all.
fn removed(tx: &Txn<'_>, group: GroupId, operator: UserId, own: Role, users: &[UserId]) -> Result<Vec<UserId>, Error> {
    if own == Role::Member || users.contains(&operator) {
        return Err(Error::Forbidden);
    }
    let mut present = Vec::new();
    for user in distinct(users) {
        match role(tx.db, group, user)? {
            None => {}
            Some(role) if own != Role::Owner && role >= own => return Err(Error::Forbidden),
            Some(_) => present.push(user),
        }
    }
    Ok(present)
}

fn may_join(tx: &Txn<'_>, inviter: UserId, users: &[UserId]) -> Result<(), Error> {
    let max = tx.rules.common.groups_per_user_max;
    let mut count = prepare(tx.db, "SELECT count(*) FROM im_group_member WHERE user_id = ?1 AND left_at IS NULL")?;
    for user in users {
        if count.query_row([int(user.0)], |row| number(row, 0))? >= u64::from(max) {
            return Err(Error::Limit { what: GROUPS_OF_A_USER, max });
        }
    }
    let sql = "SELECT count(*), count(*) FILTER (WHERE invited_by = ?2) FROM im_group_member
               WHERE user_id = ?1 AND invited_by IS NOT NULL AND left_at IS NULL";
    let mut unanswered = prepare(tx.db, sql)?;
    for user in users.iter().filter(|user| **user != inviter) {
        let (all, of_inviter) =
            unanswered.query_row((int(user.0), int(inviter.0)), |row| Ok((number(row, 0)?, number(row, 1)?)))?;
        tx.rules.common.check_unanswered_of_inviter(of_inviter)?;
        if let Err(limit) = tx.rules.common.check_unanswered(all)
            && !message::has_written(tx, *user, inviter)?
        {
            return Err(limit);
        }
    }
    Ok(())
}

fn distinct<'u>(users: impl IntoIterator<Item = &'u UserId>) -> BTreeSet<UserId> {
    users.into_iter().copied().collect()
}

/// The users come with the message at the head, and their read marks start there.
fn join(
    tx: &mut Txn<'_>,
    group: GroupId,
    inviter: UserId,
    users: &[UserId],
    head: &Head,
) -> Result<Vec<(UserId, u64)>, Error> {
    let sql = "INSERT INTO im_group_member (group_id, user_id, joined, left_at, role, invited_by)
               VALUES (?1, ?2, ?3, NULL, ?4, ?5)";
    for user in users {
        let invited_by = (*user != inviter).then_some(int(inviter.0));
        let row = (int(group.0), int(user.0), int(head.server_msg_id), Role::Member as u32, invited_by);
        prepare(tx.db, sql)?.execute(row)?;
    }
    count_members(tx.db, group, users.len() as i64, head)?;
    tx.stamp_each(users, group, |user, entry| entry.join(head.place(), user != inviter))
}

/// The users go with the message at the head, which is the last that they see.
fn go(tx: &mut Txn<'_>, group: GroupId, users: &[UserId], head: &Head) -> Result<Vec<(UserId, u64)>, Error> {
    let sql = "UPDATE im_group_member SET left_at = ?3 WHERE group_id = ?1 AND user_id = ?2 AND left_at IS NULL";
    for user in users {
        prepare(tx.db, sql)?.execute((int(group.0), int(user.0), int(head.server_msg_id)))?;
    }
    count_members(tx.db, group, -(users.len() as i64), head)?;
    tx.stamp_each(users, group, |_, entry| entry.go())
}

fn count_members(db: &Connection, group: GroupId, difference: i64, head: &Head) -> rusqlite::Result<()> {
    let sql = "UPDATE im_group SET member_count = member_count + ?2, members_version = ?3 WHERE group_id = ?1";
    prepare(db, sql)?.execute((int(group.0), difference, int(head.members_version))).map(drop)
}

fn set_role(db: &Connection, group: GroupId, user: UserId, role: Role) -> rusqlite::Result<()> {
    let sql = "UPDATE im_group_member SET role = ?3 WHERE group_id = ?1 AND user_id = ?2 AND left_at IS NULL";
    prepare(db, sql)?.execute((int(group.0), int(user.0), role as u32)).map(drop)
}

/// Makes a member the owner; who was it before, and is still there, is a plain member.
fn crown(db: &Connection, group: GroupId, heir: UserId) -> rusqlite::Result<()> {
    if let Some(before) = load(db, group)? {
        set_role(db, group, before.owner, Role::Member)?;
    }
    set_role(db, group, heir, Role::Owner)?;
    let sql = "UPDATE im_group SET owner_id = ?2 WHERE group_id = ?1";
    prepare(db, sql)?.execute((int(group.0), int(heir.0))).map(drop)
}

/// The owner; while they are disabled or gone the longest-standing member, of those who are not disabled if there are any.
fn rightful_owner(db: &Connection, group: GroupId) -> rusqlite::Result<Option<UserId>> {
    let sql = "SELECT user_id FROM im_group_member JOIN im_user USING (user_id)
               WHERE group_id = ?1 AND left_at IS NULL ORDER BY disabled, role <> 3, joined, user_id LIMIT 1";
    prepare(db, sql)?.query_row([int(group.0)], |row| user_id(row, 0)).optional()
}

fn outcome(
    tx: &Txn<'_>,
    group: GroupId,
    operator: UserId,
    notices: Vec<Message>,
    stamped: Vec<(UserId, u64)>,
) -> Result<MembersChanged, Error> {
    let role = role(tx.db, group, operator)?;
    let group = load(tx.db, group)?.ok_or(Error::NotFound("group"))?;
    Ok(MembersChanged { group, role, notices, stamped })
}
