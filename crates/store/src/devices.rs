//! Records of a user's devices, and of which logins hold.

use std::sync::Arc;

use anser_proto::UserId;

use crate::Change;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Device {
    pub device_id: Arc<str>,
    pub platform: i32,
    pub name: Arc<str>,
}

/// A device as the store knows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KnownDevice {
    pub device: Device,
    /// Start of the last day on which it logged in.
    pub last_seen_ms: u64,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeviceChange {
    pub user: UserId,
    /// Which of their devices.
    pub target: Arc<str>,
    pub action: DeviceAction,
    /// By which of their devices.
    pub device_id: Arc<str>,
    /// Of the user's login.
    pub login_version: u64,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DeviceAction {
    /// Empty: as it calls itself when it logs in next.
    Rename(Arc<str>),
    Revoke,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DeviceChanged {
    /// None: nothing is another.
    pub change: Option<Change>,
    /// Of one that was revoked: its logins of versions before are over.
    pub login_version: u64,
}

/// Which logins of a user hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Logins {
    /// Of a login that begins now.
    pub login_version: u64,
    /// Logins of versions before are over.
    pub from: u64,
    /// Devices that were revoked later, in the order of their ids: of those, logins of versions before these are over.
    pub revoked: Vec<(Arc<str>, u64)>,
}
