//! The operator's requests: users of the server's own. `anser user` asks here while a server has the store.
//!
//! Served on a socket in the data folder and nowhere else: who can open files there owns the server anyhow.

use std::sync::Arc;

use anser_proto::{CloseCode, UserId, ids::check_ascii_id, limits::NAME_CHARS_MAX};
use anser_store::{self as store, Clock, NewUser, User};
use axum::{
    Json,
    extract::{Query, State, rejection::JsonRejection},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use tokio::task::{JoinError, spawn_blocking};

use crate::{
    accepted::Accepted,
    cluster::envelope::Kick,
    ctx::Ctx,
    error::Error,
    hub::Doomed,
    im::{make_user, name::check_name, wire},
    password,
    snowflake::Snowflake,
};

/// Users of one page.
const PAGE: u32 = 200;

/// A user as the operator sees him.
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

type Answer<T> = Result<Json<T>, Problem>;

pub async fn list_users(State(cx): State<Arc<Ctx>>, Query(After { after }): Query<After>) -> Answer<Vec<UserRow>> {
    let page = cx.store.list_users(UserId(wire::position(after)), PAGE).await?;
    Ok(Json(page.rows.iter().map(UserRow::from).collect()))
}

pub async fn create_user(State(cx): State<Arc<Ctx>>, new: Result<Json<CreateUser>, JsonRejection>) -> Answer<UserRow> {
    let Json(new) = new?;
    let new = spawn_blocking(move || new_user(new)).await.map_err(broken)??;
    Ok(Json(UserRow::from(&make_user(&*cx.store, &cx.ids, new).await?)))
}

pub async fn change_user(
    State(cx): State<Arc<Ctx>>,
    change: Result<Json<ChangeUser>, JsonRejection>,
) -> Answer<UserRow> {
    let Json(change) = change?;
    // To its end, also when nobody waits for the answer: a change without the kick would leave who rests on what was before.
    let changing = tokio::spawn(async move {
        let (user, kick) = apply_change(&*cx.store, change, &cx.ids, &cx.clock).await?;
        if let Some(kick) = kick {
            // Everybody whom this node has, whatever the clock says.
            let before = Accepted::at(u64::MAX);
            cx.hub.kick(&Doomed { user: kick.user, device_id: None, before, now_ms: u64::MAX }, kick.code);
            cx.peers.kick(kick);
        }
        Ok::<_, Error>(user)
    });
    Ok(Json(UserRow::from(&changing.await.map_err(broken)??)))
}

/// Nodes' clocks agree to a moment only, so a kick reaches a little beyond now.
const CLOCKS_AGREE_MS: u64 = 1_000;

/// A user to be made, once what was asked for is within its bounds. He gets his id when he is.
pub fn new_user(new: CreateUser) -> Result<NewUser, Error> {
    check_ascii_id("account", &new.account)?;
    let nickname = new.nickname.unwrap_or_else(|| new.account.clone());
    check_name("nickname", &nickname, 1..=NAME_CHARS_MAX)?;
    let password = new.password.as_deref().map(password::make).transpose()?;
    Ok(NewUser { user: UserId(0), account: new.account.into(), nickname: nickname.into(), password })
}

/// Tells the user as he is now, and the end of his connections on every node if they rest on what was changed.
pub async fn apply_change(
    store: &dyn store::Store,
    change: ChangeUser,
    ids: &Snowflake,
    clock: &Clock,
) -> Result<(User, Option<Kick>), Error> {
    check_ascii_id("account", &change.account)?;
    let mut user = store.user_by_account(&change.account).await?;
    let new_password = change.password.is_some();
    if let Some(password) = change.password {
        let kept = spawn_blocking(move || password::make(&password)).await.map_err(broken)??;
        store.set_password(user.user, kept).await?;
    }
    if let Some(disabled) = change.disabled {
        store.set_disabled(user.user, disabled).await?;
        user.disabled = disabled;
    }
    let code = match () {
        () if user.disabled => CloseCode::LoginRefused,
        () if new_password => CloseCode::TokenRanOut,
        () => return Ok((user, None)),
    };
    // Behind the change: whoever came while it was under way was let in by what was before.
    let before = Accepted::at(clock() + CLOCKS_AGREE_MS);
    let kick = Kick { id: ids.make(), user: user.user, device_id: None, code, before };
    Ok((user, Some(kick)))
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
        use anser_proto::ErrorCode;
        let status = match error.code {
            ErrorCode::BadField => StatusCode::BAD_REQUEST,
            ErrorCode::NotFound => StatusCode::NOT_FOUND,
            ErrorCode::Conflict => StatusCode::CONFLICT,
            ErrorCode::Internal | ErrorCode::UnknownOutcome => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
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
