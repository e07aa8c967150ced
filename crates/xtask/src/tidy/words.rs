//! Words that are not used: in names, since they say nothing; in text, since there are plainer ones; and calls that break a promise of
//! the house.

use proc_macro2::{TokenStream, TokenTree};
use syn::{
    Ident, ImplItemFn, ItemEnum, ItemFn, ItemImpl, ItemMod, ItemStruct, ItemTrait, ItemType, TraitItemFn,
    visit::{self, Visit},
};

use super::{
    Finding, Rule,
    tree::{File, Tree},
};

pub(super) const RULES: &[Rule] = &[
    Rule { name: "plain words", fix: "a person is they, what is broken is fixed", check: quaint_words },
    Rule { name: "plain names", fix: "create, fix, receive, they; not mend, hear, he", check: quaint_names },
    Rule { name: "names", fix: "name the thing after what it is, the function after what it does", check: names },
    Rule {
        name: "calls",
        fix: "the reason stands beside the call; the exceptions in crates/xtask/src/tidy/words.rs",
        check: calls,
    },
];

/// As a word of a name, in whichever spelling.
const EMPTY_WORDS: [&str; 6] = ["manager", "service", "helper", "helpers", "util", "utils"];

#[derive(PartialEq, Eq)]
enum Scope {
    Everywhere,
    Tests,
    OutsideTests,
}

struct Ban {
    /// The ends of paths that are not called.
    calls: &'static [&'static str],
    scope: Scope,
    /// Prefixes of files where it holds.
    within: &'static [&'static str],
    /// Parts of file names where it does not.
    except: &'static [&'static str],
    why: &'static str,
}

const BANS: &[Ban] = &[
    Ban {
        calls: &["println!", "print!", "eprintln!", "eprint!"],
        scope: Scope::OutsideTests,
        within: &["crates/"],
        except: &["crates/cli/", "crates/xtask/"],
        why: "a library speaks through `tracing`",
    },
    Ban {
        calls: &["thread::sleep", "time::sleep", "thread::sleep_ms"],
        scope: Scope::Tests,
        within: &["crates/"],
        // A bench measures for a time; the time of the simulation is a paused clock's.
        except: &["/benches/", "crates/server/tests/sim/"],
        why: "wait for the event itself, or pause the clock and advance it",
    },
    Ban {
        calls: &["unbounded_channel", "mpsc::unbounded", "std::sync::mpsc::channel", "crossbeam_channel::unbounded"],
        scope: Scope::Everywhere,
        within: &["crates/"],
        except: &[],
        why: "every queue has a bound",
    },
    Ban {
        calls: &["Instant::now", "SystemTime::now"],
        scope: Scope::OutsideTests,
        within: &["crates/server/src/im", "crates/client/src/engine"],
        except: &["/clock.rs"],
        why: "time comes from the context, so that a test can set it",
    },
    // The store may measure how long it waits, but what it writes down is its clock's.
    Ban {
        calls: &["SystemTime::now"],
        scope: Scope::OutsideTests,
        within: &["crates/store/src/"],
        except: &["/clock.rs"],
        why: "time comes from `Options::clock`, so that a test can set it",
    },
    Ban {
        calls: &[
            "rand::rng",
            "rand::random",
            "rand::random_bool",
            "rand::random_range",
            "getrandom::fill",
            "Uuid::now_v7",
            "Uuid::new_v4",
        ],
        scope: Scope::OutsideTests,
        within: &["crates/client/src/engine"],
        except: &[],
        why: "the engine is handed its seed, so that a test can choose it",
    },
    Ban {
        calls: &["todo!", "unimplemented!", "dbg!"],
        scope: Scope::Everywhere,
        within: &["crates/"],
        except: &[],
        why: "nothing half done is committed",
    },
    Ban {
        calls: &["#[ignore]"],
        scope: Scope::Everywhere,
        within: &["crates/"],
        except: &[],
        why: "a test runs or is deleted",
    },
];

impl Ban {
    fn holds_in(&self, file: &File) -> bool {
        self.within.iter().any(|within| file.path.starts_with(within))
            && !self.except.iter().any(|except| file.path.contains(except))
    }

    fn holds_at(&self, file: &File, line: usize) -> bool {
        match self.scope {
            Scope::Everywhere => true,
            Scope::Tests => file.is_test_line(line),
            Scope::OutsideTests => !file.is_test_line(line),
        }
    }

    fn names(&self, path: &str) -> bool {
        self.calls
            .iter()
            .any(|call| path.strip_suffix(call).is_some_and(|rest| rest.is_empty() || rest.ends_with("::")))
    }
}

