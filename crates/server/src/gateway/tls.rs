//! TLS from certificate files, by rustls. The files may change while the server runs: connections that come after a reload get the
//! new certificate.

use std::{
    path::Path,
    sync::{Arc, PoisonError, RwLock},
};

use anyhow::{Context as _, bail};
use rustls::{
    ServerConfig,
    client::verify_server_name,
    crypto::CryptoProvider,
    server::{ClientHello, ParsedCertificate, ResolvesServerCert},
    sign::CertifiedKey,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _};
use tokio_rustls::TlsAcceptor;

use crate::config;

/// The certificate that is shown, and its key.
#[derive(Debug)]
pub struct Certificate(RwLock<Arc<CertifiedKey>>);

impl Certificate {
    /// None when no certificate is configured.
    pub fn load(config: &config::Tls) -> anyhow::Result<Option<Arc<Self>>> {
        Ok(read(config)?.map(|key| Arc::new(Self(RwLock::new(key)))))
    }

    /// Shows another one from now on.
    pub fn replace(&self, other: Arc<CertifiedKey>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = other;
    }

    /// Whether the certificate is for this name.
    pub fn is_for(&self, name: &str) -> bool {
        let shown = self.shown();
        let parsed = shown.end_entity_cert().and_then(ParsedCertificate::try_from);
        let name = ServerName::try_from(name);
        parsed.is_ok_and(|parsed| name.is_ok_and(|name| verify_server_name(&parsed, &name).is_ok()))
    }

    fn shown(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn acceptor(self: &Arc<Self>) -> anyhow::Result<TlsAcceptor> {
        let server = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .context("TLS 1.2 and 1.3")?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(self) as Arc<dyn ResolvesServerCert>);
        Ok(TlsAcceptor::from(Arc::new(server)))
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.shown())
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// None when no certificate is configured.
pub fn read(config: &config::Tls) -> anyhow::Result<Option<Arc<CertifiedKey>>> {
    let (Some(cert_file), Some(key_file)) = (&config.cert_file, &config.key_file) else { return Ok(None) };
    let certs = chain(cert_file)?;
    let key = PrivateKeyDer::from_pem_file(key_file)
        .with_context(|| format!("cannot read a private key from tls.key_file {}", key_file.display()))?;
    let certified = CertifiedKey::from_der(certs, key, &provider())
        .context("tls.cert_file and tls.key_file do not fit each other")?;
    Ok(Some(Arc::new(certified)))
}

fn chain(cert_file: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let certs: Vec<_> = CertificateDer::pem_file_iter(cert_file)
        .and_then(Iterator::collect)
        .with_context(|| format!("cannot read certificates from tls.cert_file {}", cert_file.display()))?;
    if certs.is_empty() {
        bail!("tls.cert_file {} holds no certificate: it must be PEM, the server's own first", cert_file.display());
    }
    Ok(certs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_for_its_names_and_no_others() {
        let file = |name: &str| [env!("CARGO_MANIFEST_DIR"), "../client/tests/it/tls", name].iter().collect();
        let config = config::Tls { cert_file: Some(file("server.pem")), key_file: Some(file("server.key")) };
        let certificate = Certificate::load(&config).expect("they fit").expect("one is named");
        assert!(certificate.is_for("localhost"));
        for other in ["evil.example", "localhost.evil.example", "", "local host"] {
            assert!(!certificate.is_for(other), "{other:?}");
        }
    }
}
