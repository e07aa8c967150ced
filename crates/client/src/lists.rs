//! What is a user's own of a conversation: how it stands in their list, and what they put away of its log.

use anser_proto::{
    ConversationId, GroupId,
    v1::{self, client_frame::Request, server_frame::Body},
};

use crate::{
    client::{Client, Error},
    view::Readers,
};

/// On all devices of the user, and nobody else is told. What goes to the server fails with [`Error::Offline`] while there is no connection, with [`Error::Lost`]
/// when it breaks before the answer, and with [`Error::Refused`] when the server says no. All of it may be asked again without harm. What came of it is
/// here once it returns, and [`Event::Session`](crate::Event::Session) tells of it.
impl Client {
    /// Puts the conversation above those that are not pinned; at most 100.
    pub async fn set_pinned(&self, conversation: ConversationId, pinned: bool) -> Result<(), Error> {
        self.update(v1::UpdateSession { pinned: Some(pinned), ..named(conversation) }).await
    }

    /// Until then the user wants to be told of nothing here; 0: of everything again.
    pub async fn set_quiet(&self, conversation: ConversationId, until_ms: u64) -> Result<(), Error> {
        self.update(v1::UpdateSession { quiet_until_ms: Some(until_ms), ..named(conversation) }).await
    }

    /// A flag that moves no mark, and ends by itself when the user reads ([`Client::mark_read`], wherever to) or writes there.
    pub async fn set_marked_unread(&self, conversation: ConversationId, marked_unread: bool) -> Result<(), Error> {
        self.update(v1::UpdateSession { marked_unread: Some(marked_unread), ..named(conversation) }).await
    }

    /// Up to this message the user sees nothing any more; the read mark goes along. There is no way back.
    pub async fn clear_session(&self, conversation: ConversationId, server_msg_id: u64) -> Result<(), Error> {
        let clear = v1::ClearSession { conversation_id: conversation.to_string(), server_msg_id };
        self.call_for_session(Request::ClearSession(clear)).await
    }

    /// Takes the conversation out of the list until a message behind this one is shown.
    pub async fn remove_session(&self, conversation: ConversationId, server_msg_id: u64) -> Result<(), Error> {
        let remove = v1::RemoveSession { conversation_id: conversation.to_string(), server_msg_id };
        self.call_for_session(Request::RemoveSession(remove)).await
    }

    /// The user does not see these messages any more, at most 200. There is no way back.
    pub async fn hide_messages(&self, conversation: ConversationId, ids: &[u64]) -> Result<(), Error> {
        let hide = v1::HideMessages { conversation_id: conversation.to_string(), server_msg_ids: ids.to_vec() };
        self.call_for_change(Request::HideMessages(hide)).await
    }

    /// Who has read these messages of a group, at most 50: of the user's own, or, as its owner or admin, of any. What they may not ask about is
    /// left out.
    pub async fn who_read(&self, group: GroupId, ids: &[u64]) -> Result<Vec<Readers>, Error> {
        let who = v1::WhoRead { group_id: group.0, server_msg_ids: ids.to_vec() };
        match self.call(Request::WhoRead(who)).await? {
            Body::Readers(readers) => Ok(readers.messages.into_iter().map(Readers::from).collect()),
            other => Err(Error::unexpected(&other)),
        }
    }

    async fn update(&self, update: v1::UpdateSession) -> Result<(), Error> {
        self.call_for_session(Request::UpdateSession(update)).await
    }

    async fn call_for_session(&self, request: Request) -> Result<(), Error> {
        match self.call(request).await? {
            Body::SessionChanged(_) => Ok(()),
            other => Err(Error::unexpected(&other)),
        }
    }
}

fn named(conversation: ConversationId) -> v1::UpdateSession {
    v1::UpdateSession { conversation_id: conversation.to_string(), ..v1::UpdateSession::default() }
}
