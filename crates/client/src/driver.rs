//! Carries out what the engine decides: owns the socket, the clock and the order of saving before acting. Decides nothing.

use std::{
    collections::HashMap,
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use anser_proto::{
    ClientMsgId, ConversationId,
    v1::{self, client_frame::Request, server_frame::Body},
};
use futures_util::{FutureExt as _, future::BoxFuture};
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use crate::{
    client::{Error, now_ms},
    config::{Credential, Provider},
    engine::{
        Act, CallError, CallId, Effect, Engine, Fate, Input, MessageKey, NotWithdrawn, Output, Secret, State,
        StopReason, Withdrawal,
    },
    events::Event,
    sending::{Following, Sending},
    store::{Committed, Store, StoreError, Version},
    transport::{Closed, Dial, Transport},
    view::{GroupNickname, Message, Session, User},
};

/// Inputs that are taken together into one local transaction.
const BATCH_MAX: usize = 128;
/// How long a goodbye may take.
const GOODBYE_MAX: Duration = Duration::from_secs(1);
/// A wall clock that jumps ahead by more, in milliseconds, betrays that the device slept.
const SLEPT_MS: i64 = 5_000;

/// What a client asks of its driver.
#[expect(clippy::large_enum_variant, reason = "there is one at a time, and it is moved")]
pub(crate) enum Command {
    Tell(Input),
    Login(Credential),
    Queue {
        conversation: ConversationId,
        client_msg_id: ClientMsgId,
        act: Act,
        reply: oneshot::Sender<Result<Sending, Error>>,
    },
    Withdraw {
        key: MessageKey,
        how: Withdrawal,
        reply: oneshot::Sender<Result<Fate, NotWithdrawn>>,
    },
    Call {
        request: Request,
        reply: oneshot::Sender<Result<Body, CallError>>,
    },
    LoadOlder {
        conversation: ConversationId,
        limit: u32,
        reply: oneshot::Sender<Result<Body, CallError>>,
    },
    Close {
        leaves: Leaves,
        reply: oneshot::Sender<Result<(), StoreError>>,
    },
}

/// What a client that is closed leaves on the device.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leaves {
    Everything,
    Nothing,
}

/// Where the driver tells what happens.
pub(crate) struct Told {
    pub(crate) events: broadcast::Sender<Event>,
    pub(crate) state: watch::Sender<State>,
    pub(crate) profile: watch::Sender<Option<User>>,
}

pub(crate) struct Driver {
    engine: Engine,
    store: Store,
    dial: Arc<dyn Dial>,
    provider: Option<Provider>,
    told: Told,
    link: Link,
    /// Bytes that came over the connection, when that was last looked at.
    received: u64,
    clock: Clock,
    calls: HashMap<CallId, oneshot::Sender<Result<Body, CallError>>>,
    last_call: CallId,
    /// What is to be queued and is not saved yet.
    sends: HashMap<CallId, oneshot::Sender<Result<Sending, Error>>>,
    withdrawals: HashMap<CallId, oneshot::Sender<Result<Fate, NotWithdrawn>>>,
    following: Following,
    closing: Option<(Leaves, oneshot::Sender<Result<(), StoreError>>)>,
}

