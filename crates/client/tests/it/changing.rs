//! Recalls, edits, reactions and replies through the SDK: what the one does is what the other one sees.

use std::sync::Arc;

use anser_client::{
    Act, Client, Draft, Edit, Error, ErrorCode, Event, Events, Mentions, Message, MessageState, NoticeKind, Unsent,
    UserId,
};
use tempfile::TempDir;

use crate::{
    ALICE, BOB, config,
    fake::{Fake, Wire},
    kept_in, ours, receive, within,
};

fn changed(event: Event) -> Option<Arc<Message>> {
    match event {
        Event::Changed(message) => Some(message),
        _ => None,
    }
}

async fn shown(client: &Client) -> Vec<Arc<Message>> {
    client.history(ours(), None, 50).await.expect("reads").messages
}

async fn two(server: &Fake) -> (Client, Client, Events) {
    let alice = Client::open(config("ws", server.address, ALICE)).await.expect("opens");
    let bob = Client::open(config("ws", server.address, BOB)).await.expect("opens");
    within(bob.caught_up()).await.expect("logged in");
    let events = bob.events();
    (alice, bob, events)
}

#[tokio::test]
async fn what_one_changes_the_other_sees_as_it_is_now() {
    let server = Fake::start(Wire::WebSocket).await;
    let (alice, bob, mut bob_events) = two(&server).await;
    let mut alice_events = alice.events();
    let hello = alice.send(ours(), Draft::text("helo")).await.expect("queued");
    alice.edit(ours(), hello.client_msg_id().clone(), Edit::text("hello")).await.expect("queued");
    let edited = receive(&mut bob_events, changed).await;
    assert_eq!((edited.content.as_str(), edited.edits, edited.server_msg_id), ("hello", 1, 1));
    // Who did it is told it in the same way.
    assert_eq!(receive(&mut alice_events, changed).await, edited);

    bob.react(ours(), 1, ["👍"]).await.expect("queued");
    let reacted = receive(&mut alice_events, changed).await;
    let [reaction] = &reacted.reactions[..] else { panic!("no reaction: {reacted:?}") };
    assert_eq!((reaction.emoji.as_str(), reaction.count, &reaction.user_ids[..]), ("👍", 1, &[UserId(BOB)][..]));

    let reply = bob.reply(ours(), 1, Draft::text("hi")).await.expect("queued");
    let place = within(reply.sent()).await.expect("stored");
    alice.send(ours(), Draft::text("by mistake")).await.expect("queued");
    let unread = |event| matches!(event, Event::Session(session) if session.unread == 1).then_some(());
    receive(&mut bob_events, unread).await;
    let last = within(alice.recall(ours(), place.server_msg_id + 1).await.expect("queued").sent()).await;
    assert!(last.is_ok(), "{last:?}");
    let recalled = receive(&mut bob_events, |event| changed(event).filter(|now| now.state == MessageState::Recalled));
    let recalled = recalled.await;
    assert_eq!((recalled.content.as_str(), recalled.recalled_by), ("", Some(UserId(ALICE))));

    let session = bob.session(ours()).await.expect("reads").expect("listed");
    let line = session.last.expect("the line stays");
    assert_eq!((session.unread, line.state, line.content.as_str()), (0, MessageState::Recalled, ""));
    let texts: Vec<_> = shown(&bob).await.iter().map(|message| (message.content.clone(), message.reply_to)).collect();
    assert_eq!(texts, [("hello".into(), None), ("hi".into(), Some(1)), (String::new(), None)]);
    assert_eq!(shown(&alice).await.len(), 3);
    let answered = bob.message(ours(), 1).await.expect("reads").expect("it is there");
    assert_eq!(answered.content, "hello");
}

#[tokio::test]
async fn what_one_pins_the_other_sees_pinned_until_it_is_unpinned() {
    let server = Fake::start(Wire::WebSocket).await;
    let (alice, bob, mut bob_events) = two(&server).await;
    within(alice.send(ours(), Draft::text("the pond at noon")).await.expect("queued").sent()).await.expect("stored");
    let place = within(alice.pin(ours(), 1).await.expect("queued").sent()).await.expect("stored");
    let pinned = receive(&mut bob_events, changed).await;
    assert_eq!((pinned.server_msg_id, pinned.pinned, pinned.changed), (1, place.server_msg_id, place.server_msg_id));
    let log = shown(&bob).await;
    let notice = log.last().and_then(|message| message.notice.as_ref()).expect("it is told by a notice");
    assert_eq!((notice.kind, notice.operator_id, notice.server_msg_id), (NoticeKind::Pinned, UserId(ALICE), 1));
    within(bob.unpin(ours(), 1).await.expect("queued").sent()).await.expect("stored");
    assert_eq!(receive(&mut bob_events, changed).await.pinned, 0);
    assert_eq!(shown(&bob).await.len(), 2, "an unpin shows nothing");
}

