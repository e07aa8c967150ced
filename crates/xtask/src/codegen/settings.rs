//! The generated section of docs/settings.md: each setting's words and default as they stand in the server's `config.rs`.
//!
//! Reads the source instead of knowing the server: a field without words, or a default that cannot be read, is an error.

use std::{collections::HashMap, fmt::Write as _, fs, path::PathBuf};

use anyhow::{Context as _, bail};
use quote::ToTokens as _;
use syn::{Expr, ExprLit, Fields, ImplItem, Item, ItemStruct, Lit, Member, Stmt, Type};

use super::{
    Files,
    tables::{doc_comment, evaluate, with_section},
};
use crate::root;

const SOURCE: &str = "crates/server/src/config.rs";

pub(super) fn page(files: &mut Files) -> anyhow::Result<()> {
    let path = PathBuf::from("docs/settings.md");
    let text = fs::read_to_string(root().join(&path)).context("docs/settings.md cannot be read")?;
    let tables = tables(&fs::read_to_string(root().join(SOURCE))?)?;
    let text = with_section(&text, "settings", &tables)
        .context("docs/settings.md has no section `<!-- begin generated: settings -->`")?;
    files.insert(path, text.into_bytes());
    Ok(())
}

/// A table for each field of `Config`.
fn tables(source: &str) -> anyhow::Result<String> {
    let items = syn::parse_file(source)?.items;
    let structs: HashMap<String, &ItemStruct> = items
        .iter()
        .filter_map(|item| match item {
            Item::Struct(of) => Some((of.ident.to_string(), of)),
            _ => None,
        })
        .collect();
    let config = structs.get("Config").context("there is no struct Config in config.rs")?;
    let mut text = String::new();
    for section in &config.fields {
        let (name, kind) = (section.ident.to_token_stream().to_string(), section.ty.to_token_stream().to_string());
        let of = structs.get(&kind).with_context(|| format!("there is no struct {kind} in config.rs"))?;
        let meaning = doc_comment(&of.attrs);
        if meaning.is_empty() {
            bail!("{kind} in config.rs has no doc comment: say what it is about");
        }
        let defaults = defaults(&items, &kind)?;
        let gap = if text.is_empty() { "" } else { "\n" };
        let _ = write!(text, "{gap}### `[{name}]`\n\n{meaning}\n\n| key | default | meaning |\n|---|---|---|\n");
        rows(&name, &of.fields, &defaults, &mut text)?;
    }
    Ok(text)
}

fn rows(section: &str, fields: &Fields, defaults: &HashMap<String, String>, text: &mut String) -> anyhow::Result<()> {
    for field in fields {
        let key = field.ident.to_token_stream().to_string();
        let meaning = doc_comment(&field.attrs);
        if meaning.is_empty() {
            bail!("{section}.{key} in config.rs has no doc comment: say what it means, in which unit, and its bound");
        }
        let default = match defaults.get(&key) {
            Some(default) => default.clone(),
            // Derived.
            None if is_option(&field.ty) => none(),
            None => bail!("{section}.{key} in config.rs has no default that is written there"),
        };
        let _ = writeln!(text, "| `{key}` | {default} | {} |", meaning.trim_end_matches('.'));
    }
    Ok(())
}

