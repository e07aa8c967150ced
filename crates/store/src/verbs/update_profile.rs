//! Changing one's profile.

use anser_proto::UserId;

use crate::{
    Profile, ProfileChange, Refusal,
    facts::{Facts, Stop, Want},
    rows::{ProfileRow, UserRow},
    verb::{Company, Verb, Wants},
};

pub(crate) struct UpdateProfile(pub(crate) UserId, pub(crate) ProfileChange);

impl Verb for UpdateProfile {
    type Answer = (Profile, u64);

    fn wants(&self, wants: &mut Wants) {
        wants.row(Want::Mailbox(self.0));
        wants.row(Want::User(self.0));
        wants.row(Want::Profile(self.0));
    }

    fn decide(&self, facts: &mut Facts<'_>) -> Result<(Profile, u64), Stop> {
        let Self(user, change) = self;
        let present = facts.user(*user)?.ok_or(Refusal::NotFound("user"))?;
        let known = facts.profile(*user)?.unwrap_or_default();
        facts.must_be_logged_in(*user, &change.device_id, change.login_version)?;
        let mut row = UserRow {
            nickname: change.nickname.clone().unwrap_or_else(|| present.nickname.clone()),
            avatar: change.avatar.clone().unwrap_or_else(|| present.avatar.clone()),
            ..present.clone()
        };
        let mut profile = ProfileRow {
            signature: change.signature.clone().unwrap_or_else(|| known.signature.clone()),
            custom: change.custom.clone().unwrap_or_else(|| known.custom.clone()),
            version: known.version,
        };
        if row == present && profile == known {
            return Ok((known.profile(present.user(*user)), 0));
        }
        profile.version += 1;
        row.mailbox_seq = facts.next_change(*user)?;
        let changed = (profile.clone().profile(row.user(*user)), row.mailbox_seq);
        facts.tables.users.set(*user, Some(row));
        facts.tables.profiles.set(*user, Some(profile));
        Ok(changed)
    }

    fn bytes(&self) -> usize {
        let ProfileChange { nickname, avatar, signature, custom, .. } = &self.1;
        [nickname, avatar, signature, custom].into_iter().flatten().map(|text| text.len()).sum()
    }

    fn company(&self) -> Company {
        Company::Everybody
    }
}
