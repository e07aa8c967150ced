//! A reader's folder, with `target/release/anser` in it, where lines are run as they stand on a page.

use std::{
    ffi::OsString,
    fs,
    io::{BufRead as _, BufReader},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::root;

/// What a checkout has and the pages name.
const CHECKOUT: [&str; 4] = ["Cargo.toml", "crates", "deploy", "proto"];
/// What `tests/stand-ins.sh` is called.
const STAND_INS: [&str; 6] = ["cargo", "docker", "redis-cli", "sudo", "systemctl", "systemd-run"];

pub struct Reader {
    folder: TempDir,
    settings: Vec<(&'static str, OsString)>,
    server: Option<Child>,
    /// Of the WebSocket of the server that runs.
    pub address: String,
    /// `host:port` of its other port.
    pub tcp: String,
}

impl Reader {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let checkout = folder.path().join("anser");
        let (release, programs) = (checkout.join("target/release"), folder.path().join("bin"));
        for folder in [&release, &programs] {
            fs::create_dir_all(folder).expect("a folder for the test");
        }
        let link = |from: &Path, to: PathBuf| symlink(from, to).expect("a link for the test");
        for name in CHECKOUT {
            link(&root().join(name), checkout.join(name));
        }
        link(Path::new(env!("CARGO_BIN_EXE_anser")), release.join("anser"));
        link(Path::new(env!("CARGO_BIN_EXE_anser")), programs.join("anser"));
        for name in STAND_INS {
            link(&root().join("crates/cli/tests/stand-ins.sh"), programs.join(name));
        }
        Self { folder, settings: Vec::new(), server: None, address: String::new(), tcp: String::new() }
    }

    /// For all that is run from now on.
    pub fn set(&mut self, name: &'static str, value: impl Into<OsString>) {
        self.settings.push((name, value.into()));
    }

    pub fn home(&self) -> &Path {
        self.folder.path()
    }

    pub fn checkout(&self) -> PathBuf {
        self.folder.path().join("anser")
    }

    /// The folder of a program of their own, beside the checkout.
    pub fn app(&self) -> PathBuf {
        self.folder.path().join("hello")
    }

    /// Runs lines, which must end well, and tells what they print.
    pub fn run(&self, lines: &str) -> String {
        self.run_in(&self.checkout(), lines)
    }

    pub fn run_in(&self, folder: &Path, lines: &str) -> String {
        let output = self.shell(folder, lines).stdin(Stdio::null()).output().expect("there is a shell");
        let [said, complaint] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).expect("text"));
        assert!(output.status.success(), "{lines}\n{}: {said}{complaint}", output.status);
        said
    }

    /// Runs the line that starts a server, until it says where it listens.
    pub fn serve(&mut self, line: &str) {
        let line = format!("exec {line}");
        let mut shell = self.shell(&self.checkout(), &line);
        // Of the system's choice, since others may have the usual ones.
        shell.env("ANSER_LISTEN__HTTP", "127.0.0.1:0").env("ANSER_LISTEN__TCP", "127.0.0.1:0");
        let mut server = shell.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("there is a shell");
        let mut told = BufReader::new(server.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
        let mut address = |name| {
            let address = told.find_map(|line| Some(line.trim().strip_prefix(name)?.trim().to_owned()));
            address.expect("it says where it listens")
        };
        self.address = address("WebSocket").trim_end_matches("/v1/ws").to_owned();
        self.tcp = address("TCP").trim_start_matches("tcp://").to_owned();
        self.server = Some(server);
        // What else it says finds nobody, which must not end it.
        std::thread::spawn(move || told.for_each(drop));
    }

    /// As an operator ends a server; it is waited for when the reader is dropped.
    pub fn stop(&self) {
        kill_process(Pid::from_child(self.server.as_ref().expect("it runs")), Signal::TERM).expect("it runs");
    }

    /// `host:port` of the server's WebSocket.
    pub fn host(&self) -> &str {
        self.address.trim_start_matches("ws://")
    }

    fn shell(&self, folder: &Path, lines: &str) -> Command {
        let path = std::env::var("PATH").expect("a path");
        let mut shell = Command::new("sh");
        shell.args(["-e", "-c", lines]).current_dir(folder);
        shell.env("PATH", format!("{}:{path}", self.folder.path().join("bin").display()));
        shell.env("XDG_DATA_HOME", self.folder.path());
        shell
            .env("READER", std::env::current_exe().expect("a path"))
            .env_remove("ANSER_TOKEN")
            .env_remove("MYSQL_HOME");
        shell.envs(self.settings.iter().map(|(name, value)| (name, value)));
        shell
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(server) = &mut self.server {
            // One that ended by itself cannot be killed.
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}
