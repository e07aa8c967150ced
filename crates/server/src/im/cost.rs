//! What requests cost of a user's budget. One is what a short message costs the server, which is a share of a commit; the
//! others are so many of these as they take rows, bytes and pushes. docs/protocol.md has the table, for clients.

use anser_proto::{
    limits::{PAGE_DEFAULT, PAGE_MAX, PINS_MAX, RECEIPT_MEMBERS_MAX},
    v1::{self, client_frame::Request},
};

use crate::budget::Kind;

/// A body is written twice, and goes to every device of the conversation.
const BODY_BYTES: usize = 16 * 1024;
/// Messages of a page lie beside each other; what their bodies cost is known when they are read.
const MESSAGES: u32 = 20;
/// Silent entries are small.
const ENTRIES: u32 = 100;
/// An entry of the conversation list is put together from some eight rows.
const SESSIONS: u32 = 4;
/// Of a group whose head is asked for, and of a user or member, a row or two are read.
const GROUPS: u32 = 10;
const USERS: u32 = 10;
/// Each message that is pinned is looked for by itself; what their bodies cost is known when they are read.
const PINS: u32 = 5;
/// Of a message that is hidden three small rows are written, together with those beside it.
const HIDDEN: u32 = 2;
/// All contacts of a user are read, and as many are told.
const WATCH: u32 = 20;
/// A page of a sync is as long as the server likes.
const SYNC: u32 = 4;

/// At least 1. Who is put into a group costs as much as a message: a row, an entry in their list, and a push.
pub fn of(request: Option<&Request>) -> u32 {
    1 + match request {
        Some(Request::Pull(pull)) => page(pull.limit) / MESSAGES,
        Some(Request::ListSessions(list)) => page(list.limit) / SESSIONS,
        Some(Request::Sync(sync)) => SYNC + count(sync.groups.len()) / GROUPS,
        Some(
            Request::ListMembers(v1::ListMembers { limit, .. })
            | Request::ListBans(v1::ListBans { limit, .. })
            | Request::ListJoinRequests(v1::ListJoinRequests { limit, .. }),
        ) => page(*limit) / USERS,
        Some(Request::GetPresence(get)) => count(get.user_ids.len()) / USERS,
        Some(Request::WatchPresence(_)) => WATCH,
        Some(Request::GetUsers(get)) => count(get.user_ids.len() + get.accounts.len() + get.known.len()) / USERS,
        Some(Request::CreateGroup(create)) => count(create.user_ids.len()),
        Some(Request::InviteMembers(invite)) => count(invite.user_ids.len()),
        Some(Request::RemoveMembers(remove)) => count(remove.user_ids.len()),
        Some(Request::UnbanMembers(unban)) => count(unban.user_ids.len()),
        Some(Request::AnswerJoinRequests(answer)) => count(answer.user_ids.len()),
        Some(Request::SetRole(set)) => count(set.user_ids.len()),
        Some(
            Request::ListContacts(v1::ListContacts { limit, .. }) | Request::ListBlocks(v1::ListBlocks { limit, .. }),
        ) => page(*limit) / USERS,
        Some(Request::MuteMembers(mute)) => count(mute.user_ids.len()),
        Some(Request::WhoRead(who)) => RECEIPT_MEMBERS_MAX / USERS + count(who.server_msg_ids.len()),
        Some(Request::HideMessages(hide)) => count(hide.server_msg_ids.len()) / HIDDEN,
        Some(Request::ListPins(list)) => page(list.limit).min(PINS_MAX) / PINS,
        Some(Request::ListReactions(list)) => page(list.limit) / USERS,
        _ => 0,
    }
}

/// Of which kind it is, and how much of it, where that has a limit of its own. Hints see to it themselves, since they are dropped in place of being
/// refused; so do entries of a log, which must not overtake each other.
pub fn kind_of(request: Option<&Request>) -> Option<(Kind, u32)> {
    Some(match request? {
        Request::MarkRead(_) | Request::MarkDelivered(_) => (Kind::Marks, 1),
        Request::SetGroupNickname(_) => (Kind::Edits, 1),
        Request::GetUsers(get) if !get.accounts.is_empty() => (Kind::AccountLookups, count(get.accounts.len())),
        Request::RequestContact(_) => (Kind::ContactRequests, 1),
        Request::PreviewLink(_) | Request::JoinGroup(_) => (Kind::LinkUses, 1),
        Request::CreateGroup(_) => (Kind::NewGroups, 1),
        _ => return None,
    })
}

