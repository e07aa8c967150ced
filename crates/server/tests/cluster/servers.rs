//! Two and three real servers on one store, with real Redis and NATS between them: everything that works on one node works
//! across nodes.

use std::{collections::HashSet, sync::Arc};

use anser_proto::{
    CloseCode, ConversationId, ErrorCode, Format, UserId,
    v1::{self, client_frame::Request, notice::Kind, server_frame::Body},
};
use anser_server::{
    Column, Join, LOGINS_NOTICED_S,
    cluster::{
        Bus as _, NodeId, Way,
        counts::Counts,
        envelope::{Body as Said, Envelope, LoginsOver},
        losses::Concerned,
        nats::NatsBus,
        open,
    },
    config::{Cluster, Config},
};
use anser_services::{Kept, Nats, Place, Redis};
use anser_store::{Clock, NewUser, Store as _, memory::MemoryStore};

use crate::{
    eventually, permissions,
    raw::{Raw, TestServer, clock, common, group_id, send},
};

pub struct Town {
    redis: Redis,
    nats: Nats,
    store: MemoryStore,
    clock: Clock,
    pub nodes: Vec<TestServer>,
}

impl Town {
    pub async fn found(nodes: usize) -> Self {
        Self::found_with(nodes, |_| {}).await
    }

    async fn found_with(nodes: usize, change: impl Fn(&mut Config)) -> Self {
        Self::found_at(nodes, shared_clock(), change).await
    }

    async fn found_at(nodes: usize, clock: Clock, change: impl Fn(&mut Config)) -> Self {
        let redis = Redis::start(Place::Tests).expect("redis");
        let nats = Nats::start(Place::Tests).expect("nats");
        let store = MemoryStore::new(common(&Config::default()));
        let mut town = Self { redis, nats, store, clock, nodes: Vec::new() };
        for _ in 0..nodes {
            let server = town.node(&change).await;
            town.nodes.push(server);
        }
        // Everybody knows everybody.
        for node in &town.nodes {
            eventually("every node is listed", async || listed(node).await.len() == nodes).await;
        }
        town
    }

    async fn node(&self, change: impl Fn(&mut Config)) -> TestServer {
        let dir = tempfile::tempdir().expect("a folder for the test");
        let mut config = Config::default();
        (config.listen.http, config.listen.tcp) = (([127, 0, 0, 1], 0).into(), ([127, 0, 0, 1], 0).into());
        config.store.dir = dir.path().into();
        config.limits = config.limits.without_rates();
        // Whoever waits for something asks every 2 ms.
        config.limits.attempts_per_s = 1_000_000;
        config.cluster = Cluster { redis: self.redis.url(), nats: self.nats.url(), ..Cluster::default() };
        if let Some(first) = self.nodes.first() {
            config.auth.hs256_secret_file = Some(first.config.store.dir.join("hs256.secret"));
        }
        change(&mut config);
        let (settings, log_id) = (config.cluster.clone(), self.store.log_id());
        let join: Join = Box::new(move |node| {
            Box::pin(async move { Ok(open::ways(&settings, log_id, node, Counts::default()).await?) })
        });
        let column = Column { store: Arc::new(self.store.beside()), clock: Arc::clone(&self.clock), join };
        TestServer::start_on(dir, config, column).await
    }
}

/// As far as the nodes of a test know, that of a database.
fn shared_clock() -> Clock {
    clock()
}

/// The addresses that a node names to clients.
async fn listed(node: &TestServer) -> Vec<String> {
    let body = node.get("/v1/access").await.1;
    let access: serde_json::Value = serde_json::from_str(&body).expect("JSON");
    let nodes = access["nodes"].as_array().expect("a list").iter();
    nodes.map(|node| node["url"].as_str().expect("an address").to_owned()).collect()
}

/// Who is accepted after it is accepted later, by a clock of milliseconds.
async fn a_moment() {
    let (clock, begun) = (shared_clock(), shared_clock()());
    eventually("the clock goes on", async || clock() > begun).await;
}

