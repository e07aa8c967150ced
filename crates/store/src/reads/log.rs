//! Reading a log as somebody may see it.

use std::{collections::BTreeSet, ops::ControlFlow};

use anser_proto::{ConversationId, GroupId, UserId};

use super::beside::{self as rows_beside, Reader};
use crate::{
    LogPage, Message, Refusal, Stretch,
    damaged::Damaged,
    query::Query,
    questions,
    read::{Read, Snapshot, beside, keyed},
    rows::{BanRow, COLUMNS, Damage, Entry, FIRST_SEEN, Head, Salvage, Take, is_silent, take_message},
};

/// Entries that a page looks at, however few of them it shows.
const LOOKED_AT_MAX: u32 = 10_000;
/// Hidden messages whose places are read for a page.
const HIDDEN_READ_MAX: usize = 1_000;
/// Changed messages that are loaded at once: the page may have no room for more.
const CHANGED_AT_ONCE: usize = 16;
/// Of these at once.
const READ_AT_ONCE_MAX: u64 = 1_000;

#[derive(Clone)]
pub(crate) struct ReadLog {
    pub(crate) reader: UserId,
    pub(crate) conversation: ConversationId,
    pub(crate) stretch: Stretch,
    pub(crate) asked: Asked,
}

/// Who may not come back into a group keeps it in their list, and sees nothing else of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    ByReader,
    ForTheirList,
}

impl Asked {
    /// Entries that are looked at, however few of them are shown: a list has many conversations, and who hid hundreds of the last messages of one does without
    /// its last one.
    fn looked_at_max(self) -> u32 {
        match self {
            Self::ByReader => LOOKED_AT_MAX,
            Self::ForTheirList => 500,
        }
    }
}

impl Read for ReadLog {
    type Answer = LogPage;

    async fn read<D: Snapshot>(&self, db: &mut D) -> Result<LogPage, D::Error> {
        PlanLog(self.clone()).read(db).await?.read(db).await
    }
}

/// What a reader asked for and may see: stretches of the log, bounds included, in the order in which they are read.
#[derive(Clone)]
pub(crate) struct Plan {
    asked: ReadLog,
    /// The end of the log.
    #[cfg_attr(not(feature = "cluster"), expect(dead_code, reason = "nothing lags behind an embedded store"))]
    end: u64,
    /// The last message that they may see.
    head: u64,
    /// The last of the stretch.
    last: u64,
    ranges: Vec<(u64, u64)>,
    own: Entry,
    /// What the reader hid of it, ascending.
    hidden: Vec<u64>,
    /// Beyond the last of these more may be hidden: a page ends there.
    is_cut: bool,
}

/// Asks where the log and the reader's stays in it are known without a doubt.
pub(crate) struct PlanLog(pub(crate) ReadLog);

impl Read for PlanLog {
    type Answer = Plan;

    async fn read<D: Snapshot>(&self, db: &mut D) -> Result<Plan, D::Error> {
        let ReadLog { reader, conversation, stretch, .. } = self.0;
        let (end, last_seen, own) = self.reader(db).await?;
        let head = end.min(last_seen);
        let asked = stretch.after.unwrap_or(0).saturating_add(1);
        let (mut first, mut last) = (asked.max(own.cleared + 1), stretch.before.wrapping_sub(1).min(head));
        let hidden = if own.hidden_top < first { Vec::new() } else { self.hidden(db, first, last).await? };
        let is_cut = hidden.len() == HIDDEN_READ_MAX;
        match (&hidden[..], stretch.after) {
            ([.., end], Some(_)) if is_cut => last = *end,
            ([end, ..], None) if is_cut => first = *end,
            _ => {}
        }
        let ranges = match conversation {
            _ if first > last => Vec::new(),
            ConversationId::Single { .. } => vec![(first, last)],
            ConversationId::Group(group) => {
                let mut seen = stays(db, reader, group, first, last).await?;
                if stretch.after.is_none() {
                    seen.reverse();
                }
                seen
            }
        };
        Ok(Plan { asked: self.0.clone(), end, head, last: last.max(asked - 1), ranges, own, hidden, is_cut })
    }
}

