//! One transaction of the writer: what it touched of the small hot tables, in memory, and how that is written back.
//!
//! Heads, sessions and mailboxes change with every message. They are read when they are first touched, changed here, and
//! written once at the end, however many messages of the transaction concern them. What was committed is kept for the
//! next transactions, within bounds; after a failure nothing kept is trusted.

use std::{
    collections::HashMap,
    ops::Range,
    sync::{Arc, atomic::Ordering::Relaxed},
};

use anser_proto::{ConversationId, UserId};
use quick_cache::unsync::Cache;
use rusqlite::{Connection, OptionalExtension as _};

use super::{
    columns::{int, key, number, prepare},
    message::MessageSql,
    park,
    writer::Counters,
};
use crate::{
    Error, Options, Sequencer,
    rows::{Entry, Head, Rows},
};

/// How often a conversation's numbers are asked for before the head's own are taken.
const PROPOSALS_MAX: u32 = 3;

/// What every transaction needs and none changes.
pub(super) struct Rules {
    pub(super) common: Options,
    pub(super) sequencer: Arc<dyn Sequencer>,
    pub(super) sql: MessageSql,
    pub(super) counters: Arc<Counters>,
}

#[derive(Clone, Copy)]
struct Mailbox {
    mailbox_seq: u64,
    stored: u64,
    login_version: u64,
}

/// Rows as they were last committed. Only the one writer writes them, so they cannot go stale.
pub(super) struct Kept {
    heads: Cache<ConversationId, Head>,
    sessions: Cache<(UserId, ConversationId), Entry>,
    mailboxes: Cache<UserId, Mailbox>,
}

impl Kept {
    /// Up to so many conversations with two sessions and mailboxes each.
    pub(super) fn new(conversations: usize) -> Self {
        let twice = conversations.saturating_mul(2);
        Self { heads: Cache::new(conversations), sessions: Cache::new(twice), mailboxes: Cache::new(twice) }
    }

    pub(super) fn clear(&mut self) {
        self.heads.clear();
        self.sessions.clear();
        self.mailboxes.clear();
    }
}

pub(super) struct Txn<'w> {
    pub(super) db: &'w Connection,
    pub(super) rules: &'w Rules,
    kept: &'w mut Kept,
    heads: HashMap<ConversationId, Head>,
    sessions: HashMap<(UserId, ConversationId), Entry>,
    mailboxes: HashMap<UserId, Mailbox>,
    /// How many messages the transaction may append to each log: reserved together.
    wanted: HashMap<ConversationId, u32>,
    /// What the sequencer proposed and no message took yet.
    proposed: HashMap<ConversationId, Range<u64>>,
    /// The sequencer did not answer: the rest of the transaction does without, so that it is waited for once.
    sequencer_silent: bool,
    /// Messages that users sent and that were stored.
    pub(super) appended: u64,
}

impl<'w> Txn<'w> {
    pub(super) fn begin(
        db: &'w Connection,
        rules: &'w Rules,
        kept: &'w mut Kept,
        wanted: HashMap<ConversationId, u32>,
    ) -> rusqlite::Result<Self> {
        prepare(db, "BEGIN IMMEDIATE")?.execute([])?;
        Ok(Self {
            db,
            rules,
            kept,
            heads: HashMap::new(),
            sessions: HashMap::new(),
            mailboxes: HashMap::new(),
            wanted,
            proposed: HashMap::new(),
            sequencer_silent: false,
            appended: 0,
        })
    }

    pub(super) fn shards(&self) -> u32 {
        self.rules.common.shards
    }

    pub(super) fn now_ms(&self) -> u64 {
        (self.rules.common.clock)()
    }

    /// None for a group that does not exist; a one-to-one conversation begins with the first message.
    pub(super) fn head(&mut self, conversation: ConversationId) -> Result<Option<Head>, Error> {
        if let Some(head) = self.heads.get(&conversation).or_else(|| self.kept.heads.get(&conversation)) {
            return Ok(Some(*head));
        }
        let sql = "SELECT server_msg_id, count, server_time_ms,
                          (SELECT members_version FROM im_group WHERE ?1 = 0 AND group_id = ?2)
                   FROM im_conversation WHERE small_id = ?1 AND big_id = ?2";
        let found = prepare(self.db, sql)?.query_row(key(conversation), |row| {
            let server_msg_id = number(row, 0)?;
            Ok(Head {
                server_msg_id,
                count: number(row, 1)?,
                server_time_ms: number(row, 2)?,
                members_version: row.get::<_, Option<i64>>(3)?.unwrap_or(0).cast_unsigned(),
                stored: server_msg_id,
            })
        });
        Ok(match (found.optional()?, conversation) {
            (None, ConversationId::Single { .. }) => Some(Head::default()),
            (found, _) => found,
        })
    }

    /// Has the number of the next message proposed, the head's next.
    pub(super) fn propose_next(&mut self, conversation: ConversationId, head: &Head) {
        let next = head.server_msg_id + 1;
        if !self.proposed.get(&conversation).is_some_and(|proposed| proposed.contains(&next)) {
            let wanted = self.wanted.remove(&conversation).unwrap_or(1);
            self.propose(conversation, next, wanted);
            self.proposed.insert(conversation, next..next + u64::from(wanted));
        }
    }

