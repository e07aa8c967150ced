//! The `redis` sequencer: `INCRBY` under the keys `msg_id_single_{small}_{big}` and `msg_id_group_{id}`.
//!
//! It keeps no promise, and need not: the store refuses a proposal that is not the head's next, sets the counter from
//! the head, and goes on from the head by itself when there is no answer. So nothing waits here for longer than
//! [`ANSWER_MAX`], and after a failure nothing is asked until there is another connection.

use std::time::Duration;

use anser_proto::ConversationId;
use anser_store::{Failure, Sequencer};
use async_trait::async_trait;

use super::{
    OpenError,
    counts::Counts,
    link::{Dial, Link, Unanswered},
};

/// Every send waits for it, so it is far below what a sender notices.
const ANSWER_MAX: Duration = Duration::from_millis(50);

/// The keys bear no cluster's name, so this claims all of them.
const CLAIM: &str = "msg_id_log_id";

pub struct RedisSequencer {
    link: Link,
    log_id: u64,
}

impl RedisSequencer {
    /// `log_id` is the store's. A Redis that cannot be reached is waited for in the background.
    pub async fn open(url: &str, log_id: u64, counts: Counts) -> Result<Self, OpenError> {
        let claim = CLAIM.to_owned();
        let dial = Dial { url: url.to_owned(), claim, log_id, answer_max: ANSWER_MAX, part: "sequencer" };
        Ok(Self { link: Link::open(dial, counts).await?, log_id })
    }

    /// Whether the next question will be asked at all.
    pub fn is_connected(&self) -> bool {
        self.link.is_connected()
    }
}

#[async_trait]
impl Sequencer for RedisSequencer {
    async fn reserve(&self, conversation: ConversationId, n: u32) -> Result<u64, Failure> {
        let reserving = async |connection: &mut _| {
            redis::cmd("INCRBY").arg(key(conversation)).arg(n).query_async::<i64>(connection).await
        };
        let refusal = match self.link.ask(reserving).await {
            Ok(last) => {
                match last.checked_sub(n.into()).and_then(|before| u64::try_from(before).ok()?.checked_add(1)) {
                    Some(first) => return Ok(first),
                    // Whatever stood there before, ids are 1 and more.
                    None => format!("{} is {last} in redis", key(conversation)),
                }
            }
            Err(Unanswered::Away(why)) => return Err(Failure::Failed(why)),
            Err(Unanswered::Refused(why)) => why,
        };
        // What is no counter would be refused for ever: without it the next proposal is 1, and the store fixes that.
        let forgetting = redis::cmd("DEL").arg(key(conversation)).take();
        let _ = self.link.ask(async |connection| forgetting.query_async::<()>(connection).await).await;
        Err(Failure::Failed(refusal))
    }

    async fn reset(&self, conversation: ConversationId, last: u64) -> Result<(), Failure> {
        // It must lower the counter too: what was reserved and never stored would else be ahead for ever. After a wipe
        // this is the first thing that is written, so the claim goes with it.
        let mut setting = redis::pipe();
        setting.cmd("SET").arg(key(conversation)).arg(last).ignore();
        setting.cmd("SET").arg(CLAIM).arg(self.log_id).arg("NX").ignore();
        let setting = async |connection: &mut _| setting.query_async(connection).await;
        self.link.ask(setting).await.map_err(|error| Failure::Failed(error.to_string()))
    }
}

fn key(conversation: ConversationId) -> String {
    format!("msg_id_{conversation}")
}
