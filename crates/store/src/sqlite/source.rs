//! Where the writer's facts come from: what was committed before and is remembered, else the database, on the connection that writes.

use std::ops::ControlFlow;

use anser_proto::{ConversationId, UserId};
use quick_cache::unsync::Cache;
use rusqlite::Connection;

use super::{
    message::MessageSql,
    statement::{Statements, Write, ask},
};
use crate::{
    NewMessage,
    facts::{Fact, Known, Rows, Source, Stop, Tables, Want},
    proposals::{Moved, moved},
    query::{Dialect, Query},
    questions,
    rows::{Damage, Entry, GroupRow, Head, Mailbox, MessageRow, Row, StandingMessage, Stay, Take},
};

/// Rows as they were last committed. Only the one writer writes them, so they cannot go stale.
pub(super) struct Kept {
    heads: Cache<<Head as Row>::Key, Head>,
    sessions: Cache<<Entry as Row>::Key, Entry>,
    mailboxes: Cache<UserId, Mailbox>,
    groups: Cache<<GroupRow as Row>::Key, GroupRow>,
    stays: Cache<<Stay as Row>::Key, Stay>,
}

impl Kept {
    /// Up to so many conversations with two sessions and mailboxes each.
    pub(super) fn new(conversations: usize) -> Self {
        let twice = conversations.saturating_mul(2);
        Self {
            heads: Cache::new(conversations),
            sessions: Cache::new(twice),
            mailboxes: Cache::new(twice),
            groups: Cache::new(conversations / 8),
            stays: Cache::new(twice),
        }
    }

    pub(super) fn clear(&mut self) {
        self.heads.clear();
        self.sessions.clear();
        self.mailboxes.clear();
        self.groups.clear();
        self.stays.clear();
    }

    /// The rows are committed as they are in the tables now.
    pub(super) fn keep(&mut self, tables: &mut Tables) {
        keep(&mut self.heads, &mut tables.heads);
        keep(&mut self.sessions, &mut tables.sessions);
        keep(&mut self.mailboxes, &mut tables.mailboxes);
        keep(&mut self.groups, &mut tables.groups);
        keep(&mut self.stays, &mut tables.stays);
    }
}

fn keep<R: Row>(kept: &mut Cache<R::Key, R>, rows: &mut Rows<R>) {
    for (key, Fact { stored, .. }) in rows.drain() {
        match stored {
            Some(row) => kept.insert(key, row),
            None => drop(kept.remove(&key)),
        }
    }
}

/// For one transaction.
pub(super) struct Database<'t> {
    db: &'t Connection,
    statements: &'t Statements,
    messages: &'t MessageSql,
    shards: u32,
    pub(super) kept: &'t mut Kept,
    pub(super) moved: Vec<Moved>,
    /// Of the present write something is in the database, which only the end of the transaction takes out again.
    wrote: bool,
}

impl<'t> Database<'t> {
    pub(super) fn new(
        db: &'t Connection,
        statements: &'t Statements,
        messages: &'t MessageSql,
        shards: u32,
        kept: &'t mut Kept,
    ) -> Self {
        Self { db, statements, messages, shards, kept, moved: Vec::new(), wrote: false }
    }

    fn read<R: Row>(&self, kept: Option<R>, key: R::Key, rows: &mut Rows<R>) -> Result<(), Stop> {
        let found = match kept {
            Some(row) => Some(row),
            None => self.statements.find(self.db, &key)?,
        };
        rows.learn(key, found);
        Ok(())
    }

    /// Writes what was changed so far.
    pub(super) fn write(&mut self, tables: &mut Tables) -> Result<(), Stop> {
        self.moved.extend(moved(&tables.heads));
        self.messages.write_changed(self.db, &mut tables.standing)?;
        tables.each_with_a_table(&mut Write { db: self.db, statements: self.statements })
    }

