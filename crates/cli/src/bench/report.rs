//! What was measured, gathered from all connections, and how it is told.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use serde_json::{Map, Value};

use crate::out;

/// Counts and times of one run; only what happens while it measures.
pub struct Tally {
    start: Instant,
    measuring: AtomicBool,
    pub over: AtomicBool,
    pub acked: AtomicU64,
    pub delivered: AtomicU64,
    ack: Mutex<Histogram<u64>>,
    delivery: Mutex<Histogram<u64>>,
}

/// Microseconds up to a minute, to three digits.
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000, 3).expect("bounds that the library takes")
}

/// Times of one connection, which it hands over now and then rather than one by one.
pub struct Times {
    ack: Histogram<u64>,
    delivery: Histogram<u64>,
}

impl Times {
    pub fn new() -> Self {
        Self { ack: histogram(), delivery: histogram() }
    }

    pub fn acked(&mut self, took: Duration) {
        self.ack.saturating_record(took.as_micros() as u64);
    }

    pub fn delivered(&mut self, took: Duration) {
        self.delivery.saturating_record(took.as_micros() as u64);
    }
}

impl Tally {
    pub fn new() -> Self {
        Self {
            start: Instant::now(),
            measuring: AtomicBool::new(false),
            over: AtomicBool::new(false),
            acked: AtomicU64::new(0),
            delivered: AtomicU64::new(0),
            ack: Mutex::new(histogram()),
            delivery: Mutex::new(histogram()),
        }
    }

    pub fn is_measuring(&self) -> bool {
        self.measuring.load(Ordering::Relaxed)
    }

    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Now, as a message carries it through the server and back.
    pub fn stamp(&self) -> u64 {
        self.start.elapsed().as_micros() as u64
    }

    pub fn since(&self, stamp: u64) -> Duration {
        Duration::from_micros(self.stamp().saturating_sub(stamp))
    }

    pub fn add(&self, times: Times) {
        self.ack.lock().expect("no panic while holding it").add(times.ack).expect("the same bounds");
        self.delivery.lock().expect("no panic while holding it").add(times.delivery).expect("the same bounds");
    }

    /// Lets time pass: warm-up, then the measured stretch, telling how it goes each second.
    pub async fn run(&self, warm_up: Duration, measured: Duration) {
        out::aside(format_args!("warming up for {} s\n", warm_up.as_secs()));
        tokio::time::sleep(warm_up).await;
        self.acked.store(0, Ordering::Relaxed);
        self.delivered.store(0, Ordering::Relaxed);
        self.measuring.store(true, Ordering::Relaxed);
        let begun = Instant::now();
        let mut before = 0;
        while begun.elapsed() < measured {
            tokio::time::sleep(Duration::from_secs(1).min(measured.saturating_sub(begun.elapsed()))).await;
            let acked = self.acked.load(Ordering::Relaxed);
            out::aside(format_args!("{:>3} s  {:>7} acked\n", begun.elapsed().as_secs(), acked - before));
            before = acked;
        }
        self.measuring.store(false, Ordering::Relaxed);
        self.over.store(true, Ordering::Relaxed);
    }

    pub fn times(&self, report: &mut Report) {
        for (name, histogram) in [("ack", &self.ack), ("delivery", &self.delivery)] {
            let histogram = histogram.lock().expect("no panic while holding it");
            for (percentile, label) in [(50.0, "p50"), (99.0, "p99")] {
                let ms = histogram.value_at_percentile(percentile) as f64 / 1000.0;
                report.add(&format!("{name}_{label}_ms"), round(ms, 3));
            }
        }
    }
}

/// Keys and figures in the order in which they were added.
#[derive(Default)]
pub struct Report(Vec<(String, f64)>);

impl Report {
    pub fn add(&mut self, key: &str, figure: f64) {
        self.0.push((key.to_owned(), figure));
    }

    pub fn print(&self, json: bool) -> anyhow::Result<()> {
        if json {
            let object: Map<String, Value> =
                self.0.iter().map(|(key, figure)| (key.clone(), number(*figure))).collect();
            out::line(Value::Object(object))?;
        } else {
            for (key, figure) in &self.0 {
                out::line(format_args!("{key:>22}  {figure}"))?;
            }
        }
        Ok(())
    }
}

/// A whole number without a fraction.
fn number(figure: f64) -> Value {
    if figure.fract() == 0.0 { Value::from(figure as i64) } else { Value::from(figure) }
}

pub fn round(figure: f64, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (figure * scale).round() / scale
}
