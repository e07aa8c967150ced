//! Every setting: meaning, default, bound. Precedence: flag, environment `ANSER_SECTION__KEY`, file, default. The doc comments are
//! for operators: `cargo xtask codegen` writes them into docs/settings.md.
//!
//! Read and checked once, before anything starts. An unknown key is an error, since a typing slip that is passed
//! over becomes somebody's lost day.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anser_store::{PeopleOptions, Window};
use serde::Deserialize;

use crate::{
    network::Network,
    origin::{Allowed, is_name},
};

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    pub listen: Listen,
    pub tls: Tls,
    pub auth: Auth,
    pub store: Store,
    pub cluster: Cluster,
    pub messages: Messages,
    pub devices: Devices,
    pub limits: Limits,
}

/// Where clients connect.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Listen {
    /// Address and port of WebSocket and health: the public one.
    pub http: SocketAddr,
    /// Address and port of plain TCP: the same frames, each behind its length.
    pub tcp: SocketAddr,
    /// Address and port of metrics and health, over plain HTTP, for whoever watches the server: keep it from the public. None: on the
    /// loopback address, the port of `listen.http` and 2, which is 7402, or a free one if that is 0.
    pub operator: Option<SocketAddr>,
    /// Names under which it is asked there, such as `["node-1"]`, besides `localhost` and addresses. Under another name, which a page in somebody's
    /// browser may have led here, it answers 421.
    pub operator_hosts: Vec<String>,
    /// Proxies before this server: addresses and networks, such as `["10.0.0.0/8"]`. They are believed when they say whom they pass on, in
    /// `X-Forwarded-For` or as `proxy_protocol` has it, and nobody else is. Limits for one address count what they say, and not them.
    pub trusted_proxies: Vec<Network>,
    /// Ports on which every connection of a trusted proxy begins with a header of the PROXY protocol, version 1 or 2: `["http"]`, `["tcp"]` or
    /// both. Those of others have none.
    pub proxy_protocol: Vec<Port>,
    /// Pages that may connect, by their origins: `["https://chat.example.com"]`. Asked where a browser sends `Origin`. Empty: those that came
    /// from the host and port that the request names, if that is an address, `localhost`, the name in `cluster.client_url` or one of the certificate's. `"*"`: any page; a login needs a token or password all the same.
    pub origins: Vec<Allowed>,
    /// How long a stopping server says on `/readyz` that it drains before it closes its ports, in milliseconds: as long as a balancer
    /// takes to look elsewhere. Connections that it has stay until then.
    pub unready_ms: u64,
    /// How long a stopping server waits for its connections, in milliseconds.
    pub drain_ms: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Port {
    Http,
    Tcp,
}

/// For both ports. Without it the ports speak plain text.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// Certificate chain (PEM), the server's own first. Goes with `key_file`: both, or neither.
    pub cert_file: Option<PathBuf>,
    /// The private key (PEM) of the certificate.
    pub key_file: Option<PathBuf>,
}

/// Whose tokens are believed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Auth {
    /// `iss` of tokens must be one of these: at least one. The first is that of the tokens which the server issues.
    pub issuers: Vec<String>,
    /// `aud` of tokens must contain this. Not empty.
    pub audience: String,
    /// Key of HS256 tokens: 32 bytes at least, in a file that its owner alone can read; protocol.md says which bytes count. None:
    /// `hs256.secret` in the data folder, created at the first start.
    pub hs256_secret_file: Option<PathBuf>,
    /// Public key (PEM) of EdDSA tokens. None: such tokens are refused.
    pub eddsa_public_key_file: Option<PathBuf>,
    /// A user whom a valid token names, and who is not there yet, is created; else they are refused.
    pub create_users: bool,
}

/// What is kept, and where.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Store {
    /// The data folder, created if it is not there. One server has it at a time. In a cluster it holds no messages.
    pub dir: PathBuf,
    /// Number of send and of receive tables, 1 to 64. Fixed when the store is created.
    pub shards: u32,
    /// Page cache of the embedded database's writer, in MiB.
    pub cache_mb: u32,
    /// Threads that read the embedded database, each on a connection of its own: 1 to 64.
    pub readers: u32,
}

