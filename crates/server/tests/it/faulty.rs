//! A store that fails when a test says so, and is else the one below it.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use anser_proto::{ConversationId, GroupId, UserId};
use anser_store::{stages::StageTimes, *};
use async_trait::async_trait;
use tokio::sync::Notify;

#[derive(Clone)]
pub struct Faulty {
    below: Arc<dyn Store>,
    /// Of the next appends: `None` lets one pass.
    faults: Arc<Mutex<VecDeque<Option<Failure>>>>,
    /// Rows of this conversation are damaged.
    damaged: Arc<Mutex<Option<ConversationId>>>,
    /// Of the next questions for whom something concerns. `None`: a panic.
    unknown: Arc<Mutex<VecDeque<Option<Failure>>>>,
    /// Its end.
    broken: Arc<Notify>,
    /// While a test has it, those questions are not answered.
    pub silence: Arc<tokio::sync::Semaphore>,
    /// The same of who may speak to whom, and where.
    pub rights: Arc<tokio::sync::Semaphore>,
    /// While a test has it, whoever stores messages is not answered.
    pub untold: Arc<tokio::sync::Semaphore>,
    /// Questions for whom something concerns that were asked.
    pub asked: Arc<AtomicUsize>,
}

impl Faulty {
    pub fn new(below: Arc<dyn Store>) -> Self {
        Self {
            below,
            faults: Arc::default(),
            damaged: Arc::default(),
            unknown: Arc::default(),
            silence: Arc::new(tokio::sync::Semaphore::new(1)),
            rights: Arc::new(tokio::sync::Semaphore::new(1)),
            untold: Arc::new(tokio::sync::Semaphore::new(1)),
            asked: Arc::default(),
            broken: Arc::default(),
        }
    }

    pub fn fail(&self, faults: impl IntoIterator<Item = Option<Failure>>) {
        self.faults.lock().expect("no panic").extend(faults);
    }

    pub fn fail_next(&self, fault: Failure) {
        self.fail([Some(fault)]);
    }

    pub fn damage(&self, conversation: ConversationId) {
        *self.damaged.lock().expect("no panic") = Some(conversation);
    }

    pub fn break_down(&self) {
        self.broken.notify_one();
    }

    pub fn fail_to_tell_whom(&self, fault: Failure) {
        self.unknown.lock().expect("no panic").push_back(Some(fault));
    }

    pub fn panic_when_asked_whom(&self) {
        self.unknown.lock().expect("no panic").push_back(None);
    }

    async fn whom(&self) -> Result<(), Failure> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        drop(self.silence.acquire().await);
        let unknown = self.unknown.lock().expect("no panic").pop_front();
        unknown.map_or(Ok(()), |fault| Err(fault.expect("a test said so")))
    }

    fn fault(&self) -> Result<(), Failure> {
        self.faults.lock().expect("no panic").pop_front().flatten().map_or(Ok(()), Err)
    }
}

#[async_trait]
impl Store for Faulty {
    fn log_id(&self) -> u64 {
        self.below.log_id()
    }

    async fn append(&self, batch: Vec<NewMessage>) -> Result<Vec<Result<Appended, Refusal>>, Error> {
        self.fault()?;
        let damaged = *self.damaged.lock().expect("no panic");
        if batch.iter().any(|message| Some(message.conversation) == damaged) {
            return Err(Failure::Damaged("im_group GroupId(1)".into()).into());
        }
        let outcomes = self.below.append(batch).await;
        drop(self.untold.acquire().await);
        outcomes
    }

    async fn broke(&self) -> Arc<str> {
        self.broken.notified().await;
        "a test said so".into()
    }

    fn stages(&self) -> Option<StageTimes> {
        self.below.stages()
    }

    async fn probe(&self) -> Result<(), Error> {
        self.fault()?;
        self.below.probe().await
    }

    async fn change_session(&self, change: SessionChange) -> Result<SessionChanged, Error> {
        self.below.change_session(change).await
    }

    async fn hide_messages(&self, hide: Hide) -> Result<Hidden, Error> {
        self.below.hide_messages(hide).await
    }

