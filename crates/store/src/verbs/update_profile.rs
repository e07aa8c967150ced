//! Changing one's profile.

use anser_proto::UserId;

use crate::{
    ProfileChange, Refusal, User,
    facts::{Facts, Stop, Want},
    rows::UserRow,
    verb::{Company, Verb, Wants},
};

pub(crate) struct UpdateProfile(pub(crate) UserId, pub(crate) ProfileChange);

impl Verb for UpdateProfile {
    type Answer = (User, u64);

    fn wants(&self, wants: &mut Wants) {
        wants.row(Want::Mailbox(self.0));
        wants.row(Want::User(self.0));
    }

    fn decide(&self, facts: &mut Facts<'_>) -> Result<(User, u64), Stop> {
        let Self(user, change) = self;
        let present = facts.user(*user)?.ok_or(Refusal::NotFound("user"))?;
        facts.must_be_logged_in(*user, &change.device_id, change.login_version)?;
        let mut row = UserRow {
            nickname: change.nickname.clone().unwrap_or_else(|| present.nickname.clone()),
            avatar: change.avatar.clone().unwrap_or_else(|| present.avatar.clone()),
            ..present.clone()
        };
        if row == present {
            return Ok((present.user(*user), 0));
        }
        row.mailbox_seq = facts.next_change(*user)?;
        let changed = (row.user(*user), row.mailbox_seq);
        facts.tables.users.set(*user, Some(row));
        Ok(changed)
    }

    fn company(&self) -> Company {
        Company::Everybody
    }
}
