//! Lines that are slow, and what holds up a connection without ending it. Time is virtual here, so all lines are within the process.

use std::time::Duration;

use anser_proto::{
    ErrorCode, Format,
    v1::{self, client_frame::Request, hello::Credential, server_frame::Body},
};
use anser_server::config::Config;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, copy, duplex, split},
    sync::watch,
    time::{MissedTickBehavior, interval},
};

use crate::raw::{Came, Raw, TestServer, clock, memory_store};

const FAST: usize = 1 << 30;
/// 128 kbit/s.
const SLOW: usize = 16 * 1024;
/// 9.6 kbit/s.
const VERY_SLOW: usize = 1_200;

/// Passes on what the server says, so many bytes a second, which may change. What the client says is quick.
fn line(server: DuplexStream) -> (DuplexStream, watch::Sender<usize>) {
    let (ours, theirs) = duplex(8 << 20);
    let (tell, bytes_per_s) = watch::channel(FAST);
    let ((mut from_server, mut to_server), (mut from_client, mut to_client)) = (split(server), split(theirs));
    tokio::spawn(async move { copy(&mut from_client, &mut to_server).await });
    tokio::spawn(async move {
        let (mut bytes, mut quarter) = ([0; SLOW / 4], interval(Duration::from_millis(250)));
        quarter.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let at_once = bytes.len().min(*bytes_per_s.borrow() / 4);
            let Ok(read @ 1..) = from_server.read(&mut bytes[..at_once]).await else { break };
            to_client.write_all(&bytes[..read]).await.expect("the client is there");
            if *bytes_per_s.borrow() < FAST {
                quarter.tick().await;
            }
        }
        to_client.shutdown().await.expect("the client is there");
    });
    (ours, tell)
}

/// Lets so much time pass, and everything happen in it.
async fn pass(seconds: u32) {
    let mut clock = interval(Duration::from_secs(1));
    for _ in 0..=seconds {
        clock.tick().await;
    }
}

/// A user who has written 576 KiB of notes, and their conversation.
async fn with_notes(line: DuplexStream, hello: v1::Hello) -> (Raw, String) {
    let mut user = Raw::over_tcp(line, Format::Protobuf);
    user.hello(hello).await;
    let notes = user.conversation_with(&user);
    for number in 0..9 {
        user.send(&notes, &format!("m-{number}"), &"x".repeat(65_536)).await;
    }
    (user, notes)
}

