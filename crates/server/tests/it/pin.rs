//! Pinning: what others are told of it, what is listed to whom; and who reacted to a message.

use anser_proto::{
    ErrorCode,
    limits::PINS_MAX,
    v1::{self, client_frame::Request, message::Type, notice::Kind, server_frame::Body},
};

use crate::{
    ask::{list_pins, list_reactions, pin, unpin},
    change::{done, edit, react, recall},
    lists,
    raw::{Raw, TestServer, group_id, send},
};

async fn pins(raw: &mut Raw, request: Request) -> v1::Pins {
    match raw.ask(request).await {
        Body::Pins(pins) => pins,
        other => panic!("no pins: {other:?}"),
    }
}

/// What is pinned, pinned last first.
async fn pinned(raw: &mut Raw, conversation: &str) -> Vec<(u64, String)> {
    let pins = pins(raw, list_pins(conversation)).await;
    assert!(!pins.more);
    let message = |pin: v1::Pin| pin.message.expect("a pin is of a message");
    pins.pins.into_iter().map(message).map(|message| (message.server_msg_id, message.content)).collect()
}

#[tokio::test]
async fn a_pin_is_told_by_a_notice_together_with_the_message_as_it_is_now() {
    let server = TestServer::start().await;
    let (mut ada, mut bob) = (server.login("ada").await, server.login("bob").await);
    let mut laptop = server.login_device("ada", "laptop").await;
    ada.drop_events().await;
    let conversation = ada.conversation_with(&bob);
    ada.send(&conversation, "m-1", "the pond at noon").await;
    for device in [&mut bob, &mut laptop] {
        device.message().await;
    }
    let sent = done(&mut bob, pin(&conversation, "p-1", 1)).await;
    assert_eq!((sent.server_msg_id, sent.count), (2, 1), "it does not count");
    let pinner = bob.user.0;
    for device in [&mut ada, &mut bob, &mut laptop] {
        let v1::MessageEvent { message, changed, .. } = device.message().await;
        let message = message.expect("an event is of a message");
        let notice = message.notice.as_ref().expect("a notice");
        assert_eq!((message.server_msg_id, message.r#type(), message.client_msg_id.as_str()), (2, Type::Notice, "p-1"));
        assert_eq!((notice.kind(), notice.operator_id, notice.server_msg_id), (Kind::Pinned, pinner, 1));
        let [target] = &changed[..] else { panic!("one message: {changed:?}") };
        assert_eq!((target.server_msg_id, target.pinned, target.changed), (1, 2, 2));
    }
    done(&mut ada, unpin(&conversation, "u-1", 1)).await;
    let Body::MessagesChanged(told) = bob.event().await else { panic!("an unpin is a silent entry") };
    assert_eq!((told.after, told.through, told.changed[0].pinned), (2, 3, 0));
    let page = bob.pull(v1::Pull { conversation_id: conversation.clone(), after: Some(1), ..Default::default() }).await;
    assert_eq!((page.messages.len(), page.changed.len(), page.changed[0].pinned), (1, 1, 0));
}

#[tokio::test]
async fn a_retry_of_a_pin_is_answered_and_nobody_is_told_again() {
    let server = TestServer::start().await;
    let (mut ada, mut bob) = (server.login("ada").await, server.login("bob").await);
    let conversation = ada.conversation_with(&bob);
    ada.send(&conversation, "m-1", "hello").await;
    bob.message().await;
    for id in ["p-1", "p-1", "p-2"] {
        assert_eq!(done(&mut ada, pin(&conversation, id, 1)).await.server_msg_id, 2);
    }
    for device in [&mut ada, &mut bob] {
        device.message().await;
        device.nothing_more().await;
    }
    assert_eq!(ada.refused(pin(&conversation, "m-1", 1)).await, ErrorCode::Conflict);
}

#[tokio::test]
async fn a_pin_list_never_shows_old_or_deleted_text() {
    let server = TestServer::start().await;
    let (mut ada, mut bob) = (server.login("ada").await, server.login("bob").await);
    for conversation in [ada.conversation_with(&bob), ada.create_group(&[&bob]).await] {
        let one = ada.send(&conversation, "m-1", "helo").await.server_msg_id;
        let other = ada.send(&conversation, "m-2", "the pond").await.server_msg_id;
        for (id, place) in [("p-1", one), ("p-2", other)] {
            done(&mut ada, pin(&conversation, id, place)).await;
        }
        done(&mut ada, edit(&conversation, "e-1", one, "hello")).await;
        assert_eq!(pinned(&mut bob, &conversation).await, [(other, "the pond".into()), (one, "hello".into())]);
        done(&mut ada, recall(&conversation, "g-1", one)).await;
        assert_eq!(pinned(&mut bob, &conversation).await, [(other, "the pond".into())]);
        assert_eq!(ada.refused(pin(&conversation, "p-3", one)).await, ErrorCode::Gone);
        bob.ask(lists::hide(&conversation, &[other])).await;
        assert_eq!(pinned(&mut bob, &conversation).await, []);
        assert_eq!(pinned(&mut ada, &conversation).await.len(), 1, "for others it stays");
    }
}

#[tokio::test]
async fn an_edit_loses_neither_reactions_nor_the_pin() {
    let server = TestServer::start().await;
    let (mut ada, mut bob) = (server.login("ada").await, server.login("bob").await);
    let conversation = ada.conversation_with(&bob);
    ada.send(&conversation, "m-1", "helo").await;
    done(&mut bob, react(&conversation, "r-1", 1, &["👍"])).await;
    done(&mut bob, pin(&conversation, "p-1", 1)).await;
    done(&mut ada, edit(&conversation, "e-1", 1, "hello")).await;
    let pull = v1::Pull { conversation_id: conversation, ..Default::default() };
    let message = bob.pull(pull).await.messages.remove(0);
    assert_eq!((message.content.as_str(), message.pinned, message.reactions.len()), ("hello", 3, 1));
}

#[tokio::test]
async fn who_joined_behind_a_message_is_told_that_it_was_pinned_and_not_what() {
    let server = TestServer::start().await;
    let (mut ada, mut bob, mut cyd) = (server.login("ada").await, server.login("bob").await, server.login("cyd").await);
    let conversation = ada.create_group(&[&bob]).await;
    let before = ada.send(&conversation, "m-1", "secret").await.server_msg_id;
    let invite = v1::InviteMembers { group_id: group_id(&conversation), user_ids: vec![cyd.user.0] };
    ada.ask(Request::InviteMembers(invite)).await;
    for raw in [&mut ada, &mut bob, &mut cyd] {
        raw.drop_events().await;
    }
    let notice = done(&mut ada, pin(&conversation, "p-1", before)).await.server_msg_id;
    assert_eq!(bob.message().await.changed[0].content, "secret");
    let told = cyd.message().await;
    assert_eq!((told.message.expect("a notice").server_msg_id, told.changed), (notice, vec![]));
    assert_eq!(pinned(&mut cyd, &conversation).await, []);
    assert_eq!(cyd.refused(list_reactions(&conversation, before)).await, ErrorCode::NotFound);
}

#[tokio::test]
async fn pins_are_bounded_and_listed_page_by_page() {
    let server = TestServer::start().await;
    let (mut ada, bob) = (server.login("ada").await, server.login("bob").await);
    let conversation = ada.conversation_with(&bob);
    for place in 1..=u64::from(PINS_MAX) + 1 {
        ada.send(&conversation, &format!("m-{place}"), "text").await;
    }
    for place in 1..=u64::from(PINS_MAX) {
        done(&mut ada, pin(&conversation, &format!("p-{place}"), place)).await;
    }
    let one_more = pin(&conversation, "p", u64::from(PINS_MAX) + 1);
    assert_eq!(ada.refused(one_more.clone()).await, ErrorCode::LimitReached);
    done(&mut ada, unpin(&conversation, "u", 7)).await;
    done(&mut ada, one_more).await;
    let (mut listed, mut before) = (Vec::new(), 0);
    loop {
        let list = v1::ListPins { conversation_id: conversation.clone(), before, limit: 20 };
        let page = pins(&mut ada, Request::ListPins(list)).await;
        let messages = page.pins.into_iter().map(|pin| pin.message.expect("a pin is of a message"));
        listed.extend(messages.inspect(|message| before = message.pinned).map(|message| message.server_msg_id));
        if !page.more {
            break;
        }
    }
    let expected: Vec<_> = (1..=u64::from(PINS_MAX) + 1).rev().filter(|place| *place != 7).collect();
    assert_eq!(listed, expected);
    let too_many = v1::ListPins { conversation_id: conversation, limit: 201, ..Default::default() };
    assert_eq!(ada.refused(Request::ListPins(too_many)).await, ErrorCode::PageTooLarge);
}

#[tokio::test]
async fn who_reacted_is_listed_page_by_page() {
    let server = TestServer::start().await;
    let (mut ada, mut bob, mut cyd) = (server.login("ada").await, server.login("bob").await, server.login("cyd").await);
    let conversation = ada.create_group(&[&bob, &cyd]).await;
    let place = ada.send(&conversation, "m-1", "hello").await.server_msg_id;
    done(&mut cyd, react(&conversation, "r-1", place, &["🪿"])).await;
    done(&mut bob, react(&conversation, "r-2", place, &["👍", "🪿"])).await;
    let (mut listed, mut after) = (Vec::new(), 0);
    for more in [true, false] {
        let (conversation_id, server_msg_id) = (conversation.clone(), place);
        let list = v1::ListReactions { conversation_id, server_msg_id, after, limit: 1 };
        let Body::Reactions(page) = ada.ask(Request::ListReactions(list)).await else { panic!("no reactions") };
        assert_eq!((page.users.len(), page.more), (1, more));
        after = page.users[0].user_id;
        listed.extend(page.users.into_iter().map(|one| (one.user_id, one.emojis.join(" "))));
    }
    assert_eq!(listed, [(bob.user.0, "🪿 👍".to_owned()), (cyd.user.0, "🪿".to_owned())]);
}

#[tokio::test]
async fn a_notice_of_a_pin_is_sent_by_nobody_else() {
    let server = TestServer::start().await;
    let (mut ada, bob) = (server.login("ada").await, server.login("bob").await);
    let conversation = ada.conversation_with(&bob);
    let Request::Send(text) = send(&conversation, "m-1", "hello") else { unreachable!() };
    for r#type in [Type::Notice.into(), Type::Unpin.into(), 51] {
        let forged = Request::Send(v1::Send { r#type, ..text.clone() });
        assert_eq!(ada.refused(forged).await, ErrorCode::BadField);
    }
}
