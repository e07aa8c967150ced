//! A device: an engine, what it saved, and the two queues of its connection. Keeps the engine's contract (save, then act) and
//! checks at every message that it is the next one.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use anser_client::{
    Act, ClientMsgId, ConversationId, Fate, FirstPage, Policy, Queued, State, Status,
    engine::{Change, Config, Credential, Effect, Engine, Input, Kept, MessageKey, Output, Saved},
};
use anser_proto::v1;

use super::server::Server;

/// What the engine saved: a map where the real store has tables.
#[derive(Clone, Default)]
pub(crate) struct Disk {
    user: Option<v1::User>,
    position: (u64, u64),
    pub(crate) kept: BTreeMap<ConversationId, Kept>,
    pub(crate) messages: BTreeMap<ConversationId, BTreeMap<u64, Arc<v1::Message>>>,
    pub(crate) outgoing: Vec<Arc<Queued>>,
    /// As long as what was on its way may bring them back.
    hidden: BTreeSet<(ConversationId, u64)>,
    /// Conversations of which older messages were dropped, since they may be out of date.
    pub(crate) dropped: BTreeSet<ConversationId>,
}

/// When the next step is cut short by a crash.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Crash {
    BeforeSaving,
    AfterSaving,
}

pub(crate) struct Device {
    pub(crate) user: u64,
    pub(crate) name: String,
    policy: Policy,
    engine: Engine,
    pub(crate) disk: Disk,
    pub(crate) crash: Option<Crash>,
    incarnation: u64,
    /// Of the connection that is open or being opened.
    pub(crate) link: Option<Wires>,
    pub(crate) caught_up: bool,
    /// Conversations whose past may not be here though the policy wants it.
    pub(crate) evicted: BTreeSet<ConversationId>,
    pub(crate) acknowledged: Vec<ClientMsgId>,
    /// Taken back, and said not to be stored.
    pub(crate) cancelled: Vec<ClientMsgId>,
}

#[derive(Default)]
pub(crate) struct Wires {
    pub(crate) open: bool,
    pub(crate) to_server: VecDeque<v1::ClientFrame>,
    pub(crate) to_client: VecDeque<v1::ServerFrame>,
    /// Where the conversations were when the server said welcome.
    pub(crate) heads_then: BTreeMap<ConversationId, u64>,
}

pub(crate) fn policy(small: bool) -> Policy {
    let mut policy = Policy::default();
    policy.check_every_ms = 5_000;
    (policy.first_page, policy.gap_max) = if small { (FirstPage::Newest(3), 6) } else { (FirstPage::All, u64::MAX) };
    policy
}

impl Device {
    pub(crate) fn new(user: u64, name: &str, policy: Policy) -> Self {
        let engine = create_engine(name, &policy, Saved::default(), 0);
        Self {
            user,
            name: name.to_owned(),
            policy,
            engine,
            disk: Disk::default(),
            crash: None,
            incarnation: 0,
            link: None,
            caught_up: false,
            evicted: BTreeSet::new(),
            acknowledged: Vec::new(),
            cancelled: Vec::new(),
        }
    }

    pub(crate) fn policy_is_whole(&self) -> bool {
        self.policy.first_page == FirstPage::All
    }

    pub(crate) fn wake_at(&self) -> Option<u64> {
        self.engine.wake_at()
    }

    pub(crate) fn step(&mut self, now: u64, server: &Server, input: Input) {
        let mut out = Output::default();
        let ticks = matches!(input, Input::Tick);
        self.engine.step(now, input, &mut out);
        let wake_at = self.engine.wake_at();
        assert!(!ticks || wake_at.is_none_or(|at| at > now), "{} spins at {now}: {wake_at:?}", self.name);
        let crash = self.crash.take();
        if crash == Some(Crash::BeforeSaving) {
            return self.restart();
        }
        out.changes.into_iter().for_each(|change| self.disk.apply(change));
        if crash == Some(Crash::AfterSaving) {
            return self.restart();
        }
        for effect in out.effects {
            self.act(server, effect);
        }
    }

    /// Everything that was not saved is gone.
    fn restart(&mut self) {
        self.incarnation += 1;
        self.disk.hidden.clear();
        self.link = None;
        self.caught_up = false;
        self.engine = create_engine(&self.name, &self.policy, self.disk.saved(), self.incarnation);
    }

    fn act(&mut self, server: &Server, effect: Effect) {
        match effect {
            Effect::Connect => self.link = Some(Wires::default()),
            Effect::Disconnect => self.link = None,
            Effect::Transmit(frame) => {
                let link = self.link.as_mut().expect("transmits only while connected");
                link.to_server.push_back(frame);
            }
            Effect::Show(message) => self.check_is_next(server, &message),
            Effect::Status { key: MessageKey { client_msg_id, .. }, status: Status::Sent(place) } => {
                assert!(!self.acknowledged.contains(&client_msg_id), "{client_msg_id} was acknowledged twice");
                let id = client_msg_id.to_string();
                let at =
                    |message: &v1::Message| message.server_msg_id == place.server_msg_id && message.client_msg_id == id;
                let is_there = server.unchanged.contains(&id) || server.logs.values().flatten().any(at);
                assert!(is_there, "{id} was acknowledged and is not there");
                self.acknowledged.push(client_msg_id);
            }
            Effect::Status { key: MessageKey { client_msg_id, .. }, status: Status::Queued } => {
                let saved = self.disk.outgoing.iter().any(|queued| queued.client_msg_id == client_msg_id);
                assert!(saved, "{client_msg_id} is said to be queued and is not saved");
            }
            Effect::Status { key: MessageKey { client_msg_id, .. }, status: Status::Withdrawn(Fate::NotStored) } => {
                self.cancelled.push(client_msg_id);
            }
            Effect::State(state) => {
                self.caught_up = state == State::CaughtUp;
                if self.caught_up {
                    self.check_has_caught_up();
                }
            }
            _ => {}
        }
    }

