//! What a transaction knows and what it changes: the rows that its writes want, in memory, read when they are first asked for and written
//! back together at its end.
//!
//! A verb decides on facts and touches nothing else. What it changed is taken back when it ends in anything but an answer, so that a
//! refusal leaves nothing behind, wherever it came.

use std::{collections::HashMap, convert::Infallible, sync::Arc};

use anser_proto::{ConversationId, GroupId, UserId};

use crate::{
    Appended, Failure, NewMessage, Options, Refusal,
    damaged::Damaged,
    digest::{Digest, Digests},
    query::{Dialect, Query},
    rows::{
        AnnouncementRow, BanRow, BlockRow, ChangeRow, ContactRow, Damage, DeviceRow, Entry, GroupRow, Head, HiddenRow,
        JoinRequestRow, LastSeenRow, LinkRow, Mailbox, MentionRow, MessageRow, PasswordRow, PinRow, ProfileRow,
        ReactionRow, RecalledRow, RevokedRow, Row, StandingMessage, Stay, Take, Thing, UserRow,
    },
};

/// Why a verb did not come to an answer.
#[derive(Debug)]
pub(crate) enum Stop {
    Refused(Refusal),
    Failed(Failure),
    /// A row that the verb needs is damaged.
    Damaged(Damage),
    /// Something must be read first. The verb is to be asked again once it was.
    Missing,
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<Damage> for Stop {
    fn from(damage: Damage) -> Self {
        Self::Damaged(damage)
    }
}

/// A row that a verb wants to know, by its key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Want {
    Mailbox(UserId),
    Head(ConversationId),
    Session(UserId, ConversationId),
    Stay(GroupId, UserId),
    Group(GroupId),
    Announcement(GroupId),
    Ban(GroupId, UserId),
    JoinRequest(GroupId, UserId),
    Link(GroupId, u64),
    User(UserId),
    Password(UserId),
    Device(UserId, Arc<str>),
    Revoked(UserId, Arc<str>),
    Contact(UserId, UserId),
    Block(UserId, UserId),
    Change(UserId, Thing),
    Standing(ConversationId, u64),
    Reaction(ConversationId, u64, UserId),
    Recalled(ConversationId, u64),
    Pin(ConversationId, u64),
    Hidden(UserId, ConversationId, u64),
    Mention(UserId, ConversationId, u64),
    LastSeen(UserId),
    Profile(UserId),
}

/// Where a transaction's facts come from: the database.
pub(crate) trait Source {
    fn dialect(&self) -> Dialect;

    /// Puts the row, or that there is none, into the tables.
    fn load(&mut self, want: &Want, tables: &mut Tables) -> Result<(), Stop>;

    /// Gives each row of the answer to `each`. What the transaction changed is seen.
    fn ask(
        &mut self,
        query: &Query,
        tables: &mut Tables,
        each: &mut dyn FnMut(&mut dyn Take) -> Result<(), Damage>,
    ) -> Result<(), Stop>;

    /// Stores a message with all its copies, unless its sender stored one under its id before: then tells what that one is.
    fn store(&mut self, row: MessageRow<'_>) -> Result<Option<Known>, Stop>;

    /// The message that its sender stored before under the id of this one.
    fn find(&mut self, message: &NewMessage) -> Result<Option<Known>, Stop>;

    /// The present write is decided.
    fn keep(&mut self);

    /// Messages of the present write are not to be stored. Tells whether nothing of it is left.
    fn undo(&mut self) -> bool;
}

/// A message that is stored already.
pub(crate) struct Known {
    pub(crate) first: Appended,
    pub(crate) body: KnownBody,
}

/// Whether it has the same type and body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum KnownBody {
    Same,
    Other,
    /// The body that it was sent with is not there any more.
    Digested(Digest),
}

pub(crate) struct Facts<'t> {
    pub(crate) options: &'t Options,
    pub(crate) damaged: &'t Damaged,
    pub(crate) digests: &'t Digests,
    pub(crate) tables: &'t mut Tables,
    pub(crate) source: &'t mut dyn Source,
    /// Messages that users sent and that were stored.
    pub(crate) appended: u64,
    /// The transaction is to be written also when it changes nothing.
    pub(crate) must_write: bool,
}

