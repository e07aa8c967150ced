//! Many writes share a transaction, and one of them is to blame for its failure: it fails, and the others are done.

use std::sync::{
    Arc, Condvar, Mutex,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use anser_proto::{ConversationId, GroupId, UserId};
use anser_store::{
    Appended, Error, Failure, MembersAction, MembersChange, NewMessage, Options, Sequencer, Store,
    sequencer::HeadSequencer,
};
use async_trait::async_trait;
use futures_util::future::join_all;
use tokio::sync::Notify;

use crate::{
    damage::{Hand, village},
    talk::{common, group, send, sender, single, text},
};

/// A clock that stands still until all writes wait, and then breaks when it is asked for the n-th time.
#[derive(Default)]
struct Gate {
    is_shut: Mutex<bool>,
    opened: Condvar,
    reached: Notify,
    asked: AtomicU64,
    breaks_at: Mutex<Vec<u64>>,
}

impl Gate {
    fn options(self: &Arc<Self>) -> Options {
        let (gate, time) = (self.clone(), common().clock);
        let clock = Arc::new(move || {
            gate.pass();
            time()
        });
        Options { clock, ..common() }
    }

    fn pass(&self) {
        let mut is_shut = self.is_shut.lock().expect("no panic with it");
        if *is_shut {
            self.reached.notify_one();
            while *is_shut {
                is_shut = self.opened.wait(is_shut).expect("no panic with it");
            }
            return;
        }
        drop(is_shut);
        let asked = self.asked.fetch_add(1, Relaxed) + 1;
        let breaks = self.breaks_at.lock().expect("no panic with it").contains(&asked);
        assert!(!breaks, "the clock breaks");
    }

    fn set(&self, shut: bool) {
        *self.is_shut.lock().expect("no panic with it") = shut;
        self.opened.notify_all();
    }

    /// All of them wait before the first is taken, behind one that stands in the gate.
    async fn together(&self, store: &dyn Store, messages: Vec<NewMessage>) -> Vec<Result<Appended, Error>> {
        self.set(true);
        self.asked.store(0, Relaxed);
        let rest = async {
            self.reached.notified().await;
            let open = async { self.set(false) };
            tokio::join!(join_all(messages.into_iter().map(|message| send(store, message))), open).0
        };
        let (first, rest) = tokio::join!(send(store, text(5, single(5, 5), &uuid())), rest);
        first.expect("stored");
        rest
    }
}

fn uuid() -> String {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    format!("first-{}", NUMBER.fetch_add(1, Relaxed))
}

/// Of one person to themselves and to others, none twice in a place.
fn crowd(round: &str) -> Vec<NewMessage> {
    let all: [(u64, ConversationId); 8] = [
        (4, single(4, 4)),
        (1, single(1, 2)),
        (4, single(3, 4)),
        (1, group(10)),
        (2, group(10)),
        (3, group(10)),
        (1, single(1, 1)),
        (2, single(2, 4)),
    ];
    all.into_iter().map(|(from, to)| text(from, to, &format!("{round}-{from}-{to}"))).collect()
}

/// Which of the crowd were not stored, and why.
fn failed(answers: &[Result<Appended, Error>]) -> Vec<(usize, String)> {
    let failed = answers.iter().enumerate().filter_map(|(at, answer)| match answer {
        Ok(place) => {
            assert!(!place.duplicate);
            None
        }
        Err(Error::Failed(Failure::Damaged(why) | Failure::Failed(why))) => Some((at, why.clone())),
        Err(error) => panic!("{error}"),
    });
    failed.collect()
}

#[derive(PartialEq, Eq, Debug)]
struct Cost {
    commits: u64,
    damaged: u64,
}

/// Plays the crowd on a store that was damaged while it was closed, and expects that the writes at these places fail, for such a reason. What
/// failed is tried again in vain, and nothing else is.
async fn check(hand: &dyn Hand, round: &str, expected: &[usize], why: &str) -> Cost {
    let gate = Arc::<Gate>::default();
    let store = hand.open_with(gate.options(), Arc::new(HeadSequencer::new())).await;
    let before = store.stats();
    let answers = gate.together(&*store, crowd(round)).await;
    let after = store.stats();
    let cost = Cost { commits: after.commits - before.commits, damaged: after.damaged };
    let failures = failed(&answers);
    assert_eq!(failures.iter().map(|(at, _)| *at).collect::<Vec<_>>(), expected, "{failures:?}");
    assert!(failures.iter().all(|(_, told)| told.contains(why)), "{failures:?}");
    for (at, (message, answer)) in crowd(round).into_iter().zip(&answers).enumerate() {
        match (send(&*store, message).await, answer) {
            (Ok(again), Ok(first)) => {
                assert!(again.duplicate && again.server_msg_id == first.server_msg_id, "{at}: {again:?}");
            }
            (again, first) => assert!(again.is_err() && first.is_err(), "{at}: {again:?}"),
        }
    }
    store.close().await;
    cost
}

pub async fn a_damaged_row_fails_the_write_that_needs_it_and_no_other(hand: &dyn Hand) {
    village(hand).await.close().await;
    hand.run("UPDATE im_group_member SET role = 9 WHERE user_id = 2").await;
    // One before them, and one of them all: it costs the others nothing.
    assert_eq!(check(hand, "role", &[4], "im_group_member").await, Cost { commits: 2, damaged: 1 });
    hand.spoil("im_group", "name", "group_id = 10").await;
    assert_eq!(check(hand, "name", &[3, 4, 5], "im_group").await, Cost { commits: 2, damaged: 3 });
}

pub async fn a_head_behind_its_log_fails_who_writes_there_and_no_other(hand: &dyn Hand) {
    village(hand).await.close().await;
    hand.run("UPDATE im_conversation SET server_msg_id = server_msg_id - 1 WHERE small_id = 1 AND big_id = 2").await;
    assert_eq!(check(hand, "head", &[1], "there already").await.damaged, 1);
}

pub async fn what_the_database_refuses_to_write_fails_alone(hand: &dyn Hand) {
    village(hand).await.close().await;
    hand.jam(3).await;
    check(hand, "jam", &[2], "jammed").await;
}

/// The notice of somebody's going is stored before it turns out that they have no mailbox.
pub async fn a_refusal_that_comes_too_late_leaves_nothing_behind(hand: &dyn Hand) {
    village(hand).await.close().await;
    hand.run("DELETE FROM im_mailbox WHERE user_id = 2").await;
    let store = hand.open().await;
    let action = MembersAction::Remove(vec![UserId(2)]);
    let change = MembersChange { group: GroupId(10), operator: sender(1), action, login_version: 0 };
    let removed = store.change_members(change).await;
    assert!(removed.is_err(), "{removed:?}");
    send(&*store, text(1, group(10), "after")).await.expect("the log of the group is whole");
    store.close().await;
}

/// `breaks` says when the clock is asked for a write of the crowd: in the transaction of all, and in its own.
pub async fn a_panic_fails_the_write_that_it_was_at_and_no_other(
    hand: &dyn Hand,
    breaks: &(dyn Fn(u64) -> [u64; 2] + Sync),
) {
    let gate = Arc::<Gate>::default();
    village(hand).await.close().await;
    let store = hand.open_with(gate.options(), Arc::new(HeadSequencer::new())).await;
    for at in 1..=crowd("").len() {
        let crowd = crowd(&at.to_string());
        *gate.breaks_at.lock().expect("no panic with it") = breaks(at as u64).to_vec();
        let answers = gate.together(&*store, crowd.clone()).await;
        assert_eq!(failed(&answers), [(at - 1, "the writer panicked".to_owned())]);
        gate.breaks_at.lock().expect("no panic with it").clear();
        for (n, message) in crowd.into_iter().enumerate() {
            let again = send(&*store, message).await.expect("stored");
            assert_eq!(again.duplicate, n != at - 1);
        }
        *gate.breaks_at.lock().expect("no panic with it") = breaks(at as u64)[..1].to_vec();
        let once = gate.together(&*store, self::crowd(&format!("{at}-once"))).await;
        assert_eq!(failed(&once), [], "alone it does not panic");
    }
    store.close().await;
}

struct Broken;

#[async_trait]
impl Sequencer for Broken {
    async fn reserve(&self, _: ConversationId, _: u32) -> Result<u64, Failure> {
        panic!("the sequencer breaks")
    }

    async fn reset(&self, _: ConversationId, _: u64) -> Result<(), Failure> {
        panic!("the sequencer breaks")
    }
}

pub async fn a_panic_behind_the_commit_takes_back_no_answer(hand: &dyn Hand) {
    village(hand).await.close().await;
    let gate = Arc::<Gate>::default();
    let store = hand.open_with(gate.options(), Arc::new(Broken)).await;
    for round in ["one", "two", "three"] {
        assert_eq!(failed(&gate.together(&*store, crowd(round)).await), []);
    }
    store.close().await;
}
