//! Changing what others may do and see.

use anser_proto::UserId;

use crate::{
    Change, Now, PrivacyChange,
    facts::{Facts, Stop, Want},
    rows::{Mailbox, Thing},
    verb::{Company, Verb, Wants},
};

pub(crate) struct UpdatePrivacy(pub(crate) UserId, pub(crate) PrivacyChange);

impl Verb for UpdatePrivacy {
    type Answer = Option<Change>;

    fn wants(&self, wants: &mut Wants) {
        wants.row(Want::Mailbox(self.0));
        wants.row(Want::Change(self.0, Thing::Privacy));
    }

    fn decide(&self, facts: &mut Facts<'_>) -> Result<Option<Change>, Stop> {
        let Self(user, change) = self;
        let user = *user;
        facts.must_be_logged_in(user, &change.device_id, change.login_version)?;
        let before = facts.mailbox_of(user)?.privacy;
        let privacy = change.of(before);
        if privacy == before {
            return Ok(None);
        }
        let mailbox_seq = facts.stamp_thing(user, Thing::Privacy)?;
        let mailbox = facts.mailbox_of(user)?;
        facts.tables.mailboxes.set(user, Some(Mailbox { privacy, ..mailbox }));
        Ok(Some(Change { mailbox_seq, now: Now::Privacy(privacy) }))
    }

    fn company(&self) -> Company {
        Company::Everybody
    }
}
