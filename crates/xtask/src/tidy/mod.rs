//! What a machine can check of STYLE.md. Each rule is an entry of a table, one file per family of rules.
//!
//! Reads the files of the repository, as they lie in the work tree, and says what is wrong and how to fix
//! it. Knows nothing of what the code does.

mod commands;
mod manifests;
mod names;
mod reach;
mod rooms;
mod shape;
mod tree;
mod waits;
mod words;

use std::time::Instant;

use anyhow::bail;

use crate::root;
use tree::Tree;

/// One sentence of STYLE.md or ARCHITECTURE.md.
struct Rule {
    name: &'static str,
    /// What to do about a finding.
    fix: &'static str,
    check: fn(&Tree) -> Vec<Finding>,
}

/// A place where a rule is broken.
struct Finding {
    /// Below the root, with slashes.
    path: String,
    /// From 1.
    line: usize,
    what: String,
}

const FAMILIES: [&[Rule]; 8] = [
    shape::RULES,
    rooms::RULES,
    words::RULES,
    reach::RULES,
    commands::RULES,
    manifests::RULES,
    names::RULES,
    waits::RULES,
];

pub(crate) fn run() -> anyhow::Result<()> {
    let start = Instant::now();
    let tree = Tree::read(root())?;
    let mut count = 0;
    for rule in FAMILIES.into_iter().flatten() {
        let mut findings = (rule.check)(&tree);
        findings.sort_by(|one, other| (&one.path, one.line).cmp(&(&other.path, other.line)));
        count += findings.len();
        for Finding { path, line, what } in &findings {
            println!("{path}:{line}: {what}");
        }
        if !findings.is_empty() {
            println!("    {}: {}\n", rule.name, rule.fix);
        }
    }
    if count > 0 {
        bail!("tidy: {count} findings");
    }
    println!("tidy: {} files in {} ms", tree.files.len(), start.elapsed().as_millis());
    Ok(())
}

/// The findings of one rule in a tree of these files, as `path:line: what`.
#[cfg(test)]
fn findings(rules: &[Rule], name: &str, files: &[(&str, &str)]) -> Vec<String> {
    let rule = rules.iter().find(|rule| rule.name == name).expect("the rule exists");
    let found = (rule.check)(&Tree::of(files));
    found.into_iter().map(|Finding { path, line, what }| format!("{path}:{line}: {what}")).collect()
}
