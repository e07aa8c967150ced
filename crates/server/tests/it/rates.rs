//! How often a user may do something of a kind, and all together in a conversation: who is faster is told when they may, and nothing of theirs is
//! stored out of its order.

use anser_proto::{
    ErrorCode,
    v1::{self, client_frame::Request, server_frame::Body},
};
use anser_server::config::Limits;

use crate::{
    change::{edit, react},
    raw::{Raw, TestServer, group_id, memory_store, send},
};

async fn server(change: impl FnOnce(&mut Limits)) -> TestServer {
    TestServer::start_with(|config| change(&mut config.limits), memory_store).await
}

/// How many of these, which are asked in one go, are answered before one is refused, and why that is. Nothing passes behind it.
async fn passed(raw: &mut Raw, requests: Vec<Request>) -> (usize, String) {
    let (mut passed, mut refused) = (0, String::new());
    for id in raw.say_all(requests).await {
        match raw.answer(id).await {
            Body::Error(error) if refused.is_empty() => {
                assert_eq!(error.code(), ErrorCode::RateLimited);
                assert!(error.retry_after_ms > 0, "{error:?}");
                refused = error.message;
            }
            Body::Error(error) => {
                assert!(matches!(error.code(), ErrorCode::RateLimited | ErrorCode::BehindFailed), "{error:?}");
            }
            _ if refused.is_empty() => passed += 1,
            other => panic!("it passed behind one that was refused: {other:?}"),
        }
    }
    (passed, refused)
}

#[tokio::test]
async fn messages_beyond_the_rate_wait_in_their_order_and_other_kinds_do_not() {
    let server = server(|limits| (limits.sends_per_s, limits.reactions_per_s) = (1, 1)).await;
    let (mut ada, bob) = (server.login("ada").await, server.login("bob").await);
    let (ours, notes) = (ada.conversation_with(&bob), ada.conversation_with(&ada));
    let sends = (1..=8).map(|number| send(&ours, &format!("m-{number}"), "text")).collect();
    assert_eq!(passed(&mut ada, sends).await.0, 5, "five times as many at once");
    // Behind the one that was refused first nothing passes, at whatever time.
    assert_eq!(ada.refused(send(&ours, "m-9", "text")).await, ErrorCode::BehindFailed);
    // It is the user who is too fast, wherever and from whichever device they write.
    assert_eq!(ada.refused(send(&notes, "m-1", "text")).await, ErrorCode::RateLimited);
    let (mut laptop, mut tablet) =
        (server.login_device("ada", "laptop").await, server.login_device("ada", "tablet").await);
    assert_eq!(laptop.refused(send(&ours, "m-9", "text")).await, ErrorCode::RateLimited);
    assert_eq!(passed(&mut tablet, vec![react(&ours, "r-1", 1, &["👍"])]).await.0, 1);
    let pull = v1::Pull { conversation_id: ours, ..Default::default() };
    assert_eq!(ada.pull(pull).await.messages.len(), 5, "nothing else was stored");
}

#[tokio::test]
async fn each_kind_has_its_own_bound_and_says_by_which_setting() {
    let server = server(|limits| {
        (limits.reactions_per_s, limits.edits_per_s, limits.marks_per_s) = (1, 1, 1);
        (limits.account_lookups_per_min, limits.new_groups_per_h) = (1, 3);
        (limits.contact_requests_per_min, limits.link_uses_per_min) = (2, 2);
    })
    .await;
    let (mut ada, mut bob) = (server.login("ada").await, server.login("bob").await);
    let ours = ada.conversation_with(&bob);
    ada.send(&ours, "m-1", "text").await;
    let mark = Request::MarkRead(v1::MarkRead { conversation_id: ours.clone(), server_msg_id: 1 });
    let lookup = Request::GetUsers(v1::GetUsers { accounts: vec!["bob".into(); 50], ..Default::default() });
    let found = |number: usize| {
        let client_group_id = format!("g-{number}");
        Request::CreateGroup(v1::CreateGroup { client_group_id, name: "g".into(), ..Default::default() })
    };
    let group_id = group_id(&bob.create_group(&[]).await);
    let link = bob.ask(Request::CreateLink(v1::CreateLink { group_id, ..Default::default() })).await;
    let Body::Link(v1::Link { token, .. }) = link else { panic!("no link") };
    let preview = Request::PreviewLink(v1::PreviewLink { token });
    let ask = Request::RequestContact(v1::RequestContact { user_id: bob.user.0, text: String::new() });
    for (setting, at_once, requests) in [
        (
            "limits.reactions_per_s",
            5,
            (0..9).map(|at| react(&ours, &format!("r-{at}"), 1, &[&at.to_string()])).collect(),
        ),
        ("limits.edits_per_s", 5, (0..9).map(|at| edit(&ours, &format!("e-{at}"), 1, &format!("e-{at}"))).collect()),
        ("limits.marks_per_s", 20, vec![mark; 24]),
        ("limits.account_lookups_per_min", 4, vec![lookup; 6]),
        ("limits.contact_requests_per_min", 2, vec![ask; 4]),
        ("limits.link_uses_per_min", 2, vec![preview; 4]),
        ("limits.new_groups_per_h", 3, (0..5).map(found).collect::<Vec<_>>()),
    ] {
        // What one connection is refused stands in the way of nothing on another one.
        let mut device = server.login_device("ada", setting).await;
        let (passed, refused) = passed(&mut device, requests).await;
        assert_eq!(passed, at_once, "{setting}");
        assert!(refused.ends_with(setting), "{refused}");
    }
    // By their ids users may be looked up all the time.
    let by_id = Request::GetUsers(v1::GetUsers { user_ids: vec![bob.user.0], ..Default::default() });
    assert_eq!(passed(&mut ada, vec![by_id; 9]).await.0, 9);
}

