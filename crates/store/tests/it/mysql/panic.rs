//! A fault of the program in the middle of a transaction.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use anser_store::{Error, Failure, Store as _};
use futures_util::FutureExt as _;

use super::*;
use crate::talk::{send, settle, single, text};

#[tokio::test]
async fn a_panic_in_a_transaction_fails_what_it_was_at_and_nothing_else() {
    let url = make_database(&SERVER.url(), &fresh_name()).await;
    let broken = Arc::new(AtomicBool::new(false));
    let (mut options, clock) = (options(&url), broken.clone());
    let time = options.common.clock.clone();
    options.common.clock =
        Arc::new(move || if clock.swap(false, Relaxed) { panic!("the clock broke") } else { time() });
    let rounds = options.writers as u64 + 1;
    let store = try_open(options).await.expect("the store opens");
    settle(&*store, 2).await;
    for round in 1..=rounds {
        let message = || text(1, single(1, 2), &format!("m-{round}"));
        broken.store(true, Relaxed);
        let failed = send(&*store, message()).await;
        assert!(matches!(failed, Err(Error::Failed(Failure::Failed(_)))), "{failed:?}");
        assert!(send(&*store, text(2, single(2, 2), &format!("m-{round}"))).await.is_ok());
        let again = send(&*store, message()).await;
        assert!(again.is_ok_and(|place| place.server_msg_id == round && !place.duplicate));
    }
    assert_eq!(store.broke().now_or_never(), None);
    store.close().await;
}
