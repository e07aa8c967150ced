//! A brake on guessing passwords, which slows guessers down and shuts nobody out.
//!
//! Wrong passwords are charged to whoever tries them: to the network for this account, to the network for all accounts, and to the
//! account for all networks, so that many networks cannot guess together. From where a user has logged in before, only what was
//! tried from there at their own account counts: whatever strangers try, there the owner gets in. That is what device cookies are
//! for (OWASP, "Slow Down Online Guessing Attacks with Device Cookies"); a network stands in for the cookie here, since a `hello` brings
//! one credential, and a `device_id` is known to whoever gets the device's messages.
//!
//! While an account is guessed at from everywhere, its owner may come from a new network, or after a restart that forgot the old ones. So
//! the first try of a network waits in a slow lane of the account instead of being refused. Who is next is drawn: no network is
//! there twice, and whoever comes more often has no better chance. Who was wrong there leaves it to the others for a minute.

use std::{
    hash::{BuildHasher as _, RandomState},
    net::IpAddr,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use quick_cache::unsync::Cache;
use tokio::time::{Instant, error::Elapsed, sleep, timeout};

use crate::{debts::Debts, network::Network, rate::Rate};

/// After so many wrong ones at once, each costs a wait of this.
const INTERVAL: Duration = Duration::from_secs(60);
/// A network may try so many times as much at all accounts together, and all networks at one: many users sit behind one address, and
/// come with passwords that they mistype.
const WIDER: u32 = 20;
/// One try in so long passes the slow lane of an account.
const SLOW_INTERVAL: Duration = Duration::from_millis(500);
/// How long a try waits there: with the check behind it, less than a login may take. Each is a connection of `limits.strangers`.
const SLOW_PATIENCE: Duration = Duration::from_secs(5);
/// Who tried what: some four megabytes.
const REMEMBERED: usize = 65_536;
/// Accounts whose networks are known, and networks of each, so that nobody who has one account crowds out the others: two megabytes.
const ACCOUNTS_KNOWN: usize = 16_384;
const NETWORKS_OF_AN_ACCOUNT: usize = 8;

pub struct Guesses {
    debts: Debts,
    attempts_max: u32,
    known: Mutex<Cache<u64, Networks>>,
    names: RandomState,
}

/// By their hashes, the last one first.
type Networks = [u64; NETWORKS_OF_AN_ACCOUNT];

/// Whose password somebody tries, and from where.
#[derive(Clone, Copy)]
pub struct Guess<'g> {
    pub account: &'g str,
    pub address: IpAddr,
}

