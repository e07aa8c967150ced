//! Real chat on a cluster whose nodes and services are killed, stopped, paused and wiped meanwhile: every kind of fault at least
//! once, one after the other. Judged by the replay, which knows nothing of it, and by what the database says at the end.

use std::{
    fs,
    path::PathBuf,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anser_services::Kept;
use anyhow::{Context as _, bail, ensure};

use super::{Cluster, Playing};
use crate::{root, test};

/// Real chat; see the README beside it.
pub(super) const CHAT: &str = "crates/cli/tests/data/ubuntu-2006-06-01.txt";
/// Between the end of one fault and the beginning of the next, in milliseconds.
const PEACE_MS: std::ops::Range<u64> = 500..2_500;
/// How long what was killed or paused stays so.
const FAULT_MS: std::ops::Range<u64> = 200..3_000;
/// Of send and of receive tables: what a server has by default.
const SHARDS: u32 = 4;
/// From the first line of the chat until everything is judged.
const PLAY_MAX: Duration = Duration::from_secs(600);

/// What is done to the cluster. Of the nodes one is drawn.
#[derive(Clone, Copy, Debug)]
enum Fault {
    KillNode,
    StopNode,
    PauseNode,
    KillDatabase,
    PauseDatabase,
    KillRedis(Kept),
    WipeRedis,
    PauseRedis,
    KillNats,
    PauseNats,
}

const FAULTS: [Fault; 11] = [
    Fault::KillNode,
    Fault::StopNode,
    Fault::PauseNode,
    Fault::KillDatabase,
    Fault::PauseDatabase,
    Fault::KillRedis(Kept::Nothing),
    Fault::KillRedis(Kept::Dump),
    Fault::WipeRedis,
    Fault::PauseRedis,
    Fault::KillNats,
    Fault::PauseNats,
];

/// Plays until the chat is over, and fails if anything was lost, doubled or out of order, or if a fault did not happen while people
/// talked.
pub(crate) fn play(mut cluster: Cluster, seed: u64, rate: u32, files: &[PathBuf]) -> anyhow::Result<()> {
    let result = run(&mut cluster, seed, rate, files);
    let files: String = files.iter().map(|file| format!(" {}", file.display())).collect();
    cluster.end(result, &format!("cargo xtask dev-cluster --chaos --seed {seed} --rate {rate}{files}"))
}

fn run(cluster: &mut Cluster, seed: u64, rate: u32, files: &[PathBuf]) -> anyhow::Result<()> {
    let out = cluster.folder().join("replay.json");
    let chat = [root().join(CHAT)];
    let files = if files.is_empty() { &chat } else { files };
    let (url, folder) = (cluster.url(), cluster.folder().display().to_string());
    let words = format!("replay --chaos --json --seed {seed} --rate {rate} --server {url} --data {folder}");
    println!("anser {words}");
    let mut replay = Command::new(&cluster.anser);
    replay.args(words.split(' ')).args(files).stdout(fs::File::create(&out)?);
    let Playing(replay) = &mut Playing(replay.spawn()?);
    let mut lines = 0;
    for file in files {
        lines += fs::read(file)?.iter().filter(|byte| **byte == b'\n').count() as u64;
    }
    cluster.wait_for_talk(replay)?;

    let (mut dice, start) = (Dice(seed), Instant::now());
    let talk = Duration::from_secs(lines / u64::from(rate));
    let (mut waiting, mut forwarded) = (dice.shuffled(&FAULTS), 0);
    while start.elapsed() < talk && replay.try_wait()?.is_none() {
        let fault = waiting.pop().unwrap_or_else(|| FAULTS[dice.below(FAULTS.len() as u64) as usize]);
        let (node, time) = (dice.below(cluster.nodes.len() as u64) as usize, dice.millis(&FAULT_MS));
        println!("{:>4} s  {fault:?} for {} ms", start.elapsed().as_secs(), time.as_millis());
        // What a node counts ends with it.
        forwarded += cluster.count("anser_cluster_forwarded_total");
        fault.happen(cluster, node, time)?;
        // A slow machine has less peace, and every fault all the same.
        if waiting.is_empty() || start.elapsed() < talk / 2 {
            thread::sleep(dice.millis(&PEACE_MS));
        }
    }
    forwarded += cluster.count("anser_cluster_forwarded_total");
    let status = test::wait(replay, PLAY_MAX)?;
    let printed = fs::read_to_string(&out)?;
    print!("{printed}");
    ensure!(status.success(), "anser replay: {status}");
    ensure!(waiting.is_empty(), "the talk was over before {waiting:?} had happened: play it more slowly");
    ensure!(forwarded > 0, "no node appended for another");
    test::judge_faults(&test::judge_play(&printed)?)?;
    examine(cluster)
}

impl Fault {
    /// Everything is up again when this returns.
    fn happen(self, cluster: &mut Cluster, node: usize, time: Duration) -> anyhow::Result<()> {
        let Cluster { nodes, database, redis, nats, .. } = cluster;
        let wait = || thread::sleep(time);
        match self {
            Self::KillNode => {
                nodes[node].kill();
                wait();
                nodes[node].start_again()?;
            }
            Self::StopNode => {
                nodes[node].stop()?;
                nodes[node].start_again()?;
            }
            Self::PauseNode => {
                nodes[node].pause();
                wait();
                nodes[node].resume();
            }
            Self::KillDatabase => {
                database.kill();
                wait();
                database.start_again()?;
            }
            Self::PauseDatabase => {
                database.pause();
                wait();
                database.resume();
            }
            Self::KillRedis(kept) => {
                // A dump of some moments ago, so that what it restores is old.
                redis.command(&["SAVE"])?;
                wait();
                redis.kill();
                wait();
                redis.start_again(kept)?;
            }
            Self::WipeRedis => {
                redis.command(&["FLUSHALL"])?;
            }
            Self::PauseRedis => {
                redis.pause();
                wait();
                redis.resume();
            }
            Self::KillNats => {
                nats.kill();
                wait();
                nats.start_again()?;
            }
            Self::PauseNats => {
                nats.pause();
                wait();
                nats.resume();
            }
        }
        Ok(())
    }
}

/// What must hold in the tables themselves: every log is 1, 2, 3, … up to its head, with one copy for each who has one.
fn examine(cluster: &Cluster) -> anyhow::Result<()> {
    let all = |table: &str, columns: &str, which: &str| {
        let shard = |number| format!("SELECT {columns} FROM anser.im_message_{table}_{number} WHERE {which}");
        (0..SHARDS).map(shard).collect::<Vec<_>>().join(" UNION ALL ")
    };
    let pair = "LEAST(from_id, to_id) AS small_id, GREATEST(from_id, to_id) AS big_id, server_msg_id";
    let copies = [
        ("sent", all("send", pair, "TRUE"), "heads.small_id <> 0"),
        ("received", all("recv", pair, "to_id IS NOT NULL"), "heads.small_id <> 0 AND heads.small_id <> heads.big_id"),
        (
            "of groups",
            all("recv", "0 AS small_id, group_id AS big_id, server_msg_id", "group_id IS NOT NULL"),
            "heads.small_id = 0",
        ),
    ];
    for (name, rows, which) in copies {
        let wrong = cluster.database.execute(&format!(
            "SELECT COUNT(*), COALESCE(SUM(head), 0), COALESCE(SUM(kept <> head OR low <> 1 OR high <> head), 0) FROM (
                 SELECT heads.server_msg_id AS head, COUNT(log.server_msg_id) AS kept,
                        COALESCE(MIN(log.server_msg_id), 0) AS low, COALESCE(MAX(log.server_msg_id), 0) AS high
                 FROM anser.im_conversation AS heads
                 LEFT JOIN ({rows}) AS log ON log.small_id = heads.small_id AND log.big_id = heads.big_id
                 WHERE {which} GROUP BY heads.small_id, heads.big_id) AS logs"
        ));
        let wrong = wrong.with_context(|| format!("the copies {name} cannot be examined"))?;
        let numbers: Vec<u64> = wrong.split_whitespace().filter_map(|number| number.parse().ok()).collect();
        let [logs, messages, wrong] = numbers[..] else { bail!("the database said {wrong:?}") };
        let orphans = cluster.database.execute(&format!(
            "SELECT COUNT(*) FROM ({rows}) AS log LEFT JOIN anser.im_conversation AS heads
                 ON log.small_id = heads.small_id AND log.big_id = heads.big_id WHERE heads.big_id IS NULL"
        ))?;
        ensure!(orphans.trim() == "0", "copies {name}: {} without a head", orphans.trim());
        println!("copies {name}: {messages} in {logs} logs, {wrong} logs wrong");
        ensure!(wrong == 0 && logs > 0, "copies {name}: {wrong} of {logs} logs are not dense");
    }
    Ok(())
}

/// SplitMix64: the same faults for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % bound
    }

    fn shuffled<T: Copy>(&mut self, of: &[T]) -> Vec<T> {
        let mut left = of.to_vec();
        (0..of.len()).map(|_| left.swap_remove(self.below(left.len() as u64) as usize)).collect()
    }

    fn millis(&mut self, range: &std::ops::Range<u64>) -> Duration {
        Duration::from_millis(range.start + self.below(range.end - range.start))
    }
}
