//! docs/operations.md, on a database that has the settings and the account of the page: a node is started, saved and restored by the lines
//! for systemd, and again by those for the compose file.

use std::{fs, os::unix::fs::PermissionsExt as _};

use anser_server::config::Config;
use anser_services::{MariaDb, MariaDbOptions, Place, Redis, free_port};

use rustix::process::{Pid, Signal, kill_process};

use super::{Block, blocks, reader::Reader};

/// Of root, who has none at the start, and of the server's account.
const PASSWORD: &str = "7f3a";
/// A test's machine has less memory than the page's.
const OF_LARGE_MACHINES: &str = "innodb_buffer_pool_size";

#[test]
fn a_cluster_is_saved_and_restored() {
    let blocks = blocks("docs/operations.md");
    let configuration = blocks.iter().find(|block| block.fence == "ini").expect("the page shows one");
    let town = Town::found(configuration);
    let mut restored = 0;
    for block in &blocks {
        match block.fence.as_str() {
            "sql" => town.open_account(block),
            "sh" if block.text.contains("docker build") => try_out(block),
            "sh" if block.text.contains("--restored") => {
                town.restore(block);
                restored += 1;
            }
            "sh" if block.text.contains("mariadb-dump") => town.save(block),
            "sh" => drop(town.reader.run(&block.text)),
            "toml" => are_read(block),
            "ini" => {}
            // See `proxies.rs`; and an answer.
            "nginx" | "haproxy" | "text" => {}
            _ => block.is_unknown(),
        }
    }
    assert_eq!(restored, 2);
}

fn are_read(settings: &Block) {
    let file = tempfile::NamedTempFile::new().expect("a file for the test");
    fs::write(&file, &settings.text).expect("a file for the test");
    Config::load(Some(file.path()), std::iter::empty()).unwrap_or_else(|error| panic!("{}: {error}", settings.place));
}

/// One server, which is alone.
fn try_out(block: &Block) {
    let mut reader = Reader::new();
    reader.serve("anser serve --dev");
    assert_eq!(reader.run(&block.text).trim().split('.').count(), 3, "{}: no token", block.place);
}

struct Town {
    reader: Reader,
    database: MariaDb,
    _redis: Redis,
}

impl Town {
    /// Of a database with the settings that the page shows.
    fn found(block: &Block) -> Self {
        let settings = block.text.lines().filter(|line| line.contains('=') && !line.starts_with(OF_LARGE_MACHINES));
        let settings = settings.map(|line| line.replace(' ', "")).collect();
        let options = MariaDbOptions { settings, ..MariaDbOptions::default() };
        let database = MariaDb::start_with(Place::Tests, options).expect("a database");
        let redis = Redis::start(Place::Tests).expect("a Redis");
        let mut reader = Reader::new();
        let key = reader.home().join("key");
        fs::write(&key, "7".repeat(64)).expect("a file for the test");
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("a mode");
        reader.set("HOME", reader.home().to_owned());
        reader.set("ANSER_STORE__DIR", reader.home().join("data"));
        reader.set("ANSER_AUTH__HS256_SECRET_FILE", key);
        reader.set("ANSER_CLUSTER__DATABASE", format!("mysql://anser:{PASSWORD}@{}/anser", database.address()));
        reader.set("ANSER_CLUSTER__REDIS", format!("redis://{}/0", redis.address()));
        // NATS may be away.
        reader.set("ANSER_CLUSTER__NATS", format!("nats://127.0.0.1:{}", free_port().expect("a port is free")));
        for port in ["ANSER_LISTEN__HTTP", "ANSER_LISTEN__TCP", "ANSER_LISTEN__OPERATOR"] {
            reader.set(port, "127.0.0.1:0");
        }
        reader.set("REDIS_PORT", redis.address().port().to_string());
        reader.set("MARIADB_ROOT_PASSWORD", PASSWORD);
        Self { reader, database, _redis: redis }
    }

    fn open_account(&self, block: &Block) {
        self.database.execute(&block.text.replace('…', PASSWORD)).expect("it is MariaDB's SQL");
        self.database.execute(&format!("SET PASSWORD = PASSWORD('{PASSWORD}')")).expect("root has a password");
        let address = self.database.address();
        let (host, port) = (address.ip(), address.port());
        let client = format!("[client]\nuser=root\npassword={PASSWORD}\nhost={host}\nport={port}\nprotocol=tcp\n");
        fs::write(self.reader.home().join(".my.cnf"), client).expect("a file for the test");
        // Which has its Redis database claimed for this store.
        self.reader.run("systemctl start anser");
        self.reader.run("anser user add alice; anser user add carol");
    }

    fn save(&self, block: &Block) {
        self.reader.run(&block.text);
        self.reader.run("anser user add bob");
    }

    fn restore(&self, block: &Block) {
        let before = self.log_id();
        assert!(self.users().contains("bob"));
        self.reader.run(&block.text);
        assert_ne!(self.log_id(), before, "{}", block.place);
        let users = self.users();
        assert!(users.contains("alice") && users.contains("carol") && !users.contains("bob"), "{users}");
    }

    /// Of the node that runs: the lines end with its start.
    fn users(&self) -> String {
        assert!(self.reader.checkout().join("node.pid").exists(), "no node runs");
        self.reader.run("anser user list")
    }

    fn log_id(&self) -> String {
        self.reader.run("mariadb --batch --skip-column-names -e \"SELECT log_id FROM im_store\" anser")
    }
}

impl Drop for Town {
    fn drop(&mut self) {
        // A node is no child of the test: the lines of the page started it.
        let pid =
            fs::read_to_string(self.reader.checkout().join("node.pid")).ok().and_then(|pid| pid.trim().parse().ok());
        let _ = pid.and_then(Pid::from_raw).map(|pid| kill_process(pid, Signal::KILL));
    }
}
