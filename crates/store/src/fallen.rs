//! The threads and tasks of a store: one that ends before the store is closed is told.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use tokio::sync::watch;

/// Shared by a store and its threads or tasks.
#[derive(Default)]
pub(crate) struct Fallen {
    may_end: AtomicBool,
    first: watch::Sender<Option<String>>,
}

/// Held by a thread or task for as long as it works, by whichever way that ends.
pub(crate) struct AtWork {
    name: &'static str,
    fallen: Arc<Fallen>,
}

impl Fallen {
    pub(crate) fn at_work(self: &Arc<Self>, name: &'static str) -> AtWork {
        AtWork { name, fallen: Arc::clone(self) }
    }

    /// The store is being closed.
    pub(crate) fn let_end(&self) {
        self.may_end.store(true, Relaxed);
    }

    /// Returns when one ended that should not have, and says which.
    pub(crate) async fn told(&self) -> String {
        let mut first = self.first.subscribe();
        loop {
            if let Some(why) = first.borrow_and_update().clone() {
                return why;
            }
            // The sender lives as long as this.
            let _ = first.changed().await;
        }
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        if !self.fallen.may_end.load(Relaxed) {
            let how = if std::thread::panicking() { "panicked" } else { "ended" };
            let why = format!("`{}` {how}", self.name);
            self.fallen.first.send_if_modified(|first| first.replace(why).is_none());
        }
    }
}
