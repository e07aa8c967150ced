//! `cargo xtask dev-cluster`: MariaDB, Redis, NATS and some nodes on this machine, for developers, for the chaos test and for
//! the benches.

mod calm;
mod chaos;
mod figures;
mod node;
mod rolling;

use std::{
    env, fs,
    io::{Read as _, Write as _},
    net::SocketAddr,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command},
    thread,
    time::{Duration, Instant},
};

use anser_services::{MariaDb, Nats, Place, Redis, require_services};
use anyhow::{Context as _, ensure};
use clap::{Args, ValueEnum};
use tempfile::TempDir;

use chaos::Chaos;
use node::Node;

use crate::root;

/// Of the chaos that every change must pass: a database that is silent for longer than anybody waits for it, and what is killed or
/// silent for longer than a lease.
const OUTAGES: Duration = Duration::from_secs(77);
/// From the start of a replay until somebody says something.
const TALK_MAX: Duration = Duration::from_secs(120);
const LOOK_EVERY: Duration = Duration::from_millis(100);

#[derive(Args)]
pub(crate) struct DevCluster {
    /// Servers that share the database
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=16))]
    nodes: u32,
    /// Plays real chat on it to which nothing happens, judges whether everything was pushed, and ends
    #[arg(long, conflicts_with_all = ["chaos", "rolling"])]
    calm: bool,
    /// Plays real chat on it while nodes and services are killed, judges, and ends
    #[arg(long)]
    chaos: bool,
    /// Plays real chat on it while one node after the other is restarted, judges, and ends
    #[arg(long, conflicts_with = "chaos")]
    rolling: bool,
    /// Of the rolling restart: another build, which the nodes are at first, and again at the end
    #[arg(long, value_name = "PATH", requires = "rolling")]
    old: Option<PathBuf>,
    /// Measures it beside the bare database, and ends
    #[arg(long, conflicts_with_all = ["calm", "chaos", "rolling", "debug"])]
    figures: bool,
    /// Of the chaos: another one makes other faults
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Of the chaos: lines a second [default: as slow as the faults need: 300 lines in 75 s and the outages]
    #[arg(long)]
    rate: Option<f64>,
    /// Of the chaos: how long may be taken for outages longer than the lease of a node (8 s each) and than every time-out of the
    /// database (45 s each); 122 has room for all of them, 0 for none, and a whole run takes about two minutes more than this
    #[arg(long, default_value_t = 122)]
    outages_s: u64,
    /// Of the chaos: IRC logs that are played [default: 300 lines of real chat]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Where `server_msg_id`s come from
    #[arg(long, default_value = "redis")]
    sequencer: Sequencer,
    /// The debug build, which is there sooner
    #[arg(long)]
    debug: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Sequencer {
    Redis,
    Head,
}

/// All of it. What is dropped first ends first: nodes before what they stand on.
pub(crate) struct Cluster {
    pub(crate) nodes: Vec<Node>,
    pub(crate) database: MariaDb,
    pub(crate) redis: Redis,
    pub(crate) nats: Nats,
    pub(crate) anser: PathBuf,
    folder: TempDir,
}

/// A replay on the cluster; ends when it is dropped.
struct Playing(Child);

impl Drop for Playing {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = (self.0.kill(), self.0.wait());
    }
}

impl DevCluster {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        require_services()?;
        let anser = build(self.debug)?;
        let place = if self.calm || self.chaos || self.rolling { Place::Tests } else { Place::Disk };
        let first = self.old.clone().unwrap_or_else(|| anser.clone());
        let mut cluster = Cluster::start(first, self.nodes, self.sequencer, place)?;
        cluster.anser.clone_from(&anser);
        if self.calm {
            return calm::play(cluster);
        }
        if self.chaos {
            let outages = Duration::from_secs(self.outages_s);
            return Chaos { seed: self.seed, rate: self.rate, outages, files: &self.files }.play(cluster);
        }
        if self.rolling {
            let builds: Vec<_> = [&anser].into_iter().chain(&self.old).map(PathBuf::as_path).collect();
            return rolling::roll(cluster, &builds);
        }
        if self.figures {
            return figures::measure(&cluster);
        }
        cluster.add_people()?;
        print!("{}", cluster.for_people());
        std::io::stdout().flush()?;
        // Ctrl-C ends this process, and with it everything that it started.
        loop {
            thread::park();
        }
    }
}

/// What a change must pass: calm weather, the chaos and a rolling restart, on the debug build that the tests have made already.
pub(crate) fn prove(seed: u64) -> anyhow::Result<()> {
    let anser = build(true)?;
    calm::play(Cluster::start(anser.clone(), 3, Sequencer::Redis, Place::Tests)?)?;
    let chaos = Chaos { seed, rate: None, outages: OUTAGES, files: &[] };
    chaos.play(Cluster::start(anser.clone(), 3, Sequencer::Redis, Place::Tests)?)?;
    rolling::roll(Cluster::start(anser.clone(), 3, Sequencer::Redis, Place::Tests)?, &[&anser])
}

/// The server's program, fresh.
pub(crate) fn build(debug: bool) -> anyhow::Result<PathBuf> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["build", "--quiet", "--locked", "--package", "anser"])
        .args((!debug).then_some("--release"))
        .current_dir(root());
    let status = cargo.status()?;
    ensure!(status.success(), "`cargo build`: {status}");
    // This program lies in the folder `debug` of the target folder.
    let own = env::current_exe()?;
    let target = own.parent().and_then(Path::parent).context("this program lies in no target folder")?;
    Ok(target.join(if debug { "debug" } else { "release" }).join("anser"))
}