fn revoke(device_id: &str) -> Request {
    Request::RevokeDevice(v1::RevokeDevice { device_id: device_id.into() })
}

pub async fn event<T>(raw: &mut Raw, wanted: impl Fn(&Body) -> Option<T>) -> T {
    loop {
        if let Some(found) = wanted(&raw.event().await) {
            return found;
        }
    }
}

fn content(body: &Body) -> Option<String> {
    match body {
        Body::Message(event) => event.message.as_ref().map(|message| message.content.clone()),
        _ => None,
    }
}

#[tokio::test]
async fn people_on_different_nodes_talk_and_see_each_others_marks() {
    let town = Town::found(2).await;
    let (mut ada, mut bob) = (town.nodes[0].login("ada").await, town.nodes[1].login("bob").await);
    let mut laptop = town.nodes[1].login_device("ada", "laptop").await;
    let ours = ada.conversation_with(&bob);
    let sent = ada.send(&ours, "m-1", "hello").await;
    assert_eq!(event(&mut bob, content).await, "hello");
    assert_eq!(event(&mut laptop, content).await, "hello", "the own device on the other node");

    bob.ask(Request::Typing(v1::Typing { conversation_id: ours.clone() })).await;
    let typing = |body: &Body| matches!(body, Body::Typing(_)).then_some(());
    event(&mut ada, typing).await;
    let mark = v1::MarkRead { conversation_id: ours.clone(), server_msg_id: sent.server_msg_id };
    bob.ask(Request::MarkRead(mark)).await;
    let read_mark = |body: &Body| if let Body::Receipt(receipt) = body { Some(receipt.read_mark) } else { None };
    assert_eq!(event(&mut ada, read_mark).await, 1);
    assert_eq!(event(&mut laptop, read_mark).await, 1);

    // The mark of one device of a user moves on their others.
    let reply = bob.send(&ours, "m-2", "hello too").await;
    laptop.ask(Request::MarkRead(v1::MarkRead { conversation_id: ours, server_msg_id: reply.server_msg_id })).await;
    let unread = |body: &Body| match body {
        Body::SessionChanged(changed) => changed.session.as_ref().map(|session| session.unread),
        _ => None,
    };
    assert_eq!(event(&mut ada, unread).await, 0);
}

#[tokio::test]
async fn what_people_may_with_each_other_is_the_same_across_nodes() {
    let town = Town::found(2).await;
    permissions::check(&town.nodes[0], &town.nodes[1], permissions::ROWS, true).await;
}

#[tokio::test]
async fn a_group_over_nodes_is_told_in_order_and_its_messages_bear_new_names() {
    let town = Town::found(3).await;
    let mut people = Vec::new();
    for (node, name) in town.nodes.iter().zip(["ada", "bob", "cyd"]) {
        people.push(node.login(name).await);
    }
    let [ada, bob, cyd] = &mut people[..] else { unreachable!() };
    let group = ada.create_group(&[bob, cyd]).await;
    // Ada's other device, where Ada is called by her old name as yet.
    let mut laptop = town.nodes[1].login_device("ada", "laptop").await;
    let rename = v1::UpdateProfile { nickname: Some("Lady Ada".into()), avatar: None, ..Default::default() };
    assert!(matches!(ada.ask(Request::UpdateProfile(rename)).await, Body::Users(_)));
    let profile = |body: &Body| matches!(body, Body::ProfileChanged(_)).then_some(());
    event(&mut laptop, profile).await;
    for number in 0..20 {
        let sender = [&mut *ada, bob, cyd].into_iter().nth(number % 3).expect("three");
        sender.send(&group, &format!("m-{number}"), &format!("text {number}")).await;
    }
    laptop.send(&group, "m-last", "the last").await;
    let told = |body: &Body| match body {
        Body::Message(event) => event.message.clone().filter(|message| message.notice.is_none()),
        _ => None,
    };
    let mut seen = Vec::new();
    while seen.len() < 15 {
        seen.push(event(cyd, told).await);
    }
    // All but Cyd's own six, in the order of the log.
    assert!(seen.is_sorted_by_key(|message| message.server_msg_id), "{seen:?}");
    let last = seen.last().expect("some");
    assert_eq!((&*last.content, &*last.from_nickname), ("the last", "Lady Ada"));
    // Who is removed by one node sees so on another, and nothing behind it.
    let remove = v1::RemoveMembers { group_id: group_id(&group), user_ids: vec![cyd.user.0], ban: false };
    ada.ask(Request::RemoveMembers(remove)).await;
    let notice = |body: &Body| match body {
        Body::Message(event) => event.message.as_ref()?.notice.as_ref().map(v1::Notice::kind),
        _ => None,
    };
    while event(cyd, notice).await != Kind::Removed {}
    bob.send(&group, "m-secret", "among us").await;
    event(ada, |body| content(body).filter(|content| content == "among us")).await;
    // Whichever node told of it told of some of these later, and none overtakes another.
    for number in 0..12 {
        let mut friend = town.nodes[number % 3].login(&format!("friend-{number}")).await;
        let ours = friend.conversation_with(cyd);
        friend.send(&ours, "m-later", &format!("later {number}")).await;
    }
    let mut received = HashSet::new();
    while received.iter().filter(|content: &&String| content.starts_with("later")).count() < 12 {
        received.insert(event(cyd, content).await);
    }
    assert!(!received.contains("among us"), "{received:?}");
    assert!(matches!(cyd.ask(send(&group, "m-x", "?")).await, Body::Error(_)));
}

