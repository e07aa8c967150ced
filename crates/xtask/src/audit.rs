//! What the dependencies are: licences, sources, doubles, known holes. cargo-deny judges by deny.toml.

use std::{env, path::PathBuf, process::Command};

use anyhow::{Context as _, bail, ensure};

use crate::root;

/// Raised together with a look at what it finds anew.
const CARGO_DENY: &str = "0.20.2";

pub(crate) fn run() -> anyhow::Result<()> {
    let deny = installed()?;
    let status = Command::new(&deny).args(["check", "licenses", "bans", "sources"]).current_dir(root()).status()?;
    ensure!(status.success(), "audit: licences, bans or sources are not as deny.toml wants them");
    advisories(&deny)
}

/// Below target/, so that the machine stays as it is.
fn installed() -> anyhow::Result<PathBuf> {
    let tools = root().join("target/tools");
    let deny = tools.join("bin/cargo-deny").with_extension(env::consts::EXE_EXTENSION);
    let version = Command::new(&deny).arg("--version").output().map(|output| output.stdout).unwrap_or_default();
    if String::from_utf8_lossy(&version).trim() == format!("cargo-deny {CARGO_DENY}") {
        return Ok(deny);
    }
    println!("installing cargo-deny {CARGO_DENY} below target/tools: this takes some minutes, once");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["install", "--locked", "--debug", "--force", "--version", CARGO_DENY, "--root"])
        .args([tools.as_os_str(), "cargo-deny".as_ref()])
        // Outside of the repository its toolchain and settings do not concern the tool.
        .current_dir(env::temp_dir())
        .status()
        .context("cargo does not start")?;
    ensure!(status.success(), "cargo-deny could not be installed: {status}");
    Ok(deny)
}

/// Told apart from findings: without the database nothing is known, neither good nor bad.
fn advisories(deny: &PathBuf) -> anyhow::Result<()> {
    let output = Command::new(deny).args(["check", "advisories"]).current_dir(root()).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    print!("{}", String::from_utf8_lossy(&output.stdout));
    eprint!("{said}");
    if output.status.success() {
        return Ok(());
    }
    if said.contains("failed to fetch advisory database") {
        bail!("audit: the advisories were NOT checked, since their database cannot be fetched; all else is well");
    }
    bail!(
        "audit: a dependency has an advisory: raise it, replace it, or give the reason for an exception in deny.toml"
    );
}
