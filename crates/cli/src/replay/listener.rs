//! What a device shows: draws what its local store holds, then writes down what it is told, as an app that a person looks
//! at would. Owns the SDK's events of one run; decides nothing.

use std::{collections::HashSet, sync::Arc};

use anser_client::{Client, ConversationId, Error, Event, Events, Message, Session, Status, StoreError};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use tokio::{sync::oneshot, task::JoinHandle};

use super::{
    notes::{Fact, Listed, Scribe},
    record::Seen,
};

/// Messages of one read of the local store.
const PAGE: u32 = 200;
/// How often a person looks at a chat when a message comes.
const LOOKS_AT_GROUP: f64 = 1.0 / 100.0;
const LOOKS_AT_SINGLE: f64 = 1.0 / 3.0;

/// What a store may hold before an app draws it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    Fresh,
    /// What another life was told or died before it was told.
    Inherited,
}

pub struct Listener {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

struct Listening {
    client: Client,
    device_id: String,
    scribe: Arc<dyn Scribe>,
    /// Conversations that were drawn, or of which something was shown.
    open: HashSet<ConversationId>,
    origin: Origin,
    dice: StdRng,
}

impl Listener {
    pub fn start(client: Client, device_id: String, scribe: Arc<dyn Scribe>, origin: Origin, seed: u64) -> Self {
        let (stop, stopped) = oneshot::channel();
        let events = client.events();
        let dice = StdRng::seed_from_u64(seed);
        let listening = Listening { client, device_id, scribe, open: HashSet::new(), origin, dice };
        Self { stop, task: tokio::spawn(listening.run(events, stopped)) }
    }

    /// Ends at once, as an app does that dies: what is still to be told is not received.
    pub async fn end(self) {
        // It may have ended with the client.
        let _ = self.stop.send(());
        self.task.await.expect("a listener does not panic");
    }
}

impl Listening {
    async fn run(mut self, mut events: Events, mut stop: oneshot::Receiver<()>) {
        self.draw().await;
        loop {
            let event = tokio::select! {
                biased;
                _ = &mut stop => break,
                event = events.next() => event,
            };
            match event {
                Some(Event::Message(message)) => self.show(&message).await,
                Some(Event::Changed(message)) => self
                    .scribe
                    .write(Fact::Changed { conversation: message.conversation_id, seen: Seen::shown(&message) }),
                Some(Event::Hidden { conversation, server_msg_id }) => {
                    self.scribe.write(Fact::Hidden { conversation, place: server_msg_id });
                }
                Some(Event::Status { client_msg_id, status: Status::Failed(refusal), .. }) => {
                    self.scribe
                        .write(Fact::Refused { client_msg_id: client_msg_id.as_str().to_owned(), code: refusal.code });
                }
                Some(Event::Status { client_msg_id, status: Status::Sent(place), .. }) => {
                    self.scribe.write(Fact::Acked {
                        client_msg_id: client_msg_id.as_str().to_owned(),
                        place: place.server_msg_id,
                    });
                }
                Some(Event::Reset(_) | Event::Forgotten | Event::Lagged(_)) => self.draw().await,
                Some(Event::Session(session)) => self.list(&session).await,
                Some(_) => {}
                None => break,
            }
        }
    }

    /// Everything anew from the local store.
    async fn draw(&mut self) {
        let store = self.read(read_store(&self.client, |message| self.find(message)).await);
        self.open.extend(store.iter().filter(|listed| !listed.seen.is_empty()).map(|listed| listed.conversation));
        self.scribe.write(Fact::Drawn(store));
    }

    /// An entry that comes new into the list may have messages already: told before this app ran, or while it did not listen.
    async fn list(&mut self, session: &Session) {
        let conversation = session.conversation_id;
        if self.open.contains(&conversation) {
            return;
        }
        let seen = self.read(read_conversation(&self.client, conversation, &mut |message| self.find(message)).await);
        if !seen.is_empty() {
            self.open.insert(conversation);
            self.scribe.write(Fact::Listed(Listed { conversation, seen }));
        }
    }

    /// What an app that died before it was told finds acknowledged in its store.
    fn find(&self, message: &Message) {
        if message.from_device_id == self.device_id {
            let Message { client_msg_id, server_msg_id, .. } = message;
            self.scribe.write(Fact::Acked { client_msg_id: client_msg_id.clone(), place: *server_msg_id });
        }
    }

    /// Of a client that was put away meanwhile there is nothing to show.
    fn read<T: Default>(&self, read: Result<T, Error>) -> T {
        match read {
            Err(Error::Store(StoreError::Closed)) => T::default(),
            Err(error) => {
                self.scribe.write(Fact::Wrong(format!("{} cannot read its store: {error}", self.device_id)));
                T::default()
            }
            Ok(read) => read,
        }
    }

    async fn show(&mut self, message: &Message) {
        let conversation = message.conversation_id;
        if self.open.insert(conversation) && self.origin == Origin::Inherited {
            // It is not in the list yet, and what came to the life before lies in the store alone: whoever opens it sees that too.
            let seen = read_conversation(&self.client, conversation, &mut |message| self.find(message)).await;
            let mut seen = self.read(seen);
            seen.retain(|seen| seen.server_msg_id < message.server_msg_id);
            self.scribe.write(Fact::Listed(Listed { conversation, seen }));
        }
        self.scribe.write(Fact::Shown {
            conversation,
            seen: Seen::shown(message),
            client_msg_id: message.client_msg_id.clone(),
            own: message.from_device_id == self.device_id,
        });
        let looks = match conversation {
            ConversationId::Group(_) => LOOKS_AT_GROUP,
            ConversationId::Single { .. } => LOOKS_AT_SINGLE,
        };
        if self.dice.random_bool(looks) {
            // A client that is being closed marks nothing.
            let _ = self.client.mark_read(conversation, message.server_msg_id).await;
        }
    }
}

/// All messages in the local store, ascending.
pub async fn read_store(client: &Client, mut each: impl FnMut(&Message)) -> Result<Vec<Listed>, Error> {
    let mut store = Vec::new();
    for session in client.sessions().await? {
        let conversation = session.conversation_id;
        let seen = read_conversation(client, conversation, &mut each).await?;
        store.push(Listed { conversation, seen });
    }
    Ok(store)
}

async fn read_conversation(
    client: &Client,
    conversation: ConversationId,
    each: &mut impl FnMut(&Message),
) -> Result<Vec<Seen>, Error> {
    let mut pages: Vec<Vec<Seen>> = Vec::new();
    let mut before = None;
    loop {
        let page = match client.history(conversation, before, PAGE).await {
            // There is nothing here yet, and nobody to ask.
            Err(Error::Offline | Error::Lost | Error::Busy) => break,
            page => page?,
        };
        let Some(oldest) = page.messages.first() else { break };
        before = Some(oldest.server_msg_id);
        page.messages.iter().for_each(|message| each(message));
        pages.push(page.messages.iter().map(|message| Seen::shown(message)).collect());
        if !page.more {
            break;
        }
    }
    Ok(pages.into_iter().rev().flatten().collect())
}
