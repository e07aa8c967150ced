//! Contacts, requests and blocks, over several devices.

use anser_proto::{
    ErrorCode,
    v1::{self, change::Now, client_frame::Request, contact::State, server_frame::Body},
};

use crate::{
    permissions::{accept, block, reject, remove_contact, request_contact, set_remark, unblock},
    raw::{Raw, TestServer, group_id, memory_store, send},
};

/// What changed: the number, whom it is about, and what they are now. A block has no state.
type Told = (u64, u64, Option<State>);

fn told(changed: v1::Changed) -> Vec<Told> {
    let one = |change: v1::Change| match change.now.expect("something") {
        Now::Contact(contact) => {
            (change.mailbox_seq, contact.user.as_ref().map_or(0, |user| user.user_id), Some(contact.state()))
        }
        Now::Privacy(_) | Now::Hidden(_) | Now::JoinRequests(_) | Now::Devices(_) => (change.mailbox_seq, 0, None),
        Now::Blocked(blocked) => (change.mailbox_seq, blocked.user.as_ref().map_or(0, |user| user.user_id), None),
    };
    changed.changes.into_iter().map(one).collect()
}

async fn changed(raw: &mut Raw, request: Request) -> Vec<Told> {
    match raw.ask(request).await {
        Body::Changed(changed) => told(changed),
        other => panic!("not changed: {other:?}"),
    }
}

async fn event(raw: &mut Raw) -> Vec<Told> {
    match raw.event().await {
        Body::Changed(changed) => told(changed),
        other => panic!("not told of a change: {other:?}"),
    }
}

#[tokio::test]
async fn a_request_is_told_to_both_and_accepted_on_any_device() {
    let server = TestServer::start().await;
    let (mut ada, mut bob) = (server.login("ada").await, server.login("bob").await);
    let (mut adas, mut bobs) = (server.login_device("ada", "tv").await, server.login_device("bob", "tv").await);
    ada.drop_events().await;
    bob.drop_events().await;
    let (a, b) = (ada.user.0, bob.user.0);
    assert_eq!(changed(&mut ada, request_contact(a, b)).await, [(2, b, Some(State::Asked))]);
    assert_eq!(event(&mut adas).await, [(2, b, Some(State::Asked))]);
    for raw in [&mut bob, &mut bobs] {
        let Body::Changed(asked) = raw.event().await else { panic!("not asked") };
        let Some(Now::Contact(contact)) = &asked.changes[0].now else { panic!("no contact") };
        assert_eq!((contact.text.as_str(), contact.user.as_ref().expect("who").nickname.as_str()), ("it is me", "ada"));
        assert_eq!(told(asked), [(2, a, Some(State::Asking))]);
    }
    assert_eq!(changed(&mut bobs, accept(b, a)).await, [(3, a, Some(State::Contact))]);
    assert_eq!(event(&mut bob).await, [(3, a, Some(State::Contact))]);
    for raw in [&mut ada, &mut adas] {
        assert_eq!(event(raw).await, [(3, b, Some(State::Contact))]);
    }
    assert_eq!(changed(&mut ada, request_contact(a, b)).await, []);
    assert_eq!(changed(&mut ada, set_remark(a, b)).await, [(4, b, Some(State::Contact))]);
    assert_eq!(event(&mut adas).await, [(4, b, Some(State::Contact))]);
    assert_eq!(changed(&mut bob, remove_contact(b, a)).await, [(4, a, Some(State::None))]);
    assert_eq!(event(&mut ada).await, [(5, b, Some(State::None))]);
    bob.nothing_more().await;
    ada.nothing_more().await;
}

#[tokio::test]
async fn two_who_ask_each_other_at_once_are_contacts() {
    let server = TestServer::start().await;
    for n in 0..10 {
        let (mut ada, mut bob) = (server.login(&format!("ada-{n}")).await, server.login(&format!("bob-{n}")).await);
        let (a, b) = (ada.user.0, bob.user.0);
        tokio::join!(ada.ask(request_contact(a, b)), bob.ask(request_contact(b, a)));
        for (raw, other) in [(&mut ada, b), (&mut bob, a)] {
            let page = raw.sync(0).await;
            let Some(Now::Contact(contact)) = &page.changes[0].now else { panic!("no contact") };
            let user_id = contact.user.as_ref().expect("who").user_id;
            assert_eq!((page.changes.len(), user_id, contact.state()), (1, other, State::Contact));
        }
    }
}

