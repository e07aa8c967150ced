//! Real chat on a cluster to which nothing happens: whatever one node stores must be pushed to who is connected to another.

use std::{fs, process::Command, time::Duration};

use anyhow::ensure;

use super::{Cluster, Playing, chaos::CHAT};
use crate::{root, test};

const LINES_PER_S: &str = "20";
const PLAY_MAX: Duration = Duration::from_secs(120);

pub(crate) fn play(cluster: Cluster) -> anyhow::Result<()> {
    let result = run(&cluster);
    cluster.end(result, "cargo xtask dev-cluster --calm")
}

fn run(cluster: &Cluster) -> anyhow::Result<()> {
    let out = cluster.folder().join("replay.json");
    let replay = Command::new(&cluster.anser)
        .args(["replay", "--calm", "--json", "--rate", LINES_PER_S, "--server", &cluster.url(), "--data"])
        .arg(cluster.folder())
        .arg(root().join(CHAT))
        .stdout(fs::File::create(&out)?)
        .spawn()?;
    let Playing(replay) = &mut Playing(replay);
    let status = test::wait(replay, PLAY_MAX)?;
    let printed = fs::read_to_string(&out)?;
    print!("{printed}");
    ensure!(status.success(), "anser replay: {status}");
    test::judge_calm(&printed)?;
    cluster.examine()
}
