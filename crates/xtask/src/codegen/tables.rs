//! The generated sections of docs/protocol.md: codes from `anser_proto::codes`, bounds from its `limits.rs`.
//!
//! A section lies between `<!-- begin generated: NAME -->` and `<!-- end generated -->`; what stands around it
//! is written by hand.

use std::{fmt::Write as _, fs, path::PathBuf};

use anser_proto::{
    CloseCode, ErrorCode,
    codes::{ErrorRow, Retry, close_row, error_row},
};
use anyhow::{Context as _, bail};
use quote::ToTokens as _;
use syn::{Expr, ExprBinary, ExprLit, Item, Lit};

use super::Files;
use crate::root;

const END: &str = "<!-- end generated -->";

pub(super) fn protocol(files: &mut Files) -> anyhow::Result<()> {
    let path = PathBuf::from("docs/protocol.md");
    let mut text = fs::read_to_string(root().join(&path)).context("docs/protocol.md cannot be read")?;
    let limits = fs::read_to_string(root().join("crates/proto/src/limits.rs"))?;
    for (name, table) in
        [("error codes", error_codes()), ("close codes", close_codes()), ("limits", self::limits(&limits)?)]
    {
        text = with_section(&text, name, &table)
            .with_context(|| format!("docs/protocol.md has no section `<!-- begin generated: {name} -->`"))?;
    }
    files.insert(path, text.into_bytes());
    Ok(())
}

/// The text with the content of a section replaced; none if there is no such section.
pub(super) fn with_section(text: &str, name: &str, content: &str) -> Option<String> {
    let begin = format!("<!-- begin generated: {name} -->\n");
    let (before, rest) = text.split_once(&begin)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{begin}\n{content}\n{END}{after}"))
}

fn error_codes() -> String {
    let mut table =
        String::from("| number | name | meaning | retry? | closes with | HTTP |\n|---|---|---|---|---|---|\n");
    for code in ErrorCode::all() {
        let row = error_row(code);
        let retry = match row.retry {
            Retry::No => "no",
            Retry::Later => "later",
            Retry::SameId => "same id",
        };
        let closes = row.closes.map_or("—".to_owned(), |close| format!("{} {}", close as i32, close.as_str_name()));
        let (number, name) = (code as i32, code.as_str_name());
        let ErrorRow { status, meaning, .. } = row;
        let _ = writeln!(table, "| {number} | {name} | {meaning} | {retry} | {closes} | {status} |");
    }
    table
}

fn close_codes() -> String {
    let mut table = String::from("| number | name | meaning | reconnect? |\n|---|---|---|---|\n");
    for code in CloseCode::all() {
        let row = close_row(code);
        let reconnect = if row.reconnect { "yes" } else { "no" };
        let _ = writeln!(table, "| {} | {} | {} | {reconnect} |", code as i32, code.as_str_name(), row.meaning);
    }
    table
}

/// One row a constant: its words are those of the source, its value is what the compiler would make of it.
fn limits(source: &str) -> anyhow::Result<String> {
    let mut table = String::from("| name | value | meaning |\n|---|---|---|\n");
    for item in syn::parse_file(source)?.items {
        let Item::Const(limit) = item else { continue };
        let meaning = doc_comment(&limit.attrs);
        if meaning.is_empty() {
            bail!("{} in limits.rs has no doc comment: say what it bounds, and in which unit", limit.ident);
        }
        let value = evaluate(&limit.expr).with_context(|| format!("{} in limits.rs", limit.ident))?;
        let _ = writeln!(table, "| `{}` | {value} | {} |", limit.ident, meaning.trim_end_matches('.'));
    }
    Ok(table)
}

pub(super) fn doc_comment(attributes: &[syn::Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| {
        let meta = attribute.meta.require_name_value().ok().filter(|meta| meta.path.is_ident("doc"))?;
        match &meta.value {
            Expr::Lit(ExprLit { lit: Lit::Str(line), .. }) => Some(line.value().trim().to_owned()),
            _ => None,
        }
    });
    lines.collect::<Vec<_>>().join(" ")
}

pub(super) fn evaluate(expression: &Expr) -> anyhow::Result<u64> {
    match expression {
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => Ok(number.base10_parse()?),
        Expr::Binary(ExprBinary { left, op: syn::BinOp::Mul(_), right, .. }) => {
            evaluate(left)?.checked_mul(evaluate(right)?).context("is larger than 64 bits")
        }
        other => bail!("`{}` is neither a number nor a product: teach `evaluate` of it", other.to_token_stream()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_named_section_is_replaced() {
        let text = "a\n<!-- begin generated: x -->\nold\n<!-- end generated -->\nb\n";
        let fresh = with_section(text, "x", "new\n").expect("the section is there");
        assert_eq!(fresh, "a\n<!-- begin generated: x -->\n\nnew\n\n<!-- end generated -->\nb\n");
        assert_eq!(with_section(&fresh, "x", "new\n"), Some(fresh.clone()));
        assert_eq!(with_section(text, "y", "new\n"), None);
    }

    #[test]
    fn a_limit_bears_its_words_and_its_value() {
        let table =
            limits("/// Bytes of\n/// a body.\npub const A: usize = 64 * 1_024;").expect("a product of numbers");
        assert!(table.ends_with("| `A` | 65536 | Bytes of a body |\n"), "{table}");
        assert!(limits("pub const A: u32 = 1;").is_err(), "a limit without words was taken");
        assert!(limits("/// A.\npub const A: u32 = B + 1;").is_err(), "a sum was guessed");
    }
}
