//! Sending, being told, pulling.

use anser_proto::{
    CloseCode, ConversationId, ErrorCode, Format, UserId,
    v1::{self, client_frame::Request, server_frame::Body},
};
use anser_store::Failure;

use crate::{
    faulty::Faulty,
    raw::{TestServer, memory_store, send},
};

#[tokio::test]
async fn a_message_reaches_the_peer_and_the_senders_other_devices_and_is_kept() {
    let server = TestServer::start().await;
    let (mut ada, mut bob) = (server.login("ada").await, server.login("bob").await);
    let mut laptop = server.login_device("ada", "laptop").await;
    ada.drop_events().await;
    let conversation = ada.conversation_with(&bob);

    let sent = ada.send(&conversation, "m-1", "hello").await;
    assert_eq!((sent.server_msg_id, sent.count, sent.mailbox_seq), (1, 1, 2));
    for (device, mailbox_seq) in [(&mut bob, 1), (&mut laptop, 2)] {
        let event = device.message().await;
        let message = event.message.expect("a message");
        assert_eq!((message.server_msg_id, message.client_msg_id.as_str()), (1, "m-1"));
        assert_eq!((message.content.as_str(), message.from_nickname.as_str()), ("hello", "ada"));
        assert_eq!((message.from_device_id.as_str(), event.mailbox_seq), ("phone", mailbox_seq));
    }
    ada.nothing_more().await;

    let pulled = bob.pull(v1::Pull { conversation_id: conversation, ..Default::default() }).await;
    assert_eq!(pulled.messages.len(), 1);
    assert_eq!((pulled.head, pulled.more), (1, false));
    assert_eq!(pulled.messages[0].server_time_ms, sent.server_time_ms);
}

#[tokio::test]
async fn a_message_to_oneself_reaches_ones_other_devices_once() {
    let server = TestServer::start().await;
    let (mut phone, mut laptop) = (server.login("ada").await, server.login_device("ada", "laptop").await);
    phone.drop_events().await;
    let notes = phone.conversation_with(&laptop);
    assert_eq!(phone.send(&notes, "m-1", "milk").await.mailbox_seq, 2);
    assert_eq!(laptop.message().await.mailbox_seq, 2);
    laptop.nothing_more().await;
    phone.nothing_more().await;
}

#[tokio::test]
async fn a_retry_gets_the_first_answer_again_and_nobody_is_told_of_it() {
    let server = TestServer::start().await;
    let (mut ada, mut bob) = (server.login("ada").await, server.login("bob").await);
    let conversation = ada.conversation_with(&bob);
    let first = ada.send(&conversation, "m-1", "hello").await;
    bob.message().await;
    let again = ada.send(&conversation, "m-1", "hello").await;
    assert_eq!((again.server_msg_id, again.server_time_ms), (first.server_msg_id, first.server_time_ms));
    bob.nothing_more().await;
    assert_eq!(ada.refused(send(&conversation, "m-1", "other")).await, ErrorCode::Conflict);
}

#[tokio::test]
async fn pipelined_sends_are_stored_and_pushed_in_their_order_over_every_transport() {
    let server = TestServer::start().await;
    let mut bob = server.login("bob").await;
    for (account, format, web_socket) in [
        ("ada", Format::Protobuf, true),
        ("cyd", Format::Json, true),
        ("dan", Format::Protobuf, false),
        ("eve", Format::Json, false),
    ] {
        let mut sender = if web_socket { server.web_socket(format).await } else { server.tcp(format).await };
        sender.hello(server.hello(account, "phone")).await;
        let conversation = sender.conversation_with(&bob);
        let mut ids = Vec::new();
        for number in 1..=200 {
            ids.push(sender.say(send(&conversation, &format!("m-{number}"), &number.to_string())).await);
        }
        for (number, id) in (1..=200).zip(ids) {
            let Body::Sent(sent) = sender.answer(id).await else { panic!("not sent") };
            assert_eq!(sent.server_msg_id, number);
            let message = bob.message().await.message.expect("a message");
            assert_eq!((message.server_msg_id, message.content), (number, number.to_string()));
        }
    }
}

