//! The copies of messages in their tables, and where messages are that were stored before.

use std::{collections::HashMap, sync::Arc};

use anser_proto::{ClientMsgId, ConversationId, GroupId, UserId};
use bytes::Bytes;
use mysql_async::{Conn, Row, prelude::Queryable as _};

use super::{
    columns::{NOTHING, Sql, get},
    fault::Fault,
    statement::assignments,
};
use crate::{
    Appended, NewMessage,
    digest::Digest,
    facts::{Known, KnownBody, Rows},
    rows::{Damage, MessageRow, Row as _, StandingMessage},
};

const COLUMNS: &str =
    "server_msg_id, client_msg_id, type, counted, count, client_time_ms, server_time_ms, from_nickname,
                       from_platform, from_device_id, content, attachment, reply_to, target, body_digest, mentions";

/// What makes a message the same.
pub(super) type Identity = (ConversationId, UserId, ClientMsgId);

fn identity(message: &NewMessage) -> Identity {
    (message.conversation, message.from.user, message.client_msg_id.clone())
}

/// First places of messages, as far as somebody looked for them or they are of this transaction. None: nothing was stored under this name.
#[derive(Default)]
pub(super) struct Places {
    known: HashMap<Identity, Option<Stored>>,
    wanted: Vec<NewMessage>,
}

struct Stored {
    first: Appended,
    kind: i32,
    content: Arc<[u8]>,
    attachment: Bytes,
    reply_to: u64,
    mentions: Option<String>,
    body_digest: Option<Digest>,
    /// Of this transaction: it was looked for, and was not there before.
    was_absent: bool,
}

impl Stored {
    fn compare(&self, message: &NewMessage) -> KnownBody {
        match self.body_digest {
            Some(digest) => KnownBody::Digested(digest),
            None if self.kind == message.kind
                && *self.content == *message.content.as_bytes()
                && self.attachment == message.attachment
                && self.reply_to == message.reply_to
                && self.mentions == message.mentions.packed() =>
            {
                KnownBody::Same
            }
            None => KnownBody::Other,
        }
    }
}

impl Places {
    pub(super) fn of(&self, message: &NewMessage) -> Option<Option<Known>> {
        let known = self.known.get(&identity(message))?.as_ref();
        Some(known.map(|stored| Known { first: stored.first.clone(), body: stored.compare(message) }))
    }

    pub(super) fn want(&mut self, message: &NewMessage) {
        self.wanted.push(message.clone());
    }

    pub(super) async fn look_for_wanted(&mut self, db: &mut Conn, shards: u32) -> Result<(), Fault> {
        let wanted = std::mem::take(&mut self.wanted);
        self.look(db, shards, &wanted.iter().collect::<Vec<_>>()).await.map(drop)
    }

    /// Tells the senders of those that are there. The locks that are held keep others from storing them now.
    pub(super) async fn look(
        &mut self,
        db: &mut Conn,
        shards: u32,
        messages: &[&NewMessage],
    ) -> Result<Vec<UserId>, Fault> {
        let mut tables: HashMap<Table, Vec<&NewMessage>> = HashMap::new();
        for message in messages {
            tables.entry(Table::of_key(message, shards)).or_default().push(*message);
        }
        if tables.is_empty() {
            return Ok(Vec::new());
        }
        let mut sql = Sql::new(NOTHING);
        for (table, messages) in &tables {
            select(&mut sql, *table, messages);
        }
        let mut results = db.query_iter(sql.as_str()).await?;
        results.collect::<Row>().await?;
        let mut senders = Vec::new();
        for table in tables.keys() {
            for row in results.collect::<Row>().await? {
                senders.push(self.take(*table, row)?);
            }
        }
        results.drop_result().await?;
        for message in messages {
            self.known.entry(identity(message)).or_insert(None);
        }
        Ok(senders)
    }

