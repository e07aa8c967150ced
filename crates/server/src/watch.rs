//! Tasks that live as long as the process: each is kept by somebody who notices when it ends. A node that is deaf must not stay
//! home to conversations, so it goes: `/readyz` and the metrics say which task it was, and whoever runs the server ends it with an error,
//! to be started anew. What a task does piece by piece it does not end for: a piece that panics is lost, is told as lost, and no more.
//!
//! | task | what it does | a piece that may fail alone |
//! |---|---|---|
//! | `fan_out`, one a connection | tells whom stored messages concern | what was stored together: they are told to sync |
//! | `gateway` | accepts connections | a connection is a task of its own, and so are its requests |
//! | `listen` | tells what other nodes have to tell | one message: clients are told to sync |
//! | `obey` | takes answers and kicks of other nodes | one message: clients are told to sync |
//! | `relay`, `relay_kicks` | tells other nodes | what is looked up at once: clients there are told to sync |
//! | `heal` | tells clients to sync | none |
//! | `logins` | ends connections whose logins were ended | none |
//! | `names` | follows what users are called | none |
//! | `presence` | says how users are connected to this node | none |
//! | `presence_shown` | tells contacts who is there, and keeps when somebody was | none |
//! | `load` | says how busy this node is | none |
//! | `store` | the threads or tasks of the store | a transaction, a read |
//! | `bus_in`, `bus_out`, `bus_in_answers`, `bus_out_answers` | NATS | none |
//! | `kicks_in`, `kicks_out` | the stream of kicks in Redis | none |
//! | `directory` | this node's entry in Redis | none |
//! | `clock` | follows the clock of the database | a question that is not answered |
//! | `redis` | connects to Redis again | none |

use std::{
    any::Any,
    panic::AssertUnwindSafe,
    sync::{Arc, atomic::AtomicU64},
};

use anser_store::fallen::Fallen;
use futures_util::FutureExt as _;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};
use tokio::task::JoinHandle;

/// A handle: clones watch the same tasks.
#[derive(Clone, Default)]
pub struct Watch(Arc<Inner>);

#[derive(Default)]
struct Inner {
    fallen: Fallen,
    ended: Family<TaskLabels, Counter<u64, AtomicU64>>,
    pieces: Family<TaskLabels, Counter<u64, AtomicU64>>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct TaskLabels {
    task: &'static str,
}

impl Watch {
    /// Runs a task that must not end until it is aborted, or until [`Watch::stand_down`].
    pub fn keep(&self, task: &'static str, work: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
        let watch = self.clone();
        tokio::spawn(async move {
            match AssertUnwindSafe(work).catch_unwind().await {
                Ok(()) => watch.fell(task, "it ended by itself"),
                Err(panic) => watch.fell(task, said(&*panic)),
            }
        })
    }

    /// A task ended that should not have.
    pub fn fell(&self, task: &'static str, why: &str) {
        if self.0.fallen.fell(format!("the task `{task}` ended: {why}")) {
            tracing::error!(task, why, "a task ended that this node cannot do without");
            self.0.ended.get_or_create(&TaskLabels { task }).inc();
        }
    }

    /// One piece of a task's work. None when it panicked.
    pub async fn piece<T>(&self, task: &'static str, work: impl Future<Output = T>) -> Option<T> {
        let done = AssertUnwindSafe(work).catch_unwind().await;
        if let Err(panic) = &done {
            tracing::error!(task, why = said(&**panic), "a piece of work was lost");
            self.0.pieces.get_or_create(&TaskLabels { task }).inc();
        }
        done.ok()
    }

    /// What ended, if something did.
    pub fn fallen(&self) -> Option<Arc<str>> {
        self.0.fallen.first()
    }

    /// Returns when something ended.
    pub async fn falls(&self) -> Arc<str> {
        self.0.fallen.told().await
    }

    /// From now on tasks may end.
    pub fn stand_down(&self) {
        self.0.fallen.let_end();
    }

    pub fn register(&self, registry: &mut Registry) {
        let help = "Tasks that ended though the node cannot do without";
        registry.register("tasks_ended", help, self.0.ended.clone());
        let help = "Pieces of a task's work that were lost to a fault of the program";
        registry.register("pieces_lost", help, self.0.pieces.clone());
    }
}

fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("it panicked")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_ends_is_told_unless_it_may() {
        let watch = Watch::default();
        watch.keep("first", async { panic!("a fault") });
        assert_eq!(&*watch.falls().await, "the task `first` ended: a fault");
        watch.keep("second", async {}).await.expect("it is caught");
        assert_eq!(watch.fallen().as_deref(), Some("the task `first` ended: a fault"));

        let watch = Watch::default();
        watch.keep("aborted", std::future::pending()).abort();
        watch.stand_down();
        watch.keep("last", async {}).await.expect("it is caught");
        assert_eq!(watch.fallen(), None);
    }

    #[tokio::test]
    async fn a_piece_that_panics_is_lost_alone() {
        let watch = Watch::default();
        assert_eq!(watch.piece("some", async { 1 }).await, Some(1));
        assert_eq!(watch.piece("some", async { panic!("a fault") }).await, None::<()>);
        assert_eq!(watch.fallen(), None);
    }
}
