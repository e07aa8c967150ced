//! One transaction: what it locks and reads at its beginning, what it changes in memory, and how that is written back.
//!
//! Two round trips, however many messages. The first locks and reads the rows that the writes may touch (see `wants`), the
//! second writes everything and commits. Nothing is remembered beyond the transaction: other nodes write too.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
    sync::{Arc, atomic::Ordering::Relaxed},
};

use anser_proto::{ConversationId, GroupId, UserId};
use futures_util::future::join_all;
use mysql_async::{Conn, Row, prelude::Queryable as _};

use super::{
    columns::{Sql, conversation as conversation_id, get, key},
    fault::Fault,
    message::{Places, Table},
    wants::Wants,
    writer::Counters,
};
use crate::{
    Error, Options, Sequencer,
    rows::{Entry, Head, Rows},
};

/// How often a conversation's numbers are asked for before the head's own are taken.
const PROPOSALS_MAX: u32 = 3;
/// Bytes of rows that are put into one packet, and so far below the least `max_allowed_packet` that the rest of a transaction fits
/// too. A batch of the largest bodies has sixteen times as many: each is written twice, and bytes that are no text take two characters.
const ROWS_BYTES_MAX: usize = 1 << 20;

/// What every transaction needs and none changes.
pub(super) struct Rules {
    pub(super) common: Options,
    pub(super) sequencer: Arc<dyn Sequencer>,
    pub(super) counters: Arc<Counters>,
}

/// Marks a transaction, so that it can be asked for later whether it was committed.
#[derive(Clone, Copy)]
pub(super) struct Stamp {
    pub(super) writer_id: u64,
    pub(super) transaction_no: u64,
}

struct Mailbox {
    mailbox_seq: u64,
    stored: u64,
    login_version: u64,
}

pub(super) struct Txn<'c> {
    pub(super) db: &'c mut Conn,
    pub(super) rules: &'c Rules,
    heads: HashMap<ConversationId, Head>,
    sessions: HashMap<(UserId, ConversationId), Entry>,
    mailboxes: BTreeMap<UserId, Mailbox>,
    pub(super) places: Places,
    /// What the sequencer proposed and no message took yet.
    proposed: HashMap<ConversationId, Range<u64>>,
    /// Rows of messages that are to be written, and their statements up to here.
    rows: BTreeMap<Table, Sql>,
    /// Something was written, or is to be.
    pub(super) changed: bool,
    /// Messages that users sent and that were stored.
    pub(super) appended: u64,
}

impl<'c> Txn<'c> {
    /// Locks and reads what is wanted, and reserves numbers.
    pub(super) async fn begin(db: &'c mut Conn, rules: &'c Rules, wants: Wants, stamp: Stamp) -> Result<Self, Fault> {
        let mut tx = Self {
            db,
            rules,
            heads: HashMap::new(),
            sessions: HashMap::new(),
            mailboxes: BTreeMap::new(),
            places: Places::default(),
            proposed: HashMap::new(),
            rows: BTreeMap::new(),
            changed: false,
            appended: 0,
        };
        tx.lock(&wants, stamp).await?;
        tx.reserve(wants.numbers).await;
        Ok(tx)
    }

    pub(super) fn shards(&self) -> u32 {
        self.rules.common.shards
    }

