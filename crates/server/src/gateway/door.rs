//! The door: who may wait to be let in, from where, how often and for how long, and the places of those who were let in.
//!
//! A connection is a *stranger* until its login is done. Strangers have places of their own, in all and for each network they come
//! from, so that no number of them takes a user's (`limits.connections`). Where there is no room, the one gives way that has
//! kept the server waiting longest, of the network that has most of what it may have: whoever holds places without logging in loses
//! them to those who come to log in. While everybody is served as fast as can be, as when all users come back at once, nobody gives
//! way and who comes is turned away: what was begun is brought to its end. Who was refused, and is only told why, gives way at once.
//!
//! A proxy's connection counts among all, and in no network until it is known whom it passes on.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use prometheus_client::metrics::gauge::Gauge;
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

/// By the setting that was met.
pub type Reason = &'static str;

pub struct Door {
    attempts: Debts,
    attempts_per_s: u32,
    strangers: Mutex<Strangers>,
    /// One for each user's connection.
    places: Arc<Semaphore>,
    turned_away: TurnedAway,
    pub refusals: Refusals,
}

struct Strangers {
    all_max: usize,
    per_address_max: u32,
    /// By the order in which they came.
    waiting: BTreeMap<u64, Waiting>,
    by_network: HashMap<Network, u32>,
    last: u64,
    /// How many wait, for the metrics.
    count: Gauge,
}

struct Waiting {
    /// In whose networks it counts. None: within the process, or a proxy that speaks for itself.
    address: Option<IpAddr>,
    state: State,
    /// Tells it to give way.
    give_way: Arc<Notify>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// The server waits for it, since then.
    Awaited(Instant),
    /// It has said `hello` and waits for the server.
    Served,
    /// It was refused.
    Leaving,
}

/// A connection that is not logged in. Its place is free when the last clone of it is dropped.
pub struct Stranger {
    door: Arc<Door>,
    number: u64,
    give_way: Arc<Notify>,
}

impl Door {
    pub fn new(limits: &Limits, metrics: &Metrics) -> Arc<Self> {
        let strangers = Strangers {
            all_max: limits.strangers as usize,
            per_address_max: limits.strangers_per_address,
            waiting: BTreeMap::new(),
            by_network: HashMap::new(),
            last: 0,
            count: metrics.strangers.clone(),
        };
        Arc::new(Self {
            attempts: Debts::new(NETWORKS_REMEMBERED),
            attempts_per_s: limits.attempts_per_s,
            strangers: Mutex::new(strangers),
            places: Arc::new(Semaphore::new(limits.connections as usize)),
            turned_away: metrics.turned_away.clone(),
            refusals: Refusals::default(),
        })
    }

    /// Lets a connection wait. It counts where `address` lies; None: only among all.
    pub fn enter(self: &Arc<Self>, address: Option<IpAddr>) -> Result<Stranger, Reason> {
        let now = Instant::now();
        self.charge(address, now)?;
        let (number, give_way) = self.lock().add(address, now)?;
        Ok(Stranger { door: Arc::clone(self), number, give_way })
    }

    /// A place for a user's connection, if there is one within `patience`.
    pub async fn place(&self, patience: Duration) -> Option<OwnedSemaphorePermit> {
        timeout(patience, Arc::clone(&self.places).acquire_owned()).await.ok()?.ok()
    }

    /// Counts it and tells the log.
    pub fn turn_away(&self, address: IpAddr, reason: Reason) {
        self.turned_away.count(reason);
        self.refusals.tell(address, reason);
    }

    /// For one attempt, in each network around the address or in none.
    fn charge(&self, address: Option<IpAddr>, now: Instant) -> Result<(), Reason> {
        let networks = || address.into_iter().flat_map(Network::around);
        for (charged, network) in networks().enumerate() {
            if self.attempts.charge(network, self.attempt(network), now).is_err() {
                networks().take(charged).for_each(|network| self.forgive(network, now));
                return Err("attempts_per_s");
            }
        }
        Ok(())
    }

    fn forgive(&self, network: Network, now: Instant) {
        self.attempts.forgive(network, self.attempt(network), now);
    }

    fn attempt(&self, network: Network) -> Rate {
        let per_s = self.attempts_per_s.saturating_mul(network.allowance());
        Rate::new(per_s, per_s.saturating_mul(ATTEMPTS_BURST_S))
    }

    fn lock(&self) -> MutexGuard<'_, Strangers> {
        self.strangers.lock().expect("nothing panics while holding it")
    }
}

impl Stranger {
    /// It is known now whom a proxy passes on, so an attempt and the place count there.
    pub fn comes_from(&self, address: Option<IpAddr>) -> Result<(), Reason> {
        let now = Instant::now();
        self.door.charge(address, now)?;
        self.door.lock().change(self.number, address, now)
    }

