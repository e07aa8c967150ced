//! Tokens for those who take part, as an app's server would make them.

use std::path::{Path, PathBuf};

use anser_server::{config::Config, system_clock, token::Tokens};

use crate::settings::tokens_of;

/// How long they hold.
const TOKEN_S: u64 = 24 * 3600;

pub struct Minter(Tokens);

impl Minter {
    /// For a process of one's own, which runs with the defaults on this data folder.
    pub fn own(data: &Path) -> anyhow::Result<Self> {
        Ok(Self(Tokens::load(&Config::default().auth, data)?))
    }

    /// For a server that runs somewhere: with the secret of its data folder, or one in a file. It must be there.
    pub fn foreign(data: Option<PathBuf>, secret: Option<PathBuf>) -> anyhow::Result<Self> {
        let mut config = Config::load(None, std::env::vars())?;
        if let Some(data) = data {
            config.store.dir = data;
        }
        if secret.is_some() {
            config.auth.hs256_secret_file = secret;
        }
        let fix = "name that server's data folder with --data, or its secret with --token-secret";
        Ok(Self(tokens_of(&config, fix)?))
    }

    pub fn mint(&self, account: &str) -> String {
        let now_s = system_clock()() / 1000;
        self.0.mint(account, now_s, now_s + TOKEN_S)
    }
}
