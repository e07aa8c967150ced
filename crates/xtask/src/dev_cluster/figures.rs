//! What a cluster does a second, beside what the bare database does in the same run. Everything shares this machine: MariaDB,
//! Redis, NATS, the nodes and the load generator.

use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::Cluster;
use crate::root;

pub(crate) fn measure(cluster: &Cluster) -> anyhow::Result<()> {
    ensure!(cluster.nodes.len() >= 3, "the figures need three nodes");
    let urls: Vec<String> = cluster.nodes.iter().map(|node| format!("ws://{}", node.address())).collect();
    let (one, two, three) = (urls[0].clone(), urls[..2].join(","), urls[..3].join(","));

    let bare = bare_rates(cluster)?;
    let (rows, one_by_one) = (number(&bare, "bare")?, number(&bare, "one_by_one")?);
    println!("bare inserts of both rows, 4 connections, batches of 100: {rows:.0} /s");
    println!("one group message a commit: {one_by_one:.0} /s");

    let direct = bench(cluster, "direct --no-store --connections 200", &two)?;
    let rate = number(&direct, "rate")?;
    println!(
        "durable one-to-one sends over two nodes: {rate:.0} /s, {:.2} of the bare inserts (goal 0.30)",
        rate / rows
    );

    let group = bench(cluster, "group --members 1000 --online 60 --writers 60 --in-flight 32", &three)?;
    let rate_of_group = number(&group, "rate")?;
    let times = rate_of_group / one_by_one;
    println!(
        "a group of 1 000 over three nodes, 60 of them there and writing: {rate_of_group:.0} /s, {times:.1} times one a commit (goal 5)"
    );

    let most = steady_rate(cluster, &two)?;
    let half = format!("{STEADY} --rate {}", most / 2);
    let (alone, across) = (bench(cluster, &half, &one)?, bench(cluster, &half, &two)?);
    let (alone, across) = (number(&alone, "delivery_p99_ms")?, number(&across, "delivery_p99_ms")?);
    println!(
        "delivery at half of {most} /s, p99: {alone:.1} ms on one node, {across:.1} ms across two, {:.2} times (goal 3)",
        across / alone
    );
    Ok(())
}

const STEADY: &str = "direct --no-store --connections 200";

/// The highest of some rates, sent on time whatever comes back, that the nodes keep up with.
fn steady_rate(cluster: &Cluster, url: &str) -> anyhow::Result<u64> {
    let mut most = None;
    for rate in [4_000, 6_000, 9_000, 13_000, 20_000, 30_000_u64] {
        let run = bench(cluster, &format!("{STEADY} --rate {rate} --seconds 6"), url)?;
        if number(&run, "delivery_rate")? < 0.98 * rate as f64 || number(&run, "delivery_p99_ms")? > KEPT_UP_MS {
            println!("they do not keep up with {rate} /s: {run}");
            break;
        }
        most = Some(rate);
    }
    most.context("two nodes do not keep up with the lowest rate")
}

/// Beyond it a queue grows somewhere.
const KEPT_UP_MS: f64 = 1_000.0;

/// The line of a scenario of `anser bench`.
fn bench(cluster: &Cluster, words: &str, url: &str) -> anyhow::Result<Value> {
    println!("anser bench {words}");
    let output = Command::new(&cluster.anser)
        .arg("bench")
        .args(words.split(' '))
        .args(["--json", "--server", url, "--data"])
        .arg(cluster.folder())
        .stderr(Stdio::null())
        .output()?;
    ensure!(output.status.success(), "anser bench {words}: {}", output.status);
    last_line(&output.stdout)
}

fn bare_rates(cluster: &Cluster) -> anyhow::Result<Value> {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["bench", "--quiet", "--package", "anser-store", "--features", "cluster", "--bench", "cluster"])
        .env("ANSER_BENCH_DATABASE", cluster.database.url())
        .current_dir(root())
        .stderr(Stdio::inherit())
        .output()?;
    ensure!(output.status.success(), "the bare rates cannot be measured: {}", output.status);
    last_line(&output.stdout)
}

fn last_line(printed: &[u8]) -> anyhow::Result<Value> {
    let printed = String::from_utf8_lossy(printed);
    let line = printed.lines().last().context("nothing was printed")?;
    serde_json::from_str(line).with_context(|| format!("no line of JSON: {line}"))
}

fn number(of: &Value, key: &str) -> anyhow::Result<f64> {
    of[key].as_f64().with_context(|| format!("there is no number {key} in {of}"))
}
