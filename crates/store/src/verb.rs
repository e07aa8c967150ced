//! Everything that changes the store: what it wants to know, what it decides, and who is told what came of it.

use std::{collections::BTreeSet, sync::Arc};

use anser_proto::{ConversationId, UserId};
use tokio::{sync::oneshot, time::Instant};

use crate::{
    Error, Failure, NewMessage,
    facts::{Facts, Stop, Want},
    query::{Dialect, Query},
    records::BYTES_BESIDE,
};

/// A change of the store. One file of `verbs/` each.
pub(crate) trait Verb: Send + 'static {
    type Answer: Send + 'static;

    /// What it will ask for, as far as that is known beforehand: where a question is a round trip, all are asked together. What is left
    /// out is asked for when it is needed.
    fn wants(&self, wants: &mut Wants);

    /// Answers or refuses by what is known, and changes the facts. Asked again from the beginning when a fact was missing.
    fn decide(&self, facts: &mut Facts<'_>) -> Result<Self::Answer, Stop>;

    /// How much of a transaction it takes, in messages. A user who joins or goes takes about as many rows as one.
    fn weight(&self) -> usize {
        1
    }

    /// What it holds until it is done, beside [`BYTES_BESIDE`]: bodies, lists of users.
    fn bytes(&self) -> usize {
        0
    }

    /// When nobody will wait for it any more.
    fn until(&self) -> Option<Instant> {
        None
    }

    /// With whom it may share a transaction where a question is answered before any of them is decided.
    fn company(&self) -> Company {
        Company::Nobody
    }

    /// Those whose order it takes part in.
    fn conversations(&self) -> Vec<ConversationId> {
        Vec::new()
    }

    /// Those that it appends for users.
    fn messages(&self) -> &[NewMessage] {
        &[]
    }
}

/// What verbs that share a transaction must not do: change what another asked for by a question.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Company {
    /// It asks nothing that others change.
    Everybody,
    /// Only verbs of the same subject change what it asks for.
    AllBut(Subject),
    Nobody,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Subject {
    DevicesOf(UserId),
    Account(Arc<str>),
}

/// What is asked for at the beginning of a transaction.
pub(crate) struct Wants {
    pub(crate) dialect: Dialect,
    pub(crate) rows: BTreeSet<Want>,
    /// Heads that it moves nowhere: whoever appends meanwhile need not wait.
    pub(crate) heads: BTreeSet<ConversationId>,
    pub(crate) queries: Vec<Query>,
}

impl Wants {
    pub(crate) fn new(dialect: Dialect) -> Self {
        Self { dialect, rows: BTreeSet::new(), heads: BTreeSet::new(), queries: Vec::new() }
    }

    pub(crate) fn row(&mut self, want: Want) {
        self.rows.insert(want);
    }

    pub(crate) fn look_at_head(&mut self, conversation: ConversationId) {
        self.heads.insert(conversation);
    }

    pub(crate) fn ask(&mut self, query: Query) {
        self.queries.push(query);
    }
}

pub(crate) type Answered<V> = oneshot::Receiver<Result<<V as Verb>::Answer, Error>>;

/// A verb that waits for its transaction, and who waits for its answer.
pub(crate) struct Waiting<V: Verb> {
    verb: V,
    since: Instant,
    answer: Option<Result<V::Answer, Error>>,
    caller: oneshot::Sender<Result<V::Answer, Error>>,
}

/// The same, whichever the verb.
pub(crate) trait Write: Send {
    fn wants(&self, wants: &mut Wants);
    fn weight(&self) -> usize;
    /// What it holds until it is done.
    fn bytes(&self) -> usize;
    fn company(&self) -> Company;
    fn conversations(&self) -> Vec<ConversationId>;
    fn messages(&self) -> &[NewMessage];

    fn since(&self) -> Instant;

    /// Somebody waits for its answer. What nobody waits for any more, and was not begun, need not be done.
    fn is_wanted(&self) -> bool;

    /// Decides, and keeps an answer or a refusal until the commit; or a failure, if a row that it needs is damaged and nothing was done yet.
    fn decide(&mut self, facts: &mut Facts<'_>) -> Result<(), Stop>;

    /// Refusals too are taken back by a failure: they may rest on what the same transaction had done. Whoever asked may have gone: then
    /// nobody is told.
    fn settle(self: Box<Self>, failure: Option<&Failure>);
}

impl<V: Verb> Waiting<V> {
    /// It as a write, and its answer to come.
    pub(crate) fn of(verb: V) -> (Box<dyn Write>, Answered<V>) {
        let (caller, answered) = oneshot::channel();
        (Box::new(Self { verb, since: Instant::now(), answer: None, caller }), answered)
    }
}

impl<V: Verb> Write for Waiting<V> {
    fn wants(&self, wants: &mut Wants) {
        self.verb.wants(wants);
    }

    fn weight(&self) -> usize {
        self.verb.weight()
    }

    fn bytes(&self) -> usize {
        BYTES_BESIDE + self.verb.bytes()
    }

    fn company(&self) -> Company {
        self.verb.company()
    }

    fn conversations(&self) -> Vec<ConversationId> {
        self.verb.conversations()
    }

    fn messages(&self) -> &[NewMessage] {
        self.verb.messages()
    }

    fn since(&self) -> Instant {
        self.since
    }

    fn is_wanted(&self) -> bool {
        !self.caller.is_closed() && self.verb.until().is_none_or(|until| Instant::now() < until)
    }

    fn decide(&mut self, facts: &mut Facts<'_>) -> Result<(), Stop> {
        let appended = facts.appended;
        self.answer = Some(match self.verb.decide(facts) {
            Ok(answer) => {
                facts.keep();
                Ok(answer)
            }
            Err(stop) => {
                let is_undone = facts.undo();
                facts.appended = appended;
                match stop {
                    Stop::Refused(refusal) if is_undone => Err(refusal.into()),
                    Stop::Damaged(damage) if is_undone => {
                        facts.damaged.note(&damage);
                        Err(Failure::Damaged(damage.0).into())
                    }
                    stop => return Err(stop),
                }
            }
        });
        Ok(())
    }

    fn settle(self: Box<Self>, failure: Option<&Failure>) {
        let passed_over = || Err(Failure::Failed("the write was passed over".into()).into());
        drop(self.caller.send(match failure {
            Some(failure) => Err(failure.clone().into()),
            None => self.answer.unwrap_or_else(passed_over),
        }));
    }
}
