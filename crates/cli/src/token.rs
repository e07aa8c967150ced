//! `anser token`: what an app's server would do, for tests and operators.

use std::time::Duration;

use anser_server::{
    Begin, Column,
    config::Config,
    operator::{CheckToken, Standing, check_token},
    system_clock,
    token::{Claims, Tokens},
};
use anyhow::{anyhow, bail};
use clap::{Args, Subcommand};
use hyper::{Method, StatusCode};
use tokio::time::timeout;

use crate::{
    operator::{Operator, Refused},
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
    /// Say whether a login with a token would be let in, and why not. Asks the server that runs on the data folder, or else the store
    Check {
        /// As a client sends it
        token: String,
        #[command(flatten)]
        settings: Settings,
    },
}

/// So long a token waits for what the store says of it.
const LOOK_MAX: Duration = Duration::from_secs(5);

impl Token {
    pub fn run(self) -> anyhow::Result<()> {
        let now_s = system_clock()() / 1000;
        match self.action {
            Action::Make { account, hours, settings } => {
                anser_proto::ids::check_ascii_id("account", &account)?;
                let config = settings.load()?;
                let token = load(&config)?.mint(&account, now_s, now_s.saturating_add(hours.saturating_mul(3600)));
                out::line(&token)?;
                match look(&config, &token) {
                    Ok(Standing::Created) => out::aside(format_args!(
                        "there is no user {account} yet: the first login with the token creates one\n"
                    )),
                    Ok(standing) => {
                        if let Some(why) = refusal(standing, &account) {
                            out::aside(format_args!("nobody can log in with it: {why}\n"));
                        }
                    }
                    // It was asked for a token, and there it is.
                    Err(_) => {}
                }
            }
            Action::Check { token, settings } => {
                let config = settings.load()?;
                let claims = load(&config)?.check(&token, now_s).map_err(|error| anyhow!("{}", error.message))?;
                check(&config, &token, &claims, now_s)?;
            }
        }
        Ok(())
    }
}

/// Says what a login with a token would meet that is signed and dated as it must be.
fn check(config: &Config, token: &str, claims: &Claims, now_s: u64) -> anyhow::Result<()> {
    let standing = match look(config, token) {
        Ok(standing) => Some(standing),
        Err(error)
            if error.downcast_ref().is_some_and(|refused: &Refused| refused.status == StatusCode::UNAUTHORIZED) =>
        {
            bail!("the server that runs here does not believe it: {error}");
        }
        Err(error) => {
            out::aside(format_args!(
                "only the signature and the time were looked at, and not whether the user may log in: {error:#}\n"
            ));
            None
        }
    };
    if let Some(why) = standing.and_then(|standing| refusal(standing, &claims.sub)) {
        bail!("{why}");
    }
    let mut more = claims.password_mark.as_ref().map_or("", |_| ", as long as the password is not changed");
    if standing == Some(Standing::Created) {
        more = "; the first login with it creates the user";
    }
    let minutes = claims.good_until_s().saturating_sub(now_s) / 60;
    out::line(format_args!("good for account {}, {minutes} more minutes{more}", claims.sub))?;
    Ok(())
}

fn refusal(standing: Standing, account: &str) -> Option<String> {
    match standing {
        Standing::LetIn | Standing::Created => None,
        Standing::NoUser => Some(format!("there is no user {account}: `anser user add {account}` creates them")),
        Standing::Disabled => Some(format!("{account} is disabled: `anser user enable {account}` lets them log in")),
        Standing::OtherPassword => {
            Some(format!("the password of {account} was changed since the token was given for it"))
        }
    }
}

/// Asks the server that has the store, or the store itself where none runs.
fn look(config: &Config, token: &str) -> anyhow::Result<Standing> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let looking = async {
        if let Some(operator) = Operator::connect(&config.store.dir).await? {
            return operator.ask(Method::POST, "/v1/tokens/check", &CheckToken { token: token.to_owned() }).await;
        }
        let Column { store, clock, .. } = Column::open(config, Begin::Never).await?;
        let (tokens, create_users) = (load(config)?, config.auth.create_users);
        let standing = check_token(&*store, &tokens, create_users, token, clock() / 1000).await;
        store.close().await;
        standing.map_err(|why| anyhow!("{why}"))
    };
    runtime.block_on(async {
        timeout(LOOK_MAX, looking).await.unwrap_or_else(|_| bail!("no answer within {} s", LOOK_MAX.as_secs()))
    })
}

fn load(config: &Config) -> anyhow::Result<Tokens> {
    tokens_of(config, "start the server once, or name its folder with --data")
}
