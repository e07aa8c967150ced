//! Users: profiles, passwords, logins, devices.

use std::{collections::BTreeMap, sync::Arc};

use anser_proto::UserId;

use crate::{
    Device, KnownDevice, Logins, Page, PasswordHash, Profile, Refusal, User,
    damaged::Damaged,
    query::{Query, Value, bound},
    questions,
    read::{Read, Snapshot, cut, sound},
    rows::{Damage, DeviceRow, Mailbox, ProfileRow, RevokedRow, Row as _, Take, UserRow, columns_of},
};

fn take_user(row: &mut dyn Take) -> Result<User, Damage> {
    let user = row.get()?;
    Ok(UserRow::take(row)?.user(user))
}

/// Without its names if it is damaged.
fn take_listed(row: &mut dyn Take, damaged: &Damaged) -> Result<User, Damage> {
    let user = row.get()?;
    Ok(sound(row, &user, damaged).map_or(User::unreadable(user), |row: UserRow| row.user(user)))
}

fn called(account: &Arc<str>) -> Query {
    let sql = format!("SELECT {} FROM im_user WHERE account = ?", columns_of::<UserRow>("im_user"));
    Query::new(sql, [Value::Text(account.clone())])
}

pub(crate) struct UserCalled(pub(crate) Arc<str>);

impl Read for UserCalled {
    type Answer = User;

    async fn read<D: Snapshot>(&self, db: &mut D) -> Result<User, D::Error> {
        Ok(db.row(called(&self.0), take_user).await?.ok_or(Refusal::NotFound("user"))?)
    }
}

pub(crate) struct UserWithPassword(pub(crate) Arc<str>);

impl Read for UserWithPassword {
    type Answer = (User, Option<PasswordHash>);

    async fn read<D: Snapshot>(&self, db: &mut D) -> Result<Self::Answer, D::Error> {
        let user = columns_of::<UserRow>("im_user");
        let sql = format!(
            "SELECT {user}, argon2, scram FROM im_user LEFT JOIN im_password USING (user_id) WHERE account = ?"
        );
        let question = Query::new(sql, [Value::Text(self.0.clone())]);
        let found = db.row(question, |row| {
            let user = take_user(row)?;
            let kept = row.get::<Option<_>>()?.zip(row.get()?);
            Ok((user, kept.map(|(argon2, scram)| PasswordHash { argon2, scram })))
        });
        Ok(found.await?.ok_or(Refusal::NotFound("user"))?)
    }
}

pub(crate) struct Users {
    pub(crate) ids: Vec<UserId>,
    pub(crate) accounts: Vec<Arc<str>>,
}

impl Read for Users {
    type Answer = Vec<User>;

    async fn read<D: Snapshot>(&self, db: &mut D) -> Result<Vec<User>, D::Error> {
        let dialect = db.dialect();
        let by_id = self.ids.iter().map(|id| Query::with_key::<UserRow>(dialect, id));
        let questions: Vec<_> = by_id.chain(self.accounts.iter().map(called)).collect();
        let damaged = db.damaged();
        let found = db.rows(questions, |row| take_listed(row, &damaged)).await?;
        let found: BTreeMap<_, _> = found.into_iter().map(|user| (user.user, user)).collect();
        Ok(found.into_values().collect())
    }
}

pub(crate) struct Profiles {
    pub(crate) ids: Vec<UserId>,
    pub(crate) accounts: Vec<Arc<str>>,
    /// Whose profile of which version is known.
    pub(crate) known: Vec<(UserId, u64)>,
}

impl Read for Profiles {
    type Answer = Vec<Profile>;

    async fn read<D: Snapshot>(&self, db: &mut D) -> Result<Vec<Profile>, D::Error> {
        let Self { ids, accounts, known } = self;
        let ids = ids.iter().chain(known.iter().map(|(user, _)| user)).copied().collect();
        let users = Users { ids, accounts: accounts.clone() }.read(db).await?;
        let mut profiles = with_profiles(db, users).await?;
        profiles.retain(|profile| !known.contains(&(profile.user.user, profile.version)));
        Ok(profiles)
    }
}