#[tokio::test]
async fn what_failed_for_now_is_not_overtaken_by_what_was_sent_behind_it() {
    let faulty = Faulty::new(memory_store(&Default::default()));
    let store = faulty.clone();
    let server = TestServer::start_with(|_| {}, |_| std::sync::Arc::new(store)).await;
    let (mut ada, bob) = (server.login("ada").await, server.login("bob").await);
    let (conversation, notes) = (ada.conversation_with(&bob), ada.conversation_with(&ada));

    for fault in
        [Failure::Overloaded, Failure::Full, Failure::UnknownOutcome("cut".into()), Failure::Failed("torn".into())]
    {
        let expected = match &fault {
            Failure::Overloaded => ErrorCode::Overloaded,
            Failure::Full => ErrorCode::StoreFull,
            Failure::UnknownOutcome(_) => ErrorCode::UnknownOutcome,
            _ => ErrorCode::Internal,
        };
        faulty.fail_next(fault);
        let (first, second) = (format!("{expected:?}-1"), format!("{expected:?}-2"));
        assert_eq!(ada.refused(send(&conversation, &first, "one")).await, expected);
        assert_eq!(ada.refused(send(&conversation, &second, "two")).await, ErrorCode::BehindFailed);
        ada.send(&notes, &first, "elsewhere").await;
        let one = ada.send(&conversation, &first, "one").await;
        assert_eq!(ada.send(&conversation, &second, "two").await.server_msg_id, one.server_msg_id + 1);
    }
}

#[tokio::test]
async fn a_damaged_conversation_keeps_nobody_from_writing_in_their_others() {
    let faulty = Faulty::new(memory_store(&Default::default()));
    let store = faulty.clone();
    let server = TestServer::start_with(|_| {}, |_| std::sync::Arc::new(store)).await;
    let (mut ada, bob, cyd) = (server.login("ada").await, server.login("bob").await, server.login("cyd").await);
    let (damaged, sound, notes) =
        (ada.conversation_with(&bob), ada.conversation_with(&cyd), ada.conversation_with(&ada));
    faulty.damage(damaged.parse().expect("an id"));
    let sends = [(&notes, "m-1"), (&damaged, "m-2"), (&sound, "m-3"), (&notes, "m-4")];
    let ids = ada.say_all(sends.map(|(to, id)| send(to, id, "text")).into()).await;
    let mut places = Vec::new();
    for id in ids {
        places.push(match ada.answer(id).await {
            Body::Sent(sent) => Ok(sent.server_msg_id),
            Body::Error(error) => Err(error.code()),
            other => panic!("{other:?}"),
        });
    }
    assert_eq!(places, [Ok(1), Err(ErrorCode::Internal), Ok(1), Ok(2)]);
}

#[tokio::test]
async fn failures_in_more_conversations_than_are_remembered_end_the_connection() {
    let faulty = Faulty::new(memory_store(&Default::default()));
    let store = faulty.clone();
    let server = TestServer::start_with(|_| {}, |_| std::sync::Arc::new(store)).await;
    let mut ada = server.login("ada").await;
    faulty.fail(vec![Some(Failure::Overloaded); 257]);
    for other in 1..=256 {
        let conversation = ConversationId::single(UserId(other), ada.user).to_string();
        assert_eq!(ada.refused(send(&conversation, "m-1", "text")).await, ErrorCode::Overloaded);
    }
    let conversation = ConversationId::single(UserId(257), ada.user).to_string();
    ada.say(send(&conversation, "m-1", "text")).await;
    assert_eq!(ada.end().await, (Some(ErrorCode::Overloaded), Some(CloseCode::TooManyFailed)));
}

