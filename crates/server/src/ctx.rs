//! What a request may touch. Time and ids enter through here; features do not.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use anser_store::{Clock, Store};

use crate::{
    config::Config, hub::Hub, im::Members, metrics::Metrics, password::Passwords, snowflake::Snowflake, token::Tokens,
};

pub struct Ctx {
    pub config: Config,
    pub store: Arc<dyn Store>,
    pub hub: Arc<Hub>,
    pub members: Members,
    pub credentials: Credentials,
    pub ids: Snowflake,
    pub clock: Clock,
    pub metrics: Metrics,
    draining: AtomicBool,
}

/// How users prove who they are.
pub struct Credentials {
    pub tokens: Tokens,
    pub passwords: Passwords,
}

impl Ctx {
    pub fn new(config: Config, store: Arc<dyn Store>, clock: Clock) -> anyhow::Result<Self> {
        let credentials = Credentials {
            tokens: Tokens::load(&config.auth, &config.store.dir)?,
            passwords: Passwords::new(config.limits.password_attempts, Arc::clone(&clock)),
        };
        Ok(Self {
            metrics: Metrics::new(Arc::clone(&store)),
            store,
            hub: Arc::new(Hub::new(config.limits.devices_per_user)),
            members: Members::new(),
            credentials,
            ids: Snowflake::new(0, Arc::clone(&clock)),
            clock,
            config,
            draining: AtomicBool::new(false),
        })
    }

    /// From now on the server is not ready: whoever balances load shall look elsewhere.
    pub fn set_draining(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}