/// In pages, comments, messages and names alike.
const QUAINT_WORDS: [&str; 8] = ["he", "him", "his", "himself", "mend", "mends", "mended", "mending"];
/// The same but for the store, whose verbs are being written anew, and for golden frames, which never are.
const QUAINT_ELSEWHERE: [&str; 6] = ["ear", "ears", "hear", "heard", "hearing", "hears"];
const STORE: &str = "crates/store/";
const GOLDEN: &str = "crates/proto/tests/it/samples.rs";
/// Which has to name them.
const THIS_FILE: &str = "crates/xtask/src/tidy/words.rs";

fn is_quaint(file: &File, word: &str) -> bool {
    let is_among = |words: &[&str]| words.iter().any(|quaint| word.eq_ignore_ascii_case(quaint));
    let is_elsewhere = !file.path.starts_with(STORE) && file.path != GOLDEN;
    is_among(&QUAINT_WORDS) || (is_elsewhere && is_among(&QUAINT_ELSEWHERE))
}

fn quaint_words(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(|file| !file.is_generated() && file.path != THIS_FILE) {
        for (index, line) in file.text.lines().enumerate() {
            let mut words = line.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
            if let Some(word) = words.find(|word| is_quaint(file, word)) {
                findings.push(Finding { path: file.path.clone(), line: index + 1, what: format!("`{word}`") });
            }
        }
    }
    findings
}

/// Also of what only a macro's tokens name.
fn quaint_names(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, _) in tree.rust().filter(|(file, _)| !file.path.starts_with(STORE)) {
        let mut names = Vec::new();
        identifiers(file.text.parse().expect("it was parsed before"), &mut names);
        for name in names {
            if let Some(word) = words(&name.to_string()).iter().find(|word| is_quaint(file, word)) {
                let (line, what) = (name.span().start().line, format!("`{name}`: `{word}`"));
                findings.push(Finding { path: file.path.clone(), line, what });
            }
        }
    }
    findings
}

fn identifiers(tokens: TokenStream, names: &mut Vec<Ident>) {
    for token in tokens {
        match token {
            TokenTree::Ident(name) => names.push(name),
            TokenTree::Group(group) => identifiers(group.stream(), names),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

fn calls(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, rust) in tree.rust() {
        for ban in BANS.iter().filter(|ban| ban.holds_in(file)) {
            let calls = rust.paths.iter().filter(|path| !path.imported && ban.names(&path.text));
            for path in calls.filter(|path| ban.holds_at(file, path.line)) {
                let what = format!("`{}`: {}", path.text, ban.why);
                findings.push(Finding { path: file.path.clone(), line: path.line, what });
            }
        }
    }
    findings
}

fn names(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, rust) in tree.rust() {
        let mut empty = EmptyNames(Vec::new());
        empty.visit_file(&rust.syntax);
        findings.extend(empty.0.into_iter().map(|(line, what)| Finding { path: file.path.clone(), line, what }));
    }
    findings
}

struct EmptyNames(Vec<(usize, String)>);

impl EmptyNames {
    fn judge(&mut self, name: &Ident) {
        let line = name.span().start().line;
        if let Some(word) = words(&name.to_string()).into_iter().find(|word| EMPTY_WORDS.contains(&word.as_str())) {
            self.0.push((line, format!("`{name}`: `{word}` says nothing")));
        }
    }

    fn judge_verb(&mut self, name: &Ident) {
        self.judge(name);
        if name.to_string().starts_with("handle_") {
            self.0.push((name.span().start().line, format!("`{name}`: say what it does with it")));
        }
    }
}

/// `RoomManager`, `room_manager` and `ROOM_MANAGER`: room, manager.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_small = false;
    for letter in name.chars() {
        if letter == '_' || (was_small && letter.is_uppercase()) {
            words.push(String::new());
        }
        if letter != '_' {
            words.last_mut().expect("there is always one").extend(letter.to_lowercase());
        }
        was_small = letter.is_lowercase() || letter.is_numeric();
    }
    words
}