/// Many nodes on one database. Without `database` the server is alone and keeps everything in its data folder; with it, all
/// nodes need the same `auth.hs256_secret_file`. See operations.md.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Cluster {
    /// MariaDB 10.6 or newer, or MySQL 8: `mysql://user:password@host:3306/name`. The database is there, and empty at the first start.
    pub database: Option<String>,
    /// Databases that repeat it, with addresses of the same form. History is read from them as far as they have it.
    pub replicas: Vec<String>,
    /// Settings of the database, by name, that break a promise and are accepted nevertheless.
    pub accept: Vec<String>,
    /// Transactions of this node at one time, each on a connection of its own: 1 to 64.
    pub writers: u32,
    /// Reads of this node at one time, each on a connection of its own: 1 to 64.
    pub readers: u32,
    /// Who is connected where, and `server_msg_id`s: `redis://user:password@host:6379/0`. May be lost at any time.
    pub redis: String,
    /// Messages between nodes: `nats://user:password@host:4222`. May be lost at any time.
    pub nats: String,
    /// Part of keys in Redis and of subjects in NATS: 1 to 32 of a-z, 0-9 and -.
    pub name: String,
    /// What this node is called in logs. None: its `client_url`.
    pub node: Option<String>,
    /// Where clients connect to this very node, as `/v1/access` tells them. None: taken from `listen.http`.
    pub client_url: Option<String>,
    /// Where `server_msg_id`s are proposed: `redis`, or `head`, the database itself.
    pub sequencer: SequencerKind,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SequencerKind {
    Redis,
    Head,
}

/// What users may write to each other.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Messages {
    /// Who may write to whom, one to one: `allow`, everybody whom the app lets find somebody; or `contacts`, whom they accepted. Others get
    /// `FORBIDDEN`, as whoever is blocked does in either case.
    pub strangers: Strangers,
    /// How long the author of a message may recall it, in seconds: up to 4294967295; 0: not at all, -1: for ever. What a group's owner and
    /// admins may recall has no bound.
    pub recall_s: i64,
    /// How long the author of a message may edit it, in seconds: up to 4294967295; 0: not at all, -1: for ever.
    pub edit_s: i64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Strangers {
    Allow,
    Contacts,
}

/// How many devices of a class a user may have connected at one time, beside `limits.devices_per_user`. What a device is it says itself, in `hello`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Devices {
    /// Phones and tablets: the platforms `IOS` and `ANDROID`. 0: any number.
    pub mobile: u32,
    /// The platform `DESKTOP`. 0: any number.
    pub desktop: u32,
    /// The platform `WEB`. 0: any number.
    pub web: u32,
    /// Who makes way when there is one more: the `"oldest"` connection, which is closed with 4508 `DEVICE_YIELDED`, or the `"newest"`, which is refused
    /// with `DEVICE_REFUSED`, or closed if the others are on another node.
    pub yields: Yields,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Yields {
    Oldest,
    Newest,
}

impl Default for Devices {
    fn default() -> Self {
        Self { mobile: 0, desktop: 0, web: 0, yields: Yields::Oldest }
    }
}

impl Messages {
    pub fn people(&self) -> PeopleOptions {
        let strangers = match self.strangers {
            Strangers::Allow => anser_store::Strangers::Allow,
            Strangers::Contacts => anser_store::Strangers::Contacts,
        };
        PeopleOptions { strangers, ..PeopleOptions::default() }
    }

    pub fn recall(&self) -> Window {
        window(self.recall_s)
    }

    pub fn edit(&self) -> Window {
        window(self.edit_s)
    }
}

