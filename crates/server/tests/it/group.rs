//! Groups over the wire: who is told what, and who sees which part of the log.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use anser_proto::{
    ErrorCode, GroupId,
    v1::{self, client_frame::Request, notice::Kind, server_frame::Body},
};
use anser_store::{Failure, NewGroup, Sender};
use futures_util::FutureExt as _;

use crate::{
    faulty::Faulty,
    raw::{Raw, TestServer, group_id, memory_store, send},
};

async fn notice(raw: &mut Raw) -> (u64, Kind, Vec<u64>) {
    loop {
        match raw.event().await {
            Body::Message(v1::MessageEvent { message: Some(message), .. }) => {
                let notice = message.notice.expect("a notice");
                return (message.server_msg_id, notice.kind(), notice.user_ids);
            }
            Body::SessionChanged(_) => {}
            other => panic!("no notice: {other:?}"),
        }
    }
}

async fn session_of(raw: &mut Raw) -> v1::Session {
    loop {
        if let Body::SessionChanged(changed) = raw.event().await {
            return changed.session.expect("a session");
        }
    }
}

fn invite(group: &str, users: &[&Raw]) -> Request {
    let user_ids = users.iter().map(|user| user.user.0).collect();
    Request::InviteMembers(v1::InviteMembers { group_id: group_id(group), user_ids })
}

fn remove(group: &str, users: &[&Raw]) -> Request {
    let user_ids = users.iter().map(|user| user.user.0).collect();
    Request::RemoveMembers(v1::RemoveMembers { group_id: group_id(group), user_ids, ban: false })
}

#[tokio::test]
async fn when_it_is_not_known_who_is_in_a_group_they_are_told_to_sync_as_soon_as_it_is() {
    let faulty = Faulty::new(memory_store(&Default::default()));
    let store = faulty.clone();
    let server = TestServer::start_with(|_| {}, |_| std::sync::Arc::new(store)).await;
    let (mut ada, mut bob, mut cyd) = (server.login("ada").await, server.login("bob").await, server.login("cyd").await);
    let group = ada.create_group(&[&bob]).await;
    assert_eq!(notice(&mut bob).await.1, Kind::Created);
    session_of(&mut bob).await;
    // To tell them of it, and then whom to tell to sync.
    (0..2).for_each(|_| faulty.fail_to_tell_whom(Failure::Failed("away".into())));
    let mut stranger = server.login("dora").await;
    ada.ask(invite(&group, &[&cyd])).await;
    for member in [&mut bob, &mut cyd] {
        assert!(matches!(member.event().await, Body::Lagged(_)));
        let page = member.sync(0).await;
        assert!(page.sessions.iter().any(|session| session.conversation_id == group && session.head == 2));
    }
    let other = bob.conversation_with(&stranger);
    bob.send(&other, "m-1", "told nothing else").await;
    assert!(matches!(stranger.event().await, Body::Message(_)));
}

#[tokio::test]
async fn who_leaves_right_behind_a_message_is_told_of_it() {
    let faulty = Faulty::new(memory_store(&Default::default()));
    let store = faulty.clone();
    let server = TestServer::start_with(|_| {}, |_| std::sync::Arc::new(store)).await;
    let (mut ada, mut bob) = (server.login("ada").await, server.login("bob").await);
    let group = ada.create_group(&[&bob]).await;
    assert_eq!(notice(&mut bob).await.1, Kind::Created);

    let untold = faulty.untold.acquire().await.expect("it is open");
    let sent = ada.say(send(&group, "m-1", "wait")).await;
    let all = || v1::Pull { conversation_id: group.clone(), ..v1::Pull::default() };
    while bob.pull(all()).await.messages.len() < 2 {}
    bob.ask(Request::LeaveGroup(v1::LeaveGroup { group_id: group_id(&group) })).await;
    drop(untold);
    assert!(matches!(ada.answer(sent).await, Body::Sent(_)));
    let mut told = Vec::new();
    while told.len() < 2 {
        if let Body::Message(event) = bob.event().await {
            told.push(event.message.expect("a message").server_msg_id);
        }
    }
    told.sort_unstable();
    assert_eq!(told, [2, 3], "the message, and that they left");
}

