//! Conversation lists and mailboxes: everybody's entries are there, marks within bounds, stamps unique.

use rusqlite::params;

use super::{Check, Doctor};

const PEER: &str = "CASE user_id WHEN small_id THEN big_id ELSE small_id END";
const KEY: &str = "user_id || ', ' || small_id || ', ' || big_id";

/// The last message that the user of a row of `im_session` may see.
const VISIBLE: &str = "coalesce((SELECT left_at FROM im_group_member AS stay WHERE small_id = 0 AND group_id = big_id
                                     AND stay.user_id = im_session.user_id ORDER BY joined DESC LIMIT 1),
                                (SELECT server_msg_id FROM im_conversation AS head
                                 WHERE head.small_id = im_session.small_id AND head.big_id = im_session.big_id))";

/// The count of a read mark at which there is no message.
const UNKNOWN: &str = "CASE read_mark WHEN 0 THEN 0 ELSE read_count END";

/// A row that bears a stamp: a session, or with no conversation the profile.
struct Stamped {
    mailbox_seq: i64,
    conversation: Option<(i64, i64)>,
}

impl Doctor<'_> {
    pub(super) fn lists(&mut self) -> rusqlite::Result<()> {
        self.orphans()?;
        for shard in 0..self.shards {
            self.missing_sessions(shard)?;
        }
        self.marks()?;
        for shard in 0..self.shards {
            self.read_counts(shard)?;
        }
        self.missing_mailboxes()?;
        self.stamps()
    }

    /// Rows that hang on something that is not there. Those that say nothing without it can go.
    fn orphans(&mut self) -> rusqlite::Result<()> {
        let no_user = |id: &str| format!("NOT EXISTS (SELECT 1 FROM im_user AS made WHERE made.user_id = {id})");
        for table in ["im_mailbox", "im_password", "im_device"] {
            let which = no_user(&format!("{table}.user_id"));
            self.check(&Check {
                table: table.into(),
                find: format!("SELECT user_id, 'there is no such user' FROM {table} WHERE {which}"),
                repair: Some(format!("DELETE FROM {table} WHERE {which}")),
            })?;
        }
        for party in ["small_id", "big_id"] {
            self.check(&Check {
                table: "im_conversation".into(),
                find: format!(
                    "SELECT small_id || ', ' || big_id, 'there is no user ' || {party} FROM im_conversation
                     WHERE small_id > 0 AND {}",
                    no_user(party)
                ),
                repair: None,
            })?;
        }
        let head = "SELECT 1 FROM im_conversation AS head
                    WHERE head.small_id = im_session.small_id AND head.big_id = im_session.big_id";
        let stay =
            "SELECT 1 FROM im_group_member AS stay WHERE group_id = big_id AND stay.user_id = im_session.user_id";
        let which = format!(
            "NOT EXISTS ({head}) OR (small_id > 0 AND user_id NOT IN (small_id, big_id))
             OR (small_id = 0 AND NOT EXISTS ({stay}))"
        );
        self.check(&Check {
            table: "im_session".into(),
            find: format!("SELECT {KEY}, 'the user has no part in such a conversation' FROM im_session WHERE {which}"),
            repair: Some(format!("DELETE FROM im_session WHERE {which}")),
        })
    }

    /// The entry that a message or a joining made. Its marks are where the user wrote last, or joined; the stamp 0 is
    /// replaced by [`Self::stamps`].
    fn missing_sessions(&mut self, shard: u64) -> rusqlite::Result<()> {
        let who = format!(
            "WITH concerned (user_id, small_id, big_id, mark) AS (
                 SELECT user_id, 0, group_id, max(joined) FROM im_group_member WHERE user_id % {n} = {shard}
                     GROUP BY user_id, group_id
                 UNION ALL
                 SELECT small_id, small_id, big_id,
                     (SELECT max(server_msg_id) FROM im_message_send_{shard} WHERE from_id = small_id AND to_id = big_id)
                     FROM im_conversation WHERE small_id > 0 AND small_id % {n} = {shard}
                 UNION ALL
                 SELECT big_id, small_id, big_id,
                     (SELECT max(server_msg_id) FROM im_message_send_{shard} WHERE from_id = big_id AND to_id = small_id)
                     FROM im_conversation WHERE small_id > 0 AND small_id <> big_id AND big_id % {n} = {shard})",
            n = self.shards
        );
        let missing = "FROM concerned WHERE NOT EXISTS (SELECT 1 FROM im_session AS entry
                           WHERE entry.user_id = concerned.user_id AND entry.small_id = concerned.small_id
                               AND entry.big_id = concerned.big_id)";
        self.check(&Check {
            table: "im_session".into(),
            find: format!("{who} SELECT {KEY}, 'the entry is missing' {missing}"),
            repair: Some(format!(
                "{who} INSERT INTO im_session (user_id, small_id, big_id, mailbox_seq, read_mark, read_count, delivered_mark)
                 SELECT user_id, small_id, big_id, 0, coalesce(mark, 0), 0, coalesce(mark, 0) {missing}"
            )),
        })
    }

    fn marks(&mut self) -> rusqlite::Result<()> {
        let joined = "SELECT joined FROM im_group_member AS stay WHERE small_id = 0 AND group_id = big_id
                          AND stay.user_id = im_session.user_id ORDER BY joined DESC LIMIT 1";
        let read = format!("min(max(read_mark, coalesce(({joined}), 0)), {VISIBLE})");
        self.column("read_mark", &read)?;
        self.column("delivered_mark", &format!("min(max(delivered_mark, read_mark), {VISIBLE})"))
    }

    fn column(&mut self, column: &str, right: &str) -> rusqlite::Result<()> {
        self.check(&Check {
            table: "im_session".into(),
            find: format!(
                "SELECT {KEY}, '{column} is ' || {column} || ', not ' || {right} FROM im_session WHERE {column} <> {right}"
            ),
            repair: Some(format!("UPDATE im_session SET {column} = {right} WHERE {column} <> {right}")),
        })
    }

    /// The count at the read mark, from the user's own copies, or the group's log. Where that message is missing, the count
    /// is the last that is known of it, and stays.
    fn read_counts(&mut self, shard: u64) -> rusqlite::Result<()> {
        for (which, at_mark) in [
            (
                format!("small_id > 0 AND user_id % {} = {shard}", self.shards),
                format!(
                    "coalesce((SELECT count FROM im_message_send_{shard}
                               WHERE from_id = user_id AND to_id = {PEER} AND server_msg_id = read_mark),
                              (SELECT count FROM im_message_recv_{shard}
                               WHERE to_id = user_id AND from_id = {PEER} AND server_msg_id = read_mark), {UNKNOWN})"
                ),
            ),
            (
                format!("small_id = 0 AND big_id % {} = {shard}", self.shards),
                format!(
                    "coalesce((SELECT count FROM im_message_recv_{shard}
                               WHERE group_id = big_id AND server_msg_id = read_mark), {UNKNOWN})"
                ),
            ),
        ] {
            self.check(&Check {
                table: "im_session".into(),
                find: format!(
                    "SELECT {KEY}, 'read_count is ' || read_count || ', by the message at the read mark ' || {at_mark}
                     FROM im_session WHERE {which} AND read_count <> {at_mark}"
                ),
                repair: Some(format!(
                    "UPDATE im_session SET read_count = {at_mark} WHERE {which} AND read_count <> {at_mark}"
                )),
            })?;
        }
        Ok(())
    }

    fn missing_mailboxes(&mut self) -> rusqlite::Result<()> {
        let missing = "FROM im_user WHERE NOT EXISTS (SELECT 1 FROM im_mailbox AS mailbox
                           WHERE mailbox.user_id = im_user.user_id)";
        self.check(&Check {
            table: "im_mailbox".into(),
            find: format!("SELECT user_id, 'the mailbox is missing' {missing}"),
            repair: Some(format!(
                "INSERT INTO im_mailbox (user_id, mailbox_seq) SELECT user_id, mailbox_seq {missing}"
            )),
        })
    }

    /// Every stamp is a number of the mailbox, and no two are the same. One user's stamps are in memory at a time.
    fn stamps(&mut self) -> rusqlite::Result<()> {
        (self.progress)("stamps", self.report.messages);
        let sql = "SELECT user_id, mailbox_seq, small_id, big_id FROM im_session
                   UNION ALL SELECT user_id, mailbox_seq, NULL, NULL FROM im_user WHERE mailbox_seq <> 0
                   ORDER BY user_id";
        let mut statement = self.db.prepare(sql)?;
        let mut rows = statement.query([])?;
        let (mut user, mut stamps) = (0, Vec::new());
        while let Some(row) = rows.next()? {
            let of: i64 = row.get(0)?;
            if of != user {
                self.stamps_of(user, std::mem::take(&mut stamps))?;
                user = of;
            }
            let small: Option<i64> = row.get(2)?;
            let conversation = small.map(|small| row.get(3).map(|big| (small, big))).transpose()?;
            stamps.push(Stamped { mailbox_seq: row.get(1)?, conversation });
        }
        self.stamps_of(user, stamps)
    }

    fn stamps_of(&mut self, user: i64, mut stamps: Vec<Stamped>) -> rusqlite::Result<()> {
        stamps.sort_by_key(|stamped| stamped.mailbox_seq);
        let Some(highest) = stamps.last().map(|stamped| stamped.mailbox_seq) else { return Ok(()) };
        let sql = "SELECT coalesce(max(mailbox_seq), -1) FROM im_mailbox WHERE user_id = ?1";
        let at: i64 = self.db.prepare_cached(sql)?.query_row([user], |row| row.get(0))?;
        let mut next = at.max(highest);
        let behind = at < highest
            && self.found_derivable("im_mailbox", user.to_string(), format!("it is at {at}, a stamp at {highest}"));
        let mut repair = behind;
        let mut last = 0;
        for stamped in stamps {
            if stamped.mailbox_seq > last {
                last = stamped.mailbox_seq;
                continue;
            }
            let (table, key) = match stamped.conversation {
                Some((small, big)) => ("im_session", format!("{user}, {small}, {big}")),
                None => ("im_user", user.to_string()),
            };
            let wrong = format!("the stamp {} is of no change of its own", stamped.mailbox_seq);
            if self.found_derivable(table, key, wrong) {
                (repair, next) = (true, next + 1);
                let changed = self.write_stamp(user, &stamped, next)?;
                self.repaired(changed);
            }
        }
        if repair {
            let sql = "INSERT INTO im_mailbox (user_id, mailbox_seq) VALUES (?1, ?2)
                       ON CONFLICT (user_id) DO UPDATE SET mailbox_seq = excluded.mailbox_seq";
            let changed = self.db.prepare_cached(sql)?.execute([user, next])?;
            self.repaired(if behind { changed } else { 0 });
        }
        Ok(())
    }

    fn write_stamp(&self, user: i64, stamped: &Stamped, mailbox_seq: i64) -> rusqlite::Result<usize> {
        match stamped.conversation {
            Some((small, big)) => self.db.execute(
                "UPDATE im_session SET mailbox_seq = ?4 WHERE user_id = ?1 AND small_id = ?2 AND big_id = ?3",
                params![user, small, big, mailbox_seq],
            ),
            None => self.db.execute("UPDATE im_user SET mailbox_seq = ?2 WHERE user_id = ?1", [user, mailbox_seq]),
        }
    }
}
