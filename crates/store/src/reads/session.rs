//! Conversation lists: marks, unread counts, and what changed for a user.

use std::{collections::HashSet, ops::ControlFlow, sync::Arc};

use anser_proto::{
    ConversationId, GroupId, UserId,
    digest::groups_digest,
    limits::{MENTIONS_COUNTED_MAX, PREVIEW_CHARS_MAX},
};

use crate::{
    Changes, Group, Message, Page, Party, Positions, Preview, Refusal, Session, Stretch, User,
    damaged::Damaged,
    query::{Dialect, Query, Value, bound},
    questions,
    read::{Read, Snapshot, beside, cut},
    reads::{Asked, ReadLog, group::listed_role, people, user::with_profiles},
    rows::{
        Column as _, Damage, Entry, FIRST_SEEN, GroupRow, Mailbox, Place, Row as _, Salvage, Take, UserRow, columns_of,
    },
};

pub(crate) struct PositionsOf(pub(crate) UserId);

impl Read for PositionsOf {
    type Answer = Positions;

    async fn read<D: Snapshot>(&self, db: &mut D) -> Result<Positions, D::Error> {
        let found = db.find::<Mailbox>(&self.0).await?;
        let Mailbox { mailbox_seq, login_version, privacy, .. } = found.ok_or(Refusal::NotFound("user"))?;
        let groups_digest = groups_digest(group_heads(db, self.0).await?);
        Ok(Positions { mailbox_seq, groups_digest, login_version, invisible: privacy.invisible })
    }
}

/// Of the groups whose member they are.
async fn group_heads<D: Snapshot>(db: &mut D, user: UserId) -> Result<HashSet<(GroupId, u64)>, D::Error> {
    let sql = format!(
        "SELECT group_id, server_msg_id FROM im_group_member JOIN im_conversation ON small_id = 0 AND big_id = group_id
         WHERE user_id = ? AND {} AND {}",
        db.dialect().present(),
        questions::LIVING
    );
    let heads = db.rows(vec![Query::new(sql, [user.into()])], |row| row.get());
    Ok(heads.await?.into_iter().collect())
}

pub(crate) struct ChangesSince {
    pub(crate) user: UserId,
    pub(crate) since: u64,
    pub(crate) limit: u32,
}

impl Read for ChangesSince {
    type Answer = Changes;

    /// A user's sessions are few enough to look through: an index on stamps would cost every message a random page.
    async fn read<D: Snapshot>(&self, db: &mut D) -> Result<Changes, D::Error> {
        let Self { user, since, limit } = *self;
        let Mailbox { mailbox_seq, .. } = db.find(&user).await?.ok_or(Refusal::NotFound("user"))?;
        let since = if since > mailbox_seq { 0 } else { since };
        if since == mailbox_seq {
            return Ok(Changes { mailbox_seq, caught_up: true, ..Changes::default() });
        }
        let limit = limit.max(1);
        let wanted = u64::from(limit) + 1;
        let which = "entry.mailbox_seq > ? ORDER BY entry.mailbox_seq LIMIT ?";
        let behind = entries(db.dialect(), user, which, [since.into(), wanted.into()]);
        let mut rows = listed(db, user, vec![behind]).await?;
        let mut things = people::stamps_since(db, user, since, wanted).await?;
        let stamps = rows.iter().map(|row| row.session.mailbox_seq).chain(things.iter().map(|(stamp, _)| *stamp));
        let reached = stamp_at(stamps, limit);
        if let Some(reached) = reached {
            rows.retain(|row| row.session.mailbox_seq <= reached);
            things.retain(|(stamp, _)| *stamp <= reached);
        }
        let sessions = with_last_messages(db, user, rows).await?;
        let forgotten = people::is_forgotten(db, user, since).await?;
        let things = people::as_they_are(db, user, things).await?;
        let (own, damaged) = (Query::with_key::<UserRow>(db.dialect(), &user), db.damaged());
        let own = db.row(own, |row| Ok(beside::<UserRow>(row, &user, &damaged))).await?.flatten();
        let own = own.filter(|row| row.mailbox_seq > since).map(|row| row.user(user));
        let profile = with_profiles(db, own.into_iter().collect()).await?.pop();
        let (mailbox_seq, caught_up) = (reached.unwrap_or(mailbox_seq), reached.is_none());
        Ok(Changes { sessions, things, profile, mailbox_seq, caught_up, forgotten })
    }
}

