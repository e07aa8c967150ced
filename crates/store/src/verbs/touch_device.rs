//! Remembering a device, and the day on which it was last seen.

use anser_proto::UserId;

use super::change_device::{Devices, tell};
use crate::{
    Change, Device, Refusal,
    facts::{Facts, Stop, Want, of_each},
    questions,
    rows::{DeviceRow, Thing},
    verb::{Company, Subject, Verb, Wants},
};

pub(crate) struct TouchDevice {
    pub(crate) user: UserId,
    pub(crate) device: Device,
    pub(crate) issued_s: u64,
}

impl Verb for TouchDevice {
    type Answer = Option<Change>;

    fn wants(&self, wants: &mut Wants) {
        let Self { user, device, .. } = self;
        wants.row(Want::Mailbox(*user));
        wants.row(Want::User(*user));
        wants.row(Want::Device(*user, device.device_id.clone()));
        wants.row(Want::Revoked(*user, device.device_id.clone()));
        wants.row(Want::Change(*user, Thing::Devices));
        wants.ask(questions::devices_of(*user));
    }

    fn decide(&self, facts: &mut Facts<'_>) -> Result<Option<Change>, Stop> {
        let Self { user, device, issued_s } = self;
        let (user, id) = (*user, &device.device_id);
        facts.user(user)?.ok_or(Refusal::NotFound("user"))?;
        if facts.revoked(user, id.clone())?.is_some_and(|revoked| *issued_s < revoked.not_before_s) {
            return Err(Refusal::LoginOver.into());
        }
        let known = facts.device(user, id.clone())?;
        let now_ms = facts.now_ms();
        if known.as_ref().is_some_and(|known| known.is_same_today(device, now_ms)) {
            return Ok(None);
        }
        let row = DeviceRow::seen(device, known.as_ref(), now_ms);
        let mut devices = Devices::of(facts, user)?;
        devices.0.retain(|(other, _)| other != id);
        let is_alone = devices.0.is_empty();
        // The one that just came stays, also when others have a later time because the clock went back.
        let room = facts.options.devices_per_user_max.max(1) as usize - 1;
        let forgotten = devices.0.split_off(room.min(devices.0.len()));
        let is_another = !forgotten.is_empty() || known.is_none_or(|known| !known.is_same(&row));
        of_each(&forgotten, |(other, _)| facts.device(user, other.clone()))?;
        devices.0.insert(0, (id.clone(), row.clone()));
        let change = if is_another && !is_alone { Some(tell(facts, user, &devices)?) } else { None };
        for (other, _) in forgotten {
            facts.tables.devices.set((user, other), None);
        }
        facts.tables.devices.set((user, id.clone()), Some(row));
        Ok(change)
    }

    fn company(&self) -> Company {
        Company::AllBut(Subject::DevicesOf(self.user))
    }
}
