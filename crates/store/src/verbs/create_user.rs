//! Creating a user.

use anser_proto::UserId;

use crate::{
    NewUser, Refusal, User,
    facts::{Facts, Stop, Want},
    questions,
    rows::{Mailbox, UserRow},
    verb::{Company, Subject, Verb, Wants},
};

pub(crate) struct CreateUser(pub(crate) NewUser);

impl Verb for CreateUser {
    type Answer = User;

    fn wants(&self, wants: &mut Wants) {
        let Self(new) = self;
        wants.row(Want::Mailbox(new.user));
        wants.row(Want::User(new.user));
        wants.row(Want::Password(new.user));
        wants.ask(questions::user_called(&new.account));
    }

    fn decide(&self, facts: &mut Facts<'_>) -> Result<User, Stop> {
        let Self(new) = self;
        let query = questions::user_called(&new.account);
        if !facts.ask(&query, |row| row.get::<UserId>())?.is_empty() {
            return Err(Refusal::Conflict("account").into());
        }
        if facts.user(new.user)?.is_some() || facts.mailbox(new.user)?.is_some() {
            return Err(Refusal::Conflict("user_id").into());
        }
        let row = UserRow {
            account: new.account.clone(),
            nickname: new.nickname.clone(),
            avatar: "".into(),
            disabled: false,
            mailbox_seq: 0,
        };
        let user = row.user(new.user);
        facts.tables.users.set(new.user, Some(row));
        facts.tables.mailboxes.set(new.user, Some(Mailbox::default()));
        if let Some(password) = &new.password {
            facts.password(new.user)?;
            facts.tables.passwords.set(new.user, Some(password.clone()));
        }
        Ok(user)
    }

    fn company(&self) -> Company {
        Company::AllBut(Subject::Account(self.0.account.clone()))
    }
}
