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
    time::{Instant, sleep, timeout_at},
};

use super::{
    fault::Fault,
    open::{Database, Line, Role, SILENT, within},
};
use crate::Error;

/// How long a database is waited for.
#[derive(Clone, Copy)]
pub(super) struct Patience {
    /// From the question to the answer, its wait for a connection included.
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
    role: Role,
    patience: Patience,
    /// Connections that nobody uses now.
    idle: Mutex<Vec<Line>>,
    connections: Semaphore,
    /// Reads that wait or run.
    places: Semaphore,
}

impl Readers {
    pub(super) fn new(
        database: Database,
        role: Role,
        connections: usize,
        places: usize,
        patience: Patience,
    ) -> Arc<Self> {
        let (connections, places) = (Semaphore::new(connections.max(1)), Semaphore::new(places.max(1)));
        Arc::new(Self { database, role, patience, idle: Mutex::default(), connections, places })
    }

    /// Runs `work` in one state of the store. It may run again when a connection breaks.
    pub(super) async fn read<T, F>(self: &Arc<Self>, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'c> Fn(&'c mut Conn) -> BoxFuture<'c, Result<T, Fault>> + Send + Sync + 'static,
    {
        let (readers, until) = (Arc::clone(self), Instant::now() + self.patience.answer);
        let task = tokio::spawn(async move {
            let _place = match readers.places.try_acquire() {
                Ok(place) => place,
                Err(tokio::sync::TryAcquireError::NoPermits) => return Err(Error::Overloaded),
                Err(tokio::sync::TryAcquireError::Closed) => return Err(Error::Closed),
            };
            let turn = timeout_at(until, readers.connections.acquire()).await;
            let _connection = turn.map_err(|_| Error::Failed(SILENT.into()))?.map_err(|_| Error::Closed)?;
            readers.attempt_until_it_answers(&work, until).await
        });
        task.await.map_err(|_| Error::Failed("a read broke off".into()))?
    }

    async fn attempt_until_it_answers<T, F>(&self, work: &F, until: Instant) -> Result<T, Error>
    where
        F: for<'c> Fn(&'c mut Conn) -> BoxFuture<'c, Result<T, Fault>>,
    {
        let patient_until = until.min(Instant::now() + self.patience.away);
        loop {
            let kept = self.idle().pop();
            let outcome = match self.database.line(kept, self.role).await {
                Ok(line) => self.attempt(work, line, until).await,
                Err(error) => Err(error.into()),
            };
            match outcome {
                Err(Fault::Lost(_)) if Instant::now() < patient_until => sleep(AWAY_PAUSE).await,
                outcome => return Ok(outcome?),
            }
        }
    }

    /// A connection on which something broke is not used again.
    async fn attempt<T, F>(&self, work: &F, mut line: Line, until: Instant) -> Result<T, Fault>
    where
        F: for<'c> Fn(&'c mut Conn) -> BoxFuture<'c, Result<T, Fault>>,
    {
        let reading = async {
            let begin = line.db.query_drop("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY");
            within(BEGIN_MAX, begin).await?;
            let outcome = work(&mut line.db).await;
            let refused = matches!(&outcome, Err(Fault::Store(error)) if error.is_refusal());
            if outcome.is_ok() || refused {
                line.db.query_drop("COMMIT").await?;
                self.idle().push(line.used_now());
            }
            outcome
        };
        let outcome = timeout_at(until, reading).await.unwrap_or_else(|_| Err(Fault::Lost(SILENT.into())));
        if matches!(outcome, Err(Fault::Lost(_))) {
            self.database.broke();
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
