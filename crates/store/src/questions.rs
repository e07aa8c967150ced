//! What verbs ask beside rows by their keys.

use std::sync::Arc;

use anser_proto::{ConversationId, GroupId, UserId};

use crate::{
    ContactState, HISTORY_LOOKED_AT, MENTIONS_LOOKED_AT,
    facts::{Facts, Stop},
    query::{Dialect, Query, Value, bound},
    rows::{Column as _, DeviceRow, EVERYBODY, FIRST_SEEN, LinkRow, RevokedRow, StandingMessage, columns_of},
};

pub(crate) fn user_called(account: &Arc<str>) -> Query {
    Query::new("SELECT user_id FROM im_user WHERE account = ?", [Value::Text(account.clone())])
}

pub(crate) fn group_created_by(creator: UserId, client_group_id: &Arc<str>) -> Query {
    let sql = "SELECT group_id FROM im_group WHERE creator_id = ? AND client_group_id = ?";
    Query::new(sql, [creator.into(), Value::Text(client_group_id.clone())])
}

/// The user's devices, last seen first.
pub(crate) fn devices_of(user: UserId) -> Query {
    let device = columns_of::<DeviceRow>("im_device");
    let sql = format!("SELECT {device} FROM im_device WHERE user_id = ? ORDER BY last_seen_ms DESC, device_id");
    Query::new(sql, [user.into()])
}

/// Those that were revoked, the first first.
pub(crate) fn revoked_of(user: UserId) -> Query {
    let revoked = columns_of::<RevokedRow>("im_revoked");
    Query::new(format!("SELECT {revoked} FROM im_revoked WHERE user_id = ? ORDER BY login_version"), [user.into()])
}

/// In how many groups a user is.
pub(crate) struct Groups {
    pub(crate) all: u64,
    /// Those into which others put them, and in which they have not answered.
    pub(crate) unanswered: u64,
    /// Of these, those of one inviter.
    pub(crate) of_inviter: u64,
}

/// Those that were dissolved are told by rows of their own: a look at each of them is not for every invitation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counted {
    All,
    Living,
}

pub(crate) fn groups_of_user(dialect: Dialect, user: UserId, inviter: UserId, counted: Counted) -> Query {
    let living = if counted == Counted::Living { format!(" AND {LIVING}") } else { String::new() };
    let present = dialect.present();
    let sql = format!(
        "SELECT COUNT(*), COUNT(invited_by), COUNT(CASE WHEN invited_by = ? THEN 1 END) FROM im_group_member
         WHERE user_id = ? AND {present}{living}"
    );
    Query::new(sql, [inviter.into(), user.into()])
}

/// Of a stay: its group was not dissolved.
pub(crate) const LIVING: &str = "NOT EXISTS (SELECT 1 FROM im_group WHERE im_group.group_id = im_group_member.group_id \
                                 AND dissolved_at IS NOT NULL)";

pub(crate) fn groups_of(
    facts: &mut Facts<'_>,
    user: UserId,
    inviter: UserId,
    counted: Counted,
) -> Result<Groups, Stop> {
    let query = groups_of_user(facts.source.dialect(), user, inviter, counted);
    let counted =
        facts.ask(&query, |row| Ok(Groups { all: row.get()?, unanswered: row.get()?, of_inviter: row.get()? }))?;
    Ok(counted.into_iter().next().unwrap_or(Groups { all: 0, unanswered: 0, of_inviter: 0 }))
}

/// How many a user has in this state.
pub(crate) fn contacts_of(facts: &mut Facts<'_>, user: UserId, state: ContactState) -> Result<u64, Stop> {
    let sql = "SELECT COUNT(*) FROM im_contact WHERE user_id = ? AND state = ?";
    let query = Query::new(sql, [user.into(), Value::Number(state as u64)]);
    Ok(facts.ask(&query, |row| row.get())?.pop().unwrap_or(0))
}

/// How many a user blocked.
pub(crate) fn blocks_of(facts: &mut Facts<'_>, user: UserId) -> Result<u64, Stop> {
    let query = Query::new("SELECT COUNT(*) FROM im_block WHERE user_id = ?", [user.into()]);
    Ok(facts.ask(&query, |row| row.get())?.pop().unwrap_or(0))
}

