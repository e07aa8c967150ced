//! A new password, which ends the user's logins.

use anser_proto::UserId;

use crate::{
    PasswordHash,
    facts::{Facts, Stop, Want},
    verb::{Company, Verb, Wants},
};

pub(crate) struct SetPassword(pub(crate) UserId, pub(crate) PasswordHash);

impl Verb for SetPassword {
    type Answer = ();

    fn wants(&self, wants: &mut Wants) {
        wants.row(Want::Mailbox(self.0));
        wants.row(Want::Password(self.0));
    }

    fn decide(&self, facts: &mut Facts<'_>) -> Result<(), Stop> {
        let Self(user, password) = self;
        facts.end_logins(*user)?;
        facts.password(*user)?;
        facts.tables.passwords.set(*user, Some(password.clone()));
        Ok(())
    }

    fn company(&self) -> Company {
        Company::Everybody
    }
}
