//! Redis that keeps nothing by itself: what it holds are hints.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    process::Command,
};

use anyhow::ensure;
use tempfile::TempDir;

use crate::{
    folder::Place,
    installed::program,
    process::{Process, said_by},
};

pub struct Redis {
    // Before the folder: the process ends first.
    process: Process,
    folder: TempDir,
}

/// What a Redis that is started again has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kept {
    Nothing,
    /// What it had when it was last told `SAVE`, which may be long ago.
    Dump,
}

const DUMP: &str = "dump.rdb";

impl Redis {
    pub fn start(place: Place) -> anyhow::Result<Self> {
        Self::start_with(place, &[])
    }

    /// `["--appendonly", "yes"]`, …: the last of a name holds. A file of commands is kept, whatever [`Kept`] says.
    pub fn start_with(place: Place, settings: &[&str]) -> anyhow::Result<Self> {
        let folder = place.create("redis")?;
        let dir = folder.path().display().to_string();
        let settings: Vec<String> = settings.iter().copied().map(str::to_owned).collect();
        let arguments = move |port: u16| {
            let port = port.to_string();
            let options = ["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", &dir];
            options.map(str::to_owned).into_iter().chain(settings.iter().cloned()).collect()
        };
        let process = Process::start(program("redis-server")?, folder.path(), arguments, answers)?;
        Ok(Self { process, folder })
    }

    pub fn address(&self) -> SocketAddr {
        self.process.address()
    }

    pub fn url(&self) -> String {
        format!("redis://{}", self.address())
    }

    /// `["FLUSHALL"]`, `["SAVE"]`, …: returns what it answers, in lines.
    pub fn command(&self, words: &[&str]) -> anyhow::Result<String> {
        let address = self.address();
        let mut client = Command::new(program("redis-cli")?);
        client.args(["-h", &address.ip().to_string(), "-p", &address.port().to_string()]).args(words);
        let said = said_by(client)?.trim_end().to_owned();
        ensure!(!said.starts_with("ERR ") && !said.starts_with("WRONGTYPE "), "redis refused {words:?}: {said}");
        Ok(said)
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

    /// On the same port. One that still runs is killed first.
    pub fn start_again(&mut self, kept: Kept) -> anyhow::Result<()> {
        self.process.kill();
        let dump = self.folder.path().join(DUMP);
        if kept == Kept::Nothing && dump.exists() {
            fs::remove_file(dump)?;
        }
        self.process.start_again()
    }

    /// It keeps its connections and answers nothing.
    pub fn pause(&self) {
        self.process.pause();
    }

    pub fn resume(&self) {
        self.process.resume();
    }
}

fn answers(stream: &mut TcpStream) -> std::io::Result<bool> {
    stream.write_all(b"PING\r\n")?;
    let mut answer = [0; 5];
    stream.read_exact(&mut answer)?;
    Ok(&answer == b"+PONG")
}
