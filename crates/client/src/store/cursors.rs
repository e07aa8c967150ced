//! How far named consumers have come in each conversation, and what lies behind a position.

use std::collections::BTreeMap;

use anser_proto::{ConversationId, v1};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{Store, StoreError, bounds::note_use, column, decode, meta, number, read_message};
use crate::{consumer::Start, history::History};

/// Row of a consumer that has seen the conversation list up to date: what comes into it later is read from its beginning.
const WHOLE_LIST: &str = "";

/// Messages behind a position, if they are here.
pub(crate) enum Behind {
    Here(History),
    /// Some of them are not: the oldest that is has this id, or 0 if none is.
    From(u64),
}

impl Store {
    /// Ascending; `more`: there are further ones here.
    pub(crate) async fn history_after(
        &self,
        conversation: ConversationId,
        position: u64,
        limit: u32,
    ) -> Result<Behind, StoreError> {
        self.run(move |connection| {
            note_use(connection, conversation)?;
            let id = conversation.to_string();
            let query = "SELECT low FROM conversations WHERE conversation_id = ?";
            let low = connection.query_row(query, [&id], |row| number(row, 0)).optional()?.unwrap_or(0);
            if low == 0 || low > position.saturating_add(1) {
                return Ok(Behind::From(low));
            }
            let mut rows = connection.prepare_cached(
                "SELECT message FROM messages WHERE conversation_id = ? AND server_msg_id > ?
                 ORDER BY server_msg_id LIMIT ?",
            )?;
            let rows = rows.query_map(params![id, column(position), limit + 1], |row| row.get::<_, Vec<u8>>(0))?;
            let messages = rows.map(|row| read_message(&row?));
            let mut messages = messages.collect::<Result<Vec<_>, StoreError>>()?;
            let more = messages.len() > limit as usize;
            messages.truncate(limit as usize);
            Ok(Behind::Here(History { messages, more }))
        })
        .await
    }

    /// Where the consumer is in each conversation in which there is more for it, and the log that this is about. What it has not looked
    /// at before begins where `start` says; with `whole` the list is up to date.
    pub(crate) async fn behind(
        &self,
        consumer: &str,
        start: Start,
        whole: bool,
    ) -> Result<(u64, BTreeMap<ConversationId, u64>), StoreError> {
        let consumer = consumer.to_owned();
        self.run(move |connection| {
            let transaction = connection.transaction()?;
            let saw_list = position(&transaction, &consumer, WHOLE_LIST)?.is_some();
            let mut behind = BTreeMap::new();
            for (id, high, session) in conversations(&transaction)? {
                let at = match position(&transaction, &consumer, &id)? {
                    Some(at) => at,
                    None => {
                        let begins = match start {
                            Start::Unread if !saw_list => session.read_mark,
                            Start::Unread | Start::Beginning => 0,
                        };
                        advance(&transaction, &consumer, &id, begins)?;
                        begins
                    }
                };
                if at < high {
                    behind.insert(id.parse().map_err(|_| StoreError::Damaged("a conversation id"))?, at);
                }
            }
            if whole {
                advance(&transaction, &consumer, WHOLE_LIST, 0)?;
            }
            let log_id = log_id(&transaction)?;
            transaction.commit()?;
            Ok((log_id, behind))
        })
        .await
    }

    /// The consumer is done with everything up to these positions, unless they are of another log than the present one.
    pub(crate) async fn advance(
        &self,
        consumer: &str,
        of_log: u64,
        positions: BTreeMap<ConversationId, u64>,
    ) -> Result<(), StoreError> {
        let consumer = consumer.to_owned();
        self.run(move |connection| {
            let transaction = connection.transaction()?;
            if log_id(&transaction)? == of_log {
                for (conversation, at) in positions {
                    advance(&transaction, &consumer, &conversation.to_string(), at)?;
                }
            }
            Ok(transaction.commit()?)
        })
        .await
    }
}

/// Each conversation with its last message that is kept.
fn conversations(connection: &Connection) -> Result<Vec<(String, u64, v1::Session)>, StoreError> {
    let mut rows = connection.prepare_cached("SELECT conversation_id, high, session FROM conversations")?;
    let rows = rows.query_map([], |row| Ok((row.get(0)?, number(row, 1)?, row.get::<_, Vec<u8>>(2)?)))?;
    rows.map(|row| {
        let (id, high, session) = row?;
        Ok((id, high, decode(&session, "a session")?))
    })
    .collect()
}

fn position(connection: &Connection, consumer: &str, conversation: &str) -> Result<Option<u64>, StoreError> {
    let mut row =
        connection.prepare_cached("SELECT position FROM cursors WHERE consumer = ? AND conversation_id = ?")?;
    Ok(row.query_row([consumer, conversation], |row| number(row, 0)).optional()?)
}

/// Never back.
fn advance(connection: &Connection, consumer: &str, conversation: &str, at: u64) -> Result<(), StoreError> {
    let mut upsert = connection.prepare_cached(
        "INSERT INTO cursors VALUES (?, ?, ?)
         ON CONFLICT DO UPDATE SET position = max(position, excluded.position)",
    )?;
    upsert.execute(params![consumer, conversation, column(at)])?;
    Ok(())
}

fn log_id(connection: &Connection) -> Result<u64, StoreError> {
    let positions = meta(connection, "positions")?.map(|bytes| decode::<v1::Positions>(&bytes, "the positions"));
    Ok(positions.transpose()?.unwrap_or_default().log_id)
}
