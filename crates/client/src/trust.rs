//! Whom a client believes to be the server: who has a certificate of a trusted issuer, or the very certificate that was named.

use std::{fs::File, io::BufReader, path::Path, sync::Arc};

use rustls::{
    DigitallySignedStruct, Error, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
};
use tokio_rustls::TlsConnector;

use crate::transport::BadUrl;

/// Trusts the certificates in `ca_file` (PEM) instead of the system's.
pub(crate) fn trust(ca_file: Option<&Path>) -> Result<TlsConnector, BadUrl> {
    let file = ca_file.map(|path| path.display().to_string());
    let unreadable = |error: String| BadUrl::Certificates { file: file.clone(), error };
    let certificates = match ca_file {
        Some(path) => {
            let mut file = BufReader::new(File::open(path).map_err(|error| unreadable(error.to_string()))?);
            let read = CertificateDer::pem_reader_iter(&mut file).collect::<Result<Vec<_>, _>>();
            read.map_err(|error| unreadable(error.to_string()))?
        }
        None => rustls_native_certs::load_native_certs().certs,
    };
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(certificates.iter().cloned());
    if roots.is_empty() {
        return Err(unreadable("there is none".to_owned()));
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| unreadable(error.to_string()))?;
    let config = match ca_file {
        None => config.with_root_certificates(roots),
        Some(_) => {
            let issued = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
                .build()
                .map_err(|error| unreadable(error.to_string()))?;
            let verifier = Arc::new(IssuedOrNamed { issued, named: certificates });
            config.dangerous().with_custom_certificate_verifier(verifier)
        }
    };
    Ok(TlsConnector::from(Arc::new(config.with_no_client_auth())))
}

/// Believes who has a certificate that one of the named ones issued; and who has a named one itself, which a self-signed one may
/// be. Of the latter neither name nor dates are asked: whoever named this certificate meant the holder of its key, and the
/// handshake's signature proves that it is.
#[derive(Debug)]
struct IssuedOrNamed {
    issued: Arc<WebPkiServerVerifier>,
    named: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for IssuedOrNamed {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self.issued.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            Err(_) if self.named.contains(end_entity) => Ok(ServerCertVerified::assertion()),
            judged => judged,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.issued.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.issued.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.issued.supported_verify_schemes()
    }
}
