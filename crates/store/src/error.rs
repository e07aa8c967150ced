//! Why a verb did not do what it was asked: refusals, which concern the request, and failures, which concern the store.

/// The request is at fault, and asking again will not help. Nothing was changed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    #[error("there is no such {0}")]
    NotFound(&'static str),
    #[error("the user is no member or party of the conversation")]
    NotMember,
    #[error("the user may not do this")]
    Forbidden,
    /// For so long; 0: until it is taken back.
    #[error("{}", told_of_mute(*.for_ms))]
    Muted { for_ms: u64 },
    #[error("the {0} was used before for something else")]
    Conflict(&'static str),
    #[error("the message is recalled")]
    Gone,
    #[error("the time in which the message may be changed is over")]
    TooLate,
    #[error("the message was changed since")]
    Outdated,
    #[error("{what} would be more than {max}")]
    Limit { what: &'static str, max: u32 },
    /// The part of it that is wrong, and what it may be.
    #[error("{0}")]
    BadAttachment(String),
    #[error("the login is over: the user was disabled, or has a new password")]
    LoginOver,
}

/// The store is at fault, or busy.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Failure {
    /// As much work is waiting as may. Nothing was changed.
    #[error("the store has as much work as it can take")]
    Overloaded,
    /// More is said in the conversation than whoever stands before the store lets through, for so many milliseconds yet. Nothing was changed.
    #[error("more is said in this conversation than may be")]
    RateLimited { for_ms: u64 },
    /// No room on the disk. Nothing was changed.
    #[error("the disk of the store is full")]
    Full,
    /// Nothing was changed.
    #[error("the store is closed")]
    Closed,
    /// It broke in the middle: the change may be there or not.
    #[error("the outcome is unknown: {0}")]
    UnknownOutcome(String),
    /// A row that it needs is damaged. Nothing was changed, and what needs other rows does not fail.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// Nothing was changed.
    #[error("the store failed: {0}")]
    Failed(String),
}

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Failed(#[from] Failure),
}

fn told_of_mute(for_ms: u64) -> String {
    match for_ms {
        0 => "only the owner and admins may speak in the group now".into(),
        _ => format!("the user may not speak in the group for another {} s", for_ms.div_ceil(1000)),
    }
}
