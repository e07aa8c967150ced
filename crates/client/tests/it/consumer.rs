//! Consumers, who are given every message at least once, whatever is killed in between.

use anser_client::{Client, Consumer, Draft, Event, FirstPage, Start};
use tempfile::TempDir;

use crate::{
    ALICE, BOB, config, crash_after,
    fake::{Fake, Wire},
    kept_in, ours, receive, within,
};

pub(crate) async fn say(server: &Fake, numbers: std::ops::RangeInclusive<u32>) {
    let alice = Client::open(config("tcp", server.address, ALICE)).await.expect("opens");
    for number in numbers {
        let sending = alice.send(ours(), Draft::text(number.to_string())).await.expect("queued");
        within(sending.sent()).await.expect("stored");
    }
    alice.close().await;
}

pub(crate) async fn take(consumer: &mut Consumer, count: usize) -> Vec<u64> {
    let mut taken = Vec::new();
    while taken.len() < count {
        let message = within(consumer.next()).await.expect("reads").expect("the client is open");
        taken.push(message.server_msg_id);
    }
    taken
}

#[test]
fn what_was_not_acknowledged_is_given_again_and_what_no_event_told_is_given_too() {
    let folder = TempDir::new().expect("a folder");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let server = runtime.block_on(Fake::start(Wire::Tcp));
    let kept = || kept_in(folder.path().join("bob.db"), config("tcp", server.address, BOB));
    runtime.block_on(say(&server, 1..=3));
    // Everything is in the store, and the app dies before it listened to any event.
    crash_after(kept(), async |bob| within(bob.caught_up()).await.expect("logged in"));
    crash_after(kept(), async |bob| {
        let mut consumer = bob.consumer("bot", Start::Beginning).await.expect("reads");
        assert_eq!(take(&mut consumer, 1).await, [1]);
        consumer.ack().await.expect("saved");
        assert_eq!(take(&mut consumer, 2).await, [2, 3]);
    });
    runtime.block_on(say(&server, 4..=5));
    crash_after(kept(), async |bob| {
        let mut consumer = bob.consumer("bot", Start::Beginning).await.expect("reads").only(ours());
        assert_eq!(take(&mut consumer, 4).await, [2, 3, 4, 5]);
        consumer.ack().await.expect("saved");
        assert_eq!(consumer.ready().await.expect("reads"), None);
        let mut other = bob.consumer("another", Start::Beginning).await.expect("reads");
        assert_eq!(take(&mut other, 5).await, [1, 2, 3, 4, 5]);
        within(bob.close()).await;
        assert_eq!(within(consumer.next()).await.expect("ends"), None);
    });
}

#[tokio::test]
async fn what_is_not_kept_here_is_fetched_and_nothing_is_left_out() {
    let server = Fake::start(Wire::Tcp).await;
    say(&server, 1..=30).await;
    let mut little = config("tcp", server.address, BOB);
    little.policy.first_page = FirstPage::Newest(5);
    let bob = Client::open(little).await.expect("opens");
    let mut consumer = bob.consumer("bot", Start::Beginning).await.expect("reads");
    assert_eq!(take(&mut consumer, 30).await, (1..=30).collect::<Vec<_>>());
    let page = within(bob.history_after(ours(), 7, 3)).await.expect("reads");
    assert_eq!(page.messages.iter().map(|message| message.server_msg_id).collect::<Vec<_>>(), [8, 9, 10]);
    assert!(page.more);
    say(&server, 31..=32).await;
    assert_eq!(take(&mut consumer, 2).await, [31, 32]);
}

#[tokio::test]
async fn a_new_consumer_may_begin_with_what_is_unread() {
    let server = Fake::start(Wire::Tcp).await;
    say(&server, 1..=4).await;
    let bob = Client::open(config("tcp", server.address, BOB)).await.expect("opens");
    let mut events = bob.events();
    within(bob.caught_up()).await.expect("logged in");
    bob.mark_read(ours(), 3).await.expect("open");
    let read = |event| matches!(event, Event::Session(session) if session.read_mark == 3).then_some(());
    receive(&mut events, read).await;
    let mut consumer = bob.consumer("bot", Start::Unread).await.expect("reads");
    assert_eq!(take(&mut consumer, 1).await, [4]);
    // Where it began is kept, though more is read meanwhile.
    bob.mark_read(ours(), 4).await.expect("open");
    let mut again = bob.consumer("bot", Start::Unread).await.expect("reads");
    assert_eq!(take(&mut again, 1).await, [4]);
    assert!(bob.consumer("no name", Start::Unread).await.is_err());
}
