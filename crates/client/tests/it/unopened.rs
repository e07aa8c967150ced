//! Addresses, certificates and paths that are wrong: each has a kind and a sentence of its own.

use std::path::{Path, PathBuf};

use anser_client::{
    Format, Unopened,
    transport::{Dial as _, Network},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use crate::{
    fake::{Fake, Wire, tls_acceptor},
    within,
};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/tls").join(name)
}

async fn behind_tls(certificate: &str) -> Fake {
    let local = "127.0.0.1:0".parse().expect("an address");
    Fake::start_with(Wire::WebSocket, local, Some(tls_acceptor(&file(""), certificate))).await
}

/// None: the connection was opened.
async fn dial(url: &str, ca: &str) -> Option<Unopened> {
    let network = Network::new(url, Format::Protobuf, Some(&file(ca))).expect("an address");
    let error = within(network.dial()).await.err()?;
    Some(Unopened::of(&error).unwrap_or_else(|| panic!("{url}: {error} has no kind")).clone())
}

#[tokio::test]
async fn the_servers_own_certificate_is_believed_when_it_is_named_and_no_other() {
    let own = behind_tls("own").await;
    // It is made out to nobody's name, and says of itself that it issues certificates.
    let url = format!("wss://127.0.0.1:{}", own.address.port());
    assert_eq!(dial(&url, "own.pem").await, None);
    let refused = dial(&url, "ca.pem").await.expect("not believed");
    assert!(matches!(&refused, Unopened::NotBelieved { server, .. } if url.ends_with(server)), "{refused:?}");
    assert!(refused.to_string().contains("self-signed"), "{refused}");

    let issued = behind_tls("server").await;
    let local = format!("wss://localhost:{}", issued.address.port());
    assert_eq!(dial(&local, "ca.pem").await, None);
    assert_eq!(dial(&local, "server.pem").await, None);
    assert!(matches!(dial(&local, "own.pem").await, Some(Unopened::NotBelieved { .. })));
    let other_name = format!("wss://[::ffff:127.0.0.1]:{}", issued.address.port());
    let refused = dial(&other_name, "ca.pem").await.expect("not believed").to_string();
    assert!(refused.contains("another name"), "{refused}");
}

#[tokio::test]
async fn an_address_where_no_server_is_says_what_is_wrong_with_it() {
    let gone = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let closed = gone.local_addr().expect("an address");
    drop(gone);
    let tls = behind_tls("server").await;
    let refused = dial(&format!("ws://{closed}"), "ca.pem").await;
    assert_eq!(refused, Some(Unopened::Refused { server: closed.to_string() }));
    let nobody = dial("ws://nobody.invalid:7400", "ca.pem").await;
    assert!(matches!(&nobody, Some(Unopened::NoSuchHost { host, .. }) if host == "nobody.invalid"), "{nobody:?}");
    assert_eq!(
        dial(&format!("ws://{}", tls.address), "ca.pem").await,
        Some(Unopened::NoWebSocket { url: format!("ws://{}/v1/ws", tls.address) })
    );
    // What is not there now may come; what is something else stays it.
    assert!(refused.is_some_and(|refused| refused.may_pass()) && nobody.is_some_and(|nobody| nobody.may_pass()));
}

#[tokio::test]
async fn a_path_that_is_not_there_is_told_with_its_status() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let server = tokio::spawn(async move {
        for status in ["404 Not Found", "503 Service Unavailable", "400 Bad Request"] {
            let (mut socket, _) = listener.accept().await.expect("a connection");
            let mut request = [0; 4096];
            let _ = socket.read(&mut request).await;
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
            socket.write_all(answer.as_bytes()).await.expect("it reads");
        }
    });
    let url = format!("ws://{address}/chat");
    let secured = format!("wss://{address}/chat");
    for (status, may_pass) in [(404, false), (503, true)] {
        let answered = dial(&url, "ca.pem").await.expect("no WebSocket");
        assert_eq!(answered, Unopened::Answered { url: url.clone(), status });
        assert_eq!(answered.may_pass(), may_pass);
    }
    // Whoever speaks plain HTTP answers a TLS greeting like any other nonsense.
    assert!(matches!(dial(&secured, "ca.pem").await, Some(Unopened::NoTls { .. })));
    server.await.expect("no panic");
}