/// Of a small group the users are looked up, of a large one each node knows them by itself.
#[tokio::test]
async fn what_becomes_of_a_message_is_told_on_every_node_to_those_who_may_see_it() {
    let town = Town::found(2).await;
    let [one, other] = &town.nodes[..] else { panic!("two nodes") };
    let (mut ada, mut bob, mut cyd) = (one.login("ada").await, other.login("bob").await, other.login("cyd").await);
    let mut crowd: Vec<u64> = Vec::new();
    for number in 0..250 {
        let (user, account) = (UserId(1_000 + number), format!("extra-{number}").into());
        let new = NewUser { user, account, nickname: "extra".into(), password: None };
        town.store.create_user(new).await.expect("a new user");
        crowd.push(user.0);
    }
    for members in [Vec::new(), crowd] {
        let client_group_id = format!("of-{}", members.len());
        let user_ids = members.into_iter().chain([bob.user.0]).collect();
        let create = v1::CreateGroup { client_group_id, name: "Geese".into(), user_ids, ..Default::default() };
        let Body::Group(group) = ada.ask(Request::CreateGroup(create)).await else { panic!("no group") };
        let conversation = format!("group_{}", group.group_id);
        let target = ada.send(&conversation, "m-1", "words").await.server_msg_id;
        let invite = v1::InviteMembers { group_id: group.group_id, user_ids: vec![cyd.user.0] };
        ada.ask(Request::InviteMembers(invite)).await;
        let Body::Sent(pinned) = ada.ask(crate::ask::pin(&conversation, "p-1", target)).await else {
            panic!("not pinned")
        };
        let told = |body: &Body| match body {
            Body::Message(told) => told
                .message
                .as_ref()
                .filter(|message| message.server_msg_id == pinned.server_msg_id)
                .map(|_| told.changed.clone()),
            _ => None,
        };
        for (raw, expected) in [(&mut ada, 1), (&mut bob, 1), (&mut cyd, 0)] {
            let changed = event(raw, told).await;
            assert_eq!(changed.len(), expected, "who may not see what was pinned is told of the notice alone");
            assert!(changed.iter().all(|message| message.pinned == pinned.server_msg_id));
        }
        let recall = v1::Recall {
            conversation_id: conversation.clone(),
            client_msg_id: "g-1".into(),
            target: Some(v1::recall::Target::ServerMsgId(target)),
            client_time_ms: 0,
        };
        let Body::Sent(sent) = ada.ask(Request::Recall(recall)).await else { panic!("not recalled") };
        let changed = |body: &Body| match body {
            Body::MessagesChanged(changed) if changed.conversation_id == conversation => Some(changed.clone()),
            _ => None,
        };
        let author = ada.user.0;
        for (raw, expected) in [(&mut ada, 1), (&mut bob, 1), (&mut cyd, 0)] {
            let told = event(raw, changed).await;
            assert_eq!((told.after, told.through), (sent.server_msg_id - 1, sent.server_msg_id));
            assert_eq!(told.changed.len(), expected);
            assert!(told.changed.iter().all(|message| message.recalled_by == author && message.content.is_empty()));
        }
    }
}

