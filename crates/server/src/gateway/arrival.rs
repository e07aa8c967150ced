//! A connection on its way in, from the moment it was accepted until it is logged in or gone.

use std::{net::IpAddr, sync::Arc};

use tokio::time::{Instant, timeout_at};

use super::door::Stranger;
use crate::accepted::Accepted;

#[derive(Clone)]
pub struct Arrival {
    pub accepted: Accepted,
    pub stranger: Arc<Stranger>,
    /// That of the peer, which may be a proxy.
    pub address: IpAddr,
    /// By then it is logged in, or ended. It counts everything: TLS, headers, `hello`, hashing, the store.
    pub deadline: Instant,
}

/// Why it is not waited for any more.
pub enum Ended {
    Late,
    /// Another needs its place.
    GaveWay,
}

impl Arrival {
    /// Does a part of the login. What is begun is dropped when the connection must go.
    pub async fn within<T>(&self, part: impl Future<Output = T>) -> Result<T, Ended> {
        tokio::select! {
            done = timeout_at(self.deadline, part) => done.map_err(|_| Ended::Late),
            () = self.stranger.must_give_way() => Err(Ended::GaveWay),
        }
    }
}
