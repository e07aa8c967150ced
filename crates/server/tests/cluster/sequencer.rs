//! The contract of [`Sequencer`], and what Redis may do to it. It promises nothing but to try: the store proves every
//! proposal.

use std::sync::Arc;

use anser_proto::{ConversationId, GroupId, UserId};
use anser_store::{Sequencer, sequencer::HeadSequencer};

const ONE: ConversationId = ConversationId::Group(GroupId(3));

fn two() -> ConversationId {
    ConversationId::single(UserId(1_009), UserId(1_008))
}

macro_rules! suite {
    ($($case:ident)*) => {
        mod head {
            $(#[tokio::test]
            async fn $case() {
                super::$case(super::Arc::new(super::HeadSequencer::new())).await;
            })*
        }

        #[cfg(feature = "cluster")]
        mod redis {
            $(#[tokio::test]
            async fn $case() {
                let redis = super::faults::start();
                super::$case(super::Arc::new(super::faults::open(&redis).await)).await;
            })*
        }
    };
}

suite! {
    an_unknown_conversation_starts_at_1
    a_proposal_is_the_first_of_those_reserved
    after_a_reset_the_next_proposal_is_behind_the_head
    nothing_is_reserved_twice
}

async fn an_unknown_conversation_starts_at_1(sequencer: Arc<impl Sequencer>) {
    assert_eq!((sequencer.reserve(ONE, 1).await, sequencer.reserve(two(), 3).await), (Ok(1), Ok(1)));
}

async fn a_proposal_is_the_first_of_those_reserved(sequencer: Arc<impl Sequencer>) {
    for (n, first) in [(3, 1), (1, 4), (2, 5), (1, 7)] {
        assert_eq!(sequencer.reserve(ONE, n).await, Ok(first));
    }
}

async fn after_a_reset_the_next_proposal_is_behind_the_head(sequencer: Arc<impl Sequencer>) {
    for last in [41, 7, 0] {
        assert_eq!(sequencer.reset(ONE, last).await, Ok(()));
        assert_eq!((sequencer.reserve(ONE, 2).await, sequencer.reserve(ONE, 1).await), (Ok(last + 1), Ok(last + 3)));
    }
    assert_eq!(sequencer.reserve(two(), 1).await, Ok(1));
}

async fn nothing_is_reserved_twice(sequencer: Arc<impl Sequencer + 'static>) {
    let tasks = [1, 2, 3].map(|n| {
        let sequencer = Arc::clone(&sequencer);
        tokio::spawn(async move {
            let mut ids = Vec::new();
            for _ in 0..100 {
                let first = sequencer.reserve(ONE, n).await.expect("nothing fails");
                ids.extend(first..first + u64::from(n));
            }
            ids
        })
    });
    let mut ids = Vec::new();
    for task in tasks {
        ids.extend(task.await.expect("no task panics"));
    }
    ids.sort_unstable();
    assert_eq!(ids, Vec::from_iter(1..=600));
}

#[cfg(feature = "cluster")]
mod faults {
    use anser_server::cluster::{counts::Counts, sequencer::RedisSequencer};
    use anser_services::{Kept, Place, Redis};
    use anser_store::{
        NewMessage, NewUser, Options, Sender, Store as _,
        sqlite::{SqliteOptions, SqliteStore},
    };

    use super::*;
    use crate::{LOG_ID, eventually, within};

    pub(super) fn start() -> Redis {
        Redis::start(Place::Tests).expect("redis")
    }

    pub(super) async fn open(redis: &Redis) -> RedisSequencer {
        RedisSequencer::open(&redis.url(), LOG_ID, Counts::default()).await.expect("a sequencer")
    }

    async fn answers_again(sequencer: &RedisSequencer) {
        eventually("it answers again", async || sequencer.reserve(two(), 1).await.is_ok()).await;
    }

