//! Appending messages: each once, at the next place of its log, with all its copies.

use std::{collections::HashMap, sync::Arc};

use anser_proto::{ClientMsgId, ConversationId, GroupId, UserId, v1::notice::Kind};
use mysql_async::{Conn, Row, prelude::Queryable as _};

use super::{
    columns::{Sql, get},
    fault::Fault,
    txn::Txn,
    wants::Wants,
};
use crate::{
    Appended, Error, Message, NewMessage, Sender,
    rows::{Head, Rows as _},
};

const COLUMNS: &str =
    "server_msg_id, client_msg_id, type, counted, count, client_time_ms, server_time_ms, from_nickname,
                       from_platform, from_device_id, content, attachment";

/// What makes a message the same.
type Identity = (ConversationId, UserId, ClientMsgId);

/// First places of messages that are stored.
///
/// At first nobody looks: hardly any message comes again, and the unique key tells of one that does. Then the transaction is
/// begun anew and looks for all its messages.
#[derive(Default)]
pub(super) struct Places {
    looked: bool,
    stored: HashMap<Identity, Stored>,
}

#[derive(Clone)]
struct Stored {
    first: Appended,
    kind: i32,
    content: Arc<str>,
    attachment: bytes::Bytes,
}

impl Places {
    async fn look(&mut self, db: &mut Conn, shards: u32, batch: &[NewMessage]) -> Result<(), Fault> {
        self.looked = true;
        let mut tables: HashMap<Table, Vec<&NewMessage>> = HashMap::new();
        for message in batch {
            tables.entry(Table::of_key(message, shards)).or_default().push(message);
        }
        for (table, messages) in tables {
            let (of_group, table) = (matches!(table, Table::Group(_)), table.name());
            let owner = if of_group { "once_id" } else { "to_id" };
            let mut sql = Sql::new(format!(
                "SELECT from_id, {owner}, client_msg_id, server_msg_id, server_time_ms, count, type, content, attachment
                 FROM {table} WHERE "
            ));
            for (at, message) in messages.iter().enumerate() {
                sql.push(if at == 0 { "(client_msg_id = " } else { " OR (client_msg_id = " });
                sql.text(message.client_msg_id.as_str()).push(" AND from_id = ").number(message.from.user.0);
                sql.push(" AND ").push(owner).push(" = ").number(to(message)).push(")");
            }
            for row in db.query::<Row, _>(sql.as_str()).await? {
                self.take(of_group, row)?;
            }
        }
        Ok(())
    }

    fn take(&mut self, of_group: bool, mut row: Row) -> Result<(), Fault> {
        let (from, owner) = (UserId(get(&mut row, 0)?), get(&mut row, 1)?);
        let conversation = match of_group {
            true => ConversationId::Group(GroupId(owner)),
            false => ConversationId::single(from, UserId(owner)),
        };
        let id: String = get(&mut row, 2)?;
        let id = id.parse().map_err(|bad| Fault::failed(format!("client_msg_id {id}: {bad}")))?;
        let first = Appended {
            server_msg_id: get(&mut row, 3)?,
            server_time_ms: get(&mut row, 4)?,
            count: get(&mut row, 5)?,
            duplicate: true,
            ..Head::default().appended()
        };
        let (kind, content) = (get(&mut row, 6)?, Arc::from(get::<String>(&mut row, 7)?));
        let attachment = get::<Vec<u8>>(&mut row, 8)?.into();
        self.stored.insert((conversation, from, id), Stored { first, kind, content, attachment });
        Ok(())
    }

    fn first(&self, message: &NewMessage) -> Option<Result<Appended, Error>> {
        let identity = (message.conversation, message.from.user, message.client_msg_id.clone());
        let Stored { first, kind, content, attachment } = self.stored.get(&identity)?;
        let same = *kind == message.kind && *content == message.content && *attachment == message.attachment;
        Some(if same { Ok(*first) } else { Err(Error::Conflict("client_msg_id")) })
    }

    fn keep(&mut self, message: &NewMessage, place: &Appended) {
        let identity = (message.conversation, message.from.user, message.client_msg_id.clone());
        let stored = Stored {
            first: Appended {
                duplicate: true,
                sender_mailbox_seq: 0,
                receiver_mailbox_seq: 0,
                members_version: 0,
                ..*place
            },
            kind: message.kind,
            content: message.content.clone(),
            attachment: message.attachment.clone(),
        };
        self.stored.insert(identity, stored);
    }
}

/// The other party, or the group.
fn to(message: &NewMessage) -> u64 {
    match message.conversation {
        ConversationId::Group(group) => group.0,
        conversation => conversation.peer_of(message.from.user).map_or(0, |peer| peer.0),
    }
}