#[tokio::test]
async fn what_is_refused_for_ever_holds_up_nobody() {
    let server = TestServer::start().await;
    let (mut ada, bob) = (server.login("ada").await, server.login("bob").await);
    let conversation = ada.conversation_with(&bob);
    ada.send(&conversation, "m-1", "one").await;
    assert_eq!(ada.refused(send(&conversation, "m-1", "changed")).await, ErrorCode::Conflict);
    assert_eq!(ada.send(&conversation, "m-2", "two").await.server_msg_id, 2);
}

#[tokio::test]
async fn history_comes_in_pages_in_both_directions() {
    let server = TestServer::start().await;
    let (mut ada, bob) = (server.login("ada").await, server.login("bob").await);
    let conversation = ada.conversation_with(&bob);
    for number in 1..=10 {
        ada.send(&conversation, &format!("m-{number}"), "text").await;
    }
    let mut ids = async |after, before, limit| {
        let conversation_id = conversation.clone();
        let page = ada.pull(v1::Pull { conversation_id, after, before, limit }).await;
        (page.messages.iter().map(|message| message.server_msg_id).collect::<Vec<_>>(), page.more)
    };
    assert_eq!(ids(None, 0, 3).await, (vec![8, 9, 10], true));
    assert_eq!(ids(None, 3, 5).await, (vec![1, 2], false));
    // From the beginning, which is not the newest.
    assert_eq!(ids(Some(0), 0, 3).await, (vec![1, 2, 3], true));
    assert_eq!(ids(Some(0), 3, 5).await, (vec![1, 2], false));
    assert_eq!(ids(Some(8), 0, 5).await, (vec![9, 10], false));
    assert_eq!(ids(Some(2), 6, 2).await, (vec![3, 4], true));
    assert_eq!(ids(Some(2), 6, 3).await, (vec![3, 4, 5], false));
    assert_eq!(ids(Some(u64::MAX), u64::MAX, 1).await, (vec![], false));
}

#[tokio::test]
async fn a_page_ends_before_its_frame_grows_too_large() {
    let server = TestServer::start().await;
    let mut ada = server.login("ada").await;
    let notes = ada.conversation_with(&ada);
    for number in 0..12 {
        ada.send(&notes, &format!("m-{number}"), &"x".repeat(65_536)).await;
    }
    // It starts small, and grows for who gets it quickly.
    for messages in [1, 2, 4, 8, 8] {
        let page = ada.pull(v1::Pull { conversation_id: notes.clone(), limit: 200, ..Default::default() }).await;
        assert_eq!(page.messages.len(), messages);
        assert!(page.more && page.messages[messages - 1].server_msg_id == 12);
    }
}

#[tokio::test]
async fn typing_is_told_once_a_second_and_to_others_only() {
    let server = TestServer::start().await;
    let (mut ada, mut bob) = (server.login("ada").await, server.login("bob").await);
    let conversation_id = ada.conversation_with(&bob);
    let typing = || Request::Typing(v1::Typing { conversation_id: conversation_id.clone() });
    // In one go: no answer is waited for in between.
    for id in ada.say_all(vec![typing(), typing(), typing()]).await {
        assert!(matches!(ada.answer(id).await, Body::Done(_)));
    }
    let Body::Typing(event) = bob.event().await else { panic!("not typing") };
    assert_eq!((event.conversation_id, event.user_id), (conversation_id, ada.user.0));
    bob.nothing_more().await;
    ada.nothing_more().await;
}

#[tokio::test]
async fn an_uncounted_message_is_no_unread_one() {
    let server = TestServer::start().await;
    let (mut ada, mut bob) = (server.login("ada").await, server.login("bob").await);
    let conversation = ada.conversation_with(&bob);
    let Request::Send(mut quiet) = send(&conversation, "m-1", "quiet") else { panic!("a send") };
    quiet.settings = Some(v1::Settings { uncounted: true });
    assert!(matches!(ada.ask(Request::Send(quiet)).await, Body::Sent(v1::Sent { count: 0, .. })));
    ada.send(&conversation, "m-2", "loud").await;
    assert_eq!(bob.sync(0).await.sessions[0].unread, 1);
}
