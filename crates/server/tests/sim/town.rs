//! Several nodes in one process, on one store, with the time of a paused clock.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use anser_proto::VERSION;
use anser_server::{
    Column, Join, Server,
    cluster::{
        Inbox, Node, NodeId,
        counts::Counts,
        memory::Network,
        peers::{Arriving, Ways},
    },
    config::Config,
    token::Tokens,
};
use anser_store::{Clock, Options, Window, memory::MemoryStore};
use tempfile::TempDir;
use tokio::time::Instant;

use crate::weather::{FoulBus, FoulDirectory, Weather};

/// The time at which every play begins, in milliseconds since 1970.
const BEGIN_MS: u64 = 1_800_000_000_000;

pub struct Town {
    pub store: MemoryStore,
    pub weather: Arc<Weather>,
    pub nodes: Vec<Host>,
    /// Of all nodes together.
    pub counts: Counts,
    /// By how much somebody set the clock ahead.
    pub ahead_ms: Arc<AtomicU64>,
    network: Network,
    clock: Clock,
    tokens: Tokens,
    folder: TempDir,
    /// Of the settings of every node.
    change: fn(&mut Config),
}

/// Where a node is, or was.
pub struct Host {
    pub id: NodeId,
    /// None while it is stopped.
    pub server: Option<Server>,
}

impl Town {
    pub async fn found(seed: u64, nodes: usize) -> Self {
        Self::found_with(seed, nodes, |_| {}).await
    }

    pub async fn found_with(seed: u64, nodes: usize, change: fn(&mut Config)) -> Self {
        let begin = Instant::now();
        let since = move || u64::try_from(begin.elapsed().as_millis()).expect("a short play");
        let ahead_ms = Arc::<AtomicU64>::default();
        let ahead = Arc::clone(&ahead_ms);
        let clock: Clock = Arc::new(move || BEGIN_MS + since() + ahead.load(Relaxed));
        let folder = tempfile::tempdir().expect("a folder for the test");
        let tokens = Tokens::load(&Config::default().auth, folder.path()).expect("a new secret");
        let limits = Config::default().limits;
        let store = MemoryStore::new(Options {
            shards: 4,
            group_members_max: limits.group_members,
            groups_per_user_max: limits.groups_per_user,
            unanswered_groups_per_user_max: limits.groups_per_user,
            unanswered_groups_per_inviter_max: limits.groups_per_user,
            devices_per_user_max: limits.devices_per_user,
            people: anser_store::PeopleOptions::default(),
            recall: Window::ForEver,
            edit: Window::ForEver,
            clock: Arc::clone(&clock),
        });
        let weather = Weather::new(seed);
        let mut town = Self {
            store,
            weather,
            nodes: Vec::new(),
            counts: Counts::default(),
            ahead_ms,
            network: Network::default(),
            clock,
            tokens,
            folder,
            change,
        };
        for _ in 0..nodes {
            town.nodes.push(Host { id: NodeId(0), server: None });
        }
        for node in 0..nodes {
            town.start(node).await;
        }
        town
    }

    /// A new life of a node: the others know it by another id.
    pub async fn start(&mut self, node: usize) {
        let mut config = Config::default();
        (config.listen.http, config.listen.tcp) = (([127, 0, 0, 1], 0).into(), ([127, 0, 0, 1], 0).into());
        config.listen.drain_ms = 1_000;
        config.store.dir = self.folder.path().join(node.to_string());
        config.auth.hs256_secret_file = Some(self.folder.path().join("hs256.secret"));
        config.limits = config.limits.without_rates();
        (self.change)(&mut config);
        std::fs::create_dir_all(&config.store.dir).expect("a folder for the node");
        let (network, weather, counts) = (self.network.clone(), Arc::clone(&self.weather), self.counts.clone());
        let (told, mut id) = tokio::sync::oneshot::channel();
        let join: Join = Box::new(move |node| {
            let _ = told.send(node.id);
            Box::pin(async move { Ok(ways(&network, weather, counts, node)) })
        });
        let column = Column { store: Arc::new(self.store.beside()), clock: Arc::clone(&self.clock), join };
        let server = Server::start(config, column).await.expect("a node that starts");
        self.nodes[node] = Host { id: id.try_recv().expect("it has an id"), server: Some(server) };
    }

    pub async fn stop(&mut self, node: usize) {
        if let Some(server) = self.nodes[node].server.take() {
            server.stop().await.expect("it ends");
        }
    }

    pub fn hello(&self, account: &str, device_id: &str) -> anser_proto::v1::Hello {
        use anser_proto::v1::{Device, Hello, hello::Credential};
        let now_s = (self.clock)() / 1000;
        let token = self.tokens.mint(account, now_s, now_s + 3_600);
        Hello {
            version: VERSION,
            credential: Some(Credential::Token(token)),
            device: Some(Device { device_id: device_id.into(), ..Default::default() }),
            ..Default::default()
        }
    }
}

fn ways(network: &Network, weather: Arc<Weather>, counts: Counts, node: Node) -> Ways {
    let me = node.id;
    let (below, bus) = network.join(node, counts.clone());
    Ways {
        me,
        directory: Arc::new(FoulDirectory::new(me, below.clone(), Arc::clone(&weather))),
        bus: Arc::new(FoulBus { me, below, weather }),
        kicks: None,
        counts,
        arriving: Arriving { bus, kicks: Inbox::silent() },
        in_cluster: true,
    }
}

/// Simulated time.
pub async fn pass(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}
