//! Reading: each read on a connection of its own, in one state of the store, in a task of its own; a connection whose query
//! took too long is not used again.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
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
    open::{Database, Line, Role, within},
};
use crate::Error;

/// How long a database is waited for.
#[derive(Clone, Copy)]
pub(super) struct Patience {
    /// For one answer.
    pub(super) answer: Duration,
    /// While it cannot be reached.
    pub(super) away: Duration,
}

pub(super) const PATIENCE: Patience = Patience { answer: Duration::from_secs(20), away: Duration::from_secs(10) };
const AWAY_PAUSE: Duration = Duration::from_millis(100);
/// For what costs the database nothing.
const BEGIN_MAX: Duration = Duration::from_secs(5);

pub(super) struct Readers {
    database: Database,
    patience: Patience,
    /// Connections that nobody uses now.
    idle: Mutex<Vec<Line>>,
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
            let late = |_| Err(Fault::Lost("the database does not answer".into()));
            let outcome = timeout(self.patience.answer, self.attempt(work)).await.unwrap_or_else(late);
            if matches!(outcome, Err(Fault::Lost(_))) {
                self.database.broke();
                if Instant::now() < until {
                    sleep(AWAY_PAUSE).await;
                    continue;
                }
            }
            return Ok(outcome?);
        }
    }

    /// A connection on which something broke is not used again.
    async fn attempt<T, F>(&self, work: &F) -> Result<T, Fault>
    where
        F: for<'c> Fn(&'c mut Conn) -> BoxFuture<'c, Result<T, Fault>>,
    {
        let kept = self.idle().pop();
        let mut line = self.database.line(kept, Role::Reader).await?;
        let begin = line.db.query_drop("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY");
        within(BEGIN_MAX, begin).await?;
        let outcome = work(&mut line.db).await;
        let refused = matches!(&outcome, Err(Fault::Store(error)) if error.is_refusal());
        if outcome.is_ok() || refused {
            line.db.query_drop("COMMIT").await?;
            self.idle().push(line.used_now());
        }
        outcome
    }

    pub(super) async fn close(&self) {
        self.places.close();
        self.connections.close();
        let idle = std::mem::take(&mut *self.idle());
        for line in idle {
            // A goodbye that is not heard ends with the socket.
            let _ = within(BEGIN_MAX, line.db.disconnect()).await;
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Line>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
