//! What a database is to this store: it carries out verbs that stand elsewhere. All of [`Store`] follows from it.

use std::{sync::Arc, time::Duration};

use anser_proto::{ConversationId, GroupId, UserId};
use async_trait::async_trait;
use tokio::time::Instant;

use crate::{
    Appended, Ban, Between, Block, Change, Changes, Contact, Device, DeviceChange, DeviceChanged, Error, Group,
    GroupUpdate, Hidden, Hide, JoinRequest, KnownDevice, Link, LinkPreview, LinkRevocation, LinkUse, LogPage, Logins,
    Mark, Marked, Member, MemberIds, MembersAction, MembersChange, MembersChanged, NewGroup, NewLink, NewMessage,
    NewUser, NicknameChange, Page, PasswordHash, PeopleChange, PeopleChanged, Pin, Positions, Privacy, PrivacyChange,
    Profile, ProfileChange, ReactionsOfUser, Readers, Refusal, Role, Seen, Session, SessionChange, SessionChanged,
    Stats, Store, Stretch, TokenHash, User,
    read::Read,
    reads::{
        AllUsers, Asked, BansOf, BetweenTwo, Blocks, Called, ChangesSince, ContactIds, Contacts, DevicesOf,
        GroupAsMember, Invisible, IsSeenToday, JoinRequestsOf, LinkCalled, LinksOf, LoginVersions, LoginsOf,
        MemberIdsOf, MembersOf, MovedGroups, NotBefore, OneSession, OverseersToTell, PinsOf, PositionsOf, PreviewOf,
        PrivacyOf, Profiles, ReactionsTo, ReadLog, SeenBy, Sessions, UserCalled, UserWithPassword, Users, WhoRead,
    },
    stages::StageTimes,
    verb::Verb,
    verbs::{
        Append, ChangeDevice, ChangeMembers, ChangePeople, ChangeSession, CreateGroup, CreateLink, CreateUser,
        HideMessages, JoinByLink, MoveMark, Probe, RevokeLink, SeeUsers, SetDisabled, SetNickname, SetPassword,
        StandingMark, TouchDevice, UpdateGroup, UpdatePrivacy, UpdateProfile,
    },
};

pub(crate) trait Engine: Send + Sync {
    /// Whether a write waits for rows that others have locked: then what changes nothing is better found out by a read.
    const LOCKS_ROWS: bool;

    fn log_id(&self) -> u64;

    fn now_ms(&self) -> u64;

    /// Nothing is awaited before the verb is queued: what is called (first polled) first is committed first.
    fn write<V: Verb>(&self, verb: V) -> impl Future<Output = Result<V::Answer, Error>> + Send;

    fn read<R: Read>(&self, read: R) -> impl Future<Output = Result<R::Answer, Error>> + Send;

    /// Where history may lie elsewhere too.
    fn read_log(&self, read: ReadLog) -> impl Future<Output = Result<LogPage, Error>> + Send {
        self.read(read)
    }

    /// Whether there is room to write.
    fn look_for_room(&self) -> impl Future<Output = Result<(), Error>> + Send {
        std::future::ready(Ok(()))
    }

    fn broke(&self) -> impl Future<Output = Arc<str>> + Send;

    fn stats(&self) -> Stats;

    fn stages(&self) -> StageTimes;

    fn close(&self) -> impl Future<Output = ()> + Send;
}

#[async_trait]
impl<E: Engine> Store for E {
    fn log_id(&self) -> u64 {
        Engine::log_id(self)
    }

    async fn append(&self, batch: Vec<NewMessage>) -> Result<Vec<Result<Appended, Refusal>>, Error> {
        self.write(Append { batch, until: None }).await
    }

    async fn append_within(
        &self,
        batch: Vec<NewMessage>,
        patience: Duration,
    ) -> Result<Vec<Result<Appended, Refusal>>, Error> {
        self.write(Append { batch, until: Some(Instant::now() + patience) }).await
    }

    async fn read_log(&self, reader: UserId, conversation: ConversationId, stretch: Stretch) -> Result<LogPage, Error> {
        Engine::read_log(self, ReadLog { reader, conversation, stretch, asked: Asked::ByReader }).await
    }

    async fn mark(&self, mark: Mark) -> Result<Marked, Error> {
        if E::LOCKS_ROWS
            && let Some(standing) = self.read(StandingMark(mark.clone())).await?
        {
            return Ok(standing);
        }
        self.write(MoveMark(mark)).await
    }

    async fn change_session(&self, change: SessionChange) -> Result<SessionChanged, Error> {
        self.write(ChangeSession(change)).await
    }

