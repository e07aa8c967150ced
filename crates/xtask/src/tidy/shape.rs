//! How a file and a function look from afar.

use syn::{
    Block, ImplItemFn, ItemFn, Signature, TraitItemFn,
    spanned::Spanned as _,
    visit::{self, Visit},
};

use super::{Finding, Rule, tree::Tree};

const FILE_LINES_MAX: usize = 600;
const FUNCTION_LINES_MAX: usize = 70;

/// Git's marks.
const SIDES: [&str; 2] = ["<<<<<<< ", ">>>>>>> "];

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "opening",
        fix: "open the file with `//!`: what room this is, what enters and leaves, what it must not know",
        check: openings,
    },
    Rule { name: "conflicts", fix: "decide which side holds, and delete the marks", check: conflicts },
    Rule { name: "syntax", fix: "`cargo check` says what the compiler does not understand", check: syntax },
    Rule {
        name: "file size",
        fix: "split the file where it speaks of two things; 150 to 400 lines are good",
        check: file_sizes,
    },
    Rule {
        name: "function size",
        fix: "keep the branches here and move leaves into functions of their own",
        check: function_sizes,
    },
];

fn openings(tree: &Tree) -> Vec<Finding> {
    let hand_written = tree.files.iter().filter(|file| file.path.ends_with(".rs") && !file.is_generated());
    let silent = hand_written.filter(|file| !file.text.starts_with("//!"));
    silent.map(|file| Finding { path: file.path.clone(), line: 1, what: "no `//!` at the top".into() }).collect()
}

/// What a merge leaves for people to decide.
fn conflicts(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.files {
        let marked = file.text.lines().enumerate().filter(|(_, line)| SIDES.iter().any(|side| line.starts_with(side)));
        findings.extend(marked.map(|(index, line)| Finding {
            path: file.path.clone(),
            line: index + 1,
            what: format!("`{line}` is left of a merge"),
        }));
    }
    findings
}

fn syntax(tree: &Tree) -> Vec<Finding> {
    let hand_written = tree.files.iter().filter(|file| file.path.ends_with(".rs") && !file.is_generated());
    let strange = hand_written.filter(|file| file.rust.is_none());
    strange.map(|file| Finding { path: file.path.clone(), line: 1, what: "this is no Rust".into() }).collect()
}

fn file_sizes(tree: &Tree) -> Vec<Finding> {
    let long = tree.rust().filter_map(|(file, _)| {
        let lines = file.text.lines().count();
        let what = format!("{lines} lines, at most {FILE_LINES_MAX} are allowed");
        (lines > FILE_LINES_MAX).then(|| Finding { path: file.path.clone(), line: lines, what })
    });
    long.collect()
}

fn function_sizes(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, rust) in tree.rust() {
        let mut long = LongFunctions(Vec::new());
        long.visit_file(&rust.syntax);
        findings.extend(long.0.into_iter().map(|(line, what)| Finding { path: file.path.clone(), line, what }));
    }
    findings
}

struct LongFunctions(Vec<(usize, String)>);

impl LongFunctions {
    fn measure(&mut self, signature: &Signature, block: &Block) {
        let start = signature.span().start().line;
        let lines = block.span().end().line - start + 1;
        if lines > FUNCTION_LINES_MAX {
            let what = format!("`{}` has {lines} lines, at most {FUNCTION_LINES_MAX} are allowed", signature.ident);
            self.0.push((start, what));
        }
    }
}

impl<'ast> Visit<'ast> for LongFunctions {
    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        self.measure(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        self.measure(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast TraitItemFn) {
        if let Some(block) = &item.default {
            self.measure(&item.sig, block);
        }
        visit::visit_trait_item_fn(self, item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::findings;

    #[test]
    fn a_file_opens_with_words() {
        let files =
            [("crates/x/src/a.rs", "//! A.\n"), ("crates/x/src/b.rs", "fn b() {}\n"), ("crates/x/src/gen/c.rs", "")];
        assert_eq!(findings(RULES, "opening", &files), ["crates/x/src/b.rs:1: no `//!` at the top"]);
    }

    #[test]
    fn what_a_merge_left_is_not_landed() {
        let halves = "FROM a\n<<<<<<< HEAD\nUSER b\n=======\nUSER c\n>>>>>>> 123 (A change)\n";
        let found = findings(RULES, "conflicts", &[("deploy/Dockerfile", halves), ("a.md", "Title\n=======\n")]);
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(found[0], "deploy/Dockerfile:2: `<<<<<<< HEAD` is left of a merge");
    }

    #[test]
    fn what_does_not_parse_is_not_passed_over() {
        let files = [("crates/x/src/a.rs", "fn a() {}"), ("crates/x/src/b.rs", "fn b( {}")];
        assert_eq!(findings(RULES, "syntax", &files), ["crates/x/src/b.rs:1: this is no Rust"]);
    }

    #[test]
    fn a_file_has_600_lines() {
        let (good, bad) = ("//\n".repeat(600), "//\n".repeat(601));
        let files = [("crates/x/src/a.rs", good.as_str()), ("crates/x/src/b.rs", bad.as_str())];
        assert_eq!(findings(RULES, "file size", &files), ["crates/x/src/b.rs:601: 601 lines, at most 600 are allowed"]);
    }

    #[test]
    fn a_function_has_70_lines_wherever_it_stands() {
        let function = |lines: usize| format!("fn f() {{\n{}}}\n", "();\n".repeat(lines - 2));
        let good = function(70);
        let bad = format!("impl X {{\n{}}}\ntrait Y {{\n{}}}\n", function(71), function(71));
        let files = [("crates/x/src/a.rs", good.as_str()), ("crates/x/src/b.rs", bad.as_str())];
        let found = findings(RULES, "function size", &files);
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(found[0], "crates/x/src/b.rs:2: `f` has 71 lines, at most 70 are allowed");
    }
}
