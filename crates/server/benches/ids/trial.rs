//! What each way goes through: a trial is a question, and its answer a cell of the table.

use crate::{
    child::{self, Child, Made},
    judge::{self, Aftermath, Scope},
    record::{Record, monotonic_ns},
    servers::Servers,
    task::{Failures, Phase, Task, Told, system_ms},
    ways::Way,
};

const PROCESSES: u32 = 3;
/// How long ids are made as fast as they can be, after some time in which they are not counted.
const RATE_MS: u64 = 800;
const WARM_UP_MS: u64 = 200;
/// The best of them counts: whoever else uses the machine makes a way slower, and never faster.
const ROUNDS: u32 = 3;
/// Ids of each process where they are looked at one by one.
const IDS: u64 = 2_000;
/// What callers then wait between ids, so that processes meet however fast a way is.
const PACE_MS: u64 = 1;
/// Before and after something is killed.
const IDS_BESIDE_KILL: usize = 500;
/// Of a run that ends by itself: longer than a database takes to come back.
const RUN_MS_MAX: u64 = 60_000;
/// The time in which ids are made with a clock that is set, as fast as they can be.
const CLOCK_MS: u64 = 250;
const IDS_BY_CLOCK: u64 = 20_000;
const HOUR_MS: u64 = 3_600_000;

/// What was seen of a way.
pub(crate) struct Row {
    pub(crate) way: Way,
    /// Ids per second of one process, and of three together.
    pub(crate) rates: [f64; 2],
    pub(crate) alone: Seen,
    pub(crate) three: Seen,
    pub(crate) bytes: usize,
    pub(crate) letters: usize,
    pub(crate) process_killed: Aftermath,
    /// None of a way that rests on none.
    pub(crate) servers_killed: Option<Aftermath>,
    /// The process that saw the jump, and the one that is started after it.
    pub(crate) clock_back: [Aftermath; 2],
    /// None of a way that has none.
    pub(crate) counter_wiped: Option<Aftermath>,
}

/// Of ids that nothing disturbed.
#[derive(Clone, Copy)]
pub(crate) struct Seen {
    pub(crate) ids: usize,
    pub(crate) doubles: usize,
    pub(crate) doubles_in_conversation: usize,
    pub(crate) unordered: usize,
    pub(crate) holes: u128,
}

pub(crate) fn compare(way: Way, servers: &mut Servers) -> anyhow::Result<Row> {
    let rates = [rate(way, servers, 1)?, rate(way, servers, PROCESSES)?];
    let (alone, three) = (look(way, servers, 1)?, look(way, servers, PROCESSES)?);
    let all = || alone.iter().chain(&three).map(|record| record.id);
    let (bytes, letters) = (all().map(|id| id.bytes()).max(), all().map(|id| id.to_string().len()).max());
    let (alone, three) = (Seen::of(&alone), Seen::of(&three));
    // Where conversations share ids from the first, a double is one within a conversation.
    let everywhere = alone.doubles + three.doubles == 0;
    let scope = if everywhere { Scope::Everywhere } else { Scope::Conversation };
    let rests = !way.needs().is_empty();
    Ok(Row {
        way,
        rates,
        alone,
        three,
        bytes: bytes.unwrap_or(0),
        letters: letters.unwrap_or(0),
        process_killed: kill_process(way, servers, scope)?,
        servers_killed: rests.then(|| kill_servers(way, servers, scope)).transpose()?,
        clock_back: turn_clock_back(way, servers, scope)?,
        counter_wiped: rests.then(|| wipe_counter(way, servers, scope)).transpose()?,
    })
}

impl Seen {
    fn of(records: &[Record]) -> Self {
        Self {
            ids: records.len(),
            doubles: judge::doubles(records, Scope::Everywhere),
            doubles_in_conversation: judge::doubles(records, Scope::Conversation),
            unordered: judge::unordered(records),
            holes: judge::holes(records),
        }
    }
}

fn task(way: Way, servers: &Servers) -> Task {
    Task {
        way,
        addresses: servers.addresses(),
        process: 0,
        processes: 1,
        phases: vec![Phase { clock_ms: None, ids_max: IDS, ms_max: RUN_MS_MAX }],
        pace_ms: PACE_MS,
        told: Told::AtTheEnd,
        failures: Failures::EndTheRun,
    }
}

fn of_processes(task: &Task, processes: u32) -> Vec<Task> {
    (0..processes).map(|process| Task { process, processes, ..task.clone() }).collect()
}

