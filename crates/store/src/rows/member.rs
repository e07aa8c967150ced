//! Who is in a group: a row for each stay, of which the present one is found by the user.

use std::sync::Arc;

use anser_proto::{GroupId, UserId};

use super::{Only, Row, columns};
use crate::{GroupNickname, Role};

/// A stretch of a group's log during which somebody is, or was, a member.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Stay {
    /// The notice of their coming.
    pub(crate) joined: u64,
    /// The last id of the log that they may see; none: they are a member now.
    pub(crate) left_at: Option<u64>,
    pub(crate) role: Role,
    /// Who put them there, until they answer. None: they have, or nobody did.
    pub(crate) invited_by: Option<UserId>,
    /// Until then they may not speak.
    pub(crate) muted_until_ms: u64,
    /// The first id that they may see, of before they came; none: they see nothing of that.
    pub(crate) visible_from: Option<u64>,
    /// Of their own, in this group.
    pub(crate) nickname: Option<Arc<str>>,
    /// The entry of the log that changed it last; 0: none did.
    pub(crate) nickname_changed: u64,
}

/// The first id of the log that is seen in a stay, as a statement names it.
pub(crate) const FIRST_SEEN: &str = "COALESCE(visible_from, joined)";

impl Stay {
    pub(crate) fn nickname_of(&self, user: UserId) -> GroupNickname {
        let nickname = self.nickname.clone().unwrap_or_else(|| "".into());
        GroupNickname { user, nickname, changed: self.nickname_changed }
    }

    pub(crate) fn first_seen(&self) -> u64 {
        self.visible_from.unwrap_or(self.joined)
    }
}

impl Row for Stay {
    type Key = (GroupId, UserId);

    const TABLE: &str = "im_group_member";
    const KEY: &[&str] = &["group_id", "user_id"];
    const ONLY: Only = Only::Present;

    columns!(joined, left_at, role, invited_by, muted_until_ms, visible_from, nickname, nickname_changed);

    fn is_found(&self) -> bool {
        self.left_at.is_none()
    }
}
