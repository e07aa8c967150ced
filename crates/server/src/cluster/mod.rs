//! The other nodes: who is connected where, and how to reach them. One node is the column in which nobody else exists.
//!
//! All of it carries hints. Wiped, late or lying it costs latency and never a message: what is true lies in the store.

mod append;
mod bounded;
pub mod calls;
pub mod counts;
pub mod envelope;
pub mod home;
#[cfg(feature = "cluster")]
pub mod kicks;
#[cfg(feature = "cluster")]
mod link;
pub mod local;
pub mod losses;
pub mod memory;
#[cfg(feature = "cluster")]
pub mod nats;
#[cfg(feature = "cluster")]
pub mod open;
pub mod peers;
#[cfg(feature = "cluster")]
pub mod redis;
pub mod relay;
pub mod seen;
#[cfg(feature = "cluster")]
pub mod sequencer;

use std::{fmt, sync::Arc};

use anser_proto::UserId;
use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use self::{
    bounded::{Bounded, Waiting},
    counts::Counts,
};

/// One life of one process: random, and another one after each start. Never 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct NodeId(pub u64);

impl NodeId {
    pub fn random() -> Self {
        Self(rand::random_range(1..=u64::MAX))
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// A node as it tells of itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Node {
    pub id: NodeId,
    /// What the operator calls it.
    pub name: Box<str>,
    /// Where clients connect: what `/v1/access` tells them.
    pub client_url: Box<str>,
    pub load: Load,
}

#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct Load {
    pub connections: u32,
    /// It stops soon: clients are sent elsewhere, and it is home to nothing new.
    pub draining: bool,
}

/// In order of their ids; never empty, since a node knows itself.
pub type Nodes = Arc<[Node]>;

/// Who is online where.
///
/// *Hints*: whatever happens where it is kept, the worst is a push too many, or one that came late. It
/// heals by itself: within a beat of its return, every node has said again that it lives and who is connected to it.
/// *Never in the way*: the verbs that are not `async` return at once, the others within a bounded time, also while
/// nothing answers.
#[async_trait]
pub trait Directory: Send + Sync {
    /// The first connection of the user on this node came. Twice is the same as once.
    fn attach(&self, user: UserId);

    /// The last connection of the user on this node went. Of an attach and a detach the later one holds. Who is not
    /// attached is passed over.
    fn detach(&self, user: UserId);

    /// Returns when the other nodes can see what was attached and detached before, or cannot be told now: then they
    /// are told as soon as that is possible. Who is attached and settled misses no push.
    async fn settled(&self);

    /// The other live nodes to which one of these users is connected, each once, with the users that it has.
    ///
    /// Never this node. A live node is never left out for who was settled: when it is unsure what a node has, the
    /// node is named with all of the users. A node that left or whose lease ended is not named for longer than a beat, or
    /// a lease when the directory itself was lost meanwhile.
    async fn nodes_of(&self, users: &[UserId]) -> Vec<(NodeId, Vec<UserId>)>;

    /// The nodes that live, this one among them, and every change of them. A node that ends without a word is
    /// live until its lease ends. While the directory cannot be asked, those last seen are taken for live: to ask a
    /// dead one costs a time limit, to forget a live one would cost pushes.
    fn nodes(&self) -> watch::Receiver<Nodes>;

    /// How busy this node is: the others see it with the next beat.
    fn set_load(&self, load: Load);

    /// This node is no longer live for the others, nor anybody connected to it. It does not come back.
    async fn leave(&self);
}

/// From node to node. What arrives comes out of the [`Inboxes`] that were created with it.
///
/// *Hints*: a message arrives once or not at all, whole. Of those that go one way from one node to this one, and of those from one node
/// to all, none overtakes another.
/// *Apart*: what goes one way takes no room of the other, and waits for it neither here nor there.
/// *Never in the way*: a message that finds no room, is larger than [`MESSAGE_BYTES_MAX`], or cannot be sent now, is
/// dropped and counted. After a loss of the connection it goes on by itself.
#[async_trait]
pub trait Bus: Send + Sync {
    /// To one node; nobody gets it if there is none of this id. False when it was dropped at once.
    fn send(&self, to: NodeId, way: Way, message: Bytes) -> bool;