impl PlanLog {
    /// The end of the log, the place behind which the reader sees nothing, and their entry.
    async fn reader<D: Snapshot>(&self, db: &mut D) -> Result<(u64, u64, Entry), D::Error> {
        let ReadLog { reader, conversation, .. } = self.0;
        let (key, damaged) = ((reader, conversation), db.damaged());
        let mut questions =
            vec![Query::with_key::<Head>(db.dialect(), &conversation), Query::with_key::<Entry>(db.dialect(), &key)];
        if let ConversationId::Group(group) = conversation {
            questions.push(questions::left_at(group, reader));
        }
        let (mut head, mut own, mut has_left) = (0, Entry::default(), false);
        let mut last = conversation.peer_of(reader).map(|_| u64::MAX);
        let each = &mut |question, row: &mut dyn Take| {
            match question {
                0 => head = keyed::<Head>(row, &conversation)?.server_msg_id,
                1 => own = beside(row, &key, &damaged).unwrap_or_default(),
                _ => {
                    let left_at = row.get::<Option<u64>>()?;
                    (last, has_left) = (Some(left_at.unwrap_or(u64::MAX)), left_at.is_some());
                }
            }
            Ok(ControlFlow::Continue(()))
        };
        db.ask(&questions, each).await?;
        if let ConversationId::Group(group) = conversation
            && has_left
            && self.0.asked == Asked::ByReader
            && db.find::<BanRow>(&(group, reader)).await?.is_some()
        {
            return Err(Refusal::NotMember.into());
        }
        Ok((head, last.ok_or(Refusal::NotMember)?, own))
    }

    async fn hidden<D: Snapshot>(&self, db: &mut D, first: u64, last: u64) -> Result<Vec<u64>, D::Error> {
        let ReadLog { reader, conversation, .. } = self.0;
        let question =
            questions::hidden_between(reader, conversation, (first, last), self.0.direction(), HIDDEN_READ_MAX as u32);
        let mut hidden = db.rows(vec![question], |row| row.number()).await?;
        hidden.sort_unstable();
        Ok(hidden)
    }
}

/// What of this stretch the user sees by their stays, ascending: each is a stretch of the index.
pub(super) async fn stays<D: Snapshot>(
    db: &mut D,
    user: UserId,
    group: GroupId,
    first: u64,
    last: u64,
) -> Result<Vec<(u64, u64)>, D::Error> {
    let sql = format!(
        "SELECT {FIRST_SEEN}, left_at FROM im_group_member
         WHERE group_id = ? AND user_id = ? AND {FIRST_SEEN} <= ? AND (left_at IS NULL OR left_at >= ?)"
    );
    let question = Query::new(sql, [group.into(), user.into(), last.into(), first.into()]);
    let within = |row: &mut dyn Take| Ok((first.max(row.get()?), last.min(row.get::<Option<_>>()?.unwrap_or(last))));
    Ok(merged(db.rows(vec![question], within).await?))
}

/// Who came back may see some of what they saw before.
fn merged(mut ranges: Vec<(u64, u64)>) -> Vec<(u64, u64)> {
    ranges.sort_unstable();
    let mut merged = Vec::<(u64, u64)>::with_capacity(ranges.len());
    for (first, last) in ranges {
        match merged.last_mut() {
            Some(before) if first <= before.1 => before.1 = before.1.max(last),
            _ => merged.push((first, last)),
        }
    }
    merged
}

