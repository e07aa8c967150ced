//! Users: profiles, passwords, devices.

use std::{collections::BTreeMap, sync::Arc};

use anser_proto::UserId;
use mysql_async::{Conn, Row, prelude::Queryable as _};

use super::{
    columns::{Sql, get, text, user as user_id},
    fault::Fault,
    txn::Txn,
};
use crate::{Device, Error, NewUser, Page, PasswordHash, ProfileChange, User, rows::Rows as _};

const COLUMNS: &str = "user_id, account, nickname, avatar, disabled";

/// Of [`COLUMNS`] from `first` on.
pub(super) fn user(row: &mut Row, first: usize) -> Result<User, Fault> {
    Ok(User {
        user: user_id(row, first)?,
        account: text(row, first + 1)?,
        nickname: text(row, first + 2)?,
        avatar: text(row, first + 3)?,
        disabled: get(row, first + 4)?,
    })
}

pub(super) async fn by_id(db: &mut Conn, id: UserId) -> Result<Option<User>, Fault> {
    let row = db.exec_first(format!("SELECT {COLUMNS} FROM im_user WHERE user_id = ?"), (id.0,)).await?;
    row.map(|mut row| user(&mut row, 0)).transpose()
}

async fn by_account(db: &mut Conn, account: &str) -> Result<Option<User>, Fault> {
    let row = db.exec_first(format!("SELECT {COLUMNS} FROM im_user WHERE account = ?"), (account,)).await?;
    row.map(|mut row| user(&mut row, 0)).transpose()
}

pub(super) async fn user_by_account(db: &mut Conn, account: &str) -> Result<User, Fault> {
    Ok(by_account(db, account).await?.ok_or(Error::NotFound("user"))?)
}

pub(super) async fn user_with_password(db: &mut Conn, account: &str) -> Result<(User, Option<PasswordHash>), Fault> {
    let sql =
        format!("SELECT {COLUMNS}, argon2, scram FROM im_user LEFT JOIN im_password USING (user_id) WHERE account = ?");
    let row: Option<Row> = db.exec_first(sql, (account,)).await?;
    let mut row = row.ok_or(Error::NotFound("user"))?;
    let kept = get::<Option<_>>(&mut row, 5)?.zip(get(&mut row, 6)?);
    Ok((user(&mut row, 0)?, kept.map(|(argon2, scram)| PasswordHash { argon2, scram })))
}

pub(super) async fn users(db: &mut Conn, ids: &[UserId], accounts: &[Arc<str>]) -> Result<Vec<User>, Fault> {
    let mut sql = Sql::new(format!("SELECT {COLUMNS} FROM im_user WHERE FALSE"));
    if !ids.is_empty() {
        sql.push(" OR user_id IN ").numbers(&ids.iter().map(|id| id.0).collect::<Vec<_>>());
    }
    for (at, account) in accounts.iter().enumerate() {
        sql.push(if at == 0 { " UNION SELECT " } else { ", " });
        if at == 0 {
            sql.push(COLUMNS).push(" FROM im_user WHERE account IN (");
        }
        sql.text(account);
    }
    if !accounts.is_empty() {
        sql.push(")");
    }
    let mut found = BTreeMap::new();
    for mut row in db.query::<Row, _>(sql.as_str()).await? {
        let user = user(&mut row, 0)?;
        found.insert(user.user, user);
    }
    Ok(found.into_values().collect())
}

pub(super) async fn list_users(db: &mut Conn, after: UserId, limit: u32) -> Result<Page<User>, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM im_user WHERE user_id > ? ORDER BY user_id LIMIT ?");
    let rows: Vec<Row> = db.exec(sql, (after.0, u64::from(limit) + 1)).await?;
    let rows = rows.into_iter().map(|mut row| user(&mut row, 0)).collect::<Result<_, _>>()?;
    Ok(cut(rows, limit))
}

/// A page out of rows of which one more was read.
pub(super) fn cut<T>(mut rows: Vec<T>, limit: u32) -> Page<T> {
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    Page { rows, more }
}

pub(super) async fn create_user(tx: &mut Txn<'_>, new: &NewUser) -> Result<User, Fault> {
    // Two nodes that create the same user at once: the key of the table tells the later one, who then finds them here.
    if by_account(tx.db, &new.account).await?.is_some() {
        return Err(Error::Conflict("account").into());
    }
    if by_id(tx.db, new.user).await?.is_some() {
        return Err(Error::Conflict("user_id").into());
    }
    let sql =
        "INSERT INTO im_user (user_id, account, nickname, avatar, disabled, mailbox_seq) VALUES (?, ?, ?, '', 0, 0)";
    tx.changed = true;
    let made = tx.db.exec_drop(sql, (new.user.0, &*new.account, &*new.nickname)).await;
    made.map_err(taken_meanwhile)?;
    tx.db.exec_drop("INSERT INTO im_mailbox (user_id, mailbox_seq) VALUES (?, 0)", (new.user.0,)).await?;
    if let Some(password) = &new.password {
        write_password(tx.db, new.user, password).await?;
    }
    Ok(User {
        user: new.user,
        account: new.account.clone(),
        nickname: new.nickname.clone(),
        avatar: Arc::from(""),
        disabled: false,
    })
}

