//! What is a user's own of a conversation: told to their devices, and to nobody else.

use anser_proto::{
    ErrorCode,
    limits::{HIDE_MAX, RECEIPTS_MAX},
    v1::{self, change::Now, client_frame::Request, server_frame::Body},
};

use crate::raw::{Raw, TestServer, group_id};

pub fn clear(conversation_id: &str, server_msg_id: u64) -> Request {
    Request::ClearSession(v1::ClearSession { conversation_id: conversation_id.into(), server_msg_id })
}

pub fn remove(conversation_id: &str, server_msg_id: u64) -> Request {
    Request::RemoveSession(v1::RemoveSession { conversation_id: conversation_id.into(), server_msg_id })
}

pub fn hide(conversation_id: &str, ids: &[u64]) -> Request {
    let (conversation_id, server_msg_ids) = (conversation_id.into(), ids.to_vec());
    Request::HideMessages(v1::HideMessages { conversation_id, server_msg_ids })
}

pub fn who_read(conversation_id: &str, ids: &[u64]) -> Request {
    Request::WhoRead(v1::WhoRead { group_id: group_id(conversation_id), server_msg_ids: ids.to_vec() })
}

pub fn pin(conversation_id: &str) -> Request {
    let update = v1::UpdateSession { conversation_id: conversation_id.into(), ..Default::default() };
    Request::UpdateSession(v1::UpdateSession { pinned: Some(true), ..update })
}

fn session(body: Body) -> v1::Session {
    match body {
        Body::SessionChanged(changed) => changed.session.expect("a session"),
        other => panic!("no session: {other:?}"),
    }
}

fn hidden(body: Body) -> Vec<u64> {
    let Body::Changed(changed) = body else { panic!("no change: {body:?}") };
    let place = |change: v1::Change| match change.now {
        Some(Now::Hidden(hidden)) => hidden.server_msg_id,
        other => panic!("{other:?}"),
    };
    changed.changes.into_iter().map(place).collect()
}

async fn ids(raw: &mut Raw, conversation_id: &str) -> Vec<u64> {
    let pull = v1::Pull { conversation_id: conversation_id.into(), ..Default::default() };
    raw.pull(pull).await.messages.iter().map(|message| message.server_msg_id).collect()
}

#[tokio::test]
async fn flags_are_told_to_ones_other_devices_and_to_nobody_else() {
    let server = TestServer::start().await;
    let (mut ada, mut bob) = (server.login("ada").await, server.login("bob").await);
    let mut laptop = server.login_device("bob", "laptop").await;
    let conversation = ada.conversation_with(&bob);
    ada.send(&conversation, "m-1", "text").await;
    for device in [&mut bob, &mut laptop] {
        device.message().await;
    }
    let answer = session(bob.ask(pin(&conversation)).await);
    assert_eq!((answer.pinned, answer.unread, answer.mailbox_seq), (true, 1, 3));
    assert_eq!(session(laptop.event().await), answer);
    let again = session(bob.ask(pin(&conversation)).await);
    assert_eq!(again, answer, "and nobody is told again");
    let unread = v1::UpdateSession { conversation_id: conversation.clone(), ..Default::default() };
    let unread = v1::UpdateSession { marked_unread: Some(true), quiet_until_ms: Some(u64::MAX), ..unread };
    bob.ask(Request::UpdateSession(unread)).await;
    let told = session(laptop.event().await);
    assert_eq!((told.pinned, told.marked_unread, told.quiet_until_ms), (true, true, i64::MAX as u64));
    // The flag ends where somebody reads, although no mark moves.
    let read = v1::MarkRead { conversation_id: conversation.clone(), server_msg_id: 0 };
    let Body::Marked(marked) = laptop.ask(Request::MarkRead(read)).await else { panic!("not marked") };
    assert_eq!((marked.read_mark, marked.mailbox_seq), (0, 5));
    assert!(!session(bob.event().await).marked_unread);
    let removed = session(bob.ask(remove(&conversation, u64::MAX)).await);
    assert_eq!((removed.removed_at, session(laptop.event().await)), (1, removed));
    for device in [&mut ada, &mut bob, &mut laptop] {
        device.nothing_more().await;
    }
}

