//! Reading a log as somebody may see it.

use std::ops::ControlFlow;

use anser_proto::{ClientMsgId, ConversationId, GroupId, UserId};

use crate::{
    LogPage, Message, Refusal, Sender, Stretch,
    damaged::Damaged,
    query::Query,
    questions,
    read::{Read, Snapshot},
    rows::{Damage, Head, Salvage, Take},
};

const COLUMNS: &str = "server_msg_id, client_msg_id, from_id, from_nickname, from_platform, from_device_id, type, content, \
                       attachment, client_time_ms, server_time_ms, count, counted";

#[derive(Clone)]
pub(crate) struct ReadLog {
    pub(crate) reader: UserId,
    pub(crate) conversation: ConversationId,
    pub(crate) stretch: Stretch,
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
    /// The last message that they may see.
    head: u64,
    ranges: Vec<(u64, u64)>,
}

/// Asks where the log and the reader's stays in it are known without a doubt.
pub(crate) struct PlanLog(pub(crate) ReadLog);

impl Read for PlanLog {
    type Answer = Plan;

    async fn read<D: Snapshot>(&self, db: &mut D) -> Result<Plan, D::Error> {
        let ReadLog { reader, conversation, stretch } = self.0;
        let head = match conversation {
            ConversationId::Group(group) => visible_head(db, reader, group).await?,
            _ if conversation.peer_of(reader).is_none() => None,
            _ => Some(head(db, conversation).await?),
        };
        let head = head.ok_or(Refusal::NotMember)?;
        let first = stretch.after.unwrap_or(0).saturating_add(1);
        let last = stretch.before.wrapping_sub(1).min(head);
        let ranges = match conversation {
            _ if first > last => Vec::new(),
            ConversationId::Single { .. } => vec![(first, last)],
            ConversationId::Group(group) => stays(db, reader, group, first, last, self.0.direction()).await?,
        };
        Ok(Plan { asked: self.0.clone(), head, ranges })
    }
}

/// The last message that the user may see. None for a group whose member they never were.
async fn visible_head<D: Snapshot>(db: &mut D, user: UserId, group: GroupId) -> Result<Option<u64>, D::Error> {
    match db.row(questions::left_at(group, user), |row| row.get()).await? {
        Some(None) => Ok(Some(head(db, ConversationId::Group(group)).await?)),
        left_at => Ok(left_at.flatten()),
    }
}

async fn head<D: Snapshot>(db: &mut D, conversation: ConversationId) -> Result<u64, D::Error> {
    Ok(db.find::<Head>(&conversation).await?.unwrap_or_default().server_msg_id)
}

/// What of this stretch lies within the user's stays: each is a stretch of the index.
async fn stays<D: Snapshot>(
    db: &mut D,
    user: UserId,
    group: GroupId,
    first: u64,
    last: u64,
    direction: &str,
) -> Result<Vec<(u64, u64)>, D::Error> {
    let sql = format!(
        "SELECT joined, left_at FROM im_group_member
         WHERE group_id = ? AND user_id = ? AND joined <= ? AND (left_at IS NULL OR left_at >= ?) ORDER BY joined {direction}"
    );
    let question = Query::new(sql, [group.into(), user.into(), last.into(), first.into()]);
    db.rows(vec![question], |row| Ok((first.max(row.get()?), last.min(row.get::<Option<_>>()?.unwrap_or(last))))).await
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
                let sql = format!("SELECT {COLUMNS} FROM im_message_recv_{shard} WHERE {log} AND {between} {order}");
                return Query::of_messages(sql, [group.into(), first.into(), last.into(), limit.into()]);
            }
            conversation => conversation.peer_of(owner).unwrap_or(owner),
        };
        let (shard, received) = (owner.0 % shards, dialect.received_log());
        let sent =
            format!("SELECT {COLUMNS} FROM im_message_send_{shard} WHERE from_id = ? AND to_id = ? AND {between}");
        let of = [owner.into(), peer.into(), first.into(), last.into()];
        if owner == peer {
            return Query::of_messages(format!("{sent} {order}"), [&of[..], &[limit.into()]].concat());
        }
        let received = format!("SELECT {COLUMNS} FROM im_message_recv_{shard} WHERE {received} AND {between}");
        dialect.merge([(sent, &of[..]), (received, &of[..])], &order, limit)
    }
}

impl Read for Plan {
    type Answer = LogPage;

    /// To tell whether there is more, one message more than fits is looked at.
    async fn read<D: Snapshot>(&self, db: &mut D) -> Result<LogPage, D::Error> {
        let ReadLog { stretch, .. } = self.asked;
        let (shards, damaged) = (db.shards(), db.damaged());
        let (mut messages, mut bytes, mut more) = (Vec::<Message>::new(), 0, false);
        let limit = stretch.limit.max(1) as usize;
        for range in &self.ranges {
            let question = self.asked.question(db, *range, (limit - messages.len()) as u64 + 1);
            let each = &mut |_, row: &mut dyn Take| {
                more = messages.len() == limit || (bytes >= stretch.bytes_max && !messages.is_empty());
                if more {
                    return Ok(ControlFlow::Break(()));
                }
                let message = self.asked.take_message(row, shards, &damaged)?;
                bytes += message.body_bytes();
                messages.push(message);
                Ok(ControlFlow::Continue(()))
            };
            db.ask(&[question], each).await?;
            if more {
                break;
            }
        }
        if stretch.after.is_none() {
            messages.reverse();
        }
        Ok(LogPage { messages, more, head: self.head })
    }
}

#[cfg(feature = "cluster")]
impl Plan {
    /// Whether the page is what the plan asks for. Ids have no holes, so that a database which lags behind is found out: what
    /// it lacks is missing from the row.
    pub(crate) fn is_fulfilled_by(&self, page: &LogPage) -> bool {
        let descends = self.asked.stretch.after.is_none();
        let ids = self.ranges.iter().flat_map(|(first, last)| {
            let id = move |n: u64| if descends { last - n } else { first + n };
            (0..=last - first).map(id)
        });
        let mut wanted = ids.fuse();
        let mut found: Vec<_> = page.messages.iter().map(|message| message.server_msg_id).collect();
        if descends {
            found.reverse();
        }
        found.iter().all(|id| wanted.next() == Some(*id)) && (page.more || wanted.next().is_none())
    }
}

impl ReadLog {
    /// A row of [`COLUMNS`]. One that is damaged keeps its place, and what else can be read of it but for its body.
    fn take_message(&self, row: &mut dyn Take, shards: u32, damaged: &Damaged) -> Result<Message, Damage> {
        let mut row = Salvage::of(row);
        let server_msg_id = row.row.get()?;
        let client_msg_id = row.with(|row| {
            let id = row.text()?.parse::<ClientMsgId>();
            id.map(Some).map_err(|bad| Damage(format!("client_msg_id: {bad}")))
        });
        let from = Sender { user: UserId(row.get()), nickname: row.get(), platform: row.get(), device_id: row.get() };
        let mut message = Message {
            conversation: self.conversation,
            server_msg_id,
            client_msg_id: client_msg_id.unwrap_or_else(|| nameless(server_msg_id)),
            from,
            kind: row.get(),
            content: row.get(),
            attachment: row.with(|row| row.bytes()),
            client_time_ms: row.get(),
            server_time_ms: row.get(),
            count: row.get(),
            counted: row.get(),
        };
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

fn nameless(server_msg_id: u64) -> ClientMsgId {
    format!("damaged-{server_msg_id}").parse().expect("it is short and ASCII")
}
