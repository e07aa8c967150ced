//! What waits to be sent, and what the server refused for ever.

use anser_proto::v1::{self, client_frame::Request};
use prost::Message as _;
use rusqlite::{Connection, params};

use super::{StoreError, decode};
use crate::{
    engine::{MessageKey, Queued},
    view::Refusal,
};

/// In the order in which it was queued.
pub(super) fn read_outgoing(connection: &Connection) -> Result<Vec<Queued>, StoreError> {
    let mut rows =
        connection.prepare_cached("SELECT request, is_frame, refused, transmitted FROM outgoing ORDER BY place")?;
    let rows = rows.query_map([], |row| {
        Ok((row.get::<_, Vec<u8>>(0)?, row.get(1)?, row.get::<_, Option<Vec<u8>>>(2)?, row.get(3)?))
    })?;
    rows.map(|row| {
        let (request, is_frame, refused, transmitted) = row?;
        let request = match is_frame {
            true => decode::<v1::ClientFrame>(&request, "what is queued")?.request,
            false => Some(Request::Send(decode(&request, "a queued message")?)),
        };
        let queued = request.and_then(Queued::from_request).ok_or(StoreError::Damaged("what is queued"))?;
        let refused = refused.map(|error| decode::<v1::Error>(&error, "an error")).transpose()?.map(Refusal::from);
        Ok(Queued { transmitted, refused, ..queued })
    })
    .collect()
}

pub(super) fn put(connection: &Connection, queued: &Queued) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO outgoing (conversation_id, client_msg_id, request, is_frame, refused, transmitted)
         VALUES (?, ?, ?, 1, ?, ?)
         ON CONFLICT (client_msg_id, conversation_id) DO UPDATE SET refused = excluded.refused",
    )?;
    let refused = queued.refused.clone().map(|refusal| v1::Error::from(refusal).encode_to_vec());
    let frame = v1::ClientFrame { request_id: 0, request: Some(queued.to_request()) };
    let (conversation, id) = (queued.conversation.to_string(), queued.client_msg_id.as_str());
    insert.execute(params![conversation, id, frame.encode_to_vec(), refused, queued.transmitted])?;
    Ok(())
}

pub(super) fn note_transmitted(connection: &Connection, key: &MessageKey) -> Result<(), StoreError> {
    let mut update = connection
        .prepare_cached("UPDATE outgoing SET transmitted = 1 WHERE client_msg_id = ? AND conversation_id = ?")?;
    update.execute([key.client_msg_id.as_str(), &key.conversation.to_string()])?;
    Ok(())
}

pub(super) fn remove(connection: &Connection, key: &MessageKey) -> Result<(), StoreError> {
    let mut delete =
        connection.prepare_cached("DELETE FROM outgoing WHERE client_msg_id = ? AND conversation_id = ?")?;
    delete.execute([key.client_msg_id.as_str(), &key.conversation.to_string()])?;
    Ok(())
}
