//! The table of time-outs in docs/protocol.md says what the constants say.

use super::{Finding, Rule, tree::Tree};

pub(super) const RULES: &[Rule] = &[Rule {
    name: "waits",
    fix: "write the constant's value into the table of docs/protocol.md, and see that the ones beside it still suit it",
    check: differing,
}];

const PAGE: &str = "docs/protocol.md";
/// The columns: who waits, for what, how long, what then, the constant and its file.
const HEADING: &str = "| who | waits for | how long | and then | constant |";

fn differing(tree: &Tree) -> Vec<Finding> {
    let Some(page) = tree.get(PAGE) else { return Vec::new() };
    let lines = || page.text.lines().enumerate();
    let Some((heading, _)) = lines().find(|(_, line)| *line == HEADING) else {
        return vec![Finding { path: PAGE.into(), line: 1, what: "the table of time-outs is gone".into() }];
    };
    let rows = lines().skip(heading + 2).take_while(|(_, line)| line.starts_with('|'));
    rows.filter_map(|(index, row)| Some(Finding { path: PAGE.into(), line: index + 1, what: wrong(tree, row)? }))
        .collect()
}

fn wrong(tree: &Tree, row: &str) -> Option<String> {
    let cells: Vec<_> = row.split('|').map(str::trim).collect();
    let [_, _, _, told, _, constant, _] = cells[..] else { return Some("not five columns".into()) };
    let Some((name, path)) = constant.split_once(" in ") else { return Some(format!("{constant}: not `X in file`")) };
    let (name, path) = (name.trim_matches('`'), path.trim_matches('`'));
    let Some(file) = tree.get(path) else { return Some(format!("there is no {path}")) };
    let Some(millis) = file.text.lines().find_map(|line| value_ms(line, name)) else {
        return Some(format!("{path} has no {name} in seconds or milliseconds"));
    };
    let has = if millis % 1_000 == 0 { format!("{} s", millis / 1_000) } else { format!("{millis} ms") };
    (has != told).then(|| format!("{name} is {has}, not {told}"))
}

/// Of `const NAME: Duration = Duration::from_secs(5);`, `const NAME_MS: u64 = 5_000;` or a setting's default `name_ms: 5_000,`, in
/// milliseconds.
fn value_ms(line: &str, name: &str) -> Option<u64> {
    if let Some(default) = line.trim().strip_prefix(&format!("{name}: ")) {
        return default.strip_suffix(',')?.replace('_', "").parse().ok();
    }
    let (_, value) = line.split_once(&format!("const {name}: "))?.1.split_once(" = ")?;
    let digits = value.chars().filter(char::is_ascii_digit).collect::<String>();
    let number: u64 = digits.parse().ok()?;
    let is_number = |text: &str| text.chars().all(|letter| letter.is_ascii_digit() || letter == '_');
    match value.trim_end_matches(';') {
        plain if is_number(plain) && name.ends_with("_MS") => Some(number),
        secs if secs.strip_prefix("Duration::from_secs(")?.strip_suffix(')').is_some_and(is_number) => {
            Some(number * 1_000)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::findings;

    #[test]
    fn a_row_says_what_the_constant_says() {
        let code = "const LOGIN_TIMEOUT: Duration = Duration::from_secs(5);\npub(super) const SILENCE_MS: u64 = 10_500;\n    login_ms: 7_000,\n";
        for (row, wrong) in [
            ("| server | `hello` | 5 s | it closes | `LOGIN_TIMEOUT` in `a.rs` |", None),
            ("| server | a login | 7 s | it closes | `login_ms` in `a.rs` |", None),
            ("| client | an answer | 10500 ms | it leaves | `SILENCE_MS` in `a.rs` |", None),
            ("| server | `hello` | 6 s | it closes | `LOGIN_TIMEOUT` in `a.rs` |", Some("is 5 s, not 6 s")),
            ("| server | `hello` | 5 s | it closes | `LOGOUT` in `a.rs` |", Some("has no LOGOUT")),
            ("| server | `hello` | 5 s | it closes | `LOGIN_TIMEOUT` in `b.rs` |", Some("no b.rs")),
        ] {
            let page = format!("# x\n\n{HEADING}\n|---|---|---|---|---|\n{row}\n\nmore\n");
            let found = findings(RULES, "waits", &[(PAGE, &page), ("a.rs", code)]);
            assert_eq!(found.len(), usize::from(wrong.is_some()), "{row}: {found:?}");
            assert!(found.iter().all(|found| found.contains(wrong.unwrap_or_default())), "{row}: {found:?}");
        }
        assert_eq!(findings(RULES, "waits", &[(PAGE, "# x")]).len(), 1);
    }
}
