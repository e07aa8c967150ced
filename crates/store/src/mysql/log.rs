//! Reading a log as somebody may see it.

use anser_proto::{ClientMsgId, ConversationId, GroupId, UserId};
use mysql_async::{Conn, Params, Row, prelude::Queryable as _};

use super::{
    columns::{get, text, user},
    fault::Fault,
    session::visible_head,
};
use crate::{Error, LogPage, Message, Sender, Stretch};

const COLUMNS: &str =
    "server_msg_id, client_msg_id, from_id, from_nickname, from_platform, from_device_id, type, content,
                       attachment, client_time_ms, server_time_ms, count, counted";

/// What a reader asked for and may see: stretches of the log, bounds included, in the order in which they are read.
pub(super) struct Plan {
    reader: UserId,
    conversation: ConversationId,
    /// The last message that they may see.
    head: u64,
    ranges: Vec<(u64, u64)>,
    direction: &'static str,
    limit: u32,
    bytes_max: usize,
}

/// Where the log and the reader's stays in it are known without a doubt.
pub(super) async fn plan(
    db: &mut Conn,
    shards: u32,
    reader: UserId,
    conversation: ConversationId,
    stretch: Stretch,
) -> Result<Plan, Fault> {
    if matches!(conversation, ConversationId::Single { .. }) && conversation.peer_of(reader).is_none() {
        return Err(Error::NotMember.into());
    }
    let head = visible_head(db, shards, reader, conversation).await?.ok_or(Error::NotMember)?.server_msg_id;
    let first = stretch.after.unwrap_or(0).saturating_add(1);
    let last = stretch.before.wrapping_sub(1).min(head);
    let direction = if stretch.after.is_none() { "DESC" } else { "ASC" };
    let stays = match conversation {
        ConversationId::Single { .. } => vec![(1, None)],
        ConversationId::Group(group) => {
            let sql = format!(
                "SELECT joined, left_at FROM im_group_member WHERE group_id = ? AND user_id = ? ORDER BY joined {direction}"
            );
            db.exec::<(u64, Option<u64>), _, _>(sql, (group.0, reader.0)).await?
        }
    };
    let ranges = stays.into_iter().map(|(joined, left_at)| (first.max(joined), last.min(left_at.unwrap_or(last))));
    let ranges = ranges.filter(|(first, last)| first <= last).collect();
    Ok(Plan {
        reader,
        conversation,
        head,
        ranges,
        direction,
        limit: stretch.limit.max(1),
        bytes_max: stretch.bytes_max,
    })
}

pub(super) async fn read_log(
    db: &mut Conn,
    shards: u32,
    reader: UserId,
    conversation: ConversationId,
    stretch: Stretch,
) -> Result<LogPage, Fault> {
    plan(db, shards, reader, conversation, stretch).await?.read(db, shards).await
}

impl Plan {
    pub(super) async fn read(&self, db: &mut Conn, shards: u32) -> Result<LogPage, Fault> {
        let mut leaf = Leaf { room: self.limit as usize, bytes: 0, bytes_max: self.bytes_max, page: Vec::new() };
        let mut more = false;
        for (first, last) in &self.ranges {
            let (sql, params) = self.select(shards, *first, *last, leaf.room as u64 + 1);
            more = leaf.fill(db, self.conversation, &sql, params).await?;
            if more {
                break;
            }
        }
        let mut messages = leaf.page;
        if self.direction == "DESC" {
            messages.reverse();
        }
        Ok(LogPage { messages, more, head: self.head })
    }

    /// Whether the page is what the plan asks for. Ids have no holes, so that a database which lags behind is found out: what
    /// it lacks is missing from the row.
    pub(super) fn is_fulfilled_by(&self, page: &LogPage) -> bool {
        let descends = self.direction == "DESC";
        let ids = self.ranges.iter().flat_map(|(first, last)| {
            let id = move |n: u64| if descends { last - n } else { first + n };
            (0..=last - first).map(id)
        });
        let mut wanted = ids.fuse();
        let mut found: Vec<_> = page.messages.iter().map(|message| message.server_msg_id).collect();
        if descends {
            found.reverse();
        }
        found.iter().all(|id| wanted.next() == Some(*id)) && (page.more || wanted.next().is_none())
    }

