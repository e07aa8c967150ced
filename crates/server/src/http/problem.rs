//! An error as RFC 9457 tells it.

use anser_proto::{ErrorCode, codes::error_row};
use axum::{
    extract::rejection::JsonRejection,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::{error::Error, im::operator::NotDone};

pub struct Problem(StatusCode, String);

pub fn status(code: ErrorCode) -> StatusCode {
    StatusCode::from_u16(error_row(code).status).expect("the table of codes has what HTTP knows")
}

impl From<NotDone> for Problem {
    fn from(why: NotDone) -> Self {
        let Error { code, message, .. } = why.into();
        Self(status(code), message.into_owned())
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
