//! The copies of messages that a transaction is to write: many rows to a statement, and as much to a packet as fits.

use std::collections::BTreeMap;

use super::{
    columns::Sql,
    message::{Table, write_row},
};
use crate::rows::MessageRow;

/// Bytes of a statement, and of a packet, to which no more is added: so far below the least `max_allowed_packet` that the last row and the rest
/// of a transaction fit too. A batch of the largest bodies has sixteen times as many: each is written twice, and bytes that are no text take
/// two characters.
const BYTES_MAX: usize = 1 << 20;

#[derive(Default)]
pub(super) struct Copies {
    statements: BTreeMap<Table, Vec<Sql>>,
    /// Where those of each table ended before the present write: how many they were, and the bytes of the last.
    ends: BTreeMap<Table, (usize, usize)>,
}

impl Copies {
    /// `owner` is the receiver or the group.
    pub(super) fn add(&mut self, table: Table, owner: u64, row: MessageRow<'_>) {
        let statements = self.statements.entry(table).or_default();
        let end = (statements.len(), statements.last().map_or(0, Sql::len));
        self.ends.entry(table).or_insert(end);
        match statements.last_mut() {
            Some(last) if last.len() < BYTES_MAX => write_row(last.push(","), owner, row),
            _ => {
                let mut next = Sql::new(table.insert());
                write_row(&mut next, owner, row);
                statements.push(next);
            }
        }
    }

    /// The present write is decided.
    pub(super) fn keep(&mut self) {
        self.ends.clear();
    }

    /// Takes back what the present write added.
    pub(super) fn undo(&mut self) {
        for (table, (count, end)) in std::mem::take(&mut self.ends) {
            let statements = self.statements.get_mut(&table).expect("something was added to it");
            statements.truncate(count);
            if let Some(last) = statements.last_mut() {
                last.cut(end);
            }
        }
    }

    pub(super) fn are_many(&self) -> bool {
        let bytes: usize = self.statements.values().flatten().map(Sql::len).sum();
        bytes >= BYTES_MAX
    }

    /// Takes all of them.
    pub(super) fn packets(&mut self) -> Vec<Sql> {
        let mut packets: Vec<Sql> = Vec::new();
        for statement in std::mem::take(&mut self.statements).into_values().flatten() {
            match packets.last_mut() {
                Some(last) if last.len() + statement.len() < BYTES_MAX => {
                    last.push("; ").push(statement.as_str());
                }
                _ => packets.push(statement),
            }
        }
        packets
    }
}
