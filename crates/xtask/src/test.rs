//! Everything that a change must pass, in the order in which it fails fastest. Needs Rust and a C compiler; the database,
//! Redis and NATS that the cluster's tests start come from the system's packages, and are installed where that is allowed. What ran is
//! said at the end.

mod codes;
mod ran;
mod toolchain;

use std::{
    env, fs,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use clap::ValueEnum;
use serde_json::Value;

use crate::{codegen, dev_cluster, root, tidy};

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Step {
    /// Every file is as rustfmt writes it
    Fmt,
    /// Generated files are fresh
    Codegen,
    /// What a machine can check of STYLE.md
    Tidy,
    /// No warning of clippy in any target
    Clippy,
    /// The same without the cluster
    Alone,
    /// MariaDB, Redis and NATS are installed
    Services,
    /// All tests, doc tests among them, and every code of the wire received in one of them
    Tests,
    /// Real chat on a server that nothing happens to, where every message must be pushed
    Calm,
    /// Real chat, played against a server that is killed meanwhile
    Chaos,
    /// Real chat on three nodes: in calm weather, while nodes and services are killed, and while the nodes are restarted one by one
    Cluster,
}

/// Real chat for the last step; see the README beside it.
const CHAT: &str = "crates/cli/tests/data/ubuntu-2006-06-01.txt";
/// Slow enough for several lives of the server.
const LINES_PER_S: &str = "20";
const REPLAY_MAX: Duration = Duration::from_secs(300);

/// What a replay counts that must not be: the names of its summary.
const FAULTS: [&str; 10] = [
    "duplicates",
    "misordered",
    "missing",
    "ghosts",
    "unread_errors",
    "only_on_devices",
    "stale",
    "leaked",
    "returned",
    "unexplained",
];
/// What people must have done beside talking.
const ACTS: [&str; 6] = ["edits", "recalls", "reactions", "hides", "clears", "mutes"];

/// Runs all steps, or the one named, and stops at the first that fails.
pub(crate) fn run(only: Option<Step>, seed: u64) -> anyhow::Result<()> {
    let steps = Step::value_variants().iter().filter(|step| only.is_none_or(|only| only == **step));
    let mut summary = String::new();
    for step in steps {
        println!("==> {step:?}");
        let start = Instant::now();
        let result = step.run(seed);
        let (outcome, what) = result.as_deref().map_or(("FAILED", ""), |what| ("ok", what));
        let line = format!("{:<8} {outcome:<7} {:>7.1} s\n", format!("{step:?}"), start.elapsed().as_secs_f32());
        print!("{line}");
        summary += &(line + what);
        result.with_context(|| {
            println!("\n{summary}");
            format!("{step:?} failed; `cargo xtask test --only {}` runs it alone", format!("{step:?}").to_lowercase())
        })?;
    }
    println!("\n{summary}");
    Ok(())
}

impl Step {
    /// Tells what the summary shall say beside how long it took: lines, or nothing.
    fn run(self, seed: u64) -> anyhow::Result<String> {
        match self {
            Self::Fmt => cargo("fmt --all --check")?,
            Self::Codegen => codegen::run(codegen::Mode::Check)?,
            Self::Tidy => tidy::run()?,
            Self::Clippy => return clippy("--workspace"),
            Self::Alone => return clippy("-p anser -p anser-server -p anser-store --no-default-features"),
            Self::Services => install_services()?,
            Self::Tests => return tests(),
            Self::Calm => judge_calm(&replay("--calm", seed)?)?,
            Self::Chaos => judge_chaos(&replay("--chaos", seed)?)?,
            Self::Cluster => dev_cluster::prove(seed)?,
        }
        Ok(String::new())
    }
}

pub(crate) fn cargo(arguments: &str) -> anyhow::Result<()> {
    let status = cargo_command(arguments).status()?;
    ensure!(status.success(), "`cargo {arguments}`: {status}");
    Ok(())
}

fn cargo_command(arguments: &str) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(arguments.split(' ')).current_dir(root());
    cargo
}

fn clippy(packages: &str) -> anyhow::Result<String> {
    let (lints, what) = toolchain::lints()?;
    cargo(&[&["clippy --quiet --locked", packages, "--all-targets"], lints].concat().join(" "))?;
    Ok(what.to_owned())
}

fn tests() -> anyhow::Result<String> {
    codes::forget()?;
    Ok(ran::run()? + &codes::demand()?)
}

/// Installs what is missing as root, or as whoever may become root without being asked for a password.
fn install_services() -> anyhow::Result<()> {
    let missing = anser_services::missing();
    if missing.is_empty() {
        return Ok(());
    }
    println!("installing {}", missing.join(", "));
    let output = Command::new("id").arg("-u").output().context("there is no `id`")?;
    let as_root: &[&str] = if output.stdout == b"0\n" { &[] } else { &["sudo", "-n"] };
    // They are wanted as programs: the system is not to start them by itself.
    let install =
        ["env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1", "apt-get", "install", "-y", "--no-install-recommends"];
    for words in [&["apt-get", "update", "-qq"][..], &[&install[..], &missing].concat()] {
        let words = [as_root, words].concat();
        let status = Command::new(words[0]).args(&words[1..]).stdout(Stdio::null()).status();
        if !status.is_ok_and(|status| status.success()) {
            println!("`{}` failed", words.join(" "));
            break;
        }
    }
    anser_services::require()
}

