//! Both ports behind TLS, from certificate files.

use std::{path::PathBuf, sync::Arc};

use anser_proto::Format;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::raw::{Raw, TestServer, memory_store};

/// Made for tests alone, for `localhost`.
fn file(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "../client/tests/it/tls", name].iter().collect()
}

pub fn secure(config: &mut anser_server::config::Config) {
    config.tls.cert_file = Some(file("server.pem"));
    config.tls.key_file = Some(file("server.key"));
}

async fn start() -> TestServer {
    TestServer::start_with(secure, memory_store).await
}

async fn connect(address: std::net::SocketAddr) -> TlsStream<TcpStream> {
    handshake(TcpStream::connect(address).await.expect("the port accepts")).await
}

pub async fn handshake(stream: TcpStream) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(file("ca.pem")).expect("a certificate")).expect("it is one");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("TLS")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").expect("a name");
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.expect("a handshake")
}

#[tokio::test]
async fn both_ports_speak_behind_tls() {
    let server = start().await;
    let mut ada = Raw::over_web_socket(connect(server.server.http).await, Format::Json).await;
    ada.hello(server.hello("ada", "phone")).await;
    let mut bob = Raw::over_tcp(connect(server.server.tcp).await, Format::Protobuf);
    bob.hello(server.hello("bob", "phone")).await;
    let body = "x".repeat(60_000);
    ada.send(&ada.conversation_with(&bob), "m-1", &body).await;
    assert_eq!(bob.message().await.message.expect("a message").content, body);
}

#[tokio::test]
async fn plain_text_on_a_tls_port_is_not_answered_and_harms_nobody() {
    let server = start().await;
    let mut plain = TcpStream::connect(server.server.tcp).await.expect("the port accepts");
    plain.write_all(b"no handshake at all").await.expect("it is taken");
    let mut told = Vec::new();
    plain.read_to_end(&mut told).await.expect("it ends");
    assert!(told.len() < 16, "an alert of TLS at the most: {told:?}");
    let mut bob = Raw::over_tcp(connect(server.server.tcp).await, Format::Protobuf);
    bob.hello(server.hello("bob", "phone")).await;
    assert!(server.metrics().await.contains("anser_turned_away_total{reason=\"tls\"} 1"));
}

#[tokio::test]
async fn certificate_files_that_are_none_are_named() {
    use anser_server::{Column, Server, config::Config, system_clock};

    for (cert, key, named) in [
        ("nowhere.pem", "server.key", "nowhere.pem"),
        ("server.key", "server.key", "no certificate"),
        ("server.pem", "ca.pem", "ca.pem"),
    ] {
        let dir = tempfile::tempdir().expect("a folder for the test");
        let mut config = Config::default();
        config.listen.http = ([127, 0, 0, 1], 0).into();
        config.listen.tcp = ([127, 0, 0, 1], 0).into();
        config.store.dir = dir.path().into();
        config.tls.cert_file = Some(file(cert));
        config.tls.key_file = Some(file(key));
        let store = memory_store(&config);
        let error = Server::start(config, Column::alone(store, system_clock())).await.err().expect("refused");
        assert!(format!("{error:#}").contains(named), "{error:#} does not name {named}");
    }
}
