//! Arbitrary sequences of verbs, on the reference and on another store: equal answers, step by step, and an equal
//! whole at the end.
//!
//! Few users, groups and ids, so that retries, conflicts, limits and returns to a group happen all the time. What the
//! contract leaves to a store (the order of some lists, what notices are called, how versions are numbered) is
//! made equal before it is compared.

mod entry;
mod groups;
mod pins;
mod plain;

use std::{
    fmt::Debug,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use anser_proto::{ConversationId, GroupId, UserId};
use anser_store::{
    Device, DeviceAction, DeviceChange, Flags, GroupChange, GroupUpdate, Hide, Mark, MarkKind, MembersAction,
    MembersChange, Mentions, MessageChange, NewGroup, NewMessage, NewUser, Options, PasswordHash, PeopleAction,
    PeopleChange, PeopleOptions, PrivacyChange, ProfileChange, Rank, SessionAction, SessionChange, Store, Stretch,
    Target, What, Who, Window,
    contract::{Make, Subject},
    memory::MemoryStore,
    sequencer::HeadSequencer,
};
use proptest::{prelude::*, test_runner::TestRunner};

use self::{
    entry::{change_of, message, sender},
    plain::{append_plainly, plain_change, plain_group, plain_session, read_plainly},
};

const USERS: [UserId; 4] = [UserId(2), UserId(7), UserId(11), UserId(i64::MAX as u64)];
/// The group of each of the first users. All but the last exist from the start.
const GROUPS: [GroupId; 3] = [GroupId(2), GroupId(100), GroupId(30)];
const NOON: u64 = 1_700_049_600_000;
const DAY: u64 = 86_400_000;

#[derive(Clone, Debug)]
enum Step {
    /// By which login.
    Append(UserId, Vec<entry::Entry>, Login),
    /// What the entry is called, what it changes, and what the target becomes.
    Change(UserId, ConversationId, &'static str, MessageChange, entry::Words, Login),
    ReadLog(UserId, ConversationId, Stretch),
    Mark(Mark, Login),
    ChangeSession(SessionChange, Login),
    Hide(Hide, Login),
    /// Since when, and the limit.
    Changes(UserId, u64, u32),
    MovedGroups(UserId, Vec<(GroupId, u64)>),
    /// Behind which, and the limit.
    Sessions(UserId, Option<ConversationId>, u32),
    /// By which of the users.
    CreateGroup(usize, Vec<UserId>),
    ChangeMembers(GroupId, Operator, MembersAction, Login),
    UpdateGroup(GroupId, Operator, GroupChange),
    Group(groups::Step),
    Pins(pins::Step),
    /// Behind whom, and the limit.
    Members(UserId, GroupId, UserId, u32),
    UpdateProfile(UserId, ProfileChange),
    ChangePeople(UserId, UserId, PeopleAction, Login),
    UpdatePrivacy(UserId, PrivacyChange),
    SeeUsers(Vec<(UserId, u64)>),
    SetDisabled(UserId, bool),
    SetPassword(UserId),
    /// On the next day: what was seen on one day is in no certain order.
    TouchDevice(UserId, &'static str, IssuedAt),
    /// Which of them, by which, and whether its login is the present one.
    ChangeDevice(UserId, &'static str, DeviceAction, &'static str, Login),
    SetTimeOfDay(u64),
    /// Of the other store. The reference stays as it is.
    Reopen,
}

/// Who changes members: anybody, or one of those who may.
#[derive(Clone, Copy, Debug)]
enum Operator {
    Anybody(UserId),
    Member(usize),
}

impl Operator {
    async fn of(self, store: &dyn Store, group: GroupId) -> UserId {
        match self {
            Self::Anybody(user) => user,
            Self::Member(nth) => member_ids(store, group).await.into_iter().cycle().nth(nth).unwrap_or(USERS[0]),
        }
    }
}

/// The present one, or one that is over unless it is the first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Login {
    Present,
    Before,
}

impl Login {
    async fn version(self, store: &dyn Store, user: UserId) -> u64 {
        let versions = store.login_versions(vec![user]).await.expect("reading does not fail");
        versions[0].1.saturating_sub(u64::from(self == Self::Before))
    }
}

/// When that was issued by which a device logs in.
#[derive(Clone, Copy, Debug)]
enum IssuedAt {
    First,
    Now,
}

/// A conversation from the side of a user: with a peer, of a group, or of others.
#[derive(Clone, Copy, Debug)]
enum Place {
    With(UserId),
    At(ConversationId),
}

impl Place {
    fn of(self, user: UserId) -> ConversationId {
        match self {
            Self::With(peer) => ConversationId::single(user, peer),
            Self::At(conversation) => conversation,
        }
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 1..100)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => append(),
        8 => change(),
        5 => read_log(),
        8 => mark(),
        3 => change_session(),
        3 => hide(),
        3 => (user(), 0..20_u64, limit()).prop_map(|(user, since, limit)| Step::Changes(user, since, limit)),
        2 => moved_groups(),
        2 => (user(), prop::option::of(place()), limit())
            .prop_map(|(user, after, limit)| Step::Sessions(user, after.map(|place| place.of(user)), limit)),
        1 => (0..GROUPS.len(), prop::collection::vec(user(), 0..3))
            .prop_map(|(creator, members)| Step::CreateGroup(creator, members)),
        8 => change_members(),
        2 => groups::update_group(),
        10 => groups::step().prop_map(Step::Group),
        2 => pins::step().prop_map(Step::Pins),
        1 => (user(), group(), prop_oneof![Just(UserId(0)), user()], limit())
            .prop_map(|(asker, group, after, limit)| Step::Members(asker, group, after, limit)),
        1 => update_profile(),
        10 => change_people(),
        2 => update_privacy(),
        1 => (user(), any::<bool>()).prop_map(|(user, disabled)| Step::SetDisabled(user, disabled)),
        1 => user().prop_map(Step::SetPassword),
        1 => prop::collection::vec((user(), 0..300_000_u64), 1..4).prop_map(Step::SeeUsers),
        2 => (user(), device_id(), sample(&[IssuedAt::Now, IssuedAt::Now, IssuedAt::First]))
            .prop_map(|(user, device, issued)| Step::TouchDevice(user, device, issued)),
        2 => change_device(),
        1 => (0..DAY / 3).prop_map(Step::SetTimeOfDay),
        1 => Just(Step::Reopen),
    ]
}

fn append() -> impl Strategy<Value = Step> {
    let words = (sample(&["x", "x", "x", "y"]), mentions());
    let entry = (place(), sample(&["a", "b", "c", "d", "e"]), words, any::<bool>());
    (user(), prop::collection::vec(entry, 1..5), login()).prop_map(|(from, batch, login)| {
        let batch = batch.into_iter().map(|(place, id, words, counted)| (place.of(from), id, words, counted));
        Step::Append(from, batch.collect(), login)
    })
}

fn change() -> impl Strategy<Value = Step> {
    let own = sample(&["a", "b", "c", "d", "e"]).prop_map(|id| Target::Own(id.parse().expect("a good id")));
    let target = prop_oneof![4 => (0..12_u64).prop_map(Target::Place), 1 => own];
    let if_changed = prop_oneof![3 => Just(None), 1 => (0..12_u64).prop_map(Some)];
    let what = prop_oneof![
        1 => Just(What::Recall),
        1 => if_changed.prop_map(|if_changed| What::Edit { if_changed }),
        2 => Just(What::React),
        2 => Just(What::Pin),
        1 => Just(What::Unpin),
    ];
    let id = sample(&["f", "g", "h", "i", "j", "k", "l", "m"]);
    let becomes = (sample(&["", "x", "x y", "y", "z x y"]), mentions());
    (user(), place(), id, target, what, becomes, login()).prop_map(|(user, place, id, target, what, becomes, login)| {
        Step::Change(user, place.of(user), id, MessageChange { target, what }, becomes, login)
    })
}

fn mentions() -> impl Strategy<Value = Mentions> {
    let users = prop::collection::vec(user(), 1..3);
    prop_oneof![
        6 => Just(Mentions::default()),
        3 => users.prop_map(|users| Mentions::new(users, false)),
        1 => (user(), any::<bool>()).prop_map(|(user, all)| Mentions::new(vec![user], all)),
    ]
}

fn read_log() -> impl Strategy<Value = Step> {
    let bound = || prop_oneof![Just(0), 0..12_u64];
    let stretch = (prop::option::of(bound()), bound(), limit(), prop_oneof![0..20_usize, Just(usize::MAX)])
        .prop_map(|(after, before, limit, bytes_max)| Stretch { after, before, limit, bytes_max });
    (user(), place(), stretch).prop_map(|(user, place, stretch)| Step::ReadLog(user, place.of(user), stretch))
}

fn mark() -> impl Strategy<Value = Step> {
    let kind = sample(&[MarkKind::Read, MarkKind::Delivered]);
    (user(), place(), kind, 0..12_u64, login()).prop_map(|(user, place, kind, server_msg_id, login)| {
        let conversation = place.of(user);
        Step::Mark(
            Mark { user, conversation, kind, server_msg_id, device_id: "device".into(), login_version: 0 },
            login,
        )
    })
}

fn change_session() -> impl Strategy<Value = Step> {
    let flag = || prop::option::of(any::<bool>());
    let flags = (flag(), prop::option::of(0..2_u64), flag())
        .prop_map(|(pinned, quiet_until_ms, marked_unread)| Flags { pinned, quiet_until_ms, marked_unread });
    let action = prop_oneof![
        2 => flags.prop_map(SessionAction::Update),
        1 => (0..12_u64).prop_map(SessionAction::Clear),
        1 => (0..12_u64).prop_map(SessionAction::Remove),
    ];
    (user(), place(), action, login()).prop_map(|(user, place, action, login)| {
        let conversation = place.of(user);
        Step::ChangeSession(
            SessionChange { user, conversation, action, device_id: "device".into(), login_version: 0 },
            login,
        )
    })
}

fn hide() -> impl Strategy<Value = Step> {
    (user(), place(), prop::collection::vec(0..12_u64, 0..4), login()).prop_map(|(user, place, places, login)| {
        let conversation = place.of(user);
        Step::Hide(Hide { user, conversation, places, device_id: "device".into(), login_version: 0 }, login)
    })
}

fn moved_groups() -> impl Strategy<Value = Step> {
    let known = prop::collection::btree_map(group(), 0..12_u64, 0..3).prop_map(Vec::from_iter);
    (user(), known).prop_map(|(user, known)| Step::MovedGroups(user, known))
}

fn change_members() -> impl Strategy<Value = Step> {
    let users = || prop::collection::vec(user(), 0..3);
    let action = prop_oneof![
        4 => users().prop_map(MembersAction::Invite),
        2 => users().prop_map(MembersAction::Remove),
        1 => users().prop_map(MembersAction::Ban),
        2 => users().prop_map(MembersAction::Unban),
        2 => users().prop_map(MembersAction::Approve),
        1 => users().prop_map(MembersAction::Reject),
        1 => (users(), sample(&[Rank::Member, Rank::Admin]))
            .prop_map(|(users, rank)| MembersAction::SetRole(users, rank)),
        1 => user().prop_map(MembersAction::Transfer),
        1 => (users(), sample(&[0, NOON + DAY / 2, u64::MAX >> 1]))
            .prop_map(|(users, until_ms)| MembersAction::Mute(users, until_ms)),
        1 => prop::bool::weighted(0.2)
            .prop_map(|is| if is { MembersAction::Dissolve } else { MembersAction::Leave }),
    ];
    (group(), operator(), action, login())
        .prop_map(|(group, operator, action, login)| Step::ChangeMembers(group, operator, action, login))
}

fn operator() -> impl Strategy<Value = Operator> {
    prop_oneof![1 => user().prop_map(Operator::Anybody), 5 => (0..3_usize).prop_map(Operator::Member)]
}

fn update_profile() -> impl Strategy<Value = Step> {
    let name = || prop::option::of(sample(&["", "n", "m"])).prop_map(|name| name.map(Arc::from));
    let change = (name(), name(), name(), name()).prop_map(|(nickname, avatar, signature, custom)| ProfileChange {
        nickname,
        avatar,
        signature,
        custom,
        device_id: "device".into(),
        login_version: 0,
    });
    (user(), change).prop_map(|(user, change)| Step::UpdateProfile(user, change))
}

fn change_people() -> impl Strategy<Value = Step> {
    let words = || sample(&["x", "y"]).prop_map(Arc::from);
    let action = prop_oneof![
        4 => words().prop_map(PeopleAction::Request),
        3 => Just(PeopleAction::Accept),
        1 => Just(PeopleAction::Reject),
        1 => words().prop_map(PeopleAction::Remark),
        1 => Just(PeopleAction::Remove),
        1 => Just(PeopleAction::Block),
        2 => Just(PeopleAction::Unblock),
    ];
    (user(), user(), action, login())
        .prop_map(|(user, peer, action, login)| Step::ChangePeople(user, peer, action, login))
}

fn update_privacy() -> impl Strategy<Value = Step> {
    let who = || prop::option::of(sample(&[Who::Everybody, Who::Contacts, Who::Nobody]));
    let flag = || prop::option::of(any::<bool>());
    let change = (who(), flag(), who(), flag()).prop_map(|(invites, hides_reads, last_seen, invisible)| {
        PrivacyChange { invites, hides_reads, last_seen, invisible, device_id: "device".into(), login_version: 0 }
    });
    (user(), change).prop_map(|(user, change)| Step::UpdatePrivacy(user, change))
}

fn change_device() -> impl Strategy<Value = Step> {
    let action = prop_oneof![
        1 => sample(&["", "x", "y"]).prop_map(|name| DeviceAction::Rename(name.into())),
        1 => Just(DeviceAction::Revoke),
    ];
    (user(), device_id(), action, device_id(), login())
        .prop_map(|(user, target, action, by, login)| Step::ChangeDevice(user, target, action, by, login))
}

fn device_id() -> impl Strategy<Value = &'static str> {
    sample(&["p", "q", "device"])
}