    /// Everything from before the login is here.
    fn check_has_caught_up(&self) {
        for (id, head) in &self.link.as_ref().expect("catches up while connected").heads_then {
            let high = self.disk.kept.get(id).map_or(0, |kept| kept.high);
            assert!(high >= *head, "{} says it caught up and is at {high} of {head} in {id}", self.name);
        }
    }

    /// Nothing that the user may see lies between what is kept and this message, and it is the last that is kept by now.
    fn check_is_next(&self, server: &Server, message: &v1::Message) {
        let id: ConversationId = message.conversation_id.parse().expect("a good conversation id");
        let (kept, mine) = (&self.disk.kept[&id], &self.disk.messages[&id]);
        for visible in server.shown(self.user, id) {
            let at = visible.server_msg_id;
            let wanted = kept.low <= at && at <= message.server_msg_id;
            assert!(
                !wanted || mine.contains_key(&at),
                "{}: {id} shows {} without {at}",
                self.name,
                message.server_msg_id
            );
        }
    }

    /// The store makes room: only so many of the newest messages stay.
    pub(crate) fn evict(&mut self, id: ConversationId, stay: usize) {
        let Some(mine) = self.disk.messages.get_mut(&id) else { return };
        let gone = mine.len().saturating_sub(stay);
        let Some(last) = mine.keys().copied().take(gone).next_back() else { return };
        mine.retain(|at, _| *at > last);
        self.disk.kept.get_mut(&id).expect("what has messages is kept").low = last + 1;
        self.engine.evicted(id, last + 1);
        self.evicted.insert(id);
    }

    /// What the app wants to say or to change; it counts as said once it is saved.
    pub(crate) fn send(
        &mut self,
        now: u64,
        server: &Server,
        conversation: ConversationId,
        number: u64,
        act: impl Into<Act>,
    ) -> bool {
        let id: ClientMsgId = format!("{}-{number}", self.name).parse().expect("a good id");
        let (act, client_msg_id) = (act.into(), id.clone());
        self.step(now, server, Input::Queue { conversation, client_msg_id, act, client_time_ms: now, call: 0 });
        self.disk.outgoing.iter().any(|queued| queued.client_msg_id == id) || self.acknowledged.contains(&id)
    }
}

fn create_engine(name: &str, policy: &Policy, saved: Saved, seed: u64) -> Engine {
    let config = Config {
        credential: Credential::Token(String::new()),
        device: v1::Device { device_id: name.to_owned(), platform: 0, name: String::new() },
        client: String::new(),
        policy: policy.clone(),
    };
    Engine::new(config, saved, seed)
}

impl Disk {
    fn saved(&self) -> Saved {
        Saved {
            user: self.user.clone(),
            token: None,
            log_id: self.position.0,
            mailbox_seq: self.position.1,
            conversations: self.kept.values().cloned().collect(),
            blocked: Vec::new(),
            outgoing: self.outgoing.clone(),
            heartbeats: Vec::new(),
        }
    }

    fn apply(&mut self, change: Change) {
        match change {
            Change::User(user) => self.user = Some(user),
            Change::Mailbox { log_id, mailbox_seq } => self.position = (log_id, mailbox_seq),
            Change::Forget => {
                self.kept.clear();
                self.messages.clear();
                self.hidden.clear();
            }
            Change::Conversation(kept) => {
                self.kept.insert(kept.conversation, *kept);
            }
            Change::Messages(messages) => {
                for message in messages {
                    let id = message.conversation_id.parse().expect("a good conversation id");
                    if self.hidden.contains(&(id, message.server_msg_id)) {
                        continue;
                    }
                    let known = self.messages.entry(id).or_default().insert(message.server_msg_id, message);
                    assert!(known.is_none(), "{known:?} was shown twice");
                }
            }
            Change::Changed(messages) => {
                for message in messages {
                    let id = message.conversation_id.parse().expect("a good conversation id");
                    let mine = self.messages.entry(id).or_default();
                    if let Some(known) = mine.get_mut(&message.server_msg_id)
                        && known.changed < message.changed
                    {
                        *known = message;
                    }
                }
            }
            Change::DropMessages { conversation, before } => {
                self.dropped.insert(conversation);
                let mine = self.messages.entry(conversation).or_default();
                mine.retain(|at, _| *at >= before);
            }
            Change::Queue(queued) => match self.outgoing.iter_mut().find(|known| known.key() == queued.key()) {
                Some(known) => *known = queued,
                None => self.outgoing.push(queued),
            },
            Change::Transmitted(key) => {
                let mut queue = self.outgoing.iter_mut();
                let queued = queue.find(|queued| queued.key() == key).expect("what is transmitted is queued");
                Arc::make_mut(queued).transmitted = true;
            }
            Change::Unqueue(key) => self.outgoing.retain(|queued| queued.key() != key),
            Change::Thing(v1::Change { now: Some(v1::change::Now::Hidden(hidden)), .. }) => {
                let id = hidden.conversation_id.parse().expect("a good conversation id");
                self.hidden.insert((id, hidden.server_msg_id));
                self.messages.entry(id).or_default().remove(&hidden.server_msg_id);
            }
            Change::Heartbeat { .. } | Change::Token(_) | Change::Thing(_) | Change::ForgetThings => {}
        }
    }
}
