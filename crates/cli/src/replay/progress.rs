//! What a person sees while it plays: one line that is rewritten on a terminal, a line now and then elsewhere.

use std::{
    io::IsTerminal as _,
    sync::{Arc, Mutex, atomic::Ordering},
    time::{Duration, Instant},
};

use super::{chaos::Weather, harm::Harm, ledger::Ledger};
use crate::out;

const ON_TERMINAL: Duration = Duration::from_millis(200);
const ELSEWHERE: Duration = Duration::from_secs(5);

pub struct Progress {
    ledger: Arc<Ledger>,
    weather: Arc<Weather>,
    terminal: bool,
    last: Mutex<Option<Instant>>,
    started: Instant,
}

impl Progress {
    pub fn new(ledger: Arc<Ledger>, weather: Arc<Weather>) -> Self {
        let terminal = std::io::stderr().is_terminal();
        Self { ledger, weather, terminal, last: Mutex::default(), started: Instant::now() }
    }

    /// Says what is going on, if it is time to.
    pub fn show(&self, what: impl FnOnce() -> String) {
        let every = if self.terminal { ON_TERMINAL } else { ELSEWHERE };
        let mut last = self.last.lock().expect("nobody panics with it");
        if last.is_some_and(|last| last.elapsed() < every) {
            return;
        }
        *last = Some(Instant::now());
        let (before, after) = if self.terminal { ("\r\x1b[K", "") } else { ("", "\n") };
        let (sent, acked) = (self.ledger.sent(), self.ledger.acked.load(Ordering::Relaxed));
        let (delivered, restarts) =
            (self.ledger.delivered.load(Ordering::Relaxed), self.weather.harms.of(Harm::ServerKilled));
        let (seconds, what) = (self.started.elapsed().as_secs(), what());
        out::aside(format_args!(
            "{before}{seconds:>4} s  {what}: {sent} sent, {acked} acknowledged, {delivered} shown, {restarts} restarts{after}"
        ));
    }

    pub fn end(&self) {
        if self.terminal {
            out::aside("\r\x1b[K");
        }
    }
}
