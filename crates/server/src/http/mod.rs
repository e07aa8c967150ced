//! Plain HTTP: health beside the WebSocket, and what only operators may ask, on ports and a socket of their own.

mod host;
mod operator;
pub mod problem;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use anser_store::Failure;
use axum::{
    Extension, Json, Router,
    extract::State,
    http::{StatusCode, header},
    middleware::from_fn_with_state,
    response::IntoResponse,
    routing::{get, post},
};
use serde::Serialize;
use tokio::time::{Instant, timeout};

use crate::{cluster::Node, ctx::Ctx};

/// A store that takes no write for so long is not ready.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);
/// How long the answer to a probe holds.
const PROBE_INTERVAL: Duration = Duration::from_secs(1);

/// What may be asked, by the way it is asked.
pub struct Routes {
    /// By anybody, on the port of clients.
    pub public: Router,
    /// By whoever reaches `listen.operator`: it tells and changes nothing.
    pub operator: Router,
    /// By whoever may open files in the data folder.
    pub owner: Router,
}

impl Routes {
    pub fn new(cx: &Arc<Ctx>) -> Self {
        let health = Router::new()
            .route("/healthz", get(healthz))
            .route("/readyz", get(readyz))
            .layer(Extension(Arc::new(Mutex::<LastProbe>::default())));
        let public = health.clone().route("/", get(index)).route("/v1/access", get(access));
        let operator = health.route("/metrics", get(metrics));
        let owner = operator
            .clone()
            .route("/v1/users", get(operator::list_users).post(operator::create_user))
            .route("/v1/users/change", post(operator::change_user))
            .route("/v1/tokens/check", post(operator::check_token));
        let operator = operator.layer(from_fn_with_state(Arc::clone(cx), host::check));
        let [public, operator, owner] = [public, operator, owner].map(|routes| routes.with_state(Arc::clone(cx)));
        Self { public, operator, owner }
    }
}

async fn index() -> &'static str {
    "Anser IM server.\n\nClients connect with a WebSocket to /v1/ws, subprotocol anser.v1.protobuf or anser.v1.json.\n\
     /healthz: alive; /readyz: takes messages; /v1/access: where to connect.\n"
}

/// The process is alive.
async fn healthz() -> &'static str {
    "ok\n"
}

/// The server takes messages: it does not drain, and its store takes writes.
///
/// A probe is a write in the queue of all senders, and anybody may ask: one a second is made, and who asks meanwhile gets the
/// answer of the last one.
async fn readyz(State(cx): State<Arc<Ctx>>, Extension(last): Extension<Arc<Mutex<LastProbe>>>) -> Readiness {
    if cx.peers.is_draining() {
        return (StatusCode::SERVICE_UNAVAILABLE, "draining\n".into());
    }
    if let Some(fallen) = cx.peers.counts.watch.fallen() {
        return (StatusCode::SERVICE_UNAVAILABLE, format!("{fallen}\n"));
    }
    {
        let mut last = last.lock().expect("nothing panics while holding it");
        if last.at.is_some_and(|at| at.elapsed() < PROBE_INTERVAL) {
            return last.answer.clone();
        }
        last.at = Some(Instant::now());
    }
    // To its end, also when whoever asked has left: others wait for its answer.
    let probing = tokio::spawn(probe_for_all(cx, Arc::clone(&last)));
    probing.await.unwrap_or_else(|_| (StatusCode::SERVICE_UNAVAILABLE, "the probe broke\n".into()))
}

async fn probe_for_all(cx: Arc<Ctx>, last: Arc<Mutex<LastProbe>>) -> Readiness {
    let lock = || last.lock().expect("nothing panics while holding it");
    let full = cx.store.stats().full;
    let answer = match probe(&cx).await {
        // The probe found room, and the messages of others did not.
        (StatusCode::OK, _) if full > std::mem::replace(&mut lock().full, full) => {
            (StatusCode::SERVICE_UNAVAILABLE, format!("{}\n", Failure::Full))
        }
        answer => answer,
    };
    lock().answer.clone_from(&answer);
    answer
}

type Readiness = (StatusCode, String);

struct LastProbe {
    at: Option<Instant>,
    /// Transactions until then for which there was no room.
    full: u64,
    answer: Readiness,
}

impl Default for LastProbe {
    fn default() -> Self {
        Self { at: None, full: 0, answer: (StatusCode::SERVICE_UNAVAILABLE, "the store is being probed\n".into()) }
    }
}

async fn probe(cx: &Ctx) -> Readiness {
    match timeout(PROBE_TIMEOUT, cx.store.probe()).await {
        Ok(Ok(())) => (StatusCode::OK, "ok\n".into()),
        Ok(Err(error)) => (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the store took no write within 2 s\n".into()),
    }
}

/// Nodes that clients may connect to, the least busy first, for those that do not sit behind a balancer. Anybody may ask: neither what
/// the operator calls a node nor how many use it is their business.
async fn access(State(cx): State<Arc<Ctx>>) -> Json<Access> {
    let nodes = cx.peers.nodes();
    let staying: Vec<&Node> = nodes.iter().filter(|node| !node.load.draining).collect();
    let mut nodes = if staying.is_empty() { nodes.iter().collect() } else { staying };
    nodes.sort_by_key(|node| node.load.connections);
    let nodes = nodes.into_iter().take(ACCESS_NODES_MAX).map(|node| AccessNode { url: node.client_url.clone() });
    Json(Access { nodes: nodes.collect() })
}

/// Nodes that one answer names.
const ACCESS_NODES_MAX: usize = 100;

#[derive(Serialize)]
struct Access {
    nodes: Vec<AccessNode>,
}

#[derive(Serialize)]
struct AccessNode {
    url: Box<str>,
}

async fn metrics(State(cx): State<Arc<Ctx>>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], cx.metrics.text())
}
