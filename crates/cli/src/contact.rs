//! The first contact of a command with its server: what is wrong with the address or the certificates is told at once, instead of
//! being tried for ever. Once a connection was opened, the client tries again whatever comes.

use std::sync::{Mutex, PoisonError};

use anser_client::{
    Unopened,
    transport::{Dial, Network, Transport},
};
use futures_util::future::BoxFuture;
use tokio::sync::oneshot;

/// Opens connections, and tells why the first could not be opened.
pub struct Contact {
    network: Network,
    first: Mutex<First>,
}

struct First {
    /// Addresses that were not tried yet: one of several nodes may be away.
    untried: usize,
    tell: Option<oneshot::Sender<Unopened>>,
}

/// Which failures are told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// All of which something is known.
    None,
    /// Those that no other attempt will change.
    ForWhatMayPass,
}

pub struct Failure(oneshot::Receiver<Unopened>);

impl Contact {
    /// `urls` are those of the network.
    pub fn new(network: Network, urls: &str) -> (Self, Failure) {
        let (tell, failure) = oneshot::channel();
        let first = Mutex::new(First { untried: urls.split(',').count(), tell: Some(tell) });
        (Self { network, first }, Failure(failure))
    }

    fn opened(&self, opened: &std::io::Result<Box<dyn Transport>>) {
        let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        match opened {
            Ok(_) => first.tell = None,
            Err(error) => {
                first.untried = first.untried.saturating_sub(1);
                if let Some(why) = Unopened::of(error)
                    && (first.untried == 0 || !why.may_pass())
                    && let Some(tell) = first.tell.take()
                {
                    // Who does not wait for it need not be told.
                    let _ = tell.send(why.clone());
                }
            }
        }
    }
}

impl Dial for Contact {
    fn dial(&self) -> BoxFuture<'_, std::io::Result<Box<dyn Transport>>> {
        Box::pin(async {
            let opened = self.network.dial().await;
            self.opened(&opened);
            opened
        })
    }
}

impl Failure {
    /// Why the first contact failed; never returns when it did not, or when that is waited for.
    pub async fn told(self, patience: Patience) -> Unopened {
        match self.0.await {
            Ok(why) if patience == Patience::None || !why.may_pass() => why,
            _ => std::future::pending().await,
        }
    }
}
