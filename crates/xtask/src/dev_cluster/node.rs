//! One server of the cluster: a process that can be killed, stopped, paused and started again where it was.

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    time::Duration,
};

use anser_services::Process;

use super::{Cluster, Sequencer};

/// For the goodbye to its clients and the end of all work.
const STOP_MAX: Duration = Duration::from_secs(30);
/// A node that does not answer so soon is busy with its end or its start.
const LOOK_MAX: Duration = Duration::from_secs(3);

pub(crate) struct Node {
    process: Process,
    /// What it answers on to whoever may open files in its folder.
    socket: PathBuf,
}

impl Node {
    pub(super) fn start(cluster: &Cluster, number: u32, sequencer: Sequencer) -> anyhow::Result<Self> {
        let folder = cluster.folder().join(format!("node-{number}"));
        fs::create_dir(&folder)?;
        let config = folder.join("anser.toml");
        fs::write(&config, settings(cluster, number, sequencer))?;
        let config = config.display().to_string();
        let arguments = move |port: u16| {
            let http = format!("127.0.0.1:{port}");
            ["serve", "--config", &config, "--http", &http, "--tcp", "127.0.0.1:0"].map(str::to_owned).into()
        };
        let process = Process::start(cluster.anser.clone(), &folder, arguments, is_ready)?;
        Ok(Self { process, socket: folder.join("operator.sock") })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.process.address()
    }

    /// As `kill -9` does.
    pub(crate) fn kill(&mut self) {
        self.process.kill();
    }

    /// As an operator does: clients are told to come back.
    pub(crate) fn stop(&mut self) -> anyhow::Result<()> {
        self.process.stop(STOP_MAX)
    }

    /// On the same port.
    pub(crate) fn start_again(&mut self) -> anyhow::Result<()> {
        self.process.start_again()
    }

    /// The same, as another build.
    pub(crate) fn start_again_as(&mut self, program: &Path) -> anyhow::Result<()> {
        self.process.becomes(program);
        self.process.start_again()
    }

    pub(crate) fn pause(&self) {
        self.process.pause();
    }

    pub(crate) fn resume(&self) {
        self.process.resume();
    }

    /// What it counts. None while it does not answer, or does not count that yet.
    pub(crate) fn metric(&self, name: &str) -> Option<u64> {
        metric(&self.socket, name)
    }

    pub(super) fn socket(&self) -> &Path {
        &self.socket
    }
}

/// How fast users may be.
const RATES: [&str; 12] = [
    "requests_per_s",
    "requests_burst",
    "sends_per_s",
    "reactions_per_s",
    "edits_per_s",
    "marks_per_s",
    "account_lookups_per_min",
    "contact_requests_per_min",
    "link_uses_per_min",
    "new_groups_per_h",
    "conversation_sends_per_s",
    "conversation_reactions_per_s",
];

/// Whoever measures is not to be braked, and a rolling restart is not to wait long.
fn settings(cluster: &Cluster, number: u32, sequencer: Sequencer) -> String {
    let folder = cluster.folder().display();
    let sequencer = format!("{sequencer:?}").to_lowercase();
    format!(
        "[listen]\noperator = \"127.0.0.1:0\"\ndrain_ms = 5000\n\n\
         [auth]\nhs256_secret_file = \"{folder}/hs256.secret\"\n\n\
         [store]\ndir = \"{folder}/node-{number}\"\n\n\
         [cluster]\ndatabase = \"{}\"\nredis = \"{}\"\nnats = \"{}\"\nnode = \"node-{number}\"\nsequencer = \"{sequencer}\"\n\n\
         [limits]\n{}",
        cluster.database_url(),
        cluster.redis.url(),
        cluster.nats.url(),
        RATES.map(|rate| format!("{rate} = 0\n")).concat(),
    )
}

fn is_ready(stream: &mut TcpStream) -> std::io::Result<bool> {
    Ok(get(stream, "/healthz")?.starts_with("HTTP/1.1 200"))
}

pub(super) fn metric(socket: &Path, name: &str) -> Option<u64> {
    let mut stream = UnixStream::connect(socket).ok()?;
    stream.set_read_timeout(Some(LOOK_MAX)).ok()?;
    let text = get(&mut stream, "/metrics").ok()?;
    text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}

fn get(stream: &mut (impl Read + Write), path: &str) -> std::io::Result<String> {
    write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