    /// The zipper merge of a one-to-one conversation: the user's own two tables, both in order of ids by their indexes, are read
    /// side by side. What they wrote to themselves is in both; one is enough.
    fn select(&self, shards: u32, first: u64, last: u64, limit: u64) -> (String, Vec<u64>) {
        let (shards, direction) = (u64::from(shards), self.direction);
        let order = format!("server_msg_id BETWEEN ? AND ? ORDER BY server_msg_id {direction} LIMIT ?");
        let owner = self.reader;
        let peer = match self.conversation {
            ConversationId::Group(GroupId(group)) => {
                let shard = group % shards;
                let sql = format!(
                    "SELECT {COLUMNS} FROM im_message_recv_{shard} WHERE owner_id = ? AND peer_id = 0 AND {order}"
                );
                return (sql, vec![group, first, last, limit]);
            }
            conversation => conversation.peer_of(owner).unwrap_or(owner),
        };
        let shard = owner.0 % shards;
        let params = [owner.0, peer.0, first, last, limit];
        let sent =
            format!("(SELECT {COLUMNS} FROM im_message_send_{shard} WHERE from_id = ? AND to_id = ? AND {order})");
        if owner == peer {
            return (sent, params.to_vec());
        }
        let sql = format!(
            "{sent} UNION ALL (SELECT {COLUMNS} FROM im_message_recv_{shard} WHERE owner_id = ? AND peer_id = ? AND {order})
             ORDER BY server_msg_id {direction} LIMIT ?"
        );
        (sql, [&params[..], &params[..], &params[4..]].concat())
    }
}

/// The count of the message at this place, as the user's copy has it.
pub(super) async fn count_at(
    db: &mut Conn,
    shards: u32,
    user: UserId,
    conversation: ConversationId,
    place: u64,
) -> Result<u64, Fault> {
    let shards = u64::from(shards);
    let found = match conversation {
        ConversationId::Group(group) => {
            let sql = format!(
                "SELECT count FROM im_message_recv_{} WHERE owner_id = ? AND peer_id = 0 AND server_msg_id = ?",
                group.0 % shards
            );
            db.exec_first(sql, (group.0, place)).await?
        }
        ConversationId::Single { .. } => {
            let peer = conversation.peer_of(user).unwrap_or(user);
            let shard = user.0 % shards;
            let sql = format!(
                "SELECT count FROM im_message_send_{shard} WHERE from_id = ? AND to_id = ? AND server_msg_id = ?
                 UNION ALL
                 SELECT count FROM im_message_recv_{shard} WHERE owner_id = ? AND peer_id = ? AND server_msg_id = ?"
            );
            db.exec_first(sql, (user.0, peer.0, place, user.0, peer.0, place)).await?
        }
    };
    Ok(found.unwrap_or(0))
}

/// A page that is being filled. To tell whether there is more, one message more than fits is looked at.
struct Leaf {
    /// For how many messages more.
    room: usize,
    bytes: usize,
    bytes_max: usize,
    page: Vec<Message>,
}

impl Leaf {
    /// Tells whether there was a message that did not fit.
    async fn fill(
        &mut self,
        db: &mut Conn,
        conversation: ConversationId,
        sql: &str,
        params: Vec<u64>,
    ) -> Result<bool, Fault> {
        let params = Params::Positional(params.into_iter().map(Into::into).collect());
        let mut rows = db.exec_iter(sql, params).await?;
        let mut more = false;
        while let Some(row) = rows.next().await? {
            if self.room == 0 || (self.bytes >= self.bytes_max && !self.page.is_empty()) {
                more = true;
                break;
            }
            let message = message(row, conversation)?;
            self.bytes += message.body_bytes();
            self.room -= 1;
            self.page.push(message);
        }
        rows.drop_result().await?;
        Ok(more)
    }
}

/// A row of [`COLUMNS`].
fn message(mut row: Row, conversation: ConversationId) -> Result<Message, Fault> {
    let row = &mut row;
    let client_msg_id: String = get(row, 1)?;
    let from =
        Sender { user: user(row, 2)?, nickname: text(row, 3)?, platform: get(row, 4)?, device_id: text(row, 5)? };
    Ok(Message {
        conversation,
        server_msg_id: get(row, 0)?,
        client_msg_id: client_msg_id
            .parse::<ClientMsgId>()
            .map_err(|bad| Fault::failed(format!("client_msg_id {client_msg_id}: {bad}")))?,
        from,
        kind: get(row, 6)?,
        content: text(row, 7)?,
        attachment: get::<Vec<u8>>(row, 8)?.into(),
        client_time_ms: get(row, 9)?,
        server_time_ms: get(row, 10)?,
        count: get(row, 11)?,
        counted: get(row, 12)?,
    })
}
