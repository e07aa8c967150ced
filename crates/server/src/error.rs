//! What a client is told when a request fails.

use std::{borrow::Cow, time::Duration};

use anser_proto::{ErrorCode, attachment::BadAttachment, codes::Retry, codes::error_row, ids::BadId, v1};
use anser_store::{self as store, Failure, Refusal};

use crate::rate::whole_ms;

/// When there may be room for a large answer again.
const ROOM_RETRY_MS: u32 = 1_000;

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

    /// The same may succeed once this time has passed.
    pub fn after(self, wait: Duration) -> Self {
        let retry_after_ms = u32::try_from(whole_ms(wait)).unwrap_or(u32::MAX).max(1);
        Self { retry_after_ms, ..self }
    }

    /// An answer is too large for what is left of the room for large ones.
    pub fn no_room() -> Self {
        let message = "too many large answers are being written: read them, or ask for less at once";
        Self { retry_after_ms: ROOM_RETRY_MS, ..Self::new(ErrorCode::Overloaded, message) }
    }

    /// The same request may succeed later: what comes behind it must not overtake it.
    pub fn is_transient(&self) -> bool {
        error_row(self.code).retry != Retry::No
    }

    pub fn to_wire(&self) -> v1::Error {
        v1::Error { code: self.code.into(), message: self.message.to_string(), retry_after_ms: self.retry_after_ms }
    }
}

impl From<BadAttachment> for Error {
    fn from(error: BadAttachment) -> Self {
        Self::bad_field(error.to_string())
    }
}

impl From<BadId> for Error {
    fn from(error: BadId) -> Self {
        Self::bad_field(error.to_string())
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Refused(refusal) => refusal.into(),
            store::Error::Failed(failure) => failure.into(),
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let code = match &refusal {
            Refusal::NotFound(_) => ErrorCode::NotFound,
            Refusal::NotMember => ErrorCode::NotMember,
            Refusal::Forbidden => ErrorCode::Forbidden,
            Refusal::Muted { .. } => ErrorCode::Muted,
            Refusal::Conflict(_) | Refusal::Outdated => ErrorCode::Conflict,
            Refusal::Gone => ErrorCode::Gone,
            Refusal::TooLate => ErrorCode::TooLate,
            Refusal::Limit { .. } => ErrorCode::LimitReached,
            Refusal::BadAttachment(_) => ErrorCode::BadField,
            Refusal::LoginOver => ErrorCode::LoginOver,
        };
        let retry_after_ms = match refusal {
            Refusal::Muted { for_ms } => u32::try_from(for_ms).unwrap_or(u32::MAX),
            _ => 0,
        };
        Self { retry_after_ms, ..Self::new(code, refusal.to_string()) }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let code = match &failure {
            Failure::Overloaded => ErrorCode::Overloaded,
            Failure::RateLimited { .. } => ErrorCode::RateLimited,
            Failure::Full => ErrorCode::StoreFull,
            Failure::Closed => ErrorCode::ShuttingDown,
            Failure::UnknownOutcome(_) => ErrorCode::UnknownOutcome,
            Failure::Damaged(_) | Failure::Failed(_) => ErrorCode::Internal,
        };
        let retry_after_ms = match failure {
            Failure::RateLimited { for_ms } => u32::try_from(for_ms).unwrap_or(u32::MAX),
            _ => 0,
        };
        // What a client cannot fix is told to the operator; the client learns only that it happened.
        let message = match failure {
            Failure::UnknownOutcome(_) | Failure::Damaged(_) | Failure::Failed(_) => {
                tracing::error!(%failure, "the store failed");
                Cow::Borrowed("the store failed: the server's log says why")
            }
            told => told.to_string().into(),
        };
        Self { retry_after_ms, ..Self::new(code, message) }
    }
}
