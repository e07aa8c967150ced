//! What Redis may do to the directory. Whatever it is, nobody who is attached is left out, and all is exact again soon.

use std::{sync::Arc, time::Duration};

use anser_proto::UserId;
use anser_server::cluster::{
    Directory, Node, OpenError,
    counts::Counts,
    redis::{Pace, RedisDirectory},
};
use anser_services::{Kept, Place, Redis};
use async_trait::async_trait;

use crate::{
    ADA, BOB, CYD, LOG_ID, NAME,
    directory::{World, found, sees},
    eventually, node, within,
};

/// Faster than in earnest; the lease in the same measure.
pub(crate) const PACE: Pace = Pace { beat: Duration::from_millis(100), lease: Duration::from_millis(1_000) };

pub(crate) struct RedisWorld {
    pub(crate) redis: Redis,
    counts: Counts,
}

impl RedisWorld {
    pub(crate) fn start() -> Self {
        Self { redis: Redis::start(Place::Tests).expect("redis"), counts: Counts::default() }
    }

    async fn open(&self, name: &str, log_id: u64) -> Result<RedisDirectory, OpenError> {
        RedisDirectory::open(&self.redis.url(), name, log_id, node("one"), PACE, self.counts.clone()).await
    }

    async fn two(&self) -> (RedisDirectory, RedisDirectory, Node) {
        let (first, second) = (node("one"), node("two"));
        let one = self.join(first.clone()).await;
        let two = self.join(second.clone()).await;
        sees(&one, &[&first, &second]).await;
        sees(&two, &[&first, &second]).await;
        (one, two, second)
    }

    fn command(&self, words: &[&str]) -> String {
        self.redis.command(words).expect("redis takes it")
    }
}

#[async_trait]
impl World for RedisWorld {
    type Directory = RedisDirectory;

    async fn join(&self, node: Node) -> RedisDirectory {
        let opened = RedisDirectory::open(&self.redis.url(), NAME, LOG_ID, node, PACE, self.counts.clone()).await;
        opened.expect("a directory")
    }
}

/// Nobody is left out now.
async fn reaches(directory: &RedisDirectory, node: &Node, users: &[UserId]) {
    let found = found(directory, users).await;
    let reached = found.iter().find(|(id, _)| *id == node.id).map_or(&[][..], |(_, users)| users);
    assert!(users.iter().all(|user| reached.contains(user)), "{users:?} are at the node, found {found:?}");
}

