//! Disabling a user, which ends their logins, and enabling one.

use anser_proto::UserId;

use crate::{
    Refusal,
    facts::{Facts, Stop, Want},
    rows::UserRow,
    verb::{Company, Verb, Wants},
};

pub(crate) struct SetDisabled(pub(crate) UserId, pub(crate) bool);

impl Verb for SetDisabled {
    type Answer = ();

    fn wants(&self, wants: &mut Wants) {
        wants.row(Want::Mailbox(self.0));
        wants.row(Want::User(self.0));
    }

    fn decide(&self, facts: &mut Facts<'_>) -> Result<(), Stop> {
        let Self(user, disabled) = *self;
        let row = facts.user(user)?.ok_or(Refusal::NotFound("user"))?;
        if disabled {
            facts.end_logins(user)?;
        }
        facts.tables.users.set(user, Some(UserRow { disabled, ..row }));
        Ok(())
    }

    fn company(&self) -> Company {
        Company::Everybody
    }
}
