//! What an app is told while it runs.

use std::sync::Arc;

use anser_proto::{ClientMsgId, ConversationId, UserId};
use tokio::sync::broadcast::{
    self,
    error::{RecvError, TryRecvError},
};

use crate::{
    engine::{State, Status},
    view::{GroupNickname, Message, Presence, Session, Signal, User},
};

/// Something happened. What it tells is in the local store already.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum Event {
    State(State),
    /// The next message of its conversation: ascending, each once for ever on this device, own ones included.
    Message(Arc<Message>),
    /// A message that is kept on this device was recalled, edited or reacted to, by whomever: the whole message as it is now. Each state is
    /// newer than those before it. What is shown of it is to be replaced, and nothing to be counted, moved or rung for.
    Changed(Arc<Message>),
    /// Too much was missed, and what was kept of this conversation was replaced by its newest page; or the user cleared it. Read its history
    /// anew.
    Reset(ConversationId),
    /// The user does not see this message any more.
    Hidden {
        conversation: ConversationId,
        server_msg_id: u64,
    },
    /// A message of this device came further.
    Status {
        conversation: ConversationId,
        client_msg_id: ClientMsgId,
        status: Status,
    },
    /// An entry of the conversation list is new or changed.
    Session(Arc<Session>),
    /// The server's store was replaced: all conversations start anew.
    Forgotten,
    /// The user's own profile is new or changed.
    Profile(User),
    /// A contact changed their profile, and is called so now. What else they say of themself, [`Client::users`](crate::Client::users) tells. A hint: who is
    /// away is not told.
    ContactProfile(User),
    /// Contacts, requests, blocks, settings or devices changed: read [`Client::contacts`](crate::Client::contacts),
    /// [`Client::blocked`](crate::Client::blocked), [`Client::privacy`](crate::Client::privacy) and [`Client::devices`](crate::Client::devices) anew.
    People,
    /// Members of a group have other names there, by themselves: what is kept of [`Client::members`](crate::Client::members) is to be replaced, unless its
    /// `nickname_changed` is the greater. They are not in the local store.
    Nicknames {
        conversation: ConversationId,
        nicknames: Vec<GroupNickname>,
    },
    /// Somebody is writing now. Said about once a second while it lasts.
    Typing {
        conversation: ConversationId,
        user: UserId,
    },
    /// Of a contact, after [`Client::watch_presence`](crate::Client::watch_presence).
    Presence(Presence),
    /// What an app passed on to who is connected: see [`Client::signal`](crate::Client::signal).
    Signal(Arc<Signal>),
    /// This listener was too slow and so many events were dropped for it: read the sessions and the history anew.
    Lagged(u64),
}

/// A listener of its own to everything that happens from now on.
pub struct Events(pub(crate) broadcast::Receiver<Event>);

impl Events {
    /// The next event; none once the client is closed. Cancel-safe.
    pub async fn next(&mut self) -> Option<Event> {
        match self.0.recv().await {
            Ok(event) => Some(event),
            Err(RecvError::Lagged(dropped)) => Some(Event::Lagged(dropped)),
            Err(RecvError::Closed) => None,
        }
    }

    /// The next one, if it is there already.
    pub(crate) fn waiting(&mut self) -> Option<Event> {
        match self.0.try_recv() {
            Ok(event) => Some(event),
            Err(TryRecvError::Lagged(dropped)) => Some(Event::Lagged(dropped)),
            Err(TryRecvError::Empty | TryRecvError::Closed) => None,
        }
    }
}
