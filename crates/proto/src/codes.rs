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
    use CloseCode as Close;
    use ErrorCode::*;
    use Retry::{Later, No, SameId};

    let row = |retry, closes, meaning| ErrorRow { retry, closes, meaning };
    match code {
        Unspecified => row(No, None, "not used; an error of a newer server that this client does not know"),

        BadFrame => {
            row(No, Some(Close::BadFrames), "the bytes are no frame in the connection's format, or of no request")
        }
        UnknownRequest => row(No, None, "the frame has no request, or one that this server does not know"),
        BadField => row(No, None, "a field is missing, malformed or out of its range; the message names it"),
        FrameTooLarge => row(
            No,
            Some(Close::FrameOverLimit),
            "the frame has more bytes than allowed (8 KiB before login, 448 KiB after)",
        ),
        BodyTooLarge => row(No, None, "content and attachment together have more than 65 536 bytes"),
        PageTooLarge => row(No, None, "more entries were asked for, or named, than a request may"),
        UnsupportedVersion => {
            row(No, Some(Close::VersionRefused), "the server does not speak this version of the protocol")
        }

        LoginRequired => row(No, Some(Close::LoginRefused), "the first frame was not `hello`"),
        LoginTimeout => row(Later, Some(Close::LoginTimedOut), "the login was not done within 10 seconds"),
        BadToken => row(No, Some(Close::LoginRefused), "the token is malformed, forged, or issued for another server"),
        TokenExpired => {
            row(No, Some(Close::LoginRefused), "the token is past its time: get a new one, then connect again")
        }
        BadPassword => row(No, Some(Close::LoginRefused), "no such account, or another password"),
        UserDisabled => row(No, Some(Close::LoginRefused), "the user may not log in"),
        AlreadyLoggedIn => row(No, None, "a second `hello` on one connection"),
        TooManyAttempts => {
            row(Later, Some(Close::ServerBusy), "too many wrong passwords for this account, or from this address: wait")
        }

        NotFound => row(No, None, "there is no such user, group or conversation"),
        NotMember => row(No, None, "the user is no party or member of the conversation"),
        Forbidden => row(No, None, "the user's role does not allow it"),
        Conflict => row(No, None, "the client_msg_id was used before with another body"),
        LimitReached => {
            row(No, None, "a number that the server bounds is reached: members of a group, groups of a user")
        }

        Overloaded => row(Later, None, "the server has as much work as it can take; nothing was stored"),
        RateLimited => {
            row(Later, None, "the user asks for more than all their connections together may; nothing was stored")
        }
        BehindFailed => {
            row(Later, None, "a message before this one in the same conversation failed: resend that one first")
        }
        StoreFull => row(Later, None, "the server's disk is full; nothing was stored"),
        ShuttingDown => row(Later, None, "the server stops; nothing was stored"),
        LoginOver => row(
            Later,
            Some(Close::TokenRanOut),
            "the user was disabled or got a new password after this login; nothing was stored",
        ),

        UnknownOutcome => row(SameId, None, "the store broke in the middle: it may have been stored or not"),
        Internal => row(SameId, None, "a fault of the server; its log says which"),
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
}
