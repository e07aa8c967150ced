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
    time::{Instant, sleep, timeout},
};

use super::{
    WRITE_MAX,
    fault::Fault,
    group, message,
    open::{Database, Line, Role, within},
    queue::{Group, Queue},
    session,
    txn::{Rules, Stamp, Txn},
    user,
    wants::Wants,
};
use crate::{Error, write::Write};

/// Attempts that others were in the way of.
const ATTEMPTS_MAX: u32 = 20;
/// How long a transaction may take before its connection is given up.
const TRANSACTION_MAX: Duration = Duration::from_secs(20);
/// How long a write waits for a database that is away, and how often that is asked.
const AWAY_MAX: Duration = Duration::from_secs(15);
const AWAY_PAUSE: Duration = Duration::from_millis(100);
/// And at least that, where only it can tell what came of a transaction.
const OUTCOME_MAX: Duration = Duration::from_secs(5);
const GOODBYE_MAX: Duration = Duration::from_secs(2);

#[derive(Default)]
pub(super) struct Counters {
    pub(super) commits: AtomicU64,
    pub(super) appended: AtomicU64,
    pub(super) full: AtomicU64,
    pub(super) proposals_refused: AtomicU64,
}

/// One connection that writes, and its row of `im_writer`.
pub(super) struct Writer {
    database: Database,
    rules: Arc<Rules>,
    stamp: Stamp,
    /// None: to be made.
    line: Option<Line>,
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
                        tracing::error!(writes = group.writes.len(), "a transaction panicked");
                        // Nobody knows in which state it is, and its conversations wait for nobody.
                        writer.line = None;
                        queue.done(&group);
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

impl Writer {
    pub(super) fn new(database: Database, rules: Arc<Rules>, writer_id: u64) -> Self {
        Self { database, rules, stamp: Stamp { writer_id, transaction_no: 0 }, line: None }
    }

    async fn work(&mut self, queue: &Queue, group: &mut Group) {
        let fault = self.commit_together(group).await.err();
        let is_away = matches!(fault, Some(Fault::Lost(_) | Fault::Store(Error::UnknownOutcome(_))));
        let failure = fault.map(Error::from);
        if let Some(error) = &failure {
            tracing::error!(%error, writes = group.writes.len(), "a transaction failed");
            self.rules.counters.full.fetch_add(u64::from(*error == Error::Full), Relaxed);
        }
        let writes = std::mem::take(&mut group.writes);
        // Before the answers: who got theirs may ask for more of the same conversation.
        queue.done(group);
        for write in writes {
            write.settle(failure.as_ref());
        }
        // Those that have waited for it as long need not wait for their turn.
        for write in if is_away { queue.give_up(AWAY_MAX) } else { Vec::new() } {
            write.settle(Some(&Error::Failed("the database is away".into())));
        }
    }

