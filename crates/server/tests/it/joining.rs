//! How users come into a group, who may not, and what newcomers see.

use anser_proto::{
    ErrorCode,
    v1::{self, client_frame::Request, server_frame::Body},
};

use crate::raw::{Raw, TestServer, group_id, send};

fn ids(users: &[&Raw]) -> Vec<u64> {
    users.iter().map(|user| user.user.0).collect()
}

fn ban(group: &str, users: &[&Raw]) -> Request {
    Request::RemoveMembers(v1::RemoveMembers { group_id: group_id(group), user_ids: ids(users), ban: true })
}

fn invite(group: &str, users: &[&Raw]) -> Request {
    Request::InviteMembers(v1::InviteMembers { group_id: group_id(group), user_ids: ids(users) })
}

fn update(group: &str) -> v1::UpdateGroup {
    v1::UpdateGroup { group_id: group_id(group), ..v1::UpdateGroup::default() }
}

fn show(group: &str, kind: v1::history::Kind, last: u32) -> Request {
    Request::UpdateGroup(v1::UpdateGroup { history: Some(v1::History { kind: kind.into(), last }), ..update(group) })
}

async fn of_group(raw: &mut Raw, request: Request) -> v1::Group {
    match raw.ask(request).await {
        Body::Group(group) => group,
        other => panic!("no group: {other:?}"),
    }
}

async fn seen(raw: &mut Raw, group: &str) -> Vec<u64> {
    let page = raw.pull(v1::Pull { conversation_id: group.into(), ..v1::Pull::default() }).await;
    page.messages.iter().map(|message| message.server_msg_id).collect()
}

#[tokio::test]
async fn who_is_banned_finds_no_group_and_is_left_out_of_invitations() {
    let server = TestServer::start().await;
    let (mut ada, mut bob, mut cyd) = (server.login("ada").await, server.login("bob").await, server.login("cyd").await);
    let group = ada.create_group(&[&bob]).await;
    bob.send(&group, "m-1", "honk").await;
    assert_eq!(of_group(&mut ada, ban(&group, &[&bob, &cyd])).await.member_count, 1);
    let pull = || Request::Pull(v1::Pull { conversation_id: group.clone(), ..v1::Pull::default() });
    let mark = || Request::MarkRead(v1::MarkRead { conversation_id: group.clone(), server_msg_id: 9 });
    for raw in [&mut bob, &mut cyd] {
        assert_eq!(raw.refused(pull()).await, ErrorCode::NotMember);
        assert_eq!(raw.refused(mark()).await, ErrorCode::NotMember);
        let leave = v1::LeaveGroup { group_id: group_id(&group) };
        assert_eq!(raw.refused(Request::LeaveGroup(leave)).await, ErrorCode::NotMember);
    }
    let session = bob.sync(0).await.sessions.remove(0);
    assert_eq!((session.unread, session.group.expect("a group").role()), (0, v1::group::Role::None));
    assert_eq!(cyd.sync(0).await.sessions, [], "nobody told them");
    assert_eq!(of_group(&mut ada, invite(&group, &[&bob, &cyd])).await.member_count, 1);
    let list = |after, limit| Request::ListBans(v1::ListBans { group_id: group_id(&group), after, limit });
    let Body::Bans(page) = ada.ask(list(0, 1)).await else { panic!("no bans") };
    let named = page.bans[0].user.as_ref().expect("who").nickname.clone();
    assert_eq!((&*named, page.bans[0].banned_by, page.more), ("bob", ada.user.0, true));
    let unban = v1::UnbanMembers { group_id: group_id(&group), user_ids: ids(&[&bob]) };
    of_group(&mut ada, Request::UnbanMembers(unban)).await;
    let Body::Bans(page) = ada.ask(list(0, 0)).await else { panic!("no bans") };
    assert_eq!((page.bans.len(), page.bans[0].user.as_ref().expect("who").user_id, page.more), (1, cyd.user.0, false));
    assert_eq!(of_group(&mut ada, invite(&group, &[&bob, &cyd])).await.member_count, 2);
}

