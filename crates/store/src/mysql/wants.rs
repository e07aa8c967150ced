//! What the writes of a transaction may touch, locked and read together before any of them is done: mailboxes, then heads, then
//! sessions, each in the order of its key, so that no two transactions wait for each other in a circle. The mailboxes of both
//! parties guard a one-to-one conversation that has no row yet.

use std::collections::{BTreeSet, HashMap};

use anser_proto::{ConversationId, GroupId, UserId};

use super::columns::{Sql, key};

#[derive(Default)]
pub(super) struct Wants {
    pub(super) users: BTreeSet<UserId>,
    /// Their heads, as keys.
    heads: BTreeSet<(u64, u64)>,
    sessions: BTreeSet<(UserId, (u64, u64))>,
    /// Users of whom must be known whether they are members.
    members: BTreeSet<(GroupId, UserId)>,
    /// How many messages each user may put into each log: their numbers are reserved together, of those who may.
    pub(super) numbers: HashMap<(ConversationId, UserId), u32>,
}

impl Wants {
    pub(super) fn head(&mut self, conversation: ConversationId) {
        self.heads.insert(key(conversation));
    }

    /// The head, which messages of this user are to move.
    pub(super) fn numbers(&mut self, conversation: ConversationId, from: UserId, messages: u32) {
        self.head(conversation);
        *self.numbers.entry((conversation, from)).or_default() += messages;
    }

    /// The session, the mailbox that stamps it, and of a group the membership.
    pub(super) fn session(&mut self, user: UserId, conversation: ConversationId) {
        self.users.insert(user);
        self.sessions.insert((user, key(conversation)));
        if let ConversationId::Group(group) = conversation {
            self.members.insert((group, user));
        }
    }

    /// The statements: mailboxes, heads, versions of groups, sessions, members. Each is there also when it asks for nothing,
    /// since answers are told by their order.
    pub(super) fn lock(&self, sql: &mut Sql) {
        lock_mailboxes(sql, &self.users);
        lock_heads(sql, &self.heads);
        look_for_versions(sql, &self.heads);
        lock_sessions(sql, &self.sessions);
        look_for_members(sql, &self.members);
    }
}

/// A condition that nothing meets.
const NOTHING: &str = "FALSE";

fn lock_mailboxes(sql: &mut Sql, users: &BTreeSet<UserId>) {
    sql.push("; SELECT user_id, mailbox_seq, login_version FROM im_mailbox WHERE ");
    let ids: Vec<_> = users.iter().map(|user| user.0).collect();
    if ids.is_empty() {
        sql.push(NOTHING)
    } else {
        sql.push("user_id IN ").numbers(&ids)
    };
    sql.push(" ORDER BY user_id FOR UPDATE");
}

fn lock_heads(sql: &mut Sql, heads: &BTreeSet<(u64, u64)>) {
    sql.push("; SELECT small_id, big_id, server_msg_id, count, server_time_ms FROM im_conversation WHERE ");
    any_of(sql, heads.iter(), |sql, (small, big)| {
        sql.push("small_id = ").number(*small).push(" AND big_id = ").number(*big);
    });
    sql.push(" ORDER BY small_id, big_id FOR UPDATE");
}

/// Of the groups. In a statement behind the one that locks their heads: a statement sees what was committed when it began,
/// and that one may have waited for somebody who changed the members.
fn look_for_versions(sql: &mut Sql, heads: &BTreeSet<(u64, u64)>) {
    let groups: Vec<_> = heads.iter().filter(|(small, _)| *small == 0).map(|(_, group)| *group).collect();
    sql.push("; SELECT group_id, members_version FROM im_group WHERE ");
    if groups.is_empty() {
        sql.push(NOTHING);
    } else {
        sql.push("group_id IN ").numbers(&groups);
    }
}

fn lock_sessions(sql: &mut Sql, sessions: &BTreeSet<(UserId, (u64, u64))>) {
    sql.push(
        "; SELECT user_id, small_id, big_id, mailbox_seq, read_mark, read_count, delivered_mark FROM im_session WHERE ",
    );
    any_of(sql, sessions.iter(), |sql, (user, (small, big))| {
        sql.push("user_id = ")
            .number(user.0)
            .push(" AND small_id = ")
            .number(*small)
            .push(" AND big_id = ")
            .number(*big);
    });
    sql.push(" ORDER BY user_id, small_id, big_id FOR UPDATE");
}

fn look_for_members(sql: &mut Sql, members: &BTreeSet<(GroupId, UserId)>) {
    sql.push("; SELECT group_id, user_id, invited_by IS NOT NULL FROM im_group_member WHERE ");
    any_of(sql, members.iter(), |sql, (group, user)| {
        sql.push("group_id = ").number(group.0).push(" AND present = 1 AND user_id = ").number(user.0);
    });
}

/// `(…) OR (…)`, which the server takes for ranges of the key.
fn any_of<T>(sql: &mut Sql, each: impl ExactSizeIterator<Item = T>, write: impl Fn(&mut Sql, T)) {
    if each.len() == 0 {
        sql.push(NOTHING);
    }
    for (at, one) in each.enumerate() {
        sql.push(if at == 0 { "(" } else { " OR (" });
        write(sql, one);
        sql.push(")");
    }
}
