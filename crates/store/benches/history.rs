//! Reading the last 20 of a conversation, among `ANSER_BENCH_ROWS` rows (200 000), and a page of the conversation list.

mod town;

use std::time::Instant;

use anser_proto::{ConversationId, UserId};
use anser_store::{Store as _, Stretch};
use criterion::Criterion;
use tokio::runtime::Runtime;
use town::Town;

const USERS: u64 = 20_000;
const CONVERSATIONS: u64 = 50_000;

fn main() {
    let rows: u64 = std::env::var("ANSER_BENCH_ROWS").map_or(200_000, |rows| rows.parse().expect("a number of rows"));
    let runtime = Runtime::new().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let mut town = runtime.block_on(Town::found(folder.path(), town::options(), USERS, CONVERSATIONS));
    load(&runtime, &mut town, rows / 2);

    let mut micros = Vec::new();
    for _ in 0..20_000 {
        let (reader, peer) = town.pair();
        let start = Instant::now();
        runtime.block_on(last_20(&town, reader, peer));
        micros.push(start.elapsed().as_micros() as u64);
    }
    town::report(&format!("last 20 among {rows} rows"), micros);

    let mut criterion = Criterion::default().configure_from_args().sample_size(20);
    criterion.bench_function("history/last 20", |bencher| {
        bencher.iter(|| {
            let (reader, peer) = town.pair();
            runtime.block_on(last_20(&town, reader, peer));
        });
    });
    criterion.bench_function("history/50 sessions", |bencher| {
        bencher.iter(|| {
            let (reader, _) = town.pair();
            runtime.block_on(town.store.sessions(reader, None, 50)).expect("a page")
        });
    });
    runtime.block_on(town.store.close());
}

async fn last_20(town: &Town, reader: UserId, peer: UserId) {
    let stretch = Stretch { after: 0, before: 0, limit: 20, bytes_max: usize::MAX };
    town.store.read_log(reader, ConversationId::single(reader, peer), stretch).await.expect("a page");
}

/// Two rows a message.
fn load(runtime: &Runtime, town: &mut Town, messages: u64) {
    let start = Instant::now();
    let (mut stored, mut since) = (0, Instant::now());
    while stored < messages {
        let batch: Vec<_> = (0..1000.min(messages - stored)).map(|_| town.direct()).collect();
        stored += batch.len() as u64;
        runtime.block_on(town.append(batch));
        if stored.is_multiple_of(500_000) {
            let rate = 500_000.0 / since.elapsed().as_secs_f64();
            println!("{stored} messages stored, the last 500 000 at {rate:.0} messages/s");
            since = Instant::now();
        }
    }
    println!("loaded {} rows in {:?}", messages * 2, start.elapsed());
}