/// What one client may ask for, and all together. The bounds of the protocol itself are fixed: see protocol.md.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Connections of users at one time: at least 1. Further logins are refused with `OVERLOADED`; strangers never take a user's place.
    pub connections: u32,
    /// Connections at one time that have not logged in, requests of plain HTTP among them: 1 to 10000. When there are so many, the one
    /// that has kept the server waiting longest gives way, or the newcomer is closed at once.
    pub strangers: u32,
    /// The same for one address, or one /64 of IPv6: 1 to `strangers`. Many users may sit behind one address. A /56 may have 4 times as many, a /48 16
    /// times: whoever has one may come from another /64 each time.
    pub strangers_per_address: u32,
    /// Attempts to log in of one address, or one /64 of IPv6, that come to nothing: so many a second, and ten times as many at once;
    /// beyond it connections from there are closed at once. 1 to 1000000. A login that succeeds does not count. A /56 may have 4 times as many, a
    /// /48 16 times.
    pub attempts_per_s: u32,
    /// From accepting a connection to `welcome`, in milliseconds: 1000 to 10000, as long as clients wait. TLS, HTTP,
    /// `hello` and checking a password are in it.
    pub login_ms: u32,
    /// What a user may ask of this node in a second, with all their connections together, where a short message costs 1: see protocol.md,
    /// "What requests cost". Beyond it they are refused with `RATE_LIMITED`. 0: no bound.
    pub requests_per_s: u32,
    /// What a user may ask of this node at once, after a silence: at least `requests_per_s`. Coming back does not fill it.
    pub requests_burst: u32,
    /// Of that, messages that a user may send or recall in a second, and five times as many at once; see protocol.md, "Limits by kind". A user
    /// by whom an app's own server writes, or a load generator, needs more. 0: no bound.
    pub sends_per_s: u32,
    /// Messages to which a user may react in a second; five times as many at once. 0: no bound.
    pub reactions_per_s: u32,
    /// Messages that a user may edit, pin and unpin in a second, own names in groups among them; five times as many at once. 0: no bound.
    pub edits_per_s: u32,
    /// Marks that a user may move in a second, and how often they may tell that they type; twenty times as many at once. Typing beyond it is
    /// not passed on, and not refused. 0: no bound.
    pub marks_per_s: u32,
    /// Accounts by which a user may look for others in a minute; 200 at once, which is one request. 0: no bound.
    pub account_lookups_per_min: u32,
    /// Users whom a user may ask to be contacts in a minute, and as many at once. 0: no bound.
    pub contact_requests_per_min: u32,
    /// Links that a user may look at or join by in a minute, and as many at once. 0: no bound.
    pub link_uses_per_min: u32,
    /// Groups that a user may create in an hour, and as many at once. 0: no bound.
    pub new_groups_per_h: u32,
    /// Messages that all together may send in one conversation in a second, as far as this node stores them; five times as many at once. In a
    /// cluster one node does, as long as the nodes reach each other. 0: no bound.
    pub conversation_sends_per_s: u32,
    /// Reactions of all together in one conversation, likewise. 0: no bound.
    pub conversation_reactions_per_s: u32,
    /// Bytes of pushes that may wait to be written to one connection, with those that are being written: at least 16384. What comes on top
    /// is dropped and the client told to sync.
    pub outbox_bytes: usize,
    /// The shortest heartbeat that a client may choose, in milliseconds: 1000 to `heartbeat_max_ms`.
    pub heartbeat_min_ms: u32,
    /// The longest one, in milliseconds. A connection that is silent for one and a half times as long is closed.
    pub heartbeat_max_ms: u32,
    /// Members of a group: 2 to 100000; beyond it `LIMIT_REACHED`. Groups that have more already keep them.
    pub group_members: u32,
    /// Groups in which a user is a member at one time; beyond it `LIMIT_REACHED`. 0: no groups.
    pub groups_per_user: u32,
    /// Of these, groups into which others put them and in which they have not written, read on or invited anybody yet; beyond it whoever puts
    /// them into one more gets `LIMIT_REACHED`, unless they have ever written to that one. The other places are kept for groups that they create
    /// or take part in, or into which people put them whom they have written to.
    pub unanswered_groups_per_user: u32,
    /// Of these, groups into which one and the same user put them, whoever that is.
    pub unanswered_groups_per_inviter: u32,
    /// Two things: how many devices of a user are remembered, and how many connections they have at one time. One more device, and the
    /// one not seen for longest is forgotten; one more connection, and the oldest is closed with 4501 `REPLACED`. At least 1.
    pub devices_per_user: u32,
    /// Wrong passwords for one account from one address, or one /64 of IPv6: so many at once, and then one a minute; beyond it whoever tries
    /// waits, and nobody else. Twenty times as many for all accounts from there (a /56 4 times that, a /48 16 times), and for the account from everywhere; neither concerns
    /// who logs in from where they have before. While an account is tried from everywhere, the first try of a network waits for 5 s at most
    /// instead of being refused: two a second pass, drawn. Each node counts for itself. 0 to 1000; 0: no login with a password.
    pub password_attempts: u32,
}

impl Default for Listen {
    fn default() -> Self {
        Self {
            http: ([127, 0, 0, 1], 7400).into(),
            tcp: ([127, 0, 0, 1], 7401).into(),
            operator: None,
            operator_hosts: vec![],
            trusted_proxies: vec![],
            proxy_protocol: vec![],
            origins: vec![],
            unready_ms: 0,
            drain_ms: 10_000,
        }
    }
}

impl Listen {
    pub fn operator(&self) -> SocketAddr {
        let port = match self.http.port() {
            0 => 0,
            // Near the end of the ports it lies on the other side.
            port => port.checked_add(OPERATOR_BESIDE).unwrap_or(port - OPERATOR_BESIDE),
        };
        self.operator.unwrap_or(([127, 0, 0, 1], port).into())
    }
}

/// From the public port to the operator's, so that a second server on a machine finds it free.
const OPERATOR_BESIDE: u16 = 2;

