//! A room to test a store in: five users, a clock that stands still, and short verbs that expect to succeed.

use std::{
    collections::BTreeMap,
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use anser_proto::{ConversationId, GroupId, UserId, v1};
use bytes::Bytes;
use prost::Message as _;

use super::{Make, Subject};
use crate::{
    Appended, Device, Error, GroupChange, GroupUpdate, Mark, MarkKind, Marked, MembersAction, MembersChange,
    MembersChanged, Message, NewGroup, NewMessage, NewUser, Options, Page, PasswordHash, PeopleOptions, Rank, Role,
    Sender, Sequencer, Session, Store, Stretch, Window, sequencer::HeadSequencer,
};

// Some share a shard of four and some do not; sorted as text they stand in another order than as numbers; and
// one is as large as an id can be.
pub(super) const BOB: UserId = UserId(2);
pub(super) const ADA: UserId = UserId(7);
pub(super) const DAN: UserId = UserId(11);
pub(super) const CYD: UserId = UserId(30);
pub(super) const EVE: UserId = UserId(i64::MAX as u64);
/// In the order of their ids.
pub(super) const PEOPLE: [UserId; 5] = [BOB, ADA, DAN, CYD, EVE];
pub(super) const NOBODY: UserId = UserId(999);

/// The time at which a room starts: noon of a day, so that an hour more or less is still the same day.
pub(super) const NOON: u64 = 1_700_049_600_000;
pub(super) const DAY: u64 = 86_400_000;

pub(super) const TEXT: i32 = v1::message::Type::Text as i32;
pub(super) const NOTICE: i32 = v1::message::Type::Notice as i32;

/// A whole log, whoever's.
pub(super) const WHOLE: Stretch = Stretch { after: None, before: 0, limit: u32::MAX, bytes_max: usize::MAX };

pub(super) struct Room {
    make: Make,
    subject: Box<dyn Subject>,
    store: Arc<dyn Store>,
    now: Arc<AtomicU64>,
    ids: AtomicU64,
}

impl Deref for Room {
    type Target = dyn Store;

    fn deref(&self) -> &Self::Target {
        &*self.store
    }
}

pub(super) async fn send(store: &dyn Store, message: NewMessage) -> Result<Appended, Error> {
    let mut answers = append(store, vec![message]).await;
    assert_eq!(answers.len(), 1, "one message, one answer");
    answers.remove(0)
}

pub(super) async fn append(store: &dyn Store, batch: Vec<NewMessage>) -> Vec<Result<Appended, Error>> {
    let len = batch.len();
    match store.append(batch).await {
        Ok(answers) => answers.into_iter().map(|answer| Ok(answer?)).collect(),
        Err(failure) => vec![Err(failure); len],
    }
}

impl Room {
    pub(super) async fn new(make: Make) -> Self {
        let (subject, now) = (make(), Arc::new(AtomicU64::new(NOON)));
        let store = subject.open(options(&now), Arc::new(HeadSequencer::new())).await;
        let room = Self { make, subject, store, now, ids: AtomicU64::new(1) };
        for user in PEOPLE {
            room.user(user).await;
        }
        room
    }

    /// A second store of the same kind.
    pub(super) async fn another(&self) -> Self {
        Self::new(self.make).await
    }

    pub(super) async fn reopen(&mut self) {
        self.reopen_with(|_| ()).await;
    }

    /// Closes the store and opens it again with other limits.
    pub(super) async fn reopen_with(&mut self, change: impl FnOnce(&mut Options)) {
        self.close().await;
        let mut options = options(&self.now);
        change(&mut options);
        self.store = self.subject.open(options, Arc::new(HeadSequencer::new())).await;
    }

    pub(super) async fn reopen_on(&mut self, sequencer: Arc<dyn Sequencer>) {
        self.close().await;
        self.store = self.subject.open(options(&self.now), sequencer).await;
    }

    /// For other tasks.
    pub(super) fn store(&self) -> Arc<dyn Store> {
        self.store.clone()
    }

    pub(super) fn set_time(&self, ms: u64) {
        self.now.store(ms, Relaxed);
    }

    pub(super) async fn user(&self, user: UserId) {
        ok(self.create_user(new_user(user)).await);
    }

    pub(super) async fn send(&self, message: NewMessage) -> Result<Appended, Error> {
        send(&*self.store, message).await
    }

    /// A failure is one for all.
    pub(super) async fn append(&self, batch: Vec<NewMessage>) -> Vec<Result<Appended, Error>> {
        append(&*self.store, batch).await
    }

    /// A message that was never sent before.
    pub(super) async fn say(&self, from: UserId, conversation: ConversationId) -> Appended {
        let id = self.ids.fetch_add(1, Relaxed);
        ok(self.send(text(from, conversation, &format!("said-{id}"))).await)
    }

    /// The same, but it does not count as unread.
    pub(super) async fn say_uncounted(&self, from: UserId, conversation: ConversationId) -> Appended {
        let id = self.ids.fetch_add(1, Relaxed);
        ok(self.send(NewMessage { counted: false, ..text(from, conversation, &format!("said-{id}")) }).await)
    }

    /// Founds a group.
    pub(super) async fn found(&self, id: u64, creator: UserId, members: &[UserId]) -> ConversationId {
        ok(self.create_group(new_group(id, creator, members)).await);
        group(id)
    }

    pub(super) async fn invite(
        &self,
        by: UserId,
        to: ConversationId,
        users: &[UserId],
    ) -> Result<MembersChanged, Error> {
        self.change(by, to, MembersAction::Invite(users.to_vec())).await
    }

    pub(super) async fn remove(
        &self,
        by: UserId,
        from: ConversationId,
        users: &[UserId],
    ) -> Result<MembersChanged, Error> {
        self.change(by, from, MembersAction::Remove(users.to_vec())).await
    }

    pub(super) async fn ban(
        &self,
        by: UserId,
        from: ConversationId,
        users: &[UserId],
    ) -> Result<MembersChanged, Error> {
        self.change(by, from, MembersAction::Ban(users.to_vec())).await
    }

    pub(super) async fn approve(
        &self,
        by: UserId,
        of: ConversationId,
        users: &[UserId],
    ) -> Result<MembersChanged, Error> {
        self.change(by, of, MembersAction::Approve(users.to_vec())).await
    }

    pub(super) async fn reject(
        &self,
        by: UserId,
        of: ConversationId,
        users: &[UserId],
    ) -> Result<MembersChanged, Error> {
        self.change(by, of, MembersAction::Reject(users.to_vec())).await
    }

    pub(super) async fn unban(
        &self,
        by: UserId,
        of: ConversationId,
        users: &[UserId],
    ) -> Result<MembersChanged, Error> {
        self.change(by, of, MembersAction::Unban(users.to_vec())).await
    }

    pub(super) async fn leave(&self, user: UserId, from: ConversationId) -> Result<MembersChanged, Error> {
        self.change(user, from, MembersAction::Leave).await
    }

    pub(super) async fn set_role(
        &self,
        by: UserId,
        of: ConversationId,
        users: &[UserId],
        rank: Rank,
    ) -> Result<MembersChanged, Error> {
        self.change(by, of, MembersAction::SetRole(users.to_vec(), rank)).await
    }

    pub(super) async fn transfer(&self, by: UserId, of: ConversationId, to: UserId) -> Result<MembersChanged, Error> {
        self.change(by, of, MembersAction::Transfer(to)).await
    }

    pub(super) async fn mute(
        &self,
        by: UserId,
        of: ConversationId,
        users: &[UserId],
        until_ms: u64,
    ) -> Result<MembersChanged, Error> {
        self.change(by, of, MembersAction::Mute(users.to_vec(), until_ms)).await
    }

    pub(super) async fn dissolve(&self, by: UserId, of: ConversationId) -> Result<MembersChanged, Error> {
        self.change(by, of, MembersAction::Dissolve).await
    }

    pub(super) async fn update(
        &self,
        by: UserId,
        of: ConversationId,
        change: GroupChange,
    ) -> Result<MembersChanged, Error> {
        self.update_group(GroupUpdate { group: id_of(of), operator: sender(by), change, login_version: 0 }).await
    }

    /// The user's role, if they are a member.
    pub(super) async fn role(&self, user: UserId, of: ConversationId) -> Option<Role> {
        self.store.group(user, id_of(of)).await.ok().map(|(_, role)| role)
    }

    async fn change(&self, by: UserId, of: ConversationId, action: MembersAction) -> Result<MembersChanged, Error> {
        self.change_members(MembersChange { group: id_of(of), operator: sender(by), action, login_version: 0 }).await
    }

    pub(super) async fn read(&self, user: UserId, conversation: ConversationId, to: u64) -> Marked {
        ok(self
            .mark(Mark {
                user,
                conversation,
                kind: MarkKind::Read,
                server_msg_id: to,
                device_id: "device".into(),
                login_version: 0,
            })
            .await)
    }

    pub(super) async fn deliver(&self, user: UserId, conversation: ConversationId, to: u64) -> Marked {
        ok(self
            .mark(Mark {
                user,
                conversation,
                kind: MarkKind::Delivered,
                server_msg_id: to,
                device_id: "device".into(),
                login_version: 0,
            })
            .await)
    }

    /// All that the reader may see.
    pub(super) async fn log(&self, reader: UserId, conversation: ConversationId) -> Vec<Message> {
        ok(self.read_log(reader, conversation, WHOLE).await).messages
    }

    pub(super) async fn visible(&self, reader: UserId, conversation: ConversationId) -> Vec<u64> {
        self.log(reader, conversation).await.iter().map(|message| message.server_msg_id).collect()
    }

    /// The user's entry for this conversation.
    pub(super) async fn entry(&self, user: UserId, conversation: ConversationId) -> Session {
        ok(self.session(user, conversation).await)
    }

    /// What is kept of the user's password.
    pub(super) async fn password(&self, user: UserId) -> Result<Option<PasswordHash>, Error> {
        Ok(self.user_with_password(&format!("account-{user}")).await?.1)
    }

    /// Where the user's mailbox is.
    pub(super) async fn mailbox_seq(&self, user: UserId) -> u64 {
        ok(self.positions(user).await).mailbox_seq
    }

    pub(super) async fn all_sessions(&self, user: UserId) -> Vec<Session> {
        ok(self.sessions(user, None, u32::MAX).await).rows
    }

    /// Everything that a reader can see of the store: two equal pictures, and nothing was changed in between.
    pub(super) async fn picture(&self) -> BTreeMap<String, String> {
        let mut picture = BTreeMap::new();
        picture.insert("users".into(), format!("{:?}", ok(self.list_users(UserId(0), u32::MAX).await)));
        for user in PEOPLE {
            let devices = ok(self.devices(user).await);
            let password = ok(self.password(user).await).map(|hash| (hash.argon2, hash.scram));
            let changes = ok(self.changes(user, 0, u32::MAX).await);
            picture.insert(format!("{user}"), format!("{:?}", (self.positions(user).await, password, devices)));
            picture.insert(format!("{user} changes"), format!("{changes:?}"));
            let people = (self.contacts(user, UserId(0), u32::MAX).await, self.blocks(user, UserId(0), u32::MAX).await);
            picture.insert(format!("{user} people"), format!("{people:?}"));
            for session in self.all_sessions(user).await {
                let log = self.read_log(user, session.conversation, WHOLE).await;
                let pins = self.pins(user, session.conversation, 0, u32::MAX, usize::MAX).await;
                picture.insert(format!("{user} {} log", session.conversation), format!("{:?}", (log, pins)));
                picture.insert(format!("{user} {}", session.conversation), format!("{session:?}"));
                if let ConversationId::Group(group) = session.conversation {
                    picture.insert(format!("members of {group}"), format!("{:?}", self.member_ids(group).await));
                }
            }
        }
        picture
    }
}

fn options(now: &Arc<AtomicU64>) -> Options {
    let now = now.clone();
    Options {
        shards: 4,
        group_members_max: 100,
        groups_per_user_max: 100,
        unanswered_groups_per_user_max: 100,
        unanswered_groups_per_inviter_max: 100,
        devices_per_user_max: 3,
        people: PeopleOptions::default(),
        recall: Window::Seconds(60),
        edit: Window::Seconds(60),
        clock: Arc::new(move || now.load(Relaxed)),
    }
}

/// Where a store is not expected to refuse or to fail.
#[track_caller]
pub(super) fn ok<T>(answer: Result<T, Error>) -> T {
    match answer {
        Ok(value) => value,
        Err(error) => panic!("the store said: {error}"),
    }
}

#[track_caller]
pub(super) fn all_ok(answers: Vec<Result<Appended, Error>>) -> Vec<Appended> {
    answers.into_iter().map(ok).collect()
}

pub(super) fn ids(places: &[Appended]) -> Vec<u64> {
    places.iter().map(|place| place.server_msg_id).collect()
}

pub(super) fn single(one: UserId, other: UserId) -> ConversationId {
    ConversationId::single(one, other)
}

pub(super) fn group(id: u64) -> ConversationId {
    ConversationId::Group(GroupId(id))
}

pub(super) fn id_of(conversation: ConversationId) -> GroupId {
    match conversation {
        ConversationId::Group(group) => group,
        ConversationId::Single { .. } => panic!("{conversation} is no group"),
    }
}

pub(super) fn sender(user: UserId) -> Sender {
    Sender { user, nickname: format!("nick {user}").into(), platform: 3, device_id: format!("device-{user}").into() }
}

pub(super) fn text(from: UserId, conversation: ConversationId, id: &str) -> NewMessage {
    NewMessage {
        conversation,
        from: sender(from),
        client_msg_id: id.parse().expect("the tests use good ids"),
        kind: TEXT,
        content: format!("text of {id}").into(),
        attachment: Bytes::new(),
        client_time_ms: 1,
        counted: true,
        reply_to: 0,
        mentions: Default::default(),
        change: None,
        login_version: 0,
    }
}

pub(super) fn new_user(user: UserId) -> NewUser {
    NewUser { user, account: format!("account-{user}").into(), nickname: format!("nick {user}").into(), password: None }
}

pub(super) fn new_group(id: u64, creator: UserId, members: &[UserId]) -> NewGroup {
    NewGroup {
        group: GroupId(id),
        creator: sender(creator),
        client_group_id: format!("group-{id}").into(),
        name: format!("name {id}").into(),
        avatar: "".into(),
        members: members.to_vec(),
        login_version: 0,
    }
}

pub(super) fn password(text: &str) -> PasswordHash {
    PasswordHash { argon2: format!("argon2 {text}"), scram: format!("scram {text}") }
}

pub(super) fn device(id: &str) -> Device {
    Device { device_id: id.into(), platform: 4, name: format!("name of {id}").into() }
}

/// What a notice says: its kind, who did it, to whom in order of their ids.
pub(super) fn told(message: &Message) -> (v1::notice::Kind, UserId, Vec<UserId>) {
    assert_eq!(message.kind, NOTICE, "a notice");
    assert!(!message.counted, "a notice does not count");
    let notice = v1::Notice::decode(message.attachment.clone()).expect("the attachment of a notice is a notice");
    let mut users: Vec<_> = notice.user_ids.iter().copied().map(UserId).collect();
    users.sort();
    assert_eq!(message.from.user.0, notice.operator_id, "a notice is from who did it");
    (notice.kind(), UserId(notice.operator_id), users)
}

pub(super) fn sorted<T: Ord>(mut values: Vec<T>) -> Vec<T> {
    values.sort();
    values
}

/// Asks page by page, from the last row of the one before, for as many rows as there are.
pub(super) async fn follow<T>(count: usize, limit: u32, next: impl AsyncFn(Option<&T>) -> Page<T>) -> Vec<T> {
    let mut rows = Vec::new();
    loop {
        let page = next(rows.last()).await;
        assert!(page.rows.len() <= limit as usize);
        rows.extend(page.rows);
        assert_eq!(page.more, rows.len() < count, "after {} of {count} rows", rows.len());
        if !page.more {
            return rows;
        }
    }
}
