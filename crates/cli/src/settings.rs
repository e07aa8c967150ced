//! Settings that several commands share.

use std::path::PathBuf;

use anser_server::{config::Config, secrets::hs256_path, token::Tokens};
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
pub fn tokens_of(config: &Config, fix: &str) -> anyhow::Result<Tokens> {
    let secret = hs256_path(&config.store.dir);
    if config.auth.hs256_secret_file.is_none() && !secret.exists() {
        bail!("{} is not there: {fix}", secret.display());
    }
    Tokens::load(&config.auth, &config.store.dir)
}
