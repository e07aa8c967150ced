//! `anser user`: the server's own users, in the store directly or, while a server has it, by asking that server.

use std::sync::Arc;

use anser_server::{
    Begin, Column, LOGINS_NOTICED_S,
    config::Config,
    end_logins_on_nodes,
    operator::{ChangeUser, CreateUser, UserRow, change_stored_user, create_user, list_users},
    secrets::create_data_dir,
    snowflake::Snowflake,
};
use anser_store::Store;
use anyhow::{Context as _, anyhow, bail};
use clap::{Args, Subcommand};
use hyper::{Method, StatusCode};

use crate::{
    operator::{Operator, Refused},
    out, password,
    settings::Settings,
};

#[derive(Args)]
pub struct User {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Subcommand)]
enum Action {
    /// Create a user
    Add {
        /// The user's id in your app: 1 to 64 visible ASCII characters, for ever
        account: String,
        /// What others see [default: the account]
        #[arg(long)]
        nickname: Option<String>,
        /// Ask for a password, so that the user can log in without a token
        #[arg(long)]
        password: bool,
    },
    /// Print all users
    List,
    /// Set a user's password
    Password {
        /// As `anser user list` shows it
        account: String,
    },
    /// Let a user not log in any more, and end their connections
    Disable {
        /// As `anser user list` shows it
        account: String,
    },
    /// Let a user log in again
    Enable {
        /// As `anser user list` shows it
        account: String,
    },
}

/// Where the users are.
enum Users {
    Server(Operator),
    Store(Box<Opened>),
}

/// The store itself, where no server of this folder runs.
struct Opened {
    store: Arc<dyn Store>,
    ids: Snowflake,
    config: Config,
}

impl User {
    pub fn run(self) -> anyhow::Result<()> {
        let config = self.settings.load()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        // Only who adds the first user begins a store.
        let begin = if matches!(self.action, Action::Add { .. }) { Begin::WhereNoneWas } else { Begin::Never };
        runtime.block_on(async {
            let users = Users::find(&config, begin).await?;
            let done = users.act(self.action).await;
            users.close().await;
            done
        })
    }
}

impl Users {
    async fn find(config: &Config, begin: Begin) -> anyhow::Result<Self> {
        if begin != Begin::Never {
            create_data_dir(&config.store.dir)?;
        }
        if let Some(operator) = Operator::connect(&config.store.dir).await? {
            return Ok(Self::Server(operator));
        }
        let Column { store, clock, .. } = Column::open(config, begin).await?;
        let ids = Snowflake::any_node(clock);
        Ok(Self::Store(Box::new(Opened { store, ids, config: config.clone() })))
    }

    async fn close(&self) {
        if let Self::Store(opened) = self {
            opened.store.close().await;
        }
    }

    async fn act(&self, action: Action) -> anyhow::Result<()> {
        match action {
            Action::Add { account, nickname, password } => {
                let password = if password { Some(password::choose()?) } else { None };
                let user = match self.add(CreateUser { account: account.clone(), nickname, password }).await {
                    Err(error) if is(StatusCode::CONFLICT, &error) => bail!(
                        "there is a user {account} already, who stays as they are: `anser user password {account}` sets a password, `anser user \
                         disable {account}` lets them log in no more"
                    ),
                    added => added?,
                };
                out::line(format_args!("created {} with user_id {}", user.account, user.user_id))?;
            }
            Action::List => self.list().await?,
            Action::Password { account } => {
                let password = Some(password::choose()?);
                let UserRow { account, .. } = self.change(ChangeUser { account, password, disabled: None }).await?;
                out::line(format_args!("{account} has a new password"))?;
            }
            Action::Disable { account } => {
                let UserRow { account, .. } = self.disable(account, true).await?;
                out::line(format_args!("{account} cannot log in any more"))?;
            }
            Action::Enable { account } => {
                let UserRow { account, .. } = self.disable(account, false).await?;
                out::line(format_args!("{account} can log in"))?;
            }
        }
        Ok(())
    }

    async fn add(&self, new: CreateUser) -> anyhow::Result<UserRow> {
        match self {
            Self::Server(operator) => operator.ask(Method::POST, "/v1/users", &new).await,
            Self::Store(opened) => {
                let Opened { store, ids, .. } = &**opened;
                Ok(create_user(&**store, ids, new).await.map_err(Refused::from)?)
            }
        }
    }

    async fn disable(&self, account: String, disabled: bool) -> anyhow::Result<UserRow> {
        self.change(ChangeUser { account, password: None, disabled: Some(disabled) }).await
    }

    async fn change(&self, change: ChangeUser) -> anyhow::Result<UserRow> {
        let account = change.account.clone();
        self.change_one(change).await.map_err(|error| match is(StatusCode::NOT_FOUND, &error) {
            true => anyhow!("there is no user {account}: `anser user list` shows who is there"),
            false => error,
        })
    }

    async fn change_one(&self, change: ChangeUser) -> anyhow::Result<UserRow> {
        match self {
            Self::Server(operator) => operator.ask(Method::POST, "/v1/users/change", &change).await,
            Self::Store(opened) => {
                let Opened { store, config, .. } = &**opened;
                let (changed, over) = change_stored_user(&**store, change).await;
                if let Some(over) = over
                    && !end_logins_on_nodes(config, &**store, over).await
                {
                    out::aside(format_args!(
                        "redis is away: nodes end their connections by themselves, within {LOGINS_NOTICED_S} s\n"
                    ));
                }
                Ok(changed.map_err(Refused::from)?)
            }
        }
    }

    async fn list(&self) -> anyhow::Result<()> {
        let mut after = 0;
        loop {
            let rows = self.page(after).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = last.user_id.parse().context("a user id")?;
            let mut text = String::new();
            for UserRow { user_id, account, nickname, disabled } in rows {
                let disabled = if disabled { "  (cannot log in)" } else { "" };
                text.push_str(&format!("{user_id:>19}  {account}  {nickname}{disabled}\n"));
            }
            out::say(text)?;
        }
    }

    async fn page(&self, after: u64) -> anyhow::Result<Vec<UserRow>> {
        match self {
            Self::Server(operator) => operator.ask(Method::GET, &format!("/v1/users?after={after}"), &()).await,
            Self::Store(opened) => Ok(list_users(&*opened.store, after).await.map_err(Refused::from)?),
        }
    }
}

fn is(status: StatusCode, error: &anyhow::Error) -> bool {
    error.downcast_ref::<Refused>().is_some_and(|refused| refused.status == status)
}