fn login() -> impl Strategy<Value = Login> {
    prop_oneof![9 => Just(Login::Present), 1 => Just(Login::Before)]
}

fn user() -> impl Strategy<Value = UserId> {
    sample(&USERS)
}

fn group() -> impl Strategy<Value = GroupId> {
    sample(&GROUPS)
}

fn place() -> impl Strategy<Value = Place> {
    let any_single = (user(), user()).prop_map(|(one, other)| Place::At(ConversationId::single(one, other)));
    prop_oneof![
        10 => user().prop_map(Place::With),
        10 => group().prop_map(|group| Place::At(ConversationId::Group(group))),
        1 => any_single,
    ]
}

fn limit() -> impl Strategy<Value = u32> {
    1..5_u32
}

fn sample<T: Clone + Debug + 'static>(from: &'static [T]) -> impl Strategy<Value = T> {
    prop::sample::select(from)
}

/// Plays arbitrary steps on a fresh pair of stores, again and again.
pub(crate) fn check(make: Make, cases: u32) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut runner = TestRunner::new(ProptestConfig { cases, ..ProptestConfig::with_source_file(file!()) });
    let played = runner.run(&steps(), |steps| runtime.block_on(play(make(), &steps)));
    played.unwrap_or_else(|failure| panic!("{failure}"));
}