impl Cluster {
    pub(crate) fn start(anser: PathBuf, nodes: u32, sequencer: Sequencer, place: Place) -> anyhow::Result<Self> {
        let (database, redis, nats) = (MariaDb::start(place)?, Redis::start(place)?, Nats::start(place)?);
        database.execute("CREATE DATABASE anser")?;
        let folder = place.create("nodes")?;
        create_secret(&folder.path().join("hs256.secret"))?;
        let mut cluster = Self { nodes: Vec::new(), database, redis, nats, anser, folder };
        for number in 1..=nodes {
            let node = Node::start(&cluster, number, sequencer)?;
            cluster.nodes.push(node);
        }
        Ok(cluster)
    }

    /// When something went wrong its stores and logs are kept, and `again` is said.
    fn end(self, result: anyhow::Result<()>, again: &str) -> anyhow::Result<()> {
        let Err(error) = result else { return Ok(()) };
        let Self { nodes, database, redis, nats, folder, .. } = self;
        drop(nodes);
        // Memory is no place to keep it, and what bears the name of a process that is gone is swept away.
        let kept = tempfile::Builder::new().prefix("anser-cluster-").tempdir()?.keep();
        for folder in [folder, database.into_folder(), redis.into_folder(), nats.into_folder()] {
            let moved = Command::new("mv").arg(folder.path()).arg(&kept).status()?;
            ensure!(moved.success(), "{} cannot be moved to {}: {error:#}", folder.path().display(), kept.display());
        }
        Err(error.context(format!("not all is right; stores and logs are kept: {}\n  again: {again}", kept.display())))
    }

    /// Where the secret lies that makes tokens for all nodes.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn database_url(&self) -> String {
        format!("{}/anser", self.database.url())
    }

    /// What the nodes count, all together.
    pub(crate) fn count(&self, name: &str) -> u64 {
        self.nodes.iter().filter_map(|node| node.metric(name)).sum()
    }

    /// What the doctor says of the database, while the nodes run.
    fn examine(&self) -> anyhow::Result<()> {
        let config = self.folder().join("node-1/anser.toml");
        let examined = Command::new(&self.anser).arg("doctor").arg("--config").arg(config).output()?;
        let (said, error) = (String::from_utf8_lossy(&examined.stdout), String::from_utf8_lossy(&examined.stderr));
        ensure!(examined.status.success(), "`anser doctor`: {said}{error}");
        print!("anser doctor: {said}");
        Ok(())
    }

    /// Until a replay has said something.
    fn wait_for_talk(&self, replay: &mut Child) -> anyhow::Result<()> {
        let start = Instant::now();
        while self.count("anser_requests_total{request=\"send\",outcome=\"OK\"}") == 0 {
            ensure!(start.elapsed() < TALK_MAX && replay.try_wait()?.is_none(), "nobody says anything");
            thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }

    /// Who can be talked to.
    fn add_people(&self) -> anyhow::Result<()> {
        for account in ["alice", "bob"] {
            let config = self.folder().join("node-1/anser.toml");
            let added = Command::new(&self.anser).args(["user", "add", account, "--config"]).arg(config).output()?;
            ensure!(added.status.success(), "`anser user add`: {}", String::from_utf8_lossy(&added.stderr));
        }
        Ok(())
    }

    /// For clients: all nodes.
    pub(crate) fn url(&self) -> String {
        let urls: Vec<String> = self.nodes.iter().map(|node| format!("ws://{}", node.address())).collect();
        urls.join(",")
    }

    fn for_people(&self) -> String {
        let (anser, folder, url) = (self.anser.display(), self.folder.path().display(), self.url());
        let address = self.database.address();
        let nodes: String = self.nodes.iter().map(|node| format!("    ws://{}/v1/ws\n", node.address())).collect();
        let first: Option<SocketAddr> = self.nodes.first().map(Node::address);
        let first = first.map_or_else(String::new, |address| address.to_string());
        format!(
            "\n  A cluster is ready:\n\n{nodes}\n    \
             {}\n    {}\n    {}\n    logs and secret in {folder}\n\n  \
             Let Alice and Bob talk, each in a terminal of their own, on whichever node:\n\n    \
             {anser} chat --as alice --to bob --server {url} --data {folder}\n    \
             {anser} chat --as bob --to alice --server {url} --data {folder}\n\n  \
             Look at it:\n\n    \
             curl http://{first}/v1/access\n    \
             mariadb --protocol=tcp --host={} --port={} --user=root anser\n\n  \
             Measure it, or try to break it:\n\n    \
             {anser} bench direct --server {url} --data {folder} --no-store\n    \
             {anser} replay --chaos --server {url} --data {folder} crates/cli/tests/data/ubuntu-2006-06-01.txt\n\n  \
             Ctrl-C stops everything; its data is removed when the next cluster starts.\n\n",
            self.database_url(),
            self.redis.url(),
            self.nats.url(),
            address.ip(),
            address.port(),
        )
    }
}

fn create_secret(path: &Path) -> anyhow::Result<()> {
    let mut secret = [0; 32];
    fs::File::open("/dev/urandom")?.read_exact(&mut secret)?;
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(&secret)?;
    Ok(())
}