impl ReadLog {
    fn direction(&self) -> &'static str {
        if self.stretch.after.is_none() { "DESC" } else { "ASC" }
    }

    /// The zipper merge of a one-to-one conversation: the user's own two tables, both in order of ids by their indexes, are read
    /// side by side. What they wrote to themselves is in both; one is enough.
    fn question<D: Snapshot>(&self, db: &D, (first, last): (u64, u64), limit: u64) -> Query {
        let (dialect, shards) = (db.dialect(), u64::from(db.shards()));
        let order = format!("ORDER BY server_msg_id {} LIMIT ?", self.direction());
        let between = "server_msg_id BETWEEN ? AND ?";
        let owner = self.reader;
        let peer = match self.conversation {
            ConversationId::Group(group) => {
                let (shard, log) = (group.0 % shards, dialect.group_log());
                let sql =
                    format!("SELECT target, {COLUMNS} FROM im_message_recv_{shard} WHERE {log} AND {between} {order}");
                return Query::of_messages(sql, [group.into(), first.into(), last.into(), limit.into()]);
            }
            conversation => conversation.peer_of(owner).unwrap_or(owner),
        };
        let (shard, received) = (owner.0 % shards, dialect.received_log());
        let sent = format!(
            "SELECT target, {COLUMNS} FROM im_message_send_{shard} WHERE from_id = ? AND to_id = ? AND {between}"
        );
        let of = [owner.into(), peer.into(), first.into(), last.into()];
        if owner == peer {
            return Query::of_messages(format!("{sent} {order}"), [&of[..], &[limit.into()]].concat());
        }
        let received = format!("SELECT target, {COLUMNS} FROM im_message_recv_{shard} WHERE {received} AND {between}");
        dialect.merge([(sent, &of[..]), (received, &of[..])], &order, limit)
    }
}

impl Plan {
    /// Whether all that the log had when this was planned is there. Whatever changes a message makes the log longer.
    #[cfg(feature = "cluster")]
    pub(crate) async fn is_reached<D: Snapshot>(&self, db: &mut D) -> Result<bool, D::Error> {
        let head = db.find::<Head>(&self.asked.conversation).await?.unwrap_or_default();
        Ok(head.server_msg_id >= self.end)
    }

    pub(super) fn reader(&self) -> Reader {
        Reader { user: self.asked.reader, conversation: self.asked.conversation, own: self.own }
    }
}

impl Read for Plan {
    type Answer = LogPage;

    async fn read<D: Snapshot>(&self, db: &mut D) -> Result<LogPage, D::Error> {
        let mut scan = Scan::new(self);
        for range in &self.ranges {
            scan.read(db, self, *range).await?;
            if scan.more {
                break;
            }
        }
        let ReadLog { reader, conversation, stretch, .. } = self.asked;
        let Scan { mut messages, mut bytes, more, reached, targets, renamed, looked_at } = scan;
        let mut more = more || self.is_cut;
        let (mut after, mut through) = (stretch.after.unwrap_or(0), self.last);
        match (stretch.after, more) {
            (Some(_), true) => through = reached.unwrap_or(after),
            (None, true) => after = reached.map_or(through, |reached| reached - 1),
            (_, false) => {}
        }
        if stretch.after.is_none() {
            messages.reverse();
        }
        let mut changed = Vec::new();
        'loaded: for some in targets.chunks(CHANGED_AT_ONCE) {
            let places = some.iter().map(|(target, _)| *target).collect();
            let mut rows = rows_beside::changed(db, self.reader(), places).await?;
            for (target, entry) in some {
                let Some(at) = rows.iter().position(|row| row.server_msg_id == *target) else { continue };
                let row = rows.swap_remove(at);
                bytes += row.body_bytes();
                let is_first = changed.is_empty() && messages.first().is_none_or(|first| first.server_msg_id >= *entry);
                if bytes > stretch.bytes_max && !is_first {
                    // The next page begins with this entry.
                    (through, more) = (entry - 1, true);
                    messages.retain(|message| message.server_msg_id < *entry);
                    break 'loaded;
                }
                changed.push(row);
            }
        }
        changed.sort_unstable_by_key(|row| row.server_msg_id);
        let references = rows_beside::references(db, self.reader(), &messages).await?;
        rows_beside::mark_own(db, reader, &mut messages).await?;
        let nicknames = rows_beside::nicknames(db, conversation, renamed).await?;
        Ok(LogPage { messages, more, head: self.head, after, through, changed, references, nicknames, looked_at })
    }
}

/// A page in the making.
struct Scan {
    messages: Vec<Message>,
    bytes: usize,
    more: bool,
    /// The last entry that is in the page, or was passed over.
    reached: Option<u64>,
    /// Messages from before the page that entries in it changed, each with the first that did, in the order of the entries.
    targets: Vec<(u64, u64)>,
    /// Whose own names in the group entries of the page changed.
    renamed: BTreeSet<UserId>,
    looked_at: u32,
}

