//! The doctor: each kind of damage, done by hand, is seen in every database.

use anser_proto::{GroupId, UserId};
use anser_store::{
    Device, MembersAction, MembersChange, Mentions, NewMessage, NicknameChange, Store,
    doctor::{Finding, Report},
};

use crate::talk::{found, group, send, sender, settle, single, text};

/// Users 1 to 6 and what they said: 1 and 2 to each other, 1 to themselves and to 3; in group 10 there are 1, 2 and
/// 3, of whom 2 left and came back. Some of it names 1 and 3, or all in the group. And two strangers, who write to each other and in group 20.
pub async fn village(store: &dyn Store) {
    settle(store, 12).await;
    found(store, 10, 1, &[2, 3]).await;
    found(store, 20, 8, &[12]).await;
    send(store, text(8, single(8, 12), "hello")).await.expect("stored");
    for n in 0..6 {
        for (from, to) in [(1 + n % 2, single(1, 2)), (1, single(1, 1)), (1, single(1, 3)), (1 + n % 3, group(10))] {
            let names = if n == 1 { vec![UserId(1), UserId(3)] } else { Vec::new() };
            let mentions = Mentions::new(names, n == 0 && to == group(10));
            let said = NewMessage { mentions, ..text(from, to, &format!("{to}-{n}")) };
            send(store, said).await.expect("stored");
        }
    }
    for action in [MembersAction::Leave, MembersAction::Invite(vec![UserId(2)])] {
        let operator = sender(if action == MembersAction::Leave { 2 } else { 3 });
        let change = MembersChange { group: GroupId(10), operator, action, login_version: 0 };
        store.change_members(change).await.expect("changed");
    }
    let (member, client_msg_id, nickname) = (sender(12), "named".parse().expect("a good id"), "Goose".into());
    let named =
        NicknameChange { group: GroupId(20), member, client_msg_id, nickname, client_time_ms: 1, login_version: 0 };
    store.set_nickname(named).await.expect("changed");
    let device = Device { device_id: "a".into(), platform: 1, name: "".into() };
    store.touch_device(UserId(1), device, 0).await.expect("known");
}

/// What becomes of damage where it may be repaired.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Then {
    /// Repaired to what it was before.
    Restored,
    /// Repaired to something sound.
    Repaired,
    /// Only seen.
    Told,
}