/// Plays real chat and gives what was printed: neither the exit code nor the summary alone is believed.
fn replay(conditions: &str, seed: u64) -> anyhow::Result<String> {
    cargo("build --quiet --locked --package anser")?;
    let anser = env::current_exe()?.with_file_name("anser").with_extension(env::consts::EXE_EXTENSION);
    let out = anser.with_file_name("replay.json");
    println!("anser replay {conditions} --seed {seed} --rate {LINES_PER_S} --json {CHAT}");
    let mut child = Command::new(&anser)
        .args(["replay", conditions, "--json", "--seed", &seed.to_string(), "--rate", LINES_PER_S, CHAT])
        .current_dir(root())
        .stdout(fs::File::create(&out)?)
        .spawn()
        .with_context(|| format!("{} does not start", anser.display()))?;
    let status = wait(&mut child, REPLAY_MAX)?;
    let printed = fs::read_to_string(&out)?;
    print!("{printed}");
    ensure!(status.success(), "anser replay: {status}");
    Ok(printed)
}

pub(crate) fn wait(child: &mut Child, limit: Duration) -> anyhow::Result<ExitStatus> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if start.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            bail!("it did not end within {} s and was killed", limit.as_secs());
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// Nothing went wrong, something was played on a server that the replay killed, and so was everything else done that it can do.
fn judge_chaos(printed: &str) -> anyhow::Result<()> {
    let summary = judge_play(printed)?;
    judge_faults(&summary)?;
    let restarts = summary["restarts"].as_u64();
    ensure!(restarts.is_some_and(|restarts| restarts > 0), "the server was not killed: {printed}");
    Ok(())
}

/// Every kind of fault that was promised happened.
pub(crate) fn judge_faults(summary: &Value) -> anyhow::Result<()> {
    let faults = summary["faults"].as_object().context("the summary counts no faults")?;
    ensure!(!faults.is_empty(), "no fault was promised");
    for (kind, count) in faults {
        ensure!(count.as_u64() > Some(0), "{kind} never happened: {summary}");
    }
    Ok(())
}

/// Nothing went wrong, and it was judged that everything was pushed.
pub(crate) fn judge_calm(printed: &str) -> anyhow::Result<()> {
    let pushes = &judge_play(printed)?["pushes"];
    let (came, failed) = (pushes["came"].as_u64(), pushes["failed"].as_u64());
    ensure!(came > Some(0) && failed == Some(0), "not everything was pushed: {printed}");
    Ok(())
}

/// Nothing went wrong, and something was played.
pub(crate) fn judge_play(printed: &str) -> anyhow::Result<Value> {
    let line = printed.lines().last().context("replay printed no summary")?;
    let summary: Value = serde_json::from_str(line).with_context(|| format!("the summary is no JSON: {line}"))?;
    let number =
        |key: &str| summary[key].as_u64().with_context(|| format!("the summary has no number `{key}`: {line}"));
    for key in FAULTS {
        ensure!(number(key)? == 0, "{key} is not 0: {line}");
    }
    for key in ["users", "devices", "delivered"] {
        ensure!(number(key)? > 0, "{key} is 0, so nothing was tried: {line}");
    }
    for act in ACTS {
        ensure!(summary["acts"][act].as_u64() > Some(0), "no {act} were played: {line}");
    }
    ensure!(number("sent")? > 0 && number("sent")? == number("acked")?, "not everything sent was acknowledged: {line}");
    Ok(summary)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"users":3,"devices":4,"sent":9,"acked":9,"delivered":20,"duplicates":0,"misordered":0,"missing":0,"ghosts":0,"unread_errors":0,"only_on_devices":0,"stale":0,"leaked":0,"returned":0,"unexplained":0,"restarts":2,"acts":{"edits":4,"recalls":2,"reactions":9,"hides":3,"clears":1,"mutes":2},"faults":{"server_killed":2,"frame_lost":7},"rate":1.5}"#;

    #[test]
    fn a_good_summary_passes() {
        judge_chaos(&format!("progress\n{GOOD}\n")).expect("all is well");
    }

    #[test]
    fn a_fault_an_idle_run_and_a_missing_number_fail() {
        for (from, to) in [
            (r#""missing":0"#, r#""missing":1"#),
            (r#""leaked":0"#, r#""leaked":1"#),
            (r#""stale":0,"#, ""),
            (r#""recalls":2"#, r#""recalls":0"#),
            (r#""acked":9"#, r#""acked":8"#),
            (r#""restarts":2"#, r#""restarts":0"#),
            (r#""sent":9,"acked":9"#, r#""sent":0,"acked":0"#),
            (r#""ghosts":0,"#, ""),
            (r#""frame_lost":7"#, r#""frame_lost":0"#),
            (r#"{"server_killed":2,"frame_lost":7}"#, "{}"),
            (r#"{"server_killed":2,"frame_lost":7}"#, "null"),
        ] {
            assert!(GOOD.contains(from));
            assert!(judge_chaos(&GOOD.replace(from, to)).is_err(), "{to} passed");
        }
        assert!(judge_chaos("").is_err() && judge_chaos("done").is_err());
    }

    #[test]
    fn a_calm_play_must_have_pushed_and_failed_nobody() {
        let check = |pushes: &str| judge_calm(&GOOD.replace("\"rate\"", &format!("\"pushes\":{pushes},\"rate\"")));
        check(r#"{"came":7,"failed":0}"#).expect("all is well");
        for bad in [r#"{"came":0,"failed":0}"#, r#"{"came":7,"failed":1}"#, r#"{"came":7}"#, "null"] {
            assert!(check(bad).is_err(), "{bad} passed");
        }
    }
}
