//! Storing messages: at home, or by the node that is their conversation's home. Who stores them tells whom they concern.

use std::{collections::HashMap, hash::Hash, sync::Arc, time::Duration};

use anser_store::{Appended, Error, Failure, NewMessage};
use futures_util::future::join_all;

use super::{
    deliver::missed,
    telling::{Stored, Telling},
};
use crate::{
    accepted::ConnId,
    cluster::{
        NodeId,
        calls::{Answer, Outcomes},
        counts::Dropped,
        peers::Asker,
    },
    ctx::Ctx,
    rate::whole_ms,
};

/// Bytes of messages that are sent to another node at once; what is more is stored here, which is as right. One of the largest is less,
/// and with what the bus adds they are one message on it.
const FORWARDED_BYTES_MAX: usize = 72 << 10;

/// The connection that sends messages, and what they are told by.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    pub conn: ConnId,
    pub telling: &'a Telling,
}

/// Stores messages of one sender and answers in their order.
pub async fn append(cx: &Arc<Ctx>, from: Source<'_>, batch: Vec<NewMessage>) -> Outcomes {
    // Asked once for each conversation: the answer may change at any moment, and what is said in one conversation must stay together.
    let mut homes = HashMap::new();
    for new in &batch {
        homes.entry(new.conversation).or_insert_with(|| home_elsewhere(cx, new));
    }
    if homes.values().all(Option::is_none) {
        return append_here(cx, from, batch).await;
    }
    by_parts(&batch, |new| homes[&new.conversation], |home, messages| append_at(cx, home, from, messages)).await
}