/// What is done to the village, and what must be found: where, and a part of what is said of it.
#[derive(Debug)]
pub struct Case(pub &'static str, pub &'static str, pub &'static str, pub Then);

impl Case {
    pub fn must_be_in(&self, report: &Report) {
        let Self(_, _, _, then) = self;
        let found = report.findings.iter().find(|finding| self.is_in(finding));
        let found = found.unwrap_or_else(|| panic!("{self:?} is not in {report:#?}"));
        assert_eq!(found.derivable, *then != Then::Told, "{found:?}");
    }

    pub fn is_in(&self, finding: &Finding) -> bool {
        finding.table.starts_with(self.1) && finding.wrong.contains(self.2)
    }
}

use Then::{Repaired, Restored, Told};

pub const COPIES: &[Case] = &[
    Case(
        "INSERT INTO im_recalled (small_id, big_id, server_msg_id, entry) VALUES (1, 2, 3, 9)",
        "im_message_send_1",
        "is not recalled and does not count",
        Told,
    ),
    Case(
        "INSERT INTO im_recalled (small_id, big_id, server_msg_id, entry) VALUES (0, 10, 3, 9)",
        "im_message_recv_2",
        "is not recalled and does not count",
        Told,
    ),
    Case(
        "UPDATE im_message_recv_2 SET recalled_by = 1 WHERE group_id = 10 AND server_msg_id = 4",
        "im_message_recv_2",
        "is recalled and still counts",
        Told,
    ),
    Case("INSERT INTO im_pin VALUES (1, 2, 3, 9, 1)", "im_message_send_1", "pinned by 0, and listed by 9", Told),
    Case("INSERT INTO im_pin VALUES (0, 10, 3, 9, 1)", "im_message_recv_2", "pinned by 0, and listed by 9", Told),
    Case(
        "UPDATE im_message_recv_2 SET pinned = 5 WHERE group_id = 10 AND server_msg_id = 4",
        "im_message_recv_2",
        "pinned by 5, and listed by 0",
        Told,
    ),
    Case(
        "DELETE FROM im_message_recv_2 WHERE to_id = 2 AND server_msg_id = 3",
        "im_message_recv_2",
        "the copy is missing",
        Restored,
    ),
    Case(
        "DELETE FROM im_message_send_2 WHERE from_id = 2 AND server_msg_id = 2",
        "im_message_send_2",
        "the copy is missing",
        Restored,
    ),
    Case(
        "DELETE FROM im_message_send_1 WHERE from_id = 1 AND to_id = 1 AND server_msg_id IN (2, 3)",
        "im_message_send_1",
        "the copy is missing",
        Restored,
    ),
    Case("DELETE FROM im_message_recv_3", "im_message_recv_3", "the copy is missing", Restored),
    Case(
        "UPDATE im_message_recv_2 SET content = 'forged' WHERE to_id = 2 AND server_msg_id = 3",
        "im_message_recv_2",
        "differs",
        Told,
    ),
    Case(
        "UPDATE im_message_recv_2 SET type = 7 WHERE to_id = 2 AND server_msg_id = 3",
        "im_message_recv_2",
        "differs",
        Told,
    ),
    Case(
        "UPDATE im_message_recv_2 SET from_nickname = '' WHERE to_id = 2 AND server_msg_id = 3",
        "im_message_recv_2",
        "differs",
        Told,
    ),
    Case(
        "UPDATE im_message_recv_2 SET from_nickname = 'Somebody ' WHERE to_id = 2 AND server_msg_id = 3",
        "im_message_recv_2",
        "differs",
        Told,
    ),
    Case(
        "UPDATE im_message_recv_2 SET server_time_ms = server_time_ms + 1 WHERE to_id = 2 AND server_msg_id = 3",
        "im_message_recv_2",
        "differs",
        Told,
    ),
];

pub const LOGS: &[Case] = &[
    Case(
        "DELETE FROM im_message_send_1 WHERE from_id = 1 AND to_id = 2 AND server_msg_id = 3;
         DELETE FROM im_message_recv_2 WHERE to_id = 2 AND server_msg_id = 3",
        "im_message",
        "messages 3 to 3 are missing",
        Told,
    ),
    Case(
        "DELETE FROM im_message_recv_2 WHERE group_id = 10 AND server_msg_id IN (3, 4)",
        "im_message",
        "messages 3 to 4 are missing",
        Told,
    ),
    Case(
        "UPDATE im_message_send_1 SET server_msg_id = 2 WHERE from_id = 1 AND to_id = 2 AND server_msg_id = 3;
         UPDATE im_message_recv_2 SET server_msg_id = 2 WHERE to_id = 2 AND server_msg_id = 3",
        "im_message",
        "there twice",
        Told,
    ),
    Case(
        "INSERT INTO im_message_send_0 (id, from_id, to_id, server_msg_id, client_msg_id, type, counted, count,
             client_time_ms, server_time_ms, from_nickname, from_platform, from_device_id, content, attachment)
         SELECT 1000 + id, from_id, to_id, server_msg_id, client_msg_id, type, counted, count,
             client_time_ms, server_time_ms, from_nickname, from_platform, from_device_id, content, attachment
         FROM im_message_send_1 LIMIT 1",
        "im_message_send_0",
        "belongs into shard 1",
        Told,
    ),
    Case(
        "UPDATE im_message_recv_2 SET server_time_ms = 1 WHERE group_id = 10 AND server_msg_id = 4",
        "im_message",
        "older",
        Told,
    ),
];

pub const COUNTS: &[Case] = &[
    Case(
        "UPDATE im_message_send_1 SET count = 9 WHERE from_id = 1 AND to_id = 2 AND server_msg_id = 3;
         UPDATE im_message_recv_2 SET count = 9 WHERE to_id = 2 AND server_msg_id = 3",
        "im_message",
        "count is 9, not 3",
        Restored,
    ),
    Case(
        "UPDATE im_message_recv_2 SET count = 9 WHERE to_id = 2 AND server_msg_id = 3",
        "im_message",
        "by the other copy 3",
        Restored,
    ),
    Case(
        "UPDATE im_message_send_2 SET count = 9 WHERE to_id = 1 AND server_msg_id = 2",
        "im_message",
        "by the other copy 2",
        Restored,
    ),
    Case(
        "UPDATE im_message_recv_2 SET count = 9 WHERE group_id = 10 AND server_msg_id = 3",
        "im_message",
        "count is 9, not 2",
        Restored,
    ),
];