/// The last stamp of a page, if there are more than it holds.
fn stamp_at(stamps: impl Iterator<Item = u64>, limit: u32) -> Option<u64> {
    let mut stamps: Vec<_> = stamps.collect();
    stamps.sort_unstable();
    let (last, more) = (limit as usize - 1, stamps.len() > limit as usize);
    more.then(|| stamps[last])
}

pub(crate) struct MovedGroups {
    pub(crate) user: UserId,
    pub(crate) known: Vec<(GroupId, u64)>,
}

impl Read for MovedGroups {
    type Answer = Vec<Session>;

    /// Reads nothing of those that have not moved but their heads.
    async fn read<D: Snapshot>(&self, db: &mut D) -> Result<Vec<Session>, D::Error> {
        let (user, dialect) = (self.user, db.dialect());
        let heads = group_heads(db, user).await?;
        let moved = self.known.iter().filter(|known| !heads.contains(known));
        let questions: Vec<_> = moved.map(|(group, _)| entry(dialect, user, ConversationId::Group(*group))).collect();
        let moved = listed(db, user, questions).await?;
        with_last_messages(db, user, moved).await
    }
}

pub(crate) struct Sessions {
    pub(crate) user: UserId,
    pub(crate) after: Option<ConversationId>,
    pub(crate) limit: u32,
}

impl Read for Sessions {
    type Answer = Page<Session>;

    /// In order of conversation ids groups come last, and in order of keys first: hence two stretches.
    async fn read<D: Snapshot>(&self, db: &mut D) -> Result<Page<Session>, D::Error> {
        let Self { user, after, limit } = *self;
        let (dialect, limit) = (db.dialect(), limit.max(1));
        let wanted = u64::from(limit) + 1;
        let mut rows = Vec::new();
        if !matches!(after, Some(ConversationId::Group(_))) {
            let (small, big) = match after {
                Some(ConversationId::Single { small, big }) => (small.0, big.0),
                _ => (1, 0),
            };
            let which = "entry.small_id >= ? AND (entry.small_id > ? OR entry.big_id > ?)
                         ORDER BY entry.small_id, entry.big_id LIMIT ?";
            let question = entries(dialect, user, which, [bound(small), bound(small), bound(big), wanted.into()]);
            rows = listed(db, user, vec![question]).await?;
        }
        let left = wanted - rows.len() as u64;
        if left > 0 {
            let after = if let Some(ConversationId::Group(group)) = after { group.0 } else { 0 };
            let which = "entry.small_id = 0 AND entry.big_id > ? ORDER BY entry.big_id LIMIT ?";
            let question = entries(dialect, user, which, [bound(after), left.into()]);
            rows.extend(listed(db, user, vec![question]).await?);
        }
        let Page { rows, more } = cut(rows, limit);
        Ok(Page { rows: with_last_messages(db, user, rows).await?, more })
    }
}

pub(crate) struct OneSession(pub(crate) UserId, pub(crate) ConversationId);

impl Read for OneSession {
    type Answer = Session;

    async fn read<D: Snapshot>(&self, db: &mut D) -> Result<Session, D::Error> {
        let Self(user, conversation) = *self;
        let found = listed(db, user, vec![entry(db.dialect(), user, conversation)]).await?;
        let session = with_last_messages(db, user, found).await?.pop();
        Ok(session.ok_or(Refusal::NotFound("conversation"))?)
    }
}

/// An entry of a list without its last message.
struct Listed {
    session: Session,
    /// The count at its read mark.
    read_count: u64,
    last_shown: u64,
    /// The user sees nothing up to here.
    cleared: u64,
    /// The last message that they hid.
    hidden_top: u64,
    /// Something behind the read mark may be recalled.
    is_recalled_behind: bool,
    /// And something may name the user.
    is_named_behind: bool,
}

