//! The documents as a reader tries them: what stands in their blocks is taken out of the Markdown and run.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use anser_services::{MariaDb, Place, Redis};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    client_async,
    tungstenite::{Message, client::IntoClientRequest as _},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn page(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The content of all blocks with these words behind their fence: at least one.
fn blocks(page: &str, words: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(fence) = line.strip_prefix("```") else { continue };
        let block: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
        if fence == words {
            blocks.push(block.join("\n") + "\n");
        }
    }
    assert!(!blocks.is_empty(), "there is no block `{words}`");
    blocks
}

/// A reader's folder with `target/release/anser` in it, and the server that the first command of the README starts there.
struct Reader {
    folder: TempDir,
    serve: Child,
    address: String,
}

impl Reader {
    fn of(readme: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let release = folder.path().join("target/release");
        fs::create_dir_all(&release).expect("a folder for the test");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_anser"), release.join("anser")).expect("a link for the test");

        let blocks = blocks(readme, "sh");
        let line = blocks[0].trim().replace("cargo run --release --", "exec target/release/anser");
        let mut serve = shell(&folder, &format!("{line} --http 127.0.0.1:0 --tcp 127.0.0.1:0"));
        let mut serve = serve.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("there is a shell");
        let mut told = BufReader::new(serve.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
        let address = told.find_map(|line| Some(line.trim().strip_prefix("WebSocket")?.trim().to_owned()));
        let address = address.expect("it says where it listens").trim_end_matches("/v1/ws").to_owned();
        // What else it says finds nobody, which must not end it.
        std::thread::spawn(move || told.for_each(drop));
        Self { folder, serve, address }
    }

    /// Runs a line as it stands, against this server instead of one on the usual port.
    fn run(&self, line: &str) -> String {
        let line = match line.split_once('#').map_or(line, |(line, _)| line) {
            chat if chat.contains(" chat ") => format!("{chat} --server {}", self.address),
            line => line.to_owned(),
        };
        said(&line, shell(&self.folder, &line).stdin(Stdio::null()).output())
    }

    /// The token that the README lets its reader make.
    fn token(&self, readme: &str) -> String {
        let line = readme.lines().find(|line| line.contains("anser token make")).expect("it makes a token");
        self.run(line).trim().to_owned()
    }

    fn key(&self) -> PathBuf {
        self.folder.path().join("anser-data/hs256.secret")
    }

    /// Says these frames in JSON, each after the answer to the last one.
    async fn converse(&self, frames: impl Iterator<Item = Value>) -> Vec<Value> {
        let mut request = format!("{}/v1/ws", self.address).into_client_request().expect("an address");
        request.headers_mut().insert("sec-websocket-protocol", "anser.v1.json".parse().expect("a header"));
        let stream = TcpStream::connect(self.address.trim_start_matches("ws://")).await.expect("the server is there");
        let (mut socket, _) = client_async(request, stream).await.expect("it speaks WebSocket");
        let mut answers = Vec::new();
        for frame in frames {
            let request_id = frame["request_id"].clone();
            socket.send(Message::text(frame.to_string())).await.expect("it listens");
            loop {
                let said = socket.next().await.expect("an answer").expect("an answer");
                let said: Value = serde_json::from_str(said.to_text().expect("text")).expect("JSON");
                if said["request_id"] == request_id {
                    answers.push(said);
                    break;
                }
                assert!(said["request_id"].is_null(), "{frame} was answered with {said}");
            }
        }
        answers
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // One that ended by itself cannot be killed.
        let _ = self.serve.kill();
        let _ = self.serve.wait();
    }
}

fn shell(folder: &TempDir, line: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", line]).current_dir(folder).env("XDG_DATA_HOME", folder.path()).env_remove("ANSER_TOKEN");
    shell
}

fn said(what: &str, output: std::io::Result<Output>) -> String {
    let output = output.unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

#[tokio::test]
async fn the_first_message_of_the_readme_is_stored() {
    for (path, text) in [("README.md", "hello"), ("README.zh-CN.md", "你好")] {
        let readme = page(path);
        let reader = Reader::of(&readme);
        let token = reader.token(&readme);
        let frames = blocks(&readme, "json").concat();
        let frames: Vec<Value> =
            frames.lines().map(|line| serde_json::from_str(&line.replace('…', &token)).expect("JSON")).collect();
        let answers = reader.converse(frames.into_iter()).await;
        let [welcome, users, sent] = &answers[..] else { panic!("{path}: {answers:?}") };
        assert_eq!(welcome["welcome"]["user"]["user_id"], "1008", "{path}");
        assert_eq!(users["users"]["users"][0]["user_id"], "1009", "{path}");
        assert_eq!(sent["sent"]["server_msg_id"], "1", "{path}: {sent}");
        let bob = readme.lines().find(|line| line.contains("chat --as bob")).expect("Bob looks");
        let shown = reader.run(bob);
        assert!(shown.contains(text), "{path}: Bob sees {shown}");
    }
}

#[tokio::test]
async fn a_token_is_signed_in_three_languages() {
    let reader = Reader::of(&page("README.md"));
    let protocol = page("docs/protocol.md");
    let key = reader.key();
    for (language, interpreter) in [("python", "python3"), ("js", "node"), ("sh", "sh")] {
        let [program] = &blocks(&protocol, &format!("{language} token"))[..] else {
            panic!("one example in {language}")
        };
        let path = reader.folder.path().join(format!("token.{language}"));
        fs::write(&path, program).expect("a file for the test");
        for account in ["alice", language] {
            let mut signing = Command::new(interpreter);
            signing.arg(&path).arg(&key).arg(account);
            let token = said(interpreter, signing.output());
            let hello = json!({"version": 1, "token": token.trim(), "device": {"device_id": language}});
            let answers = reader.converse([json!({"request_id": 1, "hello": hello})].into_iter()).await;
            assert_eq!(answers[0]["welcome"]["user"]["account"], account, "{language}: {answers:?}");
        }
        // As an editor leaves it.
        let text = fs::read_to_string(&key).expect("a key of text");
        fs::write(&key, format!("{}\n", text.trim())).expect("it is written");
    }
}

/// Each request of the page is answered in the way that the page shows.
#[tokio::test]
async fn the_requests_of_the_protocol_are_answered_as_it_says() {
    let reader = Reader::of(&page("README.md"));
    let token = reader.token(&page("README.md"));
    let carol = reader.converse(std::iter::once(json!({"request_id": 1, "hello": {
        "version": 1, "device": {"device_id": "carol's"},
        "token": reader.run("target/release/anser token make carol").trim(),
    }})));
    let carol = carol.await[0]["welcome"]["user"]["user_id"].as_str().expect("an id").to_owned();

    let protocol = page("docs/protocol.md");
    let shown = blocks(&protocol, "json server");
    let shown: Vec<Value> = shown.iter().map(|block| serde_json::from_str(block).expect("JSON")).collect();
    let requests = blocks(&protocol, "json client");
    let requests: Vec<Value> = requests
        .iter()
        .map(|block| {
            // Ids of other users than those of `--dev` are the server's to choose.
            let mut frame: Value =
                serde_json::from_str(&block.replace("\"1010\"", &format!("{carol:?}"))).expect("JSON");
            if let Some(hello) = frame.get_mut("hello") {
                hello["token"] = token.clone().into();
            }
            frame
        })
        .collect();
    let answers = reader.converse(requests.iter().cloned()).await;
    for (request, answer) in requests.iter().zip(&answers) {
        let of_this =
            shown.iter().find(|shown| shown["request_id"] == request["request_id"]).expect("an answer is shown");
        assert_eq!(body(answer), body(of_this), "{request} was answered with {answer}");
    }
}

/// The commands of docs/operations.md that save and restore the database of a cluster, as they stand there.
#[test]
fn a_cluster_is_restored_from_its_dump() {
    let database = MariaDb::start(Place::Tests).expect("a database");
    database.execute("CREATE DATABASE anser").expect("it is new");
    let redis = Redis::start(Place::Tests).expect("a Redis");
    let folder = tempfile::tempdir().expect("a folder for the test");
    let (host, port) = (database.address().ip(), database.address().port());
    let client = format!("[client]\nuser=root\nhost={host}\nport={port}\nprotocol=tcp\n");
    fs::write(folder.path().join(".my.cnf"), client).expect("a file for the test");
    let key = folder.path().join("key");
    fs::write(&key, "7".repeat(64)).expect("a file for the test");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("a mode");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_anser"), folder.path().join("anser")).expect("a link for the test");

    let operations = page("docs/operations.md");
    let run = |line: &str| {
        let mut shell = shell(&folder, line);
        shell.env("HOME", folder.path()).env("ANSER_STORE__DIR", folder.path().join("data")).env_remove("MYSQL_HOME");
        shell.env("ANSER_AUTH__HS256_SECRET_FILE", &key);
        shell.env("ANSER_CLUSTER__DATABASE", format!("{}/anser", database.url()));
        shell.env("ANSER_CLUSTER__REDIS", format!("redis://{}/0", redis.address()));
        said(line, shell.stdin(Stdio::null()).output())
    };
    let written = |start: &str| operations.lines().find(|line| line.starts_with(start)).expect("it is written there");
    run("./anser user add alice");
    run(written("mariadb-dump "));
    run("./anser user add bob");
    run(written("mariadb -e "));
    let users = run("./anser user list");
    assert!(users.contains("alice") && !users.contains("bob"), "{users}");
    let log_id = || run("./anser doctor --restored").lines().next().map(str::to_owned).expect("it says the log_id");
    assert_ne!(log_id(), log_id());
}

/// A rule on a metric that nobody counts never fires.
#[test]
fn alerts_are_about_metrics_that_there_are() {
    let registered =
        ["metrics.rs", "cluster/counts.rs"].map(|file| page(&format!("crates/server/src/{file}"))).concat();
    let rules = page("deploy/alerts.yml");
    let described = page("docs/operations.md");
    let is_of_name = |letter: char| letter.is_ascii_lowercase() || letter == '_';
    let metrics: Vec<_> =
        rules.split(|letter| !is_of_name(letter)).filter_map(|word| word.strip_prefix("anser_")).collect();
    assert!(metrics.len() >= 7, "{metrics:?}");
    for metric in metrics {
        let name = metric.strip_suffix("_total").unwrap_or(metric);
        assert!(registered.contains(&format!("\"{name}\"")), "no metric is registered as {name}");
        assert!(
            described.contains(&format!("`anser_{metric}")),
            "docs/operations.md does not say what {metric} counts"
        );
    }
}

/// What a frame is about: the name of its request or body.
fn body(frame: &Value) -> &str {
    let names = frame.as_object().expect("an object").keys();
    names.map(String::as_str).find(|name| *name != "request_id").expect("it has a body")
}
