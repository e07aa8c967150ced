//! The table of everything that can go wrong and be told. docs/protocol.md shows it; `cargo xtask codegen` writes it there.

pub use crate::v1::{close::Code as CloseCode, error::Code as ErrorCode};

/// What a client may do about an error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Retry {
    /// The same request will fail again.
    No,
    /// Later, unchanged. Nothing was stored.
    Later,
    /// Unchanged, with the same `client_msg_id`: it may have been stored or not.
    SameId,
}

pub struct ErrorRow {
    /// Where it is told over HTTP.
    pub status: u16,
    pub retry: Retry,
    /// The server ends the connection after it.
    pub closes: Option<CloseCode>,
    pub meaning: &'static str,
}

pub struct CloseRow {
    /// The client connects again by itself.
    pub reconnect: bool,
    pub meaning: &'static str,
}

pub fn error_row(code: ErrorCode) -> ErrorRow {
    use CloseCode::{BadFrames, FrameOverLimit, LoginRefused, LoginTimedOut, ServerBusy, TokenRanOut, VersionRefused};
    use ErrorCode::*;
    use Retry::{Later, No, SameId};

    let row = |status, retry, meaning| ErrorRow { status, retry, closes: None, meaning };
    let closing = |status, retry, close, meaning| ErrorRow { closes: Some(close), ..row(status, retry, meaning) };
    match code {
        Unspecified => row(500, No, "not used; an error of a newer server that this client does not know"),

        BadFrame => closing(400, No, BadFrames, "the bytes are no frame in the connection's format, or of no request"),
        UnknownRequest => row(400, No, "the frame has no request, or one that this server does not know"),
        BadField => row(400, No, "a field is missing, malformed or out of its range; the message names it"),
        FrameTooLarge => closing(
            413,
            No,
            FrameOverLimit,
            "the frame has more bytes than allowed (8 KiB before login, 448 KiB after)",
        ),
        BodyTooLarge => row(413, No, "content and attachment together have more than 65 536 bytes"),
        PageTooLarge => row(400, No, "more entries were asked for, or named, than a request may"),
        UnsupportedVersion => {
            closing(400, No, VersionRefused, "the server does not speak this version of the protocol")
        }

        LoginRequired => closing(401, No, LoginRefused, "the first frame was not `hello`"),
        LoginTimeout => closing(408, Later, LoginTimedOut, "the login was not done within 10 seconds"),
        BadToken => closing(401, No, LoginRefused, "the token is malformed, forged, or issued for another server"),
        TokenExpired => closing(401, No, LoginRefused, "the token is past its time: get a new one, then connect again"),
        BadPassword => closing(401, No, LoginRefused, "no such account, or another password"),
        UserDisabled => closing(403, No, LoginRefused, "the user may not log in"),
        AlreadyLoggedIn => row(409, No, "a second `hello` on one connection"),
        TooManyAttempts => {
            closing(429, Later, ServerBusy, "too many wrong passwords for this account, or from this address: wait")
        }
        DeviceRefused => closing(409, No, LoginRefused, "the user has as many devices of this class as they may"),

        NotFound => row(404, No, "there is no such user, group or conversation"),
        NotMember => row(403, No, "the user is no party or member of the conversation"),
        Forbidden => row(403, No, "the user may not do this"),
        Conflict => row(409, No, "the client_msg_id was used before with another body"),
        LimitReached => {
            row(409, No, "a number that the server bounds is reached: members of a group, groups of a user")
        }
        Muted => {
            row(403, No, "the user may not write in the group, for `retry_after_ms` yet; 0: until they are let again")
        }

        Gone => row(410, No, "the message is recalled: it cannot be changed or answered any more"),
        TooLate => row(409, No, "the time in which the message may be changed is over"),

        Overloaded => row(503, Later, "the server has as much work as it can take; nothing was stored"),
        RateLimited => {
            row(429, Later, "the user asks for more than all their connections together may; nothing was stored")
        }
        BehindFailed => {
            row(503, Later, "a message before this one in the same conversation failed: resend that one first")
        }
        StoreFull => row(503, Later, "the server's disk is full; nothing was stored"),
        ShuttingDown => row(503, Later, "the server stops; nothing was stored"),
        LoginOver => {
            closing(401, Later, TokenRanOut, "disabled, a new password or the device revoked since: nothing was stored")
        }

        UnknownOutcome => row(500, SameId, "the store broke in the middle: it may have been stored or not"),
        Internal => row(500, SameId, "a fault of the server; its log says which"),
    }
}

