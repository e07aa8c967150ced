//! The codes that clients received from servers in the tests: what no test provokes, nobody knows to work. Clients of the tests leave a
//! file for each that they receive (`crates/server/tests/it/received.rs`).

use std::{collections::BTreeSet, env, fs, path::PathBuf};

use anser_proto::{CloseCode, ErrorCode};
use anyhow::{Context as _, ensure};

/// Those that no test can provoke, and why.
const EXCEPTIONS: [(&str, &str); 1] = [(
    "close LAGGING",
    "whom it concerns takes nothing, and in the middle of a frame there is no place for it: `it::ending` finds it in the metrics",
)];

/// Before the tests run: codes of an earlier run say nothing.
pub(super) fn forget() -> anyhow::Result<()> {
    let folder = folder()?;
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    Ok(())
}

/// After the tests have run; tells how many there are.
pub(super) fn demand() -> anyhow::Result<String> {
    let folder = folder()?;
    let entries = fs::read_dir(&folder).with_context(|| format!("no test left anything in {}", folder.display()))?;
    let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    judge(&names.collect::<anyhow::Result<_>>()?)
}

fn judge(received: &BTreeSet<String>) -> anyhow::Result<String> {
    let wanted: Vec<_> = wanted().collect();
    let is_exception = |name: &String| EXCEPTIONS.iter().any(|(exception, _)| exception == name);
    let missing: Vec<_> =
        wanted.iter().filter(|name| !received.contains(*name) && !is_exception(name)).cloned().collect();
    ensure!(
        missing.is_empty(),
        "no client received {} in any test: provoke it, or take it out of the contract",
        missing.join(", ")
    );
    let needless = wanted.iter().find(|name| received.contains(*name) && is_exception(name));
    ensure!(needless.is_none(), "a test provokes {needless:?}: it is no exception any more");
    Ok(format!("  {:>5}  codes, each received from a server\n", wanted.len() - EXCEPTIONS.len()))
}

/// The names of the files.
fn wanted() -> impl Iterator<Item = String> {
    let errors = ErrorCode::all().map(|code| format!("error {}", code.as_str_name()));
    errors.chain(CloseCode::all().map(|code| format!("close {}", code.as_str_name())))
}

/// `CARGO_TARGET_TMPDIR` of the tests, which lies beside the folder of this program.
fn folder() -> anyhow::Result<PathBuf> {
    let program = env::current_exe()?;
    let target = program.ancestors().nth(2).context("this program lies in no build folder")?;
    Ok(target.join("tmp/codes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_that_nobody_received_is_found() {
        let mut received: BTreeSet<_> = wanted().filter(|name| name != EXCEPTIONS[0].0).collect();
        assert!(judge(&received).is_ok());
        received.remove("error NOT_MEMBER");
        let error = judge(&received).expect_err("one is missing").to_string();
        assert!(error.contains("error NOT_MEMBER"), "{error}");
    }
}
