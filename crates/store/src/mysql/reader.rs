//! Reading: each read on a connection of its own, in one state of the store, in a task that nobody cancels in mid-query.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::future::BoxFuture;
use mysql_async::{Conn, prelude::Queryable as _};
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep, timeout},
};

use super::{
    fault::Fault,
    open::{Database, Role},
};
use crate::Error;

/// How long a database is waited for.
#[derive(Clone, Copy)]
pub(super) struct Patience {
    /// For one answer; the work goes on until the database answers.
    pub(super) answer: Duration,
    /// While it cannot be reached.
    pub(super) away: Duration,
}

pub(super) const PATIENCE: Patience = Patience { answer: Duration::from_secs(20), away: Duration::from_secs(10) };
const AWAY_PAUSE: Duration = Duration::from_millis(100);

pub(super) struct Readers {
    database: Database,
    patience: Patience,
    /// Connections that nobody uses now.
    idle: Mutex<Vec<Conn>>,
    connections: Semaphore,
    /// Reads that wait or run.
    places: Semaphore,
}

impl Readers {
    pub(super) fn new(database: Database, connections: usize, places: usize, patience: Patience) -> Arc<Self> {
        let (connections, places) = (Semaphore::new(connections.max(1)), Semaphore::new(places.max(1)));
        Arc::new(Self { database, patience, idle: Mutex::default(), connections, places })
    }

    /// Runs `work` in one state of the store. It may run again when a connection breaks.
    pub(super) async fn read<T, F>(self: &Arc<Self>, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'c> Fn(&'c mut Conn) -> BoxFuture<'c, Result<T, Fault>> + Send + Sync + 'static,
    {
        let readers = Arc::clone(self);
        let task = tokio::spawn(async move {
            let _place = match readers.places.try_acquire() {
                Ok(place) => place,
                Err(tokio::sync::TryAcquireError::NoPermits) => return Err(Error::Overloaded),
                Err(tokio::sync::TryAcquireError::Closed) => return Err(Error::Closed),
            };
            let _connection = readers.connections.acquire().await.map_err(|_| Error::Closed)?;
            readers.attempt_until_it_answers(&work).await
        });
        let answer = timeout(self.patience.answer, task).await;
        let answer = answer.map_err(|_| Error::Failed("the database does not answer".into()))?;
        answer.map_err(|_| Error::Failed("a read broke off".into()))?
    }

    async fn attempt_until_it_answers<T, F>(&self, work: &F) -> Result<T, Error>
    where
        F: for<'c> Fn(&'c mut Conn) -> BoxFuture<'c, Result<T, Fault>>,
    {
        let until = Instant::now() + self.patience.away;
        loop {
            match self.attempt(work).await {
                Err(Fault::Lost(_)) if Instant::now() < until => {
                    // The others broke with it.
                    self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
                    sleep(AWAY_PAUSE).await;
                }
                outcome => return Ok(outcome?),
            }
        }
    }

    /// A connection on which something broke is not used again.
    async fn attempt<T, F>(&self, work: &F) -> Result<T, Fault>
    where
        F: for<'c> Fn(&'c mut Conn) -> BoxFuture<'c, Result<T, Fault>>,
    {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut db = match idle {
            Some(db) => db,
            None => self.database.connect(Role::Reader).await?,
        };
        db.query_drop("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY").await?;
        let outcome = work(&mut db).await;
        let refused = matches!(&outcome, Err(Fault::Store(error)) if error.is_refusal());
        if outcome.is_ok() || refused {
            db.query_drop("COMMIT").await?;
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(db);
        }
        outcome
    }

    pub(super) async fn close(&self) {
        self.places.close();
        self.connections.close();
        let idle = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        for db in idle {
            // A goodbye that is not heard ends with the socket.
            let _ = db.disconnect().await;
        }
    }
}
