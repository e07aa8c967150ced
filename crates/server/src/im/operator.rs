//! What an operator may ask: users of the server's own, and what becomes of a login with a token. A server is asked over the socket in its data
//! folder; where none runs, the command line opens the store and asks here itself.

use std::{fmt, sync::Arc};

use anser_proto::{ErrorCode, UserId, ids::check_ascii_id, limits::NAME_CHARS_MAX};
use anser_store::{self as store, NewUser, PasswordHash, Refusal, Store, User};
use serde::{Deserialize, Serialize};
use tokio::task::{JoinError, spawn_blocking};

use super::{logins, name::check_name, user, wire};
use crate::{cluster::envelope::LoginsOver, ctx::Ctx, error::Error, password, snowflake::Snowflake, token::Tokens};

/// Users of one page.
const PAGE: u32 = 200;

/// A user as the operator sees them.
#[derive(Serialize, Deserialize)]
pub struct UserRow {
    /// As text, since it may be beyond what JavaScript counts.
    pub user_id: String,
    pub account: String,
    pub nickname: String,
    pub disabled: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateUser {
    pub account: String,
    #[serde(default)]
    pub nickname: Option<String>,
    #[serde(default)]
    pub password: Option<String>,
}

/// What is absent stays.
#[derive(Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct ChangeUser {
    pub account: String,
    #[serde(default)]
    pub password: Option<String>,
    #[serde(default)]
    pub disabled: Option<bool>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckToken {
    pub token: String,
}

/// What becomes of a login with a token that is signed and dated as it must be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    LetIn,
    /// The first login with it creates the user.
    Created,
    /// Nobody has the account, and no login creates it.
    NoUser,
    Disabled,
    /// The password is not the one any more that it was given for.
    OtherPassword,
}

/// Why a request was not done. As text it tells all: where no server runs there is no log to look into.
#[derive(Debug)]
pub enum NotDone {
    Refused(Error),
    Store(store::Error),
}

/// Those behind `after`, by their ids.
pub async fn list_users(store: &dyn Store, after: u64) -> Result<Vec<UserRow>, NotDone> {
    let page = store.list_users(UserId(wire::position(after)), PAGE).await?;
    Ok(page.rows.iter().map(UserRow::from).collect())
}

pub async fn create_user(store: &dyn Store, ids: &Snowflake, new: CreateUser) -> Result<UserRow, NotDone> {
    let new = spawn_blocking(move || new_user(new)).await??;
    Ok(UserRow::from(&user::create_user(store, ids, new).await?))
}

/// Changes a user of a server that runs: to its end, also when nobody waits for the answer, since who is connected shall be told.
pub async fn change_user(cx: Arc<Ctx>, change: ChangeUser) -> Result<UserRow, NotDone> {
    let changing = tokio::spawn(async move {
        let (changed, over) = change_stored_user(&*cx.store, change).await;
        logins::end(&cx, over);
        changed
    });
    changing.await?
}

/// Tells the user as they are now; and which of their logins are over, also when the change failed: it may have been done, and it is the store
/// that knows. Where that cannot say, each node finds out by itself.
pub async fn change_stored_user(
    store: &dyn Store,
    change: ChangeUser,
) -> (Result<UserRow, NotDone>, Option<LoginsOver>) {
    let user = match find(store, &change.account).await {
        Ok(user) => user,
        Err(why) => return (Err(why), None),
    };
    let ends_logins = change.password.is_some() || change.disabled == Some(true);
    let id = user.user;
    let changed = write_change(store, user, change).await.map(|user| UserRow::from(&user));
    if !ends_logins {
        return (changed, None);
    }
    let over = logins::over(store, id).await;
    (changed, over.inspect_err(|error| tracing::warn!(%error, "it is not known whose logins are over")).ok())
}

/// What a login with this token would find, without logging anybody in. `create_users`: the first login of an account creates its user.
pub async fn check_token(
    store: &dyn Store,
    tokens: &Tokens,
    create_users: bool,
    token: &str,
    now_s: u64,
) -> Result<Standing, NotDone> {
    let claims = tokens.check(token, now_s)?;
    let is_of_another = |kept: Option<&PasswordHash>| {
        claims.password_mark.as_ref().is_some_and(|mark| !password::is_marked(kept, mark))
    };
    Ok(match store.user_with_password(&claims.sub).await {
        Err(store::Error::Refused(Refusal::NotFound(_))) if claims.may_create(create_users) => Standing::Created,
        Err(store::Error::Refused(Refusal::NotFound(_))) => Standing::NoUser,
        Err(error) => return Err(error.into()),
        Ok((user, _)) if user.disabled => Standing::Disabled,
        Ok((_, kept)) if is_of_another(kept.as_ref()) => Standing::OtherPassword,
        Ok(_) => Standing::LetIn,
    })
}

/// Once what was asked for is within its bounds. They get their id when they are created.
fn new_user(new: CreateUser) -> Result<NewUser, Error> {
    check_ascii_id("account", &new.account)?;
    let nickname = new.nickname.unwrap_or_else(|| new.account.clone());
    check_name("nickname", &nickname, 1..=NAME_CHARS_MAX)?;
    let password = new.password.as_deref().map(password::create).transpose()?;
    Ok(NewUser { user: UserId(0), account: new.account.into(), nickname: nickname.into(), password })
}

async fn find(store: &dyn Store, account: &str) -> Result<User, NotDone> {
    check_ascii_id("account", account).map_err(Error::from)?;
    Ok(store.user_by_account(account).await?)
}

async fn write_change(store: &dyn Store, mut user: User, change: ChangeUser) -> Result<User, NotDone> {
    if let Some(password) = change.password {
        let kept = spawn_blocking(move || password::create(&password)).await??;
        store.set_password(user.user, kept).await?;
    }
    if let Some(disabled) = change.disabled {
        store.set_disabled(user.user, disabled).await?;
        user.disabled = disabled;
    }
    Ok(user)
}

impl From<&User> for UserRow {
    fn from(user: &User) -> Self {
        Self {
            user_id: user.user.to_string(),
            account: user.account.to_string(),
            nickname: user.nickname.to_string(),
            disabled: user.disabled,
        }
    }
}

impl fmt::Display for NotDone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(error) => formatter.write_str(&error.message),
            Self::Store(error) => error.fmt(formatter),
        }
    }
}

impl From<NotDone> for Error {
    fn from(why: NotDone) -> Self {
        match why {
            NotDone::Refused(error) => error,
            NotDone::Store(error) => error.into(),
        }
    }
}

impl From<Error> for NotDone {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

impl From<store::Error> for NotDone {
    fn from(error: store::Error) -> Self {
        Self::Store(error)
    }
}

impl From<JoinError> for NotDone {
    fn from(_: JoinError) -> Self {
        Self::Refused(Error::new(ErrorCode::Internal, "the change broke"))
    }
}
