//! A process of this bench, from outside: started with its task, let go, listened to, ended or killed.

use std::{
    env,
    io::{BufRead as _, BufReader, Lines, Write as _},
    process::{Child as Process, ChildStdin, ChildStdout, Command, Stdio},
    thread,
};

use anyhow::{Context as _, ensure};

use crate::{
    record::Record,
    task::Task,
    worker::{GO, MADE, READY},
};

pub(crate) struct Child {
    process: Process,
    /// Closed, it tells the process to end.
    stdin: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
}

/// What a process did until its end.
#[derive(Default)]
pub(crate) struct Made {
    /// If its task was to tell them.
    pub(crate) records: Vec<Record>,
    /// In its last phase.
    pub(crate) ids: u64,
    pub(crate) took_ns: u64,
}

impl Child {
    /// Returns when it has its connections.
    pub(crate) fn start(task: &Task) -> anyhow::Result<Self> {
        let mut command = Command::new(env::current_exe()?);
        command.arg(serde_json::to_string(task)?).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().context("this bench cannot start itself")?;
        let stdin = process.stdin.take();
        let lines = BufReader::new(process.stdout.take().context("its output is a pipe")?).lines();
        let mut child = Self { process, stdin, lines };
        let line = child.lines.next().transpose()?;
        ensure!(line.as_deref() == Some(READY), "a process of {} did not start", task.way.title());
        Ok(child)
    }

    pub(crate) fn go(&mut self) -> anyhow::Result<()> {
        let stdin = self.stdin.as_mut().context("it was not told to end")?;
        writeln!(stdin, "{GO}")?;
        Ok(())
    }

    /// Records, until there are enough of them.
    pub(crate) fn listen(&mut self, is_enough: impl Fn(&[Record]) -> bool) -> anyhow::Result<Vec<Record>> {
        let mut records = Vec::new();
        while !is_enough(&records) {
            let line = self.lines.next().context("it ended by itself")??;
            records.push(line.parse()?);
        }
        Ok(records)
    }

    /// As `kill -9` does; returns what it had told.
    pub(crate) fn kill(mut self) -> anyhow::Result<Vec<Record>> {
        self.process.kill()?;
        let lines = self.lines.by_ref();
        lines.map(|line| line?.parse()).collect()
    }

    /// Tells it to end.
    pub(crate) fn end(mut self) -> anyhow::Result<Made> {
        self.stdin = None;
        self.made()
    }

    fn made(&mut self) -> anyhow::Result<Made> {
        let mut made = Made::default();
        for line in self.lines.by_ref() {
            let line = line?;
            if let Some(sum) = line.strip_prefix(MADE) {
                let (ids, took_ns) = sum.trim().split_once(' ').context("a count and a time")?;
                (made.ids, made.took_ns) = (ids.parse()?, took_ns.parse()?);
                return Ok(made);
            }
            made.records.push(line.parse()?);
        }
        let status = self.process.wait()?;
        anyhow::bail!("a process ended before its time: {status}");
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // An error says that it has ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs the tasks at once, each in a process of its own. None ends before all have made their ids, since one may ask another.
pub(crate) fn run(tasks: &[Task]) -> anyhow::Result<Vec<Made>> {
    let mut children = tasks.iter().map(Child::start).collect::<anyhow::Result<Vec<_>>>()?;
    children.iter_mut().try_for_each(Child::go)?;
    thread::scope(|scope| {
        let listeners: Vec<_> = children.iter_mut().map(|child| scope.spawn(|| child.made())).collect();
        listeners.into_iter().map(|listener| listener.join().expect("it returns its errors")).collect()
    })
}
