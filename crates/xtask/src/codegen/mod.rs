//! Writes what is generated and committed, or checks that it is fresh: wire types from proto/, tables of
//! docs/protocol.md and docs/settings.md.

mod json;
mod settings;
mod tables;
mod wire;

use std::{collections::BTreeMap, fs, path::PathBuf};

use anyhow::{Context as _, bail};

use crate::root;

/// Path below the root of the repository -> content.
type Files = BTreeMap<PathBuf, Vec<u8>>;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Write,
    Check,
}

pub(crate) fn run(mode: Mode) -> anyhow::Result<()> {
    let mut files = Files::new();
    wire::types(&mut files)?;
    tables::protocol(&mut files)?;
    settings::page(&mut files)?;
    let mut stale = Vec::new();
    for (path, content) in &files {
        if fs::read(root().join(path)).is_ok_and(|old| &old == content) {
            continue;
        }
        if mode == Mode::Check {
            stale.push(path.display().to_string());
        } else {
            fs::write(root().join(path), content).with_context(|| format!("cannot write {}", path.display()))?;
            println!("wrote {}", path.display());
        }
    }
    if !stale.is_empty() {
        bail!("stale: {}; run `cargo xtask codegen` and commit the result", stale.join(", "));
    }
    Ok(())
}
