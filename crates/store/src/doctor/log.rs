//! Messages: both copies there and equal, ids dense, counts running, heads at the end.

use super::{
    Doctor, Patient,
    check::{Check, Over},
    page::{PAGE_ROWS, Side, bounded},
};
use crate::{
    query::{Dialect, Query},
    rows::{Damage, Head, Take, is_silent},
};

/// Everything of a message that is the same in both copies, but for its count: that follows from those before it.
const SAME: &str = "client_msg_id, type, counted, client_time_ms, server_time_ms, from_nickname, from_platform, \
                    from_device_id, content, attachment, reply_to, target, changed, recalled_by, edited_ms, edits, reactions, \
                    pinned, mentions, body_digest";
const KEY: &[&str] = &["here.from_id", "here.to_id", "here.server_msg_id"];
/// Of a log, what is read of each row behind its key.
const ENTRY: &str = "here.from_id AS sender, here.counted, here.count, here.server_time_ms, here.type, \
                     CASE WHEN here.recalled_by IS NULL THEN 0 ELSE here.counted END";
const IN_ORDER: &str = "ORDER BY small, big, server_msg_id LIMIT ?";

/// One row of a log in the order of the log.
#[derive(Clone, Copy)]
struct Entry {
    small: u64,
    big: u64,
    server_msg_id: u64,
    from: u64,
    counted: u64,
    count: u64,
    server_time_ms: u64,
    /// Up to here: what the head must say.
    last_shown: u64,
    recalled_top: u64,
}

