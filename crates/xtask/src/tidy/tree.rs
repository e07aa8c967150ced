//! The files of the repository, read once: text, and of Rust the syntax and every path that it names.

use std::{collections::HashMap, fs, ops::RangeInclusive, path::Path};

use anyhow::Context as _;
use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use syn::{ItemFn, ItemMod, spanned::Spanned as _, visit::Visit};

/// Where files are looked for: everything that people write.
const ROOMS: [&str; 6] = ["crates", "docs", "proto", "sdk", "web", "deploy"];
const NOT_OURS: [&str; 4] = ["target", "node_modules", "dist", ".git"];
/// A name without a dot is its own ending.
const ENDINGS: [&str; 10] = ["rs", "md", "toml", "proto", "sql", "yaml", "yml", "service", "example", "Dockerfile"];

pub(super) struct Tree {
    pub(super) files: Vec<File>,
}

pub(super) struct File {
    /// Below the root, with slashes.
    pub(super) path: String,
    pub(super) text: String,
    /// Of hand-written Rust that parses.
    pub(super) rust: Option<Rust>,
}

pub(super) struct Rust {
    pub(super) syntax: syn::File,
    /// In order of the text, macros included.
    pub(super) paths: Vec<NamedPath>,
    test_lines: Vec<RangeInclusive<usize>>,
}

/// `a::b::c`, with what its first segment was imported as; `name!` for a macro, `#[name]` for an attribute.
pub(super) struct NamedPath {
    pub(super) text: String,
    pub(super) line: usize,
    pub(super) imported: bool,
}

impl Tree {
    pub(super) fn read(root: &Path) -> anyhow::Result<Self> {
        let mut files = Vec::new();
        for room in ROOMS.iter().map(|room| root.join(room)).filter(|room| room.is_dir()) {
            read_folder(root, &room, &mut files)?;
        }
        for entry in fs::read_dir(root)? {
            read_file(root, &entry?.path(), &mut files)?;
        }
        files.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(Self { files })
    }

    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        Self { files: files.iter().map(|(path, text)| File::new((*path).to_owned(), (*text).to_owned())).collect() }
    }

    pub(super) fn rust(&self) -> impl Iterator<Item = (&File, &Rust)> {
        self.files.iter().filter_map(|file| Some((file, file.rust.as_ref()?)))
    }

    pub(super) fn get(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }
}

fn read_folder(root: &Path, folder: &Path, files: &mut Vec<File>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if !path.is_dir() {
            read_file(root, &path, files)?;
        } else if !NOT_OURS.contains(&name) {
            read_folder(root, &path, files)?;
        }
    }
    Ok(())
}

fn read_file(root: &Path, path: &Path, files: &mut Vec<File>) -> anyhow::Result<()> {
    let ending = path.extension().or(path.file_name()).and_then(|ending| ending.to_str()).unwrap_or_default();
    if !ENDINGS.contains(&ending) || !path.is_file() {
        return Ok(());
    }
    let text = fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let below = path.strip_prefix(root).expect("the walk stays below the root");
    files.push(File::new(below.to_string_lossy().replace('\\', "/"), text));
    Ok(())
}

impl File {
    fn new(path: String, text: String) -> Self {
        let rust = if path.ends_with(".rs") && !path.contains("/gen/") { Rust::parse(&text).ok() } else { None };
        Self { path, text, rust }
    }

    pub(super) fn is_generated(&self) -> bool {
        self.path.contains("/gen/")
    }

    /// Everything in it is a test or a bench. A conformance suite lies in `src/`, for other crates to run.
    pub(super) fn is_test(&self) -> bool {
        ["/tests/", "/benches/", "/tests.rs", "/src/contract"].iter().any(|part| self.path.contains(part))
    }

    pub(super) fn is_test_line(&self, line: usize) -> bool {
        self.is_test() || self.rust.as_ref().is_some_and(|rust| rust.test_lines.iter().any(|test| test.contains(&line)))
    }

