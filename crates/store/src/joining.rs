//! Records of how users come into groups: who may not, who waits to be let in, links; and of what members see and are called there.

use std::sync::Arc;

use anser_proto::{ClientMsgId, GroupId, UserId};

use crate::{Sender, User};

/// What [`Refusal::Limit`](crate::Refusal::Limit) tells of.
pub const JOIN_REQUESTS_OF_A_GROUP: &str = "the users who wait to be let into a group";
pub const LINKS_OF_A_GROUP: &str = "the links of a group that live";

/// What is kept of the token of a link: the first half of its SHA-256.
pub type TokenHash = [u8; 16];

/// What newcomers see of what was said before they come. Fixed for each when they join.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum History {
    #[default]
    None,
    /// So many messages and notices, at most [`anser_proto::limits::HISTORY_LAST_MAX`], of the last [`HISTORY_LOOKED_AT`] entries.
    Last(u32),
    All,
}

/// Entries of a log that are looked at for what a newcomer sees, however few of them are shown.
pub const HISTORY_LOOKED_AT: u64 = 2_000;

/// A member's own name in a group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GroupNickname {
    pub user: UserId,
    /// Empty: none.
    pub nickname: Arc<str>,
    /// The entry of the log that changed it last; 0: none did. Of two states the greater is the newer.
    pub changed: u64,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NicknameChange {
    pub group: GroupId,
    pub member: Sender,
    /// Of the silent entry that tells of it.
    pub client_msg_id: ClientMsgId,
    pub nickname: Arc<str>,
    pub client_time_ms: u64,
    /// Of the member's login.
    pub login_version: u64,
}

/// Somebody who may not come back into a group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ban {
    pub user: User,
    pub banned_by: UserId,
    pub since_ms: u64,
}

/// Somebody who waits to be let into a group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JoinRequest {
    pub user: User,
    /// None: they asked themselves.
    pub proposed_by: Option<UserId>,
    /// What they said with it.
    pub text: Arc<str>,
    pub since_ms: u64,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewLink {
    pub group: GroupId,
    pub creator: UserId,
    pub link_id: u64,
    pub token_hash: TokenHash,
    /// 0: never.
    pub expires_ms: u64,
    /// 0: any number.
    pub max_uses: u32,
    /// Who uses it waits to be let in.
    pub approval: bool,
    /// By which of their devices.
    pub device_id: Arc<str>,
    /// Of the creator's login.
    pub login_version: u64,
}

/// By which users join a group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Link {
    pub link_id: u64,
    pub created_by: UserId,
    pub created_ms: u64,
    pub expires_ms: u64,
    pub max_uses: u32,
    /// How many joined by it.
    pub uses: u32,
    pub approval: bool,
}

/// What strangers learn of a group by a link.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LinkPreview {
    pub name: Arc<str>,
    pub avatar: Arc<str>,
    pub member_count: u32,
    /// Who uses it waits to be let in.
    pub approval: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LinkUse {
    pub token_hash: TokenHash,
    pub user: Sender,
    /// What they say, if they are to wait.
    pub text: Arc<str>,
    /// Of the user's login.
    pub login_version: u64,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LinkRevocation {
    pub group: GroupId,
    pub user: UserId,
    pub link_id: u64,
    /// By which of their devices.
    pub device_id: Arc<str>,
    /// Of the user's login.
    pub login_version: u64,
}