#[tokio::test]
async fn a_device_is_on_one_node_and_a_user_has_so_many_connections_on_all() {
    let town = Town::found_with(2, |config| config.limits.devices_per_user = 3).await;
    let mut old = town.nodes[0].login_device("ada", "phone").await;
    a_moment().await;
    let mut phone = town.nodes[1].login_device("ada", "phone").await;
    assert_eq!(old.end().await.1, Some(CloseCode::Replaced));
    a_moment().await;
    let mut two = town.nodes[0].login_device("ada", "two").await;
    let mut three = town.nodes[0].login_device("ada", "three").await;
    two.drop_events().await;
    phone.drop_events().await;
    a_moment().await;
    // Three are there. One of them moves, which makes no fourth.
    let mut moved = town.nodes[1].login_device("ada", "two").await;
    assert_eq!(two.end().await.1, Some(CloseCode::Replaced));
    for raw in [&mut phone, &mut three, &mut moved] {
        whatever_comes_later(&town, raw).await;
    }
    a_moment().await;
    let mut four = town.nodes[0].login_device("ada", "four").await;
    assert_eq!(phone.end().await.1, Some(CloseCode::Replaced), "the oldest, which is on the other node");
    for raw in [&mut three, &mut moved, &mut four] {
        whatever_comes_later(&town, raw).await;
    }
}

#[tokio::test]
async fn of_a_device_that_came_to_two_nodes_the_connection_that_was_accepted_later_stays() {
    let town = Town::found(2).await;
    let mut slow = town.nodes[0].tcp(Format::Protobuf).await;
    // A node accepts in the order in which connections came to it: when this one is in, so is the one before it.
    town.nodes[0].login("bob").await;
    a_moment().await;
    let mut phone = town.nodes[1].login_device("ada", "phone").await;
    // What the nodes said of it has come, and found nothing.
    whatever_comes_later(&town, &mut phone).await;
    slow.hello(town.nodes[0].hello("ada", "phone")).await;
    assert_eq!(slow.end().await.1, Some(CloseCode::Replaced), "its login had begun before");
    whatever_comes_later(&town, &mut phone).await;
}

#[tokio::test]
async fn of_a_device_that_came_to_two_nodes_in_the_same_millisecond_one_connection_stays() {
    let now_ms = shared_clock()();
    let town = Town::found_at(2, Arc::new(move || now_ms), |_| {}).await;
    let (first, second) = (town.nodes[0].login("ada").await, town.nodes[1].login("ada").await);
    let mut both = [first, second];
    // Which of them it is their numbers decide, and those are random.
    let [first, second] = &mut both;
    let ended = tokio::select! {
        end = first.end() => (0, end),
        end = second.end() => (1, end),
    };
    assert_eq!(ended.1.1, Some(CloseCode::Replaced));
    whatever_comes_later(&town, &mut both[1 - ended.0]).await;
}

#[tokio::test]
async fn who_comes_to_a_node_that_was_just_started_is_told_from_the_first_message_on() {
    let town = Town::found(1).await;
    let mut ada = town.nodes[0].login("ada").await;
    for number in 0..3 {
        let node = town.node(|_| {}).await;
        let mut bob = node.login(&format!("bob-{number}")).await;
        let ours = ada.conversation_with(&bob);
        ada.send(&ours, "m-1", "welcome").await;
        assert_eq!(content(&bob.event().await).as_deref(), Some("welcome"));
    }
}

