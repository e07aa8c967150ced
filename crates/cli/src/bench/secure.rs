//! TLS for a server of the bench's own, with a certificate that nobody else believes.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context as _;
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use tokio_rustls::TlsConnector;

/// For 127.0.0.1, until the year 2126; the key of the authority was thrown away.
const CA: &[u8] = include_bytes!("tls/ca.pem");
const CERT: &[u8] = include_bytes!("tls/cert.pem");
const KEY: &[u8] = include_bytes!("tls/key.pem");

pub struct Tls {
    /// Of the server.
    pub settings: Vec<(&'static str, PathBuf)>,
    /// Of its clients.
    pub connector: TlsConnector,
}

impl Tls {
    /// The server reads its files from this folder.
    pub fn write(folder: &Path) -> anyhow::Result<Self> {
        let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
        fs::write(&cert, CERT).and_then(|()| fs::write(&key, KEY)).context("the temporary folder cannot be written")?;
        Ok(Self {
            settings: vec![("ANSER_TLS__CERT_FILE", cert), ("ANSER_TLS__KEY_FILE", key)],
            connector: connector(CA)?,
        })
    }
}

/// For servers whose certificates come from these issuers (PEM).
pub fn connector(ca: &[u8]) -> anyhow::Result<TlsConnector> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(ca) {
        roots.add(certificate?)?;
    }
    let client = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(client).into())
}
