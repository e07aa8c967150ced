//! What calm users notice of each attack: the same load without and with it, on one server, one after the other. The suite in
//! crates/cli/tests/hostile asks what is right; this asks how fast it stays, and so is no test.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anser_rude::{
    Site, Victim,
    attack::{ALL, Attack},
    secure::CA_FILE,
};
use anyhow::{Context as _, ensure};
use clap::Args;
use serde_json::Value;
use tokio::{
    runtime::{Builder, Runtime},
    time::{Instant, sleep},
};

use crate::{root, test::cargo};

/// An attack that the server has ended begins again, with new connections, after so long.
const AGAIN_AFTER: Duration = Duration::from_millis(20);
const CONNECTIONS: &str = "200";
/// Goals: p99 of the others may grow by half, and memory by so much.
const RATIO_MAX: f64 = 1.5;
const GROWTH_MIB_MAX: f64 = 64.0;

#[derive(Args)]
pub(crate) struct Hostile {
    /// These attacks alone
    names: Vec<String>,
    /// Messages a second of the calm users
    #[arg(long, default_value_t = 2_000)]
    rate: u32,
    /// Seconds of each measurement
    #[arg(long, default_value_t = 8)]
    seconds: u32,
    /// Attack another server that runs beside the users': what is left of it then is the machine's, and not the server's
    #[arg(long)]
    beside: bool,
    /// This build of `anser` instead of a new one
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
}

/// Of one load.
struct Figures {
    p50_ms: f64,
    p99_ms: f64,
}

impl Hostile {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        for name in &self.names {
            ensure!(ALL.iter().any(|attack| attack.name == name), "no attack is called {name}");
        }
        let program = match &self.program {
            Some(program) => program.clone(),
            None => {
                cargo("build --quiet --release --locked --package anser")?;
                root().join("target/release/anser")
            }
        };
        let runtime = Builder::new_current_thread().enable_all().build()?;
        println!("| attack | ack p50, p99 without | with it | p99 ratio | memory |");
        println!("|---|---|---|---|---|");
        let mut beyond = Vec::new();
        for attack in
            ALL.iter().filter(|attack| self.names.is_empty() || self.names.iter().any(|name| name == attack.name))
        {
            if !self.measure(attack, &program, &runtime)? {
                beyond.push(attack.name);
            }
        }
        ensure!(beyond.is_empty(), "beyond the goal of {RATIO_MAX} or {GROWTH_MIB_MAX} MiB: {}", beyond.join(", "));
        Ok(())
    }

    /// Whether the goals were met.
    fn measure(&self, attack: &Attack, program: &Path, runtime: &Runtime) -> anyhow::Result<bool> {
        let victim = runtime.block_on(Victim::start(program, attack.settings))?;
        let other = self.beside.then(|| runtime.block_on(Victim::start(program, attack.settings))).transpose()?;
        let (site, attacked) = (&victim.site, &other.as_ref().unwrap_or(&victim).site);
        let before = self.load(program, site, || Ok(()))?;
        let (memory, mut attacking) = (victim.memory_bytes()?, None);
        victim.forget_peak()?;
        let lasts = Duration::from_secs(u64::from(self.seconds) + WARM_UP_S + 1);
        let during = self.load(program, site, || {
            attacking = Some(begin(attack, attacked.clone(), lasts)?);
            Ok(())
        })?;
        let grown = victim.peak_bytes()?.saturating_sub(memory) as f64 / f64::from(1 << 20);
        drop(attacking);
        let after = self.load(program, site, || Ok(()))?;

        // What a machine does by itself meanwhile is in both.
        let calm = Figures { p50_ms: before.p50_ms.max(after.p50_ms), p99_ms: before.p99_ms.max(after.p99_ms) };
        let ratio = during.p99_ms / calm.p99_ms;
        let Figures { p50_ms, p99_ms } = during;
        println!(
            "| {} | {:.1}, {:.1} ms | {p50_ms:.1}, {p99_ms:.1} ms | {ratio:.2} | +{grown:.1} MiB |",
            attack.name, calm.p50_ms, calm.p99_ms
        );
        Ok(ratio <= RATIO_MAX && grown <= GROWTH_MIB_MAX)
    }

    /// The calm users' load; `begun` is called once they are logged in.
    fn load(&self, program: &Path, site: &Site, begun: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<Figures> {
        let (rate, seconds) = (self.rate.to_string(), self.seconds.to_string());
        let (scheme, ca) = match &site.tls {
            None => ("ws", &[][..]),
            Some(_) => ("wss", &["--ca", CA_FILE][..]),
        };
        let mut bench = Command::new(program)
            .args(["bench", "direct", "--json", "--no-store", "--connections", CONNECTIONS, "--rate", &rate])
            .args(["--seconds", &seconds, "--warm-up", &WARM_UP_S.to_string()])
            .args(ca)
            .args(["--server", &format!("{scheme}://{}", site.http), "--data"])
            .arg(&site.data)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("{} does not start", program.display()))?;
        let told = BufReader::new(bench.stderr.take().context("it was piped")?);
        let mut begun = Some(begun);
        let mut last = String::new();
        for line in told.lines() {
            last = line?;
            if last.starts_with("warming up")
                && let Some(begun) = begun.take()
            {
                begun()?;
            }
        }
        let output = bench.wait_with_output()?;
        ensure!(output.status.success(), "the calm users were disturbed: {last}");
        let report: Value = serde_json::from_slice(&output.stdout).context("no report")?;
        let number = |key: &str| report[key].as_f64().with_context(|| format!("no {key} in {report}"));
        Ok(Figures { p50_ms: number("ack_p50_ms")?, p99_ms: number("ack_p99_ms")? })
    }
}

/// Before a load is measured.
const WARM_UP_S: u64 = 2;

/// In threads of their own; it ends when what comes back is dropped.
fn begin(attack: &Attack, site: Site, lasts: Duration) -> anyhow::Result<Attacking> {
    let run = attack.run;
    // Only when nothing else wants the core, and it is left at once: one that is merely nice keeps it to the next tick of the scheduler,
    // 4 ms here, and what is measured is that.
    let polite = || {
        let thread = rustix::thread::gettid().as_raw_nonzero().to_string();
        let done = Command::new("chrt").args(["--idle", "--pid", "0", &thread]).status();
        assert!(
            done.is_ok_and(|done| done.success()),
            "chrt of util-linux gives the attacker what is left of the machine"
        );
    };
    let runtime = Builder::new_multi_thread().worker_threads(1).on_thread_start(polite).enable_all().build()?;
    runtime.spawn(async move {
        let until = Instant::now() + lasts;
        while Instant::now() < until {
            // One that is refused, or cannot log in again so soon, tries again.
            let _ = run(site.clone(), until).await;
            sleep(AGAIN_AFTER).await;
        }
    });
    Ok(Attacking(Some(runtime)))
}

struct Attacking(Option<Runtime>);

impl Drop for Attacking {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
