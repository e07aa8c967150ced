//! The messages that are kept: each in the newest state that was told of it.

use std::{collections::HashMap, sync::Arc};

use anser_proto::{ConversationId, v1};
use prost::Message as _;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{
    StoreError,
    bounds::{self, Growth},
    column, decode,
};

/// One state of one message.
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Version {
    conversation_id: String,
    server_msg_id: u64,
    changed: u64,
}

impl Version {
    pub(crate) fn of(message: &v1::Message) -> Self {
        let (server_msg_id, changed) = (message.server_msg_id, message.changed);
        Self { conversation_id: message.conversation_id.clone(), server_msg_id, changed }
    }
}

/// States that took the place of older ones, as they are kept.
pub(crate) type Replaced = HashMap<Version, v1::Message>;

/// Of one conversation. What is there already stays, and what was hidden stays away.
pub(super) fn add(connection: &Connection, messages: &[Arc<v1::Message>]) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(
        "INSERT OR IGNORE INTO messages SELECT ?1, ?2, ?3, ?4, ?5
         WHERE NOT EXISTS (SELECT 1 FROM hidden WHERE conversation_id = ?1 AND server_msg_id = ?2)",
    )?;
    let mut growth = Growth::default();
    for message in messages {
        let (id, count, changed) = (column(message.server_msg_id), column(message.count), column(message.changed));
        let body = message.encode_to_vec();
        if insert.execute(params![message.conversation_id, id, count, body, changed])? > 0 {
            growth.add(body.len());
        }
    }
    match messages.first() {
        Some(message) => growth.note(connection, &message.conversation_id),
        None => Ok(()),
    }
}

/// Each in place of an older state, if there is one.
pub(super) fn replace(
    connection: &Connection,
    messages: Vec<Arc<v1::Message>>,
    replaced: &mut Replaced,
) -> Result<(), StoreError> {
    let mut update = connection.prepare_cached(
        "UPDATE messages SET message = ?3, changed = ?4 WHERE conversation_id = ?1 AND server_msg_id = ?2",
    )?;
    for message in messages {
        let Some(before) = read(connection, &message.conversation_id, message.server_msg_id)? else { continue };
        if before.changed >= message.changed {
            continue;
        }
        let mut message = Arc::unwrap_or_clone(message);
        keep_own_reactions(&mut message, &before);
        let body = message.encode_to_vec();
        bounds::note_replaced(connection, &message.conversation_id, before.encoded_len(), body.len())?;
        let (id, changed) = (column(message.server_msg_id), column(message.changed));
        update.execute(params![message.conversation_id, id, body, changed])?;
        replaced.insert(Version::of(&message), message);
    }
    Ok(())
}

/// A push is the same for all, and names no more than the first who reacted.
fn keep_own_reactions(message: &mut v1::Message, before: &v1::Message) {
    for reaction in &mut message.reactions {
        let names_all = reaction.user_ids.len() as u64 == u64::from(reaction.count);
        let was_mine = before.reactions.iter().any(|before| before.emoji == reaction.emoji && before.mine);
        reaction.mine |= was_mine && !names_all;
    }
}

/// It may come once more, by a page or a push that was on its way.
pub(super) fn hide(connection: &Connection, hidden: &v1::Hidden) -> Result<(), StoreError> {
    let key = params![hidden.conversation_id, column(hidden.server_msg_id)];
    connection.prepare_cached("INSERT OR IGNORE INTO hidden VALUES (?, ?)")?.execute(key)?;
    let delete = "DELETE FROM messages WHERE conversation_id = ? AND server_msg_id = ?";
    match connection.prepare_cached(delete)?.execute(key)? {
        0 => Ok(()),
        _ => bounds::measure(connection, &hidden.conversation_id),
    }
}

pub(super) fn drop_before(
    connection: &Connection,
    conversation: ConversationId,
    before: u64,
) -> Result<(), StoreError> {
    let id = conversation.to_string();
    connection
        .prepare_cached("DELETE FROM messages WHERE conversation_id = ? AND server_msg_id < ?")?
        .execute(params![id, column(before)])?;
    bounds::measure(connection, &id)
}

pub(super) fn read(connection: &Connection, conversation: &str, id: u64) -> Result<Option<v1::Message>, StoreError> {
    let query = "SELECT message FROM messages WHERE conversation_id = ? AND server_msg_id = ?";
    let mut row = connection.prepare_cached(query)?;
    let bytes = row.query_row(params![conversation, column(id)], |row| row.get::<_, Vec<u8>>(0)).optional()?;
    bytes.map(|bytes| decode(&bytes, "a message")).transpose()
}
