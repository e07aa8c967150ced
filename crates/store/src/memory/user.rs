//! Users, their passwords and devices.

use std::{cmp::Reverse, sync::Arc};

use anser_proto::UserId;

use super::{State, UserRow, page};
use crate::{Device, NewUser, Page, PasswordHash, Privacy, ProfileChange, Refusal, User};

const DAY_MS: u64 = 86_400_000;

impl State {
    pub(super) fn user_row(&self, user: UserId) -> Result<&UserRow, Refusal> {
        self.users.get(&user).ok_or(Refusal::NotFound("user"))
    }

    /// For a change, which is counted.
    fn change_user(&mut self, user: UserId) -> Result<&mut UserRow, Refusal> {
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
            login_version: 0,
            privacy: Privacy::default(),
            profile_stamp: 0,
            devices: Vec::new(),
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

    pub(super) fn update_profile(&mut self, user: UserId, change: ProfileChange) -> Result<(User, u64), Refusal> {
        let before = self.user_row(user)?.user.clone();
        self.must_be_logged_in(user, change.login_version)?;
        let mut after = before.clone();
        after.nickname = change.nickname.unwrap_or(after.nickname);
        after.avatar = change.avatar.unwrap_or(after.avatar);
        if after == before {
            return Ok((before, 0));
        }
        let seq = self.next_seq(user);
        let row = self.change_user(user)?;
        (row.user, row.profile_stamp) = (after.clone(), seq);
        Ok((after, seq))
    }

    pub(super) fn set_password(&mut self, user: UserId, password: PasswordHash) -> Result<(), Refusal> {
        let row = self.change_user(user)?;
        row.password = Some(password);
        row.login_version += 1;
        Ok(())
    }

    pub(super) fn set_disabled(&mut self, user: UserId, disabled: bool) -> Result<(), Refusal> {
        let row = self.change_user(user)?;
        row.user.disabled = disabled;
        row.login_version += u64::from(disabled);
        Ok(())
    }

    pub(super) fn login_versions(&self, users: &[UserId]) -> Vec<(UserId, u64)> {
        let rows = self.users.iter().filter(|(user, _)| users.contains(user));
        rows.map(|(user, row)| (*user, row.login_version)).collect()
    }

    pub(super) fn must_be_logged_in(&self, user: UserId, login_version: u64) -> Result<(), Refusal> {
        if self.user_row(user)?.login_version == login_version { Ok(()) } else { Err(Refusal::LoginOver) }
    }

    pub(super) fn touch_device(&mut self, user: UserId, device: Device) -> Result<(), Refusal> {
        let (today, devices_max) = ((self.options.clock)() / DAY_MS, self.options.devices_per_user_max as usize);
        let seen = (device, today);
        if self.user_row(user)?.devices.contains(&seen) {
            return Ok(());
        }
        let devices = &mut self.change_user(user)?.devices;
        devices.retain(|(known, _)| known.device_id != seen.0.device_id);
        while devices.len() >= devices_max {
            let longest_unseen = (0..devices.len()).min_by_key(|at| devices[*at].1).expect("there is one");
            devices.remove(longest_unseen);
        }
        devices.push(seen);
        Ok(())
    }

    pub(super) fn devices(&self, user: UserId) -> Vec<Device> {
        let mut devices = self.users.get(&user).map_or(Vec::new(), |row| row.devices.clone());
        devices.reverse();
        devices.sort_by_key(|(_, day)| Reverse(*day));
        devices.into_iter().map(|(device, _)| device).collect()
    }
}
