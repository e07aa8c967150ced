//! Reading logs: stretches, and single messages by their place, each from the reader's own tables.

use std::{str::FromStr as _, sync::Arc};

use anser_proto::{ClientMsgId, ConversationId, GroupId, UserId};
use rusqlite::{Connection, OptionalExtension as _, Row};

use super::{
    columns::{bound, int, number, prepare, user},
    session::visible_head,
};
use crate::{Error, LogPage, Message, Sender, Stretch};

/// Reads columns of one message out of the reader's own tables.
pub(super) fn at_place<T>(
    db: &Connection,
    shards: u32,
    reader: UserId,
    conversation: ConversationId,
    place: u64,
    columns: &str,
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Option<T>> {
    let shard = |id: u64| id % u64::from(shards);
    let (sql, owner, peer) = match conversation {
        ConversationId::Group(group) => {
            let shard = shard(group.0);
            let sql =
                format!("SELECT {columns} FROM im_message_recv_{shard} WHERE group_id = ?2 AND server_msg_id = ?3");
            (sql, reader.0, group.0)
        }
        ConversationId::Single { small, big } => {
            let (shard, peer) = (shard(reader.0), if reader == small { big } else { small });
            let sql = format!(
                "SELECT {columns} FROM im_message_send_{shard} WHERE from_id = ?1 AND to_id = ?2 AND server_msg_id = ?3
                 UNION ALL
                 SELECT {columns} FROM im_message_recv_{shard} WHERE to_id = ?1 AND from_id = ?2 AND server_msg_id = ?3
                 LIMIT 1"
            );
            (sql, reader.0, peer.0)
        }
    };
    prepare(db, &sql)?.query_row((int(owner), int(peer), int(place)), read).optional()
}

/// The count of a message; 0 before the first.
pub(super) fn count_at(
    db: &Connection,
    shards: u32,
    reader: UserId,
    conversation: ConversationId,
    place: u64,
) -> rusqlite::Result<u64> {
    Ok(at_place(db, shards, reader, conversation, place, "count", |row| number(row, 0))?.unwrap_or(0))
}

const COLUMNS: &str = "server_msg_id, client_msg_id, from_id, from_nickname, from_platform, from_device_id, type, content, \
                       attachment, client_time_ms, server_time_ms, count, counted";

/// A stretch of ids, bounds excluded, as it is in the statement that reads it.
#[derive(Clone, Copy)]
struct Between {
    after: i64,
    before: i64,
    direction: &'static str,
}

pub(super) fn read_log(
    db: &Connection,
    shards: u32,
    reader: UserId,
    conversation: ConversationId,
    stretch: Stretch,
) -> Result<LogPage, Error> {
    if matches!(conversation, ConversationId::Single { .. }) {
        conversation.peer_of(reader).ok_or(Error::NotMember)?;
    }
    let head = visible_head(db, shards, reader, conversation)?.ok_or(Error::NotMember)?.server_msg_id;
    let before = if stretch.before == 0 { i64::MAX } else { bound(stretch.before) };
    let direction = if stretch.after.is_none() { "DESC" } else { "ASC" };
    let between = Between { after: bound(stretch.after.unwrap_or(0)), before, direction };
    let mut leaf = Leaf {
        conversation,
        room: stretch.limit.max(1) as usize,
        bytes: 0,
        bytes_max: stretch.bytes_max,
        page: Vec::new(),
    };
    let more = match conversation {
        ConversationId::Single { .. } => leaf.read_single(db, shards, reader, between)?,
        ConversationId::Group(group) => leaf.read_group(db, shards, group, reader, between)?,
    };
    let mut messages = leaf.page;
    if stretch.after.is_none() {
        messages.reverse();
    }
    Ok(LogPage { messages, more, head })
}

/// A page that is being filled. To tell whether there is more, one message more than fits is looked at.
struct Leaf {
    conversation: ConversationId,
    /// For how many messages more.
    room: usize,
    bytes: usize,
    bytes_max: usize,
    page: Vec<Message>,
}

impl Leaf {
    /// The zipper merge: the user's own two tables, both in order of ids by their indexes, are read side by side. What they
    /// wrote to themselves is in both; one is enough.
    fn read_single(&mut self, db: &Connection, shards: u32, owner: UserId, between: Between) -> rusqlite::Result<bool> {
        let peer = self.conversation.peer_of(owner).unwrap_or(owner);
        let (shard, Between { after, before, direction }) = (owner.0 % u64::from(shards), between);
        let bounds = "server_msg_id > ?3 AND server_msg_id < ?4";
        let sent =
            format!("SELECT {COLUMNS} FROM im_message_send_{shard} WHERE from_id = ?1 AND to_id = ?2 AND {bounds}");
        let received = match owner == peer {
            true => String::new(),
            false => format!(
                "UNION ALL SELECT {COLUMNS} FROM im_message_recv_{shard} WHERE to_id = ?1 AND from_id = ?2 AND {bounds}"
            ),
        };
        let sql = format!("{sent} {received} ORDER BY server_msg_id {direction} LIMIT ?5");
        self.fill(db, &sql, [int(owner.0), int(peer.0), after, before, self.room as i64 + 1])
    }

    /// Stay by stay, so that each is a stretch of the index, until the page is full.
    fn read_group(
        &mut self,
        db: &Connection,
        shards: u32,
        group: GroupId,
        reader: UserId,
        between: Between,
    ) -> rusqlite::Result<bool> {
        let (shard, Between { after, before, direction }) = (group.0 % u64::from(shards), between);
        let stays = format!(
            "SELECT joined, left_at FROM im_group_member WHERE group_id = ?1 AND user_id = ?2 AND joined < ?4
                 AND (left_at IS NULL OR left_at > ?3) ORDER BY joined {direction}"
        );
        let log = format!(
            "SELECT {COLUMNS} FROM im_message_recv_{shard}
             WHERE group_id = ?1 AND server_msg_id > ?2 AND server_msg_id < ?3 ORDER BY server_msg_id {direction} LIMIT ?4"
        );
        let mut stays = prepare(db, &stays)?;
        let mut stays = stays.query((int(group.0), int(reader.0), after, before))?;
        while let Some(stay) = stays.next()? {
            let (joined, left_at): (i64, Option<i64>) = (stay.get(0)?, stay.get(1)?);
            let behind_it = left_at.map_or(i64::MAX, |left_at| left_at + 1);
            let bounds = [int(group.0), after.max(joined - 1), before.min(behind_it), self.room as i64 + 1];
            if self.fill(db, &log, bounds)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Tells whether there was a message that did not fit.
    fn fill<const N: usize>(&mut self, db: &Connection, sql: &str, params: [i64; N]) -> rusqlite::Result<bool> {
        let mut statement = prepare(db, sql)?;
        let mut rows = statement.query(rusqlite::params_from_iter(params))?;
        while let Some(row) = rows.next()? {
            if self.room == 0 || (self.bytes >= self.bytes_max && !self.page.is_empty()) {
                return Ok(true);
            }
            let message = message(row, self.conversation)?;
            self.bytes += message.body_bytes();
            self.room -= 1;
            self.page.push(message);
        }
        Ok(false)
    }
}

/// A row of [`COLUMNS`].
fn message(row: &Row<'_>, conversation: ConversationId) -> rusqlite::Result<Message> {
    let client_msg_id = row.get_ref(1)?.as_str()?;
    let client_msg_id = ClientMsgId::from_str(client_msg_id)
        .map_err(|bad| rusqlite::Error::FromSqlConversionFailure(1, rusqlite::types::Type::Text, Box::new(bad)))?;
    let from = Sender {
        user: user(row, 2)?,
        nickname: Arc::from(row.get_ref(3)?.as_str()?),
        platform: row.get(4)?,
        device_id: Arc::from(row.get_ref(5)?.as_str()?),
    };
    Ok(Message {
        conversation,
        server_msg_id: number(row, 0)?,
        client_msg_id,
        from,
        kind: row.get(6)?,
        content: Arc::from(row.get_ref(7)?.as_str()?),
        attachment: bytes::Bytes::copy_from_slice(row.get_ref(8)?.as_blob()?),
        client_time_ms: number(row, 9)?,
        server_time_ms: number(row, 10)?,
        count: number(row, 11)?,
        counted: row.get(12)?,
    })
}
