//! The directory in Redis.
//!
//! Under one prefix with the cluster's name lie: `log_id`, the claim; `nodes`, a sorted set of node ids by the end of
//! their leases in Redis's own time, so that the nodes' clocks do not matter; `info`, what each node tells of itself;
//! `beats`, the number of each node's last beat; and for each node a set `users:{id}` of who is connected to it.
//!
//! The set bears a mark ([`WHOLE`]) once everybody was written into it, and ends with the node's lease. Without the mark
//! nobody knows whom the node has, so it is named for everybody. A node that finds its set gone, or its beat another
//! than it left, knows that Redis was wiped or restored, and writes all of it anew.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anser_proto::UserId;
use async_trait::async_trait;
use futures_util::future::join_all;
use redis::Script;
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval, timeout},
};

use super::{
    Directory, Load, Node, NodeId, Nodes, OpenError, check_name,
    counts::Counts,
    link::{Dial, Link, Unanswered},
    losses::Concerned,
};

/// How often a node says that it lives, and for how long it is believed.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    pub beat: Duration,
    pub lease: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { beat: Duration::from_secs(1), lease: Duration::from_secs(5) }
    }
}

/// A push to another node waits for it.
const ANSWER_MAX: Duration = Duration::from_millis(250);
/// A login waits for it.
const SETTLED_MAX: Duration = Duration::from_millis(500);
/// Users in one command. A script may not be given many more.
const USERS_AT_ONCE: usize = 1_000;
/// Stands among the users of a node when they are all there. No user has this id.
const WHOLE: u64 = 0;

pub struct RedisDirectory {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    link: Link,
    prefix: String,
    log_id: u64,
    pace: Pace,
    me: NodeId,
    own: Mutex<Own>,
    /// Something of `own` waits to be written.
    waiting: Notify,
    /// The number of the last change that was written, or given up for now.
    settled: watch::Sender<u64>,
    nodes: watch::Sender<Nodes>,
    /// Until then what Redis says of the others is of no worth: it was away, and they may not have been asked again.
    sure_from: Mutex<Instant>,
    counts: Counts,
    lookup: Script,
    beat: Script,
}

/// What this node has to tell.
struct Own {
    node: Node,
    users: HashSet<UserId>,
    /// Whose change is not written yet.
    changed: HashSet<UserId>,
    /// Counts attaches and detaches.
    changes: u64,
    /// What Redis has is not what it should have: all of it must be written.
    torn: bool,
}

impl Own {
    /// Those who came or went, with whether they are there; of a torn set all who are there.
    fn take_unwritten(&mut self) -> Vec<(UserId, bool)> {
        let changed = std::mem::take(&mut self.changed);
        if self.torn {
            return self.users.iter().map(|user| (*user, true)).collect();
        }
        changed.into_iter().map(|user| (user, self.users.contains(&user))).collect()
    }
}

impl RedisDirectory {
    /// `name` is the cluster's, `log_id` the store's. A Redis that cannot be reached is waited for in the background.
    pub async fn open(
        url: &str,
        name: &str,
        log_id: u64,
        node: Node,
        pace: Pace,
        counts: Counts,
    ) -> Result<Self, OpenError> {
        check_name(name)?;
        let prefix = prefix(name);
        let claim = format!("{prefix}log_id");
        let dial = Dial { url: url.to_owned(), claim, log_id, answer_max: ANSWER_MAX, part: "directory" };
        let shared = Arc::new(Shared {
            link: Link::open(dial, counts.clone()).await?,
            prefix,
            log_id,
            pace,
            me: node.id,
            nodes: watch::Sender::new([node.clone()].into()),
            own: Mutex::new(Own { node, users: HashSet::new(), changed: HashSet::new(), changes: 0, torn: true }),
            waiting: Notify::new(),
            settled: watch::Sender::new(0),
            sure_from: Mutex::new(Instant::now()),
            counts,
            lookup: Script::new(LOOKUP),
            beat: Script::new(BEAT),
        });
        let mut known = Known::default();
        shared.beat(&mut known).await;
        let task = shared.counts.watch.keep("directory", run(Arc::clone(&shared), known));
        Ok(Self { shared, task })
    }
}

