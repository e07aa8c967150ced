//! What a request may touch. Time and ids enter through here; features do not.

use std::sync::Arc;

use anser_store::{Clock, Store};
use tokio::sync::{Notify, Semaphore};

use crate::{
    budget::{Conversations, Logins},
    cluster::peers::Peers,
    config::Config,
    hub::Hub,
    im::{Members, peer::UNDER_WAY_BYTES_MAX},
    link,
    metrics::{Metrics, Seen},
    password::Passwords,
    presence::Shown,
    snowflake::Snowflake,
    token::Tokens,
};

pub struct Ctx {
    pub config: Config,
    pub store: Arc<dyn Store>,
    pub hub: Arc<Hub>,
    pub peers: Arc<Peers>,
    pub members: Arc<Members>,
    pub credentials: Credentials,
    pub logins: Logins,
    pub conversations: Conversations,
    pub ids: Snowflake,
    pub clock: Clock,
    pub metrics: Metrics,
    pub presence: Shown,
    /// Room for what is done for other nodes, in bytes.
    pub under_way: Arc<Semaphore>,
    /// An operator may have ended logins, and the store did not say whose.
    pub logins_unknown: Notify,
}

/// How users prove who they are.
pub struct Credentials {
    pub tokens: Tokens,
    pub passwords: Passwords,
}

impl Credentials {
    pub fn load(config: &Config) -> anyhow::Result<Self> {
        Ok(Self {
            tokens: Tokens::load(&config.auth, &config.store.dir)?,
            passwords: Passwords::new(config.limits.password_attempts),
        })
    }
}

impl Ctx {
    /// Of a link that is created now.
    pub fn link_token(&self) -> link::Token {
        link::Token::random()
    }

    pub fn new(
        config: Config,
        store: Arc<dyn Store>,
        clock: Clock,
        credentials: Credentials,
        peers: Arc<Peers>,
    ) -> Self {
        let members = Arc::new(Members::new());
        let hub = Arc::new(Hub::new(&config.limits, &config.devices, peers.directory()));
        let (of_store, of_members, of_hub) = (Arc::clone(&store), Arc::clone(&members), Arc::clone(&hub));
        let hashing = credentials.passwords.hashing();
        let seen = Seen { store: of_store, fan_out: Arc::default(), members: of_members, hub: of_hub, hashing };
        Self {
            metrics: Metrics::new(seen, &peers.counts),
            store,
            hub,
            peers,
            members,
            credentials,
            logins: Logins::new(&config.limits),
            conversations: Conversations::new(&config.limits),
            ids: Snowflake::any_node(Arc::clone(&clock)),
            presence: Shown::default(),
            under_way: Arc::new(Semaphore::new(UNDER_WAY_BYTES_MAX as usize)),
            logins_unknown: Notify::new(),
            clock,
            config,
        }
    }
}
