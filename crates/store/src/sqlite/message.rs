//! Appending messages: each once, at the next place of its log, with all its copies.

use anser_proto::{ConversationId, GroupId, UserId, v1::notice::Kind};
use rusqlite::{Connection, OptionalExtension as _, params, types::ValueRef};

use super::{
    columns::{int, number, prepare},
    txn::Txn,
};
use crate::{
    Appended, Error, Message, MessageType, NewMessage, Sender,
    rows::{Head, Rows as _},
};

/// The statements of the writer, made once: the name of the table is part of each.
pub(super) struct MessageSql {
    shards: u64,
    insert_send: Vec<String>,
    insert_recv: Vec<String>,
    insert_group: Vec<String>,
    find_send: Vec<String>,
    find_group: Vec<String>,
}

impl MessageSql {
    pub(super) fn new(shards: u32) -> Self {
        let each = |text: &str| (0..shards).map(|shard| text.replace("{shard}", &shard.to_string())).collect();
        let insert = |table: &str, key: &str, conflict: &str| {
            each(&format!(
                "INSERT INTO {table}_{{shard}} ({key}, from_id, server_msg_id, client_msg_id, type, counted, count,
                     client_time_ms, server_time_ms, from_nickname, from_platform, from_device_id, content, attachment)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) {conflict}"
            ))
        };
        let find = |table: &str, which: &str| {
            each(&format!(
                "SELECT server_msg_id, server_time_ms, count, type, content, attachment FROM {table}_{{shard}}
                 WHERE client_msg_id = ?1 AND from_id = ?2 AND {which}"
            ))
        };
        // A key that is known inserts nothing; that a place is taken twice breaks the transaction.
        let once = "ON CONFLICT (client_msg_id, from_id, to_id) DO NOTHING";
        let once_group = "ON CONFLICT (client_msg_id, from_id, group_id) WHERE group_id IS NOT NULL AND type <> 50
                          DO NOTHING";
        Self {
            shards: shards.into(),
            insert_send: insert("im_message_send", "to_id", once),
            insert_recv: insert("im_message_recv", "to_id", ""),
            insert_group: insert("im_message_recv", "group_id", once_group),
            find_send: find("im_message_send", "to_id = ?3"),
            find_group: find("im_message_recv", "group_id = ?3 AND type <> 50"),
        }
    }

    fn shard(&self, id: u64) -> usize {
        (id % self.shards) as usize
    }
}

/// Appends the messages of one batch, each of which may be refused alone. An error concerns all.
pub(super) fn append(tx: &mut Txn<'_>, batch: &[NewMessage]) -> Result<Vec<Result<Appended, Error>>, Error> {
    let mut outcomes = Vec::with_capacity(batch.len());
    for message in batch {
        let outcome = match message.conversation {
            ConversationId::Single { .. } => append_single(tx, message),
            ConversationId::Group(group) => append_group(tx, group, message),
        };
        match outcome {
            Err(error) if !error.is_refusal() => return Err(error),
            outcome => {
                tx.appended += u64::from(outcome.as_ref().is_ok_and(|place| !place.duplicate));
                outcomes.push(outcome);
            }
        }
    }
    Ok(outcomes)
}

/// Whether somebody ever wrote to the other one in their one-to-one conversation.
pub(super) fn has_written(tx: &Txn<'_>, from: UserId, to: UserId) -> rusqlite::Result<bool> {
    let shard = from.0 % u64::from(tx.shards());
    let sql = format!("SELECT EXISTS (SELECT 1 FROM im_message_send_{shard} WHERE from_id = ?1 AND to_id = ?2)");
    prepare(tx.db, &sql)?.query_row((int(from.0), int(to.0)), |row| row.get(0))
}

fn append_single(tx: &mut Txn<'_>, message: &NewMessage) -> Result<Appended, Error> {
    let (conversation, from) = (message.conversation, message.from.user);
    let to = conversation.peer_of(from).ok_or(Error::NotMember)?;
    tx.must_exist(from)?;
    tx.must_exist(to)?;
    let sql = &tx.rules.sql;
    let find = &sql.find_send[sql.shard(from.0)];
    if let Err(refusal) = tx.must_be_logged_in(from, message.login_version) {
        return first_place(tx.db, find, to.0, message)?.ok_or(refusal)?;
    }
    let mut head = tx.head(conversation)?.unwrap_or_default();
    advance(tx, conversation, &mut head, message);

    if !insert(tx.db, &sql.insert_send[sql.shard(from.0)], to.0, message, &head)? {
        let first = first_place(tx.db, find, to.0, message)?;
        return first.ok_or_else(|| Error::Failed(format!("{} is known and not found", message.client_msg_id)))?;
    }
    insert(tx.db, &sql.insert_recv[sql.shard(to.0)], to.0, message, &head)?;

    let appended = tx.stamp_single(from, to, conversation, &head)?;
    tx.move_head(conversation, head);
    Ok(appended)
}