#[tokio::test]
async fn a_request_that_was_dismissed_does_not_return() {
    let server = TestServer::start().await;
    let (mut ada, mut bob) = (server.login("ada").await, server.login("bob").await);
    let mut laptop = server.login_device("bob", "laptop").await;
    bob.drop_events().await;
    let (a, b) = (ada.user.0, bob.user.0);
    ada.ask(request_contact(a, b)).await;
    assert_eq!(event(&mut laptop).await, [(2, a, Some(State::Asking))]);
    event(&mut bob).await;
    assert_eq!(changed(&mut bob, reject(b, a)).await, [(3, a, Some(State::None))]);
    assert_eq!(event(&mut laptop).await, [(3, a, Some(State::None))]);
    // Whoever asked is not told, and asks again to no effect.
    ada.nothing_more().await;
    assert_eq!(changed(&mut ada, remove_contact(a, b)).await, [(2, b, Some(State::None))]);
    assert_eq!(changed(&mut ada, request_contact(a, b)).await, [(3, b, Some(State::Asked))]);
    bob.nothing_more().await;
    laptop.nothing_more().await;
    let mut tablet = server.login_device("bob", "tablet").await;
    for since in [1, 2] {
        let page = tablet.sync(since).await;
        assert_eq!(told(v1::Changed { changes: page.changes }), [(3, a, Some(State::None)), (4, 0, None)]);
    }
    assert_eq!(bob.refused(accept(b, a)).await, ErrorCode::NotFound);
}

#[tokio::test]
async fn a_device_that_was_away_learns_of_everything() {
    let server = TestServer::start().await;
    let (mut ada, mut bob, mut cyd) = (server.login("ada").await, server.login("bob").await, server.login("cyd").await);
    let (a, b, c) = (ada.user.0, bob.user.0, cyd.user.0);
    ada.ask(request_contact(a, b)).await;
    bob.ask(accept(b, a)).await;
    cyd.ask(request_contact(c, a)).await;
    let seen = ada.sync(0).await;
    assert_eq!(
        told(v1::Changed { changes: seen.changes }),
        [(2, b, Some(State::Contact)), (3, c, Some(State::Asking))]
    );
    // And then it was away.
    bob.ask(remove_contact(b, a)).await;
    ada.ask(block(a, c)).await;
    ada.ask(request_contact(a, b)).await;
    let mut away = server.login_device("ada", "tablet").await;
    let page = away.sync(seen.mailbox_seq).await;
    let now = [(5, c, None), (6, c, Some(State::None)), (7, b, Some(State::Asked)), (8, 0, None)];
    assert_eq!(told(v1::Changed { changes: page.changes }), now);
    assert_eq!((page.mailbox_seq, page.caught_up, page.reset), (8, true, false));
    assert_eq!(away.sync(8).await, v1::SyncPage { mailbox_seq: 8, caught_up: true, ..Default::default() });

    let Body::Contacts(contacts) = away.ask(Request::ListContacts(v1::ListContacts::default())).await else {
        panic!("no contacts")
    };
    assert_eq!(contacts.contacts.iter().map(v1::Contact::state).collect::<Vec<_>>(), [State::Asked]);
    let Body::Blocks(blocks) = away.ask(Request::ListBlocks(v1::ListBlocks::default())).await else {
        panic!("no blocks")
    };
    let blocked: Vec<_> = blocks.blocks.iter().map(|blocked| blocked.user.clone().expect("who").account).collect();
    assert_eq!(blocked, ["cyd"]);
    let too_many = Request::ListBlocks(v1::ListBlocks { after: 0, limit: 201 });
    assert_eq!(away.refused(too_many).await, ErrorCode::PageTooLarge);
}

#[tokio::test]
async fn whoever_is_blocked_comes_in_through_no_group_and_says_what_they_like_in_those_of_others() {
    let server = TestServer::start().await;
    let (mut ada, mut bob, mut cyd) = (server.login("ada").await, server.login("bob").await, server.login("cyd").await);
    let (a, b) = (ada.user.0, bob.user.0);
    ada.ask(block(a, b)).await;
    let group = bob.create_group(&[&ada, &cyd]).await;
    let invite = || Request::InviteMembers(v1::InviteMembers { group_id: group_id(&group), user_ids: vec![a] });
    let Body::Group(told) = bob.ask(invite()).await else { panic!("not even told") };
    assert_eq!(told.member_count, 2);
    ada.nothing_more().await;
    let Body::Group(told) = cyd.ask(invite()).await else { panic!("a third may") };
    assert_eq!(told.member_count, 3);
    bob.send(&group, "m-1", "hello all").await;
    let content = loop {
        match ada.event().await {
            Body::Message(v1::MessageEvent { message: Some(message), .. }) if message.notice.is_none() => {
                break message.content;
            }
            _ => {}
        }
    };
    assert_eq!(content, "hello all");
}

