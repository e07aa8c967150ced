//! Messages: both copies there and equal, ids dense, counts running, heads at the end.

use rusqlite::{OptionalExtension as _, Row, params};

use super::{Check, Doctor, PROGRESS_EVERY};

/// Everything of a message that is the same in both copies, but for its count: that follows from those before it.
const SAME: &str = "client_msg_id, type, counted, client_time_ms, server_time_ms, from_nickname, from_platform, \
                    from_device_id, content, attachment";

/// One row of a log in the order of the log.
#[derive(Clone, Copy)]
struct Entry {
    small: i64,
    big: i64,
    server_msg_id: i64,
    from: i64,
    counted: i64,
    count: i64,
    server_time_ms: i64,
}

impl Doctor<'_> {
    pub(super) fn logs(&mut self) -> rusqlite::Result<()> {
        for shard in 0..self.shards {
            self.own_shard(shard)?;
        }
        for (sender, receiver) in self.pairs() {
            self.copies(sender, receiver)?;
        }
        for shard in 0..self.shards {
            self.walk(&format!(
                "SELECT from_id AS small, to_id AS big, server_msg_id, from_id, counted, count, server_time_ms
                 FROM im_message_send_{shard} WHERE from_id <= to_id
                 UNION ALL
                 SELECT to_id, from_id, server_msg_id, from_id, counted, count, server_time_ms
                 FROM im_message_recv_{shard} WHERE to_id IS NOT NULL AND to_id < from_id
                 ORDER BY small, big, server_msg_id"
            ))?;
            self.walk(&format!(
                "SELECT 0, group_id, server_msg_id, from_id, counted, count, server_time_ms
                 FROM im_message_recv_{shard} WHERE group_id IS NOT NULL ORDER BY group_id, server_msg_id"
            ))?;
        }
        for (sender, receiver) in self.pairs() {
            self.counts_of_copies(sender, receiver)?;
        }
        for shard in 0..self.shards {
            self.heads_of_nothing(shard)?;
        }
        Ok(())
    }

    fn pairs(&self) -> Vec<(u64, u64)> {
        (0..self.shards).flat_map(|sender| (0..self.shards).map(move |receiver| (sender, receiver))).collect()
    }

    fn own_shard(&mut self, shard: u64) -> rusqlite::Result<()> {
        for (table, owner) in [("im_message_send", "from_id"), ("im_message_recv", "coalesce(to_id, group_id)")] {
            self.check(&Check {
                table: format!("{table}_{shard}"),
                find: format!(
                    "SELECT id, {owner} || ' belongs into shard ' || ({owner} % {n}) FROM {table}_{shard}
                     WHERE {owner} % {n} <> {shard}",
                    n = self.shards
                ),
                repair: None,
            })?;
        }
        Ok(())
    }

    /// What one shard sent to another: each copy makes good for the other.
    fn copies(&mut self, sender: u64, receiver: u64) -> rusqlite::Result<()> {
        let (send, recv) = (format!("im_message_send_{sender}"), format!("im_message_recv_{receiver}"));
        let key =
            "there.from_id = here.from_id AND there.to_id = here.to_id AND there.server_msg_id = here.server_msg_id";
        let sides = [
            (&send, &recv, format!("here.to_id % {} = {receiver}", self.shards)),
            (&recv, &send, format!("here.to_id IS NOT NULL AND here.from_id % {} = {sender}", self.shards)),
        ];
        for (here, there, concerned) in sides {
            let missing = format!("{concerned} AND NOT EXISTS (SELECT 1 FROM {there} AS there WHERE {key})");
            let columns = format!("from_id, to_id, server_msg_id, count, {SAME}");
            self.check(&Check {
                table: there.clone(),
                find: format!("SELECT {KEY}, 'the copy is missing' FROM {here} AS here WHERE {missing}"),
                repair: Some(format!(
                    "INSERT OR IGNORE INTO {there} ({columns}) SELECT {columns} FROM {here} AS here WHERE {missing}"
                )),
            })?;
        }
        let prefixed =
            |alias: &str| SAME.split(", ").map(|column| format!("{alias}.{column}")).collect::<Vec<_>>().join(", ");
        self.check(&Check {
            table: recv.clone(),
            find: format!(
                "SELECT {KEY}, 'differs from the copy in {send}' FROM {send} AS here CROSS JOIN {recv} AS there ON {key}
                 WHERE ({}) IS NOT ({})",
                prefixed("here"),
                prefixed("there"),
            ),
            repair: None,
        })
    }

    /// The walk went through the copies of the smaller user; the others follow them.
    fn counts_of_copies(&mut self, sender: u64, receiver: u64) -> rusqlite::Result<()> {
        let (send, recv) = (format!("im_message_send_{sender}"), format!("im_message_recv_{receiver}"));
        for (right, wrong, which) in [(&send, &recv, "from_id <= to_id"), (&recv, &send, "from_id > to_id")] {
            let of_right = format!(
                "(SELECT count FROM {right} AS other WHERE other.from_id = here.from_id AND other.to_id = here.to_id
                      AND other.server_msg_id = here.server_msg_id)"
            );
            let differs = format!("to_id IS NOT NULL AND {which} AND count <> {of_right}");
            self.check(&Check {
                table: wrong.clone(),
                find: format!(
                    "SELECT {KEY}, 'count is ' || count || ', by the other copy ' || {of_right} FROM {wrong} AS here
                     WHERE {differs}"
                ),
                repair: Some(format!("UPDATE {wrong} AS here SET count = {of_right} WHERE {differs}")),
            })?;
        }
        Ok(())
    }

    /// Goes through logs in order: the numbers 1, 2, 3, …, the running count, and at the end of each its head.
    fn walk(&mut self, sql: &str) -> rusqlite::Result<()> {
        let mut statement = self.db.prepare(sql)?;
        let mut rows = statement.query([])?;
        let mut last: Option<Entry> = None;
        while let Some(row) = rows.next()? {
            let mut entry = Entry {
                small: row.get(0)?,
                big: row.get(1)?,
                server_msg_id: row.get(2)?,
                from: row.get(3)?,
                counted: row.get(4)?,
                count: row.get(5)?,
                server_time_ms: row.get(6)?,
            };
            let before = last.filter(|last| (last.small, last.big) == (entry.small, entry.big));
            if before.is_none() {
                self.head_is(last)?;
            }
            self.follows(before, &mut entry)?;
            last = Some(entry);
            self.report.messages += 1;
            if self.report.messages.is_multiple_of(PROGRESS_EVERY) {
                (self.progress)("logs", self.report.messages);
            }
        }
        self.head_is(last)
    }

    /// Compares a message with the one before it. Behind a hole the count is believed: what was there is not known.
    fn follows(&mut self, before: Option<Entry>, entry: &mut Entry) -> rusqlite::Result<()> {
        let (last, count, time) =
            before.map_or((0, 0, 0), |last| (last.server_msg_id, last.count, last.server_time_ms));
        let (key, next) = (entry.key(), last + 1);
        if entry.server_msg_id == last {
            self.found("im_message", key.clone(), "the id is there twice".into(), false);
        } else if entry.server_msg_id != next {
            let wrong = format!("messages {next} to {} are missing", entry.server_msg_id - 1);
            self.found("im_message", key.clone(), wrong, false);
        } else if entry.count != count + entry.counted {
            let right = count + entry.counted;
            if self.found_derivable("im_message", key.clone(), format!("count is {}, not {right}", entry.count)) {
                let changed = self.write_count(entry, right)?;
                self.repaired(changed);
            }
            entry.count = right;
        }
        if entry.server_time_ms < time {
            self.found("im_message", key, "it is older than the one before it".into(), false);
        }
        Ok(())
    }

    fn write_count(&self, entry: &Entry, count: i64) -> rusqlite::Result<usize> {
        let shard = |id: i64| id.unsigned_abs() % self.shards;
        let Entry { small, big, from, server_msg_id, .. } = *entry;
        if small == 0 {
            let sql = "UPDATE im_message_recv_{} SET count = ?1 WHERE group_id = ?2 AND server_msg_id = ?3";
            let sql = sql.replace("{}", &shard(big).to_string());
            return self.db.execute(&sql, params![count, big, server_msg_id]);
        }
        let to = if from == small { big } else { small };
        let mut changed = 0;
        for table in [format!("im_message_send_{}", shard(from)), format!("im_message_recv_{}", shard(to))] {
            let sql = format!("UPDATE {table} SET count = ?1 WHERE from_id = ?2 AND to_id = ?3 AND server_msg_id = ?4");
            changed += self.db.execute(&sql, params![count, from, to, server_msg_id])?;
        }
        Ok(changed)
    }

    /// A head behind its log follows from it. One ahead of it is the last that is known of messages which are gone: moved
    /// back, it would give their ids to others, which devices that have the lost ones would take for those.
    fn head_is(&mut self, last: Option<Entry>) -> rusqlite::Result<()> {
        let Some(Entry { small, big, server_msg_id, count, server_time_ms, .. }) = last else { return Ok(()) };
        let key = format!("{small}, {big}");
        let sql =
            "SELECT server_msg_id, count, server_time_ms FROM im_conversation WHERE small_id = ?1 AND big_id = ?2";
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        let head: Option<(i64, i64, i64)> = self.db.prepare_cached(sql)?.query_row([small, big], read).optional()?;
        match head {
            Some(head) if head == (server_msg_id, count, server_time_ms) => return Ok(()),
            Some((ahead, ..)) if ahead > server_msg_id => {
                let wrong = format!("messages {} to {ahead} are missing", server_msg_id + 1);
                self.found("im_conversation", key, wrong, false);
                return Ok(());
            }
            _ => {}
        }
        let wrong = format!("the head is not at {server_msg_id}, count {count}, time {server_time_ms}");
        if self.found_derivable("im_conversation", key, wrong) {
            let sql = "INSERT OR REPLACE INTO im_conversation (small_id, big_id, server_msg_id, count, server_time_ms)
                       VALUES (?1, ?2, ?3, ?4, ?5)";
            let row = params![small, big, server_msg_id, count, server_time_ms];
            let changed = self.db.prepare_cached(sql)?.execute(row)?;
            self.repaired(changed);
        }
        Ok(())
    }

    fn heads_of_nothing(&mut self, shard: u64) -> rusqlite::Result<()> {
        let nothing = format!(
            "(small_id = 0 AND big_id % {n} = {shard}
                 AND NOT EXISTS (SELECT 1 FROM im_message_recv_{shard} WHERE group_id = big_id))
             OR (small_id > 0 AND small_id % {n} = {shard}
                 AND NOT EXISTS (SELECT 1 FROM im_message_send_{shard} WHERE from_id = small_id AND to_id = big_id)
                 AND NOT EXISTS (SELECT 1 FROM im_message_recv_{shard} WHERE to_id = small_id AND from_id = big_id))",
            n = self.shards
        );
        self.check(&Check {
            table: "im_conversation".into(),
            find: format!(
                "SELECT small_id || ', ' || big_id, 'the head is at ' || server_msg_id || ' of a log without messages'
                 FROM im_conversation WHERE {nothing}"
            ),
            repair: None,
        })
    }
}

const KEY: &str = "here.from_id || ', ' || here.to_id || ', ' || here.server_msg_id";

impl Entry {
    fn key(&self) -> String {
        format!("{}, {}, {}", self.small, self.big, self.server_msg_id)
    }
}