    /// Asks until the numbers from `next` on are proposed; after some attempts they are taken all the same.
    fn propose(&mut self, conversation: ConversationId, next: u64, wanted: u32) {
        for _ in 0..PROPOSALS_MAX {
            if self.sequencer_silent {
                return;
            }
            match park::wait(self.rules.sequencer.reserve(conversation, wanted)) {
                Ok(first) if first == next => return,
                Ok(_) => {
                    self.rules.counters.proposals_refused.fetch_add(1, Relaxed);
                    self.tell_sequencer(conversation, next - 1);
                }
                Err(error) => {
                    tracing::warn!(%conversation, %error, "the sequencer did not answer: heads' own numbers are taken");
                    self.sequencer_silent = true;
                }
            }
        }
    }

    /// A sequencer that does not hear it proposes a wrong number next time, and is told again.
    fn tell_sequencer(&mut self, conversation: ConversationId, last: u64) {
        if self.sequencer_silent {
            return;
        }
        if let Err(error) = park::wait(self.rules.sequencer.reset(conversation, last)) {
            tracing::warn!(%conversation, %error, "the sequencer was not reset");
            self.sequencer_silent = true;
        }
    }

    /// A message took its place: the head is there now.
    pub(super) fn move_head(&mut self, conversation: ConversationId, head: Head) {
        self.heads.insert(conversation, head);
    }

    /// `NotFound` if there is no such user: every user has a mailbox.
    pub(super) fn must_exist(&mut self, user: UserId) -> Result<(), Error> {
        self.mailbox(user).map(drop)
    }

    fn mailbox(&mut self, user: UserId) -> Result<Mailbox, Error> {
        if let Some(mailbox) = self.mailboxes.get(&user).or_else(|| self.kept.mailboxes.get(&user)) {
            return Ok(*mailbox);
        }
        let sql = "SELECT mailbox_seq, login_version FROM im_mailbox WHERE user_id = ?1";
        let read = |row: &rusqlite::Row<'_>| {
            let mailbox_seq = number(row, 0)?;
            Ok(Mailbox { mailbox_seq, stored: mailbox_seq, login_version: number(row, 1)? })
        };
        let found = prepare(self.db, sql)?.query_row([int(user.0)], read).optional()?;
        let mailbox = found.ok_or(Error::NotFound("user"))?;
        self.mailboxes.insert(user, mailbox);
        Ok(mailbox)
    }

    pub(super) fn must_be_logged_in(&mut self, user: UserId, login_version: u64) -> Result<(), Error> {
        if self.mailbox(user)?.login_version == login_version { Ok(()) } else { Err(Error::LoginOver) }
    }

    /// Nobody who logged in before is logged in any more.
    pub(super) fn end_logins(&mut self, user: UserId) -> Result<(), Error> {
        let mut mailbox = self.mailbox(user)?;
        mailbox.login_version += 1;
        let sql = "UPDATE im_mailbox SET login_version = ?2 WHERE user_id = ?1";
        prepare(self.db, sql)?.execute((int(user.0), int(mailbox.login_version)))?;
        self.mailboxes.insert(user, mailbox);
        Ok(())
    }

    /// Writes what was touched and commits. The order is that of the keys, so that rows beside each other are written together.
    pub(super) fn commit(mut self) -> Result<(), Error> {
        self.write_heads()?;
        self.write_sessions()?;
        self.write_mailboxes()?;
        // An error in here comes after frames were written, perhaps all of them: only a full disk is known to have cut
        // them off.
        match prepare(self.db, "COMMIT")?.execute([]) {
            Ok(_) => self.keep(),
            Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull) => return Err(Error::Full),
            Err(error) => return Err(Error::UnknownOutcome(error.to_string())),
        }
        Ok(())
    }

    /// The heads move by compare-and-set, once for each conversation, whatever is remembered here: this is what rules
    /// out holes and doubles.
    fn write_heads(&self) -> Result<(), Error> {
        let mut moved: Vec<_> = self.heads.iter().filter(|(_, head)| head.server_msg_id != head.stored).collect();
        moved.sort_unstable_by_key(|(conversation, _)| key(**conversation));
        let insert = "INSERT INTO im_conversation (small_id, big_id, server_msg_id, count, server_time_ms)
                      SELECT ?1, ?2, ?3, ?4, ?5 WHERE ?6 = 0";
        let update = "UPDATE im_conversation SET server_msg_id = ?3, count = ?4, server_time_ms = ?5
                      WHERE small_id = ?1 AND big_id = ?2 AND server_msg_id = ?6";
        let (mut insert, mut update) = (prepare(self.db, insert)?, prepare(self.db, update)?);
        for (conversation, head) in moved {
            let (small, big) = key(*conversation);
            let statement = if head.stored == 0 { &mut insert } else { &mut update };
            let row =
                (small, big, int(head.server_msg_id), int(head.count), int(head.server_time_ms), int(head.stored));
            if statement.execute(row)? != 1 {
                return Err(Error::Failed(format!("the head of {conversation} is not at {}", head.stored)));
            }
        }
        Ok(())
    }

    fn write_sessions(&self) -> Result<(), Error> {
        let mut changed: Vec<_> = self.sessions.iter().filter(|(_, entry)| entry.changed).collect();
        changed.sort_unstable_by_key(|((user, conversation), _)| (*user, key(*conversation)));
        let sql = "INSERT INTO im_session
                       (user_id, small_id, big_id, mailbox_seq, read_mark, read_count, delivered_mark)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                   ON CONFLICT (user_id, small_id, big_id) DO UPDATE SET mailbox_seq = excluded.mailbox_seq,
                       read_mark = excluded.read_mark, read_count = excluded.read_count,
                       delivered_mark = excluded.delivered_mark";
        let mut upsert = prepare(self.db, sql)?;
        for ((user, conversation), entry) in changed {
            let (small, big) = key(*conversation);
            if entry.answers {
                let sql = "UPDATE im_group_member SET invited_by = NULL
                           WHERE group_id = ?1 AND user_id = ?2 AND left_at IS NULL";
                prepare(self.db, sql)?.execute((big, int(user.0)))?;
            }
            let marks = (int(entry.read_mark), int(entry.read_count), int(entry.delivered_mark));
            upsert.execute((int(user.0), small, big, int(entry.mailbox_seq), marks.0, marks.1, marks.2))?;
        }
        Ok(())
    }

    fn write_mailboxes(&self) -> Result<(), Error> {
        let moved = |(_, mailbox): &(&UserId, &Mailbox)| mailbox.mailbox_seq != mailbox.stored;
        let mut moved: Vec<_> = self.mailboxes.iter().filter(moved).collect();
        moved.sort_unstable_by_key(|(user, _)| **user);
        let mut update =
            prepare(self.db, "UPDATE im_mailbox SET mailbox_seq = ?2 WHERE user_id = ?1 AND mailbox_seq = ?3")?;
        for (user, mailbox) in moved {
            if update.execute((int(user.0), int(mailbox.mailbox_seq), int(mailbox.stored)))? != 1 {
                return Err(Error::Failed(format!("the mailbox of user {user} is not at {}", mailbox.stored)));
            }
        }
        Ok(())
    }

    /// The rows are as they are here now. A number that was reserved for what turned out a duplicate is given back.
    fn keep(&mut self) {
        for (conversation, head) in std::mem::take(&mut self.heads) {
            if self.proposed.get(&conversation).is_some_and(|proposed| proposed.end != head.server_msg_id + 1) {
                self.tell_sequencer(conversation, head.server_msg_id);
            }
            self.kept.heads.insert(conversation, Head { stored: head.server_msg_id, ..head });
        }
        for (whose, entry) in self.sessions.drain() {
            self.kept.sessions.insert(whose, Entry { changed: false, answers: false, ..entry });
        }
        for (user, mailbox) in self.mailboxes.drain() {
            self.kept.mailboxes.insert(user, Mailbox { stored: mailbox.mailbox_seq, ..mailbox });
        }
    }
}