    /// Each further request on its connection is an attempt as well.
    pub fn asks_again(&self) -> Result<(), Reason> {
        let address = self.address();
        self.door.charge(address, Instant::now())
    }

    /// From now on it waits for the server and not the server for it, so it gives way to nobody; false when it has.
    pub fn said_hello(&self) -> bool {
        self.enters(State::Served)
    }

    /// It was refused: what is left is to tell it why, as long as nobody needs the place.
    pub fn leaves(&self) {
        self.enters(State::Leaving);
    }

    /// False when it gave way.
    fn enters(&self, state: State) -> bool {
        let mut strangers = self.door.lock();
        let waiting = strangers.waiting.get_mut(&self.number);
        waiting.map(|waiting| waiting.state = state).is_some()
    }

    fn address(&self) -> Option<IpAddr> {
        self.door.lock().waiting.get(&self.number).and_then(|one| one.address)
    }

    /// Its attempt was a user's, and costs nothing: any number of them may sit behind one address.
    pub fn is_welcome(&self) {
        let now = Instant::now();
        self.address().into_iter().flat_map(Network::around).for_each(|network| self.door.forgive(network, now));
    }

    /// Returns when another needs the place. Cancel-safe.
    pub async fn must_give_way(&self) {
        self.give_way.notified().await;
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
    fn add(&mut self, address: Option<IpAddr>, now: Instant) -> Result<(u64, Arc<Notify>), Reason> {
        self.make_room(address, now)?;
        self.last += 1;
        let give_way = Arc::new(Notify::new());
        self.insert(self.last, Waiting { address, state: State::Awaited(now), give_way: Arc::clone(&give_way) });
        Ok((self.last, give_way))
    }

    /// If there is no room where it belongs now, it stays where it was. One that gave way is gone.
    fn change(&mut self, number: u64, address: Option<IpAddr>, now: Instant) -> Result<(), Reason> {
        let Some(mut waiting) = self.remove(number) else { return Ok(()) };
        let room = self.make_room(address, now);
        if room.is_ok() {
            (waiting.address, waiting.state) = (address, State::Awaited(now));
        }
        self.insert(number, waiting);
        room
    }

    fn insert(&mut self, number: u64, waiting: Waiting) {
        for network in waiting.networks() {
            *self.by_network.entry(network).or_default() += 1;
        }
        self.waiting.insert(number, waiting);
        self.count.inc();
    }

    /// None when it gave way before.
    fn remove(&mut self, number: u64) -> Option<Waiting> {
        let waiting = self.waiting.remove(&number)?;
        self.count.dec();
        for network in waiting.networks() {
            match self.from(network) - 1 {
                0 => self.by_network.remove(&network),
                left => self.by_network.insert(network, left),
            };
        }
        Some(waiting)
    }

    fn from(&self, network: Network) -> u32 {
        self.by_network.get(&network).copied().unwrap_or(0)
    }

    /// For one more from there. Lets at most one give way, since there is never more than one too many, and who leaves the
    /// narrowest network that is full leaves the wider ones too.
    fn make_room(&mut self, address: Option<IpAddr>, now: Instant) -> Result<(), Reason> {
        let is_full =
            |network: &Network| self.from(*network) >= self.per_address_max.saturating_mul(network.allowance());
        if let Some(full) = address.into_iter().flat_map(Network::around).find(is_full) {
            let is_there = |waiting: &Waiting| waiting.address.is_some_and(|address| full.contains(address));
            return self.let_give_way(now, is_there).ok_or("strangers_per_address");
        }
        if self.waiting.len() >= self.all_max {
            return self.let_give_way(now, |_| true).ok_or("strangers");
        }
        Ok(())
    }

    /// One that leaves, or the oldest of the network that has most of what it may have.
    fn let_give_way(&mut self, now: Instant, may: impl Fn(&Waiting) -> bool) -> Option<()> {
        let share = |waiting: &Waiting| waiting.networks().map(|network| network.share(self.from(network))).max();
        // `max_by_key` takes the last of equals: from the youngest to the oldest.
        let (&number, _) = self
            .waiting
            .iter()
            .rev()
            .filter(|(_, waiting)| waiting.gives_way(now) && may(waiting))
            .max_by_key(|(_, waiting)| (waiting.state == State::Leaving, share(waiting)))?;
        self.remove(number)?.give_way.notify_one();
        Some(())
    }
}

impl Waiting {
    fn networks(&self) -> impl Iterator<Item = Network> + use<> {
        self.address.into_iter().flat_map(Network::around)
    }