    #[tokio::test]
    async fn the_keys_are_those_that_an_operator_knows() {
        let redis = start();
        let sequencer = open(&redis).await;
        sequencer.reserve(ONE, 5).await.expect("an id");
        sequencer.reserve(two(), 1).await.expect("an id");
        assert_eq!(redis.command(&["GET", "msg_id_group_3"]).expect("a number"), "5");
        assert_eq!(redis.command(&["GET", "msg_id_single_1008_1009"]).expect("a number"), "1");
    }

    #[tokio::test]
    async fn wiped_it_proposes_what_was_and_a_reset_fixes_it() {
        let redis = start();
        let sequencer = open(&redis).await;
        sequencer.reset(ONE, 41).await.expect("a reset");
        for head in 41..45 {
            redis.command(&["FLUSHALL"]).expect("a wipe");
            assert_eq!(sequencer.reserve(ONE, 1).await, Ok(1));
            redis.command(&["FLUSHALL"]).expect("a wipe");
            sequencer.reset(ONE, head).await.expect("a reset");
            assert_eq!(sequencer.reserve(ONE, 1).await, Ok(head + 1));
        }
    }

    #[tokio::test]
    async fn without_redis_it_says_so_at_once_and_goes_on_when_it_is_back() {
        let mut redis = start();
        let sequencer = open(&redis).await;
        sequencer.reset(ONE, 41).await.expect("a reset");
        redis.kill();
        assert!(sequencer.reserve(ONE, 1).await.is_err());
        assert!(!sequencer.is_connected());
        assert!(sequencer.reserve(ONE, 1).await.is_err());
        assert!(sequencer.reset(ONE, 42).await.is_err());
        redis.start_again(Kept::Nothing).expect("redis again");
        answers_again(&sequencer).await;
        assert_eq!(sequencer.reserve(ONE, 1).await, Ok(1));
    }

    #[tokio::test]
    async fn an_answer_that_is_late_is_not_waited_for() {
        let redis = start();
        let sequencer = open(&redis).await;
        sequencer.reset(ONE, 41).await.expect("a reset");
        redis.pause();
        assert!(within("it gives up", sequencer.reserve(ONE, 1)).await.is_err());
        // Nobody else waits even for that.
        assert!(!sequencer.is_connected());
        assert!(sequencer.reserve(ONE, 1).await.is_err());
        redis.resume();
        answers_again(&sequencer).await;
        // The question that was not waited for may have been taken.
        let first = sequencer.reserve(ONE, 1).await.expect("an id");
        assert!((42..=43).contains(&first), "{first}");
    }

    #[tokio::test]
    async fn restored_from_an_old_dump_it_proposes_what_was_and_a_reset_fixes_it() {
        let mut redis = start();
        let sequencer = open(&redis).await;
        sequencer.reset(ONE, 41).await.expect("a reset");
        redis.command(&["SAVE"]).expect("a dump");
        sequencer.reserve(ONE, 10).await.expect("an id");
        redis.start_again(Kept::Dump).expect("redis from its dump");
        answers_again(&sequencer).await;
        assert_eq!(sequencer.reserve(ONE, 1).await, Ok(42));
        sequencer.reset(ONE, 51).await.expect("a reset");
        assert_eq!(sequencer.reserve(ONE, 1).await, Ok(52));
    }

    #[tokio::test]
    async fn what_is_no_counter_is_no_proposal_and_is_gone_after_it() {
        let redis = start();
        let sequencer = open(&redis).await;
        let i64_max = i64::MAX.to_string();
        let nonsense: [&[&str]; 4] = [
            &["SET", "msg_id_group_3", "pigeon"],
            &["SET", "msg_id_group_3", "-9"],
            &["SET", "msg_id_group_3", &i64_max],
            &["SADD", "msg_id_group_3", "x"],
        ];
        for nonsense in nonsense {
            redis.command(&["DEL", "msg_id_group_3"]).expect("gone");
            redis.command(nonsense).expect("nonsense");
            assert!(sequencer.reserve(ONE, 1).await.is_err(), "{nonsense:?}");
            assert_eq!(sequencer.reserve(ONE, 1).await, Ok(1), "{nonsense:?}");
            sequencer.reset(ONE, 41).await.expect("a reset");
            assert_eq!(sequencer.reserve(ONE, 1).await, Ok(42), "{nonsense:?}");
        }
    }

