//! Sender FIFO (P4) on one connection: what failed for now is not overtaken by what was sent behind it.
//!
//! A client pipelines: by the time it learns that a message failed, those behind it are under way. Hence:
//!
//! 1. In a conversation in which a message failed for now, nothing passes but the first that did.
//! 2. Once that one is settled, stored or refused for good, everything passes: the client sends again what came behind it.
//! 3. Other conversations are not held up.
//! 4. Failures are remembered in [`WAITING_MAX`] conversations. One more cannot be kept, and must not be forgotten, or the
//!    next message there would overtake it. From then on nothing passes but what is remembered, and the connection has to
//!    end: on a new one the client sends again, in order, whatever was not acknowledged.

use std::collections::HashMap;

use anser_proto::{ClientMsgId, ConversationId};

/// 256 conversations that wait for a retry take 40 KiB. As many messages does the SDK have under way in all.
const WAITING_MAX: usize = if cfg!(test) { 4 } else { 256 };

/// Of each conversation in which a send failed for now: the first that did.
#[derive(Default)]
pub struct Fifo {
    failed: HashMap<ConversationId, ClientMsgId>,
    overflowed: bool,
}

impl Fifo {
    /// Whether a message may be stored now, as far as order goes.
    pub fn may_pass(&self, conversation: ConversationId, client_msg_id: &ClientMsgId) -> bool {
        match self.failed.get(&conversation) {
            Some(first) => first == client_msg_id,
            None => !self.overflowed,
        }
    }

    /// To be told of every outcome, in the order of the sends.
    pub fn settle(&mut self, conversation: ConversationId, client_msg_id: &ClientMsgId, failed_for_now: bool) {
        match self.failed.get(&conversation) {
            Some(first) if !failed_for_now && first == client_msg_id => _ = self.failed.remove(&conversation),
            None if failed_for_now && self.failed.len() >= WAITING_MAX => self.overflowed = true,
            None if failed_for_now => _ = self.failed.insert(conversation, client_msg_id.clone()),
            _ => {}
        }
    }

    /// A failure could not be remembered: the connection has to end.
    pub fn has_overflowed(&self) -> bool {
        self.overflowed
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, VecDeque};

    use anser_proto::GroupId;
    use proptest::prelude::*;

    use super::*;

    fn id(number: usize) -> ClientMsgId {
        format!("m-{number}").parse().expect("visible ASCII")
    }

    fn at(number: usize) -> ConversationId {
        ConversationId::Group(GroupId(number as u64 + 1))
    }

    fn with_failures(conversations: usize) -> Fifo {
        let mut fifo = Fifo::default();
        (0..conversations).for_each(|number| fifo.settle(at(number), &id(1), true));
        fifo
    }

    #[test]
    fn behind_a_failure_nothing_passes_but_the_first_that_failed() {
        let mut fifo = with_failures(1);
        fifo.settle(at(0), &id(2), true);
        assert!(fifo.may_pass(at(0), &id(1)));
        assert!(!fifo.may_pass(at(0), &id(2)) && !fifo.may_pass(at(0), &id(3)));
        fifo.settle(at(0), &id(1), true);
        assert!(!fifo.may_pass(at(0), &id(2)), "it failed again");
    }

    #[test]
    fn once_the_first_is_settled_everything_passes() {
        let mut fifo = with_failures(1);
        fifo.settle(at(0), &id(2), false);
        assert!(!fifo.may_pass(at(0), &id(3)), "another one was settled");
        fifo.settle(at(0), &id(1), false);
        assert!(fifo.may_pass(at(0), &id(2)) && fifo.may_pass(at(0), &id(3)));
    }

    #[test]
    fn other_conversations_are_not_held_up() {
        let fifo = with_failures(WAITING_MAX);
        assert!(fifo.may_pass(at(WAITING_MAX), &id(1)) && !fifo.has_overflowed());
    }

    #[test]
    fn a_failure_too_many_is_not_kept_and_lets_nothing_pass_but_what_is_remembered() {
        let mut fifo = with_failures(WAITING_MAX + 10);
        assert!(fifo.has_overflowed());
        assert_eq!(fifo.failed.len(), WAITING_MAX);
        assert!(fifo.may_pass(at(0), &id(1)));
        fifo.settle(at(0), &id(1), false);
        let forgotten = at(WAITING_MAX + 1);
        assert!(!fifo.may_pass(forgotten, &id(2)), "it would overtake the one that failed");
    }

    /// A client as the protocol wants it, its wire, and a store that fails as it likes.
    #[derive(Default)]
    struct Line {
        fifo: Fifo,
        /// Of each conversation: messages made, and the next to be transmitted; those before `acknowledged` are done.
        lanes: HashMap<usize, Lane>,
        wire: VecDeque<(usize, usize, u32)>,
        answers: VecDeque<(usize, usize, u32, bool)>,
        stored: HashMap<usize, Vec<usize>>,
    }

    #[derive(Default)]
    struct Lane {
        made: usize,
        next: usize,
        acknowledged: usize,
        attempts: HashMap<usize, u32>,
    }

    impl Line {
        /// Transmits the next message of the conversation, a new one if all that were made are under way.
        fn transmit(&mut self, conversation: usize) {
            let lane = self.lanes.entry(conversation).or_default();
            lane.made = lane.made.max(lane.next + 1);
            let attempt = lane.attempts.entry(lane.next).or_default();
            *attempt += 1;
            self.wire.push_back((conversation, lane.next, *attempt));
            lane.next += 1;
        }

        fn take_up(&mut self, store_fails: bool) {
            let Some((conversation, message, attempt)) = self.wire.pop_front() else { return };
            let passes = self.fifo.may_pass(at(conversation), &id(message));
            let failed = !passes || store_fails;
            self.fifo.settle(at(conversation), &id(message), failed);
            if !failed {
                self.stored.entry(conversation).or_default().push(message);
            }
            self.answers.push_back((conversation, message, attempt, failed));
            if self.fifo.has_overflowed() {
                self.reconnect();
            }
        }

        fn learn(&mut self) {
            let Some((conversation, message, attempt, failed)) = self.answers.pop_front() else { return };
            let lane = self.lanes.entry(conversation).or_default();
            if !failed {
                lane.acknowledged = message + 1;
            } else if lane.attempts.get(&message) == Some(&attempt) {
                lane.next = lane.next.min(message);
            }
        }

        /// What was answered before the end is read; the rest is sent again.
        fn reconnect(&mut self) {
            while !self.answers.is_empty() {
                self.learn();
            }
            self.wire.clear();
            self.fifo = Fifo::default();
            self.lanes.values_mut().for_each(|lane| lane.next = lane.acknowledged);
        }
    }

    proptest! {
        #[test]
        fn what_one_connection_sends_is_stored_in_its_order_whatever_fails(
            steps in prop::collection::vec((0..3_u8, 0..WAITING_MAX + 3, prop::bool::weighted(0.3)), 0..400)
        ) {
            let mut line = Line::default();
            for (step, conversation, store_fails) in steps {
                match step {
                    0 => line.transmit(conversation),
                    1 => line.take_up(store_fails),
                    _ => line.learn(),
                }
                prop_assert!(line.fifo.failed.len() <= WAITING_MAX);
            }
            for (conversation, stored) in line.stored {
                let in_order: Vec<usize> = (0..stored.len()).collect();
                prop_assert_eq!(stored, in_order, "in conversation {}", conversation);
            }
        }
    }
}
