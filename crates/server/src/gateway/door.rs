//! The door: who may wait to be let in, from where, how often and for how long, and the places of those who were let in.
//!
//! A connection is a *stranger* until its login is done. Strangers have places of their own, in all and for each network they come
//! from, so that no number of them takes a user's (`limits.connections`). Where there is no room, the one gives way that has
//! kept the server waiting longest, of the network that has most of them: whoever holds places without logging in loses them
//! to those who come to log in. While everybody is served as fast as can be, as when all users come back at once, nobody gives
//! way and who comes is turned away: what was begun is brought to its end.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout},
};

use super::refusals::Refusals;
use crate::{
    config::Limits,
    debts::Debts,
    metrics::{Metrics, TurnedAway},
    network::Network,
    rate::Rate,
};

/// So long nobody gives way to another.
const GRACE: Duration = Duration::from_secs(1);
/// Networks whose attempts are remembered: about a megabyte.
const NETWORKS_REMEMBERED: usize = 16_384;
/// Attempts at once, after a silence, in seconds of the even rate.
const ATTEMPTS_BURST_S: u32 = 10;

pub struct Door {
    strangers_max: usize,
    per_address_max: u32,
    attempts: Debts,
    attempt: Rate,
    strangers: Mutex<Strangers>,
    /// One for each user's connection.
    places: Arc<Semaphore>,
    turned_away: TurnedAway,
    pub refusals: Refusals,
}

#[derive(Default)]
struct Strangers {
    /// By the order in which they came.
    waiting: BTreeMap<u64, Waiting>,
    by_network: HashMap<Network, u32>,
    last: u64,
}

struct Waiting {
    /// None: within the process.
    network: Option<Network>,
    since: Instant,
    /// Tells it to give way. None once it has said `hello`: then it waits for the server.
    give_way: Option<Arc<Notify>>,
}

/// A connection that is not logged in. Its place is free when the last clone of it is dropped.
pub struct Stranger {
    door: Arc<Door>,
    number: u64,
    give_way: Arc<Notify>,
}

impl Door {
    pub fn new(limits: &Limits, metrics: &Metrics) -> Arc<Self> {
        Arc::new(Self {
            strangers_max: limits.strangers as usize,
            per_address_max: limits.strangers_per_address,
            attempts: Debts::new(NETWORKS_REMEMBERED),
            attempt: Rate::new(limits.attempts_per_s, limits.attempts_per_s.saturating_mul(ATTEMPTS_BURST_S)),
            strangers: Mutex::default(),
            places: Arc::new(Semaphore::new(limits.connections as usize)),
            turned_away: metrics.turned_away.clone(),
            refusals: Refusals::default(),
        })
    }

    /// Lets a connection wait. `from` is None for one within the process.
    pub fn enter(self: &Arc<Self>, from: Option<IpAddr>) -> Option<Stranger> {
        let now = Instant::now();
        let network = from.map(Network::of);
        let admitted = network.map_or(Ok(()), |network| self.charge(network, now)).and_then(|()| {
            let mut strangers = self.lock();
            strangers.make_room(network, self.per_address_max, self.strangers_max, now)?;
            Ok(strangers.add(network, now))
        });
        match admitted {
            Ok((number, give_way)) => Some(Stranger { door: Arc::clone(self), number, give_way }),
            Err(reason) => {
                self.turn_away(from, reason);
                None
            }
        }
    }

    /// A place for a user's connection, if there is one within `patience`.
    pub async fn place(&self, patience: Duration) -> Option<OwnedSemaphorePermit> {
        timeout(patience, Arc::clone(&self.places).acquire_owned()).await.ok()?.ok()
    }

    fn charge(&self, network: Network, now: Instant) -> Result<(), &'static str> {
        self.attempts.charge(network, self.attempt, now).map_err(|_| "attempts_per_s")
    }

    fn turn_away(&self, from: Option<IpAddr>, reason: &'static str) {
        self.turned_away.count(reason);
        self.refusals.tell(from, reason);
    }

    fn lock(&self) -> MutexGuard<'_, Strangers> {
        self.strangers.lock().expect("nothing panics while holding it")
    }
}

impl Stranger {
    /// From now on it waits for the server and not the server for it, so it gives way to nobody.
    pub fn said_hello(&self) {
        if let Some(waiting) = self.door.lock().waiting.get_mut(&self.number) {
            waiting.give_way = None;
        }
    }

    /// Its attempt was a user's, and costs nothing: any number of them may sit behind one address.
    pub fn is_welcome(&self) {
        let network = self.door.lock().waiting.get(&self.number).and_then(|waiting| waiting.network);
        if let Some(network) = network {
            self.door.attempts.forgive(network, self.door.attempt, Instant::now());
        }
    }

    /// Returns when another needs the place. Cancel-safe.
    pub async fn must_give_way(&self) {
        self.give_way.notified().await;
        self.door.turned_away.count("gave_way");
    }

    pub fn door(&self) -> &Door {
        &self.door
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        self.door.lock().remove(self.number);
    }
}

impl Strangers {
    fn add(&mut self, network: Option<Network>, since: Instant) -> (u64, Arc<Notify>) {
        self.last += 1;
        let give_way = Arc::new(Notify::new());
        if let Some(network) = network {
            *self.by_network.entry(network).or_default() += 1;
        }
        self.waiting.insert(self.last, Waiting { network, since, give_way: Some(Arc::clone(&give_way)) });
        (self.last, give_way)
    }

    /// None when it gave way before.
    fn remove(&mut self, number: u64) -> Option<Waiting> {
        let waiting = self.waiting.remove(&number)?;
        if let Some(network) = waiting.network {
            let left = self.from(Some(network)) - 1;
            match left {
                0 => self.by_network.remove(&network),
                left => self.by_network.insert(network, left),
            };
        }
        Some(waiting)
    }

    fn from(&self, network: Option<Network>) -> u32 {
        network.and_then(|network| self.by_network.get(&network)).copied().unwrap_or(0)
    }

    /// For one more from there. Lets at most one give way, since there is never more than one too many.
    fn make_room(
        &mut self,
        network: Option<Network>,
        per_address_max: u32,
        strangers_max: usize,
        now: Instant,
    ) -> Result<(), &'static str> {
        if network.is_some() && self.from(network) >= per_address_max {
            return self.let_give_way(now, |waiting| waiting.network == network).ok_or("strangers_per_address");
        }
        if self.waiting.len() >= strangers_max {
            return self.let_give_way(now, |_| true).ok_or("strangers");
        }
        Ok(())
    }

    /// The oldest of the network that has most.
    fn let_give_way(&mut self, now: Instant, may: impl Fn(&Waiting) -> bool) -> Option<()> {
        let waits = |waiting: &Waiting| waiting.give_way.is_some() && waiting.since + GRACE <= now && may(waiting);
        // `max_by_key` takes the last of equals: from the youngest to the oldest.
        let (&number, _) = self
            .waiting
            .iter()
            .rev()
            .filter(|(_, waiting)| waits(waiting))
            .max_by_key(|(_, waiting)| self.from(waiting.network))?;
        let gone = self.remove(number)?;
        gone.give_way?.notify_one();
        Some(())
    }
}