impl Scan {
    fn new(plan: &Plan) -> Self {
        let (messages, targets) = (Vec::new(), Vec::new());
        debug_assert!(plan.asked.stretch.limit > 0, "a page has at least one entry");
        let renamed = BTreeSet::new();
        Self { messages, bytes: 0, more: false, reached: None, targets, renamed, looked_at: 0 }
    }

    /// To tell whether there is more, one entry more than fits is looked at. Where silent entries take the places of messages, more and more
    /// are looked at in one go.
    async fn read<D: Snapshot>(&mut self, db: &mut D, plan: &Plan, range: (u64, u64)) -> Result<(), D::Error> {
        let (shards, damaged) = (db.shards(), db.damaged());
        let ascends = plan.asked.stretch.after.is_some();
        let (mut first, mut last) = range;
        let mut limit = u64::from(plan.asked.stretch.limit) + 1;
        while first <= last && !self.more {
            let question = plan.asked.question(db, (first, last), limit);
            let (mut next, before) = (if ascends { first } else { last }, self.looked_at);
            let each = &mut |_, row: &mut dyn Take| {
                self.more = self.is_full(&plan.asked);
                if self.more {
                    return Ok(ControlFlow::Break(()));
                }
                let target = row.get()?;
                let message = plan.asked.take_message(row, shards, &damaged)?;
                next = if ascends { message.server_msg_id + 1 } else { message.server_msg_id.saturating_sub(1) };
                self.take(plan, message, target);
                Ok(ControlFlow::Continue(()))
            };
            db.ask(&[question], each).await?;
            if u64::from(self.looked_at - before) < limit {
                break;
            }
            (first, last) = if ascends { (next, last) } else { (first, next) };
            limit = (limit * 2).min(READ_AT_ONCE_MAX);
        }
        Ok(())
    }

    fn is_full(&self, ReadLog { stretch, asked, .. }: &ReadLog) -> bool {
        let entries = self.messages.len() + self.targets.len() + self.renamed.len();
        entries >= stretch.limit as usize
            || (self.bytes >= stretch.bytes_max && entries > 0)
            || self.looked_at >= asked.looked_at_max()
    }

    fn take(&mut self, plan: &Plan, message: Message, target: u64) {
        let (after, is_silent) = (plan.asked.stretch.after, is_silent(message.kind));
        self.reached = Some(message.server_msg_id);
        self.looked_at += 1;
        let is_before = target > 0 && after.is_some_and(|after| target <= after);
        if is_before && self.targets.iter().all(|(known, _)| *known != target) {
            self.targets.push((target, message.server_msg_id));
        }
        if is_silent && target == 0 {
            self.renamed.extend(after.map(|_| message.from.user));
        } else if !is_silent && plan.hidden.binary_search(&message.server_msg_id).is_err() {
            self.bytes += message.body_bytes();
            self.messages.push(message);
        }
    }
}

impl ReadLog {
    /// A message that is damaged keeps its place, and what else can be read of it but for its body.
    fn take_message(&self, row: &mut dyn Take, shards: u32, damaged: &Damaged) -> Result<Message, Damage> {
        let mut row = Salvage::of(row);
        let mut message = take_message(&mut row, self.conversation)?;
        if let Some(Damage(what)) = row.damage {
            (message.kind, message.content, message.attachment) = (0, "".into(), Default::default());
            damaged.note(&Damage(format!("{}: {what}", self.copy_of(&message, shards))));
        }
        Ok(message)
    }

    /// Table and key of the reader's copy.
    fn copy_of(&self, message: &Message, shards: u32) -> String {
        let (owner, kind) = match self.conversation {
            ConversationId::Group(group) => (group.0, "recv"),
            _ if message.from.user == self.reader => (self.reader.0, "send"),
            _ => (self.reader.0, "recv"),
        };
        let (shard, conversation) = (owner % u64::from(shards), self.conversation);
        format!("im_message_{kind}_{shard} {conversation}, {}", message.server_msg_id)
    }
}
