//! One connection to Redis: questions with a time limit, and a connection made anew in the background.
//!
//! Nobody waits for a Redis that is away. A question that fails or is not answered in time ends the connection, and
//! until there is another one, every question fails at once. Before a connection is used the cluster's claim on its
//! keys is looked at, so that a Redis which came back as another cluster's is not touched.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use redis::{AsyncConnectionConfig, Client, ErrorKind, RedisError, ServerErrorKind, aio::MultiplexedConnection};
use tokio::{runtime::Handle, sync::watch, task::JoinHandle, time::timeout};

use super::{OpenError, counts::Counts, without_password};

/// To connect, log in and look at the claim.
const CONNECT_MAX: Duration = Duration::from_secs(3);
/// After a failure nothing is asked for this long.
const PAUSE: Duration = Duration::from_millis(250);

/// What a link needs to know.
#[derive(Clone)]
pub(super) struct Dial {
    /// `redis://[user:password@]host[:port][/database]`, or `rediss://` for TLS.
    pub(super) url: String,
    /// This key bears the id of the store whose cluster may use what stands beside it.
    pub(super) claim: String,
    pub(super) log_id: u64,
    /// For the answer to one question.
    pub(super) answer_max: Duration,
    /// Who asks, in the metrics.
    pub(super) part: &'static str,
}

pub(super) struct Link {
    shared: Arc<Shared>,
    /// Connects whenever there is no connection.
    keeper: JoinHandle<()>,
}

struct Shared {
    dial: Dial,
    client: Client,
    runtime: Handle,
    counts: Counts,
    /// With its number: who finds it broken takes away this one and not its successor.
    connection: Mutex<Option<(u64, MultiplexedConnection)>>,
    connections: watch::Sender<u64>,
}

#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum Unanswered {
    /// There is no answer now; what was asked may have been done.
    #[error("redis is away: {0}")]
    Away(String),
    /// The answer is no: what stands there is not what was thought.
    #[error("redis refused: {0}")]
    Refused(String),
}

impl Link {
    /// An unreachable Redis is no error: it is waited for in the background.
    pub(super) async fn open(dial: Dial, counts: Counts) -> Result<Self, OpenError> {
        let client = Client::open(dial.url.as_str()).map_err(|error| OpenError::Address {
            setting: "cluster.redis",
            url: without_password(&dial.url),
            why: error.to_string(),
        })?;
        let connections = watch::Sender::new(0);
        let (connection, runtime) = (Mutex::default(), Handle::current());
        let shared = Arc::new(Shared { dial, client, runtime, counts, connection, connections });
        match shared.connect().await {
            Ok(connection) => shared.put(connection),
            Err(Unusable::Refused(error)) => return Err(error),
            Err(Unusable::Away(why)) => {
                tracing::warn!(url = without_password(&shared.dial.url), why, "redis is away: going on without it");
            }
        }
        let keeper = shared.counts.watch.keep("redis", keep(Arc::clone(&shared)));
        Ok(Self { shared, keeper })
    }

