//! What the server counts, for Prometheus. Typed handles: counting costs an atomic addition.

use std::{
    fmt::Write as _,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

use anser_proto::{CloseCode, ErrorCode};
use anser_store::{
    Store,
    stages::{BUCKETS, FIRST_BUCKET, Times, Timing},
};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric as _, MetricEncoder, NoLabelSet, text::encode},
    metrics::{
        MetricType,
        counter::{ConstCounter, Counter},
        family::Family,
        gauge::{ConstGauge, Gauge},
    },
    registry::Registry,
};

use crate::{cluster::counts::Counts, hashing::Hashing, hub::Hub, im::Members};

pub struct Metrics {
    registry: Registry,
    process: Arc<OnceLock<Process>>,
    connections: Gauge,
    requests: Family<RequestLabels, Counter<u64, AtomicU64>>,
    refusals: Family<CodeLabels, Counter<u64, AtomicU64>>,
    closes: Family<CodeLabels, Counter<u64, AtomicU64>>,
    pub logins: Counter,
    fan_out: Arc<Timing>,
    pub devices_ahead: Counter,
    pub turned_away: TurnedAway,
    pub strangers: Gauge,
    pub frames_out: Counter,
    pub pushed: Counter,
    pub lagged: Counter,
    pub answers_cut: Counter,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct RequestLabels {
    request: &'static str,
    /// `OK`, or the code of the error.
    outcome: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct CodeLabels {
    code: &'static str,
}

impl Metrics {
    pub fn new(seen: Seen, cluster: &Counts) -> Self {
        let mut registry = Registry::with_prefix("anser");
        let fan_out = Arc::clone(&seen.fan_out);
        let connections = Gauge::default();
        registry.register("connections", "Connections that are logged in", connections.clone());
        let strangers = Gauge::default();
        registry.register("strangers", "Connections that are not logged in", strangers.clone());
        let requests = Family::default();
        registry.register("requests", "Requests that were answered", requests.clone());
        let refusals = Family::default();
        registry.register("logins_refused", "Connections that were not let in", refusals.clone());
        let closes = Family::default();
        registry.register("closes", "Connections that the server ended", closes.clone());
        let turned_away = TurnedAway::default();
        let help = "Connections and requests that were refused before login, by what stood against them";
        registry.register("turned_away", help, turned_away.0.clone());
        let mut counter = |name, help| {
            let counter = Counter::default();
            registry.register(name, help, counter.clone());
            counter
        };
        let logins = counter("logins", "Connections that were let in");
        let devices_ahead = counter("devices_ahead", "Devices that knew more than the store, and start anew");
        let frames_out = counter("frames_out", "Frames that were written");
        let pushed = counter("pushed", "Events that were put into outboxes");
        let lagged = counter("lagged", "Outboxes that overflowed");
        let answers_cut = counter("answers_cut", "Large answers for which there was no room");
        cluster.register(&mut registry);
        let process = Arc::<OnceLock<Process>>::default();
        registry.register_collector(Box::new(ProcessStats(Arc::clone(&process))));
        registry.register_collector(Box::new(seen));
        Self {
            registry,
            process,
            connections,
            requests,
            refusals,
            closes,
            logins,
            fan_out,
            devices_ahead,
            turned_away,
            strangers,
            frames_out,
            pushed,
            lagged,
            answers_cut,
        }
    }

    /// Once.
    pub fn count(&self, process: Process) {
        let _ = self.process.set(process);
    }

    /// Connections that are logged in.
    pub fn connections(&self) -> u32 {
        u32::try_from(self.connections.get()).unwrap_or(0)
    }

    /// Counts a connection for as long as what comes back lives.
    pub fn connection(&self) -> Counted {
        self.connections.inc();
        Counted(self.connections.clone())
    }

    pub fn request(&self, request: &'static str, refused: Option<ErrorCode>) {
        let outcome = refused.map_or("OK", |code| code.as_str_name());
        self.requests.get_or_create(&RequestLabels { request, outcome }).inc();
    }

    pub fn login_refused(&self, code: ErrorCode) {
        self.refusals.get_or_create(&CodeLabels { code: code.as_str_name() }).inc();
    }

    pub fn closed(&self, code: CloseCode) {
        self.closes.get_or_create(&CodeLabels { code: code.as_str_name() }).inc();
    }

    /// In the text format of OpenMetrics.
    pub fn text(&self) -> String {
        let mut text = String::new();
        if encode(&mut text, &self.registry).is_err() {
            let _ = writeln!(text, "# the metrics could not be written");
        }
        text
    }

    /// For as long as those whom a batch concerns are told.
    pub fn fan_out(&self) -> Lasting<'_> {
        Lasting { timing: &self.fan_out, begun: Instant::now() }
    }
}

/// By the limit that was met.
#[derive(Clone, Default)]
pub struct TurnedAway(Family<ReasonLabels, Counter<u64, AtomicU64>>);

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct ReasonLabels {
    reason: &'static str,
}

impl TurnedAway {
    pub fn count(&self, reason: &'static str) {
        self.0.get_or_create(&ReasonLabels { reason }).inc();
    }
}

pub struct Counted(Gauge);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// What happens to the process that a server runs in, counted by whoever runs it.
#[derive(Debug, Default)]
pub struct Process {
    /// Lines of the log that could not be written.
    pub log_lines_lost: Arc<AtomicU64>,
    /// Faults of the program, each of which ended a request, a connection or a task.
    pub panics: Arc<AtomicU64>,
}

#[derive(Debug)]
struct ProcessStats(Arc<OnceLock<Process>>);

impl Collector for ProcessStats {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let Some(process) = self.0.get() else { return Ok(()) };
        for (name, help, value) in [
            ("log_lines_lost", "Lines of the log that could not be written", &process.log_lines_lost),
            ("panics", "Faults of the program", &process.panics),
        ] {
            let counter = ConstCounter::new(value.load(Relaxed));
            counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)?;
        }
        Ok(())
    }
}

