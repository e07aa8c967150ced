//! Conversation lists: marks, unread counts, and what changed for a user.

use std::{collections::HashSet, sync::Arc};

use anser_proto::{ConversationId, GroupId, UserId, digest::groups_digest, limits::PREVIEW_CHARS_MAX};
use rusqlite::{Connection, OptionalExtension as _, Row, ToSql};

use super::{
    columns::{bound, conversation as conversation_id, int, key, number, prepare, user as user_id},
    group, log,
    txn::Txn,
    user::{self, cut},
};
use crate::{
    Changes, Error, Mark, MarkKind, Marked, Page, Party, Positions, Preview, Session,
    rows::{Entry, Place, Rows as _},
};

/// The last message that the user may see. None for a group whose member they never were.
pub(super) fn visible_head(
    db: &Connection,
    shards: u32,
    user: UserId,
    conversation: ConversationId,
) -> rusqlite::Result<Option<Place>> {
    if let ConversationId::Group(group) = conversation {
        match group::last_stay(db, group, user)? {
            None => return Ok(None),
            Some(group::Stay { left_at: Some(left_at), .. }) => {
                let count = log::count_at(db, shards, user, conversation, left_at)?;
                return Ok(Some(Place { server_msg_id: left_at, count }));
            }
            Some(_) => {}
        }
    }
    let sql = "SELECT server_msg_id, count FROM im_conversation WHERE small_id = ?1 AND big_id = ?2";
    let read = |row: &Row<'_>| Ok(Place { server_msg_id: number(row, 0)?, count: number(row, 1)? });
    Ok(Some(prepare(db, sql)?.query_row(key(conversation), read).optional()?.unwrap_or_default()))
}

pub(super) fn mark(tx: &mut Txn<'_>, mark: &Mark) -> Result<Marked, Error> {
    let Mark { user, conversation, kind, server_msg_id, login_version } = *mark;
    let peer = match conversation {
        ConversationId::Single { .. } => Some(conversation.peer_of(user).ok_or(Error::NotMember)?),
        ConversationId::Group(_) => None,
    };
    let Some(before) = tx.session(user, conversation)? else {
        let nothing = Marked { read_mark: 0, delivered_mark: 0, unread: 0, moved: false, mailbox_seq: 0, peer: None };
        return peer.map(|_| nothing).ok_or(Error::NotMember);
    };
    tx.must_be_logged_in(user, login_version)?;
    let head = visible_in(tx, user, conversation, &before)?;
    let place = server_msg_id.min(head.server_msg_id);
    let mut entry = before;
    match kind {
        MarkKind::Delivered => entry.delivered_mark = entry.delivered_mark.max(place),
        MarkKind::Read if place > before.read_mark => {
            let known = (place == head.server_msg_id).then_some(head.count);
            let count = known.map_or_else(|| log::count_at(tx.db, tx.shards(), user, conversation, place), Ok)?;
            entry.read_to(Place { server_msg_id: place, count });
        }
        MarkKind::Read => {}
    }
    tx.move_mark(mark, before, entry, head)
}

/// As [`visible_head`], with what the transaction has not written yet.
fn visible_in(tx: &mut Txn<'_>, user: UserId, conversation: ConversationId, entry: &Entry) -> Result<Place, Error> {
    if matches!(conversation, ConversationId::Group(_)) && !entry.member {
        return Ok(visible_head(tx.db, tx.shards(), user, conversation)?.unwrap_or_default());
    }
    let head = tx.head(conversation)?.unwrap_or_default();
    Ok(head.place())
}

pub(super) fn positions(db: &Connection, user: UserId) -> Result<Positions, Error> {
    let mailbox = "SELECT mailbox_seq, login_version FROM im_mailbox WHERE user_id = ?1";
    let read = |row: &Row<'_>| Ok((number(row, 0)?, number(row, 1)?));
    let found = prepare(db, mailbox)?.query_row([int(user.0)], read).optional()?;
    let (mailbox_seq, login_version) = found.ok_or(Error::NotFound("user"))?;
    let groups_digest = groups_digest(group_heads(db, user)?);
    Ok(Positions { mailbox_seq, groups_digest, login_version })
}

