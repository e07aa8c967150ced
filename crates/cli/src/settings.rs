//! Settings that several commands share, and the store that they open.

use std::{path::PathBuf, sync::Arc};

use anser_server::{config::Config, secrets::hs256_path, system_clock, token::Tokens};
use anser_store::{
    Options, Store,
    sequencer::HeadSequencer,
    sqlite::{OpenError, SqliteOptions, SqliteStore},
};
use anyhow::bail;
use clap::Args;

#[derive(Args, Default)]
pub struct Settings {
    /// Settings from this file (TOML); the environment ANSER_SECTION__KEY goes before it
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// The data folder [default: anser-data]
    #[arg(long, value_name = "FOLDER", global = true)]
    data: Option<PathBuf>,
}

impl Settings {
    pub fn load(&self) -> anyhow::Result<Config> {
        let mut config = Config::load(self.config.as_deref(), std::env::vars())?;
        if let Some(data) = &self.data {
            config.store.dir.clone_from(data);
        }
        Ok(config)
    }
}

/// To make tokens for a server that is there already. Makes no secret: a new one would be believed by nobody.
pub fn tokens_of(config: &Config, mend: &str) -> anyhow::Result<Tokens> {
    let secret = hs256_path(&config.store.dir);
    if config.auth.hs256_secret_file.is_none() && !secret.exists() {
        bail!("{} is not there: {mend}", secret.display());
    }
    Tokens::load(&config.auth, &config.store.dir)
}

/// Opens the store of the data folder. Only one process can have it.
pub fn open_store(config: &Config) -> Result<Arc<dyn Store>, OpenError> {
    let common = Options {
        shards: config.store.shards,
        group_members_max: config.limits.group_members,
        groups_per_user_max: config.limits.groups_per_user,
        devices_per_user_max: config.limits.devices_per_user,
        clock: system_clock(),
    };
    let sequencer = Arc::new(HeadSequencer::new());
    let options = SqliteOptions {
        readers: config.store.readers as usize,
        writer_cache_kib: config.store.cache_mb.saturating_mul(1024),
        ..SqliteOptions::new(common, sequencer)
    };
    let store = SqliteStore::open(&config.store.dir, options)?;
    Ok(store)
}
