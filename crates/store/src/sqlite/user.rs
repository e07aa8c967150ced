//! Users: profiles, passwords, devices.

use std::{collections::BTreeMap, sync::Arc};

use anser_proto::UserId;
use rusqlite::{Connection, OptionalExtension as _, Row};

use super::{
    columns::{bound, int, number, prepare, user as user_id},
    txn::Txn,
};
use crate::{Device, Error, NewUser, Page, PasswordHash, ProfileChange, User, rows::Rows as _};

const COLUMNS: &str = "user_id, account, nickname, avatar, disabled";

fn user(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User {
        user: user_id(row, 0)?,
        account: Arc::from(row.get_ref(1)?.as_str()?),
        nickname: Arc::from(row.get_ref(2)?.as_str()?),
        avatar: Arc::from(row.get_ref(3)?.as_str()?),
        disabled: row.get(4)?,
    })
}

pub(super) fn by_id(db: &Connection, id: UserId) -> rusqlite::Result<Option<User>> {
    let sql = format!("SELECT {COLUMNS} FROM im_user WHERE user_id = ?1");
    prepare(db, &sql)?.query_row([int(id.0)], user).optional()
}

fn by_account(db: &Connection, account: &str) -> rusqlite::Result<Option<User>> {
    let sql = format!("SELECT {COLUMNS} FROM im_user WHERE account = ?1");
    prepare(db, &sql)?.query_row([account], user).optional()
}

pub(super) fn user_by_account(db: &Connection, account: &str) -> Result<User, Error> {
    by_account(db, account)?.ok_or(Error::NotFound("user"))
}

pub(super) fn user_with_password(db: &Connection, account: &str) -> Result<(User, Option<PasswordHash>), Error> {
    let sql = format!(
        "SELECT {COLUMNS}, argon2, scram FROM im_user LEFT JOIN im_password USING (user_id) WHERE account = ?1"
    );
    let read = |row: &Row<'_>| {
        let kept = row.get::<_, Option<_>>(5)?.zip(row.get(6)?);
        Ok((user(row)?, kept.map(|(argon2, scram)| PasswordHash { argon2, scram })))
    };
    prepare(db, &sql)?.query_row([account], read).optional()?.ok_or(Error::NotFound("user"))
}

pub(super) fn users(db: &Connection, ids: &[UserId], accounts: &[Arc<str>]) -> Result<Vec<User>, Error> {
    let mut found = BTreeMap::new();
    for id in ids {
        found.extend(by_id(db, *id)?.map(|user| (user.user, user)));
    }
    for account in accounts {
        found.extend(by_account(db, account)?.map(|user| (user.user, user)));
    }
    Ok(found.into_values().collect())
}

pub(super) fn list_users(db: &Connection, after: UserId, limit: u32) -> Result<Page<User>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM im_user WHERE user_id > ?1 ORDER BY user_id LIMIT ?2");
    let mut statement = prepare(db, &sql)?;
    let rows = statement.query_map((bound(after.0), i64::from(limit) + 1), user)?;
    Ok(cut(rows.collect::<Result<_, _>>()?, limit))
}

/// A page out of rows of which one more was read.
pub(super) fn cut<T>(mut rows: Vec<T>, limit: u32) -> Page<T> {
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    Page { rows, more }
}

pub(super) fn create_user(tx: &mut Txn<'_>, new: &NewUser) -> Result<User, Error> {
    if by_account(tx.db, &new.account)?.is_some() {
        return Err(Error::Conflict("account"));
    }
    if by_id(tx.db, new.user)?.is_some() {
        return Err(Error::Conflict("user_id"));
    }
    let id = int(new.user.0);
    let sql =
        "INSERT INTO im_user (user_id, account, nickname, avatar, disabled, mailbox_seq) VALUES (?1, ?2, ?3, '', 0, 0)";
    prepare(tx.db, sql)?.execute((id, &*new.account, &*new.nickname))?;
    prepare(tx.db, "INSERT INTO im_mailbox (user_id, mailbox_seq) VALUES (?1, 0)")?.execute([id])?;
    if let Some(password) = &new.password {
        write_password(tx.db, new.user, password)?;
    }
    Ok(User {
        user: new.user,
        account: new.account.clone(),
        nickname: new.nickname.clone(),
        avatar: Arc::from(""),
        disabled: false,
    })
}

