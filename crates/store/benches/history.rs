//! Reading the last 20 of a conversation and of a large group, among `ANSER_BENCH_ROWS` rows (200 000), and a page of the
//! conversation list.

mod town;

use std::time::Instant;

use anser_proto::{ConversationId, GroupId, UserId};
use anser_store::{NewMessage, Store as _, Stretch};
use criterion::Criterion;
use tokio::runtime::Runtime;
use town::Town;

const USERS: u64 = 20_000;
const CONVERSATIONS: u64 = 50_000;
const CROWD: ConversationId = ConversationId::Group(GroupId(1));
const MEMBERS: u64 = 100;
/// One message of so many goes to the group.
const CROWD_SHARE: u64 = 10;

fn main() {
    let rows: u64 = std::env::var("ANSER_BENCH_ROWS").map_or(200_000, |rows| rows.parse().expect("a number of rows"));
    let runtime = Runtime::new().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let mut town = runtime.block_on(Town::found(folder.path(), town::options(), USERS, CONVERSATIONS));
    load(&runtime, &mut town, rows);

    for (what, of_group) in [("last 20", false), ("last 20 of a large group", true)] {
        let mut micros = Vec::new();
        for _ in 0..20_000 {
            let (reader, conversation) = whose(&mut town, of_group);
            let start = Instant::now();
            runtime.block_on(last_20(&town, reader, conversation));
            micros.push(start.elapsed().as_micros() as u64);
        }
        town::report(&format!("{what} among {rows} rows"), micros);
    }

    let mut criterion = Criterion::default().configure_from_args().sample_size(20);
    criterion.bench_function("history/last 20", |bencher| {
        bencher.iter(|| {
            let (reader, conversation) = whose(&mut town, false);
            runtime.block_on(last_20(&town, reader, conversation));
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

fn whose(town: &mut Town, of_group: bool) -> (UserId, ConversationId) {
    let (reader, peer) = town.pair();
    if of_group { (UserId(reader.0 % MEMBERS + 1), CROWD) } else { (reader, ConversationId::single(reader, peer)) }
}

async fn last_20(town: &Town, reader: UserId, conversation: ConversationId) {
    let stretch = Stretch { after: None, before: 0, limit: 20, bytes_max: usize::MAX };
    town.store.read_log(reader, conversation, stretch).await.expect("a page");
}

/// Two rows a message, but one for those of the group.
fn load(runtime: &Runtime, town: &mut Town, rows: u64) {
    runtime.block_on(town.found_groups(1, MEMBERS));
    let (start, mut since) = (Instant::now(), Instant::now());
    let (mut stored, mut told) = (0, 0);
    while stored < rows {
        let batch: Vec<_> = (0..1000).map(|n| one(town, n)).collect();
        stored += 2 * 1000 - 1000 / CROWD_SHARE;
        runtime.block_on(town.append(batch));
        if stored - told >= 1_000_000 {
            println!("{stored} rows stored, the last million at {:.0} rows/s", 1e6 / since.elapsed().as_secs_f64());
            (told, since) = (stored, Instant::now());
        }
    }
    println!("loaded {stored} rows in {:.1?}", start.elapsed());
}

fn one(town: &mut Town, n: u64) -> NewMessage {
    if n.is_multiple_of(CROWD_SHARE) {
        let from = UserId(n % MEMBERS + 1);
        return town.message(from, CROWD);
    }
    town.direct()
}
