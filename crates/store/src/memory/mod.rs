//! The reference: a store in memory, obviously right rather than fast. It is the oracle for the others and a quick
//! store for tests; it keeps nothing over the end of the process.
//!
//! What a real store keeps beside its messages, counts and heads and previews, is here worked out anew from the log and the
//! memberships each time, so that a trick of a real store is compared with the plain meaning. It asks no
//! sequencer: the length of a log is its head. Each verb runs under one lock and never waits, therefore it is
//! isolated, and is done whole before its future can be dropped.

mod change;
mod device;
mod group;
mod joining;
mod lists;
mod members;
mod message;
mod people;
mod pin;
mod session;
mod user;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use anser_proto::{ClientMsgId, ConversationId, GroupId, UserId};
use async_trait::async_trait;

use joining::{LinkRow, Waiting};
use people::{ContactRow, Thing};

use crate::{
    Appended, Ban, Between, Block, Change, Changes, Contact, Device, DeviceChange, DeviceChanged, Error, Failure,
    Group, GroupUpdate, Hidden, Hide, JoinRequest, KnownDevice, Link, LinkPreview, LinkRevocation, LinkUse, LogPage,
    Logins, Mark, Marked, Member, MemberIds, MembersChange, MembersChanged, Message, NewGroup, NewLink, NewMessage,
    NewUser, NicknameChange, Options, Page, PasswordHash, PeopleChange, PeopleChanged, Pin, Positions, Privacy,
    PrivacyChange, Profile, ProfileChange, ReactionsOfUser, Readers, Refusal, Role, Seen, Session, SessionChange,
    SessionChanged, Stats, Store, Stretch, TokenHash, User,
};

pub struct MemoryStore {
    state: Arc<Mutex<State>>,
    closed: AtomicBool,
}

struct State {
    log_id: u64,
    options: Options,
    stats: Stats,
    users: BTreeMap<UserId, UserRow>,
    logs: BTreeMap<ConversationId, Vec<Message>>,
    /// Where the messages that users sent are, by their identity, and as they were sent.
    places: BTreeMap<(ConversationId, UserId, ClientMsgId), (u64, NewMessage)>,
    /// What silent entries changed.
    targets: BTreeMap<(ConversationId, u64), u64>,
    /// What stands below messages: each emoji with all of its users, both in the order in which they came.
    reactions: BTreeMap<(ConversationId, u64), Vec<Reacted>>,
    sessions: BTreeMap<(UserId, ConversationId), SessionRow>,
    /// Who hid which messages from themselves.
    hidden: BTreeSet<(UserId, ConversationId, u64)>,
    groups: BTreeMap<GroupId, GroupRow>,
    /// Who of two is what to the other one: the first to whom the second is it.
    contacts: BTreeMap<(UserId, UserId), ContactRow>,
    blocks: BTreeMap<(UserId, UserId), u64>,
    /// When users were last there.
    last_seen: BTreeMap<UserId, u64>,
    /// By user and stamp.
    things: BTreeMap<(UserId, u64), Thing>,
}

/// An emoji with all of its users.
type Reacted = (Arc<str>, Vec<UserId>);

struct UserRow {
    user: User,
    password: Option<PasswordHash>,
    mailbox_seq: u64,
    /// Whose logins were ended, each time: of one device, or of all. So many times is the version of a login.
    ends: Vec<Option<Arc<str>>>,
    privacy: Privacy,
    /// The change of the mailbox that last touched the profile; 0 if it never changed.
    profile_stamp: u64,
    profile_version: u64,
    signature: Arc<str>,
    custom: Arc<str>,
    /// The last touched last.
    devices: Vec<DeviceRow>,
    /// And the second from which on what lets them in again must have been issued, in the order in which they were revoked.
    revoked: Vec<(Arc<str>, u64)>,
}

#[derive(Clone)]
struct DeviceRow {
    device: Device,
    /// When it was last seen.
    day: u64,
    named: bool,
}

#[derive(Clone, PartialEq, Default)]
struct SessionRow {
    stamp: u64,
    read_mark: u64,
    delivered_mark: u64,
    /// The read and the delivered mark as the peer is shown them.
    shown: (u64, u64),
    pinned: bool,
    quiet_until_ms: u64,
    marked_unread: bool,
    removed_at: u64,
    cleared: u64,
}

