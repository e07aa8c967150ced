//! Conversation lists: marks, unread counts, and what changed for a user.

use std::collections::HashSet;

use anser_proto::{ConversationId, GroupId, UserId, digest::groups_digest, limits::PREVIEW_CHARS_MAX};
use mysql_async::{Conn, Row, prelude::Queryable as _};

use super::{
    columns::{Sql, conversation as conversation_id, get, key, text},
    fault::Fault,
    group, log,
    txn::Txn,
    user::{self, cut},
    wants::Wants,
};
use crate::{
    Changes, Error, Mark, MarkKind, Marked, Page, Party, Positions, Preview, Session,
    rows::{Place, Rows as _},
};

/// The last message that the user may see. None for a group whose member they never were.
pub(super) async fn visible_head(
    db: &mut Conn,
    shards: u32,
    user: UserId,
    conversation: ConversationId,
) -> Result<Option<Place>, Fault> {
    if let ConversationId::Group(group) = conversation {
        match group::last_stay(db, group, user).await? {
            None => return Ok(None),
            Some(group::Stay { left_at: Some(left_at) }) => {
                let count = log::count_at(db, shards, user, conversation, left_at).await?;
                return Ok(Some(Place { server_msg_id: left_at, count }));
            }
            Some(_) => {}
        }
    }
    let sql = "SELECT server_msg_id, count FROM im_conversation WHERE small_id = ? AND big_id = ?";
    let head = db.exec_first(sql, key(conversation)).await?;
    Ok(Some(head.map(|(server_msg_id, count)| Place { server_msg_id, count }).unwrap_or_default()))
}

pub(super) fn want(wants: &mut Wants, mark: &Mark) {
    wants.head(mark.conversation);
    wants.session(mark.user, mark.conversation);
    if let Some(peer) = mark.conversation.peer_of(mark.user) {
        wants.session(peer, mark.conversation);
    }
}

pub(super) async fn mark(tx: &mut Txn<'_>, mark: &Mark) -> Result<Marked, Fault> {
    let Mark { user, conversation, kind, server_msg_id, login_version } = *mark;
    let peer = match conversation {
        ConversationId::Single { .. } => Some(conversation.peer_of(user).ok_or(Error::NotMember)?),
        ConversationId::Group(_) => None,
    };
    let Some(before) = tx.session(user, conversation)? else {
        let nothing = Marked { read_mark: 0, delivered_mark: 0, unread: 0, moved: false, mailbox_seq: 0, peer: None };
        return Ok(peer.map(|_| nothing).ok_or(Error::NotMember)?);
    };
    tx.must_be_logged_in(user, login_version)?;
    let head = visible_in(tx, user, conversation).await?;
    let place = server_msg_id.min(head.server_msg_id);
    let mut entry = before;
    match kind {
        MarkKind::Delivered => entry.delivered_mark = entry.delivered_mark.max(place),
        MarkKind::Read if place > before.read_mark => {
            let count = match place == head.server_msg_id {
                true => head.count,
                false => {
                    tx.write_rows().await?;
                    let shards = tx.shards();
                    log::count_at(tx.db, shards, user, conversation, place).await?
                }
            };
            entry.read_to(Place { server_msg_id: place, count });
        }
        MarkKind::Read => {}
    }
    Ok(tx.move_mark(mark, before, entry, head)?)
}

/// As [`visible_head`], with what the transaction has not written yet.
async fn visible_in(tx: &mut Txn<'_>, user: UserId, conversation: ConversationId) -> Result<Place, Fault> {
    if let ConversationId::Group(group) = conversation
        && !tx.is_member(group, user)
    {
        let shards = tx.shards();
        return Ok(visible_head(tx.db, shards, user, conversation).await?.unwrap_or_default());
    }
    let head = tx.head(conversation).unwrap_or_default();
    Ok(head.place())
}

pub(super) async fn positions(db: &mut Conn, user: UserId) -> Result<Positions, Fault> {
    let mailbox = "SELECT mailbox_seq, login_version FROM im_mailbox WHERE user_id = ?";
    let found = db.exec_first(mailbox, (user.0,)).await?;
    let (mailbox_seq, login_version) = found.ok_or(Error::NotFound("user"))?;
    let groups_digest = groups_digest(group_heads(db, user).await?);
    Ok(Positions { mailbox_seq, groups_digest, login_version })
}

/// Of the groups whose member they are.
async fn group_heads(db: &mut Conn, user: UserId) -> Result<HashSet<(GroupId, u64)>, Fault> {
    let sql = "SELECT member.group_id, head.server_msg_id FROM im_group_member AS member
                   JOIN im_conversation AS head ON head.small_id = 0 AND head.big_id = member.group_id
               WHERE member.user_id = ? AND member.present = 1";
    let heads: Vec<(u64, u64)> = db.exec(sql, (user.0,)).await?;
    Ok(heads.into_iter().map(|(group, head)| (GroupId(group), head)).collect())
}

