//! Who may know whom: between crates, and between the rooms inside them.

use toml::Table;

use super::{
    Finding, Rule,
    tree::{File, Tree},
};

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "direction of crates",
        fix: "client and store know proto, server knows both proto and store, the command line knows all; tests of store and server know services (EDGES in crates/xtask/src/tidy/rooms.rs)",
        check: crate_edges,
    },
    Rule {
        name: "direction of rooms",
        fix: "move the code into the room that may know this, and let the other room call a verb of it (BORDERS in crates/xtask/src/tidy/rooms.rs)",
        check: borders,
    },
];

/// Crate -> the crates of this repository that it may know.
const EDGES: [(&str, &[&str]); 8] = [
    ("proto", &[]),
    ("rude", &["anser-proto"]),
    ("services", &[]),
    ("store", &["anser-proto", "anser-services"]),
    ("client", &["anser-proto"]),
    ("server", &["anser-proto", "anser-store", "anser-services"]),
    ("cli", &["anser-proto", "anser-store", "anser-client", "anser-server", "anser-services", "anser-rude"]),
    ("xtask", &["anser-proto", "anser-rude", "anser-services"]),
];

/// In `within`, the paths `foreign` may be named in `homes` alone. All of them are prefixes.
struct Border {
    within: &'static str,
    foreign: &'static [&'static str],
    homes: &'static [&'static str],
    why: &'static str,
}

const BORDERS: &[Border] = &[
    Border {
        within: "crates/",
        foreign: &["rusqlite"],
        homes: &["crates/store/", "crates/client/src/store", "crates/client/tests/"],
        why: "only a store speaks SQL",
    },
    Border {
        within: "crates/",
        foreign: &["mysql_async"],
        homes: &[
            "crates/store/src/mysql",
            "crates/store/tests/",
            "crates/store/benches/",
            "crates/server/benches/ids/",
        ],
        why: "only a store speaks SQL",
    },
    Border {
        within: "crates/server/src/",
        foreign: &["tokio::net", "std::net::TcpListener", "std::net::TcpStream", "tokio_tungstenite", "tokio_rustls"],
        homes: &["crates/server/src/gateway"],
        why: "only the gateway owns sockets",
    },
    Border {
        within: "crates/server/src/",
        foreign: &["hyper", "hyper_util", "axum", "tower"],
        homes: &["crates/server/src/gateway", "crates/server/src/http"],
        why: "only gateway and http speak HTTP",
    },
    Border {
        within: "crates/server/src/",
        foreign: &["redis", "async_nats"],
        homes: &["crates/server/src/cluster"],
        why: "only cluster knows Redis and NATS",
    },
    Border {
        within: "crates/server/src/im",
        foreign: &[
            "crate::gateway",
            "crate::http",
            "crate::cluster::local",
            "crate::cluster::redis",
            "crate::cluster::nats",
        ],
        homes: &[],
        why: "im knows neither sockets nor how nodes talk",
    },
    Border {
        within: "crates/server/src/im",
        foreign: &["rand", "getrandom", "uuid"],
        homes: &[],
        why: "what im decides follows from the request, the store and the time; ids are those of the context",
    },
    Border {
        within: "crates/store/src/",
        foreign: &["tokio::net", "std::net", "hyper", "axum"],
        homes: &["crates/store/src/mysql"],
        why: "the store knows no sockets",
    },
    Border {
        within: "crates/client/src/engine",
        foreign: &[
            "tokio",
            "tokio_tungstenite",
            "rusqlite",
            "std::net",
            "std::fs",
            "std::io",
            "std::thread",
            "crate::store",
            "crate::transport",
            "crate::driver",
        ],
        homes: &[],
        why: "the engine does no I/O: effects leave it, inputs enter",
    },
    Border {
        within: "crates/proto/src/",
        foreign: &["tokio", "std::net", "std::fs", "std::thread"],
        homes: &[],
        why: "the wire does no I/O",
    },
];

fn crate_edges(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (krate, manifest, file) in manifests(tree) {
        let Some((_, allowed)) = EDGES.iter().find(|(name, _)| *name == krate) else {
            let what = format!("`{krate}` is not among the crates of EDGES in crates/xtask/src/tidy/rooms.rs");
            findings.push(Finding { path: file.path.clone(), line: 1, what });
            continue;
        };
        let sections = ["dependencies", "dev-dependencies", "build-dependencies"];
        let names =
            sections.iter().filter_map(|section| manifest.get(*section)?.as_table()).flat_map(|table| table.keys());
        for name in names.filter(|name| name.starts_with("anser") && !allowed.contains(&name.as_str())) {
            let line = 1 + file.text.lines().position(|line| line.starts_with(name.as_str())).unwrap_or(0);
            findings.push(Finding { path: file.path.clone(), line, what: format!("`{krate}` must not know `{name}`") });
        }
    }
    findings
}

