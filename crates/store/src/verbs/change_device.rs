//! Naming a device of the user's, and revoking it.

use std::sync::Arc;

use anser_proto::UserId;

use crate::{
    Change, DeviceAction, DeviceChange, DeviceChanged, Now, REVOKED_MAX, Refusal,
    facts::{Facts, Stop, Want, of_each},
    questions,
    rows::{DeviceRow, Mailbox, RevokedRow, Row as _, Thing},
    verb::{Company, Subject, Verb, Wants},
};

pub(crate) struct ChangeDevice(pub(crate) DeviceChange);

impl Verb for ChangeDevice {
    type Answer = DeviceChanged;

    fn wants(&self, wants: &mut Wants) {
        let DeviceChange { user, target, action, .. } = &self.0;
        wants.row(Want::Mailbox(*user));
        wants.row(Want::Device(*user, target.clone()));
        wants.row(Want::Revoked(*user, target.clone()));
        wants.row(Want::Change(*user, Thing::Devices));
        wants.ask(questions::devices_of(*user));
        if *action == DeviceAction::Revoke {
            wants.ask(questions::revoked_of(*user));
        }
    }

    fn decide(&self, facts: &mut Facts<'_>) -> Result<DeviceChanged, Stop> {
        let DeviceChange { user, target, action, device_id, login_version } = &self.0;
        facts.must_be_logged_in(*user, device_id, *login_version)?;
        let known = facts.device(*user, target.clone())?;
        match (action, known) {
            (DeviceAction::Rename(name), Some(known)) => rename(facts, *user, target, name, known),
            (DeviceAction::Revoke, Some(_)) => revoke(facts, *user, target),
            (DeviceAction::Revoke, None) => match facts.revoked(*user, target.clone())? {
                Some(RevokedRow { login_version, .. }) => Ok(DeviceChanged { change: None, login_version }),
                None => Err(Refusal::NotFound("device").into()),
            },
            (DeviceAction::Rename(_), None) => Err(Refusal::NotFound("device").into()),
        }
    }

    fn company(&self) -> Company {
        Company::AllBut(Subject::DevicesOf(self.0.user))
    }
}

/// All of a user's, last seen first.
pub(super) struct Devices(pub(super) Vec<(Arc<str>, DeviceRow)>);

impl Devices {
    /// Those that can be read.
    pub(super) fn of(facts: &mut Facts<'_>, user: UserId) -> Result<Self, Stop> {
        let damaged = facts.damaged;
        let found = facts.ask(&questions::devices_of(user), |row| {
            let key: (UserId, Arc<str>) = row.get()?;
            Ok(DeviceRow::take(row)
                .map_err(|damage| damaged.note(&damage.of::<DeviceRow>(&key)))
                .ok()
                .map(|device| (key.1, device)))
        })?;
        Ok(Self(found.into_iter().flatten().collect()))
    }
}

/// The list is this one now.
pub(super) fn tell(facts: &mut Facts<'_>, user: UserId, devices: &Devices) -> Result<Change, Stop> {
    let mailbox_seq = facts.stamp_thing(user, Thing::Devices)?;
    Ok(Change { mailbox_seq, now: Now::Devices(devices.0.iter().map(|(id, row)| row.device(id)).collect()) })
}

fn rename(
    facts: &mut Facts<'_>,
    user: UserId,
    target: &Arc<str>,
    name: &Arc<str>,
    known: DeviceRow,
) -> Result<DeviceChanged, Stop> {
    let named = !name.is_empty();
    if known.name == *name && known.named == named {
        return Ok(DeviceChanged::default());
    }
    let row = DeviceRow { name: name.clone(), named, ..known };
    let mut devices = Devices::of(facts, user)?;
    for (_, device) in devices.0.iter_mut().filter(|(id, _)| id == target) {
        *device = row.clone();
    }
    let change = Some(tell(facts, user, &devices)?);
    facts.tables.devices.set((user, target.clone()), Some(row));
    Ok(DeviceChanged { change, login_version: 0 })
}

fn revoke(facts: &mut Facts<'_>, user: UserId, target: &Arc<str>) -> Result<DeviceChanged, Stop> {
    let before = facts.revoked(user, target.clone())?;
    let mut devices = Devices::of(facts, user)?;
    devices.0.retain(|(id, _)| id != target);
    let mailbox = facts.mailbox_of(user)?;
    let login_version = mailbox.login_version + 1;
    let mut revocations = mailbox.revocations + 1;
    for (forgotten, row) in beyond(facts, user, target)? {
        facts.tables.revoked.set((user, forgotten), None);
        revocations = revocations.min(login_version.saturating_sub(row.login_version));
    }
    let change = Some(tell(facts, user, &devices)?);
    let mailbox = facts.mailbox_of(user)?;
    facts.tables.mailboxes.set(user, Some(Mailbox { login_version, revocations, ..mailbox }));
    // Whatever was issued in this second may have been before; and what let it in again was, at the second of before.
    let not_before_s = before.map_or(0, |row| row.not_before_s).max(facts.now_ms() / 1000) + 1;
    let row = RevokedRow { not_before_s, login_version };
    facts.tables.revoked.set((user, target.clone()), Some(row));
    facts.tables.devices.set((user, target.clone()), None);
    Ok(DeviceChanged { change, login_version })
}

/// The first that were revoked, for which there is no room beside this one.
fn beyond(facts: &mut Facts<'_>, user: UserId, target: &Arc<str>) -> Result<Vec<(Arc<str>, RevokedRow)>, Stop> {
    let mut revoked = facts.ask(&questions::revoked_of(user), |row| {
        let key: (UserId, Arc<str>) = row.get()?;
        Ok((key.1, RevokedRow::take(row)?))
    })?;
    revoked.retain(|(id, _)| id != target);
    revoked.truncate((revoked.len() + 1).saturating_sub(REVOKED_MAX));
    of_each(&revoked, |(id, _)| facts.revoked(user, id.clone()))?;
    Ok(revoked)
}