async fn mailbox_seq(db: &mut Conn, user: UserId) -> Result<u64, Fault> {
    let found = db.exec_first("SELECT mailbox_seq FROM im_mailbox WHERE user_id = ?", (user.0,)).await?;
    Ok(found.ok_or(Error::NotFound("user"))?)
}

/// A user's sessions are few enough to look through: an index on stamps would cost every message a random page.
pub(super) async fn changes(
    db: &mut Conn,
    shards: u32,
    user: UserId,
    since: u64,
    limit: u32,
) -> Result<Changes, Fault> {
    let mailbox_seq = mailbox_seq(db, user).await?;
    let since = if since > mailbox_seq { 0 } else { since };
    let limit = limit.max(1);
    let mut which = Sql::new("entry.mailbox_seq > ");
    which.number(since).push(" ORDER BY entry.mailbox_seq LIMIT ").number(u64::from(limit) + 1);
    let Page { rows: sessions, more } = cut(sessions_where(db, shards, user, &which).await?, limit);
    let sql = "SELECT mailbox_seq FROM im_user WHERE user_id = ?";
    let profile_seq: u64 = db.exec_first(sql, (user.0,)).await?.unwrap_or(0);
    let profile = if profile_seq > since { user::by_id(db, user).await? } else { None };
    let reached = if more { sessions.last().map_or(since, |session| session.mailbox_seq) } else { mailbox_seq };
    Ok(Changes { sessions, profile, mailbox_seq: reached, caught_up: !more })
}

/// Reads nothing of those that have not moved but their heads.
pub(super) async fn moved_groups(
    db: &mut Conn,
    shards: u32,
    user: UserId,
    known: &[(GroupId, u64)],
) -> Result<Vec<Session>, Fault> {
    let heads = group_heads(db, user).await?;
    let moved: Vec<_> = known.iter().filter(|known| !heads.contains(known)).map(|(group, _)| group.0).collect();
    if moved.is_empty() {
        return Ok(Vec::new());
    }
    let mut which = Sql::new("entry.small_id = 0 AND entry.big_id IN ");
    which.numbers(&moved);
    sessions_where(db, shards, user, &which).await
}

/// In order of conversation ids groups come last, and in order of keys first: hence two stretches.
pub(super) async fn sessions(
    db: &mut Conn,
    shards: u32,
    user: UserId,
    after: Option<ConversationId>,
    limit: u32,
) -> Result<Page<Session>, Fault> {
    let limit = limit.max(1);
    let wanted = u64::from(limit) + 1;
    let mut rows = Vec::new();
    if !matches!(after, Some(ConversationId::Group(_))) {
        let mut which = Sql::new("entry.small_id > 0");
        if let Some(ConversationId::Single { small, big }) = after {
            which.push(" AND entry.small_id >= ").number(small.0);
            which.push(" AND (entry.small_id > ").number(small.0).push(" OR entry.big_id > ").number(big.0).push(")");
        }
        which.push(" ORDER BY entry.small_id, entry.big_id LIMIT ").number(wanted);
        rows = sessions_where(db, shards, user, &which).await?;
    }
    let left = wanted - rows.len() as u64;
    if left > 0 {
        let after = if let Some(ConversationId::Group(group)) = after { group.0 } else { 0 };
        let mut which = Sql::new("entry.small_id = 0 AND entry.big_id > ");
        which.number(after).push(" ORDER BY entry.big_id LIMIT ").number(left);
        rows.extend(sessions_where(db, shards, user, &which).await?);
    }
    Ok(cut(rows, limit))
}

pub(super) async fn session(
    db: &mut Conn,
    shards: u32,
    user: UserId,
    conversation: ConversationId,
) -> Result<Session, Fault> {
    let (small, big) = key(conversation);
    let mut which = Sql::new("entry.small_id = ");
    which.number(small).push(" AND entry.big_id = ").number(big);
    let found = sessions_where(db, shards, user, &which).await?.pop();
    Ok(found.ok_or(Error::NotFound("conversation"))?)
}