impl Default for Auth {
    fn default() -> Self {
        Self {
            issuers: vec!["anser".into()],
            audience: "anser".into(),
            hs256_secret_file: None,
            eddsa_public_key_file: None,
            create_users: true,
        }
    }
}

impl Default for Store {
    fn default() -> Self {
        Self { dir: "anser-data".into(), shards: 4, cache_mb: 256, readers: 2 }
    }
}

impl Default for Cluster {
    fn default() -> Self {
        Self {
            database: None,
            replicas: vec![],
            accept: vec![],
            writers: 2,
            readers: 8,
            redis: "redis://127.0.0.1:6379/0".into(),
            nats: "nats://127.0.0.1:4222".into(),
            name: "anser".into(),
            node: None,
            client_url: None,
            sequencer: SequencerKind::Redis,
        }
    }
}

impl Default for Messages {
    fn default() -> Self {
        Self { strangers: Strangers::Allow, recall_s: 86_400, edit_s: 86_400 }
    }
}

fn window(seconds: i64) -> Window {
    match u32::try_from(seconds) {
        Ok(0) => Window::Never,
        Ok(seconds) => Window::Seconds(seconds),
        Err(_) => Window::ForEver,
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 50_000,
            strangers: 1_000,
            strangers_per_address: 100,
            attempts_per_s: 20,
            login_ms: 10_000,
            requests_per_s: 100,
            requests_burst: 1_000,
            sends_per_s: 20,
            reactions_per_s: 5,
            edits_per_s: 2,
            marks_per_s: 10,
            account_lookups_per_min: 30,
            contact_requests_per_min: 30,
            link_uses_per_min: 30,
            new_groups_per_h: 20,
            conversation_sends_per_s: 200,
            conversation_reactions_per_s: 50,
            outbox_bytes: 256 * 1024,
            heartbeat_min_ms: 15_000,
            heartbeat_max_ms: 300_000,
            group_members: 5_000,
            groups_per_user: 1_000,
            unanswered_groups_per_user: 200,
            unanswered_groups_per_inviter: 20,
            devices_per_user: 32,
            password_attempts: 5,
        }
    }
}

impl Limits {
    /// Nobody is too fast: for who measures, or tests what is behind these limits.
    pub fn without_rates(self) -> Self {
        Self {
            requests_per_s: 0,
            requests_burst: 0,
            sends_per_s: 0,
            reactions_per_s: 0,
            edits_per_s: 0,
            marks_per_s: 0,
            account_lookups_per_min: 0,
            contact_requests_per_min: 0,
            link_uses_per_min: 0,
            new_groups_per_h: 0,
            conversation_sends_per_s: 0,
            conversation_reactions_per_s: 0,
            ..self
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("cannot read {0}: {1}")]
    Unreadable(PathBuf, std::io::Error),
    #[error("{input}: {error}")]
    Malformed { input: String, error: toml::de::Error },
    #[error("{key} = {value}: {fix}")]
    Refused { key: &'static str, value: String, fix: &'static str },
}

impl Config {
    /// Reads the file, if one is named, and lays the environment's settings over it.
    pub fn load(file: Option<&Path>, env: impl Iterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let mut table = match file {
            None => toml::Table::new(),
            Some(path) => {
                let text =
                    std::fs::read_to_string(path).map_err(|error| ConfigError::Unreadable(path.into(), error))?;
                // Read once as it stands, so that an error names the line.
                toml::from_str::<Self>(&text)
                    .map_err(|error| ConfigError::Malformed { input: path.display().to_string(), error })?;
                toml::from_str(&text)
                    .map_err(|error| ConfigError::Malformed { input: path.display().to_string(), error })?
            }
        };
        for (name, value) in env {
            let Some((section, key)) = name.strip_prefix("ANSER_").and_then(|name| name.split_once("__")) else {
                continue;
            };
            let section = table.entry(section.to_lowercase()).or_insert_with(|| toml::Table::new().into());
            if let Some(section) = section.as_table_mut() {
                section.insert(key.to_lowercase(), value_of(&value));
            }
        }
        let input = || "settings from file and environment".to_owned();
        let config: Self = table.try_into().map_err(|error| ConfigError::Malformed { input: input(), error })?;
        config.check()?;
        Ok(config)
    }

