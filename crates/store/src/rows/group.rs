//! A group, and what is announced in it.

use std::sync::Arc;

use anser_proto::{GroupId, UserId};

use super::{Row, Stay, columns};
use crate::{Group, History, JoinMode};

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
    /// `server_msg_id` of the last notice that changed who is in it, what they may do, or whether they may speak.
    pub(crate) members_version: u64,
    pub(crate) mute_all: bool,
    pub(crate) join_mode: JoinMode,
    pub(crate) members_mention_all: bool,
    /// `server_msg_id` of the notice of the announcement.
    pub(crate) announced: u64,
    /// `server_msg_id` of the last notice. It ends every stay.
    pub(crate) dissolved_at: Option<u64>,
    pub(crate) history: History,
}

impl Row for GroupRow {
    type Key = GroupId;

    const TABLE: &str = "im_group";
    const KEY: &[&str] = &["group_id"];

    columns!(
        creator_id,
        client_group_id,
        name,
        avatar,
        owner_id,
        member_count,
        created_ms,
        members_version,
        mute_all,
        join_mode,
        members_mention_all,
        announced,
        dissolved_at,
        history
    );
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
            announcement: None,
            announced: self.announced,
            mute_all: self.mute_all,
            join_mode: self.join_mode,
            members_mention_all: self.members_mention_all,
            history: self.history,
            muted_until_ms: 0,
            dissolved_at: self.dissolved_at.unwrap_or(0),
        }
    }

    /// As this member sees it.
    pub(crate) fn group_of(&self, group: GroupId, stay: &Stay) -> Group {
        Group { muted_until_ms: stay.muted_until_ms, ..self.group(group) }
    }
}

/// What members are to know, apart from the group since every message reads that.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct AnnouncementRow {
    pub(crate) text: Arc<str>,
}

impl Row for AnnouncementRow {
    type Key = GroupId;

    const TABLE: &str = "im_announcement";
    const KEY: &[&str] = &["group_id"];

    columns!(text);
}