struct GroupRow {
    /// Without the number of members.
    group: Group,
    creator: UserId,
    client_group_id: Arc<str>,
    /// Who may not come back: by whom, and since when.
    bans: BTreeMap<UserId, (UserId, u64)>,
    waiting: BTreeMap<UserId, Waiting>,
    links: BTreeMap<u64, LinkRow>,
    /// One for each time that somebody joined, in that order.
    memberships: Vec<Membership>,
}

struct Membership {
    user: UserId,
    role: Role,
    /// Who put them there, until they answer.
    invited_by: Option<UserId>,
    joined: u64,
    /// The first id of the log that they may see.
    first_seen: u64,
    /// The last, once they are gone.
    left: Option<u64>,
    /// Until then they may not speak.
    muted_until_ms: u64,
    /// Of their own, in this group; and the entry that changed it.
    nickname: (Arc<str>, u64),
}

impl MemoryStore {
    /// # Panics
    /// When the system has no randomness to give.
    pub fn new(options: Options) -> Self {
        let state = State {
            log_id: getrandom::u64().expect("the system has randomness"),
            options,
            stats: Stats::default(),
            users: BTreeMap::new(),
            logs: BTreeMap::new(),
            places: BTreeMap::new(),
            targets: BTreeMap::new(),
            reactions: BTreeMap::new(),
            sessions: BTreeMap::new(),
            hidden: BTreeSet::new(),
            groups: BTreeMap::new(),
            contacts: BTreeMap::new(),
            blocks: BTreeMap::new(),
            last_seen: BTreeMap::new(),
            things: BTreeMap::new(),
        };
        Self { state: Arc::new(Mutex::new(state)), closed: AtomicBool::new(false) }
    }

    /// Opens what a store kept again, as after the restart of a process. That store must be closed.
    pub fn reopen(&self, options: Options) -> Self {
        let mut state = self.lock();
        assert!(self.closed.load(Relaxed), "a store is opened again after it was closed");
        (state.options, state.stats) = (options, Stats::default());
        Self { state: self.state.clone(), closed: AtomicBool::new(false) }
    }

    /// The same store, as another node of a cluster has it: each closes its own.
    pub fn beside(&self) -> Self {
        Self { state: self.state.clone(), closed: AtomicBool::new(false) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no verb panics")
    }

    fn with<T>(&self, verb: impl FnOnce(&mut State) -> Result<T, Refusal>) -> Result<T, Error> {
        let mut state = self.lock();
        if self.closed.load(Relaxed) {
            return Err(Failure::Closed.into());
        }
        Ok(verb(&mut state)?)
    }
}

#[async_trait]
impl Store for MemoryStore {
    fn log_id(&self) -> u64 {
        self.lock().log_id
    }

    async fn append(&self, batch: Vec<NewMessage>) -> Result<Vec<Result<Appended, Refusal>>, Error> {
        self.with(|state| Ok(state.append(batch)))
    }

    async fn read_log(&self, reader: UserId, conversation: ConversationId, stretch: Stretch) -> Result<LogPage, Error> {
        self.with(|state| state.read_log(reader, conversation, stretch))
    }

    async fn mark(&self, mark: Mark) -> Result<Marked, Error> {
        self.with(|state| state.mark(mark))
    }

    async fn change_session(&self, change: SessionChange) -> Result<SessionChanged, Error> {
        self.with(|state| state.change_session(change))
    }

    async fn hide_messages(&self, hide: Hide) -> Result<Hidden, Error> {
        self.with(|state| state.hide_messages(hide))
    }

    async fn who_read(&self, asker: UserId, group: GroupId, places: Vec<u64>) -> Result<Vec<Readers>, Error> {
        self.with(|state| state.who_read(asker, group, &places))
    }

    async fn pins(
        &self,
        reader: UserId,
        conversation: ConversationId,
        before: u64,
        limit: u32,
        bytes_max: usize,
    ) -> Result<Page<Pin>, Error> {
        self.with(|state| state.pins(reader, conversation, before, limit, bytes_max))
    }