#[tokio::test]
async fn newcomers_see_what_the_group_shows_them_and_nothing_of_it_is_unread() {
    let server = TestServer::start().await;
    let (mut ada, mut bob, mut cyd) = (server.login("ada").await, server.login("bob").await, server.login("cyd").await);
    let mut dan = server.login("dan").await;
    let group = ada.create_group(&[]).await;
    ada.send(&group, "m-1", "one").await; // 2
    ada.send(&group, "m-2", "two").await; // 3
    of_group(&mut ada, invite(&group, &[&bob])).await; // 4
    let told = of_group(&mut ada, show(&group, v1::history::Kind::Last, 3)).await; // 5
    assert_eq!(told.history, Some(v1::History { kind: v1::history::Kind::Last.into(), last: 3 }));
    of_group(&mut ada, invite(&group, &[&cyd])).await; // 6
    of_group(&mut ada, show(&group, v1::history::Kind::All, 0)).await; // 7
    of_group(&mut ada, invite(&group, &[&dan])).await; // 8
    assert_eq!(seen(&mut bob, &group).await, [4, 5, 6, 7, 8], "a later change moves nobody");
    assert_eq!(seen(&mut cyd, &group).await, [3, 4, 5, 6, 7, 8]);
    assert_eq!(seen(&mut dan, &group).await, [1, 2, 3, 4, 5, 6, 7, 8]);
    for (raw, first) in [(&mut bob, 4), (&mut cyd, 3), (&mut dan, 1)] {
        let session = raw.sync(0).await.sessions.remove(0);
        assert_eq!((session.first, session.unread), (first, 0));
    }
    for (kind, last) in [(v1::history::Kind::Last, 0), (v1::history::Kind::Last, 201)] {
        assert_eq!(ada.refused(show(&group, kind, last)).await, ErrorCode::BadField);
    }
    let bad = v1::UpdateGroup { history: Some(v1::History { kind: 9, last: 0 }), ..update(&group) };
    assert_eq!(ada.refused(Request::UpdateGroup(bad)).await, ErrorCode::BadField);
}

/// Two encodings of one push: the message for those who see it, and the place alone for those who do not.
#[tokio::test]
async fn a_change_of_before_is_told_to_those_newcomers_who_see_what_was_changed() {
    let server = TestServer::start().await;
    let (mut ada, mut bob, mut cyd) = (server.login("ada").await, server.login("bob").await, server.login("cyd").await);
    let group = ada.create_group(&[]).await;
    ada.send(&group, "m-1", "one").await; // 2
    of_group(&mut ada, invite(&group, &[&bob])).await; // 3
    of_group(&mut ada, show(&group, v1::history::Kind::All, 0)).await; // 4
    of_group(&mut ada, invite(&group, &[&cyd])).await; // 5
    let edit = v1::Edit {
        conversation_id: group.clone(),
        client_msg_id: "e-1".into(),
        target: Some(v1::edit::Target::ServerMsgId(2)),
        content: "won".into(),
        ..v1::Edit::default()
    };
    assert!(matches!(ada.ask(Request::Edit(edit)).await, Body::Sent(_)));
    for (raw, expected) in [(&mut bob, vec![]), (&mut cyd, vec!["won".to_owned()])] {
        let changed = loop {
            if let Body::MessagesChanged(changed) = raw.event().await {
                break changed;
            }
        };
        let contents: Vec<_> = changed.changed.into_iter().map(|message| message.content).collect();
        assert_eq!((changed.after, changed.through, contents), (5, 6, expected));
    }
    let reply = |raw: &Raw| {
        let Request::Send(reply) = send(&group, &format!("r-{}", raw.user), "indeed") else { panic!("no send") };
        Request::Send(v1::Send { reply_to: 2, ..reply })
    };
    let (of_bob, of_cyd) = (reply(&bob), reply(&cyd));
    assert_eq!(bob.refused(of_bob).await, ErrorCode::NotFound);
    assert!(matches!(cyd.ask(of_cyd).await, Body::Sent(_)));
}