    /// To every node but this one. False when it was dropped at once.
    fn broadcast(&self, way: Way, message: Bytes) -> bool;

    /// Whether messages can be sent now at all.
    fn is_connected(&self) -> bool;

    /// Returns when what was taken has left this node, or after a bounded time.
    async fn flush(&self);
}

/// By which of the bus's ways something goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// What may be many: pushes, and what is asked.
    Pushes,
    /// What somebody waits for: answers and kicks.
    Answers,
}

/// Beside the bus, for what must not be lost while the bus is away. Comes twice therefore.
pub trait Kicks: Send + Sync {
    /// To every node, this one among them, as soon as that is possible. Returns at once.
    fn add(&self, kick: Bytes, cause: Cause);
}

/// Why a connection must end, and so how long that waits for what is away.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cause {
    /// An operator said so: as long as this node lives.
    Ordered,
    /// Another one came in its place, of which every login tells: for a minute.
    Replaced,
}

/// Bytes of one message on the bus: the largest body of a user with all that goes with it. Small, since a bus may hold thousands.
pub const MESSAGE_BYTES_MAX: usize = (80 << 10) - 64;
/// Messages, and their bytes, that came and were not taken yet; what comes on top is dropped.
const INBOX_MAX: usize = 16_384;
const INBOX_BYTES_MAX: usize = 64 << 20;

/// What came from other nodes, by each way of the bus.
pub struct Inboxes {
    pub pushes: Inbox,
    pub answers: Inbox,
}

/// What came from other nodes one way.
pub struct Inbox {
    arrived: Waiting<Bytes>,
    /// Keeps the queue open when nobody will ever fill it.
    _open: Option<Arrivals>,
}

/// The end that fills an inbox.
pub(crate) struct Arrivals(Bounded<Bytes>);

impl Inbox {
    pub(crate) fn new() -> (Arrivals, Self) {
        let (arrivals, arrived) = Bounded::new(INBOX_MAX, INBOX_BYTES_MAX);
        (Arrivals(arrivals), Self { arrived, _open: None })
    }

    /// Nothing will come.
    pub fn silent() -> Self {
        let (arrivals, inbox) = Self::new();
        Self { _open: Some(arrivals), ..inbox }
    }

    /// The next message; none after the end of the bus. Cancel-safe.
    pub async fn recv(&mut self) -> Option<Bytes> {
        self.arrived.recv().await.map(|(message, _)| message)
    }

    /// The next message, if it is there already.
    pub fn try_recv(&mut self) -> Option<Bytes> {
        self.arrived.try_recv().ok().map(|(message, _)| message)
    }
}

impl Arrivals {
    /// Drops and counts what finds no room: nobody waits for who reads it.
    pub(crate) fn put(&self, message: Bytes, counts: &Counts) {
        let bytes = message.len();
        if self.0.put(message, bytes).is_err() {
            counts.incoming_full();
        }
    }

    /// Nobody will read any more.
    #[cfg(feature = "cluster")]
    pub(crate) fn is_closed(&self) -> bool {
        self.0.is_closed()
    }
}

/// Why a part of the cluster cannot be used at all. What is merely away for now is no error: it is waited for.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{setting} = {url}: {why}")]
    Address { setting: &'static str, url: String, why: String },
    #[error("cluster.name = {0:?}: choose 1 to {NAME_BYTES_MAX} of a-z, 0-9 and -")]
    Name(String),
    #[error(
        "another cluster uses `{key}` in this Redis: it is claimed by the store {theirs}, and this one's is {ours}; \
         give each cluster a Redis database (redis://host/1) and a cluster.name of its own, or, if the other is \
         gone or was restored from a backup, delete the key"
    )]
    Claimed { key: String, theirs: String, ours: u64 },
    #[error("{0} refused the login: {1}")]
    Login(&'static str, String),
}