    /// Asks one question, on whichever thread. Counts and tells what went wrong; never takes longer than the dial says.
    pub(super) async fn ask<T>(
        &self,
        question: impl AsyncFnOnce(&mut MultiplexedConnection) -> redis::RedisResult<T>,
    ) -> Result<T, Unanswered> {
        let shared = &self.shared;
        let Some((number, mut connection)) = shared.lock().clone() else {
            shared.counts.unanswered(shared.dial.part);
            return Err(Unanswered::Away("not connected".into()));
        };
        let answer = {
            // A store asks for ids on a thread of its own, where there is no clock to set a limit by.
            let _runtime = shared.runtime.enter();
            timeout(shared.dial.answer_max, question(&mut connection))
        };
        let why = match answer.await {
            Ok(Ok(answer)) => return Ok(answer),
            // It answered, if only to say no: nothing is wrong with the connection.
            Ok(Err(error)) if is_refusal(&error) => {
                shared.counts.unanswered(shared.dial.part);
                return Err(Unanswered::Refused(error.to_string()));
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {} ms", shared.dial.answer_max.as_millis()),
        };
        shared.counts.unanswered(shared.dial.part);
        shared.take_away(number, &why);
        Err(Unanswered::Away(why))
    }

    /// The number of connections made so far: it changes whenever Redis is there again.
    pub(super) fn connections(&self) -> watch::Receiver<u64> {
        self.shared.connections.subscribe()
    }

    /// For a connection of one's own beside this one.
    pub(super) fn client(&self) -> Client {
        self.shared.client.clone()
    }

    pub(super) fn is_connected(&self) -> bool {
        self.shared.lock().is_some()
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

enum Unusable {
    /// Trying again will not help.
    Refused(OpenError),
    Away(String),
}

impl From<RedisError> for Unusable {
    fn from(error: RedisError) -> Self {
        // The error of a pipeline bears the codes of its parts in its text alone.
        let (refusals, text) = (["NOAUTH", "WRONGPASS", "NOPERM"], error.to_string());
        if error.kind() == ErrorKind::AuthenticationFailed || refusals.iter().any(|code| text.contains(code)) {
            return Self::Refused(OpenError::Login("redis", error.to_string()));
        }
        Self::Away(error.to_string())
    }
}

impl Shared {
    async fn connect(&self) -> Result<MultiplexedConnection, Unusable> {
        let connecting = async {
            // The time limits are those of `ask`.
            let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
            let mut connection = self.client.get_multiplexed_async_connection_with_config(&config).await?;
            self.claim(&mut connection).await?;
            Ok(connection)
        };
        let late = |_| Unusable::Away(format!("no answer within {} s", CONNECT_MAX.as_secs()));
        timeout(CONNECT_MAX, connecting).await.map_err(late)?
    }

    async fn claim(&self, connection: &mut MultiplexedConnection) -> Result<(), Unusable> {
        let Dial { claim, log_id, .. } = &self.dial;
        let mut claiming = redis::pipe();
        claiming.cmd("SET").arg(claim).arg(log_id).arg("NX").ignore().cmd("GET").arg(claim);
        let (theirs,): (String,) = claiming.query_async(connection).await?;
        if theirs != log_id.to_string() {
            return Err(Unusable::Refused(OpenError::Claimed { key: claim.clone(), theirs, ours: *log_id }));
        }
        Ok(())
    }

    fn put(&self, connection: MultiplexedConnection) {
        let number = *self.connections.borrow() + 1;
        *self.lock() = Some((number, connection));
        self.connections.send_replace(number);
    }

    fn take_away(&self, number: u64, why: &str) {
        let mut connection = self.lock();
        if connection.as_ref().is_some_and(|(present, _)| *present == number) {
            *connection = None;
            drop(connection);
            tracing::warn!(part = self.dial.part, why, "redis is away: going on without it");
            // The keeper looks up.
            self.connections.send_modify(|_| ());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<(u64, MultiplexedConnection)>> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn keep(shared: Arc<Shared>) {
    let mut connections = shared.connections.subscribe();
    loop {
        // A failure that comes between the look and the wait wakes the wait.
        connections.mark_unchanged();
        if shared.lock().is_some() {
            // Nobody else holds the sending end, so it cannot fail.
            let _ = connections.changed().await;
            continue;
        }
        tokio::time::sleep(PAUSE).await;
        match shared.connect().await {
            Ok(connection) => {
                tracing::info!(part = shared.dial.part, "redis is there again");
                shared.put(connection);
            }
            Err(Unusable::Away(why)) => tracing::debug!(part = shared.dial.part, why, "redis is away"),
            Err(Unusable::Refused(error)) => tracing::error!(%error, "redis cannot be used"),
        }
    }
}

fn is_refusal(error: &RedisError) -> bool {
    // While it loads its dump it knows nothing yet, and one that became a replica is the wrong one.
    let elsewhere = [ServerErrorKind::BusyLoading, ServerErrorKind::ReadOnly];
    matches!(error.kind(), ErrorKind::Server(kind) if !elsewhere.contains(&kind))
        || matches!(error.kind(), ErrorKind::Extension | ErrorKind::UnexpectedReturnType)
}
