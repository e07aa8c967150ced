//! Contacts, requests to be one, and blocks: asked of the server, and kept here, so that the lists are there without a connection.

use anser_proto::{
    UserId,
    v1::{self, client_frame::Request, server_frame::Body},
};

use crate::{
    client::{Client, Error},
    view::{Blocked, Contact, Privacy, Who},
};

/// What goes to the server fails with [`Error::Offline`] while there is no connection, with [`Error::Lost`] when it breaks before the
/// answer, and with [`Error::Refused`] when the server says no. All of it may be asked again without harm. What came of it is in the lists once it returns, and
/// [`Event::People`](crate::Event::People) tells of every change, whoever made it.
impl Client {
    /// Asks somebody to be a contact, with at most 200 characters. Who is asked by them already accepts.
    pub async fn request_contact(&self, user: UserId, text: impl Into<String>) -> Result<(), Error> {
        self.call_for_change(Request::RequestContact(v1::RequestContact { user_id: user.0, text: text.into() })).await
    }

    /// Answers somebody who asks. Who is told no is not told.
    pub async fn answer_contact(&self, user: UserId, accept: bool) -> Result<(), Error> {
        self.call_for_change(Request::AnswerContact(v1::AnswerContact { user_id: user.0, accept })).await
    }

    /// The user's own name for a contact, at most 64 characters; empty: none.
    pub async fn set_remark(&self, user: UserId, remark: impl Into<String>) -> Result<(), Error> {
        self.call_for_change(Request::SetRemark(v1::SetRemark { user_id: user.0, remark: remark.into() })).await
    }

    /// Ends a contact for both, or takes back the user's own request.
    pub async fn remove_contact(&self, user: UserId) -> Result<(), Error> {
        self.call_for_change(Request::RemoveContact(v1::RemoveContact { user_id: user.0 })).await
    }

    /// Refuses what somebody writes one to one, and ends the contact.
    pub async fn block(&self, user: UserId) -> Result<(), Error> {
        self.call_for_change(Request::Block(v1::Block { user_id: user.0 })).await
    }

    pub async fn unblock(&self, user: UserId) -> Result<(), Error> {
        self.call_for_change(Request::Unblock(v1::Unblock { user_id: user.0 })).await
    }

    /// Contacts and open requests as they are here, in order of the others' ids.
    pub async fn contacts(&self) -> Result<Vec<Contact>, Error> {
        Ok(self.store.contacts().await?)
    }

    /// Whom the user blocked, as it is here.
    pub async fn blocked(&self) -> Result<Vec<Blocked>, Error> {
        Ok(self.store.blocked().await?)
    }

    /// What the user lets others do and see, as it is here.
    pub async fn privacy(&self) -> Result<Privacy, Error> {
        Ok(self.store.privacy().await?)
    }

    /// Changes all of it.
    pub async fn set_privacy(&self, privacy: Privacy) -> Result<(), Error> {
        let who = |who: Who| v1::privacy::Who::from(who).into();
        let (invites, last_seen) = (who(privacy.invites), who(privacy.last_seen));
        let (hides_reads, invisible) = (Some(privacy.hides_reads), Some(privacy.invisible));
        let update = v1::UpdateSettings { invites, hides_reads, last_seen, invisible };
        self.call_for_change(Request::UpdateSettings(update)).await
    }

    pub(crate) async fn call_for_change(&self, request: Request) -> Result<(), Error> {
        match self.call(request).await? {
            Body::Changed(_) => Ok(()),
            other => Err(Error::unexpected(&other)),
        }
    }
}
