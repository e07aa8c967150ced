//! The second way of a kick: a stream in Redis that every node reads, so that it arrives while NATS is away.
//!
//! A kick is sent both ways, and [`super::seen::Seen`] tells the second copy. The stream is bounded, and a node reads what came after
//! it had started.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use redis::{AsyncConnectionConfig, Client, Value, aio::MultiplexedConnection};
use tokio::{
    sync::mpsc,
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

use super::{
    Arrivals, Cause, Inbox, Kicks, OpenError, check_name,
    counts::{Counts, Dropped},
    link::{Dial, Link, Unanswered},
    redis::prefix,
};

/// Kicks that are kept for nodes that were away.
const KEPT_MAX: usize = 10_000;
/// Kicks of either cause that wait to be written.
const WAITING_MAX: usize = 4_096;
const ANSWER_MAX: Duration = Duration::from_millis(500);
/// The kick of a replaced connection that could not be written for so long is given up: most of them have ended by themselves.
const REPLACED_MAX: Duration = Duration::from_secs(60);
/// And one that Redis refuses: whoever set it up may fix that.
const REFUSED_MAX: Duration = Duration::from_secs(60);
const RETRY_EVERY: Duration = Duration::from_millis(100);
/// How long Redis holds a question for kicks that did not come yet.
const BLOCK: Duration = Duration::from_millis(1_000);

pub struct KickStream {
    ordered: mpsc::Sender<Bytes>,
    replaced: mpsc::Sender<(Bytes, Instant)>,
    counts: Counts,
    tasks: [JoinHandle<()>; 2],
}

impl KickStream {
    /// `name` is the cluster's, `log_id` the store's. A Redis that cannot be reached is waited for in the background.
    pub async fn open(url: &str, name: &str, log_id: u64, counts: Counts) -> Result<(Self, Inbox), OpenError> {
        let (link, key) = open(url, name, log_id, counts.clone()).await?;
        let link = Arc::new(link);
        let (inbox_tx, inbox) = Inbox::new();
        let (ordered, of_orders) = mpsc::channel(WAITING_MAX);
        let (replaced, of_replaced) = mpsc::channel(WAITING_MAX);
        // From here on, before anybody is connected.
        let last = link.ask(async |connection| last_id(connection, &key).await).await.ok();
        let reader =
            Reader { client: link.client(), link: Arc::clone(&link), key: key.clone(), last, counts: counts.clone() };
        let writer = Writer { of_orders, of_replaced, link, key, counts: counts.clone() };
        let tasks = [counts.watch.keep("kicks_out", writer.run()), counts.watch.keep("kicks_in", reader.run(inbox_tx))];
        Ok((Self { ordered, replaced, counts, tasks }, inbox))
    }
}

/// Adds one kick, for who is no node. Tells whether Redis took it.
pub async fn add_once(url: &str, name: &str, log_id: u64, kick: Bytes) -> Result<bool, OpenError> {
    let (link, key) = open(url, name, log_id, Counts::default()).await?;
    let adding = adding(&key, &kick);
    Ok(link.ask(async |connection| adding.query_async::<()>(connection).await).await.is_ok())
}

/// The way to the stream, and its key.
async fn open(url: &str, name: &str, log_id: u64, counts: Counts) -> Result<(Link, String), OpenError> {
    check_name(name)?;
    let prefix = prefix(name);
    let claim = format!("{prefix}log_id");
    let dial = Dial { url: url.to_owned(), claim, log_id, answer_max: ANSWER_MAX, part: "kicks" };
    Ok((Link::open(dial, counts).await?, format!("{prefix}kicks")))
}

fn adding(key: &str, kick: &Bytes) -> redis::Cmd {
    let mut adding = redis::cmd("XADD");
    adding.arg(key).arg("MAXLEN").arg("~").arg(KEPT_MAX).arg("*").arg("kick").arg(kick.as_ref());
    adding
}

impl Kicks for KickStream {
    /// It is written as soon as Redis takes it, and twice if it broke before it had said so.
    fn add(&self, kick: Bytes, cause: Cause) {
        let is_kept = match cause {
            Cause::Ordered => self.ordered.try_send(kick).is_ok(),
            Cause::Replaced => self.replaced.try_send((kick, Instant::now() + REPLACED_MAX)).is_ok(),
        };
        if !is_kept {
            self.counts.dropped(Dropped::OutgoingFull);
        }
    }
}

impl Drop for KickStream {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

struct Writer {
    of_orders: mpsc::Receiver<Bytes>,
    /// With the time until which it is of use.
    of_replaced: mpsc::Receiver<(Bytes, Instant)>,
    link: Arc<Link>,
    key: String,
    counts: Counts,
}

impl Writer {
    async fn run(mut self) {
        loop {
            tokio::select! {
                biased;
                Some(kick) = self.of_orders.recv() => self.write(&kick, Cause::Ordered, Instant::now() + REFUSED_MAX).await,
                Some((kick, until)) = self.of_replaced.recv() => self.write(&kick, Cause::Replaced, until).await,
                else => return,
            }
        }
    }

    async fn write(&self, kick: &Bytes, cause: Cause, until: Instant) {
        let adding = adding(&self.key, kick);
        while let Err(error) = self.link.ask(async |connection| adding.query_async::<()>(connection).await).await {
            // Who refuses does not come to think better of it.
            let is_waited_for = cause == Cause::Ordered && matches!(error, Unanswered::Away(_));
            if !is_waited_for && until < Instant::now() {
                tracing::warn!(%error, "a kick was given up");
                return self.counts.dropped(Dropped::Unconnected);
            }
            sleep(RETRY_EVERY).await;
        }
    }
}

struct Reader {
    client: Client,
    /// Tells whether Redis is there, and whose.
    link: Arc<Link>,
    key: String,
    /// Of the last kick that was read; none until the end of the stream could be asked for.
    last: Option<StreamId>,
    counts: Counts,
}

/// Milliseconds and a number.
type StreamId = (u64, u64);

/// What XREAD answers: of each stream its key and entries, of each of those its id and fields.
type Read = Option<Vec<(String, Vec<(String, Vec<Bytes>)>)>>;

impl Reader {
    async fn run(mut self, inbox: Arrivals) {
        let mut connections = self.link.connections();
        loop {
            // A connection of its own: a question that is held would hold up those behind it.
            if self.link.is_connected()
                && let Err(error) = self.read(&inbox).await
            {
                tracing::debug!(%error, "kicks cannot be read");
                self.counts.unanswered("kicks");
            }
            let _ = timeout(RETRY_EVERY, connections.changed()).await;
        }
    }

    async fn read(&mut self, inbox: &Arrivals) -> redis::RedisResult<()> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(ANSWER_MAX))
            .set_response_timeout(Some(BLOCK + ANSWER_MAX));
        let mut connection = self.client.get_multiplexed_async_connection_with_config(&config).await?;
        loop {
            let end = last_id(&mut connection, &self.key).await?;
            // A stream that ends before what was read is another one, wiped or of long ago: what stands in it was read
            // before, or is too old to be done. What comes has later ids, or earlier ones when the clock went back.
            let from = self.last.map_or(end, |last| last.min(end));
            self.last = Some(from);
            let mut reading = redis::cmd("XREAD");
            reading.arg("BLOCK").arg(u64::try_from(BLOCK.as_millis()).unwrap_or(u64::MAX));
            reading.arg("STREAMS").arg(&self.key).arg(format!("{}-{}", from.0, from.1));
            let read: Read = reading.query_async(&mut connection).await?;
            for (id, fields) in read.into_iter().flatten().flat_map(|(_, entries)| entries) {
                self.last = stream_id(&id).or(self.last);
                let Some(kick) = fields.into_iter().nth(1) else { continue };
                inbox.put(kick, &self.counts);
            }
        }
    }
}

/// Where the stream ends; (0, 0) when there is none.
async fn last_id(connection: &mut MultiplexedConnection, key: &str) -> redis::RedisResult<StreamId> {
    let mut asking = redis::cmd("XREVRANGE");
    asking.arg(key).arg("+").arg("-").arg("COUNT").arg(1);
    let entries: Vec<(String, Value)> = asking.query_async(connection).await?;
    Ok(entries.first().and_then(|(id, _)| stream_id(id)).unwrap_or_default())
}

fn stream_id(text: &str) -> Option<StreamId> {
    let (ms, number) = text.split_once('-')?;
    Some((ms.parse().ok()?, number.parse().ok()?))
}