    async fn reactions(
        &self,
        reader: UserId,
        conversation: ConversationId,
        place: u64,
        after: UserId,
        limit: u32,
    ) -> Result<Page<ReactionsOfUser>, Error> {
        self.with(|state| state.reactions(reader, conversation, place, after, limit))
    }

    async fn positions(&self, user: UserId) -> Result<Positions, Error> {
        self.with(|state| state.positions(user))
    }

    async fn changes(&self, user: UserId, since: u64, limit: u32) -> Result<Changes, Error> {
        self.with(|state| Ok(state.changes(user, since, limit)))
    }

    async fn moved_groups(&self, user: UserId, known: Vec<(GroupId, u64)>) -> Result<Vec<Session>, Error> {
        self.with(|state| Ok(state.moved_groups(user, &known)))
    }

    async fn sessions(&self, user: UserId, after: Option<ConversationId>, limit: u32) -> Result<Page<Session>, Error> {
        self.with(|state| Ok(state.sessions(user, after, limit)))
    }

    async fn session(&self, user: UserId, conversation: ConversationId) -> Result<Session, Error> {
        self.with(|state| state.session(user, conversation).ok_or(Refusal::NotFound("conversation")))
    }

    async fn create_group(&self, new: NewGroup) -> Result<MembersChanged, Error> {
        self.with(|state| state.create_group(new))
    }

    async fn change_members(&self, change: MembersChange) -> Result<MembersChanged, Error> {
        self.with(|state| state.change_members(change))
    }

    async fn update_group(&self, update: GroupUpdate) -> Result<MembersChanged, Error> {
        self.with(|state| state.update_group(update))
    }

    async fn set_nickname(&self, change: NicknameChange) -> Result<Appended, Error> {
        self.with(|state| state.set_nickname(change))
    }

    async fn group(&self, asker: UserId, group: GroupId) -> Result<(Group, Role), Error> {
        self.with(|state| state.group(asker, group))
    }

    async fn members(&self, asker: UserId, group: GroupId, after: UserId, limit: u32) -> Result<Page<Member>, Error> {
        self.with(|state| state.members(asker, group, after, limit))
    }

    async fn bans(&self, asker: UserId, group: GroupId, after: UserId, limit: u32) -> Result<Page<Ban>, Error> {
        self.with(|state| state.bans(asker, group, after, limit))
    }

    async fn join_requests(
        &self,
        asker: UserId,
        group: GroupId,
        after: UserId,
        limit: u32,
    ) -> Result<Page<JoinRequest>, Error> {
        self.with(|state| state.join_requests(asker, group, after, limit))
    }

    async fn create_link(&self, new: NewLink) -> Result<Link, Error> {
        self.with(|state| state.create_link(new))
    }

    async fn revoke_link(&self, revocation: LinkRevocation) -> Result<(), Error> {
        self.with(|state| state.revoke_link(revocation))
    }

    async fn links(&self, asker: UserId, group: GroupId) -> Result<Vec<Link>, Error> {
        self.with(|state| state.links(asker, group))
    }

    async fn preview_link(&self, asker: UserId, token_hash: TokenHash) -> Result<LinkPreview, Error> {
        self.with(|state| state.preview_link(asker, token_hash))
    }

    async fn join_by_link(&self, by: LinkUse) -> Result<MembersChanged, Error> {
        self.with(|state| state.join_by_link(by))
    }

    async fn member_ids(&self, group: GroupId) -> Result<MemberIds, Error> {
        self.with(|state| Ok(state.member_ids(group)))
    }

    async fn create_user(&self, new: NewUser) -> Result<User, Error> {
        self.with(|state| state.create_user(new))
    }

    async fn user_by_account(&self, account: &str) -> Result<User, Error> {
        self.with(|state| state.user_by_account(account))
    }

    async fn user_with_password(&self, account: &str) -> Result<(User, Option<PasswordHash>), Error> {
        self.with(|state| {
            let user = state.user_by_account(account)?;
            let password = state.user_row(user.user)?.password.clone();
            Ok((user, password))
        })
    }

    async fn users(&self, ids: Vec<UserId>, accounts: Vec<Arc<str>>) -> Result<Vec<User>, Error> {
        self.with(|state| Ok(state.users(&ids, &accounts)))
    }

