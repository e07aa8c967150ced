//! Samples of what is pinned, and of who reacted.

use anser_proto::v1::{
    ListPins, ListReactions, Message, MessageEvent, Notice, Pin, PinMessage, Pins, Reactions, ReactionsOfUser,
    ServerFrame, UnpinMessage, client_frame::Request, message, notice, server_frame::Body,
};

use crate::samples::{BIG, NOON_MS};

pub(crate) fn requests() -> Vec<Request> {
    let conversation_id = "single_1008_1009".to_owned();
    vec![
        Request::PinMessage(PinMessage {
            conversation_id: conversation_id.clone(),
            client_msg_id: "0190c2f0-pin".into(),
            server_msg_id: 12,
            client_time_ms: NOON_MS,
        }),
        Request::UnpinMessage(UnpinMessage {
            conversation_id: conversation_id.clone(),
            client_msg_id: "0190c2f0-unpin".into(),
            server_msg_id: BIG,
            client_time_ms: NOON_MS + 1,
        }),
        Request::ListPins(ListPins { conversation_id, before: BIG, limit: 50 }),
        Request::ListReactions(ListReactions {
            conversation_id: "group_3".into(),
            server_msg_id: 12,
            after: 1008,
            limit: 50,
        }),
    ]
}

pub(crate) fn answers() -> Vec<Body> {
    vec![
        Body::Pins(Pins {
            conversation_id: "single_1008_1009".into(),
            pins: vec![Pin { message: Some(pinned()), pinned_by: 1009 }],
            more: true,
        }),
        Body::Reactions(Reactions {
            users: vec![ReactionsOfUser { user_id: 1009, emojis: vec!["🪿".into(), "👍".into()] }],
            more: true,
        }),
    ]
}

/// A notice that tells of a pin, with what it pinned.
pub(crate) fn told() -> ServerFrame {
    let notice =
        Notice { kind: notice::Kind::Pinned.into(), operator_id: 1009, server_msg_id: 12, ..Notice::default() };
    let message = Message {
        conversation_id: "single_1008_1009".into(),
        server_msg_id: BIG,
        client_msg_id: "0190c2f0-pin".into(),
        from_id: 1009,
        r#type: message::Type::Notice.into(),
        notice: Some(notice),
        server_time_ms: NOON_MS,
        ..Message::default()
    };
    let event = MessageEvent { message: Some(message), mailbox_seq: 44, changed: vec![pinned()] };
    ServerFrame { request_id: 0, body: Some(Body::Message(event)) }
}

fn pinned() -> Message {
    Message {
        conversation_id: "single_1008_1009".into(),
        server_msg_id: 12,
        from_id: 1008,
        r#type: message::Type::Text.into(),
        content: "the pond at noon".into(),
        changed: BIG,
        pinned: BIG,
        ..Message::default()
    }
}
