//! Durable appends: how many a second, by how many wait for one commit; and what checkpoints do to a commit's time.

mod town;

use std::time::{Duration, Instant};

use anser_proto::{ConversationId, GroupId, UserId};
use anser_store::{NewMessage, Store as _, sqlite::CheckpointPages};
use criterion::{BenchmarkGroup, Criterion, Throughput, measurement::WallTime};
use rand::RngExt as _;
use tokio::runtime::Runtime;
use town::Town;

const USERS: u64 = 20_000;
const CONVERSATIONS: u64 = 50_000;
const GROUPS: u64 = 20;
const MEMBERS: u64 = 100;

fn main() {
    let runtime = Runtime::new().expect("a runtime");
    let mut criterion =
        Criterion::default().configure_from_args().sample_size(10).measurement_time(Duration::from_secs(4));
    let mut group = criterion.benchmark_group("append");
    for waiting in [1, 100, 1000] {
        bench(&mut group, &runtime, "direct", waiting, Town::direct);
        bench(&mut group, &runtime, "group", waiting, |town| {
            let (from, group) = (town.rng.random_range(1..=MEMBERS), town.rng.random_range(1..=GROUPS));
            town.message(UserId(from), ConversationId::Group(GroupId(group)))
        });
    }
    group.finish();
    stalls(&runtime);
}

fn bench(
    group: &mut BenchmarkGroup<'_, WallTime>,
    runtime: &Runtime,
    kind: &str,
    waiting: u64,
    message: fn(&mut Town) -> NewMessage,
) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut town = runtime.block_on(Town::found(folder.path(), town::options(), USERS, CONVERSATIONS));
    runtime.block_on(town.found_groups(GROUPS, MEMBERS));
    group.throughput(Throughput::Elements(waiting));
    group.bench_function(format!("{kind}/{waiting}"), |bencher| {
        bencher.iter_custom(|iterations| {
            let mut spent = Duration::ZERO;
            for _ in 0..iterations {
                let messages = (0..waiting).map(|_| message(&mut town)).collect();
                let start = Instant::now();
                runtime.block_on(town.append(messages));
                spent += start.elapsed();
            }
            spent
        });
    });
    runtime.block_on(town.store.close());
}

/// The same work with checkpoints as they are, with small ones, and without: the tail is what they cost.
fn stalls(runtime: &Runtime) {
    let small = CheckpointPages { start: 2048, rest: 128, most: 16_384 };
    let never = CheckpointPages { start: u64::MAX, rest: 0, most: u64::MAX >> 13 };
    for (name, checkpoint) in [("default", CheckpointPages::default()), ("small", small), ("none", never)] {
        let folder = tempfile::tempdir().expect("a folder");
        let options = anser_store::sqlite::SqliteOptions { checkpoint, ..town::options() };
        let mut town = runtime.block_on(Town::found(folder.path(), options, USERS, CONVERSATIONS));
        let mut micros = Vec::new();
        for _ in 0..2000 {
            let messages = (0..100).map(|_| town.direct()).collect();
            let start = Instant::now();
            runtime.block_on(town.append(messages));
            micros.push(start.elapsed().as_micros() as u64);
        }
        let checkpoints = town.store.stats().checkpoints;
        let rate = 200_000 * 1_000_000 / micros.iter().sum::<u64>();
        town::report(&format!("commit of 100, checkpoints {name} ({checkpoints}), {rate} messages/s"), micros);
        runtime.block_on(town.store.close());
    }
}
