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
mod secure;

use std::{fs, ops::Range, path::PathBuf, time::Duration};

use anser_server::{config::Config, system_clock, token::Tokens};
use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use tempfile::TempDir;
use tokio_rustls::TlsConnector;

use self::{link::Link, secure::Tls};
use crate::{
    child::{Interrupted, ServerProcess},
    out,
    settings::{Settings, tokens_of},
};

/// A token outlives every bench.
const TOKEN_S: u64 = 24 * 3600;
/// Logins under way at one time: no more than a server that is careful lets wait from one address.
const LOGINS_AT_ONCE: usize = 32;

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
    /// Issuers (PEM) of the certificate of that server, if its URL begins with wss
    #[arg(long, value_name = "FILE", requires = "server")]
    ca: Option<PathBuf>,
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
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
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
        runtime.block_on(Interrupted::or(async {
            match self.scenario {
                Scenario::Direct(direct) => direct.run().await,
                Scenario::Group(group) => group.run().await,
                Scenario::Idle(idle) => idle.run().await,
            }
        }))
    }
}

/// The server that is measured.
struct Target {
    /// Of each node.
    urls: Vec<String>,
    tokens: Tokens,
    tls: Option<TlsConnector>,
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
            return Self::start().await;
        };
        let urls =
            url.split(',').map(|url| format!("{}/v1/ws", url.trim().trim_end_matches("/v1/ws").trim_end_matches('/')));
        let urls = urls.collect();
        let config = common.settings.as_ref().unwrap_or(&Settings::default()).load()?;
        let tokens = tokens_of(&config, "name that server's data folder with --data, or its settings with --config")?;
        let tls = match &common.ca {
            Some(file) => {
                let ca = fs::read(file).with_context(|| format!("cannot read --ca {}", file.display()))?;
                Some(secure::connector(&ca).with_context(|| format!("--ca {} names no issuer", file.display()))?)
            }
            None => None,
        };
        Ok(Self { urls, tokens, tls, process: None, _data: None })
    }

    /// A server of one's own on a temporary store.
    async fn start() -> anyhow::Result<Self> {
        let folder = temporary_folder()?;
        let process = ServerProcess::start(folder.path()).await?;
        Self::own("ws", folder, process, None)
    }

    async fn start_secure() -> anyhow::Result<Self> {
        let folder = temporary_folder()?;
        let Tls { settings, connector } = Tls::write(folder.path())?;
        let process = ServerProcess::start_with(folder.path(), settings).await?;
        Self::own("wss", folder, process, Some(connector))
    }

    fn own(scheme: &str, folder: TempDir, process: ServerProcess, tls: Option<TlsConnector>) -> anyhow::Result<Self> {
        let urls = vec![format!("{scheme}://{}/v1/ws", process.ports.http)];
        let tokens = Tokens::load(&Config::default().auth, folder.path())?;
        Ok(Self { urls, tokens, tls, process: Some(process), _data: Some(folder) })
    }

    /// Logs users in, `bench-0` and on, with progress.
    async fn log_in(&self, users: Range<usize>) -> anyhow::Result<Vec<Link>> {
        use futures_util::{StreamExt as _, stream};

        let count = users.len();
        let logins = stream::iter(users).map(|number| {
            let account = format!("bench-{number}");
            let now_s = system_clock()() / 1000;
            let token = self.tokens.mint(&account, now_s, now_s + TOKEN_S);
            let url = &self.urls[number % self.urls.len()];
            let tls = self.tls.as_ref();
            async move { Link::open(url, token, tls).await.with_context(|| format!("{account} cannot log in")) }
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

fn temporary_folder() -> anyhow::Result<TempDir> {
    tempfile::Builder::new().prefix("anser-").tempdir().context("no temporary folder")
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
