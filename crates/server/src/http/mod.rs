//! Plain HTTP: health and metrics beside the WebSocket, and the operator's requests on a socket of their own.

pub mod admin;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::{get, post},
};
use tokio::time::timeout;

use crate::ctx::Ctx;

/// A store that takes no write for so long is not ready.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

pub fn routes(cx: Arc<Ctx>) -> Router {
    Router::new()
        .route("/", get(index))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(cx)
}

/// For whoever may open files in the data folder.
pub fn operator_routes(cx: Arc<Ctx>) -> Router {
    Router::new()
        .route("/v1/users", get(admin::list_users).post(admin::create_user))
        .route("/v1/users/{account}", post(admin::change_user))
        .with_state(cx)
}

async fn index() -> &'static str {
    "Anser IM server.\n\nClients connect with a WebSocket to /v1/ws, subprotocol anser.v1.protobuf or anser.v1.json.\n\
     /healthz: alive; /readyz: takes messages; /metrics: numbers for Prometheus.\n"
}

/// The process is alive.
async fn healthz() -> &'static str {
    "ok\n"
}

/// The server takes messages: it does not drain, and its store takes writes.
async fn readyz(State(cx): State<Arc<Ctx>>) -> (StatusCode, String) {
    if cx.is_draining() {
        return (StatusCode::SERVICE_UNAVAILABLE, "draining\n".into());
    }
    match timeout(PROBE_TIMEOUT, cx.store.probe()).await {
        Ok(Ok(())) => (StatusCode::OK, "ok\n".into()),
        Ok(Err(error)) => (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the store took no write within 2 s\n".into()),
    }
}

async fn metrics(State(cx): State<Arc<Ctx>>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], cx.metrics.text())
}