    async fn who_read(&self, asker: UserId, group: GroupId, places: Vec<u64>) -> Result<Vec<Readers>, Error> {
        self.below.who_read(asker, group, places).await
    }

    async fn pins(
        &self,
        reader: UserId,
        conversation: ConversationId,
        before: u64,
        limit: u32,
        bytes_max: usize,
    ) -> Result<Page<Pin>, Error> {
        self.below.pins(reader, conversation, before, limit, bytes_max).await
    }

    async fn reactions(
        &self,
        reader: UserId,
        conversation: ConversationId,
        place: u64,
        after: UserId,
        limit: u32,
    ) -> Result<Page<ReactionsOfUser>, Error> {
        self.below.reactions(reader, conversation, place, after, limit).await
    }

    async fn positions(&self, user: UserId) -> Result<Positions, Error> {
        self.fault()?;
        self.below.positions(user).await
    }

    async fn read_log(&self, reader: UserId, conversation: ConversationId, part: Stretch) -> Result<LogPage, Error> {
        self.below.read_log(reader, conversation, part).await
    }

    async fn mark(&self, mark: Mark) -> Result<Marked, Error> {
        self.below.mark(mark).await
    }

    async fn changes(&self, user: UserId, since: u64, limit: u32) -> Result<Changes, Error> {
        self.below.changes(user, since, limit).await
    }

    async fn moved_groups(&self, user: UserId, known: Vec<(GroupId, u64)>) -> Result<Vec<Session>, Error> {
        self.below.moved_groups(user, known).await
    }

    async fn sessions(&self, user: UserId, after: Option<ConversationId>, limit: u32) -> Result<Page<Session>, Error> {
        self.below.sessions(user, after, limit).await
    }

    async fn session(&self, user: UserId, conversation: ConversationId) -> Result<Session, Error> {
        self.whom().await?;
        self.below.session(user, conversation).await
    }

    async fn create_group(&self, new: NewGroup) -> Result<MembersChanged, Error> {
        self.below.create_group(new).await
    }

    async fn change_members(&self, change: MembersChange) -> Result<MembersChanged, Error> {
        self.below.change_members(change).await
    }

    async fn update_group(&self, update: GroupUpdate) -> Result<MembersChanged, Error> {
        self.below.update_group(update).await
    }

    async fn group(&self, asker: UserId, group: GroupId) -> Result<(Group, Role), Error> {
        drop(self.rights.acquire().await);
        self.below.group(asker, group).await
    }

    async fn members(&self, asker: UserId, group: GroupId, after: UserId, limit: u32) -> Result<Page<Member>, Error> {
        self.below.members(asker, group, after, limit).await
    }

    async fn bans(&self, asker: UserId, group: GroupId, after: UserId, limit: u32) -> Result<Page<Ban>, Error> {
        self.below.bans(asker, group, after, limit).await
    }

    async fn join_requests(
        &self,
        asker: UserId,
        group: GroupId,
        after: UserId,
        limit: u32,
    ) -> Result<Page<JoinRequest>, Error> {
        self.below.join_requests(asker, group, after, limit).await
    }

    async fn create_link(&self, new: NewLink) -> Result<Link, Error> {
        self.below.create_link(new).await
    }

    async fn revoke_link(&self, revocation: LinkRevocation) -> Result<(), Error> {
        self.below.revoke_link(revocation).await
    }

    async fn links(&self, asker: UserId, group: GroupId) -> Result<Vec<Link>, Error> {
        self.below.links(asker, group).await
    }

    async fn preview_link(&self, asker: UserId, token_hash: TokenHash) -> Result<LinkPreview, Error> {
        self.below.preview_link(asker, token_hash).await
    }

    async fn join_by_link(&self, by: LinkUse) -> Result<MembersChanged, Error> {
        self.below.join_by_link(by).await
    }

    async fn set_nickname(&self, change: NicknameChange) -> Result<Appended, Error> {
        self.below.set_nickname(change).await
    }

    async fn member_ids(&self, group: GroupId) -> Result<MemberIds, Error> {
        self.whom().await?;
        self.below.member_ids(group).await
    }

    async fn create_user(&self, new: NewUser) -> Result<User, Error> {
        self.below.create_user(new).await
    }