#[tokio::test]
async fn what_was_sent_before_a_block_may_be_sent_again() {
    let server = TestServer::start().await;
    let (mut ada, mut bob) = (server.login("ada").await, server.login("bob").await);
    let ours = ada.conversation_with(&bob);
    let sent = bob.send(&ours, "m-1", "hello").await;
    ada.ask(block(ada.user.0, bob.user.0)).await;
    assert_eq!(bob.refused(send(&ours, "m-2", "and")).await, ErrorCode::Forbidden);
    assert_eq!(bob.send(&ours, "m-1", "hello").await.server_msg_id, sent.server_msg_id);
    // It fails alone: what is behind it is not held up.
    ada.ask(unblock(ada.user.0, bob.user.0)).await;
    assert_eq!(bob.send(&ours, "m-3", "again").await.server_msg_id, 2);
}

#[tokio::test]
async fn what_is_said_to_people_has_bounds() {
    let server = TestServer::start_with(|config| config.limits.contact_requests_per_min = 31, memory_store).await;
    let (mut ada, bob) = (server.login("ada").await, server.login("bob").await);
    let user_id = bob.user.0;
    let words = |text: String| Request::RequestContact(v1::RequestContact { user_id, text });
    assert_eq!(ada.refused(words("x".repeat(201))).await, ErrorCode::BadField);
    for remark in ["x".repeat(65), "a\nb".into()] {
        let set = Request::SetRemark(v1::SetRemark { user_id, remark });
        assert_eq!(ada.refused(set).await, ErrorCode::BadField);
    }
    assert_eq!(ada.refused(block(0, 0)).await, ErrorCode::BadField);
    assert_eq!(ada.refused(block(0, ada.user.0)).await, ErrorCode::Forbidden);
    for n in 0..30 {
        changed(&mut ada, words(format!("{n}"))).await;
    }
    match ada.ask(words("too many".into())).await {
        Body::Error(error) => assert!(error.code() == ErrorCode::RateLimited && error.retry_after_ms > 0, "{error:?}"),
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn settings_are_the_same_on_all_devices_and_hold() {
    use v1::privacy::Who;
    let server = TestServer::start().await;
    let (mut ada, mut bob) = (server.login("ada").await, server.login("bob").await);
    let mut laptop = server.login_device("ada", "laptop").await;
    ada.drop_events().await;
    let update = |update| Request::UpdateSettings(update);
    let private =
        v1::UpdateSettings { invites: Who::Nobody.into(), hides_reads: Some(true), ..v1::UpdateSettings::default() };
    assert_eq!(changed(&mut ada, update(private)).await, [(2, 0, None)]);
    assert_eq!(event(&mut laptop).await, [(2, 0, None)]);
    assert_eq!(changed(&mut ada, update(private)).await, []);
    let Body::Privacy(privacy) = laptop.ask(Request::GetSettings(v1::GetSettings {})).await else { panic!("none") };
    let expected = v1::Privacy {
        invites: Who::Nobody.into(),
        hides_reads: true,
        last_seen: Who::Everybody.into(),
        invisible: false,
    };
    assert_eq!(privacy, expected);
    let wrong = v1::UpdateSettings { last_seen: 7, ..v1::UpdateSettings::default() };
    assert_eq!(ada.refused(update(wrong)).await, ErrorCode::BadField);

    bob.create_group(&[&ada]).await;
    let ours = ada.conversation_with(&bob);
    bob.send(&ours, "m-1", "hello").await;
    assert!(matches!(ada.event().await, Body::Message(_)), "a message, and no group");
    ada.ask(Request::MarkRead(v1::MarkRead { conversation_id: ours.clone(), server_msg_id: 1 })).await;
    loop {
        match bob.event().await {
            Body::Receipt(receipt) => {
                assert_eq!((receipt.read_mark, receipt.delivered_mark), (0, 1));
                break;
            }
            Body::Message(_) | Body::SessionChanged(_) => {}
            other => panic!("no receipt: {other:?}"),
        }
    }
}
