//! A process of this bench, from inside: asks a way for ids as its task says, and tells what it got.

use std::{
    io::{Write as _, stdin, stdout},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::Context as _;
use tokio::{sync::watch, task::JoinSet, time};

use crate::{
    record::{Record, monotonic_ns},
    task::{CALLERS, CONVERSATIONS, Clock, Failures, Phase, Task, Told},
    ways::{self, Caller, Source},
};

pub(crate) const READY: &str = "ready";
pub(crate) const GO: &str = "go";
/// Followed by the count and the nanoseconds of the last phase.
pub(crate) const MADE: &str = "made ";

/// Between two attempts.
const AGAIN_AFTER: Duration = Duration::from_millis(20);
/// Beyond the time of a phase: an answer that does not come at all.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// What the callers of a phase share.
struct Run {
    source: Arc<dyn Source>,
    phase: Phase,
    number: usize,
    until_ns: u64,
    made: AtomicU64,
    pace_ms: u64,
    told: Told,
    failures: Failures,
    /// Changes when the process is told to end.
    stage: watch::Receiver<Stage>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Wait,
    Go,
    End,
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn work(task: Task) -> anyhow::Result<()> {
    let clock = Arc::new(Clock::default());
    let opening = time::timeout(ANSWER_MAX, open(&task, &clock));
    let (source, mut callers) = opening.await.context("the way cannot be opened in time")??;
    let (stage_tx, mut stage) = watch::channel(Stage::Wait);
    thread::spawn(move || listen(&stage_tx));
    say(READY)?;
    stage.wait_for(|stage| *stage != Stage::Wait).await?;

    let (mut last, mut records) = (String::new(), Vec::new());
    for (number, phase) in task.phases.iter().enumerate() {
        if let Some(clock_ms) = phase.clock_ms {
            clock.set(clock_ms);
        }
        let begun_ns = monotonic_ns();
        let run = Arc::new(Run {
            source: Arc::clone(&source),
            phase: *phase,
            number,
            until_ns: begun_ns + phase.ms_max * 1_000_000,
            made: AtomicU64::new(0),
            pace_ms: task.pace_ms,
            told: task.told,
            failures: task.failures,
            stage: stage.clone(),
        });
        callers = make(&run, callers, &mut records).await?;
        last = format!("{MADE}{} {}", run.made.load(Ordering::Relaxed), monotonic_ns() - begun_ns);
    }
    tell(records, last).await?;
    stage.wait_for(|stage| *stage == Stage::End).await?;
    Ok(())
}

async fn open(task: &Task, clock: &Arc<Clock>) -> anyhow::Result<(Arc<dyn Source>, Vec<Box<dyn Caller>>)> {
    let source = ways::open(task, Arc::clone(clock)).await?;
    let mut callers = Vec::new();
    for _ in 0..CALLERS {
        callers.push(source.caller().await?);
    }
    Ok((source, callers))
}

/// Until the standard input says so, nothing begins, and it ends with it.
fn listen(stage: &watch::Sender<Stage>) {
    for line in stdin().lines().map_while(Result::ok) {
        if line == GO {
            stage.send_replace(Stage::Go);
        }
    }
    stage.send_replace(Stage::End);
}

async fn make(
    run: &Arc<Run>,
    callers: Vec<Box<dyn Caller>>,
    records: &mut Vec<Record>,
) -> anyhow::Result<Vec<Box<dyn Caller>>> {
    let mut tasks = JoinSet::new();
    for (number, caller) in (0..).zip(callers) {
        tasks.spawn(call(Arc::clone(run), caller, number));
    }
    let all = time::timeout(Duration::from_millis(run.phase.ms_max) + ANSWER_MAX, tasks.join_all());
    let mut callers = Vec::new();
    for ended in all.await.context("an answer did not come")? {
        let (caller, made) = ended?;
        callers.push(caller);
        records.extend(made);
    }
    Ok(callers)
}

/// One caller, until the phase ends.
async fn call(
    run: Arc<Run>,
    mut caller: Box<dyn Caller>,
    number: u32,
) -> anyhow::Result<(Box<dyn Caller>, Vec<Record>)> {
    let mut records = Vec::new();
    // Callers stand apart, and come to every conversation.
    let mut conversation = number * CONVERSATIONS / CALLERS;
    let mut begin_ns = monotonic_ns();
    while begin_ns < run.until_ns && run.stage.has_changed().is_ok_and(|ends| !ends) {
        if run.made.fetch_add(1, Ordering::Relaxed) >= run.phase.ids_max {
            run.made.fetch_sub(1, Ordering::Relaxed);
            break;
        }
        conversation = (conversation + 1) % CONVERSATIONS;
        match caller.make(conversation).await {
            Ok(id) => {
                let end_ns = monotonic_ns();
                let record = Record { conversation, id, phase: run.number, begin_ns, end_ns };
                match run.told {
                    Told::HowMany => drop(std::hint::black_box(record)),
                    Told::AtTheEnd => records.push(record),
                    Told::AtOnce => say(&record.to_string())?,
                }
                begin_ns = end_ns;
            }
            Err(error) if run.failures == Failures::EndTheRun => return Err(error),
            Err(_) => {
                run.made.fetch_sub(1, Ordering::Relaxed);
                time::sleep(AGAIN_AFTER).await;
                caller = run.source.caller().await.unwrap_or(caller);
                begin_ns = monotonic_ns();
            }
        }
        if run.pace_ms > 0 {
            time::sleep(Duration::from_millis(run.pace_ms)).await;
            begin_ns = monotonic_ns();
        }
    }
    Ok((caller, records))
}

/// On a thread of its own: this process may have to answer others until they are done.
async fn tell(records: Vec<Record>, end: String) -> anyhow::Result<()> {
    let telling = tokio::task::spawn_blocking(move || {
        let mut lines: Vec<String> = records.iter().map(Record::to_string).collect();
        lines.push(end);
        say(&lines.join("\n"))
    });
    telling.await?
}

/// In one write: what is killed says lines that are whole.
fn say(line: &str) -> anyhow::Result<()> {
    stdout().lock().write_all(format!("{line}\n").as_bytes())?;
    Ok(())
}