/// Whether somebody ever wrote to the other one in their one-to-one conversation.
pub(super) async fn has_written(tx: &mut Txn<'_>, from: UserId, to: UserId) -> Result<bool, Fault> {
    let shard = from.0 % u64::from(tx.shards());
    let sql = format!("SELECT 1 FROM im_message_send_{shard} WHERE from_id = ? AND to_id = ? LIMIT 1");
    Ok(tx.db.exec_first::<u8, _, _>(sql, (from.0, to.0)).await?.is_some())
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
    fn send(from: UserId, shards: u32) -> Self {
        Self::Send(from.0 % u64::from(shards))
    }

    fn recv(to: UserId, shards: u32) -> Self {
        Self::Recv(to.0 % u64::from(shards))
    }

    fn group(group: GroupId, shards: u32) -> Self {
        Self::Group(group.0 % u64::from(shards))
    }

    /// Where the key lies that makes a message the same.
    fn of_key(message: &NewMessage, shards: u32) -> Self {
        match message.conversation {
            ConversationId::Group(group) => Self::group(group, shards),
            ConversationId::Single { .. } => Self::send(message.from.user, shards),
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

pub(super) fn want(wants: &mut Wants, batch: &[NewMessage]) {
    for NewMessage { conversation, from, .. } in batch {
        wants.numbers(*conversation, from.user, 1);
        wants.session(from.user, *conversation);
        if let Some(peer) = conversation.peer_of(from.user) {
            wants.session(peer, *conversation);
        }
    }
}

/// Looks which messages of a batch were stored before; the locks that are held keep others from storing them now.
pub(super) async fn look(tx: &mut Txn<'_>, batch: &[NewMessage]) -> Result<(), Fault> {
    let shards = tx.shards();
    tx.places.look(tx.db, shards, batch).await
}

/// Appends the messages of one batch, each of which may be refused alone. An error concerns all.
pub(super) async fn append(tx: &mut Txn<'_>, batch: &[NewMessage]) -> Result<Vec<Result<Appended, Error>>, Fault> {
    let mut outcomes = Vec::with_capacity(batch.len());
    for message in batch {
        let outcome = match (tx.places.first(message), message.conversation) {
            (Some(first), _) => first,
            (None, ConversationId::Single { .. }) => refusal(append_single(tx, message).await)?,
            (None, ConversationId::Group(group)) => refusal(append_group(tx, group, message).await)?,
        };
        if let Ok(place) = &outcome
            && !place.duplicate
        {
            tx.appended += 1;
            tx.places.keep(message, place);
        }
        outcomes.push(outcome);
        tx.write_many_rows().await?;
    }
    Ok(outcomes)
}

async fn append_single(tx: &mut Txn<'_>, message: &NewMessage) -> Result<Appended, Fault> {
    let (conversation, from) = (message.conversation, message.from.user);
    let to = conversation.peer_of(from).ok_or(Error::NotMember)?;
    tx.must_exist(from)?;
    tx.must_exist(to)?;
    must_be_logged_in(tx, message)?;
    let mut head = tx.head(conversation).unwrap_or_default();
    advance(tx, conversation, &mut head, message).await;
    let shards = tx.shards();
    write(tx.row(Table::send(from, shards)), to.0, message, &head);
    write(tx.row(Table::recv(to, shards)), to.0, message, &head);

    let appended = tx.stamp_single(from, to, conversation, &head)?;
    tx.move_head(conversation, head);
    Ok(appended)
}

async fn append_group(tx: &mut Txn<'_>, group: GroupId, message: &NewMessage) -> Result<Appended, Fault> {
    let (conversation, from) = (message.conversation, message.from.user);
    let mut head = tx.head(conversation).ok_or(Error::NotMember)?;
    let Some(mut own) = tx.session(from, conversation)?.filter(|entry| entry.member) else {
        // The place of a retry is the first one, and there they were a member.
        return Err(unless_stored_before(tx, Error::NotMember));
    };
    must_be_logged_in(tx, message)?;
    advance(tx, conversation, &mut head, message).await;
    let shards = tx.shards();
    write(tx.row(Table::group(group, shards)), group.0, message, &head);
    own.read_to(head.place());
    own.answer();
    tx.put_session(from, conversation, own);
    let appended = head.appended();
    tx.move_head(conversation, head);
    Ok(appended)
}

fn must_be_logged_in(tx: &Txn<'_>, message: &NewMessage) -> Result<(), Fault> {
    let is_logged_in = tx.must_be_logged_in(message.from.user, message.login_version);
    is_logged_in.map_err(|refusal| unless_stored_before(tx, refusal))
}

/// A refusal of a message that was not stored before, which must be looked for first.
fn unless_stored_before(tx: &Txn<'_>, refusal: Error) -> Fault {
    if tx.places.looked { refusal.into() } else { Fault::Known }
}

/// What concerns one message alone.
fn refusal<T>(outcome: Result<T, Fault>) -> Result<Result<T, Error>, Fault> {
    match outcome {
        Ok(done) => Ok(Ok(done)),
        Err(Fault::Store(error)) if error.is_refusal() => Ok(Err(error)),
        Err(fault) => Err(fault),
    }
}

/// Appends a notice to a group's log, and moves the head.
pub(super) async fn append_notice(
    tx: &mut Txn<'_>,
    group: GroupId,
    operator: &Sender,
    kind: Kind,
    users: &[UserId],
    head: &mut Head,
) -> Message {
    let conversation = ConversationId::Group(group);
    tx.propose_next(conversation, head).await;
    let notice = head.advance_by_notice(tx.now_ms(), group, operator, kind, users);
    let shards = tx.shards();
    write(tx.row(Table::group(group, shards)), group.0, &notice, head);
    tx.move_head(conversation, *head);
    notice.stored(head.server_msg_id, head.server_time_ms, head.count)
}

/// Moves this copy of the head to where the message will be.
async fn advance(tx: &mut Txn<'_>, conversation: ConversationId, head: &mut Head, message: &NewMessage) {
    tx.propose_next(conversation, head).await;
    head.advance(tx.now_ms(), message.counted);
}

/// The values of a copy; `owner` is the receiver or the group.
fn write(row: &mut Sql, owner: u64, message: &NewMessage, head: &Head) {
    row.push("(").number(message.from.user.0).push(",").number(owner).push(",").number(head.server_msg_id).push(",");
    row.text(message.client_msg_id.as_str()).push(",").push(&message.kind.to_string()).push(",");
    row.number(message.counted.into()).push(",").number(head.count).push(",").number(message.client_time_ms);
    row.push(",").number(head.server_time_ms).push(",").text(&message.from.nickname).push(",");
    row.push(&message.from.platform.to_string()).push(",").text(&message.from.device_id).push(",");
    row.text(&message.content).push(",").blob(&message.attachment).push(")");
}