impl<'ast> Visit<'ast> for EmptyNames {
    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        self.judge_verb(&item.sig.ident);
        visit::visit_item_fn(self, item);
    }

    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        // The names in `impl Trait for` were given where the trait is.
        if item.trait_.is_none() {
            visit::visit_item_impl(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        self.judge_verb(&item.sig.ident);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast TraitItemFn) {
        self.judge_verb(&item.sig.ident);
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_item_struct(&mut self, item: &'ast ItemStruct) {
        self.judge(&item.ident);
    }

    fn visit_item_enum(&mut self, item: &'ast ItemEnum) {
        self.judge(&item.ident);
    }

    fn visit_item_trait(&mut self, item: &'ast ItemTrait) {
        self.judge(&item.ident);
        visit::visit_item_trait(self, item);
    }

    fn visit_item_type(&mut self, item: &'ast ItemType) {
        self.judge(&item.ident);
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        self.judge(&item.ident);
        visit::visit_item_mod(self, item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::findings;

    fn check(rule: &str, path: &str, text: &str, expected: &[&str]) {
        let found = findings(RULES, rule, &[(path, text)]);
        assert_eq!(found.len(), expected.len(), "{text}: {found:?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.contains(expected), "{found} does not contain {expected}");
        }
    }

    #[test]
    fn names_that_say_nothing_are_refused() {
        let path = "crates/server/src/im/message.rs";
        check("names", path, "struct RoomManager;\nmod util {}\nfn send_helper() {}", &["manager", "util", "helper"]);
        check("names", path, "impl X { fn handle_send() {} }", &["`handle_send`"]);
        check("names", path, "fn handle() {}\nstruct Utility;\nimpl Service for X { fn service() {} }", &[]);
    }

    #[test]
    fn people_are_they() {
        let text = "A user and his list.\nThis, the chat, where. Mend it.\nNobody hears early hearts.\n";
        let found = ["docs/a.md:1: `his`", "docs/a.md:2: `Mend`", "docs/a.md:3: `hears`"];
        check("plain words", "docs/a.md", text, &found);
        check("plain words", "crates/x/src/lib.rs", "//! What he_lo sees.\n", &[]);
    }

    #[test]
    fn names_are_plain_too_wherever_they_stand() {
        let text = "mod heard;\nstruct BigEar;\nfn with_its_mend() { let early = hearts; }\nmac! { fn HE_SAYS() { \"heard\" } }\n// ear\n";
        let found = ["1: `heard`: `heard`", "2: `BigEar`: `ear`", "3: `with_its_mend`: `mend`", "4: `HE_SAYS`: `he`"];
        check("plain names", "crates/x/src/lib.rs", text, &found);
        check("plain names", "crates/store/src/lib.rs", text, &[]);
    }

    #[test]
    fn a_library_does_not_print() {
        let text = "//! x\nfn f() { println!(); }\n#[test]\nfn t() { println!(); }";
        check("calls", "crates/store/src/lib.rs", text, &[":2: `println!`"]);
        check("calls", "crates/cli/src/main.rs", text, &[]);
    }

    #[test]
    fn tests_do_not_sleep() {
        let text = "use tokio::time::{Duration, sleep};\nfn f() { sleep(d); }\n#[cfg(test)]\nmod tests {\nfn g() { sleep(d); }\n}";
        check("calls", "crates/client/src/driver.rs", text, &[":5: `tokio::time::sleep`"]);
        check("calls", "crates/server/tests/it/main.rs", text, &[":2: ", ":5: "]);
    }

    #[test]
    fn every_queue_has_a_bound() {
        let path = "crates/server/src/hub.rs";
        check("calls", path, "use std::sync::mpsc;\nfn f() { mpsc::channel(); }", &[":2: `std::sync::mpsc::channel`"]);
        check("calls", path, "use tokio::sync::mpsc;\nfn f() { mpsc::channel(8); }", &[]);
        check(
            "calls",
            path,
            "fn f() { tokio::select! { _ = tokio::sync::mpsc::unbounded_channel() => {} } }",
            &[":1: "],
        );
    }

    #[test]
    fn the_clock_has_a_file_of_its_own() {
        let text = "use std::time::Instant;\nfn f() { Instant::now(); }";
        check("calls", "crates/server/src/im/typing.rs", text, &[":2: `std::time::Instant::now`"]);
        check("calls", "crates/server/src/im/clock.rs", text, &[]);
        check("calls", "crates/server/src/gateway/conn.rs", text, &[]);

        let text = "fn f() { std::time::Instant::now(); std::time::SystemTime::now(); }";
        check("calls", "crates/store/src/sqlite/writer.rs", text, &["`std::time::SystemTime::now`"]);
        check("calls", "crates/store/src/clock.rs", text, &[]);
    }

    #[test]
    fn the_engine_does_not_throw_dice_of_its_own() {
        let text = "fn f() { rand::rng().random(); }";
        check("calls", "crates/client/src/engine/backoff.rs", text, &[":1: `rand::rng`"]);
        check("calls", "crates/client/src/client.rs", text, &[]);
    }

    #[test]
    fn nothing_half_done_is_committed() {
        let text = "#[ignore]\nfn f() { todo!(); dbg!(x); }";
        check("calls", "crates/server/tests/it/main.rs", text, &["`todo!`", "`dbg!`", "`#[ignore]`"]);
    }
}