impl<P: Patient> Doctor<'_, P> {
    pub(super) async fn logs(&mut self) -> Result<(), P::Error> {
        for shard in 0..self.shards {
            self.own_shard(shard).await?;
        }
        for (sender, receiver) in self.pairs() {
            self.copies(sender, receiver).await?;
        }
        let dialect = self.dialect;
        for shard in 0..self.shards {
            self.walk(|behind| log_of_users(dialect, shard, behind)).await?;
            self.walk(|behind| log_of_groups(dialect, shard, behind)).await?;
        }
        for (sender, receiver) in self.pairs() {
            self.counts_of_copies(sender, receiver).await?;
        }
        for shard in 0..self.shards {
            self.recalled(shard).await?;
            self.pinned(shard).await?;
        }
        self.heads_of_nothing().await
    }

    /// What counted and is recalled is among those that are subtracted from unread counts.
    async fn recalled(&mut self, shard: u64) -> Result<(), P::Error> {
        for (table, which, noted) in noted_of(shard) {
            let noted = format!("EXISTS (SELECT 1 FROM im_recalled AS noted WHERE {noted})");
            let is_recalled = "here.counted = 1 AND here.recalled_by IS NOT NULL";
            let missing = format!("{which} AND {is_recalled} AND NOT {noted}");
            let check = Check::of(Over::messages(&table), "'it is recalled and still counts as unread'", missing);
            self.check(&check).await?;
            let wrong = format!("{which} AND NOT ({is_recalled}) AND {noted}");
            let check = Check::of(Over::messages(&table), "'it is not recalled and does not count as unread'", wrong);
            self.check(&check).await?;
        }
        Ok(())
    }

    /// What is pinned is listed by the entry that pinned it.
    async fn pinned(&mut self, shard: u64) -> Result<(), P::Error> {
        for (table, which, noted) in noted_of(shard) {
            let listed = format!("(SELECT noted.entry FROM im_pin AS noted WHERE {noted})");
            let wrong = format!("'it is pinned by ' || here.pinned || ', and listed by ' || coalesce({listed}, 0)");
            let differs = format!("{which} AND here.pinned <> coalesce({listed}, 0)");
            self.check(&Check::of(Over::messages(&table), wrong, differs)).await?;
        }
        Ok(())
    }

    fn pairs(&self) -> Vec<(u64, u64)> {
        (0..self.shards).flat_map(|sender| (0..self.shards).map(move |receiver| (sender, receiver))).collect()
    }

    async fn own_shard(&mut self, shard: u64) -> Result<(), P::Error> {
        let (sent, received) = (send_table(shard), receive_table(shard));
        for (table, owner) in [(sent, "here.from_id"), (received, "coalesce(here.to_id, here.group_id)")] {
            let right = format!("({owner} % {})", self.shards);
            let wrong = format!("{owner} || ' belongs into shard ' || {right}");
            self.check(&Check::of(Over::messages(&table), wrong, format!("{right} <> {shard}"))).await?;
        }
        Ok(())
    }

    /// What one shard sent to another: each copy is good for the other.
    async fn copies(&mut self, sender: u64, receiver: u64) -> Result<(), P::Error> {
        let (sent, received) = (send_table(sender), receive_table(receiver));
        let (in_sent, in_received) = (self.same(sent_log, "there"), self.same(received_log, "there"));
        let sides = [
            (&sent, &received, &in_received, format!("here.to_id % {} = {receiver}", self.shards)),
            (
                &received,
                &sent,
                &in_sent,
                format!("here.to_id IS NOT NULL AND here.from_id % {} = {sender}", self.shards),
            ),
        ];
        for (here, there, key, concerned) in sides {
            let missing = format!("{concerned} AND NOT EXISTS (SELECT 1 FROM {there} AS there WHERE {key})");
            let columns = format!("from_id, to_id, server_msg_id, count, {SAME}");
            let repair = format!(
                "INSERT OR IGNORE INTO {there} ({columns}) SELECT {columns} FROM {here} AS here WHERE {missing}"
            );
            let check = Check::of(Over::messages(here), "'the copy is missing'", missing);
            self.check(&check.told_as(there, KEY).repaired_by(repair)).await?;
        }
        let differ: Vec<_> = SAME.split(", ").map(|column| self.dialect.differs(column)).collect();
        let join = format!("{} {received} AS there ON {in_received}", self.dialect.joined_behind());
        let check = Check::of(Over::messages(&sent), format!("'differs from the copy in {sent}'"), differ.join(" OR "));
        self.check(&check.told_as(&received, KEY).beside(join)).await
    }

    /// The other copy of the message `here`, as `other`.
    fn same(&self, log: Log, other: &str) -> String {
        let log = log(self.dialect, other, "here.from_id", "here.to_id");
        format!("{log} AND {other}.server_msg_id = here.server_msg_id")
    }

    /// The walk went through the copies of the smaller user; the others follow them.
    async fn counts_of_copies(&mut self, sender: u64, receiver: u64) -> Result<(), P::Error> {
        let (sent, received) = (send_table(sender), receive_table(receiver));
        for (right, log, wrong, which) in [
            (&sent, sent_log as Log, &received, "here.from_id <= here.to_id"),
            (&received, received_log, &sent, "here.from_id > here.to_id"),
        ] {
            let of_right = format!("(SELECT other.count FROM {right} AS other WHERE {})", self.same(log, "other"));
            let differs = format!("here.to_id IS NOT NULL AND {which} AND here.count <> {of_right}");
            let told = format!("'count is ' || here.count || ', by the other copy ' || {of_right}");
            let check = Check::of(Over::messages(wrong), told, differs);
            self.check(&check.told_as(wrong, KEY).set("count", &of_right)).await?;
        }
        Ok(())
    }

    /// Goes through logs in order: the numbers 1, 2, 3, …, the running count, and at the end of each its head.
    async fn walk(&mut self, behind: impl Fn([u64; 3]) -> Query) -> Result<(), P::Error> {
        let (mut at, mut last) = ([0; 3], None);
        loop {
            let mut page: Vec<Entry> = self.db.rows(vec![behind(at)], Entry::take).await?;
            let is_full = page.len() as u64 == PAGE_ROWS;
            // An id that is there twice comes with the next page whole.
            if let Some(end) = page.last().map(Entry::at).filter(|_| is_full) {
                page.retain(|entry| entry.at() != end);
            }
            at = page.last().map_or(at, Entry::at);
            self.follow(page, &mut last).await?;
            (self.progress)("logs", self.report.messages);
            if !is_full {
                break;
            }
        }
        self.heads_are(Vec::from_iter(last)).await
    }

    async fn follow(&mut self, page: Vec<Entry>, last: &mut Option<Entry>) -> Result<(), P::Error> {
        let mut ended = Vec::new();
        for mut entry in page {
            let before = last.filter(|last| (last.small, last.big) == (entry.small, entry.big));
            if before.is_none() {
                ended.extend(*last);
            }
            self.follows(before, &mut entry).await?;
            *last = Some(entry);
            self.report.messages += 1;
        }
        self.heads_are(ended).await
    }

    /// Compares a message with the one before it. Behind a hole the count is believed: what was there is not known.
    async fn follows(&mut self, before: Option<Entry>, entry: &mut Entry) -> Result<(), P::Error> {
        let (last, count, time) =
            before.map_or((0, 0, 0), |last| (last.server_msg_id, last.count, last.server_time_ms));
        let (key, next, right) = (entry.key(), last + 1, count.wrapping_add(entry.counted));
        if entry.server_msg_id == last {
            self.found("im_message", key.clone(), "the id is there twice".into());
        } else if entry.server_msg_id != next {
            let wrong = format!("messages {next} to {} are missing", entry.server_msg_id.wrapping_sub(1));
            self.found("im_message", key.clone(), wrong);
        } else if entry.count != right {
            let wrong = format!("count is {}, not {right}", entry.count);
            if self.found_derivable("im_message", key.clone(), wrong) {
                let repairs = self.write_count(entry, right);
                self.put_right(&repairs).await?;
            }
            entry.count = right;
        }
        if entry.server_time_ms < time {
            self.found("im_message", key, "it is older than the one before it".into());
        }
        if let Some(before) = before {
            entry.last_shown = entry.last_shown.max(before.last_shown);
            entry.recalled_top = entry.recalled_top.max(before.recalled_top);
        }
        Ok(())
    }

    fn write_count(&self, entry: &Entry, count: u64) -> Vec<Query> {
        let Entry { small, big, from, server_msg_id, .. } = *entry;
        let set = |table: String, which: &str, key: &[u64]| {
            let params: Vec<_> = [count].iter().chain(key).chain([&server_msg_id]).copied().map(Into::into).collect();
            Query::new(format!("UPDATE {table} SET count = ? WHERE {which} AND server_msg_id = ?"), params)
        };
        if small == 0 {
            return vec![set(receive_table(big % self.shards), "group_id = ?", &[big])];
        }
        let to = if from == small { big } else { small };
        let tables = [send_table(from % self.shards), receive_table(to % self.shards)];
        tables.map(|table| set(table, "from_id = ? AND to_id = ?", &[from, to])).into()
    }

    /// A head behind its log follows from it. One ahead of it is the last that is known of messages which are gone: moved
    /// back, it would give their ids to others, which devices that have the lost ones would take for those.
    async fn heads_are(&mut self, ends: Vec<Entry>) -> Result<(), P::Error> {
        let columns = "small_id, big_id, server_msg_id, count, server_time_ms, last_shown, recalled_top";
        let sql = format!("SELECT {columns} FROM im_conversation WHERE small_id = ? AND big_id = ?");
        let heads = ends.iter().map(|end| Query::new(sql.as_str(), [end.small.into(), end.big.into()])).collect();
        let numbers = |row: &mut dyn Take| (0..7).map(|_| row.number()).collect();
        let heads: Vec<Vec<u64>> = self.db.rows(heads, numbers).await?;
        let mut heads = heads.into_iter().peekable();
        for end in ends {
            let Entry { small, big, server_msg_id, count, server_time_ms, last_shown, recalled_top, .. } = end;
            let right = [small, big, server_msg_id, count, server_time_ms, last_shown, recalled_top];
            let head = heads.next_if(|head| head[..2] == right[..2]);
            let key = format!("{small}, {big}");
            match head {
                Some(head) if head == right => continue,
                Some(head) if head[2] > server_msg_id => {
                    self.found(
                        "im_conversation",
                        key,
                        format!("messages {} to {} are missing", server_msg_id + 1, head[2]),
                    );
                    continue;
                }
                _ => {}
            }
            let wrong = format!(
                "the head is not at {server_msg_id}, count {count}, time {server_time_ms}, last shown {last_shown}, \
                 recalled up to {recalled_top}"
            );
            if self.found_derivable("im_conversation", key, wrong) {
                let right_now = columns.split(", ").skip(2).map(|column| format!("{column} = excluded.{column}"));
                let sql = format!(
                    "INSERT INTO im_conversation ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?)
                     ON CONFLICT (small_id, big_id) DO UPDATE SET {}",
                    right_now.collect::<Vec<_>>().join(", ")
                );
                self.put_right(&[Query::new(sql, right.map(Into::into))]).await?;
            }
        }
        Ok(())
    }

    async fn heads_of_nothing(&mut self) -> Result<(), P::Error> {
        let any = |table: String, which: String| format!("EXISTS (SELECT 1 FROM {table} AS message WHERE {which})");
        let dialect = self.dialect;
        let of_group =
            self.by_shard("here.big_id", |shard| any(receive_table(shard), group_log(dialect, "here.big_id")));
        let [small, big] = ["here.small_id", "here.big_id"];
        let of_users = self.by_shard(small, |shard| {
            let sent = any(send_table(shard), sent_log(dialect, "message", small, big));
            let received = any(receive_table(shard), received_log(dialect, "message", big, small));
            format!("({sent} OR {received})")
        });
        let which = format!("NOT CASE WHEN here.small_id = 0 THEN {of_group} ELSE {of_users} END");
        let wrong = "'the head is at ' || here.server_msg_id || ' of a log without messages'";
        self.check(&Check::of(Over::rows_of::<Head>(), wrong, which)).await
    }
}