/// Of the groups whose member they are.
fn group_heads(db: &Connection, user: UserId) -> rusqlite::Result<HashSet<(GroupId, u64)>> {
    let sql = "SELECT member.group_id, head.server_msg_id FROM im_group_member AS member
                   JOIN im_conversation AS head ON head.small_id = 0 AND head.big_id = member.group_id
               WHERE member.user_id = ?1 AND member.left_at IS NULL";
    let mut statement = prepare(db, sql)?;
    statement.query_map([int(user.0)], |row| Ok((GroupId(number(row, 0)?), number(row, 1)?)))?.collect()
}

fn mailbox_seq(db: &Connection, user: UserId) -> Result<u64, Error> {
    let sql = "SELECT mailbox_seq FROM im_mailbox WHERE user_id = ?1";
    let found = prepare(db, sql)?.query_row([int(user.0)], |row| number(row, 0)).optional()?;
    found.ok_or(Error::NotFound("user"))
}

/// A user's sessions are few enough to look through: an index on stamps would cost every message a random page.
pub(super) fn changes(db: &Connection, shards: u32, user: UserId, since: u64, limit: u32) -> Result<Changes, Error> {
    let mailbox_seq = mailbox_seq(db, user)?;
    let since = if since > mailbox_seq { 0 } else { since };
    let limit = limit.max(1);
    let behind = "user_id = ?1 AND mailbox_seq > ?2 ORDER BY mailbox_seq LIMIT ?3";
    let Page { rows, more } = cut(entries(db, behind, &[&int(user.0), &int(since), &(i64::from(limit) + 1)])?, limit);
    let sessions = fill_all(db, shards, user, rows)?;
    let sql = "SELECT mailbox_seq FROM im_user WHERE user_id = ?1";
    let profile_seq = prepare(db, sql)?.query_row([int(user.0)], |row| number(row, 0))?;
    let profile = if profile_seq > since { user::by_id(db, user)? } else { None };
    let reached = if more { sessions.last().map_or(since, |session| session.mailbox_seq) } else { mailbox_seq };
    Ok(Changes { sessions, profile, mailbox_seq: reached, caught_up: !more })
}

/// Reads nothing of those that have not moved but their heads.
pub(super) fn moved_groups(
    db: &Connection,
    shards: u32,
    user: UserId,
    known: &[(GroupId, u64)],
) -> Result<Vec<Session>, Error> {
    let heads = group_heads(db, user)?;
    let mut moved = Vec::new();
    for (group, _) in known.iter().filter(|known| !heads.contains(known)) {
        moved.extend(entry(db, user, ConversationId::Group(*group))?);
    }
    Ok(fill_all(db, shards, user, moved)?)
}

/// In order of conversation ids groups come last, and in order of keys first: hence two stretches.
pub(super) fn sessions(
    db: &Connection,
    shards: u32,
    user: UserId,
    after: Option<ConversationId>,
    limit: u32,
) -> Result<Page<Session>, Error> {
    let limit = limit.max(1);
    let wanted = i64::from(limit) + 1;
    let mut rows = Vec::new();
    if !matches!(after, Some(ConversationId::Group(_))) {
        let (small, big) = match after {
            Some(ConversationId::Single { small, big }) => (bound(small.0), bound(big.0)),
            _ => (0, i64::MAX),
        };
        let behind = "user_id = ?1 AND (small_id, big_id) > (?2, ?3) ORDER BY small_id, big_id LIMIT ?4";
        rows = entries(db, behind, &[&int(user.0), &small, &big, &wanted])?;
    }
    let left = wanted - rows.len() as i64;
    if left > 0 {
        let behind = "user_id = ?1 AND small_id = 0 AND big_id > ?2 ORDER BY big_id LIMIT ?3";
        let after = if let Some(ConversationId::Group(group)) = after { bound(group.0) } else { 0 };
        rows.extend(entries(db, behind, &[&int(user.0), &after, &left])?);
    }
    let Page { rows, more } = cut(rows, limit);
    Ok(Page { rows: fill_all(db, shards, user, rows)?, more })
}

pub(super) fn session(
    db: &Connection,
    shards: u32,
    user: UserId,
    conversation: ConversationId,
) -> Result<Session, Error> {
    let entry = entry(db, user, conversation)?.ok_or(Error::NotFound("conversation"))?;
    Ok(fill(db, shards, user, entry)?)
}

