//! What a user says of themselves beside their names.

use std::sync::Arc;

use anser_proto::UserId;

use super::{Row, columns};
use crate::{Profile, User};

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ProfileRow {
    /// How often the profile changed, names included.
    pub(crate) version: u64,
    pub(crate) signature: Arc<str>,
    pub(crate) custom: Arc<str>,
}

impl Row for ProfileRow {
    type Key = UserId;

    const TABLE: &str = "im_profile";
    const KEY: &[&str] = &["user_id"];

    columns!(version, signature, custom);
}

impl Default for ProfileRow {
    /// Of who never changed their profile.
    fn default() -> Self {
        Self { version: 0, signature: "".into(), custom: "".into() }
    }
}

impl ProfileRow {
    pub(crate) fn profile(self, user: User) -> Profile {
        let Self { version, signature, custom } = self;
        Profile { user, version, signature, custom }
    }
}