enum Link {
    None,
    /// A token, before there is a connection.
    Fetching(BoxFuture<'static, Option<Secret>>),
    Dialing(BoxFuture<'static, io::Result<Box<dyn Transport>>>),
    Open(Box<dyn Transport>),
}

/// Starts at the wall clock's time and then never goes back.
struct Clock {
    start_ms: u64,
    started: Instant,
    /// By how much the wall clock was ahead when it was last looked at, in milliseconds.
    ahead_ms: i64,
}

impl Clock {
    fn now_ms(&self) -> u64 {
        self.start_ms + self.started.elapsed().as_millis() as u64
    }

    /// Whether the device slept since this was last asked: its wall clock went on, the other did not. A clock that was set forward looks
    /// the same and costs a ping.
    fn slept(&mut self) -> bool {
        let ahead_ms = now_ms().cast_signed() - self.now_ms().cast_signed();
        ahead_ms - std::mem::replace(&mut self.ahead_ms, ahead_ms) > SLEPT_MS
    }

    fn at(&self, ms: u64) -> tokio::time::Instant {
        (self.started + Duration::from_millis(ms.saturating_sub(self.start_ms))).into()
    }
}

impl Driver {
    pub(crate) fn new(
        engine: Engine,
        store: Store,
        dial: Arc<dyn Dial>,
        provider: Option<Provider>,
        told: Told,
    ) -> Self {
        Self {
            engine,
            store,
            dial,
            provider,
            told,
            link: Link::None,
            received: 0,
            clock: Clock { start_ms: now_ms(), started: Instant::now(), ahead_ms: 0 },
            calls: HashMap::new(),
            last_call: 0,
            sends: HashMap::new(),
            withdrawals: HashMap::new(),
            following: Following::default(),
            closing: None,
        }
    }

    /// Runs until the client is closed, its last handle is dropped, or the store fails.
    pub(crate) async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut out = Output::default();
        loop {
            let wake_at = self.engine.wake_at().map(|at| self.clock.at(at));
            tokio::select! {
                command = commands.recv() => match command {
                    Some(command) => self.obey(command, &mut out),
                    None => break,
                },
                input = self.link.next() => self.step(input, &mut out),
                () = sleep_until(wake_at) => {
                    let input = if self.has_received() { Input::Progress } else { Input::Tick };
                    self.step(input, &mut out);
                }
            }
            if self.clock.slept() {
                self.step(Input::Woke, &mut out);
            }
            self.take_what_waits(&mut commands, &mut out);
            let changes = std::mem::take(&mut out.changes);
            let committed =
                if changes.is_empty() { Ok(Committed::default()) } else { self.store.commit(changes).await };
            let mut replaced = match committed {
                Ok(Committed { evicted, replaced }) => {
                    for (conversation, low) in evicted {
                        self.engine.evicted(conversation, low);
                    }
                    replaced
                }
                // What is not saved must not be acted on, and the engine has gone on: a fresh start from what was
                // saved is the only way that promises nothing wrong.
                Err(error) => {
                    tracing::error!(%error, "the local store failed, the client stops");
                    self.tell(Event::State(State::Stopped(StopReason::StoreFailed(error.to_string()))));
                    break;
                }
            };
            for effect in std::mem::take(&mut out.effects) {
                match effect {
                    // In the store, and newer than all that was told of it before.
                    Effect::Changed(message) => {
                        let now = replaced.remove(&Version::of(&message)).and_then(Message::from_wire);
                        now.into_iter().for_each(|now| self.tell(Event::Changed(Arc::new(now))));
                    }
                    effect => self.act(effect).await,
                }
            }
            if self.closing.is_some() {
                break;
            }
        }
        commands.close();
        let wiped = match &self.closing {
            Some((Leaves::Nothing, _)) => self.store.wipe().await,
            _ => Ok(()),
        };
        self.store.close().await;
        if let Some((_, reply)) = self.closing.take() {
            let _ = reply.send(wiped);
        }
    }

    /// Everything that is there already shares the transaction.
    fn take_what_waits(&mut self, commands: &mut mpsc::Receiver<Command>, out: &mut Output) {
        for _ in 0..BATCH_MAX {
            if self.closing.is_some() {
                return;
            }
            let ends_link = out.effects.iter().any(|effect| matches!(effect, Effect::Disconnect));
            let input = if ends_link { None } else { self.link.next().now_or_never() };
            match (input, commands.try_recv()) {
                (None, Err(_)) => return,
                (input, command) => {
                    input.into_iter().for_each(|input| self.step(input, out));
                    command.into_iter().for_each(|command| self.obey(command, out));
                }
            }
        }
    }

    fn step(&mut self, input: Input, out: &mut Output) {
        self.engine.step(self.clock.now_ms(), input, out);
    }

    /// Whether anything came since the last time, be it a part of a frame.
    fn has_received(&mut self) -> bool {
        let Link::Open(transport) = &self.link else { return false };
        let received = transport.received();
        std::mem::replace(&mut self.received, received) != received
    }

    fn obey(&mut self, command: Command, out: &mut Output) {
        let input = match command {
            Command::Tell(input) => input,
            Command::Login(credential) => {
                let (credential, provider) = credential.divide();
                self.provider = provider;
                Input::Login(credential)
            }
            Command::Queue { conversation, client_msg_id, act, reply } => {
                self.last_call += 1;
                self.sends.insert(self.last_call, reply);
                let call = self.last_call;
                Input::Queue { conversation, client_msg_id, act, client_time_ms: now_ms(), call }
            }
            Command::Withdraw { key, how, reply } => {
                self.last_call += 1;
                self.withdrawals.insert(self.last_call, reply);
                Input::Withdraw { key, how, call: self.last_call }
            }
            Command::Call { request, reply } => Input::Call { request, call: self.await_answer(reply) },
            Command::LoadOlder { conversation, limit, reply } => {
                Input::LoadOlder { conversation, limit, call: self.await_answer(reply) }
            }
            Command::Close { leaves, reply } => {
                self.closing = Some((leaves, reply));
                Input::Stop
            }
        };
        self.step(input, out);
    }

    fn await_answer(&mut self, reply: oneshot::Sender<Result<Body, CallError>>) -> CallId {
        self.last_call += 1;
        self.calls.insert(self.last_call, reply);
        self.last_call
    }

    async fn act(&mut self, effect: Effect) {
        match effect {
            Effect::Connect => {
                let dial = self.dial.clone();
                self.link = Link::Dialing(Box::pin(async move { dial.dial().await }));
            }
            Effect::FetchToken => {
                let fetching = self.provider.as_ref().map(Provider::fetch);
                self.link = Link::Fetching(fetching.unwrap_or_else(|| Box::pin(std::future::ready(None))));
            }
            Effect::Transmit(frame) => {
                if let Link::Open(transport) = &mut self.link {
                    transport.send(frame);
                }
            }
            Effect::Disconnect => {
                if let (Link::Open(transport), true) =
                    (std::mem::replace(&mut self.link, Link::None), self.closing.is_some())
                {
                    // Whoever does not take a goodbye in time is left without.
                    let _ = tokio::time::timeout(GOODBYE_MAX, transport.close()).await;
                }
            }
            Effect::Answer { call, answer } => {
                // Who asked may be gone, here and below.
                if let Some(reply) = self.calls.remove(&call) {
                    let _ = reply.send(answer);
                }
            }
            Effect::Queued { call, key, answer } => {
                let sending = answer.map(|status| self.following.follow(key, status)).map_err(Error::NotQueued);
                if let Some(reply) = self.sends.remove(&call) {
                    let _ = reply.send(sending);
                }
            }
            Effect::Withdrawn { call, answer } => {
                if let Some(reply) = self.withdrawals.remove(&call) {
                    let _ = reply.send(answer);
                }
            }
            Effect::Status { key, status } => {
                self.following.move_on(&key, &status);
                let MessageKey { conversation, client_msg_id } = key;
                self.tell(Event::Status { conversation, client_msg_id, status });
            }
            Effect::Unfollow(key) => self.following.let_go(&key),
            Effect::Show(message) => {
                // The store is done with it.
                let message = Message::from_wire(Arc::unwrap_or_clone(message));
                message.into_iter().for_each(|message| self.tell(Event::Message(Arc::new(message))));
            }
            // Told where it is known what the store took of it.
            Effect::Changed(_) => {}
            Effect::Reset(conversation) => self.tell(Event::Reset(conversation)),
            Effect::Session(session) => self.tell_session(Arc::unwrap_or_clone(session)),
            Effect::Forgotten => self.tell(Event::Forgotten),
            Effect::Profile(user) => self.tell_profile(user.into()),
            Effect::ContactProfile(user) => self.tell(Event::ContactProfile(user.into())),
            Effect::Hidden { conversation, server_msg_id } => self.tell(Event::Hidden { conversation, server_msg_id }),
            Effect::People => self.tell(Event::People),
            Effect::Nicknames(conversation, nicknames) => self.tell_nicknames(conversation, nicknames),
            Effect::Presence(presence) => self.tell(Event::Presence(presence.into())),
            Effect::Signal(signal) => self.tell(Event::Signal(Arc::new(signal))),
            Effect::Typing { conversation, user } => self.tell(Event::Typing { conversation, user }),
            Effect::State(state) => self.tell(Event::State(state)),
        }
    }

    fn tell_session(&self, session: v1::Session) {
        if let Some(session) = Session::from_wire(session) {
            self.tell(Event::Session(Arc::new(session)));
        }
    }

    fn tell_nicknames(&self, conversation: ConversationId, nicknames: Vec<v1::GroupNickname>) {
        let nicknames = nicknames.into_iter().map(GroupNickname::from).collect();
        self.tell(Event::Nicknames { conversation, nicknames });
    }

    fn tell_profile(&self, user: User) {
        self.told.profile.send_replace(Some(user.clone()));
        self.tell(Event::Profile(user));
    }

    fn tell(&self, event: Event) {
        if let Event::State(state) = &event {
            self.told.state.send_replace(state.clone());
        }
        // Without listeners there is nobody to tell.
        let _ = self.told.events.send(event);
    }
}

impl Link {
    /// What the connection has to say next. Cancel-safe.
    async fn next(&mut self) -> Input {
        match self {
            Self::None => std::future::pending().await,
            Self::Fetching(fetching) => {
                let token = fetching.await;
                *self = Self::None;
                Input::Fetched(token)
            }
            Self::Dialing(dialing) => match dialing.await {
                Ok(transport) => {
                    *self = Self::Open(transport);
                    Input::Connected
                }
                Err(error) => {
                    *self = Self::None;
                    Input::Closed { code: None, reason: error.to_string() }
                }
            },
            Self::Open(transport) => match transport.receive().await {
                Ok(frame) => Input::Frame(frame),
                Err(Closed { code, reason }) => {
                    *self = Self::None;
                    Input::Closed { code, reason }
                }
            },
        }
    }
}

async fn sleep_until(at: Option<tokio::time::Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
