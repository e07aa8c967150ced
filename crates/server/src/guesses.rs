//! A brake on guessing passwords, which slows guessers down and shuts nobody out.
//!
//! Wrong passwords are charged to whoever tries them: to the network for this account, to the network for all accounts, and to the
//! account for all networks, so that many networks cannot guess together. From where a user has logged in before, only what was
//! tried from there at their own account counts: whatever strangers try, there the owner gets in. That is what device cookies are
//! for (OWASP, "Slow Down Online Guessing Attacks with Device Cookies"); a network stands in for the cookie here, since a `hello` brings
//! one credential, and a `device_id` is known to whoever gets the device's messages.

use std::{
    hash::{BuildHasher as _, RandomState},
    net::IpAddr,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use quick_cache::unsync::Cache;
use tokio::time::Instant;

use crate::{debts::Debts, network::Network, rate::Rate};

/// After so many wrong ones at once, each costs a wait of this.
const INTERVAL: Duration = Duration::from_secs(60);
/// A network may try so many times as much at all accounts together, and all networks at one: many users sit behind one address, and
/// come with passwords that they mistype.
const WIDER: u32 = 20;
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

    /// Lets an attempt be made, or tells how long until it may be.
    pub fn begin<'g>(&'g self, guess: Guess<'g>, now: Instant) -> Result<Attempt<'g>, Duration> {
        let Guess { account, address } = guess;
        let times = |times: u32| Rate::every(INTERVAL / times, self.attempts_max.saturating_mul(times));
        let networks =
            Network::around(address).map(|network| (Debtor::Network(network), times(WIDER * network.allowance())));
        let of_strangers = (!self.knows(guess)).then(|| networks.chain([(Debtor::Account(account), times(WIDER))]));
        let narrow = (Debtor::AccountFrom(account, Network::of(address)), times(1));
        let mut attempt = Attempt { guesses: self, charged: Vec::with_capacity(5) };
        for (debtor, rate) in of_strangers.into_iter().flatten().chain([narrow]) {
            self.debts.charge(debtor, rate, now)?;
            attempt.charged.push((debtor, rate));
        }
        Ok(attempt)
    }

    /// The user has logged in from there.
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

impl Attempt<'_> {
    /// It stays charged.
    pub fn was_wrong(mut self) {
        self.charged.clear();
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

    use super::*;

    const MAX: u32 = 5;

    fn guess(account: &str, from: u32) -> Guess<'_> {
        Guess { account, address: Ipv4Addr::from_bits(0x0a00_0000 + from).into() }
    }

    /// How many of so many wrong ones are let through now.
    fn wrong(guesses: &Guesses, count: u32, one: impl Fn(u32) -> Guess<'static>) -> u32 {
        let now = Instant::now();
        let tried = (0..count).filter_map(|number| guesses.begin(one(number), now).ok());
        tried.map(Attempt::was_wrong).count() as u32
    }

    #[tokio::test(start_paused = true)]
    async fn who_guesses_waits_and_nobody_else() {
        let guesses = Guesses::new(MAX);
        assert_eq!(wrong(&guesses, 100, |_| guess("ada", 1)), MAX);
        assert_eq!(guesses.begin(guess("ada", 1), Instant::now()).err(), Some(INTERVAL));
        assert!(guesses.begin(guess("ada", 2), Instant::now()).is_ok(), "from elsewhere");
        assert!(guesses.begin(guess("bob", 1), Instant::now()).is_ok(), "another account");
        tokio::time::advance(INTERVAL).await;
        assert_eq!(wrong(&guesses, 100, |_| guess("ada", 1)), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_network_that_tries_many_accounts_waits_but_for_those_who_came_from_it_before() {
        let guesses = Guesses::new(MAX);
        guesses.know(guess("ada", 1));
        let accounts: Vec<&'static str> = (0..500).map(|number| &*format!("user-{number}").leak()).collect();
        assert_eq!(wrong(&guesses, 500, |number| guess(accounts[number as usize], 1)), MAX * WIDER);
        assert!(guesses.begin(guess("bob", 1), Instant::now()).is_err());
        assert!(guesses.begin(guess("bob", 2), Instant::now()).is_ok());
        assert!(guesses.begin(guess("ada", 1), Instant::now()).is_ok());
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
        assert!(guesses.begin(guess("ada", 1), Instant::now()).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn an_account_tried_from_everywhere_opens_where_its_owner_was_before() {
        let guesses = Guesses::new(MAX);
        guesses.know(guess("ada", 1));
        assert_eq!(wrong(&guesses, 10_000, |number| guess("ada", 1_000 + number)), MAX * WIDER);
        let wait = guesses.begin(guess("ada", 2), Instant::now()).err();
        assert_eq!(wait, Some(INTERVAL / WIDER), "a stranger to it waits, and not for long");
        assert!(guesses.begin(guess("ada", 1), Instant::now()).is_ok());
        assert_eq!(wrong(&guesses, 100, |_| guess("ada", 1)), MAX, "and there nobody may guess for ever either");
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_right_or_never_checked_costs_nothing() {
        let guesses = Guesses::new(MAX);
        for _ in 0..1_000 {
            drop(guesses.begin(guess("ada", 1), Instant::now()).expect("nothing is owed"));
        }
        // One that a wider brake refuses is not charged to the narrower ones.
        assert_eq!(wrong(&guesses, 10_000, |number| guess("bob", 1_000 + number)), MAX * WIDER);
        assert!(guesses.begin(guess("bob", 1), Instant::now()).is_err());
        assert_eq!(wrong(&guesses, 100, |_| guess("ada", 1)), MAX);
    }

    #[tokio::test]
    async fn no_attempts_are_none_and_the_networks_of_an_account_are_bounded() {
        let guesses = Guesses::new(0);
        assert!(guesses.begin(guess("ada", 1), Instant::now()).is_err());
        for number in 0..20 {
            guesses.know(guess("ada", number));
            guesses.know(guess("ada", 15));
        }
        let known: Vec<_> = (0..20).filter(|number| guesses.knows(guess("ada", *number))).collect();
        assert_eq!(known, [12, 13, 14, 15, 16, 17, 18, 19]);
    }
}
