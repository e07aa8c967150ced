//! What must not end before it may: the first that does is told.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use tokio::sync::watch;

/// Shared by threads or tasks and whoever notices when one of them ends.
#[derive(Default)]
pub struct Fallen {
    may_end: AtomicBool,
    first: watch::Sender<Option<Arc<str>>>,
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

    /// From now on all of them may end.
    pub fn let_end(&self) {
        self.may_end.store(true, Relaxed);
    }

    /// One ended. False if it may.
    pub fn fell(&self, why: impl Into<Arc<str>>) -> bool {
        let may_end = self.may_end.load(Relaxed);
        self.first.send_if_modified(|first| {
            let is_first = !may_end && first.is_none();
            if is_first {
                *first = Some(why.into());
            }
            is_first
        });
        !may_end
    }

    /// Why the first ended that should not have.
    pub fn first(&self) -> Option<Arc<str>> {
        self.first.borrow().clone()
    }

    /// Returns when there is one.
    pub async fn told(&self) -> Arc<str> {
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
        let how = if std::thread::panicking() { "panicked" } else { "ended" };
        self.fallen.fell(format!("`{}` {how}", self.name));
    }
}
