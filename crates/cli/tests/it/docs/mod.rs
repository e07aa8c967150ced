//! The documents as a reader tries them: every block of every page is run as it stands, and one that no rule knows fails. What a test's
//! machine lacks has a stand-in; `tests/stand-ins.sh` is the whole list. Commands in running text are parsed by `src/pages.rs`, those
//! of `cargo xtask` by its tidy.

mod first_message;
mod json;
mod operations;
mod protocol;
mod proxies;
mod reader;
mod readme;
mod settings;

use std::{
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn page(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

struct Block {
    /// `path:line` of its fence.
    place: String,
    /// The words behind the fence.
    fence: String,
    text: String,
}

impl Block {
    fn is_unknown(&self) -> ! {
        panic!("{}: no rule knows what to do with a block `{}`", self.place, self.fence)
    }
}

fn blocks(path: &str) -> Vec<Block> {
    let page = page(path);
    let mut blocks = Vec::new();
    let mut lines = page.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let Some(fence) = line.trim_start().strip_prefix("```") else { continue };
        let text = lines.by_ref().map(|(_, line)| line).take_while(|line| line.trim() != "```");
        let text = text.map(|line| format!("{line}\n")).collect();
        blocks.push(Block { place: format!("{path}:{}", index + 1), fence: fence.to_owned(), text });
    }
    blocks
}

/// Pages whose blocks are run, by the test of that name.
const RUN: [&str; 5] = ["README.md", "README.zh-CN.md", "docs/operations.md", "docs/protocol.md", "docs/settings.md"];

/// All others have pictures and nothing that a reader could try.
#[test]
fn what_can_be_tried_stands_on_pages_that_are_run() {
    let mut folders = vec![root(), root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let below = path.strip_prefix(root()).expect("below the root").to_str().expect("a name").to_owned();
            if path.is_dir() && below.starts_with("docs/") {
                folders.push(path);
            } else if below.ends_with(".md") && !RUN.contains(&below.as_str()) {
                let unknown = blocks(&below).into_iter().find(|block| !matches!(block.fence.as_str(), "" | "text"));
                if let Some(block) = unknown {
                    block.is_unknown();
                }
            }
        }
    }
}
