//! The engine's vocabulary: what it is told, what it asks for, and what must be kept. Plain data.

use std::{collections::BTreeMap, sync::Arc};

use anser_proto::{ClientMsgId, ConversationId, UserId, v1};

use super::{
    act::{Act, MessageKey, Queued},
    heartbeat::Learned,
    mentions::Mentioned,
};
use crate::view::{Refusal, Signal};

pub use anser_proto::v1::{client_frame::Request, server_frame::Body};

/// How the user proves who they are.
#[derive(Clone, PartialEq, Eq)]
pub enum Credential {
    /// A JSON Web Token minted by the app's server or by `anser token`.
    Token(String),
    /// An account of the server's own. After the first login the token that the server gave takes its place, and is kept.
    Password { account: String, password: String },
    /// A token is asked for with [`Effect::FetchToken`] whenever one is needed.
    Provider,
    /// The token that is kept here.
    Kept,
}

/// Never shown, so that no log does.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Never shows what it holds, so that no log does.
impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credential(..)")
    }
}

/// What a device gets of a conversation that it sees for the first time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum FirstPage {
    /// The newest so many, 1 to 200. Older ones come on demand.
    Newest(u32),
    /// Everything from the beginning.
    All,
}

/// What an app may choose about traffic.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Policy {
    pub first_page: FirstPage,
    /// A hole of more ids than this is not walked through: the conversation starts anew at its newest page.
    pub gap_max: u64,
    /// Tell the other party of one-to-one conversations what has arrived here.
    pub delivered_marks: bool,
    /// How often a connected device asks whether it missed anything, in milliseconds. A push that was lost in a
    /// conversation where nothing follows is found no later than this.
    pub check_every_ms: u64,
}

impl Default for Policy {
    fn default() -> Self {
        Self { first_page: FirstPage::Newest(50), gap_max: 1_000, delivered_marks: true, check_every_ms: 300_000 }
    }
}

/// What the engine knows from the start and never changes.
#[derive(Clone, Debug)]
pub struct Config {
    pub credential: Credential,
    pub device: v1::Device,
    /// Name and version of the software, for the server's log.
    pub client: String,
    pub policy: Policy,
}

/// How a message is taken out of the queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Withdrawal {
    /// Only if it is certainly not stored.
    Cancel,
    /// In any case, so that those behind it go on.
    GiveUp,
}

/// What is known of a message that was taken out of the queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Fate {
    /// The server does not have it and will not get it.
    NotStored,
    /// An attempt was made whose outcome is not known: others may have it, or get it from an attempt that is on its way.
    Unknown,
}

/// Why a message was not taken out of the queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotWithdrawn {
    #[error("no such message waits")]
    NotQueued,
    #[error("it may be stored already: it can only be given up")]
    MaybeStored,
}

/// Whether the user looks at the app.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Attention {
    Foreground,
    Background,
}

/// Names a request whose answer the caller waits for.
pub type CallId = u64;

/// What the engine is told.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one at a time, and it is moved")]
pub enum Input {
    /// The transport that [`Effect::Connect`] asked for is open.
    Connected,
    /// A frame came.
    Frame(v1::ServerFrame),
    /// The transport ended or could not be opened. `code` is the WebSocket's close code, if there was one.
    Closed {
        code: Option<u16>,
        reason: String,
    },
    /// The time that [`super::Engine::wake_at`] named has come.
    Tick,
    /// The same, and bytes came meanwhile, though no whole frame.
    Progress,
    /// The device is on another network now; the key tells networks apart ("wifi:home", "cellular").
    NetworkChanged(String),
    Attention(Attention),
    /// The device slept, as far as one can tell.
    Woke,

    /// An id that waits in this conversation already is not queued again; one that was refused is tried once more.
    /// `client_time_ms` is the wall clock's. Answered by [`Effect::Queued`].
    Queue {
        conversation: ConversationId,
        client_msg_id: ClientMsgId,
        act: Act,
        client_time_ms: u64,
        call: CallId,
    },
    /// Takes a message out of its conversation's queue. Answered by [`Effect::Withdrawn`].
    Withdraw {
        key: MessageKey,
        how: Withdrawal,
        call: CallId,
    },
    /// The user has seen everything up to this id. `count` is that of the message with this id, if the caller has it.
    MarkRead {
        conversation: ConversationId,
        server_msg_id: u64,
        count: Option<u64>,
    },
    /// The user looks at this conversation: it is pulled before all others.
    Open(ConversationId),
    /// Messages before the oldest that is kept here, at most `limit`.
    LoadOlder {
        conversation: ConversationId,
        limit: u32,
        call: CallId,
    },
    Typing(ConversationId),
    /// Any other request.
    Call {
        request: Request,
        call: CallId,
    },

