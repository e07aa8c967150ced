//! The manifests of the crates: versions and lints are said once, at the root.

use toml::{Table, Value};

use super::{
    Finding, Rule,
    rooms::manifests,
    tree::{File, Tree},
};

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "dependencies",
        fix: "name the version and features in [workspace.dependencies] and write `name.workspace = true`",
        check: dependencies,
    },
    Rule { name: "unused versions", fix: "delete the line from [workspace.dependencies]", check: unused_versions },
    Rule { name: "lints", fix: "write `[lints]` and below it `workspace = true`", check: lints },
];

const SECTIONS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

fn is_inherited(value: &Value) -> bool {
    value.get("workspace").and_then(Value::as_bool) == Some(true)
}

/// The dependencies of a crate, those of single platforms included.
fn dependencies_of(manifest: &Table) -> Vec<(String, bool)> {
    let platforms = manifest.get("target").and_then(Value::as_table);
    let tables = platforms.into_iter().flat_map(|table| table.values()).filter_map(Value::as_table);
    let tables = tables.chain([manifest]);
    let sections = tables.flat_map(|table| SECTIONS.iter().filter_map(|section| table.get(*section)?.as_table()));
    sections.flatten().map(|(name, value)| (name.clone(), is_inherited(value))).collect()
}

fn line_of(file: &File, start: &str) -> usize {
    1 + file.text.lines().position(|line| line.starts_with(start)).unwrap_or(0)
}

fn dependencies(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (_, manifest, file) in manifests(tree) {
        for (name, _) in dependencies_of(&manifest).into_iter().filter(|(_, inherited)| !inherited) {
            let what = format!("`{name}` has a version of its own");
            findings.push(Finding { path: file.path.clone(), line: line_of(file, &name), what });
        }
    }
    findings
}

fn unused_versions(tree: &Tree) -> Vec<Finding> {
    let used: Vec<String> =
        manifests(tree).flat_map(|(_, manifest, _)| dependencies_of(&manifest)).map(|(name, _)| name).collect();
    let Some(file) = tree.get("Cargo.toml") else { return Vec::new() };
    let root: Table = file.text.parse().unwrap_or_default();
    let named = root.get("workspace").and_then(|table| table.get("dependencies")).and_then(Value::as_table);
    let unused = named.into_iter().flat_map(|table| table.keys()).filter(|name| !used.contains(name));
    let findings = unused.map(|name| {
        let what = format!("no crate uses `{name}`");
        Finding { path: file.path.clone(), line: line_of(file, &format!("{name} =")), what }
    });
    findings.collect()
}

fn lints(tree: &Tree) -> Vec<Finding> {
    let free = manifests(tree).filter(|(_, manifest, _)| !manifest.get("lints").is_some_and(is_inherited));
    let findings = free.map(|(krate, _, file)| Finding {
        path: file.path.clone(),
        line: 1,
        what: format!("`{krate}` does not take the lints of the workspace"),
    });
    findings.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::findings;

    const GOOD: &str = "[lints]\nworkspace = true\n[dependencies]\nbytes.workspace = true\n\
                        [dev-dependencies]\nserde = { workspace = true, features = [\"rc\"] }\n";
    const BAD: &str = "[package]\n[dependencies]\nbytes = \"1\"\n[target.'cfg(unix)'.dependencies]\nlibc = \"0.2\"\n";

    #[test]
    fn versions_are_said_at_the_root() {
        let files = [("crates/a/Cargo.toml", GOOD), ("crates/b/Cargo.toml", BAD)];
        let found = findings(RULES, "dependencies", &files);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found.contains(&"crates/b/Cargo.toml:3: `bytes` has a version of its own".to_owned()), "{found:?}");
        assert!(found.contains(&"crates/b/Cargo.toml:5: `libc` has a version of its own".to_owned()), "{found:?}");
    }

    #[test]
    fn a_version_that_nobody_uses_is_seen() {
        let root = "[workspace.dependencies]\nbytes = \"1\"\nserde = \"1\"\nrand = \"1\"\n";
        let files = [("crates/a/Cargo.toml", GOOD), ("Cargo.toml", root)];
        assert_eq!(findings(RULES, "unused versions", &files), ["Cargo.toml:4: no crate uses `rand`"]);
    }

    #[test]
    fn every_crate_takes_the_lints() {
        let files = [("crates/a/Cargo.toml", GOOD), ("crates/b/Cargo.toml", BAD)];
        assert_eq!(
            findings(RULES, "lints", &files),
            ["crates/b/Cargo.toml:1: `b` does not take the lints of the workspace"]
        );
    }
}
