//! What a client is told when a request fails.

use std::borrow::Cow;

use anser_proto::{ErrorCode, codes::Retry, codes::error_row, ids::BadId, v1};
use anser_store as store;

#[derive(Clone, Debug)]
pub struct Error {
    pub code: ErrorCode,
    pub message: Cow<'static, str>,
    pub retry_after_ms: u32,
}

impl Error {
    pub fn new(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into(), retry_after_ms: 0 }
    }

    pub fn bad_field(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::BadField, message)
    }

    /// The same request may succeed later: what comes behind it must not overtake it.
    pub fn is_transient(&self) -> bool {
        error_row(self.code).retry != Retry::No
    }

    pub fn to_wire(&self) -> v1::Error {
        v1::Error { code: self.code.into(), message: self.message.to_string(), retry_after_ms: self.retry_after_ms }
    }
}

impl From<BadId> for Error {
    fn from(error: BadId) -> Self {
        Self::bad_field(error.to_string())
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        let code = match &error {
            store::Error::NotFound(_) => ErrorCode::NotFound,
            store::Error::NotMember => ErrorCode::NotMember,
            store::Error::Forbidden => ErrorCode::Forbidden,
            store::Error::Conflict(_) => ErrorCode::Conflict,
            store::Error::Limit { .. } => ErrorCode::LimitReached,
            store::Error::Overloaded => ErrorCode::Overloaded,
            store::Error::Full => ErrorCode::StoreFull,
            store::Error::LoginOver => ErrorCode::LoginOver,
            store::Error::Closed => ErrorCode::ShuttingDown,
            store::Error::UnknownOutcome(_) => ErrorCode::UnknownOutcome,
            store::Error::Failed(_) => ErrorCode::Internal,
        };
        // What a client cannot fix is told to the operator; the client learns only that it happened.
        let message = match error {
            store::Error::UnknownOutcome(_) | store::Error::Failed(_) => {
                tracing::error!(%error, "the store failed");
                Cow::Borrowed("the store failed: the server's log says why")
            }
            told => told.to_string().into(),
        };
        Self { code, message, retry_after_ms: 0 }
    }
}