/// What users say of themselves beside their names. Nothing, if that is damaged.
pub(super) async fn with_profiles<D: Snapshot>(db: &mut D, users: Vec<User>) -> Result<Vec<Profile>, D::Error> {
    let (dialect, damaged) = (db.dialect(), db.damaged());
    let questions = users.iter().map(|user| Query::with_key::<ProfileRow>(dialect, &user.user)).collect();
    let rows = db.rows(questions, |row| {
        let user = row.get()?;
        Ok((user, sound::<ProfileRow>(row, &user, &damaged).unwrap_or_default()))
    });
    let mut rows: BTreeMap<UserId, ProfileRow> = rows.await?.into_iter().collect();
    Ok(users.into_iter().map(|user| rows.remove(&user.user).unwrap_or_default().profile(user)).collect())
}

pub(crate) struct AllUsers {
    pub(crate) after: UserId,
    pub(crate) limit: u32,
}

impl Read for AllUsers {
    type Answer = Page<User>;

    async fn read<D: Snapshot>(&self, db: &mut D) -> Result<Page<User>, D::Error> {
        let user = columns_of::<UserRow>("im_user");
        let sql = format!("SELECT {user} FROM im_user WHERE user_id > ? ORDER BY user_id LIMIT ?");
        let question = Query::new(sql, [bound(self.after.0), (u64::from(self.limit) + 1).into()]);
        let damaged = db.damaged();
        Ok(cut(db.rows(vec![question], |row| take_listed(row, &damaged)).await?, self.limit))
    }
}

pub(crate) struct LoginVersions(pub(crate) Vec<UserId>);

impl Read for LoginVersions {
    type Answer = Vec<(UserId, u64)>;

    async fn read<D: Snapshot>(&self, db: &mut D) -> Result<Self::Answer, D::Error> {
        let dialect = db.dialect();
        let questions: Vec<_> = self.0.iter().map(|user| Query::with_key::<Mailbox>(dialect, user)).collect();
        let found = db.rows(questions, |row| Ok((row.get()?, Mailbox::take(row)?.login_version))).await?;
        let found: BTreeMap<_, _> = found.into_iter().collect();
        Ok(found.into_iter().collect())
    }
}

/// The device is known as it is, and was seen today.
pub(crate) struct IsSeenToday {
    pub(crate) user: UserId,
    pub(crate) device: Device,
    pub(crate) now_ms: u64,
}

impl Read for IsSeenToday {
    type Answer = bool;

    async fn read<D: Snapshot>(&self, db: &mut D) -> Result<bool, D::Error> {
        let known = db.find::<DeviceRow>(&(self.user, self.device.device_id.clone())).await?;
        Ok(known.is_some_and(|known| known.is_same_today(&self.device, self.now_ms)))
    }
}

pub(crate) struct DevicesOf(pub(crate) UserId);

impl Read for DevicesOf {
    type Answer = Vec<KnownDevice>;

    async fn read<D: Snapshot>(&self, db: &mut D) -> Result<Vec<KnownDevice>, D::Error> {
        let damaged = db.damaged();
        let devices = db.rows(vec![questions::devices_of(self.0)], |row| take_device(row, &damaged));
        Ok(devices.await?.into_iter().flatten().collect())
    }
}

/// A row of [`questions::devices_of`]. What is damaged is left out.
pub(super) fn take_device(row: &mut dyn Take, damaged: &Damaged) -> Result<Option<KnownDevice>, Damage> {
    let key: (UserId, Arc<str>) = row.get()?;
    Ok(sound(row, &key, damaged).map(|row: DeviceRow| row.device(&key.1)))
}

pub(crate) struct NotBefore(pub(crate) UserId, pub(crate) Arc<str>);

impl Read for NotBefore {
    type Answer = u64;

    async fn read<D: Snapshot>(&self, db: &mut D) -> Result<u64, D::Error> {
        let revoked = db.find::<RevokedRow>(&(self.0, self.1.clone())).await?;
        Ok(revoked.map_or(0, |revoked| revoked.not_before_s))
    }
}

pub(crate) struct LoginsOf(pub(crate) UserId);

impl Read for LoginsOf {
    type Answer = Logins;

    async fn read<D: Snapshot>(&self, db: &mut D) -> Result<Logins, D::Error> {
        let mailbox = db.find::<Mailbox>(&self.0).await?.ok_or(Refusal::NotFound("user"))?;
        let (login_version, from) = (mailbox.login_version, mailbox.logins_from());
        let revoked = db.rows(vec![questions::revoked_of(self.0)], |row| {
            let key: (UserId, Arc<str>) = row.get()?;
            Ok((key.1, RevokedRow::take(row)?.login_version))
        });
        let mut revoked: Vec<_> = revoked.await?.into_iter().filter(|(_, version)| *version > from).collect();
        revoked.sort_unstable();
        Ok(Logins { login_version, from, revoked })
    }
}
