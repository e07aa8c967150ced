//! A device of a user, and when it was last seen; and one that was revoked.

use std::sync::Arc;

use anser_proto::UserId;

use super::{Row, columns};
use crate::{Device, KnownDevice};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct DeviceRow {
    pub(crate) platform: i32,
    pub(crate) name: Arc<str>,
    /// First login of the last day on which it logged in.
    pub(crate) last_seen_ms: u64,
    /// The name is the user's, and not what the device says of itself.
    pub(crate) named: bool,
}

impl Row for DeviceRow {
    type Key = (UserId, Arc<str>);

    const TABLE: &str = "im_device";
    const KEY: &[&str] = &["user_id", "device_id"];

    columns!(platform, name, last_seen_ms, named);
}

impl DeviceRow {
    /// The device as it says it is now, unless the user called it otherwise.
    pub(crate) fn seen(device: &Device, known: Option<&Self>, now_ms: u64) -> Self {
        let named = known.filter(|known| known.named);
        let name = named.map_or(&device.name, |known| &known.name);
        Self { platform: device.platform, name: name.clone(), last_seen_ms: now_ms, named: named.is_some() }
    }

    /// It says nothing new to see the device now.
    pub(crate) fn is_same_today(&self, device: &Device, now_ms: u64) -> bool {
        self.last_seen_ms / DAY_MS == now_ms / DAY_MS && self.is_same(&Self::seen(device, Some(self), now_ms))
    }

    /// But for when it was seen.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.platform == other.platform && self.name == other.name
    }

    pub(crate) fn device(&self, device_id: &Arc<str>) -> KnownDevice {
        let device = Device { device_id: device_id.clone(), platform: self.platform, name: self.name.clone() };
        KnownDevice { device, last_seen_ms: self.last_seen_ms / DAY_MS * DAY_MS }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct RevokedRow {
    /// In seconds since 1970: tokens of before let it in no more.
    pub(crate) not_before_s: u64,
    /// Its logins of versions before are over.
    pub(crate) login_version: u64,
}

impl Row for RevokedRow {
    type Key = (UserId, Arc<str>);

    const TABLE: &str = "im_revoked";
    const KEY: &[&str] = &["user_id", "device_id"];

    columns!(not_before_s, login_version);
}
