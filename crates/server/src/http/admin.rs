//! The operator's requests: users of the server's own. `anser user` asks here while a server has the store.
//!
//! Served on a socket in the data folder and nowhere else: who can open files there owns the server anyhow.

use std::sync::Arc;

use anser_proto::{UserId, codes::error_row, ids::check_ascii_id, limits::NAME_CHARS_MAX};
use anser_store::{self as store, NewUser, User};
use axum::{
    Json,
    extract::{Query, State, rejection::JsonRejection},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use tokio::task::{JoinError, spawn_blocking};

use crate::{
    cluster::envelope::LoginsOver,
    ctx::Ctx,
    error::Error,
    im::{self, logins, name::check_name, wire},
    password,
};

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

/// What is absent stays. The account is not in the path: it may have any character of one.
#[derive(Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct ChangeUser {
    pub account: String,
    #[serde(default)]
    pub password: Option<String>,
    #[serde(default)]
    pub disabled: Option<bool>,
}

#[derive(Deserialize)]
pub struct After {
    #[serde(default)]
    after: u64,
}

/// An error as RFC 9457 tells it.
pub struct Problem(StatusCode, String);

pub(super) type Answer<T> = Result<Json<T>, Problem>;

pub async fn list_users(State(cx): State<Arc<Ctx>>, Query(After { after }): Query<After>) -> Answer<Vec<UserRow>> {
    let page = cx.store.list_users(UserId(wire::position(after)), PAGE).await?;
    Ok(Json(page.rows.iter().map(UserRow::from).collect()))
}

pub async fn create_user(State(cx): State<Arc<Ctx>>, new: Result<Json<CreateUser>, JsonRejection>) -> Answer<UserRow> {
    let Json(new) = new?;
    let new = spawn_blocking(move || new_user(new)).await.map_err(broken)??;
    Ok(Json(UserRow::from(&im::create_user(&*cx.store, &cx.ids, new).await?)))
}

pub async fn change_user(
    State(cx): State<Arc<Ctx>>,
    change: Result<Json<ChangeUser>, JsonRejection>,
) -> Answer<UserRow> {
    let Json(change) = change?;
    // To its end, also when nobody waits for the answer: who is connected shall be told.
    let changing = tokio::spawn(async move {
        let (changed, over) = apply_change(&*cx.store, change).await;
        match over {
            Some(over) => {
                cx.hub.end_logins(&over);
                cx.peers.end_logins(over);
            }
            None => cx.logins_unknown.notify_one(),
        }
        changed
    });
    Ok(Json(UserRow::from(&changing.await.map_err(broken)??)))
}

/// A user to be created, once what was asked for is within its bounds. They get their id when they are.
pub fn new_user(new: CreateUser) -> Result<NewUser, Error> {
    check_ascii_id("account", &new.account)?;
    let nickname = new.nickname.unwrap_or_else(|| new.account.clone());
    check_name("nickname", &nickname, 1..=NAME_CHARS_MAX)?;
    let password = new.password.as_deref().map(password::create).transpose()?;
    Ok(NewUser { user: UserId(0), account: new.account.into(), nickname: nickname.into(), password })
}

/// Tells the user as they are now; and which of their logins are over, also when the change failed: it may have been done, and it is the store
/// that knows. Where that cannot say, each node finds out by itself.
pub async fn apply_change(store: &dyn store::Store, change: ChangeUser) -> (Result<User, Error>, Option<LoginsOver>) {
    let found = match check_ascii_id("account", &change.account) {
        Ok(()) => store.user_by_account(&change.account).await.map_err(Error::from),
        Err(error) => Err(error.into()),
    };
    let Ok(user) = found else { return (found, None) };
    let ends_logins = change.password.is_some() || change.disabled == Some(true);
    let id = user.user;
    let changed = write_change(store, user, change).await;
    if !ends_logins {
        return (changed, None);
    }
    let over = logins::over(store, id).await;
    (changed, over.inspect_err(|error| tracing::warn!(%error, "it is not known whose logins are over")).ok())
}

async fn write_change(store: &dyn store::Store, mut user: User, change: ChangeUser) -> Result<User, Error> {
    if let Some(password) = change.password {
        let kept = spawn_blocking(move || password::create(&password)).await.map_err(broken)??;
        store.set_password(user.user, kept).await?;
    }
    if let Some(disabled) = change.disabled {
        store.set_disabled(user.user, disabled).await?;
        user.disabled = disabled;
    }
    Ok(user)
}

fn broken(_: JoinError) -> Error {
    Error::new(anser_proto::ErrorCode::Internal, "the change broke")
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

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let status =
            StatusCode::from_u16(error_row(error.code).status).expect("the table of codes has what HTTP knows");
        Self(status, error.message.into_owned())
    }
}

impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Self {
        Error::from(error).into()
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        Self(rejection.status(), rejection.body_text())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self(status, detail) = self;
        let body =
            serde_json::json!({ "title": status.canonical_reason(), "status": status.as_u16(), "detail": detail });
        (status, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
    }
}
