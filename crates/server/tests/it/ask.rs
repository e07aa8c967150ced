//! Requests about pins and reactions, for whoever asks.

use anser_proto::v1::{self, client_frame::Request};

pub fn pin(conversation_id: &str, id: &str, place: u64) -> Request {
    let (conversation_id, client_msg_id) = (conversation_id.into(), id.into());
    Request::PinMessage(v1::PinMessage { conversation_id, client_msg_id, server_msg_id: place, client_time_ms: 5 })
}

pub fn unpin(conversation_id: &str, id: &str, place: u64) -> Request {
    let (conversation_id, client_msg_id) = (conversation_id.into(), id.into());
    Request::UnpinMessage(v1::UnpinMessage { conversation_id, client_msg_id, server_msg_id: place, client_time_ms: 5 })
}

pub fn list_pins(conversation_id: &str) -> Request {
    Request::ListPins(v1::ListPins { conversation_id: conversation_id.into(), ..Default::default() })
}

pub fn list_reactions(conversation_id: &str, place: u64) -> Request {
    let conversation_id = conversation_id.into();
    Request::ListReactions(v1::ListReactions { conversation_id, server_msg_id: place, ..Default::default() })
}
