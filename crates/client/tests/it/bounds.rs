//! A local store that has little room: what went from it is not taken for what never was.

use anser_client::{Client, ConversationId, Draft, Keep, Start, UserId};
use tempfile::TempDir;

use crate::{
    ALICE, BOB, config,
    consumer::{say, take},
    fake::{Fake, Wire},
    ours, with, within,
};

/// Everything there is, page by page from the newest to the oldest.
async fn scroll_back(client: &Client, conversation: ConversationId) -> Vec<u64> {
    let mut seen = Vec::new();
    loop {
        let page = within(client.history(conversation, seen.first().copied(), 4)).await.expect("reads");
        seen.splice(0..0, page.messages.iter().map(|message| message.server_msg_id));
        if !page.more {
            return seen;
        }
    }
}

#[tokio::test]
async fn history_is_whole_though_the_store_keeps_little_of_it() {
    let server = Fake::start(Wire::Tcp).await;
    let folder = TempDir::new().expect("a folder");
    let little = || {
        let mut little = config("tcp", server.address, BOB);
        little.store = Keep::File(folder.path().join("bob.db"));
        little.bounds.messages_max = 10;
        little
    };
    let bob = Client::open(little()).await.expect("opens");
    say(&server, 1..=30).await;
    within(bob.caught_up()).await.expect("logged in");
    let mut consumer = bob.consumer("bot", Start::Beginning).await.expect("reads");
    assert_eq!(take(&mut consumer, 30).await, (1..=30).collect::<Vec<_>>());
    assert_eq!(scroll_back(&bob, ours()).await, (1..=30).collect::<Vec<_>>());
    assert_eq!(bob.sessions().await.expect("reads")[0].unread, 30);
    bob.close().await;

    // Without a connection the newest are there, and it is said that there are more.
    let bob = Client::open(with(little(), |alone| alone.url = "tcp://127.0.0.1:9".into())).await.expect("opens");
    let here = bob.history(ours(), None, 200).await.expect("reads");
    let kept: Vec<_> = here.messages.iter().map(|message| message.server_msg_id).collect();
    assert_eq!((kept, here.more), ((21..=30).collect(), true));
    let error = bob.history(ours(), Some(21), 10).await.expect_err("it is not here");
    assert!(error.is_retryable(), "{error}");
    let error = bob.history_after(ours(), 3, 10).await.expect_err("it is not here");
    assert!(error.is_retryable(), "{error}");
    bob.close().await;

    // A consumer that was long away is given what went from the store meanwhile.
    let bob = Client::open(little()).await.expect("opens");
    let mut other = bob.consumer("late", Start::Beginning).await.expect("reads");
    assert_eq!(take(&mut other, 30).await, (1..=30).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_waits_to_be_sent_is_not_dropped_for_want_of_room() {
    let server = Fake::start(Wire::Tcp).await;
    let folder = TempDir::new().expect("a folder");
    let tiny = |url: String| {
        let mut tiny = config("tcp", server.address, ALICE);
        tiny.url = url;
        tiny.store = Keep::File(folder.path().join("alice.db"));
        tiny.bounds.bytes_max = 0;
        tiny
    };
    let alice = Client::open(tiny("tcp://127.0.0.1:9".into())).await.expect("opens");
    for number in 1..=20 {
        alice.send(ours(), Draft::text(number.to_string())).await.expect("queued");
    }
    alice.close().await;
    let url = config("tcp", server.address, ALICE).url;
    let alice = Client::open(tiny(url)).await.expect("opens");
    assert_eq!(alice.unsent().await.expect("reads").len(), 20);
    let to_herself = ConversationId::single(UserId(ALICE), UserId(ALICE));
    within(alice.send(to_herself, Draft::text("last")).await.expect("queued").sent()).await.expect("stored");
    within(async {
        while !alice.unsent().await.expect("reads").is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(server.log(ours()), (1..=20).map(|number| number.to_string()).collect::<Vec<_>>());
    assert_eq!(scroll_back(&alice, ours()).await, (1..=20).collect::<Vec<_>>());
}