#[tokio::test]
async fn an_edit_made_offline_of_what_is_recalled_by_then_is_kept_with_its_reason() {
    let folder = TempDir::new().expect("a folder");
    let server = Fake::start(Wire::WebSocket).await;
    let (phone, _bob, _) = two(&server).await;
    within(phone.send(ours(), Draft::text("a secret")).await.expect("queued").sent()).await.expect("stored");
    let kept = |address| kept_in(folder.path().join("alice.db"), config("ws", address, ALICE));
    let laptop = Client::open(kept(server.address)).await.expect("opens");
    within(laptop.caught_up()).await.expect("logged in");
    laptop.close().await;

    let laptop = Client::open(kept(([127, 0, 0, 1], 9).into())).await.expect("opens");
    let edit = laptop.edit(ours(), 1, Edit::text("no secret")).await.expect("queued");
    let edit = edit.client_msg_id().clone();
    laptop.close().await;
    within(phone.recall(ours(), 1).await.expect("queued").sent()).await.expect("stored");

    // The answer to the first attempt is lost with its connection.
    server.state.lock().expect("nobody panics with it").eaten = 1;
    let laptop = Client::open(kept(server.address)).await.expect("opens");
    let again = laptop.edit_as(edit.clone(), ours(), 1, Edit::text("no secret")).await.expect("follows it");
    let Err(Unsent::Refused(why)) = within(again.sent()).await else { panic!("it was taken") };
    assert_eq!(why.error_code(), Some(ErrorCode::Gone));
    within(laptop.caught_up()).await.expect("logged in");
    let [message] = &shown(&laptop).await[..] else { panic!("one message was sent") };
    assert_eq!((message.state, message.content.as_str()), (MessageState::Recalled, ""));
    let unsent = laptop.unsent().await.expect("reads");
    assert!(matches!(&unsent[..], [queued] if matches!(queued.act, Act::Edit(..)) && queued.refused.is_some()));
    laptop.cancel(ours(), edit).await.expect("it is not stored");
    assert_eq!(laptop.unsent().await.expect("reads"), []);
    let nowhere = within(laptop.message(ours(), 99)).await.expect("asked");
    assert_eq!(nowhere, None);
}

#[tokio::test]
async fn what_names_all_and_is_refused_is_kept_with_all_that_was_written() {
    let server = Fake::start(Wire::WebSocket).await;
    let (alice, _bob, mut events) = two(&server).await;
    let mut draft = Draft::text("all of you, and much more");
    draft.mentions = Mentions::of([UserId(BOB)]).and_all();
    let sending = alice.send(ours(), draft.clone()).await.expect("queued");
    let Err(Unsent::Refused(why)) = within(sending.sent()).await else { panic!("it was taken") };
    assert_eq!(why.error_code(), Some(ErrorCode::Forbidden));
    let unsent = alice.unsent().await.expect("reads");
    assert!(matches!(&unsent[..], [queued] if queued.act == Act::Send(draft.clone()) && queued.refused.is_some()));
    draft.mentions = Mentions::of([UserId(BOB)]);
    within(alice.send(ours(), draft).await.expect("queued").sent()).await.expect("stored");
    let named = |event| matches!(event, Event::Session(session) if session.mentioned_at == 1).then_some(());
    receive(&mut events, named).await;
}

#[tokio::test]
async fn a_change_that_never_left_is_cancelled() {
    let alone = Client::open(config("ws", ([127, 0, 0, 1], 9).into(), ALICE)).await.expect("opens");
    let recall = alone.recall(ours(), 4).await.expect("queued");
    let other = alone.react_as(recall.client_msg_id().clone(), ours(), 4, ["👍"]).await;
    assert!(matches!(other, Err(Error::NotQueued(_))), "the same id for something else");
    alone.cancel(ours(), recall.client_msg_id().clone()).await.expect("it never left");
    assert_eq!(alone.unsent().await.expect("reads"), []);
}
