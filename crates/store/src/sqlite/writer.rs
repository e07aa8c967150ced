//! The one thread that writes, and its group commit.
//!
//! It takes all that waits, up to a bound, runs it in one transaction, and answers after the commit was synced. What comes
//! meanwhile goes into the next one: nothing waits for company, and the busier it is the more a sync carries.

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use anser_proto::ConversationId;
use rusqlite::Connection;

use super::{
    checkpoint::Checkpoints,
    columns::prepare,
    group, message,
    open::Folder,
    queue::Queue,
    session,
    txn::{Kept, Rules, Txn},
    user,
};
use crate::{Error, write::Write};

/// Bytes of the writes of one transaction; a write that is larger goes alone.
const GROUP_BYTES_MAX: usize = 4 << 20;

/// Does it inside of the transaction: refused before anything is written, or written whole.
fn run(write: &mut Write, tx: &mut Txn<'_>) -> Result<(), Error> {
    match write {
        Write::Append(batch, ticket) => ticket.keep(message::append(tx, batch)),
        Write::Mark(mark, ticket) => ticket.keep(session::mark(tx, mark)),
        Write::CreateGroup(new, ticket) => ticket.keep(group::create_group(tx, new)),
        Write::ChangeMembers(change, ticket) => ticket.keep(group::change_members(tx, change)),
        Write::CreateUser(new, ticket) => ticket.keep(user::create_user(tx, new)),
        Write::UpdateProfile(user, change, ticket) => ticket.keep(user::update_profile(tx, *user, change)),
        Write::SetPassword(user, password, ticket) => ticket.keep(user::set_password(tx, *user, password)),
        Write::SetDisabled(user, disabled, ticket) => ticket.keep(user::set_disabled(tx, *user, *disabled)),
        Write::TouchDevice(user, device, ticket) => ticket.keep(user::touch_device(tx, *user, device)),
        Write::Probe(ticket) => ticket.keep(probe(tx)),
    }
}

/// Writes a page and syncs it, with what it had.
fn probe(tx: &Txn<'_>) -> Result<(), Error> {
    Ok(prepare(tx.db, "UPDATE im_store SET schema_version = schema_version")?.execute([]).map(drop)?)
}

#[derive(Default)]
pub(super) struct Counters {
    pub(super) commits: AtomicU64,
    pub(super) appended: AtomicU64,
    pub(super) full: AtomicU64,
    pub(super) proposals_refused: AtomicU64,
    pub(super) checkpoints: AtomicU64,
}

pub(super) struct Writer {
    pub(super) folder: Arc<Folder>,
    pub(super) rules: Rules,
    pub(super) kept: Kept,
    /// Weight of one transaction, in messages; a write that is larger goes alone.
    pub(super) messages_max: usize,
    pub(super) cache_kib: u32,
    pub(super) checkpoints: Arc<Checkpoints>,
    /// None after a failure, until it could be opened anew.
    pub(super) db: Option<Connection>,
}

impl Writer {
    /// Works until the queue is closed and empty, and gives the connection back.
    pub(super) fn run(mut self, queue: &Queue<Write>) -> Option<Connection> {
        let _end = queue.closed_at_the_end();
        let mut group = Vec::new();
        while let Some(first) = queue.pop() {
            let (mut messages, mut bytes) = (first.weight(), first.bytes());
            group.push(first);
            let fits = |messages, bytes| messages <= self.messages_max && bytes <= GROUP_BYTES_MAX;
            while let Some(next) = queue.pop_if(|next| fits(messages + next.weight(), bytes + next.bytes())) {
                messages += next.weight();
                bytes += next.bytes();
                group.push(next);
            }
            let failure = self.commit_together(&mut group).err();
            for write in group.drain(..) {
                write.settle(failure.as_ref());
            }
            if let Some(db) = &self.db {
                self.checkpoints.after_commit(db);
            }
        }
        self.db
    }

    /// After a failure nothing that was remembered is trusted, and unless the disk was merely full, neither is the connection.
    fn commit_together(&mut self, group: &mut [Write]) -> Result<(), Error> {
        let db = match self.db.take() {
            Some(db) => db,
            None => self.folder.connect_writer(self.cache_kib, self.checkpoints.wal_bytes_max())?,
        };
        let attempt = AssertUnwindSafe(|| transact(&db, &self.rules, &mut self.kept, group));
        let outcome = catch_unwind(attempt).unwrap_or_else(|_| Err(panicked(&db)));
        match &outcome {
            Ok(()) => self.db = Some(db),
            Err(error) => {
                tracing::error!(%error, writes = group.len(), "a transaction failed");
                self.rules.counters.full.fetch_add(u64::from(*error == Error::Full), Relaxed);
                self.kept.clear();
                let rolled_back = db.is_autocommit() || db.execute_batch("ROLLBACK").is_ok();
                if *error == Error::Full && rolled_back {
                    self.db = Some(db);
                }
            }
        }
        outcome
    }
}

/// With no transaction open the panic came behind the commit, or before the beginning.
fn panicked(db: &Connection) -> Error {
    let why = "the writer panicked".to_owned();
    if db.is_autocommit() { Error::UnknownOutcome(why) } else { Error::Failed(why) }
}

fn transact(db: &Connection, rules: &Rules, kept: &mut Kept, group: &mut [Write]) -> Result<(), Error> {
    let before = db.total_changes();
    let mut tx = Txn::begin(db, rules, kept, wanted(group))?;
    for write in group {
        run(write, &mut tx)?;
    }
    let appended = tx.appended;
    tx.commit()?;
    rules.counters.commits.fetch_add(u64::from(db.total_changes() != before), Relaxed);
    rules.counters.appended.fetch_add(appended, Relaxed);
    Ok(())
}

/// How many messages may come to each conversation: their numbers are reserved at once.
fn wanted(group: &[Write]) -> HashMap<ConversationId, u32> {
    let mut wanted = HashMap::new();
    for write in group {
        let Write::Append(batch, _) = write else { continue };
        for message in batch {
            *wanted.entry(message.conversation).or_default() += 1;
        }
    }
    wanted
}
