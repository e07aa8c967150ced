//! The SDK over real sockets, against a server made of the protocol alone: every wire and encoding, restarts of the client
//! with messages in its queue, connections that break, stores that are not its own.

mod bounds;
mod changing;
mod consumer;
mod fake;
mod lossy;
#[path = "../engine/server.rs"]
#[allow(dead_code, reason = "the tests of the engine use more of it")]
mod server;
mod unopened;

use std::{
    net::SocketAddr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anser_client::{
    Client, Config, ConversationId, Credential, Draft, Error, Event, Events, Fate, FirstPage, Format, GroupId, Keep,
    NotWithdrawn, State, Status, StopReason, StoreError, UserId,
};
use fake::{Fake, Wire, tls_acceptor};
use tempfile::TempDir;

const ALICE: u64 = 1;
const BOB: u64 = 2;

fn ours() -> ConversationId {
    ConversationId::single(UserId(ALICE), UserId(BOB))
}

fn with(mut config: Config, change: impl FnOnce(&mut Config)) -> Config {
    change(&mut config);
    config
}

fn kept_in(path: impl Into<std::path::PathBuf>, config: Config) -> Config {
    with(config, |config| config.store = Keep::File(path.into()))
}

fn config(scheme: &str, address: SocketAddr, user: u64) -> Config {
    Config::new(format!("{scheme}://localhost:{}", address.port()), Credential::Token(user.to_string()))
}

async fn within<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), what).await.expect("within twenty seconds")
}

/// Waits for the first event of which `wanted` makes something.
async fn receive<T>(events: &mut Events, mut wanted: impl FnMut(Event) -> Option<T>) -> T {
    within(async {
        loop {
            let event = events.next().await.expect("the client is open");
            if let Some(found) = wanted(event) {
                return found;
            }
        }
    })
    .await
}

fn content(event: Event) -> Option<String> {
    match event {
        Event::Message(message) => Some(message.content.clone()),
        _ => None,
    }
}

async fn check_a_talk(alice: Config, bob: Config) {
    let alice = Client::open(alice).await.expect("opens");
    let bob = Client::open(bob).await.expect("opens");
    let (mut bob_events, ours) = (bob.events(), ours());
    within(bob.caught_up()).await.expect("logged in");
    let mut sending = alice.send(ours, Draft::text("hi")).await.expect("queued");
    assert_eq!(within(sending.sent()).await.expect("stored").server_msg_id, 1);
    assert_eq!(receive(&mut bob_events, content).await, "hi");
    let listed =
        |event| matches!(event, Event::Session(session) if session.unread == 1 && session.peer.is_some()).then_some(());
    receive(&mut bob_events, listed).await;
    assert_eq!(bob.sessions().await.expect("reads")[0].unread, 1);
    bob.mark_read(ours, 1).await.expect("open");
    let read = async { while !matches!(sending.changed().await.expect("goes on"), Status::Read(_)) {} };
    within(read).await;
    assert_eq!(within(sending.changed()).await, None, "it comes no further");
    let there = bob.history(ours, None, 10).await.expect("reads");
    assert_eq!((there.messages.len(), there.more), (1, false));
    assert_eq!(bob.session(ours).await.expect("reads").expect("listed").unread, 0);
    within(alice.close()).await;
    assert!(matches!(alice.send(ours, Draft::text("late")).await, Err(Error::Closed)));
}

#[tokio::test]
async fn two_people_talk_over_every_wire_and_encoding() {
    for (wire, scheme) in [(Wire::WebSocket, "ws"), (Wire::Tcp, "tcp")] {
        for format in [Format::Protobuf, Format::Json] {
            let server = Fake::start(wire).await;
            let config = |user| with(config(scheme, server.address, user), |config| config.format = format);
            check_a_talk(config(ALICE), config(BOB)).await;
        }
    }
}

#[tokio::test]
async fn two_people_talk_behind_tls_and_strangers_are_not_trusted() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/tls");
    for (wire, scheme) in [(Wire::WebSocket, "wss"), (Wire::Tcp, "tls")] {
        let local = "127.0.0.1:0".parse().expect("an address");
        let server = Fake::start_with(wire, local, Some(tls_acceptor(&folder, "server"))).await;
        let ca_file = |name: &str, config| with(config, |config| config.ca_file = Some(folder.join(name)));
        let config = |user| ca_file("ca.pem", config(scheme, server.address, user));
        check_a_talk(config(ALICE), config(BOB)).await;
    }
    let mut not_a_ca = config("wss", ([127, 0, 0, 1], 1).into(), ALICE);
    not_a_ca.ca_file = Some(folder.join("server.key"));
    assert!(matches!(Client::open(not_a_ca).await, Err(Error::BadUrl(_))));
}