    pub fn check(&self) -> Result<(), ConfigError> {
        let limits = &self.limits;
        if !self.listen.proxy_protocol.is_empty() && self.listen.trusted_proxies.is_empty() {
            let fix = "name the proxies in listen.trusted_proxies: it is theirs alone";
            return refuse("listen.proxy_protocol", &"set, and nobody is a proxy", fix);
        }
        if let Some(host) = self.listen.operator_hosts.iter().find(|host| !is_name(host)) {
            return refuse("listen.operator_hosts", host, "write a name alone, without scheme and port: node-1");
        }
        if self.tls.cert_file.is_some() != self.tls.key_file.is_some() {
            return refuse("tls.cert_file", &"without tls.key_file or the reverse", "name both, or neither");
        }
        if !(1..=64).contains(&self.store.shards) {
            return refuse("store.shards", &self.store.shards, "choose 1 to 64");
        }
        if !(1..=64).contains(&self.store.readers) {
            return refuse("store.readers", &self.store.readers, "choose 1 to 64");
        }
        for (key, value) in [("cluster.writers", self.cluster.writers), ("cluster.readers", self.cluster.readers)] {
            if !(1..=64).contains(&value) {
                return refuse(key, &value, "choose 1 to 64");
            }
        }
        let windows = [("messages.recall_s", self.messages.recall_s), ("messages.edit_s", self.messages.edit_s)];
        for (key, value) in windows {
            if !(-1..=u32::MAX.into()).contains(&value) {
                return refuse(key, &value, "choose 0 to 4294967295 seconds, or -1 for ever");
            }
        }
        if self.cluster.database.is_some() && self.auth.hs256_secret_file.is_none() {
            let fix = "name a file that is the same for every node, or they do not believe each other's tokens; \
                        `openssl rand -hex 32` prints one";
            return refuse("auth.hs256_secret_file", &"none, in a cluster", fix);
        }
        for (key, value) in
            [("limits.connections", limits.connections), ("limits.devices_per_user", limits.devices_per_user)]
        {
            if value == 0 {
                return refuse(key, &0, "choose at least 1");
            }
        }
        check_arrivals(limits)?;
        if limits.requests_per_s > limits.requests_burst {
            return refuse("limits.requests_burst", &limits.requests_burst, "choose at least limits.requests_per_s");
        }
        if limits.outbox_bytes < 16 * 1024 {
            return refuse("limits.outbox_bytes", &limits.outbox_bytes, "choose at least 16384");
        }
        if limits.heartbeat_min_ms < 1_000 || limits.heartbeat_min_ms > limits.heartbeat_max_ms {
            return refuse(
                "limits.heartbeat_min_ms",
                &limits.heartbeat_min_ms,
                "choose 1000 to limits.heartbeat_max_ms",
            );
        }
        if !(2..=100_000).contains(&limits.group_members) {
            return refuse("limits.group_members", &limits.group_members, "choose 2 to 100000");
        }
        if self.auth.audience.is_empty() || self.auth.issuers.is_empty() {
            return refuse("auth.issuers", &"empty, or auth.audience is", "name whose tokens are believed");
        }
        Ok(())
    }
}

fn refuse(key: &'static str, value: &dyn std::fmt::Display, fix: &'static str) -> Result<(), ConfigError> {
    Err(ConfigError::Refused { key, value: value.to_string(), fix })
}

/// What holds for whoever is not logged in yet.
fn check_arrivals(limits: &Limits) -> Result<(), ConfigError> {
    // Making room looks at each of the strangers.
    if !(1..=10_000).contains(&limits.strangers) {
        return refuse("limits.strangers", &limits.strangers, "choose 1 to 10000");
    }
    if !(1..=limits.strangers).contains(&limits.strangers_per_address) {
        let fix = "choose 1 to limits.strangers";
        return refuse("limits.strangers_per_address", &limits.strangers_per_address, fix);
    }
    // A /48 may have 16 times as many, and time is counted in nanoseconds.
    if !(1..=1_000_000).contains(&limits.attempts_per_s) {
        return refuse("limits.attempts_per_s", &limits.attempts_per_s, "choose 1 to 1000000");
    }
    // After 10 s of silence clients take a connection for dead.
    if !(1_000..=10_000).contains(&limits.login_ms) {
        return refuse("limits.login_ms", &limits.login_ms, "choose 1000 to 10000");
    }
    if limits.password_attempts > 1_000 {
        return refuse("limits.password_attempts", &limits.password_attempts, "choose 0 to 1000");
    }
    Ok(())
}

/// A setting from the environment is TOML if it reads as TOML (numbers, lists, booleans), else text.
fn value_of(text: &str) -> toml::Value {
    toml::from_str::<toml::Table>(&format!("value = {text}"))
        .ok()
        .and_then(|mut table| table.remove("value"))
        .unwrap_or_else(|| text.into())
}

#[cfg(test)]
mod tests;
