//! Tasks that end though they should not: told to whoever runs the server, to balancers, and among the metrics.

use std::sync::Arc;

use anser_server::{
    Column,
    cluster::{
        Directory as _, Inbox,
        counts::Counts,
        memory::Network,
        peers::{Arriving, Ways},
    },
    config::Config,
    system_clock,
};

use crate::{
    faulty::Faulty,
    raw::{TestServer, memory_store},
};

async fn assert_told(server: &TestServer, task: &str, why: &str) {
    assert_eq!(server.server.broke().await.to_string(), format!("the task `{task}` ended: {why}"));
    let ready = server.get("/readyz").await;
    assert_eq!(ready, ("HTTP/1.1 503 Service Unavailable".into(), format!("the task `{task}` ended: {why}\n")));
    assert_eq!(server.get("/healthz").await.0, "HTTP/1.1 200 OK");
    let metrics = server.metrics().await;
    let line = format!("anser_tasks_ended_total{{task=\"{task}\"}} 1");
    assert!(metrics.contains(&line), "{line} is not in {metrics}");
}

#[tokio::test]
async fn a_store_that_breaks_down_is_told() {
    let faulty = Faulty::new(memory_store(&Config::default()));
    let store = faulty.clone();
    let server = TestServer::start_with(|_| {}, |_| Arc::new(store)).await;
    let ada = server.login("ada").await;
    faulty.break_down();
    assert_told(&server, "store", "a test said so").await;
    // It ends as it does when it is told to.
    server.server.stop().await.expect("it ends");
    drop(ada);
}

#[tokio::test]
async fn a_node_that_went_deaf_says_so() {
    let dir = tempfile::tempdir().expect("a folder for the test");
    let mut config = Config::default();
    config.listen.http = ([127, 0, 0, 1], 0).into();
    config.listen.tcp = ([127, 0, 0, 1], 0).into();
    config.store.dir = dir.path().into();
    let (tell, place) = tokio::sync::oneshot::channel();
    let join: anser_server::Join = Box::new(move |node| {
        Box::pin(async move {
            let (me, counts) = (node.id, Counts::default());
            let (place, bus) = Network::default().join(node, counts.clone());
            assert!(tell.send(place.clone()).is_ok());
            let arriving = Arriving { bus, kicks: Inbox::silent() };
            let (directory, bus) = (Arc::new(place.clone()), Arc::new(place));
            Ok(Ways { me, directory, bus, kicks: None, counts, arriving, in_cluster: true })
        })
    });
    let column = Column { store: memory_store(&config), clock: system_clock(), join };
    let server = TestServer::start_on(dir, config, column).await;
    assert_eq!(server.get("/readyz").await.0, "HTTP/1.1 200 OK");
    place.await.expect("it joined").leave().await;
    assert_told(&server, "listen", "it ended by itself").await;
}