/// The rows of a transaction by their kinds, in the order in which they are locked and written.
#[derive(Default)]
pub(crate) struct Tables {
    pub(crate) mailboxes: Rows<Mailbox>,
    pub(crate) heads: Rows<Head>,
    pub(crate) sessions: Rows<Entry>,
    pub(crate) groups: Rows<GroupRow>,
    pub(crate) announcements: Rows<AnnouncementRow>,
    pub(crate) bans: Rows<BanRow>,
    pub(crate) join_requests: Rows<JoinRequestRow>,
    pub(crate) links: Rows<LinkRow>,
    pub(crate) stays: Rows<Stay>,
    pub(crate) users: Rows<UserRow>,
    pub(crate) passwords: Rows<PasswordRow>,
    pub(crate) devices: Rows<DeviceRow>,
    pub(crate) revoked: Rows<RevokedRow>,
    pub(crate) contacts: Rows<ContactRow>,
    pub(crate) blocks: Rows<BlockRow>,
    pub(crate) changes: Rows<ChangeRow>,
    pub(crate) reactions: Rows<ReactionRow>,
    pub(crate) recalled: Rows<RecalledRow>,
    pub(crate) pins: Rows<PinRow>,
    pub(crate) hidden: Rows<HiddenRow>,
    pub(crate) mentions: Rows<MentionRow>,
    pub(crate) last_seen: Rows<LastSeenRow>,
    pub(crate) profiles: Rows<ProfileRow>,
    /// Those that are changed. They lie in many tables.
    pub(crate) standing: Rows<StandingMessage>,
}

/// What is done with the rows of each kind.
pub(crate) trait EachKind {
    type Error;

    fn visit<R: Row>(&mut self, rows: &mut Rows<R>) -> Result<(), Self::Error>;
}

impl Tables {
    /// The present write changed something.
    pub(crate) fn are_touched(&mut self) -> bool {
        let mut touched = Touched(false);
        let Ok(()) = self.each(&mut touched);
        touched.0
    }

    pub(crate) fn each<V: EachKind>(&mut self, visitor: &mut V) -> Result<(), V::Error> {
        visitor.visit(&mut self.standing)?;
        self.each_with_a_table(visitor)
    }

    /// All but messages.
    pub(crate) fn each_with_a_table<V: EachKind>(&mut self, visitor: &mut V) -> Result<(), V::Error> {
        visitor.visit(&mut self.mailboxes)?;
        visitor.visit(&mut self.heads)?;
        visitor.visit(&mut self.sessions)?;
        visitor.visit(&mut self.groups)?;
        visitor.visit(&mut self.announcements)?;
        visitor.visit(&mut self.bans)?;
        visitor.visit(&mut self.join_requests)?;
        visitor.visit(&mut self.links)?;
        visitor.visit(&mut self.stays)?;
        visitor.visit(&mut self.users)?;
        visitor.visit(&mut self.passwords)?;
        visitor.visit(&mut self.devices)?;
        visitor.visit(&mut self.revoked)?;
        visitor.visit(&mut self.contacts)?;
        visitor.visit(&mut self.blocks)?;
        visitor.visit(&mut self.changes)?;
        visitor.visit(&mut self.reactions)?;
        visitor.visit(&mut self.recalled)?;
        visitor.visit(&mut self.pins)?;
        visitor.visit(&mut self.hidden)?;
        visitor.visit(&mut self.mentions)?;
        visitor.visit(&mut self.last_seen)?;
        visitor.visit(&mut self.profiles)
    }
}

struct Keep;

impl EachKind for Keep {
    type Error = Infallible;

    fn visit<R: Row>(&mut self, rows: &mut Rows<R>) -> Result<(), Infallible> {
        rows.journal.clear();
        Ok(())
    }
}

struct Undo;

impl EachKind for Undo {
    type Error = Infallible;

    fn visit<R: Row>(&mut self, rows: &mut Rows<R>) -> Result<(), Infallible> {
        while let Some((key, before)) = rows.journal.pop() {
            rows.known.get_mut(&key).expect("it was known when it was changed").now = before;
            // What was there before may have been written over meanwhile.
            rows.is_changed = true;
        }
        Ok(())
    }
}

struct Touched(bool);

impl EachKind for Touched {
    type Error = Infallible;

    fn visit<R: Row>(&mut self, rows: &mut Rows<R>) -> Result<(), Infallible> {
        self.0 |= !rows.journal.is_empty();
        Ok(())
    }
}

/// Rows of one kind.
pub(crate) struct Rows<R: Row> {
    known: HashMap<R::Key, Fact<R>>,
    /// Those that are there and cannot be read.
    damaged: HashMap<R::Key, Damage>,
    /// What the present write changed: the keys, and what was there before.
    journal: Vec<(R::Key, Option<R>)>,
    /// Something may be other than in the database.
    is_changed: bool,
}