    async fn hide_messages(&self, hide: Hide) -> Result<Hidden, Error> {
        self.write(HideMessages(hide)).await
    }

    async fn who_read(&self, asker: UserId, group: GroupId, places: Vec<u64>) -> Result<Vec<Readers>, Error> {
        self.read(WhoRead { asker, group, places }).await
    }

    async fn pins(
        &self,
        reader: UserId,
        conversation: ConversationId,
        before: u64,
        limit: u32,
        bytes_max: usize,
    ) -> Result<Page<Pin>, Error> {
        self.read(PinsOf { reader, conversation, before, limit, bytes_max }).await
    }

    async fn reactions(
        &self,
        reader: UserId,
        conversation: ConversationId,
        place: u64,
        after: UserId,
        limit: u32,
    ) -> Result<Page<ReactionsOfUser>, Error> {
        self.read(ReactionsTo { reader, conversation, place, after, limit }).await
    }

    async fn positions(&self, user: UserId) -> Result<Positions, Error> {
        self.read(PositionsOf(user)).await
    }

    async fn changes(&self, user: UserId, since: u64, limit: u32) -> Result<Changes, Error> {
        self.read(ChangesSince { user, since, limit }).await
    }

    async fn moved_groups(&self, user: UserId, known: Vec<(GroupId, u64)>) -> Result<Vec<Session>, Error> {
        self.read(MovedGroups { user, known }).await
    }

    async fn sessions(&self, user: UserId, after: Option<ConversationId>, limit: u32) -> Result<Page<Session>, Error> {
        self.read(Sessions { user, after, limit }).await
    }

    async fn session(&self, user: UserId, conversation: ConversationId) -> Result<Session, Error> {
        self.read(OneSession(user, conversation)).await
    }

    async fn create_group(&self, new: NewGroup) -> Result<MembersChanged, Error> {
        self.write(CreateGroup(new)).await
    }

    async fn change_members(&self, change: MembersChange) -> Result<MembersChanged, Error> {
        // Whom an answer concerns beside those named is found out before anything is locked.
        let overseers = match change.action {
            MembersAction::Invite(_) | MembersAction::Approve(_) | MembersAction::Reject(_) | MembersAction::Ban(_)
                if E::LOCKS_ROWS =>
            {
                self.read(OverseersToTell(change.group)).await?
            }
            _ => Vec::new(),
        };
        self.write(ChangeMembers { change, overseers }).await
    }

    async fn update_group(&self, update: GroupUpdate) -> Result<MembersChanged, Error> {
        self.write(UpdateGroup(update)).await
    }

    async fn set_nickname(&self, change: NicknameChange) -> Result<Appended, Error> {
        self.write(SetNickname(change)).await
    }

    async fn group(&self, asker: UserId, group: GroupId) -> Result<(Group, Role), Error> {
        self.read(GroupAsMember(asker, group)).await
    }

    async fn members(&self, asker: UserId, group: GroupId, after: UserId, limit: u32) -> Result<Page<Member>, Error> {
        self.read(MembersOf { asker, group, after, limit }).await
    }

    async fn bans(&self, asker: UserId, group: GroupId, after: UserId, limit: u32) -> Result<Page<Ban>, Error> {
        self.read(BansOf { asker, group, after, limit }).await
    }

    async fn join_requests(
        &self,
        asker: UserId,
        group: GroupId,
        after: UserId,
        limit: u32,
    ) -> Result<Page<JoinRequest>, Error> {
        self.read(JoinRequestsOf { asker, group, after, limit }).await
    }

    async fn create_link(&self, new: NewLink) -> Result<Link, Error> {
        self.write(CreateLink(new)).await
    }

    async fn revoke_link(&self, revocation: LinkRevocation) -> Result<(), Error> {
        self.write(RevokeLink(revocation)).await
    }

    async fn links(&self, asker: UserId, group: GroupId) -> Result<Vec<Link>, Error> {
        self.read(LinksOf { asker, group, now_ms: self.now_ms() }).await
    }

    async fn preview_link(&self, asker: UserId, token_hash: TokenHash) -> Result<LinkPreview, Error> {
        self.read(PreviewOf { asker, token_hash, now_ms: self.now_ms() }).await
    }

    /// Of which group it is never changes.
    async fn join_by_link(&self, by: LinkUse) -> Result<MembersChanged, Error> {
        let Called { group, link_id, overseers } = self.read(LinkCalled(by.token_hash)).await?;
        self.write(JoinByLink { group, link_id, by, overseers }).await
    }

    async fn member_ids(&self, group: GroupId) -> Result<MemberIds, Error> {
        self.read(MemberIdsOf(group)).await
    }

    async fn create_user(&self, new: NewUser) -> Result<User, Error> {
        self.write(CreateUser(new)).await
    }