/// Has the messages of each part stored together, all parts side by side, and answers in the order of the batch.
async fn by_parts<Part: Eq + Hash, Storing: Future<Output = Outcomes>>(
    batch: &[NewMessage],
    part_of: impl Fn(&NewMessage) -> Part,
    store: impl Fn(Part, Vec<NewMessage>) -> Storing,
) -> Outcomes {
    let mut parts: HashMap<Part, Vec<usize>> = HashMap::new();
    for (index, new) in batch.iter().enumerate() {
        parts.entry(part_of(new)).or_default().push(index);
    }
    let stored = parts.into_iter().map(|(part, indices)| {
        let storing = store(part, indices.iter().map(|index| batch[*index].clone()).collect());
        async { (indices, storing.await) }
    });
    let mut outcomes: Vec<Option<Result<Appended, Error>>> = vec![None; batch.len()];
    for (indices, stored) in join_all(stored).await {
        for (index, outcome) in indices.into_iter().zip(stored) {
            outcomes[index] = Some(outcome);
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

async fn append_at(cx: &Arc<Ctx>, home: Option<NodeId>, from: Source<'_>, messages: Vec<NewMessage>) -> Outcomes {
    let bytes: usize = messages.iter().map(NewMessage::bytes).sum();
    let Some(home) = home.filter(|_| bytes <= FORWARDED_BYTES_MAX) else {
        return append_here(cx, from, messages).await;
    };
    let answered = match cx.peers.append_at(home, from.conn.0, (cx.clock)(), messages.clone()).await {
        Answer::Given(outcomes) if !outcomes.contains(&Err(Failure::Closed.into())) => return outcomes,
        Answer::Given(outcomes) => outcomes,
        Answer::NotAsked => vec![Err(Failure::Closed.into()); messages.len()],
        // It may have stored them, or do so yet: then they are found here, and nothing is stored twice.
        Answer::Silence => vec![Err(unknown("the home did not answer")); messages.len()],
    };
    append_unsettled(messages, answered, |unsettled| append_here(cx, from, unsettled)).await
}

/// Appends what another node did not settle, all of it, since nothing may overtake what failed before it. What that node may have stored
/// cannot be said any more not to be stored.
async fn append_unsettled<Appending: Future<Output = Outcomes>>(
    messages: Vec<NewMessage>,
    mut outcomes: Outcomes,
    append: impl FnOnce(Vec<NewMessage>) -> Appending,
) -> Outcomes {
    let is_unsettled = |outcome: &Result<_, Error>| matches!(outcome, Err(Error::Failed(_)));
    let unsettled = messages.into_iter().zip(&outcomes).filter(|(_, outcome)| is_unsettled(outcome));
    let appended = append(unsettled.map(|(new, _)| new).collect()).await;
    for (outcome, now) in outcomes.iter_mut().filter(|outcome| is_unsettled(outcome)).zip(appended) {
        let may_be_stored = matches!(outcome, Err(Error::Failed(Failure::UnknownOutcome(_))));
        *outcome = match now {
            Err(Error::Failed(failure)) if may_be_stored => Err(unknown(failure)),
            now => now,
        };
    }
    outcomes
}

fn unknown(why: impl ToString) -> Error {
    Failure::UnknownOutcome(why.to_string()).into()
}

/// Stores messages by this node. Whom they concern is told behind the answer.
async fn append_here(cx: &Arc<Ctx>, from: Source<'_>, batch: Vec<NewMessage>) -> Outcomes {
    if batch.is_empty() {
        return Vec::new();
    }
    let stored = store(cx, from.conn, batch, None).await;
    let outcomes = stored.outcomes.clone();
    if outcomes.iter().any(Result::is_ok) {
        from.telling.begin(stored).await;
    }
    outcomes
}

/// Stores messages for another node, answers it, and then tells whom they concern. It waits until then, and stores by itself what was not
/// begun here: that is not to be done twice. What was begun is told, whether anybody waits for it or not.
pub async fn append_for(cx: &Arc<Ctx>, asker: Asker, until_ms: u64, from: ConnId, batch: Vec<NewMessage>) {
    let patience = Duration::from_millis(until_ms.saturating_sub((cx.clock)()));
    let stored = store(cx, from, batch, Some(patience)).await;
    if (cx.clock)() <= until_ms {
        cx.peers.answer_append(asker, stored.outcomes.clone());
    } else {
        cx.peers.counts.dropped(Dropped::Late);
    }
    for (new, outcome) in stored.batch.iter().zip(&stored.outcomes) {
        // Whoever asked finds it so or so, but may be gone.
        if matches!(outcome, Err(Error::Failed(Failure::UnknownOutcome(_)))) {
            missed(cx, new.conversation, 0);
        }
    }
    stored.tell().await;
}

/// `patience`: nobody waits for what was not begun by then.
async fn store(cx: &Arc<Ctx>, from: ConnId, batch: Vec<NewMessage>, patience: Option<Duration>) -> Stored {
    let before = cx.members.before(&batch);
    let admitted = admit(cx, &batch);
    let passed = || -> Vec<_> {
        let passed = batch.iter().zip(&admitted).filter(|(_, admitted)| admitted.is_ok());
        passed.map(|(new, _)| new.clone()).collect()
    };
    let mut stored = store_together(cx, passed(), patience).await;
    if let Some(Err(Error::Failed(Failure::Damaged(_)))) = stored.first() {
        stored = store_by_conversation(cx, &passed(), patience, stored).await;
    }
    let mut stored = stored.into_iter();
    let settle = |(admitted, new): (Result<(), Error>, &NewMessage)| {
        admitted?;
        let outcome = stored.next().expect("one for each that passed");
        if outcome.as_ref().map_or(true, |appended| appended.duplicate) {
            // Nothing was said: so nobody uses up what those have who may.
            cx.conversations.forgive(new);
        }
        outcome
    };
    let outcomes = admitted.into_iter().zip(&batch).map(settle).collect();
    Stored { cx: Arc::clone(cx), from, batch, outcomes, before }
}

/// Whether each may be said now. Nothing of a sender overtakes what may not.
fn admit(cx: &Ctx, batch: &[NewMessage]) -> Vec<Result<(), Error>> {
    let mut held = HashMap::new();
    let mut admit = |new: &NewMessage| match held.get(&new.conversation) {
        Some(for_ms) => Err(Failure::RateLimited { for_ms: *for_ms }.into()),
        None => cx.conversations.admit(new).map_err(|wait| {
            let for_ms = whole_ms(wait);
            held.insert(new.conversation, for_ms);
            Failure::RateLimited { for_ms }.into()
        }),
    };
    batch.iter().map(&mut admit).collect()
}

async fn store_together(cx: &Ctx, batch: Vec<NewMessage>, patience: Option<Duration>) -> Outcomes {
    let messages = batch.len();
    if messages == 0 {
        return Vec::new();
    }
    let stored = match patience {
        Some(patience) => cx.store.append_within(batch, patience).await,
        None => cx.store.append(batch).await,
    };
    match stored {
        Ok(outcomes) => outcomes.into_iter().map(|outcome| outcome.map_err(Error::from)).collect(),
        Err(failure) => vec![Err(failure); messages],
    }
}

/// A damaged row in one conversation keeps nobody from writing in their others.
async fn store_by_conversation(
    cx: &Ctx,
    batch: &[NewMessage],
    patience: Option<Duration>,
    outcomes: Outcomes,
) -> Outcomes {
    if batch.iter().all(|new| new.conversation == batch[0].conversation) {
        return outcomes;
    }
    by_parts(batch, |new| new.conversation, |_, messages| store_together(cx, messages, patience)).await
}

#[cfg(test)]
mod tests {
    use anser_proto::{ConversationId, UserId};
    use anser_store::{Refusal, Sender};
    use bytes::Bytes;

    use super::*;

    fn message(number: usize) -> NewMessage {
        NewMessage {
            conversation: ConversationId::single(UserId(1), UserId(2)),
            from: Sender { user: UserId(1), nickname: "ada".into(), platform: 0, device_id: "d-1".into() },
            client_msg_id: format!("m-{number}").parse().expect("a good id"),
            kind: 1,
            content: "hi".into(),
            attachment: Bytes::new(),
            client_time_ms: 0,
            counted: true,
            reply_to: 0,
            mentions: Default::default(),
            change: None,
            login_version: 0,
        }
    }

    /// What another node said of each message; which of them are appended here, where it fails like this; and what is said of each.
    async fn check(answered: &[Error], here: Error, appended: &[usize], expected: &[Error]) {
        let refused = |errors: &[Error]| errors.iter().cloned().map(Err).collect::<Outcomes>();
        let messages = (0..answered.len()).map(message).collect();
        let outcomes = append_unsettled(messages, refused(answered), async |unsettled| {
            assert_eq!(unsettled, appended.iter().copied().map(message).collect::<Vec<_>>());
            vec![Err(here); unsettled.len()]
        });
        assert_eq!(outcomes.await, refused(expected));
    }

    #[tokio::test]
    async fn what_another_node_may_have_stored_is_never_said_not_to_be() {
        let (closed, overloaded) = (Error::from(Failure::Closed), Error::from(Failure::Overloaded));
        let (before, now) = (unknown("its connection broke"), unknown(&overloaded));
        check(&[before.clone(), closed.clone()], overloaded.clone(), &[0, 1], &[now.clone(), overloaded.clone()]).await;
        check(&[closed, before.clone()], overloaded.clone(), &[0, 1], &[overloaded, now]).await;
        check(&[before], Refusal::NotMember.into(), &[0], &[Refusal::NotMember.into()]).await;
    }

    #[tokio::test]
    async fn what_is_settled_stays_and_what_failed_for_now_is_not_overtaken() {
        let (stranger, full) = (Error::from(Refusal::NotMember), Error::from(Failure::Full));
        let (closed, overloaded) = (Error::from(Failure::Closed), Error::from(Failure::Overloaded));
        check(&[stranger.clone(), closed.clone()], full.clone(), &[1], &[stranger, full.clone()]).await;
        let too_much = Error::from(Failure::RateLimited { for_ms: 50 });
        for before in [overloaded, too_much] {
            check(&[before, closed.clone()], full.clone(), &[0, 1], &[full.clone(), full.clone()]).await;
        }
    }
}
