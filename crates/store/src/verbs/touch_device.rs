//! Remembering a device, and the day on which it was last seen.

use std::sync::Arc;

use anser_proto::UserId;

use crate::{
    Device, Refusal,
    facts::{Facts, Stop, Want, of_each},
    questions,
    rows::DeviceRow,
    verb::{Company, Subject, Verb, Wants},
};

pub(crate) struct TouchDevice(pub(crate) UserId, pub(crate) Device);

impl Verb for TouchDevice {
    type Answer = ();

    fn wants(&self, wants: &mut Wants) {
        let Self(user, device) = self;
        wants.row(Want::User(*user));
        wants.row(Want::Device(*user, device.device_id.clone()));
        wants.ask(questions::devices_of(*user, "device_id"));
    }

    fn decide(&self, facts: &mut Facts<'_>) -> Result<(), Stop> {
        let Self(user, device) = self;
        facts.user(*user)?.ok_or(Refusal::NotFound("user"))?;
        let known = facts.device(*user, device.device_id.clone())?;
        let now_ms = facts.now_ms();
        if known.is_some_and(|known| known.is_same_today(device, now_ms)) {
            return Ok(());
        }
        let others = facts.ask(&questions::devices_of(*user, "device_id"), |row| row.get::<Arc<str>>())?;
        // The one that just came stays, also when others have a later time because the clock went back.
        let room = facts.options.devices_per_user_max.max(1) as usize - 1;
        let forgotten = others.into_iter().filter(|other| *other != device.device_id).skip(room);
        of_each(forgotten, |device_id| {
            facts.device(*user, device_id.clone())?;
            facts.tables.devices.set((*user, device_id), None);
            Ok(())
        })?;
        let row = DeviceRow { platform: device.platform, name: device.name.clone(), last_seen_ms: now_ms };
        facts.tables.devices.set((*user, device.device_id.clone()), Some(row));
        Ok(())
    }

    fn company(&self) -> Company {
        Company::AllBut(Subject::DevicesOf(self.0))
    }
}
