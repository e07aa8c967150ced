//! Keeping the sequencer and the heads in step. The head disposes: it gives the numbers, in the commit. What the sequencer proposes for them is
//! asked for beside it and waited for by no answer; where it is not the head's, the sequencer is told where the head is.

use anser_proto::ConversationId;
use futures_util::future::join_all;

use crate::{Sequencer, facts::Rows, rows::Head};

/// A log to which a transaction appended.
#[derive(Clone, Copy)]
pub(crate) struct Moved {
    conversation: ConversationId,
    /// The last number before it.
    before: u64,
    now: u64,
}

/// Those whose heads are to be written.
pub(crate) fn moved(heads: &Rows<Head>) -> impl Iterator<Item = Moved> {
    heads.changed().into_iter().map(|(conversation, fact)| {
        let id = |head: &Option<Head>| head.map_or(0, |head| head.server_msg_id);
        Moved { conversation: *conversation, before: id(&fact.stored), now: id(&fact.now) }
    })
}

/// Takes the sequencer along, all logs side by side. Tells how many proposals were not the heads' numbers.
pub(crate) async fn keep_up(sequencer: &dyn Sequencer, moved: Vec<Moved>) -> u64 {
    let kept_up = moved.into_iter().map(|Moved { conversation, before, now }| async move {
        let n = u32::try_from(now - before).unwrap_or(u32::MAX);
        let told = match sequencer.reserve(conversation, n).await {
            Ok(first) if first == before + 1 => return 0,
            Ok(_) => sequencer.reset(conversation, now).await,
            Err(failure) => Err(failure),
        };
        match told {
            Ok(()) => 1,
            // It proposes wrongly next time, and is told then.
            Err(error) => {
                tracing::debug!(%conversation, %error, "the sequencer does not keep up");
                0
            }
        }
    });
    join_all(kept_up).await.into_iter().sum()
}