    /// The store on top of it: whatever Redis says, no message is lost, and none has another's place.
    #[tokio::test]
    async fn a_log_stays_dense_whatever_redis_says() {
        let mut redis = start();
        let dir = tempfile::tempdir().expect("a folder for the test");
        let options = Options {
            shards: 4,
            group_members_max: 100,
            groups_per_user_max: 100,
            unanswered_groups_per_user_max: 100,
            unanswered_groups_per_inviter_max: 100,
            devices_per_user_max: 3,
            people: anser_store::PeopleOptions::default(),
            recall: anser_store::Window::ForEver,
            edit: anser_store::Window::ForEver,
            clock: anser_server::system_clock(),
        };
        let sequencer = Arc::new(open(&redis).await);
        let options = SqliteOptions::new(options, Arc::clone(&sequencer) as Arc<dyn Sequencer>);
        let store = SqliteStore::open(dir.path(), options).expect("a store");
        for user in [1_008, 1_009] {
            store.create_user(new_user(user)).await.expect("a user");
        }
        for id in 1..=60 {
            match id {
                10 | 11 | 13 => drop(redis.command(&["FLUSHALL"]).expect("a wipe")),
                20 => drop(redis.command(&["SAVE"]).expect("a dump")),
                25 => drop(redis.command(&["SET", "msg_id_single_1008_1009", "1000"]).expect("a lie")),
                26 => drop(redis.command(&["SET", "msg_id_single_1008_1009", "pigeon"]).expect("a lie")),
                30 => redis.pause(),
                35 => redis.resume(),
                36 | 46 => answers_again(&sequencer).await,
                40 => redis.kill(),
                45 => redis.start_again(Kept::Dump).expect("redis from its dump"),
                _ => {}
            }
            let answers = within("it is stored", store.append(vec![message(id)])).await;
            let ids: Vec<_> =
                answers.expect("it is stored").into_iter().map(|stored| stored.map(|at| at.server_msg_id)).collect();
            assert_eq!(ids, [Ok(id)]);
        }
        assert!(store.stats().proposals_refused > 0, "redis was never asked");
        store.close().await;
    }

    fn new_user(id: u64) -> NewUser {
        let (account, nickname) = (format!("user-{id}").into(), "".into());
        NewUser { user: UserId(id), account, nickname, password: None }
    }

    fn message(id: u64) -> NewMessage {
        NewMessage {
            conversation: two(),
            from: Sender { user: UserId(1_008), nickname: "".into(), platform: 0, device_id: "d".into() },
            client_msg_id: format!("m-{id}").parse().expect("an id"),
            kind: 1,
            content: "".into(),
            attachment: Default::default(),
            client_time_ms: 0,
            counted: true,
            reply_to: 0,
            mentions: Default::default(),
            change: None,
            login_version: 0,
        }
    }

    #[tokio::test]
    async fn another_store_is_refused() {
        let redis = start();
        let _sequencer = open(&redis).await;
        let other = RedisSequencer::open(&redis.url(), LOG_ID + 1, Counts::default()).await;
        let refused = other.err().expect("a refusal").to_string();
        assert!(refused.contains("msg_id_log_id"), "{refused}");
        let elsewhere = format!("{}/1", redis.url());
        assert!(RedisSequencer::open(&elsewhere, LOG_ID + 1, Counts::default()).await.is_ok());
    }

    #[tokio::test]
    async fn after_a_wipe_the_claim_comes_back_with_the_first_reset() {
        let redis = start();
        let sequencer = open(&redis).await;
        redis.command(&["FLUSHALL"]).expect("a wipe");
        sequencer.reset(ONE, 41).await.expect("a reset");
        assert!(RedisSequencer::open(&redis.url(), LOG_ID + 1, Counts::default()).await.is_err());
    }
}