/// A connection that is there after messages went both ways between the nodes was not ended by what they said before.
async fn whatever_comes_later(town: &Town, raw: &mut Raw) {
    let [mut one, mut other] = [town.nodes[0].login("x").await, town.nodes[1].login("y").await];
    let ours = one.conversation_with(&other);
    for number in 0..2 {
        let client_msg_id = format!("{}-{number}", raw.user.0 + u64::from(rand::random::<u32>()));
        one.send(&ours, &client_msg_id, &client_msg_id).await;
        event(&mut other, |body| content(body).filter(|content| *content == client_msg_id)).await;
        other.send(&ours, &client_msg_id, &client_msg_id).await;
        event(&mut one, |body| content(body).filter(|content| *content == client_msg_id)).await;
    }
    raw.drop_events().await;
}

#[tokio::test]
async fn a_kick_reaches_every_node_while_nats_or_redis_is_down() {
    let mut town = Town::found(2).await;
    for (turn, account) in ["ada", "bob", "cyd"].into_iter().enumerate() {
        let mut there = town.nodes[1].login(account).await;
        match turn {
            1 => town.nats.kill(),
            2 => {
                town.nats.start_again().expect("nats");
                // Over the bus once it is there again, so without Redis.
                let (mut one, mut other) = (town.nodes[0].login("dan").await, town.nodes[1].login("eve").await);
                let ours = ConversationId::single(one.user, other.user).to_string();
                let mut number = 0;
                let mut reached = async || {
                    number += 1;
                    one.send(&ours, &format!("m-{number}"), "there?").await;
                    tokio::time::timeout(std::time::Duration::from_millis(200), event(&mut other, content))
                        .await
                        .is_ok()
                };
                while !reached().await {}
                town.redis.kill();
            }
            _ => {}
        }
        if turn == 0 {
            // By somebody who is no node itself: the command line, where none runs.
            let (user, code) = (there.user, CloseCode::TokenRanOut);
            let over = LoginsOver { user, login_version: 1, code, device_id: None };
            let settings = &town.nodes[0].config.cluster;
            assert!(open::end_logins(settings, town.nodes[0].store.log_id(), over).await.expect("redis takes it"));
            assert_eq!(there.end().await.1, Some(CloseCode::TokenRanOut));
            there = town.nodes[1].login(account).await;
        }
        let body = format!(r#"{{"account": "{account}", "disabled": true}}"#);
        assert_eq!(town.nodes[0].operator("POST", "/v1/users/change", &body).await.0, "HTTP/1.1 200 OK");
        let begun = std::time::Instant::now();
        assert_eq!(there.end().await.1, Some(CloseCode::LoginRefused), "{account}");
        assert!(begun.elapsed().as_millis() < 1_000, "{account} after {:?}", begun.elapsed());
    }
    town.redis.start_again(Kept::Nothing).expect("redis");
}

/// Neither way to other nodes is there, so that nobody tells them.
#[tokio::test]
async fn who_was_disabled_stores_nothing_from_then_on_and_is_gone_soon_though_their_node_was_not_told() {
    let mut town = Town::found(2).await;
    let (mut ada, mut laptop) = (town.nodes[1].login("ada").await, town.nodes[1].login_device("ada", "laptop").await);
    let mut bob = town.nodes[1].login("bob").await;
    let mut idle = town.nodes[1].login_device("bob", "idle").await;
    let (ours, crowd) = (ada.conversation_with(&bob), ada.create_group(&[&bob]).await);
    ada.send(&ours, "m-1", "before").await;
    town.nats.kill();
    town.redis.kill();
    let disable = r#"{"account": "ada", "disabled": true}"#;
    assert_eq!(town.nodes[0].operator("POST", "/v1/users/change", disable).await.0, "HTTP/1.1 200 OK");
    let begun = std::time::Instant::now();
    assert_eq!(ada.refused(send(&crowd, "m-2", "after")).await, ErrorCode::LoginOver);
    assert_eq!(ada.end().await.1, Some(CloseCode::TokenRanOut));
    let log = bob.pull(v1::Pull { conversation_id: crowd, ..Default::default() }).await;
    assert_eq!(log.messages.len(), 1, "the notice of its founding");
    // Who only reads, or does nothing at all.
    assert_eq!(laptop.end().await.1, Some(CloseCode::LoginRefused));
    assert!(begun.elapsed().as_secs() <= LOGINS_NOTICED_S, "after {:?}", begun.elapsed());
    let password = r#"{"account": "bob", "password": "correct horse"}"#;
    assert_eq!(town.nodes[0].operator("POST", "/v1/users/change", password).await.0, "HTTP/1.1 200 OK");
    assert_eq!(idle.end().await.1, Some(CloseCode::TokenRanOut));
    assert_eq!(bob.end().await.1, Some(CloseCode::TokenRanOut));
}

#[tokio::test]
async fn a_socket_on_another_node_does_not_outlive_revocation() {
    let town = Town::found(2).await;
    let mut bob = town.nodes[1].login("bob").await;
    let mut laptop = town.nodes[0].login_device("ada", "laptop").await;
    let ours = laptop.conversation_with(&bob);
    let mut tablet = town.nodes[1].login_device("ada", "tablet").await;
    for (turn, node) in [1, 0, 1].into_iter().enumerate() {
        let device_id = format!("phone-{turn}");
        let mut phone = town.nodes[node].login_device("ada", &device_id).await;
        phone.send(&ours, &format!("before-{turn}"), "mine").await;
        let begun = std::time::Instant::now();
        laptop.ask(revoke(&device_id)).await;
        assert_eq!(phone.end().await.1, Some(CloseCode::DeviceRevoked));
        assert!(begun.elapsed().as_millis() < 1_000, "after {:?}", begun.elapsed());
        // The others go on, wherever they are.
        tablet.send(&ours, &format!("tablet-{turn}"), "still here").await;
        laptop.send(&ours, &format!("laptop-{turn}"), "still here").await;
    }
    bob.drop_events().await;
}

/// Neither way to other nodes is there, so that nobody tells them.
#[tokio::test]
async fn a_device_that_was_revoked_is_gone_soon_though_its_node_was_not_told() {
    let mut town = Town::found(2).await;
    let mut laptop = town.nodes[0].login_device("ada", "laptop").await;
    let (mut phone, mut tablet) =
        (town.nodes[1].login_device("ada", "phone").await, town.nodes[1].login_device("ada", "tablet").await);
    let bob = town.nodes[1].login("bob").await;
    let ours = phone.conversation_with(&bob);
    town.nats.kill();
    town.redis.kill();
    laptop.ask(revoke("phone")).await;
    let begun = std::time::Instant::now();
    assert_eq!(tablet.send(&ours, "m-1", "I may").await.server_msg_id, 1);
    assert_eq!(phone.end().await.1, Some(CloseCode::DeviceRevoked));
    assert!(begun.elapsed().as_secs() <= LOGINS_NOTICED_S, "after {:?}", begun.elapsed());
    assert_eq!(tablet.send(&ours, "m-2", "I still may").await.server_msg_id, 2);
}

#[tokio::test]
async fn what_nats_lost_is_found_within_seconds_and_not_at_the_next_message() {
    let mut town = Town::found(2).await;
    let (mut ada, mut bob) = (town.nodes[0].login("ada").await, town.nodes[1].login("bob").await);
    let ours = ada.conversation_with(&bob);
    town.nats.kill();
    ada.send(&ours, "m-1", "into the void").await;
    town.nats.start_again().expect("nats");
    // Bob's client does what a client does when it is told that something may be missing.
    let begun = std::time::Instant::now();
    let lagged = |body: &Body| matches!(body, Body::Lagged(_)).then_some(());
    loop {
        event(&mut bob, lagged).await;
        let page = bob.sync(bob.welcome.mailbox_seq).await;
        if page.sessions.iter().any(|session| session.conversation_id == ours && session.head == 1) {
            break;
        }
    }
    assert!(begun.elapsed().as_secs() < 15, "after {:?}", begun.elapsed());
    // And not again and again: the next round waits longer.
    let healed = town.nodes[1].metrics().await;
    let rounds = healed.lines().find_map(|line| line.strip_prefix("anser_cluster_healed_total ")?.parse::<u32>().ok());
    assert!(rounds.is_some_and(|rounds| (1..4).contains(&rounds)), "{rounds:?} rounds");
}

#[tokio::test]
async fn what_says_nothing_to_a_node_is_counted_and_harms_nobody() {
    let town = Town::found(2).await;
    let (mut ada, mut bob) = (town.nodes[0].login("ada").await, town.nodes[1].login("bob").await);
    let stranger = NodeId::random();
    let opened = NatsBus::open(&town.nats.url(), &Cluster::default().name, stranger, Counts::default()).await;
    let (bus, _) = opened.expect("nats");
    let foreign = Envelope { from: stranger, body: Said::Leaving }.encode(town.nodes[0].store.log_id() + 1);
    // A version of what nodes say that this build does not know.
    let mut newer = bytes::BytesMut::from(&[8, 99][..]);
    newer
        .extend_from_slice(&Envelope { from: stranger, body: Said::Leaving }.encode(town.nodes[0].store.log_id())[2..]);
    for bytes in [bytes::Bytes::from_static(b"\xff\xffhonk"), foreign, newer.freeze()] {
        assert!(bus.broadcast(Way::Pushes, bytes));
    }
    for node in &town.nodes {
        for reason in ["garbage", "foreign", "newer"] {
            let line = format!("anser_cluster_dropped_total{{reason=\"{reason}\"}} 1");
            eventually(&line, async || node.metrics().await.contains(&line)).await;
        }
    }
    let ours = ada.conversation_with(&bob);
    ada.send(&ours, "m-1", "as ever").await;
    assert_eq!(event(&mut bob, content).await, "as ever");
}

#[tokio::test]
async fn a_node_that_lost_what_it_had_to_tell_says_whom_it_concerns_and_they_sync() {
    let town = Town::found(2).await;
    let (mut ada, mut bob) = (town.nodes[0].login("ada").await, town.nodes[1].login("bob").await);
    let mut cy = town.nodes[0].login("cy").await;
    let stranger = NodeId::random();
    let opened = NatsBus::open(&town.nats.url(), &Cluster::default().name, stranger, Counts::default()).await;
    let (bus, _) = opened.expect("nats");
    let say = |concerned| {
        let said = Envelope { from: stranger, body: Said::Missed(concerned) };
        assert!(bus.broadcast(Way::Pushes, said.encode(town.nodes[0].store.log_id())));
    };
    let lagged = |body: &Body| matches!(body, Body::Lagged(_)).then_some(());
    say(Concerned::users(&[ada.user, bob.user]));
    event(&mut ada, lagged).await;
    event(&mut bob, lagged).await;
    let ours = ada.conversation_with(&cy);
    ada.send(&ours, "m-1", "told nothing else").await;
    let first =
        event(&mut cy, |body| Some(lagged(body).map_or_else(|| content(body), |()| Some("lagged".into())))).await;
    assert_eq!(first.as_deref(), Some("told nothing else"));
    say(Concerned::Everybody);
    event(&mut cy, lagged).await;
}

#[tokio::test]
async fn a_node_that_stops_is_left_by_clients_and_by_the_list() {
    let mut town = Town::found(2).await;
    let gone = town.nodes.remove(1);
    let url = format!("ws://{}", gone.server.http);
    let mut ada = gone.login("ada").await;
    assert!(listed(&town.nodes[0]).await.contains(&url));
    let stopping = tokio::spawn(gone.server.stop());
    let draining = |body: &Body| if let Body::Draining(told) = body { Some(told.reconnect_after_ms) } else { None };
    assert!(event(&mut ada, draining).await < 5_000);
    eventually("the node is not listed", async || !listed(&town.nodes[0]).await.contains(&url)).await;
    stopping.await.expect("no panic").expect("it ends");
    let mut again = town.nodes[0].login("ada").await;
    let own = again.conversation_with(&again);
    assert_eq!(again.send(&own, "m-1", "on the other node").await.server_msg_id, 1);
}
