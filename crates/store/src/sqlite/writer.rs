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

use anser_proto::{ConversationId, UserId};
use rusqlite::Connection;
use tokio::sync::oneshot;

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
use crate::{
    Appended, Device, Error, Mark, Marked, MembersChange, MembersChanged, NewGroup, NewMessage, NewUser, PasswordHash,
    ProfileChange, User,
};

/// Everything that changes the store.
pub(super) enum Write {
    Append(Vec<NewMessage>, Ticket<Vec<Result<Appended, Error>>>),
    Mark(Mark, Ticket<Marked>),
    CreateGroup(NewGroup, Ticket<MembersChanged>),
    ChangeMembers(MembersChange, Ticket<MembersChanged>),
    CreateUser(NewUser, Ticket<User>),
    UpdateProfile(UserId, ProfileChange, Ticket<(User, u64)>),
    SetPassword(UserId, PasswordHash, Ticket<()>),
    SetDisabled(UserId, bool, Ticket<()>),
    TouchDevice(UserId, Device, Ticket<()>),
    Probe(Ticket<()>),
}

/// Where the answer goes, and until the commit the answer itself.
pub(super) struct Ticket<T> {
    answer: Option<Result<T, Error>>,
    caller: oneshot::Sender<Result<T, Error>>,
}

impl<T> Ticket<T> {
    pub(super) fn new() -> (Self, oneshot::Receiver<Result<T, Error>>) {
        let (caller, answered) = oneshot::channel();
        (Self { answer: None, caller }, answered)
    }

    /// Keeps an answer or a refusal until the commit. A failure concerns the whole transaction.
    fn keep(&mut self, outcome: Result<T, Error>) -> Result<(), Error> {
        match outcome {
            Err(failure) if !failure.is_refusal() => Err(failure),
            answer => {
                self.answer = Some(answer);
                Ok(())
            }
        }
    }

    /// Refusals too are taken back by a failure: they may rest on what the same transaction had done. Whoever asked may
    /// have gone: then nobody hears it.
    fn settle(self, failure: Option<&Error>) {
        let passed_over = || Err(Error::Failed("the write was passed over".into()));
        drop(self.caller.send(match failure {
            Some(failure) => Err(failure.clone()),
            None => self.answer.unwrap_or_else(passed_over),
        }));
    }
}

impl Write {
    /// Does it inside of the transaction: refused before anything is written, or written whole.
    fn run(&mut self, tx: &mut Txn<'_>) -> Result<(), Error> {
        match self {
            Self::Append(batch, ticket) => ticket.keep(message::append(tx, batch)),
            Self::Mark(mark, ticket) => ticket.keep(session::mark(tx, mark)),
            Self::CreateGroup(new, ticket) => ticket.keep(group::create_group(tx, new)),
            Self::ChangeMembers(change, ticket) => ticket.keep(group::change_members(tx, change)),
            Self::CreateUser(new, ticket) => ticket.keep(user::create_user(tx, new)),
            Self::UpdateProfile(user, change, ticket) => ticket.keep(user::update_profile(tx, *user, change)),
            Self::SetPassword(user, password, ticket) => ticket.keep(user::set_password(tx, *user, password)),
            Self::SetDisabled(user, disabled, ticket) => ticket.keep(user::set_disabled(tx, *user, *disabled)),
            Self::TouchDevice(user, device, ticket) => ticket.keep(user::touch_device(tx, *user, device)),
            Self::Probe(ticket) => ticket.keep(probe(tx)),
        }
    }

    fn settle(self, failure: Option<&Error>) {
        match self {
            Self::Append(_, ticket) => ticket.settle(failure),
            Self::Mark(_, ticket) => ticket.settle(failure),
            Self::CreateGroup(_, ticket) | Self::ChangeMembers(_, ticket) => ticket.settle(failure),
            Self::CreateUser(_, ticket) => ticket.settle(failure),
            Self::UpdateProfile(_, _, ticket) => ticket.settle(failure),
            Self::SetPassword(.., ticket)
            | Self::SetDisabled(.., ticket)
            | Self::TouchDevice(.., ticket)
            | Self::Probe(ticket) => ticket.settle(failure),
        }
    }

    /// How much of a transaction it takes, in messages. A user who joins or goes takes about as many rows as one.
    fn weight(&self) -> usize {
        match self {
            Self::Append(batch, _) => batch.len(),
            Self::CreateGroup(new, _) => 1 + new.members.len(),
            Self::ChangeMembers(change, _) => 1 + change.action.users().len(),
            _ => 1,
        }
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
            let mut messages = first.weight();
            group.push(first);
            while let Some(next) = queue.pop_if(|next| messages + next.weight() <= self.messages_max) {
                messages += next.weight();
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
        write.run(&mut tx)?;
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
