//! What is true of the ids that were handed out. Knows records and nothing of how they came about.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::record::{Id, Record};

/// Within which ids are told apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Scope {
    Everywhere,
    Conversation,
}

/// How things stand after something broke.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Aftermath {
    /// Ids handed out that had been handed out before.
    pub(crate) doubles: usize,
    /// Ids of one conversation that are not above all those from before.
    pub(crate) back: usize,
    /// Numbers that nobody will ever get.
    pub(crate) skipped: u128,
}

/// Ids that were handed out again.
pub(crate) fn doubles<'a>(records: impl IntoIterator<Item = &'a Record>, scope: Scope) -> usize {
    let mut seen = HashSet::new();
    records.into_iter().filter(|record| !seen.insert(place(record, scope))).count()
}

/// Ids that are below one of the same conversation whose caller had it before this one was asked for.
pub(crate) fn unordered(records: &[Record]) -> usize {
    let unordered = by_conversation(records).into_values().map(|records| {
        let (mut begun, mut ended) = (records.clone(), records);
        begun.sort_by_key(|record| record.begin_ns);
        ended.sort_by_key(|record| record.end_ns);
        let mut ended = ended.into_iter().peekable();
        let mut highest = None;
        let is_unordered = |record: &&&Record| {
            while let Some(earlier) = ended.next_if(|earlier| earlier.end_ns < record.begin_ns) {
                highest = highest.max(Some(earlier.id));
            }
            highest > Some(record.id)
        };
        begun.iter().filter(is_unordered).count()
    });
    unordered.sum()
}

/// Numbers between the lowest and the highest of a conversation that are nobody's.
pub(crate) fn holes<'a>(records: impl IntoIterator<Item = &'a Record>) -> u128 {
    let holes = by_conversation(records).into_values().map(|records| {
        let values: HashSet<u128> = records.iter().map(|record| record.id.value()).collect();
        let ends = values.iter().min().zip(values.iter().max());
        ends.map_or(0, |(lowest, highest)| highest - lowest - (values.len() as u128 - 1))
    });
    holes.fold(0, u128::saturating_add)
}

/// `stored` are places of a log whose writers were perhaps not told: they are no holes.
pub(crate) fn aftermath(before: &[Record], after: &[Record], stored: &[Record], scope: Scope) -> Aftermath {
    let mut highest: HashMap<u32, Id> = HashMap::new();
    for record in before {
        let entry = highest.entry(record.conversation).or_insert(record.id);
        *entry = record.id.max(*entry);
    }
    let is_back = |record: &&Record| highest.get(&record.conversation).is_some_and(|highest| record.id <= *highest);
    Aftermath {
        doubles: doubles(before.iter().chain(after), scope) - doubles(before, scope),
        back: after.iter().filter(is_back).count(),
        skipped: holes(before.iter().chain(after).chain(stored)),
    }
}

fn place(record: &Record, scope: Scope) -> (u32, Id) {
    (if scope == Scope::Conversation { record.conversation } else { 0 }, record.id)
}

fn by_conversation<'a>(records: impl IntoIterator<Item = &'a Record>) -> BTreeMap<u32, Vec<&'a Record>> {
    let mut conversations: BTreeMap<u32, Vec<_>> = BTreeMap::new();
    for record in records {
        conversations.entry(record.conversation).or_default().push(record);
    }
    conversations
}

/// Shows the judge made-up records whose faults are known: a judge that finds nothing would praise every way.
pub(crate) fn examine() {
    let record =
        |(conversation, id, begin_ns, end_ns)| Record { conversation, id: Id::Number(id), phase: 0, begin_ns, end_ns };
    let records = |made: &[(u32, u64, u64, u64)]| made.iter().copied().map(record).collect::<Vec<_>>();

    let good = records(&[(1, 1, 0, 9), (1, 2, 10, 19), (2, 1, 0, 9), (1, 3, 20, 29)]);
    assert_eq!((doubles(&good, Scope::Conversation), unordered(&good), holes(&good)), (0, 0, 0));
    assert_eq!(doubles(&good, Scope::Everywhere), 1, "two conversations have the same id");
    let double = records(&[(1, 1, 0, 9), (1, 1, 10, 19), (1, 2, 20, 29), (1, 1, 30, 39)]);
    assert_eq!(doubles(&double, Scope::Conversation), 2, "two ids were handed out before");
    let late = records(&[(1, 4, 0, 9), (1, 3, 10, 19), (1, 2, 5, 25), (1, 5, 30, 39)]);
    assert_eq!(unordered(&late), 1, "3 was asked for after 4 was there, and 2 was not");
    let sparse = records(&[(1, 1, 0, 9), (1, 5, 10, 19), (2, 7, 0, 9), (2, 9, 10, 19)]);
    assert_eq!(holes(&sparse), 4, "2, 3, 4 and 8 are missing");

    let after = records(&[(1, 3, 40, 49), (1, 6, 50, 59), (2, 3, 40, 49)]);
    let broken = Aftermath { doubles: 1, back: 1, skipped: 3 };
    assert_eq!(aftermath(&good, &after, &[], Scope::Conversation), broken, "3 comes again; 4, 5 and 2 are missing");
    let stored = records(&[(1, 5, 0, 0), (2, 2, 0, 0)]);
    assert_eq!(aftermath(&good, &after, &stored, Scope::Conversation).skipped, 1, "only 4 is missing");
}