#[derive(Clone, Copy, Hash)]
enum Debtor<'g> {
    AccountFrom(&'g str, Network),
    Network(Network),
    Account(&'g str),
    SlowLane(&'g str),
}

/// One that was charged before it is made, so that those made side by side are counted each. It costs nothing unless it was wrong:
/// who is let in owes nothing, and what was never checked was no guess.
pub struct Attempt<'g> {
    guesses: &'g Guesses,
    charged: Vec<(Debtor<'g>, Rate)>,
}

impl Guesses {
    /// 0 attempts: none at all.
    pub fn new(attempts_max: u32) -> Self {
        let known = Mutex::new(Cache::new(ACCOUNTS_KNOWN));
        Self { debts: Debts::new(REMEMBERED), attempts_max, known, names: RandomState::new() }
    }

    /// Lets an attempt be made, at once or slowly, or tells how long until it may be. Safe to drop.
    pub async fn begin<'g>(&'g self, guess: Guess<'g>) -> Result<Attempt<'g>, Duration> {
        let Guess { account, address } = guess;
        let (now, times) = (Instant::now(), |times| self.times(times));
        let mut attempt = Attempt { guesses: self, charged: Vec::with_capacity(8) };
        let narrow = Debtor::AccountFrom(account, Network::of(address));
        let is_first = !self.debts.owes(narrow, now);
        attempt.charge(narrow, times(1), now)?;
        if self.knows(guess) {
            return Ok(attempt);
        }
        for network in Network::around(address) {
            let allowance = network.allowance();
            if allowance > 1 {
                attempt.charge(Debtor::AccountFrom(account, network), times(allowance), now)?;
            }
            attempt.charge(Debtor::Network(network), times(WIDER * allowance), now)?;
        }
        match attempt.charge(Debtor::Account(account), times(WIDER), now) {
            Err(wait) if is_first => attempt.pass_slowly(account).await.map_err(|_| wait)?,
            charged => charged?,
        }
        Ok(attempt)
    }

    /// So many times what one network may try at one account.
    fn times(&self, times: u32) -> Rate {
        Rate::every(INTERVAL / times, self.attempts_max.saturating_mul(times))
    }

    /// The user has logged in from there, with a password or with a token that was given for one.
    pub fn know(&self, guess: Guess<'_>) {
        let (account, network) = self.names(guess);
        let mut known = self.known();
        let mut networks = known.get(&account).copied().unwrap_or_default();
        let last = networks.iter().position(|known| *known == network).unwrap_or(NETWORKS_OF_AN_ACCOUNT - 1);
        networks[..=last].rotate_right(1);
        networks[0] = network;
        known.insert(account, networks);
    }

    fn knows(&self, guess: Guess<'_>) -> bool {
        let (account, network) = self.names(guess);
        self.known().get(&account).is_some_and(|networks| networks.contains(&network))
    }

    /// By a keyed hash, so that nobody can choose one.
    fn names(&self, guess: Guess<'_>) -> (u64, u64) {
        (self.names.hash_one(guess.account), self.names.hash_one(Network::of(guess.address)))
    }

    fn known(&self) -> MutexGuard<'_, Cache<u64, Networks>> {
        self.known.lock().expect("nothing panics while holding it")
    }
}

impl<'g> Attempt<'g> {
    /// It stays charged.
    pub fn was_wrong(mut self) {
        self.charged.clear();
    }

    fn charge(&mut self, debtor: Debtor<'g>, rate: Rate, now: Instant) -> Result<(), Duration> {
        self.guesses.debts.charge(debtor, rate, now)?;
        self.charged.push((debtor, rate));
        Ok(())
    }

    /// Each of those that wait looks whether the lane is free after a pause of its own: that draws the next one.
    async fn pass_slowly(&mut self, account: &'g str) -> Result<(), Elapsed> {
        let rate = Rate::every(SLOW_INTERVAL, 1);
        let passed = async {
            loop {
                sleep(rand::random_range(Duration::ZERO..SLOW_INTERVAL)).await;
                if self.charge(Debtor::SlowLane(account), rate, Instant::now()).is_ok() {
                    break;
                }
            }
        };
        timeout(SLOW_PATIENCE, passed).await
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        let now = Instant::now();
        for (debtor, rate) in self.charged.drain(..) {
            self.guesses.debts.forgive(debtor, rate, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use futures_util::{FutureExt as _, future::join_all};
    use tokio::time::interval;

    use super::*;

    const MAX: u32 = 5;

    fn guess(account: &str, from: u32) -> Guess<'_> {
        Guess { account, address: Ipv4Addr::from_bits(0x0a00_0000 + from).into() }
    }

    /// None: it waits.
    fn at_once<'g>(guesses: &'g Guesses, guess: Guess<'g>) -> Option<Result<Attempt<'g>, Duration>> {
        guesses.begin(guess).now_or_never()
    }

    fn is_let_through(guesses: &Guesses, guess: Guess<'_>) -> bool {
        at_once(guesses, guess).is_some_and(|begun| begun.is_ok())
    }

    /// How many of so many wrong ones are let through now.
    fn wrong(guesses: &Guesses, count: u32, one: impl Fn(u32) -> Guess<'static>) -> u32 {
        let tried = (0..count).filter_map(|number| at_once(guesses, one(number))?.ok());
        tried.map(Attempt::was_wrong).count() as u32
    }

    #[tokio::test(start_paused = true)]
    async fn who_guesses_waits_and_nobody_else() {
        let guesses = Guesses::new(MAX);
        assert_eq!(wrong(&guesses, 100, |_| guess("ada", 1)), MAX);
        assert_eq!(guesses.begin(guess("ada", 1)).await.err(), Some(INTERVAL));
        assert!(is_let_through(&guesses, guess("ada", 2)), "from elsewhere");
        assert!(is_let_through(&guesses, guess("bob", 1)), "another account");
        tokio::time::advance(INTERVAL).await;
        assert_eq!(wrong(&guesses, 100, |_| guess("ada", 1)), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_network_that_tries_many_accounts_waits_but_for_those_who_came_from_it_before() {
        let guesses = Guesses::new(MAX);
        guesses.know(guess("ada", 1));
        let accounts: Vec<&'static str> = (0..500).map(|number| &*format!("user-{number}").leak()).collect();
        assert_eq!(wrong(&guesses, 500, |number| guess(accounts[number as usize], 1)), MAX * WIDER);
        assert!(guesses.begin(guess("bob", 1)).await.is_err());
        assert!(is_let_through(&guesses, guess("bob", 2)));
        assert!(is_let_through(&guesses, guess("ada", 1)));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_owns_a_site_of_ipv6_is_one_guesser() {
        let guesses = Guesses::new(MAX);
        let accounts: Vec<&'static str> = (0..3_000).map(|number| &*format!("user-{number}").leak()).collect();
        let from_site = |number: u32| {
            let address = Ipv6Addr::from_bits(0x2001_0db8 << 96 | u128::from(number) << 64).into();
            Guess { account: accounts[number as usize], address }
        };
        // They come from a /64 of its own each time; so many lie in 12 of the /56, each of which may have 4 times as much.
        assert_eq!(wrong(&guesses, 3_000, from_site), MAX * WIDER * 16);
        assert!(is_let_through(&guesses, guess("ada", 1)));
    }

    #[tokio::test(start_paused = true)]
    async fn an_account_tried_from_everywhere_opens_where_its_owner_was_before() {
        let guesses = Guesses::new(MAX);
        guesses.know(guess("ada", 1));
        assert_eq!(wrong(&guesses, 10_000, |number| guess("ada", 1_000 + number)), MAX * WIDER);
        let wait = guesses.begin(guess("ada", 1_000)).await.err();
        assert_eq!(wait, Some(INTERVAL / WIDER), "who was wrong waits, and not for long");
        assert!(is_let_through(&guesses, guess("ada", 1)));
        assert_eq!(wrong(&guesses, 100, |_| guess("ada", 1)), MAX, "and there nobody may guess for ever either");
    }

    #[tokio::test(start_paused = true)]
    async fn an_account_tried_from_everywhere_opens_to_its_owner_on_a_new_network() {
        let guesses = Guesses::new(MAX);
        wrong(&guesses, 10_000, |number| guess("ada", 1_000 + number));
        let crowd = join_all((0..30).map(async |number| {
            let mut turns = interval(Duration::from_millis(10));
            loop {
                turns.tick().await;
                let begun = guesses.begin(guess("ada", 20_000 + number)).await;
                begun.into_iter().for_each(Attempt::was_wrong);
            }
        }));
        let owner = async {
            for _ in 0..4 {
                if guesses.begin(guess("ada", 2)).await.is_ok() {
                    return true;
                }
            }
            false
        };
        tokio::select! {
            _ = crowd => panic!("they never end"),
            is_in = owner => assert!(is_in, "whoever comes more often takes every turn"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_slow_lane_is_slow_and_takes_one_of_a_network() {
        let guesses = Guesses::new(MAX);
        wrong(&guesses, 10_000, |number| guess("ada", 1_000 + number));
        let tries = |from: fn(u32) -> u32| {
            let tries = (0..100).map(|number| guesses.begin(guess("ada", 20_000 + from(number))));
            join_all(tries).map(|tries| tries.into_iter().flatten().map(Attempt::was_wrong).count())
        };
        assert_eq!(tries(|_| 0).await, 1);
        // The brake itself is not asked again by who waits.
        let passed = tries(|number| 1 + number).await;
        assert!((5..=10).contains(&passed), "{passed}");
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_owns_a_site_of_ipv6_tries_an_account_as_often_as_it_is_wide() {
        let guesses = Guesses::new(MAX);
        let from_home = |number: u32| {
            let address = Ipv6Addr::from_bits(0x2001_0db8 << 96 | u128::from(number) << 64).into();
            Guess { account: "ada", address }
        };
        assert_eq!(wrong(&guesses, 200, from_home), MAX * 4);
        let from_site = |number: u32| from_home(256 + number * 256);
        assert_eq!(wrong(&guesses, 200, from_site), MAX * 12, "the site may have 16 times as much");
        assert!(is_let_through(&guesses, guess("ada", 1)));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_right_or_never_checked_costs_nothing() {
        let guesses = Guesses::new(MAX);
        for _ in 0..1_000 {
            drop(guesses.begin(guess("ada", 1)).await.expect("nothing is owed"));
        }
        // One that a wider brake refuses is not charged to the narrower ones.
        assert_eq!(wrong(&guesses, 10_000, |number| guess("bob", 1_000 + number)), MAX * WIDER);
        assert!(!is_let_through(&guesses, guess("bob", 1)));
        assert_eq!(wrong(&guesses, 100, |_| guess("ada", 1)), MAX);
    }

    #[tokio::test]
    async fn no_attempts_are_none_and_the_networks_of_an_account_are_bounded() {
        let guesses = Guesses::new(0);
        assert!(guesses.begin(guess("ada", 1)).await.is_err());
        for number in 0..20 {
            guesses.know(guess("ada", number));
            guesses.know(guess("ada", 15));
        }
        let known: Vec<_> = (0..20).filter(|number| guesses.knows(guess("ada", *number))).collect();
        assert_eq!(known, [12, 13, 14, 15, 16, 17, 18, 19]);
    }
}
