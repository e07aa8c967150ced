//! A connection on its way in, from the moment it was accepted until it is logged in or gone.

use std::{net::IpAddr, sync::Arc};

use tokio::time::{Instant, timeout_at};

use super::{
    door::{Reason, Stranger},
    proxies::Proxies,
};
use crate::accepted::Accepted;

#[derive(Clone)]
pub struct Arrival {
    pub accepted: Accepted,
    pub stranger: Arc<Stranger>,
    /// Of whom it is, as far as is known: of the peer, or of whom a trusted proxy passes on.
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
            biased;
            () = self.stranger.must_give_way() => Err(self.gave_way()),
            done = timeout_at(self.deadline, part) => done.map_err(|_| Ended::Late),
        }
    }

    /// The same, where the peer could not be told that it is late.
    pub async fn unanswered<T>(&self, part: impl Future<Output = T>) -> Option<T> {
        let done = self.within(part).await;
        if matches!(done, Err(Ended::Late)) {
            self.turn_away("login_ms");
        }
        done.ok()
    }

    /// From now on it waits for the server and gives way to nobody, unless it had to before.
    pub fn said_hello(&self) -> Result<(), Ended> {
        if self.stranger.said_hello() { Ok(()) } else { Err(self.gave_way()) }
    }

    fn gave_way(&self) -> Ended {
        self.turn_away("gave_way");
        Ended::GaveWay
    }

    /// A proxy passes on whoever is at `address`: there it counts from now on, unless that is a trusted proxy.
    pub fn comes_from(&mut self, address: IpAddr, proxies: &Proxies) -> Result<(), Reason> {
        self.address = address;
        self.stranger.comes_from(proxies.charged(address))
    }

    /// Counts that it goes without having logged in, and tells the log.
    pub fn turn_away(&self, reason: Reason) {
        self.stranger.door().turn_away(self.address, reason);
    }

    /// Tells it why it is refused, for as long as nobody needs the place.
    pub async fn refuse(&self, last_words: impl Future<Output = ()>) {
        self.stranger.leaves();
        tokio::select! {
            () = last_words => {}
            () = self.stranger.must_give_way() => {}
        }
    }
}
