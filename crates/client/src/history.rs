//! Reading what was said: from the local store, and from the server what is not kept there. Keeps nothing itself.

use std::sync::Arc;

use anser_proto::{
    ConversationId,
    limits::PAGE_MAX,
    v1::{self, client_frame::Request, server_frame::Body},
};

use crate::{
    client::{Client, Error},
    driver::Command,
    store::{Behind, Knows},
    view::Message,
};

/// A stretch of a conversation, ascending.
#[derive(Clone, PartialEq, Default, Debug)]
#[non_exhaustive]
pub struct History {
    pub messages: Vec<Arc<Message>>,
    /// There are older ones; of [`Client::history_after`]: further ones.
    pub more: bool,
}

impl Client {
    /// At most `limit` (1 to 200) messages before an id, or the newest: those kept here, and what is missing from the server.
    ///
    /// Without a connection it gives what is here, if there is anything.
    pub async fn history(
        &self,
        conversation: ConversationId,
        before: Option<u64>,
        limit: u32,
    ) -> Result<History, Error> {
        let limit = limit.clamp(1, PAGE_MAX);
        let here = self.store.history(conversation, before, limit, Knows::Some).await?;
        if is_enough(&here, limit) {
            return Ok(here);
        }
        let there = match self.ask(|reply| Command::LoadOlder { conversation, limit, reply }).await? {
            Ok(_) => self.store.history(conversation, before, limit, Knows::All).await?,
            Err(error) => return here_without(here, error.into()),
        };
        if is_enough(&there, limit) {
            return Ok(there);
        }
        // So far back lies what is kept that one page does not reach it, or the store has no room for more.
        match self.pull(v1::Pull { before: before.unwrap_or(0), limit, ..pull_of(conversation) }).await {
            Ok(pulled) => Ok(pulled),
            Err(error) => here_without(there, error),
        }
    }

    /// At most `limit` (1 to 200) messages behind an id, ascending, without a hole: what is not kept here is fetched. `more`: there
    /// are further ones here. What the server has and this device does not know comes as an event.
    ///
    /// Fails rather than leave something out: without a connection, if it takes one.
    pub async fn history_after(
        &self,
        conversation: ConversationId,
        position: u64,
        limit: u32,
    ) -> Result<History, Error> {
        let limit = limit.clamp(1, PAGE_MAX);
        let low = match self.store.history_after(conversation, position, limit).await? {
            Behind::Here(history) => return Ok(history),
            Behind::From(low) => low,
        };
        let pull = v1::Pull { after: Some(position), before: low, limit, ..pull_of(conversation) };
        let pulled = self.pull(pull).await?;
        match self.store.history_after(conversation, low.saturating_sub(1), limit).await? {
            // Nothing of the user's lies in between.
            Behind::Here(here) if pulled.messages.is_empty() => Ok(here),
            Behind::Here(here) => Ok(History { more: pulled.more || !here.messages.is_empty(), ..pulled }),
            // It was dropped meanwhile, or nothing is kept.
            Behind::From(_) => Ok(History { more: pulled.more || low > 0, ..pulled }),
        }
    }

    /// What the server has, past the local store. The oldest page with `after`, else the newest.
    async fn pull(&self, pull: v1::Pull) -> Result<History, Error> {
        let (name, after, before) = (pull.conversation_id.clone(), pull.after.unwrap_or(0), pull.before);
        let is_asked = |message: &v1::Message| {
            let at = message.server_msg_id;
            message.conversation_id == name && at > after && (before == 0 || at < before)
        };
        match self.call(Request::Pull(pull)).await? {
            Body::Messages(v1::Messages { messages, more, .. }) => {
                let messages: Vec<_> =
                    messages.into_iter().filter(is_asked).filter_map(Message::from_wire).map(Arc::new).collect();
                match messages.is_empty() && more {
                    true => Err(Error::unexpected(&Body::Messages(v1::Messages::default()))),
                    false => Ok(History { messages, more }),
                }
            }
            other => Err(Error::unexpected(&other)),
        }
    }
}

fn pull_of(conversation: ConversationId) -> v1::Pull {
    v1::Pull { conversation_id: conversation.to_string(), ..v1::Pull::default() }
}

fn is_enough(history: &History, limit: u32) -> bool {
    history.messages.len() >= limit as usize || !history.more
}

/// What is here must do while the server cannot be asked.
fn here_without(here: History, error: Error) -> Result<History, Error> {
    match error {
        Error::Offline | Error::Lost | Error::Busy if !here.messages.is_empty() => Ok(here),
        error => Err(error),
    }
}
