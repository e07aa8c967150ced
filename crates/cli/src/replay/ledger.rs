//! What is common to all devices of a play: the list of what was said, and how long things took. Many write, one reads at
//! the end.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;

use super::record::Handed;

/// Waits of up to ten minutes in microseconds, to two digits.
const LONGEST_US: u64 = 600_000_000;
const DIGITS: u8 = 2;

pub struct Ledger {
    /// Part of every `client_msg_id` of this play.
    play: String,
    said: Mutex<Vec<Said>>,
    ack: Mutex<Histogram<u32>>,
    delivery: Mutex<Histogram<u32>>,
    pub acked: AtomicU64,
    pub delivered: AtomicU64,
    /// What could not be done, for people.
    refusals: Mutex<Vec<String>>,
}

struct Said {
    handed: Handed,
    at: Instant,
}

impl Ledger {
    pub fn new() -> Self {
        let waits =
            || Mutex::new(Histogram::new_with_max(LONGEST_US, DIGITS).expect("bounds that the histogram takes"));
        Self {
            play: uuid::Uuid::now_v7().simple().to_string(),
            said: Mutex::default(),
            ack: waits(),
            delivery: waits(),
            acked: AtomicU64::new(0),
            delivered: AtomicU64::new(0),
            refusals: Mutex::default(),
        }
    }

    /// Writes a message down before it is handed over, and gives it its id: `{play}-{number}`.
    pub fn say(&self, mut handed: Handed) -> String {
        let mut said = self.said.lock().expect("nobody panics with it");
        let id = format!("{}-{}", self.play, said.len());
        handed.client_msg_id.clone_from(&id);
        said.push(Said { handed, at: Instant::now() });
        id
    }

    pub fn acked(&self, client_msg_id: &str, place: u64) {
        let mut said = self.said.lock().expect("nobody panics with it");
        let Some(one) = self.number(client_msg_id).and_then(|number| said.get_mut(number)) else { return };
        if one.handed.acked.replace(place).is_none() {
            one.handed.acked_at = Some(Instant::now());
            let waited = one.at.elapsed();
            drop(said);
            self.acked.fetch_add(1, Ordering::Relaxed);
            record(&self.ack, waited);
        }
    }

    /// A device that was there since `opened` showed a message; `own`: of its own.
    pub fn shown(&self, client_msg_id: &str, own: bool, opened: Instant) {
        self.delivered.fetch_add(1, Ordering::Relaxed);
        let said = self.said.lock().expect("nobody panics with it");
        let at = self.number(client_msg_id).and_then(|number| said.get(number)).map(|one| one.at);
        drop(said);
        if let Some(at) = at.filter(|at| !own && *at > opened) {
            record(&self.delivery, at.elapsed());
        }
    }

    pub fn refuse(&self, what: String) {
        self.refusals.lock().expect("nobody panics with it").push(what);
    }

    pub fn refusals(&self) -> Vec<String> {
        self.refusals.lock().expect("nobody panics with it").clone()
    }

    pub fn sent(&self) -> u64 {
        self.said.lock().expect("nobody panics with it").len() as u64
    }

    /// All that was said, in the order in which it was handed over.
    pub fn handed(&self) -> Vec<Handed> {
        self.said.lock().expect("nobody panics with it").iter().map(|said| said.handed.clone()).collect()
    }

    /// Half and 99 of 100 waited no longer than so, in milliseconds: for acknowledgements, then for deliveries.
    pub fn percentiles(&self) -> [(f64, f64); 2] {
        [&self.ack, &self.delivery].map(|waits| {
            let waits = waits.lock().expect("nobody panics with it");
            let ms = |quantile| waits.value_at_quantile(quantile) as f64 / 1000.0;
            (ms(0.5), ms(0.99))
        })
    }

    fn number(&self, client_msg_id: &str) -> Option<usize> {
        client_msg_id.strip_prefix(&self.play)?.strip_prefix('-')?.parse().ok()
    }
}

fn record(waits: &Mutex<Histogram<u32>>, waited: Duration) {
    let us = u64::try_from(waited.as_micros()).unwrap_or(LONGEST_US);
    waits.lock().expect("nobody panics with it").saturating_record(us);
}
