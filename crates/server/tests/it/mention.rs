//! Whom messages name: what is told of it to whom, and who may.

use anser_proto::{
    ErrorCode,
    limits::MENTIONS_MAX,
    v1::{self, client_frame::Request, server_frame::Body},
};

use crate::{
    change::{done, edit, recall},
    raw::{Raw, TestServer, group_id, send},
};

fn naming(request: Request, user_ids: &[u64], all: bool) -> Request {
    let mentions = Some(v1::Mentions { user_ids: user_ids.to_vec(), all });
    match request {
        Request::Send(send) => Request::Send(v1::Send { mentions, ..send }),
        Request::Edit(edit) => Request::Edit(v1::Edit { mentions, ..edit }),
        other => panic!("it names nobody: {other:?}"),
    }
}

pub fn to_all(conversation_id: &str) -> Request {
    naming(send(conversation_id, "all", "all of you"), &[], true)
}

pub fn to(conversation_id: &str, user: u64) -> Request {
    naming(send(conversation_id, "named", "you"), &[user], false)
}

/// What the user's list says of the conversation: how many mentions, and the first.
async fn listed(raw: &mut Raw, conversation_id: &str) -> (u64, u64) {
    let Body::Sessions(list) = raw.ask(Request::ListSessions(v1::ListSessions::default())).await else {
        panic!("no list")
    };
    let session = list.sessions.into_iter().find(|session| session.conversation_id == conversation_id);
    session.map_or((0, 0), |session| (session.mentions, session.mentioned_at))
}

async fn told(raw: &mut Raw) -> v1::Mentions {
    match raw.event().await {
        Body::Message(event) => event.message.expect("a message").mentions.unwrap_or_default(),
        Body::MessagesChanged(event) => event.changed[0].mentions.clone().unwrap_or_default(),
        other => panic!("no message: {other:?}"),
    }
}

#[tokio::test]
async fn whom_a_message_names_is_pushed_and_shown_on_pages_and_in_their_list() {
    let server = TestServer::start().await;
    let (mut ada, mut bob, mut cyd) = (server.login("ada").await, server.login("bob").await, server.login("cyd").await);
    let crowd = ada.create_group(&[&bob, &cyd]).await;
    for conversation in [ada.conversation_with(&bob), crowd] {
        bob.drop_events().await;
        let named = naming(send(&conversation, "m-1", "hello @bob"), &[bob.user.0, ada.user.0], false);
        let place = done(&mut ada, named).await.server_msg_id;
        let mut expected = vec![ada.user.0, bob.user.0];
        expected.sort_unstable();
        assert_eq!(told(&mut bob).await, v1::Mentions { user_ids: expected.clone(), all: false });
        let pull = v1::Pull { conversation_id: conversation.clone(), after: Some(place - 1), ..Default::default() };
        let page = bob.pull(pull).await;
        assert_eq!(page.messages[0].mentions.as_ref().map(|mentions| &mentions.user_ids), Some(&expected));
        assert_eq!(listed(&mut bob, &conversation).await, (1, place));
        assert_eq!(listed(&mut cyd, &conversation).await, (0, 0));
        assert_eq!(listed(&mut ada, &conversation).await, (0, 0));
        bob.ask(Request::MarkRead(v1::MarkRead { conversation_id: conversation.clone(), server_msg_id: place })).await;
        assert_eq!(listed(&mut bob, &conversation).await, (0, 0));
    }
}

#[tokio::test]
async fn an_added_mention_is_told_with_the_edit_and_a_recall_takes_it_back() {
    let server = TestServer::start().await;
    let (mut ada, mut bob) = (server.login("ada").await, server.login("bob").await);
    let crowd = ada.create_group(&[&bob]).await;
    let place = done(&mut ada, send(&crowd, "m-1", "hello")).await.server_msg_id;
    bob.drop_events().await;
    done(&mut ada, naming(edit(&crowd, "e-1", place, "hello @bob"), &[bob.user.0], false)).await;
    assert_eq!(told(&mut bob).await.user_ids, [bob.user.0]);
    assert_eq!(listed(&mut bob, &crowd).await, (1, place));
    done(&mut ada, naming(edit(&crowd, "e-2", place, "hello"), &[], true)).await;
    assert_eq!(told(&mut bob).await, v1::Mentions { user_ids: vec![], all: true });
    assert_eq!(listed(&mut bob, &crowd).await, (1, place));
    done(&mut ada, recall(&crowd, "g-1", place)).await;
    assert_eq!(told(&mut bob).await, v1::Mentions::default());
    assert_eq!(listed(&mut bob, &crowd).await, (0, 0));
}

#[tokio::test]
async fn who_may_not_name_all_is_refused_and_nothing_is_stored() {
    let server = TestServer::start().await;
    let (mut ada, mut bob) = (server.login("ada").await, server.login("bob").await);
    let crowd = ada.create_group(&[&bob]).await;
    ada.drop_events().await;
    assert_eq!(bob.refused(to_all(&crowd)).await, ErrorCode::Forbidden);
    let pair = ada.conversation_with(&bob);
    assert_eq!(bob.refused(to_all(&pair)).await, ErrorCode::Forbidden);
    ada.nothing_more().await;
    // What is refused for good stands in the way of nothing.
    done(&mut bob, send(&crowd, "m-1", "then just hello")).await;
    let members_mention_all = Some(true);
    let update = v1::UpdateGroup { group_id: group_id(&crowd), members_mention_all, ..Default::default() };
    ada.ask(Request::UpdateGroup(update)).await;
    let place = done(&mut bob, to_all(&crowd)).await.server_msg_id;
    assert_eq!(listed(&mut ada, &crowd).await, (1, place));
}

#[tokio::test]
async fn mentions_are_bounded_and_ids_of_nobody_do_no_harm() {
    let server = TestServer::start().await;
    let (mut ada, bob) = (server.login("ada").await, server.login("bob").await);
    let crowd = ada.create_group(&[&bob]).await;
    let many: Vec<u64> = (1..=MENTIONS_MAX as u64 + 1).collect();
    assert_eq!(ada.refused(naming(send(&crowd, "m-1", "x"), &many, false)).await, ErrorCode::PageTooLarge);
    let place = done(&mut ada, naming(send(&crowd, "m-1", "x"), &many[1..], false)).await.server_msg_id;
    assert_eq!(ada.refused(naming(edit(&crowd, "e-1", place, "y"), &many, false)).await, ErrorCode::PageTooLarge);
    let nobody = [0, u64::MAX, 7, 7];
    let place = done(&mut ada, naming(send(&crowd, "m-2", "x"), &nobody, false)).await.server_msg_id;
    let pull = v1::Pull { conversation_id: crowd.clone(), after: Some(place - 1), ..Default::default() };
    assert_eq!(ada.pull(pull).await.messages[0].mentions.as_ref().map(|named| &named.user_ids[..]), Some(&[7][..]));
    // The same ones in another order, or twice, are the same body.
    assert_eq!(done(&mut ada, naming(send(&crowd, "m-2", "x"), &[7], false)).await.server_msg_id, place);
    assert_eq!(ada.refused(naming(send(&crowd, "m-2", "x"), &[8], false)).await, ErrorCode::Conflict);
}