fn entry(dialect: Dialect, user: UserId, conversation: ConversationId) -> Query {
    let mut key = Vec::new();
    conversation.put(&mut key);
    entries(dialect, user, "entry.small_id = ? AND entry.big_id = ?", key)
}

/// Entries with all that lies beside them in other tables, however many.
fn entries(dialect: Dialect, user: UserId, which: &str, params: impl Into<Vec<Value>>) -> Query {
    let (group, peer, present) = (columns_of::<GroupRow>("im_group"), columns_of::<UserRow>("peer"), dialect.present());
    let stay = "FROM im_group_member
                    WHERE group_id = CASE entry.small_id WHEN 0 THEN entry.big_id END AND user_id = entry.user_id";
    let entry = columns_of::<Entry>("entry");
    let sql = format!(
        "SELECT {entry}, COALESCE(head.server_msg_id, 0), COALESCE(head.count, 0),
                COALESCE(head.last_shown, 0), COALESCE(head.recalled_top, 0), COALESCE(head.mentioned_top, 0),
                CASE (SELECT own.privacy & 4 FROM im_mailbox AS own WHERE own.user_id = entry.user_id)
                    WHEN 4 THEN 0 ELSE COALESCE(peers.shown_read_mark, peers.read_mark, 0) END,
                COALESCE(peers.shown_delivered_mark, peers.delivered_mark, 0),
                (SELECT MIN({FIRST_SEEN}) {stay}), (SELECT MAX(left_at) {stay}), (SELECT muted_until_ms {stay} AND {present}), (SELECT role {stay} AND {present}),
                {group}, {peer}
         FROM im_session AS entry
             LEFT JOIN im_conversation AS head ON head.small_id = entry.small_id AND head.big_id = entry.big_id
             LEFT JOIN im_user AS peer ON entry.small_id > 0 AND peer.user_id =
                 CASE WHEN entry.small_id = entry.user_id THEN entry.big_id ELSE entry.small_id END
             LEFT JOIN im_session AS peers ON peers.user_id = peer.user_id
                 AND peers.small_id = entry.small_id AND peers.big_id = entry.big_id
             LEFT JOIN im_group ON entry.small_id = 0 AND im_group.group_id = entry.big_id
         WHERE entry.user_id = ? AND entry.mailbox_seq > 0 AND {which}"
    );
    Query::new(sql, [vec![user.into()], params.into()].concat())
}

async fn listed<D: Snapshot>(db: &mut D, user: UserId, questions: Vec<Query>) -> Result<Vec<Listed>, D::Error> {
    let damaged = db.damaged();
    db.rows(questions, |row| Listed::take(row, user, &damaged)).await
}