#[tokio::test]
async fn a_group_is_told_to_its_members_and_its_messages_reach_them_all() {
    let server = TestServer::start().await;
    let (mut ada, mut bob, mut cyd) = (server.login("ada").await, server.login("bob").await, server.login("cyd").await);
    let group = ada.create_group(&[&bob, &cyd]).await;
    for member in [&mut ada, &mut bob, &mut cyd] {
        let (id, kind, _) = notice(member).await;
        assert_eq!((id, kind), (1, Kind::Created));
        let session = session_of(member).await;
        assert_eq!((session.first, session.head, session.unread), (1, 1, 0));
        assert_eq!(session.group.expect("a group").member_count, 3);
    }
    assert_eq!(bob.send(&group, "m-1", "honk").await.mailbox_seq, 0);
    for member in [&mut ada, &mut cyd] {
        let event = member.message().await;
        assert_eq!((event.message.expect("a message").server_msg_id, event.mailbox_seq), (2, 0));
    }
    bob.nothing_more().await;
}

#[tokio::test]
async fn creating_it_again_makes_no_second_group() {
    let server = TestServer::start().await;
    let mut ada = server.login("ada").await;
    let group = ada.create_group(&[]).await;
    assert_eq!(ada.create_group(&[]).await, group);
}

#[tokio::test]
async fn members_see_the_log_from_their_joining_to_their_leaving() {
    let server = TestServer::start().await;
    let (mut ada, mut bob) = (server.login("ada").await, server.login("bob").await);
    let group = ada.create_group(&[]).await;
    ada.send(&group, "m-1", "before").await;
    assert_eq!(bob.refused(send(&group, "m-1", "let me in")).await, ErrorCode::NotMember);

    assert!(matches!(ada.ask(invite(&group, &[&bob])).await, Body::Group(_)));
    assert_eq!(notice(&mut bob).await, (3, Kind::Joined, vec![bob.user.0]));
    assert_eq!(session_of(&mut bob).await.first, 3);
    ada.send(&group, "m-2", "between").await;
    assert!(matches!(ada.ask(remove(&group, &[&bob])).await, Body::Group(_)));
    ada.send(&group, "m-3", "after").await;

    let pulled = bob.pull(v1::Pull { conversation_id: group.clone(), ..Default::default() }).await;
    let ids: Vec<_> = pulled.messages.iter().map(|message| message.server_msg_id).collect();
    assert_eq!((ids, pulled.head), (vec![3, 4, 5], 5));
    assert_eq!(bob.message().await.message.expect("a message").content, "between");
    assert_eq!(notice(&mut bob).await, (5, Kind::Removed, vec![bob.user.0]));
    let session = session_of(&mut bob).await;
    assert_eq!((session.head, session.group.expect("a group").role()), (5, v1::group::Role::None));
    bob.nothing_more().await;
}

#[tokio::test]
async fn the_owner_hands_over_when_they_leave() {
    let server = TestServer::start().await;
    let (mut ada, mut bob) = (server.login("ada").await, server.login("bob").await);
    let group = ada.create_group(&[&bob]).await;
    assert_eq!(bob.refused(remove(&group, &[&ada])).await, ErrorCode::Forbidden);
    let leave = Request::LeaveGroup(v1::LeaveGroup { group_id: group_id(&group) });
    assert!(matches!(ada.ask(leave.clone()).await, Body::Done(_)));
    assert!(matches!(ada.ask(leave).await, Body::Done(_)), "a retry does no harm");
    assert_eq!(notice(&mut bob).await.1, Kind::Created);
    assert_eq!(notice(&mut bob).await.1, Kind::Left);
    assert_eq!(notice(&mut bob).await.1, Kind::OwnerChanged);
    // Who left is told of their leaving, and of nothing behind it: the next owner is no business of theirs.
    assert_eq!(notice(&mut ada).await.1, Kind::Created);
    assert_eq!(notice(&mut ada).await.1, Kind::Left);
    assert_eq!(session_of(&mut ada).await.head, 2);
    ada.nothing_more().await;
    let get = Request::GetGroup(v1::GetGroup { group_id: group_id(&group) });
    let Body::Group(told) = bob.ask(get).await else { panic!("no group") };
    assert_eq!((told.owner_id, told.role()), (bob.user.0, v1::group::Role::Owner));
}

