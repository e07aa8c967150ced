//! The bus on core NATS: a subject for each node, and one for all, of each way.
//!
//! Nothing is kept for a NATS that is away: what waits for it would come too late to be of use, and everything that is
//! said here can be had again.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use anser_proto::tcp;
use async_nats::{Client, ConnectErrorKind, ConnectOptions, Event, ServerAddr, Subscriber, connection::State};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use percent_encoding::percent_decode_str;
use tokio::{
    task::{JoinHandle, unconstrained, yield_now},
    time::{sleep, timeout},
};

use super::{
    Arrivals, Bus, Inbox, Inboxes, MESSAGE_BYTES_MAX, NodeId, OpenError, Way,
    bounded::{Bounded, Waiting},
    check_name,
    counts::{Counts, Dropped},
    losses::Concerned,
    without_password,
};

/// To connect and log in.
const CONNECT_MAX: Duration = Duration::from_secs(3);
/// Between attempts: a NATS that comes back is found within this.
const RECONNECT_EVERY: Duration = Duration::from_millis(250);
/// A NATS that answers nothing is taken for lost after two or three of these.
const PING_EVERY: Duration = Duration::from_secs(2);
/// For the client to take one message: longer only when nothing leaves any more.
const TAKE_MAX: Duration = Duration::from_secs(1);
/// How long the end of a node waits for what it said last.
const FLUSH_MAX: Duration = Duration::from_secs(1);
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// Messages, and their bytes, that wait to be sent, of each way.
const OUTGOING_MAX: usize = 16_384;
const OUTGOING_BYTES_MAX: usize = 32 << 20;
/// The subject of all nodes.
const ALL: &str = "all";
/// Messages that are looked through at once for those that may go together, and the bytes of a pack: less if NATS takes less.
const PACKED_MAX: usize = 1_024;
const PACK_BYTES_MAX: usize = 80 << 10;
const _: () = assert!(MESSAGE_BYTES_MAX + tcp::PREFIX_BYTES <= PACK_BYTES_MAX);
/// Packs that the client holds on top on their way out, 5 MiB, and on their way in, 80 MiB for each of four subscriptions. A burst of small
/// ones, which it reads in one go before anybody takes any, must find places; and it counts packs and not bytes, so none is large.
const CLIENT_HOLDS_OUT: usize = 64;
const CLIENT_HOLDS_IN: usize = 1_024;

pub struct NatsBus {
    pushes: Outgoing,
    answers: Outgoing,
    /// Before the nodes' ids, or the word for all.
    prefix: String,
    client: Client,
    counts: Counts,
    tasks: [JoinHandle<()>; 4],
}

/// Messages that wait to be sent, each with its subject.
type Outgoing = Bounded<(String, Bytes)>;

impl NatsBus {
    /// `name` is the cluster's. A NATS that cannot be reached is waited for in the background.
    pub async fn open(url: &str, name: &str, me: NodeId, counts: Counts) -> Result<(Self, Inboxes), OpenError> {
        check_name(name)?;
        let prefix = format!("anser.{name}.");
        let client = connect(url, me, &counts).await?;
        if client.max_payload() < PACK_BYTES_MAX {
            let max_payload = client.max_payload();
            tracing::warn!(
                max_payload,
                "nats takes less than 80 KiB at once: what is larger is dropped, set its max_payload"
            );
        }
        let gone = |error: async_nats::SubscribeError| OpenError::Address {
            setting: "cluster.nats",
            url: without_password(url),
            why: error.to_string(),
        };
        // The client subscribes again by itself after every loss of the connection.
        let subscribe = async |way, to: &str| client.subscribe(subject(&prefix, way, to)).await.map_err(gone);
        let mine = me.to_string();
        let pushes_in = [subscribe(Way::Pushes, &mine).await?, subscribe(Way::Pushes, ALL).await?];
        let answers_in = [subscribe(Way::Answers, &mine).await?, subscribe(Way::Answers, ALL).await?];
        // Who sends to this node as soon as this returns shall reach it: NATS answers that nobody is there only after it
        // has taken the subscriptions that came before the question.
        if client.connection_state() == State::Connected {
            let _ = timeout(CONNECT_MAX, client.request(format!("{prefix}nobody"), Bytes::new())).await;
        }
        let ((pushes_tx, pushes_inbox), (answers_tx, answers_inbox)) = (Inbox::new(), Inbox::new());
        let [(pushes, pushes_out), (answers, answers_out)] =
            [(); 2].map(|()| Bounded::new(OUTGOING_MAX, OUTGOING_BYTES_MAX));
        let tasks = [
            counts.watch.keep("bus_in", unconstrained(take_in(pushes_in, pushes_tx, counts.clone()))),
            counts.watch.keep("bus_in_answers", unconstrained(take_in(answers_in, answers_tx, counts.clone()))),
            counts.watch.keep("bus_out", send_out(pushes_out, client.clone(), counts.clone())),
            counts.watch.keep("bus_out_answers", send_out(answers_out, client.clone(), counts.clone())),
        ];
        let inboxes = Inboxes { pushes: pushes_inbox, answers: answers_inbox };
        Ok((Self { pushes, answers, prefix, client, counts, tasks }, inboxes))
    }

