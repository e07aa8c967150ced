//! What a user is to another one, and whom they blocked. Keyed by the user, then the other one.

use std::sync::Arc;

use anser_proto::UserId;

use super::{Column, Damage, Put, Row, Take, columns};
use crate::{Block, Contact, ContactState, User};

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ContactRow {
    pub(crate) state: Standing,
    pub(crate) remark: Arc<str>,
    pub(crate) text: Arc<str>,
    pub(crate) since_ms: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Standing {
    Shown(ContactState),
    /// The user said no to the peer's request. Nobody is shown that: for both it is as if there were no row.
    Refused,
}

impl Row for ContactRow {
    type Key = (UserId, UserId);

    const TABLE: &str = "im_contact";
    const KEY: &[&str] = &["user_id", "peer_id"];

    columns!(state, remark, text, since_ms);
}

impl ContactRow {
    pub(crate) fn new(state: Standing, text: &Arc<str>, since_ms: u64) -> Self {
        Self { state, remark: "".into(), text: Arc::clone(text), since_ms }
    }

    pub(crate) fn is(&self, state: ContactState) -> bool {
        self.state == Standing::Shown(state)
    }

    /// As the user is shown it.
    pub(crate) fn contact(&self, user: User) -> Option<Contact> {
        let Standing::Shown(state) = self.state else { return None };
        Some(Contact { user, state, remark: self.remark.clone(), text: self.text.clone(), since_ms: self.since_ms })
    }
}

impl Column for Standing {
    fn put(&self, to: &mut dyn Put) {
        to.small(match self {
            Self::Shown(state) => *state as i32,
            Self::Refused => 4,
        });
    }

    fn take(from: &mut dyn Take) -> Result<Self, Damage> {
        match from.small()? {
            1 => Ok(Self::Shown(ContactState::Contact)),
            2 => Ok(Self::Shown(ContactState::Asked)),
            3 => Ok(Self::Shown(ContactState::Asking)),
            4 => Ok(Self::Refused),
            other => Err(Damage(format!("state {other} is unknown"))),
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct BlockRow {
    pub(crate) since_ms: u64,
}

impl Row for BlockRow {
    type Key = (UserId, UserId);

    const TABLE: &str = "im_block";
    const KEY: &[&str] = &["user_id", "peer_id"];

    columns!(since_ms);
}

impl BlockRow {
    pub(crate) fn block(&self, user: User) -> Block {
        Block { user, since_ms: self.since_ms }
    }
}
