//! Questions to other nodes, and whom it is no use to ask now.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anser_store::{Appended, Error};
use tokio::{
    sync::oneshot,
    time::{Instant, timeout},
};

use super::{
    NodeId,
    bounded::Room,
    counts::{Counts, Dropped},
    seen::Seen,
};

/// A node that does not answer is passed over: long before a sender loses patience.
pub(super) const ANSWER_MAX_MS: u64 = 1_000;
/// Bytes of questions that wait for their answer; what comes on top is not asked.
const WAITING_BYTES_MAX: usize = 64 << 20;
/// After that it is asked nothing for as long as a dead node is taken for live.
const SUSPECT_FOR: Duration = Duration::from_secs(5);

pub type Outcomes = Vec<Result<Appended, Error>>;

/// What came of a question.
#[derive(PartialEq, Eq, Debug)]
pub enum Answer {
    Given(Outcomes),
    /// It was asked, and may be done yet.
    Silence,
    NotAsked,
}

pub struct Calls {
    inner: Mutex<Inner>,
    room: Room,
    counts: Counts,
}

#[derive(Default)]
struct Inner {
    next: u64,
    waiting: HashMap<u64, oneshot::Sender<Outcomes>>,
    suspects: HashMap<NodeId, Instant>,
    /// Nodes that said goodbye: they do not come back.
    gone: Seen,
}

impl Calls {
    pub fn new(counts: Counts) -> Self {
        Self { inner: Mutex::default(), room: Room::new(WAITING_BYTES_MAX), counts }
    }

    /// `ask` is given the number that the answer will bear, and tells whether the question, of so many bytes, is on its way.
    pub async fn ask(&self, node: NodeId, bytes: usize, ask: impl FnOnce(u64) -> bool) -> Answer {
        let Some(_held) = self.room.hold(bytes) else {
            self.counts.dropped(Dropped::TooManyAsked);
            return Answer::NotAsked;
        };
        let (answered_tx, answered) = oneshot::channel();
        let call = {
            let mut inner = self.lock();
            inner.next += 1;
            let call = inner.next;
            inner.waiting.insert(call, answered_tx);
            call
        };
        let _forgotten = Forgotten { calls: self, call };
        if !ask(call) {
            return Answer::NotAsked;
        }
        match timeout(Duration::from_millis(ANSWER_MAX_MS), answered).await {
            Ok(Ok(outcomes)) => Answer::Given(outcomes),
            Ok(Err(_)) | Err(_) => {
                self.suspect(node);
                Answer::Silence
            }
        }
    }

    pub fn answered(&self, from: NodeId, call: u64, outcomes: Outcomes) {
        let mut inner = self.lock();
        if let Some(waiting) = inner.waiting.remove(&call) {
            inner.suspects.remove(&from);
            // Whoever asked may have given up.
            let _ = waiting.send(outcomes);
        }
    }

    pub fn suspect(&self, node: NodeId) {
        let now = Instant::now();
        let mut inner = self.lock();
        inner.suspects.retain(|_, until| *until > now);
        inner.suspects.insert(node, now + SUSPECT_FOR);
    }

    /// It said that it ends: nothing is asked of it any more.
    pub fn left(&self, node: NodeId) {
        self.lock().gone.first(node.0);
    }

    pub fn is_suspect(&self, node: NodeId) -> bool {
        let inner = self.lock();
        inner.gone.contains(node.0) || inner.suspects.get(&node).is_some_and(|until| *until > Instant::now())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a question away when nobody waits for its answer any more.
struct Forgotten<'a> {
    calls: &'a Calls,
    call: u64,
}

impl Drop for Forgotten<'_> {
    fn drop(&mut self) {
        self.calls.lock().waiting.remove(&self.call);
    }
}

#[cfg(test)]
mod tests {
    use anser_store::Refusal;

    use super::*;

    const HOME: NodeId = NodeId(7);

    #[tokio::test(start_paused = true)]
    async fn who_does_not_answer_is_asked_nothing_for_a_while() {
        let calls = Calls::new(Counts::default());
        assert_eq!(calls.ask(HOME, 512, |_| true).await, Answer::Silence);
        assert!(calls.is_suspect(HOME) && !calls.is_suspect(NodeId(8)));
        assert!(calls.lock().waiting.is_empty());
        tokio::time::advance(SUSPECT_FOR).await;
        assert!(!calls.is_suspect(HOME));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_for_which_nobody_waits_any_more_clears_nobody() {
        let calls = Calls::new(Counts::default());
        let mut asked = 0;
        let asking = calls.ask(HOME, 512, |call| {
            asked = call;
            true
        });
        assert_eq!(asking.await, Answer::Silence);
        calls.answered(HOME, asked, Vec::new());
        assert!(calls.is_suspect(HOME));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_reaches_who_asked_and_clears_its_sender() {
        let calls = Calls::new(Counts::default());
        calls.suspect(HOME);
        let outcomes = vec![Err(Refusal::NotMember.into())];
        let answer = calls.ask(HOME, 512, |call| {
            calls.answered(HOME, call + 1, Vec::new());
            calls.answered(HOME, call, outcomes.clone());
            true
        });
        assert_eq!(answer.await, Answer::Given(outcomes));
        assert!(!calls.is_suspect(HOME));
    }

    #[tokio::test(start_paused = true)]
    async fn what_cannot_be_asked_is_not_waited_for_and_who_left_stays_away() {
        let (calls, begun) = (Calls::new(Counts::default()), Instant::now());
        assert_eq!(calls.ask(HOME, 512, |_| false).await, Answer::NotAsked);
        assert!(begun.elapsed().is_zero() && !calls.is_suspect(HOME));
        calls.left(HOME);
        calls.answered(HOME, 1, Vec::new());
        tokio::time::advance(2 * SUSPECT_FOR).await;
        assert!(calls.is_suspect(HOME));
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_leaves_nothing_behind() {
        let calls = Calls::new(Counts::default());
        let asking = calls.ask(HOME, 512, |_| true);
        assert!(timeout(Duration::from_millis(1), asking).await.is_err());
        assert!(calls.lock().waiting.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_is_asked_than_bytes_may_wait() {
        let calls = Calls::new(Counts::default());
        let half = WAITING_BYTES_MAX / 2 + 1;
        let (first, second) = tokio::join!(calls.ask(HOME, half, |_| true), calls.ask(HOME, half, |_| true));
        assert_eq!((first, second), (Answer::Silence, Answer::NotAsked));
        assert_eq!(calls.counts.dropped_for(Dropped::TooManyAsked), 1);
        assert_eq!(calls.ask(HOME, half, |_| true).await, Answer::Silence, "there is room again");
    }
}
