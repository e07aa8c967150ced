//! Who is there, and what is signalled: hints, which are kept nowhere.

use anser_proto::{
    ConversationId, UserId,
    v1::{self, client_frame::Request, server_frame::Body},
};

use crate::{
    client::{Client, Error},
    view::Presence,
};

/// All of it is of the present connection: after the next one it is said, and asked, anew. It fails as with contacts.
impl Client {
    /// The person looks at this device, or does not. A user is there as the best of their connections is.
    pub async fn set_away(&self, away: bool) -> Result<(), Error> {
        let state = if away { v1::presence::State::Away } else { v1::presence::State::Active };
        self.call_for_done(Request::SetPresence(v1::SetPresence { state: state.into() })).await
    }

    /// The contacts that are there. From now on [`Event::Presence`](crate::Event::Presence) tells when that changes.
    pub async fn watch_presence(&self) -> Result<Vec<Presence>, Error> {
        self.call_for_presences(Request::WatchPresence(v1::WatchPresence {})).await
    }

    /// Of at most 200 users, in their order; once in five seconds.
    pub async fn presence(&self, users: impl IntoIterator<Item = UserId>) -> Result<Vec<Presence>, Error> {
        let user_ids = users.into_iter().map(|user| user.0).collect();
        self.call_for_presences(Request::GetPresence(v1::GetPresence { user_ids })).await
    }

    /// Passes something of the app's on to who is connected in a conversation: a type of at most 64 characters, and 1 024 bytes. It may not come.
    pub async fn signal(
        &self,
        conversation: ConversationId,
        kind: impl Into<String>,
        data: impl Into<bytes::Bytes>,
    ) -> Result<(), Error> {
        let signal = v1::Signal { conversation_id: conversation.to_string(), r#type: kind.into(), data: data.into() };
        self.call_for_done(Request::Signal(signal)).await
    }

    async fn call_for_done(&self, request: Request) -> Result<(), Error> {
        match self.call(request).await? {
            Body::Done(_) => Ok(()),
            other => Err(Error::unexpected(&other)),
        }
    }

    async fn call_for_presences(&self, request: Request) -> Result<Vec<Presence>, Error> {
        match self.call(request).await? {
            Body::Presences(presences) => Ok(presences.presences.into_iter().map(Presence::from).collect()),
            other => Err(Error::unexpected(&other)),
        }
    }
}
