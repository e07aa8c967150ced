//! README.md and its Chinese sister from the first command to the last.

use std::fs;

use serde_json::Value;

use super::{
    Block, blocks, first_message,
    json::{Client, body},
    page,
    reader::Reader,
};

/// Run by `cargo xtask test`, which they start; its tidy parses them.
const OF_XTASK: &str = "cargo xtask ";

#[tokio::test]
async fn the_readme_is_followed() {
    if std::env::var_os("ANSER_TEST_PROGRAM").is_some() {
        // Its `main` begins a runtime of its own.
        return std::thread::spawn(|| first_message::main().expect("it runs")).join().expect("it runs");
    }
    for (path, text) in [("README.md", "hello"), ("README.zh-CN.md", "你好")] {
        let mut visit = Visit { reader: Reader::new(), token: String::new(), look: String::new() };
        visit.reader.set("CARGO", env!("CARGO"));
        for block in blocks(path) {
            match block.fence.as_str() {
                "sh" => block.text.lines().for_each(|line| visit.run(line)),
                "json" => visit.say_first_message(&block).await,
                "rust,no_run" => assert_eq!(block.text.replace(text, "hello"), program(), "{}", block.place),
                _ => block.is_unknown(),
            }
        }
        let shown = visit.reader.run(&visit.look);
        assert!(shown.contains(text) && shown.contains("hello"), "{path}: Bob sees {shown}");
    }
}

fn program() -> String {
    let program =
        page("crates/cli/tests/it/docs/first_message.rs").replace("pub(super) async fn main", "async fn main");
    program
        .lines()
        .skip_while(|line| line.starts_with("//!") || line.is_empty())
        .map(|line| format!("{line}\n"))
        .collect()
}

struct Visit {
    reader: Reader,
    /// That the page lets its reader make.
    token: String,
    /// With which Bob looks at what came.
    look: String,
}

impl Visit {
    fn run(&mut self, line: &str) {
        let command = line.split('#').next().unwrap_or_default().trim();
        let chat = format!("{command} --server {}", self.reader.address);
        match command {
            _ if command.starts_with(OF_XTASK) => {}
            _ if command.contains(" serve ") => self.reader.serve(command),
            _ if command.contains(" token make ") && !command.contains("cargo") => {
                self.token = self.reader.run(command).trim().to_owned();
            }
            _ if command.contains(" chat ") => {
                self.reader.run(&chat);
                self.look = chat;
            }
            // The next ones stay in its folder.
            _ if command.starts_with("cargo new ") => _ = self.reader.run(command),
            _ => self.run_in_app(command),
        }
    }

    fn run_in_app(&self, command: &str) {
        let app = self.reader.app();
        let said = self.reader.run_in(&app, &format!("export ANSER_URL={}; {command}", self.reader.address));
        if command.ends_with("cargo run") {
            assert!(said.contains("stored as 2"), "{command}: {said}");
            assert!(fs::exists(app.join("alice.db")).expect("a folder"));
        }
    }

    /// Each line after the answer to the last one.
    async fn say_first_message(&self, block: &Block) {
        let mut client = Client::connect(self.reader.host()).await;
        let mut answers = Vec::new();
        for line in block.text.lines() {
            let frame: Value = serde_json::from_str(&line.replace('…', &self.token)).expect("JSON");
            answers.push(client.say(&frame).await);
        }
        let bodies: Vec<_> = answers.iter().map(body).collect();
        assert_eq!(bodies, ["welcome", "users", "sent"], "{}: {answers:?}", block.place);
        assert_eq!(answers[0]["welcome"]["user"]["user_id"], "1008");
        assert_eq!(answers[1]["users"]["users"][0]["user_id"], "1009");
        assert_eq!(answers[2]["sent"]["server_msg_id"], "1");
    }
}