pub fn close_row(code: CloseCode) -> CloseRow {
    use CloseCode::*;

    let row = |reconnect, meaning| CloseRow { reconnect, meaning };
    match code {
        Unspecified => row(true, "not used; a code of a newer server below 4500"),
        Normal => row(false, "the client said `bye`"),
        Draining => row(true, "the server stops; come back after the time that `draining` named"),
        Lagging => row(true, "the connection took too little of what was written to it within 30 seconds"),
        Silent => row(true, "nothing was received for one and a half of the longest heartbeat"),
        ServerBusy => row(true, "the server has as many logins as it can take now"),
        ServerError => row(true, "a fault of the server; its log says which"),
        TooManyFailed => row(
            true,
            "messages that failed wait to be sent again in more than 256 conversations: send again in order what was not acknowledged",
        ),
        LoginTimedOut => row(true, "the login was not done within 10 seconds"),
        LoginRefused => row(false, "the user may not log in; the error before it, if any, says why"),
        Replaced => {
            row(false, "the same device opened a newer connection, or the user more than limits.devices_per_user")
        }
        BadFrames => row(false, "what came was no frame"),
        FrameOverLimit => row(false, "what came was larger than a frame may be"),
        Flooding => row(false, "requests kept coming far above the rate after being refused"),
        VersionRefused => row(false, "the server does not speak the client's version"),
        TokenRanOut => row(
            false,
            "the token of this connection passed its time, or the user has a new password: get a new one, then connect again",
        ),
        DeviceRevoked => {
            row(false, "the user revoked this device: get a new token, or ask for the password, then connect again")
        }
        DeviceYielded => row(
            false,
            "the user connected another device of the same class, of which they may have no more at one time",
        ),
    }
}

impl ErrorCode {
    pub fn all() -> impl Iterator<Item = Self> {
        (1..1000).filter_map(|number| Self::try_from(number).ok())
    }
}

impl CloseCode {
    pub fn all() -> impl Iterator<Item = Self> {
        (1..5000).filter_map(|number| Self::try_from(number).ok())
    }

    /// For a number off the wire: codes that this build does not know follow the ranges, from 4500 on
    /// without reconnect.
    pub fn reconnects(number: u16) -> bool {
        match Self::try_from(i32::from(number)) {
            Ok(code) => close_row(code).reconnect,
            Err(_) => number < 4500,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_codes_keep_to_their_ranges() {
        for code in CloseCode::all().filter(|code| *code != CloseCode::Normal) {
            let number = u16::try_from(code as i32).expect("a close code has 16 bits");
            assert!((4000..5000).contains(&number));
            assert_eq!(close_row(code).reconnect, number < 4500, "{code:?}");
            assert_eq!(CloseCode::reconnects(number), number < 4500);
        }
        assert!(CloseCode::reconnects(4099) && CloseCode::reconnects(1006) && !CloseCode::reconnects(4999));
    }

    #[test]
    fn refused_for_now_is_told_from_unknown() {
        for code in ErrorCode::all() {
            let expected = match code as i32 {
                300..400 => Retry::Later,
                400..500 => Retry::SameId,
                _ => continue,
            };
            assert_eq!(error_row(code).retry, expected, "{code:?}");
        }
    }

    #[test]
    fn a_status_says_as_much_as_the_code() {
        for code in ErrorCode::all() {
            let row = error_row(code);
            let fits = match row.retry {
                Retry::No => matches!(row.status, 400..500),
                Retry::Later => matches!(row.status, 401 | 408 | 429 | 503),
                Retry::SameId => row.status == 500,
            };
            assert!(fits, "{code:?} has the status {}", row.status);
        }
    }
}
