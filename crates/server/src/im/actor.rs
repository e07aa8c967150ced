//! Who acts, whichever way their request came by.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use anser_proto::UserId;
use anser_store::Sender;

use crate::{hub::Connected, nickname::Nickname};

/// A user, by one of their devices.
pub struct Actor {
    pub user: UserId,
    /// See [`Self::login_version`].
    login_version: Arc<AtomicU64>,
    platform: i32,
    pub device_id: Arc<str>,
    /// Shared by all connections of the user to this node, since any of them may change it.
    pub nickname: Arc<Nickname>,
}

impl Actor {
    pub fn new(connected: &Connected, platform: i32, device_id: Arc<str>) -> Self {
        let (login_version, nickname) = (Arc::clone(&connected.login_version), Arc::clone(&connected.nickname));
        Self { user: connected.user, login_version, platform, device_id, nickname }
    }

    /// Of their login: the store lets nobody act whose login is over.
    pub fn login_version(&self) -> u64 {
        self.login_version.load(Relaxed)
    }

    /// As the log shall show them.
    pub fn sender(&self) -> Sender {
        Sender {
            user: self.user,
            nickname: self.nickname.get(),
            platform: self.platform,
            device_id: Arc::clone(&self.device_id),
        }
    }
}
