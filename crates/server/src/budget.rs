//! What a user may ask for: one budget for all their connections to this node, which outlives them.
//!
//! All that is kept of a bucket is the moment at which it will be full. So taking is one atomic step without a lock, and of two
//! buckets the emptier one is the larger number.
//!
//! Rules: who comes back finds what they left. Where a budget stood is kept in a table of fixed size, in a cell that is drawn
//! for the user anew with each start. Who shares a cell with somebody that left with less starts with as little: they may get
//! too few tokens for as long as it takes to fill a bucket, seconds of most and an hour of new groups, and nobody ever gets too many.

mod kind;

pub use kind::Kind;

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use anser_proto::{ConversationId, UserId};
use anser_store::{NewMessage, What};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use crate::{config::Limits, debts::Debts, rate::Rate};

/// Users who left lately are told apart by so many cells: 1 408 KiB.
const CELLS: usize = 16_384;
/// A user's logins at once, after a silence: each device may come so often, but never fewer than these; and then so many a second.
const LOGINS_OF_A_DEVICE: u32 = 4;
const LOGINS_AT_ONCE_MIN: u32 = 100;
const LOGINS_PER_S: u32 = 10;
/// Users whose logins are remembered: about a megabyte.
const LOGINS_REMEMBERED: usize = 16_384;
/// Conversations of which it is remembered how much was said in them lately: about as much.
const CONVERSATIONS_REMEMBERED: usize = 16_384;
/// Large frames that come at one time. Each holds at most 512 KiB, so together 64 MiB; who finds no place is not read from meanwhile.
const LARGE_FRAMES_MAX: usize = 128;
/// So that it takes many users to hold up all others.
const LARGE_FRAMES_OF_A_USER_MAX: usize = 2;
/// An answer that is no larger needs no room of its own.
pub const SMALL_ANSWER_BYTES: usize = 64 * 1024;
/// What larger ones hold until they are written: some fifty pages, or 25 of the largest. They cost the process twice as much: a page is read
/// on one thread and encoded on another, and the allocator keeps for each thread what it had most of.
const LARGE_ANSWERS_BYTES_MAX: usize = 16 << 20;
/// Three of the largest pages.
const LARGE_ANSWERS_OF_A_USER_BYTES_MAX: usize = 2 << 20;

/// When it will be full, in nanoseconds since the server's start.
#[derive(Default)]
struct Bucket(AtomicU64);

impl Bucket {
    /// Takes so many, or tells how long until there are enough. What costs more than the bucket holds takes a full one.
    fn take(&self, rate: Rate, cost: u32, now_ns: u64) -> Result<(), Duration> {
        let after = |full_at: u64| rate.take(full_at.saturating_sub(now_ns), rate.cost(cost));
        let taken =
            self.0.fetch_update(Relaxed, Relaxed, |full_at| after(full_at).ok().map(|owed_ns| now_ns + owed_ns));
        taken.map_or_else(|full_at| after(full_at).map(drop), |_| Ok(()))
    }

    fn owe(&self, rate: Rate, cost: u32, now_ns: u64) {
        let _ = self.0.fetch_update(Relaxed, Relaxed, |full_at| Some(full_at.max(now_ns) + rate.cost(cost)));
    }
}

/// Of one user.
pub struct Budget {
    rates: Arc<Rates>,
    buckets: [Bucket; Kind::COUNT],
    large_frames: Arc<Semaphore>,
    large_frames_of_all: Arc<Semaphore>,
    large_answers: Arc<Semaphore>,
    large_answers_of_all: Arc<Semaphore>,
}

/// Room for a large answer, from before it is read until it is written.
pub struct LargeAnswer {
    of_user: OwnedSemaphorePermit,
    of_all: OwnedSemaphorePermit,
}

/// A place for a large frame while it comes.
pub struct LargeFrame {
    _of_user: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
}

