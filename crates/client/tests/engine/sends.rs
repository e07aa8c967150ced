//! What becomes of own messages: which are one and the same, and what proves that they were stored.

use std::sync::Arc;

use anser_client::{
    ConversationId, Draft, Fate, NotQueued, NotWithdrawn, Queued, Status, UserId,
    engine::{Change, Credential, Effect, Input, MessageKey, Saved, Withdrawal},
};
use anser_proto::v1;
use v1::{client_frame::Request, error::Code, server_frame::Body};

use crate::line::{Line, error, line};

/// With the user 7, who is logged in.
fn with(peer: u64) -> ConversationId {
    ConversationId::single(UserId(7), UserId(peer))
}

fn online() -> Line {
    let mut line = line();
    line.log_in();
    line
}

fn send(line: &mut Line, conversation: ConversationId, id: &str, text: &str) -> Vec<Effect> {
    let (client_msg_id, draft) = (id.parse().expect("a good id"), Draft::text(text));
    line.tell(Input::Queue { conversation, client_msg_id, act: draft.into(), client_time_ms: 0, call: 1 })
}

fn answer(effects: &[Effect]) -> Result<Status, NotQueued> {
    let found = effects.iter().find_map(|effect| match effect {
        Effect::Queued { call: 1, answer, .. } => Some(answer.clone()),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("no answer: {effects:?}"))
}

/// Request ids of the messages that were transmitted, and their texts.
fn sent(effects: &[Effect]) -> Vec<(u32, String)> {
    let send = |effect: &Effect| match effect {
        Effect::Transmit(v1::ClientFrame { request_id, request: Some(Request::Send(send)) }) => {
            Some((*request_id, send.content.clone()))
        }
        _ => None,
    };
    effects.iter().filter_map(send).collect()
}

/// Where messages were stored, of those that are told to be.
fn places(effects: &[Effect]) -> Vec<(ConversationId, u64)> {
    let place = |effect: &Effect| match effect {
        Effect::Status { key, status: Status::Sent(place) } => Some((key.conversation, place.server_msg_id)),
        _ => None,
    };
    effects.iter().filter_map(place).collect()
}

fn stored(line: &mut Line, request_id: u32, server_msg_id: u64) -> Vec<Effect> {
    line.receive(request_id, Body::Sent(v1::Sent { server_msg_id, ..v1::Sent::default() }))
}

/// An own message comes from the log.
fn seen(line: &mut Line, conversation: ConversationId, id: &str, text: &str) -> Vec<Effect> {
    let message = v1::Message {
        conversation_id: conversation.to_string(),
        server_msg_id: 1,
        client_msg_id: id.into(),
        from_id: 7,
        r#type: v1::message::Type::Text.into(),
        content: text.into(),
        ..v1::Message::default()
    };
    line.receive(0, Body::Message(v1::MessageEvent { message: Some(message), ..Default::default() }))
}

#[test]
fn an_id_that_waits_takes_no_other_body() {
    let mut line = line();
    assert_eq!(answer(&send(&mut line, with(8), "a", "one")), Ok(Status::Queued));
    assert_eq!(answer(&send(&mut line, with(8), "a", "one")), Ok(Status::Queued));
    assert_eq!(answer(&send(&mut line, with(8), "a", "two")), Err(NotQueued::Conflict));
    let queued = line.changes.iter().filter(|change| matches!(change, Change::Queue(_))).count();
    assert_eq!(queued, 1);
    line.log_in();
    assert_eq!(answer(&send(&mut line, with(8), "a", "one")), Ok(Status::Sending));
}

#[test]
fn the_same_id_in_another_conversation_is_another_message() {
    let mut line = online();
    let first = sent(&send(&mut line, with(8), "a", "to eight"))[0].0;
    let effects = send(&mut line, with(9), "a", "to nine");
    assert_eq!(answer(&effects), Ok(Status::Queued));
    let second = sent(&effects)[0].0;
    assert_eq!(places(&stored(&mut line, second, 5)), [(with(9), 5)]);
    assert_eq!(places(&stored(&mut line, first, 3)), [(with(8), 3)]);
}

fn withdraw(line: &mut Line, id: &str, how: Withdrawal) -> (Result<Fate, NotWithdrawn>, Vec<Effect>) {
    let key = MessageKey { conversation: with(8), client_msg_id: id.parse().expect("a good id") };
    let effects = line.tell(Input::Withdraw { key, how, call: 9 });
    let found = effects.iter().find_map(|effect| match effect {
        Effect::Withdrawn { call: 9, answer } => Some(*answer),
        _ => None,
    });
    (found.unwrap_or_else(|| panic!("no answer: {effects:?}")), effects)
}

#[test]
fn a_message_is_cancelled_only_while_it_is_certain_that_it_is_not_stored() {
    let cancel = |line: &mut Line, id: &str| withdraw(line, id, Withdrawal::Cancel).0;
    let mut line = line();
    send(&mut line, with(8), "offline", "never transmitted");
    assert_eq!(cancel(&mut line, "offline"), Ok(Fate::NotStored));
    assert_eq!(cancel(&mut line, "offline"), Err(NotWithdrawn::NotQueued));
    assert_eq!(sent(&line.log_in()), []);

    let flying = sent(&send(&mut line, with(8), "flying", "on its way"))[0].0;
    assert_eq!(cancel(&mut line, "flying"), Err(NotWithdrawn::MaybeStored));
    line.receive(flying, error(Code::Overloaded));
    assert_eq!(cancel(&mut line, "flying"), Ok(Fate::NotStored), "the server said that nothing was stored");
    line.wait();
    line.log_in();
    // What the wait of its attempt held up goes on behind it.
    line.now += 20_000;
    line.tell(Input::Tick);

    let refused = sent(&send(&mut line, with(8), "refused", "for ever"))[0].0;
    line.receive(refused, error(Code::BadField));
    assert_eq!(cancel(&mut line, "refused"), Ok(Fate::NotStored));

    let doubtful = sent(&send(&mut line, with(8), "doubtful", "perhaps"))[0].0;
    line.receive(doubtful, error(Code::UnknownOutcome));
    assert_eq!(cancel(&mut line, "doubtful"), Err(NotWithdrawn::MaybeStored));
    line.tell(Input::Closed { code: None, reason: String::new() });
    assert_eq!(cancel(&mut line, "doubtful"), Err(NotWithdrawn::MaybeStored));
}

#[test]
fn what_was_transmitted_before_a_restart_is_not_cancelled() {
    for transmitted in [false, true] {
        let (client_msg_id, draft) = ("a".parse().expect("a good id"), Draft::text("hi"));
        let mut queued = Queued::new(with(8), client_msg_id, draft, 0);
        queued.transmitted = transmitted;
        let saved = Saved { outgoing: vec![Arc::new(queued)], ..Saved::default() };
        let mut line = Line::restored(Credential::Token("token".into()), saved);
        let expected = if transmitted { Err(NotWithdrawn::MaybeStored) } else { Ok(Fate::NotStored) };
        assert_eq!(withdraw(&mut line, "a", Withdrawal::Cancel).0, expected);
    }
}

#[test]
fn what_is_behind_a_message_that_is_given_up_goes_on() {
    let mut line = online();
    let stuck = sent(&send(&mut line, with(8), "stuck", "fails for ever"))[0].0;
    let behind = sent(&send(&mut line, with(8), "behind", "waits"))[0].0;
    line.receive(stuck, error(Code::UnknownOutcome));
    line.receive(behind, error(Code::BehindFailed));
    let (answer, effects) = withdraw(&mut line, "stuck", Withdrawal::GiveUp);
    assert_eq!(answer, Ok(Fate::Unknown));
    // This server waits for the first one on this connection, and takes nothing behind it.
    assert!(effects.contains(&Effect::Disconnect), "{effects:?}");
    line.wait();
    let mut again = sent(&line.log_in());
    while again.is_empty() {
        again = sent(&line.wait());
    }
    assert_eq!(again[0].1, "waits");
}

#[test]
fn the_answer_for_a_message_that_was_given_up_counts_for_no_other() {
    let mut line = online();
    let first = sent(&send(&mut line, with(8), "a", "one"))[0].0;
    assert_eq!(withdraw(&mut line, "a", Withdrawal::GiveUp).0, Ok(Fate::Unknown));
    let second = sent(&send(&mut line, with(8), "a", "two"))[0].0;
    let effects = stored(&mut line, first, 1);
    assert_eq!(places(&effects), []);
    let pulls =
        |effect: &Effect| matches!(effect, Effect::Transmit(frame) if matches!(frame.request, Some(Request::Pull(_))));
    assert!(effects.iter().any(pulls), "it is in the log: {effects:?}");
    line.receive(second, error(Code::Conflict));
}

#[test]
fn an_own_message_in_the_log_proves_only_the_same_message() {
    let mut line = online();
    // One conversation has 32 messages on their way at most: the last one waits.
    for number in 0..32 {
        assert_eq!(sent(&send(&mut line, with(8), &number.to_string(), "before")).len(), 1);
    }
    assert_eq!(sent(&send(&mut line, with(8), "a", "mine")), []);
    assert_eq!(places(&seen(&mut line, with(8), "a", "another's")), []);
    assert_eq!(places(&seen(&mut line, with(9), "a", "mine")), []);
    assert_eq!(places(&seen(&mut line, with(8), "a", "mine")), [(with(8), 1)]);
}

#[test]
fn a_message_seen_in_the_log_before_its_answer_goes_again_when_the_answer_asks_for_it() {
    let mut line = online();
    let first = sent(&send(&mut line, with(8), "a", "one"))[0].0;
    let second = sent(&send(&mut line, with(8), "b", "two"))[0].0;
    assert_eq!(places(&seen(&mut line, with(8), "a", "one")), [], "its answer is on its way");
    line.receive(first, error(Code::UnknownOutcome));
    line.receive(second, error(Code::BehindFailed));
    line.now += 1_000;
    let again = sent(&line.tell(Input::Tick));
    assert_eq!(again.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>(), ["one", "two"]);
    assert_eq!(places(&stored(&mut line, again[0].0, 1)), [(with(8), 1)]);
}

#[test]
fn what_the_peer_does_not_read_is_followed_for_a_while_only() {
    let mut line = online();
    let mut unfollowed = Vec::new();
    for number in 1..=258 {
        let request_id = sent(&send(&mut line, with(8), &number.to_string(), "unread"))[0].0;
        let effects = stored(&mut line, request_id, number);
        unfollowed.extend(effects.into_iter().filter_map(|effect| match effect {
            Effect::Unfollow(key) => Some(key.client_msg_id.to_string()),
            _ => None,
        }));
    }
    assert_eq!(unfollowed, ["1", "2"]);
}

#[test]
fn who_is_too_fast_waits_and_then_sends_one_and_one_more_with_each_that_is_stored() {
    let mut line = online();
    let mut flying: Vec<_> = (8..12).flat_map(|peer| sent(&send(&mut line, with(peer), "a", "text"))).collect();
    let last = flying.pop().expect("four").0;
    let too_fast = v1::Error { code: Code::RateLimited.into(), retry_after_ms: 50, ..v1::Error::default() };
    line.receive(last, Body::Error(too_fast));
    let began = line.now;
    // Other conversations wait too: it is the user who is too fast.
    for peer in 20..24 {
        assert_eq!(sent(&send(&mut line, with(peer), "a", "text")), []);
    }
    for (place, (request_id, _)) in flying.into_iter().enumerate() {
        assert_eq!(sent(&stored(&mut line, request_id, place as u64 + 1)), [], "the time has not come");
    }
    line.now = began + 50;
    let first = sent(&line.tell(Input::Tick));
    // Three were stored since.
    assert_eq!(first.len(), 4);
    for (request_id, _) in &first {
        line.receive(*request_id, error(Code::RateLimited));
    }
    line.now += 1_000;
    let again = sent(&line.tell(Input::Tick));
    assert_eq!(again.len(), 1);
    assert_eq!(sent(&stored(&mut line, again[0].0, 1)).len(), 2);
}
