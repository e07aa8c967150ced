//! How users come into a group, who may not, what newcomers see, and what members are called there.

use anser_proto::{
    ErrorCode,
    v1::{self, client_frame::Request, server_frame::Body},
};

use crate::raw::{Raw, TestServer, group_id, memory_store, send};

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

fn let_in_by(group: &str, join: v1::group::Join) -> Request {
    Request::UpdateGroup(v1::UpdateGroup { join: Some(join.into()), ..update(group) })
}

fn answer(group: &str, users: &[&Raw], accept: bool) -> Request {
    Request::AnswerJoinRequests(v1::AnswerJoinRequests { group_id: group_id(group), user_ids: ids(users), accept })
}

fn join(token: &str, text: &str) -> Request {
    Request::JoinGroup(v1::JoinGroup { token: token.into(), text: text.into() })
}

async fn joined(raw: &mut Raw, request: Request) -> v1::Joined {
    match raw.ask(request).await {
        Body::Joined(joined) => joined,
        other => panic!("not joined: {other:?}"),
    }
}

async fn link(raw: &mut Raw, group: &str, change: impl FnOnce(&mut v1::CreateLink)) -> v1::Link {
    let mut create = v1::CreateLink { group_id: group_id(group), ..v1::CreateLink::default() };
    change(&mut create);
    match raw.ask(Request::CreateLink(create)).await {
        Body::Link(link) => link,
        other => panic!("no link: {other:?}"),
    }
}