async fn play(subject: Box<dyn Subject>, steps: &[Step]) -> Result<(), TestCaseError> {
    let now = Arc::new(AtomicU64::new(NOON));
    let reference: Arc<dyn Store> = Arc::new(MemoryStore::new(options(&now)));
    let mut other = subject.open(options(&now), Arc::new(HeadSequencer::new())).await;
    for user in USERS {
        let (account, nickname): (Arc<str>, Arc<str>) = (format!("account-{user}").into(), "nick".into());
        let new = NewUser { user, account, nickname, password: None };
        prop_assert_eq!(reference.create_user(new.clone()).await, other.create_user(new).await);
    }
    let first = [Step::CreateGroup(0, vec![USERS[1], USERS[3]]), Step::CreateGroup(1, vec![USERS[2]])];
    for (at, step) in first.iter().chain(steps).enumerate() {
        match step {
            Step::TouchDevice(..) => drop(now.fetch_add(DAY, Relaxed)),
            Step::SetTimeOfDay(ms) => now.store(now.load(Relaxed) / DAY * DAY + DAY / 3 + ms, Relaxed),
            Step::Reopen => {
                other.close().await;
                other = subject.open(options(&now), Arc::new(HeadSequencer::new())).await;
            }
            _ => {}
        }
        prop_assert_eq!(take(&*reference, step).await, take(&*other, step).await, "at step {}: {:?}", at, step);
    }
    prop_assert_eq!(whole(&*reference).await, whole(&*other).await);
    other.close().await;
    Ok(())
}

