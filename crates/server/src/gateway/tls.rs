//! TLS from certificate files, by rustls.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use tokio_rustls::TlsAcceptor;

use crate::config;

/// None when no certificate is configured.
pub fn acceptor(config: &config::Tls) -> anyhow::Result<Option<TlsAcceptor>> {
    let (Some(cert_file), Some(key_file)) = (&config.cert_file, &config.key_file) else { return Ok(None) };
    let certs: Vec<_> = CertificateDer::pem_file_iter(cert_file)
        .and_then(Iterator::collect)
        .with_context(|| format!("cannot read certificates from tls.cert_file {}", cert_file.display()))?;
    if certs.is_empty() {
        bail!("tls.cert_file {} holds no certificate: it must be PEM, the server's own first", cert_file.display());
    }
    let key = PrivateKeyDer::from_pem_file(key_file)
        .with_context(|| format!("cannot read a private key from tls.key_file {}", key_file.display()))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .context("TLS 1.2 and 1.3")?
        .with_no_client_auth()
        .with_single_cert(certs, key)
        .context("tls.cert_file and tls.key_file do not fit each other")?;
    Ok(Some(TlsAcceptor::from(Arc::new(server))))
}
