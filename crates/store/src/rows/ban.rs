//! Who may not come back into a group.

use anser_proto::{GroupId, UserId};

use super::{Row, columns};
use crate::{Ban, User};

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct BanRow {
    pub(crate) banned_by: UserId,
    pub(crate) since_ms: u64,
}

impl Row for BanRow {
    type Key = (GroupId, UserId);

    const TABLE: &str = "im_ban";
    const KEY: &[&str] = &["group_id", "user_id"];

    columns!(banned_by, since_ms);
}

impl BanRow {
    pub(crate) fn ban(&self, user: User) -> Ban {
        Ban { user, banned_by: self.banned_by, since_ms: self.since_ms }
    }
}