fn options(now: &Arc<AtomicU64>) -> Options {
    let now = now.clone();
    Options {
        shards: 4,
        group_members_max: 3,
        groups_per_user_max: 3,
        unanswered_groups_per_user_max: 2,
        unanswered_groups_per_inviter_max: 1,
        devices_per_user_max: 2,
        people: PeopleOptions { contacts_max: 2, open_requests_max: 2, blocks_max: 2, ..PeopleOptions::default() },
        recall: Window::Seconds(3_600),
        edit: Window::Seconds(3_600),
        clock: Arc::new(move || now.load(Relaxed)),
    }
}

/// What a store answers to a step, in words.
async fn take(store: &dyn Store, step: &Step) -> String {
    match step.clone() {
        Step::Append(from, batch, login) => {
            let login_version = login.version(store, from).await;
            let batch = batch
                .into_iter()
                .map(|(to, id, words, counted)| NewMessage { login_version, ..message(from, to, id, words, counted) });
            append_plainly(store, batch.collect()).await
        }
        Step::Change(user, conversation, id, change, becomes, login) => {
            let login_version = login.version(store, user).await;
            let entry = NewMessage { login_version, ..change_of(user, conversation, id, change, becomes) };
            append_plainly(store, vec![entry]).await
        }
        Step::ReadLog(reader, conversation, stretch) => read_plainly(store, reader, conversation, stretch).await,
        Step::Mark(mark, login) => {
            let login_version = login.version(store, mark.user).await;
            format!("{:?}", store.mark(Mark { login_version, ..mark }).await)
        }
        Step::ChangeSession(change, login) => change_session_by(store, change, login).await,
        Step::Hide(hide, login) => hide_by(store, hide, login).await,
        Step::Changes(user, since, limit) => {
            let changes = store.changes(user, since, limit).await.expect("reading does not fail");
            let sessions: Vec<_> = changes.sessions.into_iter().map(plain_session).collect();
            format!("{:?}", (sessions, changes.things, changes.profile, changes.mailbox_seq, changes.caught_up))
        }
        Step::MovedGroups(user, known) => {
            let mut moved = store.moved_groups(user, known).await.expect("reading does not fail");
            moved.sort_by_key(|session| session.conversation);
            format!("{:?}", moved.into_iter().map(plain_session).collect::<Vec<_>>())
        }
        Step::Sessions(user, after, limit) => {
            let page = store.sessions(user, after, limit).await.expect("reading does not fail");
            format!("{:?}", (page.rows.into_iter().map(plain_session).collect::<Vec<_>>(), page.more))
        }
        Step::CreateGroup(creator, members) => create_group(store, creator, members).await,
        Step::ChangeMembers(group, operator, action, login) => {
            change_members_by(store, group, operator, action, login).await
        }
        Step::UpdateGroup(group, operator, change) => update_group_by(store, group, operator, change).await,
        Step::Group(step) => groups::take(store, step).await,
        Step::Pins(step) => pins::take(store, step).await,
        Step::Members(asker, group, after, limit) => {
            format!("{:?}", store.members(asker, group, after, limit).await)
        }
        Step::UpdateProfile(user, change) => update_profile_of(store, user, change).await,
        Step::ChangePeople(user, peer, action, login) => change_people_by(store, user, peer, action, login).await,
        Step::UpdatePrivacy(user, change) => update_privacy_of(store, user, change).await,
        Step::SeeUsers(seen) => format!("{:?}", store.see_users(seen).await),
        Step::SetDisabled(user, disabled) => format!("{:?}", store.set_disabled(user, disabled).await),
        Step::SetPassword(user) => {
            let password = PasswordHash { argon2: "argon2".into(), scram: "scram".into() };
            format!("{:?}", store.set_password(user, password).await)
        }
        Step::TouchDevice(user, id, issued) => touch_device(store, user, id, issued).await,
        Step::ChangeDevice(user, target, action, by, login) => {
            change_device_by(store, user, target, action, by, login).await
        }
        Step::SetTimeOfDay(_) | Step::Reopen => String::new(),
    }
}

