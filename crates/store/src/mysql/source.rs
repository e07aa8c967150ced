//! Where a transaction's facts come from. What its writes want is locked and read together before any of them is decided: mailboxes, then
//! heads, then sessions, each in the order of its key, so that no two transactions wait for each other in a circle. The mailboxes of both
//! parties guard a one-to-one conversation that has no row yet. What a write turns out to want besides is read in another round trip.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use anser_proto::{ConversationId, GroupId, UserId};
use mysql_async::{Conn, QueryResult, Row as MysqlRow, TextProtocol, prelude::Queryable as _};

use super::{
    columns::{NOTHING, Sql},
    copies::Copies,
    fault::Fault,
    message::{Identity, Places, Table},
    statement::{Columns, Lock, select},
};
use crate::{
    NewMessage,
    facts::{Known, Rows, Source, Stop, Tables, Want},
    query::{Dialect, Query},
    questions,
    rows::{
        AnnouncementRow, BanRow, BlockRow, ChangeRow, Column as _, ContactRow, Damage, DeviceRow, Entry, GroupRow,
        Head, HiddenRow, JoinRequestRow, LastSeenRow, LinkRow, Mailbox, MentionRow, MessageRow, PasswordRow, PinRow,
        ProfileRow, ReactionRow, RecalledRow, RevokedRow, Row, StandingMessage, Stay, Take, Thing, UserRow,
    },
    verb::Wants,
};

/// Rows wanted, by their kinds.
#[derive(Default)]
struct Keys {
    mailboxes: BTreeSet<UserId>,
    heads: BTreeSet<ConversationId>,
    heads_looked_at: BTreeSet<ConversationId>,
    sessions: BTreeSet<(UserId, ConversationId)>,
    groups: BTreeSet<GroupId>,
    announcements: BTreeSet<GroupId>,
    bans: BTreeSet<(GroupId, UserId)>,
    join_requests: BTreeSet<(GroupId, UserId)>,
    links: BTreeSet<(GroupId, u64)>,
    stays: BTreeSet<(GroupId, UserId)>,
    users: BTreeSet<UserId>,
    passwords: BTreeSet<UserId>,
    devices: BTreeSet<(UserId, Arc<str>)>,
    revoked: BTreeSet<(UserId, Arc<str>)>,
    last_seen: BTreeSet<UserId>,
    profiles: BTreeSet<UserId>,
    contacts: BTreeSet<(UserId, UserId)>,
    blocks: BTreeSet<(UserId, UserId)>,
    changes: BTreeSet<(UserId, Thing)>,
    reactions: BTreeSet<((ConversationId, u64), UserId)>,
    recalled: BTreeSet<(ConversationId, u64)>,
    pins: BTreeSet<(ConversationId, u64)>,
    hidden: BTreeSet<(UserId, (ConversationId, u64))>,
    mentions: BTreeSet<(UserId, (ConversationId, u64))>,
    standing: BTreeSet<(ConversationId, u64)>,
}

impl Keys {
    fn of(rows: BTreeSet<Want>, heads_looked_at: BTreeSet<ConversationId>) -> Self {
        let mut keys = Self { heads_looked_at, ..Self::default() };
        for want in rows {
            match want {
                Want::Mailbox(user) => keys.mailboxes.insert(user),
                Want::Head(conversation) => keys.heads.insert(conversation),
                Want::Session(user, conversation) => keys.sessions.insert((user, conversation)),
                Want::Group(group) => keys.groups.insert(group),
                Want::Announcement(group) => keys.announcements.insert(group),
                Want::Ban(group, user) => keys.bans.insert((group, user)),
                Want::JoinRequest(group, user) => keys.join_requests.insert((group, user)),
                Want::Link(group, link_id) => keys.links.insert((group, link_id)),
                Want::Stay(group, user) => keys.stays.insert((group, user)),
                Want::User(user) => keys.users.insert(user),
                Want::Password(user) => keys.passwords.insert(user),
                Want::Device(user, device) => keys.devices.insert((user, device)),
                Want::Revoked(user, device) => keys.revoked.insert((user, device)),
                Want::Contact(user, peer) => keys.contacts.insert((user, peer)),
                Want::Block(user, peer) => keys.blocks.insert((user, peer)),
                Want::Change(user, thing) => keys.changes.insert((user, thing)),
                Want::Reaction(conversation, place, user) => keys.reactions.insert(((conversation, place), user)),
                Want::Recalled(conversation, place) => keys.recalled.insert((conversation, place)),
                Want::Pin(conversation, place) => keys.pins.insert((conversation, place)),
                Want::Hidden(user, conversation, place) => keys.hidden.insert((user, (conversation, place))),
                Want::Mention(user, conversation, place) => keys.mentions.insert((user, (conversation, place))),
                Want::LastSeen(user) => keys.last_seen.insert(user),
                Want::Profile(user) => keys.profiles.insert(user),
                Want::Standing(conversation, place) => keys.standing.insert((conversation, place)),
            };
        }
        keys.heads_looked_at.retain(|conversation| !keys.heads.contains(conversation));
        keys
    }

