//! Arbitrary sequences of verbs, on the reference and on another store: equal answers, step by step, and an equal
//! whole at the end.
//!
//! Few users, groups and ids, so that retries, conflicts, limits and returns to a group happen all the time. What the
//! contract leaves to a store (the order of some lists, what notices are called, how versions are numbered) is
//! made equal before it is compared.

use std::{
    fmt::Debug,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use anser_proto::{ConversationId, GroupId, UserId, v1};
use anser_store::{
    Appended, Device, Error, Group, Mark, MarkKind, MembersAction, MembersChange, MembersChanged, Message, NewGroup,
    NewMessage, NewUser, Options, Party, ProfileChange, Sender, Session, Store, Stretch,
    contract::{Make, Subject},
    memory::MemoryStore,
    sequencer::HeadSequencer,
};
use proptest::{prelude::*, test_runner::TestRunner};
use prost::Message as _;

const USERS: [UserId; 4] = [UserId(2), UserId(7), UserId(11), UserId(i64::MAX as u64)];
/// The group of each of the first users, if he made one.
const GROUPS: [GroupId; 3] = [GroupId(2), GroupId(100), GroupId(30)];
const NOON: u64 = 1_700_049_600_000;
const DAY: u64 = 86_400_000;

#[derive(Clone, Debug)]
enum Step {
    Append {
        from: UserId,
        batch: Vec<(ConversationId, &'static str, &'static str, bool)>,
    },
    ReadLog(UserId, ConversationId, Stretch),
    Mark(Mark),
    Changes {
        user: UserId,
        since: u64,
        limit: u32,
    },
    MovedGroups(UserId, Vec<(GroupId, u64)>),
    Sessions {
        user: UserId,
        after: Option<ConversationId>,
        limit: u32,
    },
    CreateGroup {
        creator: usize,
        members: Vec<UserId>,
    },
    ChangeMembers {
        group: GroupId,
        operator: UserId,
        action: MembersAction,
    },
    Members {
        asker: UserId,
        group: GroupId,
        after: UserId,
        limit: u32,
    },
    UpdateProfile(UserId, ProfileChange),
    /// On the next day: what was seen on one day is in no certain order.
    TouchDevice(UserId, &'static str),
    SetTimeOfDay(u64),
    /// Of the other store. The reference stays as it is.
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 1..80)
}

fn step() -> impl Strategy<Value = Step> {
    let limit = 1..5_u32;
    let entry = (conversation(), sample(&["a", "b", "c", "d", "e"]), sample(&["x", "x", "y"]), any::<bool>());
    let append = (user(), prop::collection::vec(entry, 1..5)).prop_map(|(from, batch)| Step::Append { from, batch });
    let bytes_max = prop_oneof![0..20_usize, Just(usize::MAX)];
    let stretch = (0..12_u64, 0..12_u64, limit.clone(), bytes_max)
        .prop_map(|(after, before, limit, bytes_max)| Stretch { after, before, limit, bytes_max });
    let kind = sample(&[MarkKind::Read, MarkKind::Delivered]);
    let mark = (user(), conversation(), kind, 0..12_u64).prop_map(|(user, conversation, kind, server_msg_id)| Mark {
        user,
        conversation,
        kind,
        server_msg_id,
    });
    let changes =
        (user(), 0..20_u64, limit.clone()).prop_map(|(user, since, limit)| Step::Changes { user, since, limit });
    let known = prop::collection::btree_map(group(), 0..12_u64, 0..3).prop_map(Vec::from_iter);
    let sessions = (user(), prop::option::of(conversation()), limit.clone())
        .prop_map(|(user, after, limit)| Step::Sessions { user, after, limit });
    let create = (0..GROUPS.len(), prop::collection::vec(user(), 0..3))
        .prop_map(|(creator, members)| Step::CreateGroup { creator, members });
    let members = (user(), group(), prop_oneof![Just(UserId(0)), user()], limit)
        .prop_map(|(asker, group, after, limit)| Step::Members { asker, group, after, limit });
    let name = || prop::option::of(sample(&["", "n", "m"])).prop_map(|name| name.map(Arc::from));
    let profile = (name(), name()).prop_map(|(nickname, avatar)| ProfileChange { nickname, avatar });
    prop_oneof![
        12 => append,
        4 => (user(), conversation(), stretch).prop_map(|(user, of, stretch)| Step::ReadLog(user, of, stretch)),
        6 => mark.prop_map(Step::Mark),
        3 => changes,
        2 => (user(), known).prop_map(|(user, known)| Step::MovedGroups(user, known)),
        2 => sessions,
        3 => create,
        8 => change_members(),
        1 => members,
        1 => (user(), profile).prop_map(|(user, change)| Step::UpdateProfile(user, change)),
        1 => (user(), sample(&["p", "q", "r"])).prop_map(|(user, device)| Step::TouchDevice(user, device)),
        1 => (0..DAY / 3).prop_map(Step::SetTimeOfDay),
        1 => Just(Step::Reopen),
    ]
}

fn change_members() -> impl Strategy<Value = Step> {
    let users = || prop::collection::vec(user(), 0..3);
    let action = prop_oneof![
        3 => users().prop_map(MembersAction::Invite),
        1 => users().prop_map(MembersAction::Remove),
        1 => Just(MembersAction::Leave),
    ];
    let change = (group(), user(), action);
    change.prop_map(|(group, operator, action)| Step::ChangeMembers { group, operator, action })
}

fn user() -> impl Strategy<Value = UserId> {
    sample(&USERS)
}

fn group() -> impl Strategy<Value = GroupId> {
    sample(&GROUPS)
}

fn conversation() -> impl Strategy<Value = ConversationId> {
    let single = (user(), user()).prop_map(|(one, other)| ConversationId::single(one, other));
    prop_oneof![single, group().prop_map(ConversationId::Group)]
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
    for (at, step) in steps.iter().enumerate() {
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
        groups_per_user_max: 2,
        devices_per_user_max: 2,
        clock: Arc::new(move || now.load(Relaxed)),
    }
}

/// What a store answers to a step, in words.
async fn take(store: &dyn Store, step: &Step) -> String {
    match step.clone() {
        Step::Append { from, batch } => {
            let batch = batch.into_iter().map(|(to, id, body, counted)| message(from, to, id, body, counted));
            let answers = store.append(batch.collect()).await.into_iter();
            let plain = answers.map(|answer| answer.map(|place| Appended { members_version: 0, ..place }));
            format!("{:?}", Vec::from_iter(plain))
        }
        Step::ReadLog(reader, conversation, stretch) => {
            let page = store.read_log(reader, conversation, stretch).await;
            let page = page.map(|page| (page.head, page.more, page.messages.into_iter().map(plain_message).collect()));
            format!("{:?}", page as Result<(u64, bool, Vec<Message>), Error>)
        }
        Step::Mark(mark) => format!("{:?}", store.mark(mark).await),
        Step::Changes { user, since, limit } => {
            let changes = store.changes(user, since, limit).await.expect("reading does not fail");
            let sessions: Vec<_> = changes.sessions.into_iter().map(plain_session).collect();
            format!("{:?}", (sessions, changes.profile, changes.mailbox_seq, changes.caught_up))
        }
        Step::MovedGroups(user, known) => {
            let mut moved = store.moved_groups(user, known).await.expect("reading does not fail");
            moved.sort_by_key(|session| session.conversation);
            format!("{:?}", moved.into_iter().map(plain_session).collect::<Vec<_>>())
        }
        Step::Sessions { user, after, limit } => {
            let page = store.sessions(user, after, limit).await.expect("reading does not fail");
            format!("{:?}", (page.rows.into_iter().map(plain_session).collect::<Vec<_>>(), page.more))
        }
        Step::CreateGroup { creator, members } => {
            let (group, creator) = (GROUPS[creator], sender(USERS[creator]));
            let client_group_id = "only".into();
            let new = NewGroup { group, creator, client_group_id, name: "g".into(), avatar: "".into(), members };
            plain_change(store.create_group(new).await)
        }
        Step::ChangeMembers { group, operator, action } => {
            let change = MembersChange { group, operator: sender(operator), action };
            plain_change(store.change_members(change).await)
        }
        Step::Members { asker, group, after, limit } => {
            format!("{:?}", store.members(asker, group, after, limit).await)
        }
        Step::UpdateProfile(user, change) => format!("{:?}", store.update_profile(user, change).await),
        Step::TouchDevice(user, id) => {
            let device = Device { device_id: id.into(), platform: 1, name: id.into() };
            format!("{:?}", (store.touch_device(user, device).await, store.devices(user).await))
        }
        Step::SetTimeOfDay(_) | Step::Reopen => String::new(),
    }
}

/// Everything that anybody can see.
async fn whole(store: &dyn Store) -> Vec<String> {
    let everything = Stretch { after: 0, before: 0, limit: u32::MAX, bytes_max: usize::MAX };
    let singles = USERS.iter().flat_map(|one| USERS.map(|other| ConversationId::single(*one, other)));
    let conversations = Vec::from_iter(singles.chain(GROUPS.map(ConversationId::Group)));
    let mut lines = Vec::new();
    for user in USERS {
        lines.push(format!("{:?}", (store.positions(user).await, store.devices(user).await)));
        lines.push(take(store, &Step::Changes { user, since: 0, limit: u32::MAX }).await);
        lines.push(take(store, &Step::Sessions { user, after: None, limit: u32::MAX }).await);
        for conversation in &conversations {
            lines.push(take(store, &Step::ReadLog(user, *conversation, everything)).await);
            lines.push(format!("{:?}", store.session(user, *conversation).await.map(plain_session)));
        }
        for group in GROUPS {
            let group_and_role = store.group(user, group).await.map(|(group, role)| (plain_group(group), role));
            lines.push(format!("{group_and_role:?}"));
        }
    }
    for group in GROUPS {
        let mut ids = store.member_ids(group).await.expect("reading does not fail").1.to_vec();
        ids.sort();
        lines.push(format!("{ids:?}"));
    }
    lines
}

fn sender(user: UserId) -> Sender {
    Sender { user, nickname: "as sent".into(), platform: 2, device_id: "device".into() }
}

fn message(from: UserId, conversation: ConversationId, id: &str, body: &'static str, counted: bool) -> NewMessage {
    NewMessage {
        conversation,
        from: sender(from),
        client_msg_id: id.parse().expect("the model uses good ids"),
        kind: v1::message::Type::Text.into(),
        content: body.into(),
        attachment: body.into(),
        client_time_ms: 5,
        counted,
    }
}

/// Versions go up; by how much is a store's own.
fn plain_group(group: Group) -> Group {
    Group { members_version: 0, ..group }
}

fn plain_session(mut session: Session) -> Session {
    if let Party::Group(group, role) = session.party {
        session.party = Party::Group(plain_group(group), role);
    }
    session
}

/// What notices are called is a store's own, and in which order they name users.
fn plain_message(mut message: Message) -> Message {
    if message.kind == i32::from(v1::message::Type::Notice) {
        let mut notice = v1::Notice::decode(message.attachment).expect("the attachment of a notice is a notice");
        notice.user_ids.sort();
        message.attachment = notice.encode_to_vec().into();
        message.client_msg_id = "notice".parse().expect("it is a good id");
        message.client_time_ms = 0;
    }
    message
}

fn plain_change(changed: Result<MembersChanged, Error>) -> String {
    match changed {
        Ok(mut changed) => {
            changed.stamped.sort();
            let notices: Vec<_> = changed.notices.into_iter().map(plain_message).collect();
            format!("{:?}", (plain_group(changed.group), changed.role, notices, changed.stamped))
        }
        // Which limit is told when both are reached is a store's own.
        Err(Error::Limit { .. }) => "limit".into(),
        Err(error) => format!("{error:?}"),
    }
}