/// The manifests of the crates, with the name of their folder. What is no TOML is cargo's to refuse.
pub(super) fn manifests(tree: &Tree) -> impl Iterator<Item = (&str, Table, &File)> {
    tree.files.iter().filter_map(|file| {
        let krate = file.path.strip_prefix("crates/")?.strip_suffix("/Cargo.toml")?;
        Some((krate, file.text.parse().ok()?, file))
    })
}

fn borders(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, rust) in tree.rust() {
        let crossed = BORDERS.iter().filter(|border| {
            file.path.starts_with(border.within) && !border.homes.iter().any(|home| file.path.starts_with(home))
        });
        for border in crossed {
            let mut last_line = 0;
            // A lone word is a variable or a field, whatever it is called.
            for path in rust.paths.iter().filter(|path| path.imported || path.text.contains("::")) {
                let text = file.absolute(&path.text);
                let is_foreign = border.foreign.iter().any(|foreign| is_below(&text, foreign));
                if is_foreign && path.line != last_line {
                    last_line = path.line;
                    let what = format!("`{text}`: {}", border.why);
                    findings.push(Finding { path: file.path.clone(), line: path.line, what });
                }
            }
        }
    }
    findings
}

fn is_below(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::findings;

    #[test]
    fn the_client_knows_no_server() {
        let good = "[dependencies]\nanser-proto.workspace = true\ntokio.workspace = true\n";
        let bad = "[dependencies]\nanser-proto.workspace = true\n[dev-dependencies]\nanser-server.workspace = true\n";
        assert!(findings(RULES, "direction of crates", &[("crates/client/Cargo.toml", good)]).is_empty());
        assert_eq!(
            findings(RULES, "direction of crates", &[("crates/client/Cargo.toml", bad)]),
            ["crates/client/Cargo.toml:4: `client` must not know `anser-server`"]
        );
    }

    #[test]
    fn a_new_crate_must_be_given_its_directions() {
        let found = findings(RULES, "direction of crates", &[("crates/pigeon/Cargo.toml", "[package]\n")]);
        assert!(found[0].contains("`pigeon` is not among"), "{found:?}");
    }

    #[test]
    fn only_a_store_speaks_sql() {
        let text = "use rusqlite::Connection;\nfn f(c: &Connection) {}\n";
        for home in ["crates/store/src/sqlite/open.rs", "crates/client/src/store/mod.rs"] {
            assert!(findings(RULES, "direction of rooms", &[(home, text)]).is_empty());
        }
        let found = findings(RULES, "direction of rooms", &[("crates/server/src/im/message.rs", text)]);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("crates/server/src/im/message.rs:1: `rusqlite::Connection`"), "{found:?}");
    }

    #[test]
    fn only_the_gateway_owns_sockets() {
        let text = "use tokio::{net::TcpListener, sync::mpsc};\n";
        assert!(findings(RULES, "direction of rooms", &[("crates/server/src/gateway/socket.rs", text)]).is_empty());
        assert_eq!(findings(RULES, "direction of rooms", &[("crates/server/src/jobs.rs", text)]).len(), 1);
    }

    #[test]
    fn im_does_not_reach_into_the_gateway_by_a_relative_path() {
        let text = "use super::super::gateway::conn;\nuse crate::hub::Hub;\n";
        let found = findings(RULES, "direction of rooms", &[("crates/server/src/im/deliver.rs", text)]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains(":1: `crate::gateway::conn`"), "{found:?}");
    }

    #[test]
    fn im_does_not_draw() {
        let text = "use rand::RngExt as _;\nfn f() -> u64 { rand::random_range(0..9) }\n";
        assert_eq!(findings(RULES, "direction of rooms", &[("crates/server/src/im/group.rs", text)]).len(), 2);
        assert!(findings(RULES, "direction of rooms", &[("crates/server/src/snowflake.rs", text)]).is_empty());
    }

    #[test]
    fn a_name_that_only_begins_alike_is_no_foreigner() {
        let text = "use tokio_util::sync::CancellationToken;\nfn f() { let tokio = C { tokio: 1 }; }\n";
        assert!(findings(RULES, "direction of rooms", &[("crates/proto/src/codec.rs", text)]).is_empty());
    }
}