#[tokio::test(start_paused = true)]
async fn a_slow_line_is_not_a_dead_one_and_gets_smaller_pages() {
    let server = TestServer::start().await;
    let (line, speed) = line(server.server.connect().expect("there is room"));
    let (mut ada, notes) = with_notes(line, server.hello("ada", "phone")).await;
    let pull = || Request::Pull(v1::Pull { conversation_id: notes.clone(), limit: 200, ..Default::default() });
    let mut lengths = Vec::new();
    for number in 0..10 {
        // The fourth page is of 512 KiB, and takes longer than the server waits for one who takes nothing.
        speed.send_replace(if number >= 3 { SLOW } else { FAST });
        let id = ada.say(pull()).await;
        pass(if number >= 3 { 40 } else { 0 }).await;
        let Body::Messages(page) = ada.answer(id).await else { panic!("no page") };
        lengths.push(page.messages.len());
    }
    assert_eq!(lengths, [1, 2, 4, 8, 4, 2, 1, 1, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn who_takes_nothing_is_given_up() {
    let server = TestServer::start().await;
    let line = server.server.connect().expect("there is room");
    let (mut deaf, notes) = with_notes(line, server.hello("ada", "phone")).await;
    let pull = Request::Pull(v1::Pull { conversation_id: notes, limit: 200, ..Default::default() });
    deaf.say_all(vec![pull; 4]).await;
    pass(35).await;
    // It was cut off in the first page, of which the line holds nearly all.
    assert!(matches!(deaf.came().await, Came::Closed(None)));
}

#[tokio::test(start_paused = true)]
async fn a_very_slow_line_gets_the_largest_page_and_then_small_ones() {
    let server = TestServer::start().await;
    let (line, speed) = line(server.server.connect().expect("there is room"));
    let (mut ada, notes) = with_notes(line, server.hello("ada", "phone")).await;
    let pull = || Request::Pull(v1::Pull { conversation_id: notes.clone(), limit: 200, ..Default::default() });
    let mut lengths = Vec::new();
    for (number, takes_s) in [0, 0, 0, 500, 250, 120, 60, 60].into_iter().enumerate() {
        speed.send_replace(if number >= 3 { VERY_SLOW } else { FAST });
        let id = ada.say(pull()).await;
        pass(takes_s).await;
        let Body::Messages(page) = ada.answer(id).await else { panic!("no page") };
        lengths.push(page.messages.len());
    }
    assert_eq!(lengths, [1, 2, 4, 8, 4, 2, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_token_ends_its_connection_also_in_the_middle_of_a_page() {
    let server = TestServer::start().await;
    let (line, speed) = line(server.server.connect().expect("there is room"));
    let token = server.tokens.mint("ada", 0, clock()() / 1000 + 60);
    let hello = v1::Hello { credential: Some(Credential::Token(token)), ..server.hello("ada", "phone") };
    let (mut ada, notes) = with_notes(line, hello).await;
    let pull = || Request::Pull(v1::Pull { conversation_id: notes.clone(), limit: 200, ..Default::default() });
    for _ in 0..3 {
        ada.ask(pull()).await;
    }
    speed.send_replace(VERY_SLOW);
    ada.say(pull()).await;
    pass(80).await;
    // What is left in the line comes, and not the whole page.
    speed.send_replace(FAST);
    assert!(matches!(ada.came().await, Came::Closed(None)));
}

#[tokio::test(start_paused = true)]
async fn who_leaves_large_pages_unread_gets_small_ones_until_they_are_gone() {
    let server = TestServer::start().await;
    let connect = || server.server.connect().expect("there is room");
    let (mut ada, notes) = with_notes(connect(), server.hello("ada", "phone")).await;
    let pull = || Request::Pull(v1::Pull { conversation_id: notes.clone(), limit: 200, ..Default::default() });
    let page = async |device: &mut Raw| match device.ask(pull()).await {
        Body::Messages(page) => page.messages.len(),
        other => panic!("{other:?}"),
    };
    let mut deaf = Vec::new();
    for number in 0..3 {
        let mut device = Raw::over_tcp(connect(), Format::Protobuf);
        device.hello(server.hello("ada", &format!("deaf-{number}"))).await;
        assert_eq!([page(&mut device).await, page(&mut device).await, page(&mut device).await], [1, 2, 4]);
        device.say(pull()).await;
        deaf.push(device);
    }
    pass(1).await;
    let held = |metrics: String| {
        let held = metrics.lines().find_map(|line| line.strip_prefix("anser_large_answers_bytes "));
        held.and_then(|held| held.parse::<u32>().ok()).expect("it is told")
    };
    assert!((1_500 << 10..2 << 20).contains(&held(server.metrics().await)));
    assert_eq!([page(&mut ada).await, page(&mut ada).await, page(&mut ada).await, page(&mut ada).await], [1, 2, 4, 1]);
    drop(deaf);
    pass(60).await;
    assert_eq!(held(server.metrics().await), 0);
    assert_eq!([page(&mut ada).await, page(&mut ada).await], [4, 8]);
}

#[tokio::test(start_paused = true)]
async fn a_page_costs_what_is_in_it() {
    let change = |config: &mut Config| (config.limits.requests_per_s, config.limits.requests_burst) = (1, 60);
    let server = TestServer::start_with(change, memory_store).await;
    // 45 of the 60.
    let (mut ada, notes) =
        with_notes(server.server.connect().expect("there is room"), server.hello("ada", "phone")).await;
    let pull = || Request::Pull(v1::Pull { conversation_id: notes.clone(), limit: 1, ..Default::default() });
    for _ in 0..3 {
        assert!(matches!(ada.ask(pull()).await, Body::Messages(_)));
    }
    assert_eq!(ada.refused(pull()).await, ErrorCode::RateLimited);
    pass(1).await;
    assert!(matches!(ada.ask(pull()).await, Body::Messages(_)));
    // That one was owed.
    pass(4).await;
    assert_eq!(ada.refused(pull()).await, ErrorCode::RateLimited);
    pass(1).await;
    assert!(matches!(ada.ask(pull()).await, Body::Messages(_)));
}