struct Rates {
    start: Instant,
    /// Of each kind, in their order.
    rates: [Rate; Kind::COUNT],
}

impl Rates {
    fn since_start(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.start).as_nanos()).unwrap_or(u64::MAX / 2)
    }
}

impl Budget {
    /// Takes what something costs, or tells how long until that may be had. What costs more than there ever is takes all of it.
    pub fn take(&self, kind: Kind, cost: u32, now: Instant) -> Result<(), Duration> {
        self.buckets[kind as usize].take(self.rates.rates[kind as usize], cost, self.rates.since_start(now))
    }

    /// Returns when the user may send a large frame: the next one of those who wait, if it is not dropped.
    pub async fn large_frame(self: Arc<Self>) -> LargeFrame {
        let place = async |places: &Arc<Semaphore>| Arc::clone(places).acquire_owned().await.expect("never closed");
        LargeFrame { _of_user: place(&self.large_frames).await, _of_all: place(&self.large_frames_of_all).await }
    }

    /// Takes what cannot be known before: the next requests wait until it is paid.
    pub fn owe(&self, cost: u32, now: Instant) {
        let of = Kind::Requests as usize;
        self.buckets[of].owe(self.rates.rates[of], cost, self.rates.since_start(now));
    }

    /// Has room for an answer of so many bytes, what it has already included. Nobody waits for it: false when there is none.
    pub fn find_room(&self, room: &mut Option<LargeAnswer>, bytes: usize) -> bool {
        let lacking = bytes.saturating_sub(room.as_ref().map_or(0, |room| room.of_all.num_permits()));
        if bytes <= SMALL_ANSWER_BYTES || lacking == 0 {
            return true;
        }
        let take = |places: &Arc<Semaphore>| {
            Arc::clone(places).try_acquire_many_owned(u32::try_from(lacking).unwrap_or(u32::MAX)).ok()
        };
        let Some((of_user, of_all)) = take(&self.large_answers).zip(take(&self.large_answers_of_all)) else {
            return false;
        };
        match room {
            Some(room) => {
                room.of_user.merge(of_user);
                room.of_all.merge(of_all);
            }
            None => *room = Some(LargeAnswer { of_user, of_all }),
        }
        true
    }

    /// Counts a request that was refused; false once the user does not listen to refusals.
    pub fn bear_refusal(&self, now: Instant) -> bool {
        self.take(Kind::Refusals, 1, now).is_ok()
    }
}

/// Where users' budgets come from, and what is remembered of those who left.
pub struct Budgets {
    rates: Arc<Rates>,
    hasher: RandomState,
    large_frames: Arc<Semaphore>,
    large_answers: Arc<Semaphore>,
    left: Box<[[AtomicU64; Kind::COUNT]]>,
}

impl Budgets {
    pub fn new(limits: &Limits, start: Instant) -> Self {
        let rates = Arc::new(Rates { start, rates: Kind::rates(limits) });
        let left = (0..CELLS).map(|_| Default::default()).collect();
        let large_frames = Arc::new(Semaphore::new(LARGE_FRAMES_MAX));
        let large_answers = Arc::new(Semaphore::new(LARGE_ANSWERS_BYTES_MAX));
        Self { rates, hasher: RandomState::new(), large_frames, large_answers, left }
    }

    pub fn of(&self, user: UserId) -> Budget {
        Budget {
            rates: Arc::clone(&self.rates),
            buckets: self.cell(user).each_ref().map(|full_at| Bucket(full_at.load(Relaxed).into())),
            large_frames: Arc::new(Semaphore::new(LARGE_FRAMES_OF_A_USER_MAX)),
            large_frames_of_all: Arc::clone(&self.large_frames),
            large_answers: Arc::new(Semaphore::new(LARGE_ANSWERS_OF_A_USER_BYTES_MAX)),
            large_answers_of_all: Arc::clone(&self.large_answers),
        }
    }

