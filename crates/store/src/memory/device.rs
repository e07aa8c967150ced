//! The devices of users, and which of their logins hold.

use std::{cmp::Reverse, sync::Arc};

use anser_proto::UserId;

use super::{DeviceRow, State, UserRow, people::Thing};
use crate::{
    Change, Device, DeviceAction, DeviceChange, DeviceChanged, KnownDevice, Logins, Now, REVOKED_MAX, Refusal,
};

const DAY_MS: u64 = 86_400_000;

impl UserRow {
    pub(super) fn login_version(&self) -> u64 {
        self.ends.len() as u64
    }

    /// Behind the last end that concerned the device.
    fn logins_from(&self, device_id: Option<&Arc<str>>) -> u64 {
        let concerns = |of: &Option<Arc<str>>| of.is_none() || of.as_ref() == device_id;
        self.ends.iter().rposition(concerns).map_or(0, |at| at as u64 + 1)
    }
}

impl State {
    pub(super) fn must_be_logged_in(
        &self,
        user: UserId,
        device_id: &Arc<str>,
        login_version: u64,
    ) -> Result<(), Refusal> {
        let row = self.user_row(user)?;
        let holds = (row.logins_from(Some(device_id))..=row.login_version()).contains(&login_version);
        if holds { Ok(()) } else { Err(Refusal::LoginOver) }
    }

    pub(super) fn logins(&self, user: UserId) -> Result<Logins, Refusal> {
        let row = self.user_row(user)?;
        let (login_version, from) = (row.login_version(), row.logins_from(None));
        let ids = row.revoked.iter().map(|(id, _)| id);
        let mut revoked: Vec<_> = ids.map(|id| (id.clone(), row.logins_from(Some(id)))).collect();
        revoked.retain(|(_, version)| *version > from);
        revoked.sort();
        Ok(Logins { login_version, from, revoked })
    }

    pub(super) fn not_before_s(&self, user: UserId, device_id: &Arc<str>) -> u64 {
        let revoked = self.users.get(&user).and_then(|row| row.revoked.iter().find(|(id, _)| id == device_id));
        revoked.map_or(0, |(_, not_before_s)| *not_before_s)
    }

    pub(super) fn touch_device(
        &mut self,
        user: UserId,
        device: Device,
        issued_s: u64,
    ) -> Result<Option<Change>, Refusal> {
        let (day, devices_max) = ((self.options.clock)() / DAY_MS, self.options.devices_per_user_max as usize);
        let id = device.device_id.clone();
        let known = self.user_row(user)?.devices.iter().find(|row| row.device.device_id == id).cloned();
        let seen = match &known {
            Some(DeviceRow { device: Device { name, .. }, named: true, .. }) => {
                DeviceRow { device: Device { name: name.clone(), ..device }, day, named: true }
            }
            _ => DeviceRow { device, day, named: false },
        };
        let is_same = known.as_ref().is_some_and(|known| known.device == seen.device);
        if is_same && known.is_some_and(|known| known.day == day) {
            return Ok(None);
        }
        if issued_s < self.not_before_s(user, &id) {
            return Err(Refusal::LoginOver);
        }
        let devices = &mut self.change_user(user)?.devices;
        devices.retain(|row| row.device.device_id != id);
        let (was_alone, before) = (devices.is_empty(), devices.len());
        while !devices.is_empty() && devices.len() >= devices_max {
            let longest_unseen = (0..devices.len()).min_by_key(|at| devices[*at].day).expect("there is one");
            devices.remove(longest_unseen);
        }
        let is_another = !is_same || devices.len() < before;
        devices.push(seen);
        Ok((is_another && !was_alone).then(|| self.tell_devices(user)))
    }

    pub(super) fn change_device(&mut self, change: DeviceChange) -> Result<DeviceChanged, Refusal> {
        let DeviceChange { user, target, action, device_id, login_version } = change;
        self.must_be_logged_in(user, &device_id, login_version)?;
        let now_s = (self.options.clock)() / 1000;
        let row = self.users.get_mut(&user).expect("they are logged in");
        let known = row.devices.iter().position(|row| row.device.device_id == target);
        match (action, known) {
            (DeviceAction::Rename(name), Some(at)) => {
                let (known, named) = (&mut row.devices[at], !name.is_empty());
                if known.device.name == name && known.named == named {
                    return Ok(DeviceChanged::default());
                }
                (known.device.name, known.named) = (name, named);
            }
            (DeviceAction::Revoke, Some(at)) => {
                row.devices.remove(at);
                row.ends.push(Some(target.clone()));
                let before =
                    row.revoked.iter().find(|(id, _)| *id == target).map_or(0, |(_, not_before_s)| *not_before_s);
                row.revoked.retain(|(id, _)| *id != target);
                row.revoked.push((target, now_s.max(before) + 1));
                while row.revoked.len() > REVOKED_MAX {
                    let (forgotten, _) = row.revoked.remove(0);
                    let its = row.logins_from(Some(&forgotten)) as usize;
                    row.ends[its - 1] = None;
                }
                let login_version = row.login_version();
                self.stats.commits += 1;
                return Ok(DeviceChanged { change: Some(self.tell_devices(user)), login_version });
            }
            (DeviceAction::Revoke, None) if row.revoked.iter().any(|(id, _)| *id == target) => {
                return Ok(DeviceChanged { change: None, login_version: row.last_revocation(&target) });
            }
            (_, None) => return Err(Refusal::NotFound("device")),
        }
        self.stats.commits += 1;
        Ok(DeviceChanged { change: Some(self.tell_devices(user)), login_version: 0 })
    }

    fn tell_devices(&mut self, user: UserId) -> Change {
        let mailbox_seq = self.stamp_thing(user, Thing::Devices);
        Change { mailbox_seq, now: Now::Devices(self.devices(user)) }
    }

    pub(super) fn devices(&self, user: UserId) -> Vec<KnownDevice> {
        let mut devices = self.users.get(&user).map_or(Vec::new(), |row| row.devices.clone());
        devices.reverse();
        devices.sort_by_key(|row| Reverse(row.day));
        let known = |row: DeviceRow| KnownDevice { device: row.device, last_seen_ms: row.day * DAY_MS };
        devices.into_iter().map(known).collect()
    }
}

impl UserRow {
    fn last_revocation(&self, device_id: &Arc<str>) -> u64 {
        let at = self.ends.iter().rposition(|of| of.as_ref() == Some(device_id));
        at.expect("it was revoked") as u64 + 1
    }
}
