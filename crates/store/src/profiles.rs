//! What users say of themselves. Plain rows, as in `records`.

use std::sync::Arc;

use crate::User;

/// What whoever looks a user up is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Profile {
    pub user: User,
    /// How often it changed.
    pub version: u64,
    /// A line about themselves.
    pub signature: Arc<str>,
    /// The app's own, JSON; empty: nothing.
    pub custom: Arc<str>,
}

/// What stays `None` is not changed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ProfileChange {
    pub nickname: Option<Arc<str>>,
    pub avatar: Option<Arc<str>>,
    pub signature: Option<Arc<str>>,
    pub custom: Option<Arc<str>>,
    /// By which of their devices.
    pub device_id: Arc<str>,
    /// Of the user's login.
    pub login_version: u64,
}
