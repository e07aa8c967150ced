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
    engine::Page,
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
        match self.pull(conversation, None, before.unwrap_or(0), limit).await {
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
        let pulled = self.pull(conversation, Some(position), low, limit).await?;
        match self.store.history_after(conversation, low.saturating_sub(1), limit).await? {
            // Nothing of the user's lies in between.
            Behind::Here(here) if pulled.messages.is_empty() => Ok(here),
            Behind::Here(here) => Ok(History { more: pulled.more || !here.messages.is_empty(), ..pulled }),
            // It was dropped meanwhile, or nothing is kept.
            Behind::From(_) => Ok(History { more: pulled.more || low > 0, ..pulled }),
        }
    }

    /// One message as it is now, for example what another one answers: from here, or from the server. None if there is none that the
    /// user may see.
    pub async fn message(
        &self,
        conversation: ConversationId,
        server_msg_id: u64,
    ) -> Result<Option<Arc<Message>>, Error> {
        if let Some(message) = self.store.message(conversation, server_msg_id).await? {
            return Ok(Some(message));
        }
        let Some(after) = server_msg_id.checked_sub(1) else { return Ok(None) };
        let before = server_msg_id.saturating_add(1);
        Ok(self.pull(conversation, Some(after), before, 1).await?.messages.pop())
    }

    /// What the server has, past the local store, bounds excluded. The oldest page with `after`, else the newest.
    async fn pull(
        &self,
        conversation: ConversationId,
        mut after: Option<u64>,
        mut before: u64,
        limit: u32,
    ) -> Result<History, Error> {
        loop {
            let pull = v1::Pull { conversation_id: conversation.to_string(), after, before, limit };
            let answer = match self.call(Request::Pull(pull)).await? {
                Body::Messages(answer) => answer,
                other => return Err(Error::unexpected(&other)),
            };
            let page = Page::new(conversation, after, before, answer);
            if page.is_stuck() {
                return Err(Error::unexpected(&Body::Messages(v1::Messages::default())));
            }
            if !page.messages.is_empty() || !page.more {
                let messages = page.messages.into_iter().map(Arc::unwrap_or_clone);
                let messages = messages.filter_map(Message::from_wire).map(Arc::new).collect();
                return Ok(History { messages, more: page.more });
            }
            // Nothing but changes of other messages lies there.
            match after {
                Some(_) => after = Some(page.through),
                None => before = page.after.saturating_add(1),
            }
        }
    }
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
