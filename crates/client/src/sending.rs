//! A message on its way, as its sender sees it.

use anser_proto::{ClientMsgId, v1};
use tokio::sync::watch;

use crate::engine::{Place, Status};

/// Follows one message that this client sent. Dropping it changes nothing: the message goes out all the same.
#[derive(Clone, Debug)]
pub struct Sending {
    pub(crate) client_msg_id: ClientMsgId,
    pub(crate) status: watch::Receiver<Status>,
}

/// Why a message that was queued is not stored.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum Unsent {
    #[error("the server refused the message: {} (code {})", .0.message, .0.code)]
    Refused(v1::Error),
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
        let landed = status.wait_for(|status| !matches!(status, Status::Queued | Status::Sending)).await;
        match landed.map_err(|_| Unsent::Closed)?.clone() {
            Status::Sent(place) | Status::Delivered(place) | Status::Read(place) => Ok(place),
            Status::Failed(error) => Err(Unsent::Refused(error)),
            Status::Queued | Status::Sending => Err(Unsent::Closed),
        }
    }
}