/// Of who is named by a message a row is written.
pub fn of_mentions(named: usize) -> u32 {
    count(named) / USERS
}

/// Entries of a log that were looked at for a page; those that it may show are paid for already.
pub fn of_entries(looked_at: u32) -> u32 {
    looked_at.saturating_sub(PAGE_MAX) / ENTRIES
}

/// What bodies cost that are written, or that were read for a page.
pub fn of_bodies(bytes: usize) -> u32 {
    count(bytes / BODY_BYTES)
}

fn page(limit: u32) -> u32 {
    if limit == 0 { PAGE_DEFAULT } else { limit.min(PAGE_MAX) }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX - 1)
}

#[cfg(test)]
mod tests {
    use anser_proto::limits::{BODY_BYTES_MAX, MENTIONS_MAX, PAGE_BYTES_MAX};

    use super::*;

    #[test]
    fn the_table_in_the_documents_is_this_one() {
        // The page of the largest size ends with a body of the largest size.
        // And as many silent entries are looked at for it as for any.
        let page = of_bodies(PAGE_BYTES_MAX - 1 + BODY_BYTES_MAX) + of_entries(10_000);
        let (ids, limit) = (|named| vec![1; named], PAGE_MAX);
        let groups = vec![v1::GroupPosition::default(); PAGE_MAX as usize];
        let document = include_str!("../../../../docs/protocol.md");
        let change = 1 + of_bodies(BODY_BYTES_MAX);
        check(document, "`send`, `edit`", change + of_mentions(MENTIONS_MAX));
        check(document, "`recall`, `react`", change);
        for (row, request) in [
            ("`pull`", Request::Pull(v1::Pull { limit, ..Default::default() })),
            ("`sync`", Request::Sync(v1::Sync { groups, ..Default::default() })),
            ("`list_sessions`", Request::ListSessions(v1::ListSessions { limit, ..Default::default() })),
            (
                "`list_members`, `list_bans`, `list_join_requests`",
                Request::ListMembers(v1::ListMembers { limit, ..Default::default() }),
            ),
            (
                "`list_contacts`, `list_blocks`, `list_reactions`",
                Request::ListContacts(v1::ListContacts { limit, ..Default::default() }),
            ),
            ("`list_pins`", Request::ListPins(v1::ListPins { limit, ..Default::default() })),
            ("`get_users`", Request::GetUsers(v1::GetUsers { user_ids: ids(200), ..Default::default() })),
            (
                "`create_group`, `invite_members`, `remove_members`, `unban_members`, `answer_join_requests`, `set_role`, `mute_members`",
                Request::CreateGroup(v1::CreateGroup { user_ids: ids(500), ..Default::default() }),
            ),
            (
                "`hide_messages`",
                Request::HideMessages(v1::HideMessages { server_msg_ids: ids(200), ..Default::default() }),
            ),
            ("`who_read`", Request::WhoRead(v1::WhoRead { server_msg_ids: ids(50), ..Default::default() })),
            ("`get_presence`", Request::GetPresence(v1::GetPresence { user_ids: ids(200) })),
            ("`watch_presence`", Request::WatchPresence(v1::WatchPresence {})),
            ("all others", Request::Ping(v1::Ping {})),
        ] {
            let later = match request {
                Request::Pull(_) => page,
                Request::ListPins(_) => of_bodies(PAGE_BYTES_MAX - 1 + BODY_BYTES_MAX),
                _ => 0,
            };
            check(document, row, of(Some(&request)) + later);
        }
    }

    fn check(document: &str, row: &str, most: u32) {
        let most = format!("| {most} |");
        let has_row = |line: &str| line.starts_with(&format!("| {row} |")) && line.ends_with(&most);
        assert!(document.lines().any(has_row), "docs/protocol.md has no row {row} that ends with {most}");
    }
}
