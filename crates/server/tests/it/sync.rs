//! What a device that was away gets.

use anser_proto::{
    ErrorCode,
    digest::groups_digest,
    v1::{self, client_frame::Request, server_frame::Body},
};

use crate::{
    permissions::{accept, request_contact},
    raw::{Raw, TestServer, group_id},
};

#[tokio::test]
async fn a_device_learns_at_login_whether_it_missed_anything() {
    let server = TestServer::start().await;
    let (mut ada, mut bob) = (server.login("ada").await, server.login("bob").await);
    let group = ada.create_group(&[&bob]).await;
    let mut positions = v1::Positions {
        log_id: ada.welcome.log_id,
        mailbox_seq: bob.sync(0).await.mailbox_seq,
        groups_digest: groups_digest([(anser_proto::GroupId(group_id(&group)), 1)]),
    };
    drop(bob);
    let welcome = async |positions: v1::Positions| {
        let mut raw = server.tcp(anser_proto::Format::Protobuf).await;
        raw.hello(v1::Hello { positions: Some(positions), ..server.hello("bob", "phone") }).await;
        (raw.welcome.mailbox_behind, raw.welcome.groups_behind)
    };
    assert_eq!(welcome(positions).await, (false, false));
    ada.send(&group, "m-1", "in the group").await;
    assert_eq!(welcome(positions).await, (false, true));
    let bob = server.login("bob").await;
    ada.send(&ada.conversation_with(&bob), "m-2", "one to one").await;
    assert_eq!(welcome(positions).await, (true, true));
    assert!(server.metrics().await.contains("anser_devices_ahead_total 0"));
    assert_eq!(welcome(v1::Positions { mailbox_seq: 99, ..positions }).await, (true, true));
    assert!(server.metrics().await.contains("anser_devices_ahead_total 1"));
    positions.log_id += 1;
    assert_eq!(welcome(positions).await, (true, false), "positions of another log mean a new device");
}

#[tokio::test]
async fn a_sync_tells_each_changed_session_once_with_what_its_line_needs() {
    let server = TestServer::start().await;
    let (mut ada, mut bob, mut cyd) = (server.login("ada").await, server.login("bob").await, server.login("cyd").await);
    let (with_bob, with_cyd) = (ada.conversation_with(&bob), ada.conversation_with(&cyd));
    for number in 0..3 {
        bob.send(&with_bob, &format!("b-{number}"), "from bob").await;
        cyd.send(&with_cyd, &format!("c-{number}"), "from cyd").await;
    }
    let page = ada.sync(0).await;
    assert!(page.caught_up);
    assert_eq!((page.mailbox_seq, page.sessions.len()), (6, 2));
    let session = &page.sessions[1];
    assert_eq!((session.conversation_id.as_str(), session.head, session.unread), (with_cyd.as_str(), 3, 3));
    assert_eq!(session.peer.as_ref().expect("a peer").account, "cyd");
    let last = session.last.as_ref().expect("a last message");
    assert_eq!((last.content.as_str(), last.from_nickname.as_str()), ("from cyd", "cyd"));

    bob.send(&with_bob, "b-4", "more").await;
    let page = ada.sync(6).await;
    assert_eq!((page.mailbox_seq, page.sessions.len(), page.caught_up), (7, 1, true));
    assert_eq!(page.sessions[0].unread, 4);
    let page = ada.sync(7).await;
    assert!(page.sessions.is_empty() && page.caught_up);
}

#[tokio::test]
async fn of_many_groups_only_those_that_moved_are_told() {
    let server = TestServer::start().await;
    let (mut ada, mut bob) = (server.login("ada").await, server.login("bob").await);
    let mut groups = Vec::new();
    for number in 0..3 {
        let create = v1::CreateGroup {
            client_group_id: format!("group-{number}"),
            name: "Geese".into(),
            user_ids: vec![bob.user.0],
            ..Default::default()
        };
        let Body::Group(group) = ada.ask(Request::CreateGroup(create)).await else { panic!("no group") };
        groups.push(v1::GroupPosition { group_id: group.group_id, server_msg_id: 1 });
    }
    ada.send(&format!("group_{}", groups[1].group_id), "m-1", "news").await;
    let mailbox_seq = bob.sync(0).await.mailbox_seq;
    let sync =
        Request::Sync(v1::Sync { mailbox_seq, groups: groups.clone(), groups_digest: None, ..Default::default() });
    let Body::SyncPage(page) = bob.ask(sync).await else { panic!("no page") };
    assert_eq!(page.sessions.len(), 1);
    assert_eq!((page.sessions[0].head, page.sessions[0].unread), (2, 1));

    let many = vec![groups[0]; 201];
    let sync = v1::Sync { mailbox_seq, groups: many, ..Default::default() };
    assert_eq!(bob.refused(Request::Sync(sync)).await, ErrorCode::PageTooLarge);
}

