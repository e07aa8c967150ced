//! What another node asks of this one, over a network within the process.

use std::sync::Arc;

use anser_proto::{ConversationId, ErrorCode, UserId, v1::server_frame::Body};
use anser_server::{
    Column,
    cluster::{
        Bus as _, Inbox, Inboxes, Load, Node, NodeId, Way,
        counts::Counts,
        envelope::{Body as Said, Envelope},
        memory::{MemoryNode, Network},
        peers::{Arriving, Ways},
    },
    config::Config,
    system_clock,
};
use anser_store::{Error, Failure, NewMessage, Sender};

use crate::{
    faulty::Faulty,
    raw::{TestServer, memory_store, send},
};

fn node(id: u64) -> Node {
    Node { id: NodeId(id), name: "".into(), client_url: "".into(), load: Load::default() }
}

/// A node, and another one that says what a test says.
async fn with_a_peer(faulty: &Faulty, change: impl FnOnce(&mut Config)) -> (TestServer, MemoryNode, Inboxes) {
    let network = Network::default();
    let (peer, inboxes) = network.join(node(7), Counts::default());
    let dir = tempfile::tempdir().expect("a folder for the test");
    let mut config = Config::default();
    config.listen.http = ([127, 0, 0, 1], 0).into();
    config.listen.tcp = ([127, 0, 0, 1], 0).into();
    config.store.dir = dir.path().into();
    change(&mut config);
    let join: anser_server::Join = Box::new(move |node| {
        Box::pin(async move {
            let (me, counts) = (node.id, Counts::default());
            let (place, bus) = network.join(node, counts.clone());
            let arriving = Arriving { bus, kicks: Inbox::silent() };
            let (directory, bus) = (Arc::new(place.clone()), Arc::new(place));
            Ok(Ways { me, directory, bus, kicks: None, counts, arriving, in_cluster: true })
        })
    });
    let column = Column { store: Arc::new(faulty.clone()), clock: system_clock(), join };
    (TestServer::start_on(dir, config, column).await, peer, inboxes)
}

fn message(from: UserId, to: UserId, id: &str) -> NewMessage {
    NewMessage {
        conversation: ConversationId::single(from, to),
        from: Sender { user: from, nickname: "ada".into(), platform: 0, device_id: "phone".into() },
        client_msg_id: id.parse().expect("an id"),
        kind: 1,
        content: id.into(),
        attachment: bytes::Bytes::new(),
        client_time_ms: 0,
        counted: true,
        reply_to: 0,
        mentions: Default::default(),
        change: None,
        login_version: 0,
    }
}

#[tokio::test]
async fn what_was_begun_for_a_node_that_waits_no_more_is_told_and_what_was_not_is_not_done() {
    let faulty = Faulty::new(memory_store(&Config::default()));
    let (server, peer, mut inboxes) = with_a_peer(&faulty, |_| {}).await;
    let (ada, mut bob) = (server.login("ada").await, server.login("bob").await);
    let (log_id, sender, receiver) = (server.store.log_id(), ada.user, bob.user);
    let ask = |call, patience_ms, id| {
        let until_ms = system_clock()() + patience_ms;
        let messages = vec![message(sender, receiver, id)];
        let append = Said::Append { call, from_conn: 1, until_ms, answer: Way::Answers, messages };
        assert!(peer.broadcast(Way::Pushes, Envelope { from: NodeId(7), body: append }.encode(log_id)));
        until_ms
    };
    let untold = faulty.untold.acquire().await.expect("it is open");
    let until_ms = ask(1, 1_000, "begun");
    let ours = ada.conversation_with(&bob);
    let all = || anser_proto::v1::Pull { conversation_id: ours.clone(), ..Default::default() };
    while bob.pull(all()).await.messages.is_empty() {}
    // When it is done nobody waits any more.
    while system_clock()() <= until_ms {
        server.metrics().await;
    }
    drop(untold);
    let Body::Message(told) = bob.event().await else { panic!("not told, but to sync") };
    assert_eq!(told.message.expect("a message").content, "begun");
    ask(2, 20_000, "in-time");
    assert!(matches!(bob.event().await, Body::Message(_)));
    let answer = inboxes.answers.recv().await.expect("the network lives");
    let said = Envelope::decode(answer, log_id).expect("an envelope").body;
    assert!(matches!(said, Said::AppendAnswer { call: 2, .. }), "{said:?}");
    assert_eq!(bob.pull(all()).await.messages.len(), 2);
}

#[tokio::test]
async fn a_home_counts_what_is_said_in_a_conversation_from_other_nodes_too() {
    let faulty = Faulty::new(memory_store(&Config::default()));
    let change = |config: &mut Config| config.limits.conversation_sends_per_s = 1;
    let (server, peer, mut inboxes) = with_a_peer(&faulty, change).await;
    let (ada, mut bob) = (server.login("ada").await, server.login("bob").await);
    let log_id = server.store.log_id();
    let messages = ["m-1", "m-2", "m-3", "m-4", "m-5", "m-6", "m-7"].map(|id| message(ada.user, bob.user, id));
    let until_ms = system_clock()() + 20_000;
    let append = Said::Append { call: 1, from_conn: 1, until_ms, answer: Way::Answers, messages: messages.into() };
    assert!(peer.broadcast(Way::Pushes, Envelope { from: NodeId(7), body: append }.encode(log_id)));
    let answer = inboxes.answers.recv().await.expect("the network lives");
    let Said::AppendAnswer { outcomes, .. } = Envelope::decode(answer, log_id).expect("an envelope").body else {
        panic!("no answer")
    };
    assert!(outcomes[..5].iter().all(Result::is_ok), "{outcomes:?}");
    let is_too_much =
        |outcome: &Result<_, Error>| matches!(outcome, Err(Error::Failed(Failure::RateLimited { for_ms: 1.. })));
    assert!(outcomes[5..].iter().all(is_too_much), "{outcomes:?}");
    // Here there is as little left.
    let ours = bob.conversation_with(&ada);
    assert_eq!(bob.refused(send(&ours, "m-8", "text")).await, ErrorCode::RateLimited);
}
