//! Where a user's mailbox is, and which of their logins hold. There is one for every user.

use anser_proto::UserId;

use super::{Column, Damage, Guard, Put, Row, Take, columns};
use crate::{Privacy, Who};

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Mailbox {
    /// The number of its last change.
    pub(crate) mailbox_seq: u64,
    pub(crate) login_version: u64,
    pub(crate) privacy: Privacy,
}

impl Row for Mailbox {
    type Key = UserId;

    const TABLE: &str = "im_mailbox";
    const KEY: &[&str] = &["user_id"];
    const GUARD: Option<Guard<Self>> = Some(Guard("mailbox_seq", |mailbox| mailbox.mailbox_seq));

    columns!(mailbox_seq, login_version, privacy);
}

/// In one number, as few bytes of a row that every message writes.
impl Column for Privacy {
    fn put(&self, to: &mut dyn Put) {
        to.number(self.invites as u64 + u64::from(self.hides_reads) * 4 + self.last_seen as u64 * 8);
    }

    fn take(from: &mut dyn Take) -> Result<Self, Damage> {
        let number = from.number()?;
        Ok(Self { invites: who(number % 4)?, hides_reads: number / 4 % 2 == 1, last_seen: who(number / 8)? })
    }
}

fn who(number: u64) -> Result<Who, Damage> {
    match number {
        0 => Ok(Who::Everybody),
        1 => Ok(Who::Contacts),
        2 => Ok(Who::Nobody),
        other => Err(Damage(format!("privacy {other} is unknown"))),
    }
}