/// A row as it is in the database, and as it is to be. None: there is none.
pub(crate) struct Fact<R> {
    pub(crate) stored: Option<R>,
    pub(crate) now: Option<R>,
}

impl<R: Row> Default for Rows<R> {
    fn default() -> Self {
        Self { known: HashMap::new(), damaged: HashMap::new(), journal: Vec::new(), is_changed: false }
    }
}

impl<R: Row> Rows<R> {
    pub(crate) fn learn(&mut self, key: R::Key, row: Option<R>) {
        self.known.entry(key).or_insert_with(|| Fact { stored: row.clone(), now: row });
    }

    /// Whoever asks for it fails, and nobody else.
    pub(crate) fn learn_damage(&mut self, key: R::Key, damage: Damage) {
        let damage = damage.of::<R>(&key);
        self.damaged.insert(key, damage);
    }

    /// It was not there when it was asked for, and may be by now.
    pub(crate) fn forget_absence(&mut self, key: &R::Key) {
        if self.known.get(key).is_some_and(|fact| fact.stored.is_none() && fact.now.is_none()) {
            self.known.remove(key);
        }
    }

    /// The row as it is to be, if it was asked for.
    fn look_up(&self, key: &R::Key) -> Option<Result<Option<R>, Stop>> {
        match self.damaged.get(key) {
            Some(damage) => Some(Err(damage.clone().into())),
            None => Some(Ok(self.known.get(key)?.now.clone())),
        }
    }

    /// Changes a row that is known.
    pub(crate) fn set(&mut self, key: R::Key, row: Option<R>) {
        let fact = self.known.get_mut(&key).expect("what is changed was asked for");
        let before = std::mem::replace(&mut fact.now, row);
        self.journal.push((key, before));
        self.is_changed = true;
    }

    /// What is to be written, in the order of the keys, so that rows beside each other are written together.
    pub(crate) fn changed(&self) -> Vec<(&R::Key, &Fact<R>)> {
        if !self.is_changed {
            return Vec::new();
        }
        let mut changed: Vec<_> = self.known.iter().filter(|(_, fact)| fact.stored != fact.now).collect();
        changed.sort_unstable_by_key(|(key, _)| *key);
        changed
    }

    /// All that are known, as they are to be.
    pub(crate) fn known(&self) -> impl Iterator<Item = (&R::Key, &Option<R>)> {
        self.known.iter().map(|(key, fact)| (key, &fact.now))
    }

    /// Those that are there only since this transaction, and are not in the database yet.
    pub(crate) fn added(&self) -> impl Iterator<Item = &R::Key> {
        self.known.iter().filter(|(_, fact)| fact.stored.is_none() && fact.now.is_some()).map(|(key, _)| key)
    }

    /// All that was changed is in the database now.
    pub(crate) fn written(&mut self) {
        if !std::mem::take(&mut self.is_changed) {
            return;
        }
        for fact in self.known.values_mut().filter(|fact| fact.stored != fact.now) {
            fact.now.take_if(|row| !row.is_found());
            fact.stored = fact.now.clone();
        }
    }

    pub(crate) fn drain(&mut self) -> impl Iterator<Item = (R::Key, Fact<R>)> {
        self.known.drain()
    }
}

/// What `find` makes of each of them. When facts are missing, all that are missing are asked for at once.
pub(crate) fn of_each<I, T>(
    items: impl IntoIterator<Item = I>,
    mut find: impl FnMut(I) -> Result<T, Stop>,
) -> Result<Vec<T>, Stop> {
    let (mut found, mut is_missing) = (Vec::new(), false);
    for item in items {
        match find(item) {
            Ok(value) => found.push(value),
            Err(Stop::Missing) => is_missing = true,
            // It may rest on what is missing: then all is decided anew.
            Err(stop) if !is_missing => return Err(stop),
            Err(_) => {}
        }
    }
    if is_missing { Err(Stop::Missing) } else { Ok(found) }
}

macro_rules! look_up {
    ($name:ident, $rows:ident, $row:ty, ($($arg:ident: $type:ty),+), $want:expr, $key:expr) => {
        pub(crate) fn $name(&mut self, $($arg: $type),+) -> Result<Option<$row>, Stop> {
            let (want, key) = ($want, $key);
            if let Some(found) = self.tables.$rows.look_up(&key) {
                return found;
            }
            self.source.load(&want, self.tables)?;
            self.tables.$rows.look_up(&key).expect("it was loaded")
        }
    };
}