pub(super) fn prefix(name: &str) -> String {
    format!("anser:{name}:")
}

impl Drop for RedisDirectory {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[async_trait]
impl Directory for RedisDirectory {
    fn attach(&self, user: UserId) {
        self.shared.change(user, |users| users.insert(user));
    }

    fn detach(&self, user: UserId) {
        self.shared.change(user, |users| users.remove(&user));
    }

    async fn settled(&self) {
        let asked = self.shared.own().changes;
        let mut settled = self.shared.settled.subscribe();
        // After it the writer has failed or will have written it: the next beat tells.
        let _ = timeout(SETTLED_MAX, settled.wait_for(|settled| *settled >= asked)).await;
    }

    async fn nodes_of(&self, users: &[UserId]) -> Vec<(NodeId, Vec<UserId>)> {
        let shared = &self.shared;
        let others: Vec<NodeId> =
            shared.nodes.borrow().iter().map(|node| node.id).filter(|id| *id != shared.me).collect();
        let mut found: HashMap<NodeId, Vec<UserId>> = HashMap::new();
        // All at once: many of them take no longer than one.
        let looks = users.chunks(USERS_AT_ONCE).map(async |some| {
            (some, if shared.is_sure() { shared.look_up(some).await.unwrap_or_default() } else { Vec::new() })
        });
        for (some, listed) in join_all(looks).await {
            let unlisted = others.iter().filter(|id| listed.iter().all(|(listed, _)| listed != *id));
            let unlisted = unlisted.map(|id| (*id, some.to_vec()));
            for (id, having) in listed.iter().map(|(id, here)| (*id, having(here, some))).chain(unlisted) {
                if !having.is_empty() && id != shared.me {
                    found.entry(id).or_default().extend(having);
                }
            }
        }
        found.into_iter().collect()
    }

    fn nodes(&self) -> watch::Receiver<Nodes> {
        self.shared.nodes.subscribe()
    }

    fn set_load(&self, load: Load) {
        self.shared.own().node.load = load;
    }