/// Opens a client in a runtime of its own, lets it act, and drops everything without a word, as a crash would.
fn crash_after<T>(config: Config, act: impl AsyncFnOnce(Client) -> T) -> T {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let acted = runtime.block_on(async { act(Client::open(config).await.expect("opens")).await });
    runtime.shutdown_background();
    acted
}

#[tokio::test]
async fn a_node_that_is_gone_is_passed_over_for_the_next() {
    let server = Fake::start(Wire::WebSocket).await;
    let alice = config("ws", server.address, ALICE);
    let url = format!("ws://127.0.0.1:9, {}", alice.url);
    let alice = Client::open(with(alice, |alice| alice.url = url)).await.expect("opens");
    within(alice.caught_up()).await.expect("logged in");
    let mut bad = config("ws", server.address, ALICE);
    bad.url = "ws://localhost:1,localhost:2".into();
    let refused = Client::open(bad).await.err().expect("refused").to_string();
    assert!(refused.contains("`localhost:2`"), "{refused}");
}

#[test]
fn what_was_queued_goes_out_once_and_in_order_after_a_crash() {
    let folder = TempDir::new().expect("a folder");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let server = runtime.block_on(Fake::start(Wire::WebSocket));
    let kept = || kept_in(folder.path().join("alice.db"), config("ws", server.address, ALICE));
    // The first answer is lost with its connection, so that the first message is stored and not acknowledged; then the client
    // crashes with more in its queue.
    server.state.lock().expect("nobody panics with it").eaten = 1;
    crash_after(with(kept(), |alone| alone.url = "ws://127.0.0.1:9".into()), async |client| {
        for text in ["one", "two", "three"] {
            client.send(ours(), Draft::text(text)).await.expect("queued");
        }
    });
    crash_after(kept(), async |client| {
        client.send(ours(), Draft::text("four")).await.expect("queued");
        let stored = async {
            while server.log(ours()).is_empty() {
                tokio::task::yield_now().await;
            }
        };
        within(stored).await;
    });
    runtime.block_on(async {
        let client = Client::open(kept()).await.expect("opens");
        let last = client.send(ours(), Draft::text("five")).await.expect("queued");
        within(last.sent()).await.expect("stored");
        assert_eq!(client.unsent().await.expect("reads"), []);
    });
    assert_eq!(server.log(ours()), ["one", "two", "three", "four", "five"]);
}

#[tokio::test]
async fn a_cut_connection_costs_no_message() {
    let server = Fake::start(Wire::WebSocket).await;
    let alice = Client::open(config("ws", server.address, ALICE)).await.expect("opens");
    let bob = Client::open(config("ws", server.address, BOB)).await.expect("opens");
    let mut bob_events = bob.events();
    within(bob.caught_up()).await.expect("logged in");
    let mut texts = Vec::new();
    for round in 0..4 {
        for number in 0..20 {
            texts.push(format!("{round}-{number}"));
            alice.send(ours(), Draft::text(texts[texts.len() - 1].clone())).await.expect("queued");
        }
        server.cut();
    }
    for text in &texts {
        assert_eq!(receive(&mut bob_events, content).await, *text);
    }
    assert_eq!(server.log(ours()), texts);
}

#[tokio::test]
async fn a_message_to_a_group_comes_no_further_than_stored() {
    let server = Fake::start(Wire::Tcp).await;
    let group = GroupId(9);
    server.state.lock().expect("nobody panics with it").model.change_member(group, ALICE);
    let alice = Client::open(config("tcp", server.address, ALICE)).await.expect("opens");
    let mut sending = alice.send(ConversationId::Group(group), Draft::text("hi")).await.expect("queued");
    let mut last = None;
    while let Some(status) = within(sending.changed()).await {
        last = Some(status);
    }
    assert!(matches!(last, Some(Status::Sent(place)) if place.server_msg_id == 2), "{last:?}");
}

#[tokio::test]
async fn history_comes_from_here_and_then_from_the_server() {
    let server = Fake::start(Wire::Tcp).await;
    let alice = Client::open(config("tcp", server.address, ALICE)).await.expect("opens");
    let mut last = None;
    for number in 1..=30 {
        last = Some(alice.send(ours(), Draft::text(number.to_string())).await.expect("queued"));
    }
    within(last.expect("thirty").sent()).await.expect("stored");
    let mut fresh = config("tcp", server.address, BOB);
    fresh.policy.first_page = FirstPage::Newest(5);
    let bob = Client::open(fresh).await.expect("opens");
    within(bob.caught_up()).await.expect("logged in");
    let stranger = ConversationId::single(UserId(BOB), UserId(77));
    let nothing = within(bob.history(stranger, None, 4)).await.expect("reads");
    assert_eq!((nothing.messages.len(), nothing.more), (0, false), "all is synced");
    let mut seen = Vec::new();
    loop {
        let page = within(bob.history(ours(), seen.first().copied(), 4)).await.expect("reads");
        seen.splice(0..0, page.messages.iter().map(|message| message.server_msg_id));
        if !page.more {
            break;
        }
    }
    assert_eq!(seen, (1..=30).collect::<Vec<_>>());
}