#[tokio::test]
async fn whether_a_group_moved_is_asked_with_a_digest() {
    let server = TestServer::start().await;
    let (mut ada, mut bob) = (server.login("ada").await, server.login("bob").await);
    let group = ada.create_group(&[&bob]).await;
    let mailbox_seq = bob.sync(0).await.mailbox_seq;
    let mut behind = async |head| {
        let known = anser_proto::GroupId(group_id(&group));
        let groups_digest = Some(groups_digest([(known, head)]));
        let sync = v1::Sync { mailbox_seq, groups_digest, ..Default::default() };
        let Body::SyncPage(page) = bob.ask(Request::Sync(sync)).await else { panic!("no page") };
        assert!(page.sessions.is_empty() && page.caught_up, "{page:?}");
        page.groups_behind
    };
    assert!(!behind(1).await);
    ada.send(&group, "m-1", "news").await;
    assert!(behind(1).await);
    assert!(!behind(2).await);
}

#[tokio::test]
async fn a_long_list_comes_page_by_page() {
    let server = TestServer::start().await;
    let mut ada = server.login("ada").await;
    for number in 0..130 {
        let mut peer = server.login(&format!("peer-{number}")).await;
        peer.send(&peer.conversation_with(&ada), "m-1", "hello").await;
    }
    let first = ada.sync(0).await;
    assert_eq!((first.sessions.len(), first.caught_up), (100, false));
    let second = ada.sync(first.mailbox_seq).await;
    assert_eq!((second.sessions.len(), second.caught_up, second.mailbox_seq), (30, true, 130));

    let mut after = String::new();
    let mut listed = 0;
    loop {
        let list = Request::ListSessions(v1::ListSessions { after, limit: 60 });
        let Body::Sessions(page) = ada.ask(list).await else { panic!("no page") };
        listed += page.sessions.len();
        after = page.sessions.last().expect("no page is empty").conversation_id.clone();
        if !page.more {
            break;
        }
    }
    assert_eq!(listed, 130);
}

#[tokio::test]
async fn a_changed_profile_reaches_ones_other_devices_and_the_next_message() {
    let server = TestServer::start().await;
    let (mut phone, mut laptop) = (server.login("ada").await, server.login_device("ada", "laptop").await);
    let mut bob = server.login("bob").await;
    let update = v1::UpdateProfile { nickname: Some("Ada L.".into()), avatar: None, ..Default::default() };
    let Body::Users(users) = phone.ask(Request::UpdateProfile(update)).await else { panic!("no users") };
    assert_eq!((users.users[0].nickname.as_str(), users.mailbox_seq), ("Ada L.", 2));
    let Body::ProfileChanged(changed) = laptop.event().await else { panic!("not told") };
    assert_eq!(changed.mailbox_seq, 2);
    laptop.send(&laptop.conversation_with(&bob), "m-1", "hello").await;
    assert_eq!(bob.message().await.message.expect("a message").from_nickname, "Ada L.");
    assert_eq!(laptop.sync(0).await.profile.expect("it changed").nickname, "Ada L.");

    let get = v1::GetUsers {
        user_ids: vec![phone.user.0, 5],
        accounts: vec!["bob".into(), "nobody".into()],
        ..Default::default()
    };
    let Body::Users(users) = bob.ask(Request::GetUsers(get)).await else { panic!("no users") };
    assert_eq!(users.users.len(), 2);
}

#[tokio::test]
async fn a_profile_is_told_to_contacts_who_are_there_and_to_who_asks_for_what_changed() {
    let server = TestServer::start().await;
    let (mut ada, mut bob, mut cyd) = (server.login("ada").await, server.login("bob").await, server.login("cyd").await);
    let a = ada.user.0;
    ada.ask(request_contact(a, bob.user.0)).await;
    bob.ask(accept(bob.user.0, a)).await;
    bob.drop_events().await;
    let (signature, custom) = (Some("On the road".into()), Some(r#"{"city": "Oulu"}"#.into()));
    let update = v1::UpdateProfile { signature, custom, ..Default::default() };
    let Body::Users(told) = ada.ask(Request::UpdateProfile(update)).await else { panic!("no users") };
    let profile = &told.users[0];
    assert_eq!((profile.signature.as_str(), profile.custom.as_str()), ("On the road", r#"{"city": "Oulu"}"#));
    assert_eq!(profile.profile_version, 1);
    let Body::ProfileChanged(hint) = bob.event().await else { panic!("not told") };
    let of = hint.user.expect("a user");
    assert_eq!((hint.mailbox_seq, of.user_id, of.profile_version, of.signature.as_str()), (0, a, 1, ""));
    cyd.nothing_more().await;
    let known = async |raw: &mut Raw, profile_version| {
        let known = vec![v1::KnownProfile { user_id: a, profile_version }];
        let get = v1::GetUsers { known, ..Default::default() };
        let Body::Users(users) = raw.ask(Request::GetUsers(get)).await else { panic!("no users") };
        users.users
    };
    assert_eq!(known(&mut cyd, 0).await, *std::slice::from_ref(profile));
    assert_eq!(known(&mut cyd, 1).await, []);
    for (signature, custom) in [
        ("x".repeat(141), "".into()),
        ("a\nb".into(), "".into()),
        ("".into(), "{".into()),
        ("".into(), format!("\"{}\"", "x".repeat(2_047))),
    ] {
        let update = v1::UpdateProfile { signature: Some(signature), custom: Some(custom), ..Default::default() };
        assert_eq!(ada.refused(Request::UpdateProfile(update)).await, ErrorCode::BadField);
    }
}