pub(super) fn send_table(shard: u64) -> String {
    format!("im_message_send_{shard}")
}

pub(super) fn receive_table(shard: u64) -> String {
    format!("im_message_recv_{shard}")
}

/// Where the messages of this shard lie, each once; which of them; and that a row `noted` of another table is about the one that is `here`.
pub(super) fn noted_of(shard: u64) -> [(String, &'static str, String); 2] {
    let [smaller, larger] = ["<", ">"]
        .map(|than| format!("CASE WHEN here.from_id {than} here.to_id THEN here.from_id ELSE here.to_id END"));
    let noted = |small: &str, big: &str| {
        format!("noted.small_id = {small} AND noted.big_id = {big} AND noted.server_msg_id = here.server_msg_id")
    };
    [
        (send_table(shard), "TRUE", noted(&smaller, &larger)),
        (receive_table(shard), "here.group_id IS NOT NULL", noted("0", "here.group_id")),
    ]
}

/// The condition that a message lies in the log of a sender and a receiver, as one of them keeps it.
type Log = fn(dialect: Dialect, message: &str, from: &str, to: &str) -> String;

pub(super) fn sent_log(_: Dialect, message: &str, from: &str, to: &str) -> String {
    format!("{message}.from_id = {from} AND {message}.to_id = {to}")
}

pub(super) fn received_log(dialect: Dialect, message: &str, from: &str, to: &str) -> String {
    let [receiver, sender] = dialect.receiver_and_sender();
    format!("{message}.{receiver} = {to} AND {message}.{sender} = {from}")
}

pub(super) fn group_log(dialect: Dialect, group: &str) -> String {
    dialect.group_log().replace('?', group)
}

/// Both copies of the users, in the order of the smaller one's logs.
fn log_of_users(dialect: Dialect, shard: u64, behind: [u64; 3]) -> Query {
    let by_logs = dialect.by_logs();
    let side = |table: String, owner: &str, peer: &str, is_side: &str| {
        let key = [owner, peer, "server_msg_id"].map(|column| format!("here.{column}"));
        let (page, params) = bounded(dialect, &key, [(Side::Behind, Some(&behind))]);
        let sql = format!(
            "SELECT here.{owner} AS small, here.{peer} AS big, here.server_msg_id, {ENTRY}
             FROM {table} AS here {by_logs} WHERE {is_side} AND {page}"
        );
        (sql, params)
    };
    let [owner, peer] = dialect.receiver_and_sender();
    let (sent, sent_params) = side(send_table(shard), "from_id", "to_id", "here.from_id <= here.to_id");
    let smaller_receives = format!("here.to_id IS NOT NULL AND here.{owner} < here.{peer}");
    let (received, received_params) = side(receive_table(shard), owner, peer, &smaller_receives);
    dialect.merge([(sent, &sent_params), (received, &received_params)], IN_ORDER, PAGE_ROWS)
}

fn log_of_groups(dialect: Dialect, shard: u64, [_, group, server_msg_id]: [u64; 3]) -> Query {
    let [any_group, owner, order] = dialect.of_any_group();
    let key = [owner, "server_msg_id"].map(|column| format!("here.{column}"));
    let (page, mut params) = bounded(dialect, &key, [(Side::Behind, Some(&[group, server_msg_id]))]);
    params.push(PAGE_ROWS.into());
    let (table, by_logs) = (receive_table(shard), dialect.by_logs());
    let sql = format!(
        "SELECT 0, here.{owner}, here.server_msg_id, {ENTRY}
         FROM {table} AS here {by_logs} WHERE {any_group} AND {page} ORDER BY {order} LIMIT ?"
    );
    Query::of_messages(sql, params)
}

impl Entry {
    fn take(row: &mut dyn Take) -> Result<Self, Damage> {
        let (small, big, server_msg_id) = (row.number()?, row.number()?, row.number()?);
        let at = |is_so: bool| if is_so { server_msg_id } else { 0 };
        Ok(Self {
            small,
            big,
            server_msg_id,
            from: row.number()?,
            counted: row.number()?,
            count: row.number()?,
            server_time_ms: row.number()?,
            last_shown: at(!is_silent(row.small()?)),
            recalled_top: at(row.number()? == 1),
        })
    }

    fn at(&self) -> [u64; 3] {
        [self.small, self.big, self.server_msg_id]
    }

    fn key(&self) -> String {
        format!("{}, {}, {}", self.small, self.big, self.server_msg_id)
    }
}