#[tokio::test]
async fn of_what_is_not_synced_it_is_not_said_that_there_is_nothing() {
    let alone = Client::open(config("tcp", ([127, 0, 0, 1], 9).into(), BOB)).await.expect("opens");
    let offline = alone.history(ours(), None, 4).await.expect_err("nobody can know");
    assert!(matches!(offline, Error::Offline) && offline.is_retryable());

    let server = Fake::start(Wire::Tcp).await;
    let alice = Client::open(config("tcp", server.address, ALICE)).await.expect("opens");
    within(alice.send(ours(), Draft::text("hi")).await.expect("queued").sent()).await.expect("stored");
    let bob = Client::open(config("tcp", server.address, BOB)).await.expect("opens");
    let there = within(async {
        loop {
            // As early as it can be asked.
            match bob.history(ours(), None, 4).await {
                Err(error) if error.is_retryable() => tokio::task::yield_now().await,
                there => return there.expect("reads"),
            }
        }
    })
    .await;
    assert_eq!((there.messages.len(), there.more), (1, false));
}

#[tokio::test]
async fn what_never_left_the_device_is_cancelled_and_what_is_behind_a_stuck_one_goes_on() {
    let server = Fake::start(Wire::WebSocket).await;
    let folder = TempDir::new().expect("a folder");
    let at = |address| kept_in(folder.path().join("alice.db"), config("ws", address, ALICE));
    let nowhere = ([127, 0, 0, 1], 9).into();
    let alice = Client::open(at(nowhere)).await.expect("opens");
    let regretted = alice.send(ours(), Draft::text("regretted")).await.expect("queued");
    alice.send(ours(), Draft::text("stuck")).await.expect("queued");
    alice.send(ours(), Draft::text("behind")).await.expect("queued");
    alice.close().await;

    let alice = Client::open(at(nowhere)).await.expect("opens");
    alice.cancel(ours(), regretted.client_msg_id().clone()).await.expect("it never left");
    alice.close().await;

    server.state.lock().expect("nobody panics with it").model.faults.push(server::Fault::Poison);
    let alice = Client::open(at(server.address)).await.expect("opens");
    let mut events = alice.events();
    let stuck = receive(&mut events, |event| match event {
        Event::Status { client_msg_id, status: Status::Retrying(_), .. } => Some(client_msg_id),
        _ => None,
    })
    .await;
    let cancelled = alice.cancel(ours(), stuck.clone()).await;
    assert!(matches!(cancelled, Err(Error::NotWithdrawn(NotWithdrawn::MaybeStored))));
    assert_eq!(alice.give_up(ours(), stuck).await.expect("taken out"), Fate::Unknown);
    assert_eq!(receive(&mut events, content).await, "behind");
    assert_eq!(server.log(ours()), ["behind"]);
    assert_eq!(alice.unsent().await.expect("reads"), []);
}

#[tokio::test]
async fn a_listener_that_is_too_slow_is_told_so() {
    let server = Fake::start(Wire::WebSocket).await;
    let alice =
        Client::open(with(config("ws", server.address, ALICE), |little| little.events_max = 2)).await.expect("opens");
    let mut events = alice.events();
    let mut last = None;
    for _ in 0..20 {
        last = Some(alice.send(ours(), Draft::text("again")).await.expect("queued"));
    }
    within(last.expect("twenty").sent()).await.expect("stored");
    assert!(matches!(within(events.next()).await, Some(Event::Lagged(_))));
}

#[tokio::test]
async fn a_refused_login_stops_until_another_one_is_given() {
    let server = Fake::start(Wire::WebSocket).await;
    let mut stranger = config("ws", server.address, ALICE);
    stranger.credential = Credential::Token("forged".into());
    let client = Client::open(stranger).await.expect("opens");
    assert!(matches!(within(client.caught_up()).await, Err(StopReason::Refused(_))));
    let mut events = client.events();
    client.login(Credential::Token(ALICE.to_string())).await.expect("open");
    receive(&mut events, |event| (event == Event::State(State::CaughtUp)).then_some(())).await;
    assert_eq!(client.me().map(|user| user.user_id), Some(UserId(ALICE)));
}

