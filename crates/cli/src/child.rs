//! A server process of one's own: this very program on a data folder, which can be killed and comes back where it was. For
//! the benches, the replay and whoever else wants to be alone with one.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anser_server::secrets::create_data_dir;
use anyhow::{Context as _, bail};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use serde::Deserialize;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    signal::{
        ctrl_c,
        unix::{SignalKind, signal},
    },
    time::timeout,
};

/// From the start of the process until it accepts.
const START_MAX: Duration = Duration::from_secs(60);
const STOP_MAX: Duration = Duration::from_secs(20);
/// What it is to do is as fast as it can, not as fast as it lets others be.
const SETTINGS: [(&str, &str); 14] = [
    ("ANSER_LISTEN__OPERATOR", "127.0.0.1:0"),
    ("ANSER_LIMITS__REQUESTS_PER_S", "0"),
    ("ANSER_LIMITS__REQUESTS_BURST", "0"),
    ("ANSER_LIMITS__SENDS_PER_S", "0"),
    ("ANSER_LIMITS__REACTIONS_PER_S", "0"),
    ("ANSER_LIMITS__EDITS_PER_S", "0"),
    ("ANSER_LIMITS__MARKS_PER_S", "0"),
    ("ANSER_LIMITS__ACCOUNT_LOOKUPS_PER_MIN", "0"),
    ("ANSER_LIMITS__CONTACT_REQUESTS_PER_MIN", "0"),
    ("ANSER_LIMITS__LINK_USES_PER_MIN", "0"),
    ("ANSER_LIMITS__NEW_GROUPS_PER_H", "0"),
    ("ANSER_LIMITS__CONVERSATION_SENDS_PER_S", "0"),
    ("ANSER_LIMITS__CONVERSATION_REACTIONS_PER_S", "0"),
    ("ANSER_LOG", "warn"),
];
/// Lines of its log that are shown when it does not start.
const LOG_LINES: usize = 10;

/// Killed when it is dropped: see below.
pub struct ServerProcess {
    data: PathBuf,
    pub ports: Ports,
    settings: Vec<(&'static str, PathBuf)>,
    child: Child,
}

/// Where it accepts: of what `anser serve --json` prints once it does.
#[derive(Clone, Copy, Deserialize)]
pub struct Ports {
    pub http: SocketAddr,
    pub tcp: SocketAddr,
}

impl ServerProcess {
    /// On ports of the system's choice. It runs with the defaults, whatever the environment says of another server: a
    /// certificate that is set there would shut out the plain connections made here.
    pub async fn start(data: &Path) -> anyhow::Result<Self> {
        Self::start_with(data, Vec::new()).await
    }

    /// With files that settings name, by their variable of the environment.
    pub async fn start_with(data: &Path, settings: Vec<(&'static str, PathBuf)>) -> anyhow::Result<Self> {
        create_data_dir(data)?;
        let any = ([127, 0, 0, 1], 0).into();
        let (child, ports) = spawn(data, Ports { http: any, tcp: any }, &settings).await?;
        Ok(Self { data: data.to_owned(), ports, settings, child })
    }

    /// `kill -9`, and waits until it is dead.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill().await.context("cannot kill the server")
    }

    /// After [`ServerProcess::kill`]: on the same folder and ports.
    pub async fn start_again(&mut self) -> anyhow::Result<()> {
        (self.child, self.ports) = spawn(&self.data, self.ports, &self.settings).await?;
        Ok(())
    }

    /// Tells it to stop and waits until it has.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        let id =
            self.child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?)).context("the server is gone already")?;
        kill_process(id, Signal::TERM).context("cannot tell the server to stop")?;
        let status = timeout(STOP_MAX, self.child.wait()).await.context("the server did not stop")??;
        if !status.success() {
            bail!("the server ended with {status}");
        }
        Ok(())
    }

    /// Bytes of memory that the process has in use: its resident set.
    pub fn memory_bytes(&self) -> anyhow::Result<u64> {
        let id = self.child.id().context("the server is gone")?;
        let status = fs::read_to_string(format!("/proc/{id}/status")).context("no /proc: Linux is needed")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS in /proc")?;
        let kib: u64 = line.trim().trim_end_matches(" kB").parse().context("VmRSS is no number")?;
        Ok(kib * 1024)
    }
}

/// Whatever it still had to write is written before the folder goes: it is waited for, which takes a moment after `kill -9`.
impl Drop for ServerProcess {
    fn drop(&mut self) {
        if let Some(id) = self.child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?)) {
            let _ = kill_process(id, Signal::KILL).and_then(|()| waitpid(Some(id), WaitOptions::empty()));
        }
    }
}

/// Somebody ended the command in the middle, as with Ctrl-C.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
pub struct Interrupted;

impl Interrupted {
    /// Works until it is done or somebody ends the command. What is dropped then ends its server and takes its folder away.
    pub async fn or<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            done = work => done,
            _ = ctrl_c() => Err(Self.into()),
            _ = terminate.recv() => Err(Self.into()),
        }
    }
}

async fn spawn(data: &Path, ports: Ports, settings: &[(&str, PathBuf)]) -> anyhow::Result<(Child, Ports)> {
    let log = data.join("server.log");
    let mut serve = Command::new(std::env::current_exe()?);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"ANSER_")) {
        serve.env_remove(name);
    }
    let mut child = serve
        .args(["serve", "--json", "--http", &ports.http.to_string(), "--tcp", &ports.tcp.to_string()])
        // However this process ends.
        .args(["--owner", &std::process::id().to_string(), "--data"])
        .arg(data)
        .envs(SETTINGS)
        .envs(settings.iter().map(|(name, file)| (name, file)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(fs::OpenOptions::new().create(true).append(true).open(&log)?)
        .kill_on_drop(true)
        .spawn()
        .context("cannot start a server process")?;
    let stdout = child.stdout.take().expect("it was piped");
    let mut lines = BufReader::new(stdout).lines();
    match timeout(START_MAX, lines.next_line()).await {
        Ok(Ok(Some(line))) => {
            let ports = serde_json::from_str(&line).with_context(|| format!("the server said {line:?}"))?;
            Ok((child, ports))
        }
        Ok(_) => bail!("the server process ended at once; it said:\n{}", last_lines(&log)),
        Err(_) => bail!("the server did not start in {} s; it said:\n{}", START_MAX.as_secs(), last_lines(&log)),
    }
}

fn last_lines(log: &Path) -> String {
    let said = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = said.lines().collect();
    lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
}
