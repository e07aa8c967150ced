//! Real chat on a cluster whose nodes and services are killed, stopped, paused and wiped meanwhile: every kind of fault at least
//! once, one after the other, for moments and for longer than anybody waits. Judged by the replay, which knows nothing of it, and by what the database says at the end.

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    process::{Child, Command},
    thread,
    time::{Duration, Instant},
};

use anser_services::Kept;
use anyhow::ensure;
use serde_json::json;

use super::{Cluster, Playing};
use crate::{root, test};

/// Real chat; see the README beside it.
pub(super) const CHAT: &str = "crates/cli/tests/data/ubuntu-2006-06-01.txt";
/// Between the end of one fault and the beginning of the next, in milliseconds.
const PEACE_MS: std::ops::Range<u64> = 500..2_500;
/// How long what was killed or paused stays so.
const FAULT_MS: std::ops::Range<u64> = 200..3_000;
/// From the end of the talk until everything is judged.
const END_MAX: Duration = Duration::from_secs(480);
/// How long the talk lasts so that every short fault finds its place in it.
const SHORT_FAULTS: Duration = Duration::from_secs(75);
/// Longer than the lease of a node in the directory, which is 5 s.
const LEASE_OUTLASTED: Duration = Duration::from_secs(8);
/// Longer than whatever waits for the database, at most 40 s.
const DATABASE_OUTLASTED: Duration = Duration::from_secs(45);

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

/// Beside the short ones. Those that come first are those that a bound of time spares.
const OUTAGES: [(Fault, Duration); 6] = [
    (Fault::PauseDatabase, DATABASE_OUTLASTED),
    (Fault::PauseNode, LEASE_OUTLASTED),
    (Fault::KillNode, LEASE_OUTLASTED),
    (Fault::PauseRedis, LEASE_OUTLASTED),
    (Fault::PauseNats, LEASE_OUTLASTED),
    (Fault::KillDatabase, DATABASE_OUTLASTED),
];

/// What happened how often, and what is still to happen.
struct Plan {
    dice: Dice,
    waiting: Vec<(Fault, Duration)>,
    happened: BTreeMap<String, u64>,
}

/// How it is played. Another seed makes other faults.
pub(crate) struct Chaos<'a> {
    pub(crate) seed: u64,
    /// Lines a second; none: as slowly as the faults need.
    pub(crate) rate: Option<f64>,
    /// All outages together that are longer than a lease.
    pub(crate) outages: Duration,
    /// None: 300 lines of real chat.
    pub(crate) files: &'a [PathBuf],
}

impl Chaos<'_> {
    /// Plays until the chat is over, and fails if anything was lost, doubled or out of order, or if a fault did not happen while people
    /// talked.
    pub(crate) fn play(&self, mut cluster: Cluster) -> anyhow::Result<()> {
        let result = self.run(&mut cluster);
        let Self { seed, outages, .. } = self;
        let rate = self.rate.map_or_else(String::new, |rate| format!(" --rate {rate}"));
        let files: String = self.files.iter().map(|file| format!(" {}", file.display())).collect();
        let outages = outages.as_secs();
        cluster
            .end(result, &format!("cargo xtask dev-cluster --chaos --seed {seed} --outages-s {outages}{rate}{files}"))
    }

    fn run(&self, cluster: &mut Cluster) -> anyhow::Result<()> {
        let out = cluster.folder().join("replay.json");
        let chat = [root().join(CHAT)];
        let files = if self.files.is_empty() { &chat } else { self.files };
        let mut lines = 0;
        for file in files {
            lines += fs::read(file)?.iter().filter(|byte| **byte == b'\n').count();
        }
        let mut plan = Plan::new(self.seed, self.outages);
        let rate = self.rate.unwrap_or(lines as f64 / plan.talk().as_secs_f64());
        ensure!(rate.is_finite() && rate > 0.0, "--rate {rate}: name a number of lines above 0");
        let talk = Duration::from_secs_f64(lines as f64 / rate);
        println!("the talk lasts {} s; with what is before and after it, half a minute to two more", talk.as_secs());
        let (seed, url, folder) = (self.seed, cluster.url(), cluster.folder().display());
        let words = format!("replay --chaos --json --seed {seed} --rate {rate:.3} --server {url} --data {folder}");
        println!("anser {words}");
        let mut replay = Command::new(&cluster.anser);
        replay.args(words.split(' ')).args(files).stdout(fs::File::create(&out)?);
        let Playing(replay) = &mut Playing(replay.spawn()?);
        cluster.wait_for_talk(replay)?;
        let forwarded = plan.provoke(cluster, replay, talk)?;
        let status = test::wait(replay, END_MAX)?;
        let printed = fs::read_to_string(&out)?;
        print!("{printed}");
        println!("{}", json!({ "faults": plan.happened }));
        ensure!(status.success(), "anser replay: {status}");
        let waiting = plan.waiting;
        ensure!(waiting.is_empty(), "the talk was over before {waiting:?} had happened: play it more slowly");
        ensure!(forwarded > 0, "no node appended for another");
        test::judge_faults(&test::judge_play(&printed)?)?;
        cluster.examine()
    }
}

impl Plan {
    /// Every fault once for a short time, and the outages that fit into theirs.
    fn new(seed: u64, mut outages: Duration) -> Self {
        let mut dice = Dice(seed);
        let mut waiting: Vec<_> = FAULTS.iter().map(|fault| (*fault, dice.millis(&FAULT_MS))).collect();
        for (fault, time) in OUTAGES {
            if let Some(left) = outages.checked_sub(time) {
                (outages, waiting) = (left, [waiting, vec![(fault, time)]].concat());
            } else {
                println!("no {fault:?} for {} s: there is no time for it", time.as_secs());
            }
        }
        Self { waiting: dice.shuffled(&waiting), dice, happened: BTreeMap::new() }
    }

    /// How long people must talk for it.
    fn talk(&self) -> Duration {
        SHORT_FAULTS
            + self.waiting.iter().map(|(_, time)| *time).filter(|time| *time >= LEASE_OUTLASTED).sum::<Duration>()
    }

    /// One fault after the other while people talk. Gives how many messages nodes appended for each other.
    fn provoke(&mut self, cluster: &mut Cluster, replay: &mut Child, talk: Duration) -> anyhow::Result<u64> {
        let (start, mut forwarded) = (Instant::now(), 0);
        while start.elapsed() < talk && replay.try_wait()?.is_none() {
            let again = (FAULTS[self.dice.below(FAULTS.len() as u64) as usize], self.dice.millis(&FAULT_MS));
            let (fault, time) = self.waiting.pop().unwrap_or(again);
            let node = self.dice.below(cluster.nodes.len() as u64) as usize;
            println!("{:>4} s  {fault:?} for {} ms", start.elapsed().as_secs(), time.as_millis());
            // What a node counts ends with it.
            forwarded += cluster.count("anser_cluster_forwarded_total");
            fault.happen(cluster, node, time)?;
            let long = if time >= LEASE_OUTLASTED { format!(" for {} s", time.as_secs()) } else { String::new() };
            *self.happened.entry(format!("{fault:?}{long}")).or_default() += 1;
            // A slow machine has less peace, and every fault all the same.
            if self.waiting.is_empty() || start.elapsed() < talk / 2 {
                thread::sleep(self.dice.millis(&PEACE_MS));
            }
        }
        Ok(forwarded + cluster.count("anser_cluster_forwarded_total"))
    }
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
