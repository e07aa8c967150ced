//! Frames about whom messages name.

use anser_proto::v1::{
    ClientFrame, Edit, Mentions, Message, MessageEvent, Send, ServerFrame, Session, SessionChanged,
    client_frame::Request, edit, server_frame::Body,
};

use super::{BIG, send, text_message};

pub(crate) fn requests() -> [(&'static str, ClientFrame); 2] {
    let edit = Edit {
        conversation_id: "group_3".into(),
        client_msg_id: "0190c2f0-edit".into(),
        target: Some(edit::Target::ServerMsgId(12)),
        content: "all of you".into(),
        mentions: Some(Mentions { user_ids: Vec::new(), all: true }),
        ..Edit::default()
    };
    let named = Send { content: "geese, @bob".into(), mentions: Some(both()), ..send() };
    [("send-mentions", Request::Send(named)), ("edit-mentions", Request::Edit(edit))]
        .map(|(name, request)| (name, ClientFrame { request_id: 1, request: Some(request) }))
}

pub(crate) fn events() -> [(&'static str, ServerFrame); 2] {
    let message = Message { mentions: Some(both()), ..text_message() };
    let session = Session { conversation_id: "group_3".into(), mentions: 2, mentioned_at: BIG, ..Session::default() };
    [
        (
            "message-mentions",
            Body::Message(MessageEvent { message: Some(message), mailbox_seq: 42, ..MessageEvent::default() }),
        ),
        ("session_changed-mentions", Body::SessionChanged(SessionChanged { session: Some(session) })),
    ]
    .map(|(name, body)| (name, ServerFrame { request_id: 0, body: Some(body) }))
}

fn both() -> Mentions {
    Mentions { user_ids: vec![1009, BIG], all: true }
}
