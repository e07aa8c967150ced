//! `anser replay`: plays chat logs against a server, with faults, and judges whether every promise was kept. The command, its
//! phases and its summary; each phase has a file of its own.

mod app;
mod chaos;
mod cutter;
mod device;
mod habits;
mod harm;
mod irc;
mod ledger;
mod life;
mod listener;
mod minter;
mod mischief;
mod notes;
mod play;
mod process;
mod progress;
mod reader;
mod record;
mod remains;
mod script;
mod stage;
mod summary;
mod verdict;
mod words;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use anser_store::{
    doctor::{Finding, Repair},
    sqlite::doctor,
};
use anyhow::{Context as _, bail};
use clap::Args;

use habits::Turn;
use ledger::Ledger;
use minter::Minter;
use play::Cast;
use progress::Progress;
use script::Script;
use stage::{Conditions, Reaper, Stage};
use summary::{Course, Summary};

pub use life::ReplayDevice;

use crate::{
    child::{Interrupted, ServerProcess},
    out,
};

/// Of all that is wrong, for people; the rest is in a file.
const SHOWN_MAX: usize = 40;
/// For devices and a server that are in the middle of something.
const END_MAX: Duration = Duration::from_secs(5);

#[derive(Args)]
pub struct Replay {
    /// IRC logs with lines like `[HH:MM] <nick> text`: what an IRC client keeps, or public ones as on irclogs.ubuntu.com. Several are
    /// played at the same time, as several talks in one room
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Drop connections, eat acknowledgements, add devices, crash clients, and kill -9 the server
    #[arg(long)]
    chaos: bool,
    /// In calm weather: no device asks whether it missed something, and every message must be pushed to it within 2 s
    #[arg(long, conflicts_with = "chaos")]
    calm: bool,
    /// Makes the same decisions again [default: by chance]
    #[arg(long)]
    seed: Option<u64>,
    /// Play against this server instead of a process of its own: ws://…, wss://…, tcp://… or tls://…; several with commas between
    /// them are nodes of one cluster. Its users stay apart from those of the play, whose accounts begin with `replay-`
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// The data folder: of the server's own process, or of the server at URL, for its secret
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// The secret of the server at URL
    #[arg(long, value_name = "FILE", requires = "server", conflicts_with = "data")]
    token_secret: Option<PathBuf>,
    /// Print one line of JSON on standard output
    #[arg(long)]
    json: bool,
    /// Lines a second
    #[arg(long, value_name = "LINES", default_value_t = 100.0)]
    rate: f64,
    /// Devices that every user has from the start
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=8))]
    devices: u32,
}

impl Replay {
    pub fn run(self) -> anyhow::Result<()> {
        if !self.rate.is_finite() || self.rate <= 0.0 {
            bail!("--rate {}: name a number of lines above 0", self.rate);
        }
        let mut logs = Vec::new();
        for file in &self.files {
            let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
            logs.push(bytes.split(|byte| *byte == b'\n').map(irc::parse).collect());
        }
        let script = script::write(&logs);
        if script.acts.is_empty() {
            bail!("nobody says anything in these files: give logs of IRC, with lines like `[HH:MM] <nick> text`");
        }
        let seed = self.seed.unwrap_or_else(rand::random);
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let scratch = tempfile::tempdir().context("cannot create a folder for the devices")?;
        let ledger = Arc::new(Ledger::new());
        let play = self.play(&script, seed, scratch.path().into(), Arc::clone(&ledger));
        let played = runtime.block_on(Interrupted::or(play));
        // All that writes into the folder, and the server, before the folder goes.
        runtime.shutdown_timeout(END_MAX);
        if let Err(error) = &played
            && error.is::<Interrupted>()
        {
            remains::remove(scratch);
            return Err(Interrupted.into());
        }
        let (summary, wrong) = match played {
            Ok((summary, wrong)) => (Some(summary), wrong),
            Err(error) => (None, vec![format!("{error:#}")]),
        };
        let again = self.again(seed);
        let kept = if wrong.is_empty() {
            remains::remove(scratch);
            None
        } else {
            remains::keep(scratch, &ledger, &wrong, &again)?
        };
        if let Some(summary) = summary {
            self.tell(&summary)?;
        }
        if self.seed.is_none() {
            out::aside(format_args!("the same again: {again}\n"));
        }
        if wrong.is_empty() {
            out::aside("every promise was kept\n");
            return Ok(());
        }
        for wrong in wrong.iter().take(SHOWN_MAX) {
            out::aside(format_args!("  {wrong}\n"));
        }
        let kept = kept.map_or_else(String::new, |kept| format!("; what it left is kept: {}", kept.display()));
        bail!("not all is right{kept}\n  again: {again}");
    }

    fn tell(&self, summary: &Summary) -> anyhow::Result<()> {
        if self.json {
            out::line(serde_json::to_string(summary)?)?;
        } else {
            out::say(summary.for_people())?;
        }
        let absent = summary.absent();
        if !absent.is_empty() {
            out::aside(format_args!("the play was too short: {absent:?} never happened\n"));
        }
        Ok(())
    }

    fn conditions(&self) -> Conditions {
        match self {
            Self { calm: true, .. } => Conditions::Calm,
            Self { chaos: true, .. } => Conditions::Chaos,
            _ => Conditions::Usual,
        }
    }

