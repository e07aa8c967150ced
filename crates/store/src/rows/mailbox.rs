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
    /// Devices that were revoked since all logins ended last.
    pub(crate) revocations: u64,
}

impl Mailbox {
    /// Logins of versions before are over, whichever the device.
    pub(crate) fn logins_from(&self) -> u64 {
        self.login_version.saturating_sub(self.revocations)
    }
}

impl Row for Mailbox {
    type Key = UserId;

    const TABLE: &str = "im_mailbox";
    const KEY: &[&str] = &["user_id"];
    const GUARD: Option<Guard<Self>> = Some(Guard("mailbox_seq", |mailbox| mailbox.mailbox_seq));

    columns!(mailbox_seq, login_version, privacy, revocations);
}

/// In one number, as few bytes of a row that every message writes.
impl Column for Privacy {
    fn put(&self, to: &mut dyn Put) {
        to.number(
            self.invites as u64
                + u64::from(self.hides_reads) * 4
                + self.last_seen as u64 * 8
                + u64::from(self.invisible) * 32,
        );
    }

    fn take(from: &mut dyn Take) -> Result<Self, Damage> {
        let number = from.number()?;
        let (invites, last_seen) = (who(number % 4)?, who(number / 8 % 4)?);
        if number >= 64 {
            return Err(Damage(format!("privacy {number} is unknown")));
        }
        Ok(Self { invites, hides_reads: number / 4 % 2 == 1, last_seen, invisible: number / 32 == 1 })
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
