//! deploy/alerts.yml as Prometheus would read it: a rule on what nobody counts never fires.

use std::{collections::BTreeMap, fs, path::Path};

use anser_proto::{CloseCode, ErrorCode};
use yaml_rust2::{Yaml, YamlLoader};

fn file(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)).expect("it is there")
}

/// The fields of a mapping, each of which is text and one of these.
fn fields<'a>(node: &'a Yaml, known: &[&str]) -> BTreeMap<&'a str, &'a Yaml> {
    let fields: BTreeMap<_, _> =
        node.as_hash().expect("a mapping").iter().map(|(key, value)| (key.as_str().expect("a name"), value)).collect();
    assert!(known.is_empty() || fields.keys().all(|key| known.contains(key)), "{:?}", fields.keys());
    fields
}

fn is_duration(text: &str) -> bool {
    let number = text.trim_end_matches(|unit: char| unit.is_ascii_lowercase());
    number.parse::<u32>().is_ok() && ["s", "m", "h", "d"].contains(&&text[number.len()..])
}

#[test]
fn alerts_are_about_what_a_server_counts() {
    let counted =
        ["metrics.rs", "watch.rs", "cluster/counts.rs"].map(|path| file(&format!("crates/server/src/{path}"))).concat();
    let described = file("docs/operations.md");
    let rules = YamlLoader::load_from_str(&file("deploy/alerts.yml")).expect("it is YAML");
    let [rules] = &rules[..] else { panic!("one document") };
    let mut alerts = Vec::new();
    for group in fields(rules, &["groups"])["groups"].as_vec().expect("a list") {
        let group = fields(group, &["name", "interval", "limit", "rules"]);
        assert!(group["name"].as_str().is_some());
        for rule in group["rules"].as_vec().expect("a list") {
            let rule = fields(rule, &["alert", "expr", "for", "keep_firing_for", "labels", "annotations"]);
            let name = rule["alert"].as_str().expect("a name");
            assert!(rule["for"].as_str().is_some_and(is_duration), "{name}: {:?}", rule["for"]);
            for (_, text) in
                fields(rule["labels"], &["severity"]).iter().chain(&fields(rule["annotations"], &["summary"]))
            {
                assert!(text.as_str().is_some_and(|text| !text.is_empty()), "{name}: {text:?} is no text");
            }
            check_expression(name, rule["expr"].as_str().expect("text"), &counted, &described);
            alerts.push(name);
        }
    }
    let count = alerts.len();
    alerts.sort_unstable();
    alerts.dedup();
    assert!(count >= 6 && alerts.len() == count, "{alerts:?}");
}

/// Every bracket has its other half, every metric is counted and described, a rate is one of a counter, a code is a code.
fn check_expression(alert: &str, expression: &str, counted: &str, described: &str) {
    for (open, close) in [('(', ')'), ('{', '}'), ('[', ']')] {
        assert_eq!(expression.matches(open).count(), expression.matches(close).count(), "{alert}: {expression}");
    }
    let metrics = expression.split(|letter: char| !(letter.is_ascii_lowercase() || letter == '_'));
    let metrics: Vec<_> = metrics.filter(|word| word.starts_with("anser_")).collect();
    assert!(!metrics.is_empty(), "{alert}: {expression}");
    for metric in metrics {
        let name = metric.trim_start_matches("anser_").trim_end_matches("_total");
        assert!(counted.contains(&format!("\"{name}\"")), "{alert}: a server does not count {metric}");
        let (before, behind) = expression.split_once(metric).expect("it is in there");
        let is_of_growth = ["rate(", "increase("].iter().any(|word| before.ends_with(word));
        assert_eq!(is_of_growth, metric.ends_with("_total"), "{alert}: a counter grows, a gauge does not");
        let row = described.lines().find(|line| line.starts_with("| `anser_") && line.contains(&format!("`{metric}")));
        let row = row.unwrap_or_else(|| panic!("{alert}: docs/operations.md does not say what {metric} counts"));
        let selector = behind.strip_prefix('{').and_then(|rest| Some(rest.split_once('}')?.0));
        for (label, values) in
            selector.into_iter().flat_map(|text| text.split(',')).filter_map(|text| text.split_once('='))
        {
            let names = row.split('`').find(|span| span.starts_with(metric)).unwrap_or_default();
            assert!(names.contains(label), "{alert}: {metric} has no label {label}");
            let values = values.trim_matches(|letter: char| "=~\"".contains(letter)).split('|');
            for value in values.filter(|_| label != "request") {
                let is_known = if label == "reason" { row.contains(&format!("`{value}`")) } else { is_code(value) };
                assert!(is_known, "{alert}: {metric} never has the {label} {value}");
            }
        }
    }
}

fn is_code(name: &str) -> bool {
    ErrorCode::all().any(|code| code.as_str_name() == name) || CloseCode::all().any(|code| code.as_str_name() == name)
}

#[test]
fn a_rule_on_what_nobody_counts_is_found() {
    let counted = "register(\"closes\", help, closes) register(\"turned_away\", help, turned_away)";
    let described =
        "| `anser_closes_total{code}` | connections |\n| `anser_turned_away_total{reason}` | all | `full` |";
    let passes = |expression: &str| {
        let expression = expression.to_owned();
        std::thread::spawn(move || check_expression("test", &expression, counted, described)).join().is_ok()
    };
    assert!(passes("rate(anser_closes_total{code=~\"LAGGING|SILENT\"}[5m]) > 1"));
    assert!(passes("rate(anser_turned_away_total{reason=\"full\"}[5m]) > 0"));
    for wrong in [
        "rate(anser_opens_total[5m]) > 1",
        "anser_closes_total > 1",
        "rate(anser_closes_total{code=\"LAGING\"}[5m]) > 1",
        "rate(anser_closes_total{reason=\"LAGGING\"}[5m]) > 1",
        "rate(anser_turned_away_total{reason=\"fool\"}[5m]) > 0",
        "rate(anser_closes_total[5m] > 1",
    ] {
        assert!(!passes(wrong), "{wrong}");
    }
}
