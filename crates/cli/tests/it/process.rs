//! Processes of the real binary in folders of their own: a server that can be killed, and programs that talk line by line.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    process::{Child, ChildStdin, Command, Output, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, sync_channel},
    time::{Duration, Instant},
};

use anser_services::free_port;
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use tempfile::TempDir;

/// Longer than any wait of a client between two attempts.
const PATIENCE: Duration = Duration::from_secs(60);

/// Open files of a server whose files run out.
pub const FILES_MAX: u64 = 512;

/// A machine with a data folder and a home of its own. The server on it is restarted on the same port.
pub struct Machine {
    folder: TempDir,
    data: PathBuf,
    server: Option<Talking>,
    http: SocketAddr,
    tcp: SocketAddr,
    operator: SocketAddr,
}

impl Machine {
    /// With nothing on it, and no server.
    pub fn empty() -> Self {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let data = folder.path().join("data");
        // The server comes back on its port, which must not be given away meanwhile.
        let http = ([127, 0, 0, 1], free_port().expect("a port is free")).into();
        let unknown = ([127, 0, 0, 1], 0).into();
        Self { folder, data, server: None, http, tcp: unknown, operator: unknown }
    }

    /// With these users, none of whom has a password, and a server that runs.
    pub fn with_users(accounts: &[&str]) -> Self {
        let mut machine = Self::empty();
        for account in accounts {
            assert!(machine.run(&["user", "add", account], "").status.success());
        }
        machine.start();
        machine
    }

    pub fn start(&mut self) {
        self.start_with(&[]);
    }

    pub fn start_with(&mut self, settings: &[(&str, &str)]) {
        let log = File::options().create(true).append(true).open(self.log_path()).expect("a file for the log");
        self.start_logging_to(log, settings);
    }

    /// On the port of before, with the log going elsewhere.
    pub fn start_logging_to(&mut self, log: impl Into<Stdio>, settings: &[(&str, &str)]) {
        self.spawn(&[], log, settings);
    }

    fn spawn(&mut self, words: &[&str], log: impl Into<Stdio>, settings: &[(&str, &str)]) {
        let (http, tcp) = (self.http.to_string(), "127.0.0.1:0");
        let mut serve = self.command(&["serve", "--json", "--http", &http, "--tcp", tcp]);
        serve.args(words);
        let server = Talking::new(
            serve
                .env("ANSER_LOG", "trace")
                .env("ANSER_LISTEN__OPERATOR", "127.0.0.1:0")
                .envs(settings.iter().copied())
                .stderr(log)
                .spawn()
                .expect("the binary starts"),
        );
        let line = server.lines.recv_timeout(PATIENCE).unwrap_or_else(|error| panic!("{error}: {}", self.log()));
        let ready: serde_json::Value = serde_json::from_str(&line).expect("one line of JSON");
        let address = |name: &str| ready[name].as_str().and_then(|text| text.parse().ok()).expect("an address");
        (self.http, self.tcp, self.operator) = (address("http"), address("tcp"), address("operator"));
        self.server = Some(server);
    }

    /// As `kill -9` does.
    pub fn kill(&mut self) {
        drop(self.server.take());
    }

    /// What a terminal says that is closed, and who wants files read again.
    pub fn hang_up(&self) {
        let server = self.server.as_ref().expect("it runs");
        kill_process(Pid::from_child(&server.child), Signal::HUP).expect("it runs");
    }

    /// So many files may the server have open from now on.
    pub fn has_files(&self, count: u64) {
        let server = self.server.as_ref().expect("it runs");
        let limit = Rlimit { current: Some(count), maximum: Some(FILES_MAX) };
        prlimit(Some(Pid::from_child(&server.child)), Resource::Nofile, limit).expect("less than before");
    }