    async fn user_by_account(&self, account: &str) -> Result<User, Error> {
        self.read(UserCalled(account.into())).await
    }

    async fn user_with_password(&self, account: &str) -> Result<(User, Option<PasswordHash>), Error> {
        self.read(UserWithPassword(account.into())).await
    }

    async fn users(&self, ids: Vec<UserId>, accounts: Vec<Arc<str>>) -> Result<Vec<User>, Error> {
        self.read(Users { ids, accounts }).await
    }

    async fn profiles(
        &self,
        ids: Vec<UserId>,
        accounts: Vec<Arc<str>>,
        known: Vec<(UserId, u64)>,
    ) -> Result<Vec<Profile>, Error> {
        self.read(Profiles { ids, accounts, known }).await
    }

    async fn list_users(&self, after: UserId, limit: u32) -> Result<Page<User>, Error> {
        self.read(AllUsers { after, limit }).await
    }

    async fn update_profile(&self, user: UserId, change: ProfileChange) -> Result<(Profile, u64), Error> {
        self.write(UpdateProfile(user, change)).await
    }

    async fn change_people(&self, change: PeopleChange) -> Result<PeopleChanged, Error> {
        self.write(ChangePeople(change)).await
    }

    async fn contacts(&self, user: UserId, after: UserId, limit: u32) -> Result<Page<Contact>, Error> {
        self.read(Contacts { user, after, limit }).await
    }

    async fn blocks(&self, user: UserId, after: UserId, limit: u32) -> Result<Page<Block>, Error> {
        self.read(Blocks { user, after, limit }).await
    }

    async fn between(&self, user: UserId, peer: UserId) -> Result<Between, Error> {
        self.read(BetweenTwo { user, peer }).await
    }

    async fn privacy(&self, user: UserId) -> Result<Privacy, Error> {
        self.read(PrivacyOf(user)).await
    }

    async fn update_privacy(&self, user: UserId, change: PrivacyChange) -> Result<Option<Change>, Error> {
        self.write(UpdatePrivacy(user, change)).await
    }

    async fn contact_ids(&self, user: UserId) -> Result<Vec<UserId>, Error> {
        self.read(ContactIds(user)).await
    }

    async fn invisible(&self, users: Vec<UserId>) -> Result<Vec<UserId>, Error> {
        self.read(Invisible(users)).await
    }

    async fn see_users(&self, seen: Vec<(UserId, u64)>) -> Result<(), Error> {
        self.write(SeeUsers(seen)).await
    }

    async fn seen_by(&self, viewer: UserId, users: Vec<UserId>) -> Result<Vec<Seen>, Error> {
        self.read(SeenBy { viewer, users }).await
    }

    async fn set_password(&self, user: UserId, password: PasswordHash) -> Result<(), Error> {
        self.write(SetPassword(user, password)).await
    }

    async fn set_disabled(&self, user: UserId, disabled: bool) -> Result<(), Error> {
        self.write(SetDisabled(user, disabled)).await
    }

    async fn login_versions(&self, users: Vec<UserId>) -> Result<Vec<(UserId, u64)>, Error> {
        self.read(LoginVersions(users)).await
    }

    async fn logins(&self, user: UserId) -> Result<Logins, Error> {
        self.read(LoginsOf(user)).await
    }

    /// All come back at once when a node ends, and hardly any brings news: those are not to hold up what is written.
    async fn touch_device(&self, user: UserId, device: Device, issued_s: u64) -> Result<Option<Change>, Error> {
        let seen = IsSeenToday { user, device: device.clone(), now_ms: self.now_ms() };
        if self.read(seen).await? { Ok(None) } else { self.write(TouchDevice { user, device, issued_s }).await }
    }

    async fn devices(&self, user: UserId) -> Result<Vec<KnownDevice>, Error> {
        self.read(DevicesOf(user)).await
    }

    async fn change_device(&self, change: DeviceChange) -> Result<DeviceChanged, Error> {
        self.write(ChangeDevice(change)).await
    }

    async fn not_before_s(&self, user: UserId, device_id: Arc<str>) -> Result<u64, Error> {
        self.read(NotBefore(user, device_id)).await
    }

    async fn probe(&self) -> Result<(), Error> {
        self.look_for_room().await?;
        self.write(Probe).await
    }

    async fn broke(&self) -> Arc<str> {
        Engine::broke(self).await
    }

    fn stats(&self) -> Stats {
        Engine::stats(self)
    }

    fn stages(&self) -> Option<StageTimes> {
        Some(Engine::stages(self))
    }

    async fn close(&self) {
        Engine::close(self).await;
    }
}
