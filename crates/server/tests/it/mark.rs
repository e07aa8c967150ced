//! Read and delivered marks, over several devices.

use anser_proto::v1::{self, client_frame::Request, server_frame::Body};

use crate::raw::{Raw, TestServer};

async fn mark_read(raw: &mut Raw, conversation_id: &str, server_msg_id: u64) -> v1::Marked {
    let mark = v1::MarkRead { conversation_id: conversation_id.into(), server_msg_id };
    match raw.ask(Request::MarkRead(mark)).await {
        Body::Marked(marked) => marked,
        other => panic!("not marked: {other:?}"),
    }
}

#[tokio::test]
async fn a_read_mark_reaches_the_peer_and_ones_other_devices_and_never_goes_back() {
    let server = TestServer::start().await;
    let (mut ada, mut bob) = (server.login("ada").await, server.login("bob").await);
    let mut laptop = server.login_device("bob", "laptop").await;
    bob.drop_events().await;
    let conversation = ada.conversation_with(&bob);
    for number in 1..=3 {
        ada.send(&conversation, &format!("m-{number}"), "text").await;
        bob.message().await;
        laptop.message().await;
    }
    let marked = mark_read(&mut bob, &conversation, 2).await;
    assert_eq!((marked.read_mark, marked.delivered_mark, marked.unread, marked.mailbox_seq), (2, 2, 1, 5));

    let Body::Receipt(receipt) = ada.event().await else { panic!("no receipt") };
    assert_eq!((receipt.user_id, receipt.read_mark, receipt.mailbox_seq), (bob.user.0, 2, 4));
    let Body::SessionChanged(changed) = laptop.event().await else { panic!("not told") };
    let session = changed.session.expect("a session");
    assert_eq!((session.read_mark, session.unread, session.mailbox_seq), (2, 1, 5));

    let back = mark_read(&mut laptop, &conversation, 1).await;
    assert_eq!((back.read_mark, back.mailbox_seq), (2, 0));
    assert_eq!(mark_read(&mut laptop, &conversation, 99).await.read_mark, 3);
    bob.event().await;
    ada.event().await;
    ada.nothing_more().await;
    assert_eq!(ada.sync(0).await.sessions[0].peer_read_mark, 3);
}

#[tokio::test]
async fn a_delivered_mark_tells_the_sender_and_touches_only_their_mailbox() {
    let server = TestServer::start().await;
    let (mut ada, mut bob) = (server.login("ada").await, server.login("bob").await);
    let conversation_id = ada.conversation_with(&bob);
    ada.send(&conversation_id, "m-1", "text").await;
    bob.message().await;
    let mark = v1::MarkDelivered { conversation_id, server_msg_id: 1 };
    let Body::Marked(marked) = bob.ask(Request::MarkDelivered(mark)).await else { panic!("not marked") };
    assert_eq!((marked.read_mark, marked.delivered_mark, marked.mailbox_seq), (0, 1, 0));
    let Body::Receipt(receipt) = ada.event().await else { panic!("no receipt") };
    assert_eq!((receipt.read_mark, receipt.delivered_mark, receipt.mailbox_seq), (0, 1, 2));
}
