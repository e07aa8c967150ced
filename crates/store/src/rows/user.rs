//! A user's profile.

use std::sync::Arc;

use anser_proto::UserId;

use super::{Row, columns};
use crate::User;

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct UserRow {
    pub(crate) account: Arc<str>,
    pub(crate) nickname: Arc<str>,
    pub(crate) avatar: Arc<str>,
    pub(crate) disabled: bool,
    /// Stamp of the profile; 0: it never changed.
    pub(crate) mailbox_seq: u64,
}

impl Row for UserRow {
    type Key = UserId;

    const TABLE: &str = "im_user";
    const KEY: &[&str] = &["user_id"];

    columns!(account, nickname, avatar, disabled, mailbox_seq);
}

impl UserRow {
    pub(crate) fn user(&self, user: UserId) -> User {
        User {
            user,
            account: self.account.clone(),
            nickname: self.nickname.clone(),
            avatar: self.avatar.clone(),
            disabled: self.disabled,
        }
    }
}
