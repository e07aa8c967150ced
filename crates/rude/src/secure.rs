//! TLS, with the certificate for 127.0.0.1 that the load generator has too, and that nobody else believes.

use std::{io, net::Ipv4Addr, sync::Arc};

use rustls::{ClientConfig, ClientConnection, RootCertStore, crypto::aws_lc_rs};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use tokio_rustls::TlsConnector;

const CA: &[u8] = include_bytes!("../../cli/src/bench/tls/ca.pem");
/// Whoever made it.
pub const CA_FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../cli/src/bench/tls/ca.pem");
/// Of the server.
pub const CERT_FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../cli/src/bench/tls/cert.pem");
pub const KEY_FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../cli/src/bench/tls/key.pem");

pub fn connector() -> io::Result<TlsConnector> {
    Ok(client()?.into())
}

pub fn name() -> ServerName<'static> {
    Ipv4Addr::LOCALHOST.into()
}

/// The first message of a handshake.
pub fn client_hello() -> io::Result<Vec<u8>> {
    let mut client = ClientConnection::new(client()?, name()).map_err(io::Error::other)?;
    let mut hello = Vec::new();
    client.write_tls(&mut hello)?;
    Ok(hello)
}

fn client() -> io::Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(CA).map_err(io::Error::other)?).map_err(io::Error::other)?;
    let client = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(client))
}
