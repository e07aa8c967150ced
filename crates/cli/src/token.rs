//! `anser token`: what an app's server would do, for tests and operators.

use anser_server::{system_clock, token::Tokens};
use anyhow::bail;
use clap::{Args, Subcommand};

use crate::{
    out,
    settings::{Settings, tokens_of},
};

#[derive(Args)]
pub struct Token {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Print a token for an account, signed with the secret of the data folder
    Make {
        /// Who logs in with it. Without such a user its first login creates one (auth.create_users)
        account: String,
        /// How long it holds, in hours
        #[arg(long, default_value_t = 24)]
        hours: u64,
        #[command(flatten)]
        settings: Settings,
    },
    /// Say whether this server believes a token, and why not
    Check {
        /// As a client sends it
        token: String,
        #[command(flatten)]
        settings: Settings,
    },
}

impl Token {
    pub fn run(self) -> anyhow::Result<()> {
        let now_s = system_clock()() / 1000;
        match self.action {
            Action::Make { account, hours, settings } => {
                anser_proto::ids::check_ascii_id("account", &account)?;
                out::line(load(&settings)?.mint(&account, now_s.saturating_add(hours.saturating_mul(3600))))?;
            }
            Action::Check { token, settings } => match load(&settings)?.check(&token, now_s) {
                Ok(claims) => {
                    let left_s = claims.good_until_s().saturating_sub(now_s);
                    // The store knows the password's mark, and a server may have the store.
                    let while_kept = claims.password_mark.map_or("", |_| ", as long as the password is not changed");
                    out::line(format_args!(
                        "good for account {}, {} more minutes{while_kept}",
                        claims.sub,
                        left_s / 60
                    ))?;
                }
                Err(error) => bail!("{}", error.message),
            },
        }
        Ok(())
    }
}

fn load(settings: &Settings) -> anyhow::Result<Tokens> {
    tokens_of(&settings.load()?, "start the server once, or name its folder with --data")
}
