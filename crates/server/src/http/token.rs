//! Whether a token lets in, as the operator asks: what a login would find, without logging anybody in.

use std::sync::Arc;

use anser_store::{Error as StoreError, Refusal, Store};
use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
};
use serde::{Deserialize, Serialize};

use super::admin::Answer;
use crate::{ctx::Ctx, password, token::Claims};

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

pub async fn check(State(cx): State<Arc<Ctx>>, asked: Result<Json<CheckToken>, JsonRejection>) -> Answer<Standing> {
    let Json(CheckToken { token }) = asked?;
    let claims = cx.credentials.tokens.check(&token, (cx.clock)() / 1000)?;
    Ok(Json(standing(&*cx.store, &claims, cx.config.auth.create_users).await?))
}

/// As a login finds it.
pub async fn standing(store: &dyn Store, claims: &Claims, create_users: bool) -> Result<Standing, StoreError> {
    let mark = claims.password_mark.as_deref();
    Ok(match store.user_with_password(&claims.sub).await {
        Err(StoreError::Refused(Refusal::NotFound(_))) if create_users && mark.is_none() => Standing::Created,
        Err(StoreError::Refused(Refusal::NotFound(_))) => Standing::NoUser,
        Err(error) => return Err(error),
        Ok((user, _)) if user.disabled => Standing::Disabled,
        Ok((_, kept)) if mark.is_some_and(|mark| kept.as_ref().is_none_or(|kept| password::mark(kept) != mark)) => {
            Standing::OtherPassword
        }
        Ok(_) => Standing::LetIn,
    })
}
