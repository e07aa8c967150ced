//! Every store against the contract, and the stores against each other.

use std::sync::{Arc, Mutex};

use anser_store::{Options, Sequencer, Store, contract::Subject, memory::MemoryStore};
use async_trait::async_trait;

mod blame;
mod damage;
mod doctor;
mod fixtures;
mod model;
#[cfg(feature = "cluster")]
mod mysql;
mod sqlite;
mod talk;

mod memory {
    anser_store::store_contract!(tests of crate::memory_subject);
}

fn memory_subject() -> Box<dyn Subject> {
    Box::new(MemorySubject::default())
}

#[derive(Default)]
struct MemorySubject(Mutex<Option<Arc<MemoryStore>>>);

#[async_trait]
impl Subject for MemorySubject {
    async fn open(&self, options: Options, _: Arc<dyn Sequencer>) -> Arc<dyn Store> {
        let mut kept = self.0.lock().expect("no case panicked here");
        let store = match kept.take() {
            Some(before) => before.reopen(options),
            None => MemoryStore::new(options),
        };
        kept.insert(Arc::new(store)).clone()
    }
}

/// The reference against itself, opened again in between.
#[test]
fn the_memory_store_answers_like_the_model() {
    model::check(memory_subject, 100);
}
