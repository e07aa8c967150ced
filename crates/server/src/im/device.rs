//! The devices of a user: they see, name and revoke them, from any of them.

use std::sync::Arc;

use anser_proto::{CloseCode, ids::check_ascii_id, limits::NAME_CHARS_MAX, v1};
use anser_store::{DeviceAction, DeviceChange, DeviceChanged, Error as StoreError, Failure};

use super::{Actor, logins, name::check_name, people::tell, wire};
use crate::{accepted::ConnId, cluster::envelope::LoginsOver, ctx::Ctx, error::Error};

pub async fn list(cx: &Ctx, actor: &Actor) -> Result<v1::Devices, Error> {
    let mut devices = wire::devices(&cx.store.devices(actor.user).await?);
    let here = cx.hub.devices(actor.user);
    for known in &mut devices.devices {
        let id = known.device.as_ref().map_or("", |device| device.device_id.as_str());
        known.connected = here.iter().any(|device| *device.device_id == *id);
        known.current = *actor.device_id == *id;
    }
    Ok(devices)
}

pub async fn rename(cx: &Ctx, actor: &Actor, from: ConnId, rename: v1::RenameDevice) -> Result<v1::Changed, Error> {
    check_ascii_id("device_id", &rename.device_id)?;
    check_name("name", &rename.name, 0..=NAME_CHARS_MAX)?;
    let changed = change(cx, actor, rename.device_id, DeviceAction::Rename(rename.name.into())).await?;
    Ok(tell(cx, actor.user, changed.change.as_slice(), Some(from)).await)
}

/// Its connections end on every node; and also when it is not known whether it was done, wherever it was.
pub async fn revoke(cx: &Ctx, actor: &Actor, from: ConnId, revoke: v1::RevokeDevice) -> Result<v1::Changed, Error> {
    check_ascii_id("device_id", &revoke.device_id)?;
    let device_id: Arc<str> = revoke.device_id.as_str().into();
    let changed = change(cx, actor, revoke.device_id, DeviceAction::Revoke).await;
    if let Err(StoreError::Failed(Failure::UnknownOutcome(_))) = &changed {
        logins::end(cx, None);
    }
    let DeviceChanged { change, login_version } = changed?;
    let (user, code) = (actor.user, CloseCode::DeviceRevoked);
    logins::end(cx, Some(LoginsOver { user, login_version, code, device_id: Some(device_id) }));
    Ok(tell(cx, user, change.as_slice(), Some(from)).await)
}

async fn change(cx: &Ctx, actor: &Actor, target: String, action: DeviceAction) -> Result<DeviceChanged, StoreError> {
    let (device_id, login_version) = (Arc::clone(&actor.device_id), actor.login_version());
    let target = target.into();
    cx.store.change_device(DeviceChange { user: actor.user, target, action, device_id, login_version }).await
}