    async fn lock(&mut self, wants: &Wants, stamp: Stamp) -> Result<(), Fault> {
        let mut sql = Sql::new("START TRANSACTION; INSERT INTO im_writer VALUES ");
        sql.numbers(&[stamp.writer_id, stamp.transaction_no, (self.rules.common.clock)()]);
        sql.push(" ON DUPLICATE KEY UPDATE transaction_no = VALUES(transaction_no), at_ms = VALUES(at_ms)");
        wants.lock(&mut sql);
        let mut results = self.db.query_iter(sql.as_str()).await?;
        for _ in ["START", "INSERT"] {
            results.collect::<Row>().await?;
        }
        for (user, mailbox_seq, login_version) in results.collect::<(u64, u64, u64)>().await? {
            self.mailboxes.insert(UserId(user), Mailbox { mailbox_seq, stored: mailbox_seq, login_version });
        }
        for (small, big, server_msg_id, count, server_time_ms) in results.collect().await? {
            let head = Head { server_msg_id, count, server_time_ms, members_version: 0, stored: server_msg_id };
            self.heads.insert(conversation_id(small, big), head);
        }
        for (group, members_version) in results.collect::<(u64, u64)>().await? {
            if let Some(head) = self.heads.get_mut(&ConversationId::Group(GroupId(group))) {
                head.members_version = members_version;
            }
        }
        for mut row in results.collect::<Row>().await? {
            let entry = Entry {
                mailbox_seq: get(&mut row, 3)?,
                read_mark: get(&mut row, 4)?,
                read_count: get(&mut row, 5)?,
                delivered_mark: get(&mut row, 6)?,
                ..Entry::default()
            };
            let conversation = conversation_id(get(&mut row, 1)?, get(&mut row, 2)?);
            self.sessions.insert((UserId(get(&mut row, 0)?), conversation), entry);
        }
        for (group, user, unanswered) in results.collect::<(u64, u64, bool)>().await? {
            let whose = (UserId(user), ConversationId::Group(GroupId(group)));
            let entry = self.sessions.entry(whose).or_default();
            (entry.member, entry.unanswered) = (true, unanswered);
        }
        results.drop_result().await?;
        Ok(())
    }

    /// Asks the sequencer for the numbers of all logs side by side. What it does not know better is the head's next. It keeps a counter
    /// for each log that it was asked for, and is not asked for those of which nothing comes.
    async fn reserve(&mut self, wanted: HashMap<(ConversationId, UserId), u32>) {
        let mut numbers: HashMap<ConversationId, u32> = HashMap::new();
        for ((conversation, from), n) in wanted {
            if self.may_write(conversation, from) {
                *numbers.entry(conversation).or_default() += n;
            }
        }
        let (heads, rules) = (&self.heads, self.rules);
        let asked = numbers.into_iter().map(|(conversation, n)| async move {
            let next = heads.get(&conversation).map_or(0, |head| head.server_msg_id) + 1;
            rules.propose(conversation, next, n).await;
            (conversation, next..next + u64::from(n))
        });
        self.proposed = join_all(asked).await.into_iter().collect();
    }

    fn may_write(&self, conversation: ConversationId, from: UserId) -> bool {
        match conversation {
            ConversationId::Group(group) => self.is_member(group, from),
            ConversationId::Single { small, big } => {
                conversation.peer_of(from).is_some() && [small, big].iter().all(|user| self.must_exist(*user).is_ok())
            }
        }
    }

    pub(super) fn now_ms(&self) -> u64 {
        (self.rules.common.clock)()
    }

    /// None for a group that does not exist; a one-to-one conversation begins with the first message.
    pub(super) fn head(&self, conversation: ConversationId) -> Option<Head> {
        match (self.heads.get(&conversation), conversation) {
            (None, ConversationId::Single { .. }) => Some(Head::default()),
            (found, _) => found.copied(),
        }
    }

    /// Has the number of the next message proposed, the head's next. Those that were reserved are.
    pub(super) async fn propose_next(&mut self, conversation: ConversationId, head: &Head) {
        let next = head.server_msg_id + 1;
        if !self.proposed.get(&conversation).is_some_and(|proposed| proposed.contains(&next)) {
            self.rules.propose(conversation, next, 1).await;
            self.proposed.insert(conversation, next..next + 1);
        }
    }

    /// A message took its place: the head is there now.
    pub(super) fn move_head(&mut self, conversation: ConversationId, head: Head) {
        self.heads.insert(conversation, head);
    }

    pub(super) fn is_member(&self, group: GroupId, user: UserId) -> bool {
        self.sessions.get(&(user, ConversationId::Group(group))).is_some_and(|entry| entry.member)
    }

    /// `NotFound` if there is no such user: every user has a mailbox.
    pub(super) fn must_exist(&self, user: UserId) -> Result<(), Error> {
        self.mailboxes.get(&user).map(drop).ok_or(Error::NotFound("user"))
    }

    pub(super) fn must_be_logged_in(&self, user: UserId, login_version: u64) -> Result<(), Error> {
        let mailbox = self.mailboxes.get(&user).ok_or(Error::NotFound("user"))?;
        if mailbox.login_version == login_version { Ok(()) } else { Err(Error::LoginOver) }
    }