/// A row of `im_session`.
struct SessionRow {
    conversation: ConversationId,
    mailbox_seq: u64,
    read_mark: u64,
    read_count: u64,
    delivered_mark: u64,
}

fn entries(db: &Connection, which: &str, params: &[&dyn ToSql]) -> rusqlite::Result<Vec<SessionRow>> {
    let columns = "small_id, big_id, mailbox_seq, read_mark, read_count, delivered_mark";
    let mut statement = prepare(db, &format!("SELECT {columns} FROM im_session WHERE {which}"))?;
    let rows = statement.query_map(params, |row| {
        Ok(SessionRow {
            conversation: conversation_id(row, 0)?,
            mailbox_seq: number(row, 2)?,
            read_mark: number(row, 3)?,
            read_count: number(row, 4)?,
            delivered_mark: number(row, 5)?,
        })
    })?;
    rows.collect()
}

fn entry(db: &Connection, user: UserId, conversation: ConversationId) -> rusqlite::Result<Option<SessionRow>> {
    let (small, big) = key(conversation);
    let which = "user_id = ?1 AND small_id = ?2 AND big_id = ?3";
    Ok(entries(db, which, &[&int(user.0), &small, &big])?.pop())
}

fn fill_all(db: &Connection, shards: u32, user: UserId, rows: Vec<SessionRow>) -> rusqlite::Result<Vec<Session>> {
    rows.into_iter().map(|row| fill(db, shards, user, row)).collect()
}

/// Adds what lies in other tables: the head, the last message, the other party and their marks.
fn fill(db: &Connection, shards: u32, user: UserId, row: SessionRow) -> rusqlite::Result<Session> {
    let conversation = row.conversation;
    let head = visible_head(db, shards, user, conversation)?.unwrap_or_default();
    let missing = |what: &str| rusqlite::Error::InvalidParameterName(format!("{what} of {conversation} is missing"));
    let (party, first, peer) = match conversation {
        ConversationId::Group(id) => {
            let group = group::load(db, id)?.ok_or_else(|| missing("im_group"))?;
            let first = group::first_seen(db, id, user)?;
            (Party::Group(group, group::role(db, id, user)?), first, None)
        }
        ConversationId::Single { .. } => {
            let peer = conversation.peer_of(user).ok_or_else(|| missing("the party"))?;
            let profile = user::by_id(db, peer)?.ok_or_else(|| missing("im_user"))?;
            (Party::Peer(profile), 1, entry(db, peer, conversation)?)
        }
    };
    Ok(Session {
        conversation,
        head: head.server_msg_id,
        unread: head.count.saturating_sub(row.read_count),
        read_mark: row.read_mark,
        delivered_mark: row.delivered_mark,
        peer_read_mark: peer.as_ref().map_or(0, |peer| peer.read_mark),
        peer_delivered_mark: peer.as_ref().map_or(0, |peer| peer.delivered_mark),
        first,
        last: preview(db, shards, user, conversation, head.server_msg_id)?,
        party,
        mailbox_seq: row.mailbox_seq,
    })
}

/// The text is cut inside of SQLite, so that a long one is not copied: as bytes, since `substr` of a text ends at a zero
/// character. So many characters fit into four times the bytes, whatever they are. Of no bytes SQLite makes a null.
fn preview(
    db: &Connection,
    shards: u32,
    user: UserId,
    conversation: ConversationId,
    place: u64,
) -> rusqlite::Result<Option<Preview>> {
    let start = format!("substr(CAST(content AS BLOB), 1, {})", 4 * PREVIEW_CHARS_MAX);
    let columns = format!("server_msg_id, from_id, from_nickname, type, {start}, server_time_ms");
    log::at_place(db, shards, user, conversation, place, &columns, |row| {
        let start = row.get_ref(4)?.as_blob_or_null()?.unwrap_or_default();
        Ok(Preview {
            server_msg_id: number(row, 0)?,
            from: user_id(row, 1)?,
            nickname: Arc::from(row.get_ref(2)?.as_str()?),
            kind: row.get(3)?,
            content: String::from_utf8_lossy(start).chars().take(PREVIEW_CHARS_MAX).collect::<String>().into(),
            server_time_ms: number(row, 5)?,
        })
    })
}