#[tokio::test]
async fn members_are_listed_page_by_page_to_members_alone() {
    let server = TestServer::start().await;
    let (mut ada, bob, mut cyd) = (server.login("ada").await, server.login("bob").await, server.login("cyd").await);
    let group = ada.create_group(&[&bob]).await;
    let list = |after| Request::ListMembers(v1::ListMembers { group_id: group_id(&group), after, limit: 1 });
    let mut accounts = Vec::new();
    let mut after = 0;
    for more in [true, false] {
        let Body::Members(page) = ada.ask(list(after)).await else { panic!("no members") };
        assert_eq!(page.more, more);
        let user = page.members[0].user.clone().expect("a user");
        after = user.user_id;
        accounts.push(user.account);
    }
    accounts.sort();
    assert_eq!(accounts, ["ada", "bob"]);
    assert_eq!(cyd.refused(list(0)).await, ErrorCode::NotMember);
}

#[tokio::test]
async fn a_full_group_takes_nobody_more() {
    let server = TestServer::start_with(|config| config.limits.group_members = 2, crate::raw::memory_store).await;
    let (mut ada, bob, cyd) = (server.login("ada").await, server.login("bob").await, server.login("cyd").await);
    let group = ada.create_group(&[&bob]).await;
    assert_eq!(ada.refused(invite(&group, &[&cyd])).await, ErrorCode::LimitReached);
    let unknown = v1::InviteMembers { group_id: group_id(&group), user_ids: vec![5] };
    assert_eq!(ada.refused(Request::InviteMembers(unknown)).await, ErrorCode::NotFound);
    let many = v1::InviteMembers { group_id: group_id(&group), user_ids: vec![5; 501] };
    assert_eq!(ada.refused(Request::InviteMembers(many)).await, ErrorCode::PageTooLarge);
}

#[tokio::test]
async fn typing_in_a_group_is_told_to_members_by_members() {
    let server = TestServer::start().await;
    let (mut ada, mut bob, mut cyd) = (server.login("ada").await, server.login("bob").await, server.login("cyd").await);
    let group = ada.create_group(&[&bob]).await;
    notice(&mut bob).await;
    session_of(&mut bob).await;
    let typing = |conversation_id: &str| Request::Typing(v1::Typing { conversation_id: conversation_id.into() });
    cyd.ask(typing(&group)).await;
    bob.nothing_more().await;
    ada.ask(typing(&group)).await;
    assert!(matches!(bob.event().await, Body::Typing(_)));
}

#[tokio::test]
async fn a_stranger_fills_a_part_of_somebodys_groups_and_no_more() {
    let few = |config: &mut anser_server::config::Config| {
        (config.limits.unanswered_groups_per_user, config.limits.unanswered_groups_per_inviter) = (3, 2);
    };
    let server = TestServer::start_with(few, memory_store).await;
    let (mut bob, mut eve, mut dan) = (server.login("bob").await, server.login("eve").await, server.login("dan").await);
    let found = |by: &str, n: u32, bob: &Raw| {
        let user_ids = vec![bob.user.0];
        let client_group_id = format!("{by}-{n}");
        Request::CreateGroup(v1::CreateGroup { client_group_id, name: "g".into(), user_ids, ..Default::default() })
    };
    for n in 0..2 {
        assert!(matches!(eve.ask(found("eve", n, &bob)).await, Body::Group(_)));
    }
    assert_eq!(eve.refused(found("eve", 2, &bob)).await, ErrorCode::LimitReached);
    let Body::Group(third) = dan.ask(found("dan", 0, &bob)).await else { panic!("not founded") };
    assert_eq!(dan.refused(found("dan", 1, &bob)).await, ErrorCode::LimitReached);
    // Bob's own are none of it, and who leaves has a place again.
    for n in 0..3 {
        assert!(matches!(bob.ask(found("bob", n, &bob)).await, Body::Group(_)));
    }
    bob.ask(Request::LeaveGroup(v1::LeaveGroup { group_id: third.group_id })).await;
    assert!(matches!(dan.ask(found("dan", 1, &bob)).await, Body::Group(_)));
}

