//! Messages for who must not miss any: given at least once, from a mark in the local store that moves when they are done with.
//! Reads the store and listens to events; knows neither engine nor connection.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use anser_proto::{ConversationId, ids::check_ascii_id};

use crate::{
    client::{Client, Error},
    engine::State,
    events::{Event, Events},
    store::StoreError,
    view::Message,
};

/// Messages of one read of the store.
const PAGE: u32 = 100;
/// After what may pass by itself, if nothing happens before.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Where a new consumer begins in the conversations that there are. In those that come later it begins with the first message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Start {
    /// With the first message that the user may see.
    Beginning,
    /// Behind what the user has read, on whichever device.
    Unread,
}

/// Gives every message at least once, own ones included: ascending in each conversation, from where the consumer of this name was when
/// it last said [`Consumer::ack`], after whatever restarts. Several names do not know of each other; one name is for one consumer at
/// a time. What was missed is fetched from the server as far back as needed.
///
/// ```no_run
/// # use anser_client::{Client, Error, Start};
/// # async fn example(client: &Client) -> Result<(), Error> {
/// let mut inbox = client.consumer("bot", Start::Unread).await?;
/// while let Some(message) = inbox.next().await? {
///     println!("{}: {}", message.from_nickname, message.content);
///     inbox.ack().await?;
/// }
/// # Ok(())
/// # }
/// ```
pub struct Consumer {
    client: Client,
    name: String,
    start: Start,
    only: Option<ConversationId>,
    events: Events,
    /// Conversations that may have more, each once.
    due: VecDeque<ConversationId>,
    /// Position of what was read of each conversation.
    read: BTreeMap<ConversationId, u64>,
    page: VecDeque<Arc<Message>>,
    /// What was given and not acknowledged.
    given: BTreeMap<ConversationId, u64>,
    log_id: u64,
    /// Only the store knows where there is more.
    must_look: bool,
}

impl Client {
    /// A consumer of all conversations. `name`: 1 to 64 visible ASCII characters.
    pub async fn consumer(&self, name: &str, start: Start) -> Result<Consumer, Error> {
        check_ascii_id("consumer", name).map_err(|error| Error::BadName(error.to_string()))?;
        // Before the store is read: what comes in between is told.
        let events = self.events();
        let mut consumer = Consumer {
            client: self.clone(),
            name: name.to_owned(),
            start,
            only: None,
            events,
            due: VecDeque::new(),
            read: BTreeMap::new(),
            page: VecDeque::new(),
            given: BTreeMap::new(),
            log_id: 0,
            must_look: true,
        };
        consumer.look().await?;
        Ok(consumer)
    }
}

impl Consumer {
    /// Of one conversation alone. Others stay where they are for this name.
    pub fn only(mut self, conversation: ConversationId) -> Self {
        self.only = Some(conversation);
        self.due.retain(|due| *due == conversation);
        self
    }

    /// The next message; none once the client is closed. Waits for a connection if it takes one. Cancel-safe. An error is about one
    /// conversation, and the next call goes on with the others.
    pub async fn next(&mut self) -> Result<Option<Arc<Message>>, Error> {
        loop {
            match self.ready().await {
                Ok(None) => match self.events.next().await {
                    Some(event) => self.receive(event),
                    None => return Ok(None),
                },
                Err(error) if error.is_retryable() => {
                    if let Ok(event) = tokio::time::timeout(RETRY_AFTER, self.events.next()).await {
                        match event {
                            Some(event) => self.receive(event),
                            None => return Ok(None),
                        }
                    }
                }
                Err(Error::Closed | Error::Store(StoreError::Closed)) => return Ok(None),
                done => return done,
            }
        }
    }

    /// The next message that is there already, without waiting for one to come; it may have to be fetched.
    pub async fn ready(&mut self) -> Result<Option<Arc<Message>>, Error> {
        while let Some(event) = self.events.waiting() {
            self.receive(event);
        }
        if self.must_look {
            self.look().await?;
        }
        loop {
            if let Some(message) = self.page.pop_front() {
                self.given.insert(message.conversation_id, message.server_msg_id);
                return Ok(Some(message));
            }
            let Some(conversation) = self.due.front().copied() else { return Ok(None) };
            let position = self.read.get(&conversation).copied().unwrap_or_default();
            let behind = self.client.history_after(conversation, position, PAGE).await;
            if behind.as_ref().is_err_and(Error::is_retryable) {
                // It waits behind the others.
                self.due.rotate_left(1);
            } else {
                self.due.pop_front();
            }
            let behind = behind?;
            if let Some(last) = behind.messages.last() {
                self.read.insert(conversation, last.server_msg_id);
            }
            if behind.more {
                self.due.push_back(conversation);
            }
            self.page = behind.messages.into();
        }
    }

    /// Everything that was given until now is done with, and is not given again.
    pub async fn ack(&mut self) -> Result<(), Error> {
        self.client.store.advance(&self.name, self.log_id, self.given.clone()).await?;
        self.given.clear();
        Ok(())
    }

    /// Notes what there is to do, and does none of it: nothing is lost when who waits goes away.
    fn receive(&mut self, event: Event) {
        match event {
            Event::Message(message) if self.read.contains_key(&message.conversation_id) => {
                self.wants(message.conversation_id);
            }
            Event::Message(_) => self.must_look = true,
            Event::Forgotten => {
                self.due.clear();
                self.read.clear();
                self.page.clear();
                self.given.clear();
                self.must_look = true;
            }
            Event::State(State::CaughtUp) | Event::Reset(_) | Event::Lagged(_) => self.must_look = true,
            _ => {}
        }
    }

    /// Finds in the store where there is more.
    async fn look(&mut self) -> Result<(), Error> {
        let whole = self.client.state() == State::CaughtUp;
        let (log_id, behind) = self.client.store.behind(&self.name, self.start, whole).await?;
        self.log_id = log_id;
        self.must_look = false;
        for (conversation, position) in behind {
            self.read.entry(conversation).or_insert(position);
            self.wants(conversation);
        }
        Ok(())
    }

    fn wants(&mut self, conversation: ConversationId) {
        let is_meant = self.only.is_none_or(|only| only == conversation);
        if is_meant && !self.due.contains(&conversation) {
            self.due.push_back(conversation);
        }
    }
}