    /// Another credential: ends [`State::Stopped`], and is said with the next hello.
    Login(Credential),
    /// Answers [`Effect::FetchToken`]; none: it could not be had now.
    Fetched(Option<Secret>),
    /// Says goodbye; the engine does nothing more until `Login`.
    Stop,
}

/// What the engine wants done, after everything in [`Output::changes`] was committed.
#[derive(Clone, PartialEq, Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one at a time, and it is moved")]
pub enum Effect {
    /// Open a transport, then say `Connected` or `Closed`.
    Connect,
    Transmit(v1::ClientFrame),
    /// Drop the transport, opened or being opened, and the token being fetched. Nothing more may be said of them.
    Disconnect,
    /// Ask the app for a token, then say `Fetched`.
    FetchToken,

    /// The next message of a conversation: strictly ascending and each id once for ever on this device.
    Show(Arc<v1::Message>),
    /// Messages that were kept of this conversation are not any more: what was missed was too much, or the user cleared it.
    Reset(ConversationId),
    /// A message that may have been shown is not to be seen any more.
    Hidden {
        conversation: ConversationId,
        server_msg_id: u64,
    },
    /// A message that is kept here, as it is now; old news if what is kept has a `changed` that is not less.
    Changed(Arc<v1::Message>),
    Status {
        key: MessageKey,
        status: Status,
    },
    /// Nothing more will be told of how far this message comes.
    Unfollow(MessageKey),
    /// Answers [`Input::Queue`]: how far the message has come by now, or why it is not queued.
    Queued {
        call: CallId,
        key: MessageKey,
        answer: Result<Status, NotQueued>,
    },
    /// Answers [`Input::Withdraw`].
    Withdrawn {
        call: CallId,
        answer: Result<Fate, NotWithdrawn>,
    },
    /// An entry of the conversation list is new or changed.
    Session(Arc<v1::Session>),
    /// The store was replaced by another one (restored from a backup): everything but the outgoing queue starts anew.
    Forgotten,
    /// The user's own profile is new or changed.
    Profile(v1::User),
    /// That of a contact changed: a hint.
    ContactProfile(v1::User),
    /// Contacts, requests or blocks changed.
    People,
    /// Of members of a group, in the order in which they come: each is compared by its `changed`.
    Nicknames(ConversationId, Vec<v1::GroupNickname>),
    Typing {
        conversation: ConversationId,
        user: UserId,
    },
    Presence(v1::Presence),
    Signal(Signal),
    State(State),
    Answer {
        call: CallId,
        answer: Result<Body, CallError>,
    },
}

/// What one or several steps bring about.
#[derive(Default, Debug)]
pub struct Output {
    /// To be committed in ONE local transaction before any effect is acted on.
    pub changes: Vec<Change>,
    pub effects: Vec<Effect>,
}

/// How far a message of this device has come.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum Status {
    /// Saved here; goes out as soon as it can, also after a restart.
    Queued,
    Sending,
    /// The last attempt failed for now; another one follows. One that keeps failing holds up those behind it until it is given up.
    Retrying(Refusal),
    /// Stored by the server: it will not be lost.
    Sent(Place),
    /// A device of the other party has it. One-to-one only, as is `Read`.
    Delivered(Place),
    Read(Place),
    /// Refused for ever. It is not in the log and will not be.
    Failed(Refusal),
    /// Taken out of the queue by the user.
    Withdrawn(Fate),
}

/// Where the server stored a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    pub server_msg_id: u64,
    pub server_time_ms: u64,
}

/// Why a message was not even queued. Nothing was saved.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotQueued {
    #[error("{} messages wait, or their bodies have 64 MiB: let some go out first", super::outgoing::OUTGOING_MAX)]
    QueueFull,
    #[error("content and attachment have {0} bytes: at most {max} are allowed", max = anser_proto::limits::BODY_BYTES_MAX)]
    BodyTooLarge(usize),
    #[error("another message with this id waits in the conversation: give each message an id of its own")]
    Conflict,
}

