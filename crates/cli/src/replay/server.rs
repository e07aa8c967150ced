//! The server that is played against: a process of its own that can be killed and comes back where it was, or one that runs
//! somewhere. Knows processes and ports; not what is played.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anser_server::{config::Config, secrets::make_data_dir, system_clock, token::Tokens};
use anyhow::Context as _;
use serde::Deserialize;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    time::timeout,
};

/// How long a server may take until it accepts.
const START_MAX: Duration = Duration::from_secs(60);
/// How long the tokens hold.
const TOKEN_S: u64 = 24 * 3600;
/// Each connection sends as fast as the play does, and there are hundreds.
const SETTINGS: [(&str, &str); 2] = [("ANSER_LIMITS__REQUESTS_PER_S", "0"), ("ANSER_LIMITS__REQUESTS_BURST", "0")];

/// Makes tokens as an app's server would.
pub struct Minter(Tokens);

impl Minter {
    /// With the secret of a data folder, or one in a file.
    pub fn load(data: &Path, secret: Option<PathBuf>) -> anyhow::Result<Self> {
        let mut config = Config::load(None, std::env::vars())?;
        if secret.is_some() {
            config.auth.hs256_secret_file = secret;
        }
        Ok(Self(Tokens::load(&config.auth, data)?))
    }

    pub fn mint(&self, account: &str) -> String {
        self.0.mint(account, system_clock()() / 1000 + TOKEN_S)
    }
}

/// Where it accepts.
#[derive(Clone, Copy, Deserialize)]
pub struct Ports {
    pub http: SocketAddr,
    pub tcp: SocketAddr,
}

/// A server process of one's own. Ends with its owner.
pub struct OwnServer {
    data: PathBuf,
    pub ports: Ports,
    child: Child,
}

impl OwnServer {
    /// Starts this program as a server on the data folder, on ports of the system's choice.
    pub async fn start(data: &Path) -> anyhow::Result<Self> {
        make_data_dir(data)?;
        let any = ([127, 0, 0, 1], 0).into();
        let (child, ports) = spawn(data, Ports { http: any, tcp: any }).await?;
        Ok(Self { data: data.to_owned(), ports, child })
    }

    /// `kill -9`, and waits until it is dead.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill().await.context("cannot kill the server")
    }

    /// After [`OwnServer::kill`]: on the same folder and ports.
    pub async fn start_again(&mut self) -> anyhow::Result<()> {
        (self.child, self.ports) = spawn(&self.data, self.ports).await?;
        Ok(())
    }
}

async fn spawn(data: &Path, ports: Ports) -> anyhow::Result<(Child, Ports)> {
    let log = std::fs::OpenOptions::new().create(true).append(true).open(data.join("server.log"))?;
    let mut child = Command::new(std::env::current_exe()?)
        .args(["serve", "--json", "--data"])
        .arg(data)
        .args(["--http", &ports.http.to_string(), "--tcp", &ports.tcp.to_string()])
        .env("ANSER_LOG", "warn")
        .envs(SETTINGS)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .kill_on_drop(true)
        .spawn()
        .context("cannot start a server")?;
    let stdout = child.stdout.take().expect("it was piped");
    let ready = timeout(START_MAX, BufReader::new(stdout).lines().next_line()).await;
    let why = || format!("the server did not start: see {}", data.join("server.log").display());
    let line = ready.with_context(why)??.with_context(why)?;
    Ok((child, serde_json::from_str(&line).with_context(why)?))
}
