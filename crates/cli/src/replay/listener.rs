//! What a device shows: draws what its local store holds, then writes down what it is told, as an app that a person looks
//! at would. Owns the SDK's events of one run; decides nothing.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Instant,
};

use anser_client::{Client, Error, Event, Events, Status, StoreError};
use anser_proto::{ConversationId, v1};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use tokio::{sync::oneshot, task::JoinHandle};

use super::{
    ledger::Ledger,
    record::{Kept, Run, Seen},
};

/// Messages of one read of the local store.
const PAGE: u32 = 200;
/// How often a person looks at a chat when a message comes.
const LOOKS_AT_GROUP: f64 = 1.0 / 100.0;
const LOOKS_AT_SINGLE: f64 = 1.0 / 3.0;

/// How far a device has come in each conversation. Read by who waits for it.
pub type Positions = Arc<Mutex<HashMap<ConversationId, u64>>>;

pub struct Listener {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Vec<Run>>,
}

struct Listening {
    client: Client,
    device_id: String,
    ledger: Arc<Ledger>,
    positions: Positions,
    dice: StdRng,
    opened: Instant,
    runs: Vec<Run>,
}

impl Listener {
    pub fn start(client: Client, device_id: String, ledger: Arc<Ledger>, positions: Positions, seed: u64) -> Self {
        let (stop, stopped) = oneshot::channel();
        let events = client.events();
        let dice = StdRng::seed_from_u64(seed);
        let listening =
            Listening { client, device_id, ledger, positions, dice, opened: Instant::now(), runs: Vec::new() };
        Self { stop, task: tokio::spawn(listening.run(events, stopped)) }
    }

    /// Ends at once, as an app does that dies: what is still to be told is not heard.
    pub async fn end(self) -> Vec<Run> {
        // It may have ended with the client.
        let _ = self.stop.send(());
        self.task.await.expect("a listener does not panic")
    }
}

impl Listening {
    async fn run(mut self, mut events: Events, mut stop: oneshot::Receiver<()>) -> Vec<Run> {
        self.draw().await;
        loop {
            let event = tokio::select! {
                biased;
                _ = &mut stop => break,
                event = events.next() => event,
            };
            match event {
                Some(Event::Message(message)) => self.show(&message).await,
                Some(Event::Status { client_msg_id, status: Status::Sent(place), .. }) => {
                    self.ledger.acked(client_msg_id.as_str(), place.server_msg_id);
                }
                Some(Event::Reset(_) | Event::Forgotten | Event::Lagged(_)) => self.draw().await,
                Some(Event::Session(session)) => self.list(&session).await,
                Some(_) => {}
                None => break,
            }
        }
        self.runs
    }

    /// Everything anew from the local store.
    async fn draw(&mut self) {
        let kept = self.read(read_kept(&self.client, |message| self.find(message)).await);
        let heads = kept.iter().filter_map(|(conversation, seen)| Some((*conversation, seen.last()?.server_msg_id)));
        self.positions.lock().expect("nobody panics with it").extend(heads);
        self.runs.push(Run { kept, shown: Vec::new() });
    }

    /// An entry that comes new into the list may have messages already: told before this app ran, or while it did not hear.
    async fn list(&mut self, session: &v1::Session) {
        let Ok(conversation) = session.conversation_id.parse::<ConversationId>() else { return };
        if self.positions.lock().expect("nobody panics with it").contains_key(&conversation) {
            return;
        }
        let seen = self.read(read_conversation(&self.client, conversation, &mut |message| self.find(message)).await);
        let Some(head) = seen.last() else { return };
        self.positions.lock().expect("nobody panics with it").insert(conversation, head.server_msg_id);
        self.runs.last_mut().expect("drawing begins a run").kept.insert(conversation, seen);
    }

    /// What an app that died before it heard of it finds acknowledged in its store.
    fn find(&self, message: &v1::Message) {
        if message.from_device_id == self.device_id {
            self.ledger.acked(&message.client_msg_id, message.server_msg_id);
        }
    }

    /// Of a client that was put away meanwhile there is nothing to show.
    fn read<T: Default>(&self, read: Result<T, Error>) -> T {
        match read {
            Err(Error::Store(StoreError::Closed)) => T::default(),
            Err(error) => {
                self.ledger.refuse(format!("{} cannot read its store: {error}", self.device_id));
                T::default()
            }
            Ok(read) => read,
        }
    }

    async fn show(&mut self, message: &v1::Message) {
        let Ok(conversation) = message.conversation_id.parse::<ConversationId>() else { return };
        let run = self.runs.last_mut().expect("drawing begins a run");
        run.shown.push((conversation, Seen::of(message)));
        let place = message.server_msg_id;
        {
            let mut positions = self.positions.lock().expect("nobody panics with it");
            let position = positions.entry(conversation).or_default();
            *position = place.max(*position);
        }
        let own = message.from_device_id == self.device_id;
        if own {
            // Seeing one's own message come back is an acknowledgement too.
            self.ledger.acked(&message.client_msg_id, place);
        }
        self.ledger.shown(&message.client_msg_id, own, self.opened);
        let looks = match conversation {
            ConversationId::Group(_) => LOOKS_AT_GROUP,
            ConversationId::Single { .. } => LOOKS_AT_SINGLE,
        };
        if self.dice.random_bool(looks) {
            // A client that is being closed marks nothing.
            let _ = self.client.mark_read(conversation, place).await;
        }
    }
}

/// All messages in the local store, ascending.
pub async fn read_kept(client: &Client, mut each: impl FnMut(&v1::Message)) -> Result<Kept, Error> {
    let mut kept = Kept::new();
    for session in client.sessions().await? {
        let Ok(conversation) = session.conversation_id.parse::<ConversationId>() else { continue };
        kept.insert(conversation, read_conversation(client, conversation, &mut each).await?);
    }
    Ok(kept)
}

async fn read_conversation(
    client: &Client,
    conversation: ConversationId,
    each: &mut impl FnMut(&v1::Message),
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
        pages.push(page.messages.iter().map(|message| Seen::of(message)).collect());
        if !page.more {
            break;
        }
    }
    Ok(pages.into_iter().rev().flatten().collect())
}
