//! Lines that are slow, and what holds up a connection without ending it. Time is virtual here, so all lines are within the process.

use std::time::Duration;

use anser_proto::{
    Format,
    v1::{self, client_frame::Request, server_frame::Body},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, copy, duplex, split},
    sync::watch,
    time::{MissedTickBehavior, interval},
};

use crate::raw::{Came, Raw, TestServer};

/// 128 kbit/s.
const BYTES_PER_S: usize = 16 * 1024;
/// Passes on what the server says, slowly once it is told so. What the client says is quick.
fn line_that_gets_slow(server: DuplexStream) -> (DuplexStream, watch::Sender<bool>) {
    let (ours, theirs) = duplex(8 << 20);
    let (tell, is_slow) = watch::channel(false);
    let ((mut from_server, mut to_server), (mut from_client, mut to_client)) = (split(server), split(theirs));
    tokio::spawn(async move { copy(&mut from_client, &mut to_server).await });
    tokio::spawn(async move {
        let (mut bytes, mut quarter) = ([0; BYTES_PER_S / 4], interval(Duration::from_millis(250)));
        quarter.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while let Ok(read @ 1..) = from_server.read(&mut bytes).await {
            to_client.write_all(&bytes[..read]).await.expect("the client is there");
            if *is_slow.borrow() {
                quarter.tick().await;
            }
        }
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
async fn with_notes(server: &TestServer, line: DuplexStream) -> (Raw, String) {
    let mut user = Raw::over_tcp(line, Format::Protobuf);
    user.hello(server.hello("ada", "phone")).await;
    let notes = user.conversation_with(&user);
    for number in 0..9 {
        user.send(&notes, &format!("m-{number}"), &"x".repeat(65_536)).await;
    }
    (user, notes)
}

#[tokio::test(start_paused = true)]
async fn a_slow_line_is_not_a_dead_one_and_gets_smaller_pages() {
    let server = TestServer::start().await;
    let (line, slow) = line_that_gets_slow(server.server.connect().expect("there is room"));
    let (mut ada, notes) = with_notes(&server, line).await;
    let pull = || Request::Pull(v1::Pull { conversation_id: notes.clone(), limit: 200, ..Default::default() });
    let mut lengths = Vec::new();
    for number in 0..10 {
        // The fourth page is of 512 KiB, and takes longer than the server waits for one who takes nothing.
        slow.send_replace(number >= 3);
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
    let (mut deaf, notes) = with_notes(&server, server.server.connect().expect("there is room")).await;
    let pull = Request::Pull(v1::Pull { conversation_id: notes, limit: 200, ..Default::default() });
    deaf.say_all(vec![pull; 4]).await;
    pass(35).await;
    // It was cut off in the first page, of which the line holds nearly all.
    assert!(matches!(deaf.came().await, Came::Closed(None)));
}