#[tokio::test]
async fn a_password_is_needed_once_for_a_store() {
    let folder = TempDir::new().expect("a folder");
    let server = Fake::start(Wire::WebSocket).await;
    let kept = |credential| {
        let kept = kept_in(folder.path().join("alice.db"), config("ws", server.address, ALICE));
        with(kept, |kept| kept.credential = credential)
    };
    let client = Client::open(kept(Credential::Kept)).await.expect("opens");
    assert_eq!(within(client.caught_up()).await, Err(StopReason::NoCredential));
    client.login(Credential::Password { account: ALICE.to_string(), password: "goose".into() }).await.expect("open");
    let mut events = client.events();
    receive(&mut events, |event| (event == Event::State(State::CaughtUp)).then_some(())).await;
    client.close().await;
    let client = Client::open(kept(Credential::Kept)).await.expect("opens");
    within(client.caught_up()).await.expect("logged in");
}

#[tokio::test]
async fn after_a_wipe_nothing_of_the_user_is_on_the_device() {
    let folder = TempDir::new().expect("a folder");
    let server = Fake::start(Wire::WebSocket).await;
    let path = folder.path().join("alice.db");
    let kept =
        |credential| with(kept_in(&path, config("ws", server.address, ALICE)), |kept| kept.credential = credential);
    let password = |user: u64| Credential::Password { account: user.to_string(), password: "goose".into() };
    let alice = Client::open(kept(password(ALICE))).await.expect("opens");
    within(alice.send(ours(), Draft::text("a secret of hers")).await.expect("queued").sent()).await.expect("stored");
    within(alice.wipe()).await.expect("wiped");
    for file in std::fs::read_dir(folder.path()).expect("reads") {
        let bytes = std::fs::read(file.expect("a file").path()).expect("reads");
        assert!(!bytes.windows(16).any(|part| part == b"a secret of hers"), "it is still there");
    }
    // The file is anybody's now.
    let bob = Client::open(kept(Credential::Kept)).await.expect("opens");
    assert_eq!(within(bob.caught_up()).await, Err(StopReason::NoCredential));
    assert_eq!(bob.sessions().await.expect("reads"), []);
    let mut events = bob.events();
    bob.login(password(BOB)).await.expect("open");
    receive(&mut events, |event| (event == Event::State(State::CaughtUp)).then_some(())).await;
    assert_eq!(bob.me().map(|user| user.user_id), Some(UserId(BOB)));
}

#[tokio::test]
async fn a_provider_that_fails_at_first_is_asked_again() {
    let server = Fake::start(Wire::Tcp).await;
    let asked = Arc::new(AtomicU64::new(0));
    let provider = move || {
        let asked = asked.fetch_add(1, Ordering::Relaxed);
        async move { if asked == 0 { Err("the app's server is away") } else { Ok(ALICE.to_string()) } }
    };
    let credential = Credential::provider(provider);
    let client = Client::open(with(config("tcp", server.address, ALICE), |config| config.credential = credential))
        .await
        .expect("opens");
    within(client.caught_up()).await.expect("logged in");
}

#[tokio::test]
async fn a_store_belongs_to_one_client_one_device_and_one_user() {
    let folder = TempDir::new().expect("a folder");
    let server = Fake::start(Wire::WebSocket).await;
    let kept = |user| kept_in(folder.path().join("alice.db"), config("ws", server.address, user));
    let first = Client::open(kept(ALICE)).await.expect("opens");
    within(first.caught_up()).await.expect("logged in");
    assert!(
        matches!(Client::open(kept(ALICE)).await, Err(Error::Store(StoreError::InUse))),
        "a store in use was opened"
    );
    first.close().await;
    let renamed = with(kept(ALICE), |kept| kept.device_id = Some("another".into()));
    assert!(matches!(Client::open(renamed).await, Err(Error::Store(_))), "a store of another device was opened");
    let bob = Client::open(kept(BOB)).await.expect("opens");
    let expected = StopReason::OtherUser { kept: UserId(ALICE), given: UserId(BOB) };
    assert_eq!(within(bob.caught_up()).await, Err(expected));
}

#[tokio::test]
async fn a_file_of_a_newer_version_or_another_program_is_refused() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("alice.db");
    let open = || Client::open(kept_in(&path, config("ws", ([127, 0, 0, 1], 9).into(), ALICE)));
    open().await.expect("opens").close().await;
    let set = |pragma, value: i32| {
        let file = rusqlite::Connection::open(&path).expect("opens");
        file.pragma_update(None, pragma, value).expect("writes");
    };
    set("user_version", 99);
    let refused = open().await.err().expect("refused").to_string();
    assert!(refused.contains("version 99"), "{refused}");
    set("application_id", 1);
    let refused = open().await.err().expect("refused").to_string();
    assert!(refused.contains("another program"), "{refused}");
}
