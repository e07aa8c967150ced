//! HTTP on the port of users. Whoever does not become a WebSocket is a stranger until the end: what asks for health connects again.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, HeaderValue, Response, StatusCode, header},
    response::IntoResponse as _,
};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::time::Instant;
use tower::ServiceExt as _;

use super::{
    Gateway,
    arrival::{Arrival, Ended},
    http1,
    io::Io,
};

/// What one connection has asked for. None: nothing yet; else by when the last request is to be answered.
#[derive(Default)]
struct Asked(Mutex<Option<Instant>>);

impl Asked {
    fn last(&self) -> Option<Instant> {
        *self.0.lock().expect("nothing panics while holding it")
    }

    /// Whether it is the first one.
    fn ask(&self, deadline: Instant) -> bool {
        self.0.lock().expect("nothing panics while holding it").replace(deadline).is_none()
    }
}

pub async fn serve(gateway: Arc<Gateway>, mut arrival: Arrival, io: Io, routes: Router) {
    let asked = Arc::new(Asked::default());
    let (of_all, of_this, counted) = (Arc::clone(&gateway), arrival.clone(), Arc::clone(&asked));
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        let (arrival, routes) = (of_all.identify(of_this.clone(), &counted, request.headers()), routes.clone());
        async move {
            let arrival = match arrival {
                Ok(arrival) => arrival,
                Err((status, message)) => return Ok::<_, Infallible>(refusal(status, message)),
            };
            request.extensions_mut().insert(arrival);
            routes.oneshot(request).await
        }
    });
    let connection = http1().serve_connection(TokioIo::new(io), service).with_upgrades();
    tokio::pin!(connection);
    let mut stopping = false;
    loop {
        let ended = tokio::select! {
            ended = arrival.within(&mut connection) => ended,
            () = gateway.shutdown.cancelled(), if !stopping => {
                stopping = true;
                connection.as_mut().graceful_shutdown();
                continue;
            }
        };
        match (ended, asked.last()) {
            // Of a proxy, which may have the connection for long.
            (Err(Ended::Late), Some(last)) if last > arrival.deadline => arrival.deadline = last,
            (Err(Ended::Late), None) => return arrival.turn_away("login_ms"),
            (Ok(Err(error)), None) if error.is_timeout() => return arrival.turn_away("login_ms"),
            _ => return,
        }
    }
}

impl Gateway {
    /// Each request of a trusted proxy is for somebody, and counts as a connection of theirs would; and so does each request of anybody
    /// else behind the first one on their connection. Or what to answer instead.
    fn identify(
        &self,
        mut arrival: Arrival,
        asked: &Asked,
        headers: &HeaderMap,
    ) -> Result<Arrival, (StatusCode, String)> {
        if !self.proxies.trusts(arrival.address) {
            let is_first = asked.ask(arrival.deadline);
            let counted = if is_first { Ok(()) } else { arrival.stranger.asks_again() };
            return counted.map_err(|limit| too_many(&arrival, limit)).map(|()| arrival);
        }
        arrival.deadline = self.deadline();
        asked.ask(arrival.deadline);
        let Ok(address) = self.proxies.client(arrival.address, headers) else {
            arrival.turn_away("x_forwarded_for");
            let message = "the proxy's X-Forwarded-For has no address where it must\n".into();
            return Err((StatusCode::BAD_REQUEST, message));
        };
        arrival.comes_from(address, &self.proxies).map_err(|limit| too_many(&arrival, limit))?;
        Ok(arrival)
    }
}

fn too_many(arrival: &Arrival, limit: &'static str) -> (StatusCode, String) {
    arrival.turn_away(limit);
    (StatusCode::TOO_MANY_REQUESTS, format!("too many from {}: limits.{limit}\n", arrival.address))
}

/// And the end of the connection.
pub fn refusal(status: StatusCode, message: String) -> Response<Body> {
    let mut response = (status, message).into_response();
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}
