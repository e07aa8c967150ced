//! Every code that can be told is provoked by a test: what no test provokes, nobody knows to work.

use anser_proto::{CloseCode, ErrorCode};

use super::{Finding, Rule, tree::Tree};

pub(super) const RULES: &[Rule] = &[Rule {
    name: "codes",
    mend: "write a test at the boundary that provokes it, or take the code out of the contract",
    check: unprovoked,
}];

const CONTRACT: &str = "proto/anser/v1/error.proto";
/// How tests name the two enums.
const ENUMS: [&str; 3] = ["ErrorCode", "CloseCode", "Code"];

fn unprovoked(tree: &Tree) -> Vec<Finding> {
    let errors = ErrorCode::all().map(|code| (format!("{code:?}"), code.as_str_name()));
    let closes = CloseCode::all().map(|code| (format!("{code:?}"), code.as_str_name()));
    let missing = errors.chain(closes).filter(|(variant, _)| !is_named_by_a_test(tree, variant));
    let findings = missing.map(|(variant, name)| {
        let contract = tree.get(CONTRACT).map_or("", |file| file.text.as_str());
        let line = 1 + contract.lines().position(|line| line.trim().starts_with(&format!("{name} ="))).unwrap_or(0);
        Finding { path: CONTRACT.into(), line, what: format!("no test provokes {name} (`{variant}`)") }
    });
    findings.collect()
}

/// Where a real server is asked. The tests of wire and client write codes into frames and provoke none.
const TESTS: [&str; 2] = ["crates/server/tests/", "crates/cli/tests/"];

fn is_named_by_a_test(tree: &Tree, variant: &str) -> bool {
    let tests = tree.rust().filter(|(file, _)| TESTS.iter().any(|tests| file.path.starts_with(tests)));
    tests.flat_map(|(_, rust)| &rust.paths).any(|path| {
        let mut segments = path.text.rsplit("::");
        segments.next() == Some(variant) && segments.next().is_some_and(|name| ENUMS.contains(&name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::findings;

    #[test]
    fn a_code_must_be_named_by_a_test() {
        let contract = "enum Code {\n  NOT_MEMBER = 201;\n  FORBIDDEN = 202;\n}\n";
        let test =
            "use anser_proto::ErrorCode;\nfn t() { check(ErrorCode::NotMember); check(error::Code::Forbidden); }";
        let all = findings(RULES, "codes", &[(CONTRACT, contract)]);
        assert_eq!(all.len(), ErrorCode::all().count() + CloseCode::all().count());
        assert!(all.contains(&format!("{CONTRACT}:2: no test provokes NOT_MEMBER (`NotMember`)")), "{all:?}");

        let tested = findings(RULES, "codes", &[(CONTRACT, contract), ("crates/server/tests/it/send.rs", test)]);
        assert_eq!(tested.len(), all.len() - 2);
        for path in ["crates/proto/tests/it/samples.rs", "crates/client/tests/it/fake.rs"] {
            assert_eq!(findings(RULES, "codes", &[(path, test)]).len(), all.len(), "{path} provokes nothing");
        }
    }
}