impl Listed {
    /// A row of [`entries`]. Whatever is wrong with whom it is about, it is there, so that a list has no holes and a sync comes to its end.
    fn take(row: &mut dyn Take, user: UserId, damaged: &Damaged) -> Result<Self, Damage> {
        let (UserId(_), conversation) = row.get()?;
        let own = Entry::take(row)?;
        let Entry { mailbox_seq, read_mark, read_count, delivered_mark, cleared, hidden_top, .. } = own;
        let mut head = Place { server_msg_id: row.get()?, count: row.get()? };
        let (mut last_shown, (recalled_top, mentioned_top)): (u64, (u64, u64)) = row.get()?;
        let mut has_left = false;
        let (peer_read_mark, peer_delivered_mark) = row.get()?;
        let no_part = || damaged.note(&Damage("the user has no part in it".into()).of::<Entry>(&(user, conversation)));
        let (party, first) = match conversation {
            ConversationId::Single { .. } => {
                row.skip(4 + 1 + GroupRow::COLUMNS.len());
                let peer = conversation.peer_of(user);
                if peer.is_none() {
                    no_part();
                    (head, last_shown) = (Place::default(), 0);
                }
                let found = peer.and_then(|peer| beside::<UserRow>(row, &peer, damaged));
                let peer = peer.unwrap_or(user);
                (Party::Peer(found.map_or(User::unreadable(peer), |row| row.user(peer))), 1)
            }
            ConversationId::Group(group) => {
                let (first, left_at) = (row.get::<Option<_>>()?, row.get::<Option<u64>>()?);
                if first.is_none() {
                    no_part();
                }
                let muted_until_ms = row.get::<Option<_>>()?.unwrap_or(0);
                let role = listed_role(row, group, user, damaged);
                has_left = role.is_none();
                if has_left {
                    // Its count comes with the message, a notice of their going.
                    last_shown = left_at.unwrap_or(0);
                    head = Place { server_msg_id: last_shown, count: read_count };
                }
                let found = beside::<GroupRow>(row, &group, damaged);
                let of = found.map_or(Group::unreadable(group), |row| row.group(group));
                let role = role.filter(|_| of.dissolved_at == 0);
                let muted_until_ms = role.map_or(0, |_| muted_until_ms);
                (Party::Group(Group { muted_until_ms, ..of }, role), first.unwrap_or(1))
            }
        };
        let session = Session {
            conversation,
            head: head.server_msg_id,
            unread: head.count.saturating_sub(read_count),
            mentions: 0,
            mentioned_at: 0,
            read_mark,
            delivered_mark,
            peer_read_mark,
            peer_delivered_mark,
            first: first.max(cleared + 1),
            last: None,
            party,
            pinned: own.pinned,
            quiet_until_ms: own.quiet_until_ms,
            marked_unread: own.marked_unread,
            removed_at: own.removed_at,
            hidden_top,
            mailbox_seq,
        };
        let is_recalled_behind = recalled_top > read_mark;
        let is_named_behind = mentioned_top > read_mark && !has_left;
        Ok(Self { session, read_count, last_shown, cleared, hidden_top, is_recalled_behind, is_named_behind })
    }
}

async fn with_last_messages<D: Snapshot>(
    db: &mut D,
    user: UserId,
    mut listed: Vec<Listed>,
) -> Result<Vec<Session>, D::Error> {
    let (dialect, shards, damaged) = (db.dialect(), db.shards(), db.damaged());
    let start = dialect.start_of("content", PREVIEW_CHARS_MAX);
    let columns = format!("server_msg_id, from_id, from_nickname, type, {start}, server_time_ms, count, recalled_by");
    let last = |listed: &Listed| {
        questions::message_at(dialect, shards, user, listed.session.conversation, listed.last_shown, &columns)
    };
    let questions: Vec<_> = listed.iter().map(last).collect();
    let each = &mut |at: usize, row: &mut dyn Take| {
        let Listed { session, read_count, last_shown, cleared, .. } = &mut listed[at];
        let server_msg_id = row.get()?;
        let mut row = Salvage::of(row);
        let mut last = Preview {
            server_msg_id,
            from: UserId(row.get()),
            nickname: row.get(),
            kind: row.get(),
            content: row.with(|row| start_of(&row.bytes()?)),
            server_time_ms: row.get(),
            is_recalled: false,
        };
        let count: u64 = row.get();
        last.is_recalled = row.get::<Option<UserId>>().is_some();
        if let Some(Damage(what)) = row.damage {
            (last.kind, last.content) = (0, "".into());
            damaged.note(&Damage(format!("message {server_msg_id} of {}: {what}", session.conversation)));
        }
        session.last = (*last_shown > *cleared).then_some(last);
        if matches!(session.party, Party::Group(_, None)) {
            session.unread = count.saturating_sub(*read_count);
        }
        Ok(ControlFlow::Continue(()))
    };
    db.ask(&questions, each).await?;
    leave_out_hidden(db, user, &mut listed).await?;
    leave_out_recalled(db, &mut listed).await?;
    count_mentions(db, user, &mut listed).await?;
    Ok(listed.into_iter().map(|listed| listed.session).collect())
}