async fn update_profile_of(store: &dyn Store, user: UserId, change: ProfileChange) -> String {
    let login_version = Login::Present.version(store, user).await;
    let changed = store.update_profile(user, ProfileChange { login_version, ..change }).await;
    let known = vec![(user, 2), (UserId(1), 1), (UserId(2), 0)];
    format!("{:?}", (changed, store.profiles(vec![], vec![], known).await))
}

async fn change_session_by(store: &dyn Store, change: SessionChange, login: Login) -> String {
    let login_version = login.version(store, change.user).await;
    format!("{:?}", store.change_session(SessionChange { login_version, ..change }).await)
}

async fn hide_by(store: &dyn Store, hide: Hide, login: Login) -> String {
    let login_version = login.version(store, hide.user).await;
    format!("{:?}", store.hide_messages(Hide { login_version, ..hide }).await)
}

async fn change_people_by(store: &dyn Store, user: UserId, peer: UserId, action: PeopleAction, login: Login) -> String {
    let login_version = login.version(store, user).await;
    let change = PeopleChange { user, peer, action, device_id: "device".into(), login_version };
    format!("{:?}", (store.change_people(change).await, store.between(user, peer).await))
}

async fn change_device_by(
    store: &dyn Store,
    user: UserId,
    target: &str,
    action: DeviceAction,
    by: &str,
    login: Login,
) -> String {
    let login_version = login.version(store, user).await;
    let change = DeviceChange { user, target: target.into(), action, device_id: by.into(), login_version };
    format!("{:?}", (store.change_device(change).await, store.devices(user).await))
}

