//! `anser bench`: a load generator with real sockets in a process of its own.
//!
//! Without `--server` it starts a server process on a temporary store. Figures are for the two together on one machine, which
//! share its cores; compare ratios of one run, not runs of different days.

mod bare;
mod direct;
mod group;
mod idle;
mod link;
mod report;

use std::time::Duration;

use anser_server::{config::Config, system_clock, token::Tokens};
use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use tempfile::TempDir;

use self::link::Link;
use crate::{
    child::ServerProcess,
    out,
    settings::{Settings, tokens_of},
};

/// A token outlives every bench.
const TOKEN_S: u64 = 24 * 3600;
/// Logins under way at one time.
const LOGINS_AT_ONCE: usize = 64;

#[derive(Args)]
pub struct Bench {
    #[command(subcommand)]
    scenario: Scenario,
}

#[derive(Subcommand)]
enum Scenario {
    /// Users write to each other one to one; beside it, the bare store's rate on the same rows
    Direct(direct::Direct),
    /// A group of users who are all connected
    Group(group::Group),
    /// Connections that do nothing, and the memory that each costs
    Idle(idle::Idle),
}

/// What every scenario knows.
#[derive(Args)]
struct Common {
    /// A running server, as ws://host:port, with its settings below; several with commas between them are nodes of one cluster, over
    /// which connections are spread in turn; else one is started on a temporary store
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// Those of that server: they say which tokens it believes.
    #[command(flatten)]
    settings: Option<Settings>,
    /// Print one line of JSON instead of a table
    #[arg(long)]
    json: bool,
}

/// How hard and how long.
#[derive(Args)]
struct Load {
    /// Seconds that are measured
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Seconds before that, which are not
    #[arg(long, default_value_t = 3)]
    warm_up: u64,
    /// Messages a second, sent on time whatever comes back; 0: as fast as answers come
    #[arg(long, default_value_t = 0)]
    rate: u64,
    /// Bytes of a message's text
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(16..=65_536))]
    size: u32,
}

impl Bench {
    pub fn run(self) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(async {
            match self.scenario {
                Scenario::Direct(direct) => direct.run().await,
                Scenario::Group(group) => group.run().await,
                Scenario::Idle(idle) => idle.run().await,
            }
        })
    }
}

/// The server that is measured.
struct Target {
    /// Of each node.
    urls: Vec<String>,
    tokens: Tokens,
    process: Option<ServerProcess>,
    /// That of the process.
    _data: Option<TempDir>,
}

impl Target {
    async fn find(common: &Common) -> anyhow::Result<Self> {
        let Some(url) = &common.server else {
            if common.settings.is_some() {
                bail!("--data and --config are those of a running server: name it with --server, or leave them out");
            }
            let folder = tempfile::Builder::new().prefix("anser-").tempdir().context("no temporary folder")?;
            let process = ServerProcess::start(folder.path()).await?;
            let urls = vec![format!("ws://{}/v1/ws", process.ports.http)];
            let tokens = Tokens::load(&Config::default().auth, folder.path())?;
            return Ok(Self { urls, tokens, process: Some(process), _data: Some(folder) });
        };
        let urls =
            url.split(',').map(|url| format!("{}/v1/ws", url.trim().trim_end_matches("/v1/ws").trim_end_matches('/')));
        let urls = urls.collect();
        let config = common.settings.as_ref().unwrap_or(&Settings::default()).load()?;
        let tokens = tokens_of(&config, "name that server's data folder with --data, or its settings with --config")?;
        Ok(Self { urls, tokens, process: None, _data: None })
    }

    /// Logs users in, `bench-0` and on, with progress.
    async fn log_in(&self, count: usize) -> anyhow::Result<Vec<Link>> {
        use futures_util::{StreamExt as _, stream};

        let logins = stream::iter(0..count).map(|number| {
            let account = format!("bench-{number}");
            let token = self.tokens.mint(&account, system_clock()() / 1000 + TOKEN_S);
            let url = &self.urls[number % self.urls.len()];
            async move { Link::open(url, token).await.with_context(|| format!("{account} cannot log in")) }
        });
        let mut logins = logins.buffered(LOGINS_AT_ONCE);
        let mut links = Vec::with_capacity(count);
        while let Some(link) = logins.next().await {
            links.push(link?);
            if links.len() % 1000 == 0 || links.len() == count {
                out::aside(format_args!("{} of {count} logged in\n", links.len()));
            }
        }
        Ok(links)
    }

    async fn end(self) -> anyhow::Result<()> {
        match self.process {
            Some(process) => process.stop().await,
            None => Ok(()),
        }
    }
}

impl Load {
    fn warm_up(&self) -> Duration {
        Duration::from_secs(self.warm_up)
    }

    fn measured(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }
}

/// Fails early rather than at the connection that finds no file descriptor.
fn check_open_files(connections: usize) -> anyhow::Result<()> {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let soft = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft: usize = soft.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(usize::MAX);
    if connections + 100 > soft {
        bail!("{connections} connections need more open files than {soft}: raise it with `ulimit -n`");
    }
    Ok(())
}
