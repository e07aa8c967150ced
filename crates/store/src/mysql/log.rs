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

/// Bounds are excluded.
#[derive(Clone, Copy)]
struct Between {
    after: u64,
    before: u64,
    direction: &'static str,
}

pub(super) async fn read_log(
    db: &mut Conn,
    shards: u32,
    reader: UserId,
    conversation: ConversationId,
    stretch: Stretch,
) -> Result<LogPage, Fault> {
    if matches!(conversation, ConversationId::Single { .. }) && conversation.peer_of(reader).is_none() {
        return Err(Error::NotMember.into());
    }
    let head = visible_head(db, shards, reader, conversation).await?.ok_or(Error::NotMember)?.server_msg_id;
    let before = if stretch.before == 0 { u64::MAX } else { stretch.before };
    let direction = if stretch.after == 0 { "DESC" } else { "ASC" };
    let between = Between { after: stretch.after, before, direction };
    let mut leaf = Leaf {
        conversation,
        room: stretch.limit.max(1) as usize,
        bytes: 0,
        bytes_max: stretch.bytes_max,
        page: Vec::new(),
    };
    let more = match conversation {
        ConversationId::Single { .. } => leaf.read_single(db, shards, reader, between).await?,
        ConversationId::Group(group) => leaf.read_group(db, shards, group, reader, between).await?,
    };
    let mut messages = leaf.page;
    if stretch.after == 0 {
        messages.reverse();
    }
    Ok(LogPage { messages, more, head })
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
    conversation: ConversationId,
    /// For how many messages more.
    room: usize,
    bytes: usize,
    bytes_max: usize,
    page: Vec<Message>,
}

impl Leaf {
    /// The zipper merge: the user's own two tables, both in order of ids by their indexes, are read side by side. What he
    /// wrote to himself is in both; one is enough.
    async fn read_single(
        &mut self,
        db: &mut Conn,
        shards: u32,
        owner: UserId,
        between: Between,
    ) -> Result<bool, Fault> {
        let peer = self.conversation.peer_of(owner).unwrap_or(owner);
        let Between { after, before, direction } = between;
        let shard = owner.0 % u64::from(shards);
        let order = format!("server_msg_id > ? AND server_msg_id < ? ORDER BY server_msg_id {direction} LIMIT ?");
        let bounds = [owner.0, peer.0, after, before, self.room as u64 + 1];
        let sent =
            format!("(SELECT {COLUMNS} FROM im_message_send_{shard} WHERE from_id = ? AND to_id = ? AND {order})");
        if owner == peer {
            return self.fill(db, &sent, bounds.to_vec()).await;
        }
        let sql = format!(
            "{sent} UNION ALL (SELECT {COLUMNS} FROM im_message_recv_{shard} WHERE owner_id = ? AND peer_id = ? AND {order})
             ORDER BY server_msg_id {direction} LIMIT ?"
        );
        self.fill(db, &sql, [&bounds[..], &bounds[..], &bounds[4..]].concat()).await
    }

    /// Stay by stay, so that each is a stretch of the index, until the page is full.
    async fn read_group(
        &mut self,
        db: &mut Conn,
        shards: u32,
        group: GroupId,
        reader: UserId,
        between: Between,
    ) -> Result<bool, Fault> {
        let Between { after, before, direction } = between;
        let stays = format!(
            "SELECT joined, left_at FROM im_group_member WHERE group_id = ? AND user_id = ? AND joined < ?
                 AND (left_at IS NULL OR left_at > ?) ORDER BY joined {direction}"
        );
        let log = format!(
            "SELECT {COLUMNS} FROM im_message_recv_{}
             WHERE owner_id = ? AND peer_id = 0 AND server_msg_id > ? AND server_msg_id < ?
             ORDER BY server_msg_id {direction} LIMIT ?",
            group.0 % u64::from(shards)
        );
        let stays: Vec<(u64, Option<u64>)> = db.exec(stays, (group.0, reader.0, before, after)).await?;
        for (joined, left_at) in stays {
            let behind_it = left_at.map_or(u64::MAX, |left_at| left_at + 1);
            let bounds = vec![group.0, after.max(joined - 1), before.min(behind_it), self.room as u64 + 1];
            if self.fill(db, &log, bounds).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Tells whether there was a message that did not fit.
    async fn fill(&mut self, db: &mut Conn, sql: &str, params: Vec<u64>) -> Result<bool, Fault> {
        let params = Params::Positional(params.into_iter().map(Into::into).collect());
        let mut rows = db.exec_iter(sql, params).await?;
        let mut more = false;
        while let Some(row) = rows.next().await? {
            if self.room == 0 || (self.bytes >= self.bytes_max && !self.page.is_empty()) {
                more = true;
                break;
            }
            let message = message(row, self.conversation)?;
            self.bytes += message.content.len() + message.attachment.len();
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