async fn update_privacy_of(store: &dyn Store, user: UserId, change: PrivacyChange) -> String {
    let login_version = Login::Present.version(store, user).await;
    let changed = store.update_privacy(user, PrivacyChange { login_version, ..change }).await;
    format!("{:?}", (changed, store.privacy(user).await))
}

async fn touch_device(store: &dyn Store, user: UserId, id: &str, issued: IssuedAt) -> String {
    let device = Device { device_id: id.into(), platform: 1, name: id.into() };
    let issued_s = if matches!(issued, IssuedAt::First) { 0 } else { u64::MAX >> 1 };
    format!("{:?}", (store.touch_device(user, device, issued_s).await, store.devices(user).await))
}

async fn create_group(store: &dyn Store, creator: usize, members: Vec<UserId>) -> String {
    let login_version = Login::Present.version(store, USERS[creator]).await;
    let (group, creator) = (GROUPS[creator], sender(USERS[creator]));
    let client_group_id = "only".into();
    let new = NewGroup { group, creator, client_group_id, name: "g".into(), avatar: "".into(), members, login_version };
    plain_change(store.create_group(new).await)
}

async fn change_members_by(
    store: &dyn Store,
    group: GroupId,
    operator: Operator,
    action: MembersAction,
    login: Login,
) -> String {
    let operator = operator.of(store, group).await;
    let login_version = login.version(store, operator).await;
    let change = MembersChange { group, operator: sender(operator), action, login_version };
    plain_change(store.change_members(change).await)
}