/// Soon those are found and no others.
async fn comes_to(directory: &RedisDirectory, node: &Node, users: &[UserId]) {
    let mut wanted = users.to_vec();
    wanted.sort_unstable();
    let right = vec![(node.id, wanted)];
    eventually("all is exact", async || found(directory, &[ADA, BOB, CYD]).await == right).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wiped_between_any_two_steps_it_leaves_nobody_out_and_heals() {
    let world = RedisWorld::start();
    let (one, two, second) = world.two().await;
    let steps: [(&[UserId], &[UserId]); 5] =
        [(&[ADA], &[]), (&[BOB, CYD], &[]), (&[], &[ADA]), (&[ADA], &[BOB]), (&[BOB], &[])];
    let mut present = Vec::new();
    for (come, go) in steps {
        for user in come {
            two.attach(*user);
            present.push(*user);
            world.command(&["FLUSHALL"]);
        }
        for user in go {
            two.detach(*user);
            present.retain(|other| other != user);
            world.command(&["FLUSHALL"]);
        }
        two.settled().await;
        reaches(&one, &second, &present).await;
        world.command(&["FLUSHALL"]);
        reaches(&one, &second, &present).await;
        comes_to(&one, &second, &present).await;
    }
    assert!(world.counts.reasserted.get() > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_and_back_without_anything_it_heals() {
    let mut world = RedisWorld::start();
    let (one, two, second) = world.two().await;
    two.attach(ADA);
    two.settled().await;
    world.redis.kill();
    reaches(&one, &second, &[ADA]).await;
    two.attach(BOB);
    within("nobody waits for a redis that is away", two.settled()).await;
    reaches(&one, &second, &[ADA, BOB]).await;
    two.detach(ADA);
    world.redis.start_again(Kept::Nothing).expect("redis again");
    comes_to(&one, &second, &[BOB]).await;
    assert!(world.counts.unanswered_by("directory") > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_an_outage_longer_than_a_lease_nobody_takes_itself_for_alone() {
    let mut world = RedisWorld::start();
    let (one, two, second) = world.two().await;
    two.attach(ADA);
    two.settled().await;
    world.redis.kill();
    let begun = std::time::Instant::now();
    eventually("the lease ends", async || begun.elapsed() > 2 * PACE.lease).await;
    let watched = [one.nodes(), two.nodes()].map(|mut nodes| {
        tokio::spawn(async move {
            let mut fewest = nodes.borrow_and_update().len();
            while nodes.changed().await.is_ok() {
                fewest = fewest.min(nodes.borrow_and_update().len());
            }
            fewest
        })
    });
    world.redis.start_again(Kept::Nothing).expect("redis again");
    comes_to(&one, &second, &[ADA]).await;
    drop((one, two));
    for fewest in watched {
        assert_eq!(within("they have left", fewest).await.expect("it ends"), 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_it_answers_late_nobody_waits_long_and_nobody_is_left_out() {
    let world = RedisWorld::start();
    let (one, two, second) = world.two().await;
    two.attach(ADA);
    two.settled().await;
    world.redis.pause();
    two.attach(BOB);
    within("a login does not wait for it", two.settled()).await;
    reaches(&one, &second, &[ADA, BOB]).await;
    // Now it is known to be late, and nobody waits at all.
    two.attach(CYD);
    two.settled().await;
    reaches(&one, &second, &[ADA, BOB, CYD]).await;
    world.redis.resume();
    comes_to(&one, &second, &[ADA, BOB, CYD]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restored_from_an_old_dump_it_leaves_nobody_out_and_heals() {
    let mut world = RedisWorld::start();
    let (one, two, second) = world.two().await;
    two.attach(ADA);
    two.settled().await;
    world.command(&["SAVE"]);
    two.detach(ADA);
    two.attach(BOB);
    two.settled().await;
    world.redis.start_again(Kept::Dump).expect("redis with its dump");
    reaches(&one, &second, &[BOB]).await;
    comes_to(&one, &second, &[BOB]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_ends_without_a_word_is_live_until_their_lease_ends_and_is_then_swept() {
    let world = RedisWorld::start();
    let first = node("one");
    let one = world.join(first.clone()).await;
    let second = node("two");
    let two = world.join(second.clone()).await;
    sees(&one, &[&first, &second]).await;
    two.attach(ADA);
    two.settled().await;
    drop(two);
    reaches(&one, &second, &[ADA]).await;
    sees(&one, &[&first]).await;
    assert_eq!(found(&one, &[ADA]).await, []);
    let keys = world.command(&["KEYS", "*"]);
    assert!(!keys.contains(&second.id.0.to_string()), "{keys}");
    for hash in ["info", "beats"] {
        assert_eq!(world.command(&["HLEN", &format!("anser:{NAME}:{hash}")]), "1");
    }
}

/// While nobody can ask, those last seen are taken for live.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_redis_the_nodes_stay_those_last_seen() {
    let mut world = RedisWorld::start();
    let (one, two, second) = world.two().await;
    let before = Arc::clone(&one.nodes().borrow());
    world.redis.kill();
    eventually("its being away is seen", async || world.counts.unanswered_by("directory") > 20).await;
    assert_eq!(*one.nodes().borrow(), before);
    reaches(&one, &second, &[ADA]).await;
    drop(two);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_lies_under_one_prefix_and_a_second_cluster_is_refused_there() {
    let world = RedisWorld::start();
    let one = world.open(NAME, LOG_ID).await.expect("the first");
    one.attach(ADA);
    one.settled().await;
    let keys = world.command(&["KEYS", "*"]);
    assert!(keys.lines().all(|key| key.starts_with("anser:test:")), "{keys}");
    let refused = world.open(NAME, LOG_ID + 1).await.err().expect("a refusal").to_string();
    assert!(refused.contains("anser:test:log_id") && refused.contains("77"), "{refused}");
    assert!(world.open(NAME, LOG_ID).await.is_ok(), "a node of the same cluster was refused");
    assert!(world.open("other", LOG_ID + 1).await.is_ok(), "a cluster of another name was refused");
}

/// A wipe takes the claim away too: it comes back with the first beat, and another cluster finds it there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_wipe_the_claim_is_there_again() {
    let world = RedisWorld::start();
    let _one = world.open(NAME, LOG_ID).await.expect("the first");
    world.command(&["FLUSHALL"]);
    eventually("the claim", async || world.command(&["GET", "anser:test:log_id"]) == "77").await;
    assert!(world.open(NAME, LOG_ID + 1).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_wrote_there_costs_pushes_only() {
    let world = RedisWorld::start();
    let (one, two, second) = world.two().await;
    two.attach(ADA);
    two.settled().await;
    let far = "99999999999999";
    world.command(&["ZADD", "anser:test:nodes", far, "pigeon"]);
    world.command(&["ZADD", "anser:test:nodes", far, "12"]);
    world.command(&["HSET", "anser:test:info", "12", "{\"id\": 12"]);
    reaches(&one, &second, &[ADA]).await;
    world.command(&["ZREM", "anser:test:nodes", "pigeon", "12"]);
    comes_to(&one, &second, &[ADA]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_is_away_at_the_start_is_waited_for() {
    let mut world = RedisWorld::start();
    world.redis.kill();
    let (first, second) = (node("one"), node("two"));
    let (one, two) = (world.join(first.clone()).await, world.join(second.clone()).await);
    sees(&one, &[&first]).await;
    two.attach(ADA);
    world.redis.start_again(Kept::Nothing).expect("redis again");
    sees(&one, &[&first, &second]).await;
    comes_to(&one, &second, &[ADA]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_address_password_or_name_is_refused_in_clear_words() {
    let world = RedisWorld::start();
    let open = async |url: &str, name: &str| {
        let opened = RedisDirectory::open(url, name, LOG_ID, node("one"), PACE, Counts::default()).await;
        opened.err().expect("a refusal").to_string()
    };
    assert!(open("http://host", NAME).await.starts_with("cluster.redis = http://host"));
    assert!(open(&world.redis.url(), "My Cluster").await.starts_with("cluster.name = \"My Cluster\""));
    world.command(&["CONFIG", "SET", "requirepass", "right"]);
    let wrong = world.redis.url().replace("redis://", "redis://:wrong@");
    for url in [wrong, world.redis.url()] {
        let refused = open(&url, NAME).await;
        assert!(refused.starts_with("redis refused the login"), "{refused}");
    }
}