    /// The module that a file in `src/` is: `crate::im::message`.
    fn module(&self) -> String {
        let Some((_, inside)) = self.path.split_once("/src/") else { return "crate".to_owned() };
        let inside = inside.trim_end_matches(".rs");
        let inside = inside.trim_end_matches("mod").trim_end_matches('/');
        match inside {
            "lib" | "main" | "" => "crate".to_owned(),
            _ => format!("crate::{}", inside.replace('/', "::")),
        }
    }

    /// The path as seen from the root of its crate: `super` and `self` resolved.
    pub(super) fn absolute(&self, path: &str) -> String {
        let mut module = self.module();
        let mut rest = path.strip_prefix("self::").unwrap_or(path);
        let relative = rest.len() < path.len() || rest.starts_with("super::");
        while let Some(up) = rest.strip_prefix("super::") {
            module.truncate(module.rfind("::").unwrap_or(module.len()));
            rest = up;
        }
        if relative { format!("{module}::{rest}") } else { path.to_owned() }
    }
}

impl Rust {
    pub(super) fn parse(text: &str) -> syn::Result<Self> {
        let tokens: TokenStream = text.parse()?;
        let syntax: syn::File = syn::parse2(tokens.clone())?;
        let mut names = Names::default();
        names.walk(tokens, "", false);
        let mut tests = TestLines(Vec::new());
        tests.visit_file(&syntax);
        Ok(Self { syntax, paths: names.resolved(), test_lines: tests.0 })
    }
}

/// Collects paths from tokens rather than from syntax, since those in macros count as well.
#[derive(Default)]
struct Names {
    paths: Vec<NamedPath>,
    /// Name in this file -> full path.
    imports: HashMap<String, String>,
}

impl Names {
    /// `prefix` is what stands before the braces of a `use`.
    fn walk(&mut self, tokens: TokenStream, prefix: &str, mut imported: bool) {
        let mut rest: Vec<_> = tokens.into_iter().collect();
        rest.reverse();
        let (mut is_method, mut was_dot) = (false, false);
        while let Some(token) = rest.pop() {
            let is_dot = is_punct(Some(&token), '.');
            match token {
                TokenTree::Ident(ident) if ident == "use" && !is_punct(rest.last(), '<') => imported = true,
                TokenTree::Ident(ident) if !is_method => {
                    let line = ident.span().start().line;
                    self.path(format!("{prefix}{ident}"), line, imported, &mut rest);
                }
                TokenTree::Group(group) => self.walk(group.stream(), "", false),
                TokenTree::Punct(punct) if punct.as_char() == ';' => imported = false,
                TokenTree::Punct(punct) if punct.as_char() == '#' => self.attribute(rest.last()),
                _ => {}
            }
            // The second dot of a range calls no method.
            is_method = is_dot && !was_dot;
            was_dot = is_dot;
        }
    }

    /// Takes the rest of a path off the tokens and records it.
    fn path(&mut self, mut text: String, line: usize, imported: bool, rest: &mut Vec<TokenTree>) {
        while let [.., TokenTree::Punct(second), TokenTree::Punct(first)] = rest.as_slice() {
            if first.as_char() != ':' || first.spacing() != Spacing::Joint || second.as_char() != ':' {
                break;
            }
            rest.truncate(rest.len() - 2);
            match rest.pop() {
                Some(TokenTree::Ident(ident)) => text = format!("{text}::{ident}"),
                Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                    return self.walk(group.stream(), &format!("{text}::"), imported);
                }
                Some(other) => {
                    rest.push(other);
                    break;
                }
                None => break,
            }
        }
        if let [.., next, TokenTree::Punct(bang)] = rest.as_slice()
            && bang.as_char() == '!'
            && matches!(next, TokenTree::Group(_))
        {
            text.push('!');
        }
        if imported {
            let text = text.trim_end_matches("::self");
            let mut name = text.rsplit("::").next().unwrap_or(text).to_owned();
            if let [.., TokenTree::Ident(alias), TokenTree::Ident(word)] = rest.as_slice()
                && word == "as"
            {
                name = alias.to_string();
                rest.truncate(rest.len() - 2);
            }
            self.imports.insert(name, text.to_owned());
        }
        self.paths.push(NamedPath { text, line, imported });
    }

    fn attribute(&mut self, group: Option<&TokenTree>) {
        let Some(TokenTree::Group(group)) = group else { return };
        if let Some(TokenTree::Ident(name)) = group.stream().into_iter().next() {
            let line = name.span().start().line;
            self.paths.push(NamedPath { text: format!("#[{name}]"), line, imported: false });
        }
    }

    fn resolved(self) -> Vec<NamedPath> {
        let Self { mut paths, imports } = self;
        for path in paths.iter_mut().filter(|path| !path.imported) {
            let (first, rest) = path.text.split_at(path.text.find("::").unwrap_or(path.text.len()));
            if let Some(full) = imports.get(first) {
                path.text = format!("{full}{rest}");
            }
        }
        paths
    }
}

