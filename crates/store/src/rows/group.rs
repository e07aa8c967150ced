//! A group.

use std::sync::Arc;

use anser_proto::{GroupId, UserId};

use super::{Row, columns};
use crate::Group;

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct GroupRow {
    pub(crate) creator_id: UserId,
    /// Chosen by the creator: makes a retry harmless.
    pub(crate) client_group_id: Arc<str>,
    pub(crate) name: Arc<str>,
    pub(crate) avatar: Arc<str>,
    pub(crate) owner_id: UserId,
    pub(crate) member_count: u64,
    pub(crate) created_ms: u64,
    /// `server_msg_id` of the last notice of somebody coming or going.
    pub(crate) members_version: u64,
}

impl Row for GroupRow {
    type Key = GroupId;

    const TABLE: &str = "im_group";
    const KEY: &[&str] = &["group_id"];

    columns!(creator_id, client_group_id, name, avatar, owner_id, member_count, created_ms, members_version);
}

impl GroupRow {
    pub(crate) fn group(&self, group: GroupId) -> Group {
        Group {
            group,
            name: self.name.clone(),
            avatar: self.avatar.clone(),
            owner: self.owner_id,
            member_count: u32::try_from(self.member_count).unwrap_or(u32::MAX),
            created_ms: self.created_ms,
            members_version: self.members_version,
        }
    }
}
