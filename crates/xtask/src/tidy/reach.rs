//! Files that nobody reaches: Rust outside of every `mod`, pages that no other page links to, links to nothing.

use std::collections::{BTreeSet, HashSet};

use syn::{Expr, ExprLit, Item, Lit};

use super::{
    Finding, Rule,
    tree::{File, Tree},
};
use crate::root;

pub(super) const RULES: &[Rule] = &[
    Rule { name: "dead code", fix: "declare it with `mod` where it belongs, or delete it", check: dead_code },
    Rule {
        name: "dead pages",
        fix: "link to it from the page where somebody would look for it, or delete it",
        check: dead_pages,
    },
    Rule { name: "links", fix: "correct the target, or delete the link", check: links },
];

/// A page at the root is found by whoever opens the repository.
fn is_entrance(path: &str) -> bool {
    !path.contains('/')
}

fn dead_code(tree: &Tree) -> Vec<Finding> {
    let rust = || tree.files.iter().filter(|file| file.path.starts_with("crates/") && file.path.ends_with(".rs"));
    let mut reached = HashSet::new();
    let mut waiting: Vec<String> = rust().filter(|file| is_target(&file.path)).map(|file| file.path.clone()).collect();
    while let Some(path) = waiting.pop() {
        if let Some(file) = tree.get(&path)
            && reached.insert(path)
        {
            waiting.extend(included(file));
            if let Some(rust) = &file.rust {
                modules(&rust.syntax.items, &folder_of_modules(&file.path), &file.path, &mut waiting);
            }
        }
    }
    let dead = rust().filter(|file| !reached.contains(&file.path));
    dead.map(|file| Finding { path: file.path.clone(), line: 1, what: "no target and no `mod` reaches it".into() })
        .collect()
}

/// What cargo builds by itself: `src/lib.rs`, `src/main.rs`, `build.rs`, and one file or folder for each binary, test, bench and example.
fn is_target(path: &str) -> bool {
    let below: Vec<&str> = path.split('/').skip(2).collect();
    matches!(
        below.as_slice(),
        ["src", "lib.rs" | "main.rs"]
            | ["build.rs"]
            | ["src", "bin", _]
            | ["src", "bin", _, "main.rs"]
            | ["tests" | "benches" | "examples", _]
            | ["tests" | "benches" | "examples", _, "main.rs"]
    )
}

/// Where the files of a file's modules lie.
fn folder_of_modules(path: &str) -> String {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    if is_target(path) || name == "mod.rs" { folder.to_owned() } else { path.trim_end_matches(".rs").to_owned() }
}

/// Where the modules declared in these items may lie, those in inline modules included.
fn modules(items: &[Item], folder: &str, file: &str, found: &mut Vec<String>) {
    for item in items {
        let Item::Mod(module) = item else { continue };
        let name = module.ident.to_string();
        if let Some((_, items)) = &module.content {
            modules(items, &format!("{folder}/{name}"), file, found);
        } else if let Some(path) = path_attribute(&module.attrs) {
            let beside = file.rsplit_once('/').map_or("", |(folder, _)| folder);
            found.extend(resolved(beside, &path));
        } else {
            found.push(format!("{folder}/{name}.rs"));
            found.push(format!("{folder}/{name}/mod.rs"));
        }
    }
}

fn path_attribute(attributes: &[syn::Attribute]) -> Option<String> {
    let attribute = attributes.iter().find(|attribute| attribute.path().is_ident("path"))?;
    match &attribute.meta.require_name_value().ok()?.value {
        Expr::Lit(ExprLit { lit: Lit::Str(path), .. }) => Some(path.value()),
        _ => None,
    }
}

fn included(file: &File) -> Vec<String> {
    let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let names = file.text.split("include!(\"").skip(1).filter_map(|rest| Some(rest.split_once('"')?.0));
    names.filter_map(|name| resolved(folder, name)).collect()
}

/// A relative path below the root, with `.` and `..` taken out; none if it leads out of the repository.
fn resolved(folder: &str, relative: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            _ => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn pages(tree: &Tree) -> impl Iterator<Item = &File> {
    tree.files.iter().filter(|file| file.path.ends_with(".md"))
}

struct Link {
    line: usize,
    target: String,
}

/// The links of a page into the repository, outside of code.
fn links_of(page: &File) -> Vec<Link> {
    let mut links = Vec::new();
    let mut is_code = false;
    for (index, line) in page.text.lines().enumerate() {
        is_code ^= line.trim_start().starts_with("```");
        if is_code {
            continue;
        }
        // What stands between backticks is code as well.
        let prose = line.split('`').step_by(2).collect::<Vec<_>>().join("``");
        let targets = prose.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0.to_owned()));
        let inside = targets.filter(|target| !target.contains("://") && !target.starts_with("mailto:"));
        links.extend(inside.map(|target| Link { line: index + 1, target }));
    }
    links
}

