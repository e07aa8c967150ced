//! Databases that repeat what the first one does, and may serve history. They lag behind, and nobody sees less for it:
//! what a reader may see is asked of the first one, and a page that lacks something is read there too.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::time::Instant;

use super::{
    MysqlOptions,
    open::{Database, OpenError, Role},
    reader::{Patience, Readers},
};
use crate::{
    LogPage,
    damaged::Damaged,
    read::{Read, Snapshot},
    reads::Plan,
};

/// One that does not answer in this time is passed over.
const PATIENCE: Patience = Patience { answer: Duration::from_secs(2), away: Duration::ZERO };
/// And not asked again for this long.
const REST: Duration = Duration::from_secs(5);

pub(super) struct Replicas {
    all: Vec<Replica>,
    turn: AtomicUsize,
    /// Pages that a replica did not have whole.
    pub(super) behind: AtomicU64,
}

struct Replica {
    readers: Arc<Readers>,
    rests_until: Mutex<Instant>,
}

/// A page from a database that may lag behind: none, where it has not got all that was written, or changed, when the page was planned.
struct Replicated(Plan);

impl Read for Replicated {
    type Answer = Option<LogPage>;

    async fn read<D: Snapshot>(&self, db: &mut D) -> Result<Option<LogPage>, D::Error> {
        Ok(if self.0.is_reached(db).await? { Some(self.0.read(db).await?) } else { None })
    }
}

impl Replicas {
    pub(super) fn new(
        options: &MysqlOptions,
        shards: u32,
        damaged: &Arc<Damaged>,
        of_store: impl Fn(Database) -> Database,
    ) -> Result<Self, OpenError> {
        let replica = |url: &String| {
            let (database, places) = (of_store(Database::new(url)?), options.read_queue_max);
            let (role, damaged) = (Role::Replica, damaged.clone());
            let readers = Readers::new(database, role, options.readers, places, PATIENCE, shards, damaged);
            Ok(Replica { readers, rests_until: Mutex::new(Instant::now()) })
        };
        let all = options.replicas.iter().map(replica).collect::<Result<_, OpenError>>()?;
        Ok(Self { all, turn: AtomicUsize::new(0), behind: AtomicU64::new(0) })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// None when the one whose turn it is has not got the page whole.
    pub(super) async fn read(&self, plan: &Plan) -> Option<LogPage> {
        let replica = &self.all[self.turn.fetch_add(1, Relaxed) % self.all.len()];
        let rests_until = || replica.rests_until.lock().unwrap_or_else(PoisonError::into_inner);
        if *rests_until() > Instant::now() {
            return None;
        }
        match replica.readers.read(Replicated(plan.clone())).await {
            Ok(Some(page)) => Some(page),
            Ok(None) => {
                self.behind.fetch_add(1, Relaxed);
                None
            }
            Err(error) => {
                tracing::warn!(%error, "a replica does not answer: it is passed over for a while");
                *rests_until() = Instant::now() + REST;
                None
            }
        }
    }

    pub(super) async fn close(&self) {
        for replica in &self.all {
            replica.readers.close().await;
        }
    }
}
