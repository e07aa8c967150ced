//! The operator's requests. `anser user` and `anser token` ask here while a server has the store.
//!
//! Served on a socket in the data folder and nowhere else: who can open files there owns the server anyhow.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Query, State, rejection::JsonRejection},
};
use serde::Deserialize;

use super::problem::Problem;
use crate::{
    ctx::Ctx,
    im::operator::{self, ChangeUser, CheckToken, CreateUser, Standing, UserRow},
};

type Asked<T> = Result<Json<T>, JsonRejection>;
type Answer<T> = Result<Json<T>, Problem>;

#[derive(Deserialize)]
pub struct After {
    #[serde(default)]
    after: u64,
}

pub async fn list_users(State(cx): State<Arc<Ctx>>, Query(After { after }): Query<After>) -> Answer<Vec<UserRow>> {
    Ok(Json(operator::list_users(&*cx.store, after).await?))
}

pub async fn create_user(State(cx): State<Arc<Ctx>>, new: Asked<CreateUser>) -> Answer<UserRow> {
    Ok(Json(operator::create_user(&*cx.store, &cx.ids, new?.0).await?))
}

/// The account is not in the path: it may have any character of one.
pub async fn change_user(State(cx): State<Arc<Ctx>>, change: Asked<ChangeUser>) -> Answer<UserRow> {
    Ok(Json(operator::change_user(cx, change?.0).await?))
}

pub async fn check_token(State(cx): State<Arc<Ctx>>, asked: Asked<CheckToken>) -> Answer<Standing> {
    let (tokens, create_users) = (&cx.credentials.tokens, cx.config.auth.create_users);
    let CheckToken { token } = asked?.0;
    Ok(Json(operator::check_token(&*cx.store, tokens, create_users, &token, (cx.clock)() / 1000).await?))
}
