//! How a connection ends, and its last words.

use std::time::Duration;

use anser_proto::{
    CloseCode, ErrorCode,
    codes::{close_row, error_row},
    v1::{self, server_frame::Body},
};
use tokio::time::timeout;

use super::{
    socket::{LARGE_FRAME_TIME_MAX, RecvError, SMALL_FRAME_BYTES, Socket},
    writing::Unwritten,
};
use crate::error::Error;

/// So long may the last words to a connection take.
pub const CLOSE_PATIENCE: Duration = Duration::from_secs(2);

/// How a connection ends.
pub enum End {
    /// The peer is not there any more.
    Gone,
    /// By the server, which says why.
    Closed { code: CloseCode, reason: String },
    /// In WebSocket's own words: by the peer, whose code goes back to them, or because they did not keep to RFC 6455.
    WebSocket { code: Option<u16>, reason: &'static str },
}

pub fn end(code: CloseCode) -> End {
    End::Closed { code, reason: close_row(code).meaning.to_owned() }
}

/// What to answer, or how to end without an answer.
pub fn recv_error(error: RecvError) -> Result<Error, End> {
    match error {
        RecvError::TooLarge(message) => Ok(Error::new(ErrorCode::FrameTooLarge, message)),
        RecvError::NoFrame(message) => Ok(Error::new(ErrorCode::BadFrame, message)),
        RecvError::Gone => Err(End::Gone),
        RecvError::Closed(code) => Err(End::WebSocket { code, reason: "" }),
        RecvError::Violation(violation) => {
            let (code, reason) = violation.close();
            Err(End::WebSocket { code: Some(code), reason })
        }
        RecvError::TooSlow => {
            let (kib, seconds) = (SMALL_FRAME_BYTES / 1024, LARGE_FRAME_TIME_MAX.as_secs());
            let reason = format!("a frame of more than {kib} KiB was not whole within {seconds} seconds");
            Err(End::Closed { code: CloseCode::Silent, reason })
        }
    }
}

/// Ends the connection, and says why where there is something to say.
pub async fn last_words(socket: &mut Socket, end: End) {
    let said = async {
        match end {
            End::Gone => Ok(()),
            End::Closed { code, reason } => socket.close(code, &reason).await,
            End::WebSocket { code, reason } => socket.close_web_socket(code, reason).await,
        }
    };
    let _ = timeout(CLOSE_PATIENCE, said).await;
}

pub fn unwritten(why: Unwritten) -> End {
    match why {
        Unwritten::Gone => End::Gone,
        Unwritten::TooSlow => end(CloseCode::Lagging),
    }
}

/// An answer after which the connection ends.
pub fn closing_code(frame: &v1::ServerFrame) -> Option<CloseCode> {
    match &frame.body {
        Some(Body::Error(error)) => error_row(error.code()).closes,
        _ => None,
    }
}