pub const HEADS: &[Case] = &[
    Case(
        "UPDATE im_conversation SET last_shown = 1 WHERE small_id = 1 AND big_id = 2",
        "im_conversation",
        "last shown 6",
        Restored,
    ),
    Case(
        "UPDATE im_conversation SET recalled_top = 3 WHERE small_id = 0 AND big_id = 10",
        "im_conversation",
        "recalled up to 0",
        Restored,
    ),
    Case("DELETE FROM im_conversation WHERE big_id = 2", "im_conversation", "the head is not at", Restored),
    Case(
        "UPDATE im_conversation SET server_msg_id = server_msg_id - 1 WHERE big_id = 10",
        "im_conversation",
        "the head is not at",
        Restored,
    ),
    Case(
        "UPDATE im_conversation SET count = count - 1 WHERE big_id = 1",
        "im_conversation",
        "the head is not at",
        Restored,
    ),
    Case(
        "UPDATE im_conversation SET server_time_ms = 5 WHERE big_id = 3",
        "im_conversation",
        "the head is not at",
        Restored,
    ),
    Case(
        "INSERT INTO im_conversation (small_id, big_id, server_msg_id, count, server_time_ms) VALUES (4, 5, 1, 1, 1)",
        "im_conversation",
        "without messages",
        Told,
    ),
    Case(
        "INSERT INTO im_conversation (small_id, big_id, server_msg_id, count, server_time_ms) VALUES (0, 44, 1, 1, 1)",
        "im_conversation",
        "without messages",
        Told,
    ),
    // Who wrote them last has their marks there.
    Case(
        "DELETE FROM im_message_send_2 WHERE from_id = 2 AND server_msg_id = 6;
         DELETE FROM im_message_recv_1 WHERE from_id = 2 AND server_msg_id = 6;
         DELETE FROM im_message_send_1 WHERE to_id = 2 AND server_msg_id = 5;
         DELETE FROM im_message_recv_2 WHERE to_id = 2 AND server_msg_id = 5",
        "im_conversation",
        "messages 5 to 6 are missing",
        Told,
    ),
    Case(
        "DELETE FROM im_message_recv_2 WHERE group_id = 10 AND server_msg_id > 4",
        "im_conversation",
        "messages 5 to 9 are missing",
        Told,
    ),
];

pub const ENTRIES: &[Case] = &[
    Case(
        "UPDATE im_session SET read_count = 4 WHERE user_id = 2 AND small_id = 1",
        "im_session",
        "read_count is 4",
        Restored,
    ),
    Case(
        "UPDATE im_session SET read_count = 4 WHERE user_id = 3 AND small_id = 0",
        "im_session",
        "read_count is 4",
        Restored,
    ),
    Case(
        "UPDATE im_session SET read_mark = 99 WHERE user_id = 3 AND small_id = 1",
        "im_session",
        "read_mark is 99",
        Repaired,
    ),
    Case(
        "UPDATE im_session SET read_mark = 1 WHERE user_id = 2 AND small_id = 0",
        "im_session",
        "read_mark is 1",
        Restored,
    ),
    Case("UPDATE im_session SET delivered_mark = 0 WHERE user_id = 2", "im_session", "delivered_mark is 0", Restored),
    Case("INSERT INTO im_hidden VALUES (2, 1, 2, 1, 1)", "im_hidden", "knows of none so far", Repaired),
    Case("DELETE FROM im_session WHERE user_id = 1", "im_session", "the entry is missing", Repaired),
    Case("DELETE FROM im_session WHERE user_id = 3 AND small_id = 0", "im_session", "the entry is missing", Repaired),
    Case(
        "INSERT INTO im_session (user_id, small_id, big_id, mailbox_seq, read_mark, read_count, delivered_mark) VALUES (4, 1, 2, 1, 0, 0, 0)",
        "im_session",
        "no part",
        Repaired,
    ),
    Case(
        "INSERT INTO im_session (user_id, small_id, big_id, mailbox_seq, read_mark, read_count, delivered_mark) VALUES (4, 0, 10, 1, 0, 0, 0)",
        "im_session",
        "no part",
        Repaired,
    ),
    Case(
        "INSERT INTO im_session (user_id, small_id, big_id, mailbox_seq, read_mark, read_count, delivered_mark) VALUES (4, 4, 5, 1, 0, 0, 0)",
        "im_session",
        "no part",
        Repaired,
    ),
];