#[tokio::test]
async fn typing_beyond_the_rate_is_dropped_and_not_refused() {
    let server = server(|limits| limits.marks_per_s = 1).await;
    let mut ada = server.login("ada").await;
    let mut peers = Vec::new();
    for number in 0..24 {
        peers.push(server.login(&format!("peer-{number}")).await);
    }
    let typing = |peer: &Raw| Request::Typing(v1::Typing { conversation_id: ada.conversation_with(peer) });
    let requests = peers.iter().map(typing).collect();
    assert_eq!(passed(&mut ada, requests).await.0, 24);
    let mut told = 0;
    for peer in &mut peers {
        told += peer.told().await.len();
    }
    assert!((20..=22).contains(&told), "{told} were told");
}

#[tokio::test]
async fn what_is_refused_or_known_takes_nothing_of_a_conversation() {
    let server = server(|limits| limits.conversation_sends_per_s = 1).await;
    let (mut ada, mut eve) = (server.login("ada").await, server.login("eve").await);
    let group = ada.create_group(&[]).await;
    for number in 0..50 {
        assert_eq!(eve.refused(send(&group, &format!("e-{number}"), "text")).await, ErrorCode::NotMember);
    }
    ada.send(&group, "the-same", "text").await;
    for _ in 0..50 {
        ada.send(&group, "the-same", "text").await;
    }
    let sends = (0..4).map(|at| send(&group, &format!("m-{at}"), "text")).collect();
    assert_eq!(passed(&mut ada, sends).await.0, 4);
}

#[tokio::test]
async fn a_conversation_takes_so_much_of_all_together_and_others_as_much_again() {
    let change = |limits: &mut Limits| {
        (limits.conversation_sends_per_s, limits.conversation_reactions_per_s) = (1, 1);
    };
    let server = server(change).await;
    let (mut ada, mut bob) = (server.login("ada").await, server.login("bob").await);
    let (ours, notes) = (ada.conversation_with(&bob), ada.conversation_with(&ada));
    let sends = |to: &str, by: &str| (0..4).map(|at| send(to, &format!("{by}-{at}"), "text")).collect::<Vec<_>>();
    assert_eq!(passed(&mut ada, sends(&ours, "ada")).await.0, 4);
    let (one, refused) = passed(&mut bob, sends(&ours, "bob")).await;
    assert_eq!((one, refused.as_str()), (1, "more is said in this conversation than may be"));
    assert_eq!(bob.refused(send(&ours, "bob-4", "text")).await, ErrorCode::BehindFailed);
    assert_eq!(passed(&mut ada, sends(&notes, "ada")).await.0, 4);

    let mut reactions = (0..9).map(|at| react(&ours, &format!("r-{at}"), 1, &[&at.to_string()]));
    assert_eq!(passed(&mut ada, reactions.by_ref().take(5).collect()).await.0, 5);
    let mut laptop = server.login_device("ada", "laptop").await;
    assert_eq!(passed(&mut laptop, reactions.collect()).await.0, 0);
    // No storm keeps the author from taking back what it is about.
    let recall = Request::Recall(v1::Recall {
        conversation_id: ours.clone(),
        client_msg_id: "gone".into(),
        target: Some(v1::recall::Target::ServerMsgId(1)),
        client_time_ms: 0,
    });
    assert_eq!(passed(&mut ada, vec![recall]).await.0, 1);
}

#[tokio::test]
async fn what_a_user_types_and_says_is_far_below_the_limits_as_they_are() {
    let server = server(|limits| *limits = Limits::default()).await;
    let (mut ada, bob) = (server.login("ada").await, server.login("bob").await);
    let ours = ada.conversation_with(&bob);
    let sends = (0..100).map(|number| send(&ours, &format!("m-{number}"), "text")).collect();
    assert_eq!(passed(&mut ada, sends).await.0, 100);
    let mark = Request::MarkRead(v1::MarkRead { conversation_id: ours, server_msg_id: 9 });
    assert_eq!(passed(&mut ada, vec![mark; 200]).await.0, 200, "as many as a page of a list has conversations");
}

#[test]
fn the_table_in_the_documents_is_this_one() {
    let limits = Limits::default();
    let document = include_str!("../../../../docs/protocol.md");
    for (setting, rate, at_once) in [
        ("sends_per_s", format!("{} a second", limits.sends_per_s), 100),
        ("reactions_per_s", format!("{} a second", limits.reactions_per_s), 25),
        ("edits_per_s", format!("{} a second", limits.edits_per_s), 10),
        ("marks_per_s", format!("{} a second", limits.marks_per_s), 200),
        ("account_lookups_per_min", format!("{} a minute", limits.account_lookups_per_min), 200),
        ("contact_requests_per_min", format!("{} a minute", limits.contact_requests_per_min), 30),
        ("link_uses_per_min", format!("{} a minute", limits.link_uses_per_min), 30),
        ("new_groups_per_h", format!("{} an hour", limits.new_groups_per_h), 20),
        ("conversation_sends_per_s", format!("{} a second", limits.conversation_sends_per_s), 1_000),
        ("conversation_reactions_per_s", format!("{} a second", limits.conversation_reactions_per_s), 250),
    ] {
        let end = format!("| {rate} | {at_once} | `limits.{setting}` |");
        assert!(document.lines().any(|line| line.ends_with(&end)), "no row ends with {end}");
    }
}