const NAME_BYTES_MAX: usize = 32;

/// A cluster's name is part of keys and subjects.
pub fn check_name(name: &str) -> Result<(), OpenError> {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.bytes().all(is_plain) {
        return Err(OpenError::Name(name.to_owned()));
    }
    Ok(())
}

/// An address as it may be shown.
#[cfg(feature = "cluster")]
fn without_password(url: &str) -> String {
    match (url.find("://"), url.rfind('@')) {
        (Some(scheme), Some(at)) if scheme + 3 <= at => format!("{}***{}", &url[..scheme + 3], &url[at..]),
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use anser_proto::{
        Format,
        limits::{BODY_BYTES_MAX, ID_BYTES_MAX, NAME_CHARS_MAX},
        v1,
    };

    use super::{
        counts::Dropped,
        envelope::{Body, Envelope, Push},
        *,
    };

    #[test]
    fn the_largest_message_of_a_user_is_a_message_on_the_bus_with_all_who_are_told() {
        let message = v1::Message {
            conversation_id: format!("group_{}", u64::MAX),
            server_msg_id: u64::MAX,
            client_msg_id: "x".repeat(ID_BYTES_MAX),
            from_id: u64::MAX,
            from_nickname: "\u{1f426}".repeat(NAME_CHARS_MAX),
            from_device_id: "x".repeat(ID_BYTES_MAX),
            content: "x".repeat(BODY_BYTES_MAX),
            client_time_ms: u64::MAX,
            server_time_ms: u64::MAX,
            count: u64::MAX,
            ..Default::default()
        };
        let event = v1::MessageEvent { message: Some(message), mailbox_seq: u64::MAX, changed: Vec::new() };
        let frame = v1::ServerFrame { request_id: 0, body: Some(v1::server_frame::Body::Message(event)) };
        let event = Format::Protobuf.encode(&frame);
        let push = Push { users: vec![UserId(u64::MAX); 200], except: Some(u64::MAX), event };
        let message = Envelope { from: NodeId(u64::MAX), body: Body::Push(push) }.encode(u64::MAX);
        assert!(message.len() <= MESSAGE_BYTES_MAX, "{} bytes", message.len());
    }

    #[tokio::test]
    async fn an_inbox_takes_so_many_messages_and_so_many_bytes() {
        let (counts, (arrivals, mut inbox)) = (Counts::default(), Inbox::new());
        let large = Bytes::from(vec![0; MESSAGE_BYTES_MAX]);
        for _ in 0..INBOX_BYTES_MAX / MESSAGE_BYTES_MAX + 3 {
            arrivals.put(large.clone(), &counts);
        }
        assert_eq!(counts.dropped_for(Dropped::IncomingFull), 3);
        for _ in 0..INBOX_BYTES_MAX / MESSAGE_BYTES_MAX {
            inbox.recv().await.expect("it was taken");
        }
        for _ in 0..INBOX_MAX + 2 {
            arrivals.put(Bytes::from_static(b"x"), &counts);
        }
        assert_eq!(counts.dropped_for(Dropped::IncomingFull), 5);
    }

    #[test]
    fn a_clusters_name_is_plain() {
        for name in ["a", "anser", "shop-2", &"x".repeat(32)] {
            assert!(check_name(name).is_ok(), "{name:?} was refused");
        }
        for name in ["", "A", "a.b", "a*", "a b", "ä", ">", &"x".repeat(33)] {
            assert!(check_name(name).is_err(), "{name:?} was taken");
        }
    }

    #[cfg(feature = "cluster")]
    #[test]
    fn an_address_that_is_shown_tells_no_password() {
        for (url, told) in [
            ("redis://me:p@ss@host:1/2", "redis://***@host:1/2"),
            ("redis://host:1", "redis://host:1"),
            ("nonsense@", "nonsense@"),
        ] {
            assert_eq!(without_password(url), told);
        }
    }
}
