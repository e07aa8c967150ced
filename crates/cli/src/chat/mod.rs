//! `anser chat`: a client for people, in a terminal; and for scripts, line by line.
//!
//! The way of a key: `screen` takes it, `update` changes the `model` and asks for effects, `perform` does them with the SDK, `view`
//! draws. Only `screen` has a terminal, only `perform` and `lines` call the SDK, with `naming` for whom a text names.

mod answers;
mod changes;
mod command;
mod entrance;
mod entry;
#[cfg(test)]
mod fixture;
mod input;
mod keys;
mod lines;
mod login;
mod model;
mod naming;
mod obey;
mod perform;
mod received;
mod screen;
mod terminal;
mod text;
mod time;
mod timeline;
mod update;
#[cfg(test)]
mod update_tests;
mod view;
mod wash;

use std::{
    fs::File,
    io::IsTerminal as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use anser_client::{Client, Config, Credential, Keep, transport::Network};
use anser_server::{secrets::create_data_dir, system_clock};
use anyhow::{Context as _, anyhow, bail};
use clap::Args;
use jiff::tz::TimeZone;

use crate::{
    contact::{Contact, Patience},
    lang::Lang,
    log::{self, Log},
    settings::Settings,
};
use lines::Numbers;
use model::{Model, Wish};
use text::Text;

/// Where [`login::store_path`] puts it.
const KEPT: &str = "What this device knows is kept in $XDG_DATA_HOME/anser/chat, else in ~/.local/share/anser/chat: a file ACCOUNT@SERVER.db (with \
                    --device ACCOUNT@SERVER+NAME.db) with the newest 64 MiB of messages, the login and what waits to be sent. Who deletes it \
                    begins anew";

#[derive(Args)]
#[command(after_help = KEPT)]
pub struct Chat {
    /// Who you are
    #[arg(long = "as", value_name = "ACCOUNT")]
    account: String,
    /// With whom to talk: an account, or group_ID
    #[arg(long, value_name = "ACCOUNT")]
    to: Option<String>,
    /// The server: ws://, wss://, tcp:// or tls://
    #[arg(long, value_name = "URL", default_value = "ws://127.0.0.1:7400")]
    server: String,
    /// Log in with this token
    #[arg(long, env = "ANSER_TOKEN", hide_env_values = true, conflicts_with = "password")]
    token: Option<String>,
    /// Log in with a password, which is asked for (or is the first line of the input)
    #[arg(long)]
    password: bool,
    /// Name of this device; each has a local store of its own
    #[arg(long, value_name = "NAME")]
    device: Option<String>,
    /// Without a terminal: show each message with its number, own ones too, and its changes; and obey /reply, /edit, /recall and /react
    #[arg(long)]
    numbers: bool,
    /// Keep nothing on this machine
    #[arg(long)]
    memory: bool,
    /// Trust the certificates in this file (PEM) instead of the system's
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// The language [default: that of the environment]
    #[arg(long)]
    lang: Option<Lang>,
    #[command(flatten)]
    settings: Settings,
}

impl Chat {
    pub fn run(self) -> anyhow::Result<()> {
        let text = Text(self.lang.unwrap_or_else(Lang::of_environment));
        anser_proto::ids::check_ascii_id("account", &self.account)
            .map_err(|error| anyhow!(text.bad_account(&self.account, &error)))?;
        let on_screen = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
        let to = self.to.as_deref().map(Wish::parse);
        if !on_screen && to.is_none() {
            bail!("{}", text.to_is_needed());
        }
        let mut config = self.config(on_screen, text)?;
        let network = Network::new(&config.url, config.format, config.ca_file.as_deref())
            .map_err(|error| anyhow!(text.error(&error.into())))?;
        let (contact, failure) = Contact::new(network, &config.url);
        config.dial = Some(Arc::new(contact));
        let account = self.account;
        let store = match &config.store {
            Keep::File(path) => Some(path.clone()),
            _ => None,
        };
        let _log = match (&store, on_screen) {
            (Some(path), true) => {
                log_to_file(&path.with_extension("log"), text)?;
                None
            }
            (None, true) => None,
            (_, false) => Some(Log::to_stderr("warn")?),
        };
        let began_ms = system_clock()();
        let numbers = if self.numbers { Numbers::Shown } else { Numbers::Hidden };
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let done = runtime.block_on(async {
            let client = Client::open(config)
                .await
                .map_err(|error| anyhow!(text.error(&error)).context(text.cannot_open(store.as_deref(), &account)))?;
            match to {
                Some(to) if !on_screen => {
                    let done = tokio::select! {
                        done = lines::run(&client, to, text, store.as_deref(), began_ms, numbers) => done,
                        why = failure.told(Patience::None) => Err(anyhow!(text.unopened(&why))),
                    };
                    client.close().await;
                    done
                }
                to => {
                    let next_id = || uuid::Uuid::now_v7().to_string().parse().expect("a UUID is visible ASCII");
                    let model = Model { store, began_ms, ..Model::new(text, TimeZone::system(), account, next_id) };
                    tokio::select! {
                        done = screen::run(model, client, to) => done,
                        // Who reads what is here already can wait for a server that may come.
                        why = failure.told(Patience::ForWhatMayPass) => Err(anyhow!(text.unopened(&why))),
                    }
                }
            }
        });
        // Nothing that still runs is worth waiting for: the client is closed.
        runtime.shutdown_background();
        done
    }

    fn config(&self, on_screen: bool, text: Text) -> anyhow::Result<Config> {
        let is_secure = |url: &str| url.trim().starts_with("wss://") || url.trim().starts_with("tls://");
        if self.ca.is_some() && !self.server.split(',').any(is_secure) {
            bail!("{}", text.ca_without_tls(&self.server));
        }
        let way = match (&self.token, self.password) {
            (Some(token), _) => login::Way::Token(token.clone()),
            (None, true) => login::Way::Password,
            (None, false) => login::Way::OwnServer(Box::new(self.settings.load()?)),
        };
        let is_own = matches!(way, login::Way::OwnServer(_));
        let path = match self.memory {
            true => None,
            false => Some(login::store_path(&self.account, &self.server, self.device.as_deref(), text)?),
        };
        let credential = match login::credential(way, &self.account, &self.server, text) {
            // A password that was given once left its token there.
            Err(_) if is_own && path.as_ref().is_some_and(|path| path.exists()) => Credential::Kept,
            credential => credential?,
        };
        if let Some(folder) = path.as_deref().and_then(Path::parent) {
            create_data_dir(folder)?;
        }
        let mut config = Config::new(&self.server, credential);
        config.store = path.map_or(Keep::Memory, Keep::File);
        config.device_name = login::device_name(self.device.as_deref());
        config.ca_file.clone_from(&self.ca);
        if !on_screen {
            // A script gets everything that it missed, however much it is.
            config.policy.gap_max = u64::MAX;
        }
        Ok(config)
    }
}

/// A line on the terminal would tear the screen.
fn log_to_file(path: &Path, text: Text) -> anyhow::Result<()> {
    let file = File::create(path).with_context(|| text.cannot_log(path))?;
    tracing_subscriber::fmt()
        .with_env_filter(log::filter("info")?)
        .with_ansi(false)
        // Else it says on the screen what it could not write.
        .log_internal_errors(false)
        .with_writer(Mutex::new(file))
        .init();
    Ok(())
}
