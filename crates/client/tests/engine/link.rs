//! Connecting, waiting and giving up, step by step.

use anser_client::{
    Attention, State, StopReason, UserId,
    engine::{CallError, Change, Credential, Effect, Input},
};
use anser_proto::v1;
use v1::{client_frame::Request, close::Code as Close, server_frame::Body};

use crate::line::{Line, line, request};

pub(crate) fn retry_at(effects: &[Effect]) -> u64 {
    let found = effects.iter().find_map(|effect| match effect {
        Effect::State(State::Offline { retry_at_ms }) => Some(*retry_at_ms),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("it does not try again: {effects:?}"))
}

pub(crate) fn stopped(effects: &[Effect]) -> StopReason {
    let found = effects.iter().find_map(|effect| match effect {
        Effect::State(State::Stopped(reason)) => Some(reason.clone()),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("it goes on: {effects:?}"))
}

#[test]
fn waits_grow_to_twenty_seconds_while_nobody_is_there() {
    let mut line = line();
    let mut longest = 0;
    for attempt in 0..200 {
        line.wait();
        let at = retry_at(&line.tell(Input::Closed { code: None, reason: String::new() }));
        let bound = 20_000.min(500u64 << attempt.min(20));
        assert!(at - line.now <= bound, "attempt {attempt} waits {} ms", at - line.now);
        longest = longest.max(at - line.now);
    }
    assert!(longest > 15_000);
}

#[test]
fn a_server_that_drains_names_the_time_to_come_back() {
    let mut line = line();
    line.log_in();
    let effects = line.receive(0, Body::Draining(v1::Draining { reconnect_after_ms: 7_777 }));
    assert!(effects.contains(&Effect::Disconnect));
    assert_eq!(retry_at(&effects), line.now + 7_777);
}

#[test]
fn close_codes_decide_whether_it_comes_back() {
    for (code, comes_back) in [(1000, true), (1006, true), (4002, true), (4099, true), (4501, false), (4999, false)] {
        let mut line = line();
        line.log_in();
        let effects = line.tell(Input::Closed { code: Some(code), reason: "why".into() });
        match comes_back {
            true => drop(retry_at(&effects)),
            false => assert_eq!(stopped(&effects), StopReason::Closed { code, reason: "why".into() }),
        }
    }
    let mut kicked = line();
    kicked.log_in();
    let effects = kicked.receive(0, Body::Kicked(v1::Kicked { code: Close::Replaced.into(), reason: String::new() }));
    assert_eq!(stopped(&effects), StopReason::Closed { code: 4501, reason: String::new() });
    assert_eq!(kicked.engine.wake_at(), None);
}

#[test]
fn a_request_without_an_answer_means_that_the_connection_is_dead() {
    let mut line = line();
    line.log_in();
    line.tell(Input::Call { request: Request::GetUsers(v1::GetUsers::default()), call: 5 });
    let asked_at = line.now;
    let effects = line.wait();
    assert_eq!(line.now, asked_at + 10_000);
    assert!(effects.contains(&Effect::Disconnect));
    assert!(effects.contains(&Effect::Answer { call: 5, answer: Err(CallError::Lost) }));
    retry_at(&effects);
    let refused = line.tell(Input::Call { request: Request::GetUsers(v1::GetUsers::default()), call: 6 });
    assert!(refused.contains(&Effect::Answer { call: 6, answer: Err(CallError::Offline) }));
}

#[test]
fn a_slow_connection_lives_for_a_minute_while_something_comes() {
    let mut line = line();
    line.log_in();
    line.tell(Input::Call { request: Request::GetUsers(v1::GetUsers::default()), call: 5 });
    let asked_at = line.now;
    while line.now < asked_at + 54_000 {
        line.now += 9_000;
        assert!(!line.receive(0, Body::Typing(v1::TypingEvent::default())).contains(&Effect::Disconnect));
    }
    assert!(line.wait().contains(&Effect::Disconnect));
    assert_eq!(line.now, asked_at + 60_000);
}

#[test]
fn a_silent_connection_is_pinged_and_any_frame_is_life() {
    let mut line = line();
    line.log_in();
    let logged_in_at = line.now;
    assert!(matches!(request(&line.wait()).request, Some(Request::Ping(_))));
    assert_eq!(line.now, logged_in_at + 30_000, "in the foreground the shortest heartbeat holds");
    line.now += 1;
    line.receive(0, Body::Typing(v1::TypingEvent::default()));
    line.now += 9_999;
    assert!(!line.tell(Input::Tick).contains(&Effect::Disconnect), "a frame came after the ping");
    line.wait();
    assert!(line.wait().contains(&Effect::Disconnect), "nothing came after the second ping");
}

#[test]
fn a_ping_on_its_way_is_waited_for_however_short_the_heartbeat() {
    let mut line = line();
    line.log_in_with(100);
    assert!(matches!(request(&line.wait()).request, Some(Request::Ping(_))));
    let pinged_at = line.now;
    assert!(line.wait().contains(&Effect::Disconnect));
    assert_eq!(line.now, pinged_at + 10_000);
}

#[test]
fn it_is_not_caught_up_while_it_looks_for_what_it_missed() {
    let mut line = line();
    let state = |effects: &[Effect]| {
        let states = effects.iter().filter_map(|effect| match effect {
            Effect::State(state) => Some(state.clone()),
            _ => None,
        });
        states.last()
    };
    assert_eq!(state(&line.log_in()), Some(State::CaughtUp));
    for _ in 0..2 {
        let effects = line.receive(0, Body::Lagged(v1::Lagged {}));
        assert_eq!(state(&effects), Some(State::Connected));
        let page = v1::SyncPage { caught_up: true, ..v1::SyncPage::default() };
        assert_eq!(state(&line.receive(request(&effects).request_id, Body::SyncPage(page))), Some(State::CaughtUp));
    }
}

#[test]
fn heartbeats_grow_in_the_background_and_are_kept_for_their_network() {
    let mut line = line();
    line.tell(Input::NetworkChanged("wifi:home".into()));
    line.log_in();
    line.tell(Input::Attention(Attention::Background));
    let mut silences = Vec::new();
    for _ in 0..7 {
        let since = line.now;
        let ping = request(&line.wait());
        silences.push(line.now - since);
        line.receive(ping.request_id, Body::Pong(v1::Pong::default()));
    }
    assert_eq!(silences, [30_000, 30_000, 30_000, 60_000, 60_000, 60_000, 90_000]);
    let kept = line.changes.iter().rev().find_map(|change| match change {
        Change::Heartbeat { network, learned } => Some((network.as_str(), learned.proven_ms)),
        _ => None,
    });
    assert_eq!(kept, Some(("wifi:home", 60_000)));
}

/// In the background at a heartbeat of a minute, which is not proven yet.
fn at_a_minute() -> Line {
    let mut line = line();
    line.log_in();
    line.tell(Input::Attention(Attention::Background));
    for _ in 0..3 {
        let ping = request(&line.wait());
        line.receive(ping.request_id, Body::Pong(v1::Pong::default()));
    }
    assert!(matches!(request(&line.wait()).request, Some(Request::Ping(_))));
    line
}

fn failing(line: &Line) -> Option<u64> {
    line.changes.iter().rev().find_map(|change| match change {
        Change::Heartbeat { learned, .. } => Some(learned.failing_ms),
        _ => None,
    })
}

#[test]
fn a_silence_that_killed_the_connection_alone_is_learned() {
    let mut line = at_a_minute();
    assert!(line.wait().contains(&Effect::Disconnect));
    line.wait();
    line.log_in();
    assert_eq!(failing(&line), Some(60_000));
}

#[test]
fn an_outage_teaches_nothing_about_silence() {
    let mut line = at_a_minute();
    assert!(line.wait().contains(&Effect::Disconnect));
    line.wait();
    line.tell(Input::Closed { code: None, reason: "refused".into() });
    line.wait();
    line.log_in();
    assert_eq!(failing(&line), Some(0), "the network was away");

    let mut line = at_a_minute();
    line.tell(Input::Closed { code: Some(1006), reason: "a server that ends".into() });
    line.wait();
    line.log_in();
    assert_eq!(failing(&line), Some(0), "the connection lived until its end was told");
}

#[test]
fn a_sleep_teaches_nothing_about_silence() {
    // The ticks come late when the device sleeps before its ping, or behind it.
    let mut line = at_a_minute();
    line.receive(0, Body::Typing(v1::TypingEvent::default()));
    line.now += 3_600_000;
    assert!(matches!(request(&line.tell(Input::Tick)).request, Some(Request::Ping(_))));
    assert!(line.wait().contains(&Effect::Disconnect));
    line.wait();
    line.log_in();
    assert_eq!(failing(&line), Some(0));

    let mut line = at_a_minute();
    line.now += 3_600_000;
    assert!(line.tell(Input::Tick).contains(&Effect::Disconnect));
    line.wait();
    line.log_in();
    assert_eq!(failing(&line), Some(0));

    // Or the clock of the steps stood still.
    let mut line = at_a_minute();
    line.tell(Input::Woke);
    assert!(line.wait().contains(&Effect::Disconnect));
    line.wait();
    line.log_in();
    assert_eq!(failing(&line), Some(0));
}

#[test]
fn who_wakes_up_asks_at_once_whether_the_connection_lives() {
    let mut line = line();
    line.log_in();
    assert!(matches!(request(&line.tell(Input::Woke)).request, Some(Request::Ping(_))));
    assert_eq!(line.tell(Input::Woke), [], "one ping at a time");
    line.receive(0, Body::Typing(v1::TypingEvent::default()));
    line.tell(Input::Attention(Attention::Background));
    assert!(matches!(request(&line.tell(Input::Attention(Attention::Foreground))).request, Some(Request::Ping(_))));

    line.tell(Input::Closed { code: None, reason: String::new() });
    assert!(line.tell(Input::Woke).contains(&Effect::Connect));
}

#[test]
fn another_network_is_connected_to_at_once() {
    let mut line = line();
    line.log_in();
    let effects = line.tell(Input::NetworkChanged("cellular".into()));
    assert!(effects.contains(&Effect::Disconnect) && effects.contains(&Effect::Connect));
}

#[test]
fn what_is_kept_is_not_shown_to_another_user() {
    let mut line = line();
    line.log_in();
    line.tell(Input::Stop);
    line.tell(Input::Login(Credential::Token("of another".into())));
    let hello = request(&line.tell(Input::Connected));
    let user = Some(v1::User { user_id: 8, ..v1::User::default() });
    let effects =
        line.receive(hello.request_id, Body::Welcome(v1::Welcome { user, log_id: 1, ..v1::Welcome::default() }));
    assert_eq!(stopped(&effects), StopReason::OtherUser { kept: UserId(7), given: UserId(8) });
}

#[test]
fn in_a_store_that_was_replaced_the_same_account_may_be_another_id() {
    let mut line = line();
    line.log_in();
    line.tell(Input::Closed { code: None, reason: String::new() });
    line.wait();
    let hello = request(&line.tell(Input::Connected));
    let user = v1::User { user_id: 8, ..v1::User::default() };
    let welcome = v1::Welcome { user: Some(user.clone()), log_id: 2, ..v1::Welcome::default() };
    let effects = line.receive(hello.request_id, Body::Welcome(welcome));
    assert!(effects.contains(&Effect::Profile(user)), "{effects:?}");
}

/// Waits as long as the engine does, and tells after how many milliseconds it gave the connection up.
fn patience(line: &mut Line) -> u64 {
    let since = line.now;
    while !line.wait().contains(&Effect::Disconnect) {}
    line.now - since
}

#[test]
fn a_large_request_may_take_its_time_to_go_out() {
    for (bytes, expected) in [(100, 10_000), (65_536, 64_000)] {
        let mut line = line();
        line.log_in();
        let send = v1::Send { content: "x".repeat(bytes), ..v1::Send::default() };
        line.tell(Input::Call { request: Request::Send(send), call: 1 });
        assert_eq!(patience(&mut line), expected, "{bytes} bytes");
    }
}

#[test]
fn a_part_of_an_answer_is_a_sign_of_life() {
    let mut line = line();
    line.log_in();
    line.tell(Input::Call { request: Request::Pull(v1::Pull::default()), call: 1 });
    for _ in 0..5 {
        line.now += 9_000;
        assert!(!line.tell(Input::Progress).contains(&Effect::Disconnect));
    }
    assert_eq!(patience(&mut line), 10_000);
}