    fn gives_way(&self, now: Instant) -> bool {
        match self.state {
            State::Awaited(since) => since + GRACE <= now,
            State::Served => false,
            State::Leaving => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strangers(all_max: usize, per_address_max: u32) -> Strangers {
        let (waiting, by_network, count) = (BTreeMap::new(), HashMap::new(), Gauge::default());
        Strangers { all_max, per_address_max, waiting, by_network, last: 0, count }
    }

    /// An address of 2001:db8:1::/48, by its /56, /64 and what is left.
    fn of_site(home: u8, network: u8, rest: u8) -> Option<IpAddr> {
        Some(format!("2001:db8:1:{home:02x}{network:02x}::{rest:x}").parse().expect("an address"))
    }

    fn of(address: &str) -> Option<IpAddr> {
        Some(address.parse().expect("an address"))
    }

    #[test]
    fn whoever_has_many_networks_is_bounded_as_well_as_who_has_one() {
        let (mut strangers, now) = (strangers(1_000, 2), Instant::now());
        let mut enter = |address| strangers.add(address, now).map(|_| ());
        assert_eq!([enter(of_site(0, 0, 1)), enter(of_site(0, 0, 2))], [Ok(()); 2]);
        assert_eq!(enter(of_site(0, 0, 3)), Err("strangers_per_address"));
        // A /56 has 4 times as many, however many /64 are in it.
        assert_eq!((0..100).filter(|network| enter(of_site(0, *network, 3)).is_ok()).count(), 6);
        // And a /48 has 16 times.
        assert_eq!((0..100).filter(|home| enter(of_site(*home, 200, 1)).is_ok()).count(), 24);
        assert_eq!([enter(of("2001:db8:2::1")), enter(of("192.0.2.1")), enter(None)], [Ok(()); 3]);
    }

    #[test]
    fn where_no_place_is_left_those_give_way_who_have_most_of_what_they_may() {
        let (mut strangers, start) = (strangers(20, 5), Instant::now());
        let (first, _) = strangers.add(of("192.0.2.1"), start).expect("room");
        // One site, with another /64 each time.
        let numbers: Vec<_> =
            (0..19).map(|home| strangers.add(of_site(home, home, 1), start).expect("room").0).collect();
        strangers.add(of("192.0.2.2"), start).map(|_| ()).expect_err("nobody gives way at once");
        strangers.add(of("192.0.2.2"), start + GRACE).expect("the site gives way");
        assert!(strangers.waiting.contains_key(&first) && !strangers.waiting.contains_key(&numbers[0]));
    }

    #[test]
    fn who_leaves_gives_way_at_once_and_who_is_served_does_not() {
        let (mut strangers, start) = (strangers(3, 2), Instant::now());
        let numbers =
            ["192.0.2.1", "192.0.2.1", "192.0.2.2"].map(|address| strangers.add(of(address), start).expect("room").0);
        strangers.waiting.get_mut(&numbers[0]).expect("it waits").state = State::Served;
        strangers.add(of("192.0.2.1"), start).map(|_| ()).expect_err("nobody leaves yet");
        strangers.waiting.get_mut(&numbers[1]).expect("it waits").state = State::Leaving;
        let (third, _) = strangers.add(of("192.0.2.1"), start).expect("it gives way");
        assert_eq!(strangers.waiting.keys().copied().collect::<Vec<_>>(), [numbers[0], numbers[2], third]);
    }

    #[test]
    fn one_that_a_proxy_passes_on_counts_where_it_comes_from() {
        let (mut strangers, start) = (strangers(10, 1), Instant::now());
        let [first, second] = [None, None].map(|proxy| strangers.add(proxy, start).expect("room").0);
        strangers.change(first, of("192.0.2.1"), start).expect("room");
        assert_eq!(strangers.change(second, of("192.0.2.1"), start), Err("strangers_per_address"));
        strangers.change(second, of("192.0.2.2"), start).expect("room");
        strangers.change(first, of("192.0.2.1"), start).expect("its own place");
        strangers.change(first, None, start).expect("room");
        strangers.change(second, of("192.0.2.1"), start).expect("room");
        [first, second].iter().for_each(|number| drop(strangers.remove(*number)));
        assert!(strangers.by_network.is_empty() && strangers.waiting.is_empty());
    }

    #[test]
    fn attempts_count_in_each_network_around_or_in_none() {
        let door = Door {
            attempts: Debts::new(NETWORKS_REMEMBERED),
            attempts_per_s: 1,
            strangers: Mutex::new(strangers(1, 1)),
            places: Arc::new(Semaphore::new(1)),
            turned_away: TurnedAway::default(),
            refusals: Refusals::default(),
        };
        let now = Instant::now();
        let attempts = |home, networks: std::ops::Range<u8>| {
            let tried = networks.flat_map(|network| std::iter::repeat_n(network, 20));
            tried.filter(|network| door.charge(of_site(home, *network, 1), now).is_ok()).count()
        };
        assert_eq!([attempts(0, 0..1), attempts(0, 1..2), attempts(0, 2..9)], [10, 10, 20]);
        // What was refused for the sake of the /56 was not charged to the /48.
        assert_eq!([attempts(1, 0..9), attempts(2, 0..9), attempts(3, 0..9), attempts(4, 0..9)], [40, 40, 40, 0]);
    }
}