async fn update_group_by(store: &dyn Store, group: GroupId, operator: Operator, change: GroupChange) -> String {
    let operator = operator.of(store, group).await;
    let login_version = Login::Present.version(store, operator).await;
    let update = GroupUpdate { group, operator: sender(operator), change, login_version };
    plain_change(store.update_group(update).await)
}

/// Everything that anybody can see.
async fn whole(store: &dyn Store) -> Vec<String> {
    let everything = Stretch { after: None, before: 0, limit: u32::MAX, bytes_max: usize::MAX };
    let singles = USERS.iter().flat_map(|one| USERS.map(|other| ConversationId::single(*one, other)));
    let conversations = Vec::from_iter(singles.chain(GROUPS.map(ConversationId::Group)));
    let mut lines = Vec::new();
    for user in USERS {
        lines.push(format!("{:?}", (store.positions(user).await, store.devices(user).await)));
        let not_before_s = store.not_before_s(user, "device".into()).await;
        lines.push(format!("{:?}", (store.logins(user).await, not_before_s)));
        let presence = (store.contact_ids(user).await, store.seen_by(user, USERS.to_vec()).await);
        lines.push(format!("{:?}", (presence, store.invisible(USERS.to_vec()).await)));
        lines.push(take(store, &Step::Changes(user, 0, u32::MAX)).await);
        let people = (store.contacts(user, UserId(0), 99).await, store.blocks(user, UserId(0), 99).await);
        lines.push(format!("{people:?}"));
        lines.push(take(store, &Step::Sessions(user, None, u32::MAX)).await);
        for conversation in &conversations {
            lines.push(take(store, &Step::ReadLog(user, *conversation, everything)).await);
            lines.push(format!("{:?}", store.pins(user, *conversation, 0, u32::MAX, usize::MAX).await));
            lines.push(format!("{:?}", store.session(user, *conversation).await.map(plain_session)));
        }
        for group in GROUPS {
            lines.push(format!("{:?}", store.who_read(user, group, (1..99).collect()).await));
            let group_and_role = store.group(user, group).await.map(|(group, role)| (plain_group(group), role));
            lines.push(format!("{group_and_role:?}"));
            lines.push(format!("{:?}", store.members(user, group, UserId(0), 99).await));
            lines.push(format!("{:?}", store.bans(user, group, UserId(0), 99).await));
            let waiting = store.join_requests(user, group, UserId(0), 99).await;
            lines.push(format!("{:?}", (waiting, store.links(user, group).await)));
        }
    }
    for group in GROUPS {
        let seen = store.member_ids(group).await.expect("reading does not fail").members;
        lines.push(format!("{seen:?}"));
    }
    lines
}

async fn member_ids(store: &dyn Store, group: GroupId) -> Vec<UserId> {
    let members = store.member_ids(group).await.expect("reading does not fail").members;
    let mut ids: Vec<_> = members.iter().map(|(user, _)| *user).collect();
    ids.sort();
    ids
}
