//! Storing messages: at home, or by the node that is their conversation's home. Who stores them tells whom they concern.

use std::collections::HashMap;

use anser_store::{Appended, Error, NewMessage};
use futures_util::future::join_all;

use super::deliver::{self, Before};
use crate::{
    accepted::ConnId,
    cluster::{NodeId, calls::Answer},
    ctx::Ctx,
};

/// Bytes of messages that are sent to another node at once; what is more is stored here, which is as right.
const FORWARDED_BYTES_MAX: usize = 512 << 10;

/// Stores messages of one sender and answers in their order. `from` is the connection that sent them.
pub async fn append(cx: &Ctx, from: ConnId, batch: Vec<NewMessage>) -> Vec<Result<Appended, Error>> {
    let mut parts: HashMap<Option<NodeId>, Part> = HashMap::new();
    // Asked once for each conversation: the answer may change at any moment, and what is said in one conversation must stay together.
    let mut homes = HashMap::new();
    for (index, new) in batch.iter().enumerate() {
        let home = *homes.entry(new.conversation).or_insert_with(|| home_elsewhere(cx, new));
        let part = parts.entry(home).or_default();
        part.indices.push(index);
        part.bytes += new.bytes();
    }
    if parts.keys().all(Option::is_none) {
        return append_here(cx, Some(from), batch).await;
    }
    let mut outcomes: Vec<Option<Result<Appended, Error>>> = vec![None; batch.len()];
    let done = parts.into_iter().map(|(home, part)| {
        let messages: Vec<_> = part.indices.iter().map(|index| batch[*index].clone()).collect();
        async move {
            let home = home.filter(|_| part.bytes <= FORWARDED_BYTES_MAX);
            (part.indices, append_at(cx, home, from, messages).await)
        }
    });
    for (indices, results) in join_all(done).await {
        for (index, result) in indices.into_iter().zip(results) {
            outcomes[index] = Some(result);
        }
    }
    outcomes.into_iter().map(|outcome| outcome.expect("each message is in one part")).collect()
}

/// The node that shall store it. None: this one.
///
/// Two who write to each other from this node are stored by it: nobody else writes to their rows then, and the way to a home would
/// cost more than it saves.
fn home_elsewhere(cx: &Ctx, new: &NewMessage) -> Option<NodeId> {
    let peer = new.conversation.peer_of(new.from.user);
    if peer.is_some_and(|peer| cx.hub.has_other(peer, None)) {
        return None;
    }
    cx.peers.home_elsewhere(new.conversation)
}

/// The messages of a batch that have one home.
#[derive(Default)]
struct Part {
    indices: Vec<usize>,
    bytes: usize,
}

async fn append_at(
    cx: &Ctx,
    home: Option<NodeId>,
    from: ConnId,
    messages: Vec<NewMessage>,
) -> Vec<Result<Appended, Error>> {
    let Some(home) = home else { return append_here(cx, Some(from), messages).await };
    match cx.peers.append_at(home, from.0, (cx.clock)(), messages.clone()).await {
        Answer::Given(outcomes) if !outcomes.contains(&Err(Error::Closed)) => outcomes,
        Answer::Given(_) | Answer::NotAsked => append_here(cx, Some(from), messages).await,
        // It may have stored them, or do so yet: then they are found here, and nothing is stored twice. But that they are not
        // stored cannot be said any more.
        Answer::Silence => {
            append_here(cx, Some(from), messages).await.into_iter().map(|outcome| outcome.map_err(unknown)).collect()
        }
    }
}

fn unknown(error: Error) -> Error {
    if error.is_refusal() { error } else { Error::UnknownOutcome(error.to_string()) }
}

/// Stores messages by this node, and tells whom they concern.
async fn append_here(cx: &Ctx, from: Option<ConnId>, batch: Vec<NewMessage>) -> Vec<Result<Appended, Error>> {
    if batch.is_empty() {
        return Vec::new();
    }
    let before = cx.members.before(&batch);
    let outcomes = cx.store.append(batch.clone()).await;
    tell(cx, from, &batch, &outcomes, &before).await;
    outcomes
}

/// Stores messages for another node, answers it, and then tells whom they concern.
pub async fn append_for(cx: &Ctx, node: NodeId, call: u64, from: ConnId, batch: Vec<NewMessage>) {
    let before = cx.members.before(&batch);
    let outcomes = cx.store.append(batch.clone()).await;
    cx.peers.answer_append(node, call, outcomes.clone());
    tell(cx, Some(from), &batch, &outcomes, &before).await;
}

async fn tell(
    cx: &Ctx,
    from: Option<ConnId>,
    batch: &[NewMessage],
    outcomes: &[Result<Appended, Error>],
    before: &Before,
) {
    // Of what was stored before, the last of each conversation: who lacks those before it sees so by it.
    let mut stored_before = HashMap::new();
    for (new, outcome) in batch.iter().zip(outcomes) {
        match outcome {
            Ok(appended) if appended.duplicate => _ = stored_before.insert(new.conversation, (new, appended)),
            Ok(appended) => deliver::message(cx, from, new, appended, before).await,
            Err(_) => {}
        }
    }
    for (new, appended) in stored_before.into_values() {
        deliver::again(cx, from, new, appended).await;
    }
}
