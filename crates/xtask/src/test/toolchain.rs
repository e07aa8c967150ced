//! Whose warnings refuse a change: those of the compiler that `rust-version` names. A newer one has lints that nobody has seen here, which
//! must not stop who builds Anser with it; an older one is refused by cargo.

use std::process::Command;

use anyhow::{Context as _, bail};
use toml::Table;

use crate::root;

/// What stands behind clippy's arguments, and what to say of it.
pub(super) fn lints() -> anyhow::Result<(&'static [&'static str], &'static str)> {
    let output = Command::new("rustc").arg("--version").current_dir(root()).output().context("there is no rustc")?;
    judge(&String::from_utf8(output.stdout)?, &std::fs::read_to_string(root().join("Cargo.toml"))?)
}

fn judge(rustc: &str, manifest: &str) -> anyhow::Result<(&'static [&'static str], &'static str)> {
    let manifest: Table = manifest.parse()?;
    let wanted =
        manifest["workspace"]["package"]["rust-version"].as_str().context("Cargo.toml names no rust-version")?;
    let found = rustc.split(' ').nth(1).with_context(|| format!("rustc says {rustc}"))?;
    let version = |text: &str| -> Option<(u32, u32)> {
        let mut numbers = text.split('.').map_while(|number| number.parse().ok());
        Some((numbers.next()?, numbers.next()?))
    };
    let (Some(old), Some(new)) = (version(wanted), version(found)) else { bail!("{wanted} or {found} is no version") };
    if new > old {
        return Ok((&[], "         warnings were shown and did not count: this compiler is newer than rust-version\n"));
    }
    Ok((&["--", "-D", "warnings"], ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_compiler_warns_only() {
        let manifest = "[workspace.package]\nrust-version = \"1.95\"\n";
        let denies = |rustc: &str| !judge(rustc, manifest).expect("a version").0.is_empty();
        assert!(denies("rustc 1.95.2 (123 2026-04-14)"));
        assert!(!denies("rustc 1.96.0-nightly (123 2026-04-14)") && !denies("rustc 2.0.0"));
        assert!(judge("no", manifest).is_err());
    }
}