    /// Nobody who logged in before is logged in any more.
    pub(super) async fn end_logins(&mut self, user: UserId) -> Result<(), Fault> {
        let mailbox = self.mailboxes.get_mut(&user).ok_or(Error::NotFound("user"))?;
        mailbox.login_version += 1;
        self.changed = true;
        let sql = "UPDATE im_mailbox SET login_version = ? WHERE user_id = ?";
        Ok(self.db.exec_drop(sql, (mailbox.login_version, user.0)).await?)
    }

    /// Where the next row of a message is written.
    pub(super) fn row(&mut self, table: Table) -> &mut Sql {
        let rows = self.rows.entry(table).or_default();
        if rows.is_empty() { rows.push(&table.insert()) } else { rows.push(",") }
    }

    /// Writes the rows of messages, before something is read that may lie among them.
    pub(super) async fn write_rows(&mut self) -> Result<(), Fault> {
        let mut sql = Sql::default();
        self.take_rows(&mut sql);
        Ok(self.db.query_drop(sql.as_str()).await?)
    }

    /// Does so once they are many, since a packet is bounded and a transaction is not.
    pub(super) async fn write_many_rows(&mut self) -> Result<(), Fault> {
        let bytes: usize = self.rows.values().map(|rows| rows.as_str().len()).sum();
        if bytes >= ROWS_BYTES_MAX { self.write_rows().await } else { Ok(()) }
    }

    fn take_rows(&mut self, sql: &mut Sql) {
        for rows in std::mem::take(&mut self.rows).into_values() {
            sql.push(rows.as_str()).push("; ");
        }
        // A packet must say something.
        sql.push("DO 0");
    }

    /// Writes what was touched and commits, in one packet. The server stops at the first statement that fails, before the
    /// commit.
    pub(super) async fn commit(mut self) -> Result<(), Fault> {
        if !self.changed {
            self.db.query_drop("ROLLBACK").await?;
            self.give_back().await;
            return Ok(());
        }
        let mut sql = Sql::default();
        self.take_rows(&mut sql);
        self.write_heads(&mut sql);
        self.write_mailboxes(&mut sql);
        self.write_sessions(&mut sql);
        sql.push("; COMMIT");
        self.db.query_drop(sql.as_str()).await.map_err(|error| match error.into() {
            Fault::Lost(why) => Fault::Unknown(why),
            fault => fault,
        })?;
        self.give_back().await;
        self.rules.counters.commits.fetch_add(1, Relaxed);
        self.rules.counters.appended.fetch_add(self.appended, Relaxed);
        Ok(())
    }

    /// Numbers that were reserved for what turned out duplicates or refusals.
    async fn give_back(&self) {
        let told = self.proposed.iter().filter_map(|(conversation, proposed)| {
            let last = self.heads.get(conversation).map_or(0, |head| head.server_msg_id);
            (proposed.end != last + 1).then(|| self.rules.tell_sequencer(*conversation, last))
        });
        join_all(told).await;
    }

    /// The heads move by compare-and-set, whatever is remembered here: this is what rules out holes and doubles.
    fn write_heads(&self, sql: &mut Sql) {
        let mut moved: Vec<_> = self.heads.iter().filter(|(_, head)| head.server_msg_id != head.stored).collect();
        moved.sort_unstable_by_key(|(conversation, _)| key(**conversation));
        let (new, known): (Vec<_>, Vec<_>) = moved.into_iter().partition(|(_, head)| head.stored == 0);
        for (at, (conversation, head)) in new.into_iter().enumerate() {
            let (small, big) = key(*conversation);
            sql.push(if at == 0 { "; INSERT INTO im_conversation VALUES " } else { "," });
            sql.numbers(&[small, big, head.server_msg_id, head.count, head.server_time_ms]);
        }
        let count = known.len() as u64;
        for (at, (conversation, head)) in known.into_iter().enumerate() {
            let (small, big) = key(*conversation);
            sql.push(if at == 0 {
                "; UPDATE (SELECT 0 AS small, 0 AS big, 0 AS id, 0 AS n, 0 AS t, 0 AS before_it"
            } else {
                ""
            });
            sql.push(" UNION ALL SELECT ").number(small).push(",").number(big).push(",").number(head.server_msg_id);
            sql.push(",").number(head.count).push(",").number(head.server_time_ms).push(",").number(head.stored);
        }
        if count > 0 {
            sql.push(
                ") AS moved STRAIGHT_JOIN im_conversation AS head ON head.small_id = moved.small AND head.big_id = moved.big
                 SET head.server_msg_id = moved.id, head.count = moved.n, head.server_time_ms = moved.t
                 WHERE head.server_msg_id = moved.before_it; ",
            );
            // More than one row where one is allowed is an error, which ends the packet. (MariaDB's DO forgets errors.)
            sql.push("SET @moved = IF(ROW_COUNT() = ").number(count).push(", 1, (SELECT 1 UNION ALL SELECT 2))");
        }
    }

