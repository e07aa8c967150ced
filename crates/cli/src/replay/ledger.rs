//! What is common to all devices of a play: the list of what was handed over, and how long things took. Many write, one reads
//! at the end.

use std::{
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anser_proto::{ConversationId, UserId};
use hdrhistogram::Histogram;

use super::record::{Away, Handed};

/// Waits of up to ten minutes in microseconds, to two digits.
const LONGEST_US: u64 = 600_000_000;
const DIGITS: u8 = 2;

pub struct Ledger {
    /// Part of every `client_msg_id` of this play.
    play: String,
    entries: Mutex<Entries>,
    ack: Mutex<Histogram<u32>>,
    delivery: Mutex<Histogram<u32>>,
    /// Messages.
    pub acked: AtomicU64,
    pub delivered: AtomicU64,
    away: Mutex<Vec<(UserId, ConversationId, Away)>>,
    /// What could not be done, for people.
    refusals: Mutex<Vec<String>>,
}

/// In the order in which they were handed over.
#[derive(Default)]
struct Entries {
    list: Vec<Entry>,
    places: HashMap<String, usize>,
}

struct Entry {
    handed: Handed,
    at: Instant,
}

impl Entries {
    fn get(&self, client_msg_id: &str) -> Option<&Entry> {
        self.list.get(*self.places.get(client_msg_id)?)
    }

    fn get_mut(&mut self, client_msg_id: &str) -> Option<&mut Entry> {
        self.list.get_mut(*self.places.get(client_msg_id)?)
    }
}

impl Ledger {
    pub fn new() -> Self {
        let waits =
            || Mutex::new(Histogram::new_with_max(LONGEST_US, DIGITS).expect("bounds that the histogram takes"));
        Self {
            play: uuid::Uuid::now_v7().simple().to_string(),
            entries: Mutex::default(),
            ack: waits(),
            delivery: waits(),
            acked: AtomicU64::new(0),
            delivered: AtomicU64::new(0),
            away: Mutex::default(),
            refusals: Mutex::default(),
        }
    }

    pub fn play(&self) -> &str {
        &self.play
    }

    /// The `client_msg_id` of what has this number in the script.
    pub fn id(&self, number: usize) -> String {
        format!("{}-{number}", self.play)
    }

    /// Words that no other message of any play has: what they stood in can be looked for when it was taken back.
    pub fn mark(&self, number: usize) -> String {
        format!("#{number}@{}", self.play)
    }

    /// Writes it down before it is handed over.
    pub fn hand(&self, handed: Handed) {
        let mut entries = self.entries.lock().expect("nobody panics with it");
        let place = entries.list.len();
        entries.places.insert(handed.client_msg_id.clone(), place);
        entries.list.push(Entry { handed, at: Instant::now() });
    }

    pub fn acked(&self, client_msg_id: &str, place: u64) {
        let mut entries = self.entries.lock().expect("nobody panics with it");
        let Some(one) = entries.get_mut(client_msg_id) else { return };
        if one.handed.acked.replace(place).is_none() {
            one.handed.acked_at = Some(Instant::now());
            let (waited, is_message) = (one.at.elapsed(), one.handed.is_message());
            drop(entries);
            self.acked.fetch_add(is_message.into(), Ordering::Relaxed);
            record(&self.ack, waited);
        }
    }

    /// The server will never store it.
    pub fn refused(&self, client_msg_id: &str, code: i32) {
        let mut entries = self.entries.lock().expect("nobody panics with it");
        if let Some(one) = entries.get_mut(client_msg_id) {
            one.handed.refused = Some(code);
        }
    }

    /// A device that was there since `opened` showed a message; `own`: of its own.
    pub fn shown(&self, client_msg_id: &str, own: bool, opened: Instant) {
        self.delivered.fetch_add(1, Ordering::Relaxed);
        let at = self.entries.lock().expect("nobody panics with it").get(client_msg_id).map(|one| one.at);
        if let Some(at) = at.filter(|at| !own && *at > opened) {
            record(&self.delivery, at.elapsed());
        }
    }

    /// What a user is to see no more. It is done as soon as it can be.
    pub fn put_away(&self, user: UserId, conversation: ConversationId, away: Away) {
        self.away.lock().expect("nobody panics with it").push((user, conversation, away));
    }

    pub fn away(&self) -> Vec<(UserId, ConversationId, Away)> {
        self.away.lock().expect("nobody panics with it").clone()
    }

    pub fn refuse(&self, what: String) {
        self.refusals.lock().expect("nobody panics with it").push(what);
    }

    pub fn refusals(&self) -> Vec<String> {
        self.refusals.lock().expect("nobody panics with it").clone()
    }

    /// Messages, those that the server refused for good left out.
    pub fn sent(&self) -> u64 {
        let entries = self.entries.lock().expect("nobody panics with it");
        let is_sent = |one: &&Entry| one.handed.is_message() && !one.handed.is_refused();
        entries.list.iter().filter(is_sent).count() as u64
    }

    /// Where the server stored it, as far as anybody was told yet.
    pub fn place_of(&self, number: usize) -> Option<u64> {
        self.entries.lock().expect("nobody panics with it").get(&self.id(number))?.handed.acked
    }

    /// All that was handed over, in that order.
    pub fn handed(&self) -> Vec<Handed> {
        self.entries.lock().expect("nobody panics with it").list.iter().map(|one| one.handed.clone()).collect()
    }

    /// Half and 99 of 100 waited no longer than so, in milliseconds: for acknowledgements, then for deliveries.
    pub fn percentiles(&self) -> [(f64, f64); 2] {
        [&self.ack, &self.delivery].map(|waits| {
            let waits = waits.lock().expect("nobody panics with it");
            let ms = |quantile| waits.value_at_quantile(quantile) as f64 / 1000.0;
            (ms(0.5), ms(0.99))
        })
    }
}

fn record(waits: &Mutex<Histogram<u32>>, waited: Duration) {
    let us = u64::try_from(waited.as_micros()).unwrap_or(LONGEST_US);
    waits.lock().expect("nobody panics with it").saturating_record(us);
}