#[tokio::test]
async fn what_is_cleared_is_gone_for_one_and_read_for_the_other() {
    let server = TestServer::start().await;
    let (mut ada, mut bob) = (server.login("ada").await, server.login("bob").await);
    let mut laptop = server.login_device("bob", "laptop").await;
    let conversation = ada.conversation_with(&bob);
    for number in 1..=3 {
        ada.send(&conversation, &format!("m-{number}"), "text").await;
        bob.message().await;
        laptop.message().await;
    }
    let cleared = session(bob.ask(clear(&conversation, 2)).await);
    assert_eq!((cleared.first, cleared.read_mark, cleared.unread), (3, 2, 1));
    assert_eq!(session(laptop.event().await), cleared);
    let Body::Receipt(receipt) = ada.event().await else { panic!("no receipt") };
    assert_eq!((receipt.read_mark, receipt.delivered_mark), (2, 2));
    assert_eq!((ids(&mut bob, &conversation).await, ids(&mut ada, &conversation).await), (vec![3], vec![1, 2, 3]));
    let emptied = session(bob.ask(clear(&conversation, u64::MAX)).await);
    assert_eq!((emptied.first, emptied.last, emptied.unread), (4, None, 0));
    ada.event().await;
    ada.nothing_more().await;
}

#[tokio::test]
async fn what_is_hidden_is_gone_on_every_device_of_one_user() {
    let server = TestServer::start().await;
    let (mut ada, mut bob) = (server.login("ada").await, server.login("bob").await);
    let mut laptop = server.login_device("bob", "laptop").await;
    let conversation = ada.conversation_with(&bob);
    for number in 1..=3 {
        ada.send(&conversation, &format!("m-{number}"), "text").await;
        bob.message().await;
        laptop.message().await;
    }
    assert_eq!(hidden(bob.ask(hide(&conversation, &[3, 2, 9])).await), [2, 3]);
    assert_eq!(hidden(laptop.event().await), [2, 3]);
    for device in [&mut bob, &mut laptop] {
        let session = session(device.event().await);
        assert_eq!((session.unread, session.last.map(|last| last.server_msg_id), session.mailbox_seq), (1, Some(1), 7));
        assert_eq!(ids(device, &conversation).await, [1]);
        let page = device.sync(4).await;
        assert_eq!(hidden(Body::Changed(v1::Changed { changes: page.changes })), [2, 3]);
    }
    assert_eq!(hidden(bob.ask(hide(&conversation, &[3, 2, 9])).await), [0; 0]);
    let many = vec![1; HIDE_MAX + 1];
    assert_eq!(bob.refused(hide(&conversation, &many)).await, ErrorCode::PageTooLarge);
    assert_eq!(ids(&mut ada, &conversation).await, [1, 2, 3]);
    for device in [&mut ada, &mut bob, &mut laptop] {
        device.nothing_more().await;
    }
}

#[tokio::test]
async fn who_read_a_message_is_told_to_who_may_ask() {
    let server = TestServer::start().await;
    let (mut ada, mut bob, cyd) = (server.login("ada").await, server.login("bob").await, server.login("cyd").await);
    let group = ada.create_group(&[&bob, &cyd]).await;
    let said = bob.send(&group, "m-1", "honk").await.server_msg_id;
    ada.send(&group, "m-2", "indeed").await;
    let told = v1::ReadersOf { server_msg_id: said, read: vec![ada.user.0], unread: vec![cyd.user.0] };
    for raw in [&mut ada, &mut bob] {
        let Body::Readers(readers) = raw.ask(who_read(&group, &[said, said + 9])).await else { panic!("not told") };
        assert_eq!(readers.messages, std::slice::from_ref(&told));
    }
    assert_eq!(bob.refused(who_read(&group, &[1; RECEIPTS_MAX + 1])).await, ErrorCode::PageTooLarge);
}
