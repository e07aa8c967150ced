//! The table, in Markdown: words for what was seen.

use crate::{
    judge::Aftermath,
    trial::{Row, Seen},
};

const HEADER: &str = "\
| way | ids/s alone | from three processes | bytes, as text | unique? | ordered per conversation? | dense? | process killed \
| services killed | clock jumps back an hour | counter wiped |
|---|---|---|---|---|---|---|---|---|---|---|";

/// Beyond it a number says no more than "many".
const COUNTED_MAX: u128 = 1_000_000;

pub(crate) fn print(rows: &[Row]) -> String {
    let lines = rows.iter().map(line);
    [HEADER.to_owned()].into_iter().chain(lines).collect::<Vec<_>>().join("\n")
}

fn line(row: &Row) -> String {
    let after = |aftermath: &Aftermath| after(aftermath, &row.alone);
    let or_none = |aftermath: &Option<Aftermath>| aftermath.as_ref().map_or_else(|| "has none".into(), after);
    // What the restart alone skips is told by the kill.
    let [running, restarted] = row.clock_back.map(|aftermath| after(&Aftermath { skipped: 0, ..aftermath }));
    let clock_back = if running == restarted { running } else { format!("running: {running}; restarted: {restarted}") };
    let cells = [
        row.way.title().to_owned(),
        number(row.rates[0] as u128),
        number(row.rates[1] as u128),
        format!("{}, {}", row.bytes, row.letters),
        unique(&row.alone, &row.three),
        alone_or_not(&row.alone, &row.three, ordered),
        alone_or_not(&row.alone, &row.three, dense_or_not),
        after(&row.process_killed),
        or_none(&row.servers_killed),
        clock_back,
        or_none(&row.counter_wiped),
    ];
    format!("| {} |", cells.join(" | "))
}

fn unique(alone: &Seen, three: &Seen) -> String {
    if alone.doubles + three.doubles == 0 {
        return "yes".into();
    }
    match alone.doubles_in_conversation + three.doubles_in_conversation {
        0 => "per conversation".into(),
        doubles => format!("no: {} doubles", number(doubles as u128)),
    }
}

/// `fault` says what is wrong, if anything.
fn alone_or_not(alone: &Seen, three: &Seen, fault: fn(&Seen) -> Option<String>) -> String {
    match (fault(alone), fault(three)) {
        (None, None) => "yes".into(),
        (None, Some(fault)) => format!("alone only; three: {fault}"),
        (Some(fault), _) => format!("no: {fault}"),
    }
}

fn ordered(seen: &Seen) -> Option<String> {
    (seen.unordered > 0).then(|| format!("{} of {} too low", number(seen.unordered as u128), number(seen.ids as u128)))
}

fn dense_or_not(seen: &Seen) -> Option<String> {
    (seen.holes > 0).then(|| format!("{} holes", number(seen.holes)))
}

/// Where a way leaves holes or disorder by itself, nobody can say which of them a fault made.
fn after(aftermath: &Aftermath, alone: &Seen) -> String {
    let mut faults = Vec::new();
    if aftermath.doubles > 0 {
        faults.push(format!("**{} doubles**", number(aftermath.doubles as u128)));
    } else if aftermath.back > 0 && alone.unordered == 0 {
        faults.push(format!("{} below earlier ones", number(aftermath.back as u128)));
    }
    if aftermath.skipped > 0 && alone.holes == 0 {
        faults.push(format!("{} skipped", number(aftermath.skipped)));
    }
    if faults.is_empty() { "no harm".into() } else { faults.join(", ") }
}

fn number(number: u128) -> String {
    if number > COUNTED_MAX * 1_000 {
        return "countless".into();
    }
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy);
    groups.collect::<Vec<_>>().join(" ")
}
