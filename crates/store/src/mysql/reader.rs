//! Reading: each read on a connection of its own, in one state of the store, in a task of its own; a connection whose query
//! took too long is not used again.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use mysql_async::{Conn, prelude::Queryable as _};
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep, timeout_at},
};

use super::{
    columns::Sql,
    fault::Fault,
    open::{Database, Line, Role, SILENT, within},
    statement::Columns,
};
use crate::{
    Error, Failure,
    damaged::Damaged,
    query::{Dialect, Query},
    read::{Each, Read, Snapshot},
};

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
    shards: u32,
    damaged: Arc<Damaged>,
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
        shards: u32,
        damaged: Arc<Damaged>,
    ) -> Arc<Self> {
        let (connections, places) = (Semaphore::new(connections.max(1)), Semaphore::new(places.max(1)));
        Arc::new(Self { database, role, patience, shards, damaged, idle: Mutex::default(), connections, places })
    }

    /// Reads in one state of the store, and anew when a connection breaks or a migration comes between.
    pub(super) async fn read<R: Read>(self: &Arc<Self>, read: R) -> Result<R::Answer, Error> {
        let (readers, until) = (Arc::clone(self), Instant::now() + self.patience.answer);
        let task = tokio::spawn(async move {
            let _place = match readers.places.try_acquire() {
                Ok(place) => place,
                Err(tokio::sync::TryAcquireError::NoPermits) => return Err(Failure::Overloaded.into()),
                Err(tokio::sync::TryAcquireError::Closed) => return Err(Failure::Closed.into()),
            };
            let turn = timeout_at(until, readers.connections.acquire()).await;
            let _connection = turn.map_err(|_| Failure::Failed(SILENT.into()))?.map_err(|_| Failure::Closed)?;
            readers.attempt_until_it_answers(&read, until).await
        });
        task.await.map_err(|_| Failure::Failed("a read broke off".into()))?
    }

    async fn attempt_until_it_answers<R: Read>(&self, read: &R, until: Instant) -> Result<R::Answer, Error> {
        let patient_until = until.min(Instant::now() + self.patience.away);
        loop {
            let kept = self.idle().pop();
            let outcome = match self.database.line(kept, self.role).await {
                Ok(line) => self.attempt(read, line, until).await,
                Err(error) => Err(error.into()),
            };
            match outcome {
                Err(Fault::Lost(_) | Fault::InTheWay(_)) if Instant::now() < patient_until => sleep(AWAY_PAUSE).await,
                outcome => return Ok(outcome?),
            }
        }
    }

    /// A connection on which something broke is not used again.
    async fn attempt<R: Read>(&self, read: &R, mut line: Line, until: Instant) -> Result<R::Answer, Fault> {
        let reading = async {
            let begin = line.db.query_drop("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY");
            within(BEGIN_MAX, begin).await?;
            let mut snapshot = OneMoment { db: &mut line.db, shards: self.shards, damaged: &self.damaged };
            let outcome = read.read(&mut snapshot).await;
            // What is left of an answer to which a damaged row belongs is read with the COMMIT.
            let is_usable = matches!(&outcome, Ok(_) | Err(Fault::Refused(_) | Fault::Damaged(_)));
            if is_usable {
                line.db.query_drop("COMMIT").await?;
                self.idle().push(line.used_now());
            }
            outcome
        };
        let outcome = timeout_at(until, reading).await.unwrap_or_else(|_| Err(Fault::Lost(SILENT.into())));
        match &outcome {
            Err(Fault::Lost(_)) => self.database.broke(),
            Err(Fault::Damaged(damage)) => self.damaged.note(damage),
            _ => {}
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

/// Questions of one packet.
const QUESTIONS_MAX: usize = 512;

pub(super) struct OneMoment<'c> {
    pub(super) db: &'c mut Conn,
    pub(super) shards: u32,
    pub(super) damaged: &'c Arc<Damaged>,
}

impl Snapshot for OneMoment<'_> {
    type Error = Fault;

    fn dialect(&self) -> Dialect {
        Dialect::Mysql
    }

    fn shards(&self) -> u32 {
        self.shards
    }

    fn damaged(&self) -> Arc<Damaged> {
        self.damaged.clone()
    }

    async fn ask(&mut self, questions: &[Query], each: Each<'_>) -> Result<(), Fault> {
        for (packet, questions) in questions.chunks(QUESTIONS_MAX).enumerate() {
            let mut sql = Sql::default();
            for question in questions {
                #[cfg(test)]
                super::plans::note(question);
                sql.push(if sql.is_empty() { "" } else { "; " }).query(question);
            }
            let mut results = self.db.query_iter(sql.as_str()).await?;
            for at in 0..questions.len() {
                let mut wants_more = true;
                while let Some(row) = results.next().await? {
                    wants_more = wants_more && each(packet * QUESTIONS_MAX + at, &mut Columns::of(&row))?.is_continue();
                }
            }
            results.drop_result().await?;
        }
        Ok(())
    }
}