/// Whether somebody ever wrote to the other one in their one-to-one conversation.
pub(crate) fn has_written(facts: &mut Facts<'_>, from: UserId, to: UserId) -> Result<bool, Stop> {
    let shard = from.0 % u64::from(facts.options.shards);
    let sql = format!("SELECT server_msg_id FROM im_message_send_{shard} WHERE from_id = ? AND to_id = ? LIMIT 1");
    let query = Query::of_messages(sql, [from.into(), to.into()]);
    Ok(!facts.ask(&query, |row| row.number())?.is_empty())
}

/// The owner; while they are disabled or gone the longest-standing admin, else the longest-standing member, of those who are not disabled if
/// there are any.
pub(crate) fn rightful_owner(
    facts: &mut Facts<'_>,
    group: GroupId,
    without: Option<UserId>,
) -> Result<Option<UserId>, Stop> {
    let present = facts.source.dialect().present();
    let sql = format!(
        "SELECT user_id FROM im_group_member JOIN im_user USING (user_id) WHERE group_id = ? AND {present} AND user_id <> ?
         ORDER BY disabled, role DESC, joined, user_id LIMIT 1"
    );
    let query = Query::new(sql, [group.into(), without.unwrap_or(UserId(0)).into()]);
    Ok(facts.ask(&query, |row| row.get())?.pop())
}

pub(crate) fn admins_of(facts: &mut Facts<'_>, group: GroupId) -> Result<u64, Stop> {
    let present = facts.source.dialect().present();
    let sql = format!("SELECT COUNT(*) FROM im_group_member WHERE group_id = ? AND {present} AND role = 2");
    Ok(facts.ask(&Query::new(sql, [group.into()]), |row| row.get())?.pop().unwrap_or(0))
}

pub(crate) fn bans_of(facts: &mut Facts<'_>, group: GroupId) -> Result<u64, Stop> {
    let query = Query::new("SELECT COUNT(*) FROM im_ban WHERE group_id = ?", [group.into()]);
    Ok(facts.ask(&query, |row| row.get())?.pop().unwrap_or(0))
}

/// How many wait to be let in.
pub(crate) fn requests_to_join(facts: &mut Facts<'_>, group: GroupId) -> Result<u64, Stop> {
    let query = Query::new("SELECT COUNT(*) FROM im_join_request WHERE group_id = ?", [group.into()]);
    Ok(facts.ask(&query, |row| row.get())?.pop().unwrap_or(0))
}

/// The owner and admins, in order of their ids.
pub(crate) fn overseers(dialect: Dialect, group: GroupId) -> Query {
    let present = dialect.present();
    let sql =
        format!("SELECT user_id FROM im_group_member WHERE group_id = ? AND {present} AND role > 1 ORDER BY user_id");
    Query::new(sql, [group.into()])
}

pub(crate) fn overseers_of(facts: &mut Facts<'_>, group: GroupId) -> Result<Vec<UserId>, Stop> {
    let query = overseers(facts.source.dialect(), group);
    facts.ask(&query, |row| row.get())
}

/// With their keys, in the order in which they were created.
pub(crate) fn links_of(group: GroupId) -> Query {
    let sql = format!("SELECT {} FROM im_link WHERE group_id = ? ORDER BY link_id", columns_of::<LinkRow>("im_link"));
    Query::new(sql, [group.into()])
}

/// Whether somebody is a member, or was one.
pub(crate) fn was_member(facts: &mut Facts<'_>, group: GroupId, user: UserId) -> Result<bool, Stop> {
    Ok(!facts.ask(&left_at(group, user), |row| row.get::<Option<u64>>())?.is_empty())
}

/// The last message that somebody who is no member any more may see; null for one who is.
pub(crate) fn left_at(group: GroupId, user: UserId) -> Query {
    let sql = "SELECT left_at FROM im_group_member WHERE group_id = ? AND user_id = ? ORDER BY joined DESC LIMIT 1";
    Query::new(sql, [group.into(), user.into()])
}

/// Whether somebody who came again saw this place of the log before.
pub(crate) fn was_member_at(facts: &mut Facts<'_>, group: GroupId, user: UserId, place: u64) -> Result<bool, Stop> {
    let sql = format!(
        "SELECT joined FROM im_group_member
         WHERE group_id = ? AND user_id = ? AND {FIRST_SEEN} <= ? AND left_at >= ? LIMIT 1"
    );
    let query = Query::new(sql, [group.into(), user.into(), bound(place), bound(place)]);
    Ok(!facts.ask(&query, |row| row.number())?.is_empty())
}

