//! The log: lines to the standard error, for which nobody ever waits and because of which nobody fails.
//!
//! Whoever logs puts a line into a bounded queue, and a thread of its own writes. A pipe that nobody reads, a reader that is gone and a
//! disk that is full cost lines of the log; how many is counted, and told once they can be written again.

use std::{
    env,
    fs::File,
    io::{self, IsTerminal as _, Write},
    os::fd::AsFd as _,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use anser_server::Process;
use anyhow::Context as _;
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

/// Lines that wait to be written, and their bytes.
const LINES_MAX: usize = 16_384;
const BYTES_MAX: usize = 4 << 20;
/// How often lost lines are told of while others are written without a pause.
const TOLD_EVERY: Duration = Duration::from_secs(5);
/// How long the end of the process waits for lines that were logged last.
const FLUSH_MAX: Duration = Duration::from_secs(1);
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// The log of this process. Dropped, it lets the last lines go out, within a second.
pub struct Log {
    sink: Sink,
    panics: Arc<AtomicU64>,
}

/// Where lines are put. Cheap to clone.
#[derive(Clone)]
struct Sink {
    lines: SyncSender<Vec<u8>>,
    waiting: Arc<Waiting>,
}

#[derive(Default)]
struct Waiting {
    lines: AtomicUsize,
    bytes: AtomicUsize,
    lost: Arc<AtomicU64>,
}

impl Log {
    /// For people on a terminal, a JSON object a line elsewhere. `ANSER_LOG` chooses what is logged, as `info` or
    /// `anser_server=debug`. A panic is logged like everything else: it must not wait for the standard error either.
    pub fn to_stderr(usual: &str) -> anyhow::Result<Self> {
        let filter = filter(usual)?;
        let stderr = File::from(io::stderr().as_fd().try_clone_to_owned().context("cannot use the standard error")?);
        let log = Self::to(stderr)?;
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter(filter)
            // It would say so on the standard error, and panic if that cannot be written.
            .log_internal_errors(false)
            .with_writer(log.sink.clone());
        if io::stderr().is_terminal() {
            subscriber.init();
        } else {
            subscriber.json().init();
        }
        let panics = Arc::clone(&log.panics);
        std::panic::set_hook(Box::new(move |panic| {
            panics.fetch_add(1, Relaxed);
            let backtrace = std::backtrace::Backtrace::capture();
            tracing::error!(%panic, %backtrace, "a fault of the program: please report it");
        }));
        Ok(log)
    }

    fn to(out: impl Write + Send + 'static) -> anyhow::Result<Self> {
        let (lines, taken) = sync_channel(LINES_MAX);
        let waiting = Arc::<Waiting>::default();
        let of_thread = Arc::clone(&waiting);
        thread::Builder::new()
            .name("log".into())
            .spawn(move || write_all(&taken, out, &of_thread, tell_of_lost))
            .context("cannot start the thread that writes the log")?;
        Ok(Self { sink: Sink { lines, waiting }, panics: Arc::default() })
    }

    /// What is counted here of the process.
    pub fn process(&self) -> Process {
        Process { log_lines_lost: Arc::clone(&self.sink.waiting.lost), panics: Arc::clone(&self.panics) }
    }

    /// Puts a line among the others that is no event: the last word of a command.
    pub fn say(&self, line: &str) {
        self.sink.put(format!("{line}\n").into_bytes());
    }
}

/// What is logged.
pub fn filter(usual: &str) -> anyhow::Result<EnvFilter> {
    match env::var("ANSER_LOG") {
        Ok(chosen) => EnvFilter::try_new(&chosen)
            .with_context(|| format!("ANSER_LOG = {chosen}: choose `warn`, `info` or `anser_server=debug`")),
        Err(_) => Ok(EnvFilter::new(usual)),
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.settle();
    }
}

impl Log {
    /// Waits until nothing waits, within a bounded time.
    fn settle(&self) {
        let until = Instant::now() + FLUSH_MAX;
        while self.sink.waiting.lines.load(Relaxed) > 0 && Instant::now() < until {
            thread::sleep(LOOK_EVERY);
        }
    }
}

impl Sink {
    /// Drops and counts what finds no room.
    fn put(&self, line: Vec<u8>) {
        let (waiting, length) = (&self.waiting, line.len());
        let before = waiting.bytes.fetch_add(length, Relaxed);
        waiting.lines.fetch_add(1, Relaxed);
        if before + length > BYTES_MAX || self.lines.try_send(line).is_err() {
            waiting.done(length);
            waiting.lost.fetch_add(1, Relaxed);
        }
    }
}

impl Waiting {
    fn done(&self, bytes: usize) {
        self.lines.fetch_sub(1, Relaxed);
        self.bytes.fetch_sub(bytes, Relaxed);
    }
}

/// An event comes whole, in one call.
impl Write for Sink {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.put(line.to_vec());
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Sink {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

/// A line like others: it may be lost too, and therefore says how many there were in all.
fn tell_of_lost(lines: u64, in_all: u64) {
    tracing::warn!(lines, in_all, "lines of this log were lost: the standard error took none");
}

/// The thread. Tells of lost lines when nothing waits, and else from time to time.
fn write_all(taken: &Receiver<Vec<u8>>, mut out: impl Write, waiting: &Waiting, mut tell: impl FnMut(u64, u64)) {
    let (mut told, mut told_at, mut torn) = (0, None::<Instant>, false);
    while let Ok(line) = taken.recv() {
        // Half a line may stand there.
        let begun = if torn { out.write_all(b"\n") } else { Ok(()) };
        let written = begun.and_then(|()| out.write_all(&line));
        torn = written.is_err();
        if torn {
            waiting.lost.fetch_add(1, Relaxed);
        }
        waiting.done(line.len());
        let lost = waiting.lost.load(Relaxed);
        let is_time = || told_at.is_none_or(|at| at.elapsed() >= TOLD_EVERY) || waiting.lines.load(Relaxed) == 0;
        if !torn && lost > told && is_time() {
            tell(lost - told, lost);
            (told, told_at) = (lost, Some(Instant::now()));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Takes what is written once it may, and fails while it shall.
    #[derive(Clone, Default)]
    struct Place {
        written: Arc<Mutex<Vec<u8>>>,
        blocked: Arc<Mutex<()>>,
        is_full: Arc<Mutex<bool>>,
    }

    impl Write for Place {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            drop(self.blocked.lock().expect("no panic"));
            if *self.is_full.lock().expect("no panic") {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.written.lock().expect("no panic").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_place_that_takes_nothing_holds_nobody_up_and_costs_what_is_beyond_the_bounds() {
        let place = Place::default();
        let log = Log::to(place.clone()).expect("a thread");
        let blocked = place.blocked.lock().expect("no panic");
        for number in 0..LINES_MAX + 100 {
            log.say(&number.to_string());
        }
        // One is in the hands of the thread, or was when the queue was full.
        assert!(
            (99..=100).contains(&log.process().log_lines_lost.load(Relaxed)),
            "{} were lost",
            log.process().log_lines_lost.load(Relaxed)
        );
        for _ in 0..3 {
            log.say(&"x".repeat(BYTES_MAX / 2));
        }
        assert!(log.process().log_lines_lost.load(Relaxed) >= 102);
        drop(blocked);
        drop(log);
        assert!(place.written.lock().expect("no panic").starts_with(b"0\n1\n2\n"));
    }

    #[test]
    fn what_was_lost_is_told_also_while_lines_go_on_coming_and_not_with_each_of_them() {
        let (lines, taken) = sync_channel(LINES_MAX);
        let waiting = Arc::<Waiting>::default();
        let sink = Sink { lines, waiting: Arc::clone(&waiting) };
        for number in 0..100 {
            sink.clone().put(vec![number]);
        }
        drop(sink);
        // One more is always about to come.
        waiting.lines.fetch_add(1, Relaxed);
        waiting.lost.fetch_add(7, Relaxed);
        let mut told = Vec::new();
        write_all(&taken, io::sink(), &waiting, |lines, in_all| {
            told.push((lines, in_all));
            waiting.lost.fetch_add(1, Relaxed);
        });
        assert_eq!(told, [(7, 7)]);
    }

    #[test]
    fn lines_that_a_full_disk_refused_are_counted_and_the_next_begins_anew() {
        let place = Place::default();
        let log = Log::to(place.clone()).expect("a thread");
        let settle = |is_full| {
            log.settle();
            *place.is_full.lock().expect("no panic") = is_full;
        };
        settle(true);
        log.say("one");
        log.say("two");
        settle(false);
        log.say("three");
        settle(false);
        assert_eq!(log.process().log_lines_lost.load(Relaxed), 2);
        assert_eq!(*place.written.lock().expect("no panic"), b"\nthree\n");
    }
}