    fn put(&self, way: Way, to: &str, message: Bytes) -> bool {
        let reason = match () {
            () if message.len() > MESSAGE_BYTES_MAX
                || message.len() + tcp::PREFIX_BYTES > self.client.max_payload() =>
            {
                Dropped::TooLarge
            }
            () if !self.is_connected() => Dropped::Unconnected,
            () => {
                let (subject, bytes) = (subject(&self.prefix, way, to), message.len());
                let outgoing = match way {
                    Way::Pushes => &self.pushes,
                    Way::Answers => &self.answers,
                };
                if outgoing.put((subject, message), bytes).is_ok() {
                    return true;
                }
                Dropped::OutgoingFull
            }
        };
        self.counts.dropped(reason);
        false
    }
}

#[async_trait]
impl Bus for NatsBus {
    fn send(&self, to: NodeId, way: Way, message: Bytes) -> bool {
        self.put(way, &to.to_string(), message)
    }

    fn broadcast(&self, way: Way, message: Bytes) -> bool {
        self.put(way, ALL, message)
    }

    fn is_connected(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

    async fn flush(&self) {
        let leaving = async {
            while !self.pushes.is_empty() || !self.answers.is_empty() {
                sleep(LOOK_EVERY).await;
            }
            self.client.flush().await
        };
        let _ = timeout(FLUSH_MAX, leaving).await;
    }
}

impl Drop for NatsBus {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// `to`: a node, or [`ALL`].
fn subject(prefix: &str, way: Way, to: &str) -> String {
    match way {
        Way::Pushes => format!("{prefix}{to}"),
        Way::Answers => format!("{prefix}{to}.answers"),
    }
}

async fn connect(url: &str, me: NodeId, counts: &Counts) -> Result<Client, OpenError> {
    let refused = |why: String| OpenError::Address { setting: "cluster.nats", url: without_password(url), why };
    let address: ServerAddr = url.parse().map_err(|error: std::io::Error| refused(error.to_string()))?;
    let error = match options(&address, me, counts, Start::There).connect(&address).await {
        Ok(client) => return Ok(client),
        Err(error) => error,
    };
    match error.kind() {
        ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => {
            Err(OpenError::Login("nats", error.to_string()))
        }
        ConnectErrorKind::ServerParse | ConnectErrorKind::Tls => Err(refused(error.to_string())),
        _ => {
            tracing::warn!(%error, "nats is away: going on without it");
            options(&address, me, counts, Start::Away)
                .retry_on_initial_connect()
                .connect(&address)
                .await
                .map_err(|error| refused(error.to_string()))
        }
    }
}

/// The client leaves it to its caller to read who logs in out of the address: `user:password@`, or `token@`.
fn login(address: &ServerAddr) -> ConnectOptions {
    let decoded = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
    match (address.username().map(decoded), address.password().map(decoded)) {
        (Some(user), Some(password)) => ConnectOptions::with_user_and_password(user, password),
        (Some(token), None) => ConnectOptions::with_token(token),
        (None, _) => ConnectOptions::new(),
    }
}

/// How NATS is when this node starts.
#[derive(PartialEq)]
enum Start {
    There,
    Away,
}

fn options(address: &ServerAddr, me: NodeId, counts: &Counts, start: Start) -> ConnectOptions {
    let counts = counts.clone();
    // Until a node has been connected, nobody tells it anything; unless it began without.
    let may_lose = AtomicBool::new(start == Start::Away);
    login(address)
        .name(format!("anser {me}"))
        .no_echo()
        .connection_timeout(CONNECT_MAX)
        .ping_interval(PING_EVERY)
        .client_capacity(CLIENT_HOLDS_OUT)
        .subscription_capacity(CLIENT_HOLDS_IN)
        .reconnect_delay_callback(|_| RECONNECT_EVERY)
        .event_callback(move |event| {
            match &event {
                Event::SlowConsumer(_) => counts.incoming_full(),
                Event::Connected => {
                    tracing::info!("nats: connected");
                    if may_lose.swap(true, Ordering::Relaxed) {
                        counts.losses.here.add(Concerned::Everybody);
                    }
                }
                Event::Disconnected => {
                    tracing::warn!("nats is away: what other nodes have to tell waits for a sync");
                }
                // Each attempt to reach it again.
                event => tracing::debug!(%event, "nats"),
            }
            std::future::ready(())
        })
}

/// Moves what came into the inbox and waits for nobody: what came waits there, within the inbox's bounds, and in the client only until this
/// has its turn. Unconstrained, since a turn of the usual length is shorter than the client's.
async fn take_in([mine, everyones]: [Subscriber; 2], inbox: Arrivals, counts: Counts) {
    let mut both = futures_util::stream::select(mine, everyones).enumerate();
    while let Some((taken, arrived)) = both.next().await {
        if inbox.is_closed() {
            return;
        }
        // Who reads the inbox must have a turn, too.
        if taken % CLIENT_HOLDS_IN == CLIENT_HOLDS_IN - 1 {
            yield_now().await;
        }
        let mut pack = BytesMut::from(arrived.payload);
        loop {
            match tcp::take_frame(&mut pack, MESSAGE_BYTES_MAX) {
                // In bytes of its own, so that one which waits does not hold the whole pack.
                Ok(Some(message)) => inbox.put(Bytes::copy_from_slice(&message), &counts),
                Ok(None) if pack.is_empty() => break,
                Ok(None) | Err(_) => {
                    counts.dropped(Dropped::Garbage);
                    break;
                }
            }
        }
    }
}

async fn send_out(mut waiting: Waiting<(String, Bytes)>, client: Client, counts: Counts) {
    let mut batch = Vec::new();
    while waiting.recv_many(&mut batch, PACKED_MAX).await > 0 {
        let (messages, _held): (Vec<_>, Vec<_>) = batch.drain(..).unzip();
        let bytes_max = client.max_payload().min(PACK_BYTES_MAX);
        for Pack { subject, messages, bytes } in pack(messages, bytes_max) {
            let is_sent = client.connection_state() == State::Connected
                && matches!(timeout(TAKE_MAX, client.publish(subject, bytes.freeze())).await, Ok(Ok(())));
            if !is_sent {
                (0..messages).for_each(|_| counts.dropped(Dropped::Unconnected));
                counts.losses.elsewhere.add(Concerned::Everybody);
            }
        }
    }
}

/// Messages of one subject that go together, each behind its length.
struct Pack {
    subject: String,
    messages: usize,
    bytes: BytesMut,
}

/// As few as possible, since each costs NATS and both nodes the same whatever is in it. What goes to one subject keeps its order.
fn pack(waiting: impl IntoIterator<Item = (String, Bytes)>, bytes_max: usize) -> Vec<Pack> {
    let mut packs: Vec<Pack> = Vec::new();
    for (subject, message) in waiting {
        let length = message.len() + tcp::PREFIX_BYTES;
        let last = packs.iter_mut().rfind(|pack| pack.subject == subject);
        match last.filter(|pack| pack.bytes.len() + length <= bytes_max) {
            Some(pack) => {
                pack.messages += 1;
                tcp::put_frame(&mut pack.bytes, &message);
            }
            None => {
                let mut bytes = BytesMut::with_capacity(length);
                tcp::put_frame(&mut bytes, &message);
                packs.push(Pack { subject, messages: 1, bytes });
            }
        }
    }
    packs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_to_one_subject_goes_together_and_in_order() {
        let large = Bytes::from(vec![0; MESSAGE_BYTES_MAX]);
        let message = |text: &'static str| Bytes::from_static(text.as_bytes());
        let waiting =
            [("a", message("1")), ("b", message("2")), ("a", message("3")), ("a", large.clone()), ("a", large)];
        let packs = pack(waiting.into_iter().map(|(to, message)| (to.to_owned(), message)), PACK_BYTES_MAX);
        let told: Vec<_> = packs.iter().map(|pack| (&*pack.subject, pack.messages)).collect();
        assert_eq!(told, [("a", 3), ("b", 1), ("a", 1)]);
        assert!(packs[0].bytes.starts_with(b"\0\0\0\x011\0\0\0\x013"));
        assert!(packs.iter().all(|pack| pack.bytes.len() <= PACK_BYTES_MAX));
    }
}
