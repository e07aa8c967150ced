//! The files of deploy/, as far as they can be tried without a daemon: what they name is there, the settings are the program's, the
//! commands are those of docs/operations.md.

use std::{collections::BTreeMap, fs, path::PathBuf, process::Command};

use anser_services::{MariaDb, MariaDbOptions, Place};
use yaml_rust2::{Yaml, YamlLoader};

fn file(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The program loads its settings from this file and this environment, and nothing else.
fn accepts(config: Option<&str>, environment: &[(&str, &str)]) {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let key = folder.path().join("key");
    fs::write(&key, "7".repeat(64)).expect("a file for the test");
    fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("a mode");
    let mut command = Command::new(env!("CARGO_BIN_EXE_anser"));
    command.args(["token", "make", "carol"]).current_dir(root()).envs(environment.iter().copied());
    command.env("ANSER_AUTH__HS256_SECRET_FILE", key).env("ANSER_LOG", "warn");
    command.args(config.map(|path| format!("--config={path}")));
    let output = command.output().expect("the binary starts");
    assert!(output.status.success(), "{config:?} {environment:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_files_of_settings_are_accepted() {
    accepts(Some("deploy/anser.toml"), &[]);
    accepts(Some("deploy/anser-cluster.toml"), &[]);
}

/// Each instruction of the Dockerfile as one line.
fn instructions() -> Vec<String> {
    let lines = file("deploy/Dockerfile");
    let lines: Vec<_> = lines.lines().filter(|line| !line.starts_with('#')).collect();
    lines.join("\n").replace("\\\n", " ").lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

#[test]
fn the_image_is_built_of_what_is_there() {
    let manifest = file("Cargo.toml");
    let toolchain = manifest.lines().find_map(|line| line.strip_prefix("rust-version = \"")?.strip_suffix('"'));
    let toolchain = format!("rust:{}-", toolchain.expect("the manifest names it"));
    let mut stages = Vec::new();
    for instruction in instructions() {
        let (word, rest) = instruction.split_once(' ').expect("a word and more");
        let words: Vec<_> = rest.split_whitespace().collect();
        match word {
            "FROM" => {
                assert!(is_pinned(words[0]), "{instruction}");
                assert!(
                    !words[0].starts_with("rust:") || words[0].starts_with(&toolchain),
                    "{instruction}: {toolchain}"
                );
                stages.extend(words.get(2).map(|stage| (*stage).to_owned()));
            }
            "COPY" => match words[0].strip_prefix("--from=") {
                Some(stage) => assert!(stages.iter().any(|known| known == stage), "{instruction}"),
                None => {
                    let sources = &words[..words.len() - 1];
                    assert!(sources.iter().all(|source| root().join(source).exists()), "{instruction}");
                }
            },
            "RUN" => assert!(!rest.contains("cargo build") || rest.contains("--locked"), "{instruction}"),
            "ENV" => {
                let pairs: Vec<_> = words.iter().filter_map(|word| word.split_once('=')).collect();
                accepts(None, &pairs);
            }
            "ENTRYPOINT" | "CMD" | "WORKDIR" | "USER" | "VOLUME" | "EXPOSE" | "STOPSIGNAL" | "HEALTHCHECK" => {}
            _ => panic!("no rule knows {instruction}"),
        }
    }
    assert_eq!(stages, ["build"]);
}

/// Told where an operator looks first, and run by `docs/operations.rs` with a stand-in for docker.
#[test]
fn the_commands_at_the_top_are_those_of_the_page() {
    let page = file("docs/operations.md");
    let version = format!("anser:{}", env!("CARGO_PKG_VERSION"));
    for path in ["deploy/Dockerfile", "deploy/compose.yaml"] {
        let text = file(path);
        let commands: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("#   docker ")).collect();
        assert!(commands.len() >= 2, "{path} says no more how to use it");
        for command in commands.iter().filter(|command| !command.starts_with("compose")) {
            assert!(
                page.contains(&format!("\ndocker {command}\n")),
                "{path}: docs/operations.md does not have `docker {command}`"
            );
        }
        assert!(commands[0].contains(&version), "{path}: it is {version}");
    }
}

/// A tag that is a version.
fn is_pinned(image: &str) -> bool {
    image.split_once(':').is_some_and(|(_, tag)| !tag.is_empty() && tag != "latest")
}

/// Variables of deploy/.env.example, filled in.
fn filled_in(text: &str) -> String {
    let example = file("deploy/.env.example");
    let known: Vec<_> = example.lines().filter_map(|line| line.trim_start_matches('#').split_once('=')).collect();
    let mut out = String::new();
    let mut pieces = text.split("${");
    out += pieces.next().unwrap_or_default();
    for piece in pieces {
        let (variable, rest) = piece.split_once('}').expect("a variable ends");
        let (name, default) = variable.split_once(":-").unwrap_or((variable, "7f3a"));
        let name = name.split(":?").next().unwrap_or(name);
        assert!(
            name == "ANSER_IMAGE" || known.iter().any(|(known, _)| *known == name),
            "deploy/.env.example has no {name}"
        );
        out += default;
        out += rest;
    }
    out
}

/// `<<: *other` replaced by what the other has.
fn merged(node: &Yaml) -> BTreeMap<String, Yaml> {
    let mut fields = BTreeMap::new();
    for (key, value) in node.as_hash().expect("a mapping") {
        let key = key.as_str().expect("a name");
        if key == "<<" {
            let own = fields.clone();
            fields.extend(merged(value));
            fields.extend(own);
        } else {
            fields.insert(key.to_owned(), value.clone());
        }
    }
    fields
}

fn yaml(path: &str) -> Yaml {
    // Comments name variables too.
    let lines: String =
        file(path).lines().filter(|line| !line.trim_start().starts_with('#')).map(|line| format!("{line}\n")).collect();
    let text = if path.ends_with("compose.yaml") { filled_in(&lines) } else { lines };
    YamlLoader::load_from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}")).remove(0)
}

fn names(list: &Yaml) -> Vec<&str> {
    match list {
        Yaml::Hash(fields) => fields.keys().filter_map(Yaml::as_str).collect(),
        list => list.as_vec().into_iter().flatten().filter_map(Yaml::as_str).collect(),
    }
}

#[test]
fn the_services_of_the_compose_file_fit_together() {
    let compose = yaml("deploy/compose.yaml");
    let services = names(&compose["services"]);
    assert_eq!(services, ["mariadb", "redis", "nats", "node-1", "node-2", "node-3"]);
    let mut published = Vec::new();
    for name in &services {
        let service = merged(&compose["services"][*name]);
        assert!(service["image"].as_str().is_some_and(is_pinned), "{name}: {:?}", service["image"]);
        assert!(service.contains_key("mem_limit") && service.contains_key("restart"), "{name} is not bounded");
        for other in service.get("depends_on").into_iter().flat_map(names) {
            assert!(services.contains(&other), "{name} waits for {other}");
        }
        for secret in service.get("secrets").and_then(Yaml::as_vec).into_iter().flatten() {
            assert!(names(&compose["secrets"]).contains(&secret["source"].as_str().expect("a name")), "{name}");
        }
        for port in service.get("ports").into_iter().flat_map(names) {
            let (host, container) = port.rsplit_once(':').expect("two ports");
            assert!(host.starts_with("127.0.0.1:") && ["7400", "7401"].contains(&container), "{name}: {port}");
            published.push(host.to_owned());
        }
        if name.starts_with("node-") {
            assert_eq!(service["image"].as_str(), Some(format!("anser:{}", env!("CARGO_PKG_VERSION")).as_str()));
            let environment = merged(&service["environment"]);
            let environment: Vec<_> =
                environment.iter().map(|(name, value)| (name.as_str(), value.as_str().expect("text"))).collect();
            accepts(None, &environment);
        }
    }
    let count = published.len();
    published.sort();
    published.dedup();
    assert_eq!((count, published.len()), (6, 6), "{published:?}");
}

#[test]
fn the_database_of_the_compose_file_starts_with_its_settings() {
    let compose = yaml("deploy/compose.yaml");
    let settings = names(&compose["services"]["mariadb"]["command"]);
    let settings: Vec<_> = settings.iter().map(|word| word.trim_start_matches("--").to_owned()).collect();
    assert!(settings.len() >= 6, "{settings:?}");
    let options = MariaDbOptions { settings, ..MariaDbOptions::default() };
    MariaDb::start_with(Place::Tests, options).expect("it accepts them");
}

#[cfg(target_os = "linux")]
#[test]
fn systemd_understands_the_unit() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let unit = file("deploy/anser.service");
    let line = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).expect("it starts something");
    let (program, words) = line.split_once(' ').expect("a program and its words");
    let path = folder.path().join("anser.service");
    // Whether the program is there is asked too.
    fs::write(&path, unit.replace(program, env!("CARGO_BIN_EXE_anser"))).expect("a file for the test");
    let verified = Command::new("systemd-analyze").arg("verify").arg(&path).output().expect("systemd is installed");
    let said = String::from_utf8_lossy(&verified.stderr);
    assert!(verified.status.success() && !said.contains("anser.service"), "{said}");

    let help = Command::new(env!("CARGO_BIN_EXE_anser")).args(words.split(' ')).arg("--help").output();
    assert!(help.expect("the binary starts").status.success(), "{words}");
    let files: u64 =
        unit.lines().find_map(|line| line.strip_prefix("LimitNOFILE=")).and_then(|n| n.parse().ok()).expect("a number");
    for settings in ["deploy/anser.toml", "deploy/anser-cluster.toml"] {
        let connections = file(settings).lines().find_map(|line| line.strip_prefix("connections = ")?.parse().ok());
        assert!(connections.is_some_and(|connections: u64| connections + 1_200 <= files), "{settings}");
    }
}