    async fn profiles(
        &self,
        ids: Vec<UserId>,
        accounts: Vec<Arc<str>>,
        known: Vec<(UserId, u64)>,
    ) -> Result<Vec<Profile>, Error> {
        self.with(|state| Ok(state.profiles(&ids, &accounts, &known)))
    }

    async fn list_users(&self, after: UserId, limit: u32) -> Result<Page<User>, Error> {
        self.with(|state| Ok(state.list_users(after, limit)))
    }

    async fn update_profile(&self, user: UserId, change: ProfileChange) -> Result<(Profile, u64), Error> {
        self.with(|state| state.update_profile(user, change))
    }

    async fn change_people(&self, change: PeopleChange) -> Result<PeopleChanged, Error> {
        self.with(|state| state.change_people(change))
    }

    async fn contacts(&self, user: UserId, after: UserId, limit: u32) -> Result<Page<Contact>, Error> {
        self.with(|state| Ok(state.contacts(user, after, limit)))
    }

    async fn blocks(&self, user: UserId, after: UserId, limit: u32) -> Result<Page<Block>, Error> {
        self.with(|state| Ok(state.blocks(user, after, limit)))
    }

    async fn between(&self, user: UserId, peer: UserId) -> Result<Between, Error> {
        self.with(|state| state.user_row(peer).map(|_| state.between(user, peer)))
    }

    async fn privacy(&self, user: UserId) -> Result<Privacy, Error> {
        self.with(|state| Ok(state.user_row(user)?.privacy))
    }

    async fn update_privacy(&self, user: UserId, change: PrivacyChange) -> Result<Option<Change>, Error> {
        self.with(|state| state.update_privacy(user, change))
    }

    async fn contact_ids(&self, user: UserId) -> Result<Vec<UserId>, Error> {
        self.with(|state| Ok(state.contact_ids(user)))
    }

    async fn invisible(&self, users: Vec<UserId>) -> Result<Vec<UserId>, Error> {
        self.with(|state| Ok(state.invisible(&users)))
    }

    async fn see_users(&self, seen: Vec<(UserId, u64)>) -> Result<(), Error> {
        self.with(|state| {
            state.see_users(&seen);
            Ok(())
        })
    }

    async fn seen_by(&self, viewer: UserId, users: Vec<UserId>) -> Result<Vec<Seen>, Error> {
        self.with(|state| {
            state.user_row(viewer)?;
            Ok(users.into_iter().map(|user| state.seen(viewer, user)).collect())
        })
    }

    async fn set_password(&self, user: UserId, password: PasswordHash) -> Result<(), Error> {
        self.with(|state| state.set_password(user, password))
    }

    async fn set_disabled(&self, user: UserId, disabled: bool) -> Result<(), Error> {
        self.with(|state| state.set_disabled(user, disabled))
    }

    async fn login_versions(&self, users: Vec<UserId>) -> Result<Vec<(UserId, u64)>, Error> {
        self.with(|state| Ok(state.login_versions(&users)))
    }

    async fn logins(&self, user: UserId) -> Result<Logins, Error> {
        self.with(|state| state.logins(user))
    }

    async fn touch_device(&self, user: UserId, device: Device, issued_s: u64) -> Result<Option<Change>, Error> {
        self.with(|state| state.touch_device(user, device, issued_s))
    }

    async fn devices(&self, user: UserId) -> Result<Vec<KnownDevice>, Error> {
        self.with(|state| Ok(state.devices(user)))
    }

    async fn change_device(&self, change: DeviceChange) -> Result<DeviceChanged, Error> {
        self.with(|state| state.change_device(change))
    }

    async fn not_before_s(&self, user: UserId, device_id: Arc<str>) -> Result<u64, Error> {
        self.with(|state| Ok(state.not_before_s(user, &device_id)))
    }

    async fn probe(&self) -> Result<(), Error> {
        self.with(|_| Ok(()))
    }

    fn stats(&self) -> Stats {
        self.lock().stats
    }

    async fn close(&self) {
        // Under the lock, so that no verb is at work when it returns.
        let _state = self.lock();
        self.closed.store(true, Relaxed);
    }
}

/// The first `limit` of the rows, and whether there were more.
fn page<T>(rows: impl Iterator<Item = T>, limit: u32) -> Page<T> {
    let mut rows: Vec<T> = rows.collect();
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    Page { rows, more }
}
