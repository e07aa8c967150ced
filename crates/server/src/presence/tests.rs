//! What is shown of those who come and go.

use Settled::{Seen, Shown};
use State::{Active, Away};

use super::*;

const ADA: UserId = UserId(7);
const ONE: NodeId = NodeId(1);
const TWO: NodeId = NodeId(2);

/// A board, and a clock that goes on when it is told.
struct Play {
    board: Board,
    begun: Instant,
    now: Instant,
}

impl Play {
    fn begin() -> Self {
        let begun = Instant::now();
        Self { board: Board::default(), begun, now: begun }
    }

    fn tell(&mut self, node: NodeId, state: Option<State>) {
        self.board.tell(node, ADA, state, self.now);
    }

    /// What is shown meanwhile, and after how many seconds from the beginning.
    fn pass(&mut self, seconds: u64) -> Vec<(u64, Option<State>)> {
        let settled = self.settled(seconds);
        settled
            .into_iter()
            .filter_map(|(at, what)| if let Shown(_, state) = what { Some((at, state)) } else { None })
            .collect()
    }

    fn settled(&mut self, seconds: u64) -> Vec<(u64, Settled)> {
        let mut all = Vec::new();
        for second in 0..=seconds {
            let now = self.now + Duration::from_secs(second);
            let at = (now - self.begun).as_secs();
            all.extend(self.board.settle(now).into_iter().map(|what| (at, what)));
        }
        self.now += Duration::from_secs(seconds);
        all
    }
}

#[test]
fn who_comes_is_shown_at_once_and_who_goes_after_half_a_minute() {
    let mut play = Play::begin();
    play.tell(ONE, Some(Active));
    assert_eq!(play.pass(20), [(0, Some(Active))]);
    play.tell(ONE, None);
    assert_eq!(play.pass(29), []);
    assert_eq!(play.pass(1), [(50, None)]);
    // They are on their way to another node.
    play.tell(TWO, Some(Active));
    assert_eq!(play.pass(20), [(60, Some(Active))]);
    play.tell(TWO, None);
    assert_eq!(play.pass(20), []);
    play.tell(ONE, Some(Active));
    assert_eq!(play.pass(50), []);
}

#[test]
fn a_user_is_what_the_best_of_their_connections_is() {
    let mut play = Play::begin();
    play.tell(ONE, Some(Away));
    play.tell(TWO, Some(Active));
    assert_eq!(play.pass(15), [(0, Some(Active))]);
    play.tell(TWO, Some(Away));
    assert_eq!(play.pass(15), [(15, Some(Away))]);
    play.tell(ONE, None);
    assert_eq!(play.pass(15), []);
}

#[test]
fn a_thousand_flaps_a_second_are_told_of_once_in_ten_seconds() {
    let (mut play, mut told) = (Play::begin(), Vec::new());
    for flap in 0..100_000_u64 {
        let now = play.begun + Duration::from_millis(flap);
        let state = [Some(Active), Some(Away), None][flap as usize % 3];
        play.board.tell(if flap % 2 == 0 { ONE } else { TWO }, ADA, state, now);
        told.extend(play.board.settle(now));
    }
    assert!((2..=10).contains(&told.len()), "in 100 seconds: {told:?}");
    // The last value wins.
    play.now = play.begun + Duration::from_secs(100);
    play.tell(ONE, Some(Away));
    play.tell(TWO, None);
    play.pass(10);
    assert_eq!(play.board.shown(ADA), Some(Away));
    assert!(play.board.due.len() <= 2, "{}", play.board.due.len());
}

#[test]
fn of_whom_a_node_says_nothing_any_more_they_are_offline_after_a_minute() {
    let mut play = Play::begin();
    play.tell(ONE, Some(Active));
    play.tell(TWO, Some(Away));
    play.pass(20);
    play.tell(TWO, Some(Away));
    assert_eq!(play.pass(40), [(60, Some(Away))], "the other one has them yet");
    let ended = play.settled(60);
    assert_eq!(ended, [(80, Shown(ADA, None)), (80, Seen(ADA, play.begun + Duration::from_secs(20)))]);
    assert_eq!(play.pass(10), []);
    assert!(play.board.users.is_empty() && play.board.due.is_empty(), "nothing is left");
}

#[test]
fn who_leaves_a_node_after_another_one_died_has_half_a_minute() {
    let mut play = Play::begin();
    play.tell(ONE, Some(Active));
    play.pass(40);
    play.tell(TWO, Some(Active));
    play.pass(15);
    play.tell(TWO, None);
    assert_eq!(play.pass(29), [], "though the first node is forgotten meanwhile");
    assert_eq!(play.pass(1), [(85, None)]);
}

#[test]
fn that_somebody_is_there_is_remembered_once_an_hour_and_at_their_end() {
    let (mut play, mut seen) = (Play::begin(), Vec::new());
    for _ in 0..3 * 3600 / 20 {
        play.tell(ONE, Some(Active));
        seen.extend(play.settled(20).into_iter().filter(|(_, what)| matches!(what, Seen(..))));
    }
    assert_eq!(seen.iter().map(|(at, _)| at / 3600).collect::<Vec<_>>(), [1, 2, 3]);
    play.tell(ONE, None);
    let left = play.now;
    assert_eq!(play.settled(30)[1].1, Seen(ADA, left));
}

#[test]
fn who_was_never_shown_leaves_nothing_behind() {
    let mut play = Play::begin();
    play.tell(ONE, None);
    play.tell(ONE, Some(Active));
    play.tell(ONE, None);
    assert_eq!(play.pass(60), []);
    assert!(play.board.users.is_empty() && play.board.due.is_empty());
}
