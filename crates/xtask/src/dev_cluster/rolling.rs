//! A rolling restart of all nodes under load, as an operator upgrades them: what it costs the clients, and whether they all
//! come back at once.

use std::{
    fs,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};

use super::{Cluster, chaos::CHAT, node};
use crate::{root, test};

/// Devices of each speaker, so that there is a crowd.
const DEVICES: &str = "4";
/// From a node that is up again to the end of the next.
const BETWEEN: Duration = Duration::from_secs(1);
const SAMPLE_EVERY: Duration = Duration::from_millis(100);
const PLAY_MAX: Duration = Duration::from_secs(300);

pub(crate) fn roll(mut cluster: Cluster) -> anyhow::Result<()> {
    let out = cluster.folder().join("replay.json");
    let mut replay = Command::new(&cluster.anser)
        .args(["replay", "--json", "--rate", "15", "--devices", DEVICES, "--server", &cluster.url(), "--data"])
        .arg(cluster.folder())
        .arg(root().join(CHAT))
        .stdout(fs::File::create(&out)?)
        .spawn()?;
    let addresses: Vec<_> = cluster.nodes.iter().map(node::Node::address).collect();
    let count = |name| addresses.iter().filter_map(|address| node::metric(*address, name)).sum::<u64>();
    let start = Instant::now();
    while count("anser_requests_total{request=\"send\",outcome=\"OK\"}") == 0 {
        ensure!(start.elapsed() < PLAY_MAX && replay.try_wait()?.is_none(), "nobody says anything");
        thread::sleep(SAMPLE_EVERY);
    }
    let (crowd, over) = (count("anser_connections"), Arc::new(AtomicBool::new(false)));
    let sampler = {
        let (addresses, over) = (addresses.clone(), Arc::clone(&over));
        thread::spawn(move || sample(&addresses, &over))
    };
    let start = Instant::now();
    for node in &mut cluster.nodes {
        node.stop()?;
        node.start_again()?;
        thread::sleep(BETWEEN);
    }
    let rolled = start.elapsed();
    // The last of them are told to wait for up to five seconds.
    thread::sleep(Duration::from_secs(6));
    over.store(true, Ordering::Relaxed);
    let logins = sampler.join().ok().context("the sampler died")?;
    ensure!(replay.try_wait()?.is_none(), "the chat was over before the nodes had been restarted");

    let status = test::wait(&mut replay, PLAY_MAX)?;
    let printed = fs::read_to_string(&out)?;
    print!("{printed}");
    ensure!(status.success(), "anser replay: {status}");
    test::judge_play(&printed)?;
    let (total, busiest) = (logins.iter().sum::<u64>(), logins.windows(10).map(|second| second.iter().sum()).max());
    let (nodes, busiest): (_, u64) = (addresses.len(), busiest.unwrap_or(total));
    println!(
        "{nodes} nodes restarted in {:.1} s under load; {crowd} connections came back with {total} logins, \
         at most {busiest} of them within one second",
        rolled.as_secs_f32()
    );
    ensure!(total >= crowd, "not everybody was moved: {total} logins of {crowd} connections");
    // Each node that ends moves those that it has; nobody has to try twice.
    ensure!(total <= crowd * nodes as u64, "a storm: {total} logins of {crowd} connections");
    ensure!(busiest < crowd, "all at once: {busiest} of {crowd} connections within one second");
    Ok(())
}

/// Logins on all nodes together, in each tenth of a second.
fn sample(addresses: &[std::net::SocketAddr], over: &AtomicBool) -> Vec<u64> {
    let look = |address| node::metric(address, "anser_logins_total");
    let mut last: Vec<u64> = addresses.iter().map(|address| look(*address).unwrap_or(0)).collect();
    let mut logins = Vec::new();
    while !over.load(Ordering::Relaxed) {
        thread::sleep(SAMPLE_EVERY);
        let mut now = 0;
        for (address, last) in addresses.iter().zip(&mut last) {
            // A node that was started again counts from the beginning.
            if let Some(count) = look(*address) {
                now += count.checked_sub(*last).unwrap_or(count);
                *last = count;
            }
        }
        logins.push(now);
    }
    logins
}
