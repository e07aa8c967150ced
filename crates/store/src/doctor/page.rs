//! Pages of rows, in order of a key.

use crate::query::{Dialect, Value};

/// Rows of a page: a statement that reads them, each with a few others, takes the database some ten milliseconds.
pub(super) const PAGE_ROWS: u64 = 1000;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Behind,
    UpTo,
}

/// A condition that the row lies between these keys, and its parameters.
pub(super) fn bounded<const N: usize>(
    dialect: Dialect,
    key: &[String],
    sides: [(Side, Option<&[u64]>); N],
) -> (String, Vec<Value>) {
    let (mut all, mut params) = (Vec::new(), Vec::new());
    for (side, at) in sides {
        if let Some(at) = at {
            all.push(dialect.compared(key, side, at, &mut params));
        }
    }
    // Of the first page, all.
    (if all.is_empty() { "1 = 1".into() } else { all.join(" AND ") }, params)
}

impl Dialect {
    fn compared(self, key: &[String], side: Side, at: &[u64], params: &mut Vec<Value>) -> String {
        let (strict, last) = if side == Side::Behind { (">", ">") } else { ("<", "<=") };
        if self == Self::Sqlite {
            params.extend(at.iter().copied().map(Value::from));
            return format!("({}) {last} ({})", key.join(", "), vec!["?"; at.len()].join(", "));
        }
        // It takes no comparison of rows for a range of an index.
        let mut ranges = Vec::new();
        for end in 0..key.len() {
            let equal: String = key[..end].iter().map(|column| format!("{column} = ? AND ")).collect();
            let beyond = if end + 1 == key.len() { last } else { strict };
            ranges.push(format!("({equal}{} {beyond} ?)", key[end]));
            params.extend(at[..=end].iter().copied().map(Value::from));
        }
        format!("({})", ranges.join(" OR "))
    }
}
