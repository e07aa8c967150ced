//! A town for benchmarks: users, and whom they write to as people do (Zipf: few conversations have most of the talk).

use std::{path::Path, sync::Arc, time::SystemTime};

use anser_proto::{ConversationId, GroupId, UserId};
use anser_store::{
    NewGroup, NewMessage, NewUser, Options, Sender, Store,
    sequencer::HeadSequencer,
    sqlite::{SqliteOptions, SqliteStore},
};
use futures_util::future::join_all;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

pub(crate) struct Town {
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) rng: StdRng,
    users: u64,
    conversations: u64,
    ids: u64,
}

pub(crate) fn options() -> SqliteOptions {
    let clock = || SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_millis() as u64);
    let common = Options {
        shards: 4,
        group_members_max: 500,
        groups_per_user_max: 500,
        unanswered_groups_per_user_max: 500,
        unanswered_groups_per_inviter_max: 500,
        devices_per_user_max: 10,
        people: anser_store::PeopleOptions::default(),
        recall: anser_store::Window::ForEver,
        edit: anser_store::Window::ForEver,
        clock: Arc::new(clock),
    };
    SqliteOptions::new(common, Arc::new(HeadSequencer::new()))
}

impl Town {
    pub(crate) async fn found(folder: &Path, options: SqliteOptions, users: u64, conversations: u64) -> Self {
        let store = SqliteStore::open(folder, options).expect("a new store");
        let ids: Vec<_> = (1..=users).collect();
        for some in ids.chunks(1000) {
            join_all(some.iter().map(|id| store.create_user(user(*id)))).await;
        }
        Self { store, rng: StdRng::seed_from_u64(7), users, conversations, ids: 0 }
    }

    pub(crate) async fn found_groups(&self, groups: u64, members: u64) {
        let members: Vec<_> = (1..=members).map(UserId).collect();
        let made = (1..=groups).map(|group| {
            self.store.create_group(NewGroup {
                group: GroupId(group),
                creator: sender(UserId(1)),
                client_group_id: format!("group-{group}").into(),
                name: "a group".into(),
                avatar: "".into(),
                members: members.clone(),
                login_version: 0,
            })
        });
        assert!(join_all(made).await.iter().all(Result::is_ok), "groups are made");
    }

    /// Two users, of whom the first writes to the second.
    pub(crate) fn pair(&mut self) -> (UserId, UserId) {
        let rank = zipf(&mut self.rng, self.conversations);
        // Which two users a rank stands for is scattered over all, and the same each time.
        let one = scatter(rank) % self.users;
        let other = (one + 1 + scatter(rank ^ 0x5eed) % (self.users - 1)) % self.users;
        let (one, other) = (UserId(one + 1), UserId(other + 1));
        if self.rng.random() { (one, other) } else { (other, one) }
    }

    pub(crate) fn direct(&mut self) -> NewMessage {
        let (from, to) = self.pair();
        self.message(from, ConversationId::single(from, to))
    }

    pub(crate) fn message(&mut self, from: UserId, conversation: ConversationId) -> NewMessage {
        self.ids += 1;
        NewMessage {
            conversation,
            from: sender(from),
            // Ordered by time and random behind it, as a UUIDv7 is.
            client_msg_id: format!("{:016x}-{:016x}", self.ids, self.rng.random::<u64>()).parse().expect("visible"),
            kind: 1,
            content: "x".repeat(100).into(),
            attachment: bytes::Bytes::new(),
            client_time_ms: 0,
            counted: true,
            reply_to: 0,
            mentions: Default::default(),
            change: None,
            login_version: 0,
        }
    }

    /// Appends each message with a call of its own, as many connections at once do.
    pub(crate) async fn append(&self, messages: Vec<NewMessage>) {
        let answers = join_all(messages.into_iter().map(|message| self.store.append(vec![message]))).await;
        let mut outcomes = answers.into_iter().flat_map(|answer| answer.expect("the store works"));
        assert!(outcomes.all(|outcome| outcome.is_ok()), "messages are stored");
    }
}

fn user(id: u64) -> NewUser {
    NewUser { user: UserId(id), account: format!("user-{id}").into(), nickname: "Somebody".into(), password: None }
}

fn sender(user: UserId) -> Sender {
    Sender { user, nickname: "Somebody".into(), platform: 1, device_id: "a-device".into() }
}

/// Ranks from 0, exponent 1, by the inverse of the continuous distribution function.
fn zipf(rng: &mut StdRng, n: u64) -> u64 {
    let u: f64 = rng.random();
    ((n as f64 + 1.0).powf(u) - 1.0) as u64
}

fn scatter(rank: u64) -> u64 {
    (rank + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20
}

/// Prints percentiles of durations in microseconds.
pub(crate) fn report(what: &str, mut micros: Vec<u64>) {
    micros.sort_unstable();
    let at = |share: f64| micros[((micros.len() - 1) as f64 * share) as usize];
    println!("{what}: p50 {} us, p99 {} us, max {} us (n = {})", at(0.5), at(0.99), at(1.0), micros.len());
}
