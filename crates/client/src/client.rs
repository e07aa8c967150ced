//! What an app holds in its hands. Asks the driver over a bounded channel, and reads the local store by itself.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use anser_proto::{
    ClientMsgId, ConversationId,
    codes::Retry,
    v1::{self, client_frame::Request, server_frame::Body},
};
use rand::RngExt as _;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use crate::{
    config::{Config, Credential, Keep},
    driver::{self, Command, Driver, Leaves},
    engine::{
        self, Act, Attention, CallError, Draft, Engine, Fate, Input, MessageKey, NotWithdrawn, Queued, State,
        StopReason, Withdrawal,
    },
    events::{Event, Events},
    sending::Sending,
    store::{Store, StoreError},
    transport::{BadUrl, Network},
    view::{Refusal, Session, User},
};

/// Commands that wait for the driver; who asks beyond it waits.
const COMMANDS_MAX: usize = 256;

/// Why something could not be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error(transparent)]
    BadUrl(#[from] BadUrl),
    #[error("the local store failed: {0}")]
    Store(#[from] StoreError),
    /// Nothing was asked of the server.
    #[error("not connected")]
    Offline,
    /// The connection broke before the answer: it may have been done or not.
    #[error("the connection broke before the answer came: it may have been done or not")]
    Lost,
    #[error("as many requests as may are waiting for answers")]
    Busy,
    #[error("the server refused: {0}")]
    Refused(Refusal),
    #[error("the message cannot be queued: {0}")]
    NotQueued(engine::NotQueued),
    #[error("the message cannot be taken back: {0}")]
    NotWithdrawn(NotWithdrawn),
    #[error("{0}")]
    BadName(String),
    #[error("the client is closed")]
    Closed,
}

impl Error {
    /// The same call may succeed later, though nobody changes anything. After [`Error::Lost`], and after a refusal that leaves the outcome
    /// open, it may have been done already: then only a call that does no harm twice should be repeated.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Offline | Self::Lost | Self::Busy | Self::NotQueued(engine::NotQueued::QueueFull) => true,
            Self::Refused(error) => error.retry() != Retry::No,
            _ => false,
        }
    }

    /// An answer of another kind than was asked for: a fault of the server.
    pub(crate) fn unexpected(body: &Body) -> Self {
        Self::Refused(Refusal::unexpected(body))
    }
}

impl From<CallError> for Error {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Offline => Self::Offline,
            CallError::Lost => Self::Lost,
            CallError::Busy => Self::Busy,
            CallError::Refused(error) => Self::Refused(error),
        }
    }
}

/// A user's device. Cheap to clone; when the last one is dropped the connection is cut, and what is queued waits in
/// the store.
#[derive(Clone)]
pub struct Client {
    commands: mpsc::Sender<Command>,
    events: broadcast::WeakSender<Event>,
    state: watch::Receiver<State>,
    profile: watch::Receiver<Option<User>>,
    pub(crate) store: Store,
}

impl Client {
    /// Opens the local store and begins to connect; does not wait for the connection. Fails when the url is none, or
    /// the store cannot be opened, is in use, or was written by a newer version.
    pub async fn open(config: Config) -> Result<Self, Error> {
        let dial = match config.dial {
            Some(dial) => dial,
            None => Arc::new(Network::new(&config.url, config.format, config.ca_file.as_deref())?),
        };
        let path = match config.store {
            Keep::File(path) => Some(path),
            Keep::Memory => None,
        };
        let (store, saved) = Store::open(path, config.bounds).await?;
        let device_id = store.device_id(config.device_id).await?;
        let device = v1::Device {
            device_id,
            platform: v1::device::Platform::from(config.platform).into(),
            name: config.device_name,
        };
        let client = concat!("anser-rust/", env!("CARGO_PKG_VERSION")).to_owned();
        let (state, state_seen) = watch::channel(State::Connecting);
        let (profile, profile_seen) = watch::channel(saved.user.clone().map(User::from));
        let (credential, provider) = config.credential.divide();
        let engine = Engine::new(
            engine::Config { credential, device, client, policy: config.policy },
            saved,
            rand::rng().random(),
        );
        let (commands, asked) = mpsc::channel(COMMANDS_MAX);
        let events = broadcast::Sender::new(config.events_max.max(1));
        let weak = events.downgrade();
        let driver = Driver::new(engine, store.clone(), dial, provider, driver::Told { events, state, profile });
        tokio::spawn(driver.run(asked));
        Ok(Self { commands, events: weak, state: state_seen, profile: profile_seen, store })
    }

    /// Queues a message. When this returns, it is saved and goes out once, after whatever restarts.
    ///
    /// Messages of one conversation are stored by the server in the order of the calls. At most 10 000 messages wait;
    /// a body has at most 65 536 bytes.
    pub async fn send(&self, conversation: ConversationId, draft: Draft) -> Result<Sending, Error> {
        self.send_as(new_id(), conversation, draft).await
    }

    /// Like [`Client::send`] with an id of the caller's: for one who must know it before, to try again after a crash of
    /// their own. The same id is never stored twice in a conversation. While a message waits, its id with the same body
    /// gives what follows that message; with another body it is refused.
    pub async fn send_as(
        &self,
        client_msg_id: ClientMsgId,
        conversation: ConversationId,
        draft: Draft,
    ) -> Result<Sending, Error> {
        self.act(client_msg_id, conversation, Act::Send(draft)).await
    }

    /// Messages and changes that wait, and those that the server refused for ever, in the order in which they were asked for.
    pub async fn unsent(&self) -> Result<Vec<Queued>, Error> {
        Ok(self.store.unsent().await?)
    }

