//! The copies of messages in their tables, whose names are part of each statement.

use anser_proto::ConversationId;
use rusqlite::{Connection, ErrorCode, OptionalExtension as _, params, types::ValueRef};

use super::{
    columns::{int, number, prepare},
    statement::execute,
};
use crate::{
    Appended, MessageType, NewMessage,
    digest::Digest,
    facts::{Known, KnownBody, Rows, Stop},
    rows::{Damage, MessageRow, Put as _, Row, StandingMessage},
};

/// The statements of the writer, made once.
pub(super) struct MessageSql {
    shards: u64,
    insert_send: Vec<String>,
    insert_recv: Vec<String>,
    insert_group: Vec<String>,
    find_send: Vec<String>,
    find_group: Vec<String>,
    change_send: Vec<String>,
    change_recv: Vec<String>,
    change_group: Vec<String>,
}

impl MessageSql {
    pub(super) fn new(shards: u32) -> Self {
        let each = |text: &str| (0..shards).map(|shard| text.replace("{shard}", &shard.to_string())).collect();
        let insert = |table: &str, key: &str, conflict: &str| {
            each(&format!(
                "INSERT INTO {table}_{{shard}} ({key}, from_id, server_msg_id, client_msg_id, type, counted, count,
                     client_time_ms, server_time_ms, from_nickname, from_platform, from_device_id, content, attachment,
                     reply_to, target, body_digest, mentions)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18) {conflict}"
            ))
        };
        let find = |table: &str, which: &str| {
            each(&format!(
                "SELECT server_msg_id, server_time_ms, count, type, content, attachment, reply_to, body_digest, mentions
                 FROM {table}_{{shard}}
                 WHERE client_msg_id = ?1 AND from_id = ?2 AND {which}"
            ))
        };
        let columns = StandingMessage::COLUMNS.iter().map(|name| format!("{name} = ?")).collect::<Vec<_>>().join(", ");
        let change = |table: &str, key: &str| {
            each(&format!("UPDATE {table}_{{shard}} SET {columns} WHERE {key} AND server_msg_id = ?"))
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
            change_send: change("im_message_send", "from_id = ? AND to_id = ?"),
            change_recv: change("im_message_recv", "from_id = ? AND to_id = ?"),
            change_group: change("im_message_recv", "group_id = ?"),
        }
    }

    /// Changes all copies of the messages that were changed.
    pub(super) fn write_changed(&self, db: &Connection, changed: &mut Rows<StandingMessage>) -> Result<(), Stop> {
        for (key, fact) in changed.changed() {
            let standing = fact.now.as_ref().expect("no message goes away");
            let from = standing.message.from.user;
            match standing.message.conversation {
                ConversationId::Group(group) => {
                    change(db, &self.change_group[self.shard(group.0)], &[group.0], key, standing)?;
                }
                conversation => {
                    let to = conversation.peer_of(from).unwrap_or(from);
                    let parties = [from.0, to.0];
                    change(db, &self.change_send[self.shard(from.0)], &parties, key, standing)?;
                    change(db, &self.change_recv[self.shard(to.0)], &parties, key, standing)?;
                }
            }
        }
        changed.written();
        Ok(())
    }

    fn shard(&self, id: u64) -> usize {
        (id % self.shards) as usize
    }

    /// The sender's copy, or the only one, tells whether the message is there already.
    /// Sets `wrote` if anything of it is in the database, also when it fails.
    pub(super) fn store(&self, db: &Connection, row: MessageRow<'_>, wrote: &mut bool) -> Result<Option<Known>, Stop> {
        let (message, from) = (row.message, row.message.from.user);
        let is_new = match message.conversation {
            ConversationId::Group(group) => insert(db, &self.insert_group[self.shard(group.0)], group.0, row, wrote)?,
            conversation => {
                let to = conversation.peer_of(from).unwrap_or(from);
                insert(db, &self.insert_send[self.shard(from.0)], to.0, row, wrote)?
                    && insert(db, &self.insert_recv[self.shard(to.0)], to.0, row, wrote)?
            }
        };
        if is_new {
            return Ok(None);
        }
        let known = self.find(db, message)?;
        let lost = || Damage(format!("message {} is known and not found", message.client_msg_id));
        Ok(Some(known.ok_or_else(lost)?))
    }

    pub(super) fn find(&self, db: &Connection, message: &NewMessage) -> Result<Option<Known>, Stop> {
        let from = message.from.user;
        let (sql, owner) = match message.conversation {
            ConversationId::Group(group) => (&self.find_group[self.shard(group.0)], group.0),
            conversation => (&self.find_send[self.shard(from.0)], conversation.peer_of(from).unwrap_or(from).0),
        };
        let mut statement = prepare(db, sql)?;
        let found = statement.query_row((message.client_msg_id.as_str(), int(from.0), int(owner)), |row| {
            let is_same = || -> rusqlite::Result<bool> {
                Ok(row.get::<_, MessageType>(3)? == message.kind
                    && row.get_ref(4)? == ValueRef::Text(message.content.as_bytes())
                    && row.get_ref(5)? == ValueRef::Blob(&message.attachment)
                    && number(row, 6)? == message.reply_to
                    && row.get::<_, Option<String>>(8)? == message.mentions.packed())
            };
            let body = match row.get::<_, Option<Digest>>(7)? {
                Some(digest) => KnownBody::Digested(digest),
                None if is_same()? => KnownBody::Same,
                None => KnownBody::Other,
            };
            let (server_msg_id, server_time_ms, count) = (number(row, 0)?, number(row, 1)?, number(row, 2)?);
            Ok(Known { first: Appended::first(server_msg_id, server_time_ms, count), body })
        });
        Ok(found.optional()?)
    }
}

/// `owners`: the values of the key before the place.
fn change(
    db: &Connection,
    sql: &str,
    owners: &[u64],
    key: &<StandingMessage as Row>::Key,
    standing: &StandingMessage,
) -> Result<(), Stop> {
    let mut statement = prepare(db, sql)?;
    let changed = execute(&mut statement, |to| {
        standing.put(to);
        owners.iter().chain([&key.1]).for_each(|number| to.number(*number));
    });
    match changed? {
        1 => Ok(()),
        copies => Err(Damage(format!("message {} of {} has {copies} copies where one is", key.1, key.0)).into()),
    }
}

/// False if the message was stored before: then nothing was written.
fn insert(db: &Connection, sql: &str, owner: u64, row: MessageRow<'_>, wrote: &mut bool) -> Result<bool, Stop> {
    let MessageRow { message, head, .. } = row;
    let (content, attachment) = row.body();
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
        content,
        attachment,
        int(message.reply_to),
        int(row.target()),
        row.body_digest(),
        row.mentions(),
    ]);
    match inserted {
        Ok(0) => Ok(false),
        // The head is behind its log. Nothing of this row is left.
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
            let (place, conversation) = (head.server_msg_id, message.conversation);
            Err(Damage(format!("message {place} of {conversation} is there already: its head is behind ({error})"))
                .into())
        }
        inserted => {
            *wrote = true;
            inserted?;
            Ok(true)
        }
    }
}
