//! Transactions of this node, several at a time, and what is done when one breaks.
//!
//! A write waits for nothing but a free connection and for the earlier writes of its conversation; what waits together goes
//! into one transaction. Each transaction runs in a task of its own, which nobody cancels.
//!
//! *Unknown outcome.* A connection that breaks during COMMIT leaves it open whether it was done. Every transaction therefore
//! writes its number into its connection's row of `im_writer` before anything else. On a fresh connection that row is read with
//! a lock, which waits until the broken transaction is over, whichever way; then the row tells.

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use futures_util::FutureExt as _;
use mysql_async::{Conn, prelude::Queryable as _};
use tokio::{
    sync::mpsc,
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

use super::{
    WRITE_MAX,
    fault::Fault,
    open::{Database, Line, Role, within},
    queue::{Group, Queue},
    txn::{Look, Rules, Stamp, transact},
};
use crate::{
    Failure,
    proposals::{Moved, keep_up},
    rows::Damage,
    stages::Stages,
    verb::Write,
};

/// Attempts that others were in the way of.
const ATTEMPTS_MAX: u32 = 20;
/// And those that met a row which was not there.
const TAKEN_MAX: u32 = 3;
/// How long a transaction may take before its connection is given up.
const TRANSACTION_MAX: Duration = Duration::from_secs(20);
/// How long a write waits for a database that is away, and how often that is asked.
const AWAY_MAX: Duration = Duration::from_secs(15);
const AWAY_PAUSE: Duration = Duration::from_millis(100);
/// And at least that, where only it can tell what came of a transaction.
const OUTCOME_MAX: Duration = Duration::from_secs(5);
/// Rows of writers are kept longer than that.
const REMEMBERED_MAX: Duration = Duration::from_secs(12 * 3600);
const GOODBYE_MAX: Duration = Duration::from_secs(2);

#[derive(Default)]
pub(super) struct Counters {
    pub(super) commits: AtomicU64,
    pub(super) appended: AtomicU64,
    pub(super) full: AtomicU64,
    pub(super) proposals_refused: AtomicU64,
    pub(super) commits_lost: AtomicU64,
    pub(super) stages: Stages,
}

/// One connection that writes, and its row of `im_writer`.
pub(super) struct Writer {
    database: Database,
    rules: Arc<Rules>,
    stamp: Stamp,
    /// Its last transaction that was committed, and when.
    committed: Option<(u64, Instant)>,
    /// None: to be made.
    line: Option<Line>,
    /// Takes the sequencer along.
    keeping_up: Option<JoinHandle<()>>,
}

/// Gives waiting writes to free writers until the queue is over.
pub(super) async fn run(queue: Arc<Queue>, mut free: Vec<Writer>) {
    let writers = free.len();
    let (give_back, mut returned) = mpsc::channel(writers);
    loop {
        let changed = queue.changed();
        while let Ok(writer) = returned.try_recv() {
            free.push(writer);
        }
        if let Some(mut writer) = free.pop() {
            if let Some(mut group) = queue.take() {
                let (queue, give_back) = (queue.clone(), give_back.clone());
                tokio::spawn(async move {
                    if AssertUnwindSafe(writer.work(&queue, &mut group)).catch_unwind().await.is_err() {
                        tracing::error!("a writer panicked beside its transaction");
                        // Nobody knows in which state it is, and its conversations wait for nobody.
                        writer.line = None;
                        queue.done(&mut group);
                    }
                    // There is room for all of them; without a receiver nobody needs it.
                    let _ = give_back.try_send(writer);
                    queue.wake();
                });
                continue;
            }
            free.push(writer);
        }
        if queue.is_over() && free.len() == writers {
            break;
        }
        changed.await;
    }
    for writer in free {
        writer.end().await;
    }
}

/// Writes of one transaction, and what came of it.
type Settled = (Vec<Box<dyn Write>>, Result<Vec<Moved>, Fault>);

impl Writer {
    pub(super) fn new(database: Database, rules: Arc<Rules>, writer_id: u64) -> Self {
        Self {
            database,
            rules,
            stamp: Stamp { writer_id, transaction_no: 0 },
            committed: None,
            line: None,
            keeping_up: None,
        }
    }

    async fn work(&mut self, queue: &Queue, group: &mut Group) {
        self.rules.counters.stages.queue.note(group.since.elapsed());
        let mut writes = std::mem::take(&mut group.writes);
        let outcome = self.commit_together(&mut writes, group.since).await;
        let mut settled: Vec<Settled> = Vec::new();
        match outcome {
            Err(fault @ (Fault::OfOne(_) | Fault::Damaged(_) | Fault::Panicked)) if writes.len() > 1 => {
                let error = Failure::from(fault);
                tracing::error!(%error, writes = writes.len(), "a transaction failed: its writes are done singly");
                settled = self.commit_singly(writes, group.since).await;
            }
            outcome => settled.push((writes, outcome)),
        }
        // Before the answers: who got theirs may ask for more of the same conversation.
        queue.done(group);
        for (writes, outcome) in settled {
            self.settle(queue, writes, outcome);
        }
    }

    /// When the database goes away in the middle, it is not waited for again by each.
    async fn commit_singly(&mut self, writes: Vec<Box<dyn Write>>, since: Instant) -> Vec<Settled> {
        let (mut settled, mut is_away) = (Vec::new(), false);
        for write in writes {
            let mut alone = vec![write];
            let outcome = match is_away {
                false => self.commit_together(&mut alone, since).await,
                true => Err(Fault::Lost("it went away before the turn of this write".into())),
            };
            is_away |= matches!(outcome, Err(Fault::Lost(_) | Fault::Store(Failure::UnknownOutcome(_))));
            settled.push((alone, outcome));
        }
        settled
    }

    fn settle(&mut self, queue: &Queue, writes: Vec<Box<dyn Write>>, outcome: Result<Vec<Moved>, Fault>) {
        let fault = match outcome {
            Ok(moved) => {
                writes.into_iter().for_each(|write| write.settle(None));
                return self.keep_up(moved);
            }
            Err(fault) => fault,
        };
        if let Fault::Damaged(damage) = &fault {
            self.rules.damaged.note(damage);
        }
        let is_away = matches!(fault, Fault::Lost(_) | Fault::Store(Failure::UnknownOutcome(_)));
        let error = Failure::from(fault);
        tracing::error!(%error, writes = writes.len(), "a transaction failed");
        self.rules.counters.full.fetch_add(u64::from(error == Failure::Full), Relaxed);
        for write in writes {
            write.settle(Some(&error));
        }
        // Those that have waited for it as long need not wait for their turn.
        for write in if is_away { queue.give_up(AWAY_MAX) } else { Vec::new() } {
            write.settle(Some(&Failure::Failed("the database is away".into())));
        }
    }

    /// Nobody waits for it. A sequencer that has not kept up with the last transaction is not asked beside this one: it is told later where
    /// the heads are.
    fn keep_up(&mut self, moved: Vec<Moved>) {
        if moved.is_empty() || self.keeping_up.as_ref().is_some_and(|task| !task.is_finished()) {
            return;
        }
        let rules = Arc::clone(&self.rules);
        self.keeping_up = Some(tokio::spawn(async move {
            let refused = keep_up(&*rules.sequencer, moved).await;
            rules.counters.proposals_refused.fetch_add(refused, Relaxed);
        }));
    }

    /// Those that came since then.
    async fn commit_together(&mut self, writes: &mut [Box<dyn Write>], since: Instant) -> Result<Vec<Moved>, Fault> {
        let until = since + AWAY_MAX;
        let (mut look, mut attempts) = (Look::OfRepeaters, 0);
        loop {
            let fault = match self.attempt(writes, look).await {
                Ok(moved) => return Ok(moved),
                Err(fault) => fault,
            };
            attempts += 1;
            match fault {
                // What is stored already needs no room.
                Fault::Known | Fault::Store(Failure::Full) if look == Look::OfRepeaters => look = Look::All,
                Fault::InTheWay(_) if attempts < ATTEMPTS_MAX && since.elapsed() < WRITE_MAX => {
                    sleep(pause(attempts)).await;
                }
                Fault::Taken(_) if attempts < TAKEN_MAX => sleep(pause(attempts)).await,
                Fault::Taken(what) => return Err(Damage(format!("a row is there already: {what}")).into()),
                Fault::Lost(_) if Instant::now() < until => sleep(AWAY_PAUSE).await,
                Fault::Unknown(why) => {
                    if self.was_committed(until.max(Instant::now() + OUTCOME_MAX), &why).await? {
                        return Ok(Vec::new());
                    }
                    // Known to be undone by now. A database that is slower than its time has had its chance.
                    if Instant::now() > until {
                        return Err(Fault::failed(why));
                    }
                }
                fault => return Err(fault),
            }
        }
    }

    /// A connection on which something broke is not used again.
    async fn attempt(&mut self, writes: &mut [Box<dyn Write>], look: Look) -> Result<Vec<Moved>, Fault> {
        let mut line = self.database.line(self.line.take(), Role::Writer).await?;
        if line.is_new
            && let Err(fault) = self.look_for_lost_commits(&mut line.db).await
        {
            self.database.broke();
            return Err(fault);
        }
        self.stamp.transaction_no += 1;
        let commits = AtomicBool::new(false);
        let transaction = transact(&mut line.db, &self.rules, self.stamp, writes, look, &commits);
        let transaction = timeout(TRANSACTION_MAX, AssertUnwindSafe(transaction).catch_unwind());
        let outcome = match transaction.await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(Fault::Panicked),
            Err(_) => Err(Fault::Lost("the transaction took too long".into())),
        };
        // What broke off behind the beginning of the commit may be done.
        let outcome = match outcome {
            Err(Fault::Lost(why)) if commits.load(Relaxed) => Err(Fault::Unknown(why)),
            Err(Fault::Panicked) if commits.load(Relaxed) => Err(Fault::Unknown("the writer panicked".into())),
            outcome => outcome,
        };
        let usable = match &outcome {
            Ok(_) => true,
            Err(Fault::Lost(_) | Fault::Unknown(_) | Fault::Panicked) => false,
            Err(_) => within(TRANSACTION_MAX, line.db.query_drop("ROLLBACK")).await.is_ok(),
        };
        if outcome.is_ok() && commits.load(Relaxed) {
            self.committed = Some((self.stamp.transaction_no, Instant::now()));
        }
        if usable {
            self.line = Some(line.used_now());
        } else {
            self.database.broke();
        }
        outcome
    }

    async fn was_committed(&mut self, until: Instant, why: &str) -> Result<bool, Fault> {
        loop {
            match within(TRANSACTION_MAX, self.last_committed()).await {
                Ok(last) => {
                    let was_committed = last == Some(self.stamp.transaction_no);
                    if was_committed {
                        self.committed = Some((self.stamp.transaction_no, Instant::now()));
                    }
                    return Ok(was_committed);
                }
                Err(_) if Instant::now() < until => sleep(AWAY_PAUSE).await,
                Err(error) => {
                    tracing::warn!(%error, "the database does not tell what came of a transaction");
                    return Err(Failure::UnknownOutcome(why.to_owned()).into());
                }
            }
        }
    }

    /// A database that takes the place of another one may lack what that one had committed. Clients that have it are told to start anew when
    /// they come; here it is noticed at once, by this writer's own last transaction.
    async fn look_for_lost_commits(&mut self, db: &mut Conn) -> Result<(), Fault> {
        let Some((committed, at)) = self.committed else { return Ok(()) };
        if at.elapsed() > REMEMBERED_MAX {
            return Ok(());
        }
        let sql = "SELECT transaction_no FROM im_writer WHERE writer_id = ?";
        let found: Option<u64> = within(OUTCOME_MAX, db.exec_first(sql, (self.stamp.writer_id,))).await?;
        let lost = committed.saturating_sub(found.unwrap_or(0));
        if lost > 0 {
            let writer_id = self.stamp.writer_id;
            tracing::error!(
                writer_id,
                lost,
                "the database has lost transactions that it had committed: was another one put in its place?"
            );
            self.rules.counters.commits_lost.fetch_add(lost, Relaxed);
            self.committed = None;
        }
        Ok(())
    }

    async fn last_committed(&self) -> Result<Option<u64>, mysql_async::Error> {
        let mut db = self.database.connect(Role::Writer).await?;
        let sql = "SELECT transaction_no FROM im_writer WHERE writer_id = ? FOR UPDATE";
        let last = db.exec_first(sql, (self.stamp.writer_id,)).await?;
        db.disconnect().await?;
        Ok(last)
    }

    async fn end(mut self) {
        let Some(Line { mut db, .. }) = self.line.take() else { return };
        let goodbye = async {
            db.exec_drop("DELETE FROM im_writer WHERE writer_id = ?", (self.stamp.writer_id,)).await?;
            db.disconnect().await
        };
        // Rows that stay are swept by a later start.
        let _ = within(GOODBYE_MAX, goodbye).await;
    }
}

/// Longer with each attempt, and not the same on two nodes.
fn pause(attempts: u32) -> Duration {
    let random = getrandom::u32().unwrap_or(0) % 10;
    Duration::from_millis(u64::from(attempts * 2 + random))
}