/// Entries with all that lies beside them in other tables, however many, in one round trip; the last messages take another.
async fn sessions_where(db: &mut Conn, shards: u32, user: UserId, which: &Sql) -> Result<Vec<Session>, Fault> {
    let mut sql = Sql::new(
        "SELECT entry.small_id, entry.big_id, entry.mailbox_seq, entry.read_mark, entry.read_count, entry.delivered_mark,
                COALESCE(head.server_msg_id, 0), COALESCE(head.count, 0),
                COALESCE(peers.read_mark, 0), COALESCE(peers.delivered_mark, 0),
                peer.user_id, peer.account, peer.nickname, peer.avatar, peer.disabled,
                im_group.group_id, im_group.name, im_group.avatar, im_group.owner_id, im_group.member_count,
                im_group.created_ms, im_group.members_version,
                (SELECT MIN(joined) FROM im_group_member AS stay
                 WHERE stay.group_id = im_group.group_id AND stay.user_id = entry.user_id),
                (SELECT MAX(left_at) FROM im_group_member AS stay
                 WHERE stay.group_id = im_group.group_id AND stay.user_id = entry.user_id),
                (SELECT role FROM im_group_member AS stay
                 WHERE stay.group_id = im_group.group_id AND stay.present = 1 AND stay.user_id = entry.user_id)
         FROM im_session AS entry
             LEFT JOIN im_conversation AS head ON head.small_id = entry.small_id AND head.big_id = entry.big_id
             LEFT JOIN im_user AS peer ON entry.small_id > 0
                 AND peer.user_id = IF(entry.small_id = entry.user_id, entry.big_id, entry.small_id)
             LEFT JOIN im_session AS peers ON peers.user_id = peer.user_id
                 AND peers.small_id = entry.small_id AND peers.big_id = entry.big_id
             LEFT JOIN im_group ON entry.small_id = 0 AND im_group.group_id = entry.big_id
         WHERE entry.user_id = ",
    );
    sql.number(user.0).push(" AND ").push(which.as_str());
    let rows: Vec<Row> = db.query(sql.as_str()).await?;
    let mut sessions = rows.into_iter().map(|mut row| entry(&mut row)).collect::<Result<Vec<_>, _>>()?;
    add_last_messages(db, shards, user, &mut sessions).await?;
    Ok(sessions.into_iter().map(|(session, _)| session).collect())
}

/// A session without its last message, and the count at its read mark.
fn entry(row: &mut Row) -> Result<(Session, u64), Fault> {
    let conversation = conversation_id(get(row, 0)?, get(row, 1)?);
    let read_count: u64 = get(row, 4)?;
    let mut head = Place { server_msg_id: get(row, 6)?, count: get(row, 7)? };
    let (party, first) = match conversation {
        ConversationId::Single { .. } => (Party::Peer(user::user(row, 10)?), 1),
        ConversationId::Group(_) => {
            let role = get::<Option<i32>>(row, 24)?.map(group::role_of).transpose()?;
            if role.is_none() {
                // Its count comes with the message.
                head = Place { server_msg_id: get(row, 23)?, count: read_count };
            }
            (Party::Group(group::group_of(row, 15)?, role), get(row, 22)?)
        }
    };
    let session = Session {
        conversation,
        head: head.server_msg_id,
        unread: head.count.saturating_sub(read_count),
        read_mark: get(row, 3)?,
        delivered_mark: get(row, 5)?,
        peer_read_mark: get(row, 8)?,
        peer_delivered_mark: get(row, 9)?,
        first,
        last: None,
        party,
        mailbox_seq: get(row, 2)?,
    };
    Ok((session, read_count))
}

/// Those of one table together.
async fn add_last_messages(
    db: &mut Conn,
    shards: u32,
    user: UserId,
    sessions: &mut [(Session, u64)],
) -> Result<(), Fault> {
    let shards = u64::from(shards);
    let (sent, received) =
        (format!("im_message_send_{}", user.0 % shards), format!("im_message_recv_{}", user.0 % shards));
    let mut sql = Sql::default();
    for (at, (session, _)) in sessions.iter().enumerate().filter(|(_, (session, _))| session.head > 0) {
        let head = session.head;
        match session.conversation {
            ConversationId::Group(group) => {
                let table = format!("im_message_recv_{}", group.0 % shards);
                last_message(&mut sql, at, &table, ["owner_id", "peer_id"], [group.0, 0], head);
            }
            conversation => {
                let peer = conversation.peer_of(user).unwrap_or(user).0;
                last_message(&mut sql, at, &sent, ["from_id", "to_id"], [user.0, peer], head);
                if peer != user.0 {
                    last_message(&mut sql, at, &received, ["owner_id", "peer_id"], [user.0, peer], head);
                }
            }
        }
    }
    if sql.is_empty() {
        return Ok(());
    }
    for mut row in db.query::<Row, _>(sql.as_str()).await? {
        let (session, read_count) = &mut sessions[get::<usize>(&mut row, 0)?];
        let preview = Preview {
            server_msg_id: get(&mut row, 1)?,
            from: anser_proto::UserId(get(&mut row, 2)?),
            nickname: text(&mut row, 3)?,
            kind: get(&mut row, 4)?,
            content: text(&mut row, 5)?,
            server_time_ms: get(&mut row, 6)?,
        };
        if matches!(session.party, Party::Group(_, None)) {
            session.unread = get::<u64>(&mut row, 7)?.saturating_sub(*read_count);
        }
        session.last = Some(preview);
    }
    Ok(())
}

fn last_message(sql: &mut Sql, at: usize, table: &str, log: [&str; 2], of: [u64; 2], place: u64) {
    sql.push(if sql.is_empty() { "SELECT " } else { " UNION ALL SELECT " }).number(at as u64);
    sql.push(", server_msg_id, from_id, from_nickname, type, LEFT(content, ").number(PREVIEW_CHARS_MAX as u64);
    sql.push("), server_time_ms, count FROM ").push(table).push(" WHERE ").push(log[0]).push(" = ").number(of[0]);
    sql.push(" AND ").push(log[1]).push(" = ").number(of[1]).push(" AND server_msg_id = ").number(place);
}
