//! Who acts, whichever way their request came by.

use std::sync::Arc;

use anser_proto::UserId;
use anser_store::Sender;

use crate::{hub::Connected, nickname::Nickname};

/// A user, by one of their devices.
pub struct Actor {
    pub user: UserId,
    /// Of their login: the store lets nobody act whose login is over.
    pub login_version: u64,
    platform: i32,
    device_id: Arc<str>,
    /// Shared by all connections of the user to this node, since any of them may change it.
    pub nickname: Arc<Nickname>,
}

impl Actor {
    pub fn new(connected: &Connected, platform: i32, device_id: Arc<str>) -> Self {
        let Connected { user, login_version, .. } = *connected;
        Self { user, login_version, platform, device_id, nickname: Arc::clone(&connected.nickname) }
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