/// The file that a link leads to, and the heading in it.
fn target(page: &File, link: &Link) -> (Option<String>, Option<String>) {
    let (path, heading) =
        link.target.split_once('#').map_or((link.target.as_str(), None), |(path, heading)| (path, Some(heading)));
    let folder = page.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let file = if path.is_empty() { Some(page.path.clone()) } else { resolved(folder, path) };
    (file, heading.map(str::to_owned))
}

fn dead_pages(tree: &Tree) -> Vec<Finding> {
    let mut reached = BTreeSet::new();
    let mut waiting: Vec<&File> = pages(tree).filter(|page| is_entrance(&page.path)).collect();
    while let Some(page) = waiting.pop() {
        if reached.insert(&page.path) {
            let files = links_of(page).into_iter().filter_map(|link| target(page, &link).0);
            waiting.extend(files.filter_map(|path| tree.get(&path)).filter(|file| file.path.ends_with(".md")));
        }
    }
    // A README beside data explains what lies there, to who looks there.
    let dead = pages(tree).filter(|page| page.path.starts_with("docs/") && !reached.contains(&page.path));
    dead.map(|page| Finding { path: page.path.clone(), line: 1, what: "no page leads here".into() }).collect()
}

fn links(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for page in pages(tree) {
        for link in links_of(page) {
            let (path, heading) = target(page, &link);
            let file = path.as_ref().and_then(|path| tree.get(path));
            let exists = file.is_some() || path.as_ref().is_some_and(|path| root().join(path).exists());
            let what = match (exists, file, heading) {
                (false, ..) => format!("`{}` is not there", link.target),
                (true, Some(file), Some(heading)) if !has_heading(file, &heading) => {
                    format!("`{}` has no heading `#{heading}`", file.path)
                }
                _ => continue,
            };
            findings.push(Finding { path: page.path.clone(), line: link.line, what });
        }
    }
    findings
}

fn has_heading(page: &File, wanted: &str) -> bool {
    let headings = page.text.lines().filter(|line| line.starts_with('#'));
    headings.map(|line| anchor(line.trim_start_matches('#').trim())).any(|anchor| anchor == wanted)
}

/// As the web pages of git hosts make them of headings.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::findings;

    #[test]
    fn a_file_that_no_mod_names_is_dead() {
        let files = [
            (
                "crates/x/src/lib.rs",
                "mod a;\nmod inner { mod deep; }\n#[path = \"other.rs\"] mod b;\ninclude!(\"gen/c.rs\");",
            ),
            ("crates/x/src/a/mod.rs", "mod c;"),
            ("crates/x/src/a/c.rs", "mod d;"),
            ("crates/x/src/a/c/d.rs", ""),
            ("crates/x/src/inner/deep.rs", ""),
            ("crates/x/src/other.rs", ""),
            ("crates/x/src/gen/c.rs", ""),
            ("crates/x/src/forgotten.rs", ""),
            ("crates/x/tests/it/main.rs", "mod send;"),
            ("crates/x/tests/it/send.rs", ""),
            ("crates/x/tests/it/forgotten.rs", ""),
        ];
        let found = findings(RULES, "dead code", &files);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("crates/x/src/forgotten.rs:1:"), "{found:?}");
        assert!(found[1].starts_with("crates/x/tests/it/forgotten.rs:1:"), "{found:?}");
    }

    #[test]
    fn a_page_is_reached_from_the_root() {
        let files = [
            ("README.md", "See [it](docs/a.md)."),
            ("docs/a.md", "And [more](deep/b.md#x)."),
            ("docs/deep/b.md", "# X"),
            ("docs/lost.md", "[a](a.md)"),
        ];
        assert_eq!(findings(RULES, "dead pages", &files), ["docs/lost.md:1: no page leads here"]);
    }

    #[test]
    fn links_lead_somewhere() {
        let files = [
            (
                "docs/a.md",
                "[ok](b.md#two-words) [web](https://x.example) `[code](no.md)`\n```\n[code](no.md)\n```\n[me](#a)\n# A",
            ),
            ("docs/b.md", "## Two words!\n[gone](c.md)\n[up](../../x)\n[lost](a.md#z)"),
        ];
        let found = findings(RULES, "links", &files);
        assert_eq!(
            found,
            [
                "docs/b.md:2: `c.md` is not there",
                "docs/b.md:3: `../../x` is not there",
                "docs/b.md:4: `docs/a.md` has no heading `#z`"
            ]
        );
    }
}