#[tokio::test]
async fn typing_waits_for_nobody_and_a_group_that_does_not_exist_is_not_remembered() {
    let faulty = Faulty::new(memory_store(&Default::default()));
    let store = faulty.clone();
    let server = TestServer::start_with(|_| {}, |_| Arc::new(store)).await;
    let (mut ada, mut bob) = (server.login("ada").await, server.login("bob").await);
    untold_group(&server, &ada, &bob).await;
    let typing = |group| Request::Typing(v1::Typing { conversation_id: format!("group_{group}") });

    let silence = faulty.silence.acquire().await.expect("it is never closed");
    let begun = Instant::now();
    assert!(matches!(ada.ask(typing(5)).await, Body::Done(_)));
    for group in 100..130 {
        assert_eq!(ada.refused(typing(group)).await, ErrorCode::NotMember);
    }
    let rights = faulty.rights.acquire().await.expect("it is never closed");
    let to_bob = v1::Typing { conversation_id: ada.conversation_with(&bob) };
    for request in [typing(6), Request::Typing(to_bob)] {
        assert!(matches!(ada.ask(request).await, Body::Done(_)), "who may is not known in time");
    }
    drop(rights);
    assert!(begun.elapsed() < Duration::from_secs(4), "typing waited for the store");
    assert!(faulty.asked.load(Ordering::Relaxed) <= 16, "as many lists are read as others need");
    drop(silence);
    assert!(matches!(bob.event().await, Body::Typing(_)));
    // Those that were asked for are answered in the order of the questions.
    while !server.metrics().await.contains("anser_members_remembered 1\n") {
        bob.nothing_more().await;
    }
}

#[tokio::test]
async fn the_owner_makes_admins_and_hands_the_group_over() {
    let server = TestServer::start().await;
    let (mut ada, mut bob, mut cyd) = (server.login("ada").await, server.login("bob").await, server.login("cyd").await);
    let group = ada.create_group(&[&bob, &cyd]).await;
    let set = |user: &Raw, role| {
        let user_ids = vec![user.user.0];
        Request::SetRole(v1::SetRole { group_id: group_id(&group), user_ids, role: i32::from(role) })
    };
    let transfer =
        |to: &Raw| Request::TransferGroup(v1::TransferGroup { group_id: group_id(&group), user_id: to.user.0 });
    for role in [v1::group::Role::None, v1::group::Role::Owner] {
        assert_eq!(ada.refused(set(&bob, role)).await, ErrorCode::BadField);
    }
    let Body::Group(told) = ada.ask(set(&bob, v1::group::Role::Admin)).await else { panic!("no group") };
    assert_eq!((told.role(), told.owner_id), (v1::group::Role::Owner, ada.user.0));
    assert_eq!(notice(&mut bob).await.1, Kind::Created);
    assert_eq!(notice(&mut bob).await, (2, Kind::Promoted, vec![bob.user.0]));
    assert_eq!(session_of(&mut bob).await.group.expect("a group").role(), v1::group::Role::Admin);
    assert_eq!(bob.refused(set(&cyd, v1::group::Role::Admin)).await, ErrorCode::Forbidden);
    assert_eq!(bob.refused(transfer(&cyd)).await, ErrorCode::Forbidden);

    // A retry is no second change.
    for _ in 0..2 {
        let Body::Group(told) = ada.ask(transfer(&bob)).await else { panic!("no group") };
        assert_eq!((told.role(), told.owner_id), (v1::group::Role::Admin, bob.user.0));
    }
    assert_eq!(notice(&mut cyd).await.1, Kind::Created);
    assert_eq!(notice(&mut cyd).await.1, Kind::Promoted);
    assert_eq!(notice(&mut cyd).await, (3, Kind::OwnerChanged, vec![bob.user.0]));
    let nobody = v1::TransferGroup { group_id: group_id(&group), user_id: 5 };
    assert_eq!(bob.refused(Request::TransferGroup(nobody)).await, ErrorCode::NotFound);
    cyd.nothing_more().await;
}

/// A group of which this server was not told.
async fn untold_group(server: &TestServer, creator: &Raw, member: &Raw) {
    let new = NewGroup {
        group: GroupId(5),
        creator: Sender { user: creator.user, nickname: "ada".into(), platform: 0, device_id: "phone".into() },
        client_group_id: "g".into(),
        name: "Geese".into(),
        avatar: "".into(),
        members: vec![member.user],
        login_version: 0,
    };
    server.store.create_group(new).await.expect("a group");
}

