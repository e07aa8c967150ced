//! A server process of one's own, on a temporary store: for the benches and for whoever else wants to be alone with one.

use std::{net::SocketAddr, path::PathBuf, process::Stdio, time::Duration};

use anser_server::{config::Config, token::Tokens};
use anyhow::{Context as _, bail};
use serde::Deserialize;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    time::timeout,
};

/// From the start of the process until it accepts.
const START_TIMEOUT: Duration = Duration::from_secs(30);
const STOP_TIMEOUT: Duration = Duration::from_secs(20);

/// Killed when it is dropped.
pub struct ServerProcess {
    child: Child,
    pub addresses: Addresses,
    dir: TempDir,
}

/// Of what `anser serve --json` prints once it accepts.
#[derive(Clone, Copy, Deserialize)]
pub struct Addresses {
    pub http: SocketAddr,
}

impl ServerProcess {
    /// Starts this very program as a server on ports of the system's choice. It runs with the defaults, whatever the
    /// environment says of another server: a certificate that is set there would shut out the plain connections made here.
    pub async fn start() -> anyhow::Result<Self> {
        let dir = tempfile::Builder::new().prefix("anser-").tempdir().context("no temporary folder")?;
        let mut serve = Command::new(std::env::current_exe()?);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"ANSER_")) {
            serve.env_remove(name);
        }
        let mut child = serve
            .args(["serve", "--json", "--http", "127.0.0.1:0", "--tcp", "127.0.0.1:0", "--data"])
            .arg(dir.path().join("data"))
            // What is measured is how fast it can be, not how fast it lets others be.
            .env("ANSER_LIMITS__REQUESTS_PER_S", "0")
            .env("ANSER_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("cannot start a server process")?;
        let stdout = child.stdout.take().context("the server has no output")?;
        let mut lines = BufReader::new(stdout).lines();
        let line = timeout(START_TIMEOUT, lines.next_line()).await.context("the server did not start in 30 s")??;
        let Some(line) = line else { bail!("the server process ended at once: its messages are above") };
        let addresses = serde_json::from_str(&line).with_context(|| format!("the server said {line:?}"))?;
        Ok(Self { child, addresses, dir })
    }

    pub fn url(&self) -> String {
        format!("ws://{}/v1/ws", self.addresses.http)
    }

    fn data_dir(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// What signs the tokens of its users.
    pub fn tokens(&self) -> anyhow::Result<Tokens> {
        Tokens::load(&Config::default().auth, &self.data_dir())
    }

    /// Bytes of memory that the process has in use: its resident set.
    pub fn memory_bytes(&self) -> anyhow::Result<u64> {
        let id = self.child.id().context("the server is gone")?;
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).context("no /proc: Linux is needed")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS in /proc")?;
        let kib: u64 = line.trim().trim_end_matches(" kB").parse().context("VmRSS is no number")?;
        Ok(kib * 1024)
    }

    /// Tells it to stop and waits until it has.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        let id = self.child.id().context("the server is gone already")?;
        Command::new("kill").args(["-TERM", &id.to_string()]).status().await?;
        let status = timeout(STOP_TIMEOUT, self.child.wait()).await.context("the server did not stop")??;
        if !status.success() {
            bail!("the server ended with {status}");
        }
        Ok(())
    }
}
