//! Pages name settings and metrics that exist: a table of limits with a setting that nobody has is worse than none.

use std::collections::HashSet;

use super::{
    Finding, Rule,
    tree::{File, Tree},
};

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "settings in pages",
        fix: "docs/settings.md has all of them, as they stand in crates/server/src/config.rs: correct the name",
        check: unknown_settings,
    },
    Rule {
        name: "metrics in pages",
        fix: "correct the name, or register the metric in crates/server: a counter ends with `_total` in a page",
        check: unknown_metrics,
    },
    Rule {
        name: "what a peer can spend",
        fix: "name the bound, its setting (or `fixed`) and what shows it in each row",
        check: empty_cells,
    },
];

const SETTINGS: &str = "docs/settings.md";
const OPERATIONS: &str = "docs/operations.md";
const SPENT: &str = "## What a peer can make the server spend";
const METRICS: &str = "crates/server/src/";

fn unknown_settings(tree: &Tree) -> Vec<Finding> {
    let known = settings(tree);
    let sections: HashSet<&str> = known.iter().filter_map(|name| Some(name.split_once('.')?.0)).collect();
    find(tree, |word| {
        let (section, key) = word.split_once('.')?;
        let is_setting = sections.contains(section) && !key.is_empty() && !FILES.contains(&key);
        (is_setting && !known.contains(word)).then(|| format!("there is no setting `{word}`"))
    })
}

/// `store.rs` is no setting.
const FILES: [&str; 2] = ["rs", "md"];

/// `section.key`, from the headings and first columns of the generated tables.
fn settings(tree: &Tree) -> HashSet<String> {
    let mut section = "";
    let mut names = HashSet::new();
    for line in tree.get(SETTINGS).map_or("", |file| &file.text).lines() {
        if let Some(name) = line.strip_prefix("### `[").and_then(|rest| rest.strip_suffix("]`")) {
            section = name;
        } else if let Some((key, _)) = line.strip_prefix("| `").and_then(|rest| rest.split_once('`')) {
            names.insert(format!("{section}.{key}"));
        }
    }
    names
}

fn unknown_metrics(tree: &Tree) -> Vec<Finding> {
    let sources: Vec<&File> = tree.files.iter().filter(|file| file.path.starts_with(METRICS)).collect();
    find(tree, |word| {
        let name =
            word.strip_prefix("anser_").filter(|name| tree.get(&format!("crates/{name}/Cargo.toml")).is_none())?;
        let registered = format!("\"{}\"", name.strip_suffix("_total").unwrap_or(name));
        let is_known = sources.iter().any(|file| file.text.contains(&registered));
        (!is_known).then(|| format!("there is no metric `{word}`"))
    })
}

/// In the table of docs/operations.md.
fn empty_cells(tree: &Tree) -> Vec<Finding> {
    let lines = tree.get(OPERATIONS).map_or("", |file| &file.text).lines().enumerate();
    let table = lines.skip_while(|(_, line)| *line != SPENT).skip(1).take_while(|(_, line)| !line.starts_with("## "));
    let rows = table.filter_map(|(index, line)| Some((index, line.strip_prefix('|')?.strip_suffix('|')?)));
    let empty = rows.filter(|(_, row)| row.split('|').any(|cell| cell.trim().is_empty()));
    let what = "a cell is empty".to_owned();
    empty.map(|(index, _)| Finding { path: OPERATIONS.into(), line: index + 1, what: what.clone() }).collect()
}

/// What `judge` says of the words in code spans of all pages.
fn find(tree: &Tree, judge: impl Fn(&str) -> Option<String>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for page in tree.files.iter().filter(|file| file.path.ends_with(".md")) {
        for (index, line) in page.text.lines().enumerate() {
            for span in line.split('`').skip(1).step_by(2) {
                let words = span.split(|letter: char| !matches!(letter, 'a'..='z' | '0'..='9' | '_' | '.' | '/'));
                let found = words.filter_map(&judge);
                findings.extend(found.map(|what| Finding { path: page.path.clone(), line: index + 1, what }));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::findings;

    #[test]
    fn each_resource_has_a_bound_a_setting_and_a_metric() {
        let page = "| | other |\n\n## What a peer can make the server spend\n\n| resource | bound |\n|---|---|\n| memory | |\n| disk | 1 |\n\n## Else\n| | x |\n";
        let found = findings(RULES, "what a peer can spend", &[(OPERATIONS, page)]);
        assert_eq!(found, ["docs/operations.md:7: a cell is empty"]);
    }

    const KNOWN: &str = "### `[limits]`\n\n| key | default | meaning |\n| `connections` | `1` | x |\n";

    #[test]
    fn a_setting_that_nobody_has_is_found() {
        let page =
            "Raise `limits.connections`, or `limits.places = 5`; see `crates/proto/src/limits.rs` and `limits.*`.";
        let found = findings(RULES, "settings in pages", &[(SETTINGS, KNOWN), ("docs/operations.md", page)]);
        assert_eq!(found, ["docs/operations.md:1: there is no setting `limits.places`"]);
    }

    #[test]
    fn a_metric_that_nobody_counts_is_found() {
        let files = [
            ("crates/server/src/metrics.rs", "registry.register(\"closes\", \"x\", closes);"),
            ("crates/server/Cargo.toml", ""),
            (
                "docs/a.md",
                "`anser_closes_total{code=\"LAGGING\"}`\nand `ANSER_LOG=anser_server=debug`\nand `anser_opens_total`",
            ),
        ];
        assert_eq!(
            findings(RULES, "metrics in pages", &files),
            ["docs/a.md:3: there is no metric `anser_opens_total`"]
        );
    }
}