    fn read_standing(
        &self,
        conversation: ConversationId,
        place: u64,
        standing: &mut Rows<StandingMessage>,
    ) -> Result<(), Stop> {
        let (mut found, key) = (None, (conversation, place));
        let query = questions::standing_at(Dialect::Sqlite, self.shards, conversation, place);
        ask(self.db, &query, &mut |row| {
            found = Some(StandingMessage::take(row).map_err(|damage| damage.of::<StandingMessage>(&key))?);
            Ok(ControlFlow::Break(()))
        })?;
        standing.learn(key, found);
        Ok(())
    }
}

impl Source for Database<'_> {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn load(&mut self, want: &Want, tables: &mut Tables) -> Result<(), Stop> {
        match want.clone() {
            Want::Mailbox(user) => self.read(self.kept.mailboxes.get(&user).copied(), user, &mut tables.mailboxes),
            Want::Head(conversation) => {
                self.read(self.kept.heads.get(&conversation).copied(), conversation, &mut tables.heads)
            }
            Want::Session(user, conversation) => {
                let key = (user, conversation);
                self.read(self.kept.sessions.get(&key).copied(), key, &mut tables.sessions)
            }
            Want::Group(group) => self.read(self.kept.groups.get(&group).cloned(), group, &mut tables.groups),
            Want::Stay(group, user) => {
                let key = (group, user);
                self.read(self.kept.stays.get(&key).cloned(), key, &mut tables.stays)
            }
            Want::Announcement(group) => self.read(None, group, &mut tables.announcements),
            Want::Ban(group, user) => self.read(None, (group, user), &mut tables.bans),
            Want::JoinRequest(group, user) => self.read(None, (group, user), &mut tables.join_requests),
            Want::Link(group, link_id) => self.read(None, (group, link_id), &mut tables.links),
            Want::User(user) => self.read(None, user, &mut tables.users),
            Want::Password(user) => self.read(None, user, &mut tables.passwords),
            Want::Device(user, device) => self.read(None, (user, device), &mut tables.devices),
            Want::Revoked(user, device) => self.read(None, (user, device), &mut tables.revoked),
            Want::Contact(user, peer) => self.read(None, (user, peer), &mut tables.contacts),
            Want::Block(user, peer) => self.read(None, (user, peer), &mut tables.blocks),
            Want::Change(user, thing) => self.read(None, (user, thing), &mut tables.changes),
            Want::Standing(conversation, place) => self.read_standing(conversation, place, &mut tables.standing),
            Want::Reaction(conversation, place, user) => {
                self.read(None, ((conversation, place), user), &mut tables.reactions)
            }
            Want::Recalled(conversation, place) => self.read(None, (conversation, place), &mut tables.recalled),
            Want::Pin(conversation, place) => self.read(None, (conversation, place), &mut tables.pins),
            Want::Hidden(user, conversation, place) => {
                self.read(None, (user, (conversation, place)), &mut tables.hidden)
            }
            Want::Mention(user, conversation, place) => {
                self.read(None, (user, (conversation, place)), &mut tables.mentions)
            }
            Want::LastSeen(user) => self.read(None, user, &mut tables.last_seen),
            Want::Profile(user) => self.read(None, user, &mut tables.profiles),
        }
    }

    fn ask(
        &mut self,
        query: &Query,
        tables: &mut Tables,
        each: &mut dyn FnMut(&mut dyn Take) -> Result<(), Damage>,
    ) -> Result<(), Stop> {
        if !query.of_messages {
            self.wrote |= tables.are_touched();
            self.write(tables)?;
        }
        ask(self.db, query, &mut |row| each(row).map(ControlFlow::Continue))
    }

    fn store(&mut self, row: MessageRow<'_>) -> Result<Option<Known>, Stop> {
        self.messages.store(self.db, row, &mut self.wrote)
    }

    fn find(&mut self, message: &NewMessage) -> Result<Option<Known>, Stop> {
        self.messages.find(self.db, message)
    }

    fn keep(&mut self) {
        self.wrote = false;
    }

    /// A write that stored a message is not refused.
    fn undo(&mut self) -> bool {
        !std::mem::take(&mut self.wrote)
    }
}