    /// Status and body.
    pub fn get(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.operator).expect("the port accepts");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time");
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer in time");
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        (status, body.to_owned())
    }

    /// Waits until the server has logged this so many times.
    pub fn awaits_log(&self, words: &str, times: usize) {
        let until = Instant::now() + PATIENCE;
        while self.log().matches(words).count() < times {
            assert!(Instant::now() < until, "{words:?} is not in {}", self.log());
            std::thread::yield_now();
        }
    }

    pub fn http(&self) -> SocketAddr {
        self.http
    }

    pub fn tcp(&self) -> SocketAddr {
        self.tcp
    }

    pub fn operator(&self) -> SocketAddr {
        self.operator
    }

    pub fn port(&self) -> u16 {
        self.http.port()
    }

    /// As an operator ends it; tells whether it ended well.
    pub fn stop(&mut self) -> bool {
        let mut server = self.server.take().expect("it runs");
        kill_process(Pid::from_child(&server.child), Signal::TERM).expect("it runs");
        server.child.wait().expect("it ends").success()
    }

    /// All that the server has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_path()).expect("a log")
    }

    pub fn data(&self) -> PathBuf {
        self.data.clone()
    }

    /// Below the machine's own folder, or elsewhere.
    pub fn data_lies_in(&mut self, path: &str) {
        self.data = self.folder.path().join(path);
    }

    /// Where chats would keep what they know.
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// Waits until the server says so when it is asked whether it is ready.
    pub fn becomes(&self, status: u16, word: &str) {
        let until = Instant::now() + PATIENCE;
        loop {
            let (answered, body) = self.get("/readyz");
            if answered == status && body.contains(word) {
                return;
            }
            assert!(Instant::now() < until, "it says {answered} {body}");
            std::thread::yield_now();
        }
    }

    /// With an empty store, though there was one.
    pub fn start_anew(&mut self) {
        self.start_as(&["--new-store"]);
    }

    /// With more words on the command line.
    pub fn start_as(&mut self, words: &[&str]) {
        let log = File::options().create(true).append(true).open(self.log_path()).expect("a file for the log");
        self.spawn(words, log, &[]);
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("server.log")
    }

    pub fn url(&self) -> String {
        format!("ws://{}", self.http)
    }

    /// Runs a command to its end.
    pub fn run(&self, words: &[&str], input: &str) -> Output {
        let mut child = self.command(words).stderr(Stdio::piped()).spawn().expect("the binary starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        // One that ends without reading breaks the pipe.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        child.wait_with_output().expect("it ends")
    }

    /// Starts a command that is talked with.
    pub fn talk(&self, words: &[&str]) -> Talking {
        Talking::new(self.command(words).spawn().expect("the binary starts"))
    }

    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_anser"));
        command
            .args(words)
            .env("ANSER_STORE__DIR", self.data())
            .env("XDG_DATA_HOME", self.home())
            .env("TZ", "UTC")
            .env_remove("ANSER_TOKEN")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        command
    }
}

/// A process whose lines are read as they come. Killed when it is dropped.
pub struct Talking {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Talking {
    fn new(mut child: Child) -> Self {
        let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let (tell, lines) = sync_channel(1024);
        // Ends with the process whose output it reads.
        std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        Self { stdin: child.stdin.take(), child, lines }
    }

    pub fn say(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("its input is open");
        stdin.write_all(format!("{line}\n").as_bytes()).and_then(|()| stdin.flush()).expect("it reads");
    }

    /// The next line of its output.
    pub fn line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("a line in time")
    }

    /// Ends its input, and tells the lines that still came and whether it ended well.
    pub fn end(mut self) -> (Vec<String>, bool) {
        drop(self.stdin.take());
        self.outlast()
    }

    /// As `kill -9` does; tells the lines that it still wrote.
    pub fn kill(mut self) -> Vec<String> {
        self.child.kill().expect("it runs");
        self.outlast().0
    }

    /// Waits until it ends by itself; tells the lines that still came and whether it ended well.
    pub fn outlast(mut self) -> (Vec<String>, bool) {
        let mut rest = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => rest.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it did not end"),
            }
        }
        (rest, self.child.wait().expect("it ends").success())
    }
}

impl Drop for Talking {
    fn drop(&mut self) {
        // One that ended by itself cannot be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
