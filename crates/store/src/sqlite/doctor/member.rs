//! Groups: who is counted is there, stays lie within the log, and nothing hangs on a group that is not there.

use super::{Check, Doctor};

/// Of each group, what follows from its stays.
const MEMBER_COUNT: &str = "(SELECT count(*) FROM im_group_member AS stay
                              WHERE stay.group_id = im_group.group_id AND left_at IS NULL)";
const MEMBERS_VERSION: &str = "(SELECT max(max(joined), coalesce(max(left_at), 0)) FROM im_group_member AS stay
                                WHERE stay.group_id = im_group.group_id)";
const HEAD: &str = "coalesce((SELECT server_msg_id FROM im_conversation
                              WHERE small_id = 0 AND big_id = im_group_member.group_id), 0)";

impl Doctor<'_> {
    pub(super) fn groups(&mut self) -> rusqlite::Result<()> {
        for (column, right) in [("member_count", MEMBER_COUNT), ("members_version", MEMBERS_VERSION)] {
            self.check(&Check {
                table: "im_group".into(),
                find: format!(
                    "SELECT group_id, '{column} is ' || {column} || ', by its members ' || {right} FROM im_group
                     WHERE {column} <> {right}"
                ),
                repair: Some(format!("UPDATE im_group SET {column} = {right} WHERE {column} <> {right}")),
            })?;
        }
        self.groups_are_whole()?;
        self.stays()
    }

    fn groups_are_whole(&mut self) -> rusqlite::Result<()> {
        let owner = "EXISTS (SELECT 1 FROM im_group_member AS stay WHERE stay.group_id = im_group.group_id
                         AND user_id = owner_id AND left_at IS NULL AND role = 3)";
        let log = "EXISTS (SELECT 1 FROM im_conversation WHERE small_id = 0 AND big_id = group_id)";
        let group = "EXISTS (SELECT 1 FROM im_group AS made WHERE made.group_id = big_id)";
        for (table, find) in [
            ("im_group", format!("SELECT group_id, 'its log is missing' FROM im_group WHERE NOT {log}")),
            (
                "im_group",
                format!(
                    "SELECT group_id, 'user ' || owner_id || ' is no member with the role of the owner' FROM im_group
                     WHERE member_count > 0 AND NOT {owner}"
                ),
            ),
            (
                "im_group_member",
                "SELECT group_id || ', ' || user_id, 'user ' || user_id || ' has the role of the owner and is not'
                 FROM im_group_member JOIN im_group USING (group_id)
                 WHERE left_at IS NULL AND role = 3 AND user_id <> owner_id"
                    .into(),
            ),
            (
                "im_conversation",
                format!(
                    "SELECT '0, ' || big_id, 'there is no such group' FROM im_conversation
                     WHERE small_id = 0 AND NOT {group}"
                ),
            ),
        ] {
            self.check(&Check { table: table.into(), find, repair: None })?;
        }
        Ok(())
    }

    fn stays(&mut self) -> rusqlite::Result<()> {
        let key = "group_id || ', ' || user_id || ', ' || joined";
        let overlap = "SELECT 1 FROM im_group_member AS next WHERE next.group_id = im_group_member.group_id
                           AND next.user_id = im_group_member.user_id AND next.joined > im_group_member.joined
                           AND next.joined <= coalesce(im_group_member.left_at, next.joined)";
        for (wrong, which) in [
            (
                "there is no such group",
                "NOT EXISTS (SELECT 1 FROM im_group AS made WHERE made.group_id = im_group_member.group_id)".to_owned(),
            ),
            (
                "there is no such user",
                "NOT EXISTS (SELECT 1 FROM im_user AS made WHERE made.user_id = im_group_member.user_id)".to_owned(),
            ),
            ("the stay lies outside of the log", format!("joined < 1 OR max(joined, coalesce(left_at, 0)) > {HEAD}")),
            ("they left before they joined", "left_at <= joined".to_owned()),
            ("the next stay began before this one ended", format!("EXISTS ({overlap})")),
            ("the role is none", "role NOT IN (1, 2, 3)".to_owned()),
        ] {
            self.check(&Check {
                table: "im_group_member".into(),
                find: format!("SELECT {key}, '{wrong}' FROM im_group_member WHERE {which}"),
                repair: None,
            })?;
        }
        Ok(())
    }
}
