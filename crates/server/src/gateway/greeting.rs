//! What stands before a connection: the first frame, and whether it is let in.

use std::sync::Arc;

use anser_proto::{
    CloseCode, ErrorCode,
    codes::{Retry, error_row},
    v1::{self, server_frame::Body},
};
use bytes::Bytes;
use tokio::time::{timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use super::{
    arrival::{Arrival, Ended},
    ending::{CLOSE_PATIENCE, End, last_words, recv_error},
    login::{self, LoggedIn},
    socket::{Received, RecvError, Socket},
    writing::write_all,
};
use crate::{ctx::Ctx, error::Error, framing::Framing};

/// Waits for the first frame and lets the connection in, or tells it why not. What makes it a stranger ends with this.
pub async fn greet(
    cx: &Arc<Ctx>,
    arrival: Arrival,
    mut socket: Socket,
    shutdown: &CancellationToken,
) -> Option<(Socket, LoggedIn)> {
    let hello = tokio::select! {
        () = shutdown.cancelled() => return None,
        hello = arrival.within(first_frame(&mut socket)) => {
            hello.and_then(|first| arrival.said_hello().map(|()| first))
        }
    };
    let (request_id, error) = match hello {
        Err(Ended::GaveWay) => return None,
        Err(Ended::Late) => (0, late(cx)),
        Ok(Err(error)) => match recv_error(error) {
            Ok(error) => (0, error),
            Err(end) => {
                arrival.refuse(last_words(&mut socket, end)).await;
                return None;
            }
        },
        Ok(Ok(frame)) => match log_in(cx, &arrival, socket.framing(), frame).await {
            Ok(logged_in) => return Some((socket, logged_in)),
            Err(refusal) => refusal,
        },
    };
    cx.metrics.login_refused(error.code);
    arrival.stranger.door().refusals.tell(arrival.address, error.code.as_str_name());
    let (code, reason) = (refusal_code(error.code), error.message.to_string());
    let frame = socket.framing().encode(&v1::ServerFrame { request_id, body: Some(Body::Error(error.to_wire())) });
    let told = async {
        let _ = timeout(CLOSE_PATIENCE, write_all(&mut socket, vec![frame])).await;
        last_words(&mut socket, End::Closed { code, reason }).await;
    };
    arrival.refuse(told).await;
    None
}

async fn first_frame(socket: &mut Socket) -> Result<Bytes, RecvError> {
    loop {
        if let Received::Frame(frame) = socket.recv().await? {
            return socket.check_undecoded(&frame).map(|()| frame);
        }
    }
}

/// Refuses with the id of the request, where there is one.
async fn log_in(cx: &Arc<Ctx>, arrival: &Arrival, framing: Framing, frame: Bytes) -> Result<LoggedIn, (u32, Error)> {
    let (request_id, hello) = login::open(framing, frame)?;
    let logged_in = timeout_at(arrival.deadline, login::let_in(cx, arrival, framing, request_id, hello)).await;
    logged_in.unwrap_or_else(|_| Err(late(cx))).map_err(|error| (request_id, error))
}

fn late(cx: &Ctx) -> Error {
    Error::new(ErrorCode::LoginTimeout, format!("the login was not done within {} ms", cx.config.limits.login_ms))
}

/// How a connection ends that is not let in. When the server is at fault, the client comes again.
fn refusal_code(code: ErrorCode) -> CloseCode {
    let row = error_row(code);
    row.closes.unwrap_or(match row.retry {
        Retry::No => CloseCode::LoginRefused,
        Retry::Later => CloseCode::ServerBusy,
        Retry::SameId => CloseCode::ServerError,
    })
}