/// What the user hid is not unread any more; and where it may be the last message, that is found as a page finds it.
async fn leave_out_hidden<D: Snapshot>(db: &mut D, user: UserId, listed: &mut [Listed]) -> Result<(), D::Error> {
    let hides = |listed: &&mut Listed| listed.hidden_top > listed.session.read_mark && listed.session.unread > 0;
    let concerned: Vec<_> = listed.iter_mut().filter(hides).map(|listed| &mut listed.session).collect();
    let behind =
        |session: &Session| questions::hidden_behind(user, session.conversation, session.read_mark, session.head);
    take_off(db, concerned, behind).await?;
    let is_last_hidden = |listed: &&mut Listed| listed.session.last.is_some() && listed.hidden_top >= listed.last_shown;
    for Listed { session, last_shown, .. } in listed.iter_mut().filter(is_last_hidden) {
        let stretch = Stretch { after: None, before: *last_shown + 1, limit: 1, bytes_max: 1 };
        let page = ReadLog { reader: user, conversation: session.conversation, stretch, asked: Asked::ForTheirList }
            .read(db)
            .await?;
        session.last = page.messages.last().map(Preview::of);
    }
    Ok(())
}

/// What is recalled is not unread any more.
async fn leave_out_recalled<D: Snapshot>(db: &mut D, listed: &mut [Listed]) -> Result<(), D::Error> {
    let is_concerned = |listed: &&mut Listed| listed.is_recalled_behind && listed.session.unread > 0;
    let concerned = listed.iter_mut().filter(is_concerned).map(|listed| &mut listed.session).collect();
    let behind = |session: &Session| questions::recalled_behind(session.conversation, session.read_mark, session.head);
    take_off(db, concerned, behind).await
}

/// What is unread and names the user.
async fn count_mentions<D: Snapshot>(db: &mut D, user: UserId, listed: &mut [Listed]) -> Result<(), D::Error> {
    let is_concerned = |listed: &&mut Listed| listed.is_named_behind && listed.session.unread > 0;
    let mut concerned: Vec<_> = listed.iter_mut().filter(is_concerned).map(|listed| &mut listed.session).collect();
    let dialect = db.dialect();
    let behind = |session: &Session| {
        questions::mentions_behind(dialect, user, session.conversation, (session.read_mark, session.head))
    };
    let questions: Vec<_> = concerned.iter().map(|session| behind(session)).collect();
    let each = &mut |at: usize, row: &mut dyn Take| {
        let (session, place, is_seen): (_, u64, bool) = (&mut concerned[at], row.get()?, row.get()?);
        if is_seen && session.mentions == 0 {
            session.mentioned_at = place;
        }
        session.mentions += u64::from(is_seen && session.mentions < MENTIONS_COUNTED_MAX);
        Ok(ControlFlow::Continue(()))
    };
    db.ask(&questions, each).await
}

/// Off the unread counts.
async fn take_off<D: Snapshot>(
    db: &mut D,
    mut sessions: Vec<&mut Session>,
    behind: impl Fn(&Session) -> Query,
) -> Result<(), D::Error> {
    let questions: Vec<_> = sessions.iter().map(|session| behind(session)).collect();
    let each = &mut |at: usize, row: &mut dyn Take| {
        let unread = &mut sessions[at].unread;
        *unread = unread.saturating_sub(row.number()?);
        Ok(ControlFlow::Continue(()))
    };
    db.ask(&questions, each).await
}

impl Preview {
    fn of(message: &Message) -> Self {
        Self {
            server_msg_id: message.server_msg_id,
            from: message.from.user,
            nickname: message.from.nickname.clone(),
            kind: message.kind,
            content: message.content.chars().take(PREVIEW_CHARS_MAX).collect::<String>().into(),
            server_time_ms: message.server_time_ms,
            is_recalled: message.revision.recalled_by.is_some(),
        }
    }
}

/// The last character may be cut.
pub(super) fn start_of(text: &[u8]) -> Result<Arc<str>, Damage> {
    let whole = match str::from_utf8(text) {
        Ok(text) => text,
        Err(cut) if cut.error_len().is_none() => str::from_utf8(&text[..cut.valid_up_to()]).unwrap_or_default(),
        Err(error) => return Err(Damage(format!("content: {error}"))),
    };
    Ok(whole.chars().take(PREVIEW_CHARS_MAX).collect::<String>().into())
}
