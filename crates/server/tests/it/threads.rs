//! Strangers and users on threads of their own.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream as BlockingStream},
    thread,
    time::Duration,
};

use anser_proto::Format;
use anser_server::{Column, config::Config};
use tokio::{
    net::TcpStream,
    runtime::{Builder, Runtime},
};

use crate::{
    raw::{Raw, TestServer, clock, memory_store},
    tls::{handshake, secure},
};

/// Long enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server that serves users where the test runs, and strangers elsewhere.
async fn start(change: impl FnOnce(&mut Config)) -> (TestServer, Runtime) {
    let strangers = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a thread");
    let dir = tempfile::tempdir().expect("a folder for the test");
    let mut config = Config::default();
    (config.listen.http, config.listen.tcp) = (([127, 0, 0, 1], 0).into(), ([127, 0, 0, 1], 0).into());
    config.store.dir = dir.path().into();
    change(&mut config);
    let column = Column::alone(memory_store(&config), clock());
    (TestServer::start_apart(dir, config, column, strangers.handle().clone()).await, strangers)
}

/// Without giving the thread of users a moment.
fn ask(to: SocketAddr, what: &[u8]) -> Vec<u8> {
    let mut stream = BlockingStream::connect(to).expect("the port accepts");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time");
    stream.write_all(what).expect("it is taken");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("it is answered, and ends");
    answer
}

#[tokio::test]
async fn strangers_need_no_thread_of_users() {
    let (server, strangers) = start(|_| {}).await;
    // It accepts, and from here on nobody else has this thread.
    server.get("/healthz").await;
    let health = ask(server.server.http, b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    assert!(health.starts_with(b"HTTP/1.1 200 OK"), "{health:?}");
    let refused = ask(server.server.tcp, b"\0\0\0\x01\xff");
    assert!(!refused.is_empty());
    strangers.shutdown_background();
}

#[tokio::test]
async fn who_is_logged_in_needs_no_thread_of_strangers() {
    for is_secure in [false, true] {
        let no_change: fn(&mut Config) = |_| {};
        let (server, strangers) = start(if is_secure { secure } else { no_change }).await;
        let http = TcpStream::connect(server.server.http).await.expect("the port accepts");
        let tcp = TcpStream::connect(server.server.tcp).await.expect("the port accepts");
        let (mut ada, mut bob) = if is_secure {
            (
                Raw::over_web_socket(handshake(http).await, Format::Json).await,
                Raw::over_tcp(handshake(tcp).await, Format::Protobuf),
            )
        } else {
            (Raw::over_web_socket(http, Format::Json).await, Raw::over_tcp(tcp, Format::Protobuf))
        };
        ada.hello(server.hello("ada", "phone")).await;
        bob.hello(server.hello("bob", "phone")).await;
        thread::spawn(|| strangers.shutdown_timeout(PATIENCE)).join().expect("its threads end");
        ada.send(&ada.conversation_with(&bob), "m-1", "we are on our own").await;
        assert_eq!(bob.message().await.message.expect("a message").content, "we are on our own");
    }
}
