//! A device of a user, and when it was last seen.

use std::sync::Arc;

use anser_proto::UserId;

use super::{Row, columns};
use crate::Device;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct DeviceRow {
    pub(crate) platform: i32,
    pub(crate) name: Arc<str>,
    /// First login of the last day on which it logged in.
    pub(crate) last_seen_ms: u64,
}

impl Row for DeviceRow {
    type Key = (UserId, Arc<str>);

    const TABLE: &str = "im_device";
    const KEY: &[&str] = &["user_id", "device_id"];

    columns!(platform, name, last_seen_ms);
}

impl DeviceRow {
    /// It says nothing new to see the device now.
    pub(crate) fn is_same_today(&self, device: &Device, now_ms: u64) -> bool {
        self.platform == device.platform && self.name == device.name && self.last_seen_ms / DAY_MS == now_ms / DAY_MS
    }
}
