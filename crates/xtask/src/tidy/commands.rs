//! Pages name commands that there are: of this program with its flags, and of cargo with crates, tests and benches that exist.

use clap::{Parser as _, error::ErrorKind};

use super::{Finding, Rule, tree::Tree};
use crate::Task;

pub(super) const RULES: &[Rule] = &[Rule {
    name: "commands in pages",
    fix: "`cargo xtask help` lists the commands; a crate is named as in its manifest",
    check: unknown_commands,
}];

/// What is run with a crate: the flag that names a target of it, and where that lies.
const TARGETS: [(&str, &str); 2] = [("--test", "tests"), ("--bench", "benches")];

fn unknown_commands(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for page in tree.files.iter().filter(|file| file.path.ends_with(".md")) {
        for (index, line) in page.text.lines().enumerate() {
            // A line without code spans may be one of a block.
            let spans: Vec<_> = line.split('`').collect();
            let commands = spans.iter().skip(usize::from(spans.len() > 1)).step_by(2);
            let found = commands.filter_map(|command| judge(tree, command.trim()));
            findings.extend(found.map(|what| Finding { path: page.path.clone(), line: index + 1, what }));
        }
    }
    findings
}

fn judge(tree: &Tree, command: &str) -> Option<String> {
    let words: Vec<_> = command.split_whitespace().skip_while(|word| word.contains('=')).collect();
    match words[..] {
        ["cargo", "xtask", ..] => {
            let error = Task::try_parse_from(&words[1..]).err()?;
            let is_help =
                matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand);
            (!is_help).then(|| format!("`{command}`: {}", error.to_string().lines().next().unwrap_or_default()))
        }
        ["cargo", "test" | "bench", ..] => {
            let value = |flag: &str| words.iter().position(|word| *word == flag).and_then(|at| words.get(at + 1));
            let package = value("-p")?;
            let named = format!("name = \"{package}\"");
            let manifests = tree.files.iter().filter(|file| file.path.ends_with("/Cargo.toml"));
            let Some(manifest) = manifests.into_iter().find(|file| file.text.lines().any(|line| line == named)) else {
                return Some(format!("`{command}`: there is no crate {package}"));
            };
            let room = manifest.path.trim_end_matches("Cargo.toml");
            TARGETS.iter().find_map(|(flag, folder)| {
                let start = format!("{room}{folder}/{}", value(flag)?);
                let is_there = tree.get(&format!("{start}.rs")).or(tree.get(&format!("{start}/main.rs"))).is_some();
                (!is_there).then(|| format!("`{command}`: there is no {start}"))
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::findings;

    #[test]
    fn a_command_that_there_is_not_is_found() {
        let page = "Run `cargo xtask test --only fmt`, `cargo xtask tidi`,\n`cargo test -p anser --test hostile`, `N=1 cargo bench -p anser --bench x`,\n\
                    `cargo test -p goose` and `cargo build`.\n```sh\ncargo xtask dev-cluster --chaos\ncargo xtask test --chaos\n```\n";
        let files = [
            ("docs/a.md", page),
            ("crates/cli/Cargo.toml", "[package]\nname = \"anser\"\n"),
            ("crates/cli/tests/hostile/main.rs", "//! x\n"),
        ];
        let found = findings(RULES, "commands in pages", &files);
        assert_eq!(found.len(), 4, "{found:?}");
        for (found, wanted) in found.iter().zip([
            "1: `cargo xtask tidi`",
            "2: `N=1 cargo bench",
            "3: `cargo test -p goose`",
            "6: `cargo xtask test --chaos`",
        ]) {
            assert!(found.contains(&format!("docs/a.md:{wanted}")), "{found} is not {wanted}");
        }
    }
}