impl Rows for Txn<'_> {
    fn session(&mut self, user: UserId, conversation: ConversationId) -> Result<Option<Entry>, Error> {
        let whose = (user, conversation);
        if let Some(entry) = self.sessions.get(&whose).or_else(|| self.kept.sessions.get(&whose)) {
            return Ok(Some(*entry));
        }
        let sql = "SELECT mailbox_seq, read_mark, read_count, delivered_mark,
                          CASE WHEN ?2 = 0 THEN (SELECT invited_by IS NOT NULL FROM im_group_member
                                                 WHERE group_id = ?3 AND user_id = ?1 AND left_at IS NULL) END
                   FROM im_session WHERE user_id = ?1 AND small_id = ?2 AND big_id = ?3";
        let (small, big) = key(conversation);
        let read = |row: &rusqlite::Row<'_>| {
            let unanswered: Option<bool> = row.get(4)?;
            Ok(Entry {
                mailbox_seq: number(row, 0)?,
                read_mark: number(row, 1)?,
                read_count: number(row, 2)?,
                delivered_mark: number(row, 3)?,
                member: unanswered.is_some(),
                unanswered: unanswered.unwrap_or(false),
                answers: false,
                changed: false,
            })
        };
        Ok(prepare(self.db, sql)?.query_row((int(user.0), small, big), read).optional()?)
    }

    fn put_session(&mut self, user: UserId, conversation: ConversationId, entry: Entry) {
        self.sessions.insert((user, conversation), Entry { changed: true, ..entry });
    }

    fn next_change(&mut self, user: UserId) -> Result<u64, Error> {
        let mut mailbox = self.mailbox(user)?;
        mailbox.mailbox_seq += 1;
        self.mailboxes.insert(user, mailbox);
        Ok(mailbox.mailbox_seq)
    }
}