/// How many wait, as the next event tells it.
async fn told_waiting(raw: &mut Raw) -> (u64, u32) {
    loop {
        if let Body::Changed(changed) = raw.event().await {
            let [change] = &changed.changes[..] else { panic!("{changed:?}") };
            let Some(v1::change::Now::JoinRequests(count)) = &change.now else { panic!("{change:?}") };
            return (count.group_id, count.open);
        }
    }
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

#[tokio::test]
async fn whom_a_member_proposes_an_admin_lets_in_and_the_second_answer_is_the_first() {
    let server = TestServer::start().await;
    let (mut ada, mut bob, mut cyd) = (server.login("ada").await, server.login("bob").await, server.login("cyd").await);
    let (mut adas, mut dan, eve) =
        (server.login_device("ada", "tv").await, server.login("dan").await, server.login("eve").await);
    let group = ada.create_group(&[&bob, &cyd]).await;
    let role = v1::group::Role::Admin.into();
    let promote = v1::SetRole { group_id: group_id(&group), user_ids: ids(&[&bob]), role };
    of_group(&mut ada, Request::SetRole(promote)).await;
    of_group(&mut ada, let_in_by(&group, v1::group::Join::Approval)).await;
    assert_eq!(of_group(&mut cyd, invite(&group, &[&dan, &eve])).await.member_count, 3, "they wait");
    for raw in [&mut ada, &mut adas, &mut bob] {
        assert_eq!(told_waiting(raw).await, (group_id(&group), 2));
    }
    // What a device that was away finds at its login.
    let page = server.login_device("bob", "new").await.sync(0).await;
    // And then that it came itself.
    let [v1::Change { now: Some(v1::change::Now::JoinRequests(count)), .. }, _] = &page.changes[..] else {
        panic!("{:?}", page.changes)
    };
    assert_eq!((count.group_id, count.open), (group_id(&group), 2));
    let list = v1::ListJoinRequests { group_id: group_id(&group), ..Default::default() };
    let Body::JoinRequests(page) = bob.ask(Request::ListJoinRequests(list)).await else { panic!("no requests") };
    let waiting: Vec<_> =
        page.requests.iter().map(|one| (one.user.as_ref().expect("who").user_id, one.proposed_by)).collect();
    assert_eq!(waiting, [(dan.user.0, cyd.user.0), (eve.user.0, cyd.user.0)]);

    let first = joined(&mut ada, answer(&group, &[&dan], true)).await;
    assert_eq!((first.group.expect("a group").member_count, first.user_ids), (4, ids(&[&dan])));
    let rejected = joined(&mut ada, answer(&group, &[&eve], false)).await;
    assert_eq!(rejected.user_ids, [0; 0]);
    for accept in [true, false] {
        let second = joined(&mut bob, answer(&group, &[&dan, &eve], accept)).await;
        assert_eq!((second.group.expect("a group").member_count, second.user_ids), (4, ids(&[&dan])));
    }
    let notice = dan.message().await.message.expect("a message").notice.expect("a notice");
    assert_eq!((notice.kind(), notice.operator_id), (v1::notice::Kind::Joined, ada.user.0));
}

#[tokio::test]
async fn a_link_tells_strangers_the_name_and_lets_them_in() {
    let server = TestServer::start().await;
    let (mut ada, mut bob, mut cyd) = (server.login("ada").await, server.login("bob").await, server.login("cyd").await);
    let group = ada.create_group(&[]).await;
    let made = link(&mut ada, &group, |create| create.max_uses = 1).await;
    assert_eq!((made.token.len(), made.created_by, made.uses, made.max_uses), (22, ada.user.0, 0, 1));
    let preview = |token: &str| Request::PreviewLink(v1::PreviewLink { token: token.into() });
    let Body::GroupPreview(seen) = bob.ask(preview(&made.token)).await else { panic!("no preview") };
    assert_eq!((&*seen.name, seen.member_count, seen.approval), ("Geese", 1, false));
    let came = joined(&mut bob, join(&made.token, "")).await.group.expect("a group");
    assert_eq!((came.group_id, came.role()), (group_id(&group), v1::group::Role::Member));
    bob.send(&group, "m-1", "here I am").await;
    assert!(joined(&mut bob, join(&made.token, "")).await.group.is_some(), "a retry of the last use");
    let list = || Request::ListLinks(v1::ListLinks { group_id: group_id(&group) });
    let Body::Links(all) = ada.ask(list()).await else { panic!("no links") };
    assert_eq!((all.links[0].uses, &*all.links[0].token), (1, ""), "the token is told once");
    for dead in [&*made.token, "", "nonsense", "AAAAAAAAAAAAAAAAAAAAAA"] {
        assert_eq!(cyd.refused(join(dead, "")).await, ErrorCode::NotFound, "{dead}");
        assert_eq!(cyd.refused(preview(dead)).await, ErrorCode::NotFound, "{dead}");
    }
    let other = link(&mut ada, &group, |_| ()).await;
    let revoke = || v1::RevokeLink { group_id: group_id(&group), link_id: other.link_id };
    for _ in 0..2 {
        assert!(matches!(ada.ask(Request::RevokeLink(revoke())).await, Body::Done(_)));
    }
    assert_eq!(cyd.refused(join(&other.token, "")).await, ErrorCode::NotFound);
}

#[tokio::test]
async fn who_asks_by_a_link_waits_with_their_words() {
    let server = TestServer::start().await;
    let (mut ada, mut bob) = (server.login("ada").await, server.login("bob").await);
    let group = ada.create_group(&[]).await;
    let made = link(&mut ada, &group, |create| create.approval = true).await;
    let waits = joined(&mut bob, join(&made.token, "it is me")).await;
    assert_eq!(waits, v1::Joined::default(), "nothing of the group is told");
    assert_eq!(told_waiting(&mut ada).await, (group_id(&group), 1));
    let list = v1::ListJoinRequests { group_id: group_id(&group), ..Default::default() };
    let Body::JoinRequests(page) = ada.ask(Request::ListJoinRequests(list)).await else { panic!("no requests") };
    assert_eq!((&*page.requests[0].text, page.requests[0].proposed_by), ("it is me", 0));
    bob.nothing_more().await;
    assert_eq!(joined(&mut ada, answer(&group, &[&bob], true)).await.user_ids, ids(&[&bob]));
    bob.send(&group, "m-1", "here I am").await;
    assert_eq!(bob.refused(join(&made.token, &"x".repeat(201))).await, ErrorCode::BadField);
}

#[tokio::test]
async fn nobody_tries_many_links() {
    let server = TestServer::start_with(|config| config.limits.link_uses_per_min = 30, memory_store).await;
    let mut eve = server.login("eve").await;
    let mut refused = Vec::new();
    for n in 0..31 {
        refused.push(eve.refused(join(&format!("{n:0>22}"), "")).await);
    }
    assert_eq!((refused[29], refused[30]), (ErrorCode::NotFound, ErrorCode::RateLimited));
}

#[tokio::test]
async fn of_fifty_at_once_five_join_by_a_link_for_five() {
    let server = TestServer::start().await;
    let mut ada = server.login("ada").await;
    let group = ada.create_group(&[]).await;
    let made = link(&mut ada, &group, |create| create.max_uses = 5).await;
    let mut many = Vec::new();
    for n in 0..50 {
        many.push(server.login(&format!("user-{n}")).await);
    }
    let all = many.iter_mut().map(|raw| raw.ask(join(&made.token, "")));
    let came = futures_util::future::join_all(all).await;
    let in_it = came.iter().filter(|body| matches!(body, Body::Joined(v1::Joined { group: Some(_), .. }))).count();
    let refused = came.iter().filter(|body| matches!(body, Body::Error(e) if e.code() == ErrorCode::NotFound)).count();
    assert_eq!((in_it, refused), (5, 45));
    let get = v1::GetGroup { group_id: group_id(&group) };
    assert_eq!(of_group(&mut ada, Request::GetGroup(get)).await.member_count, 6);
}

#[tokio::test]
async fn a_members_own_name_is_told_by_a_silent_entry_and_the_list_of_members() {
    let server = TestServer::start().await;
    let (mut ada, mut bob) = (server.login("ada").await, server.login("bob").await);
    let group = ada.create_group(&[&bob]).await;
    bob.send(&group, "m-1", "honk").await; // 2
    let set = |nickname: &str, id: &str| {
        let (group_id, client_msg_id, nickname) = (group_id(&group), id.into(), nickname.into());
        Request::SetGroupNickname(v1::SetGroupNickname { group_id, client_msg_id, nickname, client_time_ms: 1 })
    };
    for _ in 0..2 {
        let Body::Sent(sent) = bob.ask(set("Bobby", "n-1")).await else { panic!("not named") };
        assert_eq!(sent.server_msg_id, 3, "a retry gets the first place");
    }
    for raw in [&mut ada, &mut bob] {
        let changed = loop {
            if let Body::MessagesChanged(changed) = raw.event().await {
                break changed;
            }
        };
        let [v1::GroupNickname { nickname, changed: place, .. }] = &changed.nicknames[..] else {
            panic!("{changed:?}")
        };
        assert_eq!((&**nickname, *place, changed.after, changed.through), ("Bobby", 3, 2, 3));
        assert_eq!(changed.changed, []);
        raw.nothing_more().await;
    }
    let list = v1::ListMembers { group_id: group_id(&group), ..Default::default() };
    let Body::Members(page) = ada.ask(Request::ListMembers(list)).await else { panic!("no members") };
    let names: Vec<_> = page.members.iter().map(|member| (&*member.nickname, member.nickname_changed)).collect();
    assert_eq!(names.iter().filter(|name| **name == ("Bobby", 3)).count(), 1, "{names:?}");
    // Who was away finds it in the page.
    let pull = v1::Pull { conversation_id: group.clone(), after: Some(2), ..Default::default() };
    let page = ada.pull(pull).await;
    assert_eq!((page.messages.len(), page.through, &*page.nicknames[0].nickname), (0, 3, "Bobby"));
    let session = ada.sync(0).await.sessions.remove(0);
    assert_eq!((session.unread, session.last.expect("a line").server_msg_id), (1, 2), "no line of the list");
    for bad in ["\n", &"x".repeat(65), "\u{200b}"] {
        assert_eq!(bob.refused(set(bad, "n-2")).await, ErrorCode::BadField, "{bad:?}");
    }
    assert_eq!(bob.refused(set("other", "n-1")).await, ErrorCode::Conflict);
}