pub const MENTIONS: &[Case] = &[
    Case("DELETE FROM im_mention WHERE user_id = 0", "im_message_recv_2", "whom it names does not find it", Told),
    Case("DELETE FROM im_mention WHERE big_id = 2", "im_message_send_2", "whom it names does not find it", Told),
    Case("INSERT INTO im_mention VALUES (3, 0, 10, 4, 3)", "im_mention", "no message names them", Restored),
    Case("INSERT INTO im_mention VALUES (3, 0, 10, 99, 3)", "im_mention", "no message names them", Restored),
    Case("INSERT INTO im_mention VALUES (4, 1, 3, 2, 1)", "im_mention", "no message names them", Restored),
    Case(
        "UPDATE im_message_recv_2 SET mentions = '1' WHERE group_id = 10 AND server_msg_id = 3",
        "im_mention",
        "no message names them",
        Repaired,
    ),
    Case(
        "UPDATE im_mention SET from_id = 3 WHERE user_id = 1 AND big_id = 10",
        "im_mention",
        "no message names them",
        Repaired,
    ),
    Case(
        "UPDATE im_conversation SET mentioned_top = 0 WHERE big_id = 2",
        "im_mention",
        "the head knows of none so far",
        Restored,
    ),
];

pub const MAILBOXES: &[Case] = &[
    Case("UPDATE im_mailbox SET mailbox_seq = 1 WHERE user_id = 1", "im_mailbox", "a stamp at", Restored),
    Case("DELETE FROM im_mailbox WHERE user_id IN (1, 4)", "im_mailbox", "the mailbox is missing", Restored),
    Case("UPDATE im_session SET mailbox_seq = 3 WHERE user_id = 1", "im_session", "of no change of its own", Repaired),
    Case(
        "UPDATE im_session SET mailbox_seq = 0 WHERE user_id = 2 AND small_id = 0",
        "im_session",
        "of no change of its own",
        Repaired,
    ),
    Case("UPDATE im_user SET mailbox_seq = 99 WHERE user_id = 2", "im_mailbox", "a stamp at 99", Repaired),
    Case(
        "UPDATE im_user SET mailbox_seq = 1 WHERE user_id IN (1, 2, 3)",
        "im_session",
        "of no change of its own",
        Repaired,
    ),
    Case("INSERT INTO im_change VALUES (1, 1, '2', 1)", "im_change", "of no change of its own", Told),
    Case("INSERT INTO im_change VALUES (1, 1, '2', 99)", "im_change", "of no change of its own", Told),
    Case("INSERT INTO im_mailbox (user_id, mailbox_seq) VALUES (77, 0)", "im_mailbox", "no such user", Restored),
    Case("INSERT INTO im_device VALUES (77, 'a', 1, '', 0, 0)", "im_device", "no such user", Restored),
    Case("INSERT INTO im_revoked VALUES (77, 'a', 1, 0)", "im_revoked", "no such user", Restored),
    Case("INSERT INTO im_revoked VALUES (1, 'b', 1, 7)", "im_revoked", "login_version is 7", Repaired),
    Case("INSERT INTO im_password VALUES (77, '', '')", "im_password", "no such user", Restored),
    Case("DELETE FROM im_user WHERE user_id = 3", "im_conversation", "there is no user", Told),
];

