//! Who may hash a password now: a few at a time, since each takes 19 MiB and tens of milliseconds of a core, and networks in turn.
//!
//! Those of one network wait in a queue, and each network has its turn: whoever comes with a thousand connections delays another by one
//! hash, as somebody with one connection would. When all places are taken, the longest queue loses its youngest to who comes.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
};

use tokio::sync::oneshot;

use crate::network::Network;

const AT_ONCE: usize = 2;
/// With 30 ms each some four seconds, less than a login may take.
const WAITING_MAX: usize = 256;
const WAITING_OF_A_NETWORK_MAX: usize = 64;

#[derive(Clone, Default)]
pub struct Hashing(Arc<Mutex<Queues>>);

#[derive(Default)]
struct Queues {
    at_work: usize,
    waiting: usize,
    by_network: HashMap<Network, VecDeque<oneshot::Sender<Turn>>>,
    /// Each network that has a queue, once: the first is the next.
    order: VecDeque<Network>,
}

/// To hash one password. When it is dropped the next one has it.
pub struct Turn(Hashing);

/// There is no room to wait.
#[derive(Debug)]
pub struct Full;

impl Hashing {
    /// Waits for a turn. Safe to drop.
    pub async fn turn(&self, network: Network) -> Result<Turn, Full> {
        let turn = {
            let mut queues = self.lock();
            if queues.at_work < AT_ONCE {
                queues.at_work += 1;
                return Ok(Turn(self.clone()));
            }
            queues.wait(network)?
        };
        // Gone: another had the place.
        turn.await.map_err(|_| Full)
    }

    /// How many wait now.
    pub fn waiting(&self) -> usize {
        self.lock().waiting
    }

    fn lock(&self) -> MutexGuard<'_, Queues> {
        self.0.lock().expect("nothing panics while holding it")
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let next = self.0.lock().next();
        // Who does not wait any more drops it, and so passes it on.
        if let Some(next) = next {
            let _ = next.send(Turn(self.0.clone()));
        }
    }
}

impl Queues {
    fn wait(&mut self, network: Network) -> Result<oneshot::Receiver<Turn>, Full> {
        if self.waiting >= WAITING_MAX || self.from(network) >= WAITING_OF_A_NETWORK_MAX {
            self.forget_the_gone();
        }
        let own = self.from(network);
        if own >= WAITING_OF_A_NETWORK_MAX {
            return Err(Full);
        }
        if self.waiting >= WAITING_MAX {
            let longest = self.by_network.values_mut().max_by_key(|queue| queue.len());
            let longest = longest.filter(|queue| queue.len() > own + 1).ok_or(Full)?;
            longest.pop_back();
            self.waiting -= 1;
        }
        let (give, turn) = oneshot::channel();
        if own == 0 {
            self.order.push_back(network);
        }
        self.by_network.entry(network).or_default().push_back(give);
        self.waiting += 1;
        Ok(turn)
    }

    fn from(&self, network: Network) -> usize {
        self.by_network.get(&network).map_or(0, VecDeque::len)
    }

    fn forget_the_gone(&mut self) {
        self.by_network.retain(|_, queue| {
            queue.retain(|waiter| !waiter.is_closed());
            !queue.is_empty()
        });
        self.order.retain(|network| self.by_network.contains_key(network));
        self.waiting = self.by_network.values().map(VecDeque::len).sum();
    }

    /// Who has the turn that was given back; None: nobody waits.
    fn next(&mut self) -> Option<oneshot::Sender<Turn>> {
        let Some(network) = self.order.pop_front() else {
            self.at_work -= 1;
            return None;
        };
        let queue = self.by_network.get_mut(&network).expect("a network in the order has a queue");
        let next = queue.pop_front();
        if queue.is_empty() {
            self.by_network.remove(&network);
        } else {
            self.order.push_back(network);
        }
        self.waiting -= 1;
        next
    }
}

#[cfg(test)]
mod tests {
    use std::{net::Ipv4Addr, pin::Pin};

    use futures_util::FutureExt as _;

    use super::*;

    type Waits = Pin<Box<dyn Future<Output = Result<Turn, Full>> + Send>>;

