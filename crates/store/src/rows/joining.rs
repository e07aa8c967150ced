//! Who waits to be let into a group, and the links by which users come.

use std::sync::Arc;

use anser_proto::{GroupId, UserId};

use super::{Row, columns};
use crate::{JoinRequest, Link, TokenHash, User};

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct JoinRequestRow {
    /// None: they asked themselves.
    pub(crate) proposed_by: Option<UserId>,
    /// By which they asked.
    pub(crate) link_id: Option<u64>,
    pub(crate) text: Arc<str>,
    pub(crate) since_ms: u64,
}

impl Row for JoinRequestRow {
    type Key = (GroupId, UserId);

    const TABLE: &str = "im_join_request";
    const KEY: &[&str] = &["group_id", "user_id"];

    columns!(proposed_by, link_id, text, since_ms);
}

impl JoinRequestRow {
    pub(crate) fn request(self, user: User) -> JoinRequest {
        let Self { proposed_by, text, since_ms, .. } = self;
        JoinRequest { user, proposed_by, text, since_ms }
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct LinkRow {
    pub(crate) token_hash: TokenHash,
    pub(crate) created_by: UserId,
    pub(crate) created_ms: u64,
    /// 0: never.
    pub(crate) expires_ms: u64,
    /// 0: any number.
    pub(crate) max_uses: u32,
    pub(crate) uses: u32,
    /// Who uses it waits to be let in.
    pub(crate) approval: bool,
}

impl Row for LinkRow {
    type Key = (GroupId, u64);

    const TABLE: &str = "im_link";
    const KEY: &[&str] = &["group_id", "link_id"];

    columns!(token_hash, created_by, created_ms, expires_ms, max_uses, uses, approval);
}

impl LinkRow {
    pub(crate) fn link(&self, link_id: u64) -> Link {
        let Self { created_by, created_ms, expires_ms, max_uses, uses, approval, .. } = *self;
        Link { link_id, created_by, created_ms, expires_ms, max_uses, uses, approval }
    }

    /// Neither past its time nor used up.
    pub(crate) fn lives(&self, now_ms: u64) -> bool {
        (self.expires_ms == 0 || now_ms < self.expires_ms) && (self.max_uses == 0 || self.uses < self.max_uses)
    }
}
