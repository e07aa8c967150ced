//! MariaDB with the settings that the server asks for at its start.

use std::{fs, net::SocketAddr, path::Path, process::Command};

use anyhow::Context as _;
use tempfile::TempDir;

use crate::{
    folder::Place,
    installed::program,
    process::{Process, greeting, said_by},
};

pub struct MariaDb {
    // Before the folder: the process ends first.
    process: Process,
    folder: TempDir,
}

/// What may differ from the settings that the server wants.
#[derive(Clone, Debug, Default)]
pub struct MariaDbOptions {
    /// As on the command line without the dashes (`sync_binlog=0`, `skip-log-bin`); the last of a name holds.
    pub settings: Vec<String>,
    /// It repeats what this one does, and is read-only for all but root.
    pub replica_of: Option<Source>,
}

/// Whom a replica follows.
#[derive(Clone, Copy, Debug)]
pub struct Source {
    pub address: SocketAddr,
    /// How far behind it stays at least.
    pub delay_s: u32,
}

/// In memory, and above what a bulk load of a test needs.
const BUFFER_POOL: &str = "256M";

impl MariaDb {
    pub fn start(place: Place) -> anyhow::Result<Self> {
        Self::start_with(place, MariaDbOptions::default())
    }

    pub fn start_with(place: Place, options: MariaDbOptions) -> anyhow::Result<Self> {
        let folder = place.create("mariadb")?;
        let data = folder.path().join("data");
        // Not the one that all share: a server that starts removes the temporary tables of every other from it.
        let tmp = folder.path().join("tmp");
        fs::create_dir(&tmp)?;
        install(&data, &tmp)?;
        let wanted = wanted(folder.path(), &data);
        let arguments = move |port: u16| {
            let own = [format!("port={port}"), format!("server_id={port}")];
            let settings = wanted.iter().chain(&own).chain(&options.settings).map(|setting| format!("--{setting}"));
            ["--no-defaults".into()].into_iter().chain(settings).collect()
        };
        // The first packet is the greeting: its length, a number, and the version of the protocol.
        let process = Process::start(program("mariadbd")?, folder.path(), arguments, |stream| {
            Ok(greeting(stream)?.get(4) == Some(&10))
        })?;
        let database = Self { process, folder };
        if let Some(source) = options.replica_of {
            database.follow(source)?;
        }
        Ok(database)
    }

    pub fn address(&self) -> SocketAddr {
        self.process.address()
    }

    /// Of root, who needs no password. It names no database.
    pub fn url(&self) -> String {
        format!("mysql://root@{}", self.address())
    }

    /// Runs statements as root and returns their rows: a line each, columns between tabs.
    pub fn execute(&self, sql: &str) -> anyhow::Result<String> {
        let address = self.address();
        let mut client = Command::new(program("mariadb")?);
        client.args(["--no-defaults", "--user=root", "--batch", "--skip-column-names", "--protocol=tcp"]);
        client.args([format!("--host={}", address.ip()), format!("--port={}", address.port())]);
        client.arg(format!("--execute={sql}"));
        said_by(client)
    }

    /// Ends it, and gives the folder with its data and its log.
    pub fn into_folder(self) -> TempDir {
        drop(self.process);
        self.folder
    }

    /// As `kill -9` does.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// With the same port, data and settings. One that still runs is killed first.
    pub fn start_again(&mut self) -> anyhow::Result<()> {
        self.process.start_again()
    }

    /// It keeps its connections and answers nothing.
    pub fn pause(&self) {
        self.process.pause();
    }

    pub fn resume(&self) {
        self.process.resume();
    }

    fn follow(&self, source: Source) -> anyhow::Result<()> {
        let Source { address, delay_s } = source;
        let (host, port) = (address.ip(), address.port());
        self.execute(&format!(
            "CHANGE MASTER TO MASTER_HOST='{host}', MASTER_PORT={port}, MASTER_USER='root', MASTER_CONNECT_RETRY=1, \
             MASTER_USE_GTID=slave_pos, MASTER_DELAY={delay_s}; START SLAVE; SET GLOBAL read_only=1"
        ))?;
        Ok(())
    }
}

fn install(data: &Path, tmp: &Path) -> anyhow::Result<()> {
    let mut install = Command::new(program("mariadb-install-db")?);
    install.args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-log-bin"]);
    // Else it leaves files of 100 MiB.
    install.args(["--innodb-log-file-size=16M", "--innodb-buffer-pool-size=32M"]);
    install.args([format!("--datadir={}", data.display()), format!("--tmpdir={}", tmp.display())]);
    install.args(as_root().map(|setting| format!("--{setting}")));
    said_by(install).context("the database cannot be created")?;
    Ok(())
}

fn wanted(folder: &Path, data: &Path) -> Vec<String> {
    let settings = [
        "bind-address=127.0.0.1",
        "skip-name-resolve",
        "log-bin=binlog",
        "sync_binlog=1",
        "binlog_format=ROW",
        "innodb_flush_log_at_trx_commit=1",
        "innodb_log_file_size=64M",
        "transaction-isolation=READ-COMMITTED",
        "character-set-server=utf8mb4",
        "collation-server=utf8mb4_bin",
        "max_allowed_packet=16M",
        "max_connections=500",
        "performance_schema=OFF",
    ];
    let mut wanted: Vec<String> = settings.map(str::to_owned).into();
    wanted.push(format!("innodb_buffer_pool_size={BUFFER_POOL}"));
    wanted.push(format!("datadir={}", data.display()));
    wanted.push(format!("tmpdir={}", folder.join("tmp").display()));
    wanted.push(format!("socket={}", folder.join("socket").display()));
    wanted.push(format!("pid-file={}", folder.join("pid").display()));
    wanted.extend(as_root());
    wanted
}

/// It refuses to run as root unless it is told to. To become somebody else would undo that it ends with its owner.
fn as_root() -> Option<String> {
    rustix::process::geteuid().is_root().then(|| "user=root".to_owned())
}