    fn network(number: usize) -> Network {
        Network::of(Ipv4Addr::from_bits(0x0a00_0000 + number as u32).into())
    }

    /// Has begun to wait.
    fn waits(hashing: &Hashing, from: usize) -> Waits {
        let (hashing, network) = (hashing.clone(), network(from));
        let mut waits: Waits = Box::pin(async move { hashing.turn(network).await });
        assert!(waits.as_mut().now_or_never().is_none(), "all turns are taken");
        waits
    }

    fn busy() -> (Hashing, Vec<Turn>) {
        let hashing = Hashing::default();
        let turn = || hashing.turn(network(0)).now_or_never().expect("nobody waits").expect("there is room");
        let turns = (0..AT_ONCE).map(|_| turn()).collect();
        (hashing, turns)
    }

    /// Whether it is done, and the turn, if it got one.
    fn outcome(waits: &mut Waits) -> Option<Result<Turn, Full>> {
        waits.as_mut().now_or_never()
    }

    #[tokio::test]
    async fn a_crowd_from_one_network_delays_another_by_one_turn() {
        let (hashing, mut turns) = busy();
        let mut crowd: Vec<_> = (0..WAITING_OF_A_NETWORK_MAX).map(|_| waits(&hashing, 1)).collect();
        let mut honest = waits(&hashing, 2);
        drop(turns.pop());
        let first = outcome(&mut crowd[0]).expect("it is their turn").expect("a turn");
        assert!(outcome(&mut honest).is_none());
        drop(first);
        assert!(matches!(outcome(&mut honest), Some(Ok(_))));
        assert!(outcome(&mut crowd[1]).is_some_and(|turn| turn.is_ok()), "and gave it back");
    }

    #[tokio::test]
    async fn when_all_places_are_taken_the_longest_queue_loses_one() {
        let (hashing, _turns) = busy();
        let mut all: Vec<_> = (0..WAITING_MAX).map(|number| waits(&hashing, 1 + number / 64)).collect();
        assert!(matches!(hashing.turn(network(1)).now_or_never(), Some(Err(Full))), "a network has so many");
        let mut honest = waits(&hashing, 100);
        assert!(outcome(&mut honest).is_none());
        assert_eq!(all.iter_mut().filter_map(outcome).filter(Result::is_err).count(), 1);
        assert_eq!(hashing.lock().waiting, WAITING_MAX);
    }

    #[tokio::test]
    async fn when_as_many_networks_wait_as_may_nobody_loses_their_place() {
        let (hashing, _turns) = busy();
        let mut all: Vec<_> = (0..WAITING_MAX).map(|number| waits(&hashing, 1 + number)).collect();
        assert!(matches!(hashing.turn(network(1_000)).now_or_never(), Some(Err(Full))));
        assert!(all.iter_mut().all(|waits| outcome(waits).is_none()));
    }

    #[tokio::test]
    async fn who_goes_away_gives_up_their_place() {
        let (hashing, _turns) = busy();
        let gone: Vec<_> = (0..WAITING_OF_A_NETWORK_MAX).map(|_| waits(&hashing, 1)).collect();
        drop(gone);
        let _stays = waits(&hashing, 1);
        let gone: Vec<_> = (1..WAITING_MAX).map(|number| waits(&hashing, 1 + number)).collect();
        drop(gone);
        let _comes = waits(&hashing, 1_000);
        let queues = hashing.lock();
        assert_eq!((queues.waiting, queues.by_network.len(), queues.order.len()), (2, 2, 2));
    }

    #[tokio::test]
    async fn who_goes_away_gives_the_turn_to_the_next() {
        let (hashing, turns) = busy();
        let gone: Vec<_> = (0..20).map(|_| waits(&hashing, 1)).collect();
        let mut stays = waits(&hashing, 1);
        drop(gone);
        drop(turns);
        drop(outcome(&mut stays).expect("it is their turn").expect("a turn"));
        let queues = hashing.lock();
        assert_eq!((queues.at_work, queues.waiting, queues.by_network.len()), (0, 0, 0));
    }
}