pub(super) fn taken_meanwhile(error: mysql_async::Error) -> Fault {
    match error {
        mysql_async::Error::Server(server) if server.code == 1062 => Fault::InTheWay(server.message),
        error => error.into(),
    }
}

pub(super) async fn update_profile(tx: &mut Txn<'_>, id: UserId, change: &ProfileChange) -> Result<(User, u64), Fault> {
    let present = by_id(tx.db, id).await?.ok_or(Error::NotFound("user"))?;
    tx.must_be_logged_in(id, change.login_version)?;
    let changed = User {
        nickname: change.nickname.clone().unwrap_or_else(|| present.nickname.clone()),
        avatar: change.avatar.clone().unwrap_or_else(|| present.avatar.clone()),
        ..present.clone()
    };
    if changed == present {
        return Ok((present, 0));
    }
    let mailbox_seq = tx.next_change(id)?;
    let sql = "UPDATE im_user SET nickname = ?, avatar = ?, mailbox_seq = ? WHERE user_id = ?";
    tx.db.exec_drop(sql, (&*changed.nickname, &*changed.avatar, mailbox_seq, id.0)).await?;
    Ok((changed, mailbox_seq))
}

pub(super) async fn set_password(tx: &mut Txn<'_>, id: UserId, password: &PasswordHash) -> Result<(), Fault> {
    tx.end_logins(id).await?;
    write_password(tx.db, id, password).await
}

async fn write_password(db: &mut Conn, id: UserId, password: &PasswordHash) -> Result<(), Fault> {
    let sql = "INSERT INTO im_password (user_id, argon2, scram) VALUES (?, ?, ?)
               ON DUPLICATE KEY UPDATE argon2 = VALUES(argon2), scram = VALUES(scram)";
    Ok(db.exec_drop(sql, (id.0, &password.argon2, &password.scram)).await?)
}

pub(super) async fn set_disabled(tx: &mut Txn<'_>, id: UserId, disabled: bool) -> Result<(), Fault> {
    tx.must_exist(id)?;
    if disabled {
        tx.end_logins(id).await?;
    }
    tx.changed = true;
    Ok(tx.db.exec_drop("UPDATE im_user SET disabled = ? WHERE user_id = ?", (disabled, id.0)).await?)
}

pub(super) async fn login_versions(db: &mut Conn, users: &[UserId]) -> Result<Vec<(UserId, u64)>, Fault> {
    if users.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = Sql::new("SELECT user_id, login_version FROM im_mailbox WHERE user_id IN ");
    sql.numbers(&users.iter().map(|user| user.0).collect::<Vec<_>>());
    let found: Vec<(u64, u64)> = db.query(sql.as_str()).await?;
    Ok(found.into_iter().map(|(user, version)| (UserId(user), version)).collect())
}

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// The device is known as it is, and was here today.
pub(super) async fn has_device(db: &mut Conn, id: UserId, device: &Device, now_ms: u64) -> Result<bool, Fault> {
    let sql = "SELECT platform, name, last_seen_ms FROM im_device WHERE user_id = ? AND device_id = ?";
    let known: Option<(i32, String, u64)> = db.exec_first(sql, (id.0, &*device.device_id)).await?;
    Ok(known.is_some_and(|(platform, name, seen_ms)| {
        platform == device.platform && name == *device.name && seen_ms / DAY_MS == now_ms / DAY_MS
    }))
}

pub(super) async fn touch_device(tx: &mut Txn<'_>, id: UserId, device: &Device) -> Result<(), Fault> {
    tx.must_exist(id)?;
    let now = tx.now_ms();
    tx.changed = true;
    let sql = "INSERT INTO im_device (user_id, device_id, platform, name, last_seen_ms) VALUES (?, ?, ?, ?, ?)
               ON DUPLICATE KEY UPDATE platform = VALUES(platform), name = VALUES(name),
                   last_seen_ms = VALUES(last_seen_ms)";
    tx.db.exec_drop(sql, (id.0, &*device.device_id, device.platform, &*device.name, now)).await?;
    // The one that just came stays, also when others have a later time because the clock went back.
    let sql = "SELECT device_id FROM im_device WHERE user_id = ?
               ORDER BY device_id = ? DESC, last_seen_ms DESC, device_id LIMIT 1000000 OFFSET ?";
    let beyond = tx.rules.common.devices_per_user_max.max(1);
    let forgotten: Vec<String> = tx.db.exec(sql, (id.0, &*device.device_id, beyond)).await?;
    for device_id in forgotten {
        tx.db.exec_drop("DELETE FROM im_device WHERE user_id = ? AND device_id = ?", (id.0, device_id)).await?;
    }
    Ok(())
}

pub(super) async fn devices(db: &mut Conn, id: UserId) -> Result<Vec<Device>, Fault> {
    let sql = "SELECT device_id, platform, name FROM im_device WHERE user_id = ? ORDER BY last_seen_ms DESC, device_id";
    let rows: Vec<(String, i32, String)> = db.exec(sql, (id.0,)).await?;
    let device = |(device_id, platform, name): (String, i32, String)| Device {
        device_id: device_id.into(),
        platform,
        name: name.into(),
    };
    Ok(rows.into_iter().map(device).collect())
}