    async fn commit_together(&mut self, group: &mut Group) -> Result<(), Fault> {
        let until = group.since + AWAY_MAX;
        let (mut look, mut attempts) = (false, 0);
        loop {
            let fault = match self.attempt(&mut group.writes, look).await {
                Ok(()) => return Ok(()),
                Err(fault) => fault,
            };
            attempts += 1;
            match fault {
                Fault::Known if !look => look = true,
                Fault::InTheWay(_) if attempts < ATTEMPTS_MAX && group.since.elapsed() < WRITE_MAX => {
                    sleep(pause(attempts)).await;
                }
                Fault::Lost(_) if Instant::now() < until => sleep(AWAY_PAUSE).await,
                Fault::Unknown(why) => {
                    if self.was_committed(until.max(Instant::now() + OUTCOME_MAX), &why).await? {
                        return Ok(());
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
    async fn attempt(&mut self, writes: &mut [Write], look: bool) -> Result<(), Fault> {
        let mut line = self.database.line(self.line.take(), Role::Writer).await?;
        self.stamp.transaction_no += 1;
        let commits = AtomicBool::new(false);
        let transaction = transact(&mut line.db, &self.rules, self.stamp, writes, look, &commits);
        let outcome = timeout(TRANSACTION_MAX, transaction).await.unwrap_or_else(|_| {
            let why = "the transaction took too long".to_owned();
            Err(if commits.load(Relaxed) { Fault::Unknown(why) } else { Fault::Lost(why) })
        });
        let usable = match &outcome {
            Ok(()) => true,
            Err(Fault::Lost(_) | Fault::Unknown(_)) => false,
            Err(_) => within(TRANSACTION_MAX, line.db.query_drop("ROLLBACK")).await.is_ok(),
        };
        if usable {
            self.line = Some(line.used_now());
        } else {
            self.database.broke();
        }
        outcome
    }

    async fn was_committed(&self, until: Instant, why: &str) -> Result<bool, Fault> {
        loop {
            match within(TRANSACTION_MAX, self.last_committed()).await {
                Ok(last) => return Ok(last == Some(self.stamp.transaction_no)),
                Err(_) if Instant::now() < until => sleep(AWAY_PAUSE).await,
                Err(error) => {
                    tracing::warn!(%error, "the database does not tell what came of a transaction");
                    return Err(Error::UnknownOutcome(why.to_owned()).into());
                }
            }
        }
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

/// Sets `commits` before anything of it can be committed.
async fn transact(
    db: &mut Conn,
    rules: &Rules,
    stamp: Stamp,
    writes: &mut [Write],
    look: bool,
    commits: &AtomicBool,
) -> Result<(), Fault> {
    let mut wants = Wants::default();
    for write in &*writes {
        want(&mut wants, write);
    }
    let mut tx = Txn::begin(db, rules, wants, stamp).await?;
    for write in writes {
        if let (true, Write::Append(batch, _)) = (look, &*write) {
            message::look(&mut tx, batch).await?;
        }
        perform(write, &mut tx).await?;
    }
    commits.store(true, Relaxed);
    tx.commit().await
}

fn want(wants: &mut Wants, write: &Write) {
    match write {
        Write::Append(batch, _) => message::want(wants, batch),
        Write::Mark(mark, _) => session::want(wants, mark),
        Write::CreateGroup(new, _) => group::want_new(wants, new),
        Write::ChangeMembers(change, _) => group::want_change(wants, change),
        Write::UpdateProfile(user, ..)
        | Write::SetPassword(user, ..)
        | Write::SetDisabled(user, ..)
        | Write::TouchDevice(user, ..) => _ = wants.users.insert(*user),
        Write::CreateUser(..) | Write::Probe(_) => {}
    }
}

/// Does it inside of the transaction: refused before anything is written, or written whole.
async fn perform(write: &mut Write, tx: &mut Txn<'_>) -> Result<(), Fault> {
    match write {
        Write::Append(batch, ticket) => ticket.keep(told(message::append(tx, batch).await)?),
        Write::Mark(mark, ticket) => ticket.keep(told(session::mark(tx, mark).await)?),
        Write::CreateGroup(new, ticket) => ticket.keep(told(group::create_group(tx, new).await)?),
        Write::ChangeMembers(change, ticket) => ticket.keep(told(group::change_members(tx, change).await)?),
        Write::CreateUser(new, ticket) => ticket.keep(told(user::create_user(tx, new).await)?),
        Write::UpdateProfile(id, change, ticket) => ticket.keep(told(user::update_profile(tx, *id, change).await)?),
        Write::SetPassword(id, password, ticket) => ticket.keep(told(user::set_password(tx, *id, password).await)?),
        Write::SetDisabled(id, disabled, ticket) => ticket.keep(told(user::set_disabled(tx, *id, *disabled).await)?),
        Write::TouchDevice(id, device, ticket) => ticket.keep(told(user::touch_device(tx, *id, device).await)?),
        Write::Probe(ticket) => {
            // The transaction writes its number, which proves what is to be proved.
            tx.changed = true;
            ticket.keep(Ok(()))
        }
    }
    .map_err(Fault::Store)
}

/// An answer or a refusal; a fault that concerns the transaction ends it.
fn told<T>(outcome: Result<T, Fault>) -> Result<Result<T, Error>, Fault> {
    match outcome {
        Ok(answer) => Ok(Ok(answer)),
        Err(Fault::Store(error)) => Ok(Err(error)),
        Err(fault) => Err(fault),
    }
}
