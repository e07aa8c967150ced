//! A server process of one's own, seen from inside: its memory and its open files.

use std::{
    fs, io,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::Stdio,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, bail};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    time::timeout,
};

use crate::{
    secure,
    site::{Site, Tokens},
};

const START_MAX: Duration = Duration::from_secs(60);
/// What messages leave in the page cache of the database is not what is looked for.
/// One address stands for many attackers, so the limits of one address are wide, and logins are given up within an attack. What a user does often
/// has no limits of its own: they would keep attacks away from all that is behind them, and slow down those who only watch.
const SETTINGS: [(&str, &str); 13] = [
    ("ANSER_STORE__CACHE_MB", "8"),
    ("ANSER_LOG", "warn"),
    ("ANSER_LIMITS__LOGIN_MS", "5000"),
    ("ANSER_LIMITS__STRANGERS_PER_ADDRESS", "1000"),
    ("ANSER_LIMITS__ATTEMPTS_PER_S", "1000"),
    ("ANSER_LIMITS__SENDS_PER_S", "0"),
    ("ANSER_LIMITS__REACTIONS_PER_S", "0"),
    ("ANSER_LIMITS__EDITS_PER_S", "0"),
    ("ANSER_LIMITS__MARKS_PER_S", "0"),
    ("ANSER_LIMITS__ACCOUNT_LOOKUPS_PER_MIN", "0"),
    ("ANSER_LIMITS__NEW_GROUPS_PER_H", "0"),
    ("ANSER_LIMITS__CONVERSATION_SENDS_PER_S", "0"),
    ("ANSER_LIMITS__CONVERSATION_REACTIONS_PER_S", "0"),
];

/// Killed when it is dropped.
pub struct Victim {
    child: Child,
    pub site: Site,
    folder: TempDir,
}

impl Victim {
    /// Starts `program`, which is `anser`, with defaults and these settings from the environment.
    pub async fn start(program: &Path, settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("anser-").tempdir().context("no temporary folder")?;
        let data = folder.path().join("data");
        let mut serve = Command::new(program);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"ANSER_")) {
            serve.env_remove(name);
        }
        let mut child = serve
            .args(["serve", "--json", "--http", "127.0.0.1:0", "--tcp", "127.0.0.1:0", "--data"])
            .arg(&data)
            .envs(SETTINGS)
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(folder.path().join("log"))?)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let mut lines = BufReader::new(child.stdout.take().context("it was piped")?).lines();
        let Ok(Ok(Some(line))) = timeout(START_MAX, lines.next_line()).await else {
            bail!("the server did not start: {}", fs::read_to_string(folder.path().join("log"))?);
        };
        let ready: Value = serde_json::from_str(&line).with_context(|| format!("the server said {line:?}"))?;
        let port = |name: &str| -> anyhow::Result<SocketAddr> {
            ready[name].as_str().with_context(|| format!("no {name} in {line}"))?.parse().context("an address")
        };
        let tokens = Arc::new(Tokens::load(&data)?);
        let is_secure = settings.iter().any(|(name, _)| *name == "ANSER_TLS__CERT_FILE");
        let tls = is_secure.then(secure::connector).transpose()?;
        let site = Site { http: port("http")?, tcp: port("tcp")?, tokens, data, from: Ipv4Addr::LOCALHOST, tls };
        Ok(Self { child, site, folder })
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Bytes of memory that it has in use now: its resident set.
    pub fn memory_bytes(&self) -> anyhow::Result<u64> {
        self.status("VmRSS:")
    }

    /// The most that it had in use since [`Victim::forget_peak`].
    pub fn peak_bytes(&self) -> anyhow::Result<u64> {
        self.status("VmHWM:")
    }

    pub fn forget_peak(&self) -> anyhow::Result<()> {
        fs::write(self.proc("clear_refs")?, "5").context("the system does not reset the peak of the memory")
    }

    /// File descriptors, sockets among them.
    pub fn open_files(&self) -> anyhow::Result<usize> {
        Ok(fs::read_dir(self.proc("fd")?)?.count())
    }

    /// What its threads are called.
    pub fn threads(&self) -> anyhow::Result<Vec<String>> {
        let name = |thread: io::Result<fs::DirEntry>| fs::read_to_string(thread?.path().join("comm"));
        let names = fs::read_dir(self.proc("task")?)?.map(name).collect::<io::Result<Vec<_>>>()?;
        Ok(names.iter().map(|name| name.trim_end().to_owned()).collect())
    }

    fn status(&self, name: &str) -> anyhow::Result<u64> {
        let status = fs::read_to_string(self.proc("status")?)?;
        let line = status.lines().find_map(|line| line.strip_prefix(name)).with_context(|| format!("no {name}"))?;
        let kib: u64 = line.trim().trim_end_matches(" kB").parse().with_context(|| format!("{name} is no number"))?;
        Ok(kib * 1024)
    }

    fn proc(&self, name: &str) -> anyhow::Result<String> {
        let id = self.child.id().with_context(|| format!("the server is gone; it said: {}", self.log()))?;
        Ok(format!("/proc/{id}/{name}"))
    }
}
