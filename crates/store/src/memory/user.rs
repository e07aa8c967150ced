//! Users and their passwords.

use std::sync::Arc;

use anser_proto::UserId;

use super::{State, UserRow, page};
use crate::{NewUser, Page, PasswordHash, Privacy, Profile, ProfileChange, Refusal, User};

impl State {
    pub(super) fn user_row(&self, user: UserId) -> Result<&UserRow, Refusal> {
        self.users.get(&user).ok_or(Refusal::NotFound("user"))
    }

    /// For a change, which is counted.
    pub(super) fn change_user(&mut self, user: UserId) -> Result<&mut UserRow, Refusal> {
        let row = self.users.get_mut(&user).ok_or(Refusal::NotFound("user"))?;
        self.stats.commits += 1;
        Ok(row)
    }

    pub(super) fn create_user(&mut self, new: NewUser) -> Result<User, Refusal> {
        if self.user_by_account(&new.account).is_ok() {
            return Err(Refusal::Conflict("account"));
        }
        if self.users.contains_key(&new.user) {
            return Err(Refusal::Conflict("user_id"));
        }
        let (account, nickname) = (new.account, new.nickname);
        let user = User { user: new.user, account, nickname, avatar: "".into(), disabled: false };
        let row = UserRow {
            user: user.clone(),
            password: new.password,
            mailbox_seq: 0,
            ends: Vec::new(),
            privacy: Privacy::default(),
            profile_stamp: 0,
            profile_version: 0,
            signature: "".into(),
            custom: "".into(),
            devices: Vec::new(),
            revoked: Vec::new(),
        };
        self.users.insert(new.user, row);
        self.stats.commits += 1;
        Ok(user)
    }

    pub(super) fn user_by_account(&self, account: &str) -> Result<User, Refusal> {
        let row = self.users.values().find(|row| *row.user.account == *account);
        row.map(|row| row.user.clone()).ok_or(Refusal::NotFound("user"))
    }

    pub(super) fn users(&self, ids: &[UserId], accounts: &[Arc<str>]) -> Vec<User> {
        let users = self.users.values().map(|row| &row.user);
        users.filter(|user| ids.contains(&user.user) || accounts.contains(&user.account)).cloned().collect()
    }

    pub(super) fn list_users(&self, after: UserId, limit: u32) -> Page<User> {
        page(self.users.values().map(|row| row.user.clone()).filter(|user| user.user > after), limit)
    }

    pub(super) fn profiles(&self, ids: &[UserId], accounts: &[Arc<str>], known: &[(UserId, u64)]) -> Vec<Profile> {
        let is_named = |row: &&UserRow| ids.contains(&row.user.user) || accounts.contains(&row.user.account);
        let is_old = |row: &&UserRow| known.iter().any(|(user, _)| *user == row.user.user);
        let named = self.users.values().filter(|row| is_named(row) || is_old(row)).map(UserRow::profile);
        named.filter(|profile| !known.contains(&(profile.user.user, profile.version))).collect()
    }

    pub(super) fn update_profile(&mut self, user: UserId, change: ProfileChange) -> Result<(Profile, u64), Refusal> {
        let before = self.user_row(user)?.profile();
        self.must_be_logged_in(user, &change.device_id, change.login_version)?;
        let mut after = before.clone();
        after.user.nickname = change.nickname.unwrap_or(after.user.nickname);
        after.user.avatar = change.avatar.unwrap_or(after.user.avatar);
        after.signature = change.signature.unwrap_or(after.signature);
        after.custom = change.custom.unwrap_or(after.custom);
        if after == before {
            return Ok((before, 0));
        }
        after.version += 1;
        let seq = self.next_seq(user);
        let row = self.change_user(user)?;
        (row.user, row.profile_stamp, row.profile_version) = (after.user.clone(), seq, after.version);
        (row.signature, row.custom) = (after.signature.clone(), after.custom.clone());
        Ok((after, seq))
    }

    pub(super) fn set_password(&mut self, user: UserId, password: PasswordHash) -> Result<(), Refusal> {
        let row = self.change_user(user)?;
        row.password = Some(password);
        row.ends.push(None);
        Ok(())
    }

    pub(super) fn set_disabled(&mut self, user: UserId, disabled: bool) -> Result<(), Refusal> {
        let row = self.change_user(user)?;
        row.user.disabled = disabled;
        row.ends.extend(disabled.then_some(None));
        Ok(())
    }

    pub(super) fn login_versions(&self, users: &[UserId]) -> Vec<(UserId, u64)> {
        let rows = self.users.iter().filter(|(user, _)| users.contains(user));
        rows.map(|(user, row)| (*user, row.login_version())).collect()
    }
}

impl UserRow {
    pub(super) fn profile(&self) -> Profile {
        let Self { user, profile_version, signature, custom, .. } = self;
        Profile { user: user.clone(), version: *profile_version, signature: signature.clone(), custom: custom.clone() }
    }
}