#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum State {
    Connecting,
    /// Logged in; what was missed, or may have been, is on its way.
    Connected,
    /// Everything that is known to have happened is here. `Connected` follows when a hole shows or it is time to ask again.
    CaughtUp,
    /// The next attempt begins at `retry_at_ms`, in the clock of the steps.
    Offline {
        retry_at_ms: u64,
    },
    /// No more attempts until `Login`.
    Stopped(StopReason),
}

#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum StopReason {
    /// `Stop` was said, or nothing was begun yet.
    Asked,
    /// The server refused the login.
    Refused(Refusal),
    /// The kept token was to be said, and none is kept.
    NoCredential,
    /// The server ended the connection and wants no other: see the table of close codes.
    Closed { code: u16, reason: String },
    /// What is kept here belongs to another user.
    OtherUser { kept: UserId, given: UserId },
    /// The local store took no more changes. Said by the driver; the client is closed.
    StoreFailed(String),
}

/// Why a call has no answer.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum CallError {
    #[error("not connected")]
    Offline,
    /// The connection broke before the answer: it may have been done or not.
    #[error("the connection broke before the answer came: it may have been done or not")]
    Lost,
    #[error("as many requests as may are waiting for answers")]
    Busy,
    #[error("the server refused: {0}")]
    Refused(Refusal),
}

/// What is to be kept. Applied in order.
#[derive(Clone, PartialEq, Debug)]
pub enum Change {
    User(v1::User),
    /// What a password bought, in place of what was kept.
    Token(Option<Secret>),
    Mailbox {
        log_id: u64,
        mailbox_seq: u64,
    },
    /// Positions and messages of another log: drop all messages and conversations.
    Forget,
    /// Of what changes seldom, unless what is kept of it is newer.
    Thing(v1::Change),
    /// All that changes seldom.
    ForgetThings,
    /// Replaces what was kept of this conversation beside its messages.
    Conversation(Box<Kept>),
    Messages(Vec<Arc<v1::Message>>),
    /// Each takes the place of the message with its id, if there is one and its `changed` is less.
    Changed(Vec<Arc<v1::Message>>),
    /// Drop the messages kept of this conversation before this id.
    DropMessages {
        conversation: ConversationId,
        before: u64,
    },
    Queue(Arc<Queued>),
    /// It is about to be given to a connection.
    Transmitted(MessageKey),
    Unqueue(MessageKey),
    Heartbeat {
        network: String,
        learned: Learned,
    },
}

/// What is kept of a conversation beside its messages.
#[derive(Clone, PartialEq, Debug)]
pub struct Kept {
    pub conversation: ConversationId,
    /// The entry of the conversation list, with `head`, `unread` and marks as this device knows them.
    pub session: v1::Session,
    /// Everything that the user may see of `low..=high` is kept here. `low` 0: nothing yet; 1: the beginning.
    pub low: u64,
    pub high: u64,
    /// `count` of the last message at or before `high`.
    pub high_count: u64,
    /// `count` at the read mark, and as many more as messages behind it are recalled of which `recalled` does not know; once that is known.
    pub read_count: Option<u64>,
    /// Messages behind the read mark that counted and are recalled, and the entry that recalled each.
    pub recalled: BTreeMap<u64, u64>,
    /// `recalled` knows of all behind this id.
    pub recalled_from: u64,
    /// The newest change of `session.last` that is known.
    pub last_changed: u64,
    /// The read mark that the server is known to have.
    pub read_told: u64,
    /// What the server's last row said, until everything up to its head is here.
    pub told: Option<Told>,
    /// The user left the group, as far as it is kept here: there may be messages of an earlier stay.
    pub has_left: bool,
    /// Head of the server's last row: it knows of all joining and leaving up to there.
    pub row_head: u64,
    /// Which of the unread messages name the user.
    pub mentioned: Mentioned,
}

/// Unread messages between a read mark and a head, as the server counted them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Told {
    pub head: u64,
    pub unread: u64,
    pub read_mark: u64,
}

/// Everything that was kept: what an engine is made from.
#[derive(Clone, Default, Debug)]
pub struct Saved {
    pub user: Option<v1::User>,
    pub token: Option<Secret>,
    pub log_id: u64,
    pub mailbox_seq: u64,
    pub conversations: Vec<Kept>,
    /// Whom the user blocked.
    pub blocked: Vec<UserId>,
    /// In the order in which they were queued.
    pub outgoing: Vec<Arc<Queued>>,
    pub heartbeats: Vec<(String, Learned)>,
}