    async fn leave(&self) {
        self.task.abort();
        let shared = &self.shared;
        let me = shared.me.0;
        let mut leaving = redis::pipe();
        leaving.cmd("ZREM").arg(shared.key("nodes")).arg(me).ignore();
        leaving.cmd("HDEL").arg(shared.key("info")).arg(me).ignore();
        leaving.cmd("HDEL").arg(shared.key("beats")).arg(me).ignore();
        leaving.cmd("DEL").arg(shared.users_key()).ignore();
        if let Err(error) = shared.link.ask(async |connection| leaving.query_async::<()>(connection).await).await {
            tracing::warn!(%error, "the lease of this node could not be given up: it ends by itself");
        }
    }
}

/// Whom a node has of those asked for, given what Redis said of the mark and of each of them.
fn having(here: &[u8], asked: &[UserId]) -> Vec<UserId> {
    match here.split_first() {
        Some((1, here)) => asked.iter().zip(here).filter(|(_, here)| **here == 1).map(|(user, _)| *user).collect(),
        _ => asked.to_vec(),
    }
}

/// ARGV: prefix, the mark, users. Of every live node: its id, then 1 or 0 for the mark and for each user.
const LOOKUP: &str = "
    local time = redis.call('TIME')
    local now = time[1] * 1000 + math.floor(time[2] / 1000)
    local prefix = table.remove(ARGV, 1)
    local found = {}
    for _, id in ipairs(redis.call('ZRANGEBYSCORE', prefix .. 'nodes', '(' .. now, '+inf')) do
        found[#found + 1] = {id, redis.call('SMISMEMBER', prefix .. 'users:' .. id, unpack(ARGV))}
    end
    return found";

/// ARGV: prefix, own id, lease in ms, number of the last beat, of this beat, what the node tells of itself, the mark,
/// id of the store. Takes away what ended. Returns 1 if all was as it had been left, then what the live nodes tell of themselves.
const BEAT: &str = "
    local time = redis.call('TIME')
    local now = time[1] * 1000 + math.floor(time[2] / 1000)
    local prefix, me, lease = ARGV[1], ARGV[2], ARGV[3]
    local nodes, info, beats = prefix .. 'nodes', prefix .. 'info', prefix .. 'beats'
    redis.call('SETNX', prefix .. 'log_id', ARGV[8])
    if redis.call('GET', prefix .. 'log_id') ~= ARGV[8] then
        return redis.error_reply('CLAIMED by another cluster: ' .. prefix .. 'log_id')
    end
    local whole = redis.call('HGET', beats, me) == ARGV[4]
    redis.call('HSET', beats, me, ARGV[5])
    redis.call('HSET', info, me, ARGV[6])
    redis.call('ZADD', nodes, now + lease, me)
    whole = whole and redis.call('SISMEMBER', prefix .. 'users:' .. me, ARGV[7]) == 1
    redis.call('PEXPIRE', prefix .. 'users:' .. me, lease)
    for _, dead in ipairs(redis.call('ZRANGEBYSCORE', nodes, '-inf', now)) do
        redis.call('ZREM', nodes, dead)
        redis.call('HDEL', info, dead)
        redis.call('HDEL', beats, dead)
        redis.call('DEL', prefix .. 'users:' .. dead)
    end
    local told = {}
    for _, id in ipairs(redis.call('ZRANGE', nodes, 0, -1)) do
        told[#told + 1] = redis.call('HGET', info, id) or ''
    end
    return {whole and 1 or 0, told}";

/// What the writing task remembers of its beats.
#[derive(Default)]
struct Known {
    /// The number of the last beat; it is the process's own, and random at first.
    beat: u64,
    /// Nodes that live, as far as this one knows.
    seen: HashMap<NodeId, Node>,
    /// Redis had forgotten something then, so that a node may live and not be in it.
    forgot: Option<Instant>,
    /// When a beat was taken last.
    taken: Option<Instant>,
}

async fn run(shared: Arc<Shared>, mut known: Known) {
    let mut beats = interval(shared.pace.beat);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut connections = shared.link.connections();
    loop {
        tokio::select! {
            _ = beats.tick() => shared.beat(&mut known).await,
            // A Redis that is there again may have forgotten everything, or be one of long ago.
            _ = connections.changed() => {
                shared.own().torn = true;
                *shared.sure_from.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now() + shared.pace.lease;
                shared.beat(&mut known).await;
            }
            () = shared.waiting.notified() => shared.write_changes().await,
        }
    }
}

impl Shared {
    fn change(&self, user: UserId, change: impl FnOnce(&mut HashSet<UserId>) -> bool) {
        let mut own = self.own();
        if change(&mut own.users) {
            own.changes += 1;
            own.changed.insert(user);
            drop(own);
            self.waiting.notify_one();
        }
    }

    fn is_sure(&self) -> bool {
        Instant::now() >= *self.sure_from.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn look_up(&self, users: &[UserId]) -> Result<Vec<(NodeId, Vec<u8>)>, Unanswered> {
        let mut asking = self.lookup.arg(&self.prefix);
        asking.arg(WHOLE);
        for user in users {
            asking.arg(user.0);
        }
        let answer: Vec<(u64, Vec<u8>)> =
            self.link.ask(async |connection| asking.invoke_async(connection).await).await?;
        Ok(answer.into_iter().map(|(id, here)| (NodeId(id), here)).collect())
    }

    /// Says that this node lives, learns who else does, and writes everything anew if something of it is gone.
    async fn beat(&self, known: &mut Known) {
        let node = self.own().node.clone();
        let told = serde_json::to_string(&node).expect("a node is plain text and numbers");
        let (last, this) = (known.beat, rand::random_range(1..=u64::MAX));
        let mut beating = self.beat.arg(&self.prefix);
        beating.arg(self.me.0).arg(millis(self.pace.lease)).arg(last).arg(this).arg(told).arg(WHOLE).arg(self.log_id);
        let answer =
            self.link.ask(async |connection| beating.invoke_async::<(u8, Vec<String>)>(connection).await).await;
        let (whole, told) = match answer {
            Ok(answer) => answer,
            Err(error) => {
                tracing::debug!(%error, "no beat");
                // It may have been taken all the same, so that the next one cannot tell what was.
                self.own().torn = true;
                return self.settle_all();
            }
        };
        known.beat = this;
        if whole == 0 {
            self.own().torn = true;
            // A first beat finds nothing, and nothing was forgotten.
            known.forgot = (last != 0).then(Instant::now);
        }
        // The others may have taken this node for dead, and told it nothing.
        if known.taken.is_some_and(|taken| taken.elapsed() > self.pace.lease) {
            self.counts.losses.here.add(Concerned::Everybody);
        }
        known.taken = Some(Instant::now());
        let told = told.iter().filter_map(|node| serde_json::from_str::<Node>(node).ok());
        self.publish(known, told.chain([node]));
        if self.own().torn {
            self.write_changes().await;
        }
    }

    fn publish(&self, known: &mut Known, told: impl Iterator<Item = Node>) {
        let now = Instant::now();
        // After Redis forgot, who is missing may live and not have had its beat yet.
        let patient = known.forgot.is_some_and(|forgot| now - forgot < self.pace.lease);
        if !patient {
            known.seen.clear();
        }
        known.seen.extend(told.map(|node| (node.id, node)));
        let mut nodes: Vec<Node> = known.seen.values().cloned().collect();
        nodes.sort_by_key(|node| node.id);
        self.nodes.send_if_modified(|present| {
            let is_new = **present != *nodes;
            if is_new {
                *present = nodes.into();
            }
            is_new
        });
    }

    /// Writes who came and went since the last time, or everybody.
    async fn write_changes(&self) {
        if !self.link.is_connected() {
            self.own().torn = true;
            return self.settle_all();
        }
        let (changes, torn, users) = {
            let mut own = self.own();
            let users = own.take_unwritten();
            (own.changes, std::mem::take(&mut own.torn), users)
        };
        let written = if torn { self.write_all(users).await } else { self.write_some(users).await };
        if written.is_err() {
            self.own().torn = true;
        }
        self.settled.send_replace(changes);
    }

    async fn write_some(&self, changed: Vec<(UserId, bool)>) -> Result<(), Unanswered> {
        for some in changed.chunks(USERS_AT_ONCE) {
            let mut writing = redis::pipe();
            for (verb, present) in [("SADD", true), ("SREM", false)] {
                let users: Vec<u64> = some.iter().filter(|(_, is)| *is == present).map(|(user, _)| user.0).collect();
                if !users.is_empty() {
                    writing.cmd(verb).arg(self.users_key()).arg(users).ignore();
                }
            }
            self.link.ask(async |connection| writing.query_async::<()>(connection).await).await?;
        }
        Ok(())
    }

    /// Beside the old set and then in its place, so that nobody is missing meanwhile.
    async fn write_all(&self, users: Vec<(UserId, bool)>) -> Result<(), Unanswered> {
        self.counts.reasserted.inc();
        let fresh = format!("{}:new", self.users_key());
        let mut first = redis::pipe();
        first.cmd("DEL").arg(&fresh).ignore().cmd("SADD").arg(&fresh).arg(WHOLE).ignore();
        // Ends by itself if this task does.
        first.cmd("PEXPIRE").arg(&fresh).arg(millis(self.pace.lease)).ignore();
        self.link.ask(async |connection| first.query_async::<()>(connection).await).await?;
        for some in users.chunks(USERS_AT_ONCE) {
            let users: Vec<u64> = some.iter().map(|(user, _)| user.0).collect();
            let adding = redis::cmd("SADD").arg(&fresh).arg(users).take();
            self.link.ask(async |connection| adding.query_async::<()>(connection).await).await?;
        }
        let mut last = redis::pipe();
        last.atomic().cmd("RENAME").arg(&fresh).arg(self.users_key()).ignore();
        last.cmd("PEXPIRE").arg(self.users_key()).arg(millis(self.pace.lease)).ignore();
        self.link.ask(async |connection| last.query_async::<()>(connection).await).await
    }

    /// Nobody is kept waiting for a Redis that does not answer.
    fn settle_all(&self) {
        let changes = self.own().changes;
        self.settled.send_replace(changes);
    }

    fn users_key(&self) -> String {
        format!("{}users:{}", self.prefix, self.me.0)
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    fn own(&self) -> MutexGuard<'_, Own> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