/// Places of the messages and notices of a group before this one, the last first, at most so many.
pub(crate) fn shown_before(dialect: Dialect, shards: u32, group: GroupId, place: u64, limit: u32) -> Query {
    let (shard, log) = (group.0 % u64::from(shards), dialect.group_log());
    let sql = format!(
        "SELECT server_msg_id FROM im_message_recv_{shard} WHERE {log} AND server_msg_id BETWEEN ? AND ?
             AND type NOT BETWEEN 60 AND 79 ORDER BY server_msg_id DESC LIMIT ?"
    );
    let (first, last) = (place.saturating_sub(HISTORY_LOOKED_AT), place.saturating_sub(1));
    Query::of_messages(sql, [group.into(), first.into(), last.into(), u64::from(limit).into()])
}

fn key_of(conversation: ConversationId) -> Vec<Value> {
    let mut key = Vec::new();
    conversation.put(&mut key);
    key
}

/// The users, and their emojis.
pub(crate) fn reactions_to(conversation: ConversationId, place: u64) -> Query {
    let sql = "SELECT user_id, emojis FROM im_reaction WHERE small_id = ? AND big_id = ? AND server_msg_id = ?";
    Query::new(sql, [key_of(conversation), vec![place.into()]].concat())
}

/// The same in the order of the users, behind one, at most so many.
pub(crate) fn reactions_behind(conversation: ConversationId, place: u64, after: Value, limit: u64) -> Query {
    let sql = "SELECT user_id, emojis FROM im_reaction
               WHERE small_id = ? AND big_id = ? AND server_msg_id = ? AND user_id > ? ORDER BY user_id LIMIT ?";
    Query::new(sql, [key_of(conversation), vec![place.into(), after, limit.into()]].concat())
}

/// Each place with what pinned it, and who did.
pub(crate) fn pins_of(conversation: ConversationId) -> Query {
    let sql = "SELECT server_msg_id, entry, user_id FROM im_pin WHERE small_id = ? AND big_id = ? ORDER BY entry DESC";
    Query::new(sql, key_of(conversation))
}

/// How many counted messages behind this place, up to the end, are recalled.
pub(crate) fn recalled_behind(conversation: ConversationId, place: u64, end: u64) -> Query {
    let sql = "SELECT COUNT(*) FROM im_recalled WHERE small_id = ? AND big_id = ? AND server_msg_id > ? AND server_msg_id <= ?";
    Query::new(sql, [key_of(conversation), vec![bound(place), bound(end)]].concat())
}

/// How many of them the user hid, those that are recalled left out.
pub(crate) fn hidden_behind(user: UserId, conversation: ConversationId, place: u64, end: u64) -> Query {
    let sql = "SELECT COUNT(*) FROM im_hidden AS hidden
               WHERE user_id = ? AND small_id = ? AND big_id = ? AND server_msg_id > ? AND server_msg_id <= ? AND counted = 1
                   AND NOT EXISTS (SELECT 1 FROM im_recalled AS recalled WHERE recalled.small_id = hidden.small_id
                                       AND recalled.big_id = hidden.big_id AND recalled.server_msg_id = hidden.server_msg_id)";
    Query::new(sql, [vec![user.into()], key_of(conversation), vec![bound(place), bound(end)]].concat())
}

/// Messages behind this place, up to the end, that name the user, the first first, each with whether the user is to see that: it is of nobody whom
/// they blocked, and they did not hide it. Those that name all have rows of their own.
pub(crate) fn mentions_behind(
    dialect: Dialect,
    user: UserId,
    conversation: ConversationId,
    (place, end): (u64, u64),
) -> Query {
    let sql = "SELECT server_msg_id,
                   from_id <> ?
                   AND NOT EXISTS (SELECT 1 FROM im_block WHERE im_block.user_id = ? AND peer_id = from_id)
                   AND NOT EXISTS (SELECT 1 FROM im_hidden AS hidden WHERE hidden.user_id = ? AND hidden.small_id = mention.small_id
                                       AND hidden.big_id = mention.big_id AND hidden.server_msg_id = mention.server_msg_id)
               FROM im_mention AS mention
               WHERE user_id = ? AND small_id = ? AND big_id = ? AND server_msg_id > ? AND server_msg_id <= ?";
    let of = |named: UserId| {
        let within = vec![bound(place), bound(end)];
        [vec![user.into(), user.into(), user.into(), named.into()], key_of(conversation), within].concat()
    };
    let both = [(sql.to_owned(), &of(user)[..]), (sql.to_owned(), &of(EVERYBODY)[..])];
    Query { of_messages: false, ..dialect.merge(both, "ORDER BY server_msg_id LIMIT ?", MENTIONS_LOOKED_AT) }
}