    /// Takes back a message, or a change, that is certainly not stored: it was never transmitted, or each attempt was refused. Fails with
    /// [`NotWithdrawn::MaybeStored`] when the server may have it.
    pub async fn cancel(&self, conversation: ConversationId, client_msg_id: ClientMsgId) -> Result<(), Error> {
        self.withdraw(MessageKey { conversation, client_msg_id }, Withdrawal::Cancel).await.map(drop)
    }

    /// Tries a message no more, whatever became of it, so that those behind it in its conversation go on. Mind the answer:
    /// with [`Fate::Unknown`] the others may have it, or still get it; the user should be told before they write it again.
    ///
    /// ```no_run
    /// # use anser_client::{Client, Error, Fate, Queued};
    /// # async fn example(client: &Client, stuck: Queued) -> Result<(), Error> {
    /// if client.give_up(stuck.conversation, stuck.client_msg_id).await? == Fate::Unknown {
    ///     println!("this message may have been delivered: look before you send it again");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn give_up(&self, conversation: ConversationId, client_msg_id: ClientMsgId) -> Result<Fate, Error> {
        self.withdraw(MessageKey { conversation, client_msg_id }, Withdrawal::GiveUp).await
    }

    async fn withdraw(&self, key: MessageKey, how: Withdrawal) -> Result<Fate, Error> {
        self.ask(|reply| Command::Withdraw { key, how, reply }).await?.map_err(Error::NotWithdrawn)
    }

    /// The user has seen everything up to this id. Never moves back; told to the server when there is a connection.
    pub async fn mark_read(&self, conversation: ConversationId, server_msg_id: u64) -> Result<(), Error> {
        let count = self.store.count_at(conversation, server_msg_id).await?;
        self.tell(Input::MarkRead { conversation, server_msg_id, count }).await
    }

    /// The user looks at this conversation now: what is missing of it is fetched before anything else.
    pub async fn look_at(&self, conversation: ConversationId) -> Result<(), Error> {
        self.store.note_use(conversation).await?;
        self.tell(Input::Open(conversation)).await
    }

    /// The conversation list as it is here, last spoken in first.
    pub async fn sessions(&self) -> Result<Vec<Session>, Error> {
        Ok(self.store.sessions().await?)
    }

    /// One entry of the conversation list; none if nothing was ever said there.
    pub async fn session(&self, conversation: ConversationId) -> Result<Option<Session>, Error> {
        Ok(self.store.session(conversation).await?)
    }

    /// The user is writing. Passed on at most once a second, to those who are online; forgotten without a connection.
    pub async fn typing(&self, conversation: ConversationId) -> Result<(), Error> {
        self.tell(Input::Typing(conversation)).await
    }

    /// Everything that happens from now on. Each listener is told all of it, and a slow one holds nobody up.
    pub fn events(&self) -> Events {
        // A closed client has nothing to tell: its listeners are at the end at once.
        Events(self.events.upgrade().map_or_else(|| broadcast::channel(1).1, |events| events.subscribe()))
    }

    pub fn state(&self) -> State {
        self.state.borrow().clone()
    }

    /// Waits until everything that happened before is here, for as long as that takes; fails when the client stops.
    pub async fn caught_up(&self) -> Result<(), StopReason> {
        let mut state = self.state.clone();
        let settled = state.wait_for(|state| matches!(state, State::CaughtUp | State::Stopped(_))).await;
        match settled.as_deref() {
            Ok(State::Stopped(reason)) => Err(reason.clone()),
            Ok(_) => Ok(()),
            Err(_) => Err(StopReason::Asked),
        }
    }

    /// The user themselves, once they were logged in on this device.
    pub fn me(&self) -> Option<User> {
        self.profile.borrow().clone()
    }

    /// In the foreground a broken connection is noticed sooner.
    pub async fn set_attention(&self, attention: Attention) -> Result<(), Error> {
        self.tell(Input::Attention(attention)).await
    }

    /// The device is on another network: connects anew at once. The key ("wifi:home") names what is learned about it.
    pub async fn network_changed(&self, key: impl Into<String>) -> Result<(), Error> {
        self.tell(Input::NetworkChanged(key.into())).await
    }

    /// Another credential: goes on with it after [`State::Stopped`]; while connected it is kept ready, and used when the one before
    /// is no longer taken.
    pub async fn login(&self, credential: Credential) -> Result<(), Error> {
        self.commands.send(Command::Login(credential)).await.map_err(|_| Error::Closed)
    }

    /// Says goodbye to the server and closes the store, within about two seconds. What is queued waits in the store. Further calls fail.
    pub async fn close(&self) {
        // An error means that it is closed already.
        let _ = self.ask(|reply| Command::Close { leaves: Leaves::Everything, reply }).await;
    }

    /// Logs out on this device: closes the client as [`Client::close`] does and deletes everything of the user from the local store, what
    /// waits to be sent and the kept token included. The file stays, empty; who opens it next is another device.
    pub async fn wipe(&self) -> Result<(), Error> {
        Ok(self.ask(|reply| Command::Close { leaves: Leaves::Nothing, reply }).await??)
    }

    /// Any request of the protocol that has no method of its own.
    pub(crate) async fn call(&self, request: Request) -> Result<Body, Error> {
        Ok(self.ask(|reply| Command::Call { request, reply }).await??)
    }

    async fn tell(&self, input: Input) -> Result<(), Error> {
        self.commands.send(Command::Tell(input)).await.map_err(|_| Error::Closed)
    }

    pub(crate) async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).await.map_err(|_| Error::Closed)?;
        answer.await.map_err(|_| Error::Closed)
    }
}

pub(crate) fn new_id() -> ClientMsgId {
    uuid::Uuid::now_v7().to_string().parse().expect("a UUID is visible ASCII")
}

/// Milliseconds since 1970, by the device's clock.
pub(crate) fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
