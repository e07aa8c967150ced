//! Which unread messages name the user: by what is pushed, and by the server's row where that alone knows.

use anser_client::{
    ConversationId, Mentions, UserId,
    engine::{Change, Credential, Effect, Input, Kept, Saved},
};
use anser_proto::v1;
use v1::{message::State, server_frame::Body};

use crate::line::{Line, line, request};

const ME: u64 = 7;

/// Nobody, all of a group, or some, in turn.
pub(crate) fn in_turn(number: u64, id: ConversationId) -> Mentions {
    match number % 5 {
        0 if matches!(id, ConversationId::Group(_)) => Mentions::all(),
        2 => Mentions::of([UserId(1), UserId(3)]),
        3 => Mentions::of([UserId(2)]),
        _ => Mentions::default(),
    }
}

fn ours() -> ConversationId {
    ConversationId::single(UserId(ME), UserId(8))
}

/// The eighth user's; each counts.
fn message(id: u64) -> v1::Message {
    let (conversation_id, r#type) = (ours().to_string(), v1::message::Type::Text.into());
    let client_msg_id = id.to_string();
    let said = v1::Message { conversation_id, server_msg_id: id, client_msg_id, r#type, ..Default::default() };
    v1::Message { from_id: 8, count: id, content: "text".into(), ..said }
}

fn naming(id: u64, user: u64) -> v1::Message {
    v1::Message { mentions: Some(v1::Mentions { user_ids: vec![user], all: false }), ..message(id) }
}

fn naming_all(id: u64) -> v1::Message {
    v1::Message { mentions: Some(v1::Mentions { user_ids: vec![], all: true }), ..message(id) }
}

/// Unread are all but so many; of these `mentions` name the user, the first at `mentioned_at`.
fn row(head: u64, (mentions, mentioned_at): (u64, u64), mailbox_seq: u64) -> v1::Session {
    let (conversation_id, peer) = (ours().to_string(), Some(v1::User::default()));
    v1::Session { conversation_id, peer, head, unread: head, mentions, mentioned_at, mailbox_seq, ..Default::default() }
}

fn receive_row(line: &mut Line, row: v1::Session) -> Vec<Effect> {
    line.receive(0, Body::SessionChanged(v1::SessionChanged { session: Some(row) }))
}

/// Of the log up to `head` the messages from `first` on are here.
fn with_messages(row: v1::Session, first: u64, messages: Vec<v1::Message>) -> Line {
    let mut line = line();
    line.log_in_with(1_000_000);
    let head = row.head;
    let pull = request(&receive_row(&mut line, row));
    let (conversation_id, after) = (ours().to_string(), first - 1);
    let page =
        v1::Messages { conversation_id, messages, after, through: head, head, more: after > 0, ..Default::default() };
    line.receive(pull.request_id, Body::Messages(page));
    line
}

fn push(line: &mut Line, message: v1::Message) {
    line.receive(0, Body::Message(v1::MessageEvent { message: Some(message), mailbox_seq: 0, ..Default::default() }));
}

fn change(line: &mut Line, entry: u64, message: v1::Message) {
    let (conversation_id, changed) = (ours().to_string(), vec![v1::Message { changed: entry, ..message }]);
    let event =
        v1::MessagesChanged { conversation_id, after: entry - 1, through: entry, changed, ..Default::default() };
    line.receive(0, Body::MessagesChanged(event));
}

fn kept(line: &Line) -> Kept {
    let kept = line.changes.iter().rev().find_map(|change| match change {
        Change::Conversation(kept) => Some((**kept).clone()),
        _ => None,
    });
    kept.expect("it was kept")
}

fn mentions(line: &Line) -> (u64, u64) {
    let session = kept(line).session;
    (session.mentions, session.mentioned_at)
}

fn read(line: &mut Line, server_msg_id: u64) {
    line.tell(Input::MarkRead { conversation: ours(), server_msg_id, count: Some(server_msg_id) });
}

fn block(line: &mut Line, mailbox_seq: u64, since_ms: u64) {
    let user = Some(v1::User { user_id: 8, ..Default::default() });
    let now = Some(v1::change::Now::Blocked(v1::Blocked { user, since_ms }));
    line.receive(0, Body::Changed(v1::Changed { changes: vec![v1::Change { mailbox_seq, now }] }));
}

#[test]
fn what_is_pushed_and_names_the_user_is_a_mention_until_it_is_read() {
    let mut line = with_messages(row(1, (0, 0), 1), 1, vec![message(1)]);
    push(&mut line, naming(2, ME));
    push(&mut line, naming(3, 9));
    push(&mut line, naming_all(4));
    let uncounted = Some(v1::Settings { uncounted: true });
    push(&mut line, v1::Message { settings: uncounted, count: 4, ..naming(5, ME) });
    assert_eq!(mentions(&line), (2, 2));
    push(&mut line, naming(2, ME));
    assert_eq!(mentions(&line), (2, 2), "the same push again");
    read(&mut line, 2);
    assert_eq!(mentions(&line), (1, 4));
    read(&mut line, 5);
    assert_eq!(mentions(&line), (0, 0));
}

#[test]
fn an_added_mention_counts_and_one_of_a_deleted_message_does_not() {
    let mut line = with_messages(row(2, (0, 0), 1), 1, vec![message(1), message(2)]);
    change(&mut line, 3, naming(1, ME));
    assert_eq!(mentions(&line), (1, 1));
    change(&mut line, 4, message(1));
    assert_eq!(mentions(&line), (0, 0));
    change(&mut line, 3, naming(1, ME));
    assert_eq!(mentions(&line), (0, 0), "an older state comes late");
    change(&mut line, 5, naming_all(2));
    change(&mut line, 6, v1::Message { state: State::Recalled.into(), ..message(2) });
    assert_eq!(mentions(&line), (0, 0));
}

#[test]
fn what_lies_before_the_first_page_is_counted_by_the_servers_row() {
    let newest = vec![naming(8, ME), message(9), message(10)];
    let mut line = with_messages(row(10, (3, 2), 1), 8, newest);
    assert_eq!(mentions(&line), (3, 2));
    push(&mut line, naming(11, ME));
    change(&mut line, 12, message(8));
    assert_eq!(mentions(&line), (3, 2), "two before the page, and the last one");
    read(&mut line, 1);
    assert_eq!(mentions(&line), (3, 2), "none of them lies so early");
    read(&mut line, 10);
    assert_eq!(mentions(&line), (1, 11));
}

#[test]
fn mentions_are_known_again_after_a_restart() {
    let mut line = with_messages(row(10, (2, 2), 1), 9, vec![naming(9, ME), message(10)]);
    push(&mut line, naming(11, ME));
    let saved = Saved { conversations: vec![kept(&line)], log_id: 1, ..Saved::default() };
    let mut line = Line::restored(Credential::Token("token".into()), saved);
    line.log_in_with(1_000_000);
    push(&mut line, message(12));
    assert_eq!(mentions(&line), (3, 2));
    read(&mut line, 9);
    assert_eq!(mentions(&line), (1, 11));
}

#[test]
fn whom_the_user_blocked_names_nobody() {
    let mut line = with_messages(row(1, (0, 0), 1), 1, vec![message(1)]);
    push(&mut line, naming(2, ME));
    block(&mut line, 5, 99);
    assert_eq!(mentions(&line), (0, 0));
    push(&mut line, naming(3, ME));
    assert_eq!(mentions(&line), (0, 0));
    block(&mut line, 6, 0);
    assert_eq!(mentions(&line), (2, 2));
    block(&mut line, 5, 99);
    assert_eq!(mentions(&line), (2, 2), "old news");

    let saved = Saved { conversations: vec![kept(&line)], blocked: vec![UserId(8)], log_id: 1, ..Saved::default() };
    let mut line = Line::restored(Credential::Token("token".into()), saved);
    line.log_in_with(1_000_000);
    push(&mut line, message(4));
    assert_eq!(mentions(&line), (0, 0));
}