    /// The figures, and all that is wrong.
    async fn play(
        &self,
        script: &Script,
        seed: u64,
        scratch: PathBuf,
        ledger: Arc<Ledger>,
    ) -> anyhow::Result<(Summary, Vec<String>)> {
        let data = self.data.clone().unwrap_or_else(|| scratch.join("data"));
        let server = match self.server {
            Some(_) => None,
            None => Some(ServerProcess::start(&data).await?),
        };
        let stage = Arc::new(match (&server, &self.server) {
            (Some(server), _) => {
                Stage::own(server, Minter::own(&data)?, scratch.clone(), seed, self.conditions(), ledger).await?
            }
            (None, url) => {
                let minter = Minter::foreign(self.data.clone(), self.token_secret.clone())?;
                Stage::foreign(
                    url.clone().unwrap_or_default(),
                    minter,
                    scratch.clone(),
                    seed,
                    self.conditions(),
                    ledger,
                )
            }
        });
        let weather = stage.weather.clone().unwrap_or_default();
        let progress = Progress::new(Arc::clone(&stage.ledger), weather);
        let mut cast = play::assemble(&stage, script, self.devices, &progress).await?;

        let life = habits::live(script, seed);
        let started = Instant::now();
        let server = self.perform(&stage, (script, &life), &mut cast, server, seed, &progress).await?;
        let seconds = started.elapsed().as_secs_f64();

        let mut truth = play::read_truth(&stage, script, &cast, &progress).await?;
        play::settle(&stage, script, &cast, &mut truth, &progress).await?;
        let records = play::dismiss(cast).await?;
        progress.end();
        let handed = stage.ledger.handed();
        let mut verdict = verdict::judge(stage.conditions, &handed, &records, &truth);
        let mut wrong = stage.ledger.refusals();
        words::judge_devices(&mut verdict, &handed, &records, &truth).context("cannot read a device's store")?;
        if let Some(mut server) = server {
            server.kill().await?;
            wrong.extend(examine(&data)?);
            // What a kill leaves in the log of SQLite is no part of the store any more once it was closed in peace.
            server.start_again().await?;
            server.stop().await?;
            words::judge_folder(&mut verdict, &handed, &data, &truth).context("cannot read the server's folder")?;
        }
        wrong.splice(0..0, verdict.witnesses.iter().cloned());
        if !wrong.is_empty() {
            remains::write_records(&scratch, &records, &truth).context("cannot write down what was played")?;
        }
        let course = Course { users: truth.sessions.len(), devices: records.len(), seconds };
        let summary = Summary::of(&stage, &course, (&handed, &truth), &verdict);
        Ok((summary, wrong))
    }

    /// All lines, in the weather that was asked for; in good weather until what was said is stored.
    async fn perform(
        &self,
        stage: &Arc<Stage>,
        (script, life): (&Script, &[Turn]),
        cast: &mut Cast,
        server: Option<ServerProcess>,
        seed: u64,
        progress: &Progress,
    ) -> anyhow::Result<Option<ServerProcess>> {
        let Some(weather) = &stage.weather else {
            play::perform(cast, &stage.ledger, life, self.rate, None, progress).await?;
            play::finish(cast, &stage.ledger, progress).await;
            return Ok(server);
        };
        let mut mischief = mischief::Mischief::new(Arc::clone(stage), Arc::clone(weather), script, seed);
        weather.turn_bad();
        let reaper = server.map(|server| Reaper::start(server, Arc::clone(weather), seed));
        play::perform(cast, &stage.ledger, life, self.rate, Some(&mut mischief), progress).await?;
        let server = match reaper {
            Some(reaper) => Some(reaper.end().await?),
            None => None,
        };
        weather.calm_down();
        mischief.end(cast).await?;
        play::finish(cast, &stage.ledger, progress).await;
        Ok(server)
    }

    /// The command that makes the same decisions again.
    fn again(&self, seed: u64) -> String {
        let path = |path: &PathBuf| quoted(&path.display().to_string());
        let mut words = vec!["anser replay".to_owned()];
        words.extend(self.chaos.then(|| "--chaos".to_owned()));
        words.extend(self.calm.then(|| "--calm".to_owned()));
        words.extend(self.server.iter().map(|url| format!("--server {}", quoted(url))));
        words.extend(self.data.iter().map(|folder| format!("--data {}", path(folder))));
        words.extend(self.token_secret.iter().map(|file| format!("--token-secret {}", path(file))));
        let Self { rate, devices, .. } = self;
        words.push(format!("--seed {seed} --rate {rate} --devices {devices}"));
        words.extend(self.files.iter().map(path));
        words.join(" ")
    }
}

/// As one word of a shell's line.
fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./:,@%+=".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// What is wrong with the store of a server that was killed.
fn examine(data: &Path) -> anyhow::Result<Vec<String>> {
    let report = doctor::examine(data, Repair::Nothing, &mut |_, _| {}).context("cannot examine the store")?;
    let told = report.findings.iter().map(|Finding { table, key, wrong, .. }| format!("store: {table} {key}: {wrong}"));
    Ok(told.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_for_the_same_again_names_all_that_was_chosen() {
        let replay = Replay {
            files: vec!["june.txt".into(), "it's a log.txt".into()],
            chaos: true,
            calm: false,
            seed: None,
            server: Some("ws://127.0.0.1:7400".into()),
            data: Some("my data".into()),
            token_secret: Some("/etc/anser/key".into()),
            json: false,
            rate: 40.0,
            devices: 2,
        };
        assert_eq!(
            replay.again(7),
            "anser replay --chaos --server ws://127.0.0.1:7400 --data 'my data' --token-secret /etc/anser/key \
             --seed 7 --rate 40 --devices 2 june.txt 'it'\\''s a log.txt'"
        );
    }
}