pub(super) fn update_profile(tx: &mut Txn<'_>, id: UserId, change: &ProfileChange) -> Result<(User, u64), Error> {
    let present = by_id(tx.db, id)?.ok_or(Error::NotFound("user"))?;
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
    let sql = "UPDATE im_user SET nickname = ?2, avatar = ?3, mailbox_seq = ?4 WHERE user_id = ?1";
    prepare(tx.db, sql)?.execute((int(id.0), &*changed.nickname, &*changed.avatar, int(mailbox_seq)))?;
    Ok((changed, mailbox_seq))
}

pub(super) fn set_password(tx: &mut Txn<'_>, id: UserId, password: &PasswordHash) -> Result<(), Error> {
    tx.end_logins(id)?;
    Ok(write_password(tx.db, id, password)?)
}

fn write_password(db: &Connection, id: UserId, password: &PasswordHash) -> rusqlite::Result<()> {
    let sql = "INSERT INTO im_password (user_id, argon2, scram) VALUES (?1, ?2, ?3)
               ON CONFLICT (user_id) DO UPDATE SET argon2 = excluded.argon2, scram = excluded.scram";
    prepare(db, sql)?.execute((int(id.0), &password.argon2, &password.scram)).map(drop)
}

pub(super) fn set_disabled(tx: &mut Txn<'_>, id: UserId, disabled: bool) -> Result<(), Error> {
    tx.must_exist(id)?;
    if disabled {
        tx.end_logins(id)?;
    }
    let sql = "UPDATE im_user SET disabled = ?2 WHERE user_id = ?1";
    Ok(prepare(tx.db, sql)?.execute((int(id.0), disabled)).map(drop)?)
}

pub(super) fn login_versions(db: &Connection, users: &[UserId]) -> Result<Vec<(UserId, u64)>, Error> {
    let mut statement = prepare(db, "SELECT login_version FROM im_mailbox WHERE user_id = ?1")?;
    let mut found = BTreeMap::new();
    for user in users {
        let version = statement.query_row([int(user.0)], |row| number(row, 0)).optional()?;
        found.extend(version.map(|version| (*user, version)));
    }
    Ok(found.into_iter().collect())
}

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

pub(super) fn touch_device(tx: &mut Txn<'_>, id: UserId, device: &Device) -> Result<(), Error> {
    by_id(tx.db, id)?.ok_or(Error::NotFound("user"))?;
    let now = (tx.rules.common.clock)();
    let sql = "SELECT platform, name, last_seen_ms FROM im_device WHERE user_id = ?1 AND device_id = ?2";
    let known = prepare(tx.db, sql)?.query_row((int(id.0), &*device.device_id), |row| {
        let same = row.get::<_, i32>(0)? == device.platform && row.get_ref(1)?.as_str()? == &*device.name;
        Ok(same && number(row, 2)? / DAY_MS == now / DAY_MS)
    });
    if known.optional()? == Some(true) {
        return Ok(());
    }
    let sql = "INSERT INTO im_device (user_id, device_id, platform, name, last_seen_ms) VALUES (?1, ?2, ?3, ?4, ?5)
               ON CONFLICT (user_id, device_id) DO UPDATE SET platform = excluded.platform, name = excluded.name,
                   last_seen_ms = excluded.last_seen_ms";
    prepare(tx.db, sql)?.execute((int(id.0), &*device.device_id, device.platform, &*device.name, int(now)))?;
    // The one that just came stays, also when others have a later time because the clock went back.
    let sql = "DELETE FROM im_device WHERE user_id = ?1 AND device_id IN (
                   SELECT device_id FROM im_device WHERE user_id = ?1
                   ORDER BY device_id = ?2 DESC, last_seen_ms DESC, device_id LIMIT -1 OFFSET ?3)";
    prepare(tx.db, sql)?.execute((int(id.0), &*device.device_id, tx.rules.common.devices_per_user_max.max(1)))?;
    Ok(())
}

pub(super) fn devices(db: &Connection, id: UserId) -> Result<Vec<Device>, Error> {
    let sql =
        "SELECT device_id, platform, name FROM im_device WHERE user_id = ?1 ORDER BY last_seen_ms DESC, device_id";
    let mut statement = prepare(db, sql)?;
    let device = |row: &Row<'_>| {
        Ok(Device {
            device_id: Arc::from(row.get_ref(0)?.as_str()?),
            platform: row.get(1)?,
            name: Arc::from(row.get_ref(2)?.as_str()?),
        })
    };
    let rows = statement.query_map([int(id.0)], device)?;
    Ok(rows.collect::<Result<_, _>>()?)
}