fn is_punct(token: Option<&TokenTree>, sign: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == sign)
}

struct TestLines(Vec<RangeInclusive<usize>>);

impl TestLines {
    fn add(&mut self, attributes: &[syn::Attribute], span: proc_macro2::Span) {
        let is_test = attributes.iter().any(|attribute| {
            attribute.path().segments.last().is_some_and(|last| last.ident == "test")
                || (attribute.path().is_ident("cfg")
                    && attribute.parse_args::<syn::Ident>().is_ok_and(|word| word == "test"))
        });
        if is_test {
            self.0.push(span.start().line..=span.end().line);
        }
    }
}

impl<'ast> Visit<'ast> for TestLines {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        self.add(&item.attrs, item.span());
        syn::visit::visit_item_mod(self, item);
    }

    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        self.add(&item.attrs, item.span());
        syn::visit::visit_item_fn(self, item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(text: &str) -> Vec<String> {
        let rust = Rust::parse(text).expect("the test is Rust");
        rust.paths.into_iter().map(|path| format!("{}:{}", path.line, path.text)).collect()
    }

    #[test]
    fn imports_are_followed_into_braces_and_aliases() {
        let text = "use std::{sync::mpsc, time::{self, Instant as Now}};\nfn f() { mpsc::channel(); Now::now(); }";
        let paths = paths(text);
        for path in
            ["1:std::sync::mpsc", "1:std::time::Instant", "2:std::sync::mpsc::channel", "2:std::time::Instant::now"]
        {
            assert!(paths.iter().any(|found| found == path), "{path} is not among {paths:?}");
        }
    }

    #[test]
    fn macros_and_attributes_are_seen_and_methods_are_not() {
        let text = "#[ignore]\nfn f() { vec![a::b()]; x.ignore(); if a != b {} 0..c::d }";
        let paths = paths(text);
        for path in ["1:#[ignore]", "2:vec!", "2:a::b", "2:c::d"] {
            assert!(paths.iter().any(|found| found == path), "{path} is not among {paths:?}");
        }
        assert!(!paths.iter().any(|found| found == "2:ignore"), "{paths:?}");
    }

    #[test]
    fn a_relative_path_is_seen_from_the_root_of_the_crate() {
        let file = |path: &str| File::new(path.to_owned(), String::new());
        assert_eq!(file("crates/server/src/im/message.rs").absolute("super::super::hub::x"), "crate::hub::x");
        assert_eq!(file("crates/server/src/im/mod.rs").absolute("super::hub"), "crate::hub");
        assert_eq!(file("crates/server/src/lib.rs").absolute("self::hub"), "crate::hub");
        assert_eq!(file("crates/server/src/im/mod.rs").absolute("std::fs"), "std::fs");
    }

    #[test]
    fn tests_are_told_from_the_rest() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\n#[tokio::test]\nasync fn c() {}\n";
        let file = File::new("crates/x/src/lib.rs".into(), text.into());
        let tests: Vec<_> = (1..=7).filter(|line| file.is_test_line(*line)).collect();
        assert_eq!(tests, [2, 3, 4, 5, 6, 7]);
    }
}