fn is_option(kind: &Type) -> bool {
    matches!(kind, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Option"))
}

/// The fields of the literal in `impl Default for` this struct; empty if it is derived.
fn defaults(items: &[Item], kind: &str) -> anyhow::Result<HashMap<String, String>> {
    let written = items.iter().find_map(|item| match item {
        Item::Impl(of) if of.self_ty.to_token_stream().to_string() == kind => {
            of.trait_.as_ref().filter(|(_, name, _)| name.is_ident("Default"))?;
            match of.items.first()? {
                ImplItem::Fn(function) => match function.block.stmts.as_slice() {
                    [Stmt::Expr(Expr::Struct(literal), None)] => Some(literal),
                    _ => None,
                },
                _ => None,
            }
        }
        _ => None,
    });
    let fields = written.into_iter().flat_map(|literal| &literal.fields);
    fields
        .map(|field| {
            let Member::Named(key) = &field.member else { bail!("{kind} in config.rs has a field without a name") };
            let default = default(&field.expr).with_context(|| format!("the default of {kind}.{key} in config.rs"))?;
            Ok((key.to_string(), default))
        })
        .collect()
}

/// As an operator writes it in TOML.
fn default(expression: &Expr) -> anyhow::Result<String> {
    Ok(match expression {
        Expr::Path(path) if path.path.is_ident("None") => none(),
        expression => format!("`{}`", toml(expression)?),
    })
}

fn toml(expression: &Expr) -> anyhow::Result<String> {
    Ok(match expression {
        Expr::Lit(ExprLit { lit: Lit::Bool(value), .. }) => value.value.to_string(),
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => format!("{:?}", text.value()),
        Expr::MethodCall(call) if call.method == "into" => toml(&call.receiver)?,
        Expr::Macro(list) if list.mac.path.is_ident("vec") => {
            let items =
                list.mac.parse_body_with(syn::punctuated::Punctuated::<Expr, syn::Token![,]>::parse_terminated)?;
            let items = items.iter().map(toml).collect::<anyhow::Result<Vec<_>>>()?;
            format!("[{}]", items.join(", "))
        }
        // A choice, whose words are the names of its variants.
        Expr::Path(path) if path.path.segments.len() == 2 => {
            let variant = path.path.segments.last().map(|word| word.ident.to_string());
            format!("{:?}", variant.unwrap_or_default().to_lowercase())
        }
        // An address: four numbers and a port.
        Expr::Tuple(tuple) => match (tuple.elems.first(), tuple.elems.last()) {
            (Some(Expr::Array(host)), Some(port)) if tuple.elems.len() == 2 => {
                let host = host.elems.iter().map(|byte| Ok(evaluate(byte)?.to_string()));
                format!("\"{}:{}\"", host.collect::<anyhow::Result<Vec<_>>>()?.join("."), evaluate(port)?)
            }
            _ => bail!("`{}` is no address: teach `toml` of it", tuple.to_token_stream()),
        },
        number => evaluate(number)?.to_string(),
    })
}

fn none() -> String {
    "none".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "pub struct Config { pub a: A }";

    #[test]
    fn a_setting_bears_its_words_and_its_default() {
        let source = format!(
            "{CONFIG}
             /// About A.
             struct A {{
                 /// Where.
                 at: SocketAddr,
                 /// Whose.
                 of: Vec<String>,
                 /// How many.
                 many: u32,
                 /// Which.
                 one: Kind,
             }}
             impl Default for A {{
                 fn default() -> Self {{
                     Self {{ at: ([127, 0, 0, 1], 7_400).into(), of: vec![\"x\".into()], many: 2 * 1_024, one: Kind::First }}
                 }}
             }}"
        );
        let text = tables(&source).expect("a default that can be read");
        let rows = "| `at` | `\"127.0.0.1:7400\"` | Where |\n| `of` | `[\"x\"]` | Whose |\n\
                    | `many` | `2048` | How many |\n| `one` | `\"first\"` | Which |\n";
        assert!(text.starts_with("### `[a]`\n\nAbout A.\n") && text.ends_with(rows), "{text}");
    }

    #[test]
    fn a_setting_without_words_or_with_a_hidden_default_is_refused() {
        let derived = |field: &str| tables(&format!("{CONFIG}\n/// About A.\nstruct A {{ {field} }}"));
        assert!(
            derived("/// A file.\nfile: Option<PathBuf>,").expect("no file").ends_with("| `file` | none | A file |\n")
        );
        assert!(derived("file: Option<PathBuf>,").is_err(), "no words");
        assert!(derived("/// A number.\nnumber: u32,").is_err(), "a hidden default");
    }
}
