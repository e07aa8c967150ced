//! The bus on core NATS: a subject for each node, and one for all.
//!
//! Nothing is kept for a NATS that is away: what waits for it would come too late to be of use, and everything that is
//! said here can be had again.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_nats::{Client, ConnectErrorKind, ConnectOptions, Event, Subscriber, connection::State};
use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::{sync::mpsc, task::JoinHandle, time::timeout};

use super::{
    Arrivals, Bus, Inbox, MESSAGE_BYTES_MAX, NodeId, OpenError, check_name,
    counts::{Counts, Dropped},
};

/// To connect and log in.
const CONNECT_MAX: Duration = Duration::from_secs(3);
/// Between attempts: a NATS that comes back is found within this.
const RECONNECT_EVERY: Duration = Duration::from_millis(250);
/// A NATS that answers nothing is taken for lost after two or three of these.
const PING_EVERY: Duration = Duration::from_secs(2);
/// For the client to take one message: longer only when nothing leaves any more.
const TAKE_MAX: Duration = Duration::from_secs(1);
/// Messages, and their bytes, that wait to be sent.
const OUTGOING_MAX: usize = 16_384;
const OUTGOING_BYTES_MAX: usize = 32 << 20;
/// Messages, however large, that the client holds on top on their way out and in.
const CLIENT_HOLDS_OUT: usize = 64;
const CLIENT_HOLDS_IN: usize = 1_024;

pub struct NatsBus {
    outgoing: mpsc::Sender<(String, Bytes)>,
    waiting_bytes: Arc<AtomicUsize>,
    /// Before the nodes' ids, or the word for all.
    prefix: String,
    client: Client,
    counts: Counts,
    tasks: [JoinHandle<()>; 2],
}

impl NatsBus {
    /// `name` is the cluster's. A NATS that cannot be reached is waited for in the background.
    pub async fn open(url: &str, name: &str, me: NodeId, counts: Counts) -> Result<(Self, Inbox), OpenError> {
        check_name(name)?;
        let prefix = format!("anser.{name}.");
        let client = connect(url, me, &counts).await?;
        let gone = |error: async_nats::SubscribeError| OpenError::Address {
            setting: "cluster.nats",
            url: url.to_owned(),
            why: error.to_string(),
        };
        // The client subscribes again by itself after every loss of the connection.
        let mine = client.subscribe(format!("{prefix}{me}")).await.map_err(gone)?;
        let everyones = client.subscribe(format!("{prefix}all")).await.map_err(gone)?;
        // Who sends to this node as soon as this returns shall reach it: NATS answers that nobody is there only after it
        // has taken the subscriptions that came before the question.
        if client.connection_state() == State::Connected {
            let _ = timeout(CONNECT_MAX, client.request(format!("{prefix}nobody"), Bytes::new())).await;
        }
        let (inbox_tx, inbox) = Inbox::new();
        let (outgoing, queue) = mpsc::channel(OUTGOING_MAX);
        let waiting_bytes = Arc::new(AtomicUsize::new(0));
        let tasks = [
            tokio::spawn(take_in(mine, everyones, inbox_tx, counts.clone())),
            tokio::spawn(send_out(queue, client.clone(), Arc::clone(&waiting_bytes), counts.clone())),
        ];
        Ok((Self { outgoing, waiting_bytes, prefix, client, counts, tasks }, inbox))
    }

    pub fn is_connected(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

    fn put(&self, to: &str, message: Bytes) {
        if message.len() > MESSAGE_BYTES_MAX {
            return self.counts.dropped(Dropped::TooLarge);
        }
        if !self.is_connected() {
            return self.counts.dropped(Dropped::Unconnected);
        }
        let length = message.len();
        let waiting = self.waiting_bytes.fetch_add(length, Ordering::Relaxed);
        let fits = waiting + length <= OUTGOING_BYTES_MAX;
        if !fits || self.outgoing.try_send((format!("{}{to}", self.prefix), message)).is_err() {
            self.waiting_bytes.fetch_sub(length, Ordering::Relaxed);
            self.counts.dropped(Dropped::OutgoingFull);
        }
    }
}

impl Bus for NatsBus {
    fn send(&self, to: NodeId, message: Bytes) {
        self.put(&to.to_string(), message);
    }

    fn broadcast(&self, message: Bytes) {
        self.put("all", message);
    }
}

impl Drop for NatsBus {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

async fn connect(url: &str, me: NodeId, counts: &Counts) -> Result<Client, OpenError> {
    let error = match options(me, counts).connect(url).await {
        Ok(client) => return Ok(client),
        Err(error) => error,
    };
    let refused = |why: String| OpenError::Address { setting: "cluster.nats", url: url.to_owned(), why };
    match error.kind() {
        ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => {
            Err(OpenError::Login("nats", error.to_string()))
        }
        ConnectErrorKind::ServerParse | ConnectErrorKind::Tls => Err(refused(error.to_string())),
        _ => {
            tracing::warn!(%error, "nats is away: going on without it");
            options(me, counts)
                .retry_on_initial_connect()
                .connect(url)
                .await
                .map_err(|error| refused(error.to_string()))
        }
    }
}

fn options(me: NodeId, counts: &Counts) -> ConnectOptions {
    let counts = counts.clone();
    ConnectOptions::new()
        .name(format!("anser {me}"))
        .no_echo()
        .connection_timeout(CONNECT_MAX)
        .ping_interval(PING_EVERY)
        .client_capacity(CLIENT_HOLDS_OUT)
        .subscription_capacity(CLIENT_HOLDS_IN)
        .reconnect_delay_callback(|_| RECONNECT_EVERY)
        .event_callback(move |event| {
            match &event {
                Event::SlowConsumer(_) => counts.dropped(Dropped::IncomingFull),
                Event::Connected => tracing::info!("nats: connected"),
                event => tracing::warn!(%event, "nats"),
            }
            std::future::ready(())
        })
}

/// Moves what came into the inbox.
async fn take_in(mine: Subscriber, everyones: Subscriber, inbox: Arrivals, counts: Counts) {
    let mut both = futures_util::stream::select(mine, everyones);
    while let Some(message) = both.next().await {
        if inbox.is_closed() {
            return;
        }
        inbox.put(message.payload, &counts);
    }
}

async fn send_out(
    mut queue: mpsc::Receiver<(String, Bytes)>,
    client: Client,
    waiting_bytes: Arc<AtomicUsize>,
    counts: Counts,
) {
    while let Some((subject, message)) = queue.recv().await {
        let length = message.len();
        let is_sent = client.connection_state() == State::Connected
            && matches!(timeout(TAKE_MAX, client.publish(subject, message)).await, Ok(Ok(())));
        waiting_bytes.fetch_sub(length, Ordering::Relaxed);
        if !is_sent {
            counts.dropped(Dropped::Unconnected);
        }
    }
}
