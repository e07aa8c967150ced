//! Pinning messages in their conversations, and who reacted to them.

use anser_proto::{
    ClientMsgId, ConversationId, UserId,
    limits::{PAGE_MAX, PINS_MAX},
    v1::{self, client_frame::Request, server_frame::Body},
};

use crate::{
    client::{Client, Error, new_id},
    engine::Act,
    sending::Sending,
    view::{Pin, Reactions},
};

/// A pin is queued like [`Client::edit`], and tells of itself by a notice ([`NoticeKind::Pinned`](crate::NoticeKind::Pinned)); what is pinned comes with
/// [`Event::Changed`](crate::Event::Changed). The lists go to the server: they fail with [`Error::Offline`] while there is no connection.
impl Client {
    /// Pins a message for all who see it. Both parties of a one-to-one conversation may, of a group the owner and admins; at most 50 in a conversation.
    pub async fn pin(&self, conversation: ConversationId, server_msg_id: u64) -> Result<Sending, Error> {
        self.pin_as(new_id(), conversation, server_msg_id).await
    }

    /// Like [`Client::pin`] with an id of the caller's: see [`Client::send_as`].
    pub async fn pin_as(
        &self,
        client_msg_id: ClientMsgId,
        conversation: ConversationId,
        server_msg_id: u64,
    ) -> Result<Sending, Error> {
        self.act(client_msg_id, conversation, Act::Pin(server_msg_id)).await
    }

    /// The message is not pinned any more. Of one that is not, it is a success.
    pub async fn unpin(&self, conversation: ConversationId, server_msg_id: u64) -> Result<Sending, Error> {
        self.unpin_as(new_id(), conversation, server_msg_id).await
    }

    /// Like [`Client::unpin`] with an id of the caller's: see [`Client::send_as`].
    pub async fn unpin_as(
        &self,
        client_msg_id: ClientMsgId,
        conversation: ConversationId,
        server_msg_id: u64,
    ) -> Result<Sending, Error> {
        self.act(client_msg_id, conversation, Act::Unpin(server_msg_id)).await
    }

    /// What is pinned, as it is now, pinned last first; without what the user does not see.
    pub async fn pins(&self, conversation: ConversationId) -> Result<Vec<Pin>, Error> {
        let (mut pins, mut before) = (Vec::new(), 0);
        // Each page has at least one.
        for _ in 0..PINS_MAX {
            let list = v1::ListPins { conversation_id: conversation.to_string(), before, limit: PAGE_MAX };
            let page = match self.call(Request::ListPins(list)).await? {
                Body::Pins(page) => page,
                other => return Err(Error::unexpected(&other)),
            };
            pins.extend(page.pins.into_iter().filter_map(Pin::from_wire));
            before = pins.last().map_or(0, |last: &Pin| last.message.pinned);
            if !page.more {
                break;
            }
        }
        Ok(pins)
    }

    /// A page of who reacted to a message with what, in order of the users' ids, behind `after`; at most 200.
    pub async fn reactions(
        &self,
        conversation: ConversationId,
        server_msg_id: u64,
        after: Option<UserId>,
    ) -> Result<Reactions, Error> {
        let (conversation_id, after) = (conversation.to_string(), after.map_or(0, |user| user.0));
        let list = v1::ListReactions { conversation_id, server_msg_id, after, limit: PAGE_MAX };
        match self.call(Request::ListReactions(list)).await? {
            Body::Reactions(reactions) => Ok(reactions.into()),
            other => Err(Error::unexpected(&other)),
        }
    }
}
