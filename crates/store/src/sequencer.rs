//! The `head` sequencer: where the log of a conversation ends is the only source of its numbers. No other place is asked.

use std::sync::{Mutex, PoisonError};

use anser_proto::ConversationId;
use async_trait::async_trait;
use quick_cache::unsync::Cache;

use crate::{Failure, Sequencer};

/// Conversations whose heads are remembered.
const CONVERSATIONS_MAX: usize = 100_000;

/// Remembers heads in memory, and forgets those that were not asked for lately. That is safe: a conversation that was
/// forgotten costs a refused proposal, after which the store tells where its head is.
pub struct HeadSequencer {
    /// The last id that was reserved.
    last: Mutex<Cache<ConversationId, u64>>,
}

impl HeadSequencer {
    pub fn new() -> Self {
        Self::remembering(CONVERSATIONS_MAX)
    }

    fn remembering(conversations_max: usize) -> Self {
        Self { last: Mutex::new(Cache::new(conversations_max)) }
    }
}

impl Default for HeadSequencer {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Sequencer for HeadSequencer {
    async fn reserve(&self, conversation: ConversationId, n: u32) -> Result<u64, Failure> {
        // What a panic left behind is a proposal like any other.
        let mut cache = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let last = cache.get(&conversation).copied().unwrap_or(0);
        cache.insert(conversation, last.saturating_add(n.into()));
        Ok(last.saturating_add(1))
    }

    async fn reset(&self, conversation: ConversationId, last: u64) -> Result<(), Failure> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).insert(conversation, last);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use anser_proto::GroupId;

    use super::*;

    const ONE: ConversationId = ConversationId::Group(GroupId(1));
    const TWO: ConversationId = ConversationId::Group(GroupId(2));

    #[tokio::test]
    async fn an_unknown_conversation_starts_at_1() {
        let sequencer = HeadSequencer::new();
        assert_eq!((sequencer.reserve(ONE, 1).await, sequencer.reserve(TWO, 3).await), (Ok(1), Ok(1)));
    }

    #[tokio::test]
    async fn a_proposal_is_the_first_of_those_reserved() {
        let sequencer = HeadSequencer::new();
        for (n, first) in [(3, 1), (1, 4), (2, 5), (1, 7)] {
            assert_eq!(sequencer.reserve(ONE, n).await, Ok(first));
        }
    }

    #[tokio::test]
    async fn after_a_reset_the_next_proposal_is_behind_the_head() {
        let sequencer = HeadSequencer::new();
        for last in [41, 7, 0] {
            assert_eq!(sequencer.reset(ONE, last).await, Ok(()));
            assert_eq!(
                (sequencer.reserve(ONE, 2).await, sequencer.reserve(ONE, 1).await),
                (Ok(last + 1), Ok(last + 3))
            );
        }
        assert_eq!(sequencer.reserve(TWO, 1).await, Ok(1));
    }

    #[tokio::test]
    async fn nothing_is_reserved_twice() {
        let sequencer = Arc::new(HeadSequencer::new());
        let tasks = [1, 2, 3].map(|n| {
            let sequencer = sequencer.clone();
            tokio::spawn(async move {
                let mut ids = Vec::new();
                for _ in 0..100 {
                    let first = sequencer.reserve(ONE, n).await.expect("memory does not fail");
                    ids.extend(first..first + u64::from(n));
                }
                ids
            })
        });
        let mut ids = Vec::new();
        for task in tasks {
            ids.extend(task.await.expect("no task panics"));
        }
        ids.sort_unstable();
        assert_eq!(ids, Vec::from_iter(1..=600));
    }

    #[tokio::test]
    async fn no_more_than_so_many_conversations_are_remembered() {
        let sequencer = HeadSequencer::remembering(10);
        let conversations = (1..100).map(|group| ConversationId::Group(GroupId(group)));
        for conversation in conversations.clone() {
            assert_eq!(sequencer.reserve(conversation, 1).await, Ok(1));
        }
        let remembered = sequencer.last.lock().expect("nobody panicked");
        assert!(conversations.filter(|conversation| remembered.peek(conversation).is_some()).count() <= 10);
    }
}