    /// Bytes that large answers hold now.
    pub fn large_answers(&self) -> usize {
        LARGE_ANSWERS_BYTES_MAX - self.large_answers.available_permits()
    }

    /// The user left this node. A turn of theirs that is still under way is not remembered.
    pub fn remember(&self, user: UserId, budget: &Budget) {
        for (cell, bucket) in self.cell(user).iter().zip(&budget.buckets) {
            cell.fetch_max(bucket.0.load(Relaxed), Relaxed);
        }
    }

    fn cell(&self, user: UserId) -> &[AtomicU64; Kind::COUNT] {
        let cell = self.hasher.hash_one(user) % CELLS as u64;
        &self.left[usize::try_from(cell).expect("below the number of cells")]
    }
}

/// How often users may log in to this node: far more often than any device that just connects again, and not in a loop. Apart from
/// their requests, so that a device that asks for too much does not keep the others out.
pub struct Logins {
    debts: Debts,
    rate: Rate,
}

impl Logins {
    pub fn new(limits: &Limits) -> Self {
        let at_once = limits.devices_per_user.saturating_mul(LOGINS_OF_A_DEVICE).max(LOGINS_AT_ONCE_MIN);
        Self { debts: Debts::new(LOGINS_REMEMBERED), rate: Rate::new(LOGINS_PER_S, at_once) }
    }

    /// Lets a user log in, or tells how long until they may.
    pub fn admit(&self, user: UserId, now: Instant) -> Result<(), Duration> {
        self.debts.charge(user, self.rate, now)
    }
}

/// How much all together may say in a conversation, as far as this node stores it.
pub struct Conversations {
    debts: Debts,
    sends: Rate,
    reactions: Rate,
}

impl Conversations {
    pub fn new(limits: &Limits) -> Self {
        let rate = |per_s: u32| Rate::new(per_s, per_s.saturating_mul(kind::BURST_S));
        Self {
            debts: Debts::new(CONVERSATIONS_REMEMBERED),
            sends: rate(limits.conversation_sends_per_s),
            reactions: rate(limits.conversation_reactions_per_s),
        }
    }

    /// Takes one more, or tells how long until it may be said.
    pub fn admit(&self, new: &NewMessage) -> Result<(), Duration> {
        self.rate_of(new).map_or(Ok(()), |rate| self.debts.charge(debtor(new), rate, Instant::now()))
    }

    /// Gives it back: nothing was said.
    pub fn forgive(&self, new: &NewMessage) {
        if let Some(rate) = self.rate_of(new) {
            self.debts.forgive(debtor(new), rate, Instant::now());
        }
    }

    /// Messages and reactions are counted, each by themselves: what else is said is bounded for each user, and no storm keeps anybody from recalling
    /// something.
    fn rate_of(&self, new: &NewMessage) -> Option<Rate> {
        let rate = match new.change.as_ref().map(|change| &change.what) {
            None => self.sends,
            Some(What::React) => self.reactions,
            Some(What::Recall | What::Edit { .. } | What::Pin | What::Unpin) => return None,
        };
        Some(rate).filter(|rate| !rate.is_unbounded())
    }
}