    async fn user_by_account(&self, account: &str) -> Result<User, Error> {
        self.below.user_by_account(account).await
    }

    async fn user_with_password(&self, account: &str) -> Result<(User, Option<PasswordHash>), Error> {
        self.below.user_with_password(account).await
    }

    async fn users(&self, ids: Vec<UserId>, accounts: Vec<Arc<str>>) -> Result<Vec<User>, Error> {
        self.below.users(ids, accounts).await
    }

    async fn profiles(
        &self,
        ids: Vec<UserId>,
        accounts: Vec<Arc<str>>,
        known: Vec<(UserId, u64)>,
    ) -> Result<Vec<Profile>, Error> {
        self.below.profiles(ids, accounts, known).await
    }

    async fn list_users(&self, after: UserId, limit: u32) -> Result<Page<User>, Error> {
        self.below.list_users(after, limit).await
    }

    async fn update_profile(&self, user: UserId, change: ProfileChange) -> Result<(Profile, u64), Error> {
        self.below.update_profile(user, change).await
    }

    async fn change_people(&self, change: PeopleChange) -> Result<PeopleChanged, Error> {
        self.below.change_people(change).await
    }

    async fn contacts(&self, user: UserId, after: UserId, limit: u32) -> Result<Page<Contact>, Error> {
        self.below.contacts(user, after, limit).await
    }

    async fn blocks(&self, user: UserId, after: UserId, limit: u32) -> Result<Page<Block>, Error> {
        self.below.blocks(user, after, limit).await
    }

    async fn between(&self, user: UserId, peer: UserId) -> Result<Between, Error> {
        drop(self.rights.acquire().await);
        self.below.between(user, peer).await
    }

    async fn privacy(&self, user: UserId) -> Result<Privacy, Error> {
        self.below.privacy(user).await
    }

    async fn update_privacy(&self, user: UserId, change: PrivacyChange) -> Result<Option<Change>, Error> {
        self.below.update_privacy(user, change).await
    }

    async fn contact_ids(&self, user: UserId) -> Result<Vec<UserId>, Error> {
        self.below.contact_ids(user).await
    }

    async fn invisible(&self, users: Vec<UserId>) -> Result<Vec<UserId>, Error> {
        self.below.invisible(users).await
    }

    async fn see_users(&self, seen: Vec<(UserId, u64)>) -> Result<(), Error> {
        self.below.see_users(seen).await
    }

    async fn seen_by(&self, viewer: UserId, users: Vec<UserId>) -> Result<Vec<Seen>, Error> {
        self.below.seen_by(viewer, users).await
    }

    async fn set_password(&self, user: UserId, password: PasswordHash) -> Result<(), Error> {
        self.below.set_password(user, password).await
    }

    async fn set_disabled(&self, user: UserId, disabled: bool) -> Result<(), Error> {
        self.below.set_disabled(user, disabled).await?;
        // It was done, and that cannot be told.
        Ok(self.fault()?)
    }

    async fn login_versions(&self, users: Vec<UserId>) -> Result<Vec<(UserId, u64)>, Error> {
        self.fault()?;
        self.below.login_versions(users).await
    }

    async fn logins(&self, user: UserId) -> Result<Logins, Error> {
        self.below.logins(user).await
    }

    async fn touch_device(&self, user: UserId, device: Device, issued_s: u64) -> Result<Option<Change>, Error> {
        self.below.touch_device(user, device, issued_s).await
    }

    async fn devices(&self, user: UserId) -> Result<Vec<KnownDevice>, Error> {
        self.below.devices(user).await
    }

    async fn change_device(&self, change: DeviceChange) -> Result<DeviceChanged, Error> {
        let changed = self.below.change_device(change).await?;
        // It was done, and that cannot be told.
        self.fault()?;
        Ok(changed)
    }

    async fn not_before_s(&self, user: UserId, device_id: Arc<str>) -> Result<u64, Error> {
        self.below.not_before_s(user, device_id).await
    }

    fn stats(&self) -> Stats {
        self.below.stats()
    }

    async fn close(&self) {
        self.below.close().await;
    }
}
