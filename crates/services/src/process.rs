//! One server process on a port of its own: started, killed, paused, started again, and ended with its owner.
//!
//! The kernel kills a child when the *thread* that spawned it ends (`PR_SET_PDEATHSIG`), so each process has a thread
//! that lives as long as its owner, however that one ends.

use std::{
    fs::{self, File},
    io::Read as _,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    ops::Range,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        atomic::{AtomicU32, Ordering::Relaxed},
        mpsc::{SyncSender, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::installed::program;

/// From the start to the first answer. A database that recovers from a kill takes its time.
const START_MAX: Duration = Duration::from_secs(60);
/// For a port that somebody else has taken while the process was down.
const PORT_FREE_MAX: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(10);
const ANSWER_MAX: Duration = Duration::from_secs(2);
/// Below those that the system gives away by itself (`ip_local_port_range`: from 32768 on).
const PORTS: Range<u16> = 20_000..32_000;
/// Between the first ports of two processes whose ids follow each other.
const PORTS_APART: u32 = 101;
/// Ports tried until one is not taken between being chosen and being bound.
const PORTS_TRIED: u32 = 5;
/// Lines of the log that an error shows.
const LOG_SHOWN: usize = 15;

/// Ends when it is dropped, and when its owner dies.
pub struct Process {
    program: PathBuf,
    /// Given the port.
    arguments: Box<dyn Fn(u16) -> Vec<String> + Send + Sync>,
    /// Whether what listens at the address is ready.
    answers: fn(&mut TcpStream) -> std::io::Result<bool>,
    log: PathBuf,
    port: u16,
    running: Option<Running>,
}

struct Running {
    child: Child,
    /// The thread that spawned the child ends when this is dropped.
    _spawner: SyncSender<()>,
}

impl Process {
    /// `arguments` are given the port. It is up once `answers` says so of what listens there; what it says goes to `log` in the
    /// folder.
    pub fn start(
        program: PathBuf,
        folder: &Path,
        arguments: impl Fn(u16) -> Vec<String> + Send + Sync + 'static,
        answers: fn(&mut TcpStream) -> std::io::Result<bool>,
    ) -> anyhow::Result<Self> {
        let log = folder.join("log");
        let mut process = Self { program, arguments: Box::new(arguments), answers, log, port: 0, running: None };
        let mut last = None;
        for _ in 0..PORTS_TRIED {
            process.port = free_port()?;
            match process.run() {
                Ok(()) => return Ok(process),
                Err(error) => last = Some(error),
            }
            // Only a port that somebody took is worth another attempt.
            if is_free(process.port) {
                break;
            }
        }
        Err(last.context("no port was tried")?)
    }

    /// On the same port.
    pub fn start_again(&mut self) -> anyhow::Result<()> {
        self.kill();
        let start = Instant::now();
        while !is_free(self.port) && start.elapsed() < PORT_FREE_MAX {
            thread::sleep(LOOK_EVERY);
        }
        self.run()
    }

    /// From its next start on it is another program, which takes the same arguments.
    pub fn becomes(&mut self, program: &Path) {
        self.program = program.to_owned();
    }

    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// As `kill -9` does. Returns when it is gone; nothing happens to one that is not running.
    pub fn kill(&mut self) {
        if let Some(mut running) = self.running.take() {
            // An error says that it has ended by itself.
            let _ = running.child.kill();
            let _ = running.child.wait();
        }
    }

    /// Tells it to end by itself and waits until it has; kills it if it has not in so long.
    pub fn stop(&mut self, patience: Duration) -> anyhow::Result<()> {
        self.signal(Signal::TERM);
        let start = Instant::now();
        while let Some(running) = &mut self.running {
            if running.child.try_wait()?.is_some() {
                self.running = None;
            } else if start.elapsed() > patience {
                self.kill();
                bail!("{} did not end within {} s and was killed", self.program.display(), patience.as_secs());
            } else {
                thread::sleep(LOOK_EVERY);
            }
        }
        Ok(())
    }

    /// It keeps its connections and answers nothing.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let pid = self.running.as_ref().and_then(|running| Pid::from_raw(i32::try_from(running.child.id()).ok()?));
        if let Some(pid) = pid {
            // It may have ended by itself, which whoever asks it something will see.
            let _ = kill_process(pid, signal);
        }
    }

    fn run(&mut self) -> anyhow::Result<()> {
        self.running =
            Some(spawn(self.command()?).with_context(|| format!("{} cannot be started", self.program.display()))?);
        let start = Instant::now();
        while !self.is_ready() {
            let ended = self.running.as_mut().and_then(|running| running.child.try_wait().ok()?);
            if ended.is_some() || start.elapsed() > START_MAX {
                self.kill();
                let why = if ended.is_some() { "ended by itself" } else { "does not answer" };
                bail!("{} {why} at its start; its log ends with:\n{}", self.program.display(), end_of(&self.log));
            }
            thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }

    fn command(&self) -> anyhow::Result<Command> {
        let log = File::options().create(true).append(true).open(&self.log)?;
        let mut command = Command::new(program("setpriv")?);
        command.args(["--pdeathsig", "KILL", "--"]).arg(&self.program).args((self.arguments)(self.port));
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        Ok(command)
    }

    fn is_ready(&self) -> bool {
        let answer = TcpStream::connect_timeout(&self.address(), ANSWER_MAX).and_then(|mut stream| {
            stream.set_read_timeout(Some(ANSWER_MAX))?;
            (self.answers)(&mut stream)
        });
        answer.unwrap_or(false)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

fn spawn(mut command: Command) -> std::io::Result<Running> {
    let (spawned_tx, spawned_rx) = sync_channel(1);
    let (spawner_tx, spawner_rx) = sync_channel::<()>(0);
    thread::Builder::new().name("spawner".into()).spawn(move || {
        if spawned_tx.send(command.spawn()).is_ok() {
            // Nothing is ever sent: it returns when the owner is dropped.
            let _ = spawner_rx.recv();
        }
    })?;
    let child = spawned_rx.recv().map_err(std::io::Error::other)??;
    Ok(Running { child, _spawner: spawner_tx })
}

/// A port that is free, and stays so while nobody listens on it: the system gives none of these to whoever connects or asks for
/// any port. Of one process each call gives another one.
pub fn free_port() -> anyhow::Result<u16> {
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    // Each process begins elsewhere.
    let first = std::process::id().wrapping_mul(PORTS_APART);
    let ports = u32::from(PORTS.end - PORTS.start);
    for _ in 0..ports {
        let offset = first.wrapping_add(TAKEN.fetch_add(1, Relaxed)) % ports;
        let port = PORTS.start + u16::try_from(offset).expect("below the number of ports");
        if is_free(port) {
            return Ok(port);
        }
    }
    bail!("no port of {PORTS:?} is free")
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

fn end_of(log: &Path) -> String {
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LOG_SHOWN)..].join("\n")
}

/// The first bytes that a server says by itself.
pub(crate) fn greeting(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut bytes = [0; 512];
    let length = stream.read(&mut bytes)?;
    Ok(bytes[..length].to_vec())
}

/// Runs a client to its end and returns what it said.
pub(crate) fn said_by(mut command: Command) -> anyhow::Result<String> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("{command:?} cannot be started"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{command:?} failed: {}{}", said.trim(), String::from_utf8_lossy(&output.stdout).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
