//! Everything that changes a store, as it waits for its transaction, and who is told what came of it.

use anser_proto::UserId;
use tokio::sync::oneshot;

use crate::{
    Appended, Device, Error, Mark, Marked, MembersChange, MembersChanged, NewGroup, NewMessage, NewUser, PasswordHash,
    ProfileChange, User, records::BYTES_BESIDE,
};

/// Everything that changes the store.
pub(crate) enum Write {
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
pub(crate) struct Ticket<T> {
    answer: Option<Result<T, Error>>,
    caller: oneshot::Sender<Result<T, Error>>,
}

impl<T> Ticket<T> {
    pub(crate) fn new() -> (Self, oneshot::Receiver<Result<T, Error>>) {
        let (caller, answered) = oneshot::channel();
        (Self { answer: None, caller }, answered)
    }

    /// Keeps an answer or a refusal until the commit. A failure concerns the whole transaction.
    pub(crate) fn keep(&mut self, outcome: Result<T, Error>) -> Result<(), Error> {
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
    pub(crate) fn settle(self, failure: Option<&Error>) {
        let passed_over = || Err(Error::Failed("the write was passed over".into()));
        drop(self.caller.send(match failure {
            Some(failure) => Err(failure.clone()),
            None => self.answer.unwrap_or_else(passed_over),
        }));
    }
}

impl Write {
    pub(crate) fn settle(self, failure: Option<&Error>) {
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

    /// What it holds until it is done: bodies, lists of users, and all else by the piece.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Append(batch, _) => BYTES_BESIDE + batch.iter().map(NewMessage::bytes).sum::<usize>(),
            Self::CreateGroup(new, _) => BYTES_BESIDE + size_of_val(&*new.members),
            Self::ChangeMembers(change, _) => BYTES_BESIDE + size_of_val(change.action.users()),
            _ => BYTES_BESIDE,
        }
    }

    /// How much of a transaction it takes, in messages. A user who joins or goes takes about as many rows as one.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::Append(batch, _) => batch.len(),
            Self::CreateGroup(new, _) => 1 + new.members.len(),
            Self::ChangeMembers(change, _) => 1 + change.action.users().len(),
            _ => 1,
        }
    }
}
