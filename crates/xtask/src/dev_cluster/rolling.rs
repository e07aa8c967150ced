//! A rolling restart of all nodes under load, as an operator upgrades them: what it costs the clients, and whether they all
//! come back at once.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};

use super::{Cluster, Playing, chaos::CHAT, node};
use crate::{root, test};

const LINES_PER_S: f64 = 5.0;
/// Devices of each speaker, so that there is a crowd.
const DEVICES: &str = "4";
/// From a node that is up again to the end of the next: until the clients of the last one have come back.
const BETWEEN: Duration = Duration::from_secs(5);
const SAMPLE_EVERY: Duration = Duration::from_millis(100);
const PLAY_MAX: Duration = Duration::from_secs(300);

/// All of them become each of these builds in turn.
pub(crate) fn roll(mut cluster: Cluster, builds: &[&Path]) -> anyhow::Result<()> {
    let result = run(&mut cluster, builds);
    cluster.end(result, "cargo xtask dev-cluster --rolling")
}

fn run(cluster: &mut Cluster, builds: &[&Path]) -> anyhow::Result<()> {
    // The talk outlasts all of it.
    let lines_per_s = (LINES_PER_S / builds.len() as f64).to_string();
    let out = cluster.folder().join("replay.json");
    let replay = Command::new(&cluster.anser)
        .args(["replay", "--json", "--rate", &lines_per_s, "--devices", DEVICES, "--server", &cluster.url(), "--data"])
        .arg(cluster.folder())
        .arg(root().join(CHAT))
        .stdout(fs::File::create(&out)?)
        .spawn()?;
    let Playing(replay) = &mut Playing(replay);
    cluster.wait_for_talk(replay)?;
    let sockets: Vec<_> = cluster.nodes.iter().map(|node| node.socket().to_owned()).collect();
    let over = Arc::new(AtomicBool::new(false));
    let sampler = {
        let over = Arc::clone(&over);
        thread::spawn(move || sample(&sockets, &over))
    };
    let (start, mut moved) = (Instant::now(), Vec::new());
    for build in builds {
        for node in &mut cluster.nodes {
            moved.push(node.metric("anser_connections").context("a node does not say how many it has")?);
            node.stop()?;
            node.start_again_as(build)?;
            thread::sleep(BETWEEN);
        }
    }
    let rolled = start.elapsed();
    // The last of them are told to wait for up to five seconds.
    thread::sleep(Duration::from_secs(6));
    over.store(true, Ordering::Relaxed);
    let logins = sampler.join().ok().context("the sampler died")?;
    ensure!(replay.try_wait()?.is_none(), "the chat was over before the nodes had been restarted");

    let status = test::wait(replay, PLAY_MAX)?;
    let printed = fs::read_to_string(&out)?;
    print!("{printed}");
    ensure!(status.success(), "anser replay: {status}");
    test::judge_play(&printed)?;
    cluster.examine()?;
    judge(&moved, &logins, rolled)
}

/// Whoever was moved came back, once, and they did not all come at once.
fn judge(moved: &[u64], logins: &[(Instant, u64)], rolled: Duration) -> anyhow::Result<()> {
    let (moves, total) = (moved.iter().sum::<u64>(), logins.iter().map(|(_, count)| count).sum::<u64>());
    let second_from = |begin: Instant| -> u64 {
        let within = logins.iter().filter(|(at, _)| *at >= begin && *at < begin + Duration::from_secs(1));
        within.map(|(_, count)| count).sum()
    };
    let busiest = logins.iter().map(|(at, _)| second_from(*at)).max().unwrap_or(0);
    println!(
        "{} restarts in {:.1} s under load; they had {moved:?} connections, which came back with {total} logins, at most \
         {busiest} of them within one second",
        moved.len(),
        rolled.as_secs_f32()
    );
    // What a node counted since the last look is gone when it ends.
    ensure!(total >= moves - moves / 10, "not everybody came back: {total} logins of {moves} connections");
    // Some meet a node that is ending itself.
    ensure!(total <= moves + moves / 4, "a storm: {total} logins of {moves} connections");
    // Each crowd is spread over five seconds.
    let crowd = moved.iter().max().copied().unwrap_or(0);
    ensure!(busiest <= crowd / 2, "all at once: {busiest} within one second, of crowds of at most {crowd}");
    Ok(())
}

/// Logins on all nodes together, since the last look each time.
fn sample(sockets: &[PathBuf], over: &AtomicBool) -> Vec<(Instant, u64)> {
    let look = |socket| node::metric(socket, "anser_logins_total");
    let mut last: Vec<u64> = sockets.iter().map(|socket| look(socket).unwrap_or(u64::MAX)).collect();
    let mut logins = Vec::new();
    while !over.load(Ordering::Relaxed) {
        thread::sleep(SAMPLE_EVERY);
        for (socket, last) in sockets.iter().zip(&mut last) {
            // A node that was started again counts from the beginning.
            if let Some(count) = look(socket) {
                // Of one that was not seen before, nothing is known to be new.
                let new = if *last == u64::MAX { 0 } else { count.checked_sub(*last).unwrap_or(count) };
                logins.push((Instant::now(), new));
                *last = count;
            }
        }
    }
    logins
}