    fn take(&mut self, table: Table, mut row: Row) -> Result<UserId, Fault> {
        let (from, owner) = (UserId(get(&mut row, 0)?), get(&mut row, 1)?);
        let conversation = match table {
            Table::Group(_) => ConversationId::Group(GroupId(owner)),
            _ => ConversationId::single(from, UserId(owner)),
        };
        let id: String = get(&mut row, 2)?;
        let id = id.parse().map_err(|bad| Damage(format!("client_msg_id {id}: {bad}")))?;
        let first = Appended::first(get(&mut row, 3)?, get(&mut row, 4)?, get(&mut row, 5)?);
        let kind = get(&mut row, 6)?;
        let (content, attachment) = (get::<Vec<u8>>(&mut row, 7)?.into(), get::<Vec<u8>>(&mut row, 8)?.into());
        let reply_to = get(&mut row, 9)?;
        let digest: Option<Vec<u8>> = get(&mut row, 10)?;
        let digest = digest.map(|digest| digest[..].try_into()).transpose();
        let body_digest = digest.map_err(|_| Damage("a digest has another length".into()))?;
        let mentions = get(&mut row, 11)?;
        let was_absent = false;
        let stored = Stored { first, kind, content, attachment, reply_to, mentions, body_digest, was_absent };
        self.known.insert((conversation, from, id), Some(stored));
        Ok(from)
    }

    /// The message is of this transaction.
    pub(super) fn keep(&mut self, row: MessageRow<'_>) -> Identity {
        let (message, head) = (row.message, row.head);
        let identity = identity(message);
        let stored = Stored {
            first: Appended::first(head.server_msg_id, head.server_time_ms, head.count),
            kind: message.kind,
            content: Arc::from(message.content.clone()),
            attachment: message.attachment.clone(),
            reply_to: message.reply_to,
            mentions: message.mentions.packed(),
            body_digest: row.body_digest(),
            was_absent: matches!(self.known.get(&identity), Some(None)),
        };
        self.known.insert(identity.clone(), Some(stored));
        identity
    }

    /// It is not of this transaction any more. What was looked for is not looked for again: two changes of one write, each of which lets the other be
    /// decided anew, would never both be known.
    pub(super) fn forget(&mut self, identity: &Identity) {
        if self.known.remove(identity).flatten().is_some_and(|stored| stored.was_absent) {
            self.known.insert(identity.clone(), None);
        }
    }
}

/// A statement that finds those of one table.
fn select(sql: &mut Sql, table: Table, messages: &[&NewMessage]) {
    let owner = if matches!(table, Table::Group(_)) { "once_id" } else { "to_id" };
    sql.push("; SELECT from_id, ").push(owner);
    sql.push(
        ", client_msg_id, server_msg_id, server_time_ms, count, type, content, attachment, reply_to, body_digest, mentions FROM ",
    );
    sql.push(&table.name()).push(" WHERE ");
    for (at, message) in messages.iter().enumerate() {
        sql.push(if at == 0 { "(client_msg_id = " } else { " OR (client_msg_id = " });
        sql.text(message.client_msg_id.as_str()).push(" AND from_id = ").number(message.from.user.0);
        sql.push(" AND ").push(owner).push(" = ").number(to(message)).push(")");
    }
}

/// The other party, or the group.
fn to(message: &NewMessage) -> u64 {
    match message.conversation {
        ConversationId::Group(group) => group.0,
        conversation => conversation.peer_of(message.from.user).map_or(0, |peer| peer.0),
    }
}

/// Where copies of messages lie, by their shards.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Table {
    /// The senders' copies of one-to-one messages.
    Send(u64),
    /// The receivers' copies.
    Recv(u64),
    /// The only copies of group messages.
    Group(u64),
}

impl Table {
    /// Where the key lies that makes a message the same.
    fn of_key(message: &NewMessage, shards: u32) -> Self {
        match message.conversation {
            ConversationId::Group(group) => Self::Group(group.0 % u64::from(shards)),
            ConversationId::Single { .. } => Self::Send(message.from.user.0 % u64::from(shards)),
        }
    }

