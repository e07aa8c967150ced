//! All tests, counted: each binary that was built runs, each of its tests passes, and none is left out.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, pipe},
    path::Path,
    process::Stdio,
};

use anyhow::ensure;
use serde_json::Value;

use super::cargo_command;

/// Builds and runs them; tells how many there are of each binary.
pub(super) fn run() -> anyhow::Result<String> {
    let built = build()?;
    let (reader, writer) = pipe()?;
    let mut test = cargo_command("test --locked --workspace");
    // One pipe, so that what cargo says of a binary stands before what the binary says.
    test.env("CARGO_TERM_COLOR", "never").stdout(writer.try_clone()?).stderr(writer);
    let mut child = test.spawn()?;
    // Its ends of the pipe are this process's too.
    drop(test);
    let mut ran = Ran::default();
    for line in BufReader::new(reader).lines() {
        let line = line?;
        if !is_of_no_interest(&line) {
            println!("{line}");
        }
        ran.read(&line);
    }
    let status = child.wait()?;
    ensure!(status.success(), "`cargo test --locked --workspace`: {status}");
    ran.judge(&built)
}

fn is_of_no_interest(line: &str) -> bool {
    line.is_empty() || line.starts_with("test ") && line.ends_with(" ... ok")
}

/// The name of each binary's file -> `room binary`.
fn build() -> anyhow::Result<BTreeMap<String, String>> {
    let mut build =
        cargo_command("test --quiet --locked --workspace --no-run --message-format=json-render-diagnostics");
    let output = build.stderr(Stdio::inherit()).output()?;
    ensure!(output.status.success(), "the tests do not compile: {}", output.status);
    let lines = String::from_utf8(output.stdout)?;
    let artifacts = lines.lines().map(serde_json::from_str::<Value>).collect::<Result<Vec<_>, _>>()?;
    let tests = artifacts.iter().filter(|artifact| artifact["profile"]["test"] == true);
    let names = tests.filter_map(|artifact| {
        let file = artifact["executable"].as_str().and_then(file_name)?;
        let room = Path::new(artifact["manifest_path"].as_str()?).parent().and_then(Path::file_name)?.to_str()?;
        let target = match artifact["target"]["kind"][0].as_str()? {
            "test" => artifact["target"]["name"].as_str()?,
            kind => kind,
        };
        Some((file, format!("{room} {target}")))
    });
    Ok(names.collect())
}

fn file_name(path: &str) -> Option<String> {
    Some(Path::new(path).file_name()?.to_str()?.to_owned())
}

/// What was printed, binary by binary.
#[derive(Default)]
struct Ran {
    binaries: Vec<Binary>,
}

#[derive(Default)]
struct Binary {
    /// The name of its file, or `doc tests of NAME`.
    name: String,
    /// That it said it has; doc tests come in several parts.
    announced: u32,
    passed: u32,
    left_out: u32,
}

impl Ran {
    fn read(&mut self, line: &str) {
        let running =
            line.trim_start().strip_prefix("Running ").and_then(|rest| rest.rsplit_once('(')?.1.strip_suffix(')'));
        if let Some(name) = running.and_then(file_name) {
            self.binaries.push(Binary { name, ..Binary::default() });
        } else if let Some(name) = line.trim_start().strip_prefix("Doc-tests ") {
            self.binaries.push(Binary { name: format!("{DOC_TESTS}{name}"), ..Binary::default() });
        } else if let Some(binary) = self.binaries.last_mut() {
            binary.read(line);
        }
    }

    fn judge(&self, built: &BTreeMap<String, String>) -> anyhow::Result<String> {
        for (file, name) in built {
            ensure!(self.binaries.iter().any(|binary| binary.name == *file), "the tests of {name} did not run");
        }
        let (mut summary, mut all) = (String::new(), 0);
        for binary in &self.binaries {
            let name = built.get(&binary.name).unwrap_or(&binary.name);
            let Binary { announced, passed, left_out, .. } = binary;
            ensure!(
                left_out == &0 && passed == announced,
                "{name}: of {announced} tests {passed} passed, {left_out} were left out"
            );
            if *passed > 0 {
                summary += &format!("  {passed:>5}  {name}\n");
            }
            all += passed;
        }
        Ok(format!("{summary}  {all:>5}  tests, and none was ignored or filtered out\n"))
    }
}

const DOC_TESTS: &str = "doc tests of ";

impl Binary {
    /// Tests run their own binary again, which says the same things of itself: what is said last is said of all.
    fn read(&mut self, line: &str) {
        let number = |text: &str| text.split_whitespace().next().and_then(|number| number.parse::<u32>().ok());
        let is_doc = self.name.starts_with(DOC_TESTS);
        if let Some(announced) = line.strip_prefix("running ").and_then(number) {
            self.announced = if is_doc { self.announced + announced } else { self.announced.max(announced) };
        }
        let Some(result) = line.strip_prefix("test result: ok. ") else { return };
        let counts: Vec<_> = result.split(';').filter_map(number).collect();
        let [passed, _failed, ignored, _measured, filtered, ..] = counts[..] else { return };
        let before = if is_doc { (self.passed, self.left_out) } else { (0, 0) };
        (self.passed, self.left_out) = (before.0 + passed, before.1 + ignored + filtered);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLD: &str = "\
     Running unittests src/lib.rs (target/debug/deps/anser_store-01)
running 0 tests
test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
     Running tests/it/main.rs (target/debug/deps/it-02)
running 2 tests
running 1 test
test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 1 filtered out; finished in 0.10s
test a ... ok
test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.20s
   Doc-tests anser_store
running 1 test
test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
running 2 tests
test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
";

    fn judge(told: &str) -> anyhow::Result<String> {
        let mut ran = Ran::default();
        told.lines().for_each(|line| ran.read(line));
        let built = [("anser_store-01", "store lib"), ("it-02", "store it")];
        ran.judge(&built.map(|(file, name)| (file.to_owned(), name.to_owned())).into())
    }

    #[test]
    fn what_ran_is_counted() {
        let summary = judge(TOLD).expect("all ran");
        assert!(summary.contains("    2  store it\n      3  doc tests of anser_store\n      5  tests"), "{summary}");
        assert!(!summary.contains("store lib"));
    }

    #[test]
    fn what_did_not_run_is_found() {
        for (from, to) in [
            ("it-02", "it-03"),
            (
                "2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.20s",
                "1 passed; 0 failed; 1 ignored; 0 measured; 0 filtered",
            ),
            (
                "2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.20s",
                "2 passed; 0 failed; 0 ignored; 0 measured; 3 filtered",
            ),
            ("running 2 tests\nrunning 1", "running 3 tests\nrunning 1"),
        ] {
            assert!(TOLD.contains(from));
            assert!(judge(&TOLD.replace(from, to)).is_err(), "{to} passed");
        }
    }
}
