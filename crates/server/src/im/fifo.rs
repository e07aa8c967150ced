//! Sender FIFO (P4) on one connection: what failed for now is not overtaken by what was sent behind it.

use std::collections::HashMap;

use anser_proto::{ClientMsgId, ConversationId};

/// Conversations that wait for a retry. A client that leaves more behind may send nothing new until it has retried.
const WAITING_MAX: usize = 256;

/// Of each conversation in which a send failed for now: the first that did.
///
/// A client pipelines: by the time it learns that a message failed, those behind it are under way. They are refused
/// until that first one is sent again. Then all go on, since the client resends them behind it.
#[derive(Default)]
pub struct Fifo {
    failed: HashMap<ConversationId, ClientMsgId>,
}

impl Fifo {
    /// Whether a message may be stored now, as far as order goes.
    pub fn may_pass(&self, conversation: ConversationId, client_msg_id: &ClientMsgId) -> bool {
        match self.failed.get(&conversation) {
            Some(first) => first == client_msg_id,
            None => self.failed.len() < WAITING_MAX,
        }
    }

    /// To be told of every outcome, in the order of the sends.
    pub fn settle(&mut self, conversation: ConversationId, client_msg_id: &ClientMsgId, failed_for_now: bool) {
        if failed_for_now {
            self.failed.entry(conversation).or_insert_with(|| client_msg_id.clone());
        } else if self.failed.get(&conversation) == Some(client_msg_id) {
            self.failed.remove(&conversation);
        }
    }
}

#[cfg(test)]
mod tests {
    use anser_proto::GroupId;

    use super::*;

    #[test]
    fn nothing_overtakes_the_first_that_failed_until_it_is_settled() {
        let [first, second] = ["first", "second"].map(|id| id.parse::<ClientMsgId>().expect("visible ASCII"));
        let [here, there] = [1, 2].map(|id| ConversationId::Group(GroupId(id)));
        let mut fifo = Fifo::default();
        fifo.settle(here, &first, true);
        fifo.settle(here, &second, true);
        assert!(fifo.may_pass(here, &first) && fifo.may_pass(there, &second));
        assert!(!fifo.may_pass(here, &second));
        fifo.settle(here, &first, false);
        assert!(fifo.may_pass(here, &second));
    }

    #[test]
    fn what_waits_is_bounded() {
        let id: ClientMsgId = "id".parse().expect("visible ASCII");
        let mut fifo = Fifo::default();
        for group in 1..=WAITING_MAX as u64 {
            fifo.settle(ConversationId::Group(GroupId(group)), &id, true);
        }
        assert!(!fifo.may_pass(ConversationId::Group(GroupId(9_999)), &id));
        assert!(fifo.may_pass(ConversationId::Group(GroupId(1)), &id));
    }
}