/// Counts the time until it is dropped.
pub struct Lasting<'m> {
    timing: &'m Timing,
    begun: Instant,
}

impl Drop for Lasting<'_> {
    fn drop(&mut self) {
        self.timing.note(self.begun.elapsed());
    }
}

/// What is asked how it stands when somebody looks.
pub struct Seen {
    pub store: Arc<dyn Store>,
    /// From a commit until all whom it concerns are told, or the relay has it for them.
    pub fan_out: Arc<Timing>,
    pub members: Arc<Members>,
    pub hub: Arc<Hub>,
    pub hashing: Hashing,
}

impl std::fmt::Debug for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seen")
    }
}

impl Collector for Seen {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let stats = self.store.stats();
        for (name, help, value) in [
            ("store_commits", "Transactions of the writer", stats.commits),
            ("store_appended", "Messages stored by senders, without duplicates", stats.appended),
            ("store_proposals_refused", "Proposals of the sequencer that the head refused", stats.proposals_refused),
            ("store_full", "Transactions for which there was no room", stats.full),
            ("store_checkpoints", "Checkpoints of the write-ahead log", stats.checkpoints),
            ("store_damaged", "Times that a damaged row of the store was met", stats.damaged),
            ("store_replica_behind", "Pages of history that a replica did not have whole", stats.replica_behind),
            (
                "store_commits_lost",
                "At most so many transactions that the database had committed it has lost",
                stats.commits_lost,
            ),
        ] {
            let counter = ConstCounter::new(value);
            counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)?;
        }
        let help = "A stage of the store's transactions";
        let mut stages = encoder.encode_descriptor("store_stage_seconds", help, None, MetricType::Histogram)?;
        for (stage, times) in self.store.stages().into_iter().flatten() {
            encode_times(stages.encode_family(&[("stage", stage)])?, times)?;
        }
        let help = "From a commit until all whom it concerns are told, or the relay has it for them";
        let told = encoder.encode_descriptor("fan_out_seconds", help, None, MetricType::Histogram)?;
        encode_times(told, self.fan_out.times())?;
        for (name, help, value) in [
            ("store_queued", "Writes waiting now", stats.queued),
            ("store_queued_bytes", "Bytes that the waiting writes hold", stats.queued_bytes),
            ("members_remembered", "Groups whose members are remembered", self.members.remembered() as u64),
            (
                "password_checks_waiting",
                "Logins that wait for their password to be checked",
                self.hashing.waiting() as u64,
            ),
            (
                "large_answers_bytes",
                "Bytes that large answers hold until they are written",
                self.hub.large_answers() as u64,
            ),
        ] {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        Ok(())
    }
}

fn encode_times(mut encoder: MetricEncoder<'_>, Times { buckets, sum_us }: Times) -> Result<(), std::fmt::Error> {
    let bounds = (0..BUCKETS - 1).map(|n| (FIRST_BUCKET * (1 << n)).as_secs_f64()).chain([f64::INFINITY]);
    let buckets: Vec<_> = bounds.zip(buckets).collect();
    let count = buckets.iter().map(|(_, count)| count).sum();
    encoder.encode_histogram::<NoLabelSet>(sum_us as f64 / 1e6, count, &buckets, None)
}