    /// With the receiver or the group of each copy.
    pub(super) fn of_copies(message: &NewMessage, shards: u32) -> Vec<(Self, u64)> {
        let (key, to) = (Self::of_key(message, shards), to(message));
        match key {
            Self::Group(_) => vec![(key, to)],
            _ => vec![(key, to), (Self::Recv(to % u64::from(shards)), to)],
        }
    }

    fn name(self) -> String {
        match self {
            Self::Send(shard) => format!("im_message_send_{shard}"),
            Self::Recv(shard) | Self::Group(shard) => format!("im_message_recv_{shard}"),
        }
    }

    /// A statement up to its values.
    pub(super) fn insert(self) -> String {
        let owner = if matches!(self, Self::Group(_)) { "group_id" } else { "to_id" };
        format!("INSERT INTO {} (from_id, {owner}, {COLUMNS}) VALUES ", self.name())
    }
}

/// The values of a copy; `owner` is the receiver or the group.
pub(super) fn write_row(sql: &mut Sql, owner: u64, row: MessageRow<'_>) {
    let MessageRow { message, head, .. } = row;
    let (content, attachment) = row.body();
    sql.push("(").number(message.from.user.0).push(",").number(owner).push(",").number(head.server_msg_id).push(",");
    sql.text(message.client_msg_id.as_str()).push(",").push(&message.kind.to_string()).push(",");
    sql.number(message.counted.into()).push(",").number(head.count).push(",").number(message.client_time_ms);
    sql.push(",").number(head.server_time_ms).push(",").text(&message.from.nickname).push(",");
    sql.push(&message.from.platform.to_string()).push(",").text(&message.from.device_id).push(",");
    sql.text(content).push(",").blob(attachment).push(",").number(message.reply_to).push(",").number(row.target());
    match row.body_digest() {
        Some(digest) => sql.push(",").blob(&digest),
        None => sql.push(",NULL"),
    };
    match row.mentions() {
        Some(mentions) => sql.push(",").text(&mentions).push(")"),
        None => sql.push(",NULL)"),
    };
}

/// Statements that change all copies of the messages that were changed, which the lock on their head keeps from others. A body is written only where it is
/// another one: so all that a group of writes adds up to is no more than what its writes bring.
pub(super) fn write_changed(sql: &mut Sql, changed: &mut Rows<StandingMessage>, shards: u32) {
    for ((_, place), fact) in changed.changed() {
        let standing = fact.now.as_ref().expect("no message goes away");
        let from = standing.message.from.user;
        let keeps_body = fact.stored.as_ref().is_some_and(|stored| stored.has_body_of(standing));
        let shard = |id: u64| id % u64::from(shards);
        let copies = match standing.message.conversation {
            ConversationId::Group(group) => vec![(Table::Group(shard(group.0)), group.0)],
            conversation => {
                let to = conversation.peer_of(from).unwrap_or(from).0;
                vec![(Table::Send(shard(from.0)), to), (Table::Recv(shard(to)), to)]
            }
        };
        for (table, owner) in copies {
            sql.push("; UPDATE ").push(&table.name()).push(" SET ");
            if keeps_body {
                standing.put_beside_body(&mut assignments(sql, StandingMessage::BESIDE_BODY));
            } else {
                standing.put(&mut assignments(sql, StandingMessage::COLUMNS));
            }
            sql.push(" WHERE server_msg_id = ").number(*place);
            match table {
                Table::Send(_) => sql.push(" AND from_id = ").number(from.0).push(" AND to_id = ").number(owner),
                Table::Recv(_) => sql.push(" AND owner_id = ").number(owner).push(" AND peer_id = ").number(from.0),
                Table::Group(_) => sql.push(" AND owner_id = ").number(owner).push(" AND peer_id = 0"),
            };
        }
    }
}