pub const GROUPS: &[Case] = &[
    Case("UPDATE im_group SET member_count = 7 WHERE group_id = 10", "im_group", "member_count is 7", Restored),
    Case("UPDATE im_group SET members_version = 2 WHERE group_id = 10", "im_group", "members_version is 2", Restored),
    Case(
        "UPDATE im_group SET owner_id = 2 WHERE group_id = 10",
        "im_group",
        "no member with the role of the owner",
        Told,
    ),
    Case("UPDATE im_group_member SET role = 3 WHERE user_id = 3", "im_group_member", "and is not", Told),
    Case("UPDATE im_group_member SET role = 9 WHERE user_id = 3", "im_group_member", "the role is none", Told),
    Case("UPDATE im_group_member SET left_at = 99 WHERE left_at > 0", "im_group_member", "outside", Told),
    Case("UPDATE im_group_member SET left_at = 9 WHERE left_at = 8", "im_group_member", "began before", Told),
    Case("UPDATE im_group_member SET left_at = 1 WHERE left_at = 8", "im_group_member", "left before", Told),
    Case(
        "INSERT INTO im_group_member (group_id, user_id, joined, role) VALUES (11, 1, 1, 1)",
        "im_group_member",
        "no such group",
        Told,
    ),
    Case(
        "INSERT INTO im_group_member (group_id, user_id, joined, role) VALUES (10, 77, 2, 1)",
        "im_group_member",
        "no such user",
        Told,
    ),
    Case(
        "UPDATE im_group_member SET visible_from = 99 WHERE user_id = 3",
        "im_group_member",
        "does not begin before they joined",
        Told,
    ),
    Case("INSERT INTO im_ban VALUES (10, 3, 1, 1)", "im_ban", "who is banned is a member", Told),
    Case("INSERT INTO im_ban VALUES (10, 77, 1, 1)", "im_ban", "about nobody", Restored),
    Case("INSERT INTO im_join_request VALUES (10, 77, NULL, NULL, '', 1)", "im_join_request", "about nobody", Restored),
    Case("INSERT INTO im_join_request VALUES (10, 3, 1, NULL, '', 1)", "im_join_request", "is a member", Restored),
    Case(
        "INSERT INTO im_link VALUES (11, 1, x'00112233445566778899aabbccddeeff', 1, 1, 0, 0, 0, 0)",
        "im_link",
        "no such group",
        Restored,
    ),
    Case("DELETE FROM im_group WHERE group_id = 10", "im_conversation", "there is no such group", Told),
    Case(
        "DELETE FROM im_message_recv_2 WHERE group_id = 10; DELETE FROM im_conversation WHERE big_id = 10",
        "im_group",
        "its log is missing",
        Told,
    ),
];

/// More of one log than a page, three times over.
pub async fn talk_for_pages(store: &dyn Store) {
    for to in [single(1, 2), group(10)] {
        for batch in 0..3 {
            let messages = (0..1000).map(|n| text(1 + batch % 2, to, &format!("{to}-page-{batch}-{n}")));
            store.append(messages.collect()).await.expect("stored");
        }
    }
}

/// Of the logs with pages: at the end of one, at its beginning, in the middle.
pub const OF_PAGES: &str = "DELETE FROM im_message_recv_2 WHERE group_id = 10 AND server_msg_id IN (1000, 1001, 2500);
    UPDATE im_message_recv_2 SET server_time_ms = 1 WHERE group_id = 10 AND server_msg_id = 2000;
    UPDATE im_message_send_1 SET count = 7 WHERE from_id = 1 AND to_id = 2 AND server_msg_id = 1000;
    DELETE FROM im_message_recv_2 WHERE to_id = 2 AND server_msg_id IN (501, 502, 999)";

/// And what is found, by place.
pub fn are_of_pages(report: &Report) {
    let mut found: Vec<_> =
        report.findings.iter().map(|finding| format!("{}: {}", finding.key, finding.wrong)).collect();
    found.sort();
    let mut expected = vec![
        "0, 10, 1002: messages 1000 to 1001 are missing".to_owned(),
        "0, 10, 2000: it is older than the one before it".to_owned(),
        "0, 10, 2501: messages 2500 to 2500 are missing".to_owned(),
        "1, 2, 1000: count is 7, not 1000".to_owned(),
        "1, 2, 1000: count is 1000, by the other copy 7".to_owned(),
    ];
    expected.extend([501, 502, 999].map(|id| format!("1, 2, {id}: the copy is missing")));
    expected.sort();
    assert_eq!(found, expected);
}