impl Facts<'_> {
    look_up!(mailbox, mailboxes, Mailbox, (user: UserId), Want::Mailbox(user), user);
    look_up!(head, heads, Head, (conversation: ConversationId), Want::Head(conversation), conversation);
    look_up!(
        session, sessions, Entry, (user: UserId, conversation: ConversationId),
        Want::Session(user, conversation), (user, conversation)
    );
    look_up!(stay, stays, Stay, (group: GroupId, user: UserId), Want::Stay(group, user), (group, user));
    look_up!(group, groups, GroupRow, (group: GroupId), Want::Group(group), group);
    look_up!(
        announcement, announcements, AnnouncementRow, (group: GroupId),
        Want::Announcement(group), group
    );
    look_up!(ban, bans, BanRow, (group: GroupId, user: UserId), Want::Ban(group, user), (group, user));
    look_up!(
        join_request, join_requests, JoinRequestRow, (group: GroupId, user: UserId),
        Want::JoinRequest(group, user), (group, user)
    );
    look_up!(link, links, LinkRow, (group: GroupId, link_id: u64), Want::Link(group, link_id), (group, link_id));
    look_up!(last_seen, last_seen, LastSeenRow, (user: UserId), Want::LastSeen(user), user);
    look_up!(profile, profiles, ProfileRow, (user: UserId), Want::Profile(user), user);
    look_up!(user, users, UserRow, (user: UserId), Want::User(user), user);
    look_up!(password, passwords, PasswordRow, (user: UserId), Want::Password(user), user);
    look_up!(
        device, devices, DeviceRow, (user: UserId, device: Arc<str>),
        Want::Device(user, device.clone()), (user, device)
    );
    look_up!(
        revoked, revoked, RevokedRow, (user: UserId, device: Arc<str>),
        Want::Revoked(user, device.clone()), (user, device)
    );
    look_up!(contact, contacts, ContactRow, (user: UserId, peer: UserId), Want::Contact(user, peer), (user, peer));
    look_up!(block, blocks, BlockRow, (user: UserId, peer: UserId), Want::Block(user, peer), (user, peer));
    look_up!(
        change, changes, ChangeRow, (user: UserId, thing: Thing),
        Want::Change(user, thing.clone()), (user, thing)
    );

    look_up!(
        standing, standing, StandingMessage, (conversation: ConversationId, place: u64),
        Want::Standing(conversation, place), (conversation, place)
    );
    look_up!(
        reaction, reactions, ReactionRow, (conversation: ConversationId, place: u64, user: UserId),
        Want::Reaction(conversation, place, user), ((conversation, place), user)
    );
    look_up!(
        recalled, recalled, RecalledRow, (conversation: ConversationId, place: u64),
        Want::Recalled(conversation, place), (conversation, place)
    );
    look_up!(
        pin, pins, PinRow, (conversation: ConversationId, place: u64),
        Want::Pin(conversation, place), (conversation, place)
    );
    look_up!(
        hidden, hidden, HiddenRow, (user: UserId, conversation: ConversationId, place: u64),
        Want::Hidden(user, conversation, place), (user, (conversation, place))
    );
    look_up!(
        mention, mentions, MentionRow, (user: UserId, conversation: ConversationId, place: u64),
        Want::Mention(user, conversation, place), (user, (conversation, place))
    );

    /// The present write is decided.
    pub(crate) fn keep(&mut self) {
        let Ok(()) = self.tables.each(&mut Keep);
        self.source.keep();
    }

    /// Takes back what the present write changed. Tells whether nothing of it is left.
    pub(crate) fn undo(&mut self) -> bool {
        let Ok(()) = self.tables.each(&mut Undo);
        self.source.undo()
    }

    pub(crate) fn now_ms(&self) -> u64 {
        (self.options.clock)()
    }

    /// What `read` makes of each row of the answer.
    pub(crate) fn ask<T>(
        &mut self,
        query: &Query,
        read: impl Fn(&mut dyn Take) -> Result<T, Damage>,
    ) -> Result<Vec<T>, Stop> {
        let mut found = Vec::new();
        let each = &mut |row: &mut dyn Take| {
            found.push(read(row)?);
            Ok(())
        };
        self.source.ask(query, self.tables, each)?;
        Ok(found)
    }
}