fn debtor(new: &NewMessage) -> (ConversationId, bool) {
    (new.conversation, new.change.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: UserId = UserId(7);

    fn budgets(requests_per_s: u32, requests_burst: u32, start: Instant) -> Budgets {
        Budgets::new(&Limits { requests_per_s, requests_burst, ..Limits::default() }, start)
    }

    fn taken(budget: &Budget, cost: u32, now: Instant) -> usize {
        (0..2_000).take_while(|_| budget.take(Kind::Requests, cost, now).is_ok()).count()
    }

    #[test]
    fn a_budget_gives_its_burst_and_then_its_rate() {
        let start = Instant::now();
        let budget = budgets(10, 3, start).of(ADA);
        assert_eq!(taken(&budget, 1, start), 3);
        assert_eq!(budget.take(Kind::Requests, 1, start), Err(Duration::from_millis(100)));
        assert_eq!(budget.take(Kind::Requests, 1, start + Duration::from_millis(100)), Ok(()));
        assert_eq!(taken(&budget, 1, start + Duration::from_secs(60)), 3);
        assert_eq!(taken(&budgets(0, 0, start).of(ADA), 9, start), 2_000, "no bound");
    }

    #[test]
    fn what_costs_more_takes_more_and_what_costs_more_than_all_takes_all() {
        let start = Instant::now();
        let budgets = budgets(10, 100, start);
        assert_eq!(taken(&budgets.of(ADA), 30, start), 3);
        let budget = budgets.of(ADA);
        assert_eq!(taken(&budget, 501, start), 1);
        assert_eq!(budget.take(Kind::Requests, 501, start), Err(Duration::from_secs(10)));
        assert_eq!(budget.take(Kind::Requests, 1, start), Err(Duration::from_millis(100)));
    }

    #[test]
    fn who_leaves_and_comes_back_finds_what_they_left_and_in_time_a_full_budget() {
        let start = Instant::now();
        let budgets = budgets(1, 10, start);
        for (came_s, left) in [(0, 10), (0, 0), (4, 4), (60, 10)] {
            let (budget, now) = (budgets.of(ADA), start + Duration::from_secs(came_s));
            assert_eq!(taken(&budget, 1, now), left, "after {came_s} s");
            budgets.remember(ADA, &budget);
        }
        // Of two that left, the emptier one counts.
        budgets.remember(ADA, &budgets.of(UserId(8)));
        assert_eq!(taken(&budgets.of(ADA), 1, start + Duration::from_secs(60)), 0);
    }

    #[test]
    fn what_was_not_known_before_is_owed_and_paid_in_time() {
        let start = Instant::now();
        let budget = budgets(10, 3, start).of(ADA);
        assert_eq!(taken(&budget, 1, start), 3);
        budget.owe(3, start);
        assert_eq!(budget.take(Kind::Requests, 1, start), Err(Duration::from_millis(400)));
        assert_eq!(budget.take(Kind::Requests, 1, start + Duration::from_millis(400)), Ok(()));
    }

    #[test]
    fn large_answers_of_a_user_and_of_all_find_so_much_room() {
        let budgets = budgets(10, 3, Instant::now());
        let hold = |budget: &Budget, bytes| {
            let mut room = None;
            budget.find_room(&mut room, bytes).then_some(room)
        };
        let fill = |budget: &Budget| std::iter::from_fn(|| hold(budget, 512 << 10)).collect::<Vec<_>>();
        let ada = budgets.of(ADA);
        let mut of_ada = fill(&ada);
        assert_eq!((of_ada.len(), budgets.large_answers()), (4, 2 << 20));
        assert!(hold(&ada, SMALL_ANSWER_BYTES).is_some_and(|room| room.is_none()), "small ones need none");
        of_ada.pop();
        let mut room = None;
        assert!([300 << 10, 512 << 10].iter().all(|bytes| ada.find_room(&mut room, *bytes)), "it counts once");
        assert!(!ada.find_room(&mut room, 513 << 10));

        let others: Vec<_> = (8..100).map(|user| budgets.of(UserId(user))).collect();
        let of_others: Vec<_> = others.iter().flat_map(fill).collect();
        assert_eq!((of_others.len(), budgets.large_answers()), (28, 16 << 20));
        drop((of_ada, room, of_others));
        assert_eq!(budgets.large_answers(), 0);
    }

    #[test]
    fn what_is_remembered_does_not_grow() {
        let budgets = budgets(1, 10, Instant::now());
        for user in 1..=3 * CELLS as u64 {
            budgets.remember(UserId(user), &budgets.of(UserId(user)));
        }
        assert_eq!(budgets.left.len(), CELLS);
    }
}