    /// A statement for each kind of which something is wanted.
    fn select(&self, sql: &mut Sql, shards: u32) {
        fn of<R: Row>(keys: &BTreeSet<R::Key>, lock: Lock, sql: &mut Sql) {
            if !keys.is_empty() {
                select::<R>(keys, lock, sql);
            }
        }
        of::<Mailbox>(&self.mailboxes, Lock::Rows, sql);
        of::<Head>(&self.heads, Lock::Rows, sql);
        of::<Entry>(&self.sessions, Lock::Rows, sql);
        // In statements behind the one that locks the heads: a statement sees what was committed when it began, and that one may have
        // waited for somebody who changed the members.
        of::<Head>(&self.heads_looked_at, Lock::None, sql);
        of::<GroupRow>(&self.groups, Lock::None, sql);
        of::<AnnouncementRow>(&self.announcements, Lock::None, sql);
        of::<BanRow>(&self.bans, Lock::None, sql);
        of::<JoinRequestRow>(&self.join_requests, Lock::None, sql);
        of::<LinkRow>(&self.links, Lock::None, sql);
        of::<Stay>(&self.stays, Lock::None, sql);
        of::<UserRow>(&self.users, Lock::None, sql);
        of::<PasswordRow>(&self.passwords, Lock::None, sql);
        of::<DeviceRow>(&self.devices, Lock::None, sql);
        of::<RevokedRow>(&self.revoked, Lock::None, sql);
        of::<ContactRow>(&self.contacts, Lock::None, sql);
        of::<BlockRow>(&self.blocks, Lock::None, sql);
        of::<ChangeRow>(&self.changes, Lock::None, sql);
        of::<ReactionRow>(&self.reactions, Lock::None, sql);
        of::<RecalledRow>(&self.recalled, Lock::None, sql);
        of::<PinRow>(&self.pins, Lock::None, sql);
        of::<HiddenRow>(&self.hidden, Lock::None, sql);
        of::<MentionRow>(&self.mentions, Lock::None, sql);
        of::<LastSeenRow>(&self.last_seen, Lock::None, sql);
        of::<ProfileRow>(&self.profiles, Lock::None, sql);
        for (conversation, place) in &self.standing {
            sql.push("; ").query(&questions::standing_at(Dialect::Mysql, shards, *conversation, *place));
        }
    }

    async fn take(self, results: &mut Results<'_>, tables: &mut Tables) -> Result<(), Fault> {
        take(self.mailboxes, results, &mut tables.mailboxes).await?;
        take(self.heads, results, &mut tables.heads).await?;
        take(self.sessions, results, &mut tables.sessions).await?;
        take(self.heads_looked_at, results, &mut tables.heads).await?;
        take(self.groups, results, &mut tables.groups).await?;
        take(self.announcements, results, &mut tables.announcements).await?;
        take(self.bans, results, &mut tables.bans).await?;
        take(self.join_requests, results, &mut tables.join_requests).await?;
        take(self.links, results, &mut tables.links).await?;
        take(self.stays, results, &mut tables.stays).await?;
        take(self.users, results, &mut tables.users).await?;
        take(self.passwords, results, &mut tables.passwords).await?;
        take(self.devices, results, &mut tables.devices).await?;
        take(self.revoked, results, &mut tables.revoked).await?;
        take(self.contacts, results, &mut tables.contacts).await?;
        take(self.blocks, results, &mut tables.blocks).await?;
        take(self.changes, results, &mut tables.changes).await?;
        take(self.reactions, results, &mut tables.reactions).await?;
        take(self.recalled, results, &mut tables.recalled).await?;
        take(self.pins, results, &mut tables.pins).await?;
        take(self.hidden, results, &mut tables.hidden).await?;
        take(self.mentions, results, &mut tables.mentions).await?;
        take(self.last_seen, results, &mut tables.last_seen).await?;
        take(self.profiles, results, &mut tables.profiles).await?;
        for key in self.standing {
            match results.collect::<MysqlRow>().await?.pop().map(|row| StandingMessage::take(&mut Columns::of(&row))) {
                Some(Err(damage)) => tables.standing.learn_damage(key, damage),
                found => tables.standing.learn(key, found.and_then(Result::ok)),
            }
        }
        Ok(())
    }
}

type Results<'r> = QueryResult<'r, 'static, TextProtocol>;

/// The answer of one statement. What is not in it is not there.
async fn take<R: Row>(keys: BTreeSet<R::Key>, results: &mut Results<'_>, rows: &mut Rows<R>) -> Result<(), Fault> {
    if keys.is_empty() {
        return Ok(());
    }
    for row in results.collect::<MysqlRow>().await? {
        let mut columns = Columns::of(&row);
        let key = R::Key::take(&mut columns)?;
        match R::take(&mut columns) {
            Ok(row) => rows.learn(key, Some(row)),
            Err(damage) => rows.learn_damage(key, damage),
        }
    }
    for key in keys {
        rows.learn(key, None);
    }
    Ok(())
}