    fn write_mailboxes(&self, sql: &mut Sql) {
        let moved = self.mailboxes.iter().filter(|(_, mailbox)| mailbox.mailbox_seq != mailbox.stored);
        let mut any = false;
        for (user, mailbox) in moved {
            sql.push(if any { "," } else { "; INSERT INTO im_mailbox (user_id, mailbox_seq) VALUES " });
            sql.numbers(&[user.0, mailbox.mailbox_seq]);
            any = true;
        }
        if any {
            sql.push(" ON DUPLICATE KEY UPDATE mailbox_seq = VALUES(mailbox_seq)");
        }
    }

    fn write_sessions(&self, sql: &mut Sql) {
        let mut changed: Vec<_> = self.sessions.iter().filter(|(_, entry)| entry.changed).collect();
        changed.sort_unstable_by_key(|((user, conversation), _)| (*user, key(*conversation)));
        for (at, ((user, conversation), entry)) in changed.iter().enumerate() {
            let (small, big) = key(*conversation);
            sql.push(if at == 0 { "; INSERT INTO im_session VALUES " } else { "," });
            let Entry { mailbox_seq, read_mark, read_count, delivered_mark, .. } = **entry;
            sql.numbers(&[user.0, small, big, mailbox_seq, read_mark, read_count, delivered_mark]);
        }
        if !changed.is_empty() {
            sql.push(
                " ON DUPLICATE KEY UPDATE mailbox_seq = VALUES(mailbox_seq), read_mark = VALUES(read_mark),
                  read_count = VALUES(read_count), delivered_mark = VALUES(delivered_mark)",
            );
        }
        for ((user, conversation), _) in changed.iter().filter(|(_, entry)| entry.answers) {
            let (_, group) = key(*conversation);
            sql.push("; UPDATE im_group_member SET invited_by = NULL WHERE group_id = ").number(group);
            sql.push(" AND present = 1 AND user_id = ").number(user.0);
        }
    }
}

impl Rows for Txn<'_> {
    fn session(&mut self, user: UserId, conversation: ConversationId) -> Result<Option<Entry>, Error> {
        Ok(self.sessions.get(&(user, conversation)).copied())
    }

    fn put_session(&mut self, user: UserId, conversation: ConversationId, entry: Entry) {
        self.changed = true;
        self.sessions.insert((user, conversation), Entry { changed: true, ..entry });
    }

    fn next_change(&mut self, user: UserId) -> Result<u64, Error> {
        self.changed = true;
        let mailbox = self.mailboxes.get_mut(&user).ok_or(Error::NotFound("user"))?;
        mailbox.mailbox_seq += 1;
        Ok(mailbox.mailbox_seq)
    }
}

impl Rules {
    /// Asks until the numbers from `next` on are proposed; after some attempts they are taken all the same.
    async fn propose(&self, conversation: ConversationId, next: u64, n: u32) {
        for _ in 0..PROPOSALS_MAX {
            match self.sequencer.reserve(conversation, n).await {
                Ok(first) if first == next => return,
                Ok(_) => {
                    self.counters.proposals_refused.fetch_add(1, Relaxed);
                    self.tell_sequencer(conversation, next - 1).await;
                }
                Err(error) => {
                    tracing::debug!(%conversation, %error, "the sequencer did not answer: the head's own numbers are taken");
                    return;
                }
            }
        }
    }

    /// A sequencer that does not hear it proposes a wrong number next time, and is told again.
    async fn tell_sequencer(&self, conversation: ConversationId, last: u64) {
        if let Err(error) = self.sequencer.reset(conversation, last).await {
            tracing::debug!(%conversation, %error, "the sequencer was not reset");
        }
    }
}