#[tokio::test]
async fn an_answer_waits_for_the_commit_and_not_for_who_is_told_and_a_sender_is_one_batch_ahead() {
    let faulty = Faulty::new(memory_store(&Default::default()));
    let store = faulty.clone();
    let server = TestServer::start_with(|_| {}, |_| Arc::new(store)).await;
    let (mut ada, mut bob) = (server.login("ada").await, server.login("bob").await);
    untold_group(&server, &ada, &bob).await;
    // Nobody can say who is in it.
    let silence = faulty.silence.acquire().await.expect("it is never closed");
    assert_eq!(ada.send("group_5", "m-1", "one").await.server_msg_id, 2);
    ada.say(send("group_5", "m-2", "two")).await;
    let all = || v1::Pull { conversation_id: "group_5".into(), ..v1::Pull::default() };
    while bob.pull(all()).await.messages.len() < 3 {}
    assert!(ada.came().now_or_never().is_none(), "the second is stored, and those before it are not told");
    // Whatever becomes of the connection.
    drop(ada);
    bob.nothing_more().await;
    drop(silence);
    for expected in [2, 3] {
        let Body::Message(told) = bob.event().await else { panic!("no message") };
        assert_eq!(told.message.expect("a message").server_msg_id, expected);
    }
}

#[tokio::test]
async fn what_breaks_while_others_are_told_has_them_sync_and_the_sender_goes_on() {
    let faulty = Faulty::new(memory_store(&Default::default()));
    let store = faulty.clone();
    let server = TestServer::start_with(|_| {}, |_| Arc::new(store)).await;
    let (mut ada, mut bob) = (server.login("ada").await, server.login("bob").await);
    untold_group(&server, &ada, &bob).await;
    faulty.panic_when_asked_whom();
    ada.send("group_5", "m-1", "one").await;
    assert!(matches!(bob.event().await, Body::Lagged(_)));
    ada.send("group_5", "m-2", "two").await;
    assert!(matches!(bob.event().await, Body::Message(_)));
    assert!(server.metrics().await.contains("anser_pieces_lost_total{task=\"fan_out\"} 1\n"));
}

fn change_of(body: &Body) -> Option<v1::GroupChange> {
    let Body::Message(v1::MessageEvent { message: Some(message), .. }) = body else { return None };
    message.notice.as_ref()?.change.clone()
}

#[tokio::test]
async fn a_changed_group_is_told_to_all_by_one_notice() {
    let server = TestServer::start().await;
    let (mut ada, mut bob) = (server.login("ada").await, server.login("bob").await);
    let group = ada.create_group(&[&bob]).await;
    let update = || v1::UpdateGroup { group_id: group_id(&group), ..Default::default() };
    let announcement = "No honking\nafter dark";
    let change = v1::UpdateGroup { name: Some("Swans".into()), announcement: Some(announcement.into()), ..update() };
    // A retry is told nobody.
    for _ in 0..2 {
        let Body::Group(told) = ada.ask(Request::UpdateGroup(change.clone())).await else { panic!("no group") };
        assert_eq!((&*told.name, &*told.announcement, told.announced), ("Swans", announcement, 2));
    }
    let expected = v1::GroupChange { name: Some("Swans".into()), announcement: true, ..Default::default() };
    let change = loop {
        if let Some(change) = change_of(&bob.event().await) {
            break change;
        }
    };
    assert_eq!(change, expected);
    bob.nothing_more().await;
    let Body::Group(told) = bob.ask(Request::GetGroup(v1::GetGroup { group_id: group_id(&group) })).await else {
        panic!("no group")
    };
    assert_eq!((&*told.name, &*told.announcement), ("Swans", announcement));
    let listed = bob.sync(0).await.sessions.remove(0).group.expect("a group");
    assert_eq!((&*listed.name, &*listed.announcement, listed.announced), ("Swans", "", 2));
    for (bad, named) in [
        (v1::UpdateGroup { name: Some(String::new()), ..update() }, "name"),
        (v1::UpdateGroup { avatar: Some("x".repeat(513)), ..update() }, "avatar"),
        (v1::UpdateGroup { announcement: Some("雁".repeat(2049)), ..update() }, "announcement has 2049"),
        (v1::UpdateGroup { join: Some(7), ..update() }, "join"),
    ] {
        let Body::Error(error) = ada.ask(Request::UpdateGroup(bad)).await else { panic!("not refused: {named}") };
        assert_eq!((error.code(), error.message.contains(named)), (ErrorCode::BadField, true), "{}", error.message);
    }
    let long = v1::UpdateGroup { announcement: Some("雁".repeat(2048)), ..update() };
    assert!(matches!(ada.ask(Request::UpdateGroup(long)).await, Body::Group(_)));
}

