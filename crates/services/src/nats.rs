//! NATS, with JetStream in the temporary folder.

use std::net::SocketAddr;

use tempfile::TempDir;

use crate::{
    folder::Place,
    installed::program,
    process::{Process, greeting},
};

pub struct Nats {
    // Before the folder: the process ends first.
    process: Process,
    folder: TempDir,
}

impl Nats {
    pub fn start(place: Place) -> anyhow::Result<Self> {
        Self::start_with(place, &[])
    }

    /// As on the command line: `["--user", "u", "--pass", "p"]`.
    pub fn start_with(place: Place, options: &[&str]) -> anyhow::Result<Self> {
        let options: Vec<String> = options.iter().map(|option| (*option).to_owned()).collect();
        let folder = place.create("nats")?;
        let dir = folder.path().join("jetstream").display().to_string();
        let arguments = move |port: u16| {
            let port = port.to_string();
            let own = ["--addr", "127.0.0.1", "--port", &port, "--jetstream", "--store_dir", &dir].map(str::to_owned);
            own.into_iter().chain(options.iter().cloned()).collect()
        };
        let process = Process::start(program("nats-server")?, folder.path(), arguments, |stream| {
            Ok(greeting(stream)?.starts_with(b"INFO "))
        })?;
        Ok(Self { process, folder })
    }

    pub fn address(&self) -> SocketAddr {
        self.process.address()
    }

    pub fn url(&self) -> String {
        format!("nats://{}", self.address())
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

    /// On the same port, with what JetStream kept. One that still runs is killed first.
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
}