/// What the user hid of this stretch, bounds included.
pub(crate) fn hidden_between(
    user: UserId,
    conversation: ConversationId,
    (first, last): (u64, u64),
    direction: &str,
    limit: u32,
) -> Query {
    let sql = format!(
        "SELECT server_msg_id FROM im_hidden
         WHERE user_id = ? AND small_id = ? AND big_id = ? AND server_msg_id BETWEEN ? AND ?
         ORDER BY server_msg_id {direction} LIMIT ?"
    );
    let between = vec![bound(first), bound(last), u64::from(limit).into()];
    Query::new(sql, [vec![user.into()], key_of(conversation), between].concat())
}

pub(crate) fn pinned_sessions_of(facts: &mut Facts<'_>, user: UserId) -> Result<u64, Stop> {
    let query = Query::new("SELECT COUNT(*) FROM im_session WHERE user_id = ? AND pinned = 1", [user.into()]);
    Ok(facts.ask(&query, |row| row.get())?.pop().unwrap_or(0))
}

/// A message wherever its copies lie, with its conversation.
pub(crate) fn standing_at(dialect: Dialect, shards: u32, conversation: ConversationId, place: u64) -> Query {
    let (shard, columns) = (|id: u64| id % u64::from(shards), StandingMessage::columns());
    match conversation {
        ConversationId::Group(group) => {
            let (shard, log) = (shard(group.0), dialect.group_log());
            let sql = format!("SELECT 0, ?, {columns} FROM im_message_recv_{shard} WHERE {log} AND server_msg_id = ?");
            Query::of_messages(sql, [group.into(), group.into(), place.into()])
        }
        ConversationId::Single { small, big } => {
            let sent = |from: UserId| {
                let shard = shard(from.0);
                format!(
                    "SELECT ?, ?, {columns} FROM im_message_send_{shard} WHERE from_id = ? AND to_id = ? AND server_msg_id = ?"
                )
            };
            let by = |from: UserId, to: UserId| [small.into(), big.into(), from.into(), to.into(), place.into()];
            let of = by(small, big);
            if small == big {
                return Query::of_messages(sent(small), of);
            }
            let other = by(big, small);
            Query::of_messages(format!("{} UNION ALL {}", sent(small), sent(big)), [of, other].concat())
        }
    }
}

/// The count of the message at this place, as the user's copy has it; 0 before the first.
pub(crate) fn count_at(
    facts: &mut Facts<'_>,
    user: UserId,
    conversation: ConversationId,
    place: u64,
) -> Result<u64, Stop> {
    let query = message_at(facts.source.dialect(), facts.options.shards, user, conversation, place, "count");
    Ok(facts.ask(&query, |row| row.get())?.pop().unwrap_or(0))
}

/// Columns of one message, out of the reader's own tables.
pub(crate) fn message_at(
    dialect: Dialect,
    shards: u32,
    reader: UserId,
    conversation: ConversationId,
    place: u64,
    columns: &str,
) -> Query {
    let shard = |id: u64| id % u64::from(shards);
    let peer = match conversation {
        ConversationId::Group(group) => {
            let (shard, log) = (shard(group.0), dialect.group_log());
            let sql = format!("SELECT {columns} FROM im_message_recv_{shard} WHERE {log} AND server_msg_id = ?");
            return Query::of_messages(sql, [group.into(), place.into()]);
        }
        conversation => conversation.peer_of(reader).unwrap_or(reader),
    };
    let (shard, received) = (shard(reader.0), dialect.received_log());
    let sql = format!(
        "SELECT {columns} FROM im_message_send_{shard} WHERE from_id = ? AND to_id = ? AND server_msg_id = ?
         UNION ALL SELECT {columns} FROM im_message_recv_{shard} WHERE {received} AND server_msg_id = ? LIMIT 1"
    );
    let of = [reader.into(), peer.into(), place.into()];
    Query::of_messages(sql, [of.clone(), of].concat())
}
