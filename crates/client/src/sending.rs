//! A message on its way, as its sender sees it. Told by the driver; knows neither connection nor queue.

use std::collections::HashMap;

use anser_proto::ClientMsgId;
use tokio::sync::watch;

use crate::{
    engine::{Fate, MessageKey, Place, Status},
    view::Refusal,
};

/// Follows one message that this client sent. Dropping it changes nothing: the message goes out all the same.
#[derive(Clone, Debug)]
pub struct Sending {
    client_msg_id: ClientMsgId,
    status: watch::Receiver<Status>,
}

/// Why a message that was queued is not stored.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unsent {
    #[error("the server refused the message: {0}")]
    Refused(Refusal),
    /// It was cancelled or given up: see [`Fate`].
    #[error("the message was taken back{}", if *.0 == Fate::Unknown { ", and may have been stored" } else { "" })]
    Withdrawn(Fate),
    /// It is still queued, and goes out when the store is opened again.
    #[error("the client was closed before the message was sent")]
    Closed,
}

impl Sending {
    pub fn client_msg_id(&self) -> &ClientMsgId {
        &self.client_msg_id
    }

    /// How far it has come.
    pub fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// Waits until it has come further; none when it will come no further. Cancel-safe.
    pub async fn changed(&mut self) -> Option<Status> {
        self.status.changed().await.ok()?;
        Some(self.status.borrow_and_update().clone())
    }

    /// Waits until the server has stored it, however long the way is.
    pub async fn sent(&self) -> Result<Place, Unsent> {
        let mut status = self.status.clone();
        let landed =
            status.wait_for(|status| !matches!(status, Status::Queued | Status::Sending | Status::Retrying(_))).await;
        match landed.map_err(|_| Unsent::Closed)?.clone() {
            Status::Sent(place) | Status::Delivered(place) | Status::Read(place) => Ok(place),
            Status::Failed(error) => Err(Unsent::Refused(error)),
            Status::Withdrawn(fate) => Err(Unsent::Withdrawn(fate)),
            Status::Queued | Status::Sending | Status::Retrying(_) => Err(Unsent::Closed),
        }
    }
}

/// Messages that are followed before it is looked who still does.
const FOLLOWED_MIN: usize = 64;

/// Every message that somebody may follow.
#[derive(Default)]
pub(crate) struct Following {
    senders: HashMap<MessageKey, watch::Sender<Status>>,
    purge_at: usize,
}

impl Following {
    /// Follows a message that has come as far as `status`, or further.
    pub(crate) fn follow(&mut self, key: MessageKey, status: Status) -> Sending {
        if self.senders.len() >= self.purge_at {
            // At twice the size again, so that each message pays for a look or two.
            self.senders.retain(|_, sender| sender.receiver_count() > 0);
            self.purge_at = FOLLOWED_MIN.max(2 * self.senders.len());
        }
        let client_msg_id = key.client_msg_id.clone();
        let sender = self.senders.entry(key).or_insert_with(|| watch::Sender::new(status));
        Sending { client_msg_id, status: sender.subscribe() }
    }

    pub(crate) fn move_on(&mut self, key: &MessageKey, status: &Status) {
        if let Some(sender) = self.senders.get(key) {
            sender.send_replace(status.clone());
        }
    }

    /// It comes no further: those who wait for more are told so.
    pub(crate) fn let_go(&mut self, key: &MessageKey) {
        self.senders.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use anser_proto::{ConversationId, UserId};

    use super::*;

    fn key(number: usize) -> MessageKey {
        let client_msg_id = number.to_string().parse().expect("a good id");
        MessageKey { conversation: ConversationId::single(UserId(1), UserId(2)), client_msg_id }
    }

    #[test]
    fn what_nobody_follows_any_more_takes_no_room() {
        let mut following = Following::default();
        let kept: Vec<_> = (0..100).map(|number| following.follow(key(number), Status::Queued)).collect();
        for number in 100..10_000 {
            following.follow(key(number), Status::Queued);
            assert!(following.senders.len() <= 400, "{} are followed", following.senders.len());
        }
        following.move_on(&key(7), &Status::Sending);
        assert_eq!(kept[7].status(), Status::Sending);
    }
}
