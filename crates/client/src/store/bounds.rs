//! What makes room in the local store: which messages go so that it stays within its bounds. They can be had from the server again;
//! what cannot (what waits to be sent, marks, cursors) is never touched.
//!
//! Rules: a conversation loses its oldest messages, so that what is kept of it stays one stretch up to its newest, and `low` says where that
//! begins. Those whose history was not read for the longest time go first, and the newest page of each goes last.

use anser_proto::ConversationId;
use rusqlite::{Connection, params};

use super::{StoreError, column, number};
use crate::{client::now_ms, config::Bounds};

/// What a message takes beside its body: keys and pages that are not full, about.
const ROW_BYTES: u64 = 64;
/// Newest messages of a conversation that go only when nothing else is left.
const PAGE: u64 = 50;
/// How full a store is left that was too full: making room takes all conversations in order, which not each message shall.
const FILLED_PERCENT: u64 = 95;
/// Reading history again within this time is not worth a write, in milliseconds.
const USED_GRAIN_MS: u64 = 60_000;

/// Where what is kept of a conversation begins from now on.
pub(crate) type Evicted = Vec<(ConversationId, u64)>;

/// Messages of one conversation that were added, or dropped.
#[derive(Default)]
pub(super) struct Growth {
    messages: u64,
    bytes: u64,
}

impl Growth {
    pub(super) fn add(&mut self, body_bytes: usize) {
        self.messages += 1;
        self.bytes += ROW_BYTES + body_bytes as u64;
    }

    pub(super) fn note(&self, connection: &Connection, conversation: &str) -> Result<(), StoreError> {
        connection
            .prepare_cached(
                "INSERT INTO usage VALUES (?, ?, ?, 0)
                 ON CONFLICT DO UPDATE SET messages = messages + excluded.messages, bytes = bytes + excluded.bytes",
            )?
            .execute(params![conversation, column(self.messages), column(self.bytes)])?;
        Ok(())
    }
}

/// A message takes another number of bytes now.
pub(super) fn note_replaced(
    connection: &Connection,
    conversation: &str,
    before: usize,
    now: usize,
) -> Result<(), StoreError> {
    let mut update =
        connection.prepare_cached("UPDATE usage SET bytes = bytes + ?2 - ?3 WHERE conversation_id = ?1")?;
    update.execute(params![conversation, column(now as u64), column(before as u64)])?;
    Ok(())
}

/// Counts anew what is kept of it.
pub(super) fn measure(connection: &Connection, conversation: &str) -> Result<(), StoreError> {
    let mut update = connection.prepare_cached(
        "UPDATE usage SET (messages, bytes) = (
             SELECT count(*), coalesce(sum(length(message) + ?2), 0) FROM messages WHERE conversation_id = ?1
         ) WHERE conversation_id = ?1",
    )?;
    update.execute(params![conversation, column(ROW_BYTES)])?;
    Ok(())
}

/// Somebody reads what is kept of it.
pub(super) fn note_use(connection: &Connection, conversation: ConversationId) -> Result<(), StoreError> {
    let now = now_ms();
    let mut update =
        connection.prepare_cached("UPDATE usage SET used_ms = ?2 WHERE conversation_id = ?1 AND used_ms < ?3")?;
    update.execute(params![conversation.to_string(), column(now), column(now.saturating_sub(USED_GRAIN_MS))])?;
    Ok(())
}

/// Drops what is beyond the bounds, and tells what is left.
pub(super) fn evict(connection: &Connection, bounds: Bounds) -> Result<Evicted, StoreError> {
    let mut evicted = Evicted::new();
    let mut too_long = connection.prepare_cached("SELECT conversation_id, messages FROM usage WHERE messages > ?")?;
    // As large as a column can be: without a bound nothing is beyond it.
    let most = bounds.messages_max.min(i64::MAX.cast_unsigned());
    let rows = too_long.query_map([column(most)], |row| Ok((row.get::<_, String>(0)?, number(row, 1)?)))?;
    for (conversation, messages) in rows.collect::<Result<Vec<_>, _>>()? {
        let by_count = |gone: &Growth| gone.messages >= messages - most;
        drop_oldest(connection, &conversation, messages - most, by_count, &mut evicted)?;
    }
    let mut total = connection.prepare_cached("SELECT coalesce(sum(bytes), 0) FROM usage")?;
    let total = total.query_row([], |row| number(row, 0))?;
    if total <= bounds.bytes_max {
        return Ok(evicted);
    }
    let mut excess = total - bounds.bytes_max / 100 * FILLED_PERCENT;
    for spared in [PAGE, 0] {
        let mut longest_unused = connection.prepare_cached(
            "SELECT conversation_id, messages FROM usage LEFT JOIN conversations USING (conversation_id)
             WHERE messages > ? ORDER BY used_ms, last_ms",
        )?;
        // All are in order before the first is told: what is dropped meanwhile changes nothing of it.
        let mut rows = longest_unused.query([column(spared)])?;
        while excess > 0
            && let Some(row) = rows.next()?
        {
            let (conversation, messages) = (row.get::<_, String>(0)?, number(row, 1)?);
            let by_bytes = |gone: &Growth| gone.bytes >= excess;
            excess -= drop_oldest(connection, &conversation, messages - spared, by_bytes, &mut evicted)?.min(excess);
        }
    }
    Ok(evicted)
}

/// Drops messages from the oldest on, at most so many, until it is enough; tells their bytes.
fn drop_oldest(
    connection: &Connection,
    conversation: &str,
    most: u64,
    is_enough: impl Fn(&Growth) -> bool,
    evicted: &mut Evicted,
) -> Result<u64, StoreError> {
    let mut oldest = connection.prepare_cached(
        "SELECT server_msg_id, length(message) FROM messages WHERE conversation_id = ? ORDER BY server_msg_id LIMIT ?",
    )?;
    let mut rows = oldest.query(params![conversation, column(most)])?;
    let (mut gone, mut last) = (Growth::default(), None);
    while let Some(row) = rows.next()?.filter(|_| !is_enough(&gone)) {
        last = Some(number(row, 0)?);
        gone.add(number(row, 1)? as usize);
    }
    let Some(last) = last else { return Ok(0) };
    let low = last + 1;
    connection
        .prepare_cached("DELETE FROM messages WHERE conversation_id = ? AND server_msg_id < ?")?
        .execute(params![conversation, column(low)])?;
    connection
        .prepare_cached("UPDATE usage SET messages = messages - ?2, bytes = bytes - ?3 WHERE conversation_id = ?1")?
        .execute(params![conversation, column(gone.messages), column(gone.bytes)])?;
    connection
        .prepare_cached("UPDATE conversations SET low = max(low, ?2) WHERE conversation_id = ?1")?
        .execute(params![conversation, column(low)])?;
    evicted.push((conversation.parse().map_err(|_| StoreError::Damaged("a conversation id"))?, low));
    Ok(gone.bytes)
}