/// For one transaction.
pub(super) struct Database {
    shards: u32,
    /// What the present write lacks.
    missing: Wants,
    answers: HashMap<Query, Vec<MysqlRow>>,
    pub(super) places: Places,
    pub(super) copies: Copies,
    /// Some copies were written.
    pub(super) wrote: bool,
    /// Messages of the present write.
    undecided: Vec<Identity>,
}

impl Database {
    pub(super) fn new(shards: u32) -> Self {
        Self {
            shards,
            missing: Wants::new(Dialect::Mysql),
            answers: HashMap::new(),
            places: Places::default(),
            copies: Copies::default(),
            wrote: false,
            undecided: Vec::new(),
        }
    }

    pub(super) fn shards(&self) -> u32 {
        self.shards
    }

    /// Reads what is wanted, behind these statements, in one round trip.
    pub(super) async fn read(
        &mut self,
        db: &mut Conn,
        behind: &[String],
        wants: Wants,
        tables: &mut Tables,
    ) -> Result<(), Fault> {
        let keys = Keys::of(wants.rows, wants.heads);
        let mut sql = Sql::new(behind.join("; "));
        keys.select(&mut sql, self.shards);
        for query in &wants.queries {
            sql.push("; ").query(query);
        }
        let mut results = db.query_iter(sql.as_str()).await?;
        for _ in behind {
            results.collect::<MysqlRow>().await?;
        }
        keys.take(&mut results, tables).await?;
        for query in wants.queries {
            let rows = results.collect().await?;
            self.answers.insert(query, rows);
        }
        Ok(results.drop_result().await?)
    }

    /// Reads what the present write turned out to lack.
    pub(super) async fn read_missing(&mut self, db: &mut Conn, tables: &mut Tables) -> Result<(), Fault> {
        let wants = std::mem::replace(&mut self.missing, Wants::new(Dialect::Mysql));
        self.places.look_for_wanted(db, self.shards).await?;
        if wants.rows.is_empty() && wants.queries.is_empty() {
            return Ok(());
        }
        // What is asked for may lie among the rows that are still to be written.
        if !wants.queries.is_empty() || wants.rows.iter().any(|want| matches!(want, Want::Standing(..))) {
            self.write_copies(db).await?;
        }
        self.read(db, &[NOTHING.to_owned()], wants, tables).await
    }

    /// Writes the copies up to here.
    async fn write_copies(&mut self, db: &mut Conn) -> Result<(), Fault> {
        for packet in self.copies.packets() {
            self.wrote = true;
            db.query_drop(packet.as_str()).await?;
        }
        Ok(())
    }

    /// Does so once they are many, since a packet is bounded and a transaction is not.
    pub(super) async fn write_many_copies(&mut self, db: &mut Conn) -> Result<(), Fault> {
        if self.copies.are_many() { self.write_copies(db).await } else { Ok(()) }
    }
}

impl Source for Database {
    fn dialect(&self) -> Dialect {
        Dialect::Mysql
    }

    fn load(&mut self, want: &Want, _: &mut Tables) -> Result<(), Stop> {
        self.missing.row(want.clone());
        Err(Stop::Missing)
    }

    fn ask(
        &mut self,
        query: &Query,
        _: &mut Tables,
        each: &mut dyn FnMut(&mut dyn Take) -> Result<(), Damage>,
    ) -> Result<(), Stop> {
        let Some(rows) = self.answers.get(query) else {
            self.missing.ask(query.clone());
            return Err(Stop::Missing);
        };
        for row in rows {
            each(&mut Columns::of(row))?;
        }
        Ok(())
    }

    /// Hardly any message comes again, and the unique key tells of one that does and was not looked for. Then the transaction is begun anew
    /// and looks for all its messages.
    fn store(&mut self, row: MessageRow<'_>) -> Result<Option<Known>, Stop> {
        if let Some(Some(known)) = self.places.of(row.message) {
            return Ok(Some(known));
        }
        for (table, owner) in Table::of_copies(row.message, self.shards) {
            self.copies.add(table, owner, row);
        }
        if !row.message.is_notice() {
            let identity = self.places.keep(row);
            self.undecided.push(identity);
        }
        Ok(None)
    }

    fn find(&mut self, message: &NewMessage) -> Result<Option<Known>, Stop> {
        self.places.of(message).ok_or_else(|| {
            self.places.want(message);
            Stop::Missing
        })
    }

    fn keep(&mut self) {
        self.copies.keep();
        self.undecided.clear();
    }

    fn undo(&mut self) -> bool {
        self.copies.undo();
        for identity in self.undecided.drain(..) {
            self.places.forget(&identity);
        }
        true
    }
}