fn rate(way: Way, servers: &Servers, processes: u32) -> anyhow::Result<f64> {
    let phases = [WARM_UP_MS, RATE_MS].map(|ms_max| Phase { clock_ms: None, ids_max: u64::MAX, ms_max });
    let task = Task { phases: phases.into(), pace_ms: 0, told: Told::HowMany, ..task(way, servers) };
    let mut best = 0.0_f64;
    for _ in 0..ROUNDS {
        servers.empty(way)?;
        let made = child::run(&of_processes(&task, processes))?;
        best = best.max(made.iter().map(|made| made.ids as f64 / (made.took_ns as f64 / 1e9)).sum());
    }
    Ok(best)
}

fn look(way: Way, servers: &Servers, processes: u32) -> anyhow::Result<Vec<Record>> {
    servers.empty(way)?;
    let made = child::run(&of_processes(&task(way, servers), processes))?;
    Ok(made.into_iter().flat_map(|made| made.records).collect())
}

/// A process ends in the middle, and another takes its place.
fn kill_process(way: Way, servers: &Servers, scope: Scope) -> anyhow::Result<Aftermath> {
    servers.empty(way)?;
    let task = task(way, servers);
    let phases = vec![Phase { clock_ms: None, ids_max: u64::MAX, ms_max: RUN_MS_MAX }];
    let mut child = Child::start(&Task { phases, pace_ms: 0, told: Told::AtOnce, ..task.clone() })?;
    child.go()?;
    let mut before = child.listen(|records| records.len() >= IDS_BESIDE_KILL)?;
    before.extend(child.kill()?);
    let after = alone(&task)?.records;
    Ok(judge::aftermath(&before, &after, &servers.stored(way)?, scope))
}

/// What the way rests on ends in the middle and comes again, while the process goes on.
fn kill_servers(way: Way, servers: &mut Servers, scope: Scope) -> anyhow::Result<Aftermath> {
    servers.empty(way)?;
    let phases = vec![Phase { clock_ms: None, ids_max: u64::MAX, ms_max: RUN_MS_MAX }];
    let told = Told::AtOnce;
    let task = Task { phases, pace_ms: 0, told, failures: Failures::TriedAgain, ..task(way, servers) };
    let mut child = Child::start(&task)?;
    child.go()?;
    let mut records = child.listen(|records| records.len() >= IDS_BESIDE_KILL)?;
    servers.save(way)?;
    records.extend(child.listen(|records| records.len() >= IDS_BESIDE_KILL)?);
    servers.kill(way);
    let killed_ns = monotonic_ns();
    servers.start_again(way)?;
    let is_after = |record: &Record| record.begin_ns > killed_ns;
    let is_enough = |records: &[Record]| records.iter().filter(|record| is_after(record)).count() >= IDS_BESIDE_KILL;
    records.extend(child.listen(is_enough)?);
    records.extend(child.end()?.records);
    let (after, before): (Vec<Record>, Vec<Record>) = records.into_iter().partition(is_after);
    Ok(judge::aftermath(&before, &after, &servers.stored(way)?, scope))
}

/// The clock comes to an hour in which ids were made once more: in the process that made them, and in one that is started then.
fn turn_clock_back(way: Way, servers: &Servers, scope: Scope) -> anyhow::Result<[Aftermath; 2]> {
    servers.empty(way)?;
    let now = system_ms();
    let phase = |clock_ms| Phase { clock_ms: Some(clock_ms), ids_max: IDS_BY_CLOCK, ms_max: CLOCK_MS };
    let by_clock = |phases| Task { phases, pace_ms: 0, ..task(way, servers) };
    let records = alone(&by_clock(vec![phase(now - HOUR_MS), phase(now), phase(now - HOUR_MS)]))?.records;
    let (before, after): (Vec<Record>, Vec<Record>) = records.iter().partition(|record| record.phase < 2);
    let again = alone(&by_clock(vec![phase(now - HOUR_MS)]))?.records;
    let running = judge::aftermath(&before, &after, &servers.stored(way)?, scope);
    Ok([running, judge::aftermath(&records, &again, &servers.stored(way)?, scope)])
}

fn wipe_counter(way: Way, servers: &Servers, scope: Scope) -> anyhow::Result<Aftermath> {
    servers.empty(way)?;
    let task = task(way, servers);
    let before = alone(&task)?.records;
    servers.wipe_counter(way)?;
    let after = alone(&task)?.records;
    Ok(judge::aftermath(&before, &after, &servers.stored(way)?, scope))
}

fn alone(task: &Task) -> anyhow::Result<Made> {
    let made = child::run(std::slice::from_ref(task))?;
    Ok(made.into_iter().next().unwrap_or_default())
}