#[tokio::test]
async fn who_is_muted_is_told_until_when() {
    let server = TestServer::start().await;
    let (mut ada, mut bob) = (server.login("ada").await, server.login("bob").await);
    let group = ada.create_group(&[&bob]).await;
    let Body::Pong(pong) = ada.ask(Request::Ping(v1::Ping {})).await else { panic!("no pong") };
    let until_ms = pong.server_time_ms + 3_600_000;
    let mute = |until_ms| {
        let user_ids = vec![bob.user.0];
        Request::MuteMembers(v1::MuteMembers { group_id: group_id(&group), user_ids, until_ms })
    };
    let (on, off) = (mute(until_ms), mute(0));
    assert!(matches!(ada.ask(on).await, Body::Group(_)));
    let Body::Error(error) = bob.ask(send(&group, "m-1", "honk")).await else { panic!("not refused") };
    assert_eq!(error.code(), ErrorCode::Muted);
    assert!((3_000_000..=3_600_000).contains(&error.retry_after_ms), "{}", error.retry_after_ms);
    let Body::Sent(_) = bob.ask(send(&bob.conversation_with(&ada), "m-1", "why?")).await else { panic!("not sent") };
    let told = bob.sync(0).await.sessions.into_iter().find_map(|session| session.group).expect("a group");
    assert_eq!(told.muted_until_ms, until_ms);
    let list = Request::ListMembers(v1::ListMembers { group_id: group_id(&group), ..Default::default() });
    let Body::Members(page) = ada.ask(list).await else { panic!("no members") };
    assert_eq!(page.members.iter().map(|member| member.muted_until_ms).max(), Some(until_ms));
    assert!(matches!(ada.ask(off).await, Body::Group(_)));
    bob.send(&group, "m-1", "honk").await;
}

#[tokio::test]
async fn a_dissolved_group_is_told_to_all_and_stays_readable() {
    let server = TestServer::start().await;
    let (mut ada, mut bob, mut cyd) = (server.login("ada").await, server.login("bob").await, server.login("cyd").await);
    let group = ada.create_group(&[&bob, &cyd]).await;
    ada.send(&group, "m-1", "good night").await;
    drop(cyd);
    let dissolve = || Request::DissolveGroup(v1::DissolveGroup { group_id: group_id(&group) });
    for _ in 0..2 {
        assert!(matches!(ada.ask(dissolve()).await, Body::Done(_)), "a retry does no harm");
    }
    assert_eq!(notice(&mut bob).await.1, Kind::Created);
    session_of(&mut bob).await;
    assert_eq!(bob.message().await.message.expect("a message").content, "good night");
    assert_eq!(notice(&mut bob).await, (3, Kind::Dissolved, vec![]));
    assert_eq!(bob.refused(send(&group, "m-1", "who is there?")).await, ErrorCode::NotMember);
    assert_eq!(bob.refused(dissolve()).await, ErrorCode::NotMember);
    // Who was away finds it by the head that they knew.
    cyd = server.login("cyd").await;
    let known = v1::GroupPosition { group_id: group_id(&group), server_msg_id: 2 };
    let (mailbox_seq, groups, groups_digest) = (u64::from(u32::MAX), vec![known], Some(7));
    let sync = v1::Sync { mailbox_seq, groups, groups_digest, ..Default::default() };
    let Body::SyncPage(page) = cyd.ask(Request::Sync(sync)).await else { panic!("no page") };
    let session = page.sessions.last().expect("the group").clone();
    let of = session.group.expect("a group");
    assert_eq!((session.head, of.role(), of.dissolved_at, page.groups_behind), (3, v1::group::Role::None, 3, true));
    let pulled = cyd.pull(v1::Pull { conversation_id: group.clone(), ..Default::default() }).await;
    assert_eq!((pulled.messages.len(), pulled.head), (3, 3));
    cyd.nothing_more().await;
}
