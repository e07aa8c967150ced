//! Recalling, editing, reacting, answering: what others are told of it, and who may.

use anser_proto::{
    ErrorCode,
    v1::{self, client_frame::Request, edit, message::State, recall, server_frame::Body},
};

use crate::raw::{Raw, TestServer, group_id, memory_store, send};

pub fn recall(conversation_id: &str, id: &str, place: u64) -> Request {
    let target = Some(recall::Target::ServerMsgId(place));
    let (conversation_id, client_msg_id) = (conversation_id.into(), id.into());
    Request::Recall(v1::Recall { conversation_id, client_msg_id, target, client_time_ms: 5 })
}

pub fn edit(conversation_id: &str, id: &str, place: u64, content: &str) -> Request {
    Request::Edit(v1::Edit {
        conversation_id: conversation_id.into(),
        client_msg_id: id.into(),
        target: Some(edit::Target::ServerMsgId(place)),
        content: content.into(),
        ..Default::default()
    })
}

pub fn react(conversation_id: &str, id: &str, place: u64, emojis: &[&str]) -> Request {
    Request::React(v1::React {
        conversation_id: conversation_id.into(),
        client_msg_id: id.into(),
        server_msg_id: place,
        emojis: emojis.iter().map(|emoji| (*emoji).into()).collect(),
        client_time_ms: 5,
    })
}

