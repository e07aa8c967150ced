//! How marks are told to a server that has no time.

use anser_client::{
    ConversationId, GroupId,
    engine::{Effect, Input},
};
use anser_proto::v1;
use v1::{client_frame::Request, error::Code, server_frame::Body};

use crate::line::{Line, error, line, request};

fn mark_read(line: &mut Line, server_msg_id: u64) -> Vec<Effect> {
    let conversation = ConversationId::Group(GroupId(3));
    line.tell(Input::MarkRead { conversation, server_msg_id, count: None })
}

/// Request id of the mark that is told after at most so long.
fn told(line: &mut Line, within_ms: u64) -> u32 {
    line.now += within_ms;
    let frame = request(&line.tell(Input::Tick));
    assert!(matches!(frame.request, Some(Request::MarkRead(_))), "{frame:?}");
    frame.request_id
}

#[test]
fn the_waits_of_marks_begin_anew_after_one_was_taken() {
    let mut line = line();
    line.log_in_with(1_000_000);
    let name = ConversationId::Group(GroupId(3)).to_string();
    let session = v1::Session {
        conversation_id: name.clone(),
        head: 2,
        mailbox_seq: 1,
        group: Some(v1::Group::default()),
        ..v1::Session::default()
    };
    let pull = request(&line.receive(0, Body::SessionChanged(v1::SessionChanged { session: Some(session) })));
    let message = |server_msg_id| v1::Message {
        conversation_id: name.clone(),
        server_msg_id,
        count: server_msg_id,
        ..v1::Message::default()
    };
    let messages = vec![message(1), message(2)];
    let all = v1::Messages { conversation_id: name.clone(), messages, head: 2, ..v1::Messages::default() };
    line.receive(pull.request_id, Body::Messages(all));
    let mut asked = request(&mark_read(&mut line, 1)).request_id;
    for _ in 0..10 {
        line.receive(asked, error(Code::Overloaded));
        asked = told(&mut line, 20_000);
    }
    line.receive(asked, Body::Marked(v1::Marked { read_mark: 1, delivered_mark: 1, unread: 1, mailbox_seq: 0 }));
    let asked = request(&mark_read(&mut line, 2)).request_id;
    line.receive(asked, error(Code::Overloaded));
    told(&mut line, 500);
}
