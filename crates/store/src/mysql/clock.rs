//! One clock for all nodes: the database's. Machines may be an hour apart, and a message must not be older than the one it
//! answers because of who took it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use futures_util::{FutureExt as _, future::BoxFuture};
use mysql_async::{Conn, prelude::Queryable as _};
use tokio::{
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::open::{Database, OpenError, Role};
use crate::Clock;

/// How often the database is asked again: its own clock may be set.
const ASK_EVERY: Duration = Duration::from_secs(60);
const ANSWER_MAX: Duration = Duration::from_secs(5);
/// Of one asking; an answer that took longer says too little.
const QUESTIONS: u32 = 3;
/// How long a node that starts asks on, and how often.
const START_MAX: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(500);
const WAY_MAX: Duration = Duration::from_millis(500);
/// A machine whose clock is further off than this is told of.
const OFF_MAX_MS: u64 = 1_000;

/// Tells the database's time, between questions by the machine's monotonic clock. `spawn` starts what asks the questions, and
/// notices when it ends; it is aborted when nobody has the clock any more.
pub async fn clock(
    url: &str,
    spawn: impl FnOnce(BoxFuture<'static, ()>) -> JoinHandle<()>,
) -> Result<Clock, OpenError> {
    let database = Database::new(url)?;
    let begun = Instant::now();
    let mut db = database.reach(Role::Writer).await?;
    let start = Arc::new(AtomicU64::new(loop {
        match start_ms(&mut db, begun).await {
            // A stall of the database passes.
            Err(_) if begun.elapsed() < START_MAX => sleep(PAUSE).await,
            told => break told?,
        }
    }));
    let _ = timeout(ANSWER_MAX, db.disconnect()).await;
    warn_if_off(start.load(Relaxed), begun);
    let asking = Asking(spawn(keep(database, Arc::clone(&start), begun).boxed()));
    Ok(Arc::new(move || {
        let Asking(_) = &asking;
        start.load(Relaxed).saturating_add(millis(begun.elapsed()))
    }))
}

struct Asking(JoinHandle<()>);

impl Drop for Asking {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What the database's clock showed at `begun`: the best of some answers, since it lies somewhere between a question and its
/// answer. Fails when none came soon enough to tell.
async fn start_ms(db: &mut Conn, begun: Instant) -> Result<u64, mysql_async::Error> {
    let mut best: Option<(Duration, u64)> = None;
    for _ in 0..QUESTIONS {
        let asked = begun.elapsed();
        let asking = db.query_first("SELECT CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS UNSIGNED)");
        let now_us: Option<u64> = timeout(ANSWER_MAX, asking).await.map_err(|_| late())??;
        let (answered, way) = (begun.elapsed(), begun.elapsed() - asked);
        let start = (now_us.unwrap_or_default() / 1000).saturating_sub(millis((asked + answered) / 2));
        if best.is_none_or(|(least, _)| way < least) {
            best = Some((way, start));
        }
    }
    best.filter(|(way, _)| *way <= WAY_MAX).map(|(_, start)| start).ok_or_else(late)
}

fn late() -> mysql_async::Error {
    let slow = std::io::Error::new(std::io::ErrorKind::TimedOut, "the database is too slow to tell the time");
    mysql_async::Error::Io(slow.into())
}

async fn keep(database: Database, start: Arc<AtomicU64>, begun: Instant) {
    loop {
        sleep(ASK_EVERY).await;
        let asking = async {
            let mut db = database.connect(Role::Reader).await?;
            let now = start_ms(&mut db, begun).await?;
            let _ = db.disconnect().await;
            Ok::<_, mysql_async::Error>(now)
        };
        // A database that is away keeps no clock from going on.
        if let Ok(Ok(now)) = timeout(ANSWER_MAX, asking).await {
            start.store(now, Relaxed);
        }
    }
}

fn warn_if_off(start_ms: u64, begun: Instant) {
    let database_ms = start_ms.saturating_add(millis(begun.elapsed()));
    let machine_ms = millis(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default());
    let off_ms = database_ms.abs_diff(machine_ms);
    if off_ms > OFF_MAX_MS {
        let ahead = machine_ms > database_ms;
        tracing::warn!(off_ms, ahead, "this machine's clock is not the database's: the database's is used");
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
