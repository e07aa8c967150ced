//! What may have been lost between nodes, until those whom it concerns are told to sync.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Handles: a clone marks the same.
#[derive(Clone, Default)]
pub struct Losses {
    /// On its way here: it concerns who is connected to this node.
    pub here: Lost,
    /// On its way out: the others have to be told yet.
    pub elsewhere: Lost,
}

/// Whether something was lost since that was asked last.
#[derive(Clone, Default)]
pub struct Lost(Arc<AtomicBool>);

impl Lost {
    pub fn add(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}