fn append_group(tx: &mut Txn<'_>, group: GroupId, message: &NewMessage) -> Result<Appended, Error> {
    let (conversation, from) = (message.conversation, message.from.user);
    let mut head = tx.head(conversation)?.ok_or(Error::NotMember)?;
    let sql = &tx.rules.sql;
    let find = &sql.find_group[sql.shard(group.0)];
    let Some(mut own) = tx.session(from, conversation)?.filter(|entry| entry.member) else {
        // The place of a retry is the first one, and there they were a member.
        return first_place(tx.db, find, group.0, message)?.ok_or(Error::NotMember)?;
    };
    if let Err(refusal) = tx.must_be_logged_in(from, message.login_version) {
        return first_place(tx.db, find, group.0, message)?.ok_or(refusal)?;
    }
    advance(tx, conversation, &mut head, message);
    if !insert(tx.db, &sql.insert_group[sql.shard(group.0)], group.0, message, &head)? {
        let first = first_place(tx.db, find, group.0, message)?;
        return first.ok_or_else(|| Error::Failed(format!("{} is known and not found", message.client_msg_id)))?;
    }
    own.read_to(head.place());
    own.answer();
    tx.put_session(from, conversation, own);
    let appended = head.appended();
    tx.move_head(conversation, head);
    Ok(appended)
}

/// Appends a notice to a group's log, and moves the head.
pub(super) fn append_notice(
    tx: &mut Txn<'_>,
    group: GroupId,
    operator: &Sender,
    kind: Kind,
    users: &[UserId],
    head: &mut Head,
) -> Result<Message, Error> {
    let conversation = ConversationId::Group(group);
    tx.propose_next(conversation, head);
    let notice = head.advance_by_notice(tx.now_ms(), group, operator, kind, users);
    let sql = &tx.rules.sql;
    insert(tx.db, &sql.insert_group[sql.shard(group.0)], group.0, &notice, head)?;
    tx.move_head(conversation, *head);
    Ok(notice.stored(head.server_msg_id, head.server_time_ms, head.count))
}

/// Moves this copy of the head to where the message will be.
fn advance(tx: &mut Txn<'_>, conversation: ConversationId, head: &mut Head, message: &NewMessage) {
    tx.propose_next(conversation, head);
    head.advance(tx.now_ms(), message.counted);
}

/// False if the message was stored before: then nothing was written.
fn insert(db: &Connection, sql: &str, owner: u64, message: &NewMessage, head: &Head) -> rusqlite::Result<bool> {
    let inserted = prepare(db, sql)?.execute(params![
        int(owner),
        int(message.from.user.0),
        int(head.server_msg_id),
        message.client_msg_id.as_str(),
        message.kind,
        message.counted,
        int(head.count),
        int(message.client_time_ms),
        int(head.server_time_ms),
        &*message.from.nickname,
        message.from.platform,
        &*message.from.device_id,
        &*message.content,
        &*message.attachment,
    ])?;
    Ok(inserted == 1)
}

/// Where the message was stored before, or that something else was under its id.
fn first_place(
    db: &Connection,
    sql: &str,
    owner: u64,
    message: &NewMessage,
) -> Result<Option<Result<Appended, Error>>, rusqlite::Error> {
    let mut statement = prepare(db, sql)?;
    let key = (message.client_msg_id.as_str(), int(message.from.user.0), int(owner));
    let found = statement.query_row(key, |row| {
        let same = row.get::<_, MessageType>(3)? == message.kind
            && row.get_ref(4)? == ValueRef::Text(message.content.as_bytes())
            && row.get_ref(5)? == ValueRef::Blob(&message.attachment);
        let mut first = Head::default();
        (first.server_msg_id, first.server_time_ms, first.count) = (number(row, 0)?, number(row, 1)?, number(row, 2)?);
        Ok(if same {
            Ok(Appended { duplicate: true, ..first.appended() })
        } else {
            Err(Error::Conflict("client_msg_id"))
        })
    });
    found.optional()
}