fn reply(conversation_id: &str, id: &str, place: u64) -> Request {
    let (conversation_id, client_msg_id) = (conversation_id.into(), id.into());
    let (r#type, content) = (v1::message::Type::Text.into(), "indeed".into());
    Request::Send(v1::Send { conversation_id, client_msg_id, r#type, content, reply_to: place, ..Default::default() })
}

pub async fn done(raw: &mut Raw, request: Request) -> v1::Sent {
    match raw.ask(request).await {
        Body::Sent(sent) => sent,
        other => panic!("not done: {other:?}"),
    }
}

async fn changed(raw: &mut Raw) -> v1::MessagesChanged {
    match raw.event().await {
        Body::MessagesChanged(changed) => changed,
        other => panic!("no change: {other:?}"),
    }
}

async fn pull(raw: &mut Raw, conversation: &str, after: Option<u64>) -> v1::Messages {
    raw.pull(v1::Pull { conversation_id: conversation.into(), after, ..Default::default() }).await
}

#[tokio::test]
async fn a_change_is_told_as_the_message_is_now_to_all_devices_also_the_one_that_made_it() {
    let server = TestServer::start().await;
    let (mut ada, mut bob) = (server.login("ada").await, server.login("bob").await);
    let mut laptop = server.login_device("ada", "laptop").await;
    ada.drop_events().await;
    let conversation = ada.conversation_with(&bob);
    ada.send(&conversation, "m-1", "helo").await;
    for device in [&mut bob, &mut laptop] {
        device.message().await;
    }

    let edited = done(&mut ada, edit(&conversation, "e-1", 1, "hello")).await;
    assert_eq!((edited.server_msg_id, edited.count, edited.mailbox_seq), (2, 1, 3));
    for (device, mailbox_seq) in [(&mut ada, 3), (&mut bob, 2), (&mut laptop, 3)] {
        let told = changed(device).await;
        assert_eq!((told.after, told.through, told.mailbox_seq), (1, 2, mailbox_seq));
        let [message] = &told.changed[..] else { panic!("one message: {told:?}") };
        assert_eq!((message.server_msg_id, message.content.as_str()), (1, "hello"));
        assert_eq!((message.changed, message.edits, message.state()), (2, 1, State::Present));
    }
    done(&mut bob, react(&conversation, "r-1", 1, &["👍", "❤\u{fe0f}"])).await;
    let told = changed(&mut ada).await.changed.remove(0);
    let below: Vec<_> = told.reactions.iter().map(|one| (one.emoji.as_str(), one.count, &one.user_ids[..])).collect();
    assert_eq!(below, [("👍", 1, &[bob.user.0][..]), ("❤", 1, &[bob.user.0][..])]);

    done(&mut ada, recall(&conversation, "g-1", 1)).await;
    let told = changed(&mut ada).await.changed.remove(0);
    assert_eq!((told.state(), told.recalled_by, told.content.as_str()), (State::Recalled, ada.user.0, ""));
    assert_eq!((told.reactions, told.changed), (vec![], 4));
    let page = pull(&mut bob, &conversation, Some(0)).await;
    assert_eq!((page.messages.len(), page.after, page.through, page.head), (1, 0, 4, 4));
    assert_eq!(page.messages[0].state(), State::Recalled);
}

#[tokio::test]
async fn a_retry_of_a_change_is_answered_and_nobody_is_told_again() {
    let server = TestServer::start().await;
    let (mut ada, mut bob) = (server.login("ada").await, server.login("bob").await);
    let conversation = ada.conversation_with(&bob);
    ada.send(&conversation, "m-1", "hello").await;
    bob.message().await;
    let first = done(&mut ada, recall(&conversation, "g-1", 1)).await;
    for device in [&mut ada, &mut bob] {
        changed(device).await;
    }
    assert_eq!(done(&mut ada, recall(&conversation, "g-1", 1)).await.server_msg_id, first.server_msg_id);
    assert_eq!(done(&mut ada, recall(&conversation, "g-2", 1)).await.server_msg_id, first.server_msg_id);
    assert_eq!(ada.send(&conversation, "m-1", "hello").await.server_msg_id, 1, "though its words are gone");
    ada.nothing_more().await;
    bob.nothing_more().await;
}

#[tokio::test]
async fn a_message_is_edited_before_its_place_is_known() {
    let server = TestServer::start().await;
    let (mut ada, mut bob) = (server.login("ada").await, server.login("bob").await);
    let conversation = ada.conversation_with(&bob);
    let Request::Edit(edit) = edit(&conversation, "e-1", 0, "hello") else { unreachable!() };
    let target = Some(edit::Target::OwnClientMsgId("m-1".into()));
    let ids = ada.say_all(vec![send(&conversation, "m-1", "helo"), Request::Edit(v1::Edit { target, ..edit })]).await;
    for (id, place) in ids.into_iter().zip(1..) {
        let Body::Sent(sent) = ada.answer(id).await else { panic!("not sent") };
        assert_eq!(sent.server_msg_id, place);
    }
    assert_eq!(bob.message().await.message.expect("a message").content, "helo");
    assert_eq!(changed(&mut bob).await.changed[0].content, "hello");
}

#[tokio::test]
async fn who_joined_behind_a_message_is_told_that_something_changed_and_not_what() {
    let server = TestServer::start().await;
    let (mut ada, mut bob, mut cyd) = (server.login("ada").await, server.login("bob").await, server.login("cyd").await);
    let conversation = ada.create_group(&[&bob]).await;
    let before = ada.send(&conversation, "m-1", "before").await.server_msg_id;
    let invite = v1::InviteMembers { group_id: group_id(&conversation), user_ids: vec![cyd.user.0] };
    ada.ask(Request::InviteMembers(invite)).await;
    for raw in [&mut ada, &mut bob, &mut cyd] {
        raw.drop_events().await;
    }
    let edited = done(&mut ada, edit(&conversation, "e-1", before, "secret")).await.server_msg_id;
    assert_eq!(changed(&mut bob).await.changed[0].content, "secret");
    let told = changed(&mut cyd).await;
    assert_eq!((told.after, told.through, told.changed), (edited - 1, edited, vec![]));
    assert_eq!(pull(&mut cyd, &conversation, Some(0)).await.changed, []);
    assert_eq!(cyd.refused(react(&conversation, "r", before, &["x"])).await, ErrorCode::NotFound);
}

#[tokio::test]
async fn what_a_reply_answers_comes_with_the_page_as_it_is_now() {
    let server = TestServer::start().await;
    let (mut ada, mut bob) = (server.login("ada").await, server.login("bob").await);
    let conversation = ada.conversation_with(&bob);
    ada.send(&conversation, "m-1", "hello").await;
    let answered = done(&mut bob, reply(&conversation, "m-2", 1)).await.server_msg_id;
    let page = pull(&mut ada, &conversation, Some(1)).await;
    assert_eq!((page.messages[0].reply_to, page.references[0].content.as_str()), (1, "hello"));
    done(&mut ada, recall(&conversation, "g-1", 1)).await;
    let page = pull(&mut ada, &conversation, Some(answered - 1)).await;
    let reference = &page.references[0];
    assert_eq!((reference.state(), reference.content.as_str()), (State::Recalled, ""));
    assert_eq!(bob.refused(reply(&conversation, "m-3", 1)).await, ErrorCode::Gone);
    assert_eq!(bob.refused(reply(&conversation, "m-4", 99)).await, ErrorCode::NotFound);
    assert_eq!(done(&mut bob, reply(&conversation, "m-2", 1)).await.server_msg_id, answered, "a retry");
}

#[tokio::test]
async fn the_list_shows_what_is_left_and_counts_what_is_left() {
    let server = TestServer::start().await;
    let (mut ada, mut bob) = (server.login("ada").await, server.login("bob").await);
    let conversation = ada.conversation_with(&bob);
    for n in 1..=3 {
        ada.send(&conversation, &format!("m-{n}"), &format!("text {n}")).await;
    }
    done(&mut bob, react(&conversation, "r-1", 1, &["x"])).await;
    done(&mut ada, recall(&conversation, "g-1", 3)).await;
    let Body::Sessions(list) = bob.ask(Request::ListSessions(v1::ListSessions::default())).await else {
        panic!("no list")
    };
    let session = &list.sessions[0];
    let last = session.last.as_ref().expect("a last message");
    assert_eq!((session.head, session.unread, session.read_mark), (5, 2, 0));
    assert_eq!((last.server_msg_id, last.state(), last.content.as_str()), (3, State::Recalled, ""));
}

#[tokio::test]
async fn the_operator_says_how_long_words_may_be_changed() {
    let server =
        TestServer::start_with(|config| (config.messages.recall_s, config.messages.edit_s) = (0, 0), memory_store);
    let server = server.await;
    let (mut ada, bob) = (server.login("ada").await, server.login("bob").await);
    let conversation = ada.conversation_with(&bob);
    ada.send(&conversation, "m-1", "hello").await;
    assert_eq!(ada.refused(recall(&conversation, "g-1", 1)).await, ErrorCode::TooLate);
    assert_eq!(ada.refused(edit(&conversation, "e-1", 1, "other")).await, ErrorCode::TooLate);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_and_stores_nothing() {
    let server = TestServer::start().await;
    let (mut ada, bob) = (server.login("ada").await, server.login("bob").await);
    let conversation = ada.conversation_with(&bob);
    ada.send(&conversation, "m-1", "hello").await;
    let long = "x".repeat(33);
    let six = ["1", "2", "3", "4", "5", "6"];
    let Request::Send(text) = send(&conversation, "m-2", "hello") else { unreachable!() };
    for (request, code) in [
        (
            Request::Recall(v1::Recall {
                conversation_id: conversation.clone(),
                client_msg_id: "g".into(),
                ..Default::default()
            }),
            ErrorCode::BadField,
        ),
        (edit(&conversation, "e", 1, ""), ErrorCode::BadField),
        (edit(&conversation, "e", 1, &"x".repeat(70_000)), ErrorCode::BodyTooLarge),
        (react(&conversation, "r", 1, &six), ErrorCode::PageTooLarge),
        (react(&conversation, "r", 1, &["x", "x"]), ErrorCode::BadField),
        (react(&conversation, "r", 1, &["a b"]), ErrorCode::BadField),
        (react(&conversation, "r", 1, &[""]), ErrorCode::BadField),
        (react(&conversation, "r", 1, &["\u{fe0f}"]), ErrorCode::BadField),
        (react(&conversation, "r", 1, &[&long]), ErrorCode::BadField),
        (recall(&conversation, "", 1), ErrorCode::BadField),
        (recall(&conversation, "g", 0), ErrorCode::NotFound),
        (recall(&conversation, "g", u64::MAX), ErrorCode::NotFound),
        (recall("single_1_2", "g", 1), ErrorCode::NotMember),
        (recall("group_77", "g", 1), ErrorCode::NotMember),
        (Request::Send(v1::Send { r#type: v1::message::Type::Recall.into(), ..text.clone() }), ErrorCode::BadField),
        (Request::Send(v1::Send { r#type: v1::message::Type::Reaction.into(), ..text }), ErrorCode::BadField),
    ] {
        assert_eq!(ada.refused(request.clone()).await, code, "{request:?}");
    }
    assert_eq!(pull(&mut ada, &conversation, Some(0)).await.head, 1);
}

/// Who asks, and whose message it is. None: it is done.
#[tokio::test]
async fn who_may_change_whose_message() {
    use ErrorCode::{Forbidden, NotMember};
    let server = TestServer::start().await;
    let (mut owner, mut member) = (server.login("owner").await, server.login("member").await);
    let (mut left, mut stranger) = (server.login("left").await, server.login("stranger").await);
    let conversation = owner.create_group(&[&member, &left]).await;
    let group = group_id(&conversation);
    let mut n = 0;
    for (asks, whose, [recalls, edits, reacts]) in [
        ("owner", "owner", [None, None, None]),
        ("owner", "member", [None, Some(Forbidden), None]),
        ("owner", "left", [None, Some(Forbidden), None]),
        ("member", "owner", [Some(Forbidden), Some(Forbidden), None]),
        ("member", "member", [None, None, None]),
        ("member", "left", [Some(Forbidden), Some(Forbidden), None]),
        ("left", "left", [Some(NotMember), Some(NotMember), Some(NotMember)]),
        ("left", "owner", [Some(NotMember), Some(NotMember), Some(NotMember)]),
        ("stranger", "owner", [Some(NotMember), Some(NotMember), Some(NotMember)]),
    ] {
        for (what, expected) in ["react", "edit", "recall"].into_iter().zip([reacts, edits, recalls]) {
            n += 1;
            let by_name = |name: &str| match name {
                "owner" => 0,
                "member" => 1,
                "left" => 2,
                _ => 3,
            };
            let mut raws = [&mut owner, &mut member, &mut left, &mut stranger];
            let author = &mut raws[by_name(whose)];
            let place = author.send(&conversation, &format!("m-{n}"), "text").await.server_msg_id;
            let goes = asks == "left" || whose == "left";
            if goes {
                raws[2].ask(Request::LeaveGroup(v1::LeaveGroup { group_id: group })).await;
            }
            let id = format!("{what}-{n}");
            let request = match what {
                "react" => react(&conversation, &id, place, &["x"]),
                "edit" => edit(&conversation, &id, place, "other"),
                _ => recall(&conversation, &id, place),
            };
            let answer = raws[by_name(asks)].ask(request).await;
            let code = if let Body::Error(error) = &answer { Some(error.code()) } else { None };
            assert_eq!(code, expected, "{asks} {what}s a message of {whose}: {answer:?}");
            if goes {
                let user_ids = vec![raws[2].user.0];
                raws[0].ask(Request::InviteMembers(v1::InviteMembers { group_id: group, user_ids })).await;
            }
        }
    }
}
